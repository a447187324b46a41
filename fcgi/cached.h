/* cached.h - the shared cache of backends' answers (RFC 9111), between the policies and the backend.
 *
 * An API or operation has it by a cache rule (db/cache_rules.h). All policies run for every call; what is kept is what the
 * backend sent, under the address that the request goes to. A forward-request of such a call asks here first:
 *
 *   look ──> fresh ─────────────────────────────> answered from the cache (also 304 and 206)
 *     │      stale, while it is asked for ──────> the same; one refresh goes off the path (cached_refresh.c)
 *     │      stale ──> one call validates ──────> 304: kept on, and used; 200: kept in its place; error: maybe the stale one
 *     └───── nothing ─> one call of the machine fetches (fill.h), the others wait for it; the body is kept as it passes by
 *
 * What a call of an API without a rule pays for this is one look at a pointer. */
#pragma once

#include "fcgi/call_gate.h"
#include "policy/http_cache.h"
#include "policy/response_cache.h"

struct snap_cache {                              /* one rule of the snapshot: snapshot_cache.c */
	bool off;                                /* an operation that is left out of its API's rule */
	struct http_cache_policy policy;
	bool by_subscription, obeys_client, tells;
	size_t max_bytes;
	const struct str *vary_by;
	size_t n_vary_by;
};

struct cached {                                  /* of one forward-request, in the call's arena */
	const struct snap_cache *rule;
	struct http_cache_control asked;         /* of the request, if it counts */
	struct fields original;                  /* the request's fields before conditions of our own */
	struct str address_key, key;             /* response_cache.h; key without what Vary names */
	struct str plain_variant;                /* cache_variant_key of it where nothing varies; STR_NULL: not made */
	struct str variant;                      /* with it; the key that was looked under last */
	struct str tenant;
	struct cached_address address;
	struct cached_answer stored;
	bool has_stored, has_address;
	bool looks;                              /* the request is one that may be answered from the cache */
	bool invalidates;                        /* it may change what is stored */
	struct cache_fill fill;
	bool waiting;
	struct str led;                          /* what others wait for; STR_NULL: nothing */
	bool validating, not_modified, use_stale, keeping, stores, judged;
	const char *forwarded;                   /* why, in the words of RFC 9211; NULL: it was not */
	int64_t asked_us, came_us;
	struct response head;                    /* of what is kept, as it came */
	struct buf body;                         /* what has passed by */
	size_t counted;                          /* of it in worker.filling */
	struct cached_refresh *refresh;          /* this is the refresh of another call; NULL: it is a call */
};

/* ---- cached.c: called by call_forward.c ---- */
/* The rule of the call; NULL: none. */
const struct snap_cache *cached_rule(const struct call *k);
/* In place of sending: STEP_NEXT f is done; STEP_WAIT: cached_turn goes on; STEP_JUMP: it is to be sent now. */
enum step cached_begin(struct call *k, struct forward *f, const struct snap_cache *rule);
/* In each turn while a forward-request is under way. STEP_NEXT f is done, STEP_WAIT not yet, STEP_JUMP: nothing to do with
 * the cache; *send: it is to be sent. */
enum step cached_turn(struct call *k, struct forward *f, bool *send);
/* The backend failed: true when a stored answer has been put in place, f is done. */
bool cached_failed(struct call *k, struct forward *f);
bool cached_fields(struct call *k, struct fields *to) MUST_USE;  /* makes the request's fields fit; false: out of memory */
void cached_head(struct call *k);                                /* the response's head is here */
bool cached_swallows(const struct call *k);                      /* nobody wants the body that comes */
void cached_body(struct call *k, struct str bytes);              /* bytes of it, that were taken */
void cached_done(struct call *k, bool whole);                    /* it is over */
void cached_drop(struct call *k);                                /* lets go what others wait for */

/* ---- cached_key.c ---- */
/* Fills keys and tenant. False: too long, or out of memory. */
bool cached_keys(struct call *k, struct cached *c);
bool cached_address_key(struct call *k, const struct url *u, struct str *out);

/* ---- cached_keep.c ---- */
void cached_look(struct call *k, struct cached *c, int64_t now_us);
void cached_keep(struct call *k, struct cached *c, struct str body);
void cached_refreshed(struct call *k, struct cached *c);         /* the 304 is in x.response; the result in c->stored */
void cached_mark_pass(struct call *k, struct cached *c);         /* nobody waits for it for a while */
void cached_invalidate(struct call *k);

/* ---- cached_serve.c ---- */
void cached_serve(struct call *k, struct forward *f, struct cached *c, const char *state, bool hit, int64_t now_us);
void cached_tell(struct call *k, struct cached *c);              /* the fields of what was forwarded */
void cached_not_there(struct call *k, struct forward *f, struct cached *c);      /* 504: only-if-cached */
int64_t cached_age_s(const struct cached_answer *e, int64_t now_us);

/* ---- cached_refresh.c ---- */
void cached_refresh(struct call *k, struct forward *f, const struct cached *c);
