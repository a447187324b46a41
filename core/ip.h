/* ip.h - IP addresses and networks: who is behind an address, and whether a list names him. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

struct ip {
	uint8_t b[16];               /* IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2) */
};

struct ip_range {
	struct ip from, to;          /* both included */
};

enum { IP_TEXT_MAX = 46, IP_SET_MAX = 100000 };  /* with the zero byte; networks of one set */

/* "192.0.2.1", "2001:db8::1" or "[2001:db8::1]", blanks around it allowed. */
bool ip_parse(struct str s, struct ip *out) MUST_USE;
/* An address, or a network such as 10.0.0.0/8. */
bool ip_parse_network(struct str s, struct ip_range *out) MUST_USE;
bool ip_within(const struct ip *a, const struct ip_range *r);
struct str ip_text(const struct ip *a, char out[IP_TEXT_MAX]);          /* the usual form (RFC 5952) */

/* What kind of address it is, for statistics that must not know whose: "loopback", "private" (RFC 1918, RFC 4193),
 * "link_local", "shared" (RFC 6598), "public_ipv4", "public_ipv6". */
const char *ip_kind(const struct ip *a);

struct ip_set {                          /* sorted, without overlaps */
	struct ip_range *v;
	size_t n;
};

/* Addresses and networks between commas, blanks or line breaks, in the arena. INVALID names the one that is none. ::/0 is
 * every address, those of IPv4 too. */
GH_RC ip_set_parse(struct arena *a, struct str text, struct ip_set *out, struct gh_err *err);
/* The range that holds the address (as merged with its neighbours), or NULL. Takes log(n) comparisons. */
const struct ip_range *ip_set_find(const struct ip_set *s, const struct ip *a);
