/* alerts.c - rules, webhooks and silences: what people set. */
#include "db/alerts.h"

#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/sql.h"

enum { ID_MAX = 80, NAME_MAX_BYTES = 200, COMMENT_MAX = 1000, REMIND_LEAST_S = 60, SECRET_LEAST = 24, SECRET_MOST = 64, SECRET_NEW = 32 };
static const char WEBHOOK_KIND[] = "alert_webhook";
static const int64_t SILENCE_MOST_US = INT64_C(366) * 86400 * 1000000;

#define RULE(kind, member) { #member, FIELD_##kind, offsetof(struct store_alert_rule, rule.member) }
static const struct field rule_fields[] = {
	FIELD(store_alert_rule, TEXT, id),      FIELD(store_alert_rule, TEXT, name), FIELD(store_alert_rule, TEXT, description),
	FIELD(store_alert_rule, BOOL, enabled), RULE(INT, kind),                     RULE(REF, environment),
	RULE(REF, api),                         RULE(REF, product),                  RULE(REF, subscription),
	RULE(REF, backend),                     RULE(INT, each),                     RULE(TEXT, status),
	RULE(INT, origin),                      RULE(TEXT, reasons),                 RULE(INT, statistic),
	RULE(INT, time),                        RULE(INT, measure),                  RULE(INT, comparison),
	RULE(INT, threshold),                   RULE(INT, target),                   RULE(INT, least_calls),
	RULE(INT, period_s),                    RULE(INT, periods),                  FIELD(store_alert_rule, INT, remind_s),
	FIELD(store_alert_rule, TEXT, mails),   FIELD(store_alert_rule, TEXT, webhooks), FIELD(store_alert_rule, TIME, changed_us),
	FIELD(store_alert_rule, TEXT, lost),
};
static const struct row_type rule_type = ROW_TYPE("alert rule", store_alert_rule, rule_fields);

#define CHANGE(verb, row_id) ((struct change){ .action = (verb), .id = (row_id) })

/* ---- rules ---------------------------------------------------------------------------------------------------------------- */

static gh_rc check_id(struct str id, const char *what, struct gh_err *err)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alpha(id.p[i]) && !ascii_is_digit(id.p[i]) && !strchr("._-", id.p[i]))
			FAIL(err, INVALID, "id: that of %s consists of letters, digits, '.', '_' and '-'", what);
	if (!id.n || id.n > ID_MAX)
		FAIL(err, INVALID, "id: that of %s has 1 to %d characters", what, ID_MAX);
	return GH_RC_OK;
}

/* Whoever is named twice is told once. */
static gh_rc each_once(struct arena *a, struct str *words, struct gh_err *err)
{
	struct str rest = *words, one, out = STR("");

	while (str_word(&rest, &one)) {
		struct str seen = out, other;
		bool again = false;

		while (str_word(&seen, &other))
			again = again || str_eq(one, other);
		if (!again && !(out = arena_printf(a, "%.*s%s%.*s", STR_ARG(out), out.n ? " " : "", STR_ARG(one))).p)
			FAIL(err, NOMEM, "alert rule");
	}
	*words = out;
	return GH_RC_OK;
}

static gh_rc check_mails(const struct store_alert_rule *r, struct gh_err *err)
{
	struct str rest = r->mails, one;
	size_t n = 0;

	for (; str_word(&rest, &one); n++) {
		size_t at = str_find_char(one, '@');

		if (at == SIZE_MAX || !at || at + 1 == one.n || one.n > 254 || str_find_char(one, '<') != SIZE_MAX
		    || str_find_char(one, '>') != SIZE_MAX || !utf8_valid(one))
			FAIL(err, INVALID, "mails: '%.*s' is no e-mail address", STR_ARG(str_first(one, 100)));
	}
	if (n > STORE_ALERT_MAILS_MAX)
		FAIL(err, INVALID, "mails: at most %d addresses; use a list of the mail server for more", STORE_ALERT_MAILS_MAX);
	return GH_RC_OK;
}

static gh_rc check_webhooks(struct store *s, struct arena *a, const struct store_alert_rule *r, struct gh_err *err)
{
	struct str rest = r->webhooks, one;
	struct store_alert_webhook w;
	size_t n = 0;
	bool found;

	for (; str_word(&rest, &one); n++) {
		TRY(store_alert_webhook_find(s, a, one, false, &w, &found, err));
		if (!found)
			FAIL(err, INVALID, "webhooks: there is no webhook '%.*s'", STR_ARG(str_first(one, 100)));
	}
	if (n > ALERT_WORDS_MAX)
		FAIL(err, INVALID, "webhooks: at most %d", ALERT_WORDS_MAX);
	return GH_RC_OK;
}

/* What a rule watched was deleted: without it, it would watch all. It can be switched on when it names another of each kind. */
static gh_rc check_lost(struct store *s, struct arena *a, struct store_alert_rule *r, struct gh_err *err)
{
	const struct { struct str word, now; } places[] = {
		{ STR("environment"), r->rule.environment }, { STR("api"), r->rule.api }, { STR("product"), r->rule.product },
		{ STR("subscription"), r->rule.subscription },
	};
	struct store_alert_rule old;
	struct str rest, one, left = STR("");
	bool found;

	r->lost = STR("");
	TRY(store_alert_rule_find(s, a, r->id, &old, &found, err));
	rest = found ? old.lost : STR("");
	while (rest.n) {
		size_t cut = str_find(rest, STR(", ")), i = 0;

		one = str_first(rest, cut);
		rest = cut == SIZE_MAX ? STR("") : str_from(rest, cut + 2);
		while (i < ARRAY_LEN(places) && !(str_starts(one, places[i].word) && places[i].now.n))
			i++;
		if (i == ARRAY_LEN(places))
			left = arena_printf(a, "%.*s%s%.*s", STR_ARG(left), left.n ? ", " : "", STR_ARG(one));
	}
	if (left.n && r->enabled)
		FAIL(err, INVALID, "%.*s: what the rule watched (%.*s) was deleted; name another, or delete the rule and make one for all",
		     STR_ARG(str_first(left, str_find_char(left, ' '))), STR_ARG(left));
	r->lost = left;
	return GH_RC_OK;
}

gh_rc store_alert_rule_check(struct store *s, struct arena *a, struct store_alert_rule *r, struct gh_err *err)
{
	sqlite3_stmt *st;
	int64_t others;

	TRY(check_id(r->id, "an alert rule", err));
	r->name = r->name.n ? r->name : r->id;
	if (r->name.n > NAME_MAX_BYTES || str_find_char(r->name, '\n') != SIZE_MAX || str_find_char(r->name, '\r') != SIZE_MAX)
		FAIL(err, INVALID, "name: one line of at most %d bytes", NAME_MAX_BYTES);
	if (r->description.n > STORE_TEXT_MAX)
		FAIL(err, INVALID, "description: it is too long");
	if (r->remind_s && r->remind_s < REMIND_LEAST_S)
		FAIL(err, INVALID, "remind: at most once a minute; 0 is never");
	TRY(alert_rule_check(&r->rule, err));
	TRY(check_mails(r, err));
	TRY(check_webhooks(s, a, r, err));
	TRY(each_once(a, &r->mails, err));
	TRY(each_once(a, &r->webhooks, err));
	TRY(check_lost(s, a, r, err));
	st = sql_use(s, SQL_ALERT_RULE_COUNT);
	bind_str(st, 1, r->id);
	TRY(find_int(s, st, &others, NULL, err));
	if (others >= STORE_ALERT_RULES_MAX)
		FAIL(err, LIMIT, "there are %d alert rules already; one rule may watch each API or subscription apart", STORE_ALERT_RULES_MAX);
	return GH_RC_OK;
}

gh_rc store_alert_rule_set(struct store *s, struct arena *a, const struct store_alert_rule *r, struct gh_err *err)
{
	struct store_alert_rule row = *r;

	TRY(store_alert_rule_check(s, a, &row, err));
	row.changed_us = clock_wall_us();
	return change_row(s, SQL_ALERT_RULE_PUT, &rule_type, &row, CHANGE("set", row.id), err);
}

gh_rc store_alert_rule_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_ALERT_RULE_DROP, id, STR_NULL,
			   (struct change){ .action = "delete", .kind = "alert rule", .must_exist = true }, err);
}

gh_rc store_alert_rule_find(struct store *s, struct arena *a, struct str id, struct store_alert_rule *out, bool *found,
			    struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_RULE_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &rule_type, a, out, found, err);
}

gh_rc store_alert_rules(struct store *s, struct arena *a, struct store_alert_rule **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_ALERT_RULE_ALL), &rule_type, a, out, n, err);
}

gh_rc store_alert_rules_stamp(struct store *s, int64_t *out, struct gh_err *err)
{
	return find_int(s, sql_use(s, SQL_ALERT_RULE_STAMP), out, NULL, err);
}

/* ---- webhooks --------------------------------------------------------------------------------------------------------------- */

static const struct field webhook_fields[] = {
	FIELD(store_alert_webhook, TEXT, id),      FIELD(store_alert_webhook, TEXT, url),
	FIELD(store_alert_webhook, TEXT, description), FIELD(store_alert_webhook, BOOL, enabled),
	FIELD_HIDDEN(store_alert_webhook, BLOB, secret), FIELD_HIDDEN(store_alert_webhook, TEXT, problem),
	FIELD(store_alert_webhook, TIME, changed_us),
};
static const struct row_type webhook_type = ROW_TYPE("alert webhook", store_alert_webhook, webhook_fields);

gh_rc store_alert_secret_new(struct arena *a, struct str *out, struct gh_err *err)
{
	char bytes[SECRET_NEW];

	TRY(crypto_random(bytes, sizeof(bytes), err));
	*out = arena_printf(a, "whsec_%.*s", STR_ARG(crypto_base64(a, (struct str){ bytes, sizeof(bytes) })));
	crypto_wipe(bytes, sizeof(bytes));
	if (!out->p)
		FAIL(err, NOMEM, "a secret");
	return GH_RC_OK;
}

gh_rc store_alert_webhook_check(struct arena *a, const struct store_alert_webhook *w, struct gh_err *err)
{
	struct str bytes;
	struct uri u;

	TRY(check_id(w->id, "a webhook", err));
	if (!uri_parse(w->url, &u) || !u.host.n || u.userinfo.p || u.fragment.p || w->url.n > 2000
	    || (!str_eq_ci(u.scheme, STR("https")) && !str_eq_ci(u.scheme, STR("http"))))
		FAIL(err, INVALID, "url: write an address as https://hooks.example.com/alerts, without a user or password");
	if (w->secret.n && (!str_starts(w->secret, STR("whsec_")) || !crypto_base64_decode(a, str_from(w->secret, 6), &bytes)
			    || bytes.n < SECRET_LEAST || bytes.n > SECRET_MOST))
		FAIL(err, INVALID, "secret: it is 'whsec_' and the base64 of %d to %d bytes; leave it out and one is made", SECRET_LEAST, SECRET_MOST);
	return GH_RC_OK;
}

gh_rc store_alert_webhook_find(struct store *s, struct arena *a, struct str id, bool in_clear, struct store_alert_webhook *out,
			       bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_WEBHOOK_GET);
	struct str sealed;

	bind_str(st, 1, id);
	TRY(find_row(s, st, &webhook_type, a, out, found, err));
	if (!*found)
		return GH_RC_OK;
	sealed = out->secret;
	out->secret = STR_NULL;
	return in_clear ? store_unseal(s, a, WEBHOOK_KIND, id, sealed, &out->secret, err) : GH_RC_OK;
}

gh_rc store_alert_webhook_set(struct store *s, struct arena *a, const struct store_alert_webhook *w, struct gh_err *err)
{
	struct store_alert_webhook row = *w, old;
	bool found;

	TRY(store_alert_webhook_check(a, w, err));
	if (!row.secret.n) {
		TRY(store_alert_webhook_find(s, a, w->id, true, &old, &found, err));
		if (!found)
			FAIL(err, INVALID, "secret: a new webhook needs one");
		row.secret = old.secret;
	}
	TRY(store_seal(s, a, WEBHOOK_KIND, w->id, row.secret, &row.secret, err));
	row.problem = STR("");
	row.changed_us = clock_wall_us();
	return change_row(s, SQL_ALERT_WEBHOOK_PUT, &webhook_type, &row, CHANGE("set", row.id), err);
}

gh_rc store_alert_webhook_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_ALERT_WEBHOOK_DROP, id, STR_NULL,
			   (struct change){ .action = "delete", .kind = "alert webhook", .must_exist = true }, err);
}

gh_rc store_alert_webhooks(struct store *s, struct arena *a, bool in_clear, struct store_alert_webhook **out, size_t *n,
			   struct gh_err *err)
{
	TRY(list_rows(s, sql_use(s, SQL_ALERT_WEBHOOK_ALL), &webhook_type, a, out, n, err));
	for (size_t i = 0; i < *n; i++) {
		struct str sealed = (*out)[i].secret;

		(*out)[i].secret = STR_NULL;
		if (in_clear)
			TRY(store_unseal(s, a, WEBHOOK_KIND, (*out)[i].id, sealed, &(*out)[i].secret, err));
	}
	return GH_RC_OK;
}

/* ---- silences ---------------------------------------------------------------------------------------------------------------- */

static const struct field silence_fields[] = {
	FIELD(store_alert_silence, TEXT, id),     FIELD(store_alert_silence, REF, rule_id), FIELD(store_alert_silence, REF, environment_id),
	FIELD(store_alert_silence, REF, api_id),  FIELD(store_alert_silence, TIME, from_us), FIELD(store_alert_silence, TIME, to_us),
	FIELD(store_alert_silence, INT, repeat_s), FIELD(store_alert_silence, TEXT, comment), FIELD(store_alert_silence, TEXT, created_by),
};
static const struct row_type silence_type = ROW_TYPE("alert silence", store_alert_silence, silence_fields);

gh_rc store_alert_silence_check(const struct store_alert_silence *v, struct gh_err *err)
{
	if (v->to_us <= v->from_us)
		FAIL(err, INVALID, "to: a silence ends after it begins");
	if (v->to_us - v->from_us > SILENCE_MOST_US)
		FAIL(err, INVALID, "to: a silence lasts at most a year; disable the rule instead");
	if (v->repeat_s && v->repeat_s * INT64_C(1000000) < v->to_us - v->from_us)
		FAIL(err, INVALID, "repeat: it lasts longer than the time after which it comes again");
	if (v->comment.n > COMMENT_MAX)
		FAIL(err, INVALID, "comment: at most %d bytes", COMMENT_MAX);
	return GH_RC_OK;
}

gh_rc store_alert_silence_create(struct store *s, struct arena *a, const struct store_alert_silence *v, struct str *id_out,
				 struct gh_err *err)
{
	struct store_alert_silence row = *v;

	TRY(store_alert_silence_check(v, err));
	if (!row.id.n)
		TRY(store_new_id(a, &row.id, err));
	if (id_out)
		*id_out = row.id;
	return change_row(s, SQL_ALERT_SILENCE_ADD, &silence_type, &row, CHANGE("create", row.id), err);
}

gh_rc store_alert_silence_delete(struct store *s, struct str id, struct gh_err *err)
{
	return change_keys(s, SQL_ALERT_SILENCE_DROP, id, STR_NULL,
			   (struct change){ .action = "delete", .kind = "alert silence", .must_exist = true }, err);
}

gh_rc store_alert_silences(struct store *s, struct arena *a, struct store_alert_silence **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_ALERT_SILENCE_ALL), &silence_type, a, out, n, err);
}

bool store_alert_silence_holds(const struct store_alert_silence *v, const struct store_alert_rule *r, struct str environment,
			       struct str api, int64_t now_us)
{
	int64_t since = now_us - v->from_us;

	if ((v->rule_id.n && !str_eq(v->rule_id, r->id)) || (v->environment_id.n && !str_eq(v->environment_id, environment))
	    || (v->api_id.n && !str_eq(v->api_id, api)) || since < 0)
		return false;
	if (v->repeat_s)
		since %= v->repeat_s * INT64_C(1000000);
	return since < v->to_us - v->from_us;
}
