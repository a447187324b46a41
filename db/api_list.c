/* api_list.c - the dashboard's list of APIs; see the header. */
#include "db/api_list.h"

#include "core/clock.h"
#include "db/api_rows.h"

const char *const store_tracking_names[] = { "unregistered", "active", "inactive", NULL };

static sqlite3_stmt *bind_list(struct store *s, enum sql which, const struct store_api_filter *f, const struct store_page *page,
			       char pattern[512])
{
	sqlite3_stmt *st = sql_use(s, which);

	bind_page(st, 1, page, pattern);
	bind_str(st, 4, f->environment);
	bind_str(st, 5, f->tag);
	bind_int(st, 6, f->state);
	bind_int(st, 7, clock_wall_us());
	bind_int(st, 8, f->tracking);
	bind_int(st, 9, f->active_since_us);
	return st;
}

GH_RC store_api_list(struct store *s, struct arena *a, const struct store_api_filter *f, const struct store_page *page,
		     struct store_api **out, size_t *n, int64_t *total, struct gh_err *err)
{
	char pattern[512];

	TRY(list_rows(s, bind_list(s, SQL_API_LIST, f, page, pattern), &api_type, a, out, n, err));
	if (total)
		*total = page && !page->offset && *n < page->limit ? (int64_t)*n : -1;
	if (!total || *total >= 0 || f->tracking >= 0)
		return GH_RC_OK;
	return find_int(s, bind_list(s, SQL_API_LIST_COUNT, f, page, pattern), total, NULL, err);
}

GH_RC store_api_last_call(struct store *s, struct str api_id, int64_t *us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_LAST_CALL);
	int64_t seconds = 0;

	bind_str(st, 1, api_id);
	TRY(find_int(s, st, &seconds, NULL, err));
	*us = seconds * 1000000;
	return GH_RC_OK;
}

enum store_tracking store_tracking_of(int64_t last_call_us, int64_t active_since_us)
{
	return !last_call_us ? STORE_UNREGISTERED : last_call_us >= active_since_us ? STORE_ACTIVE : STORE_INACTIVE;
}

GH_RC store_tags_in_use(struct store *s, struct arena *a, struct str environment, struct store_tag **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_TAGS_IN_USE);

	bind_str(st, 1, environment);
	return list_rows(s, st, &api_tag_type, a, out, n, err);
}
