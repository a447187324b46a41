/* roles.h - roles that people made, who has which role where, and where things belong. What a role allows is decided above
 * (config/rights.h). Writing functions need a transaction. */
#pragma once

#include "db/resources.h"

struct store_role {
	struct str id, name, description;
	struct str permissions;          /* blank-separated names */
};
GH_RC store_role_create(struct store *s, const struct store_role *r, struct gh_err *err);
GH_RC store_role_update(struct store *s, const struct store_role *r, struct gh_err *err);
GH_RC store_role_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_role_find(struct store *s, struct arena *a, struct str id, struct store_role *out, bool *found, struct gh_err *err);
GH_RC store_roles(struct store *s, struct arena *a, struct store_role **out, size_t *n, struct gh_err *err);

/* Of a person or a group (the other is STR_NULL); everywhere where environment and business group are STR_NULL. */
struct store_assignment {
	struct str id, role, user_id, group_id, environment_id, business_group_id;
};
GH_RC store_assignment_create(struct store *s, const struct store_assignment *v, struct gh_err *err);
GH_RC store_assignment_update(struct store *s, const struct store_assignment *v, struct gh_err *err);
GH_RC store_assignment_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_assignment_find(struct store *s, struct arena *a, struct str id, struct store_assignment *out, bool *found,
			    struct gh_err *err);
GH_RC store_assignments(struct store *s, struct arena *a, struct store_assignment **out, size_t *n, struct gh_err *err);
/* Those of the person and of the groups that the person is in. */
GH_RC store_assignments_of(struct store *s, struct arena *a, struct str user, struct store_assignment **out, size_t *n,
			   struct gh_err *err);

/* The group, its parts and theirs, and all environments that they own: kind "business-group" or "environment". */
GH_RC store_places_of_group(struct store *s, struct arena *a, struct str group, struct store_resource_use **out, size_t *n,
			    struct gh_err *err);
/* The roles that somebody or a machine token has in the group, given there or in a group that it is a part of: rows of kind "role". */
GH_RC store_roles_in_group(struct store *s, struct arena *a, struct str group, struct store_resource_use **out, size_t *n,
			   struct gh_err *err);

enum store_placed { STORE_PLACE_API, STORE_PLACE_PRODUCT, STORE_PLACE_TIER, STORE_PLACE_APPLICATION, STORE_PLACE_SUBSCRIPTION };
/* What the thing belongs to: rows of kind ("environment", "business-group", "product", "api", "all") and id. None: there is
 * no such thing. */
GH_RC store_places(struct store *s, struct arena *a, enum store_placed what, struct str id, struct store_resource_use **out, size_t *n,
		   struct gh_err *err);
