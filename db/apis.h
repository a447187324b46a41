/* apis.h - APIs, their versions, revisions, operations and original descriptions.
 *
 * An API ("orders") stands at a path of an environment. Versions are APIs of their own that share a version set and a path
 * and differ in `version`. Revisions are numbered states of one API: each has its own backend, operations, description and
 * policies; exactly one is current. A caller reaches another revision with ";rev=N".
 *
 * struct store_api is one API seen through one revision, so a row has all that the gateway needs. */
#pragma once

#include "db/store.h"

/* DRAFT: nobody but its makers knows it, calls are not found. PREVIEW: may still change. PUBLISHED: the current state.
 * DEPRECATED: served until its sunset date, if it has one. RETIRED: calls are answered 410. */
enum store_api_state { STORE_API_DRAFT, STORE_API_PUBLISHED, STORE_API_DEPRECATED, STORE_API_RETIRED, STORE_API_PREVIEW };
extern const char *const store_api_state_names[];        /* "draft", ...; ends with NULL */

struct store_api {
	struct str id;                   /* "orders" */
	struct str environment_id;
	struct str path;                 /* "orders", "erp/v2/orders"; no slash at either end, may be empty */
	struct str name, description;
	struct str version_set_id;       /* STR_NULL: not versioned */
	struct str version;              /* "v1"; empty for the original, unversioned member of a set */
	struct str key_header, key_query;        /* parameter names; STR_NULL: the defaults */
	bool subscription_required;
	int64_t state;                   /* enum store_api_state */
	int64_t created_us, changed_us;
	int64_t deprecated_us;           /* since or from when it is deprecated; 0: it is not */
	int64_t sunset_us;               /* of a deprecated one: from then on it is retired; 0: no date */
	/* of the revision */
	int64_t revision;                /* from 1 */
	bool is_current;
	struct str backend_url;          /* STR_NULL when backend_id is given */
	struct str backend_id;           /* a backend or a pool */
	struct str revision_description;
};

struct store_operation {
	struct str api_id;
	int64_t revision;
	struct str id;                   /* "get-order", unique within the revision */
	struct str method;               /* upper case, or "*" */
	struct str uri_template;         /* "/orders/{id}?expand={expand}" */
	struct str name, description;
	int64_t position;                /* order in the description */
	struct str tags;                 /* JSON array of texts; STR_NULL: none */
};

struct store_version_set {
	struct str id, name, description;
	struct str scheme;               /* "segment", "header" or "query" */
	struct str parameter;            /* name of the header or query parameter; STR_NULL with "segment" */
};

struct store_api_document {
	struct str api_id;
	int64_t revision;
	struct str media_type;           /* "application/vnd.oai.openapi+json", ... */
	struct str source;               /* file name or URL it came from; STR_NULL: not known */
	struct str bytes;                /* exactly as imported */
	struct str bundled;              /* what it and the files beside it make together (core/openapi_bundle.h); STR_NULL: it is one file */
};

/* The one document that says everything: what is read; `bytes` are for who wants the original. */
static inline struct str store_api_description(const struct store_api_document *d)
{
	return d->bundled.n ? d->bundled : d->bytes;
}

/* The state at that time: a deprecated API whose sunset date has passed is retired. */
enum store_api_state store_api_state_at(const struct store_api *api, int64_t now_us);

/* create makes revision 1 (api->revision and is_current are ignored); update changes the API and the revision that
 * api->revision names (0: the current one). The dates follow the state: whoever deprecates without a date does it now, and
 * what is neither deprecated nor retired has none. Subscribers are told by store_api_change (db/lifecycle.h) only. */
GH_RC store_api_create(struct store *s, const struct store_api *api, struct gh_err *err);
/* The same with another number for its first revision: for an API that was somewhere else before. */
GH_RC store_api_create_at(struct store *s, const struct store_api *api, int64_t revision, struct gh_err *err);
GH_RC store_api_update(struct store *s, const struct store_api *api, struct gh_err *err);
GH_RC store_api_delete(struct store *s, struct str id, struct gh_err *err);      /* with revisions, operations, policies */
/* revision 0: the current one. */
GH_RC store_api_find(struct store *s, struct arena *a, struct str id, int64_t revision, struct store_api *out, bool *found,
		     struct gh_err *err);
GH_RC store_api_find_path(struct store *s, struct arena *a, struct str environment_id, struct str path, struct str version,
			  struct store_api *out, bool *found, struct gh_err *err);
/* Current revisions, by id. */
GH_RC store_apis(struct store *s, struct arena *a, const struct store_page *page, struct store_api **out, size_t *n,
		 struct gh_err *err);
GH_RC store_apis_of_product(struct store *s, struct arena *a, struct str product_id, const struct store_page *page,
			    struct store_api **out, size_t *n, struct gh_err *err);     /* the page's search does not count */
GH_RC store_apis_of_product_count(struct store *s, struct str product_id, int64_t *out, struct gh_err *err);
/* All revisions of all APIs, by id and revision: for a snapshot. */
GH_RC store_api_revisions(struct store *s, struct arena *a, struct store_api **out, size_t *n, struct gh_err *err);
GH_RC store_revisions_of_api(struct store *s, struct arena *a, struct str api_id, struct store_api **out, size_t *n,
			     struct gh_err *err);

/* Copies operations, description and policies of revision `from` (0: current) into the next number, which is not current. */
GH_RC store_revision_create(struct store *s, struct str api_id, int64_t from, struct str description, int64_t *revision,
			    struct gh_err *err);
/* Makes or replaces the revision of api->revision, which is not the current one: its backend and description. A new one begins
 * with the operations, description and policies of revision copy_of (0: with nothing). */
GH_RC store_revision_put(struct store *s, const struct store_api *api, int64_t copy_of, struct gh_err *err);
GH_RC store_revision_make_current(struct store *s, struct str api_id, int64_t revision, struct gh_err *err);
GH_RC store_revision_delete(struct store *s, struct str api_id, int64_t revision, struct gh_err *err);  /* not the current */

GH_RC store_operation_create(struct store *s, const struct store_operation *o, struct gh_err *err);
GH_RC store_operation_update(struct store *s, const struct store_operation *o, struct gh_err *err);
/* Whether any revision of the API has it. */
GH_RC store_operation_anywhere(struct store *s, struct str api_id, struct str id, bool *found, struct gh_err *err);
GH_RC store_operation_delete(struct store *s, struct str api_id, int64_t revision, struct str id, struct gh_err *err);
GH_RC store_operation_find(struct store *s, struct arena *a, struct str api_id, int64_t revision, struct str id,
			   struct store_operation *out, bool *found, struct gh_err *err);        /* revision 0: current */
/* Another operation of the revision with the same method and URI template; STR_NULL: none. */
GH_RC store_operation_twin(struct store *s, struct arena *a, const struct store_operation *o, struct str *id, struct gh_err *err);
/* Puts exactly these operations in place of the revision's (0: current); those that stay keep their policies. */
GH_RC store_operations_replace(struct store *s, struct str api_id, int64_t revision, const struct store_operation *v, size_t n,
			       struct gh_err *err);
GH_RC store_operations_of(struct store *s, struct arena *a, struct str api_id, int64_t revision, struct store_operation **out,
			  size_t *n, struct gh_err *err);        /* by position; revision 0: current */
GH_RC store_operations(struct store *s, struct arena *a, struct store_operation **out, size_t *n, struct gh_err *err);
                                                                 /* all, by API, revision, position: for a snapshot */

/* Tags that people give to an API, in place of those it had. Operations bring the tags of their description along. INVALID for
 * one that is empty, longer than STORE_TAG_MAX, or holds a control character; LIMIT beyond STORE_TAGS_MAX. */
enum { STORE_TAG_MAX = 60, STORE_TAGS_MAX = 30 };
struct store_tag {
	struct str tag;
	int64_t of_operations;           /* 0: given to the API, 1: only its operations have it */
};
GH_RC store_api_tags_set(struct store *s, struct str api_id, const struct str *tags, size_t n, struct gh_err *err);
GH_RC store_api_tags(struct store *s, struct arena *a, struct str api_id, struct store_tag **out, size_t *n, struct gh_err *err);

GH_RC store_version_set_create(struct store *s, const struct store_version_set *v, struct gh_err *err);
GH_RC store_version_set_update(struct store *s, const struct store_version_set *v, struct gh_err *err);
GH_RC store_version_set_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_version_set_find(struct store *s, struct arena *a, struct str id, struct store_version_set *out, bool *found,
			     struct gh_err *err);
GH_RC store_version_sets(struct store *s, struct arena *a, struct store_version_set **out, size_t *n, struct gh_err *err);

GH_RC store_api_document_set(struct store *s, const struct store_api_document *d, struct gh_err *err);
GH_RC store_api_document_find(struct store *s, struct arena *a, struct str api_id, int64_t revision,
			      struct store_api_document *out, bool *found, struct gh_err *err);
GH_RC store_api_document_delete(struct store *s, struct str api_id, int64_t revision, struct gh_err *err);
/* 0: there is none. */
GH_RC store_api_document_size(struct store *s, struct str api_id, int64_t revision, int64_t *bytes, struct gh_err *err);
