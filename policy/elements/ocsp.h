/* ocsp.h - asking whether one certificate has been revoked: the Online Certificate Status Protocol (RFC 6960) in its
 * lightweight profile (RFC 5019).
 *
 * A responder is asked by POST, off the loop; its answer is kept for the process and shared with others (policy/fetched.h)
 * until it is due, so there is no nonce. An answer counts when the issuer of the certificate has signed it, or somebody
 * whom the issuer has given a certificate for that (id-kp-OCSPSigning), and when its times are right. */
#pragma once

#include "policy/fetched.h"

#include <openssl/x509.h>

enum {
	OCSP_ANSWERS_MAX = 256,          /* kept at once in a process */
	OCSP_BYTES_MAX = 64 << 10,       /* of one answer, with the responder's certificates */
	OCSP_FRESH_S = 3600,             /* asked anew after this long, or when the answer says so itself */
	OCSP_LEAST_S = 60,               /* but not sooner; also for answers that say nothing */
	OCSP_SKEW_S = 300,               /* how much the responder's clock may be ahead */
	OCSP_AGE_S = 86400,              /* oldest answer that does not say how long it is good */
	OCSP_RETRY_S = 30,               /* after a failure */
	OCSP_TIMEOUT_MS = 5000,
};

struct ocsp_state {                      /* zero it; ocsp_ask fills it */
	struct fetched fetched;          /* .thing NULL at the end: nothing is known, .why says why */
	X509 *cert, *issuer;             /* borrowed until the end of the exchange */
};

/* Prepares the question. responder: the address to ask; STR_NULL: the one that the certificate names (authority
 * information access, RFC 5280 section 4.2.2.1). Only addresses of http and https count. False: out of memory;
 * s->fetched.url is empty when there is nobody to ask. */
bool ocsp_ask(struct exchange *x, X509 *cert, X509 *issuer, struct str responder, struct ocsp_state *s) MUST_USE;
enum step ocsp_step(struct exchange *x, struct ocsp_state *s);       /* until it is not STEP_WAIT */
bool ocsp_revoked(const struct ocsp_state *s);                       /* with fetched.thing; false: it is good */

void ocsp_forget(void);                  /* for tests */

/* ---- for fuzzing -------------------------------------------------------------------------------------------------- */
struct ocsp_answer {
	bool revoked;
	int64_t fresh_s, stale_s;
};
/* False with *why (fixed text): it does not say, or must not be believed. */
bool ocsp_read(struct str der, X509 *cert, X509 *issuer, int64_t now_us, struct ocsp_answer *out, const char **why);
