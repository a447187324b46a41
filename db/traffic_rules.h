/* traffic_rules.h - where calls of an API go besides its backend: canary, mirror, faults (core/traffic_rule.h). */
#pragma once

#include "db/store.h"

enum store_canary_state { STORE_CANARY_RUNNING, STORE_CANARY_PAUSED, STORE_CANARY_ROLLED_BACK };
extern const char *const store_canary_state_names[];     /* "running", …; ends with NULL */

struct store_traffic_rule {
	struct str api_id;
	struct str canary, mirror, faults;       /* JSON; empty: none */
	int64_t canary_state;                    /* enum store_canary_state */
	int64_t since_us;                        /* when the canary was begun, also anew */
	int64_t rolled_back_us;                  /* 0: it was not */
	struct str rolled_back_why;
	int64_t changed_us;
};

/* Makes or replaces. */
GH_RC store_traffic_rule_set(struct store *s, const struct store_traffic_rule *r, struct gh_err *err);
/* For the keeper, what the gateways have done already: the canary that was begun at since_us has no more calls. *done false: it is
 * another canary by now, or its end stands there already. */
GH_RC store_canary_roll_back(struct store *s, struct str api_id, int64_t since_us, struct str why, bool *done, struct gh_err *err);
GH_RC store_traffic_rule_delete(struct store *s, struct str api_id, struct gh_err *err);
GH_RC store_traffic_rule_find(struct store *s, struct arena *a, struct str api_id, struct store_traffic_rule *out, bool *found,
			      struct gh_err *err);
/* By API. */
GH_RC store_traffic_rules(struct store *s, struct arena *a, struct store_traffic_rule **out, size_t *n, struct gh_err *err);
