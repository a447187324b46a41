#include "policy/verified.h"

#include "core/crypto.h"
#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>

enum { KID_MAX = 128 };

struct entry {
	struct lru_entry lru;
	json_t *claims;
	bool encrypted, has_kid;
	char kid[KID_MAX];                       /* for the trace; may be cut */
};

static void release(struct lru_entry *l)
{
	struct entry *e = CONTAINER_OF(l, struct entry, lru);

	json_decref(e->claims);
	free(e);
}

void verified_name(const struct verified_by *by, const uint8_t token[LRU_DIGEST_BYTES], uint8_t name[LRU_DIGEST_BYTES])
{
	struct {
		char what[24];
		uint8_t token[LRU_DIGEST_BYTES];
		uint64_t unsigned_too, n, sets[VERIFIED_SETS_MAX];
	} all = { .what = "verified by a policy", .unsigned_too = by->unsigned_too, .n = by->n };

	memcpy(all.token, token, sizeof(all.token));
	memcpy(all.sets, by->sets, by->n * sizeof(by->sets[0]));
	crypto_name((struct str){ (const char *)&all, sizeof(all) - (VERIFIED_SETS_MAX - by->n) * sizeof(by->sets[0]) }, name);
}

bool verified_get(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], struct arena *a, struct str token, bool raw,
		  struct jose_token *out)
{
	struct lru_entry *found = lru_get(l, name);
	struct entry *e;

	if (!found)
		return false;
	if (!arena_defer(a, lru_unref, found)) {
		lru_unref(found);
		return false;
	}
	e = CONTAINER_OF(found, struct entry, lru);
	if (raw && e->encrypted)
		return false;
	*out = (struct jose_token){ .raw = token, .claims = e->claims, .kid = e->has_kid ? str_of(e->kid) : STR_NULL,
				    .encrypted = e->encrypted };
	return true;
}

void verified_put(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], const struct jose_token *t)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return;                          /* then it is verified again */
	memcpy(e->lru.digest, name, LRU_DIGEST_BYTES);
	e->lru.refs = 1;
	e->lru.release = release;
	e->claims = json_incref(t->claims);
	e->encrypted = t->encrypted;
	e->has_kid = t->kid.p != NULL;
	snprintf(e->kid, sizeof(e->kid), "%.*s", STR_ARG(str_first(t->kid, KID_MAX - 1)));
	lru_put(l, &e->lru);
	lru_unref(&e->lru);
}

void verified_forget(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES])
{
	struct lru_entry *e = lru_get(l, name);

	if (!e)
		return;
	lru_remove(l, e);
	lru_unref(e);
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------------- */

struct verdict_entry {
	struct lru_entry lru;
	struct verdict v;
	char kid[KID_MAX];
};

static void release_verdict(struct lru_entry *l)
{
	free(CONTAINER_OF(l, struct verdict_entry, lru));
}

void verdict_name(uint64_t policy, const uint8_t token[LRU_DIGEST_BYTES], uint8_t name[LRU_DIGEST_BYTES])
{
	enum { NAME_BYTES = 16 };                /* of a crypto_name; zeros follow */

	memset(name, 0, LRU_DIGEST_BYTES);
	memcpy(name, token, NAME_BYTES);
	memcpy(name + NAME_BYTES, &policy, sizeof(policy));
}

bool verdict_get(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], int64_t now_us, uint64_t issuers, struct str *kid)
{
	struct lru_entry *found = lru_get(l, name);
	const struct verdict_entry *e = found ? CONTAINER_OF(found, struct verdict_entry, lru) : NULL;

	if (!e)
		return false;
	lru_unref(found);                        /* the table has one too */
	*kid = e->v.kid;
	return e->v.from_us <= now_us && now_us < e->v.until_us && (!e->v.issuers || e->v.issuers == issuers);
}

void verdict_put(struct lru *l, const uint8_t name[LRU_DIGEST_BYTES], const struct verdict *v)
{
	struct verdict_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return;                          /* then it is found anew */
	memcpy(e->lru.digest, name, LRU_DIGEST_BYTES);
	e->lru.refs = 1;
	e->lru.release = release_verdict;
	e->v = *v;
	snprintf(e->kid, sizeof(e->kid), "%.*s", STR_ARG(str_first(v->kid, KID_MAX - 1)));
	e->v.kid = v->kid.p ? str_of(e->kid) : STR_NULL;
	lru_put(l, &e->lru);
	lru_unref(&e->lru);
}
