/* promote.h - an API from one environment into another: a new instance, or the earlier one brought up to date.
 *
 * The instance is the API at the same path and version in the target; when there is none, it is made under the id of the source with the
 * environment behind it ("orders" or "orders-sandbox" gives "orders-production"). What goes along are documents, which pass the same walk
 * as configuration files: so there is a diff, and everything or nothing is done.
 *
 * The backend address: an address that begins with a variable's value of the source environment begins with the value of the
 * variable of the same name in the target. With none the instance keeps the address that it has. */
#pragma once

#include "config/files/plan.h"

struct promotion {
	struct str api, from, to;        /* from empty: wherever it stands */
	struct str backend;              /* address in place of the variable's; empty: none */
	bool policies;                   /* policy documents, access and network rules */
	bool tiers;                      /* the products that it is in, with their tiers */
	bool contracts;                  /* and their active subscriptions, with keys of their own */
	bool alerts;                     /* alert rules about it */
	/* out */
	struct str instance;
	struct str *alert_ids;           /* that are made or replaced */
	size_t n_alerts;
	bool lacks_address;              /* it was refused because nothing says where the backend is */
};
extern const char *const promotion_parts[];      /* "policies", "tiers", "alerts", "contracts"; ends with NULL */
/* "policies,tiers" into the booleans. INVALID: a word is none. */
GH_RC promotion_with(struct promotion *p, struct str words, struct gh_err *err);

/* What plan_run is to be given: all of it, alert rules too, is one transaction then. */
GH_RC promotion_set(struct store *s, struct arena *a, struct promotion *p, struct files_set *set, struct gh_err *err);
