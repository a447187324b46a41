/* policy_docs.c - gatehouse policy docs: the reference of the policies, out of the tables that check documents. What it
 * prints about attributes cannot differ from what the compiler accepts. */
#include "cli/command.h"
#include "core/str.h"
#include "policy/element.h"

#include <limits.h>

enum { DEPTH_MAX = 6 };

static void put_kind(struct buf *b, const struct arg_schema *s)
{
	static const char *const kinds[] = {
		[ARG_TEXT] = "text", [ARG_INT] = "whole number", [ARG_BOOL] = "`true`, `false`", [ARG_REAL] = "number"
	};
	struct str all, one;
	const char *comma = "";

	if (s->kind != ARG_ENUM) {
		buf_cstr(b, kinds[s->kind]);
		if (s->kind == ARG_INT && s->most && s->most != INT64_MAX)
			buf_fmt(b, ", %lld to %lld", (long long)s->least, (long long)s->most);
		else if (s->kind == ARG_INT && s->least)
			buf_fmt(b, ", from %lld", (long long)s->least);
		return;
	}
	all = str_of(s->choices);
	while (str_split(&all, '|', &one)) {
		buf_fmt(b, "%s`%.*s`", comma, STR_ARG(one));
		comma = ", ";
	}
}

static void put_arg(struct buf *b, const struct arg_schema *s, const char *name)
{
	buf_fmt(b, "| `%s` | ", name);
	put_kind(b, s);
	buf_fmt(b, " | %s | ", s->flags & ARG_REQUIRED ? "yes" : "no");
	if (s->def)
		buf_fmt(b, "`%s`", s->def);
	buf_fmt(b, " | %s | %s |\n", s->flags & ARG_EXPR ? "yes" : "no", s->help);
}

static void put_element(struct buf *b, const struct element_schema *s, unsigned depth)
{
	if (depth)
		buf_fmt(b, "\n### %s\n\n%s\n", s->name, s->help);
	if (s->n_args || s->text) {
		buf_cstr(b,
			 "\n| attribute | value | required | default | expression | meaning "
			 "|\n|---|---|---|---|---|---|\n");
		for (size_t i = 0; i < s->n_args; i++)
			put_arg(b, &s->args[i], s->args[i].name);
		if (s->text)
			put_arg(b, s->text, "(text)");
	}
	if (s->n_children) {
		buf_cstr(b, "\nInside:");
		for (size_t i = 0; i < s->n_children; i++)
			buf_fmt(b, "%s `%s`%s", i ? "," : "", s->children[i].element->name,
				s->children[i].min ? " (required)" : s->children[i].max == 1 ? "" : " (any number)");
		buf_cstr(b, ".\n");
	}
	for (size_t i = 0; depth < DEPTH_MAX && i < s->n_children; i++)
		if (!policy_type_find(str_of(s->children[i].element->name)))
			put_element(b, s->children[i].element, depth + 1);
}

static void put_places(struct buf *b, const struct policy_type *t)
{
	const char *comma = "";

	buf_cstr(b, "\nSections: ");
	for (enum section s = 0; s < SECTION__COUNT; s++)
		if (t->sections & (1u << s)) {
			buf_fmt(b, "%s%.*s", comma, STR_ARG(section_name(s)));
			comma = ", ";
		}
	buf_cstr(b, ".");
	comma = " Scopes: ";
	for (enum scope s = 0; t->scopes && s < SCOPE__COUNT; s++)
		if (t->scopes & (1u << s)) {
			buf_fmt(b, "%s%.*s", comma, STR_ARG(scope_name(s)));
			comma = ", ";
		}
	buf_cstr(b, t->scopes ? ".\n" : " All scopes.\n");
	if (t->not_live)
		buf_fmt(b, "\nIt cannot be set on a live scope: %s.\n", t->not_live);
	if (t->schema->content == CONTENT_POLICIES && !t->schema->n_children)
		buf_cstr(b, "\nHolds policies.\n");
	if (t->schema->content == CONTENT_MARKUP)
		buf_cstr(b, "\nMarkup may stand inside.\n");
}

static void put_policy(struct buf *b, const struct policy_type *t)
{
	buf_fmt(b, "# %s\n\n%s\n", t->schema->name, t->schema->help);
	put_places(b, t);
	put_element(b, t->schema, 0);
}

/* ---- as data ------------------------------------------------------------------------------------------------------- */

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

static void json_policy(struct buf *b, const struct policy_type *t)
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

/* ---- the command --------------------------------------------------------------------------------------------------- */

static void put_list(struct cli *c)
{
	buf_cstr(&c->out, c->json ? "[" : "");
	for (size_t i = 0; policy_types[i]; i++)
		if (c->json) {
			buf_cstr(&c->out, i ? ",\n " : "");
			json_policy(&c->out, policy_types[i]);
		} else {
			buf_fmt(&c->out, "%-36s %s\n", policy_types[i]->schema->name, policy_types[i]->schema->help);
		}
	buf_cstr(&c->out, c->json ? "]\n" : "");
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	if (!c->options.n_args) {
		put_list(c);
		return GH_RC_OK;
	}
	for (size_t i = 0; i < c->options.n_args; i++)       /* nothing is printed when one of them is wrong */
		if (!policy_type_find(str_of(c->options.args[i])))
			FAIL(err, NOT_FOUND, "there is no policy `%s`", c->options.args[i]);
	buf_cstr(&c->out, c->json ? "[" : "");
	for (size_t i = 0; i < c->options.n_args; i++) {
		const struct policy_type *t = policy_type_find(str_of(c->options.args[i]));

		if (i)
			buf_cstr(&c->out, c->json ? ",\n " : "\n");
		if (c->json)
			json_policy(&c->out, t);
		else
			put_policy(&c->out, t);
	}
	buf_cstr(&c->out, c->json ? "]\n" : "");
	return GH_RC_OK;
}

const struct command command_policy_docs = {
	.name = "policy docs", .args = "[POLICY...]", .least_args = 0, .most_args = UINT_MAX,
	.summary = "print the reference of policies, or list them",
	.help = "Prints Markdown: where the policy may stand, its attributes and its children. Without POLICY it lists all of\n"
		"them. With --format json it prints the tables that documents are checked by.",
	.run = run,
};
