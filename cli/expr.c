/* expr.c - gatehouse expr: one policy expression, evaluated without a network, its value as JSON. */
#include "cli/command.h"
#include "policy/offline/offline.h"
#include "cli/policy_diags.h"
#include "core/file.h"
#include "core/str.h"
#include "policy/expr/expr.h"

static GH_RC read_json(struct arena *a, const char *path, json_t **out, struct gh_err *err)
{
	struct text_where where = { 0 };
	struct str text;
	gh_rc rc;

	*out = NULL;
	if (!path)
		return GH_RC_OK;
	TRY(file_read(a, path, OFFLINE_FILE_MAX, &text, err));
	rc = jsn_parse_in(a, text, NULL, out, &where, err);
	if (rc.code)
		gh_err_prefix(err, "%s:%u:%u", path, where.line, where.column);
	return rc;
}

/* "1 + 2" is short for "@(1 + 2)"; columns of errors count in what was typed. */
static struct expr *compile(struct cli *c, struct policy_diags *diags)
{
	struct str typed = str_trim(str_of(c->options.args[0])), source = typed;
	unsigned column = 1;

	if (!str_starts(typed, STR("@(")) && !str_starts(typed, STR("@{"))) {
		source = arena_printf(c->arena, "@(%s)", c->options.args[0]);
		column = 0;
	}
	return source.p ? expr_compile(c->arena, source, 1, column, diags, NULL) : NULL;
}

static void print_diags(const struct policy_diags *diags, bool wrapped)
{
	struct policy_diags shown = *diags;

	for (size_t i = 0; wrapped && i < shown.n; i++)
		if (shown.v[i].line == 1 && shown.v[i].column > 1)
			shown.v[i].column--;
	policy_print_diags("expression", &shown);
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	json_t *request, *context;
	struct policy_diags diags;
	struct offline *o;
	struct exchange *x;
	struct expr *e;
	struct value value;
	struct str text;

	TRY(read_json(c->arena, option_text(&c->options, "context"), &context, err));
	TRY(read_json(c->arena, option_text(&c->options, "request"), &request, err));
	TRY(offline_new(c->arena, context, ".", &o, err));
	policy_diags_init(&diags, c->arena);
	e = compile(c, &diags);
	if (!e) {
		print_diags(&diags, c->options.args[0][0] != '@');
		c->exit_code = 1;
		return GH_RC_OK;
	}
	TRY(offline_exchange(o, request, &x, err));
	TRY(expr_run(e, x, NULL, &value, err));
	TRY(expr_json(x, value, NULL, &text, err));
	buf_str(&c->out, text);
	buf_char(&c->out, '\n');
	return GH_RC_OK;
}

static const struct option options[] = {
	{ "context", OPTION_TEXT, "CTX.json", "what there is: variables, API, subscription, user", false },
	{ "request", OPTION_TEXT, "REQ.json", "the request: method, url, headers, body, ip", false },
	OPTION_END,
};
const struct command command_expr = {
	.name = "expr", .args = "EXPRESSION", .least_args = 1, .most_args = 1, .options = options,
	.summary = "evaluate one policy expression and print its value as JSON",
	.help = "The expression stands alone or as in a document: 1 + 2, @(1 + 2) or @{ return 1 + 2; }", .run = run,
};
