/* policy_set.c - gatehouse policy set; fragment set and delete. What is saved has been compiled with the store's named
 * values and fragments first; a document with an error does not get in. */
#include "cli/output.h"
#include "cli/policy_diags.h"
#include "cli/resource.h"
#include "core/file.h"
#include "core/str.h"
#include "db/policies.h"

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const char *file = c->options.args[0];
	struct store_policy_scope scope;
	const struct policy_document *document;
	struct policy_store *p;
	struct policy_diags diags;
	struct store *s;
	struct str text;

	TRY(store_policy_scope_parse(str_of(option_text(&c->options, "scope")), &scope, err));
	TRY(file_read(c->arena, file, DOCUMENT_BYTES_MAX, &text, err));
	TRY(cli_store(c, true, &s, err));
	TRY(cli_policy_store(c, s, &p, err));
	TRY(policy_store_compile(p, s, &scope, str_of(file), text, &document, &diags, err));
	policy_print_diags(file, &diags);
	if (!document) {
		c->exit_code = 1;
		return GH_RC_OK;
	}
	return cli_replace(c, "policy", str_of(option_text(&c->options, "scope")), jsn_keep(c->arena, json_pack("{s:s%}", "policy", text.p, text.n)), err);
}

static const struct option set_options[] = {
	{ "scope", OPTION_TEXT, "SCOPE", "global, environment:ID, workspace:ID, product:ID, api:ID or operation:API/OP", true },
	OPTION_END,
};
const struct command command_policy_set = {
	.name = "policy set", .args = "FILE", .least_args = 1, .most_args = 1, .options = set_options,
	.summary = "check a policy document and put it on a scope", .run = set,
};

/* ---- fragments --------------------------------------------------------------------------------------------------- */

static gh_rc fragment_set(struct cli *c, struct gh_err *err)
{
	const char *file = c->options.args[1];
	struct store_fragment f = { .id = str_of(c->options.args[0]),
				    .description = str_of(option_text_or(&c->options, "description", "")) };
	const struct policy_source src = { .name = str_of(file), .fragment = true };
	struct policy_store *p;
	struct policy_diags diags;
	struct policy_env env;
	struct store *s;

	TRY(file_read(c->arena, file, 2 * DOCUMENT_BYTES_MAX, &f.bytes, err));
	TRY(cli_store(c, true, &s, err));
	TRY(cli_policy_store(c, s, &p, err));
	env = policy_store_env(p);
	policy_diags_init(&diags, c->arena);
	if (!policy_compile(c->arena, f.bytes, &src, &env, &diags))
		c->exit_code = 1;
	policy_print_diags(file, &diags);
	if (c->exit_code)
		return GH_RC_OK;
	return cli_replace(c, "policy-fragment", f.id, jsn_keep(c->arena, json_pack("{s:s%, s:s%}", "description", f.description.p, f.description.n, "policy",
			   f.bytes.p, f.bytes.n)), err);
}

static const struct option fragment_options[] = {
	{ "description", OPTION_TEXT, "TEXT", "what the fragment is for", false },
	OPTION_END,
};
const struct command command_fragment_set = {
	.name = "fragment set", .args = "ID FILE", .least_args = 2, .most_args = 2, .options = fragment_options,
	.summary = "check a policy fragment and save it", .run = fragment_set,
};

static gh_rc fragment_delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "policy-fragment", str_of(c->options.args[0]), err);
}

const struct command command_fragment_delete = {
	.name = "fragment delete", .args = "ID", .least_args = 1, .most_args = 1, .summary = "delete a policy fragment",
	.run = fragment_delete,
};
