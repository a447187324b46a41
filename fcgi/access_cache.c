/* access_cache.c - keys by digest: a hash table and two lists in order of use, one of keys that are known, one of keys that
 * nobody has, each with its own bound. So whoever tries random keys pushes out other random keys and nothing else.
 *
 * An entry that is in use by an exchange outlives its place in the table (a count of references; one thread, no atomics).
 * When the store's number for access changes, everything is forgotten: the number is an atomic load of a mapped file. */
#include "fcgi/access_cache.h"

#include "core/genfile.h"
#include "core/str.h"
#include "db/users.h"

#include <stdlib.h>

enum { ROW_BYTES_MAX = 1 << 20 };

struct text_block {
	struct text_block *next;
	size_t used, size;
	max_align_t data[];
};

struct list {
	struct key_entry *newest, *oldest;
	size_t n, max;
};

struct access_cache {
	struct store *store;
	struct genfile *gen;
	struct arena *rows;                  /* of one look-up */
	uint64_t generation;
	struct key_entry **buckets;
	size_t mask;
	struct list lists[2];                /* [known] */
	struct access_stats stats;
};

/* ---- lists and buckets -------------------------------------------------------------------------------------------------- */

static struct key_entry **bucket_of(const struct access_cache *c, const uint8_t digest[CRYPTO_SHA256_BYTES])
{
	uint64_t h;

	memcpy(&h, digest, sizeof(h));
	return &c->buckets[h & c->mask];
}

static void list_remove(struct list *l, struct key_entry *e)
{
	if (e->newer)
		e->newer->older = e->older;
	else
		l->newest = e->older;
	if (e->older)
		e->older->newer = e->newer;
	else
		l->oldest = e->newer;
	l->n--;
}

static void list_put(struct list *l, struct key_entry *e)
{
	e->newer = NULL;
	e->older = l->newest;
	if (l->newest)
		l->newest->newer = e;
	else
		l->oldest = e;
	l->newest = e;
	l->n++;
}

static void entry_free(struct key_entry *e)
{
	for (struct text_block *b = e->texts, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(e);
}

void key_entry_unref(void *entry)
{
	struct key_entry *e = entry;

	if (--e->refs)
		return;
	crypto_wipe((void *)(uintptr_t)e->subscription.key.p, e->subscription.key.n);
	crypto_wipe((void *)(uintptr_t)e->subscription.primary_key.p, e->subscription.primary_key.n);
	crypto_wipe((void *)(uintptr_t)e->subscription.secondary_key.p, e->subscription.secondary_key.n);
	entry_free(e);
}

static void forget(struct access_cache *c, struct key_entry *e)
{
	struct key_entry **at = bucket_of(c, e->digest);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	list_remove(&c->lists[e->known], e);
	key_entry_unref(e);
}

static void forget_all(struct access_cache *c)
{
	for (int known = 0; known < 2; known++)
		while (c->lists[known].oldest)
			forget(c, c->lists[known].oldest);
}

static void keep(struct access_cache *c, struct key_entry *e)
{
	struct list *l = &c->lists[e->known];
	struct key_entry **at;

	if (l->n >= l->max) {
		forget(c, l->oldest);
		c->stats.evicted++;
	}
	at = bucket_of(c, e->digest);
	e->chain = *at;
	*at = e;
	e->refs++;
	list_put(l, e);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------ */

gh_rc access_cache_new(const char *state_dir, const struct access_options *o, struct access_cache **out, struct gh_err *err)
{
	struct access_cache *c = calloc(1, sizeof(*c));
	size_t buckets = 64;
	gh_rc rc;

	if (!c)
		FAIL(err, NOMEM, "no memory for the key cache");
	c->lists[false].max = o->unknown_entries ? o->unknown_entries : 1;
	c->lists[true].max = o->cache_entries ? o->cache_entries : 1;
	while (buckets < c->lists[false].max + c->lists[true].max)
		buckets *= 2;
	c->mask = buckets - 1;
	c->buckets = calloc(buckets, sizeof(*c->buckets));
	c->rows = arena_new(ROW_BYTES_MAX);
	rc = c->buckets && c->rows ? store_open(&c->store, state_dir, STORE_READ, err)
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
	forget_all(c);
	store_free(c->store);
	genfile_free(c->gen);
	arena_free(c->rows);
	free(c->buckets);
	free(c);
}

struct access_stats access_stats(const struct access_cache *c)
{
	return c->stats;
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

static struct key_entry *look_up(struct access_cache *c, const struct snapshot *s, const uint8_t digest[CRYPTO_SHA256_BYTES],
				 struct str key, struct gh_err *err)
{
	struct store_access row = { 0 };
	struct key_entry *e;
	bool found, ok;

	c->stats.lookups++;
	arena_reset(c->rows);
	if (store_access_find(c->store, c->rows, digest, &row, &found, err).code)
		return NULL;
	e = calloc(1, sizeof(*e));
	ok = e != NULL;
	if (ok) {
		e->refs = 1;
		memcpy(e->digest, digest, sizeof(e->digest));
		ok = !found || (fill(e, &row, key) && (!s->uses_keys || add_keys(c, e)) && (!s->uses_groups || add_groups(c, e)));
	}
	if (ok)
		return e;
	if (e)
		entry_free(e);
	gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory for a subscription");
	return NULL;
}

static struct key_entry *find(struct access_cache *c, const uint8_t digest[CRYPTO_SHA256_BYTES])
{
	struct key_entry *e = *bucket_of(c, digest);

	while (e && memcmp(e->digest, digest, sizeof(e->digest)) != 0)
		e = e->chain;
	return e;
}

struct key_entry *access_cache_get(struct access_cache *c, const struct snapshot *s, struct str key, struct gh_err *err)
{
	uint64_t generation = genfile_get(c->gen, GENFILE_ACCESS);
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct key_entry *e;

	if (generation != c->generation) {
		forget_all(c);
		c->generation = generation;
	}
	crypto_sha256(key, digest);
	e = find(c, digest);
	if (e && e->known && ((s->uses_keys && !e->has_keys) || (s->uses_groups && !e->has_groups))) {
		forget(c, e);                        /* the policies ask for more than they did */
		e = NULL;
	}
	if (e) {
		if (e->newer) {
			list_remove(&c->lists[e->known], e);
			list_put(&c->lists[e->known], e);
		}
		(e->known ? &c->stats.hits : &c->stats.unknown_hits)[0]++;
		e->refs++;
		return e;
	}
	e = look_up(c, s, digest, key, err);
	if (e)
		keep(c, e);
	return e;
}
