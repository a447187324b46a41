/* resolver.h - addresses of backends by their names, for one worker.
 *
 * Names are looked up with c-ares on a thread of its own (/etc/hosts, search domains and servers as /etc/resolv.conf and
 * /etc/nsswitch.conf say), because libcurl neither learns the TTL of an answer nor lets go of a look-up that hangs without waiting
 * for it. An answer holds for its TTL, within gateway.dns_ttl_min_s and gateway.dns_ttl_max_s. A name in use is asked for again in the
 * last quarter of that time, so that no call waits; one that was not in use for longer is waited for.
 *
 * When name servers do not answer (no answer, or SERVFAIL), the last good addresses serve on for gateway.dns_stale_s (RFC 8767). That
 * there is no such name is an answer like another, and holds for gateway.dns_ttl_min_s.
 *
 * All functions are for the loop's thread. */
#pragma once

#include "core/config.h"
#include "fcgi/loop.h"

enum { RESOLVED_MAX = 16 };              /* addresses of a name; those beyond are left out */

struct resolver;

struct resolved {                        /* a name. Addresses as text, IPv6 without brackets, best first (RFC 6724) */
	char addresses[RESOLVED_MAX][46];
	size_t n;
	uint64_t print;                  /* of the set of addresses, in whatever order; never 0 */
	unsigned waiting;                /* transfers; one that is waited for stays */
};

enum resolver_answer {
	RESOLVER_KNOWN,                  /* the addresses can be used now */
	RESOLVER_WAIT,                   /* look again after resolver_news */
	RESOLVER_FAILED,
	RESOLVER_NONE,                   /* it does not resolve: switched off, no memory, more names than there is room for */
};

/* NULL: out of memory, or the setting is no list of servers. */
struct resolver *resolver_new(struct loop *l, const struct config *c, struct gh_err *err);
void resolver_free(struct resolver *r);                  /* NULL is fine */
/* *out: the name, for KNOWN, WAIT and FAILED; good until the loop's next round unless waiting is counted up. */
enum resolver_answer resolver_look(struct resolver *r, struct str host, struct resolved **out);
/* For one that waits: the name as it is now; patient: an old answer is not good enough yet. */
enum resolver_answer resolver_look_again(struct resolver *r, struct resolved *name, bool patient);
/* True once after answers came. */
bool resolver_news(struct resolver *r);
