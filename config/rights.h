/* rights.h - who may do what, and where: the one table of rights and roles, and the one place where it is decided.
 *
 * A role is a set of rights: one of the table in rights.c, or one that people made of the same rights (kind "role"). An account has
 * one role that counts everywhere; role assignments add others, everywhere, in one environment, or in a business group, which
 * means all that the group and its parts own. A machine token has one role in one place.
 *
 * Where a thing belongs (config/place.c):
 *
 *     an environment    APIs with all of theirs, credentials, its policy document
 *     a business group  applications, its policy document
 *     both              products: in a business group, and in the environments of their APIs, which must all be one's own
 *     shared            backends, named values, certificates, schemas, loggers, fragments, version sets, the global policy: to be seen
 *                       with the right anywhere, to be changed with the right everywhere
 *     everywhere        all else: people, roles, tokens, the look
 *
 * A store handle carries who looks through it (store_viewer): config/resource.h shows what is out of sight as not there and
 * refuses to change it. What somebody may do to people, roles and tokens that may more than he: config/guard.h. No viewer, a program
 * of the operator, sees all. */
#pragma once

#include "config/resource.h"

enum right {
#define RIGHT(name, text, about) RIGHT_##name,
#include "config/rights.def"
#undef RIGHT
	RIGHT__COUNT
};
_Static_assert(RIGHT__COUNT <= 32, "a set of rights is a uint32_t");
/* By enum right: name and description. */
extern const struct right_text {
	const char *name, *about;
} right_texts[RIGHT__COUNT];

/* Roles that are always there; the last row has no name. */
extern const struct rights_role {
	const char *name, *title, *about;
	uint32_t rights;
} rights_roles[];

struct rights_place {
	bool is_group;                   /* a business group; else an environment */
	struct str id;
	uint32_t rights;
};
struct rights {
	uint32_t everywhere;
	const struct rights_place *places;
	size_t n;
	struct str scopes;               /* of the token that is shown: what they leave out it is not told of by the way; STR_NULL: there is none */
};

uint32_t rights_of_role(struct str role);                /* 0: there is none of that name in the table */
/* "view-apis change-apis" as a set; false: a word is none. */
bool rights_parse(struct str words, uint32_t *out);
GH_RC rights_role_exists(struct store *s, struct arena *a, struct str role, bool *exists, struct gh_err *err);

/* All that an account may: by its role, and by what is assigned to it and to its groups. */
GH_RC rights_of_user(struct store *s, struct arena *a, struct str user, struct str role, struct rights *out, struct gh_err *err);
/* What is assigned to a group: its members have it. */
GH_RC rights_of_group(struct store *s, struct arena *a, struct str group, struct rights *out, struct gh_err *err);
/* A role in one place; both STR_NULL: everywhere. */
GH_RC rights_of_place(struct store *s, struct arena *a, struct str role, struct str environment, struct str business_group,
		      struct rights *out, struct gh_err *err);

/* Active people who may decide on the subscription, where it belongs; at most RIGHTS_APPROVERS_MAX, those with a role everywhere
 * first. For mails that tell them. */
enum { RIGHTS_APPROVERS_MAX = 20 };
struct store_user;
GH_RC rights_approvers(struct store *s, struct arena *a, struct str subscription, struct store_user **out, size_t *n, struct gh_err *err);

bool rights_anywhere(const struct rights *r, enum right x);
bool rights_everywhere(const struct rights *r, enum right x);
bool rights_in(const struct rights *r, enum right x, struct str environment);
bool rights_in_group(const struct rights *r, enum right x, struct str business_group);

/* What one needs to see or to change resources of the kind. */
enum right resource_right(const struct resource_kind *k, bool write);
/* Whether the viewer of the store may see or change the resource of that id, as the store knows it; true without a viewer. One that
 * is not there is judged by its id alone, as far as that says where it belongs. */
GH_RC resource_allowed(struct store *s, const struct resource_kind *k, struct str id, bool write, bool *yes, struct gh_err *err);
/* The same with a right of its own. */
GH_RC resource_has_right(struct store *s, const struct resource_kind *k, struct str id, enum right x, bool write, bool *yes, struct gh_err *err);
/* Whether the viewer may be told of it by the way, in a refusal or a guess at what he meant: what he asked for takes another
 * right. Of a kind: whether he may list it, by his role and by the scopes of his token. */
bool resource_kind_told(const struct store *s, const struct resource_kind *k);
GH_RC resource_told(struct store *s, const struct resource_kind *k, struct str id, bool *yes, struct gh_err *err);
/* Of lists that are too long to be judged one by one, subscriptions: JSON arrays with the products and APIs whose
 * subscriptions the viewer may see. Both STR_NULL: there is no viewer, he sees all, or the kind is another. What they leave
 * out is out of sight; what they leave in is still to be judged. */
GH_RC resource_holders_in_sight(struct store *s, struct arena *a, const struct resource_kind *k, struct str *products, struct str *apis,
				struct gh_err *err);
/* Whether the id alone says where resources of the kind belong, also of one that is not there: "api:orders" of a policy. */
bool resource_id_names_place(const struct resource_kind *k);
/* Whether the viewer may name it in what he writes: what stands in places where he has no right at all, is not there for him. */
GH_RC resource_in_reach(struct store *s, const struct resource_kind *k, struct str id, bool *yes, struct gh_err *err);
