/* rotate.h - replaces the secrets of credentials at their providers when their time has come (core/credential_rotate.h).
 *
 * The order makes that no crash and no slow provider leaves the gateway without a secret that works: what the provider has made is
 * written into the store first, tried at the token endpoint then, and only when it has worked it takes the place of the old one.
 * Until then the old one goes on, the new one is tried again each minute, and `gatehouse doctor` tells. With rfc7592 a secret that
 * the provider has made and that was lost on the way is read from the client's configuration.
 *
 * Blocks for as long as providers take (credential.timeout_ms a request): for the thread of keeper/secrets.h, whose store handle
 * and vault it uses. */
#pragma once

#include "core/secret_ref.h"
#include "db/store.h"

struct rotator;

GH_RC rotator_new(const struct config *config, struct rotator **out, struct gh_err *err);
void rotator_free(struct rotator *r);        /* NULL is fine */
/* What is due, at most once a few seconds. True: the vault has made a new secret; references are to be read again. */
bool rotator_turn(struct rotator *r, struct store *s, struct secret_source *source, struct arena *a);
