/* kind.h - how a kind of resource is made. For config/ only.
 *
 * A kind is a table of fields (resource.h), a row (a struct of db/) and the functions below. What the table says is checked
 * in one place (document.c): types, required fields, enums, numbers, lengths, references. Fields with an offset go into the
 * row and come out of it by themselves; the others are written down by `show` and taken by `save`. */
#pragma once

#include "config/resource.h"
#include "config/limit_list.h"
#include "config/policy_store.h"
#include "db/resources.h"
#include "db/tiers.h"

struct resource_change {
	struct store *store;
	struct arena *arena;             /* of the caller: what is handed out */
	struct arena *scratch;           /* of one document */
	struct str actor;
	struct resource_problem problems[RESOURCE_PROBLEMS_MAX];
	size_t n, total;
	/* the document that is being written */
	const struct resource_kind *kind;
	struct str id;
	json_t *issued;
	size_t told;
	struct str portal;
	const struct theme *theme;       /* NULL: the shipped files */
	struct str style_sheet;          /* STR_NULL: that of the theme */
	struct arena *policy_arena;      /* of what policies are compiled with; NULL: to be read again */
	struct policy_store *policies;
	struct str values[64];           /* named values that were written: who names them is checked at the end */
	size_t n_values;
	bool passwords_stand;            /* they come from elsewhere, where clients have them: as short as they are */
	struct route_claim *routes;      /* operations that were given a route which another one had then: the same */
};

struct route_claim {
	struct str id;                   /* of the resource */
	struct str api, operation;
	int64_t revision;
	struct route_claim *next;
};
/* One problem for each that shares its route still. */
GH_RC operation_routes_settle(struct resource_change *c, struct gh_err *err);

/* One document on its way in. */
struct resource_put {
	struct resource_change *c;
	struct arena *a;                 /* scratch */
	struct store *s;
	struct str id;
	void *row;                       /* as it stood, with the fields of the document put over it */
	const json_t *doc;               /* complete: every writable field but secrets that were left out, in its normal form */
	const json_t *before;            /* NULL: it is new */
	bool exists;
};

struct resource_ops {
	size_t row_size;
	enum store_resource store;       /* its statements for lists, existence and references */
	/* A bad id adds a problem (NULL: any that is no longer than RESOURCE_ID_MAX and holds no control character). */
	void (*check_id)(struct resource_change *c, struct str id);
	/* Fills the row; *found false: there is none. */
	GH_RC (*find)(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err);
	/* Puts the fields by hand into doc, where they stand as null. NULL: there are none. */
	GH_RC (*show)(struct store *s, struct arena *a, const void *row, json_t *doc, struct gh_err *err);
	/* A new row before the document's fields are put into it: what has no field. The id is in put->id. NULL: zeroes. */
	GH_RC (*fresh)(struct resource_put *p, struct gh_err *err);
	/* Rules beyond the table. Adds problems. NULL: none. */
	GH_RC (*check)(struct resource_put *p, struct gh_err *err);
	GH_RC (*save)(struct resource_put *p, struct gh_err *err);
	GH_RC (*drop)(struct store *s, struct arena *a, struct str id, struct gh_err *err);
	/* What refers to it and no statement of the store finds: in sealed texts. At most `limit` into out. NULL: nothing. */
	GH_RC (*uses)(struct store *s, struct arena *a, struct str id, size_t limit, struct resource_name *out, size_t *n, struct gh_err *err);
	/* What a merge patch is laid over, where that is not the document as it stands. NULL: it is. */
	GH_RC (*base)(struct store *s, struct arena *a, struct str id, const json_t *patch, json_t **out, struct gh_err *err);
};

enum { RESOURCE_ID_MAX = 512, RESOURCE_DEPTH_MAX = 32 };

/* Member of the row that holds the field. */
#define AT(row_type, member) .offset = offsetof(struct row_type, member)
#define FIELD_ID(text, row_type, member)                                                                                       \
	{ .name = "id", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED | RESOURCE_FIXED, .label = "Id", .description = text, \
	  .most = RESOURCE_ID_MAX, AT(row_type, member) }
#define FIELD_END { .name = NULL }

/* The row as its document. */
GH_RC resource_show(struct store *s, struct arena *a, const struct resource_kind *k, const void *row, json_t **out,
		    struct gh_err *err);
/* resource_did_you_mean for a problem of the change. It reads lists, so only the first problems have it: files may have thousands. */
struct str resource_meant(struct resource_change *c, const struct resource_kind *k, struct str wrong);
/* A problem of the document that is being written; the pointer is that of a field of the first level ("/path"). */
void put_problem(struct resource_put *p, const char *pointer, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* What the store refused (INVALID, CONFLICT, NOT_FOUND) as a problem at that place; other errors stay errors. */
GH_RC put_refused(struct resource_put *p, const char *pointer, gh_rc rc, const struct gh_err *why, struct gh_err *err);

/* ---- secrets ---- */
enum secret_given { SECRET_STAYS, SECRET_NONE, SECRET_TEXT, SECRET_REF };
/* What the document says about a secret of the first level, or of any object. */
enum secret_given resource_secret(const json_t *doc, const char *name, struct str *text);
/* {"sealed": true}, {"ref": ...} or null. */
json_t *resource_secret_shown(bool sealed, struct str ref);

/* ---- for several kinds ---- */
/* The one of an array of rows whose id, the first member, is this. */
GH_RC pick_row(const void *rows, size_t n, size_t size, struct str id, void *out, bool *found);
typedef GH_RC resource_ids_of(struct store *s, struct arena *a, struct str id, struct str **out, size_t *n, struct gh_err *err);
typedef GH_RC resource_link(struct store *s, struct str id, struct str other, struct gh_err *err);
/* Takes out what the list of the document no longer has, and puts in what is new. */
GH_RC put_links(struct resource_put *p, const char *field, resource_ids_of *have, resource_link *add, resource_link *take,
		struct gh_err *err);
/* "orders", "orders;rev=2" and "orders;rev=2/get-order" in parts; revision 0: the current one. False: no such form. */
struct api_place {
	struct str api, operation;       /* operation STR_NULL: none */
	int64_t revision;
};
bool api_place_parse(struct str id, bool with_operation, struct api_place *out);
/* An id that says ";rev=N" of the current revision is a problem: a resource has one name. *number is the revision's, 0 when there
 * is no such API or revision. */
GH_RC api_place_find(struct store *s, struct arena *a, const struct api_place *p, int64_t *number, bool *current, struct gh_err *err);
void check_api_place(struct resource_change *c, const struct resource_kind *k, struct str id, bool with_operation);
bool http_is_token(struct str s);         /* the name of a header field or method (RFC 9110 section 5.6.2) */
/* An http or https address with a host; else a problem. */
void check_address(struct resource_put *p, const char *pointer, struct str url);
/* Whether the document of a scope (NULL: a fragment) compiles; errors become problems at the pointer, with line and column. */
GH_RC check_policy(struct resource_put *p, const char *pointer, struct str text, const struct store_policy_scope *scope,
		   struct gh_err *err);

/* Puts a list of objects into the order in which they are shown, so that two orders are one document. */
json_t *json_words(struct str rest);      /* the words of a text (str_word) as a list */
void sort_objects(json_t *list, int (*order)(const json_t *a, const json_t *b));

/* ---- limits: "limits", a list of objects with these fields ---- */
extern const struct resource_field limit_fields[];
/* Problems of the list, `whose`: "a tier"; puts it into the order in which it is shown. */
void check_limits(struct resource_put *p, const char *whose);
size_t read_limits(const json_t *doc, struct store_limit out[STORE_TIER_LIMITS_MAX]);

/* Sorted array of ids. */
json_t *resource_id_list(const struct str *ids, size_t n);
/* The texts of an array as an array in the arena. */
GH_RC resource_texts(struct arena *a, const json_t *list, struct str **out, size_t *n, struct gh_err *err);
json_t *resource_text_or_null(struct str s);

/* A value that changed, and that backends put into header fields: what cannot stand there becomes a problem. */
GH_RC value_check_backends(struct resource_change *c, struct arena *a, struct str id, struct gh_err *err);
/* Problems at the pointer for each "{{name}}" of which there is no named value. */
GH_RC check_named_value(struct resource_put *p, const char *pointer, struct str name, struct gh_err *err);

#define X(name) extern const struct resource_kind name;
#include "config/kinds.def"
#undef X
