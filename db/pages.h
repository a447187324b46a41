/* pages.h - pages of the portal that people write in Markdown: guides and change logs, of one API or of the whole portal.
 *
 * A page of an API is for those who may see that API, and of them for its audience. Pages are no part of the gateway's
 * configuration: a change of them reloads nothing. */
#pragma once

#include "db/store.h"

#define STORE_PAGE_BYTES_MAX ((size_t)256 << 10)         /* of a body */
enum { STORE_PAGE_ID_MAX = 80, STORE_PAGE_TITLE_MAX = 200 };

struct store_portal_page {
	struct str api_id;               /* STR_NULL: of the whole portal */
	struct str id;                   /* "getting-started": letters, digits, '-', '_', '.' */
	struct str title;
	struct str body;                 /* Markdown */
	struct str audience;             /* "everybody", "users", "group", "nobody" */
	struct str group_id;             /* with "group" */
	bool in_menu;                    /* of the portal's menu; pages of APIs stand on the page of the API anyway */
	int64_t position;                /* the lowest number comes first */
	int64_t changed_us;              /* set by the store, as is the next */
	struct str changed_by;           /* "user:a@example.com", "cli:ada" */
};

/* Makes or replaces the page of that place. INVALID says what is wrong with it. Needs a transaction. */
GH_RC store_portal_page_set(struct store *s, const struct store_portal_page *p, struct str actor, struct gh_err *err);
GH_RC store_portal_page_delete(struct store *s, struct str api_id, struct str id, struct gh_err *err);
GH_RC store_portal_page_find(struct store *s, struct arena *a, struct str api_id, struct str id, struct store_portal_page *out,
			     bool *found, struct gh_err *err);
/* All, those of the portal first, then by API; in their order. */
GH_RC store_portal_pages(struct store *s, struct arena *a, struct store_portal_page **out, size_t *n, struct gh_err *err);

/* For readers: `viewer` is a user's id or STR_NULL for a visitor. Whether he may see the API itself the caller has found out. */
GH_RC store_portal_page_read(struct store *s, struct arena *a, struct str viewer, struct str api_id, struct str id,
			     struct store_portal_page *out, bool *found, struct gh_err *err);
/* Without bodies. */
GH_RC store_portal_pages_read(struct store *s, struct arena *a, struct str viewer, struct str api_id, struct store_portal_page **out,
			      size_t *n, struct gh_err *err);
