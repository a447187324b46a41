/* What is not there is told from zero in every form; texts from outside break none of them. */
#include "tests/unit/check.h"

#include "core/str.h"
#include "core/table.h"

static void fill(struct table *t, struct arena *a)
{
	struct table_value *row;

	table_init(t, a);
	table_column(t, "who", "Who", TABLE_TEXT);
	table_column(t, "calls", "Calls", TABLE_COUNT);
	table_column(t, "averageMs", "Average, ms", TABLE_MS);
	table_column(t, "day", "Day", TABLE_DAY);
	table_column(t, "never", "Never", TABLE_COUNT);
	row = table_row(t);
	row[0] = table_text(STR("a,\"b\"\n"));
	row[1] = table_count(0);
	row[3] = table_count(INT64_C(1700006400000000));
	row = table_row(t);
	row[0] = table_text(STR("=1+1"));
	row[2] = table_real(1.23456);
}

static void forms(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct table t;
	struct buf b;
	json_t *v;

	(void)state;
	fill(&t, a);
	buf_init(&b, 10000);
	table_csv(&b, &t);
	CHECK_STR("CSV", buf_view(&b), STR("who,calls,averageMs,day,never\r\n\"a,\"\"b\"\"\n\",0,,2023-11-15,\r\n\"'=1+1\",,1.235,,\r\n"));
	buf_clear(&b);
	v = table_json(&t);
	jsn_write(&b, v, 0);
	CHECK_STR("JSON", buf_view(&b), STR("[{\"who\":\"a,\\\"b\\\"\\n\",\"calls\":0,\"averageMs\":null,\"day\":\"2023-11-15\",\"never\":null},"
					    "{\"who\":\"=1+1\",\"calls\":null,\"averageMs\":1.235,\"day\":null,\"never\":null}]"));
	json_decref(v);
	buf_clear(&b);
	table_print(&b, &t);
	CHECK_STR("text", buf_view(&b), STR("Who     Calls  Average, ms  Day\n"
					    "a,\"b\"?      0            -  2023-11-15\n"
					    "=1+1        -         1.23  -\n"));
	CHECK_INT("column", table_find(&t, "day"), 3);
	CHECK("no column", table_find(&t, "dday") == SIZE_MAX);
	buf_release(&b);
	arena_free(a);
	check_done();
}

static void grows(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct table t;
	size_t n = 0;

	(void)state;
	table_init(&t, a);
	table_column(&t, "n", "N", TABLE_COUNT);
	for (struct table_value *row; n < 100000 && (row = table_row(&t)); n++)
		row[0] = table_count((int64_t)n);
	CHECK("ends with the arena", t.failed && n > 1000);
	CHECK_INT("first", table_at(&t, 0, 0)->n, 0);
	CHECK_INT("last", table_at(&t, n - 1, 0)->n, (int64_t)n - 1);
	CHECK("no more", !table_row(&t));
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(forms), cmocka_unit_test(grows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
