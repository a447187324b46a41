/* cert_match.h - does a certificate have what a policy names: fingerprints, numbers, names. All comparisons are without
 * case; hexadecimal may hold blanks and colons. */
#pragma once

#include "core/arena.h"

#include <openssl/x509.h>

bool cert_has_thumbprint(const X509 *c, struct str sha1_hex);
bool cert_has_serial(const X509 *c, struct str hex);
bool cert_has_common_name(struct arena *a, const X509 *c, struct str want);
/* One of the dNSName entries of the subject's alternative names, as it stands there: "*.a.example" is that text. */
bool cert_has_dns_name(const X509 *c, struct str want);
/* "CN=x, O=\"y, z\", C=US" in either order: quotes (doubled inside) and backslashes as RFC 4514 and Windows write them. */
bool cert_name_is(struct arena *a, const X509_NAME *name, struct str written);
/* For checks on save: can it be a distinguished name at all? */
bool cert_name_ok(struct arena *a, struct str written);
