/* Every signature of every class is C# that the registry understands, and every row that needs a function has one. */
#include "tests/unit/check.h"

#include "core/arena.h"
#include "policy/expr/link.h"

static void class_all(void **state UNUSED)
{
	const struct value_class *cls;
	size_t n = 0;

	for (; (cls = class_each(n)); n++) {
		const struct class_link *link = class_link(cls);
		const struct map_slot *slot;

		if (link->error.p) {
			check_failures++;
			fprintf(stderr, "# %.*s\n", STR_ARG(link->error));
		}
		for (size_t i = 0; cls->kind != CLASS_INTERFACE && (slot = map_next(&link->by_name, &i));)
			for (const struct member *m = slot->value; m; m = m->next) {
				char label[300];

				snprintf(label, sizeof(label), "%s.%.*s", cls->name, STR_ARG(m->name));
				CHECK(label, m->kind == MEMBER_CONSTANT || m->fn != NULL || m->set != NULL);
				CHECK(label, !m->has_set || m->set != NULL);
			}
		CHECK(cls->name, class_find(str_of(cls->name), link->self->n) != NULL);
		CHECK(cls->name, (cls->equals == NULL) == (cls->hash == NULL));
		CHECK(cls->name, cls->kind != CLASS_STRUCT || cls->value_kind || cls == &class_nullable || cls->zero);
	}
	CHECK("there are classes", n > 100);
	check_done();
}

static bool has(const struct value_class *cls, struct str name)
{
	for (; cls; cls = class_link(cls)->base ? class_link(cls)->base->cls : NULL) {
		const struct class_link *link = class_link(cls);

		if (class_member(cls, name))
			return true;
		for (size_t i = 0; i < link->n_rows; i++)
			if (str_eq(link->rows[i].name, name))
				return true;
		for (size_t i = 0; i < link->n_interfaces; i++)
			if (has(link->interfaces[i]->cls, name))
				return true;
	}
	return false;
}

/* Of Tuple and Nullable there are several, with other type parameters. */
static bool some_has(const char *type, struct str name)
{
	for (size_t i = 0; class_each(i); i++)
		if (strcmp(class_each(i)->name, type) == 0 && has(class_each(i), name))
			return true;
	return false;
}

/* tests/golden/expr-members.txt: "TYPE: MEMBER MEMBER …" */
static void documented(void **state UNUSED)
{
	FILE *file = fopen("tests/golden/expr-members.txt", "r");
	char line[4096], label[200], *rest;
	size_t n = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (line[0] == '#' || !colon)
			continue;
		*colon = '\0';
		for (char *word = strtok_r(colon + 1, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest), n++) {
			snprintf(label, sizeof(label), "%s.%s", line, word);
			CHECK(label, some_has(line, str_of(word)));
		}
	}
	fclose(file);
	CHECK("there are members", n > 1000);
	check_done();
}

static void types(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	static const struct {
		const char *label, *from, *to;
		bool derives;
	} rows[] = {
		{ "identity", "List<int>", "List<int>", true },
		{ "other argument", "List<int>", "List<string>", false },
		{ "interface", "List<int>", "IEnumerable<int>", true },
		{ "covariance of references", "List<string>", "IEnumerable<object>", true },
		{ "no covariance of numbers", "List<int>", "IEnumerable<object>", false },
		{ "array as a list", "string[]", "IList<string>", true },
		{ "array covariance", "string[]", "object[]", true },
		{ "dictionary", "Dictionary<string, int>", "IEnumerable<KeyValuePair<string, int>>", true },
		{ "string is chars", "string", "IEnumerable<char>", true },
		{ "boxing", "int", "object", true },
		{ "no narrowing", "object", "string", false },
		{ "nullable to its value", "int?", "int", false },
		{ "delegate result", "Func<string>", "Func<object>", true },
		{ "delegate parameter", "Action<object>", "Action<string>", true },
		{ "exceptions", "FormatException", "Exception", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct type *from = type_named(rows[i].from), *to = type_named(rows[i].to);

		CHECK(rows[i].label, from && to && type_derives(a, from, to) == rows[i].derives);
		CHECK_STR(rows[i].label, type_text(a, from, false), str_of(rows[i].from));
	}
	CHECK("unknown type", type_named("Foo") == NULL);
	CHECK_STR(".NET text", type_text(a, type_named("Dictionary<string, int[]>"), true),
		  STR("System.Collections.Generic.Dictionary`2[System.String,System.Int32[]]"));
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(class_all), cmocka_unit_test(types), cmocka_unit_test(documented) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
