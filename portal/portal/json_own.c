#include "portal/portal/json.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/notices.h"
#include "db/teams.h"
#include "portal/portal/usage.h"

/* What belongs to the caller, as JSON: subscriptions and their keys, calls. Somebody else's is answered like what is not
 * there, as on the pages. */

enum { OVERLAP_DAY_S = 86400, OVERLAP_MAX_S = 30 * 86400, LAST_CALLS = 1000, DAY_S = 86400 };

static json_t *subscription(const struct store_subscription *s)
{
	static const char *const scopes[] = { "product", "api", "all-apis" };

	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "id", portal_json_text(s->id), "name",
			 portal_json_text(s->name.n ? s->name : s->id), "scope", scopes[s->scope], "product", portal_json_text(s->product_id), "api",
			 portal_json_text(s->api_id), "application", portal_json_text(s->application_id), "tier",
			 portal_json_text(s->tier_id), "state", store_subscription_state_names[s->state], "createdAt", portal_json_time(s->created_us),
			 "endsAt", portal_json_time(s->ends_us), "note", portal_json_text(s->note.p ? s->note : STR("")));
}

gh_rc portal_json_subscriptions(struct web *w, struct gh_err *err)
{
	struct store_subscription *v;
	struct portal_window win;
	json_t *items;
	size_t n;

	TRY(store_own_subscriptions(w->site->store, w->a, w->user.id, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, subscription(&v[i]));
	return portal_json_list(w, &win, items, err);
}

static GH_RC put_prefixes(struct web *w, const struct store_subscription *s, json_t *v, struct gh_err *err)
{
	struct store_keys prefixes;

	TRY(store_subscription_prefixes(w->site->store, w->a, s->id, &prefixes, err));
	json_object_set_new(v, "primaryKeyPrefix", portal_json_text(prefixes.primary));
	json_object_set_new(v, "secondaryKeyPrefix", portal_json_text(prefixes.secondary));
	return GH_RC_OK;
}

static GH_RC show(struct web *w, const struct store_subscription *s, const struct store_keys *clear, int status, struct gh_err *err)
{
	json_t *v = jsn_keep(w->a, subscription(s));

	if (!v)
		FAIL(err, NOMEM, "subscription");
	TRY(put_prefixes(w, s, v, err));
	if (clear) {
		json_object_set_new(v, "primaryKey", portal_json_text(clear->primary));
		json_object_set_new(v, "secondaryKey", portal_json_text(clear->secondary));
	}
	return web_json(w, status, "application/json", v, err);
}

/* A name that was given and can be used; false: the field is named. */
static bool name_of(struct web *w, const json_t *body, bool needed, struct str *out)
{
	const json_t *given = jsn_get(body, "name");

	*out = str_trim(jsn_string(given).p ? jsn_string(given) : STR(""));
	if (given && !json_is_string(given))
		web_json_field(w, "name", "This is no text");
	else if (out->n > PORTAL_NAME_MAX)
		web_json_field(w, "name", "This is too long");
	else if (needed && !out->n)
		web_json_field(w, "name", "A name is needed");
	else
		return true;
	return false;
}

/* Application, tier and message; what is wrong is named. p NULL: that is wrong already. */
static GH_RC read_wish(struct web *w, const json_t *body, const struct store_product *p, struct portal_wish *wish, struct gh_err *err)
{
	static const char *const texts[] = { "application", "tier", "message" };
	struct str application = jsn_str(body, "application");
	bool offered = false;
	gh_rc rc = GH_RC_OK;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const json_t *given = jsn_get(body, texts[i]);

		if (given && !json_is_string(given) && !json_is_null(given))
			web_json_field(w, texts[i], "This is no text");
	}
	wish->message = str_trim(jsn_str(body, "message").p ? jsn_str(body, "message") : STR(""));
	if (wish->message.n > STORE_REQUEST_MESSAGE_MAX)
		web_json_field(w, "message", "This is too long");
	if (application.n)
		rc = portal_own_application(w, application, &wish->application, err);
	if (rc.code == GH_E_NOT_FOUND)
		web_json_field(w, "application", "There is no such application");
	else
		TRY(rc);
	if (p)
		TRY(portal_tier_chosen(w, p, jsn_str(body, "tier"), &wish->tier, &offered, err));
	if (offered && !wish->tier.id.n)
		web_json_field(w, "tier", "This is one of the tiers that the product offers");
	return GH_RC_OK;
}

/* By "product" or by "group"; NULL: there is none of that kind. */
static const struct store_product *asked_for(const json_t *body, const struct portal_sight *sight)
{
	bool group = jsn_get(body, "group") != NULL;
	struct str id = jsn_str(body, group ? "group" : "product");
	const struct store_product *p = id.n ? portal_sight_product(sight, id) : NULL;

	return p && (p->kind == STORE_KIND_API_GROUP) == group ? p : NULL;
}

gh_rc portal_json_subscribe(struct web *w, struct gh_err *err)
{
	struct portal_wish wish = { .name = STR("") };
	const struct store_product *p;
	struct store_subscription sub;
	const char *problem = NULL;
	struct portal_sight sight;
	struct store_keys keys;
	json_t *body;
	bool named;

	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	TRY(portal_sight_load(w, &sight, err));
	p = asked_for(body, &sight);
	if (!p)
		web_json_field(w, jsn_get(body, "group") ? "group" : "product",
			       jsn_get(body, "group") ? "There is no such API group" : "There is no such product");
	else if (p->terms.n && !jsn_bool(body, "agree", false))
		web_json_field(w, "agree", "Agree to the terms of this product first");
	named = name_of(w, body, false, &wish.name);
	TRY(read_wish(w, body, p, &wish, err));
	if (!named || w->fields) {
		web_json_error(w, 422, NULL, NULL);
		return GH_RC_OK;
	}
	TRY(portal_subscription_make(w, p, &wish, &sub, &keys, &problem, err));
	if (problem) {
		web_json_error(w, 409, "subscription_refused", problem);
		return GH_RC_OK;
	}
	sub.created_us = clock_wall_us();
	web_header(w, "Location", arena_printf(w->a, "%.*s%s/subscriptions/%.*s", STR_ARG(w->site->base), PORTAL_JSON + 1, STR_ARG(sub.id)));
	return show(w, &sub, &keys, 201, err);
}

gh_rc portal_json_subscription(struct web *w, struct gh_err *err)
{
	struct store_subscription s;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	return show(w, &s, NULL, 200, err);
}

gh_rc portal_json_subscription_change(struct web *w, struct gh_err *err)
{
	struct store *st = w->site->store;
	struct store_subscription s;
	json_t *body;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	if (!name_of(w, body, true, &s.name)) {
		web_json_error(w, 422, NULL, NULL);
		return GH_RC_OK;
	}
	TRY(store_tx_begin(st, web_actor(w), err));
	TRY(store_tx_end(st, portal_rename(w, &s, s.name, err), err));
	return show(w, &s, NULL, 200, err);
}

/* ---- keys -------------------------------------------------------------------------------------------------------------------- */

gh_rc portal_json_keys(struct web *w, struct gh_err *err)
{
	struct store_subscription s;
	struct store_keys clear;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	if (!portal_shows_keys(w)) {
		web_json_error(w, 409, "keys_shown_once", "Keys are shown once here, when they are made: replace one to see a new key");
		return GH_RC_OK;
	}
	TRY(store_subscription_keys_shown(w->site->store, w->a, s.id, web_actor(w), &clear, err));
	return portal_json_answer(w, 200, json_pack("{s:o, s:o}", "primaryKey", portal_json_text(clear.primary), "secondaryKey",
						    portal_json_text(clear.secondary)), err);
}

gh_rc portal_json_rotate(struct web *w, struct gh_err *err)
{
	struct store *st = w->site->store;
	struct store_subscription s;
	enum store_key_slot slot;
	struct str key, wish;
	int64_t keep;
	json_t *body;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	wish = jsn_get(body, "slot") ? jsn_str(body, "slot") : STR("primary");
	keep = jsn_int(body, "overlapSeconds", jsn_get(body, "overlapSeconds") ? -1 : OVERLAP_DAY_S);
	if (!str_eq(wish, STR("primary")) && !str_eq(wish, STR("secondary")))
		web_json_field(w, "slot", "This is primary or secondary");
	if (keep < 0 || keep > OVERLAP_MAX_S)
		web_json_field(w, "overlapSeconds", "This is a number of seconds of at most 30 days");
	if (w->fields) {
		web_json_error(w, 422, NULL, NULL);
		return GH_RC_OK;
	}
	if (s.state != STORE_SUB_ACTIVE && s.state != STORE_SUB_SUBMITTED) {
		web_json_error(w, 409, "subscription_state", "This subscription opens nothing at present, so it gets no new key");
		return GH_RC_OK;
	}
	slot = str_eq(wish, STR("secondary")) ? STORE_KEY_SECONDARY : STORE_KEY_PRIMARY;
	TRY(store_tx_begin(st, web_actor(w), err));
	TRY(store_tx_end(st, portal_key_replace(w, s.id, slot, keep, &key, err), err));
	return portal_json_answer(w, 200, json_pack("{s:o, s:o, s:o}", "slot", portal_json_text(wish), "key", portal_json_text(key), "oldKeyEndsAt",
						    portal_json_time(clock_wall_us() + keep * 1000000)), err);
}

gh_rc portal_json_cancel(struct web *w, struct gh_err *err)
{
	struct store *st = w->site->store;
	struct store_subscription s;
	struct store_site site;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	web_store_site(w, &site);
	if (s.state != STORE_SUB_CANCELLED) {
		TRY(store_tx_begin(st, web_actor(w), err));
		TRY(store_tx_end(st, store_subscription_change(st, w->a, s.id, STORE_SUB_CANCELLED, STR("Cancelled by its owner."), &site, err), err));
		TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	}
	return show(w, &s, NULL, 200, err);
}

/* ---- tiers ------------------------------------------------------------------------------------------------------------------- */

gh_rc portal_json_tier(struct web *w, struct gh_err *err)
{
	struct store_subscription s;
	const char *problem;
	struct str message;
	json_t *body;
	bool waits;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	message = str_trim(jsn_str(body, "message").p ? jsn_str(body, "message") : STR(""));
	if (message.n > STORE_REQUEST_MESSAGE_MAX)
		web_json_field(w, "message", "This is too long");
	if (!jsn_str(body, "tier").n)
		web_json_field(w, "tier", "This is one of the tiers that the product offers");
	if (w->fields) {
		web_json_error(w, 422, NULL, NULL);
		return GH_RC_OK;
	}
	TRY(portal_tier_change(w, &s, jsn_str(body, "tier"), message, &problem, &waits, err));
	if (problem) {
		web_json_error(w, 409, "tier_refused", problem);
		return GH_RC_OK;
	}
	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	return show(w, &s, NULL, waits ? 202 : 200, err);
}

gh_rc portal_json_tier_withdraw(struct web *w, struct gh_err *err)
{
	struct store_subscription s;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	TRY(portal_tier_withdraw(w, &s, err));
	return show(w, &s, NULL, 200, err);
}

/* ---- calls ------------------------------------------------------------------------------------------------------------------- */

static json_t *milliseconds(uint64_t us)
{
	return json_real((double)us / 1000);
}

static json_t *day(const struct portal_day *d, int64_t start_us)
{
	char text[CLOCK_ISO_MAX];

	clock_iso(start_us, 0, text);
	return json_pack("{s:s%, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I}, s:o, s:o}", "date", text, 10, "calls", (json_int_t)d->calls, "refused", (json_int_t)d->refused,
			 "failed", (json_int_t)d->failed, "statuses", "2xx", (json_int_t)d->status_class[2], "3xx", (json_int_t)d->status_class[3],
			 "4xx", (json_int_t)d->status_class[4], "5xx", (json_int_t)d->status_class[5], "p50Ms", d->calls ? milliseconds(latency_quantile(&d->latency, 0.5)) : json_null(),
			 "p95Ms", d->calls ? milliseconds(latency_quantile(&d->latency, 0.95)) : json_null());
}

static GH_RC by_api(struct web *w, const struct portal_usage *u, json_t *list, struct gh_err *err)
{
	for (size_t i = 0; i < u->n; i++) {
		struct store_traffic_filter f = { .subscription = u->own[i].id, .from_us = u->from_us };
		struct store_traffic_row *rows;
		size_t n;

		TRY(store_traffic(w->site->store, w->a, STORE_TRAFFIC_BY_API, &f, &rows, &n, err));
		for (size_t k = 0; k < n; k++)
			json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:I, s:I}", "api", portal_json_text(rows[k].id), "subscription",
							      portal_json_text(u->own[i].id), "calls", (json_int_t)rows[k].traffic.calls, "refused",
							      (json_int_t)rows[k].traffic.refused, "failed",
							      (json_int_t)(rows[k].traffic.gateway_errors + rows[k].traffic.backend_errors)));
	}
	return GH_RC_OK;
}

static GH_RC by_reason(struct web *w, const struct portal_usage *u, json_t *list, struct gh_err *err)
{
	struct store_reason *v;
	size_t n;

	TRY(portal_usage_reasons(w, u, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:i, s:o, s:I}", "status", (int)v[i].status, "reason", portal_json_text(v[i].reason), "calls",
						      (json_int_t)v[i].calls));
	return GH_RC_OK;
}

gh_rc portal_json_usage(struct web *w, struct gh_err *err)
{
	json_t *v = jsn_keep(w->a, json_pack("{s:[], s:[], s:[]}", "days", "apis", "reasons"));
	struct portal_usage u;
	struct portal_day *days;

	if (!v)
		FAIL(err, NOMEM, "usage");
	TRY(portal_usage_load(w, &u, err));
	TRY(portal_usage_days(w, &u, &days, err));
	for (int i = 0; i < u.days; i++)
		json_array_append_new(json_object_get(v, "days"), day(&days[i], u.from_us + (int64_t)i * DAY_S * 1000000));
	TRY(by_api(w, &u, json_object_get(v, "apis"), err));
	TRY(by_reason(w, &u, json_object_get(v, "reasons"), err));
	return web_json(w, 200, "application/json", v, err);
}

static json_t *call(const struct telemetry_call *t)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "requestId", portal_json_text(t->request_id), "time",
			 portal_json_time(t->started_us), "method", portal_json_text(t->method), "path", portal_json_text(t->path), "status",
			 (int)t->status, "reason", portal_json_text(t->reason), "api", portal_json_text(t->api), "operation",
			 portal_json_text(t->operation), "subscription", portal_json_text(t->subscription), "totalMs", milliseconds(t->total_us),
			 "backendMs", milliseconds(t->backend_us), "bytesIn", (json_int_t)t->bytes_in, "bytesOut", (json_int_t)t->bytes_out);
}

gh_rc portal_json_calls(struct web *w, struct gh_err *err)
{
	struct portal_window win;
	struct store_call *calls;
	struct portal_usage u;
	json_t *items;
	size_t n;

	TRY(portal_usage_load(w, &u, err));
	TRY(portal_usage_calls(w, &u, LAST_CALLS, &calls, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, call(&calls[i].call));
	return portal_json_list(w, &win, items, err);
}

gh_rc portal_json_call(struct web *w, struct gh_err *err)
{
	struct telemetry_call t;
	struct portal_why why;
	json_t *v;

	TRY(portal_own_call(w, w->rq.args[0], &t, err));
	why = portal_why(w, &t);
	v = call(&t);
	json_object_set_new(v, "product", portal_json_text(t.product));
	json_object_set_new(v, "address", portal_json_text(t.client_ip));
	json_object_set_new(v, "keyPrefix", portal_json_text(t.key_prefix));
	json_object_set_new(v, "traceId", portal_json_text(t.trace_id));
	json_object_set_new(v, "decision", portal_json_text(why.decision));
	json_object_set_new(v, "detail", portal_json_text(why.detail));
	json_object_set_new(v, "fix", portal_json_text(why.fix));
	return portal_json_answer(w, 200, v, err);
}
