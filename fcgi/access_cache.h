/* access_cache.h - what is known of keys, by name: for fcgi/access*.c only. */
#pragma once

#include "fcgi/access.h"

#include "core/crypto.h"
#include "core/lru.h"
#include "db/subscriptions.h"

/* A known key, or one that nobody has (known false: nothing else is set). Lives while it is cached or an exchange uses it. */
struct key_entry {
	struct lru_entry lru;
	bool known, has_keys, has_groups;
	struct text_block *texts;            /* exactly as much as they need: there may be very many entries */
	int64_t state, scope, user_state;    /* of db/subscriptions.h, db/users.h */
	int64_t key_ends_us;
	struct str product_id, api_id, application, prefix;
	struct ctx_subscription subscription;
	struct ctx_user user;                /* id STR_NULL: none */
	struct ctx_identity identity;
};

/* The entry with one reference for the caller, or NULL with err set: the store could not be asked. */
struct key_entry *access_cache_get(struct access_cache *c, const struct snapshot *s, struct str key, struct gh_err *err);
void key_entry_unref(void *entry);           /* fits arena_defer */
/* An entry that stands in no table, with one reference: of a subscription that was found in another way. row NULL: of a key
 * that nobody has. */
struct key_entry *key_entry_new(struct access_cache *c, const struct snapshot *s, const struct store_access *row, struct str key,
				struct gh_err *err);
/* Whether a subscription is in force now, whatever for. */
enum access_result access_standing(const struct key_entry *e, int64_t now_us);
/* What a subscription is good for at this API now; *product: the one that holds it. */
enum access_result access_judge(const struct key_entry *e, const struct snapshot *s, const struct snap_api *api, int64_t now_us,
				const struct snap_product **product);
/* The store's number for access. When it has changed, everything is forgotten first. */
uint64_t access_cache_generation(struct access_cache *c);
struct store *access_cache_store(struct access_cache *c);    /* for reading, on the loop's thread */
