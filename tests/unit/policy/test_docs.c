/* Each policy has a page under docs/policies that begins with the reference as it is printed from the tables, and whose
 * example loads. */
#include "tests/unit/check.h"

#include "cli/command.h"
#include "core/file.h"
#include "policy/element.h"

extern const struct command command_policy_docs;

static struct str reference(struct arena *a, const char *name)
{
	struct cli c = { .arena = a };
	const char *args[] = { name };
	struct gh_err err;
	struct str out;

	c.options.args = args;
	c.options.n_args = 1;
	buf_init(&c.out, 1 << 20);
	assert_int_equal(command_policy_docs.run(&c, &err).code, GH_OK);
	out = arena_dup(a, buf_view(&c.out));
	buf_release(&c.out);
	return out;
}

static void check_example(struct arena *a, const char *name, struct str page)
{
	size_t from = str_find(page, STR("```xml\n")), to;
	const struct policy_env env = { .open_references = true };
	struct policy_diags d;
	struct str text;

	CHECK(name, from != SIZE_MAX);
	if (from == SIZE_MAX)
		return;
	text = str_from(page, from + strlen("```xml\n"));
	to = str_find(text, STR("```"));
	policy_diags_init(&d, a);
	CHECK(name, policy_compile(a, str_first(text, to), &(struct policy_source){ .scope = SCOPE_PRODUCT }, &env, &d) != NULL);
	CHECK_INT(name, d.errors, 0);
}

static void test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; policy_types[i]; i++) {
		struct arena *a = arena_new(1 << 24);
		const char *name = policy_types[i]->schema->name;
		struct gh_err err;
		struct str page;

		if (file_read(a, arena_printf(a, "docs/policies/%s.md", name).p, 1 << 20, &page, &err).code) {
			CHECK(name, !"there is no page");
		} else {
			CHECK(name, str_starts(page, reference(a, name)));
			check_example(a, name, page);
		}
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
