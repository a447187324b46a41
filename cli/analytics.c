/* analytics.c - `gatehouse analytics`: the same questions and figures as the dashboard's pages and its JSON API. */
#include "cli/command.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/reports.h"

static const struct option options[] = {
	{ "range", OPTION_TEXT, "RANGE", "24h, 7d, today, yesterday, or FROM/TO as 2026-01-02/2026-01-09 (UTC)", false },
	{ "step", OPTION_TEXT, "STEP", "figures over time: auto, minute, hour, day or 15m; none", false },
	{ "group", OPTION_TEXT, "DIMENSION,...", "a line for each; the names are those of the options below", false },
	{ "limit", OPTION_TEXT, "N", "at most so many lines, most calls first (50)", false },
	{ "compare", OPTION_FLAG, NULL, "beside the same time before", false },
	{ "csv", OPTION_FLAG, NULL, "comma-separated values", false },
	{ "environment", OPTION_TEXT, "ID", "only calls in this environment", false },
	{ "api", OPTION_TEXT, "ID", "only calls of this API", false },
	{ "version", OPTION_TEXT, "NAME", "only of this version", false },
	{ "operation", OPTION_TEXT, "ID", "only of this operation", false },
	{ "product", OPTION_TEXT, "ID", "only through this product", false },
	{ "subscription", OPTION_TEXT, "ID", "only with keys of this subscription", false },
	{ "application", OPTION_TEXT, "ID", "only of this application", false },
	{ "user", OPTION_TEXT, "ID", "only of this user", false },
	{ "backend", OPTION_TEXT, "ID", "only to this backend", false },
	{ "status", OPTION_TEXT, "CLASS", "only answers of this class: 2xx, 4xx, none", false },
	{ "reason", OPTION_TEXT, "WORD", "only answers of the gateway for this reason: RateLimitExceeded", false },
	{ "origin", OPTION_TEXT, "WHO", "only answers of gateway, backend, cache, backend_failed, client_gone", false },
	{ "address", OPTION_TEXT, "KIND", "only from loopback, private, link_local, shared, public_ipv4, public_ipv6", false },
	OPTION_END,
};

static gh_rc read_options(struct cli *c, struct report_ask *ask, struct gh_err *err)
{
	for (const struct option *o = options; o->name; o++) {
		const char *value = o->kind == OPTION_TEXT ? option_text(&c->options, o->name) : NULL;
		struct gh_err why;
		bool known;

		if (value && report_set(ask, str_of(o->name), str_of(value), &known, &why).code)
			return cli_usage(c, err, "--%s%s%s", str_starts(str_of(why.message), str_of(o->name)) ? "" : o->name,
					 str_starts(str_of(why.message), str_of(o->name)) ? "" : ": ", why.message);
	}
	ask->compare = option_flag(&c->options, "compare");
	return GH_RC_OK;
}

static void print_text(struct cli *c, const struct report_ask *ask, const struct report *r)
{
	char from[CLOCK_ISO_MAX], to[CLOCK_ISO_MAX];

	buf_fmt(&c->out, "%s, %s to %s\n", report_infos[ask->id].title, clock_iso(r->from_us, 0, from), clock_iso(r->to_us, 0, to));
	if (!r->table.n_rows || (ask->id == REPORT_TRAFFIC && !r->all.sum.calls)) {
		buf_fmt(&c->out, "%s\n", report_infos[ask->id].none);
		return;
	}
	if (ask->id == REPORT_TRAFFIC && !ask->q.n_group && !ask->q.step_s)
		table_print_row(&c->out, &r->table, 0);
	else
		table_print(&c->out, &r->table);
	if (r->n_all > r->table.n_rows)
		buf_fmt(&c->out, "and %zu more; --limit shows them\n", r->n_all - r->table.n_rows);
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct str name = str_of(c->options.n_args ? c->options.args[0] : NULL);
	struct report_ask ask;
	enum report_id id;
	struct report r;
	struct store *s;

	if (!report_find(name, &id))
		return cli_usage(c, err, "there is no report \"%.*s\"; there are traffic, calls, latency, exceeders, failures and deprecated",
				 STR_ARG(name));
	ask = report_ask(id);
	TRY(read_options(c, &ask, err));
	if (id == REPORT_TRAFFIC && ask.q.n_group && ask.q.step_s)
		return cli_usage(c, err, "--step and --group: traffic has one of them; the report calls has both");
	TRY(cli_store(c, false, &s, err));
	TRY(report_run(s, c->arena, &ask, clock_wall_us(), &r, err));
	if (c->json) {
		json_t *rows = jsn_keep(c->arena, table_json(&r.table));

		if (!rows)
			FAIL(err, NOMEM, "no memory for a report");
		jsn_write(&c->out, rows, JSN_INDENT);
		buf_char(&c->out, '\n');
	} else if (option_flag(&c->options, "csv")) {
		table_csv(&c->out, &r.table);
	} else {
		print_text(c, &ask, &r);
	}
	return GH_RC_OK;
}

const struct command command_analytics = {
	.name = "analytics", .args = "[REPORT]", .most_args = 1, .summary = "show how many calls there were, from whom, how fast and how many failed",
	.options = options, .run = run,
	.help = "Reports: traffic (also when none is named), calls (a consumer's calls a day), latency (is it us or the backend?),\n"
		"exceeders (who is over a limit on most days, and which would fit), failures (backends and their bad hours),\n"
		"deprecated (who still calls old versions). Times are UTC.\n"
		"Lines of several have what people look at first; --csv and --format json have every figure. Over time for each: gatehouse\n"
		"analytics calls --step hour --group api.",
};
