#include "db/captures.h"

#include "core/clock.h"
#include "core/ip.h"
#include "core/str.h"
#include "db/apis.h"
#include "db/audit.h"
#include "db/sql.h"
#include "db/subscriptions.h"

enum { NAME_MAX_BYTES = 100, FORGET_S = 30 * 86400 };

static const struct field fields[] = {
	FIELD(store_capture, TEXT, id),        FIELD(store_capture, REF, api_id),     FIELD(store_capture, REF, subscription_id),
	FIELD(store_capture, REF, address),    FIELD(store_capture, TIME, started_us), FIELD(store_capture, TIME, until_us),
	FIELD(store_capture, INT, calls),      FIELD(store_capture, INT, body_bytes), FIELD(store_capture, TEXT, marked),
	FIELD(store_capture, TEXT, started_by), FIELD(store_capture, TIME, ended_us), FIELD(store_capture, TEXT, ended_by),
	FIELD(store_capture, INT, number),
};
static const struct row_type type = ROW_TYPE("capture", store_capture, fields);
/* the store numbers what is added */
static const struct row_type new_type = { "capture", fields, ARRAY_LEN(fields) - 1, sizeof(struct store_capture) };

/* ---- starting --------------------------------------------------------------------------------------------------------------- */

static gh_rc check_bounds(const struct store_capture *c, int64_t seconds, struct gh_err *err)
{
	struct str rest = c->marked, name;
	struct ip_range range;
	size_t n = 0;

	if ((c->api_id.n > 0) + (c->subscription_id.n > 0) + (c->address.n > 0) != 1)
		FAIL(err, INVALID, "a capture is for one API, one subscription or one address: name one of them");
	if (seconds < 1 || seconds > CAPTURE_SECONDS_MAX)
		FAIL(err, INVALID, "a capture lasts from 1 second to %d minutes", CAPTURE_SECONDS_MAX / 60);
	if (c->calls < 1 || c->calls > CAPTURE_CALLS_MAX)
		FAIL(err, INVALID, "a capture writes down from 1 to %d calls", CAPTURE_CALLS_MAX);
	if (c->body_bytes < 0 || c->body_bytes > CAPTURE_BODY_BYTES_MAX)
		FAIL(err, INVALID, "a capture writes down at most %d bytes of a body", CAPTURE_BODY_BYTES_MAX);
	if (c->address.n && !ip_parse_network(c->address, &range))
		FAIL(err, INVALID, "'%.*s' is no address and no network such as 192.0.2.0/24", STR_ARG(str_first(c->address, 100)));
	while (str_word(&rest, &name))
		if (name.n > NAME_MAX_BYTES || ++n > CAPTURE_MARKED_MAX)
			FAIL(err, INVALID, "at most %d names of fields are masked, of %d bytes", CAPTURE_MARKED_MAX, NAME_MAX_BYTES);
	return GH_RC_OK;
}

/* Of what it is there must be something, or nothing would ever be captured. */
static gh_rc check_target(struct store *s, struct arena *a, const struct store_capture *c, struct gh_err *err)
{
	struct store_subscription sub;
	struct store_api api;
	bool found = true;

	if (c->api_id.n)
		TRY(store_api_find(s, a, c->api_id, 0, &api, &found, err));
	if (c->subscription_id.n)
		TRY(store_subscription_find(s, a, c->subscription_id, &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no %s '%.*s'", c->api_id.n ? "API" : "subscription",
		     STR_ARG(str_first(c->api_id.n ? c->api_id : c->subscription_id, 200)));
	return GH_RC_OK;
}

static gh_rc check_count(struct store *s, int64_t now, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CAPTURE_COUNT);
	int64_t n;
	bool found;

	bind_int(st, 1, now);
	TRY(find_int(s, st, &n, &found, err));
	if (n >= CAPTURES_ON_MAX)
		FAIL(err, LIMIT, "%d captures are on already: stop one first", CAPTURES_ON_MAX);
	return GH_RC_OK;
}

static gh_rc start(struct store *s, struct arena *a, struct store_capture *c, struct gh_err *err)
{
	TRY(check_target(s, a, c, err));
	TRY(check_count(s, c->started_us, err));
	return change_row(s, SQL_CAPTURE_ADD, &new_type, c, (struct change){ .action = "start", .id = c->id, .raises = RAISES_CONFIG }, err);
}

GH_RC store_capture_start(struct store *s, struct arena *a, struct str actor, int64_t seconds, struct store_capture *c, struct gh_err *err)
{
	c->calls = c->calls ? c->calls : CAPTURE_CALLS;
	c->marked = c->marked.p ? str_trim(c->marked) : STR("");
	c->address = str_trim(c->address);
	TRY(check_bounds(c, seconds, err));
	TRY(store_new_id(a, &c->id, err));
	c->started_us = clock_wall_us();
	c->until_us = c->started_us + seconds * 1000000;
	c->started_by = actor;
	c->ended_us = 0;
	c->ended_by = STR("");
	if (store_in_tx(s))
		return start(s, a, c, err);
	TRY(store_tx_begin(s, actor, err));
	return store_tx_end(s, start(s, a, c, err), err);
}

/* ---- ending ----------------------------------------------------------------------------------------------------------------- */

static gh_rc end(struct store *s, struct str id, int64_t at_us, struct str by, const char *action, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CAPTURE_END);

	bind_str(st, 1, id);
	bind_int(st, 2, at_us);
	bind_str(st, 3, by);
	return change_run(s, st, &(struct change){ .action = action, .kind = "capture", .id = id, .raises = RAISES_CONFIG, .must_exist = true },
			  err);
}

GH_RC store_capture_stop(struct store *s, struct arena *a, struct str actor, struct str id, struct gh_err *err)
{
	int64_t now = clock_wall_us();
	struct store_capture c;
	bool found;

	TRY(store_capture_find(s, a, id, &c, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no capture '%.*s'", STR_ARG(str_first(id, 200)));
	if (!store_capture_is_on(&c, now))
		FAIL(err, CONFLICT, "capture '%.*s' has ended already", STR_ARG(str_first(id, 200)));
	if (store_in_tx(s))
		return end(s, id, now, actor, "stop", err);
	TRY(store_tx_begin(s, actor, err));
	return store_tx_end(s, end(s, id, now, actor, "stop", err), err);
}

static gh_rc end_all(struct store *s, const struct store_capture *v, size_t n, struct gh_err *err)
{
	sqlite3_stmt *st;

	for (size_t i = 0; i < n; i++)
		TRY(end(s, v[i].id, v[i].until_us, STR("time"), "end", err));
	st = sql_use(s, SQL_CAPTURE_PRUNE);
	bind_int(st, 1, clock_wall_us() - FORGET_S * INT64_C(1000000));
	return change_run(s, st, &(struct change){ .kind = "capture" }, err);
}

GH_RC store_captures_end_due(struct store *s, struct arena *a, size_t *ended, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CAPTURE_DUE);
	struct store_capture *v;

	bind_int(st, 1, clock_wall_us());
	TRY(list_rows(s, st, &type, a, &v, ended, err));
	if (!*ended)
		return GH_RC_OK;
	TRY(store_tx_begin(s, STR("keeper"), err));
	return store_tx_end(s, end_all(s, v, *ended, err), err);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------- */

GH_RC store_captures(struct store *s, struct arena *a, int64_t before, size_t limit, struct store_capture **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CAPTURE_ALL);

	bind_int(st, 1, before ? before : INT64_MAX);
	bind_int(st, 2, limit ? (int64_t)limit : STORE_LIST_MAX);
	return list_rows(s, st, &type, a, out, n, err);
}

GH_RC store_captures_on(struct store *s, struct arena *a, struct store_capture **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CAPTURE_ON);

	bind_int(st, 1, clock_wall_us());
	return list_rows(s, st, &type, a, out, n, err);
}

GH_RC store_capture_find(struct store *s, struct arena *a, struct str id, struct store_capture *out, bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_CAPTURE_GET);

	bind_str(st, 1, id);
	return find_row(s, st, &type, a, out, found, err);
}

/* A client may put a zero byte into the name of a part. */
static const struct jsn_limits stored = { .flags = JSN_NUL };

GH_RC store_capture_calls(struct cache *c, struct arena *a, struct str capture, json_t **out, struct gh_err *err)
{
	struct str lines;

	*out = jsn_keep(a, json_array());
	if (!*out)
		FAIL(err, NOMEM, "a list of captured calls");
	TRY(cache_get(c, CAPTURE_LIST_SPACE, capture, clock_wall_us(), a, &lines, err));
	for (struct str line; lines.n && str_split(&lines, '\n', &line);) {
		json_t *one;

		if (line.n && !jsn_parse(line, &stored, &one, NULL, NULL).code && json_array_append_new(*out, one) < 0)
			FAIL(err, NOMEM, "a list of captured calls");
	}
	return GH_RC_OK;
}

GH_RC store_captured_call(struct cache *c, struct arena *a, struct str request_id, json_t **out, struct gh_err *err)
{
	struct str text;

	*out = NULL;
	TRY(cache_get(c, CAPTURE_CACHE_SPACE, request_id, clock_wall_us(), a, &text, err));
	return str_is_null(text) ? GH_RC_OK : jsn_parse_in(a, text, &stored, out, NULL, err);
}

GH_RC store_capture_seen(struct store *s, struct str actor, struct str request_id, struct gh_err *err)
{
	TRY(store_tx_begin(s, actor, err));
	return store_tx_end(s, store_audit_note(s, STR("read"), STR("captured call"), request_id, STR_NULL, err), err);
}
