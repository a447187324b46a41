/* consumer_rules.h - what one subscription may do at an API: with which methods, which operations, how often.
 *
 * So several consumers of one product have rules of their own without a product each. Of the rules of a subscription the one
 * for the API that is called holds, else the one for every API. A rule with limits takes the place of the limits of the tier
 * for the calls that it is about; those of policy documents hold besides. The gateway reads rules with the subscription (not
 * with its snapshot), so a change binds the next call. Writing functions need a transaction. */
#pragma once

#include "db/tiers.h"

enum { STORE_RULES_MAX = 64, STORE_RULE_TEXT_MAX = 8192 };   /* of one subscription; bytes of methods, of operations */

struct store_consumer_rule {
	struct str subscription_id;
	struct str api_id;               /* STR_NULL: every API that has no rule of its own */
	struct str methods;              /* "GET,HEAD", as they are written in a request; STR_NULL: any */
	struct str operations;           /* ids of operations of the API, separated by commas; STR_NULL: any */
};

/* In place of the rule for the same API, with its limits. INVALID: a method or a limit that cannot be, operations without an
 * API or that it does not have; LIMIT: more than STORE_RULES_MAX; NOT_FOUND: no such subscription. */
GH_RC store_consumer_rule_set(struct store *s, struct arena *a, const struct store_consumer_rule *r, const struct store_limit *v,
			      size_t n, struct gh_err *err);
GH_RC store_consumer_rule_delete(struct store *s, struct str subscription_id, struct str api_id, struct gh_err *err);
/* By API; the one for every API first. */
GH_RC store_consumer_rules(struct store *s, struct arena *a, struct str subscription_id, struct store_consumer_rule **out, size_t *n,
			   struct gh_err *err);
/* Of one of them, the shortest windows first. */
GH_RC store_consumer_rule_limits(struct store *s, struct arena *a, struct str subscription_id, struct str api_id,
				 struct store_limit **out, size_t *n, struct gh_err *err);
