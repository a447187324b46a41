/* What the reference's pages say of each policy, held against the tables that documents are checked by: sections, scopes,
 * attributes, texts and children. tests/golden/policy-reference.txt has a line for each element, written down from the
 * pages; what differs from a page on purpose stands there with the reason. A row of ours that no line has fails too. */
#include "tests/unit/check.h"

#include "core/buf.h"
#include "core/file.h"
#include "policy/element.h"

enum {
	OUR_MOST = 86400,            /* a range as wide as this bounds what a number may be here; no page gives it */
	LINES_MAX = 512,
};

static void add_arg(struct buf *b, const struct arg_schema *s, const char *name)
{
	buf_fmt(b, " %s%s%s", name, s->flags & ARG_REQUIRED ? "!" : "", s->flags & ARG_EXPR ? "@" : "");
	if (s->kind == ARG_ENUM)
		buf_fmt(b, "(%s)", s->choices);
	else if (s->kind == ARG_BOOL)
		buf_cstr(b, "(true|false)");
	else if (s->kind == ARG_INT && s->most && s->most < OUR_MOST)
		buf_fmt(b, "[%lld..%lld]", (long long)s->least, (long long)s->most);
	if (s->def)
		buf_fmt(b, "=%s", strchr(s->def, ' ') ? "'" : "");
	if (s->def)
		buf_fmt(b, "%s%s", s->def, strchr(s->def, ' ') ? "'" : "");
}

static bool is_policy(const struct element_schema *s)
{
	for (size_t i = 0; policy_types[i]; i++)
		if (policy_types[i]->schema == s)
			return true;
	return false;
}

/* "path: attributes and children" and a line for each child below it. */
static void add_element(struct buf *b, const struct element_schema *s, const char *path)
{
	for (size_t i = 0; i < s->n_args; i++)
		add_arg(b, &s->args[i], s->args[i].name);
	if (s->text)
		add_arg(b, s->text, "TEXT");
	if (s->content == CONTENT_POLICIES && !s->n_children)
		buf_cstr(b, " POLICIES");
	for (size_t i = 0; i < s->n_children; i++) {
		const struct child_schema *c = &s->children[i];

		buf_fmt(b, " <%s>%u..", c->element->name, c->min);
		if (c->max)
			buf_fmt(b, "%u", c->max);
	}
	buf_char(b, '\n');
	for (size_t i = 0; i < s->n_children; i++) {
		char below[160];

		if (is_policy(s->children[i].element))
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, s->children[i].element->name);
		buf_fmt(b, "%s:", below);
		add_element(b, s->children[i].element, below);
	}
}

static void add_policy(struct buf *b, const struct policy_type *t)
{
	static const char scopes[] = { [SCOPE_GLOBAL] = 'G', [SCOPE_WORKSPACE] = 'W', [SCOPE_PRODUCT] = 'P', [SCOPE_API] = 'A',
				       [SCOPE_OPERATION] = 'O' };

	buf_fmt(b, "%s ", t->schema->name);
	for (int s = 0; s < SECTION__COUNT; s++)
		if (t->sections & 1u << s)
			buf_char(b, "IBOE"[s]);
	buf_char(b, ' ');
	for (size_t s = 0; s < sizeof(scopes); s++)
		if (!t->scopes || t->scopes & 1u << s)
			buf_char(b, scopes[s]);
	buf_fmt(b, "%s:", t->once ? " once" : "");
	add_element(b, t->schema, t->schema->name);
}

static bool next_line(struct str *rest, struct str *line)
{
	while (str_split(rest, '\n', line))
		if (line->n && *line->p != '#')
			return true;
	return false;
}

static void test_lines(void **state)
{
	struct arena *a = arena_new(1 << 22);
	struct str want, have, line, ours;
	struct gh_err err;
	struct buf b;
	size_t n = 0;

	(void)state;
	assert_int_equal(file_read(a, "tests/golden/policy-reference.txt", 1 << 20, &want, &err).code, GH_OK);
	buf_init(&b, 1 << 20);
	for (size_t i = 0; policy_types[i]; i++)
		add_policy(&b, policy_types[i]);
	assert_true(buf_ok(&b));
	have = buf_view(&b);
	for (; n < LINES_MAX && next_line(&have, &ours); n++) {
		char label[120];

		snprintf(label, sizeof(label), "%.*s", STR_ARG(str_first(ours, 60)));
		CHECK_STR(label, ours, next_line(&want, &line) ? line : STR("a line of its own"));
	}
	CHECK("no line is left over", !next_line(&want, &line));
	CHECK("there were lines", n > 100);
	check_done();
	buf_release(&b);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
