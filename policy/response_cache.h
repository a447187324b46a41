/* response_cache.h - what cache rules keep of backends' answers, in core/cache.h: the form of the entries, and the commands of
 * people over all of them.
 *
 * Two entries lead to an answer. Under the address at the backend stands what the last answer varied by, and when the address
 * was invalidated; it is one for all callers. Under address, caller and the values of those fields stands the answer. An
 * answer that was asked for before its address was invalidated counts no more, whoever it was for. */
#pragma once

#include "core/cache.h"
#include "policy/message.h"

enum { RESPONSE_CACHE_ADDRESS = 'u', RESPONSE_CACHE_ANSWER = 'h', RESPONSE_CACHE_PURGE = 'p' };      /* name spaces */

struct cached_address {
	int64_t invalidated_us, until_us;        /* 0: never was; until when it is kept */
	struct str vary;                         /* as in Vary; empty: nothing */
};
/* STR_NULL: out of memory. */
struct str cached_address_write(struct arena *a, const struct cached_address *u);
bool cached_address_read(struct str bytes, struct cached_address *out);

struct cached_answer {
	bool pass;                               /* no answer: one could not be kept a moment ago */
	int64_t asked_us, came_us;               /* wall clock */
	int64_t initial_age_s, lifetime_s;
	struct str api, target, tenant, tags;    /* target: path and query as callers ask; tags: blank-separated */
	struct response response;                /* body HELD */
};
struct str cached_answer_write(struct arena *a, const struct cached_answer *e);
/* Borrows from the bytes. Without an arena the response is left out. */
bool cached_answer_read(struct arena *a, struct str bytes, struct cached_answer *out);

/* The tags of an answer: Surrogate-Key (blanks) and Cache-Tag (commas). Empty: none. STR_NULL: out of memory. */
struct str cached_tags(struct arena *a, const struct fields *headers);

/* Whether an answer that was asked for at e->asked_us has been purged since. Asked after it has been kept: what is kept before the purge
 * begins to look is found by it, and what is kept later finds the purge here. */
bool response_cache_purged(struct cache *c, struct arena *a, const struct cached_answer *e, int64_t now_us);

/* ---- for people ---------------------------------------------------------------------------------------------------------- */

/* Which answers; what is empty does not narrow. */
struct cached_filter {
	struct str api;                          /* id */
	struct str key;                          /* path and query as callers ask: exactly */
	struct str prefix;                       /* the same: its beginning */
	struct str tag;
	struct str subscription;                 /* id */
};
struct cached_line {
	struct str api, target, subscription, tags;      /* subscription: STR_NULL: shared by everyone, or a caller without one */
	int status;
	size_t bytes;                            /* of the body */
	int64_t age_s, fresh_s;                  /* fresh_s: below 0 when it is stale */
};

/* False: no gateway has kept anything yet. */
GH_RC response_cache_open(const struct config *config, const char *state_dir, struct cache **out, bool *there, struct gh_err *err);
/* At most `most`, the newest first. */
GH_RC response_cache_list(struct cache *c, struct arena *a, const struct cached_filter *f, size_t most, struct cached_line **out, size_t *n,
			  struct gh_err *err);
/* A filter that narrows nothing removes all. What is on its way to be kept meanwhile is told by response_cache_purged. */
GH_RC response_cache_purge(struct cache *c, const struct cached_filter *f, size_t *removed, struct gh_err *err);
/* How many it would remove. */
GH_RC response_cache_count(struct cache *c, const struct cached_filter *f, size_t *n, struct gh_err *err);
