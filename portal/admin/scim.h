/* scim.h - provisioning of users and groups by an identity provider: SCIM 2.0 (RFC 7643, 7644) below DASHBOARD/scim/v2/.
 *
 * A resource is made as JSON of our own columns and of what the provisioner gave besides (db/scim.h); PUT and PATCH change
 * that JSON, and what has a column of ours is taken out of the result again. Callers show a bearer token of
 * `gatehouse scim-token create`; there is no session and no cookie. */
#pragma once

#include "db/scim.h"
#include "portal/admin/scim_path.h"
#include "portal/web/web.h"

web_handler admin_scim;

/* An error as the RFC words it (section 3.12). type may be NULL. */
GH_RC scim_error(struct web *w, int status, const char *type, const char *detail, struct gh_err *err);

/* One kind of resource: the frame does paths, filters, pages, ETags and errors; this does what is particular. */
struct scim_kind {
	const char *endpoint;            /* "Users" */
	const char *type;                /* "User" */
	const char *schema;
	/* At most `limit` of those that stand, by id, from the one at `offset` on, as JSON without what only some answers need (see
	 * `complete`); *total: how many stand. The memory is that of w->a. */
	GH_RC (*page)(struct web *w, size_t offset, size_t limit, json_t ***v, size_t *n, size_t *total, struct gh_err *err);
	GH_RC (*find)(struct web *w, struct str id, json_t **v, struct gh_err *err);             /* *v NULL: none */
	GH_RC (*find_by)(struct web *w, struct str attribute, struct str value, bool *can, json_t **v, struct gh_err *err);
	GH_RC (*complete)(struct web *w, json_t *v, struct gh_err *err);                         /* members, groups */
	/* In a transaction. id STR_NULL: a new one; *id tells. An error INVALID or CONFLICT is the client's. */
	GH_RC (*save)(struct web *w, struct str *id, const json_t *v, struct gh_err *err);
	GH_RC (*remove)(struct web *w, struct str id, struct gh_err *err);
};
extern const struct scim_kind scim_users, scim_groups;

/* The record's attributes as an object, with id and schemas. */
GH_RC scim_base(struct web *w, const struct scim_kind *k, struct str id, struct str attributes, json_t **out, struct gh_err *err);
void scim_put_text(json_t *v, const char *name, struct str s);   /* absent when empty */
GH_RC scim_put_meta(struct web *w, const struct scim_kind *k, json_t *v, int64_t created_us, int64_t changed_us, struct gh_err *err);
/* What is kept of a resource: all but what has a column or is made. */
struct str scim_kept(struct web *w, const json_t *v, const char *const *without, size_t n);
GH_RC scim_about(struct web *w, struct str what, bool *found, struct gh_err *err);       /* ServiceProviderConfig … */
struct str scim_address(struct web *w, const char *endpoint, struct str id);
