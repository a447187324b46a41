#include "portal/admin/admin.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/captures.h"

/* Headers and bodies of calls, written down for a while: what is on, its calls, one call. Secrets were masked when it was written. */

static struct str person(struct str actor)
{
	return str_starts(actor, STR("user:")) ? str_from(actor, 5) : actor;
}

static void put_capture(struct web *w, struct liquid_record *r, const struct store_capture *c, int64_t now)
{
	bool on = store_capture_is_on(c, now);

	liquid_set_text(r, "id", c->id);
	liquid_set_text(r, "kind", c->api_id.n ? STR("API") : c->subscription_id.n ? STR("Subscription") : STR("Address"));
	liquid_set_text(r, "of", c->api_id.n ? c->api_id : c->subscription_id.n ? c->subscription_id : c->address);
	liquid_set_bool(r, "on", on);
	liquid_set_text(r, "started", web_date(w, c->started_us));
	liquid_set_text(r, "until", web_date(w, c->ended_us ? c->ended_us : c->until_us));
	liquid_set_text(r, "by", person(c->started_by));
	liquid_set_text(r, "ended_by", on ? STR("") : !c->ended_us || str_eq(c->ended_by, STR("time")) ? STR("its time") : person(c->ended_by));
	liquid_set_text(r, "calls", web_number(w, c->calls));
	liquid_set_text(r, "marked", c->marked);
}

static GH_RC put_apis(struct web *w, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "apis");
	struct store_api *v;
	size_t n;

	TRY(store_apis(w->site->store, w->a, NULL, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(l);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name.n ? v[i].name : v[i].id);
	}
	return GH_RC_OK;
}

static GH_RC list_page(struct web *w, int status, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "captures");
	int64_t now = clock_wall_us();
	struct store_capture *v;
	int64_t before;
	char next[24];
	size_t n;

	web_form(w);
	TRY(put_apis(w, err));
	if (!str_to_i64(web_param(&w->rq.query, "before"), 1, INT64_MAX, &before))
		before = 0;
	TRY(store_captures(w->site->store, w->a, before, ADMIN_PAGE_ROWS + 1, &v, &n, err));
	for (size_t i = 0; i < n && i < ADMIN_PAGE_ROWS; i++)
		put_capture(w, liquid_push_record(l), &v[i], now);
	snprintf(next, sizeof(next), "%lld", n > ADMIN_PAGE_ROWS ? (long long)v[ADMIN_PAGE_ROWS - 1].number : 0);
	liquid_set_text(w->page, "next_page", n > ADMIN_PAGE_ROWS ? admin_query(w, (const char *const[]){ "before", next, NULL }) : STR(""));
	liquid_set_text(w->page, "previous_page", before ? admin_query(w, (const char *const[]){ "before", "", NULL }) : STR(""));
	liquid_set_text(w->page, "title", STR("Captures"));
	w->rs.status = status;
	return web_page(w, "captures", err);
}

gh_rc admin_captures(struct web *w, struct gh_err *err)
{
	web_form_value(w, "api", web_param(&w->rq.query, "api"));
	web_form_value(w, "subscription", web_param(&w->rq.query, "subscription"));
	web_form_value(w, "minutes", STR("10"));
	web_form_value(w, "calls", STR("100"));
	return list_page(w, 200, err);
}

/* A number in its bounds; false: with an error beside the field. */
static bool read_number(struct web *w, const char *field, int64_t most, int64_t *out)
{
	if (str_to_i64(str_trim(web_param(&w->rq.form, field)), 1, most, out))
		return true;
	web_form_error(w, field, arena_printf(w->a, "Enter a number from 1 to %lld", (long long)most));
	return false;
}

gh_rc admin_capture_start(struct web *w, struct gh_err *err)
{
	static const char *const names[] = { "api", "subscription", "address", "minutes", "calls", "mask", "bodies" };
	struct store_capture c = { .api_id = web_param(&w->rq.form, "api"), .subscription_id = str_trim(web_param(&w->rq.form, "subscription")),
				   .address = str_trim(web_param(&w->rq.form, "address")), .marked = web_param(&w->rq.form, "mask"),
				   .body_bytes = web_param(&w->rq.form, "bodies").n ? CAPTURE_BODY_BYTES : 0 };
	struct gh_err why = { 0 };
	int64_t minutes = 0;
	bool good;
	gh_rc rc;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		web_form_value(w, names[i], web_param(&w->rq.form, names[i]));
	good = read_number(w, "minutes", CAPTURE_SECONDS_MAX / 60, &minutes);
	good &= read_number(w, "calls", CAPTURE_CALLS_MAX, &c.calls);
	if (!good)
		return list_page(w, 422, err);
	rc = store_capture_start(w->site->store, w->a, web_actor(w), minutes * 60, &c, &why);
	if (!rc.code) {
		TRY(web_flash(w, "good", STR("Capture is on. It ends by itself."), err));
		return web_redirect(w, arena_printf(w->a, "captures/%.*s", STR_ARG(c.id)), err);
	}
	if (rc.code != GH_E_INVALID && rc.code != GH_E_NOT_FOUND && rc.code != GH_E_LIMIT) {
		*err = why;
		return rc;
	}
	liquid_set_text(web_form(w), "error", arena_dup(w->a, str_of(why.message)));
	return list_page(w, 422, err);
}

gh_rc admin_capture_stop(struct web *w, struct gh_err *err)
{
	struct gh_err why = { 0 };
	gh_rc rc = store_capture_stop(w->site->store, w->a, web_actor(w), w->rq.args[0], &why);

	if (rc.code && rc.code != GH_E_CONFLICT) {
		*err = why;
		return rc;
	}
	TRY(web_flash(w, "good", rc.code ? STR("It had ended already.") : STR("Capture is off."), err));
	return web_redirect(w, arena_printf(w->a, "captures/%.*s", STR_ARG(w->rq.args[0])), err);
}

/* ---- its calls -------------------------------------------------------------------------------------------------------------- */

static void put_text(struct liquid_record *r, const char *name, const json_t *v)
{
	struct str text = jsn_str(v, name);

	liquid_set_text(r, name, text.p ? text : STR(""));
}

/* "2026-01-02T03:04:05.678Z" as lists of calls have it; and how bad the status is. */
static void put_when(struct web *w, struct liquid_record *r, const json_t *v)
{
	int64_t status = jsn_int(v, "status", 0);
	struct str time = jsn_str(v, "time");

	liquid_set_text(r, "status", arena_printf(w->a, "%lld", (long long)status));
	liquid_set_text(r, "level", str_of(admin_status_level((int)status)));
	liquid_set_text(r, "time", time.n == 24 ? arena_printf(w->a, "%.10s %.12s", time.p, time.p + 11) : STR(""));
}

gh_rc admin_capture(struct web *w, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "calls");
	struct store_capture c;
	struct cache *cache;
	json_t *all, *v;
	bool found;
	size_t i;

	TRY(store_capture_find(w->site->store, w->a, w->rq.args[0], &c, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such capture");
	put_capture(w, liquid_set_record(w->page, "capture"), &c, clock_wall_us());
	TRY(web_cache(w, &cache, err));
	if (cache) {
		TRY(store_capture_calls(cache, w->a, c.id, &all, err));
		json_array_foreach(all, i, v) {
			struct liquid_record *r = liquid_push_record(l);

			for (const char *const *name = (const char *const[]){ "id", "method", "path", "failure", NULL }; *name; name++)
				put_text(r, *name, v);
			put_when(w, r, v);
		}
	}
	liquid_set_text(w->page, "title", STR("Capture"));
	return web_page(w, "capture", err);
}

/* ---- one call --------------------------------------------------------------------------------------------------------------- */

/* Of a multipart body. */
static void put_parts(struct web *w, struct liquid_record *r, const json_t *parts)
{
	struct liquid_list *l = liquid_set_list(r, "parts");
	const json_t *v;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)parts, i, v) {
		struct liquid_record *p = liquid_push_record(l);

		for (const char *const *name = (const char *const[]){ "name", "file", "type", "text", "note", NULL }; *name; name++)
			put_text(p, *name, v);
		liquid_set_text(p, "bytes", web_number(w, jsn_int(v, "bytes", 0)));
		liquid_set_bool(p, "cut", jsn_bool(v, "cut", false));
	}
}

static void put_message(struct web *w, struct liquid_list *l, const char *title, const json_t *m)
{
	const json_t *body = jsn_obj(m, "body"), *field;
	struct liquid_list *headers;
	struct liquid_record *r;
	int64_t bytes = jsn_int(body, "bytes", 0), status = jsn_int(m, "status", 0);
	size_t i;

	if (!m)
		return;
	r = liquid_push_record(l);
	liquid_set_text(r, "title", str_of(title));
	put_text(r, "method", m);
	put_text(r, "url", m);
	liquid_set_text(r, "status", status ? arena_printf(w->a, "%lld", (long long)status) : STR(""));
	liquid_set_text(r, "bytes", bytes ? web_number(w, bytes) : STR(""));
	liquid_set_bool(r, "cut", jsn_bool(body, "cut", false));
	put_text(r, "text", body);
	put_text(r, "note", body);
	put_parts(w, r, jsn_arr(body, "parts"));
	headers = liquid_set_list(r, "headers");
	json_array_foreach (jsn_arr(m, "headers"), i, field) {
		struct liquid_record *h = liquid_push_record(headers);

		put_text(h, "name", field);
		put_text(h, "value", field);
	}
}

gh_rc admin_captured_call(struct web *w, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "messages");
	struct liquid_record *call = liquid_set_record(w->page, "call");
	struct cache *cache;
	json_t *v = NULL;

	TRY(web_cache(w, &cache, err));
	if (cache)
		TRY(store_captured_call(cache, w->a, w->rq.args[0], &v, err));
	if (!v)
		FAIL(err, NOT_FOUND, "no such call, or it was captured more than a day ago");
	TRY(store_capture_seen(w->site->store, web_actor(w), w->rq.args[0], err));
	for (const char *const *name = (const char *const[]){ "id", "capture", "api", "operation", "subscription", "address", "failure", NULL };
	     *name; name++)
		put_text(call, *name, v);
	put_when(w, call, v);
	put_message(w, l, "From the client", jsn_obj(v, "request"));
	put_message(w, l, "To the backend", jsn_obj(v, "backendRequest"));
	put_message(w, l, "From the backend", jsn_obj(v, "backendResponse"));
	put_message(w, l, "To the client", jsn_obj(v, "response"));
	liquid_set_text(w->page, "title", STR("Captured call"));
	return web_page(w, "captured-call", err);
}
