/* policy_check.c - gatehouse policy check: documents without a store. Named values and fragments are not known here, so
 * references to them are taken on trust; everything else is checked as `policy set` does. */
#include "cli/policy_diags.h"
#include "core/file.h"
#include "core/str.h"

#include <limits.h>

enum { CHECK_FILE_MAX = 4 * 1024 * 1024, CHECK_MEMORY_MAX = 64 * 1024 * 1024 };

static void json_diags(struct cli *c, const char *file, const struct policy_diags *d, bool ok)
{
	buf_cstr(&c->out, "{\"file\": ");
	buf_json(&c->out, str_of(file));
	buf_fmt(&c->out, ", \"ok\": %s, \"messages\": [", ok ? "true" : "false");
	for (size_t i = 0; i < d->n; i++) {
		buf_fmt(&c->out, "%s{\"line\": %u, \"column\": %u, \"severity\": \"%s\", \"message\": ", i ? ", " : "",
			d->v[i].line, d->v[i].column, d->v[i].warning ? "warning" : "error");
		buf_json(&c->out, d->v[i].message);
		buf_char(&c->out, '}');
	}
	buf_cstr(&c->out, "]}");
}

static GH_RC check_file(struct cli *c, const char *file, struct gh_err *err)
{
	const struct policy_env env = { .open_references = true };
	const struct policy_source src = { .scope = SCOPE_OPERATION, .either = true, .name = str_of(file) };
	struct arena *a = arena_new(CHECK_MEMORY_MAX);
	struct policy_diags diags;
	struct str text;
	bool ok = false;
	gh_rc rc;

	if (!a)
		FAIL(err, NOMEM, "%s", file);
	policy_diags_init(&diags, a);
	rc = file_read(a, file, CHECK_FILE_MAX, &text, err);
	if (!rc.code) {
		ok = policy_compile(a, text, &src, &env, &diags) != NULL;
		if (c->json)
			json_diags(c, file, &diags, ok);
		else if (ok)
			buf_fmt(&c->out, "%s: ok\n", file);
		if (!c->json)
			policy_print_diags(file, &diags);
		if (!ok)
			c->exit_code = 1;
	}
	arena_free(a);
	return rc;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	if (c->json)
		buf_char(&c->out, '[');
	for (size_t i = 0; i < c->options.n_args; i++) {
		if (c->json && i)
			buf_cstr(&c->out, ",\n ");
		TRY(check_file(c, c->options.args[i], err));
	}
	if (c->json)
		buf_cstr(&c->out, "]\n");
	return GH_RC_OK;
}

const struct command command_policy_check = {
	.name = "policy check",
	.args = "FILE...",
	.least_args = 1,
	.most_args = UINT_MAX,
	.summary = "check policy documents and fragments without a store",
	.help = "Prints `FILE: ok` for each good document. Errors go to standard error as FILE:LINE:COLUMN: error: "
		"...\n"
		"Named values and fragments are not known here; references to them are taken on trust.",
	.run = run,
};
