/* doctor.c - `gatehouse doctor`: looks at everything that can go wrong with an installation and says how to mend it. It
 * changes nothing. Exit status 1 when something is broken; a warning is not. */
#include "cli/doctor.h"
#include "cli/output.h"
#include "cli/token_cache.h"
#include "core/backend_state.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/json.h"
#include "core/str.h"
#include "core/theme_check.h"
#include "db/alerts.h"
#include "db/backends.h"
#include "db/certificates.h"
#include "db/credentials.h"
#include "db/loggers.h"
#include "db/named_values.h"
#include "db/rotation.h"
#include "db/secrets.h"
#include "db/store.h"
#include "db/telemetry.h"
#include "policy/trust.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { DISK_WARN_MIB = 256, DISK_FAIL_MIB = 32, LIST_MAX_BYTES = 256 << 20 };
#define CERTIFICATE_SOON_US (INT64_C(14) * 86400 * 1000000)      /* two weeks */
static const char *const severities[] = { "ok", "warning", "BROKEN", NULL };

void doctor_tell(struct doctor *d, enum severity severity, const char *what, const char *fmt, ...)
{
	char text[600];
	va_list args;

	if (d->n == DOCTOR_FINDINGS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->v[d->n++] = (struct finding){ severity, str_of(what), arena_dup(d->c->arena, str_of(text)) };
	if (severity == BROKEN)
		d->c->exit_code = 1;
}

/* ---- the directory ---------------------------------------------------------------------------------------------------- */

static void check_directory(struct doctor *d)
{
	struct stat st;

	if (stat(d->c->state_dir, &st) < 0)
		doctor_tell(d, BROKEN, "state directory", "%s: %s; make it with: gatehouse init", d->c->state_dir, strerror(errno));
	else if (st.st_mode & S_IRWXO)
		doctor_tell(d, WARNING, "state directory", "%s: everybody may look into it; mend that with: chmod o-rwx %s",
		     d->c->state_dir, d->c->state_dir);
	else
		doctor_tell(d, FINE, "state directory", "%s", d->c->state_dir);
}

/* What the keeper gives back when the disk is full (keeper/reserve.h). */
static bool has_reserve(const struct doctor *d)
{
	char path[PATHS_MAX];
	struct stat st;

	return !paths_join(path, d->c->state_dir, "reserve", NULL).code && stat(path, &st) == 0;
}

static void check_disk(struct doctor *d)
{
	struct statvfs fs;
	uint64_t mib;

	if (statvfs(d->c->state_dir, &fs) < 0) {
		doctor_tell(d, WARNING, "disk space", "%s: %s", d->c->state_dir, strerror(errno));
		return;
	}
	mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	doctor_tell(d, mib < DISK_FAIL_MIB ? BROKEN : mib < DISK_WARN_MIB ? WARNING : FINE, "disk space", "%llu MiB free%s%s",
		    (unsigned long long)mib, has_reserve(d) ? ", and the keeper's reserve" : "",
		    mib < DISK_FAIL_MIB ? "; old single calls go to make room for new ones, so make room on this disk" : "");
}

static void check_master_key(struct doctor *d)
{
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	struct gh_err err = { 0 };
	bool found;

	if (paths_master_key(d->c->state_dir, key, &found, &err).code)
		doctor_tell(d, BROKEN, "master key", "%s", err.message);
	else if (!found)
		doctor_tell(d, BROKEN, "master key", "neither GATEHOUSE_MASTER_KEY nor %s/master.key; without it no secret opens",
		     d->c->state_dir);
	else
		doctor_tell(d, FINE, "master key", "readable by its owner only");
	if (!paths_master_key_next(d->c->state_dir, key, &found, &err).code && found)
		doctor_tell(d, WARNING, "master key", "it is being changed; go on with: gatehouse rotate-master-key");
	crypto_wipe(key, sizeof(key));
}

/* ---- the store -------------------------------------------------------------------------------------------------------- */

static void tell_part(struct doctor *d, bool good, const char *what, const char *fine, const struct store_check *k)
{
	if (good)
		doctor_tell(d, FINE, what, "%s", fine);
	else
		doctor_tell(d, BROKEN, what, "%.*s", STR_ARG(k->detail));
}

static void check_secrets(struct doctor *d, struct store *s)
{
	struct store_certificate *certificates;
	struct store_named_value *values;
	struct store_backend *backends;
	struct store_logger *loggers;
	struct gh_err err = { 0 };
	size_t n;
	gh_rc rc = store_named_values(s, d->c->arena, true, &values, &n, &err);

	if (!rc.code)
		rc = store_backends(s, d->c->arena, true, &backends, &n, &err);
	if (!rc.code)
		rc = store_certificates(s, d->c->arena, true, &certificates, &n, &err);
	if (!rc.code)
		rc = store_loggers(s, d->c->arena, true, &loggers, &n, &err);
	if (rc.code)
		doctor_tell(d, BROKEN, "secrets", "%s", err.message);
	else
		doctor_tell(d, FINE, "secrets", "all open with the master key");
}

/* Tokens that could not be had, as the workers noted it last. Returns how many. */
static size_t check_tokens(struct doctor *d)
{
	struct tokens_row *v;
	struct tokens *t = NULL;
	size_t n = 0, bad = 0;

	if (token_cache_open(d->c, &t, NULL).code || !t || tokens_list(t, d->c->arena, clock_wall_us(), &v, &n, NULL).code)
		n = 0;
	tokens_close(t);
	for (size_t i = 0; i < n; i++)
		if (v[i].failure.n) {
			doctor_tell(d, WARNING, "token", "credential %.*s/%.*s: %.*s", STR_ARG(v[i].environment), STR_ARG(v[i].credential),
			     STR_ARG(v[i].failure));
			bad++;
		}
	return bad;
}

static bool has_consent(const struct store_credential_grant *v, size_t n, const struct store_credential *c)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].environment_id, c->environment_id) && str_eq(v[i].credential_id, c->id))
			return true;
	return !str_eq(c->kind, STR("authorization-code"));
}

/* What backends are shown: secrets that open, references that were read, consent that was given, tokens that came. */
static void check_credentials(struct doctor *d, struct store *s)
{
	struct store_credential_grant *grants;
	struct store_credential *v;
	struct gh_err err = { 0 };
	size_t n, n_grants, bad = 0;

	if (store_credentials(s, d->c->arena, true, &v, &n, &err).code
	    || store_credential_grants(s, d->c->arena, true, &grants, &n_grants, &err).code) {
		doctor_tell(d, BROKEN, "credentials", "%s", err.message);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool consent = has_consent(grants, n_grants, &v[i]);

		if (v[i].problem.n)
			doctor_tell(d, WARNING, "credential", "%.*s/%.*s: %.*s", STR_ARG(v[i].environment_id), STR_ARG(v[i].id), STR_ARG(v[i].problem));
		if (!consent)
			doctor_tell(d, WARNING, "credential", "%.*s/%.*s: nobody has consented yet; connect it in the dashboard", STR_ARG(v[i].environment_id),
			     STR_ARG(v[i].id));
		bad += v[i].problem.n || !consent;
	}
	bad += check_tokens(d);
	if (n && !bad)
		doctor_tell(d, FINE, "credentials", "%zu, all usable", n);
}

/* Secrets that a program should have replaced. */
static void check_rotations(struct doctor *d, struct store *s)
{
	struct store_rotation *v;
	struct gh_err err;
	size_t n;

	if (store_rotations(s, d->c->arena, &v, &n, &err).code)
		return;
	for (size_t i = 0; i < n; i++)
		if (v[i].problem.n)
			doctor_tell(d, WARNING, "rotation", "credential %.*s/%.*s: %.*s; the keeper tries again each minute", STR_ARG(v[i].environment_id),
			     STR_ARG(v[i].credential_id), STR_ARG(v[i].problem));
}

/* What stands elsewhere: the name of the place, never a value. */
static void check_references(struct doctor *d, struct store *s)
{
	struct store_secret *v;
	struct gh_err err = { 0 };
	size_t n, bad = 0;

	if (store_secrets(s, d->c->arena, &v, &n, &err).code) {
		doctor_tell(d, BROKEN, "secrets elsewhere", "%s", err.message);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!v[i].problem.n && v[i].has_value)
			continue;
		bad++;
		doctor_tell(d, v[i].has_value ? WARNING : BROKEN, "secrets elsewhere", "%.*s cannot be read: %.*s; %s",
		     STR_ARG(str_first(v[i].ref, 200)), STR_ARG(v[i].problem.n ? v[i].problem : STR("the keeper has not tried yet")),
		     v[i].has_value ? "its last good value is used" : "what names it is refused");
	}
	if (n && !bad)
		doctor_tell(d, FINE, "secrets elsewhere", "%zu, all were read", n);
}

/* What is to be replaced by hand by now. */
/* What is wrong with backends at this moment; those that are well are not named. */
static void check_backends(struct doctor *d, struct store *s)
{
	struct backend_states *states = NULL;
	struct store_backend *rows;
	struct breaker_rule rule;
	struct backend_view v;
	struct gh_err err;
	char path[PATHS_MAX];
	size_t n;

	if (store_backends(s, d->c->arena, false, &rows, &n, &err).code || paths_join(path, d->c->state_dir, "backends", &err).code
	    || backend_states_open(path, false, &states, &err).code)
		return;
	for (size_t i = 0; i < n; i++) {
		bool has = rows[i].breaker.n && !breaker_rule_parse(rows[i].breaker, &rule, &err).code;

		backend_look(backend_slot_find(states, backend_state_key(rows[i].id)), has ? &rule : NULL, clock_mono_us(), &v);
		if (v.breaker != BACKEND_PASS)
			doctor_tell(d, WARNING, "backend", "%.*s: its circuit breaker is %s; `gatehouse log --status 5xx` says what failed",
			     STR_ARG(rows[i].id), v.breaker == BACKEND_SHUT ? "open" : "half-open");
		if (rows[i].health.n && v.health == BACKEND_DOWN)
			doctor_tell(d, WARNING, "backend", v.health_status ? "%.*s: its health checks fail (status %d)" : "%.*s: its health checks get no "
			     "answer", STR_ARG(rows[i].id), v.health_status);
		if (v.ejection == BACKEND_SHUT)
			doctor_tell(d, WARNING, "backend", "%.*s: could not be reached; its pools leave it out for another %lld s",
			     STR_ARG(rows[i].id), (long long)(v.ejected_left_us / 1000000 + 1));
	}
	backend_states_close(states);
}

/* Messages of alerts that nobody got, and rules that tell nobody. */
static void check_alerts(struct doctor *d, struct store *s)
{
	struct store_alert_webhook *hooks;
	struct store_alert_rule *rules;
	struct gh_err err = { 0 };
	size_t n_hooks, n_rules, bad = 0;

	if (store_alert_webhooks(s, d->c->arena, true, &hooks, &n_hooks, &err).code
	    || store_alert_rules(s, d->c->arena, &rules, &n_rules, &err).code) {
		doctor_tell(d, BROKEN, "alerts", "%s", err.message);
		return;
	}
	for (size_t i = 0; i < n_hooks; i++)
		if (hooks[i].problem.n || !hooks[i].enabled) {
			doctor_tell(d, WARNING, "alerts", "webhook %.*s %s%.*s; see: gatehouse alert deliveries", STR_ARG(hooks[i].id),
			     hooks[i].enabled ? "does not take messages: " : "is switched off", STR_ARG(hooks[i].problem));
			bad++;
		}
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i].enabled && !rules[i].mails.n && !rules[i].webhooks.n) {
			doctor_tell(d, WARNING, "alerts", "rule %.*s tells nobody; name somebody with: gatehouse alert set %.*s --mail ADDRESS",
			     STR_ARG(rules[i].id), STR_ARG(rules[i].id));
			bad++;
		}
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i].lost.n) {
			doctor_tell(d, WARNING, "alerts", "rule %.*s is off: what it watched was deleted (%.*s)", STR_ARG(rules[i].id), STR_ARG(rules[i].lost));
			bad++;
		}
	if (n_rules && !bad)
		doctor_tell(d, FINE, "alerts", "%zu rules", n_rules);
}

static void check_reminders(struct doctor *d, struct store *s)
{
	int64_t now = clock_wall_us();
	struct store_reminder *v;
	char when[CLOCK_ISO_MAX];
	struct gh_err err = { 0 };
	size_t n;

	if (store_reminders(s, d->c->arena, &v, &n, &err).code)
		doctor_tell(d, BROKEN, "rotation", "%s", err.message);
	else
		for (size_t i = 0; i < n && v[i].rotate_by_us <= now; i++)
			doctor_tell(d, WARNING, "rotation", "%.*s '%.*s' was to be replaced by %s", STR_ARG(v[i].kind), STR_ARG(v[i].object_id),
			     clock_iso(v[i].rotate_by_us, 0, when));
}

static void check_certificates(struct doctor *d, struct store *s)
{
	struct store_certificate *v;
	int64_t now = clock_wall_us();
	char until[CLOCK_ISO_MAX];
	struct gh_err err = { 0 };
	size_t n, soon = 0;

	if (store_certificates(s, d->c->arena, false, &v, &n, &err).code) {
		doctor_tell(d, BROKEN, "certificates", "%s", err.message);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i].expires_us > now + CERTIFICATE_SOON_US)
			continue;
		soon++;
		clock_iso(v[i].expires_us, 0, until);
		doctor_tell(d, WARNING, "certificate", "%.*s %s at %s; take in a new one with: gatehouse certificate set %.*s --file FILE",
		     STR_ARG(v[i].id), v[i].expires_us > now ? "expires" : "has expired", until, STR_ARG(v[i].id));
	}
	if (n && !soon)
		doctor_tell(d, FINE, "certificates", "%zu, none about to expire", n);
}

/* Seconds until the next list is due; INT64_MAX: it does not say. */
static int64_t list_due(const X509_CRL *list)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
	struct tm tm = { 0 };

	return !next ? INT64_MAX : ASN1_TIME_to_tm(next, &tm) ? (int64_t)timegm(&tm) - clock_wall_us() / 1000000 : -1;
}

static void check_list(struct doctor *d, struct str file)
{
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
	struct gh_err err = { 0 };
	struct str bytes;
	bool due = false;

	if (file_read(d->c->arena, arena_cstr(d->c->arena, file), LIST_MAX_BYTES, &bytes, &err).code)
		doctor_tell(d, WARNING, "revocation list", "%s", err.message);
	else if (!lists || !trust_read_lists(bytes, lists))
		doctor_tell(d, WARNING, "revocation list", "%.*s: it is no list of revoked certificates (CRL)", STR_ARG(file));
	for (int i = 0; i < sk_X509_CRL_num(lists); i++)
		due |= list_due(sk_X509_CRL_value(lists, i)) < 0;
	if (due)
		doctor_tell(d, WARNING, "revocation list", "%.*s: out of date, so certificates of its issuer are refused; fetch the new one",
		     STR_ARG(file));
	else if (sk_X509_CRL_num(lists) > 0)
		doctor_tell(d, FINE, "revocation list", "%.*s", STR_ARG(file));
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
}

static void check_lists(struct doctor *d)
{
	struct gh_err err = { 0 };
	struct config config;
	struct str rest, file;
	const char *conf = arena_printf(d->c->arena, "%s/gatehouse.conf", d->c->state_dir).p;

	if (config_load(&config, d->c->arena, conf, &err).code) {
		doctor_tell(d, BROKEN, "settings", "%s", err.message);
		return;
	}
	rest = config_text(&config, CONFIG_GATEWAY_CRL_FILES);
	while (str_word(&rest, &file))
		check_list(d, file);
}

static void tell_theme(void *ctx, struct str file, const char *what)
{
	doctor_tell(ctx, WARNING, "theme", "%.*s: %s", STR_ARG(file), what);
}

static void check_theme(struct doctor *d)
{
	struct str conf = arena_printf(d->c->arena, "%s/gatehouse.conf", d->c->state_dir);
	char share[PATHS_MAX];
	struct theme t = { .share_dir = share };
	struct config config;
	struct gh_err err;
	unsigned bad = 0;

	if (!conf.p || config_load(&config, d->c->arena, conf.p, &err).code || paths_share(share, &err).code
	    || theme_dir(d->c->arena, d->c->state_dir, config_text(&config, CONFIG_WEB_THEME), &t.dir, &err).code)
		return;                                  /* told elsewhere */
	if (!t.dir[0] || access(t.dir, F_OK) != 0)
		return;
	if (theme_check(&t, d->c->arena, tell_theme, d, &bad, &err).code)
		doctor_tell(d, WARNING, "theme", "%s", err.message);
	else if (!bad)
		doctor_tell(d, FINE, "theme", "%s", t.dir);
}

/* How much traffic is kept, and by how much that grew on the last whole days. */
static void check_telemetry(struct doctor *d, struct store *s)
{
	struct store_telemetry_stats t;
	struct gh_err err = { 0 };
	int64_t growth = 0;
	char grows[64] = "by how much it grows is known after two days";
	bool known, large;

	if (store_telemetry_stats(s, &t, &err).code || store_growth(s, d->c->arena, &growth, &known, &err).code) {
		doctor_tell(d, BROKEN, "traffic", "%s", err.message);
		return;
	}
	large = t.bytes >= 10 << 20;
	if (known)
		snprintf(grows, sizeof(grows), "%s by %lld KiB a day", growth < 0 ? "shrinks" : "grows", (long long)llabs(growth) / 1024);
	doctor_tell(d, FINE, "traffic", "%lld %s: %lld calls, %lld totals per minute, %lld per hour, %lld per day at %lld places; %s",
	     (long long)(large ? t.bytes >> 20 : t.bytes >> 10), large ? "MiB" : "KiB", (long long)t.calls, (long long)t.minutes, (long long)t.hours, (long long)t.days, (long long)t.places, grows);
	if (t.other_calls)
		doctor_tell(d, WARNING, "traffic", "%lld calls were counted as (other): more combinations than telemetry.places", (long long)t.other_calls);
	if (t.dropped)
		doctor_tell(d, WARNING, "traffic", "%lld records were lost because the keeper did not read them in time", (long long)t.dropped);
}

static void check_store(struct doctor *d)
{
	struct gh_err err = { 0 }, write_err = { 0 };
	struct store_check k;
	struct store *s;

	if (store_open(&s, d->c->state_dir, STORE_WRITE, &write_err).code
	    && store_open(&s, d->c->state_dir, STORE_READ, &err).code) {
		doctor_tell(d, BROKEN, "store", "%s", err.message);
		return;
	}
	if (store_check(s, d->c->arena, &k, &err).code) {
		doctor_tell(d, BROKEN, "store", "%s", err.message);
	} else {
		doctor_tell(d, FINE, "store", "schema %u and %u; configuration %lld KiB, telemetry %lld KiB", k.config_version,
		     k.telemetry_version, (long long)(k.config_bytes >> 10), (long long)(k.telemetry_bytes >> 10));
		tell_part(d, k.integrity, "files", "undamaged", &k);
		tell_part(d, k.foreign_keys, "references", "complete", &k);
		tell_part(d, k.audit_chain, "audit trail", "unchanged since it was written", &k);
		if (write_err.code)
			doctor_tell(d, BROKEN, "writing", "%s", write_err.message);
		else
			tell_part(d, k.writable, "writing", "possible", &k);
		tell_part(d, k.generation_published, "generation", "published to the gateways", &k);
	}
	check_secrets(d, s);
	check_certificates(d, s);
	check_references(d, s);
	check_backends(d, s);
	check_credentials(d, s);
	check_rotations(d, s);
	check_reminders(d, s);
	check_alerts(d, s);
	check_telemetry(d, s);
	store_free(s);
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

static gh_rc run(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "STATE", "state", COLUMN_NAME, offsetof(struct finding, severity), severities },
		{ "WHAT", "what", COLUMN_TEXT, offsetof(struct finding, what), NULL },
		{ "DETAIL", "detail", COLUMN_TEXT, offsetof(struct finding, detail), NULL },
	};
	struct doctor *d = arena_new_of(c->arena, struct doctor);

	if (!d)
		FAIL(err, NOMEM, "looking at the installation");
	d->c = c;
	check_directory(d);
	if (!c->exit_code) {
		check_disk(d);
		check_master_key(d);
		check_store(d);
		check_lists(d);
		check_theme(d);
		doctor_check_programs(d);
	}
	output_list(c, columns, ARRAY_LEN(columns), d->v, d->n, sizeof(d->v[0]));
	return GH_RC_OK;
}

const struct command command_doctor = {
	.name = "doctor", .summary = "check the installation and say how to mend what is wrong", .run = run,
};
