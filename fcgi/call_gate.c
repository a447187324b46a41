/* call_gate.c - the way in: which API and operation a call is for, who makes it, which documents apply to it.
 *
 * No call goes round this: without a snapshot there is only 503, without a route 404, without a good key 401. What is
 * refused here never reaches a policy, but for a CORS preflight, which cannot carry a key. */
#include "fcgi/call_gate.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "db/products.h"
#include "fcgi/access_flow.h"
#include "fcgi/auth_server.h"
#include "fcgi/call_trace.h"
#include "fcgi/consumer_rule.h"
#include "fcgi/documents.h"
#include "fcgi/fields_util.h"
#include "fcgi/iap.h"
#include "fcgi/life.h"
#include "fcgi/network.h"
#include "fcgi/tier.h"
#include "fcgi/traffic.h"

/* ---- health ---- */

static void answer_health(struct call *k)
{
	const struct serving *s = k->wk->serving;
	unsigned long long generation = s->snapshot ? (unsigned long long)s->snapshot->generation : 0;
	bool well = s->snapshot && !k->wk->stopping;
	const char *state = !s->snapshot ? "starting" : k->wk->stopping ? "stopping" : s->refused ? "stale" : "ok";

	k->finished = k->probe = true;
	answer_json(k, well ? 200 : 503,
		    arena_printf(k->arena, "{\"status\":\"%s\",\"generation\":%llu,\"worker\":%u,\"inFlight\":%zu}", state,
				 generation, k->wk->number, k->wk->n_calls));
}

struct str call_mount(const struct call *k)
{
	struct str base = k->wk->limits.base_path;

	while (base.n && base.p[base.n - 1] == '/')
		base.n--;
	return base;
}

/* The path behind the mount; false when it is not below it. */
static bool behind_mount(const struct call *k, struct str *path)
{
	struct str base = call_mount(k);

	*path = k->x.request.original_url.path;
	if (!str_starts(*path, base) || (path->n > base.n && path->p[base.n] != '/'))
		return false;
	*path = str_from(*path, base.n);
	if (!path->n)
		*path = STR("/");
	return true;
}

static void fill_context(struct call *k, struct gate_state *g)
{
	struct exchange *x = &k->x;

	x->api = &g->route.api->ctx;
	x->operation = g->route.operation ? &g->route.operation->ctx : NULL;
	x->deployment = &g->snapshot->deployment;
	x->workspace = g->route.api->environment ? &g->route.api->environment->workspace : NULL;
	x->product = g->access.product ? &g->access.product->ctx : NULL;
	x->subscription = g->access.subscription;
	x->user = g->access.user;
	x->application_id = g->access.application;
	snapshot_documents(g->snapshot, g->route.api, g->route.operation, g->access.product, x->documents);
}

/* ---- refusals ---- */

void gate_fail(struct call *k, struct gate_state *g, const struct last_error *error)
{
	fill_context(k, g);
	k->x.error = *error;
	call_start_failed(k);
}

/* The file lies beside the APIs, where only the global document can answer. */
static bool answered_cross_domain(struct call *k, const struct gate_state *g)
{
	struct str path;

	if (!behind_mount(k, &path) || !str_eq(path, STR("/crossdomain.xml"))
	    || policy_cross_domain(&k->x, g->snapshot->global) != STEP_RESPOND)
		return false;
	k->word = STR_NULL;
	k->finished = true;
	answer_finished(k);
	return true;
}

static void refuse_route(struct call *k, struct gate_state *g)
{
	const struct last_error error = {
		.set = true, .source = STR_INIT("configuration"), .reason = STR_INIT("OperationNotFound"),
		.message = STR_INIT("Unable to match incoming request to an operation."), .status = 404,
		.public_message = STR_INIT("Resource not found"), .public_reason = STR_INIT("Resource Not Found"),
	};

	k->word = str_of(route_reason(g->route.result));
	call_trace_begin(k, g, true);
	if (g->route.result == ROUTE_BAD_TARGET)
		call_refuse(k, REASON_BAD_PATH);
	else if (g->route.api)
		gate_fail(k, g, &error);
	else if (!answered_cross_domain(k, g))
		call_refuse(k, REASON_NO_ROUTE);
}

static void refuse_access(struct call *k, struct gate_state *g)
{
	const struct access *a = &g->access;
	const struct last_error error = {
		.set = true, .source = STR_INIT("authorization"), .reason = a->error_reason, .message = a->error_message,
		.status = a->status, .public_message = a->message, .public_reason = a->status_reason,
		.header = a->challenge.n ? STR("WWW-Authenticate") : STR_NULL, .header_value = a->challenge,
	};

	k->word = str_of(access_reason(a->result));
	call_trace_begin(k, g, true);
	if (a->result == ACCESS_UNAVAILABLE)
		call_refuse(k, REASON_STORE_UNAVAILABLE);
	else
		gate_fail(k, g, &error);
}

/* ---- where it goes ---- */

static struct str join_query(struct arena *a, struct str base, struct str query)
{
	if (!base.n)
		return query;
	return query.n ? arena_printf(a, "%.*s&%.*s", STR_ARG(base), STR_ARG(query)) : base;
}

static bool point_at(struct call *k, const struct url *base, struct str rest, struct str query)
{
	struct url *u = &k->x.request.url;
	struct str path = base->path, both[2];

	if (path.n && path.p[path.n - 1] == '/')
		path.n--;
	*u = *base;
	/* "/" behind a service address that has a path of its own adds nothing */
	both[0] = path;
	both[1] = rest;
	u->path = !path.n ? rest : str_eq(rest, STR("/")) ? path : arena_join(k->arena, both, ARRAY_LEN(both));
	u->query = join_query(k->arena, base->query, query);
	return u->path.p != NULL;
}

static bool point_at_backend(struct call *k, const struct gate_state *g)
{
	const struct snap_api *api = g->route.api;
	struct url base = api->ctx.service_url;
	struct str address;

	k->x.backend_id = api->backend_id;
	if (api->backend_id.n
	    && (!gate_backend(&k->x, api->backend_id, &address) || !url_parse(address, &base)))
		return false;
	return point_at(k, &base, g->route.rest, g->route.query);
}

/* A browser's question before the real request: it carries no key, so only cors may answer it. */
static bool answered_preflight(struct call *k, struct gate_state *g)
{
	if (!g->route.preflight || !g->route.api)
		return false;
	fill_context(k, g);
	k->x.host = &live_host;
	if (policy_preflight(&k->x) != STEP_RESPOND)
		return false;
	k->finished = true;
	answer_finished(k);
	return true;
}

/* A backend that is shown a credential may refuse it, a member of a pool may be away, and then the request is sent once more. A
 * small body that was announced is waited for, so that this does not depend on how fast it came; a larger one streams and cannot be repeated. */
enum { REPEATABLE_BODY_BYTES = 65536 };

static bool body_may_be_repeated(const struct call *k)
{
	return k->backend && (k->backend->credential_id.n || k->pool) && k->up_length > 0 && k->up_length <= REPEATABLE_BODY_BYTES;
}

/* The limits let it pass: on to the policies. */
static void go_in(struct call *k, struct gate_state *g)
{
	struct policy_uses uses;

	if (!access_strip(g->route.api, k->arena, &k->x.request.headers, &g->route.query)
	    || !fields_hide_cookies(&k->x.request.headers, STR("gh_"))
	    || (k->access && k->access->granted && !access_tell_backend(k->access))) {
		call_refuse(k, REASON_NO_MEMORY);
		return;
	}
	if (!point_at_backend(k, g)) {
		call_refuse(k, REASON_BACKEND_URL);
		return;
	}
	fill_context(k, g);
	uses = policy_uses(k->x.documents);
	k->holds_response = uses.response_body;
	k->wk->serving->calls++;
	call_start(k, uses.request_body || uses.backend_tries || body_may_be_repeated(k) || mirror_wants_body(k, g->route.api));
}

/* A busy worker keeps its last places for what matters most. Only those that were let in take a place: many that come in one turn and
 * are refused would otherwise have those refused for which there is room. */
static bool is_shed(struct call *k, const struct gate_state *g)
{
	int p = g->access.product ? g->access.product->priority : STORE_PRIORITY_NORMAL;
	const struct worker_limits *l = &k->wk->limits;
	size_t most = p == STORE_PRIORITY_LOW ? l->shed_low : l->shed_normal;

	if (k->let_in)
		return false;
	if (p == STORE_PRIORITY_HIGH || k->wk->n_let_in < most) {
		k->let_in = true;
		k->wk->n_let_in++;
		return false;
	}
	k->detail = arena_printf(k->arena, "check=priority expected=\"at most %zu calls in flight\" got=%zu", most, k->wk->n_let_in + 1);
	call_refuse(k, REASON_OVERLOAD_PRIORITY);
	return true;
}

/* Access has been granted. */
static void let_in(struct call *k, struct gate_state *g)
{
	call_trace_begin(k, g, false);
	if (is_shed(k, g))
		return;
	if (g->access.product
	    && !network_pass(k, g, g->access.product->network, "product", g->access.product->ctx.id))
		return;
	if (consumer_rule_pass(k, g) && tier_pass(k, g, go_in) == STEP_NEXT)
		go_in(k, g);
}

/* ---- access rules ---- */

static void refuse_rules(struct call *k, struct gate_state *g)
{
	struct last_error error = { 0 };

	access_answer_refusal(k->access, &error);
	call_trace_begin(k, g, true);
	if (k->access->worst.reason == REASON_STORE_UNAVAILABLE)
		call_refuse(k, REASON_STORE_UNAVAILABLE);
	else
		gate_fail(k, g, &error);
}

static void run_rules(struct call *k);

/* What the rules waited for may have come. */
static void go_on(struct call *k)
{
	if (!k->resume_due && !(k->access_waits_body && k->up_ended))
		return;
	k->resume_due = false;
	run_rules(k);
}

static void run_rules(struct call *k)
{
	struct gate_state *g = k->gate;
	enum step step = access_flow_run(k->access, &k->access_waits_body);

	if (step == STEP_FAIL) {
		call_refuse(k, REASON_NO_MEMORY);
	} else if (step == STEP_WAIT) {
		k->stage = CALL_AT_GATE;
		k->gate_turn = go_on;
		if (k->access_waits_body && k->conn)
			conn_pause(k->conn, false);
	} else if (k->access->granted) {
		access_fill_gate(k->access, &g->access);
		let_in(k, g);
	} else if (k->access->optional) {
		let_in(k, g);
	} else {
		refuse_rules(k, g);
	}
}

static void begin_rules(struct call *k, struct gate_state *g, const struct snap_rule *const *rules, size_t n, bool optional)
{
	if (!k->wk->serving->access || !k->wk->serving->memory) {
		call_refuse(k, REASON_NO_CONFIGURATION);
		return;
	}
	k->access = access_flow_new(k, g, rules, n);
	if (!k->access) {
		call_refuse(k, REASON_NO_MEMORY);
		return;
	}
	k->access->optional = optional;
	k->x.host = &live_host;
	run_rules(k);
}

/* ---- subscription keys ---- */

static struct access_request key_request(struct call *k, struct gate_state *g)
{
	const struct url *u = &k->x.request.original_url;

	return (struct access_request){ .api = g->route.api, .headers = &k->x.request.headers, .query = u->query, .scheme = u->scheme,
					.host = k->client_host, .mount = call_mount(k), .now_us = k->x.started_us };
}

void gate_note_key(struct call *k, struct gate_state *g)
{
	struct access_request rq = key_request(k, g);
	struct access seen = { .product = NULL };

	if (!k->wk->serving->access || !access_check(k->wk->serving->access, g->snapshot, k->arena, &rq, &seen))
		return;
	g->access.key_prefix = seen.key_prefix;
	g->access.subscription_id = seen.subscription_id;
}

static void check_key(struct call *k, struct gate_state *g)
{
	struct serving *s = k->wk->serving;
	struct access_request rq = key_request(k, g);
	enum access_result r;

	if (!s->access) {
		call_refuse(k, REASON_NO_CONFIGURATION);
		return;
	}
	if (!access_check(s->access, g->snapshot, k->arena, &rq, &g->access)) {
		call_refuse(k, REASON_NO_MEMORY);
		return;
	}
	r = g->access.result;
	/* an access token of this installation serves in place of the key */
	if ((r == ACCESS_OPEN || r == ACCESS_KEY_MISSING) && access_shows_own_token(k, g->snapshot))
		begin_rules(k, g, &own_token_rule, 1, r == ACCESS_OPEN);
	else if (r <= ACCESS_GRANTED)
		let_in(k, g);
	else
		refuse_access(k, g);
}

void call_gate_passed(struct call *k)
{
	struct gate_state *g = k->gate;
	const struct snap_api *api = g->route.api;

	if (api->n_rules)
		begin_rules(k, g, api->rules, api->n_rules, false);
	else
		check_key(k, g);
}

static void enter(struct call *k, struct gate_state *g)
{
	access_drop_identity(&k->x.request.headers);
	if (!g->route.api->iap || iap_enter(k, g))
		call_gate_passed(k);
}

/* Refused here, where the call has its API: its owner wants to know. */
static bool announces_too_much(const struct call *k)
{
	const struct worker_limits *l = &k->wk->limits;

	return l->max_body && k->up_length > 0 && (uint64_t)k->up_length > l->max_body;
}

void call_gate(struct call *k)
{
	struct serving *s = k->wk->serving;
	struct gate_state *g = arena_new_of(k->arena, struct gate_state);
	const struct request *rq = &k->x.request;
	struct route_request asked = { .method = rq->method, .host = k->client_host, .query = rq->original_url.query,
				       .headers = &rq->headers };
	bool mounted = behind_mount(k, &asked.path);

	if (mounted && str_eq(asked.path, STR("/-/health"))) {
		answer_health(k);
		return;
	}
	if (!s->snapshot || !g) {
		call_refuse(k, g ? REASON_NO_CONFIGURATION : REASON_NO_MEMORY);
		return;
	}
	k->gate = g;
	g->snapshot = snapshot_ref(s->snapshot);
	g->route.result = ROUTE_NO_API;
	fields_init(&k->x.matched, k->arena);
	/* what the gateway itself serves is for no other callers than the APIs are */
	if (iap_owns(asked.path, mounted) || auth_serves(k, asked.path, mounted)) {
		if (!network_pass(k, g, g->snapshot->network, "all calls", STR_NULL))
			return;
		if (iap_owns(asked.path, mounted))
			iap_own_path(k, g, asked.path);
		else
			auth_begin(k, g);
		return;
	}
	call_trace_take(k, g);
	if (mounted && !route_find(g->snapshot, k->arena, &asked, &g->route, &k->x.matched)) {
		call_refuse(k, REASON_NO_MEMORY);
		return;
	}
	if (!network_pass(k, g, g->snapshot->network, "all calls", STR_NULL)
	    || (g->route.api && !network_pass(k, g, g->route.api->network, "api", g->route.api->ctx.id)))
		return;
	if (announces_too_much(k)) {
		call_refuse(k, REASON_BODY_TOO_LARGE);
		return;
	}
	if (answered_preflight(k, g) || life_refused(k, g))
		return;
	if (g->route.result != ROUTE_FOUND)
		refuse_route(k, g);
	else
		enter(k, g);
}

void call_leave_gate(struct call *k)
{
	if (k->gate) {
		iap_drop(k->gate, k);
		tier_leave(k);
		snapshot_unref(k->gate->snapshot);
	}
	k->gate = NULL;
}

/* ---- what the host asks of the snapshot ---- */

static const struct snapshot *snapshot_of(struct exchange *x)
{
	struct call *k = x->owner;

	return k->gate ? k->gate->snapshot : NULL;
}

bool gate_certificate(struct exchange *x, struct str id, struct str *cert_pem, struct str *key_pem)
{
	const struct snap_certificate *c = snapshot_certificate(snapshot_of(x), id);

	if (!c)
		return false;
	*cert_pem = c->cert_pem;
	*key_pem = c->key_pem;
	return true;
}

bool gate_certificate_next(struct exchange *x, size_t *cursor, struct str *id)
{
	const struct snap_certificate *c = snapshot_certificate_next(snapshot_of(x), cursor);

	if (c)
		*id = c->id;
	return c != NULL;
}

bool gate_backend(struct exchange *x, struct str id, struct str *url)
{
	struct call *k = x->owner;
	const struct snap_backend *b = snapshot_backend(snapshot_of(x), id);

	const struct snap_backend *pool = b && !b->url.n ? b : NULL;

	/* for now the first; which one it is shows when the request is forwarded: balance.h */
	if (pool)
		b = pool->n_members ? pool->members[0].backend : NULL;
	if (!b || !b->url.n)
		return false;
	k->backend = b;
	k->pool = pool;
	k->x.backend_is_pool = pool;
	*url = b->url;
	return true;
}

struct schemas *gate_schemas(struct exchange *x)
{
	return snapshot_of(x) ? snapshot_of(x)->schemas : NULL;
}

const struct trust *gate_trust(struct exchange *x)
{
	return snapshot_of(x) ? snapshot_of(x)->trust : NULL;
}

struct api_model *gate_api_model(struct exchange *x)
{
	struct call *k = x->owner;

	if (!k->gate || !k->gate->route.api)
		return NULL;
	return documents_model(k->wk->serving->documents, k->gate->snapshot->generation, k->gate->route.api);
}
