#include "db/pages.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/sql.h"

#include <stdio.h>

static const struct field page_fields[] = {
	FIELD(store_portal_page, REF, api_id),       FIELD(store_portal_page, TEXT, id),
	FIELD(store_portal_page, TEXT, title),       FIELD_HIDDEN(store_portal_page, TEXT, body),
	FIELD(store_portal_page, TEXT, audience),    FIELD(store_portal_page, REF, group_id),
	FIELD(store_portal_page, BOOL, in_menu),     FIELD(store_portal_page, INT, position),
	FIELD(store_portal_page, TIME, changed_us),  FIELD(store_portal_page, TEXT, changed_by),
};
static const struct row_type page_type = ROW_TYPE("page", store_portal_page, page_fields);

static gh_rc check_id(struct str id, struct gh_err *err)
{
	bool good = id.n && id.n <= STORE_PAGE_ID_MAX && id.p[0] != '.';

	for (size_t i = 0; good && i < id.n; i++)
		good = ascii_is_alpha(id.p[i]) || ascii_is_digit(id.p[i]) || strchr("-_.", id.p[i]);
	if (!good)
		FAIL(err, INVALID, "the id of a page has 1 to %d letters, digits, '-', '_' and '.', and begins with no dot", STORE_PAGE_ID_MAX);
	return GH_RC_OK;
}

static gh_rc check(const struct store_portal_page *p, struct gh_err *err)
{
	TRY(check_id(p->id, err));
	if (!p->title.n || p->title.n > STORE_PAGE_TITLE_MAX)
		FAIL(err, INVALID, "the title of a page has 1 to %d bytes", STORE_PAGE_TITLE_MAX);
	if (p->body.n > STORE_PAGE_BYTES_MAX)
		FAIL(err, LIMIT, "page '%.*s' has %zu bytes; at most %zu are kept", STR_ARG(p->id), p->body.n, STORE_PAGE_BYTES_MAX);
	if (!utf8_valid(p->title) || !utf8_valid(p->body))
		FAIL(err, INVALID, "page '%.*s' is not UTF-8 text", STR_ARG(p->id));
	if (str_eq(p->audience, STR("group")) && !p->group_id.n)
		FAIL(err, INVALID, "page '%.*s' is for a group, but for which is not said", STR_ARG(p->id));
	return GH_RC_OK;
}

/* In the audit trail: "orders/changes", "welcome". */
static struct str place(struct str api_id, struct str id, char *to, size_t n)
{
	int len = api_id.n ? snprintf(to, n, "%.*s/%.*s", STR_ARG(api_id), STR_ARG(id)) : snprintf(to, n, "%.*s", STR_ARG(id));

	return (struct str){ to, len < 0 ? 0 : (size_t)len < n ? (size_t)len : n - 1 };
}

GH_RC store_portal_page_set(struct store *s, const struct store_portal_page *p, struct str actor, struct gh_err *err)
{
	struct store_portal_page row = *p;
	char name[400];

	TRY(check(p, err));
	if (!str_eq(p->audience, STR("group")))
		row.group_id = STR_NULL;
	row.changed_us = clock_wall_us();
	row.changed_by = actor;
	return change_row(s, SQL_PAGE_PUT, &page_type, &row,
			  (struct change){ .action = "set", .id = place(p->api_id, p->id, name, sizeof(name)), .raises = RAISES_NOTHING }, err);
}

GH_RC store_portal_page_delete(struct store *s, struct str api_id, struct str id, struct gh_err *err)
{
	struct change c = CHANGE_DROP("page");
	char name[400];

	c.id = place(api_id, id, name, sizeof(name));
	c.raises = RAISES_NOTHING;
	return change_keys(s, SQL_PAGE_DROP, api_id.p ? api_id : STR(""), id, c, err);
}

GH_RC store_portal_page_find(struct store *s, struct arena *a, struct str api_id, struct str id, struct store_portal_page *out,
			     bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PAGE_GET);

	bind_str(st, 1, api_id.p ? api_id : STR(""));
	bind_str(st, 2, id);
	return find_row(s, st, &page_type, a, out, found, err);
}

GH_RC store_portal_pages(struct store *s, struct arena *a, struct store_portal_page **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_PAGE_ALL), &page_type, a, out, n, err);
}

GH_RC store_portal_page_read(struct store *s, struct arena *a, struct str viewer, struct str api_id, struct str id,
			     struct store_portal_page *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PAGE_READ);

	bind_str(st, 1, viewer.p ? viewer : STR(""));
	bind_str(st, 2, api_id.p ? api_id : STR(""));
	bind_str(st, 3, id);
	return find_row(s, st, &page_type, a, out, found, err);
}

GH_RC store_portal_pages_read(struct store *s, struct arena *a, struct str viewer, struct str api_id, struct store_portal_page **out,
			      size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PAGE_READ_ALL);

	bind_str(st, 1, viewer.p ? viewer : STR(""));
	bind_str(st, 2, api_id.p ? api_id : STR(""));
	return list_rows(s, st, &page_type, a, out, n, err);
}
