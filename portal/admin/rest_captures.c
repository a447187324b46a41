/* rest_captures.c - headers and bodies of calls, written down for a while: what the pages Captures do. Who starts, stops and reads one
 * stands in the audit trail. */
#include "portal/admin/rest_deed.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/captures.h"

enum { LISTED = 50, LISTED_MAX = 1000 };

static json_t *capture_json(const struct store_capture *c)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "id", rest_text(c->id), "api", rest_text(c->api_id),
			 "subscription", rest_text(c->subscription_id), "address", rest_text(c->address), "on", store_capture_is_on(c, clock_wall_us()), "started",
			 rest_time(c->started_us, 3), "until", rest_time(c->until_us, 3), "ended", rest_time(c->ended_us, 3), "startedBy", rest_text(c->started_by),
			 "endedBy", rest_text(c->ended_by), "calls", (json_int_t)c->calls, "bodyBytes", (json_int_t)c->body_bytes, "mask",
			 json_stringn(c->marked.p ? c->marked.p : "", c->marked.n));
}

gh_rc rest_captures(struct rest *r, struct gh_err *err)
{
	static const char *const none[] = { NULL };
	struct rest_window window;
	struct store_capture *v;
	json_t *items = json_array();
	size_t n;
	bool ok;

	if (!jsn_keep(r->w->a, items))
		FAIL(err, NOMEM, "captures");
	TRY(rest_window(r, none, LISTED, LISTED_MAX, &window, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_captures(r->w->site->store, r->w->a, window.before, window.limit + 1, &v, &n, err));
	for (size_t i = 0; i < n && i < window.limit; i++)
		json_array_append_new(items, capture_json(&v[i]));
	return rest_window_answer(r, items, n > window.limit ? v[window.limit - 1].number : 0, err);
}

static GH_RC no_capture(struct rest *r, struct gh_err *err)
{
	return rest_problem(r, 404, "not-found", arena_printf(r->w->a, "There is no capture '%.*s'.", STR_ARG(str_first(r->args[0], 200))), NULL, err);
}

gh_rc rest_capture(struct rest *r, struct gh_err *err)
{
	struct store_capture c;
	struct cache *cache;
	json_t *v, *calls = NULL;
	bool found;

	TRY(store_capture_find(r->w->site->store, r->w->a, r->args[0], &c, &found, err));
	if (!found)
		return no_capture(r, err);
	TRY(web_cache(r->w, &cache, err));
	if (cache)
		TRY(store_capture_calls(cache, r->w->a, c.id, &calls, err));
	v = jsn_keep(r->w->a, capture_json(&c));
	if (!v || json_object_set_new(v, "captured", calls ? json_incref(calls) : json_array()))
		FAIL(err, NOMEM, "capture");
	return web_json(r->w, 200, "application/json", v, err);
}

gh_rc rest_captured_call(struct rest *r, struct gh_err *err)
{
	struct cache *cache;
	json_t *v = NULL;

	TRY(web_cache(r->w, &cache, err));
	if (cache)
		TRY(store_captured_call(cache, r->w->a, r->args[0], &v, err));
	if (!v)
		return rest_problem(r, 404, "not-found", STR("There is no such call, or it was captured more than a day ago."), NULL, err);
	TRY(store_capture_seen(r->w->site->store, r->who.actor, r->args[0], err));
	return web_json(r->w, 200, "application/json", v, err);
}

/* ---- starting and stopping ----------------------------------------------------------------------------------------------- */

struct wish {
	struct store_capture c;
	int64_t minutes;
	bool bodies;
};

static const struct rest_member members[] = {
	{ "api", REST_TEXT, .at = offsetof(struct wish, c.api_id) },
	{ "subscription", REST_TEXT, .at = offsetof(struct wish, c.subscription_id) },
	{ "address", REST_TEXT, .at = offsetof(struct wish, c.address), .most = 100 },
	{ "minutes", REST_INT, .at = offsetof(struct wish, minutes), .least = 1, .most = CAPTURE_SECONDS_MAX / 60 },
	{ "calls", REST_INT, .at = offsetof(struct wish, c.calls), .least = 1, .most = CAPTURE_CALLS_MAX },
	{ "mask", REST_TEXT, .at = offsetof(struct wish, c.marked), .most = 4000 },
	{ "bodies", REST_BOOL, .at = offsetof(struct wish, bodies) },
	{ "bodyBytes", REST_INT, .at = offsetof(struct wish, c.body_bytes), .most = CAPTURE_BODY_BYTES_MAX },
	{ NULL },
};

/* Which member the store's refusal is about. */
static const char *pointer_of(const struct store_capture *c, gh_rc rc)
{
	if ((c->api_id.n > 0) + (c->subscription_id.n > 0) + (c->address.n > 0) != 1)
		return "/api";
	if (rc.code == GH_E_NOT_FOUND)
		return c->api_id.n ? "/api" : "/subscription";
	return c->marked.n && !c->address.n ? "/mask" : "/address";
}

static GH_RC start(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer, struct gh_err *err)
{
	struct wish x = { .minutes = CAPTURE_SECONDS / 60, .bodies = true, .c = { .body_bytes = CAPTURE_BODY_BYTES, .marked = STR("") } };
	struct gh_err why = { .message = "" };
	gh_rc rc;

	if (!rest_take(c, body, members, &x))
		return GH_RC_OK;
	if (!x.bodies)
		x.c.body_bytes = 0;
	rc = store_capture_start(r->w->site->store, r->w->a, r->who.actor, x.minutes * 60, &x.c, &why);
	if (rc.code == GH_E_INVALID || rc.code == GH_E_NOT_FOUND) {
		resource_problem(c, NULL, STR_NULL, str_of(pointer_of(&x.c, rc)), "%s", why.message);
		return GH_RC_OK;
	}
	if (rc.code == GH_E_LIMIT)               /* of those that are on: nothing is wrong with the body */
		FAIL(err, CONFLICT, "%s", why.message);
	if (rc.code && err)
		*err = why;
	*answer = rc.code ? NULL : capture_json(&x.c);
	return rc;
}

gh_rc rest_capture_start(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, start, err);
}

static GH_RC stop(struct rest *r, struct resource_change *c, const json_t *body, json_t **answer, struct gh_err *err)
{
	static const struct rest_member none[] = { { NULL } };
	struct store_capture v;
	bool found;

	if (!rest_take(c, body, none, NULL))
		return GH_RC_OK;
	TRY(store_capture_stop(r->w->site->store, r->w->a, r->who.actor, r->args[0], err));
	TRY(store_capture_find(r->w->site->store, r->w->a, r->args[0], &v, &found, err));
	*answer = capture_json(&v);
	return GH_RC_OK;
}

gh_rc rest_capture_stop(struct rest *r, struct gh_err *err)
{
	return rest_deed(r, stop, err);
}

/* ---- in the OpenAPI document ---------------------------------------------------------------------------------------------- */

#define OR_NULL "{'type': ['string', 'null']}"
#define CAPTURE "'id': {'type': 'string'}, 'api': " OR_NULL ", 'subscription': " OR_NULL ", 'address': " OR_NULL ", 'on': {'type': 'boolean'}," \
	"'started': " OR_NULL ", 'until': " OR_NULL ", 'ended': " OR_NULL ", 'startedBy': " OR_NULL ", 'endedBy': " OR_NULL ","                \
	"'calls': {'type': 'integer', 'description': 'Most calls'}, 'bodyBytes': {'type': 'integer'}, 'mask': {'type': 'string'}"
#define REQUIRED "'required': ['id', 'on', 'started', 'until', 'startedBy', 'calls', 'bodyBytes', 'mask']"

json_t *rest_describe_captures(const struct rest_route *route, const struct resource_kind *kind UNUSED)
{
	static const struct rest_about table[] = {
		{ .run = rest_captures, .operation = "listCaptures", .summary = "What is or was captured, the newest first", .tag = "observed",
		  .query = "[" REST_WINDOW("1000") "]", .answer = REST_LIST_OF("{'type': 'object', " REQUIRED ", 'properties': {" CAPTURE "}}"), .refusals = "400" },
		{ .run = rest_capture_start, .operation = "startCapture", .summary = "Write down headers and bodies for a while",
		  .description = "Of one API, one subscription or one address. Secrets are masked before anything is written. It ends by itself.",
		  .tag = "observed", .body = "{'type': 'object', 'additionalProperties': false, 'properties': {'api': {'type': 'string'},"
		  "'subscription': {'type': 'string'}, 'address': {'type': 'string', 'description': 'An address, or a network: 192.0.2.0/24'},"
		  "'minutes': {'type': 'integer', 'minimum': 1, 'maximum': 60, 'default': 10},"
		  "'calls': {'type': 'integer', 'minimum': 1, 'maximum': 500, 'default': 100},"
		  "'mask': {'type': 'string', 'description': 'Names of more fields and headers to mask, between blanks'},"
		  "'bodies': {'type': 'boolean', 'default': true}, 'bodyBytes': {'type': 'integer', 'minimum': 0, 'maximum': 65536, 'default': 16384}}}",
		  .answer = "{'type': 'object', " REQUIRED ", 'properties': {" CAPTURE "}}", .refusals = "409" },
		{ .run = rest_capture, .operation = "getCapture", .summary = "A capture with its calls", .tag = "observed",
		  .answer = "{'type': 'object', " REQUIRED ", 'properties': {" CAPTURE ", 'captured': {'type': 'array', 'items': {'type': 'object', "
		  "'properties': {'id': {'type': 'string', 'description': 'Request id: /captured-calls/ID'}}}}}}", .refusals = "404" },
		{ .run = rest_capture_stop, .operation = "stopCapture", .summary = "End a capture", .tag = "observed",
		  .description = "409 when it has ended already.", .answer = "{'type': 'object', " REQUIRED ", 'properties': {" CAPTURE "}}", .refusals = "404 409" },
		{ .run = rest_captured_call, .operation = "getCapturedCall", .summary = "Headers and bodies of one call",
		  .description = "Between client, gateway and backend. That it was read stands in the audit trail.", .tag = "observed",
		  .answer = "{'type': 'object', 'required': ['id', 'capture', 'time'], 'properties': {'id': {'type': 'string'}, 'capture': {'type': 'string'},"
		  "'time': {'type': 'string'}, 'request': {'type': ['object', 'null']}, 'response': {'type': ['object', 'null']}}}", .refusals = "404" },
		{ .run = NULL },
	};

	return rest_operation(route, table);
}
