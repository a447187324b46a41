/* rulesets.h - the rulesets that hold in an installation: those in the program (config/governance/builtin/) and those of the store.
 *
 * A ruleset of the store with the id of one in the program changes it: switches it off, narrows it, gives rules other severities, and
 * with a text of its own takes its place. */
#pragma once

#include "config/governance/rule.h"
#include "db/governance.h"

struct governance_shipped {
	const char *id, *text;           /* "security", its YAML */
};
extern const struct governance_shipped governance_shipped[];     /* by id; ends with a NULL id */
const struct governance_shipped *governance_shipped_find(struct str id);

struct governance_set {
	struct governance_ruleset ruleset;       /* severities put in */
	bool built_in, enabled, own_text;
	bool stored;                             /* the store has a resource of this id */
	struct str *environments, *tags;         /* none: all */
	size_t n_environments, n_tags;
	struct str problem;                      /* it cannot be read, and says nothing; STR_NULL: fine */
};

/* All of them, enabled or not, by id. A text that is wrong (written by another version) is a set with a problem. */
GH_RC governance_rulesets(struct arena *a, struct store *s, struct governance_set **out, size_t *n, struct gh_err *err);
/* Whether it judges an API of that environment with these tags. */
bool governance_set_holds(const struct governance_set *s, struct str environment, const struct str *tags, size_t n_tags);
