/* auth_server.h - the authorization server below the gateway's mount, for applications that have a client id and a secret.
 *
 *   POST /-/oauth2/token         client credentials (RFC 6749 section 4.4), client_secret_basic and client_secret_post
 *   POST /-/oauth2/revoke        RFC 7009
 *   POST /-/oauth2/introspect    RFC 7662, for tokens of this installation
 *   GET  /-/oauth2/jwks          keys of access tokens (RFC 7517)
 *   GET  /-/oauth2/.well-known/openid-configuration, …/oauth-authorization-server     RFC 8414
 *   GET  /-/identity/jwks, /-/identity/.well-known/openid-configuration               keys of identities for backends
 *
 * Also at the root of the host as RFC 8414 wants it: /.well-known/oauth-authorization-server/MOUNT/-/oauth2.
 *
 * Access tokens are JWTs (RFC 9068); their scopes are the products that the application is subscribed to. Their issuer is
 * oauth.public_url with /-/oauth2 behind it, or, when that is not set, the address under which the token was asked for. */
#pragma once

#include "fcgi/call_gate.h"

/* Whether the path is one of these: behind the mount, or (mounted false) at the root of the host. Then the call is the
 * authorization server's: auth_begin. */
bool auth_serves(const struct call *k, struct str path, bool mounted);
void auth_begin(struct call *k, struct gate_state *g);
void auth_drop(struct call *k);          /* the call goes away */

/* Address of what stands behind the mount, as callers see it. */
struct str auth_issuer(const struct call *k, struct str behind_mount, const struct url *asked);
