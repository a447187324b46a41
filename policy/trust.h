/* trust.h - which certificates of clients are believed: authorities, and lists of what they have revoked.
 *
 * Whoever builds a configuration makes one, with the authorities of the store and the lists of files, and hands it out as
 * policy_host.trust. It is immutable; several threads may use it at once. Building one reads the system's authorities the
 * first time (a file of some hundred kilobytes): not on a loop.
 *
 * A chain (RFC 5280 section 6) ends at an authority of the store, whether that is a root or not, or at one of the system.
 * Weak signatures (SHA-1 and older) and RSA below 1024 bits are no links of a chain. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

#include <openssl/x509.h>

enum {
	TRUST_CHAIN_MAX = 10,            /* certificates of a chain that are looked at */
	TRUST_TEXT_MAX = 1 << 20,        /* bytes of a certificate with its chain */
	TRUST_AUTH_LEVEL = 1,            /* OpenSSL's scale: 80 bits of security */
};

#define TRUST_REVOKED "it or a certificate above it has been revoked"

struct exchange;
struct policy_host;
struct trust;

struct trust_options {
	const struct str *authorities;   /* PEM, each with one certificate or several */
	size_t n_authorities;
	const struct str *lists;         /* of revoked certificates: PEM with one or several, or DER */
	size_t n_lists;
	bool system;                     /* the authorities of this machine count too */
	struct str responder;            /* OCSP responder that is asked in place of those of certificates; STR_NULL: none */
};

/* INVALID when a text holds none: the message counts from 0. Texts may go after the call. */
GH_RC trust_new(struct trust **out, const struct trust_options *o, struct gh_err *err);
void trust_free(struct trust *t);        /* NULL is fine */
/* The host's, or when it has none that of the system's authorities. NULL: out of memory. */
const struct trust *trust_of(const struct policy_host *host, struct exchange *x);

/* ---- reading ------------------------------------------------------------------------------------------------------- */

/* The first certificate of PEM or DER, the others of PEM onto *more (may be NULL). NULL: there is none. Free both. */
X509 *trust_read_certificate(struct str text, STACK_OF(X509) *more);
/* All lists of PEM, or the one of DER, onto `to`. False: there is none, or memory is out. */
bool trust_read_lists(struct str text, STACK_OF(X509_CRL) *to);

/* ---- checking ------------------------------------------------------------------------------------------------------ */

struct trust_rules {
	int64_t now_us;
	bool not_before, not_after;      /* times of the certificates count (those of lists always do) */
	bool revocation;                 /* every certificate below the authority must stand on a current list's good side */
	bool unknown_is_good;            /* but where there is no list, it is taken for good */
	bool any_purpose;                /* not only certificates that clients may show */
	STACK_OF(X509_CRL) *lists;       /* more of them; NULL: none. Borrowed */
	STACK_OF(X509) *good;            /* a responder has said of these that they are not revoked; NULL: none. Borrowed */
};

/* NULL: the chain is good. Otherwise what is wrong, for a person; a fixed text. *chain: as far as it could be built, the
 * leaf first; a link of a chain that is not good may be forged (ask trust_issued). Free with sk_X509_pop_free; NULL: out of
 * memory. */
const char *trust_check(const struct trust *t, X509 *leaf, STACK_OF(X509) *more, const struct trust_rules *r,
			STACK_OF(X509) **chain);
bool trust_issued(X509 *issuer, X509 *subject);          /* by name and by signature */
/* The address of trust_options.responder. */
struct str trust_responder(const struct trust *t);
/* Is a list of this issuer there that is valid now? */
bool trust_has_list(const struct trust *t, const X509_NAME *issuer, int64_t now_us);
