/* http_cache.h - HTTP caching as RFC 9111 has it for shared caches: pure rules over header fields, no store and no clock.
 *
 * Times are wall clock, µs since 1970, of the caller; lengths of time are seconds. Nothing here keeps what it is given;
 * texts that are handed out borrow from the fields. The stored form of a response is the caller's. */
#pragma once

#include "policy/message.h"

/* ---- Cache-Control (section 5.2) ------------------------------------------------------------------------------------- */

enum { HTTP_CACHE_MAX_AGE = INT32_MAX };         /* a longer time is this (section 1.2.2) */

/* Cuts the next directive off *rest: its name, and its argument without quotes (STR_NULL: none). Commas in quotes belong to
 * the argument. False at the end. */
bool http_directive_next(struct str *rest, struct str *name, struct str *argument);

struct http_cache_control {
	bool no_store, no_cache, is_private, is_public, must_revalidate, proxy_revalidate, must_understand, only_if_cached;
	bool max_stale_any;              /* max-stale without seconds */
	struct str no_cache_fields, private_fields;      /* of no-cache="…", private="…", which then are not set above */
	/* seconds; -1: not there. What is no number counts as 0 where it would make a response fresh, else as not there; of
	   several the first counts */
	int64_t max_age, s_maxage, stale_while_revalidate, stale_if_error, min_fresh, max_stale;
};
/* The value of all Cache-Control fields, joined; STR_NULL is fine. */
void http_cache_control_parse(struct str value, struct http_cache_control *out);
/* Of a request, where Pragma: no-cache stands in for it (section 5.4). */
void http_cache_control_of_request(const struct fields *asked, struct http_cache_control *out);
void http_cache_control_of_response(const struct fields *headers, struct http_cache_control *out);

/* ---- what may be kept (section 3) ------------------------------------------------------------------------------------- */

struct http_cache_policy {
	int64_t default_s;               /* freshness of what says nothing about it; 0: heuristic (section 4.2.2) */
	int64_t stale_while_revalidate_s, stale_if_error_s;      /* of what says nothing about it (RFC 5861) */
	bool keeps_authorized;           /* answers to Authorization, too: the caller keeps each value of it apart */
};

/* Why the response to a GET with these fields is not kept: a static sentence; NULL: it may be. */
const char *http_cache_refuses(const struct http_cache_policy *p, const struct fields *asked, const struct response *r,
			       const struct http_cache_control *cc);
/* A field that is not kept with the response: it ends at this hop, or Cache-Control names it. */
bool http_cache_drops_field(const struct response *r, const struct http_cache_control *cc, struct str name);

/* ---- freshness (section 4.2) ------------------------------------------------------------------------------------------ */

int64_t http_cache_lifetime_s(const struct http_cache_policy *p, const struct response *r, const struct http_cache_control *cc);
/* When it came: what it said about its age, and how long it took. */
int64_t http_cache_initial_age_s(const struct response *r, int64_t asked_us, int64_t came_us);

/* What may be done with a stored response now. */
enum http_cache_use {
	HTTP_CACHE_FRESH,
	HTTP_CACHE_STALE_OK,             /* use it, and validate it off the path (stale-while-revalidate) */
	HTTP_CACHE_STALE_ASKED,          /* use it: the client takes stale ones (max-stale) */
	HTTP_CACHE_VALIDATE,             /* ask the origin first */
};
struct http_cached {
	const struct response *response;
	struct http_cache_control cc;
	int64_t age_s, lifetime_s;
};
enum http_cache_use http_cache_use_of(const struct http_cache_policy *p, const struct http_cached *c,
				      const struct http_cache_control *asked);
/* The origin is away, or its answer was an error of the kind that stale-if-error names: may the stored one go instead? */
bool http_cache_stale_if_error(const struct http_cache_policy *p, const struct http_cached *c,
			       const struct http_cache_control *asked);
/* For how long after it has come it can be of any use. */
int64_t http_cache_keep_s(const struct http_cache_policy *p, const struct response *r, const struct http_cache_control *cc,
			  int64_t lifetime_s, int64_t initial_age_s);
/* 500, 502, 503, 504 (RFC 5861 section 4). */
bool http_cache_is_error(int status);

/* ---- validation (section 4.3) ----------------------------------------------------------------------------------------- */

bool http_cache_has_validator(const struct response *r);
/* Puts the conditions into the request's fields, in place of any that are there. False: out of memory. */
bool http_cache_ask_if_changed(struct fields *headers, const struct response *stored) MUST_USE;
/* Takes all conditions and Range out: what comes is to be the whole response. */
void http_cache_ask_for_all(struct fields *headers);
/* Lays the fields of a 304 over those of the stored response (section 3.2). False: out of memory. */
bool http_cache_merge(struct response *stored, const struct response *not_modified) MUST_USE;

/* The condition of the request (If-None-Match, else If-Modified-Since) says that the client has this response: RFC 9110
 * section 13.2.2. */
bool http_cache_client_has(const struct fields *asked, const struct response *stored);

/* ---- ranges (RFC 9110 section 14) -------------------------------------------------------------------------------------- */

enum http_range { HTTP_RANGE_ALL, HTTP_RANGE_PART, HTTP_RANGE_NONE };    /* NONE: 416 */
/* What the request wants of `size` bytes; several ranges, and an If-Range that does not fit, mean all of it. */
enum http_range http_cache_range(const struct fields *asked, const struct response *stored, uint64_t size, uint64_t *from,
				 uint64_t *to);

/* ---- invalidation (section 4.4) ---------------------------------------------------------------------------------------- */

/* Anything but GET, HEAD, OPTIONS and TRACE may change what is stored. */
bool http_method_is_safe(struct str method);
/* A response to such a request that does so: 2xx and 3xx. */
bool http_cache_invalidates(int status);
