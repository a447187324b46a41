/* revocation.h - what is asked elsewhere about the certificates of a chain: responders (ocsp.h) and, when those say
 * nothing, lists of revoked certificates that certificates themselves name (distribution points, RFC 5280 section
 * 4.2.1.13), fetched off the loop, parsed once and kept for the process until they are due. */
#pragma once

#include "policy/elements/ocsp.h"
#include "policy/trust.h"

#include <openssl/x509v3.h>

enum {
	REVOCATION_LISTS_MAX = 64,       /* kept at once in a process */
	REVOCATION_BYTES_MAX = 2 << 20,  /* of one list: parsing takes the loop's time. Larger ones go into files */
	REVOCATION_FRESH_S = 3600,       /* a list is asked for anew after this long, or when it says so itself */
	REVOCATION_LEAST_S = 60,
	REVOCATION_RETRY_S = 30,         /* after a failure */
	REVOCATION_TIMEOUT_MS = 5000,
};

struct revocation_link {                 /* a certificate of the chain, about which no list is at hand */
	struct ocsp_state ocsp;
	struct fetched list;
	bool unknown;                    /* the responder has said nothing: the list is next */
};
struct revocation_state {                /* zero it */
	struct revocation_link links[TRUST_CHAIN_MAX];
	size_t n, at;
	bool revoked;                    /* a responder has said so of one */
	STACK_OF(X509_CRL) *got;         /* borrowed lists */
	STACK_OF(X509) *good;            /* of these a responder has said that they are good. Borrowed */
};

/* Notes what has to be asked for a chain that is good: about certificates of issuers that `t` has no list of. The state
 * must live until the exchange ends. */
bool revocation_plan(struct exchange *x, const struct trust *t, const STACK_OF(X509) *chain, struct revocation_state *s) MUST_USE;
/* STEP_NEXT when all that can be had is in s->got and s->good, or s->revoked is set. */
enum step revocation_step(struct exchange *x, struct revocation_state *s);

/* Seconds from now; a time that is not understood is long ago. */
int64_t revocation_seconds_until(const ASN1_TIME *t, int64_t now_us);
/* A copy of an address of http or https; STR_NULL: it is none. */
struct str revocation_address(struct arena *a, const GENERAL_NAME *n);

void revocation_forget(void);            /* for tests */
