/* The portal's JSON API against its own description: every route stands in www/portal-api.yaml and nothing else does, every
 * answer, refusals too, fits the schema that the description gives for its status; and who may do what, by token, by session
 * and as a stranger. */
#include "tests/unit/check.h"

#include "core/cache.h"
#include "core/clock.h"
#include "core/jsonschema.h"
#include "core/trace_token.h"
#include "db/callers.h"
#include "db/pages.h"
#include "db/personal_tokens.h"
#include "db/teams.h"
#include "db/tiers.h"
#include "db/rollup.h"
#include "db/telemetry.h"
#include "portal/portal/json.h"
#include "portal/portal/usage.h"
#include "tests/unit/portal/client.h"
#include "tests/unit/portal/json_calls.h"

#define WORLD_SESSION "5e55105e55105e55"

static struct world {
	struct web_site site;
	struct arena *a;
	json_t *document;
	struct str own, refused_call;            /* developer's subscription, a call with it */
	struct str reads, writes, ended, others, blocked;        /* tokens */
	struct str manages_other;                /* a stranger's, with the scope account */
	struct str spare;                        /* id of a token to be taken back */
	char answered[240][80];                   /* "get /apis" that gave 2xx */
	size_t n_answered;
} world;

/* ---- description ---------------------------------------------------------------------------------------------------------- */

static struct str lower(struct arena *a, const char *s)
{
	struct str t = arena_dup(a, str_of(s));

	for (size_t i = 0; i < t.n; i++)
		((char *)(uintptr_t)t.p)[i] = ascii_lower(t.p[i]);
	return t;
}

static const char *path_of(const struct web_route *r)
{
	return r->pattern + strlen(PORTAL_JSON);
}

static bool is_json_route(const struct web_route *r)
{
	return strncmp(r->pattern, PORTAL_JSON "/", strlen(PORTAL_JSON) + 1) == 0;
}

static void routes_are_described(void **state UNUSED)
{
	size_t routes = 0, described = 0;
	const char *path, *method;
	json_t *item, *op;

	for (const struct web_route *r = portal_app.routes; r->method; r++) {
		if (!is_json_route(r))
			continue;
		routes++;
		op = json_object_get(json_object_get(json_object_get(world.document, "paths"), path_of(r)), lower(world.a, r->method).p);
		CHECK(r->pattern, json_is_object(op));
		CHECK(r->pattern, jsn_str(op, "operationId").n && jsn_str(op, "summary").n && jsn_arr(op, "tags"));
		/* what needs somebody says so, and what changes something asks for a token that may write */
		if (r->right != WEB_ANYBODY)
			CHECK_STR(r->pattern, jsn_string(jsn_pointer(op, STR("/security/0/token/0"))),
				  str_of(r->right == WEB_OWN_ACCOUNT ? "account" : strcmp(r->method, "GET") == 0 ? "read" : "write"));
	}
	json_object_foreach(json_object_get(world.document, "paths"), path, item)
		json_object_foreach(item, method, op)
			described += strcmp(method, "parameters") != 0;
	CHECK_INT("as many operations as routes", described, routes);
	CHECK_STR("its own address", jsn_string(jsn_pointer(world.document, STR("/servers/0/url"))), STR(PORTAL_JSON));
	check_done();
}

/* ---- answers -------------------------------------------------------------------------------------------------------------- */

/* Where the description says what that status looks like; STR_NULL: nowhere. */
static struct str schema_pointer(const struct web_route *r, int status)
{
	struct str at, ref, type;
	struct buf b;

	buf_init(&b, 1000);
	buf_cstr(&b, "/paths");
	jsn_pointer_add(&b, str_of(path_of(r)));
	jsn_pointer_add(&b, lower(world.a, r->method));
	buf_fmt(&b, "/responses/%d", status);
	at = arena_dup(world.a, buf_view(&b));
	buf_release(&b);
	ref = jsn_string(json_object_get(jsn_pointer(world.document, at), "$ref"));
	if (ref.n)
		at = str_from(ref, 1);
	if (!jsn_pointer(world.document, at))
		return STR_NULL;
	type = strcmp(path_of(r), "/openapi.json") == 0 && status == 200 ? STR("application~1vnd.oai.openapi+json;version=3.1") : STR("application~1json");
	return arena_printf(world.a, "%.*s/content/%.*s/schema", STR_ARG(at), STR_ARG(type));
}

static void check_schema(const char *label, const struct client *c)
{
	const struct jsonschema_options options = { .dialect = JSONSCHEMA_OPENAPI_3_1, .formats = true };
	struct str at = schema_pointer(c->w.route, c->w.rs.status);
	struct jsonschema_result result;
	struct jsonschema *schema;
	json_t *v = NULL;
	struct gh_err err;

	CHECK(label, at.p != NULL);              /* the description knows this status of this operation */
	if (!at.p || c->w.rs.status == 204)
		return;
	if (jsn_parse_in(world.a, buf_view(&c->w.rs.body), NULL, &v, NULL, &err).code) {
		CHECK(label, !"JSON");
		return;
	}
	must(jsonschema_new(&schema, world.document, at, &options, &err), &err);
	must(jsonschema_validate(schema, v, world.a, 3, &result, &err), &err);
	for (size_t i = 0; i < result.n_errors; i++)
		fprintf(stderr, "# %s: %.*s: %.*s\n", label, STR_ARG(result.errors[i].instance), STR_ARG(result.errors[i].message));
	CHECK(label, result.valid);
	jsonschema_free(schema);
}

static void note_answer(const struct client *c)
{
	if (c->w.rs.status < 300 && world.n_answered < ARRAY_LEN(world.answered))
		snprintf(world.answered[world.n_answered++], sizeof(world.answered[0]), "%s %s", c->w.route->method, path_of(c->w.route));
}

static const char *put_who(struct client *c, enum who who)
{
	const struct str tokens[] = { [READS] = world.reads, [WRITES] = world.writes, [STRANGER] = world.others, [ENDED] = world.ended,
				      [BLOCKED] = world.blocked, [GARBAGE] = STR("ghportal_0123456789") };

	if (who >= SESSION) {
		client_session(c, "developer");
		c->csrf = who == SESSION_WITH_TOKEN ? arena_dup(world.a, c->w.session.csrf).p : NULL;
	} else if (who != VISITOR) {
		c->authorization = arena_printf(world.a, "Bearer %.*s", STR_ARG(tokens[who])).p;
	}
	return c->authorization;
}

/* The id of the invitation to that application; "" when there is none. */
static struct str invited(const char *application)
{
	struct store_invitation *v;
	struct gh_err err;
	size_t n;

	must(store_invitations_of_application(world.site.store, world.a, str_of(application), &v, &n, &err), &err);
	return n ? v[0].id : STR("");
}

static const char *filled(const char *text)
{
	static const char *const marks[] = { "OWN", "CALL", "SPARE", "INVITE", "JOIN", "SPURN", "SESSION" };
	const struct str values[] = { world.own, world.refused_call, world.spare, invited("app-1"), invited("app-2"), invited("app-3"), str_of(WORLD_SESSION) };
	struct str s = str_of(text);

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t at = str_find(s, str_of(marks[i]));

		if (at != SIZE_MAX)
			s = arena_printf(world.a, "%.*s%.*s%.*s", STR_ARG(str_first(s, at)), STR_ARG(values[i]),
					 STR_ARG(str_from(s, at + strlen(marks[i]))));
	}
	return arena_dup(world.a, s).p;
}

static void every_call(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct client c = { .site = &world.site, .type = "application/json", .address = "203.0.113.20" };

		put_who(&c, r->who);
		CHECK_INT(r->label, client_send(&c, r->method, filled(arena_printf(world.a, PORTAL_JSON "%s", r->uri).p), r->body ? filled(r->body) : NULL),
			  r->status);
		CHECK(r->label, !r->shows || client_shows(&c, filled(r->shows)));
		CHECK(r->label, !r->hides || !client_shows(&c, filled(r->hides)));
		CHECK_STR(r->label, client_header(&c, "Cache-Control"), STR("no-store"));
		CHECK(r->label, !str_is_null(client_header(&c, "Content-Security-Policy")));
		CHECK(r->label, r->status != 401 || str_starts(client_header(&c, "WWW-Authenticate"), STR("Bearer")));
		check_schema(r->label, &c);
		note_answer(&c);
		/* whoever guesses is slowed down; that is the next test's matter */
		if (r->who == GARBAGE || r->who == ENDED || r->who == BLOCKED) {
			counters_close(world.site.counters);
			unlink(arena_printf(world.a, "%s/web-counters", world.site.state_dir).p);
			must(counters_open(arena_printf(world.a, "%s/web-counters", world.site.state_dir).p, 1024, &world.site.counters, NULL), NULL);
		}
		client_end(&c);
	}
	for (const struct web_route *r = portal_app.routes; r->method; r++) {
		bool done = !is_json_route(r);

		for (size_t i = 0; i < world.n_answered; i++)
			done = done || str_eq(str_of(world.answered[i]), arena_printf(world.a, "%s %s", r->method, path_of(r)));
		CHECK(r->pattern, done);         /* a new route must be put into the table */
	}
	check_done();
}

/* What no handler sees. */
static void outside(void **state UNUSED)
{
	static const struct {
		const char *label, *method, *uri, *type, *body;
		enum who who;
		int status;
		const char *shows;
	} odd[] = {
		{ "no such address", "GET", PORTAL_JSON "/nothing", NULL, NULL, VISITOR, 404, "\"reason\":\"not_found\"" },
		{ "another method", "DELETE", PORTAL_JSON "/apis", NULL, NULL, WRITES, 405, "\"reason\":\"bad_method\"" },
		{ "a form", "PATCH", PORTAL_JSON "/account", "application/x-www-form-urlencoded", "firstName=Eve", WRITES, 415, "media_type" },
		{ "a form with a session, as another site can send it", "POST", PORTAL_JSON "/subscriptions", "text/plain", "{\"product\":\"starter\"}",
		  SESSION, 403, "csrf_token" },
		{ "a token opens no page", "GET", "/account", NULL, NULL, WRITES, 303, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct client c = { .site = &world.site, .type = odd[i].type, .address = "203.0.113.21" };

		put_who(&c, odd[i].who);
		CHECK_INT(odd[i].label, client_send(&c, odd[i].method, odd[i].uri, odd[i].body), odd[i].status);
		CHECK(odd[i].label, client_shows(&c, odd[i].shows));
		client_end(&c);
	}
	check_done();
}

static void guessing_is_slowed(void **state UNUSED)
{
	struct client c = { .site = &world.site, .address = "203.0.113.22" };
	int status = 401;

	for (int i = 0; i < 40 && status == 401; i++) {
		put_who(&c, GARBAGE);
		status = client_send(&c, "GET", PORTAL_JSON "/account", NULL);
	}
	CHECK_INT("too many", status, 429);
	CHECK("told when", client_header(&c, "Retry-After").n > 0);
	put_who(&c, READS);
	CHECK_INT("a good token passes", client_send(&c, "GET", PORTAL_JSON "/account", NULL), 200);
	client_end(&c);
	check_done();
}

/* ---- the page of tokens ---------------------------------------------------------------------------------------------------- */

static void made_on_the_page(void **state UNUSED)
{
	struct client c = { .site = &world.site }, p = { .site = &world.site };
	struct str page, token;
	char form[300];
	size_t at;

	client_session(&c, "publisher");
	client_send(&c, "GET", "/account/tokens", NULL);
	snprintf(form, sizeof(form), "csrf=%s&name=&life=quarter&write=yes", client_token(&c));
	CHECK_INT("a name is needed", client_send(&c, "POST", "/account/tokens", form), 422);
	CHECK("the time that was chosen stays", client_shows(&c, "<option value=\"quarter\" selected>"));
	CHECK("and what it may", client_shows(&c, "name=\"write\" value=\"yes\" checked>"));
	snprintf(form, sizeof(form), "csrf=%s&name=Nightly+build&life=week", client_token(&c));
	CHECK_INT("made", client_send(&c, "POST", "/account/tokens", form), 200);
	page = buf_view(&c.w.rs.body);
	at = str_find(page, STR("ghportal_"));
	CHECK("shown", at != SIZE_MAX);
	token = arena_dup(world.a, str_first(str_from(page, at), str_find_char(str_from(page, at), '<')));
	client_send(&c, "GET", "/account/tokens", NULL);
	CHECK("once", !client_shows(&c, token.p) && client_shows(&c, "Nightly build") && client_shows(&c, "never used"));
	p.authorization = arena_printf(world.a, "Bearer %.*s", STR_ARG(token)).p;
	CHECK_INT("works", client_send(&p, "GET", PORTAL_JSON "/account", NULL), 200);
	CHECK("for whom it was made", client_shows(&p, "publisher@example.com"));
	CHECK_INT("and reads only", client_send(&p, "PATCH", PORTAL_JSON "/account", NULL), 403);
	client_send(&c, "GET", "/account/tokens", NULL);
	CHECK("its use is shown", client_shows(&c, "used just now from 203.0.113.9"));
	snprintf(form, sizeof(form), "csrf=%s", client_token(&c));
	page = buf_view(&c.w.rs.body);
	at = str_find(page, STR("/account/tokens/"));
	CHECK_INT("taken back", client_send(&c, "POST", arena_dup(world.a, str_first(str_from(page, at), str_find_char(str_from(page, at), '"'))).p, form), 303);
	CHECK_INT("it no longer works", client_send(&p, "GET", PORTAL_JSON "/account", NULL), 401);
	client_end(&c);
	client_end(&p);
	check_done();
}

static struct str make_token(const char *user, bool may_write, int64_t ends_us, struct str *id)
{
	struct store_personal_token t = { .user_id = str_of(user), .name = STR("t"), .may_write = may_write, .ends_us = ends_us };
	struct str token;
	struct gh_err err;

	must(store_personal_token_create(world.site.store, world.a, &t, id, &token, &err), &err);
	return token;
}

/* The gateway's own sentences are told in the reader's language, the call's words in them and what a policy says are not. */
static void decisions_in_german(void **state UNUSED)
{
	static const struct {
		const char *recorded, *told;
	} table[] = {
		{ "Rate limit is exceeded. Try again in 17 seconds.", "Das Aufruflimit ist überschritten. Versuchen Sie es in 17 Sekunden erneut." },
		{ "Rate limit is exceeded", "Das Aufruflimit ist überschritten" },
		{ "Out of call volume quota. Quota will be replenished in 01:02:03.", "Das Kontingent an Aufrufen ist aufgebraucht. Es wird in 01:02:03 erneuert." },
		{ "Access denied: the token has expired", "Zugriff verweigert: Das Token ist abgelaufen" },
		{ "JWT has expired. Access denied.", "Das JWT ist abgelaufen. Zugriff verweigert." },
		{ "The rule of subscription s-1 allows the methods GET,PUT, not POST.", "Die Regel des Abonnements s-1 erlaubt die Methoden GET,PUT, nicht POST." },
		{ "Rate limit is exceeded. Try again in 17", "Rate limit is exceeded. Try again in 17" },
		{ "Only {1} on weekdays || ever", "Only {1} on weekdays || ever" },
		{ "Active", "Active" },          /* a policy's own, though the catalogue knows the word */
		{ "The address {2} is on the deny list of {1}.", "Die Adresse {2} steht auf der Liste der gesperrten Adressen von {1}." },
		{ "", "" },
	};
	struct client c = { .site = &world.site, .cookies = { "gh_lang=de" } };

	CHECK_INT("a page", client_send(&c, "GET", "/apis", NULL), 200);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		CHECK_STR(table[i].recorded, portal_decision(&c.w, str_of(table[i].recorded)), str_of(table[i].told));
	client_session(&c, "developer");
	CHECK_INT("the page of a call", client_send(&c, "GET", arena_printf(world.a, "/account/calls/%.*s", STR_ARG(world.refused_call)).p, NULL), 200);
	CHECK("in German", client_shows(&c, table[0].told) && !client_shows(&c, table[0].recorded));
	client_end(&c);
	check_done();
}

#include "tests/unit/portal/json_owner.h"
#include "tests/unit/portal/json_session.h"

/* ---- much of it ------------------------------------------------------------------------------------------------------------- */

/* What is asked for is bounded, so what it takes must not grow with the square of somebody's subscriptions. */
static void a_busy_developer(void **state UNUSED)
{
	enum { SUBSCRIPTIONS = 24, CALLS = 1000 };
	struct telemetry_call call = { .status = 200, .environment = STR("default"), .api = STR("orders"), .method = STR("GET"),
				       .path = STR("/api/orders") };
	struct client c = { .site = &world.site, .address = "203.0.113.23" };
	struct store *s = world.site.store;
	int64_t now = clock_wall_us();
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	c.authorization = arena_printf(world.a, "Bearer %.*s", STR_ARG(make_token("operator", false, 0, NULL))).p;
	for (int i = 0; i < SUBSCRIPTIONS; i++) {
		struct store_subscription sub = { .id = arena_printf(world.a, "busy-%d", i), .name = STR("Busy"), .scope = STORE_SCOPE_PRODUCT,
						  .product_id = STR("starter"), .user_id = STR("operator"), .state = STORE_SUB_ACTIVE };

		must(store_subscription_create(s, world.a, &sub, NULL, NULL, NULL, &err), &err);
	}
	must(store_tx_commit(s, &err), &err);
	must(store_drain_begin(s, &err), &err);
	for (int i = 0; i < SUBSCRIPTIONS * CALLS; i++) {
		call.started_us = now - (int64_t)SUBSCRIPTIONS * CALLS + i;
		call.request_id = arena_printf(world.a, "busy-call-%d", i);
		call.subscription = arena_printf(world.a, "busy-%d", i % SUBSCRIPTIONS);
		must(store_drain_call(s, &call, &err), &err);
	}
	must(store_drain_end(s, GH_RC_OK, &err), &err);
	CHECK_INT("answered", client_send(&c, "GET", PORTAL_JSON "/calls?per_page=1", NULL), 200);
	CHECK("the newest first", client_shows(&c, "\"requestId\":\"busy-call-23999\""));
	CHECK("as many as there are to be had", client_shows(&c, "\"total\":1000"));
	CHECK_INT("the last of them", client_send(&c, "GET", PORTAL_JSON "/calls?per_page=1&page=1000", NULL), 200);
	CHECK("of all subscriptions", client_shows(&c, "\"requestId\":\"busy-call-23000\""));
	client_end(&c);
	check_done();
}

/* ---- the world ------------------------------------------------------------------------------------------------------------- */

static void make_call(struct store *s)
{
	struct telemetry_call c = { .started_us = clock_wall_us(), .status = 429, .total_us = 1200, .request_id = STR("call-of-the-developer"),
				    .environment = STR("default"), .api = STR("orders"), .operation = STR("list-orders"), .product = STR("starter"),
				    .subscription = world.own, .method = STR("GET"), .path = STR("/api/orders/\xff"), .reason = STR("rate_limit"),
				    .decision = STR("Rate limit is exceeded. Try again in 17 seconds.") };
	struct rollup *totals = rollup_new(s, 0);
	struct gh_err err;

	world.refused_call = c.request_id;
	must(store_drain_begin(s, &err), &err);
	must(store_drain_call(s, &c, &err), &err);
	if (!rollup_add(totals, &c, 1))
		abort();
	c.subscription = STR("");                /* nobody's usage, but how the API did */
	for (int i = 0; i < 2; i++) {
		c.status = i ? 502 : 200;
		c.origin = i ? TELEMETRY_BACKEND_FAILED : TELEMETRY_BY_BACKEND;
		if (!rollup_add(totals, &c, 1))
			abort();
	}
	must(rollup_write(totals, &err), &err);
	rollup_free(totals);
	must(store_drain_end(s, GH_RC_OK, &err), &err);
}

static void make_people(struct store *s)
{
	const struct store_subscription_filter mine = { .user_id = STR("developer"), .state = -1 };
	struct store_user u = { .id = STR("gone"), .email = STR("gone@example.com"), .role = STR("developer"), .state = STORE_USER_BLOCKED };
	const struct store_application app = { .id = STR("app-1"), .name = STR("Board") };
	struct store_subscription *v;
	struct gh_err err;
	size_t n;

	must(store_subscriptions(s, world.a, &mine, NULL, &v, &n, &err), &err);
	world.own = v[0].id;
	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_user_create(s, world.a, &u, NULL, &err), &err);
	must(store_application_create(s, world.a, &app, STR("developer"), NULL, &err), &err);
	world.reads = make_token("developer", false, 0, &world.spare);
	world.reads = make_token("developer", false, clock_wall_us() + 3600000000, NULL);
	world.writes = make_token("developer", true, 0, NULL);
	world.ended = make_token("developer", true, clock_wall_us() - 1, NULL);
	world.others = make_token("auditor", true, 0, NULL);
	world.blocked = make_token("gone", true, 0, NULL);
	must(store_personal_token_create(s, world.a, &(struct store_personal_token){ .user_id = STR("auditor"), .name = STR("all"), .may_write = true,
										     .may_manage = true }, NULL, &world.manages_other, &err), &err);
	must(store_tx_commit(s, &err), &err);
}

/* Two calls that were traced: one of the developer's, one of somebody else's. */
static void make_traces(void)
{
	static const char trace[] = "{\"id\":\"%s\",\"time\":\"2026-11-21T10:00:00.000Z\",\"api\":\"orders\",\"operation\":null,\"product\":\"starter\","
				    "\"subscription\":\"%.*s\",\"owner\":null,\"failure\":null,\"status\":200,"
				    "\"request\":{\"method\":\"GET\",\"url\":\"/api/orders\",\"headers\":[{\"name\":\"Accept\",\"value\":\"*/*\"}]},"
				    "\"backend\":{\"method\":\"GET\",\"url\":\"https://erp.example/orders\",\"tries\":1,\"status\":200,\"headers\":"
				    "[{\"name\":\"X-Inner\",\"value\":\"inner-secret\",\"by\":\"policy\"}]},\"response\":{\"status\":200,\"headers\":[]},"
				    "\"timings\":{\"totalUs\":900,\"backendUs\":700,\"dnsUs\":0,\"connectUs\":0,\"tlsUs\":0},\"lastError\":null,"
				    "\"steps\":[{\"section\":\"inbound\",\"scope\":\"product\",\"policy\":\"rate-limit\",\"line\":3,\"us\":4,"
				    "\"decision\":\"1 of 20 calls\"}],\"note\":null}",
			  line[] = "{\"id\":\"%s\",\"time\":\"2026-11-21T10:00:00.000Z\",\"api\":\"orders\",\"operation\":null,\"product\":\"starter\","
				   "\"subscription\":\"%.*s\",\"owner\":null,\"failure\":null,\"status\":200,\"method\":\"GET\",\"path\":\"/api/orders\"}";
	const struct { const char *id; struct str subscription; } calls[] = { { "traced-1", world.own }, { "traced-2", STR("nobodys") } };
	int64_t now = clock_wall_us(), ends = now + 3600000000;
	char path[PATHS_MAX];
	struct cache *cache;
	struct gh_err err;

	must(cache_path(&world.site.config, world.site.state_dir, path, &err), &err);
	must(cache_open(&cache, path, 8 << 20, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct str whole = arena_printf(world.a, trace, calls[i].id, STR_ARG(calls[i].subscription));

		must(cache_put(cache, TRACE_CACHE_SPACE, str_of(calls[i].id), whole, now, ends, &err), &err);
		must(cache_push(cache, TRACE_LIST_SPACE, calls[i].subscription, arena_printf(world.a, line, calls[i].id, STR_ARG(calls[i].subscription)),
				TRACE_LIST_MAX, now, ends, &err), &err);
	}
	cache_close(cache);
}

/* What the rows about teams, tiers, guides and sessions stand on. */
static void make_more(struct store *s)
{
	static const struct { const char *id, *owner; } apps[] = { { "app-2", "publisher" }, { "app-3", "publisher" } };
	const struct store_tier tiers[] = { { .id = STR_INIT("some"), .product_id = STR_INIT("tiered"), .name = STR_INIT("Some") },
					    { .id = STR_INIT("more"), .product_id = STR_INIT("tiered"), .name = STR_INIT("More") },
					    { .id = STR_INIT("most"), .product_id = STR_INIT("tiered"), .name = STR_INIT("Most"), .approval = STORE_APPROVAL_MANUAL } };
	const struct store_portal_page pages[] = {
		{ .id = STR_INIT("start"), .title = STR_INIT("Start"), .body = STR_INIT("# Begin"), .audience = STR_INIT("everybody") },
		{ .id = STR_INIT("insiders"), .title = STR_INIT("Inside"), .body = STR_INIT("x"), .audience = STR_INIT("users") },
		{ .api_id = STR_INIT("orders"), .id = STR_INIT("changes"), .title = STR_INIT("Changes"), .body = STR_INIT("x"), .audience = STR_INIT("everybody") },
		{ .api_id = STR_INIT("partner-prices"), .id = STR_INIT("secret"), .title = STR_INIT("S"), .body = STR_INIT("x"), .audience = STR_INIT("everybody") },
	};
	const struct store_product product = { .id = STR_INIT("tiered"), .name = STR_INIT("Tiered"), .subscription_required = true, .state = STORE_PRODUCT_PUBLISHED };
	const struct store_subscription sub = { .id = STR_INIT("tiered-1"), .name = STR_INIT("T"), .product_id = STR_INIT("tiered"), .tier_id = STR_INIT("some"),
						.user_id = STR_INIT("developer"), .state = STORE_SUB_ACTIVE };
	const struct store_caller client = { .kind = STR_INIT("client"), .id = STR_INIT("client-1"), .application_id = STR_INIT("app-1"),
					     .name = STR_INIT("Board"), .groups = STR_INIT("") };
	const struct store_session session = { .id = STR_INIT(WORLD_SESSION "5e55105e55105e555e55105e55105e555e55105e55105e55"), .user_id = STR_INIT("developer"),
					       .csrf = STR_INIT("c"), .app = STR_INIT("gh_portal"), .address = STR_INIT("203.0.113.1"),
					       .agent = STR_INIT("Firefox/1 Linux"), .created_us = 1000000, .seen_us = 1000000, .ends_us = INT64_C(4000000000000000) };
	struct str secret;
	struct gh_err err;

	must(store_tx_begin(s, STR("test"), &err), &err);
	must(store_product_create(s, &product, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++)
		must(store_tier_create(s, &tiers[i], &err), &err);
	must(store_subscription_create(s, world.a, &sub, NULL, NULL, NULL, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		must(store_portal_page_set(s, &pages[i], STR("test"), &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(apps); i++) {
		struct store_application app = { .id = str_of(apps[i].id), .name = str_of(apps[i].id), .description = STR(""), .redirect_url = STR("") };
		struct store_invitation v = { .application_id = app.id, .email = STR("developer@example.com"), .invited_by = STR("p"), .ends_us = INT64_C(4000000000000000) };

		must(store_application_create(s, world.a, &app, str_of(apps[i].owner), NULL, &err), &err);
		must(store_invitation_create(s, world.a, &v, &err), &err);
	}
	must(store_caller_create(s, world.a, &client, &secret, &err), &err);
	must(store_session_create(s, &session, &err), &err);
	must(store_tx_commit(s, &err), &err);
}

static int up(void **state UNUSED)
{
	static char dir[64], share[PATHS_MAX];
	struct client c = { .site = &world.site };
	struct gh_err err;
	FILE *conf;

	world.a = arena_new(256 << 20);
	fixture_make(dir);
	conf = fopen(arena_printf(world.a, "%s/gatehouse.conf", dir).p, "w");
	fputs("web.public_url = https://gw.example\n", conf);   /* mails have links */
	fclose(conf);
	site_up(&world.site, &portal_app, dir, share);
	make_people(world.site.store);
	make_call(world.site.store);
	make_more(world.site.store);
	make_traces();
	client_send(&c, "GET", PORTAL_JSON "/openapi.json", NULL);
	must(jsn_parse_in(world.a, buf_view(&c.w.rs.body), NULL, &world.document, NULL, &err), &err);
	client_end(&c);
	return 0;
}

static int down(void **state UNUSED)
{
	static const char *const cache_files[] = { "/data.mdb", "/lock.mdb", "" };       /* the folder last */
	const char *dir = world.site.state_dir;

	site_down(&world.site);
	for (size_t i = 0; i < ARRAY_LEN(cache_files); i++)
		remove(arena_printf(world.a, "%s/cache%s", dir, cache_files[i]).p);
	fixture_drop(dir);
	arena_free(world.a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_described), cmocka_unit_test(the_owner), cmocka_unit_test(in_and_out), cmocka_unit_test(every_call), cmocka_unit_test(outside),
		cmocka_unit_test(guessing_is_slowed),   cmocka_unit_test(made_on_the_page),
		cmocka_unit_test(a_busy_developer), cmocka_unit_test(decisions_in_german),
	};
	return cmocka_run_group_tests(tests, up, down);
}
