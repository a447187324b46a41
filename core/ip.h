/* ip.h - IP addresses and networks: who is behind an address, and whether a list names him. */
#pragma once

#include "core/base.h"

struct ip {
	uint8_t b[16];               /* IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2) */
};

struct ip_range {
	struct ip from, to;          /* both included */
};

enum { IP_LIST_MAX = 64 };

struct ip_list {
	struct ip_range v[IP_LIST_MAX];
	size_t n;
};

/* "192.0.2.1", "2001:db8::1" or "[2001:db8::1]", blanks around it allowed. */
bool ip_parse(struct str s, struct ip *out) MUST_USE;
/* An address, or a network such as 10.0.0.0/8. */
bool ip_parse_network(struct str s, struct ip_range *out) MUST_USE;
/* Addresses and networks between commas or blanks. False: *bad is the part that is none, or that is one too many. */
bool ip_list_parse(struct str s, struct ip_list *out, struct str *bad) MUST_USE;

bool ip_within(const struct ip *a, const struct ip_range *r);
bool ip_listed(const struct ip_list *l, struct str address);     /* false also when it is no address */
