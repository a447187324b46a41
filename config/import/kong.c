/* kong.c - decK's YAML (https://developer.konghq.com/deck/): each path of a route becomes an API, as an API here stands at one path. */
#include "config/import/foreign.h"
#include "config/import/kong_fields.h"
#include "config/import/kong_left.h"
#include "config/import/kong_people.h"
#include "config/import/kong_plugin.h"
#include "config/import/kong_prepare.h"
#include "config/import/operations.h"
#include "config/import/policy_text.h"
#include "core/str.h"
#include "core/yaml.h"

struct kong {
	struct bundle *bundle;
	struct arena *arena;
	json_t *doc;
	bool global_key;                 /* a global key-auth */
	struct str key_name;
	json_t *keyed;                   /* ids of APIs that need a key */
	json_t *ids;                     /* of APIs, taken */
	json_t *paths;                   /* {path: route that has it} */
	json_t *told;                    /* {name: true} of upstreams */
	struct kong_people people;
	struct kong_left left;
};

/* A reference is a name or id, or an object with one of them. */
static bool refers_to(const json_t *ref, const json_t *holder)
{
	const struct str given[] = { jsn_string(ref), jsn_str(ref, "name"), jsn_str(ref, "id") };
	struct str name = jsn_str(holder, "name"), id = jsn_str(holder, "id");

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (given[i].n && (str_eq(given[i], name) || str_eq(given[i], id)))
			return true;
	return false;
}

static struct str unique(struct kong *k, struct str wanted)
{
	struct str base = import_slug(k->arena, wanted), id;

	if (!base.n)
		base = STR("api");
	id = base;
	for (unsigned i = 2; jsn_get_n(k->ids, id); i++)
		id = arena_printf(k->arena, "%.*s-%u", STR_ARG(base), i);
	json_object_setn_new(k->ids, id.p, id.n, json_true());
	return id;
}

/* ---- backends -------------------------------------------------------------------------------------------------------------------------- */

struct target {
	struct str protocol, host, path; /* path without a slash at its end */
	int64_t port;
	struct str whole;                /* "https://erp.example.com:8443/v1" */
};

static void service_address(struct kong *k, const json_t *service, struct target *t)
{
	struct str url = jsn_str(service, "url"), rest, authority;
	size_t at = str_find(url, STR("://")), slash, colon;
	uint64_t port = 0;

	*t = (struct target){ .protocol = jsn_str(service, "protocol"), .host = jsn_str(service, "host"), .path = jsn_str(service, "path"),
			      .port = jsn_int(service, "port", 0) };
	if (at != SIZE_MAX) {
		rest = str_from(url, at + 3);
		slash = str_find_char(rest, '/');
		authority = str_first(rest, slash);
		colon = str_rfind_char(authority, ':');
		t->protocol = str_first(url, at);
		t->host = str_first(authority, colon);
		t->path = slash == SIZE_MAX ? STR("") : str_from(rest, slash);
		if (colon != SIZE_MAX && str_to_u64(str_from(authority, colon + 1), 65535, &port))
			t->port = (int64_t)port;
	}
	if (!t->protocol.n)
		t->protocol = STR("http");
	while (t->path.n && t->path.p[t->path.n - 1] == '/')
		t->path.n--;
	if (t->port == (str_eq(t->protocol, STR("https")) ? 443 : 80) || t->port == 0)
		t->whole = arena_printf(k->arena, "%.*s://%.*s%.*s", STR_ARG(t->protocol), STR_ARG(t->host), STR_ARG(t->path));
	else
		t->whole = arena_printf(k->arena, "%.*s://%.*s:%lld%.*s", STR_ARG(t->protocol), STR_ARG(t->host), (long long)t->port, STR_ARG(t->path));
}

static json_t *find_named(const json_t *list, struct str name)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (str_eq(jsn_str(v, "name"), name))
			return v;
	return NULL;
}

static void health_of(struct kong *k, json_t *backend, const json_t *upstream)
{
	const json_t *active = jsn_obj(jsn_obj(upstream, "healthchecks"), "active");
	int64_t interval = jsn_int(jsn_obj(active, "healthy"), "interval", 0);
	struct str path = jsn_str(active, "http_path").n ? jsn_str(active, "http_path") : STR("/");

	if (interval > 0)
		json_object_set_new(backend, "health", json_pack("{s:s%, s:o}", "path", path.p, path.n, "interval",
				    json_sprintf("PT%lldS", (long long)interval)));
	(void)k;
}

static bool counts_failures(const json_t *checks)
{
	static const char *const rows[] = { "http_failures", "tcp_failures", "timeouts" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (jsn_int(jsn_obj(jsn_obj(checks, "passive"), "unhealthy"), rows[i], 0) > 0)
			return true;
	return false;
}

/* What of an upstream is not in its pool, once however many APIs use it. */
static void tell_upstream(struct kong *k, const json_t *upstream)
{
	struct str name = jsn_str(upstream, "name"), what = arena_printf(k->arena, "upstream %.*s", STR_ARG(name));
	const json_t *checks = jsn_obj(upstream, "healthchecks"), *active = jsn_obj(checks, "active");
	size_t i;
	json_t *v;

	if (jsn_get_n(k->told, name))
		return;
	json_object_setn_new(k->told, name.p, name.n, json_true());
	kong_tell(k->bundle->report, "upstream", upstream, what);
	if (counts_failures(checks))
		import_not_possible(k->bundle->report, what, "passive health checks: give its members a circuit breaker, gatehouse backend set --breaker");
	if (jsn_int(jsn_obj(active, "healthy"), "interval", 0) > 0)
		import_approximated(k->bundle->report, what, "active checks ask for the path at the interval; what counts as healthy and after how many answers "
				    "is as gatehouse backend set --health says");
	json_array_foreach(jsn_arr(upstream, "targets"), i, v)
		kong_tell(k->bundle->report, "target", v, arena_printf(k->arena, "target %.*s of %.*s", STR_ARG(jsn_str(v, "target")), STR_ARG(what)));
}

/* Kong's hash_on as ours; STR_NULL: it hashes on nothing that we could. */
static struct str hash_on(struct kong *k, const json_t *upstream)
{
	struct str on = jsn_str(upstream, "hash_on");

	if (str_eq(on, STR("consumer")))
		return STR("subscription");
	if (str_eq(on, STR("ip")))
		return STR("address");
	if (str_eq(on, STR("path")))
		return STR("path");
	if (str_eq(on, STR("header")) && jsn_str(upstream, "hash_on_header").n)
		return arena_printf(k->arena, "header:%.*s", STR_ARG(jsn_str(upstream, "hash_on_header")));
	if (str_eq(on, STR("cookie")) && jsn_str(upstream, "hash_on_cookie").n)
		return arena_printf(k->arena, "cookie:%.*s", STR_ARG(jsn_str(upstream, "hash_on_cookie")));
	return STR_NULL;
}

/* A pool of the upstream's targets, with the path that calls get. */
static void make_pool(struct kong *k, struct str id, const struct target *t, struct str path, const json_t *upstream)
{
	const json_t *targets = jsn_arr(upstream, "targets");
	struct str algorithm = jsn_str(upstream, "algorithm"), hash = hash_on(k, upstream);
	json_t *members = json_array(), *pool, *v;
	size_t i;

	tell_upstream(k, upstream);

	json_array_foreach((json_t *)(uintptr_t)targets, i, v) {
		struct str member = arena_printf(k->arena, "%.*s-%zu", STR_ARG(id), i + 1);
		json_t *doc = bundle_add(k->bundle, "backend", member);
		struct str place = jsn_str(v, "target");

		bundle_text(doc, "url", arena_printf(k->arena, str_find_char(place, ':') == SIZE_MAX ? "%.*s://%.*s:8000%.*s" : "%.*s://%.*s%.*s",
			    STR_ARG(t->protocol), STR_ARG(place), STR_ARG(path)));
		health_of(k, doc, upstream);
		if (jsn_int(v, "weight", 100) > 0)
			json_array_append_new(members, json_pack("{s:s%, s:I}", "backend", member.p, member.n, "weight",
					      (json_int_t)jsn_int(v, "weight", 100)));
	}
	pool = bundle_add(k->bundle, "backend", id);
	json_object_set_new(pool, "members", members);
	if (str_eq(algorithm, STR("least-connections")) || str_eq(algorithm, STR("latency")))
		bundle_text(pool, "balance", STR("least-outstanding"));
	else if (hash.n && (str_eq(algorithm, STR("consistent-hashing")) || !algorithm.n)) {
		bundle_text(pool, "balance", STR("hash"));
		bundle_text(pool, "hashOn", hash);
	} else if (str_eq(algorithm, STR("consistent-hashing")) || str_eq(algorithm, STR("sticky-sessions")))
		import_approximated(k->bundle->report, arena_printf(k->arena, "upstream %.*s", STR_ARG(jsn_str(upstream, "name"))),
				    "%.*s became round-robin: say what calls stay together by, gatehouse backend set --help", STR_ARG(algorithm));
	import_taken(k->bundle->report, "pool", 1);
}

/* ---- one API --------------------------------------------------------------------------------------------------------------------------------- */

static void operations(struct kong *k, struct str api, const json_t *methods)
{
	size_t n = json_array_size(methods);

	for (size_t i = 0; i < n || (i == 0 && !n); i++) {
		struct str method = n ? jsn_string(json_array_get(methods, i)) : STR("*");
		struct str id = n ? arena_printf(k->arena, "%.*s/%.*s", STR_ARG(api), STR_ARG(import_slug(k->arena, method))) :
				arena_printf(k->arena, "%.*s/any", STR_ARG(api));
		json_t *doc = bundle_add(k->bundle, "operation", id);

		bundle_text(doc, "name", n ? method : STR("Any call"));
		bundle_text(doc, "method", method);
		bundle_text(doc, "uriTemplate", STR("/*"));
		if (doc && i)
			json_object_set_new(doc, "position", json_integer((json_int_t)i));
	}
}

static void all_plugins(struct kong_plugins *p, const json_t *holder, const char *kind)
{
	struct str where = arena_printf(p->bundle->arena, "%s %.*s", kind, STR_ARG(jsn_str(holder, "name")));
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(holder, "plugins"), i, v)
		kong_plugin(p, v, where);
}

/* Plugins that stand at the top and name a service or route. */
static void plugins_apart(struct kong *k, struct kong_plugins *p, const char *field, const json_t *holder)
{
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(k->doc, "plugins"), i, v)
		if (refers_to(jsn_get(v, field), holder))
			kong_plugin(p, v, arena_printf(k->arena, "%s %.*s", field, STR_ARG(jsn_str(holder, "name"))));
}

static void key_settings(struct kong *k, json_t *api, struct str id, const struct kong_plugins *p)
{
	struct str name = p->key ? p->key_name : k->key_name;

	if (!p->key && !k->global_key) {
		json_object_set_new(api, "subscriptionRequired", json_false());
		return;
	}
	bundle_text(api, "keyHeader", name);
	if (!p->key || p->key_in_query)
		bundle_text(api, "keyQuery", name);
	json_array_append_new(k->keyed, json_stringn(id.p, id.n));
}

/* Those of the service and of the route, each once. */
static void put_tags(json_t *api, const json_t *service, const json_t *route)
{
	const json_t *const lists[] = { jsn_arr(service, "tags"), jsn_arr(route, "tags") };
	json_t *tags = json_array(), *v, *other;
	size_t i, j;

	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		json_array_foreach((json_t *)(uintptr_t)lists[k], i, v) {
			bool there = false;

			json_array_foreach(tags, j, other)
				there = there || json_equal(other, v);
			if (!there)
				json_array_append(tags, v);
		}
	if (json_array_size(tags))
		json_object_set(api, "tags", tags);
	json_decref(tags);
}

/* All below the path before an expression would be served: what it does not match is refused. */
static void put_expression(struct buf *b, struct kong *k, struct str expression)
{
	buf_cstr(b, "    <choose>\n    <when condition=\"@(!");
	kong_matches(b, k->arena, expression);
	buf_cstr(b, ")\">\n    <return-response>\n      <set-status code=\"404\" reason=\"Not Found\" />\n    </return-response>\n    </when>\n    </choose>\n");
}

/* The policy of an API: which calls its route takes, its plugins, and how long a backend may take where that is said. */
static void policy_of(struct kong *k, struct str id, const json_t *service, const struct kong_plugins *p, struct str expression)
{
	int64_t read_timeout = jsn_int(service, "read_timeout", 60000);
	struct arena *a = k->arena;
	struct buf inbound;

	buf_init(&inbound, POLICY_TEXT_MAX);
	if (expression.p)
		put_expression(&inbound, k, expression);
	buf_str(&inbound, buf_view(&p->first));
	buf_str(&inbound, buf_view(&p->inbound));
	buf_str(&inbound, buf_view(&p->late));
	if (inbound.n || p->outbound.n || read_timeout != 60000)
		bundle_policy(k->bundle, arena_printf(a, "api:%.*s", STR_ARG(id)), arena_dup(a, buf_view(&inbound)).p,
			      read_timeout == 60000 ? NULL : arena_printf(a, "    <forward-request timeout-ms=\"%lld\" />\n", (long long)read_timeout).p,
			      arena_dup(a, buf_view(&p->outbound)).p);
	buf_release(&inbound);
}

static void one_path(struct kong *k, const json_t *service, const json_t *route, struct str path, struct str id, struct kong_plugins *p,
		     struct str expression, const json_t *rule)
{
	json_t *api = bundle_add(k->bundle, "api", id), *upstream;
	struct str name = jsn_str(route, "name").n ? jsn_str(route, "name") : jsn_str(service, "name"), below = STR("");
	struct target t;

	if (!api)
		return;
	service_address(k, service, &t);
	if (!jsn_bool(route, "strip_path", true) && path.n)
		below = arena_printf(k->arena, "/%.*s", STR_ARG(path));
	bundle_text(api, "name", name.n ? name : id);
	bundle_text(api, "environment", k->bundle->environment);
	json_object_set_new(api, "path", json_stringn(path.p ? path.p : "", path.n));
	put_tags(api, service, route);
	upstream = find_named(jsn_arr(k->doc, "upstreams"), t.host);
	if (upstream && json_array_size(jsn_arr(upstream, "targets"))) {
		make_pool(k, id, &t, arena_printf(k->arena, "%.*s%.*s", STR_ARG(t.path), STR_ARG(below)), upstream);
		bundle_text(api, "backend", id);
	} else {
		bundle_text(api, "backendUrl", arena_printf(k->arena, "%.*s%.*s", STR_ARG(t.whole), STR_ARG(below)));
	}
	key_settings(k, api, id, p);
	if (rule)
		json_object_set(bundle_add(k->bundle, "access-rule", arena_printf(k->arena, "api:%.*s", STR_ARG(id))), "rule", (json_t *)(uintptr_t)rule);
	if (bundle_is_https_only(jsn_arr(route, "protocols")))
		bundle_https_only(k->bundle, id);
	operations(k, id, jsn_arr(route, "methods"));
	policy_of(k, id, service, p, expression);
	import_taken(k->bundle->report, "API", 1);
}

static void route_warnings(struct kong *k, const json_t *route, struct str what)
{
	struct import_report *r = k->bundle->report;
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(route, "hosts"), i, v)
		import_approximated(r, what, "the host %.*s is no condition here: make an environment with it (gatehouse environment create --host) and "
				    "import with --env", STR_ARG(jsn_string(v)));
	kong_tell(r, "route", route, what);
	if (bundle_is_https_only(jsn_arr(route, "protocols")))
		import_approximated(r, what, BUNDLE_HTTPS_ONLY);
}

static bool speaks_http(const json_t *protocols)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)protocols, i, v)
		if (str_starts(jsn_string(v), STR("http")))
			return true;
	return json_array_size(protocols) == 0;
}

/* Whether calls of the route can be served here; a row of the report says why not. */
static bool is_served(struct kong *k, const json_t *route, struct str what)
{
	if (jsn_str(route, "expression").n)
		import_not_possible(k->bundle->report, what, "its condition is an expression (%.*s): make an API at its path by hand%s",
				    STR_ARG(str_first(jsn_str(route, "expression"), 200)), kong_left_add_router(&k->left, jsn_str(route, "expression")) ?
				    "; until then other APIs answer calls of that path with 501" : "");
	else if (!speaks_http(jsn_arr(route, "protocols")))
		import_not_possible(k->bundle->report, what, "it is not for HTTP, which is all that is served here");
	else
		return true;
	return false;
}

/* Whether the path is free. Of two routes at one path, apart by method, host or header, the first is served. */
static bool take_path(struct kong *k, struct str path, struct str expression, const json_t *route, struct str what)
{
	const json_t *taken = jsn_get_n(k->paths, path);

	if (taken) {
		bool apart = expression.p || json_array_size(jsn_arr(route, "methods"));

		import_not_possible(k->bundle->report, what, "the path /%.*s is that of route %.*s already; calls that a method, host or header told apart go by "
				    "<choose> and set-backend-service in its policy%s", STR_ARG(path), STR_ARG(jsn_string(taken)),
				    apart ? ". Until then they are answered 501" : "");
		if (apart)
			kong_left_add(&k->left, STR_NULL, path, expression, jsn_arr(route, "methods"));
		return false;
	}
	json_object_setn_new(k->paths, path.p, path.n, json_stringn(jsn_str(route, "name").p ? jsn_str(route, "name").p : "", jsn_str(route, "name").n));
	return true;
}

static void one_route(struct kong *k, const json_t *service, const json_t *route)
{
	struct str what = arena_printf(k->arena, "route %.*s", STR_ARG(jsn_str(route, "name")));
	const json_t *paths = jsn_arr(route, "paths");
	size_t n = json_array_size(paths);
	struct kong_plugins p;
	const json_t *rule;

	if (!is_served(k, route, what))
		return;
	kong_plugins_init(&p, k->bundle);
	kong_headers(&p, jsn_obj(route, "headers"), what);
	plugins_apart(k, &p, "service", service);
	all_plugins(&p, service, "service");
	plugins_apart(k, &p, "route", route);
	all_plugins(&p, route, "route");
	rule = kong_access_rule(&k->people, &p, p.key || k->global_key, what);
	route_warnings(k, route, what);
	for (size_t i = 0; i < n || (i == 0 && !n); i++) {
		struct str path, expression, given = n ? jsn_string(json_array_get(paths, i)) : STR("/");
		bool cut;

		if (!kong_plain_path(given, &path, &cut, &expression)) {
			import_not_possible(k->bundle->report, what, "the expression %.*s has no path before it; other APIs answer its calls with 501", STR_ARG(given));
			kong_left_add(&k->left, STR_NULL, STR(""), str_from(given, 1), jsn_arr(route, "methods"));
			continue;
		}
		if (cut)
			import_approximated(k->bundle->report, what, "of the expression %.*s the path /%.*s before it is the API's; calls that it does not match are "
					    "answered 404 by its policy", STR_ARG(given), STR_ARG(path));
		if (take_path(k, path, expression, route, what)) {
			struct str id = unique(k, jsn_str(route, "name").n ? jsn_str(route, "name") : jsn_str(service, "name"));

			one_path(k, service, route, path, id, &p, expression, rule);
			if (str_starts(given, STR("~")))
				kong_left_by_expression(&k->left, id);
			if (expression.p)        /* its calls are those of no longer path either */
				kong_left_add(&k->left, id, path, expression, jsn_arr(route, "methods"));
		}
	}
	kong_plugins_release(&p);
}

/* ---- services ------------------------------------------------------------------------------------------------------------------------------ */

/* The routes of a service that is not served keep their calls from others. */
static void leave_routes(struct kong *k, const json_t *service)
{
	size_t i, j;
	json_t *route, *path;

	json_array_foreach(jsn_arr(service, "routes"), i, route)
		json_array_foreach(jsn_arr(route, "paths"), j, path) {
			struct str plain, expression;
			bool cut;

			(void)kong_plain_path(jsn_string(path), &plain, &cut, &expression);
			kong_left_add(&k->left, STR_NULL, plain, expression, jsn_arr(route, "methods"));
		}
}

/* Of a service that is served: whether its routes are. */
static bool serves(struct kong *k, const json_t *service)
{
	struct str what = arena_printf(k->arena, "service %.*s", STR_ARG(jsn_str(service, "name")));
	struct target t;

	service_address(k, service, &t);
	if (!jsn_bool(service, "enabled", true))
		import_not_possible(k->bundle->report, what, "it is switched off; it and its routes are left out");
	else if (!str_starts(t.protocol, STR("http"))) {
		import_not_possible(k->bundle->report, what, "it speaks %.*s; it and its routes are left out", STR_ARG(t.protocol));
		leave_routes(k, service);
	} else if (kong_is_variable(t.host) || str_find(t.whole, STR("${")) != SIZE_MAX) {
		import_not_possible(k->bundle->report, what, "its address %.*s holds a variable: it and its routes are left out. Put values in first (deck file render "
				    "--populate-env-vars, envsubst) and import again", STR_ARG(str_first(t.whole, 200)));
		leave_routes(k, service);
	} else {
		kong_tell(k->bundle->report, "service", service, what);
		if (str_eq(t.protocol, STR("https")) && json_is_false(jsn_get(service, "tls_verify")))
			import_approximated(k->bundle->report, what, "the certificate of its backend is checked here, which it was not");
		return true;
	}
	return false;
}

static void services(struct kong *k)
{
	size_t i, j;
	json_t *service, *route;

	json_array_foreach(jsn_arr(k->doc, "services"), i, service) {
		if (!serves(k, service))
			continue;
		json_array_foreach(jsn_arr(service, "routes"), j, route)
			one_route(k, service, route);
		json_array_foreach(jsn_arr(k->doc, "routes"), j, route)
			if (refers_to(jsn_get(route, "service"), service))
				one_route(k, service, route);
	}
	json_array_foreach(jsn_arr(k->doc, "routes"), j, route)
		if (!jsn_get(route, "service"))
			import_not_possible(k->bundle->report, arena_printf(k->arena, "route %.*s", STR_ARG(jsn_str(route, "name"))), "it has no service");
	json_array_foreach(jsn_arr(k->doc, "upstreams"), i, service)
		if (!jsn_get_n(k->told, jsn_str(service, "name")))
			import_not_possible(k->bundle->report, arena_printf(k->arena, "upstream %.*s", STR_ARG(jsn_str(service, "name"))), "no service that is served uses it");
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------------------------- */

static void global_plugins(struct kong *k)
{
	struct kong_plugins p;
	size_t i;
	json_t *v;

	kong_plugins_init(&p, k->bundle);
	p.everywhere = true;
	json_array_foreach(jsn_arr(k->doc, "plugins"), i, v)
		if (!jsn_get(v, "service") && !jsn_get(v, "route"))
			kong_plugin(&p, v, STR("all calls"));
	k->global_key = p.key;
	k->key_name = p.key_name;
	memcpy(k->people.everywhere, p.asks, sizeof(p.asks));
	if (p.inbound.n || p.outbound.n)
		bundle_policy(k->bundle, STR("global"), arena_dup(k->arena, buf_view(&p.inbound)).p, "    <forward-request />\n",
			      arena_dup(k->arena, buf_view(&p.outbound)).p);
	kong_plugins_release(&p);
}

/* What tells this gateway from others. */
static const char *name_of_gateway(const struct kong *k, struct str given)
{
	struct str plane = jsn_str(jsn_obj(k->doc, "_konnect"), "control_plane_name"), workspace = jsn_str(k->doc, "_workspace");
	struct str name = given.n ? given : plane.n ? plane : str_eq(workspace, STR("default")) ? STR_NULL : workspace;
	struct str id = name.n ? import_slug(k->arena, name) : STR_NULL;

	return id.n ? arena_dup(k->arena, id).p : "kong";
}

GH_RC import_kong(struct bundle *b, struct str text, struct str name, struct text_where *where, struct gh_err *err)
{
	static const char *const lists[] = { "services", "routes", "consumers", "plugins", "upstreams", "consumer_groups" };
	struct kong k = { .bundle = b, .arena = b->arena, .keyed = jsn_keep(b->arena, json_array()), .ids = jsn_keep(b->arena, json_object()),
			  .paths = jsn_keep(b->arena, json_object()), .told = jsn_keep(b->arena, json_object()) };
	json_t *product;
	bool known = false;

	TRY(yaml_or_json_parse(text, FILES_ONE_MAX, &k.doc, where, err));
	if (!jsn_keep(b->arena, k.doc) || !k.keyed || !k.ids || !k.paths || !k.told)
		FAIL(err, NOMEM, "Kong");
	*where = (struct text_where){ 1, 1 };
	k.people = (struct kong_people){ .bundle = b, .doc = k.doc, .name = name_of_gateway(&k, name) };
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		known = known || jsn_arr(k.doc, lists[i]);
	if (!jsn_get(k.doc, "_format_version") || !known)
		FAIL(err, INVALID, "this is no decK file: it has no _format_version, and services, routes, plugins or consumers");
	TRY(kong_left_init(&k.left, b, err));
	TRY(kong_prepare(b, k.doc, err));
	global_plugins(&k);
	services(&k);
	kong_left_close(&k.left);
	kong_consumers(&k.people, json_array_size(k.keyed) > 0);
	kong_tell(b->report, "file", k.doc, STR("file"));
	if (json_array_size(k.keyed)) {
		b->gateway = str_of(k.people.name);
		product = bundle_add(b, "product", b->gateway);
		bundle_text(product, "name", name.n ? import_name(b->arena, name) : strcmp(k.people.name, "kong") ? str_of(k.people.name) : STR("Kong"));
		bundle_text(product, "description", STR("All APIs that need a key."));
		json_object_set(product, "apis", k.keyed);
		import_approximated(b->report, STR("key-auth"), "a key opens the APIs of its product; all that need one are in the product %s", k.people.name);
	}
	return b->report->failed ? gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "Kong") : GH_RC_OK;
}
