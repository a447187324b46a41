/* access_cache.c - keys by name (crypto_name): two tables in order of use (core/lru.h), one of keys that are known, one of keys that
 * nobody has, each with its own bound. So whoever tries random keys pushes out other random keys and nothing else.
 *
 * An entry that is in use by an exchange outlives its place in the table (a count of references; one thread, no atomics).
 * When the store's number for access changes, everything is forgotten: the number is an atomic load of a mapped file. */
#include "fcgi/access_cache.h"

#include "core/genfile.h"
#include "core/str.h"
#include "db/consumer_rules.h"
#include "db/users.h"

#include <stdlib.h>

enum { ROW_BYTES_MAX = 1 << 20 };

struct text_block {
	struct text_block *next;
	size_t used, size;
	max_align_t data[];
};

struct access_cache {
	struct store *store;
	struct genfile *gen;
	struct arena *rows;                  /* of one look-up */
	uint64_t generation;
	struct lru lists[2];                 /* [known] */
	struct access_stats stats;
};

static struct key_entry *entry_of(struct lru_entry *l)
{
	return CONTAINER_OF(l, struct key_entry, lru);
}

static void entry_free(struct key_entry *e)
{
	for (struct text_block *b = e->texts, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(e);
}

static void entry_release(struct lru_entry *l)
{
	struct key_entry *e = entry_of(l);

	crypto_wipe((void *)(uintptr_t)e->subscription.key.p, e->subscription.key.n);
	crypto_wipe((void *)(uintptr_t)e->subscription.primary_key.p, e->subscription.primary_key.n);
	crypto_wipe((void *)(uintptr_t)e->subscription.secondary_key.p, e->subscription.secondary_key.n);
	entry_free(e);
}

void key_entry_unref(void *entry)
{
	lru_unref(&((struct key_entry *)entry)->lru);
}

static void forget_all(struct access_cache *c)
{
	lru_clear(&c->lists[false]);
	lru_clear(&c->lists[true]);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

gh_rc access_cache_new(const char *state_dir, const struct access_options *o, struct access_cache **out, struct gh_err *err)
{
	struct access_cache *c = calloc(1, sizeof(*c));
	bool ok;
	gh_rc rc;

	if (!c)
		FAIL(err, NOMEM, "no memory for the key cache");
	ok = lru_init(&c->lists[false], o->unknown_entries) && lru_init(&c->lists[true], o->cache_entries);
	c->rows = arena_new(ROW_BYTES_MAX);
	rc = ok && c->rows ? store_open(&c->store, state_dir, STORE_READ, err)
				   : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory for the key cache");
	if (!rc.code)
		rc = genfile_open(&c->gen, state_dir, false, err);
	if (rc.code) {
		access_cache_free(c);
		return rc;
	}
	c->generation = genfile_get(c->gen, GENFILE_ACCESS);
	*out = c;
	return rc;
}

void access_cache_free(struct access_cache *c)
{
	if (!c)
		return;
	lru_release(&c->lists[false]);
	lru_release(&c->lists[true]);
	store_free(c->store);
	genfile_free(c->gen);
	arena_free(c->rows);
	free(c);
}

uint64_t access_cache_generation(struct access_cache *c)
{
	uint64_t generation = genfile_get(c->gen, GENFILE_ACCESS);

	if (generation != c->generation) {
		forget_all(c);
		c->generation = generation;
	}
	return generation;
}

struct access_stats access_stats(const struct access_cache *c)
{
	struct access_stats s = c->stats;

	s.evicted = c->lists[false].evicted + c->lists[true].evicted;
	return s;
}

/* ---- filling an entry from the store --------------------------------------------------------------------------------------- */

static bool reserve(struct key_entry *e, size_t bytes)
{
	struct text_block *b = malloc(sizeof(*b) + bytes);

	if (!b)
		return false;
	*b = (struct text_block){ .next = e->texts, .size = bytes };
	e->texts = b;
	return true;
}

/* From what was reserved. */
static void *take(struct key_entry *e, size_t bytes)
{
	struct text_block *b = e->texts;
	void *p = (char *)b->data + b->used;

	b->used += bytes;
	return p;
}

static void copy(struct key_entry *e, struct str from, struct str *to)
{
	*to = from.n ? (struct str){ memcpy(take(e, from.n), from.p, from.n), from.n } : STR_NULL;
}

static void fill_user(struct key_entry *e, const struct store_access *row)
{
	if (!row->subscription.user_id.n)
		return;
	e->user.identities = &e->identity;
	e->user.n_identities = 1;
	e->user_state = row->user_state;
	copy(e, row->subscription.user_id, &e->user.id);
	copy(e, row->user_email, &e->user.email);
	copy(e, row->user_first_name, &e->user.first_name);
	copy(e, row->user_last_name, &e->user.last_name);
	e->identity = (struct ctx_identity){ .provider = STR("Basic"), .id = e->user.email };
}

static bool fill(struct key_entry *e, const struct store_access *row, struct str key)
{
	const struct store_subscription *sub = &row->subscription;

	if (!reserve(e, sub->id.n + sub->name.n + key.n + STORE_KEY_PREFIX + sub->product_id.n + sub->api_id.n
				+ sub->application_id.n + sub->user_id.n + row->user_email.n + row->user_first_name.n
				+ row->user_last_name.n))
		return false;
	e->known = true;
	e->state = sub->state;
	e->scope = sub->scope;
	e->key_ends_us = row->key_ends_us;
	e->subscription.created_us = sub->created_us;
	e->subscription.start_us = sub->starts_us;
	e->subscription.end_us = sub->ends_us;
	copy(e, sub->id, &e->subscription.id);
	copy(e, sub->name, &e->subscription.name);
	copy(e, key, &e->subscription.key);
	copy(e, sub->product_id, &e->product_id);
	copy(e, sub->api_id, &e->api_id);
	copy(e, sub->application_id, &e->application);
	copy(e, str_first(key, STORE_KEY_PREFIX), &e->prefix);
	fill_user(e, row);
	return true;
}

static bool add_keys(struct access_cache *c, struct key_entry *e)
{
	struct store_keys keys = { 0 };

	e->has_keys = true;
	if (store_subscription_keys(c->store, c->rows, e->subscription.id, &keys, NULL).code)
		return true;                         /* no master key: policies see null */
	if (!reserve(e, keys.primary.n + keys.secondary.n))
		return false;
	copy(e, keys.primary, &e->subscription.primary_key);
	copy(e, keys.secondary, &e->subscription.secondary_key);
	return true;
}

static bool add_groups(struct access_cache *c, struct key_entry *e)
{
	struct store_group *rows;
	struct ctx_group *groups;
	size_t n, bytes = 0;

	e->has_groups = true;
	if (!e->user.id.n || store_groups_of_user(c->store, c->rows, e->user.id, &rows, &n, NULL).code)
		return true;
	for (size_t i = 0; i < n; i++)
		bytes += sizeof(*groups) + rows[i].id.n + rows[i].name.n;
	if (!reserve(e, bytes))
		return false;
	groups = take(e, n * sizeof(*groups));       /* first: at the block's beginning it is aligned */
	for (size_t i = 0; i < n; i++) {
		copy(e, rows[i].id, &groups[i].id);
		copy(e, rows[i].name, &groups[i].name);
	}
	e->user.groups = groups;
	e->user.n_groups = n;
	return true;
}

/* ---- limits and rules: read with the subscription, so a change of either (which raises the number for access) binds the next call */

_Static_assert(CTX_LIMIT_CONCURRENCY == (int)STORE_LIMIT_CONCURRENCY, "the kinds of limits are the same in the store and here");

static bool copy_limits(struct key_entry *e, const struct store_limit *rows, size_t n, const struct ctx_limit **out, size_t *n_out)
{
	struct ctx_limit *limits;

	if (!n)
		return true;
	if (!reserve(e, n * sizeof(*limits)))
		return false;
	limits = take(e, n * sizeof(*limits));       /* at the block's beginning: aligned */
	for (size_t i = 0; i < n; i++)
		limits[i] = (struct ctx_limit){ .kind = (enum ctx_limit_kind)rows[i].kind, .type = store_limit_counter(&rows[i]),
						.calls = (uint64_t)rows[i].calls, .seconds = (uint32_t)rows[i].seconds,
						.burst = rows[i].algorithm == STORE_ALGORITHM_LEAKY, .queue = (uint32_t)rows[i].queue,
						.delay_ms = (uint32_t)rows[i].delay_ms };
	*out = limits;
	*n_out = n;
	return true;
}

static bool add_limits(struct access_cache *c, struct key_entry *e, struct str tier_id, bool *told, struct gh_err *err)
{
	struct store_limit *rows;
	size_t n;

	if (!tier_id.n)
		return true;
	*told = store_tier_limits(c->store, c->rows, tier_id, &rows, &n, err).code != GH_OK;
	return !*told && copy_limits(e, rows, n, &e->subscription.limits, &e->subscription.n_limits);
}

static bool copy_rule(struct access_cache *c, struct key_entry *e, const struct store_consumer_rule *row, struct ctx_consumer_rule *out,
		      bool *told, struct gh_err *err)
{
	struct store_limit *rows;
	size_t n;

	if (!reserve(e, row->api_id.n + row->methods.n + row->operations.n))
		return false;
	copy(e, row->api_id, &out->api_id);
	copy(e, row->methods, &out->methods);
	copy(e, row->operations, &out->operations);
	*told = store_consumer_rule_limits(c->store, c->rows, row->subscription_id, row->api_id, &rows, &n, err).code != GH_OK;
	return !*told && copy_limits(e, rows, n, &out->limits, &out->n_limits);
}

static bool add_rules(struct access_cache *c, struct key_entry *e, struct str id, bool *told, struct gh_err *err)
{
	struct store_consumer_rule *rows;
	struct ctx_consumer_rule *rules;
	size_t n;

	*told = store_consumer_rules(c->store, c->rows, id, &rows, &n, err).code != GH_OK;
	if (*told || !n)
		return !*told;
	if (!reserve(e, n * sizeof(*rules)))
		return false;
	rules = take(e, n * sizeof(*rules));
	memset(rules, 0, n * sizeof(*rules));
	for (size_t i = 0; i < n; i++)
		if (!copy_rule(c, e, &rows[i], &rules[i], told, err))
			return false;
	e->subscription.rules = rules;
	e->subscription.n_rules = n;
	return true;
}

struct key_entry *key_entry_new(struct access_cache *c, const struct snapshot *s, const struct store_access *row, struct str key,
				struct gh_err *err)
{
	struct key_entry *e = calloc(1, sizeof(*e));
	bool ok = e != NULL, told = false;

	if (ok) {
		e->lru.refs = 1;
		e->lru.release = entry_release;
		ok = !row || (fill(e, row, key) && add_limits(c, e, row->subscription.tier_id, &told, err)
			      && add_rules(c, e, row->subscription.id, &told, err) && (!s->uses_keys || add_keys(c, e)) && (!s->uses_groups || add_groups(c, e)));
	}
	if (ok)
		return e;
	if (e)
		entry_free(e);
	if (!told)
		gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory for a subscription");
	return NULL;
}

struct store *access_cache_store(struct access_cache *c)
{
	return c->store;
}

static struct key_entry *look_up(struct access_cache *c, const struct snapshot *s, const uint8_t name[LRU_DIGEST_BYTES],
				 struct str key, struct gh_err *err)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct store_access row = { 0 };
	struct key_entry *e;
	bool found;

	c->stats.lookups++;
	arena_reset(c->rows);
	crypto_sha256(key, digest);
	if (store_access_find(c->store, c->rows, digest, &row, &found, err).code)
		return NULL;
	e = key_entry_new(c, s, found ? &row : NULL, key, err);
	if (e)
		memcpy(e->lru.digest, name, sizeof(e->lru.digest));
	return e;
}

/* What is known, or known to be nobody's, with a reference; NULL: ask the store. */
static struct key_entry *remembered(struct access_cache *c, const struct snapshot *s, const uint8_t name[LRU_DIGEST_BYTES])
{
	struct lru_entry *l = lru_get(&c->lists[true], name);
	struct key_entry *e;

	if (!l) {
		l = lru_get(&c->lists[false], name);
		c->stats.unknown_hits += l != NULL;
		return l ? entry_of(l) : NULL;
	}
	e = entry_of(l);
	if ((s->uses_keys && !e->has_keys) || (s->uses_groups && !e->has_groups)) {
		lru_remove(&c->lists[true], l);      /* the policies ask for more than they did */
		lru_unref(l);
		return NULL;
	}
	c->stats.hits++;
	return e;
}

struct key_entry *access_cache_get(struct access_cache *c, const struct snapshot *s, struct str key, struct gh_err *err)
{
	uint8_t name[LRU_DIGEST_BYTES];
	struct key_entry *e;

	access_cache_generation(c);
	crypto_name(key, name);
	e = remembered(c, s, name);
	if (e)
		return e;
	e = look_up(c, s, name, key, err);
	if (e)
		lru_put(&c->lists[e->known], &e->lru);
	return e;
}
