/* catalog.h - what developers may see and find in the portal.
 *
 * Who may see an API is decided by one text of db/catalog.def that every statement here is made of: lists, search, pages,
 * versions, tags and news. `user_id` is who looks; STR_NULL is a visitor. What may not be seen is answered like something that
 * does not exist. Drafts are seen by nobody; what is retired is found only by who asks for that state or knows its id.
 *
 * The search is SQLite's FTS5 (https://sqlite.org/fts5.html) in the configuration store. Its index is brought up to date by
 * the commit of whatever transaction changed an API, operation, tag or product (catalog_refresh): it is never behind and
 * never ahead. */
#pragma once

#include "db/apis.h"
#include "db/products.h"

/* What APIs are called, by id. */
struct store_catalog_name {
	struct str id, name, version;
};
GH_RC store_catalog_names(struct store *s, struct arena *a, struct str user_id, struct store_catalog_name **out, size_t *n,
			  struct gh_err *err);
/* The current revision of one. */
GH_RC store_catalog_api(struct store *s, struct arena *a, struct str user_id, struct str id, struct store_api *out, bool *found,
			struct gh_err *err);
/* The members of a version set, oldest first. */
GH_RC store_catalog_versions(struct store *s, struct arena *a, struct str user_id, struct str version_set_id,
			     struct store_api **out, size_t *n, struct gh_err *err);
GH_RC store_catalog_products(struct store *s, struct arena *a, struct str user_id, struct store_product **out, size_t *n,
			     struct gh_err *err);
GH_RC store_catalog_products_of(struct store *s, struct arena *a, struct str user_id, struct str api_id,
				struct store_product **out, size_t *n, struct gh_err *err);
/* Whether there is an API group that may be seen. */
GH_RC store_catalog_has_groups(struct store *s, struct str user_id, bool *out, struct gh_err *err);

/* ---- lists and search -------------------------------------------------------------------------------------------------- */

struct store_catalog_filter {
	struct str user_id;
	struct str tag;                  /* of the API or of one of its operations; STR_NULL: any */
	int64_t state;                   /* enum store_api_state; -1: all but retired ones */
	int64_t now_us;                  /* a sunset date before it has passed */
};

/* One API of a list. In results of a search, name and description hold STORE_MARK_ON and STORE_MARK_OFF around what was
 * found, and the description is a part of it; the texts themselves may hold anything, so escape them piece by piece. */
#define STORE_MARK_ON '\1'
#define STORE_MARK_OFF '\2'
struct store_catalog_row {
	struct str id, name, path, description;  /* of a list: empty until store_catalog_describe */
	struct str version_set_id, version;
	bool subscription_required;
	int64_t state, deprecated_us, sunset_us;
};
/* By name. */
GH_RC store_catalog_list(struct store *s, struct arena *a, const struct store_catalog_filter *f, struct store_catalog_row **out,
			 size_t *n, struct gh_err *err);
/* Gives rows of a list, those that are shown, at most the first 2,000 characters of their descriptions. */
GH_RC store_catalog_describe(struct store *s, struct arena *a, struct store_catalog_row *rows, size_t n, struct gh_err *err);

struct store_catalog_operation {
	struct str api_id, api_name, version, id, method, uri_template, name, description;       /* the last two marked */
};
struct store_catalog_product {
	struct str id, name, description;                /* the last two marked */
	int64_t kind;                    /* enum store_product_kind */
};
struct store_catalog_tag {
	struct str tag;
	int64_t apis;
};

/* The expression that FTS5 gets for what a person typed: every word must be there, each may be the beginning of a longer one,
 * a plural finds its singular. Nothing that is typed is an operator. STR_NULL when it holds no word at all (letters, digits,
 * anything beyond ASCII); at most STORE_SEARCH_WORDS_MAX words of STORE_SEARCH_TEXT_MAX bytes are looked at. */
enum { STORE_SEARCH_TEXT_MAX = 200, STORE_SEARCH_WORDS_MAX = 12 };
struct str store_catalog_query(struct arena *a, struct str typed);

/* Of more things than these that match and may be seen, none is ranked: those with the words in their names come first, in any order. */
enum { STORE_SEARCH_RANKED = 500 };
/* Best first, at most `limit`; `query` is from store_catalog_query. Products have no tag or state: the filter's are ignored. */
GH_RC store_catalog_find_apis(struct store *s, struct arena *a, const struct store_catalog_filter *f, struct str query,
			      size_t limit, struct store_catalog_row **out, size_t *n, struct gh_err *err);
GH_RC store_catalog_find_operations(struct store *s, struct arena *a, const struct store_catalog_filter *f, struct str query,
				    size_t limit, struct store_catalog_operation **out, size_t *n, struct gh_err *err);
GH_RC store_catalog_find_products(struct store *s, struct arena *a, const struct store_catalog_filter *f, struct str query,
				  size_t limit, struct store_catalog_product **out, size_t *n, struct gh_err *err);
/* Tags of what may be seen and is not retired, most used first. */
GH_RC store_catalog_tags(struct store *s, struct arena *a, const struct store_catalog_filter *f, size_t limit,
			 struct store_catalog_tag **out, size_t *n, struct gh_err *err);

/* ---- what is new ------------------------------------------------------------------------------------------------------- */

enum store_api_event_kind {
	STORE_EVENT_PUBLISHED, STORE_EVENT_PREVIEW, STORE_EVENT_REVISION, STORE_EVENT_DEPRECATED, STORE_EVENT_RETIRED,
};
enum { STORE_EVENT_NOTE_MAX = 400 };
struct store_api_event {
	int64_t id, at_us, kind, revision;
	struct str note;                 /* of a revision: its description */
	struct str api_id, api_name, version;
	int64_t state, deprecated_us, sunset_us;         /* of the API now */
	int64_t is_new_version;          /* another version of the set is older */
};
/* Newest first. */
GH_RC store_catalog_news(struct store *s, struct arena *a, struct str user_id, size_t limit, size_t offset,
			 struct store_api_event **out, size_t *n, struct gh_err *err);
