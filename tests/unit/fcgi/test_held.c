/* How long a place is held: the mean that Retry-After tells. */
#include "tests/unit/check.h"

#include "fcgi/held.h"

enum { S = 1000000 };

static void means(void **state UNUSED)
{
	static struct held h;

	CHECK_INT("nothing is known", held_wait_s(&h, STR("a")), 1);
	held_note(&h, STR("a"), 300000);
	CHECK_INT("less than a second", held_wait_s(&h, STR("a")), 1);
	held_note(&h, STR("b"), 2 * S);
	CHECK_INT("exactly two", held_wait_s(&h, STR("b")), 2);
	held_note(&h, STR("b"), 2 * S + 8);
	CHECK_INT("rounded up", held_wait_s(&h, STR("b")), 3);
	CHECK_INT("each key for itself", held_wait_s(&h, STR("a")), 1);
	for (int i = 0; i < 100; i++)
		held_note(&h, STR("b"), 10 * (int64_t)S);
	CHECK_INT("follows what is", held_wait_s(&h, STR("b")), 10);
	held_note(&h, STR("b"), 0);
	CHECK_INT("not at once", held_wait_s(&h, STR("b")), 9);
	held_note(&h, STR("c"), 3600 * (int64_t)S);
	CHECK_INT("at most", held_wait_s(&h, STR("c")), HELD_MOST_S);
	held_note(&h, STR("d"), -5);
	CHECK_INT("a clock that went back", held_wait_s(&h, STR("d")), 1);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(means) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
