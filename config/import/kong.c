/* kong.c - decK's YAML (https://developer.konghq.com/deck/): each path of a route becomes an API, as an API here stands at one path. */
#include "config/import/foreign.h"
#include "config/import/kong_plugin.h"
#include "config/import/operations.h"
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
};

/* A reference is a name, or {"name"}. */
static struct str name_of(const json_t *v)
{
	return json_is_string(v) ? jsn_string(v) : jsn_str(v, "name").n ? jsn_str(v, "name") : jsn_str(v, "id");
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

/* A pool of the upstream's targets, with the path that calls get. */
static void make_pool(struct kong *k, struct str id, const struct target *t, struct str path, const json_t *upstream)
{
	const json_t *targets = jsn_arr(upstream, "targets");
	struct str algorithm = jsn_str(upstream, "algorithm");
	json_t *members = json_array(), *pool, *v;
	size_t i;

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
	else if (str_eq(algorithm, STR("consistent-hashing")))
		import_approximated(k->bundle->report, arena_printf(k->arena, "upstream %.*s", STR_ARG(jsn_str(upstream, "name"))),
				    "consistent hashing became round-robin: say what to hash by, gatehouse backend set --help");
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

/* "/orders" of "/orders/", "~/orders/(?<id>\d+)$"; false: no path stands before the expression. */
static bool plain_path(struct str path, struct str *out, bool *cut)
{
	size_t n = 0;

	*cut = false;
	if (str_starts(path, STR("~"))) {
		path = str_from(path, 1);
		while (n < path.n && !strchr("([{*+?\\^$|.", path.p[n]))
			n++;
		*cut = !(n == path.n || (n + 1 == path.n && path.p[n] == '$'));
		path = str_first(path, n);
		if (*cut) {
			n = str_rfind_char(path, '/');
			path = str_first(path, n == SIZE_MAX ? 0 : n);
		}
	}
	while (path.n && path.p[0] == '/')
		path = str_from(path, 1);
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	*out = path;
	return path.n || !*cut;
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
		if (jsn_get(v, field) && str_eq(name_of(jsn_get(v, field)), jsn_str(holder, "name")))
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

static void one_path(struct kong *k, const json_t *service, const json_t *route, struct str path, struct str id, struct kong_plugins *p)
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
	if (json_array_size(jsn_arr(route, "tags")))
		json_object_set(api, "tags", jsn_arr(route, "tags"));
	upstream = find_named(jsn_arr(k->doc, "upstreams"), t.host);
	if (upstream && json_array_size(jsn_arr(upstream, "targets"))) {
		make_pool(k, id, &t, arena_printf(k->arena, "%.*s%.*s", STR_ARG(t.path), STR_ARG(below)), upstream);
		bundle_text(api, "backend", id);
	} else {
		bundle_text(api, "backendUrl", arena_printf(k->arena, "%.*s%.*s", STR_ARG(t.whole), STR_ARG(below)));
	}
	key_settings(k, api, id, p);
	operations(k, id, jsn_arr(route, "methods"));
	if (p->inbound.n || p->outbound.n)
		bundle_policy(k->bundle, arena_printf(k->arena, "api:%.*s", STR_ARG(id)), arena_dup(k->arena, buf_view(&p->inbound)).p, NULL,
			      arena_dup(k->arena, buf_view(&p->outbound)).p);
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
	if (json_object_size(jsn_obj(route, "headers")))
		import_not_possible(r, what, "headers as a condition; use <choose> in its policy");
	if (json_array_size(jsn_arr(route, "protocols")) == 1 && str_eq(jsn_string(json_array_get(jsn_arr(route, "protocols"), 0)), STR("https")))
		import_not_possible(r, what, "https only: gatehouse network set --help");
	if (jsn_bool(route, "preserve_host", false))
		import_not_possible(r, what, "preserve_host: use <set-header name=\"Host\"> in its policy");
}

static void one_route(struct kong *k, const json_t *service, const json_t *route)
{
	struct str what = arena_printf(k->arena, "route %.*s", STR_ARG(jsn_str(route, "name")));
	const json_t *paths = jsn_arr(route, "paths");
	size_t n = json_array_size(paths);
	struct kong_plugins p;

	kong_plugins_init(&p, k->bundle);
	plugins_apart(k, &p, "service", service);
	all_plugins(&p, service, "service");
	plugins_apart(k, &p, "route", route);
	all_plugins(&p, route, "route");
	route_warnings(k, route, what);
	for (size_t i = 0; i < n || (i == 0 && !n); i++) {
		struct str path, given = n ? jsn_string(json_array_get(paths, i)) : STR("/");
		bool cut;

		if (!plain_path(given, &path, &cut)) {
			import_not_possible(k->bundle->report, what, "the expression %.*s has no path before it", STR_ARG(given));
			continue;
		}
		if (cut)
			import_approximated(k->bundle->report, what, "of the expression %.*s the path /%.*s before it is served, and all below", STR_ARG(given),
					    STR_ARG(path));
		one_path(k, service, route, path, unique(k, jsn_str(route, "name").n ? jsn_str(route, "name") : jsn_str(service, "name")), &p);
	}
	kong_plugins_release(&p);
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------------------------- */

static void services(struct kong *k)
{
	size_t i, j;
	json_t *service, *route;

	json_array_foreach(jsn_arr(k->doc, "services"), i, service) {
		json_array_foreach(jsn_arr(service, "routes"), j, route)
			one_route(k, service, route);
		json_array_foreach(jsn_arr(k->doc, "routes"), j, route)
			if (jsn_get(route, "service") && str_eq(name_of(jsn_get(route, "service")), jsn_str(service, "name")))
				one_route(k, service, route);
	}
	json_array_foreach(jsn_arr(k->doc, "routes"), j, route)
		if (!jsn_get(route, "service"))
			import_not_possible(k->bundle->report, arena_printf(k->arena, "route %.*s", STR_ARG(jsn_str(route, "name"))), "it has no service");
}

static void global_plugins(struct kong *k)
{
	struct kong_plugins p;
	size_t i;
	json_t *v;

	kong_plugins_init(&p, k->bundle);
	json_array_foreach(jsn_arr(k->doc, "plugins"), i, v)
		if (!jsn_get(v, "service") && !jsn_get(v, "route"))
			kong_plugin(&p, v, STR("all calls"));
	k->global_key = p.key;
	k->key_name = p.key_name;
	if (p.inbound.n || p.outbound.n)
		bundle_policy(k->bundle, STR("global"), arena_dup(k->arena, buf_view(&p.inbound)).p, "    <forward-request />\n",
			      arena_dup(k->arena, buf_view(&p.outbound)).p);
	kong_plugins_release(&p);
}

static void consumers(struct kong *k)
{
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(k->doc, "consumers"), i, v) {
		struct str name = jsn_str(v, "username").n ? jsn_str(v, "username") : jsn_str(v, "custom_id");
		size_t keys = json_array_size(jsn_arr(v, "keyauth_credentials"));

		import_not_possible(k->bundle->report, arena_printf(k->arena, "consumer %.*s", STR_ARG(name)), keys ?
				    "gatehouse subscription create --product kong --name '%.*s' --key-file FILE takes over its key" :
				    "it has no key; gatehouse caller create makes clients that sign in otherwise (%.*s)", STR_ARG(name));
	}
}

static void rest(struct kong *k)
{
	static const struct {
		const char *list, *what, *why;
	} rows[] = {
		{ "certificates", "certificates", "TLS ends at the web server: put them there" },
		{ "ca_certificates", "ca_certificates", "put them in with gatehouse certificate set" },
		{ "consumer_groups", "consumer groups", "make tiers of the product: gatehouse tier create" },
		{ "vaults", "vaults", "secrets by reference: docs/secrets.md" },
		{ "licenses", "licenses", "none is needed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (json_array_size(jsn_arr(k->doc, rows[i].list)))
			import_not_possible(k->bundle->report, str_of(rows[i].what), "%s", rows[i].why);
}

GH_RC import_kong(struct bundle *b, struct str text, struct text_where *where, struct gh_err *err)
{
	struct kong k = { .bundle = b, .arena = b->arena, .keyed = jsn_keep(b->arena, json_array()), .ids = jsn_keep(b->arena, json_object()) };
	json_t *product;

	TRY(yaml_or_json_parse(text, FILES_ONE_MAX, &k.doc, where, err));
	if (!jsn_keep(b->arena, k.doc) || !k.keyed || !k.ids)
		FAIL(err, NOMEM, "Kong");
	*where = (struct text_where){ 1, 1 };
	if (!jsn_get(k.doc, "_format_version") || (!jsn_arr(k.doc, "services") && !jsn_arr(k.doc, "routes")))
		FAIL(err, INVALID, "this is no decK file: it has no _format_version and services");
	global_plugins(&k);
	services(&k);
	consumers(&k);
	rest(&k);
	if (json_array_size(k.keyed)) {
		product = bundle_add(b, "product", STR("kong"));
		bundle_text(product, "name", STR("Kong"));
		bundle_text(product, "description", STR("All APIs that need a key."));
		json_object_set(product, "apis", k.keyed);
		import_approximated(b->report, STR("key-auth"), "a key opens the APIs of its product; all that need one are in the product kong");
	}
	return b->report->failed ? gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "Kong") : GH_RC_OK;
}
