/* base.c - base and include-fragment: where the program goes on elsewhere. */
#include "policy/program.h"

static bool emit_base(struct compiler *c, const struct doc_node *n, void *config)
{
	if (c->source->fragment) {
		compile_error(c, n, NULL, "<base> cannot stand in a fragment");
		return false;
	}
	if (config)
		emit(c, OP_BASE, NULL, NULL);
	return config != NULL;
}

static const struct element_schema base_schema = {
	.name = "base",
	.help = "The place where the policies of the enclosing scope run. Without it they do not run at all.",
};
const struct policy_type base_type = { .schema = &base_schema, .sections = IN_ANY, .emit = emit_base };

/* ---- include-fragment -------------------------------------------------------------------------------------------- */

struct include_config {
	struct arg id;
};

static bool emit_include(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct include_config *i = config;
	const struct policy_document *f = NULL;

	if (!i)
		return false;
	if (c->source->fragment) {
		compile_error(c, n, NULL, "a fragment cannot include another fragment");
		return false;
	}
	if (c->env->fragment && !i->id.unknown)
		f = c->env->fragment(c->env->ctx, i->id.text);
	if (f) {
		if (f->cors && c->section == SECTION_INBOUND)
			compile_preflight(c, f->cors);
		policy_uses_add(&c->uses, &f->uses);
	} else if (!c->env->open_references) {
		compile_error(c, n, "fragment-id", "there is no fragment `%.*s`", STR_ARG(i->id.text));
		return false;
	}
	emit(c, OP_FRAGMENT, n, f);
	return true;
}

static const struct arg_schema include_args[] = {
	{ .name = "fragment-id", .kind = ARG_TEXT, .flags = ARG_REQUIRED, .offset = offsetof(struct include_config, id),
	  .help = "id of the fragment" },
};
static const struct element_schema include_schema = {
	.name = "include-fragment", .help = "Runs the policies of a fragment at this place.",
	.config_size = sizeof(struct include_config), .args = include_args, .n_args = ARRAY_LEN(include_args),
};
const struct policy_type include_fragment_type = { .schema = &include_schema,
						   .sections = IN_ANY,
						   .emit = emit_include };
