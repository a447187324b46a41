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

bool verified_name(struct arena *a, const struct verified_by *by, struct str token, uint8_t name[LRU_DIGEST_BYTES])
{
	static const char what[] = "verified by a policy";
	size_t head = sizeof(what) + 1 + by->n * sizeof(by->sets[0]);
	char *p = arena_alloc_text(a, head + token.n);

	if (!p)
		return false;
	memcpy(p, what, sizeof(what));
	p[sizeof(what)] = (char)by->unsigned_too;
	memcpy(p + sizeof(what) + 1, by->sets, by->n * sizeof(by->sets[0]));
	memcpy(p + head, token.p, token.n);
	crypto_name((struct str){ p, head + token.n }, name);
	return true;
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
