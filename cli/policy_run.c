/* policy_run.c - gatehouse policy run: a document executed without a network, see policy/offline/offline.h. */
#include "cli/command.h"
#include "policy/offline/offline.h"
#include "cli/policy_diags.h"
#include "core/file.h"
#include "core/str.h"


static GH_RC read_json(struct arena *a, const char *path, json_t **out, struct gh_err *err)
{
	struct text_where where = { 0 };
	struct str text;

	TRY(file_read(a, path, OFFLINE_FILE_MAX, &text, err));
	gh_rc rc = jsn_parse_in(a, text, NULL, out, &where, err);

	if (rc.code)
		gh_err_prefix(err, "%s:%u:%u", path, where.line, where.column);
	return rc;
}

static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? arena_dup(a, (struct str){ path, (size_t)(slash - path) }).p : ".";
}

/* The steps of a run, or of each of several, for a person. They go to standard error: standard output stays JSON. */
static void print_steps(const json_t *out)
{
	const json_t *step, *one;
	size_t i;

	if (json_is_array(out)) {
		json_array_foreach (out, i, one) {
			fprintf(stderr, "run %zu\n", i + 1);
			print_steps(one);
		}
		return;
	}
	json_array_foreach(json_object_get(out, "trace"), i, step) fprintf(
		stderr, "%-9s %-9s %4lld  %-24s %6lld us  %s\n", json_string_value(json_object_get(step, "section")),
		json_string_value(json_object_get(step, "scope")), json_integer_value(json_object_get(step, "line")),
		json_string_value(json_object_get(step, "policy")), json_integer_value(json_object_get(step, "us")),
		json_string_value(json_object_get(step, "decision")));
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	const char *request_path = option_text(&c->options, "request"),
		   *context_path = option_text(&c->options, "context"), *file;
	json_t *request, *context = NULL, *out;
	struct policy_diags diags;
	struct offline *o;
	struct str text;
	gh_rc rc;

	TRY(read_json(c->arena, request_path, &request, err));
	if (context_path)
		TRY(read_json(c->arena, context_path, &context, err));
	TRY(offline_new(c->arena, context, folder_of(c->arena, context_path), &o, err));
	policy_diags_init(&diags, c->arena);
	rc = offline_load(o, c->options.args[0], &diags, &file, err);
	if (diags.errors)
		policy_print_diags(file, &diags);
	if (rc.code && diags.errors) {
		c->exit_code = 1;
		return GH_RC_OK;
	}
	TRY(rc);
	TRY(offline_run(o, request, &out, err));
	if (option_flag(&c->options, "trace"))
		print_steps(out);
	text = jsn_text(c->arena, out, JSN_INDENT);
	buf_str(&c->out, text);
	buf_char(&c->out, '\n');
	return GH_RC_OK;
}

static const struct option options[] = {
	{ "request", OPTION_TEXT, "REQ.json", "the request: method, url, headers, body, ip, repeat", true },
	{ "context", OPTION_TEXT, "CTX.json", "what there is: API, subscription, named values, canned answers", false },
	{ "trace", OPTION_FLAG, NULL, "also print each step in words on standard error", false },
	OPTION_END,
};
const struct command command_policy_run = {
	.name = "policy run", .args = "FILE", .least_args = 1, .most_args = 1, .options = options,
	.summary = "run a request through a policy document without a network", .run = run,
};
