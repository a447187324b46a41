/* credential_rotate.h - replacing the secret of a credential at its provider: what is asked, and what the answer says. No network.
 *
 * Settings of the credential (core/credential.h) say how:
 *   rotate = rfc7592   OAuth 2.0 Dynamic Client Registration Management: the client's configuration is read at rotate-url with
 *                      the registration access token (rotate-token) and put back without its secret, and the provider makes
 *                      another one. A new registration access token takes the place of the old one.
 *   rotate = http      one request that rotate-url, rotate-method and rotate-body describe; the new secret stands in the answer
 *                      at rotate-path. Authorization is rotate-token, or an access token of the credential itself
 *                      (rotate-auth = own), asked for with rotate-scope.
 *   rotate = vault     the vault makes the new secret (rotate-vault names its path, such as database/rotate-role/erp) where the
 *                      credential's secret is a reference to it.
 * Nothing here puts a secret into a message. */
#pragma once

#include "core/credential.h"

enum rotation { ROTATION_NONE, ROTATION_RFC7592, ROTATION_HTTP, ROTATION_VAULT };
enum { ROTATION_DAYS = 30 };

enum rotation rotation_of(const struct credential *c);
int64_t rotation_days(const struct credential *c);
/* Which settings fit together; for credential_check. */
GH_RC rotation_check(const struct credential *c, struct gh_err *err);

/* rfc7592: the body of the PUT for a configuration that was read. STR_NULL: no memory. */
struct str rotation_put_body(struct arena *a, const json_t *configuration);
/* http: rotate-body with {{client-id}}, {{now}} and {{until}} (now and twice rotate-days from it, RFC 3339) filled in. */
struct str rotation_body(struct arena *a, const struct credential *c, int64_t now_us);

/* The new secret in an answer; path is the credential's for http ("$.secretText", "$.data[0]['key']"). INVALID says why there
 * is none: not there, no text, or the one that there was. */
GH_RC rotation_secret(struct arena *a, const json_t *answer, struct str path, struct str old, struct str *out, struct gh_err *err);
