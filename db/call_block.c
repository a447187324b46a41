#include "db/call_block.h"

#include "core/map.h"
#include "core/str.h"

#include <stdlib.h>

enum { BLOCK_ARENA = 1 << 20 };          /* 256 rows of four texts, 300 bytes together, and four tables of 512 slots: 200 KB */

struct call_blocks {
	struct arena *arena;             /* of the open block */
	struct map seen[CALL_SEEN__COUNT];
	int64_t block, first_us, last_us;
	bool open;
};

static void empty(struct call_blocks *b)
{
	b->open = false;
	arena_reset(b->arena);
	for (size_t i = 0; i < CALL_SEEN__COUNT; i++)
		map_init(&b->seen[i], b->arena, false);
}

gh_rc call_blocks_begin(struct store *s, struct gh_err *err)
{
	if (!s->blocks) {
		struct call_blocks *b = calloc(1, sizeof(*b));

		if (!b || !(b->arena = arena_new(BLOCK_ARENA))) {
			free(b);
			FAIL(err, NOMEM, "no memory for a drain");
		}
		s->blocks = b;
	}
	empty(s->blocks);
	return GH_RC_OK;
}

void call_blocks_free(struct call_blocks *b)
{
	if (!b)
		return;
	arena_free(b->arena);
	free(b);
}

static bool note(struct call_blocks *b, enum call_seen kind, struct str value)
{
	struct map *m = &b->seen[kind];
	struct str kept;

	if (!value.n || map_get(m, value))
		return true;
	kept = arena_dup(b->arena, value);
	return kept.p && map_put(m, kept, b);
}

gh_rc call_blocks_add(struct store *s, int64_t row, const struct telemetry_call *call, struct gh_err *err)
{
	struct call_blocks *b = s->blocks;

	if (b->open && b->block != row / CALL_BLOCK_ROWS)
		TRY(call_blocks_write(s, err));
	if (!b->open) {
		b->open = true;
		b->block = row / CALL_BLOCK_ROWS;
		b->first_us = b->last_us = call->started_us;
	}
	if (call->started_us < b->first_us)
		b->first_us = call->started_us;
	if (call->started_us > b->last_us)
		b->last_us = call->started_us;
	if (!note(b, CALL_SEEN_API, call->api) || !note(b, CALL_SEEN_SUBSCRIPTION, call->subscription)
	    || !note(b, CALL_SEEN_KEY, call->key_prefix) || !note(b, CALL_SEEN_ADDRESS, call->client_ip))
		FAIL(err, NOMEM, "no memory for a block of calls");
	return GH_RC_OK;
}

static gh_rc write_seen(struct store *s, int64_t block, size_t kind, const struct map *values, struct gh_err *err)
{
	const struct map_slot *slot;

	for (size_t i = 0; (slot = map_next(values, &i));) {
		sqlite3_stmt *st = sql_use(s, SQL_CALL_SEEN_ADD);

		bind_int(st, 1, (int64_t)kind);
		bind_str(st, 2, slot->key);
		bind_int(st, 3, block);
		TRY(sql_done(s, st, err));
	}
	return GH_RC_OK;
}

gh_rc call_blocks_write(struct store *s, struct gh_err *err)
{
	struct call_blocks *b = s->blocks;
	sqlite3_stmt *st;

	if (!b->open)
		return GH_RC_OK;
	st = sql_use(s, SQL_CALL_BLOCK_ADD);
	bind_int(st, 1, b->block);
	bind_int(st, 2, b->first_us);
	bind_int(st, 3, b->last_us);
	TRY(sql_done(s, st, err));
	for (size_t kind = CALL_SEEN_API; kind < CALL_SEEN__COUNT; kind++)
		TRY(write_seen(s, b->block, kind, &b->seen[kind], err));
	empty(b);
	return GH_RC_OK;
}

gh_rc call_blocks_prune(struct store *s, struct gh_err *err)
{
	TRY(sql_done(s, sql_use(s, SQL_CALL_SEEN_DROP), err));
	return sql_done(s, sql_use(s, SQL_CALL_BLOCK_DROP), err);
}
