/* The portal's JSON API against its own description: every route stands in www/portal-api.yaml and nothing else does, every
 * answer, refusals too, fits the schema that the description gives for its status; and who may do what, by token, by session
 * and as a stranger. */
#include "tests/unit/check.h"

#include "core/clock.h"
#include "core/jsonschema.h"
#include "db/callers.h"
#include "db/pages.h"
#include "db/personal_tokens.h"
#include "db/teams.h"
#include "db/tiers.h"
#include "db/rollup.h"
#include "db/telemetry.h"
#include "portal/portal/json.h"
#include "tests/unit/portal/client.h"

#define WORLD_SESSION "5e55105e55105e55"

static struct world {
	struct web_site site;
	struct arena *a;
	json_t *document;
	struct str own, refused_call;            /* developer's subscription, a call with it */
	struct str reads, writes, ended, others, blocked;        /* tokens */
	struct str spare;                        /* id of a token to be taken back */
	char answered[96][80];                   /* "get /apis" that gave 2xx */
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
				  str_of(strcmp(r->method, "GET") == 0 ? "read" : "write"));
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

enum who { VISITOR, READS, WRITES, STRANGER, ENDED, BLOCKED, GARBAGE, SESSION, SESSION_WITH_TOKEN };

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

/* OWN and CALL stand for the developer's subscription and call, SPARE for a token. */
static const struct row {
	const char *label;
	enum who who;
	const char *method, *uri, *body;
	int status;
	const char *shows, *hides;
} rows[] = {
	{ "the description", VISITOR, "GET", "/openapi.json", NULL, 200, "\"openapi\":\"3.1.0\"", NULL },
	{ "the catalog of a visitor", VISITOR, "GET", "/apis", NULL, 200, "\"total\":2", "partner" },
	{ "search", VISITOR, "GET", "/apis?q=STOCK", NULL, 200, "\"total\":1", "\"orders\"" },
	{ "pages", VISITOR, "GET", "/apis?per_page=1&page=2", NULL, 200, "\"page\":2", NULL },
	{ "beyond the last page", VISITOR, "GET", "/apis?page=7", NULL, 200, "\"items\":[]", NULL },
	{ "an API", VISITOR, "GET", "/apis/orders", NULL, 200, "http://gw.example/api/orders", "erp.example" },
	{ "an API with versions", READS, "GET", "/apis/stock-v1", NULL, 200, "stock-v2", "planned" },
	{ "a draft", READS, "GET", "/apis/planned", NULL, 404, "not_found", NULL },
	{ "of another group", READS, "GET", "/apis/partner-prices", NULL, 404, "not_found", NULL },
	{ "operations", VISITOR, "GET", "/apis/orders/operations?per_page=2", NULL, 200, "\"total\":4", NULL },
	{ "operations of a hidden API", READS, "GET", "/apis/partner-prices/operations", NULL, 404, "not_found", NULL },
	{ "an operation", VISITOR, "GET", "/apis/orders/operations/get-order", NULL, 200, "/orders/{id}", "erp.example" },
	{ "no such operation", VISITOR, "GET", "/apis/orders/operations/x", NULL, 404, "not_found", NULL },
	{ "products", VISITOR, "GET", "/products", NULL, 200, "starter", "partner" },
	{ "a product", VISITOR, "GET", "/products/starter", NULL, 200, "\"orders\"", NULL },
	{ "a hidden product", READS, "GET", "/products/partner", NULL, 404, "not_found", NULL },

	{ "API groups", VISITOR, "GET", "/groups", NULL, 200, "\"total\":1", "partner" },
	{ "an API group", VISITOR, "GET", "/groups/logistics", NULL, 200, "\"stock-v2\"", NULL },
	{ "a hidden group", READS, "GET", "/groups/partner-group", NULL, 404, "not_found", NULL },
	{ "a product is no group", READS, "GET", "/groups/starter", NULL, 404, "not_found", NULL },
	{ "a group is no product", READS, "GET", "/products/logistics", NULL, 404, "not_found", NULL },
	{ "the groups of an API", READS, "GET", "/apis/stock-v2", NULL, 200, "\"groups\":[{\"id\":\"logistics\"", NULL },

	{ "own things of a visitor", VISITOR, "GET", "/subscriptions", NULL, 401, "sign_in_required", NULL },
	{ "a token that is none", GARBAGE, "GET", "/subscriptions", NULL, 401, "token_invalid", NULL },
	{ "one that has ended", ENDED, "GET", "/subscriptions", NULL, 401, "token_invalid", NULL },
	{ "one of somebody who is blocked", BLOCKED, "GET", "/subscriptions", NULL, 401, "token_invalid", NULL },
	{ "a bad token is refused where none is needed", GARBAGE, "GET", "/apis", NULL, 401, "token_invalid", NULL },
	{ "own subscriptions", READS, "GET", "/subscriptions", NULL, 200, "Planning", NULL },
	{ "of a stranger", STRANGER, "GET", "/subscriptions", NULL, 200, "\"total\":0", "Planning" },
	{ "by session", SESSION, "GET", "/subscriptions", NULL, 200, "Planning", NULL },
	{ "one", READS, "GET", "/subscriptions/OWN", NULL, 200, "primaryKeyPrefix", "\"primaryKey\"" },
	{ "a stranger's view of it", STRANGER, "GET", "/subscriptions/OWN", NULL, 404, "not_found", NULL },
	{ "a new name", WRITES, "PATCH", "/subscriptions/OWN", "{\"name\":\"Shop floor\"}", 200, "Shop floor", NULL },
	{ "no name", WRITES, "PATCH", "/subscriptions/OWN", "{\"name\":\" \"}", 422, "\"fields\":{\"name\"", NULL },
	{ "a name that is a number", WRITES, "PATCH", "/subscriptions/OWN", "{\"name\":7}", 422, "\"fields\":{\"name\"", NULL },
	{ "no JSON", WRITES, "PATCH", "/subscriptions/OWN", "{", 400, "bad_request", NULL },
	{ "no object", WRITES, "PATCH", "/subscriptions/OWN", "[1]", 400, "bad_request", NULL },
	{ "the same member twice", WRITES, "PATCH", "/subscriptions/OWN", "{\"name\":\"a\",\"name\":\"b\"}", 400, "bad_request", NULL },
	{ "a token that may not write", READS, "PATCH", "/subscriptions/OWN", "{\"name\":\"x\"}", 403, "scope_missing", NULL },
	{ "a stranger changes it", STRANGER, "PATCH", "/subscriptions/OWN", "{\"name\":\"x\"}", 404, "not_found", NULL },
	{ "a session without its token", SESSION, "PATCH", "/subscriptions/OWN", "{\"name\":\"x\"}", 403, "csrf_token", NULL },
	{ "a session with its token", SESSION_WITH_TOKEN, "PATCH", "/subscriptions/OWN", "{\"name\":\"By script\"}", 200, "By script", NULL },
	{ "the keys", WRITES, "POST", "/subscriptions/OWN/keys", NULL, 200, "primaryKey", NULL },
	{ "the keys, reading only", READS, "POST", "/subscriptions/OWN/keys", NULL, 403, "scope_missing", "primaryKey" },
	{ "the keys, a stranger", STRANGER, "POST", "/subscriptions/OWN/keys", NULL, 404, "not_found", "primaryKey" },
	{ "a new key", WRITES, "POST", "/subscriptions/OWN/rotate", "{\"slot\":\"secondary\",\"overlapSeconds\":0}", 200, "\"slot\":\"secondary\"", NULL },
	{ "a new key as usual", WRITES, "POST", "/subscriptions/OWN/rotate", NULL, 200, "oldKeyEndsAt", NULL },
	{ "no such key", WRITES, "POST", "/subscriptions/OWN/rotate", "{\"slot\":\"third\",\"overlapSeconds\":-1}", 422, "overlapSeconds", NULL },
	{ "for as long as one likes", WRITES, "POST", "/subscriptions/OWN/rotate", "{\"overlapSeconds\":99999999}", 422, "overlapSeconds", NULL },
	{ "a new key, a stranger", STRANGER, "POST", "/subscriptions/OWN/rotate", NULL, 404, "not_found", NULL },
	{ "subscribe", WRITES, "POST", "/subscriptions", "{\"product\":\"starter\",\"name\":\"Second\"}", 201, "primaryKey", NULL },
	{ "to what may not be seen", WRITES, "POST", "/subscriptions", "{\"product\":\"partner\"}", 422, "\"fields\":{\"product\"", NULL },
	{ "to nothing", WRITES, "POST", "/subscriptions", "{}", 422, "\"fields\":{\"product\"", NULL },
	{ "for an application that is a number", WRITES, "POST", "/subscriptions", "{\"product\":\"starter\",\"application\":7}", 422,
	  "This is no text", NULL },
	{ "to a group", WRITES, "POST", "/subscriptions", "{\"group\":\"logistics\"}", 201, "primaryKey", NULL },
	{ "to a group twice", WRITES, "POST", "/subscriptions", "{\"group\":\"logistics\"}", 409, "contract with the group", NULL },
	{ "to a group that may not be seen", WRITES, "POST", "/subscriptions", "{\"group\":\"partner-group\"}", 422, "\"fields\":{\"group\"", NULL },
	{ "to a product that is named as a group", WRITES, "POST", "/subscriptions", "{\"group\":\"starter\"}", 422, "\"fields\":{\"group\"", NULL },
	{ "reading only", READS, "POST", "/subscriptions", "{\"product\":\"starter\"}", 403, "scope_missing", NULL },
	{ "applications", READS, "GET", "/applications", NULL, 200, "Board", NULL },
	{ "of a stranger", STRANGER, "GET", "/applications", NULL, 200, "\"total\":0", "Board" },
	{ "one with its people", READS, "GET", "/applications/app-1", NULL, 200, "developer@example.com", NULL },
	{ "a stranger's view of it", STRANGER, "GET", "/applications/app-1", NULL, 404, "not_found", NULL },
	{ "a new one", WRITES, "POST", "/applications", "{\"name\":\"Wall\"}", 201, "\"subscriptions\":[]", NULL },
	{ "without a name", WRITES, "POST", "/applications", "{\"description\":7}", 422, "\"name\"", NULL },
	{ "reading only", READS, "POST", "/applications", "{\"name\":\"Wall\"}", 403, "scope_missing", NULL },
	{ "changed", WRITES, "PATCH", "/applications/app-1", "{\"description\":\"On the wall\"}", 200, "\"name\":\"Board\"", NULL },
	{ "changed by a stranger", STRANGER, "PATCH", "/applications/app-1", "{\"name\":\"Mine\"}", 404, "not_found", NULL },
	{ "subscribed", WRITES, "POST", "/subscriptions", "{\"product\":\"starter\",\"application\":\"app-1\"}", 201, "\"application\":\"app-1\"", NULL },
	{ "somebody else's subscribed", STRANGER, "POST", "/subscriptions", "{\"product\":\"starter\",\"application\":\"app-1\"}", 422, "\"fields\":{\"application\"", NULL },
	{ "client ids", READS, "GET", "/applications/app-1/clients", NULL, 200, "client-1", "secret" },
	{ "of a stranger", STRANGER, "GET", "/applications/app-1/clients", NULL, 404, "not_found", NULL },
	{ "a new one", WRITES, "POST", "/applications/app-1/clients", NULL, 201, "\"secret\":\"", NULL },
	{ "a stranger's wish", STRANGER, "POST", "/applications/app-1/clients", NULL, 404, "not_found", "secret" },
	{ "reading only", READS, "POST", "/applications/app-1/clients", NULL, 403, "scope_missing", "\"secret\"" },
	{ "a new secret", WRITES, "POST", "/applications/app-1/clients/client-1/rotate", NULL, 200, "\"id\":\"client-1\"", NULL },
	{ "for a stranger", STRANGER, "POST", "/applications/app-1/clients/client-1/rotate", NULL, 404, "not_found", "secret" },
	{ "a stranger removes it", STRANGER, "DELETE", "/applications/app-1/clients/client-1", NULL, 404, "not_found", NULL },
	{ "removed", WRITES, "DELETE", "/applications/app-1/clients/client-1", NULL, 204, NULL, NULL },
	{ "invited by a stranger", STRANGER, "POST", "/applications/app-1/invitations", "{\"email\":\"x@example.com\"}", 404, "not_found", NULL },
	{ "no address", WRITES, "POST", "/applications/app-1/invitations", "{\"email\":\"x\"}", 422, "\"email\"", NULL },
	{ "who is in it", WRITES, "POST", "/applications/app-1/invitations", "{\"email\":\"Developer@example.com\"}", 422, "is in the team", NULL },
	{ "invited", WRITES, "POST", "/applications/app-1/invitations", "{\"email\":\"x@example.com\"}", 201, "\"invitedBy\":\"developer@example.com\"", NULL },
	{ "the invited", READS, "GET", "/applications/app-1/invitations", NULL, 200, "INVITE", NULL },
	{ "for a stranger", STRANGER, "GET", "/applications/app-1/invitations", NULL, 404, "not_found", "INVITE" },
	{ "taken back by a stranger", STRANGER, "DELETE", "/applications/app-1/invitations/INVITE", NULL, 404, "not_found", NULL },
	{ "taken back", WRITES, "DELETE", "/applications/app-1/invitations/INVITE", NULL, 204, NULL, NULL },
	{ "own invitations", READS, "GET", "/invitations", NULL, 200, "\"application\":\"app-2\"", NULL },
	{ "somebody else's accepted", STRANGER, "POST", "/invitations/JOIN/accept", NULL, 404, "not_found", NULL },
	{ "somebody else's declined", STRANGER, "POST", "/invitations/SPURN/decline", NULL, 404, "not_found", NULL },
	{ "accepted", WRITES, "POST", "/invitations/JOIN/accept", NULL, 204, NULL, NULL },
	{ "declined", WRITES, "POST", "/invitations/SPURN/decline", NULL, 204, NULL, NULL },
	{ "now it is one's own", READS, "GET", "/applications/app-2", NULL, 200, "developer@example.com", NULL },
	{ "what was declined is not", READS, "GET", "/applications/app-3", NULL, 404, "not_found", NULL },
	{ "an owner removed by a stranger", STRANGER, "DELETE", "/applications/app-1/owners/developer@example.com", NULL, 404, "not_found", NULL },
	{ "no such owner", WRITES, "DELETE", "/applications/app-1/owners/nobody@example.com", NULL, 404, "not_found", NULL },
	{ "the last owner", WRITES, "DELETE", "/applications/app-1/owners/developer@example.com", NULL, 409, "last_owner", NULL },
	{ "left", WRITES, "DELETE", "/applications/app-2/owners/developer@example.com", NULL, 204, NULL, NULL },
	{ "another tier", WRITES, "POST", "/subscriptions/tiered-1/tier", "{\"tier\":\"more\"}", 200, "\"tier\":\"more\"", NULL },
	{ "one that is approved", WRITES, "POST", "/subscriptions/tiered-1/tier", "{\"tier\":\"most\",\"message\":\"please\"}", 202, "\"tier\":\"more\"", NULL },
	{ "the wish taken back", WRITES, "DELETE", "/subscriptions/tiered-1/tier-request", NULL, 200, "\"tier\":\"more\"", NULL },
	{ "no such tier", WRITES, "POST", "/subscriptions/tiered-1/tier", "{\"tier\":\"none\"}", 409, "tier_refused", NULL },
	{ "no tier", WRITES, "POST", "/subscriptions/tiered-1/tier", "{}", 422, "\"tier\"", NULL },
	{ "a stranger's tier", STRANGER, "POST", "/subscriptions/tiered-1/tier", "{\"tier\":\"more\"}", 404, "not_found", NULL },
	{ "a stranger's wish", STRANGER, "DELETE", "/subscriptions/tiered-1/tier-request", NULL, 404, "not_found", NULL },
	{ "guides", VISITOR, "GET", "/guides", NULL, 200, "\"start\"", "insiders" },
	{ "a guide", VISITOR, "GET", "/guides/start", NULL, 200, "# Begin", NULL },
	{ "one for others", VISITOR, "GET", "/guides/insiders", NULL, 404, "not_found", NULL },
	{ "for those who are signed in", READS, "GET", "/guides/insiders", NULL, 200, "\"body\"", NULL },
	{ "guides of an API", VISITOR, "GET", "/apis/orders/guides", NULL, 200, "\"changes\"", NULL },
	{ "one of them", VISITOR, "GET", "/apis/orders/guides/changes", NULL, 200, "\"body\"", NULL },
	{ "of an API that may not be seen", READS, "GET", "/apis/partner-prices/guides", NULL, 404, "not_found", NULL },
	{ "one of it", READS, "GET", "/apis/partner-prices/guides/secret", NULL, 404, "not_found", NULL },
	{ "sessions", READS, "GET", "/account/sessions", NULL, 200, "SESSION", NULL },
	{ "of a stranger", STRANGER, "GET", "/account/sessions", NULL, 200, "\"total\":0", "SESSION" },
	{ "ended by a stranger", STRANGER, "DELETE", "/account/sessions/SESSION", NULL, 404, "not_found", NULL },
	{ "ended, reading only", READS, "DELETE", "/account/sessions/SESSION", NULL, 403, "scope_missing", NULL },
	{ "ended", WRITES, "DELETE", "/account/sessions/SESSION", NULL, 204, NULL, NULL },
	{ "gone", WRITES, "DELETE", "/account/sessions/SESSION", NULL, 404, "not_found", NULL },
	{ "all of them", WRITES, "DELETE", "/account/sessions", NULL, 204, NULL, NULL },
	{ "deleted by a stranger", STRANGER, "DELETE", "/applications/app-1", NULL, 404, "not_found", NULL },
	{ "deleted", WRITES, "DELETE", "/applications/app-1", NULL, 204, NULL, NULL },
	{ "calls a day", READS, "GET", "/usage?range=day", NULL, 200, "\"refused\":1", NULL },
	{ "and why", READS, "GET", "/usage?range=day", NULL, 200, "\"status\":429,\"reason\":\"rate_limit\",\"calls\":1", NULL },
	{ "of a stranger", STRANGER, "GET", "/usage?range=day", NULL, 200, "\"apis\":[]", "\"refused\":1" },
	{ "of somebody else's subscription", STRANGER, "GET", "/usage?subscription=OWN", NULL, 404, "not_found", NULL },
	{ "calls", READS, "GET", "/calls", NULL, 200, "CALL", NULL },
	{ "calls of a stranger", STRANGER, "GET", "/calls", NULL, 200, "\"total\":0", "CALL" },
	{ "one call", READS, "GET", "/calls/CALL", NULL, 200, "\"fix\":", NULL },
	{ "a stranger's view of it", STRANGER, "GET", "/calls/CALL", NULL, 404, "not_found", NULL },
	{ "the account", READS, "GET", "/account", NULL, 200, "developer@example.com", "csrfToken" },
	{ "the account by session", SESSION, "GET", "/account", NULL, 200, "csrfToken", NULL },
	{ "another name", WRITES, "PATCH", "/account", "{\"firstName\":\"Grace\"}", 200, "Grace", NULL },
	{ "no first name", WRITES, "PATCH", "/account", "{\"firstName\":\"\"}", 422, "firstName", NULL },
	{ "a role is nothing that one gives oneself", WRITES, "PATCH", "/account", "{\"role\":\"administrator\"}", 200, "\"role\":\"developer\"", NULL },
	{ "tokens", READS, "GET", "/account/tokens", NULL, 200, "\"scopes\":[\"read\"]", NULL },
	{ "somebody else's token", STRANGER, "DELETE", "/account/tokens/SPARE", NULL, 404, "not_found", NULL },
	{ "taken back", WRITES, "DELETE", "/account/tokens/SPARE", NULL, 204, NULL, NULL },
	{ "gone", WRITES, "DELETE", "/account/tokens/SPARE", NULL, 404, "not_found", NULL },
	{ "cancelled by a stranger", STRANGER, "POST", "/subscriptions/OWN/cancel", NULL, 404, "not_found", NULL },
	{ "cancelled", WRITES, "POST", "/subscriptions/OWN/cancel", NULL, 200, "\"state\":\"cancelled\"", NULL },
	{ "again", WRITES, "POST", "/subscriptions/OWN/cancel", NULL, 200, "\"state\":\"cancelled\"", NULL },
	{ "no key for what is cancelled", WRITES, "POST", "/subscriptions/OWN/rotate", NULL, 409, "subscription_state", NULL },
};

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
		CHECK_INT(r->label, client_send(&c, r->method, filled(arena_printf(world.a, PORTAL_JSON "%s", r->uri).p), r->body), r->status);
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
				    .subscription = world.own, .method = STR("GET"), .path = STR("/api/orders/\xff"), .reason = STR("rate_limit") };
	struct rollup *totals = rollup_new(s, 0);
	struct gh_err err;

	world.refused_call = c.request_id;
	must(store_drain_begin(s, &err), &err);
	must(store_drain_call(s, &c, &err), &err);
	if (!rollup_add(totals, &c, 1))
		abort();
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
	must(store_tx_commit(s, &err), &err);
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
	client_send(&c, "GET", PORTAL_JSON "/openapi.json", NULL);
	must(jsn_parse_in(world.a, buf_view(&c.w.rs.body), NULL, &world.document, NULL, &err), &err);
	client_end(&c);
	return 0;
}

static int down(void **state UNUSED)
{
	const char *dir = world.site.state_dir;

	site_down(&world.site);
	fixture_drop(dir);
	arena_free(world.a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_described), cmocka_unit_test(every_call), cmocka_unit_test(outside),
		cmocka_unit_test(guessing_is_slowed),   cmocka_unit_test(made_on_the_page),
		cmocka_unit_test(a_busy_developer),
	};
	return cmocka_run_group_tests(tests, up, down);
}
