/* governance.h - rulesets of governance and exceptions from their rules. Whoever saves one has checked it (config/governance/);
 * the store keeps the texts. */
#pragma once

#include "db/store.h"

struct store_governance_ruleset {
	struct str id;
	struct str name, description;
	bool enabled;
	struct str rules;                /* YAML; empty: those of the ruleset of that id in the program */
	struct str environments, tags;   /* JSON arrays of texts */
	struct str severities;           /* JSON object */
	int64_t changed_us;              /* set by the store */
};

struct store_governance_exception {
	struct str id;
	struct str api_id;               /* STR_NULL: all APIs */
	struct str rule;                 /* "security/authentication" */
	struct str reason, owner;
	int64_t ends_us;                 /* it holds until then */
	int64_t created_us;              /* set by the store */
};

GH_RC store_governance_ruleset_set(struct store *s, const struct store_governance_ruleset *r, struct gh_err *err);     /* makes or replaces */
GH_RC store_governance_ruleset_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_governance_ruleset_find(struct store *s, struct arena *a, struct str id, struct store_governance_ruleset *out, bool *found,
				    struct gh_err *err);
GH_RC store_governance_rulesets(struct store *s, struct arena *a, struct store_governance_ruleset **out, size_t *n, struct gh_err *err);

GH_RC store_governance_exception_set(struct store *s, const struct store_governance_exception *e, struct gh_err *err); /* makes or replaces */
GH_RC store_governance_exception_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_governance_exception_find(struct store *s, struct arena *a, struct str id, struct store_governance_exception *out, bool *found,
				      struct gh_err *err);
GH_RC store_governance_exceptions(struct store *s, struct arena *a, struct store_governance_exception **out, size_t *n, struct gh_err *err);
