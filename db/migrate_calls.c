/* migrate_calls.c - call_pack(row, started_us, NUMBERS..., TEXTS...): single calls as one block (db/call_pack.h), for the migration
 * that packs them. An aggregate sees rows in any order, so it keeps those of a block and sorts them. */
#include "db/migrate_calls.h"

#include "core/str.h"
#include "db/call_pack.h"

#include <stdlib.h>

enum { BLOCK_ARENA = 8 << 20, BLOCK_MAX = 256 };     /* 256 calls of at most 6 KB, and tables of them */

struct row {
	int64_t number;
	struct telemetry_call call;
};

struct packing {
	struct arena *a;
	struct row *rows;
	size_t n;
	bool failed;
};

static int64_t take_number(sqlite3_value **v, int n, int *at)
{
	return *at < n ? sqlite3_value_int64(v[(*at)++]) : 0;
}

static struct str take_text(struct packing *p, sqlite3_value **v, int n, int *at)
{
	struct str s = STR(""), kept;

	if (*at < n) {
		s.p = (const char *)sqlite3_value_text(v[*at]);
		s.n = (size_t)sqlite3_value_bytes(v[(*at)++]);
	}
	kept = s.n ? arena_dup(p->a, s) : STR("");
	p->failed |= !kept.p;
	return kept;
}

static void step(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	struct packing *p = sqlite3_aggregate_context(ctx, sizeof(*p));
	struct row *r;
	int at = 0;

	if (p && !p->a && !p->failed) {
		p->a = arena_new(BLOCK_ARENA);
		p->rows = p->a ? arena_alloc(p->a, BLOCK_MAX, sizeof(*p->rows)) : NULL;
		p->failed = !p->rows;
	}
	if (!p || p->failed)
		return;
	if (p->n == BLOCK_MAX) {
		p->failed = true;
		return;
	}
	r = &p->rows[p->n++];
	r->number = take_number(v, n, &at);
	r->call.started_us = take_number(v, n, &at);
#define X(type, name) r->call.name = (type)take_number(v, n, &at);
	TELEMETRY_NUMBERS(X)
#undef X
#define X(name, max) r->call.name = take_text(p, v, n, &at);
	TELEMETRY_TEXTS(X)
#undef X
}

static int by_number(const void *x, const void *y)
{
	const struct row *a = x, *b = y;

	return (a->number > b->number) - (a->number < b->number);
}

static bool pack(struct packing *p, struct call_packer *packer)
{
	struct call_packed packed;

	if (!call_packer_begin(packer, STR("")))
		return false;
	qsort(p->rows, p->n, sizeof(*p->rows), by_number);
	for (size_t i = 0; i < p->n; i++)
		if (!call_packer_add(packer, &p->rows[i].call, &packed))
			return false;
	return true;
}

static void end(sqlite3_context *ctx)
{
	struct packing *p = sqlite3_aggregate_context(ctx, sizeof(*p));
	struct call_packer *packer = call_packer_new();

	if (!p || !packer || p->failed || !pack(p, packer)) {
		sqlite3_result_error_nomem(ctx);
	} else {
		struct str packed = call_packer_bytes(packer);

		sqlite3_result_blob64(ctx, packed.p, packed.n, SQLITE_TRANSIENT);
	}
	call_packer_free(packer);
	if (p)
		arena_free(p->a);
}

/* call_own_id(request_id, started_us): 1 when the id tells that time, and so needs not be written down to be found. */
static void own_id(sqlite3_context *ctx, int n UNUSED, sqlite3_value **v)
{
	struct str id = { (const char *)sqlite3_value_text(v[0]), 0 };
	int64_t ms = 0;

	id.n = (size_t)sqlite3_value_bytes(v[0]);
	sqlite3_result_int(ctx, call_id_time(id, &ms) && ms == sqlite3_value_int64(v[1]) / 1000);
}

bool migrate_calls_functions(sqlite3 *db)
{
	return sqlite3_create_function_v2(db, "call_own_id", 2, SQLITE_UTF8, NULL, own_id, NULL, NULL, NULL) == SQLITE_OK
	       && sqlite3_create_function_v2(db, "call_pack", -1, SQLITE_UTF8, NULL, NULL, step, end, NULL) == SQLITE_OK;
}
