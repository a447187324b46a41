/* access.h - who is calling: the subscription behind the key.
 *
 * A key is looked for in the header fields and query parameter that the API names (Ocp-Apim-Subscription-Key, X-Api-Key,
 * subscription-key by default; header first). What is found is hashed (SHA-256) and the digest is looked up: first in this
 * worker's cache, then in the store. So the time of an answer says nothing about a key that is nearly right: all
 * comparisons are of digests. Known and unknown digests are cached, each kind within its own bound, least recently used
 * first out; a change of the store's generation empties the cache. A hit costs no system call and no malloc.
 *
 * What the client sees is what the reference system says: missing and "invalid" (unknown, suspended, expired, of another
 * product) are told apart and nothing else; `reason` tells all apart, for telemetry and traces. */
#pragma once

#include "fcgi/route.h"
#include "fcgi/snapshot.h"

enum access_result {
	ACCESS_OPEN,                 /* no key is needed and none was shown: product may be the open one, or NULL */
	ACCESS_GRANTED,              /* subscription is set */
	ACCESS_KEY_MISSING,
	ACCESS_KEY_INVALID,          /* nobody's key */
	ACCESS_KEY_SUSPENDED,
	ACCESS_KEY_EXPIRED,
	ACCESS_KEY_CANCELLED,        /* cancelled or rejected */
	ACCESS_KEY_PENDING,          /* submitted, not yet approved */
	ACCESS_KEY_NOT_STARTED,      /* its start date is in the future */
	ACCESS_KEY_WRONG_SCOPE,      /* a good key, of a product or API that this one is not */
	ACCESS_USER_BLOCKED,
	ACCESS_UNAVAILABLE,          /* the store cannot be read and the key is not in the cache: 503 */
	ACCESS__COUNT
};
const char *access_reason(enum access_result r);     /* "key_missing", ...; NULL for OPEN and GRANTED */

struct access {
	enum access_result result;
	const struct snap_product *product;          /* NULL: API or all-APIs scope, or none */
	const struct ctx_subscription *subscription; /* NULL when open; in the arena of the exchange, as the texts in it */
	const struct ctx_user *user;                 /* NULL: the subscription has none */
	struct str application;                      /* id, or STR_NULL */
	/* Of a key that is known, also when it is refused: for the record. */
	struct str key_prefix, subscription_id;
	/* For the client when refused: 401 (503) "Access Denied" with this message and challenge. */
	int status;
	struct str status_reason, message, challenge;        /* challenge: value of WWW-Authenticate */
	/* For context.LastError: source "authorization". */
	struct str error_reason, error_message;
};

struct access_cache;

struct access_options {
	size_t cache_entries;        /* config access.cache_entries */
	size_t unknown_entries;      /* config access.unknown_entries: for keys that nobody has */
};

/* The cache opens its own store handle under state_dir, for look-ups on the loop's thread. */
GH_RC access_cache_new(const char *state_dir, const struct access_options *o, struct access_cache **out, struct gh_err *err);
void access_cache_free(struct access_cache *c);

struct access_request {
	const struct snap_api *api;
	const struct fields *headers;
	struct str query;            /* raw; STR_NULL: none */
	struct str scheme, host, mount;      /* for the challenge's realm; mount: "/api" */
	int64_t now_us;              /* wall clock */
};

/* False: out of memory in the arena. */
bool access_check(struct access_cache *c, const struct snapshot *s, struct arena *a, const struct access_request *rq,
		  struct access *out) MUST_USE;

/* The parts of it, for APIs with access rules (fcgi/access_flow.h): what a key that is shown is good for, and the refusal's
 * texts for `out->result`. */
bool access_check_key(struct access_cache *c, const struct snapshot *s, struct arena *a, const struct access_request *rq,
		      struct access *out) MUST_USE;
bool access_refuse_key(const struct access_request *rq, struct arena *a, struct access *out) MUST_USE;

/* Takes the key out of what goes to the backend: header fields and query parameter, whatever was shown. */
bool access_strip(const struct snap_api *api, struct arena *a, struct fields *headers, struct str *query) MUST_USE;

struct access_stats {
	uint64_t hits, unknown_hits, lookups, evicted;
};
struct access_stats access_stats(const struct access_cache *c);
