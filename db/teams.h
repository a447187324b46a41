/* teams.h - who owns an application, who is invited to, and what is somebody's own.
 *
 * An application may have several owners with equal rights; the last one stays. Whoever is invited by mail address finds the
 * invitation when signed in with that address, which the portal has confirmed. A subscription is somebody's own when it is
 * his (user_id) or of an application that he owns: one question, asked here for pages, usage and traces alike. All writing
 * functions need a transaction. */
#pragma once

#include "db/subscriptions.h"
#include "db/users.h"

enum { STORE_TEAM_MAX = 20, STORE_APPLICATIONS_MAX = 50, STORE_OWN_SUBSCRIPTIONS_MAX = 2000 };

struct store_invitation {
	struct str id, application_id, email, invited_by;
	int64_t created_us, ends_us;
};

GH_RC store_application_owners(struct store *s, struct arena *a, struct str id, struct store_user **out, size_t *n,
			       struct gh_err *err);          /* by address */
GH_RC store_application_owned_by(struct store *s, struct str id, struct str user_id, bool *yes, struct gh_err *err);
/* CONFLICT when nobody else owns it; NOT_FOUND when he does not. */
GH_RC store_application_leave(struct store *s, struct str id, struct str user_id, struct gh_err *err);

/* One address is invited once: again makes the time of its invitation begin anew. LIMIT when the team with the invited ones has
 * STORE_TEAM_MAX people. */
GH_RC store_invitation_create(struct store *s, struct arena *a, const struct store_invitation *v, struct gh_err *err);
GH_RC store_invitations_of_application(struct store *s, struct arena *a, struct str id, struct store_invitation **out, size_t *n,
				       struct gh_err *err);
GH_RC store_invitations_for(struct store *s, struct arena *a, struct str email, struct store_invitation **out, size_t *n,
			    struct gh_err *err);
/* Joins the team and forgets the invitation. NOT_FOUND: none of that id for that address, or it has ended. */
GH_RC store_invitation_accept(struct store *s, struct arena *a, struct str id, const struct store_user *user, struct gh_err *err);
/* By the one who was invited (email), or by an owner (application_id): the one that is not STR_NULL must fit. */
GH_RC store_invitation_drop(struct store *s, struct arena *a, struct str id, struct str application_id, struct str email,
			    struct gh_err *err);

/* By id; at most STORE_OWN_SUBSCRIPTIONS_MAX. */
GH_RC store_own_subscriptions(struct store *s, struct arena *a, struct str user_id, struct store_subscription **out, size_t *n,
			      struct gh_err *err);
GH_RC store_subscription_owned_by(struct store *s, const struct store_subscription *sub, struct str user_id, bool *yes,
				  struct gh_err *err);
