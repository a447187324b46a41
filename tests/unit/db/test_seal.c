#include "tests/unit/db/fixture.h"

#include "db/named_values.h"
#include "db/seal.h"
#include "db/sql.h"

/* Every column that is sealed stands in the list, else it would be lost with the old key. */
static void list_is_complete(void **state)
{
	static const char *const listed[] = {
#define SEALED(table, column, kind, id) #table "." #column,
#include "db/sealed.def"
#undef SEALED
	};
	struct fixture *f = *state;
	sqlite3_stmt *st;
	size_t n = 0;

	assert_int_equal(sqlite3_prepare_v2(f->s->db,
		"SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"
		" AND (c.name = 'sealed' OR c.name LIKE '%\\_sealed' ESCAPE '\\')", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *column = (const char *)sqlite3_column_text(st, 0);
		bool found = false;

		for (size_t i = 0; i < ARRAY_LEN(listed); i++)
			found |= strcmp(listed[i], column) == 0;
		CHECK(column, found);
		n++;
	}
	sqlite3_finalize(st);
	CHECK_INT("and no other", n, ARRAY_LEN(listed));
	check_done();
}

static void value_is(struct fixture *f, struct store *s, const char *label, const char *want)
{
	struct store_named_value v = { 0 };
	bool found;

	CHECK_INT(label, store_named_value_find(s, f->a, STR("n"), true, &v, &found, &f->err).code, GH_OK);
	CHECK_STR(label, v.value, str_of(want));
}

static void handles_go_on(void **state)
{
	struct fixture *f = *state;
	struct store_named_value v = { .id = STR("n"), .value = STR("one"), .secret = true };
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	struct store *old, *older, *writer;      /* writer: has read nothing since the change */
	int64_t n = 0;
	bool found;

	CHANGE(f, store_named_value_set(f->s, &v, &f->err));
	CHECK_OK(f, store_open(&old, f->dir, STORE_WRITE, &f->err));
	CHECK_OK(f, store_open(&writer, f->dir, STORE_WRITE, &f->err));
	CHECK_OK(f, store_open(&older, f->dir, STORE_READ, &f->err));
	CHECK_OK(f, store_read_begin(older, &f->err));
	CHECK_OK(f, paths_master_key_next_create(f->dir, NULL, &f->err));
	CHECK_OK(f, paths_master_key_next(f->dir, key, &found, &f->err));
	CHANGE(f, store_rekey(f->s, key, &n, &f->err));
	CHECK_INT("one value", n, 1);
	value_is(f, older, "what was read before the change", "one");
	value_is(f, old, "a handle from before", "one");
	value_is(f, older, "both at once", "one");
	CHECK_OK(f, paths_master_key_next_end(f->dir, true, &f->err));
	value_is(f, older, "the old key is on no disk any more", "one");
	store_read_end(older);
	value_is(f, older, "after the change", "one");
	v.value = STR("two");
	CHECK_OK(f, store_tx_begin(writer, STR("test"), &f->err));
	CHECK_OK(f, store_tx_end(writer, store_named_value_set(writer, &v, &f->err), &f->err));
	store_free(writer);
	CHECK_OK(f, store_open(&writer, f->dir, STORE_READ, &f->err));
	value_is(f, writer, "nobody needs the old key for it", "two");
	store_free(writer);
	value_is(f, f->s, "what an old handle writes is sealed with the new key", "two");
	store_free(old);
	store_free(older);
	check_done();
}

static void an_unopenable_value_stops_it(void **state)
{
	struct fixture *f = *state;
	struct store_named_value v = { .id = STR("n"), .value = STR("one"), .secret = true };
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	int64_t n;
	bool found;

	CHANGE(f, store_named_value_set(f->s, &v, &f->err));
	assert_int_equal(sqlite3_exec(f->s->db, "INSERT INTO named_value (id, sealed, tags, changed_us) SELECT 'stolen', sealed, '', 0"
				      " FROM named_value", NULL, NULL, NULL), SQLITE_OK);
	CHECK_OK(f, paths_master_key_next_create(f->dir, NULL, &f->err));
	CHECK_OK(f, paths_master_key_next(f->dir, key, &found, &f->err));
	CHECK_OK(f, store_tx_begin(f->s, STR("test"), &f->err));
	CHECK_INT("refused", store_tx_end(f->s, store_rekey(f->s, key, &n, &f->err), &f->err).code == GH_OK, 0);
	CHECK("which one", strstr(f->err.message, "named_value 'stolen'"));
	value_is(f, f->s, "nothing has changed", "one");
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(list_is_complete),
		store_test(handles_go_on),
		store_test(an_unopenable_value_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
