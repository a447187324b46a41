/* seal.c - sealed values, and sealing all of them with another master key while everything runs.
 *
 *   1. the new key stands in DIR/master.key.new (or GATEHOUSE_MASTER_KEY_NEW), on disk for good
 *   2. one transaction seals every column of db/sealed.def anew and notes the id of the new key
 *   3. the new key takes the place of DIR/master.key
 *
 * Whoever is killed in between leaves a usable store: the id in the store says which of the two keys it is, and both are
 * there until the end. A handle holds both: one that was opened before reads what was sealed before, and when a value does
 * not open it looks for the keys again. Whoever seals asks for the id first, inside the transaction: it holds the writer's
 * lock, so no value is ever sealed with a key that is about to go.
 *
 * Why one transaction: a store half in one key and half in the other would be harder to reason about than a writer that
 * waits; readers do not wait at all. */
#include "core/paths.h"
#include "core/str.h"
#include "db/seal.h"
#include "db/sql.h"

#include <stdio.h>

enum { SCRATCH_BYTES = 16 << 20 };

/* ---- which key -------------------------------------------------------------------------------------------------------- */

GH_RC store_master_key_id(struct store *s, char out[PATHS_KEY_ID_MAX], struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_MASTER_KEY_GET);
	bool row;

	TRY(sql_step(s, st, &row, err));
	snprintf(out, PATHS_KEY_ID_MAX, "%s", row ? (const char *)sqlite3_column_text(st, 0) : "");
	sqlite3_reset(st);
	return GH_RC_OK;
}

static void use_keys(struct store *s, const uint8_t *key, bool has_key, const uint8_t *other, bool has_other)
{
	s->has_key = has_key;
	s->has_other = has_other;
	memcpy(s->key, key, sizeof(s->key));
	memcpy(s->other, other, sizeof(s->other));
	s->key_id[0] = '\0';
	if (has_key)
		paths_master_key_id(s->key, s->key_id);
}

GH_RC seal_load_keys(struct store *s, struct gh_err *err)
{
	uint8_t present[PATHS_MASTER_KEY_BYTES] = { 0 }, next[PATHS_MASTER_KEY_BYTES] = { 0 }, before[CRYPTO_KEY_BYTES];
	char id[PATHS_KEY_ID_MAX], next_id[PATHS_KEY_ID_MAX];
	bool has_present, has_next, had = s->has_key;
	gh_rc rc = paths_master_key(s->dir, present, &has_present, err);

	memcpy(before, s->key, sizeof(before));
	if (!rc.code)
		rc = paths_master_key_next(s->dir, next, &has_next, err);
	if (!rc.code)
		rc = store_master_key_id(s, id, err);
	if (!rc.code) {
		paths_master_key_id(next, next_id);
		if (has_next && strcmp(id, next_id) == 0)
			use_keys(s, next, true, present, has_present);
		else
			use_keys(s, present, has_present, next, has_next);
		/* what this handle reads may have been written before the change */
		if (had && !s->has_other && memcmp(before, s->key, sizeof(before)) != 0) {
			memcpy(s->other, before, sizeof(before));
			s->has_other = true;
		}
	}
	crypto_wipe(present, sizeof(present));
	crypto_wipe(next, sizeof(next));
	crypto_wipe(before, sizeof(before));
	return rc;
}

/* The key that is sealed with must be the store's: asked once in each transaction. */
static gh_rc check_key(struct store *s, struct gh_err *err)
{
	char id[PATHS_KEY_ID_MAX];

	if (s->key_checked)
		return GH_RC_OK;
	TRY(store_master_key_id(s, id, err));
	if (*id && strcmp(id, s->key_id) != 0)
		TRY(seal_load_keys(s, err));
	if (*id && strcmp(id, s->key_id) != 0)
		FAIL(err, UNAVAILABLE, "the store is sealed with another master key than the one that is here");
	s->key_checked = s->in_tx;
	return GH_RC_OK;
}

/* ---- values ----------------------------------------------------------------------------------------------------------- */

static gh_rc place_of(struct store *s, struct arena *a, const char *kind, struct str id, struct str *out, struct gh_err *err)
{
	if (!s->has_key)
		FAIL(err, UNAVAILABLE, "there is no master key: neither GATEHOUSE_MASTER_KEY nor %s/master.key", s->dir);
	*out = arena_printf(a, "%s:%.*s", kind, STR_ARG(id));
	if (!out->p)
		FAIL(err, NOMEM, "%s '%.*s'", kind, STR_ARG(id));
	return GH_RC_OK;
}

GH_RC store_seal(struct store *s, struct arena *a, const char *kind, struct str id, struct str plain, struct str *out,
		 struct gh_err *err)
{
	struct str place;

	*out = STR_NULL;
	if (!plain.p)
		return GH_RC_OK;
	TRY(place_of(s, a, kind, id, &place, err));
	TRY(check_key(s, err));
	return crypto_seal(a, s->key, plain, place, out, err);
}

static gh_rc open_with_both(struct store *s, struct arena *a, struct str sealed, struct str place, struct str *out,
			    struct gh_err *err)
{
	gh_rc rc = crypto_open(a, s->key, sealed, place, out, err);

	return rc.code && s->has_other ? crypto_open(a, s->other, sealed, place, out, err) : rc;
}

GH_RC store_unseal(struct store *s, struct arena *a, const char *kind, struct str id, struct str sealed, struct str *out,
		   struct gh_err *err)
{
	struct str place;
	gh_rc rc;

	*out = STR_NULL;
	if (!sealed.n)                   /* none, or one that was forgotten */
		return GH_RC_OK;
	TRY(place_of(s, a, kind, id, &place, err));
	rc = open_with_both(s, a, sealed, place, out, err);
	if (rc.code == GH_E_DENIED && !seal_load_keys(s, NULL).code)     /* the key was changed since this handle was opened */
		rc = open_with_both(s, a, sealed, place, out, err);
	if (rc.code)
		gh_err_prefix(err, "%s '%.*s'", kind, STR_ARG(id));
	return rc;
}

/* ---- all of them anew ------------------------------------------------------------------------------------------------- */

struct rekey {
	struct store *s;
	struct arena *arena;
	const uint8_t *key;
	int64_t n;
	struct gh_err first;                 /* what kept the first value from being sealed anew */
};

static struct str blob_of(sqlite3_value *v)
{
	const void *p = sqlite3_value_blob(v);

	return (struct str){ p ? p : "", (size_t)sqlite3_value_bytes(v) };
}

/* reseal(kind, id, blob) */
static void reseal(sqlite3_context *x, int n UNUSED, sqlite3_value **v)
{
	struct rekey *r = sqlite3_user_data(x);
	struct str kind = blob_of(v[0]), id = blob_of(v[1]), plain, sealed, place;

	arena_reset(r->arena);
	place = arena_printf(r->arena, "%.*s:%.*s", STR_ARG(kind), STR_ARG(id));
	if (!place.p || open_with_both(r->s, r->arena, blob_of(v[2]), place, &plain, &r->first).code
	    || crypto_seal(r->arena, r->key, plain, place, &sealed, &r->first).code) {
		gh_err_prefix(&r->first, "%.*s '%.*s'", STR_ARG(kind), STR_ARG(id));
		sqlite3_result_error(x, "a value cannot be sealed anew", -1);
		return;
	}
	crypto_wipe((void *)(uintptr_t)plain.p, plain.n);
	r->n++;
	sqlite3_result_blob64(x, sealed.p, sealed.n, SQLITE_TRANSIENT);
}

static gh_rc reseal_all(struct rekey *r, struct gh_err *err)
{
	static const struct { const char *what, *sql; } columns[] = {
#define SEALED(table, column, kind, id)                                                                                 \
		{ #table, "UPDATE " #table " SET " #column " = reseal('" kind "', " id ", " #column ") WHERE " #column \
			  " IS NOT NULL AND length(" #column ") > 0" },
#include "db/sealed.def"
#undef SEALED
	};

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		gh_rc rc = sql_exec(r->s, columns[i].sql, columns[i].what, err);

		if (rc.code && r->first.code && err)
			*err = r->first;
		TRY(rc);
	}
	return GH_RC_OK;
}

static gh_rc run(struct rekey *r, struct gh_err *err)
{
	char id[PATHS_KEY_ID_MAX], detail[64];
	sqlite3_stmt *st;

	TRY(reseal_all(r, err));
	paths_master_key_id(r->key, id);
	st = sql_use(r->s, SQL_MASTER_KEY_SET);
	bind_str(st, 1, str_of(id));
	TRY(sql_done(r->s, st, err));
	snprintf(detail, sizeof(detail), "{\"values\":%lld}", (long long)r->n);
	return change_note(r->s, &(struct change){ .action = "rotate", .kind = "master key", .id = str_of(id),
						   .detail = str_of(detail), .raises = RAISES_BOTH }, err);
}

GH_RC store_rekey(struct store *s, const uint8_t key[PATHS_MASTER_KEY_BYTES], int64_t *n, struct gh_err *err)
{
	struct rekey r = { .s = s, .key = key, .arena = arena_new(SCRATCH_BYTES) };
	gh_rc rc;

	if (!r.arena)
		FAIL(err, NOMEM, "no memory for the master key");
	rc = change_begin(s, err);
	if (!rc.code && sqlite3_create_function_v2(s->db, "reseal", 3, SQLITE_UTF8 | SQLITE_DIRECTONLY, &r, reseal, NULL, NULL, NULL)
				!= SQLITE_OK)
		rc = sql_fail(s, NULL, "reseal", err);
	if (!rc.code) {
		rc = run(&r, err);
		sqlite3_create_function_v2(s->db, "reseal", 3, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL);
	}
	arena_free(r.arena);
	*n = r.n;
	return rc;
}

GH_RC store_rekey_finished(struct store *s, struct gh_err *err)
{
	return change_note(s, &(struct change){ .action = "finish", .kind = "master key", .id = str_of(s->key_id),
						.raises = RAISES_CONFIG }, err);
}
