/* client.h - who is at the other end: address and scheme of the caller, behind proxies that are trusted.
 *
 * X-Forwarded-For and Forwarded (RFC 7239) are written by anybody. What stands in them counts only as far as trusted proxies
 * wrote it: the one that the connection comes from wrote the last entry; when that entry is a trusted proxy too, it wrote the
 * one before; the first address from the right that is not a trusted proxy is the caller, and all left of it is the
 * caller's own tale. An entry that is no address ends the walk at the proxy that wrote it.
 *
 * Only one of the two fields is believed, the one that the proxies are known to set (setting gateway.proxy_header): a proxy
 * that sets one lets the other one through as the caller sent it. */
#pragma once

#include "core/config.h"
#include "core/ip.h"

enum { CLIENT_HOPS_MAX = 64 };           /* entries that are looked at, the last ones; a longer chain is nobody's */

struct client_trust {
	struct ip_set proxies;            /* setting gateway.trusted_proxies */
	bool forwarded;                  /* Forwarded in place of X-Forwarded-For and X-Forwarded-Proto */
};

/* INVALID when the setting names what is no network. */
GH_RC client_trust_read(struct arena *a, const struct config *c, struct client_trust *out, struct gh_err *err);

struct client_found {
	struct ip address;
	bool known;                      /* the peer's address could be read at all */
	bool behind;                     /* the peer is a trusted proxy */
	size_t kept;                     /* bytes of `hops` that stand left of the caller: what the caller sent itself */
	struct str scheme;               /* "http", "https", or STR_NULL: the proxies say nothing */
};

/* Is the peer a trusted proxy? Then its fields are worth reading. False, too, when none is configured. */
bool client_is_proxy(const struct client_trust *t, struct str peer);
/* hops: X-Forwarded-For or Forwarded, all lines joined by commas; proto: X-Forwarded-Proto (ignored with Forwarded). Borrows. */
void client_find(const struct client_trust *t, struct str peer, struct str hops, struct str proto, struct client_found *out);
