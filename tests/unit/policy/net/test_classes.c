/* Every table of members can be read: a signature that does not parse is found here and not by a user. */
#include "tests/unit/check.h"

#include "policy/expr/link.h"

static void all_signatures(void **state UNUSED)
{
	const struct value_class *cls;
	size_t n = 0;

	for (size_t i = 0; (cls = class_each(i)); i++, n++) {
		const struct class_link *link = class_link(cls);

		CHECK_STR(cls->name, link->error.p ? link->error : STR(""), STR(""));
	}
	CHECK("there are many", n > 100);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_signatures) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
