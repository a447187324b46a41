/* alert.c - `gatehouse alert …`: rules, what is bad now, and the history. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/alerts.h"

static const struct option set_options[] = {
	{ "kind", OPTION_TEXT, "requests|status|latency|policy-violation|error-budget|backend|expiry|quota", "what is watched", false },
	{ "name", OPTION_TEXT, "TEXT", "what messages call it (the id)", false },
	{ "description", OPTION_TEXT, "TEXT", "stands in each message: what to do", false },
	{ "enabled", OPTION_TEXT, "yes|no", "whether it watches (yes)", false },
	{ "env", OPTION_TEXT, "ID", "only calls of this environment; none: of all; the next four likewise", false },
	{ "api", OPTION_TEXT, "ID", "only calls of this API", false },
	{ "product", OPTION_TEXT, "ID", "only calls through this product", false },
	{ "subscription", OPTION_TEXT, "ID", "only calls of this subscription", false },
	{ "backend", OPTION_TEXT, "ID", "only calls to this backend", false },
	{ "each", OPTION_TEXT, "environment|api|operation|product|subscription|application|backend|none",
	  "watch each of these apart, with a state of its own", false },
	{ "status", OPTION_TEXT, "CODES", "status, error-budget: codes and classes that count, \"404 5xx\"", false },
	{ "origin", OPTION_TEXT, "any|gateway|backend", "status, error-budget: who made the answer (any)", false },
	{ "reasons", OPTION_TEXT, "WORDS", "policy-violation: reasons of the log that count; none: all", false },
	{ "statistic", OPTION_TEXT, "average|p50|p75|p90|p95|p99", "latency: what is compared (average)", false },
	{ "time", OPTION_TEXT, "total|gateway|backend", "latency: of the whole call or a part (total)", false },
	{ "measure", OPTION_TEXT, "count|percent", "status, policy-violation: how many calls, or which share (count)", false },
	{ "comparison", OPTION_TEXT, "above|below", "requests: more than the threshold, or fewer (above)", false },
	{ "threshold", OPTION_TEXT, "N", "calls, per cent, milliseconds, days ahead, or times too fast", false },
	{ "target", OPTION_TEXT, "PERCENT", "error-budget: share of calls that shall be good, 99.9", false },
	{ "least-calls", OPTION_INT, "N", "shares, times, budgets: a period with fewer calls says nothing (1)", false },
	{ "period", OPTION_TEXT, "TIME", "60s, 10m, 1h (60s)", false },
	{ "periods", OPTION_INT, "M", "each of so many consecutive periods (1)", false },
	{ "remind", OPTION_TEXT, "TIME", "say it again while it stays bad; 0: never (0)", false },
	{ "mail", OPTION_MANY, "ADDRESS", "who gets a mail, member or not; takes the place of all; none: nobody", false },
	{ "webhook", OPTION_MANY, "ID", "which webhook is called; takes the place of all; none: no one", false },
	OPTION_END,
};

static const struct doc_option fields[] = {
	{ "kind", "kind", DOC_TEXT }, { "name", "name", DOC_TEXT }, { "description", "description", DOC_TEXT }, { "enabled", "enabled", DOC_YES },
	{ "env", "environment", DOC_OR_NULL }, { "api", "api", DOC_OR_NULL }, { "product", "product", DOC_OR_NULL },
	{ "subscription", "subscription", DOC_OR_NULL }, { "backend", "backend", DOC_OR_NULL }, { "each", "each", DOC_TEXT },
	{ "origin", "origin", DOC_TEXT }, { "statistic", "statistic", DOC_TEXT }, { "time", "time", DOC_TEXT }, { "measure", "measure", DOC_TEXT },
	{ "comparison", "comparison", DOC_TEXT }, { "threshold", "threshold", DOC_TEXT }, { "target", "target", DOC_OR_NULL },
	{ "least-calls", "leastCalls", DOC_INT }, { "periods", "periods", DOC_INT }, { "mail", "mails", DOC_LIST },
	{ "webhook", "webhooks", DOC_LIST }, DOC_END
};

static gh_rc take_times(struct cli *c, json_t *doc, struct gh_err *err)
{
	static const char *const rows[][2] = { { "period", "periodSeconds" }, { "remind", "remindSeconds" } };
	int64_t seconds;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str given = str_of(option_text(&c->options, rows[i][0]));

		if (given.p && !clock_parse_duration(given, &seconds))
			return cli_usage(c, err, "--%s: '%.*s' is no time such as 60s, 10m or 1h", rows[i][0], STR_ARG(given));
		if (given.p)
			json_object_set_new(doc, rows[i][1], json_integer(seconds));
	}
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const char *const lists[] = { "status", "reasons" };
	struct str id = str_of(c->options.args[0]);
	json_t *doc = cli_document(c, fields);
	struct store *s;
	bool found;

	TRY(take_times(c, doc, err));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct str given = str_of(option_text(&c->options, lists[i]));

		if (given.p)
			json_object_set_new(doc, lists[i], cli_list_of(str_eq(given, STR("none")) ? STR("") : given));
	}
	if (str_eq(jsn_str(doc, "each"), STR("none")))
		json_object_set_new(doc, "each", json_string("all"));
	TRY(cli_store(c, false, &s, err));
	TRY(resource_exists(s, resource_kind_find(STR("alert-rule")), id, &found, err));
	if (!found && !jsn_get(doc, "threshold"))
		json_object_set_new(doc, "threshold", json_string("0"));
	return cli_set(c, "alert-rule", id, doc, err);
}

const struct command command_alert_set = {
	.name = "alert set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "make or change an alert rule",
	.help = "What is not named stays as it is. A rule is breached when its last period is (with --periods: each of the last M), and\n"
		"tells it once; it is well again when its last period is, and tells that once. Periods end now and slide.",
	.options = set_options, .run = set,
};

/* ---- lists ---------------------------------------------------------------------------------------------------------------------- */

struct printed {
	struct store_alert_rule r;
	struct str threshold, target, period, scope;
};

static struct str scope_of(struct cli *c, const struct alert_rule *r)
{
	const struct {
		const char *name;
		struct str id;
	} parts[] = { { "env", r->environment }, { "api", r->api }, { "product", r->product }, { "subscription", r->subscription },
		      { "backend", r->backend } };
	struct str out = STR("");

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].id.n)
			out = arena_printf(c->arena, "%.*s%s%s:%.*s", STR_ARG(out), out.n ? " " : "", parts[i].name, STR_ARG(parts[i].id));
	return out.n ? out : STR("all");
}

static struct printed print_of(struct cli *c, const struct store_alert_rule *r)
{
	char number[ALERT_NUMBER_MAX];

	return (struct printed){ *r, arena_dup(c->arena, str_of(alert_number(r->rule.threshold, number))),
				 arena_dup(c->arena, str_of(alert_number(r->rule.target, number))),
				 arena_printf(c->arena, "%llds", (long long)r->rule.period_s), scope_of(c, &r->rule) };
}

#define P(member) offsetof(struct printed, r.member)
static const struct column rule_columns[] = {
	{ "ID", "id", COLUMN_TEXT, P(id), NULL },
	{ "ENABLED", "enabled", COLUMN_BOOL, P(enabled), NULL },
	{ "LOST", "lost", COLUMN_TEXT, P(lost), NULL },
	{ "KIND", "kind", COLUMN_NAME, P(rule.kind), alert_kinds },
	{ "SCOPE", "scope", COLUMN_TEXT, offsetof(struct printed, scope), NULL },
	{ "EACH", "each", COLUMN_NAME, P(rule.each), alert_eachs },
	{ "THRESHOLD", "threshold", COLUMN_TEXT, offsetof(struct printed, threshold), NULL },
	{ "PERIOD", "period", COLUMN_TEXT, offsetof(struct printed, period), NULL },
	{ "PERIODS", "periods", COLUMN_INT, P(rule.periods), NULL },
	{ "MAILS", "mails", COLUMN_TEXT, P(mails), NULL },
	{ "WEBHOOKS", "webhooks", COLUMN_TEXT, P(webhooks), NULL },
	{ "NAME", "name", COLUMN_TEXT, P(name), NULL },
	{ "STATUS", "status", COLUMN_TEXT, P(rule.status), NULL },
	{ "ORIGIN", "origin", COLUMN_NAME, P(rule.origin), alert_origins },
	{ "REASONS", "reasons", COLUMN_TEXT, P(rule.reasons), NULL },
	{ "STATISTIC", "statistic", COLUMN_NAME, P(rule.statistic), alert_statistics },
	{ "TIME", "time", COLUMN_NAME, P(rule.time), alert_times },
	{ "MEASURE", "measure", COLUMN_NAME, P(rule.measure), alert_measures },
	{ "COMPARISON", "comparison", COLUMN_NAME, P(rule.comparison), alert_comparisons },
	{ "TARGET", "target", COLUMN_TEXT, offsetof(struct printed, target), NULL },
	{ "LEAST CALLS", "leastCalls", COLUMN_INT, P(rule.least_calls), NULL },
	{ "REMIND", "remindSeconds", COLUMN_INT, P(remind_s), NULL },
	{ "DESCRIPTION", "description", COLUMN_TEXT, P(description), NULL },
	{ "CHANGED", "changed", COLUMN_TIME, P(changed_us), NULL },
};
enum { RULE_COLUMNS_LISTED = 11 };

static gh_rc list(struct cli *c, struct gh_err *err)
{
	struct store_alert_rule *v;
	struct printed *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_alert_rules(s, c->arena, &v, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu alert rules", n);
	for (size_t i = 0; i < n; i++)
		rows[i] = print_of(c, &v[i]);
	output_list(c, rule_columns, c->json ? ARRAY_LEN(rule_columns) : RULE_COLUMNS_LISTED, rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_alert_list = { .name = "alert list", .summary = "list the alert rules", .run = list };

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct store_alert_rule r;
	struct printed row;
	struct store *s;
	bool found;

	TRY(cli_store(c, false, &s, err));
	TRY(store_alert_rule_find(s, c->arena, str_of(c->options.args[0]), &r, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no alert rule '%s'", c->options.args[0]);
	row = print_of(c, &r);
	output_row(c, rule_columns, ARRAY_LEN(rule_columns), &row, false);
	return GH_RC_OK;
}

const struct command command_alert_show = {
	.name = "alert show", .args = "ID", .least_args = 1, .most_args = 1, .summary = "print an alert rule", .run = show,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "alert-rule", str_of(c->options.args[0]), err);
}

const struct command command_alert_delete = {
	.name = "alert delete", .args = "ID", .least_args = 1, .most_args = 1, .summary = "delete an alert rule",
	.help = "Its history stays. If it is bad at this moment, nobody is told that it recovered.", .run = delete,
};

static gh_rc state(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "RULE", "rule", COLUMN_TEXT, offsetof(struct store_alert_state, rule_id), NULL },
		{ "SUBJECT", "subject", COLUMN_TEXT, offsetof(struct store_alert_state, subject), NULL },
		{ "SINCE", "since", COLUMN_TIME, offsetof(struct store_alert_state, since_us), NULL },
		{ "TOLD", "told", COLUMN_TIME, offsetof(struct store_alert_state, told_us), NULL },
	};
	struct store_alert_state *v;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_alert_states(s, c->arena, &v, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), v, n, sizeof(*v));
	c->exit_code = n > 0;
	return GH_RC_OK;
}

const struct command command_alert_state = {
	.name = "alert state", .summary = "print what is bad now",
	.help = "Exit status 1 when something is. A silenced one has not been told.", .run = state,
};

static const struct option history_options[] = {
	{ "rule", OPTION_TEXT, "ID", "only of this rule", false },
	{ "api", OPTION_TEXT, "ID", "only of this API", false },
	{ "limit", OPTION_INT, "N", "at most this many, newest first (100)", false },
	OPTION_END,
};

static gh_rc history(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "TIME", "time", COLUMN_TIME, offsetof(struct store_alert_event, at_us), NULL },
		{ "RULE", "rule", COLUMN_TEXT, offsetof(struct store_alert_event, rule_id), NULL },
		{ "EVENT", "event", COLUMN_NAME, offsetof(struct store_alert_event, kind), store_alert_event_names },
		{ "SUBJECT", "subject", COLUMN_TEXT, offsetof(struct store_alert_event, subject), NULL },
		{ "ENVIRONMENT", "environment", COLUMN_TEXT, offsetof(struct store_alert_event, environment_id), NULL },
		{ "API", "api", COLUMN_TEXT, offsetof(struct store_alert_event, api_id), NULL },
		{ "TOLD", "told", COLUMN_INT, offsetof(struct store_alert_event, told), NULL },
		{ "SUMMARY", "summary", COLUMN_TEXT, offsetof(struct store_alert_event, summary), NULL },
		{ "REQUEST", "requestId", COLUMN_TEXT, offsetof(struct store_alert_event, request_id), NULL },
		{ "NAME", "name", COLUMN_TEXT, offsetof(struct store_alert_event, rule_name), NULL },
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_alert_event, id), NULL },
	};
	struct store_alert_event_filter f = { .rule_id = str_of(option_text(&c->options, "rule")), .api_id = str_of(option_text(&c->options, "api")),
					      .limit = (size_t)option_int(&c->options, "limit", 100) };
	struct store_alert_event *v;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_alert_events(s, c->arena, &f, &v, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), v, n, sizeof(*v));
	return GH_RC_OK;
}

const struct command command_alert_history = {
	.name = "alert history", .summary = "print what fired and recovered, newest first", .options = history_options, .run = history,
};
