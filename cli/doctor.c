/* doctor.c - `gatehouse doctor`: looks at everything that can go wrong with an installation and says how to mend it. It
 * changes nothing. Exit status 1 when something is broken; a warning is not. */
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

enum { FINDINGS_MAX = 320, DISK_WARN_MIB = 256, DISK_FAIL_MIB = 32, WORKERS_MAX = 256, REPORT_MAX_BYTES = 65536,
       KEEPER_SILENT_US = 60000000, GROWTH_DAYS = 7, LIST_MAX_BYTES = 256 << 20 };
#define CERTIFICATE_SOON_US (INT64_C(14) * 86400 * 1000000)      /* two weeks */
enum severity { FINE, WARNING, BROKEN };
static const char *const severities[] = { "ok", "warning", "BROKEN", NULL };

struct finding {
	int64_t severity;
	struct str what, detail;
};

struct doctor {
	struct cli *c;
	struct finding v[FINDINGS_MAX];
	size_t n, workers;               /* workers: that run */
};

static void tell(struct doctor *d, enum severity severity, const char *what, const char *fmt, ...) PRINTF_LIKE(4, 5);

static void tell(struct doctor *d, enum severity severity, const char *what, const char *fmt, ...)
{
	char text[600];
	va_list args;

	if (d->n == FINDINGS_MAX)
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
		tell(d, BROKEN, "state directory", "%s: %s; make it with: gatehouse init", d->c->state_dir, strerror(errno));
	else if (st.st_mode & S_IRWXO)
		tell(d, WARNING, "state directory", "%s: everybody may look into it; mend that with: chmod o-rwx %s",
		     d->c->state_dir, d->c->state_dir);
	else
		tell(d, FINE, "state directory", "%s", d->c->state_dir);
}

static void check_disk(struct doctor *d)
{
	struct statvfs fs;
	uint64_t mib;

	if (statvfs(d->c->state_dir, &fs) < 0) {
		tell(d, WARNING, "disk space", "%s: %s", d->c->state_dir, strerror(errno));
		return;
	}
	mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	tell(d, mib < DISK_FAIL_MIB ? BROKEN : mib < DISK_WARN_MIB ? WARNING : FINE, "disk space", "%llu MiB free",
	     (unsigned long long)mib);
}

static void check_master_key(struct doctor *d)
{
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	struct gh_err err = { 0 };
	bool found;

	if (paths_master_key(d->c->state_dir, key, &found, &err).code)
		tell(d, BROKEN, "master key", "%s", err.message);
	else if (!found)
		tell(d, BROKEN, "master key", "neither GATEHOUSE_MASTER_KEY nor %s/master.key; without it no secret opens",
		     d->c->state_dir);
	else
		tell(d, FINE, "master key", "readable by its owner only");
	if (!paths_master_key_next(d->c->state_dir, key, &found, &err).code && found)
		tell(d, WARNING, "master key", "it is being changed; go on with: gatehouse rotate-master-key");
	crypto_wipe(key, sizeof(key));
}

/* ---- the store -------------------------------------------------------------------------------------------------------- */

static void tell_part(struct doctor *d, bool good, const char *what, const char *fine, const struct store_check *k)
{
	if (good)
		tell(d, FINE, what, "%s", fine);
	else
		tell(d, BROKEN, what, "%.*s", STR_ARG(k->detail));
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
		tell(d, BROKEN, "secrets", "%s", err.message);
	else
		tell(d, FINE, "secrets", "all open with the master key");
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
			tell(d, WARNING, "token", "credential %.*s/%.*s: %.*s", STR_ARG(v[i].environment), STR_ARG(v[i].credential),
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
		tell(d, BROKEN, "credentials", "%s", err.message);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bool consent = has_consent(grants, n_grants, &v[i]);

		if (v[i].problem.n)
			tell(d, WARNING, "credential", "%.*s/%.*s: %.*s", STR_ARG(v[i].environment_id), STR_ARG(v[i].id), STR_ARG(v[i].problem));
		if (!consent)
			tell(d, WARNING, "credential", "%.*s/%.*s: nobody has consented yet; connect it in the dashboard", STR_ARG(v[i].environment_id),
			     STR_ARG(v[i].id));
		bad += v[i].problem.n || !consent;
	}
	bad += check_tokens(d);
	if (n && !bad)
		tell(d, FINE, "credentials", "%zu, all usable", n);
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
			tell(d, WARNING, "rotation", "credential %.*s/%.*s: %.*s; the keeper tries again each minute", STR_ARG(v[i].environment_id),
			     STR_ARG(v[i].credential_id), STR_ARG(v[i].problem));
}

/* What stands elsewhere: the name of the place, never a value. */
static void check_references(struct doctor *d, struct store *s)
{
	struct store_secret *v;
	struct gh_err err = { 0 };
	size_t n, bad = 0;

	if (store_secrets(s, d->c->arena, &v, &n, &err).code) {
		tell(d, BROKEN, "secrets elsewhere", "%s", err.message);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!v[i].problem.n && v[i].has_value)
			continue;
		bad++;
		tell(d, v[i].has_value ? WARNING : BROKEN, "secrets elsewhere", "%.*s cannot be read: %.*s; %s",
		     STR_ARG(str_first(v[i].ref, 200)), STR_ARG(v[i].problem.n ? v[i].problem : STR("the keeper has not tried yet")),
		     v[i].has_value ? "its last good value is used" : "what names it is refused");
	}
	if (n && !bad)
		tell(d, FINE, "secrets elsewhere", "%zu, all were read", n);
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

		backend_look(backend_slot(states, backend_state_key(rows[i].id)), has ? &rule : NULL, clock_mono_us(), &v);
		if (v.breaker != BACKEND_PASS)
			tell(d, WARNING, "backend", "%.*s: its circuit breaker is %s; `gatehouse log --status 5xx` says what failed",
			     STR_ARG(rows[i].id), v.breaker == BACKEND_SHUT ? "open" : "half-open");
		if (rows[i].health.n && v.health == BACKEND_DOWN)
			tell(d, WARNING, "backend", v.health_status ? "%.*s: its health checks fail (status %d)" : "%.*s: its health checks get no "
			     "answer", STR_ARG(rows[i].id), v.health_status);
		if (v.ejection == BACKEND_SHUT)
			tell(d, WARNING, "backend", "%.*s: could not be reached; its pools leave it out for another %lld s",
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
		tell(d, BROKEN, "alerts", "%s", err.message);
		return;
	}
	for (size_t i = 0; i < n_hooks; i++)
		if (hooks[i].problem.n || !hooks[i].enabled) {
			tell(d, WARNING, "alerts", "webhook %.*s %s%.*s; see: gatehouse alert deliveries", STR_ARG(hooks[i].id),
			     hooks[i].enabled ? "does not take messages: " : "is switched off", STR_ARG(hooks[i].problem));
			bad++;
		}
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i].enabled && !rules[i].mails.n && !rules[i].webhooks.n) {
			tell(d, WARNING, "alerts", "rule %.*s tells nobody; name somebody with: gatehouse alert set %.*s --mail ADDRESS",
			     STR_ARG(rules[i].id), STR_ARG(rules[i].id));
			bad++;
		}
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i].lost.n) {
			tell(d, WARNING, "alerts", "rule %.*s is off: what it watched was deleted (%.*s)", STR_ARG(rules[i].id), STR_ARG(rules[i].lost));
			bad++;
		}
	if (n_rules && !bad)
		tell(d, FINE, "alerts", "%zu rules", n_rules);
}

static void check_reminders(struct doctor *d, struct store *s)
{
	int64_t now = clock_wall_us();
	struct store_reminder *v;
	char when[CLOCK_ISO_MAX];
	struct gh_err err = { 0 };
	size_t n;

	if (store_reminders(s, d->c->arena, &v, &n, &err).code)
		tell(d, BROKEN, "rotation", "%s", err.message);
	else
		for (size_t i = 0; i < n && v[i].rotate_by_us <= now; i++)
			tell(d, WARNING, "rotation", "%.*s '%.*s' was to be replaced by %s", STR_ARG(v[i].kind), STR_ARG(v[i].object_id),
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
		tell(d, BROKEN, "certificates", "%s", err.message);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (v[i].expires_us > now + CERTIFICATE_SOON_US)
			continue;
		soon++;
		clock_iso(v[i].expires_us, 0, until);
		tell(d, WARNING, "certificate", "%.*s %s at %s; take in a new one with: gatehouse certificate set %.*s --file FILE",
		     STR_ARG(v[i].id), v[i].expires_us > now ? "expires" : "has expired", until, STR_ARG(v[i].id));
	}
	if (n && !soon)
		tell(d, FINE, "certificates", "%zu, none about to expire", n);
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
		tell(d, WARNING, "revocation list", "%s", err.message);
	else if (!lists || !trust_read_lists(bytes, lists))
		tell(d, WARNING, "revocation list", "%.*s: it is no list of revoked certificates (CRL)", STR_ARG(file));
	for (int i = 0; i < sk_X509_CRL_num(lists); i++)
		due |= list_due(sk_X509_CRL_value(lists, i)) < 0;
	if (due)
		tell(d, WARNING, "revocation list", "%.*s: out of date, so certificates of its issuer are refused; fetch the new one",
		     STR_ARG(file));
	else if (sk_X509_CRL_num(lists) > 0)
		tell(d, FINE, "revocation list", "%.*s", STR_ARG(file));
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
}

static void check_lists(struct doctor *d)
{
	struct gh_err err = { 0 };
	struct config config;
	struct str rest, file;
	const char *conf = arena_printf(d->c->arena, "%s/gatehouse.conf", d->c->state_dir).p;

	if (config_load(&config, d->c->arena, conf, &err).code) {
		tell(d, BROKEN, "settings", "%s", err.message);
		return;
	}
	rest = config_text(&config, CONFIG_GATEWAY_CRL_FILES);
	while (str_word(&rest, &file))
		check_list(d, file);
}

static void tell_theme(void *ctx, struct str file, const char *what)
{
	tell(ctx, WARNING, "theme", "%.*s: %s", STR_ARG(file), what);
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
		tell(d, WARNING, "theme", "%s", err.message);
	else if (!bad)
		tell(d, FINE, "theme", "%s", t.dir);
}

/* How much traffic is kept, and by how much that grew on the last whole days. */
static void check_telemetry(struct doctor *d, struct store *s)
{
	struct store_telemetry_stats t;
	struct store_size *sizes;
	struct gh_err err = { 0 };
	long long growth = 0;
	size_t n;

	if (store_telemetry_stats(s, &t, &err).code || store_sizes(s, d->c->arena, GROWTH_DAYS + 1, &sizes, &n, &err).code) {
		tell(d, BROKEN, "traffic", "%s", err.message);
		return;
	}
	if (n > 1)
		growth = (sizes[0].bytes - sizes[n - 1].bytes) / (long long)((sizes[0].day_us - sizes[n - 1].day_us) / 86400000000);
	tell(d, FINE, "traffic", "%lld MiB: %lld calls, totals of %lld minutes, %lld hours, %lld days at %lld places; grows by %lld KiB a day",
	     (long long)(t.bytes >> 20), (long long)t.calls, (long long)t.minutes, (long long)t.hours, (long long)t.days, (long long)t.places,
	     growth / 1024);
	if (t.other_calls)
		tell(d, WARNING, "traffic", "%lld calls were counted as (other): more combinations than telemetry.places", (long long)t.other_calls);
	if (t.dropped)
		tell(d, WARNING, "traffic", "%lld records were lost because the keeper did not read them in time", (long long)t.dropped);
}

static void check_store(struct doctor *d)
{
	struct gh_err err = { 0 }, write_err = { 0 };
	struct store_check k;
	struct store *s;

	if (store_open(&s, d->c->state_dir, STORE_WRITE, &write_err).code
	    && store_open(&s, d->c->state_dir, STORE_READ, &err).code) {
		tell(d, BROKEN, "store", "%s", err.message);
		return;
	}
	if (store_check(s, d->c->arena, &k, &err).code) {
		tell(d, BROKEN, "store", "%s", err.message);
	} else {
		tell(d, FINE, "store", "schema %u and %u; configuration %lld KiB, telemetry %lld KiB", k.config_version,
		     k.telemetry_version, (long long)(k.config_bytes >> 10), (long long)(k.telemetry_bytes >> 10));
		tell_part(d, k.integrity, "files", "undamaged", &k);
		tell_part(d, k.foreign_keys, "references", "complete", &k);
		tell_part(d, k.audit_chain, "audit trail", "unchanged since it was written", &k);
		if (write_err.code)
			tell(d, BROKEN, "writing", "%s", write_err.message);
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

/* ---- the gateway's workers -------------------------------------------------------------------------------------------- */

static const struct {
	const char *member, *what;
} parts[] = {
	{ "store", "the store: no key can be looked up" },
	{ "counters", "the counters: limits are not enforced" },
	{ "telemetry", "the telemetry file: calls are not recorded" },
	{ "cache", "the cache: nothing is kept" },
};

static bool runs(json_int_t pid)
{
	return pid > 1 && pid <= INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno != ESRCH);
}

/* A logger that some worker cannot reach, or that has lost messages. */
static void check_loggers(struct doctor *d, const char *what, json_t *r)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(r, "loggers"), i, one) {
		const char *id = json_string_value(json_object_get(one, "id")), *error = json_string_value(json_object_get(one, "error"));
		json_int_t dropped = json_integer_value(json_object_get(one, "dropped"));

		if (!id || (!error && !dropped))
			continue;
		tell(d, WARNING, "logger", "%.80s: %s dropped %lld messages, %lld bytes wait%s%.200s", id, what, (long long)dropped,
		     (long long)json_integer_value(json_object_get(one, "queuedBytes")), error ? ": " : "", error ? error : "");
	}
}

static void check_redis(struct doctor *d, const char *what, const char *state)
{
	if (state && strcmp(state, "here") != 0)
		tell(d, WARNING, "redis", "%s counts limits without the other machines: %.300s", what, *state ? state : "not connected yet");
}

static void check_report(struct doctor *d, const char *what, json_t *r)
{
	const char *refused = json_string_value(json_object_get(r, "refused"));
	json_int_t pid = json_integer_value(json_object_get(r, "pid"));
	json_int_t dropped = json_integer_value(json_object_get(r, "dropped"));

	if (!runs(pid)) {
		tell(d, FINE, what, "not running");
		return;
	}
	d->workers++;
	check_loggers(d, what, r);
	check_redis(d, what, json_string_value(json_object_get(r, "redis")));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (json_is_false(json_object_get(r, parts[i].member))) {
			tell(d, BROKEN, what, "process %lld cannot open %s", (long long)pid, parts[i].what);
			return;
		}
	if (refused)
		tell(d, BROKEN, what, "process %lld %s: %s", (long long)pid,
		     json_is_true(json_object_get(r, "complete")) ? "goes on with an older configuration, the newest is refused"
								  : "refuses the configuration and answers 503", refused);
	else if (!json_is_true(json_object_get(r, "complete")))
		tell(d, BROKEN, what, "process %lld has no complete configuration yet and answers 503", (long long)pid);
	else
		tell(d, dropped ? WARNING : FINE, what, "process %lld serves generation %lld; %lld records dropped", (long long)pid,
		     (long long)json_integer_value(json_object_get(r, "generation")), (long long)dropped);
}

/* A state file below DIR, as JSON; NULL when there is none. One that cannot be read is a finding. */
static json_t *read_report(struct doctor *d, const char *what, const char *name)
{
	char path[PATHS_MAX];
	struct gh_err err = { 0 };
	struct str text;
	json_t *report;

	if (paths_join(path, d->c->state_dir, name, &err).code || access(path, F_OK) < 0)
		return NULL;
	if (!file_read(d->c->arena, path, REPORT_MAX_BYTES, &text, &err).code
	    && !jsn_parse_in(d->c->arena, text, NULL, &report, NULL, &err).code)
		return report;
	tell(d, WARNING, what, "%s: %s", path, err.message);
	return NULL;
}

/* Each worker writes DIR/run/gateway-N.json. None of them is there where nothing has been started yet. */
static void check_workers(struct doctor *d)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		struct str what = arena_printf(d->c->arena, "worker %u", i);
		char name[64];
		json_t *report;

		snprintf(name, sizeof(name), "run/gateway-%u.json", i);
		report = what.p ? read_report(d, what.p, name) : NULL;
		if (!report)
			return;
		check_report(d, what.p, report);
	}
}

static void check_keeper(struct doctor *d)
{
	json_t *r = read_report(d, "keeper", "run/keeper.json");
	const char *trouble = json_string_value(json_object_get(r, "error"));
	const char *when = json_string_value(json_object_get(r, "time"));
	bool alive = runs(json_integer_value(json_object_get(r, "pid")));
	int64_t worked_us = 0;

	if (!alive && d->workers)
		tell(d, BROKEN, "keeper", "not running: records of calls wait in %s/telemetry", d->c->state_dir);
	else if (!alive && r)
		tell(d, FINE, "keeper", "not running");
	else if (alive && trouble)
		tell(d, BROKEN, "keeper", "%s", trouble);
	else if (alive && (!clock_parse_iso(str_of(when), &worked_us) || clock_wall_us() - worked_us > KEEPER_SILENT_US))
		tell(d, WARNING, "keeper", "has not worked since %s", when ? when : "its start");
	else if (alive)
		tell(d, FINE, "keeper", "worked at %s", when);
}

/* Receivers of records that are away, refuse them, or that no setting reaches. */
static void check_exports(struct doctor *d)
{
	json_t *r = read_report(d, "keeper", "run/keeper.json"), *one;
	size_t i;

	if (!runs(json_integer_value(json_object_get(r, "pid"))))
		return;
	json_array_foreach(json_object_get(r, "exports"), i, one) {
		const char *name = json_string_value(json_object_get(one, "name")), *error = json_string_value(json_object_get(one, "error"));
		long long dropped = json_integer_value(json_object_get(one, "dropped")), waiting = json_integer_value(json_object_get(one, "waiting"));

		tell(d, dropped || (error && *error) ? WARNING : FINE, "export", "%.40s: %lld records sent, %lld dropped, %lld wait%s%.200s", name ? name : "",
		     (long long)json_integer_value(json_object_get(one, "sent")), dropped, waiting, error && *error ? ": " : "", error ? error : "");
	}
}

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
		check_workers(d);
		check_keeper(d);
		check_exports(d);
	}
	output_list(c, columns, ARRAY_LEN(columns), d->v, d->n, sizeof(d->v[0]));
	return GH_RC_OK;
}

const struct command command_doctor = {
	.name = "doctor", .summary = "check the installation and say how to mend what is wrong", .run = run,
};
