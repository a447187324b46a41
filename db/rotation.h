/* rotation.h - where the automatic replacement of a credential's secret stands (core/credential.h says how it is done, the
 * keeper does it). The new secret is kept beside the old one until it has worked. */
#pragma once

#include "db/store.h"

struct store_rotation {
	struct str environment_id, credential_id;
	int64_t rotated_us, tried_us;            /* 0: never */
	bool wanted;                             /* asked for, whatever the date */
	struct str next;                         /* in clear; STR_NULL: none is waiting */
	struct str problem;                      /* STR_NULL or empty: none */
};

/* In a transaction. `action` goes into the audit trail; NULL: nothing does. */
GH_RC store_rotation_set(struct store *s, const struct store_rotation *r, const char *action, struct gh_err *err);
GH_RC store_rotation_find(struct store *s, struct arena *a, struct str environment_id, struct str id, struct store_rotation *out,
			  bool *found, struct gh_err *err);
/* Asks for a new secret, whatever the date. NOT_FOUND; INVALID: nothing replaces it by itself. */
GH_RC store_rotation_want(struct store *s, struct arena *a, struct str environment_id, struct str id, struct gh_err *err);
/* Without the secrets that wait. */
GH_RC store_rotations(struct store *s, struct arena *a, struct store_rotation **out, size_t *n, struct gh_err *err);
