#include "config/import/apiops.h"

#include "config/import/apiops_api.h"
#include "core/backend_fixed.h"
#include "core/str.h"

/* ---- walking the folder ------------------------------------------------------------------------------------------------------------ */

static const struct tree_file *find(struct apiops *x, struct str path)
{
	const struct tree_file *f = tree_find(x->tree, path);

	if (f)
		x->read[f - x->tree->files] = true;
	return f;
}

bool apiops_there(struct apiops *x, struct str path)
{
	return find(x, path) != NULL;
}

void apiops_told(struct apiops *x, struct str folder)
{
	size_t low = 0, high = x->tree->n;

	while (low < high) {             /* files stand in order */
		size_t middle = low + (high - low) / 2;

		if (str_cmp(x->tree->files[middle].path, folder) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < x->tree->n && str_starts(x->tree->files[low].path, folder); low++)
		x->read[low] = true;
}

json_t *apiops_json(struct apiops *x, struct str path)
{
	const struct tree_file *f = find(x, path);
	const struct jsn_limits limits = { .flags = JSN_BIG_INTEGERS };
	struct text_where at = { 0, 0 };
	struct gh_err why;
	json_t *v = NULL;
	struct str text = f ? import_text(f->bytes) : STR_NULL;

	if (!f || jsn_parse_in(x->bundle->arena, text, &limits, &v, &at, &why).code == 0)
		return v;
	import_not_possible(x->bundle->report, path, "line %u, column %u: %s", at.line, at.column, why.message);
	return NULL;
}

json_t *apiops_properties(struct apiops *x, struct str path)
{
	json_t *v = apiops_json(x, path);

	return jsn_obj(v, "properties") ? jsn_obj(v, "properties") : v;
}

struct str apiops_text(struct apiops *x, struct str path)
{
	const struct tree_file *f = find(x, path);
	return f ? import_text(f->bytes) : STR_NULL;
}

struct str apiops_last(struct str path)
{
	size_t slash = str_rfind_char(path, '/');

	return slash == SIZE_MAX ? path : str_from(path, slash + 1);
}

/* The names of the folders below a folder ("apis/"), each once: files stand in order. */
bool apiops_next(const struct apiops *x, const char *folder, size_t *i, struct str *name)
{
	struct str prefix = str_of(folder), last = *name;

	for (; *i < x->tree->n; ++*i) {
		struct str path = x->tree->files[*i].path, rest;
		size_t slash;

		if (!str_starts(path, prefix))
			continue;
		rest = str_from(path, prefix.n);
		slash = str_find_char(rest, '/');
		if (slash == SIZE_MAX || (last.p && str_eq(str_first(rest, slash), last)))
			continue;
		*name = str_first(rest, slash);
		return true;
	}
	return false;
}

static struct str in(struct apiops *x, const char *folder, struct str name, const char *file)
{
	return arena_printf(x->bundle->arena, "%s%.*s/%s", folder, STR_ARG(name), file);
}

/* What of an item nobody reads; `what` names it. */
static void tell(struct apiops *x, const char *what, struct str name, const json_t *p, const struct import_field *known)
{
	import_fields(x->bundle->report, p, arena_printf(x->bundle->arena, "%s %.*s", what, STR_ARG(name)), known);
}

#define END { NULL, NULL, NULL }
static const struct import_field named_value_fields[] = {
	{ "displayName", NULL, NULL }, { "value", NULL, NULL }, { "secret", NULL, NULL }, { "keyVault", NULL, NULL }, { "tags", NULL, NULL },
	{ "provisioningState", NULL, NULL }, END,
};
static const struct import_field backend_fields[] = {
	{ "title", NULL, NULL }, { "description", NULL, NULL }, { "url", NULL, NULL }, { "protocol", NULL, NULL }, { "tls", NULL, NULL }, { "pool", NULL, NULL },
	{ "type", NULL, NULL }, { "credentials", NULL, NULL }, { "proxy", NULL, NULL }, { "circuitBreaker", NULL, NULL }, { "resourceId", NULL, NULL },
	{ "provisioningState", NULL, NULL },
	{ "properties", "a cluster of Service Fabric is not asked for its services; name their addresses", NULL },
	{ "managedIdentity", "an identity of Azure is not assumed; give the backend a credential", NULL }, END,
};
static const struct import_field version_set_fields[] = {
	{ "displayName", NULL, NULL }, { "description", NULL, NULL }, { "versioningScheme", NULL, NULL }, { "versionHeaderName", NULL, NULL },
	{ "versionQueryName", NULL, NULL }, END,
};
static const struct import_field group_fields[] = {
	{ "displayName", NULL, NULL }, { "description", NULL, NULL }, { "type", NULL, NULL }, { "builtIn", NULL, NULL }, { "externalId", NULL, NULL }, END,
};
static const struct import_field fragment_fields[] = {
	{ "description", NULL, NULL }, { "format", NULL, NULL }, { "value", NULL, NULL }, { "provisioningState", NULL, NULL }, END,
};
static const struct import_field product_fields[] = {
	{ "displayName", NULL, NULL }, { "description", NULL, NULL }, { "terms", NULL, NULL }, { "state", NULL, NULL }, { "subscriptionRequired", NULL, NULL },
	{ "approvalRequired", NULL, NULL }, { "subscriptionsLimit", NULL, NULL }, END,
};

/* ---- what stands by itself ------------------------------------------------------------------------------------------------------- */

static void named_value(struct apiops *x, struct str name, const json_t *p)
{
	struct str id = jsn_str(p, "displayName"), vault = jsn_str(jsn_get(p, "keyVault"), "secretIdentifier"), text = jsn_str(p, "value");
	json_t *doc = bundle_add(x->bundle, "named-value", id.n ? id : name);
	struct str what = arena_printf(x->bundle->arena, "named value %.*s", STR_ARG(id.n ? id : name));

	if (!doc)
		return;
	if (jsn_bool(p, "secret", false) || vault.n) {
		json_object_set_new(doc, "secret", json_pack("{s:b}", "sealed", 1));
		if (vault.n)
			import_approximated(x->bundle->report, what, "it stood in Key Vault (%.*s): give it with --secrets, as text or {ref: ...}",
					    STR_ARG(vault));
		else
			import_approximated(x->bundle->report, what, "an extract has no secrets: give it with --secrets");
	} else {
		json_object_set_new(doc, "value", json_stringn(text.p ? text.p : "", text.n));
		import_taken(x->bundle->report, "named value", 1);
	}
	if (json_array_size(jsn_arr(p, "tags")))
		json_object_set(doc, "tags", jsn_arr(p, "tags"));
	tell(x, "named value", name, p, named_value_fields);
}

static void backend_pool(struct apiops *x, json_t *doc, const json_t *pool)
{
	json_t *members = json_array(), *service, *member;
	size_t i;

	json_array_foreach(jsn_arr(pool, "services"), i, service) {
		struct str id = apiops_last(jsn_str(service, "id"));

		member = json_pack("{s:s%}", "backend", id.p ? id.p : "", id.n);
		if (jsn_get(service, "weight"))
			json_object_set(member, "weight", jsn_get(service, "weight"));
		if (jsn_get(service, "priority"))
			json_object_set(member, "priority", jsn_get(service, "priority"));
		json_array_append_new(members, member);
	}
	json_object_set_new(doc, "members", members);
	(void)x;
}

/* "header x-functions-key, query code, certificate": never their values. */
static struct str credential_names(struct apiops *x, const json_t *credentials)
{
	static const char *const rows[][2] = { { "authorization", "header Authorization" }, { "certificate", "certificate" }, { "certificateIds", "certificate" } };
	struct arena *a = x->bundle->arena;
	struct str names = STR("");
	const char *name;
	json_t *v;

	for (int query = 0; query < 2; query++)
		json_object_foreach(jsn_obj(credentials, query ? "query" : "header"), name, v)
			names = arena_printf(a, "%.*s%s%s %s", STR_ARG(names), names.n ? ", " : "", query ? "query" : "header", name);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (json_object_size(jsn_get(credentials, rows[i][0])) || json_array_size(jsn_get(credentials, rows[i][0])))
			names = arena_printf(a, "%.*s%s%s", STR_ARG(names), names.n ? ", " : "", rows[i][1]);
	return names;
}

/* The one header field or query parameter that a backend is shown; false: there are several, or something else. */
static bool one_field(const json_t *credentials, const char **of, const char **field, struct str *value)
{
	const char *name, *inner;
	size_t n = 0;
	json_t *v, *w;

	json_object_foreach((json_t *)(uintptr_t)credentials, name, v) {
		bool fields = strcmp(name, "header") == 0 || strcmp(name, "query") == 0;

		if (!fields && (json_object_size(v) || json_array_size(v)))
			return false;
		json_object_foreach(fields ? v : NULL, inner, w) {
			*of = name;
			*field = inner;
			*value = json_is_array(w) ? jsn_string(json_array_get(w, 0)) : jsn_string(w);
			n += json_is_array(w) ? json_array_size(w) : 1;
		}
	}
	return n == 1 && value->n;
}

/* What the backend is shown as a credential of that name; a named value that is secret has to be given once more. */
static bool put_credential(struct apiops *x, json_t *doc, struct str name, const json_t *credentials)
{
	struct arena *a = x->bundle->arena;
	struct str env = x->bundle->environment.n ? x->bundle->environment : STR("default"), value = STR_NULL, id;
	const char *of = NULL, *field = NULL;
	const json_t *named;
	json_t *credential;

	if (!one_field(credentials, &of, &field, &value))
		return false;
	if (str_starts(value, STR("{{")) && str_ends(value, STR("}}"))) {
		named = bundle_find(x->bundle, "named-value", str_trim((struct str){ value.p + 2, value.n - 4 }));
		value = jsn_str(named, "value");
	} else if (str_find(value, STR("{{")) != SIZE_MAX) {
		return false;
	}
	id = arena_printf(a, "%.*s/%.*s", STR_ARG(env), STR_ARG(name));
	credential = bundle_add(x->bundle, "credential", id);
	if (!credential)
		return false;
	bundle_text(credential, "kind", STR("api-key"));
	json_object_set_new(credential, "settings", json_pack("{s:s}", of, field));
	json_object_set_new(credential, "secrets", value.n ? json_pack("{s:s%}", "value", value.p, value.n) : json_pack("{s:{s:b}}", "value", "sealed", 1));
	bundle_text(doc, "credential", name);
	if (!value.n)
		import_approximated(x->bundle->report, arena_printf(a, "backend %.*s", STR_ARG(name)), "its %s %s became the credential %.*s: give its value, which is that of a "
				    "secret named value, with --secrets", of, field, STR_ARG(id));
	else
		import_taken(x->bundle->report, "credential", 1);
	return true;
}

/* Several of them, or a value with a named value inside, stand in the backend as they are: the form is the same, and named values are
 * put in by the gateway. */
static bool put_fixed(struct apiops *x, json_t *doc, const json_t *credentials)
{
	struct arena *a = x->bundle->arena;
	struct str text = jsn_text(a, credentials, 0);
	struct backend_fixed *fixed = arena_new_of(a, struct backend_fixed);
	struct gh_err err;

	if (!doc || !text.p || !fixed || backend_fixed_parse(a, text, fixed, &err).code)
		return false;
	bundle_text(doc, "credentials", text);
	import_taken(x->bundle->report, "fixed headers and parameters", 1);
	return true;
}

static void backend(struct apiops *x, struct str name, const json_t *p)
{
	struct import_report *r = x->bundle->report;
	struct str url = jsn_str(p, "url");
	json_t *doc;
	struct str what = arena_printf(x->bundle->arena, "backend %.*s", STR_ARG(name));
	const json_t *tls = jsn_obj(p, "tls"), *credentials = jsn_obj(p, "credentials");

	if (!jsn_obj(p, "pool") && !str_starts(url, STR("http://")) && !str_starts(url, STR("https://"))) {      /* a cluster of Service Fabric */
		import_not_possible(r, what, "its address %.*s is none of HTTP; calls whose policies name it fail until there is a backend of that id", STR_ARG(str_first(url, 200)));
		return;
	}
	doc = bundle_add(x->bundle, "backend", name);
	bundle_text(doc, "name", jsn_str(p, "title"));
	bundle_text(doc, "description", jsn_str(p, "description"));
	if (jsn_obj(p, "pool"))
		backend_pool(x, doc, jsn_obj(p, "pool"));
	else
		bundle_text(doc, "url", url);
	if (doc && tls && !jsn_bool(tls, "validateCertificateChain", true))
		json_object_set_new(doc, "verifyTls", json_false());
	if (doc && tls && !jsn_bool(tls, "validateCertificateName", true))
		json_object_set_new(doc, "verifyName", json_false());
	if (doc && jsn_obj(p, "circuitBreaker"))
		json_object_set(doc, "breaker", jsn_obj(p, "circuitBreaker"));
	import_taken(r, "backend", 1);
	tell(x, "backend", name, p, backend_fields);
	if (*credential_names(x, credentials).p && !put_credential(x, doc, name, credentials) && !put_fixed(x, doc, credentials))
		import_not_possible(r, what, "its credentials (%.*s): make a credential and name it in the backend", STR_ARG(credential_names(x, credentials)));
	if (json_object_size(jsn_obj(p, "proxy")))
		import_not_possible(r, what, "its proxy: set upstream proxies by the policy <proxy>");
	if (str_starts(jsn_str(p, "protocol"), STR("soap")))
		import_approximated(r, what, "a SOAP backend is called as any other");
}

static void version_set(struct apiops *x, struct str name, const json_t *p)
{
	struct str scheme = jsn_str(p, "versioningScheme");
	json_t *doc = bundle_add(x->bundle, "version-set", name);

	bundle_text(doc, "name", jsn_str(p, "displayName").n ? jsn_str(p, "displayName") : name);
	bundle_text(doc, "description", jsn_str(p, "description"));
	if (str_eq_ci(scheme, STR("header"))) {
		bundle_text(doc, "scheme", STR("header"));
		bundle_text(doc, "parameter", jsn_str(p, "versionHeaderName"));
	} else if (str_eq_ci(scheme, STR("query"))) {
		bundle_text(doc, "scheme", STR("query"));
		bundle_text(doc, "parameter", jsn_str(p, "versionQueryName"));
	}
	import_taken(x->bundle->report, "version set", 1);
	tell(x, "version set", name, p, version_set_fields);
}

static void group(struct apiops *x, struct str name, const json_t *p)
{
	json_t *doc;

	if (str_eq(jsn_str(p, "type"), STR("system")) || jsn_bool(p, "builtIn", false))
		return;                                  /* administrators, developers, guests are here already */
	doc = bundle_add(x->bundle, "group", name);
	bundle_text(doc, "name", jsn_str(p, "displayName").n ? jsn_str(p, "displayName") : name);
	bundle_text(doc, "description", jsn_str(p, "description"));
	tell(x, "group", name, p, group_fields);
	if (str_eq(jsn_str(p, "type"), STR("external")))
		import_approximated(x->bundle->report, arena_printf(x->bundle->arena, "group %.*s", STR_ARG(name)), "its members came from Entra ID; "
				    "let an identity provider or SCIM fill it");
	else
		import_taken(x->bundle->report, "group", 1);
}

static void fragment(struct apiops *x, struct str name, const json_t *p)
{
	struct str text = apiops_text(x, in(x, "policy fragments/", name, "policy.xml"));
	json_t *doc = bundle_add(x->bundle, "policy-fragment", name);

	bundle_text(doc, "description", jsn_str(p, "description"));
	bundle_text(doc, "policy", text.n ? text : jsn_str(p, "value"));
	import_taken(x->bundle->report, "policy fragment", 1);
	tell(x, "policy fragment", name, p, fragment_fields);
}

/* ---- products --------------------------------------------------------------------------------------------------------------------- */

/* The names in apis.json ([{"name": ...}]) or of the folders below apis/. */
static json_t *links(struct apiops *x, struct str product, const char *what)
{
	struct str list = arena_printf(x->bundle->arena, "products/%.*s/%s.json", STR_ARG(product), what), name = STR_NULL;
	const char *folder = arena_printf(x->bundle->arena, "products/%.*s/%s/", STR_ARG(product), what).p;
	json_t *ids = json_array(), *v;
	size_t i;

	json_array_foreach(apiops_json(x, list), i, v) {
		struct str id = json_is_string(v) ? jsn_string(v) : jsn_str(v, "name");

		if (id.n)
			json_array_append_new(ids, json_stringn(id.p, id.n));
	}
	for (i = 0; apiops_next(x, folder, &i, &name);) {
		apiops_told(x, arena_printf(x->bundle->arena, "%s%.*s/", folder, STR_ARG(name)));
		json_array_append_new(ids, json_stringn(name.p, name.n));
	}
	return ids;
}

static bool is_there(const struct apiops *x, const char *kind, struct str id)
{
	static const char *const built_in[] = { "administrators", "developers", "guests" };

	for (size_t i = 0; i < ARRAY_LEN(built_in); i++)
		if (strcmp(kind, "group") == 0 && str_eq(id, str_of(built_in[i])))
			return true;
	return bundle_find(x->bundle, kind, id) != NULL;
}

/* Links to what was taken over; administrators see everything here, so that group is no condition beside others. */
static void put_links(struct apiops *x, json_t *doc, struct str product, const char *what, const char *kind)
{
	json_t *all = links(x, product, what), *kept = json_array(), *v;
	size_t i;

	json_array_foreach(all, i, v) {
		struct str id = jsn_string(v);

		if (str_eq(id, STR("administrators")) && strcmp(kind, "group") == 0)
			continue;
		if (is_there(x, kind, id))
			json_array_append(kept, v);
		else
			import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "product %.*s", STR_ARG(product)),
					    "its %s %.*s is not in the folder, or was left out", kind, STR_ARG(id));
	}
	json_decref(all);
	if (json_array_size(kept))
		json_object_set(doc, what, kept);
	json_decref(kept);
}

static void product(struct apiops *x, struct str name, const json_t *p)
{
	struct str policy = apiops_text(x, in(x, "products/", name, "policy.xml"));
	json_t *doc = bundle_add(x->bundle, "product", name);

	if (!doc)
		return;
	bundle_text(doc, "name", jsn_str(p, "displayName").n ? jsn_str(p, "displayName") : name);
	bundle_text(doc, "description", jsn_str(p, "description"));
	bundle_text(doc, "terms", jsn_str(p, "terms"));
	if (!str_eq(jsn_str(p, "state"), STR("published")))
		bundle_text(doc, "state", STR("draft"));
	if (!jsn_bool(p, "subscriptionRequired", true))
		json_object_set_new(doc, "subscriptionRequired", json_false());
	if (jsn_bool(p, "approvalRequired", false))
		bundle_text(doc, "approval", STR("manual"));
	if (jsn_int(p, "subscriptionsLimit", 0) > 0)
		json_object_set(doc, "subscriptionsLimit", jsn_get(p, "subscriptionsLimit"));
	put_links(x, doc, name, "apis", "api");
	put_links(x, doc, name, "groups", "group");
	if (!json_array_size(jsn_arr(doc, "groups"))) {  /* none would be everybody */
		json_object_set_new(doc, "groups", json_pack("[s]", "administrators"));
		import_approximated(x->bundle->report, arena_printf(x->bundle->arena, "product %.*s", STR_ARG(name)), "no group but administrators sees it, as "
				    "in the extract; gatehouse product set --group lets others in");
	}
	tell(x, "product", name, p, product_fields);
	apiops_left_out(x, arena_printf(x->bundle->arena, "products/%.*s/tags/", STR_ARG(name)).p, arena_printf(x->bundle->arena, "product %.*s: tag",
			STR_ARG(name)).p, "products have no tags; APIs have");
	import_taken(x->bundle->report, "product", 1);
	if (policy.n) {
		bundle_text(bundle_add(x->bundle, "policy", arena_printf(x->bundle->arena, "product:%.*s", STR_ARG(name))), "policy", policy);
		import_taken(x->bundle->report, "policy", 1);
	}
}

/* ---- what has no counterpart --------------------------------------------------------------------------------------------------------- */

void apiops_left_out(struct apiops *x, const char *folder, const char *what, const char *why)
{
	struct str name = STR_NULL;

	for (size_t i = 0; apiops_next(x, folder, &i, &name);) {
		apiops_told(x, arena_printf(x->bundle->arena, "%s%.*s/", folder, STR_ARG(name)));
		import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "%s %.*s", what, STR_ARG(name)), "%s", why);
	}
}

static void subscription(struct apiops *x, struct str name, const json_t *p)
{
	struct str scope = jsn_str(p, "scope"), what = arena_printf(x->bundle->arena, "subscription %.*s", STR_ARG(name));

	import_not_possible(x->bundle->report, what, "an extract has no keys: gatehouse subscription create --name '%.*s'%s%.*s --key-file FILE takes "
			    "those that clients have", STR_ARG(jsn_str(p, "displayName").n ? jsn_str(p, "displayName") : name),
			    str_find(scope, STR("/products/")) != SIZE_MAX ? " --product " : " --api ", STR_ARG(apiops_last(scope)));
}

/* Whatever the extractor writes tomorrow is told too. Readable copies and notes of people (README.md, .git) are not of the extract. */
static void unread(struct apiops *x)
{
	for (size_t i = 0; i < x->tree->n; i++) {
		struct str path = x->tree->files[i].path;

		if (!x->read[i] && (str_ends(path, STR(".json")) || str_ends(path, STR(".xml")) || str_starts(apiops_last(path), STR("specification."))))
			import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "file %.*s", STR_ARG(path)), "it is not known here, or stands at another "
					    "place than the extractor puts it; it is left out");
	}
}

/* The names of tags are read with the APIs that have them. */
static void tags(struct apiops *x)
{
	struct str name = STR_NULL;

	for (size_t i = 0; apiops_next(x, "tags/", &i, &name);) {
		(void)apiops_there(x, in(x, "tags/", name, "tagInformation.json"));
		apiops_left_out(x, arena_printf(x->bundle->arena, "tags/%.*s/products/", STR_ARG(name)).p,
				arena_printf(x->bundle->arena, "tag %.*s of product", STR_ARG(name)).p, "products have no tags; APIs have");
		apiops_left_out(x, arena_printf(x->bundle->arena, "tags/%.*s/operations/", STR_ARG(name)).p,
				arena_printf(x->bundle->arena, "tag %.*s of operation", STR_ARG(name)).p, "tags of operations come from the description");
	}
}

static void each(struct apiops *x, const char *folder, const char *file, void (*fn)(struct apiops *, struct str, const json_t *))
{
	struct str name = STR_NULL;

	for (size_t i = 0; apiops_next(x, folder, &i, &name);) {
		json_t *p = apiops_properties(x, in(x, folder, name, file));

		if (p || strcmp(folder, "policy fragments/") == 0)
			fn(x, name, p);
	}
}

GH_RC import_apiops(struct bundle *b, const struct tree *t, struct gh_err *err)
{
	struct apiops x = { .bundle = b, .tree = t, .read = arena_alloc(b->arena, t->n + 1, sizeof(bool)) };
	struct str policy;

	if (!x.read)
		FAIL(err, NOMEM, "files");
	policy = apiops_text(&x, STR("policy.xml"));

	each(&x, "named values/", "namedValueInformation.json", named_value);
	each(&x, "groups/", "groupInformation.json", group);
	each(&x, "version sets/", "versionSetInformation.json", version_set);
	each(&x, "version sets/", "apiVersionSetInformation.json", version_set);       /* as early versions of the extractor call it */
	each(&x, "backends/", "backendInformation.json", backend);
	each(&x, "policy fragments/", "policyFragmentInformation.json", fragment);
	if (policy.n) {
		bundle_text(bundle_add(b, "policy", STR("global")), "policy", policy);
		import_taken(b->report, "policy", 1);
	}
	TRY(apiops_apis(&x, err));
	tags(&x);
	each(&x, "products/", "productInformation.json", product);
	each(&x, "subscriptions/", "subscriptionInformation.json", subscription);
	apiops_left_out(&x, "loggers/", "logger", "Event Hubs, Application Insights and Azure Monitor are services of Azure; make one with gatehouse logger create, "
		 "by the same name, for policies that name it");
	apiops_left_out(&x, "diagnostics/", "diagnostic", "calls are recorded without it; see `gatehouse log` and the settings of telemetry");
	apiops_left_out(&x, "gateways/", "gateway", "every gateway of an installation serves all its APIs");
	apiops_left_out(&x, "workspaces/", "workspace", "import its folder by itself, into an environment of its own: --env");
	unread(&x);
	if (json_array_size(b->docs) == 0)
		FAIL(err, INVALID, "nothing of the extractor's layout is here: apis/, products/, named values/, policy.xml");
	return GH_RC_OK;
}
