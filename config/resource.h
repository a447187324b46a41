/* resource.h - the configuration as resources: the one door through which a form of the dashboard, a call of the management
 * API and a file under version control pass. One validation, one audit trail, one result.
 *
 * A resource is of a kind ("product") and has an id ("gold"). It is shown and written as a document: a JSON object with
 * exactly the fields of the kind's table, in the order of the table. From that table come also the OpenAPI document of the
 * management API (resource_schema) and the hints beside the fields of forms.
 *
 *     kind        id                        what
 *     product     gold
 *     operation   orders/get-order          of the current revision
 *     operation   orders;rev=2/get-order    of another one
 *     policy      global, environment:ID, workspace:ID, product:ID, api:ID, api:ID;rev=N, operation:API/OP,
 *                 operation:API;rev=N/OP
 *
 * Reading needs a store and an arena:
 *
 *     TRY(resource_read(store, arena, kind, id, &document, err));               NULL: there is none
 *
 * Writing stands in a change: one transaction of the store, its audit entries with what was before and is after, and one
 * generation for the gateways. Whoever changes several things sees them all or none:
 *
 *     TRY(resource_begin(store, arena, actor, &change, err));
 *     rc = resource_write(change, kind, id, document, RESOURCE_PUT, &outcome, err);
 *     ...                                                                       more of them; INVALID ends nothing
 *     rc = resource_end(change, rc, dry_run, err);
 *
 * A document that cannot be written gives INVALID, and every problem of it is in the change: resource, JSON Pointer
 * (RFC 6901) of the field, and a sentence that says what is wrong and how to mend it. A change may go on after INVALID, to
 * find the problems of other documents too; but a change with a problem is never committed.
 *
 * Rules of documents, the same for every kind:
 *   - A field that is not in the table is refused, with the name that was probably meant.
 *   - A field that is left out has its default, also when an existing resource is replaced. Fields that are required have
 *     none. Read-only fields (dates that the store sets) are ignored, so that what was read may be written back.
 *   - References must name something that is there, in the order of resource_kinds: what others name comes first.
 *   - A secret is a text (it is sealed and never read back), {"ref": "vault:..."} (core/secret_ref.h), {"sealed": true} (stays as
 *     it is), or null (none). It is shown as {"ref": "..."}, {"sealed": true} or null. Left out it stays as it is.
 *   - Lists whose order does not count are shown in byte order.
 *   - Writing what is there already changes nothing: no audit entry, no generation.
 *
 * Memory: documents live as long as the arena that was given. Nothing here is thread-safe; one change a store handle. */
#pragma once

#include "core/json.h"
#include "db/store.h"

/* ---- the table --------------------------------------------------------------------------------------------------------- */

enum resource_type {
	RESOURCE_TEXT,           /* string */
	RESOURCE_BOOL,
	RESOURCE_INT,            /* from .least to .most */
	RESOURCE_TIME,           /* string, RFC 3339; null: none */
	RESOURCE_ENUM,           /* string, one of .values */
	RESOURCE_REF,            /* string: id of a resource of the kind .ref; null where it is not required */
	RESOURCE_TEXTS,          /* array of strings in their order */
	RESOURCE_REFS,           /* array of ids of the kind .ref, none twice, in byte order */
	RESOURCE_OBJECT,         /* object with .fields; any object where those are NULL; null where it is not required */
	RESOURCE_OBJECTS,        /* array of objects with .fields, in their order */
	RESOURCE_SECRET,         /* see above */
};

enum {
	RESOURCE_REQUIRED = 1,   /* must be given and is not empty */
	RESOURCE_READ_ONLY = 2,  /* shown; what is written is ignored */
	RESOURCE_FIXED = 4,      /* given at the beginning, never changed */
	RESOURCE_LINES = 8,      /* text of several lines */
	RESOURCE_FILE = 16,      /* a text that people keep in a file of its own: a policy, a description of an API */
	RESOURCE_NULL = 32,      /* a text, number or enum that may be null, its default */
	RESOURCE_EMPTY = 64,     /* required, but may be empty */
	RESOURCE_STAYS = 128,    /* left out it stays as it is */
	RESOURCE_AS_TEXT = 256,  /* of an enum: the member of the row is the text and not the number */
	RESOURCE_RULE = 512,     /* an object that is an access rule (core/access_rule.h): forms ask for its groups and methods */
	RESOURCE_NO_REF = 2048,  /* a secret that takes no reference */
	RESOURCE_ALWAYS = 4096,  /* a secret that can be replaced and never taken away */
	RESOURCE_FORMLESS = 8192, /* forms have another way to say it */
	RESOURCE_NUMBER = 16384,         /* a text that is a number: a JSON number is taken too, and is shown as a text */
	RESOURCE_DUE = 1024,     /* a time at which something ends: lists and forms say how long it is until then */
};

/* What an object without a table of fields may hold, for people who fill in a form. */
struct resource_hint {
	struct str of;                   /* the kind or method that has it */
	const char *name, *text;
	bool needed;
};
typedef bool resource_hint_at(size_t i, struct resource_hint *out);      /* false past the last; those of one `of` stand together */

struct resource_field {
	const char *name;                /* "displayName" */
	enum resource_type type;
	unsigned flags;                  /* RESOURCE_REQUIRED ... */
	const char *label;               /* what a form calls it: "Name" */
	const char *description;         /* a sentence for people */
	const char *otherwise;           /* the default as JSON text; NULL: null, [] of a list */
	const char *const *values;       /* of an enum; ends with NULL */
	const char *ref;                 /* name of the kind that is referred to; of a text, whose ids may stand there beside others */
	const struct resource_field *fields;     /* of objects; ends with a NULL name */
	/* NULL: none. Of a list of texts: those that it may hold, which forms offer to be ticked. Of an object with .fields: which of them
	 * each value of the field "kind" has; forms show only those. */
	resource_hint_at *hints;
	int64_t least, most;             /* of an integer; of a text its longest length in bytes (0: STORE_TEXT_MAX) */
	size_t offset;                   /* of the member in the row; RESOURCE_BY_HAND: the kind's functions do it */
};
#define RESOURCE_BY_HAND SIZE_MAX

/* What a resource is about: the portal maps it to the right that one needs to see or to change it. */
enum resource_area {
	RESOURCE_AREA_APIS, RESOURCE_AREA_POLICIES, RESOURCE_AREA_BACKENDS, RESOURCE_AREA_SECRETS, RESOURCE_AREA_SUBSCRIPTIONS,
	RESOURCE_AREA_PEOPLE, RESOURCE_AREA_PAGES, RESOURCE_AREA_LOOK, RESOURCE_AREA_SETTINGS, RESOURCE_AREA_PRODUCTS,
	RESOURCE_AREA__COUNT
};

/* A list may be narrowed by the value of a field. */
struct resource_filter {
	const char *name;                /* of the query parameter and of the field: "product" */
	const char *description;
	const char *const *values;       /* of an enum; NULL: any text */
	const char *ref;                 /* the kind that it names, where neither the field nor the name of the filter says it */
};
enum { RESOURCE_FILTERS_MAX = 4 };

struct resource_kind {
	const char *name, *plural;       /* "named-value", "named-values": the latter stands in addresses */
	const char *title;               /* "Named value" */
	const char *description;
	enum resource_area area;
	bool personal;                   /* belongs to people or lives with them: exports leave it out unless asked */
	bool makes_id;                   /* the id may be left out when one is made */
	bool single;                     /* there is exactly one, which cannot be removed */
	const struct resource_field *fields;     /* the first is always "id"; ends with a NULL name */
	struct resource_filter filters[RESOURCE_FILTERS_MAX + 1];        /* ends with a NULL name */
	const struct resource_ops *ops;  /* config/kind.h */
};

/* In order of dependence: what others refer to stands before them. Ends with NULL. */
extern const struct resource_kind *const resource_kinds[];
/* By name or plural; NULL: none. */
const struct resource_kind *resource_kind_find(struct str name);
const struct resource_field *resource_field_find(const struct resource_kind *k, const char *name);

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

/* *out NULL: there is none of that id. */
GH_RC resource_read(struct store *s, struct arena *a, const struct resource_kind *k, struct str id, json_t **out,
		    struct gh_err *err);
GH_RC resource_exists(struct store *s, const struct resource_kind *k, struct str id, bool *exists, struct gh_err *err);

enum { RESOURCE_LIST_DEFAULT = 50, RESOURCE_LIST_MAX = 1000, RESOURCE_LIST_BYTES = 16 << 20 };
struct resource_query {
	struct str search;               /* part of id or name, without ASCII case; empty: all */
	struct str values[RESOURCE_FILTERS_MAX]; /* in the order of the kind's filters; empty: not narrowed */
	struct str after;                /* the id behind which the list goes on; empty: from the beginning */
	size_t limit;                    /* 0: RESOURCE_LIST_DEFAULT; at most RESOURCE_LIST_MAX */
	/* Leaves out what no field tells (how an API is tracked); it is asked about each. NULL: nothing is left out. */
	GH_RC (*keep)(void *ctx, struct str id, bool *yes, struct gh_err *err);
	void *keep_ctx;
};
/* An array of documents, in the order of their ids (operations of an API: revision, then id). *next is the id to go on
 * behind, STR_NULL at the end. A page ends early when its texts (descriptions of APIs, policies) have more than
 * RESOURCE_LIST_BYTES. The cost does not depend on how far one has read. INVALID: a filter that knows no such value. */
GH_RC resource_list(struct store *s, struct arena *a, const struct resource_kind *k, const struct resource_query *q,
		    json_t **out, struct str *next, struct gh_err *err);
/* What stands behind "there is no api 'ordres'": "; did you mean 'orders'?", or an empty text when nothing that the viewer may see is
 * near. Of kinds whose ids are made (users, applications) what people call them counts, and the id is told. In the arena. */
struct str resource_did_you_mean(struct store *s, struct arena *a, const struct resource_kind *k, struct str wrong);
/* The same as parts: the name is the id, or what people call it. False: nothing is near. */
bool resource_near(struct store *s, struct arena *a, const struct resource_kind *k, struct str wrong, struct str *id, struct str *name);
/* Only the ids. */
GH_RC resource_ids(struct store *s, struct arena *a, const struct resource_kind *k, const struct resource_query *q, struct str **out,
		   size_t *n, struct str *next, struct gh_err *err);

/* The strong entity-tag of a document (RFC 9110 section 8.8.3), with its quotes: a digest of its canonical bytes. */
struct str resource_etag(struct arena *a, const json_t *document);

enum {
	RESOURCE_WRITABLE = 1,           /* without read-only fields */
	RESOURCE_SHORT = 2,              /* without what equals its default */
	RESOURCE_WITHOUT_ID = 4,
};
/* A copy with less in it, in the order of the table: for files. Written back it gives the same resource. */
json_t *resource_document(struct arena *a, const struct resource_kind *k, const json_t *document, unsigned flags);

/* What still refers to a resource, at most `limit`. */
struct resource_name {
	const struct resource_kind *kind;
	struct str id;
};
enum { RESOURCE_USES_MAX = 10 };
GH_RC resource_uses(struct store *s, struct arena *a, const struct resource_kind *k, struct str id, size_t limit,
		    struct resource_name **out, size_t *n, struct gh_err *err);

/* ---- changing ---------------------------------------------------------------------------------------------------------- */

struct resource_problem {
	const struct resource_kind *kind;
	struct str id;                   /* of the resource; STR_NULL: it had none */
	struct str pointer;              /* of the field: "/limits/0/calls"; empty: the document as a whole */
	struct str message;
};
enum { RESOURCE_PROBLEMS_MAX = 200 };            /* more are counted and not kept */

struct resource_change;

/* `actor` as for store_tx_begin: "user:ann@example.com". A change must be ended. */
GH_RC resource_begin(struct store *s, struct arena *a, struct str actor, struct resource_change **out, struct gh_err *err);
/* What can only be told of all that was written together: named values and the policies that name them, operations that take over the
 * routes of others. Problems that come of it are added. Commits do it by themselves; for those who look at the problems before. */
GH_RC resource_settle(struct resource_change *c, struct gh_err *err);
/* Commits when so_far is GH_RC_OK, nothing was refused and dry_run is false; else nothing of it has happened. A dry run
 * gives the same outcome and errors as the change itself. Returns so_far, or INVALID while there are problems. */
GH_RC resource_end(struct resource_change *c, gh_rc so_far, bool dry_run, struct gh_err *err);

/* The address of the portal ("https://apis.example.com/") for links in mails that a change sends. Not set: mails have none. */
void resource_portal(struct resource_change *c, struct str address);

/* The theme whose style sheet has the colours that those of a look go with. Not set: the shipped style sheet. Borrowed. */
struct theme;
void resource_theme(struct resource_change *c, const struct theme *theme);
/* A style sheet that comes together with the change and counts instead. Borrowed. */
void resource_style_sheet(struct resource_change *c, struct str css);

/* Passwords of basic callers are those that clients have already (an import): one that is shorter than web.password_min is taken. */
void resource_passwords_stand(struct resource_change *c);

enum resource_how {
	RESOURCE_PUT,                    /* makes or replaces */
	RESOURCE_CREATE,                 /* CONFLICT when it is there */
	RESOURCE_REPLACE,                /* NOT_FOUND when it is not there */
};
enum resource_result { RESOURCE_SAME, RESOURCE_CREATED, RESOURCE_CHANGED };
struct resource_outcome {
	enum resource_result result;
	struct str id;                   /* also one that was made */
	json_t *before;                  /* the document; NULL: there was none */
	size_t told;                     /* how many people get a mail of it, as far as that is known: of an API */
	json_t *issued;                  /* what is told this once, the keys of a subscription: {"primaryKey": ...}; mostly NULL */
};
/* INVALID, CONFLICT: see the problems. out may be NULL. id STR_NULL: that of the document, or one is made (kind.makes_id). */
GH_RC resource_write(struct resource_change *c, const struct resource_kind *k, struct str id, const json_t *document,
		     enum resource_how how, struct resource_outcome *out, struct gh_err *err);
/* What a JSON Merge Patch (RFC 7396) makes of the resource as it stands: to be written with RESOURCE_REPLACE. *out NULL: there
 * is none of that id. */
GH_RC resource_merge(struct store *s, struct arena *a, const struct resource_kind *k, struct str id, const json_t *patch, json_t **out,
		     struct gh_err *err);
/* NOT_FOUND; CONFLICT while something refers to it: one problem for each, at most RESOURCE_USES_MAX. *before (may be NULL) is
 * the document that was. */
GH_RC resource_remove(struct resource_change *c, const struct resource_kind *k, struct str id, json_t **before,
		      struct gh_err *err);

const struct resource_problem *resource_problems(const struct resource_change *c, size_t *n);    /* those that are kept */
size_t resource_problem_count(const struct resource_change *c);
/* For callers that find something wrong by themselves: from then on the change cannot be committed. */
void resource_problem(struct resource_change *c, const struct resource_kind *k, struct str id, struct str pointer, const char *fmt,
		      ...) PRINTF_LIKE(5, 6);

/* ---- descriptions ------------------------------------------------------------------------------------------------------ */

/* The JSON Schema (2020-12, as OpenAPI 3.1 has it) of the kind's documents. `for_writing` leaves the read-only fields out and
 * lists what is required; for reading all fields are there. NULL when out of memory. */
json_t *resource_schema(struct arena *a, const struct resource_kind *k, bool for_writing);
