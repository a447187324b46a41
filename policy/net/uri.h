/* uri.h - addresses as System.Uri takes them apart and escapes them (RFC 3986, RFC 2396 where .NET still follows it). */
#pragma once

#include "core/arena.h"
#include "policy/expr/value.h"

struct uri {
	struct object head;
	bool is_absolute, has_authority;
	bool port_shown;             /* it is not the scheme's own */
	unsigned port;               /* 0: none */
	struct str original, absolute;
	struct str scheme, user, host, path;
	struct str query, fragment;  /* with "?" and "#"; empty when there is none */
};

bool net_uri_parse(struct arena *a, struct str s, struct uri *out);          /* false: not absolute, or malformed */
bool uri_looks_absolute(struct str s);                                   /* begins with "scheme:" */
struct str uri_resolve(struct arena *a, const struct uri *base, struct str relative);
/* What Uri.ToString() shows: percent-encoded text decoded, except where that would change its meaning. */
struct str uri_display(struct arena *a, struct str absolute);
/* EscapeDataString: all but RFC 3986 unreserved characters. keep_reserved: EscapeUriString, which keeps the reserved ones. */
struct str uri_escape(struct arena *a, struct str s, bool keep_reserved);
struct str uri_unescape(struct arena *a, struct str s);
