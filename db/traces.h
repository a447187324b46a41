/* traces.h - who may have calls traced, and who may see which trace: one place for the command line and the portal.
 *
 * An administrator may trace all calls and see every trace whole. Anybody else may trace calls of the subscriptions that are
 * his (his own, or of an application of which he is an owner), sees traces of those only, and does not see what was added
 * for the backend (core/trace_view.h). What is not his is answered as if it were not there. Credentials: core/trace_token.h.
 *
 * `user_id` is who asks; STR_NULL is the operator at the machine, who may do what an administrator may. */
#pragma once

#include "core/cache.h"
#include "core/json.h"
#include "core/trace_token.h"
#include "db/store.h"
#include "db/subscriptions.h"

enum { STORE_TRACE_SUBSCRIPTIONS_MAX = 200 };    /* of one person: whose lists are looked at */

/* A credential for what the claims say, in a transaction of its own that leaves an audit entry by `actor`. NOT_FOUND: the
 * subscription is not there, or not his. DENIED: all calls, and he is no administrator. */
GH_RC store_trace_token(struct store *s, struct arena *a, struct str user_id, struct str actor, const struct trace_claims *claims,
			struct str *token, struct gh_err *err);

/* Subscriptions whose calls he may trace; of an administrator his own too. At most STORE_TRACE_SUBSCRIPTIONS_MAX. */
GH_RC store_trace_subscriptions(struct store *s, struct arena *a, struct str user_id, struct store_subscription **out, size_t *n,
				struct gh_err *err);

/* The traces that he may see, newest first: an array of objects with id, time, api, operation, subscription, failure, status,
 * method and path, freed with the arena. subscription STR_NULL: of all that are his (of an administrator: all calls). */
GH_RC store_traces(struct store *s, struct arena *a, struct cache *c, struct str user_id, struct str subscription, json_t **out,
		   struct gh_err *err);
/* One trace, as he may see it. NOT_FOUND: it is not there any more, or not his. */
GH_RC store_trace(struct store *s, struct arena *a, struct cache *c, struct str user_id, struct str id, json_t **out,
		  struct gh_err *err);
