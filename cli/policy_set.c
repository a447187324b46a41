/* policy_set.c - gatehouse policy set; fragment set and delete. What is saved has been compiled with the store's named
 * values and fragments first; a document with an error does not get in. */
#include "cli/output.h"
#include "cli/policy_store.h"
#include "core/file.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/policies.h"

static const enum scope scopes[] = {
	[STORE_POLICY_GLOBAL] = SCOPE_GLOBAL,       [STORE_POLICY_WORKSPACE] = SCOPE_WORKSPACE,
	[STORE_POLICY_PRODUCT] = SCOPE_PRODUCT,     [STORE_POLICY_API] = SCOPE_API,
	[STORE_POLICY_OPERATION] = SCOPE_OPERATION,
};

/* The operation's template, so that rewrite-uri's placeholders can be checked; STR_NULL when it is not there. */
static GH_RC url_template(struct cli *c, struct store *s, const struct store_policy_scope *scope, struct str *out,
			  struct gh_err *err)
{
	struct store_operation *v;
	size_t n;

	*out = STR_NULL;
	if (scope->kind != STORE_POLICY_OPERATION)
		return GH_RC_OK;
	TRY(store_operations_of(s, c->arena, scope->api_id, scope->revision, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i].id, scope->operation_id))
			*out = v[i].uri_template;
	return GH_RC_OK;
}

static GH_RC compile(struct cli *c, struct store *s, struct str text, const struct policy_source *src, bool *ok,
		     struct gh_err *err)
{
	struct policy_store *p;
	struct policy_env env;
	struct policy_diags diags;

	TRY(policy_store_new(c, s, &p, err));
	env = policy_store_env(p);
	policy_diags_init(&diags, c->arena);
	*ok = policy_compile(c->arena, text, src, &env, &diags) != NULL;
	policy_print_diags(src->name.p, &diags);
	if (!*ok)
		c->exit_code = 1;
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	const char *file = c->options.args[0];
	struct store_policy_scope scope;
	struct policy_source src = { .name = str_of(file) };
	struct store *s;
	struct str text;
	bool ok;

	TRY(store_policy_scope_parse(str_of(option_text(&c->options, "scope")), &scope, err));
	TRY(file_read(c->arena, file, DOCUMENT_BYTES_MAX, &text, err));
	TRY(cli_store(c, true, &s, err));
	src.scope = scopes[scope.kind];
	TRY(url_template(c, s, &scope, &src.url_template, err));
	TRY(compile(c, s, text, &src, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_policy_set(s, &scope, text, err), err);
}

static const struct option set_options[] = {
	{ "scope", OPTION_TEXT, "SCOPE", "global, workspace:ID, product:ID, api:ID or operation:API/OP", true },
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
	struct store *s;
	bool ok;

	TRY(file_read(c->arena, file, 2 * DOCUMENT_BYTES_MAX, &f.bytes, err));
	TRY(cli_store(c, true, &s, err));
	TRY(compile(c, s, f.bytes, &src, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_fragment_set(s, &f, err), err);
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
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_fragment_delete(s, str_of(c->options.args[0]), err), err);
}

const struct command command_fragment_delete = {
	.name = "fragment delete", .args = "ID", .least_args = 1, .most_args = 1, .summary = "delete a policy fragment",
	.run = fragment_delete,
};
