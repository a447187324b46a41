/* cache_entry.h - what the cache holds of responses, and the rules of RFC 9111 about what may be kept and used.
 *
 * Under the key of a request stands its response, or, when the response named fields in Vary, those names; then each
 * response stands under a key that the values of these fields are added to. A third kind of entry says that a response
 * could not be kept a moment ago. */
#pragma once

#include "policy/exchange.h"

enum { CACHE_KEY_MAX = 65536, CACHE_VARY_MAX = 16384 };

enum cache_entry_kind { CACHE_ENTRY_NONE, CACHE_ENTRY_RESPONSE, CACHE_ENTRY_VARY, CACHE_ENTRY_PASS };

struct cache_entry {
	enum cache_entry_kind kind;
	struct str names;                /* VARY */
	/* RESPONSE */
	struct response response;
	int64_t age_s, left_s;           /* since it was kept; until it goes */
};

void cache_entry_read(struct exchange *x, struct str bytes, struct cache_entry *out);
/* Bytes of an entry. STR_NULL: out of memory. */
struct str cache_entry_response(struct exchange *x, const struct response *r, int64_t ttl_s);
struct str cache_entry_vary(struct exchange *x, struct str names);
struct str cache_entry_pass(void);

/* The key of the response that goes with the values which the fields of `names` (as in Vary) have in `asked`. STR_NULL:
 * it names everything ("*"), or too much, or memory is out. */
#define CACHE_VARIANT_BEHIND "\nvary"     /* what is added to the key when `names` is empty */
struct str cache_variant_key(struct exchange *x, struct str key, struct str names, const struct fields *asked);

/* What the client's Cache-Control says (RFC 9111 section 5.2.1); Pragma stands in for it when it is not there. */
struct cache_wishes {
	bool no_store;                   /* neither used nor kept */
	bool anew;                       /* no-cache, max-age=0: not what is kept, but its answer may be */
	bool only_kept;                  /* 504 when nothing is kept */
	int64_t max_age_s, min_fresh_s;  /* INT64_MAX, 0: anything goes */
};
struct cache_wishes cache_wishes_of(const struct fields *asked);
bool cache_wishes_fit(const struct cache_wishes *w, const struct cache_entry *e);

/* RFC 9111 section 3. What sets cookies is for one client, whatever else it says. */
bool cache_may_keep(const struct response *r);
