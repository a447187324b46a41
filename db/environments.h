/* environments.h - business groups and environments, and the settings of an installation.
 *
 * A business group owns environments, APIs, products and applications; "default" is there from the start. An environment
 * ("sandbox", "production") is reached by host name, by path prefix, or by both; "default" has neither and takes what no
 * other environment takes. */
#pragma once

#include "db/store.h"

struct store_business_group {
	struct str id, name, parent_id;          /* parent_id: STR_NULL at the top */
};

struct store_environment {
	struct str id, name, business_group_id;
	struct str host;                         /* lower case; STR_NULL: any */
	struct str path_prefix;                  /* "sandbox", without slashes around it; STR_NULL: none */
	struct str kind;                         /* "production" or "sandbox" */
	struct str variables;                    /* JSON: [{"name", "value"}]; STR_NULL: none */
};

GH_RC store_business_group_create(struct store *s, const struct store_business_group *g, struct gh_err *err);
GH_RC store_business_group_update(struct store *s, const struct store_business_group *g, struct gh_err *err);
GH_RC store_business_group_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_business_groups(struct store *s, struct arena *a, struct store_business_group **out, size_t *n, struct gh_err *err);

GH_RC store_environment_create(struct store *s, const struct store_environment *e, struct gh_err *err);
GH_RC store_environment_update(struct store *s, const struct store_environment *e, struct gh_err *err);
GH_RC store_environment_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_environment_find(struct store *s, struct arena *a, struct str id, struct store_environment *out, bool *found,
			     struct gh_err *err);
GH_RC store_environments(struct store *s, struct arena *a, struct store_environment **out, size_t *n, struct gh_err *err);

/* Named texts that a person sets in the dashboard ("portal.title"). Setting counts as a change of the configuration. */
GH_RC store_setting_get(struct store *s, struct arena *a, struct str name, struct str *out, bool *found, struct gh_err *err);
GH_RC store_setting_set(struct store *s, struct str name, struct str value, struct gh_err *err);
GH_RC store_setting_unset(struct store *s, struct str name, struct gh_err *err);
