/* cross_domain.c - cross-domain: serves the policy file that old browser plug-ins ask for at /crossdomain.xml. */
#include "policy/program.h"

#include "core/str.h"
#include "policy/compiler.h"

struct config {
	struct str file;
};

static enum step serve(struct exchange *x, struct str file)
{
	struct response *r = &x->response;

	*r = (struct response){ .status = 200, .reason = STR_INIT("OK") };
	r->body = (struct body){ .kind = BODY_HELD, .bytes = file, .changed = true };
	fields_init(&r->headers, x->arena);
	return fields_add(&r->headers, STR("Content-Type"), STR("text/x-cross-domain-policy")) ? STEP_RESPOND
											       : exchange_no_memory(x);
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;

	if (!str_eq(x->request.method, STR("GET")) || !str_ends(x->request.original_url.path, STR("/crossdomain.xml")))
		return STEP_NEXT;
	return serve(x, c->file);
}

enum step policy_cross_domain(struct exchange *x, const struct policy_document *global)
{
	return global && global->cross_domain.n && str_eq(x->request.method, STR("GET")) ? serve(x, global->cross_domain)
												   : STEP_NEXT;
}

static bool check(struct compiler *c, const struct doc_node *n, void *config)
{
	struct config *s = config;

	if (!n->first || !str_eq(n->first->name, STR("cross-domain-policy")) || n->first->next) {
		compile_error(c, n, NULL, "<cross-domain> holds one <cross-domain-policy>");
		return false;
	}
	if (!compile_text(c, n->first->outer, false, &s->file))
		return false;
	if (c->section == SECTION_INBOUND)
		compile_cross_domain(c, s->file);
	return true;
}

static const struct element_schema schema = {
	.name = "cross-domain",
	.help = "Serves a cross-domain policy file at /crossdomain.xml.",
	.config_size = sizeof(struct config),
	.content = CONTENT_MARKUP,
	.check = check,
};
const struct policy_type cross_domain_type = {
	.schema = &schema, .sections = IN_INBOUND, .scopes = 1 << SCOPE_GLOBAL, .run = run
};
