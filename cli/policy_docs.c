/* policy_docs.c - gatehouse policy docs: the reference of the policies, out of the tables that check documents. What it
 * prints about attributes cannot differ from what the compiler accepts. */
#include "cli/command.h"
#include "core/str.h"
#include "policy/catalogue.h"

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

/* ---- the command --------------------------------------------------------------------------------------------------- */

static void put_list(struct cli *c)
{
	buf_cstr(&c->out, c->json ? "[" : "");
	for (size_t i = 0; policy_types[i]; i++)
		if (c->json) {
			buf_cstr(&c->out, i ? ",\n " : "");
			policy_type_json(&c->out, policy_types[i]);
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
			policy_type_json(&c->out, t);
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
