#include "db/sql.h"

#include <string.h>

/* search_rank.c - which of the found things comes first: search_rank(table), for FTS5 (https://sqlite.org/fts5.html, section 7).
 *
 * It is bm25 without what bm25 takes from the whole index: how many rows have the word, and how long rows are on average. Both would
 * change with rows that the one who asks may not see, so that the order of what he sees would tell of them; and to know the first,
 * FTS5 looks at all rows that match before the first result. A query asks for all of its words, so how rare one is decides little.
 *
 * The lower, the better, as rank of FTS5. A name counts more than a path, a path more than tags, all more than a description. */

enum { COLUMNS = 4, WORDS_MAX = 64 };
static const double weights[COLUMNS] = { 10, 5, 4, 1 };  /* name, place, tags, description */
#define SATURATION 1.2          /* k1 and b of bm25, at the values that FTS5 takes */
#define LENGTH_SHARE 0.75
#define USUAL_LENGTH 60.0        /* words of a name with its description: what a row is long or short against */

static double score(const double hits[WORDS_MAX], int words, int length)
{
	double sum = 0, against = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length / USUAL_LENGTH);

	for (int i = 0; i < words; i++)
		sum += hits[i] * (SATURATION + 1) / (hits[i] + against);
	return -sum;
}

static void rank(const Fts5ExtensionApi *api, Fts5Context *row, sqlite3_context *to, int n_values UNUSED, sqlite3_value **values UNUSED)
{
	int words = api->xPhraseCount(row), n = 0, length = 0, rc;
	double hits[WORDS_MAX] = { 0 };

	rc = api->xInstCount(row, &n);
	if (rc == SQLITE_OK)
		rc = api->xColumnSize(row, -1, &length);
	for (int i = 0; rc == SQLITE_OK && i < n; i++) {
		int word, column, at;

		rc = api->xInst(row, i, &word, &column, &at);
		if (rc == SQLITE_OK && word < WORDS_MAX && column < COLUMNS)
			hits[word] += weights[column];
	}
	if (rc == SQLITE_OK)
		sqlite3_result_double(to, score(hits, words < WORDS_MAX ? words : WORDS_MAX, length));
	else
		sqlite3_result_error_code(to, rc);
}

gh_rc search_rank_add(sqlite3 *db, struct gh_err *err)
{
	sqlite3_stmt *st = NULL;
	fts5_api *api = NULL;
	int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_pointer(st, 1, &api, "fts5_api_ptr", NULL);
		sqlite3_step(st);
	}
	sqlite3_finalize(st);
	if (!api || api->xCreateFunction(api, "search_rank", NULL, rank, NULL) != SQLITE_OK)
		FAIL(err, INTERNAL, "SQLite has no FTS5: %s", sqlite3_errmsg(db));
	return GH_RC_OK;
}
