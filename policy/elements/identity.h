/* identity.h - a token for the backend, from the installation's token endpoint, kept in the cache until it expires. */
#pragma once

#include "policy/element.h"

struct identity_config {             /* authentication-managed-identity */
	struct arg resource, client_id, variable, ignore_error;
};
extern const struct element_schema managed_identity_schema;

/* Fails the exchange as the host's answer says: status, reason, Retry-After. what: "There is no token of …". */
enum step authorization_failed(struct exchange *x, const struct authorization_op *op, struct str reason, struct str what);

struct identity_state {
	struct authorization_op *asked;      /* of a host that has a credential manager */
	struct str resource, client_id, cache_key;
	struct cache_op *look, *keep;
	struct subrequest *call;
	struct str token;            /* STR_NULL when it could not be had and ignore-error is set */
};

/* Steps on: STEP_NEXT when state->token is there, STEP_WAIT, or STEP_FAIL. Zero the state first. */
enum step identity_token(struct exchange *x, const struct identity_config *c, struct identity_state *s);
