/* certificate.h - what a certificate says of itself, and whether a key belongs to it. */
#pragma once

#include "core/arena.h"
#include "db/certificates.h"

/* A PKCS#12 archive (RFC 7292: .pfx, .p12) as PEM: the certificate with its chain, and its key in clear. INVALID: no archive, a wrong
 * password, no certificate in it. Texts in the arena; *key STR_NULL: there is none. */
GH_RC certificate_unpack(struct arena *a, struct str archive, struct str password, struct str *pem, struct str *key, struct gh_err *err);

/* Fills subject, thumbprint and dates from c->pem (the first certificate in it). With a key_pem: it must be a private key of it
 * that needs no password. INVALID says what is wrong; *of_key (may be NULL) whether it is the key. Texts in the arena. */
GH_RC certificate_describe(struct arena *a, struct store_certificate *c, bool *of_key, struct gh_err *err);
