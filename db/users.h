/* users.h - people, groups and applications.
 *
 * A user has one role in the administration ("administrator", ... or "developer" for none). Groups decide who sees which
 * product. An application belongs to users and holds subscriptions. */
#pragma once

#include "db/store.h"

enum store_user_state { STORE_USER_PENDING, STORE_USER_ACTIVE, STORE_USER_BLOCKED };

struct store_user {
	struct str id;                   /* STR_NULL at creation: one is made */
	struct str email;                /* unique without regard to case */
	struct str first_name, last_name;
	struct str password_hash;        /* crypto_password_hash; STR_NULL: cannot sign in with a password */
	struct str role;                 /* "administrator", "operator", "publisher", "auditor" or "developer" */
	int64_t state;                   /* enum store_user_state */
	int64_t created_us, signed_in_us;
	struct str note;
};

struct store_group {
	struct str id, name, description;
	bool built_in;                   /* administrators, developers, guests */
};

struct store_application {
	struct str id, name, description, redirect_url;
	struct str business_group_id;    /* STR_NULL: "default" */
	int64_t created_us;
};

GH_RC store_user_check_email(struct str email, struct gh_err *err);        /* INVALID: it is none */
GH_RC store_user_create(struct store *s, struct arena *a, const struct store_user *u, struct str *id_out, struct gh_err *err);
GH_RC store_user_update(struct store *s, const struct store_user *u, struct gh_err *err);    /* all but password and dates */
/* The owner of the account has shown that this address is his, by a link that was sent there. That which an account is made with counts as
 * proven; another one that somebody writes into it later does not. */
GH_RC store_user_prove(struct store *s, struct str id, struct str email, struct gh_err *err);
GH_RC store_user_proven(struct store *s, struct str id, bool *out, struct gh_err *err);     /* the one that it has now */
GH_RC store_user_set_password(struct store *s, struct str id, struct str password_hash, struct gh_err *err);
GH_RC store_user_signed_in(struct store *s, struct str id, int64_t at_us, struct gh_err *err);       /* audited */
GH_RC store_user_delete(struct store *s, struct str id, struct gh_err *err);     /* CONFLICT while subscriptions stand */
/* Whether nobody else is an active administrator, and this user is one. */
GH_RC store_user_last_administrator(struct store *s, struct str id, bool *last, struct gh_err *err);
GH_RC store_user_find(struct store *s, struct arena *a, struct str id, struct store_user *out, bool *found, struct gh_err *err);
GH_RC store_user_find_email(struct store *s, struct arena *a, struct str email, struct store_user *out, bool *found,
			    struct gh_err *err);
/* Active people with a role other than developer, or to whom or whose groups one is assigned; at most `limit`, the former first. */
GH_RC store_users_with_roles(struct store *s, struct arena *a, size_t limit, struct store_user **out, size_t *n, struct gh_err *err);
GH_RC store_users(struct store *s, struct arena *a, const struct store_page *page, struct store_user **out, size_t *n,
		  struct gh_err *err);

/* Those that a provisioner (db/scim.h) sees: all but the ones that it has removed. By id; the page's search does not count. */
GH_RC store_scim_users(struct store *s, struct arena *a, const struct store_page *page, struct store_user **out, size_t *n,
		       struct gh_err *err);
GH_RC store_scim_users_count(struct store *s, int64_t *out, struct gh_err *err);

GH_RC store_group_create(struct store *s, const struct store_group *g, struct gh_err *err);
GH_RC store_group_update(struct store *s, const struct store_group *g, struct gh_err *err);
GH_RC store_group_delete(struct store *s, struct str id, struct gh_err *err);    /* not a built-in one */
GH_RC store_groups(struct store *s, struct arena *a, struct store_group **out, size_t *n, struct gh_err *err);
GH_RC store_group_add(struct store *s, struct str group_id, struct str user_id, struct gh_err *err);         /* again is fine */
GH_RC store_group_remove(struct store *s, struct str group_id, struct str user_id, struct gh_err *err);
GH_RC store_groups_of_user(struct store *s, struct arena *a, struct str user_id, struct store_group **out, size_t *n,
			   struct gh_err *err);
GH_RC store_users_of_group(struct store *s, struct arena *a, struct str group_id, struct store_user **out, size_t *n,
			   struct gh_err *err);

GH_RC store_application_create(struct store *s, struct arena *a, const struct store_application *app, struct str owner_id,
			       struct str *id_out, struct gh_err *err);
GH_RC store_application_update(struct store *s, const struct store_application *app, struct gh_err *err);
GH_RC store_application_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_application_find(struct store *s, struct arena *a, struct str id, struct store_application *out, bool *found,
			     struct gh_err *err);
GH_RC store_applications(struct store *s, struct arena *a, const struct store_page *page, struct store_application **out,
			 size_t *n, struct gh_err *err);
GH_RC store_applications_of_user(struct store *s, struct arena *a, struct str user_id, struct store_application **out,
				 size_t *n, struct gh_err *err);
GH_RC store_application_add_owner(struct store *s, struct str id, struct str user_id, struct gh_err *err);
GH_RC store_application_remove_owner(struct store *s, struct str id, struct str user_id, struct gh_err *err);
