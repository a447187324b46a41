/* person.h - one person, for the page and the management API: what he did, and what may be done to his account. */
#pragma once

#include "db/audit.h"
#include "portal/admin/admin.h"

enum { PERSON_SUBSCRIPTIONS = 50 };      /* that are shown */

/* Of those subscriptions: the last calls, newest first; why calls were refused or failed lately, the most frequent first. */
GH_RC person_calls(struct web *w, const struct store_subscription *subs, size_t n, struct store_call **out, size_t *n_out, struct gh_err *err);
GH_RC person_refusals(struct web *w, const struct store_subscription *subs, size_t n, struct store_reason **out, size_t *n_out, struct gh_err *err);
/* What he did and what was done to his account, as one list, newest first. */
GH_RC person_trail(struct web *w, const struct store_user *u, struct store_audit_entry **out, size_t *n_out, struct gh_err *err);

struct person_deed {
	struct str name;                 /* "suspend", "restore", "approve", "reject", "groups", "move", "sign-out",
					  * "reset-second-factor" */
	json_t *groups;                  /* of "groups": their ids (borrowed) */
	struct str to;                   /* of "move": the address of the account that gets what he has */
};
bool person_deed_known(struct str deed);
/* In the change. DENIED: the account has rights that the viewer lacks (config/guard.h). CONFLICT: the state of the account does not allow it, or it is the caller's own; INVALID: `to` is no other account.
 * *text says what was done. */
GH_RC person_do(struct web *w, struct resource_change *c, const struct store_user *u, const struct person_deed *d, struct str *text,
		struct gh_err *err);

/* bulk.c: one deed for many, in one change. */
enum { BULK_MAX = 1000 };
struct bulk_item {
	struct str id, name;
	struct str why;                  /* why it was passed over; STR_NULL: it was done */
};
bool bulk_deed_known(struct str plural, struct str deed);
/* *at: which one was refused, when it fails. */
GH_RC bulk_do(struct web *w, struct resource_change *c, struct str plural, struct str deed, struct str note, struct bulk_item *v,
	      size_t n, size_t *at, struct gh_err *err);
