/* governance.c - `gatehouse governance …`: how far APIs hold to the rulesets, for people and for pipelines. */
#include "cli/config_files.h"
#include "cli/output.h"
#include "config/governance/report.h"
#include "core/file.h"
#include "core/str.h"

enum { REPORT_BYTES_MAX = 256 << 20 };

/* ---- check ---------------------------------------------------------------------------------------------------------------------- */

static void print_finding(struct cli *c, const struct governance_finding *f)
{
	struct str rule = governance_finding_rule(c->arena, f), mend = governance_finding_mend(c->arena, f);

	buf_fmt(&c->out, "  %s %.*s", f->exception ? "excepted" : governance_severity_names[f->severity], STR_ARG(rule));
	if (f->place.n)
		buf_fmt(&c->out, "  %.*s", STR_ARG(f->place));
	if (f->at.line)
		buf_fmt(&c->out, " (line %u)", f->at.line);
	buf_fmt(&c->out, "\n    %.*s\n", STR_ARG(f->message));
	if (f->exception)
		buf_fmt(&c->out, "    excepted by %.*s: %.*s\n", STR_ARG(f->exception->row.owner), STR_ARG(f->exception->row.reason));
	else if (mend.n)
		buf_fmt(&c->out, "    mend: %.*s\n", STR_ARG(mend));
}

static void print_report(struct cli *c, const struct governance_report *r)
{
	for (size_t i = 0; i < r->n_apis; i++) {
		const struct governance_api *api = &r->apis[i];

		if (!api->n)
			continue;
		buf_fmt(&c->out, "%.*s: %zu error%s, %zu warning%s, %zu information%s\n", STR_ARG(api->id), api->counts[GOVERNANCE_ERROR],
			api->counts[GOVERNANCE_ERROR] == 1 ? "" : "s", api->counts[GOVERNANCE_WARNING], api->counts[GOVERNANCE_WARNING] == 1 ? "" : "s",
			api->counts[GOVERNANCE_INFORMATION], api->excepted ? ", some excepted" : "");
		for (size_t k = 0; k < api->n; k++)
			print_finding(c, &r->findings[api->first + k]);
		if (api->more)
			buf_cstr(&c->out, "  ... and more; mend these first\n");
	}
	buf_fmt(&c->out, "%zu API%s, %zu without a finding: %zu error%s, %zu warning%s, %zu information, %zu excepted\n", r->n_apis,
		r->n_apis == 1 ? "" : "s", r->clean, r->counts[GOVERNANCE_ERROR], r->counts[GOVERNANCE_ERROR] == 1 ? "" : "s",
		r->counts[GOVERNANCE_WARNING], r->counts[GOVERNANCE_WARNING] == 1 ? "" : "s", r->counts[GOVERNANCE_INFORMATION], r->excepted);
}

static GH_RC write_sarif(struct cli *c, const struct governance_report *r, const char *path, struct gh_err *err)
{
	json_t *v = jsn_keep(c->arena, governance_report_sarif(c->arena, r));
	struct buf b;
	gh_rc rc;

	if (!v)
		FAIL(err, NOMEM, "report");
	buf_init(&b, REPORT_BYTES_MAX);
	jsn_write(&b, v, JSN_INDENT);
	buf_char(&b, '\n');
	rc = buf_ok(&b) ? file_write_atomic(path, buf_view(&b), 0644, err) : gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "%s: too large", path);
	buf_release(&b);
	return rc;
}

static GH_RC finish(struct cli *c, const struct governance_report *r, struct gh_err *err)
{
	const char *sarif = option_text(&c->options, "sarif");
	struct str fail_on = str_of(option_text_or(&c->options, "fail-on", "error"));
	enum governance_severity least = GOVERNANCE_OFF;

	if (!str_eq(fail_on, STR("never")))
		(void)governance_severity_find(fail_on, &least);
	for (size_t i = 0; i < r->n_sets; i++)
		if (r->sets[i].problem.p)
			cli_warn(c, "ruleset %.*s: %.*s", STR_ARG(r->sets[i].ruleset.id), STR_ARG(r->sets[i].problem));
	if (c->json) {
		json_t *v = jsn_keep(c->arena, governance_report_json(c->arena, r, true));

		if (!v)
			FAIL(err, NOMEM, "report");
		jsn_write(&c->out, v, 0);
		buf_char(&c->out, '\n');
	} else {
		print_report(c, r);
	}
	if (sarif)
		TRY(write_sarif(c, r, sarif, err));
	if (governance_report_fails(r, least))
		c->exit_code = 1;
	return GH_RC_OK;
}

struct look {
	struct cli *c;
	struct store *s;
	struct governance_query query;
	struct governance_report report;
};

static gh_rc look(void *ctx, struct gh_err *err)
{
	struct look *l = ctx;

	return governance_report(l->s, l->c->arena, &l->query, &l->report, err);
}

/* The files are applied, looked at, and taken back, all in one transaction. */
static GH_RC check_directory(struct cli *c, struct look *l, const char *dir, bool *ok, struct gh_err *err)
{
	struct plan_options o = { .actor = str_of(cli_actor(c)), .dry_run = true, .placeholders = true, .look = look, .look_ctx = l };
	struct files_set *set = arena_new_of(c->arena, struct files_set);
	const char *prefix;
	struct theme theme;
	struct plan p;
	struct tree t;

	if (!set)
		FAIL(err, NOMEM, "files");
	TRY(config_files_read(c, dir, &t, &prefix, err));
	TRY(files_set_read(set, c->arena, &t, err));
	TRY(config_files_theme(c, &theme, err));
	o.theme = &theme;
	return config_files_walk(c, l->s, set, &o, &p, prefix, ok, err);
}

static gh_rc check(struct cli *c, struct gh_err *err)
{
	const char *dir = option_text(&c->options, "dir");
	struct look l = { .c = c, .query = { .api = str_of(option_text(&c->options, "api")), .environment = str_of(option_text(&c->options, "env")) } };
	bool ok = true;

	TRY(cli_store(c, dir != NULL, &l.s, err));
	if (dir)
		TRY(check_directory(c, &l, dir, &ok, err));
	else
		TRY(look(&l, err));
	return ok ? finish(c, &l.report, err) : GH_RC_OK;
}

static const struct option check_options[] = {
	{ "api", OPTION_TEXT, "ID", "only this API", false },
	{ "env", OPTION_TEXT, "ENV", "only APIs of this environment", false },
	{ "dir", OPTION_TEXT, "DIR", "as it would be after `gatehouse apply DIR`; nothing is changed", false },
	{ "fail-on", OPTION_TEXT, "error|warning|information|never", "what ends with status 1 (error)", false },
	{ "sarif", OPTION_TEXT, "FILE", "also write the findings as SARIF 2.1.0, for code scanning", false },
	OPTION_END,
};

const struct command command_governance_check = {
	.name = "governance check", .summary = "judge the APIs by the rulesets, and say how to mend what is found",
	.help = "Ends with 1 when something as bad as --fail-on counts: for pipelines. What an exception lets pass does not count.\n",
	.options = check_options, .run = check,
};

/* ---- rules ---------------------------------------------------------------------------------------------------------------------- */

struct rule_row {
	struct str rule, about;
	int64_t severity, document;
	bool enabled;
	struct str mend;
};

static gh_rc rules(struct cli *c, struct gh_err *err)
{
	static const char *const documents[] = { "openapi", "configuration", NULL };
	static const struct column columns[] = {
		{ "RULE", "rule", COLUMN_TEXT, offsetof(struct rule_row, rule), NULL },
		{ "SEVERITY", "severity", COLUMN_NAME, offsetof(struct rule_row, severity), governance_severity_names },
		{ "ENABLED", "enabled", COLUMN_BOOL, offsetof(struct rule_row, enabled), NULL },
		{ "DOCUMENT", "document", COLUMN_NAME, offsetof(struct rule_row, document), documents },
		{ "WHAT", "description", COLUMN_TEXT, offsetof(struct rule_row, about), NULL },
	};
	struct governance_set *sets;
	struct rule_row *rows;
	struct store *s;
	size_t n_sets, n = 0;

	TRY(cli_store(c, false, &s, err));
	TRY(governance_rulesets(c->arena, s, &sets, &n_sets, err));
	for (size_t i = 0; i < n_sets; i++)
		n += sets[i].ruleset.n;
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "rules");
	n = 0;
	for (size_t i = 0; i < n_sets; i++)
		for (size_t k = 0; k < sets[i].ruleset.n; k++) {
			const struct governance_rule *r = &sets[i].ruleset.rules[k];
			struct governance_finding f = { .set = &sets[i], .rule = r };

			rows[n++] = (struct rule_row){ governance_finding_rule(c->arena, &f), r->description, r->severity, r->document,
						       sets[i].enabled && r->severity != GOVERNANCE_OFF, r->mend };
		}
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_governance_rules = {
	.name = "governance rules", .summary = "list the rules that APIs are judged by", .run = rules,
};
