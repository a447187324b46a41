/* kind_alert.c - alert rules, the webhooks that they tell, and silences (maintenance windows). What a rule watches: core/alert.h. */
#include "config/kind.h"

#include "core/str.h"
#include "db/alerts.h"

/* "status: say which ..." is a problem of the field `status`: so the store begins its messages. */
static GH_RC refused_at(struct resource_put *p, const char *const names[][2], gh_rc rc, const struct gh_err *why, struct gh_err *err)
{
	struct str message = str_of(rc.code ? why->message : ""), name = str_first(message, str_find_char(message, ':'));
	struct gh_err rest = rc.code ? *why : (struct gh_err){ .code = GH_OK };
	char pointer[60] = "";

	for (const struct resource_field *f = p->c->kind->fields; f->name && name.n < message.n; f++)
		if (str_eq(name, str_of(f->name)))
			snprintf(pointer, sizeof(pointer), "/%s", f->name);
	for (size_t i = 0; names && names[i][0]; i++)
		if (str_eq(name, str_of(names[i][0])))
			snprintf(pointer, sizeof(pointer), "/%s", names[i][1]);
	if (pointer[0])
		snprintf(rest.message, sizeof(rest.message), "%.*s", STR_ARG(str_trim(str_from(message, name.n + 1))));
	return put_refused(p, pointer, rc, &rest, err);
}

static struct str joined(struct resource_put *p, const char *field)
{
	const json_t *list = jsn_get(p->doc, field);
	struct str all = STR("");

	for (size_t i = 0; i < json_array_size(list); i++)
		all = arena_printf(p->a, "%.*s%s%.*s", STR_ARG(all), i ? " " : "", STR_ARG(jsn_string(json_array_get(list, i))));
	return all;
}

/* A blank would make two of one. */
static void check_words(struct resource_put *p, const char *field)
{
	const json_t *list = jsn_get(p->doc, field);
	char pointer[60];

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct str s = jsn_string(json_array_get(list, i)), rest = s, word;

		if (!str_word(&rest, &word) || word.n != s.n) {
			snprintf(pointer, sizeof(pointer), "/%s/%zu", field, i);
			put_problem(p, pointer, "one word, without blanks");
		}
	}
}

/* ---- rules ----------------------------------------------------------------------------------------------------------------- */

static const char *const kinds[] = { "requests", "status", "latency", "policy-violation", "error-budget", "backend", "expiry", "quota", NULL };
static const char *const eachs[] = { "all", "environment", "api", "operation", "product", "subscription", "application", "backend", NULL };
static const char *const origins[] = { "any", "gateway", "backend", NULL }, *const times[] = { "total", "gateway", "backend", NULL };
static const char *const statistics[] = { "average", "p50", "p75", "p90", "p95", "p99", NULL };
static const char *const measures[] = { "count", "percent", NULL }, *const comparisons[] = { "above", "below", NULL };
_Static_assert(ARRAY_LEN(kinds) == ALERT_KIND__COUNT + 1 && ARRAY_LEN(eachs) == ALERT_EACH__COUNT + 1
	       && ARRAY_LEN(origins) == ALERT_ORIGIN__COUNT + 1 && ARRAY_LEN(times) == ALERT_TIME__COUNT + 1
	       && ARRAY_LEN(statistics) == ALERT_STATISTIC__COUNT + 1 && ARRAY_LEN(measures) == ALERT_MEASURE__COUNT + 1
	       && ARRAY_LEN(comparisons) == ALERT_COMPARISON__COUNT + 1, "the tables of core/alert.h");

static const struct resource_field rule_fields[] = {
	FIELD_ID("Names the rule: letters, digits, '.', '_' and '-'", store_alert_rule, id),
	{ .name = "name", .type = RESOURCE_TEXT, .label = "Name", .most = 200, .description = "What messages call it; empty: its id",
	  AT(store_alert_rule, name) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "What to do about it",
	  AT(store_alert_rule, description) },
	{ .name = "enabled", .type = RESOURCE_BOOL, .otherwise = "true", .label = "On", .description = "Whether it watches", AT(store_alert_rule, enabled) },
	{ .name = "kind", .type = RESOURCE_ENUM, .flags = RESOURCE_REQUIRED, .values = kinds, .label = "Kind", .description = "What is watched",
	  AT(store_alert_rule, rule.kind) },
	{ .name = "environment", .type = RESOURCE_REF, .ref = "environment", .label = "Environment", .description = "Only calls of it; none: of all",
	  AT(store_alert_rule, rule.environment) },
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .label = "API", .description = "Only calls of it; none: of all",
	  AT(store_alert_rule, rule.api) },
	{ .name = "product", .type = RESOURCE_REF, .ref = "product", .label = "Product", .description = "Only calls of it; none: of all",
	  AT(store_alert_rule, rule.product) },
	{ .name = "subscription", .type = RESOURCE_REF, .ref = "subscription", .label = "Subscription", .description = "Only calls of it; none: of all",
	  AT(store_alert_rule, rule.subscription) },
	{ .name = "backend", .type = RESOURCE_REF, .ref = "backend", .label = "Backend", .description = "Only this one; none: all",
	  AT(store_alert_rule, rule.backend) },
	{ .name = "each", .type = RESOURCE_ENUM, .values = eachs, .otherwise = "\"all\"", .label = "Apart for each",
	  .description = "Whether each of them is watched by itself", AT(store_alert_rule, rule.each) },
	{ .name = "status", .type = RESOURCE_TEXTS, .label = "Status", .most = 3, .description = "Statuses that count, such as 404 or 5xx",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "origin", .type = RESOURCE_ENUM, .values = origins, .otherwise = "\"any\"", .label = "Answered by",
	  .description = "Who made the answer", AT(store_alert_rule, rule.origin) },
	{ .name = "reasons", .type = RESOURCE_TEXTS, .label = "Reasons", .most = 80,
	  .description = "Of policy-violation: words of the log that count; none: all", .offset = RESOURCE_BY_HAND },
	{ .name = "statistic", .type = RESOURCE_ENUM, .values = statistics, .otherwise = "\"average\"", .label = "Statistic",
	  .description = "Of latency: the average or a percentile", AT(store_alert_rule, rule.statistic) },
	{ .name = "time", .type = RESOURCE_ENUM, .values = times, .otherwise = "\"total\"", .label = "Time of",
	  .description = "Of latency: the whole call, or the part of one", AT(store_alert_rule, rule.time) },
	{ .name = "measure", .type = RESOURCE_ENUM, .values = measures, .otherwise = "\"count\"", .label = "Measured as",
	  .description = "Calls, or per cent of them", AT(store_alert_rule, rule.measure) },
	{ .name = "comparison", .type = RESOURCE_ENUM, .values = comparisons, .otherwise = "\"above\"", .label = "Breached when",
	  .description = "Above the threshold, or below it", AT(store_alert_rule, rule.comparison) },
	{ .name = "threshold", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED | RESOURCE_NUMBER, .label = "Threshold", .most = 30,
	  .description = "Calls, per cent, milliseconds, days ahead, or times too fast: 5 or \"99.95\"; shown as a text", .offset = RESOURCE_BY_HAND },
	{ .name = "target", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL | RESOURCE_NUMBER, .label = "Target", .most = 30,
	  .description = "Of error-budget: per cent that shall be good: 99.9 or \"99.9\"; shown as a text", .offset = RESOURCE_BY_HAND },
	{ .name = "leastCalls", .type = RESOURCE_INT, .least = 0, .most = INT32_MAX, .otherwise = "1", .label = "Least calls",
	  .description = "A period with fewer says nothing about a share, a time or a budget", AT(store_alert_rule, rule.least_calls) },
	{ .name = "periodSeconds", .type = RESOURCE_INT, .least = ALERT_PERIOD_LEAST_S, .most = ALERT_PERIOD_MOST_S, .otherwise = "60",
	  .label = "Period in seconds", .description = "How long it counts", AT(store_alert_rule, rule.period_s) },
	{ .name = "periods", .type = RESOURCE_INT, .least = 1, .most = ALERT_PERIODS_MAX, .otherwise = "1", .label = "Periods",
	  .description = "How many of them in a row must be bad", AT(store_alert_rule, rule.periods) },
	{ .name = "remindSeconds", .type = RESOURCE_INT, .least = 0, .most = INT32_MAX, .otherwise = "0", .label = "Remind after seconds",
	  .description = "Say it again while it stays bad; 0: never", AT(store_alert_rule, remind_s) },
	{ .name = "mails", .type = RESOURCE_TEXTS, .label = "Mail to", .most = 254, .description = "Addresses that are told", .offset = RESOURCE_BY_HAND },
	{ .name = "webhooks", .type = RESOURCE_REFS, .ref = "alert-webhook", .label = "Webhooks", .description = "Webhooks that are told",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "lost", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY, .label = "Lost",
	  .description = "What it watched and was deleted, such as \"api orders\": it is off until it names another", AT(store_alert_rule, lost) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(store_alert_rule, changed_us) },
	FIELD_END,
};

static GH_RC rule_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_alert_rule_find(s, a, id, row, found, err);
}

static GH_RC rule_show(struct store *s UNUSED, struct arena *a UNUSED, const void *row, json_t *doc, struct gh_err *err UNUSED)
{
	const struct store_alert_rule *r = row;
	char text[ALERT_NUMBER_MAX];

	json_object_set_new(doc, "status", json_words(r->rule.status));
	json_object_set_new(doc, "reasons", json_words(r->rule.reasons));
	json_object_set_new(doc, "mails", json_words(r->mails));
	json_object_set_new(doc, "webhooks", json_words(r->webhooks));
	json_object_set_new(doc, "threshold", json_string(alert_number(r->rule.threshold, text)));
	json_object_set_new(doc, "target", r->rule.target ? json_string(alert_number(r->rule.target, text)) : json_null());
	return GH_RC_OK;
}

static void number_of(struct resource_put *p, const char *field, int64_t *to)
{
	struct str s = jsn_str(p->doc, field);
	char pointer[40];

	*to = 0;
	snprintf(pointer, sizeof(pointer), "/%s", field);
	if (s.n && !alert_number_parse(s, to))
		put_problem(p, pointer, "must be a number with at most three decimals, such as 5 or 99.95");
}

/* What the store fills in (a name, the status of a budget) stands in the document too, so that the same rule is the same document. */
static GH_RC rule_check(struct resource_put *p, struct gh_err *err)
{
	static const char *const names[][2] = { { "period", "periodSeconds" }, { "remind", "remindSeconds" }, { "least_calls", "leastCalls" }, { NULL, NULL } };
	struct store_alert_rule *r = p->row;
	size_t problems = p->c->total;
	struct gh_err why = { .code = GH_OK };
	json_t *normal;
	gh_rc rc;

	check_words(p, "status");
	check_words(p, "reasons");
	check_words(p, "mails");
	number_of(p, "threshold", &r->rule.threshold);
	number_of(p, "target", &r->rule.target);
	r->rule.status = joined(p, "status");
	r->rule.reasons = joined(p, "reasons");
	r->mails = joined(p, "mails");
	r->webhooks = joined(p, "webhooks");
	if (p->c->total != problems)
		return GH_RC_OK;
	rc = store_alert_rule_check(p->s, p->a, r, &why);
	TRY(refused_at(p, names, rc, &why, err));
	if (rc.code)
		return GH_RC_OK;
	TRY(resource_show(p->s, p->a, &kind_alert_rule, r, &normal, err));
	json_object_del(normal, "changed");
	json_object_del(normal, "lost");
	json_object_update_existing((json_t *)(uintptr_t)p->doc, normal);
	return GH_RC_OK;
}

static GH_RC rule_save(struct resource_put *p, struct gh_err *err)
{
	return store_alert_rule_set(p->s, p->a, p->row, err);
}

static GH_RC rule_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_alert_rule_delete(s, id, err);
}

static const struct resource_ops rule_ops = {
	.row_size = sizeof(struct store_alert_rule), .store = STORE_RESOURCE_ALERT_RULE, .find = rule_find, .show = rule_show,
	.check = rule_check, .save = rule_save, .drop = rule_drop,
};

const struct resource_kind kind_alert_rule = {
	.name = "alert-rule", .plural = "alert-rules", .title = "Alert rule", .description = "When people are told that something is wrong.",
	.area = RESOURCE_AREA_SETTINGS, .fields = rule_fields, .ops = &rule_ops, .filters = { { NULL } },
};

/* ---- webhooks -------------------------------------------------------------------------------------------------------------- */

static const struct resource_field webhook_fields[] = {
	FIELD_ID("Names the webhook: letters, digits, '.', '_' and '-'", store_alert_webhook, id),
	{ .name = "url", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Address", .most = 2000,
	  .description = "Where alerts are posted to, as https://hooks.example.com/alerts", AT(store_alert_webhook, url) },
	{ .name = "description", .type = RESOURCE_TEXT, .flags = RESOURCE_LINES, .label = "Description", .description = "Who reads it",
	  AT(store_alert_webhook, description) },
	{ .name = "enabled", .type = RESOURCE_BOOL, .otherwise = "true", .label = "On", .description = "Whether it is told; one that fails for days is switched off",
	  AT(store_alert_webhook, enabled) },
	{ .name = "secret", .type = RESOURCE_SECRET, .flags = RESOURCE_NO_REF, .label = "Secret",
	  .description = "Signs each message (Standard Webhooks): whsec_ and base64; left out of a new one, one is made and told once",
	  .offset = RESOURCE_BY_HAND },
	{ .name = "problem", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY, .label = "Last problem", .description = "Of the last delivery",
	  AT(store_alert_webhook, problem) },
	{ .name = "changed", .type = RESOURCE_TIME, .flags = RESOURCE_READ_ONLY, .label = "Changed", .description = "When it was last written",
	  AT(store_alert_webhook, changed_us) },
	FIELD_END,
};

static GH_RC webhook_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	return store_alert_webhook_find(s, a, id, false, row, found, err);
}

static GH_RC webhook_show(struct store *s UNUSED, struct arena *a UNUSED, const void *row UNUSED, json_t *doc, struct gh_err *err UNUSED)
{
	json_object_set_new(doc, "secret", resource_secret_shown(true, STR_NULL));
	return GH_RC_OK;
}

static GH_RC webhook_check(struct resource_put *p, struct gh_err *err)
{
	struct store_alert_webhook *w = p->row;
	struct str text;
	enum secret_given given = resource_secret(p->doc, "secret", &text);
	struct gh_err why = { .code = GH_OK };

	if (given == SECRET_REF)
		put_problem(p, "/secret", "takes no reference; give a text, or leave it out");
	if (given == SECRET_NONE && p->exists)
		put_problem(p, "/secret", "a webhook has one always; give another one, or leave it out");
	if (given == SECRET_STAYS && jsn_get(p->doc, "secret") && !p->exists)
		put_problem(p, "/secret", "there is nothing sealed yet; leave it out and one is made");
	w->secret = given == SECRET_TEXT ? text : STR_NULL;
	return refused_at(p, NULL, store_alert_webhook_check(p->a, w, &why), &why, err);
}

static GH_RC webhook_save(struct resource_put *p, struct gh_err *err)
{
	struct store_alert_webhook *w = p->row;

	if (!w->secret.n && !p->exists) {
		TRY(store_alert_secret_new(p->c->arena, &w->secret, err));
		p->c->issued = jsn_keep(p->c->arena, json_pack("{s:s%}", "secret", w->secret.p, w->secret.n));
	}
	return store_alert_webhook_set(p->s, p->a, w, err);
}

static GH_RC webhook_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_alert_webhook_delete(s, id, err);
}

static const struct resource_ops webhook_ops = {
	.row_size = sizeof(struct store_alert_webhook), .store = STORE_RESOURCE_ALERT_WEBHOOK, .find = webhook_find, .show = webhook_show,
	.check = webhook_check, .save = webhook_save, .drop = webhook_drop,
};

const struct resource_kind kind_alert_webhook = {
	.name = "alert-webhook", .plural = "alert-webhooks", .title = "Alert webhook", .description = "A program that is told of alerts.",
	.area = RESOURCE_AREA_SETTINGS, .fields = webhook_fields, .ops = &webhook_ops, .filters = { { NULL } },
};

/* ---- silences -------------------------------------------------------------------------------------------------------------- */

static const struct resource_field silence_fields[] = {
	FIELD_ID("Names the silence; left out, one is made", store_alert_silence, id),
	{ .name = "rule", .type = RESOURCE_REF, .ref = "alert-rule", .label = "Rule", .description = "The rule that is silent; none: all",
	  AT(store_alert_silence, rule_id) },
	{ .name = "environment", .type = RESOURCE_REF, .ref = "environment", .label = "Environment", .description = "Only about it; none: all",
	  AT(store_alert_silence, environment_id) },
	{ .name = "api", .type = RESOURCE_REF, .ref = "api", .label = "API", .description = "Only about it; none: all", AT(store_alert_silence, api_id) },
	{ .name = "from", .type = RESOURCE_TIME, .flags = RESOURCE_REQUIRED, .label = "From", .description = "When it begins",
	  AT(store_alert_silence, from_us) },
	{ .name = "to", .type = RESOURCE_TIME, .flags = RESOURCE_REQUIRED, .label = "To", .description = "When it ends", AT(store_alert_silence, to_us) },
	{ .name = "repeatSeconds", .type = RESOURCE_INT, .least = 0, .most = 366 * 86400, .otherwise = "0", .label = "Again after seconds",
	  .description = "A maintenance window that comes again: 86400 each day, 604800 each week; 0: once", AT(store_alert_silence, repeat_s) },
	{ .name = "comment", .type = RESOURCE_TEXT, .label = "Comment", .most = 1000, .description = "Why", AT(store_alert_silence, comment) },
	{ .name = "createdBy", .type = RESOURCE_TEXT, .flags = RESOURCE_READ_ONLY, .label = "Made by", .description = "Who made it",
	  AT(store_alert_silence, created_by) },
	FIELD_END,
};

static GH_RC silence_find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct store_alert_silence *v;
	size_t n;

	TRY(store_alert_silences(s, a, &v, &n, err));
	return pick_row(v, n, sizeof(*v), id, row, found);
}

static GH_RC silence_fresh(struct resource_put *p, struct gh_err *err UNUSED)
{
	((struct store_alert_silence *)p->row)->created_by = p->c->actor;
	return GH_RC_OK;
}

static GH_RC silence_check(struct resource_put *p, struct gh_err *err)
{
	static const char *const names[][2] = { { "repeat", "repeatSeconds" }, { NULL, NULL } };
	struct gh_err why = { .code = GH_OK };

	return refused_at(p, names, store_alert_silence_check(p->row, &why), &why, err);
}

static GH_RC silence_save(struct resource_put *p, struct gh_err *err)
{
	if (p->exists)
		TRY(store_alert_silence_delete(p->s, p->id, err));
	return store_alert_silence_create(p->s, p->a, p->row, NULL, err);
}

static GH_RC silence_drop(struct store *s, struct arena *a UNUSED, struct str id, struct gh_err *err)
{
	return store_alert_silence_delete(s, id, err);
}

static const struct resource_ops silence_ops = {
	.row_size = sizeof(struct store_alert_silence), .store = STORE_RESOURCE_ALERT_SILENCE, .find = silence_find, .fresh = silence_fresh,
	.check = silence_check, .save = silence_save, .drop = silence_drop,
};

const struct resource_kind kind_alert_silence = {
	.name = "alert-silence", .plural = "alert-silences", .title = "Silence",
	.description = "A time in which alerts are noted and nobody is told: once, or a maintenance window that comes again.",
	.area = RESOURCE_AREA_SETTINGS, .makes_id = true, .fields = silence_fields, .ops = &silence_ops, .filters = { { NULL } },
};
