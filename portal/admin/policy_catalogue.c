/* policy_catalogue.c - what the editor completes, as JSON: the tables of policies, and the members of the types that
 * expressions know, as their C# signatures. */
#include "portal/admin/policies.h"

#include "core/str.h"
#include "policy/catalogue.h"
#include "policy/expr/class.h"
#include "policy/expr/library.h"

static void put_members(struct buf *b, const struct class_member *v, const char **comma)
{
	for (; v && v->signature; v++) {
		buf_cstr(b, *comma);
		buf_json(b, str_of(v->signature));
		*comma = ",";
	}
}

/* Parts come from other files than the class: all of them are looked through. */
static void put_class(struct buf *b, const struct value_class *c, const struct class_module *const *const modules[2])
{
	const char *comma = "";

	buf_json(b, str_of(c->name));
	buf_fmt(b, ":{\"static\":%s,\"members\":[", c->kind == CLASS_STATIC || c->kind == CLASS_ENUM ? "true" : "false");
	put_members(b, c->members, &comma);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; modules[k][i]; i++)
			for (const struct class_part *p = modules[k][i]->parts; p && p->cls; p++)
				if (p->cls == c)
					put_members(b, p->members, &comma);
	buf_cstr(b, "]}");
}

void policy_catalogue(struct buf *b)
{
	const struct class_module *const *const modules[2] = { expr_modules, net_modules };
	const char *comma = "";

	buf_cstr(b, "{\"policies\":[");
	for (size_t i = 0; policy_types[i]; i++) {
		buf_cstr(b, i ? "," : "");
		policy_type_json(b, policy_types[i]);
	}
	buf_cstr(b, "],\"types\":{");
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; modules[k][i]; i++)
			for (struct value_class *const *c = modules[k][i]->classes; c && *c; c++) {
				buf_cstr(b, comma);
				put_class(b, *c, modules);
				comma = ",";
			}
	buf_cstr(b, "}}");
}

gh_rc admin_policy_catalogue(struct web *w, struct gh_err *err)
{
	struct buf *b = &w->rs.body;

	policy_catalogue(b);
	if (b->failed)
		FAIL(err, NOMEM, "catalogue");
	web_header(w, "Content-Type", STR("application/json"));
	web_header(w, "Cache-Control", STR("private, max-age=300"));
	web_compress(w);
	return GH_RC_OK;
}
