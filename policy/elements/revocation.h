/* revocation.h - lists of revoked certificates that certificates themselves name (distribution points, RFC 5280 section
 * 4.2.1.13), fetched off the loop, parsed once and kept for the process until they are due. */
#pragma once

#include "policy/fetched.h"
#include "policy/trust.h"

enum {
	REVOCATION_LISTS_MAX = 64,       /* kept at once in a process */
	REVOCATION_BYTES_MAX = 2 << 20,  /* of one list: parsing takes the loop's time. Larger ones go into files */
	REVOCATION_FRESH_S = 3600,       /* a list is asked for anew after this long, or when it says so itself */
	REVOCATION_LEAST_S = 60,
	REVOCATION_RETRY_S = 30,         /* after a failure */
	REVOCATION_TIMEOUT_MS = 5000,
};

struct revocation_state {                /* zero it */
	struct fetched lists[TRUST_CHAIN_MAX];
	size_t n, at;
	STACK_OF(X509_CRL) *got;         /* borrowed lists; NULL: none */
};

/* Notes what has to be fetched for a chain that is good: the lists of issuers that `t` has none of. */
bool revocation_plan(struct exchange *x, const struct trust *t, const STACK_OF(X509) *chain, struct revocation_state *s) MUST_USE;
/* STEP_NEXT when all that can be had is in s->got. */
enum step revocation_step(struct exchange *x, struct revocation_state *s);

void revocation_forget(void);            /* for tests */
