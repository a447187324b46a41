/* subscriptions_bulk.c - a great many subscriptions at once.
 *
 * Both tables are kept in the order of their primary keys. Ids are made in order; keys are inserted in the order of their
 * digests, sorted beforehand, so every tree grows at its end and each page is written once. In the order in which they are
 * made, a million digests would touch the whole tree a million times. Secondary indexes are dropped and made anew at the
 * end, for the same reason. */
#include "core/clock.h"
#include "core/str.h"
#include "db/subscription_rows.h"

#include <stdio.h>
#include <stdlib.h>

static const char BEGIN[] = "DROP INDEX subscription_key_subscription; DROP INDEX subscription_product;"
			    "DROP INDEX subscription_product_state;";
static const char END[] = "CREATE INDEX subscription_key_subscription ON subscription_key (subscription_id, slot);"
			  "CREATE INDEX subscription_product ON subscription (product_id, id) WHERE product_id IS NOT NULL;"
			  "CREATE INDEX subscription_product_state ON subscription (product_id, state) WHERE product_id IS NOT NULL;";

struct place {
	uint8_t digest[CRYPTO_SHA256_BYTES];
	size_t i;
};

struct bulk {
	struct store *s;
	struct arena *arena;             /* emptied after each row */
	struct str product_id;
	const char *prefix;
	void (*key)(size_t i, char out[STORE_KEY_MAX + 1], void *arg);
	void *arg;
	struct place *places;
	size_t n;
};

static int by_digest(const void *a, const void *b)
{
	return memcmp(((const struct place *)a)->digest, ((const struct place *)b)->digest, CRYPTO_SHA256_BYTES);
}

static struct str id_of(const struct bulk *b, size_t i)
{
	return arena_printf(b->arena, "%s%07zu", b->prefix, i);
}

static gh_rc add_subscriptions(struct bulk *b, struct gh_err *err)
{
	struct store_subscription row = { .scope = STORE_SCOPE_PRODUCT, .product_id = b->product_id,
					  .state = STORE_SUB_ACTIVE, .created_us = clock_wall_us() };

	for (size_t i = 0; i < b->n; i++) {
		sqlite3_stmt *st = sql_use(b->s, SQL_SUBSCRIPTION_ADD);

		row.id = row.name = id_of(b, i);
		bind_row(st, &subscription_type, &row);
		TRY(sql_done(b->s, st, err));
		arena_reset(b->arena);
	}
	return GH_RC_OK;
}

static gh_rc sort_keys(struct bulk *b, struct gh_err *err)
{
	char key[STORE_KEY_MAX + 1];

	for (size_t i = 0; i < b->n; i++) {
		b->key(i, key, b->arg);
		TRY(subscription_check_key(str_of(key), err));
		crypto_sha256(str_of(key), b->places[i].digest);
		b->places[i].i = i;
	}
	qsort(b->places, b->n, sizeof(*b->places), by_digest);
	return GH_RC_OK;
}

static gh_rc add_keys(struct bulk *b, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	char key[STORE_KEY_MAX + 1];

	for (size_t i = 0; i < b->n; i++) {
		sqlite3_stmt *st = sql_use(b->s, SQL_KEY_ADD);
		size_t at = b->places[i].i;

		b->key(at, key, b->arg);
		TRY(subscription_bind_key(b->s, st, b->arena, id_of(b, at), STORE_KEY_PRIMARY, str_of(key), digest, err));
		TRY(sql_done(b->s, st, err));
		arena_reset(b->arena);
	}
	return GH_RC_OK;
}

static gh_rc add_all(struct bulk *b, struct gh_err *err)
{
	char detail[64];

	TRY(sql_exec(b->s, BEGIN, "dropping indexes", err));
	TRY(add_subscriptions(b, err));
	TRY(sort_keys(b, err));
	TRY(add_keys(b, err));
	TRY(sql_exec(b->s, END, "making indexes", err));
	snprintf(detail, sizeof(detail), "{\"subscriptions\":%zu}", b->n);
	return change_note(b->s, &(struct change){ .action = "bulk-create", .kind = "subscription", .id = b->product_id,
						   .detail = str_of(detail), .raises = RAISES_ACCESS }, err);
}

GH_RC store_subscriptions_bulk(struct store *s, struct str actor, struct str product_id, size_t n, const char *prefix,
			       void (*key)(size_t i, char out[STORE_KEY_MAX + 1], void *arg), void *arg, struct gh_err *err)
{
	struct bulk b = { .s = s, .arena = arena_new(1 << 20), .product_id = product_id, .prefix = prefix, .key = key,
			  .arg = arg, .places = calloc(n ? n : 1, sizeof(struct place)), .n = n };
	gh_rc rc = GH_RC_OK;

	if (!b.arena || !b.places)
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "%zu subscriptions", n);
	if (!rc.code)
		rc = store_tx_begin(s, actor, err);
	if (!rc.code)
		rc = store_tx_end(s, add_all(&b, err), err);
	arena_free(b.arena);
	free(b.places);
	return rc;
}
