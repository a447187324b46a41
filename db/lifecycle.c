#include "db/lifecycle.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/api_rows.h"
#include "db/mail.h"
#include "db/users.h"

struct subscriber {
	struct str email, first_name;
};
static const struct field subscriber_fields[] = { FIELD(subscriber, TEXT, email), FIELD(subscriber, TEXT, first_name) };
static const struct row_type subscriber_type = ROW_TYPE("subscriber", subscriber, subscriber_fields);

static GH_RC put(json_t *data, const char *name, struct str value, struct gh_err *err)
{
	if (json_object_set_new(data, name, json_stringn(value.n ? value.p : "", value.n)))
		FAIL(err, NOMEM, "mail");
	return GH_RC_OK;
}

/* "2027-01-31": a day says enough, and means the same everywhere but at its edges. */
static struct str day(struct arena *a, int64_t us)
{
	char text[CLOCK_ISO_MAX];

	return us ? arena_dup(a, str_first(str_of(clock_iso(us, 0, text)), 10)) : STR("");
}

static struct str moment(struct arena *a, int64_t us)
{
	char text[CLOCK_ISO_MAX];

	clock_iso(us, 0, text);
	return us ? arena_printf(a, "%.10s %.5s", text, text + 11) : STR("");
}

static struct str title(struct arena *a, const struct store_api *api)
{
	struct str name = api->name.n ? api->name : api->id;

	return api->version.n ? arena_printf(a, "%.*s %.*s", STR_ARG(name), STR_ARG(api->version)) : name;
}

/* The member of the version set that one should move to: published, and the newest of those. */
static GH_RC successor(struct store *s, struct arena *a, const struct store_api *api, struct store_api *out, bool *found,
		       struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_SUCCESSOR);

	*found = false;
	if (!api->version_set_id.n)
		return GH_RC_OK;
	bind_str(st, 1, api->version_set_id);
	bind_str(st, 2, api->id);
	return find_row(s, st, &api_type, a, out, found, err);
}

static GH_RC tell(struct store *s, struct arena *a, const struct store_api *api, struct str portal, size_t *told,
		  struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_API_SUBSCRIBERS);
	json_t *data = jsn_keep(a, json_object());
	struct subscriber *people;
	struct store_api next;
	bool has_next;
	size_t n;

	bind_str(st, 1, api->id);
	bind_int(st, 2, STORE_USER_ACTIVE);
	bind_int(st, 3, LIFECYCLE_MAILS_MAX);
	TRY(list_rows(s, st, &subscriber_type, a, &people, &n, err));
	TRY(successor(s, a, api, &next, &has_next, err));
	if (!data)
		FAIL(err, NOMEM, "mail");
	TRY(put(data, "api", title(a, api), err));
	TRY(put(data, "date", day(a, api->deprecated_us), err));
	TRY(put(data, "sunset", day(a, api->sunset_us), err));
	TRY(put(data, "sunset_at", moment(a, api->sunset_us), err));
	TRY(put(data, "successor", has_next ? title(a, &next) : STR(""), err));
	TRY(put(data, "link", portal.n ? arena_printf(a, "%.*sapis/%.*s", STR_ARG(portal), STR_ARG(api->id)) : STR(""), err));
	for (size_t i = 0; i < n; i++) {
		TRY(put(data, "name", people[i].first_name.n ? people[i].first_name : people[i].email, err));
		TRY(store_mail_add(s, people[i].email, "deprecated", data, err));
	}
	*told = n;
	return GH_RC_OK;
}

GH_RC store_api_change(struct store *s, struct arena *a, const struct store_api *api, struct str portal, size_t *told,
		       struct gh_err *err)
{
	struct store_api before = { .id = api->id }, now;
	bool found;

	*told = 0;
	TRY(api_life_read(s, api->id, &before, &found, err));
	TRY(store_api_update(s, api, err));
	TRY(store_api_find(s, a, api->id, 0, &now, &found, err));
	if (!found || now.state != STORE_API_DEPRECATED)
		return GH_RC_OK;
	if (before.state == STORE_API_DEPRECATED && before.sunset_us == now.sunset_us)
		return GH_RC_OK;
	return tell(s, a, &now, portal, told, err);
}

GH_RC store_product_takes_subscriptions(struct store *s, struct str product_id, bool *takes, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_PRODUCT_PHASES);
	bool row;

	bind_str(st, 1, product_id);
	TRY(sql_step(s, st, &row, err));
	*takes = !row || sqlite3_column_int64(st, 0) == 0 || sqlite3_column_int64(st, 1) < sqlite3_column_int64(st, 0);
	if (row)
		sqlite3_reset(st);
	return GH_RC_OK;
}
