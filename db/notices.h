/* notices.h - what happens to a subscription, and who is told. Each function that changes something adds its mails to the queue
 * (db/mail.h) in the present transaction, so that a change and its message cannot part.
 *
 * Told are its owners: its user, or all owners of its application. `site` makes the links; NULL, or an address that is STR_NULL:
 * a mail without a link. */
#pragma once

#include "core/config.h"
#include "db/requests.h"

/* Both end with a slash: "https://apis.example.com/", "https://apis.example.com/admin/". */
struct store_site {
	struct str portal, dashboard;
};
/* From web.public_url and the base paths; both are STR_NULL when it is not set. */
struct store_site store_site_of(struct arena *a, const struct config *config);
/* "https://apis.example.com/admin/" of an origin and a base path, whatever slashes they have. */
struct str store_site_address(struct arena *a, struct str origin, struct str base_path);

/* Somebody asked for a subscription that waits for approval, or (r->tier_id) for another tier: keeps the request and tells whoever
 * may approve (config/rights.h says who), with the message, and the owners. */
struct store_ask {
	struct store_request request;
	struct str asker_email;
	const struct store_user *approvers;
	size_t n_approvers;
	const struct store_site *site;           /* NULL: mails have no links */
};
GH_RC store_ask(struct store *s, struct arena *a, const struct store_ask *ask, struct gh_err *err);

/* Sets the state as store_subscription_set_state does and tells the owners: approved, rejected, suspended, restored or
 * cancelled, with the note. An open request is over with it. NOT_FOUND when there is no such subscription; the present state
 * again is fine and tells nobody. */
GH_RC store_subscription_change(struct store *s, struct arena *a, struct str id, enum store_subscription_state state,
				struct str note, const struct store_site *site, struct gh_err *err);
/* NOT_FOUND: there is no such tier; INVALID: it is not of what the subscription opens. STR_NULL is no tier. */
GH_RC store_check_tier(struct store *s, struct arena *a, const struct store_subscription *sub, struct str tier_id, struct gh_err *err);
/* Another tier of its product (STR_NULL: none), told to the owners; an open wish is over with it. The same again tells nobody. */
GH_RC store_subscription_change_tier(struct store *s, struct arena *a, struct str id, struct str tier_id, struct str note,
				     const struct store_site *site, struct gh_err *err);
/* The wish for another tier is not granted. NOT_FOUND: there is none. */
GH_RC store_tier_refuse(struct store *s, struct arena *a, struct str id, struct str note, const struct store_site *site,
			struct gh_err *err);
/* A tier no longer needs approval: grants what waits for it. Of a product that asks for approval itself only wishes are granted. */
GH_RC store_tier_grant_waiting(struct store *s, struct arena *a, const struct store_tier *t, const struct store_site *site,
			       struct gh_err *err);

/* For the keeper, in a transaction of its own: warns of ends 30, 10 and 1 days ahead, each once. Looks at most at
 * NOTICE_EXPIRIES_MAX subscriptions a stage; *more: call again. */
enum { NOTICE_EXPIRIES_MAX = 200 };
GH_RC store_warn_of_ends(struct store *s, struct arena *a, int64_t now_us, const struct store_site *site, bool *more,
			 struct gh_err *err);
