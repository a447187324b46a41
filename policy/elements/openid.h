/* openid.h - the keys of an identity provider, by the address of its OpenID configuration.
 *
 * Discovery documents and key sets are fetched through the host's sub-requests, parsed once and kept for the process, as
 * every worker asks for the same few providers with each call (policy/fetched.h). A set is used for an hour; when it cannot
 * be fetched anew, the old one serves for a day. Thread-safe. */
#pragma once

#include "core/jose.h"
#include "policy/fetched.h"

enum {
	OPENID_FRESH_S = 3600,           /* as the reference system does */
	OPENID_STALE_S = 86400,
	OPENID_FLOOR_S = 60,             /* between two fetches because of a key that is not known, over all processes */
	OPENID_RETRY_S = 5,              /* after a failure */
	OPENID_SETTLED_S = 10,           /* openid_settled looks no further ahead */
	OPENID_TIMEOUT_MS = 10000,       /* of each of the two requests */
	OPENID_DOCUMENT_MAX = 1 << 20,   /* bytes of an answer */
	OPENID_PROVIDERS_MAX = 64,       /* kept at once; the one used longest ago goes */
};

struct openid_state {                    /* zero it, set fetched.url (and .renew), then call openid_step until it is not STEP_WAIT */
	struct fetched fetched;
	/* results; keys NULL: they could not be had, and fetched.why says for the log what happened */
	const struct jose_keys *keys;    /* lives as long as the exchange */
	struct str issuer;               /* the same; STR_NULL: the provider names none */
};

/* STEP_NEXT when there is a result, STEP_WAIT, or STEP_FAIL after exchange_fail. */
enum step openid_step(struct exchange *x, struct openid_state *s);

/* What was found with the keys of `s` holds as long as openid_version is *version, and until the time that this gives (µs; 0: it
 * does not hold any longer). That time is near, so that providers that are used keep their place. */
int64_t openid_settled(const struct openid_state *s, int64_t now_us, uint64_t *version);
uint64_t openid_version(void);

void openid_forget(void);                /* empties the cache: for tests */
