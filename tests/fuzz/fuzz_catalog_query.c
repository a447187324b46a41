/* What people type into the search. Properties: the expression is words in quotes with a star behind each, blanks between them
 * and nothing else; no more than the limits allow; it is UTF-8 when it is anything; FTS5 takes it without an error. */
#include "core/str.h"
#include "db/catalog.h"
#include "db/sql.h"

#include <stdlib.h>

#define MUST(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3_stmt *ask(void)
{
	static sqlite3_stmt *st;
	static sqlite3 *db;

	if (!st) {
		MUST(sqlite3_open(":memory:", &db) == SQLITE_OK);
		MUST(sqlite3_exec(db, "CREATE VIRTUAL TABLE t USING fts5 (a, tokenize = \"unicode61 remove_diacritics 2\", prefix = '2 3');"
				      "INSERT INTO t VALUES ('AND OR NOT NEAR orders – a')", NULL, NULL, NULL) == SQLITE_OK);
		MUST(sqlite3_prepare_v2(db, "SELECT highlight(t, 0, char(1), char(2)) FROM t WHERE t MATCH ?1 ORDER BY rank", -1, &st, NULL)
		     == SQLITE_OK);
	}
	return st;
}

static void check_shape(struct str q)
{
	size_t words = 0;

	MUST(utf8_valid(q));
	while (q.n) {
		size_t end;

		MUST(q.p[0] == '"');
		q = str_from(q, 1);
		end = str_find_char(q, '"');
		MUST(end != SIZE_MAX && end > 0);
		for (size_t i = 0; i < end; i++)
			MUST((q.p[i] & 0x80) || ascii_is_alpha(q.p[i]) || ascii_is_digit(q.p[i]));
		q = str_from(q, end + 1);
		MUST(str_starts(q, STR(" *")));
		q = str_from(q, 2);
		MUST(!q.n || (q.p[0] == ' ' && q.n > 1));
		q = str_from(q, 1);
		words++;
	}
	MUST(words > 0 && words <= STORE_SEARCH_WORDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1 << 20);
	struct str q = store_catalog_query(a, (struct str){ (const char *)data, size });
	sqlite3_stmt *st = ask();
	int code;

	if (q.p) {
		check_shape(q);
		MUST(sqlite3_bind_text(st, 1, q.p, (int)q.n, SQLITE_STATIC) == SQLITE_OK);
		code = sqlite3_step(st);
		MUST(code == SQLITE_ROW || code == SQLITE_DONE);
		sqlite3_reset(st);
	}
	arena_free(a);
	return 0;
}
