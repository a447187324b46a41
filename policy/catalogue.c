/* catalogue.c - the tables of policies as JSON; see the header. */
#include "policy/catalogue.h"

#include "core/str.h"

#include <limits.h>

enum { DEPTH_MAX = 6 };

static void json_member(struct buf *b, const char *name, struct str value)
{
	buf_fmt(b, ", \"%s\": ", name);
	if (str_is_null(value))
		buf_cstr(b, "null");
	else
		buf_json(b, value);
}

/* A JSON array of the names of the bits that are set. */
static void json_names(struct buf *b, const char *name, unsigned bits, unsigned n, struct str (*name_of)(unsigned))
{
	const char *comma = "";

	buf_fmt(b, ", \"%s\": [", name);
	for (unsigned i = 0; i < n; i++)
		if (bits & (1u << i)) {
			buf_cstr(b, comma);
			buf_json(b, name_of(i));
			comma = ", ";
		}
	buf_char(b, ']');
}

static struct str name_of_section(unsigned i)
{
	return section_name((enum section)i);
}

static struct str name_of_scope(unsigned i)
{
	return scope_name((enum scope)i);
}

static void json_arg(struct buf *b, const struct arg_schema *s, const char *name)
{
	static const char *const kinds[] = { [ARG_TEXT] = "text", [ARG_INT] = "int", [ARG_BOOL] = "bool",
					     [ARG_ENUM] = "choice", [ARG_REAL] = "number" };
	struct str all = s->choices ? str_of(s->choices) : STR_NULL, one;
	const char *comma = "";

	buf_cstr(b, "{\"name\": ");
	buf_json(b, str_of(name));
	buf_fmt(b, ", \"kind\": \"%s\", \"required\": %s, \"expression\": %s", kinds[s->kind],
		s->flags & ARG_REQUIRED ? "true" : "false", s->flags & ARG_EXPR ? "true" : "false");
	if (s->least || s->most)
		buf_fmt(b, ", \"least\": %lld", (long long)s->least);
	if (s->most && s->most != INT64_MAX)
		buf_fmt(b, ", \"most\": %lld", (long long)s->most);
	if (s->kind == ARG_ENUM) {
		buf_cstr(b, ", \"choices\": [");
		while (str_split(&all, '|', &one)) {
			buf_cstr(b, comma);
			buf_json(b, one);
			comma = ", ";
		}
		buf_char(b, ']');
	}
	json_member(b, "default", s->def ? str_of(s->def) : STR_NULL);
	json_member(b, "help", str_of(s->help));
	buf_char(b, '}');
}

/* The members of an element that follow its name. A child that is itself a policy has an entry of its own. */
static void json_element(struct buf *b, const struct element_schema *s, unsigned depth)
{
	json_member(b, "help", str_of(s->help));
	buf_cstr(b, ", \"attributes\": [");
	for (size_t i = 0; i < s->n_args; i++) {
		buf_cstr(b, i ? ", " : "");
		json_arg(b, &s->args[i], s->args[i].name);
	}
	buf_cstr(b, "], \"text\": ");
	if (s->text)
		json_arg(b, s->text, "(text)");
	else
		buf_cstr(b, "null");
	buf_cstr(b, ", \"children\": [");
	for (size_t i = 0; depth < DEPTH_MAX && i < s->n_children; i++) {
		const struct child_schema *child = &s->children[i];
		bool policy = policy_type_find(str_of(child->element->name)) != NULL;

		buf_fmt(b, "%s{\"name\": ", i ? ", " : "");
		buf_json(b, str_of(child->element->name));
		buf_fmt(b, ", \"policy\": %s, \"least\": %u, \"most\": ", policy ? "true" : "false", child->min);
		if (child->max)
			buf_u64(b, child->max);
		else
			buf_cstr(b, "null");
		if (!policy)
			json_element(b, child->element, depth + 1);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

void policy_type_json(struct buf *b, const struct policy_type *t)
{
	buf_cstr(b, "{\"name\": ");
	buf_json(b, str_of(t->schema->name));
	json_names(b, "sections", t->sections, SECTION__COUNT, name_of_section);
	json_names(b, "scopes", t->scopes ? t->scopes : ~0u, SCOPE__COUNT, name_of_scope);
	json_member(b, "notLive", t->not_live ? str_of(t->not_live) : STR_NULL);
	buf_fmt(b, ", \"holdsPolicies\": %s", t->schema->content == CONTENT_POLICIES ? "true" : "false");
	json_element(b, t->schema, 0);
	buf_char(b, '}');
}
