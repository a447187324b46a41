/* aws.c - an export of Amazon API Gateway: OpenAPI with x-amazon-apigateway-* extensions
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html).
 *
 * Each operation has its integration, so each gets a policy of its own: where the call goes, what is rewritten, or that it is closed
 * because its integration is a service of AWS. */
#include "config/import/aws_operation.h"
#include "config/import/foreign.h"
#include "config/import/operations.h"
#include "config/import/policy_text.h"
#include "core/str.h"
#include "core/yaml.h"

#include <stdio.h>

#define X "x-amazon-apigateway-"

static const char *const methods[] = { "get", "put", "post", "delete", "options", "head", "patch", "trace", X "any-method" };

/* "/orders/{id}/{proxy+}" as a template: "{*proxy}". */
static struct str template_of(struct arena *a, const char *path)
{
	struct str s = str_of(path);
	size_t plus = str_find(s, STR("+}")), open = plus == SIZE_MAX ? SIZE_MAX : str_rfind_char(str_first(s, plus), '{');

	if (open == SIZE_MAX)
		return arena_dup(a, s);
	return arena_printf(a, "%.*s{*%.*s}", STR_ARG(str_first(s, open)), STR_ARG(str_first(str_from(s, open + 1), plus - open - 1)));
}

static struct str operation_id(struct arena *a, const json_t *op, const char *method, const char *path)
{
	struct str given = import_slug(a, jsn_str(op, "operationId"));

	if (given.n)
		return given;
	return import_slug(a, arena_printf(a, "%s %s", strcmp(method, X "any-method") == 0 ? "any" : method, path));
}

static json_t *integration_of(struct aws *x, const json_t *op)
{
	json_t *v = jsn_get(op, X "integration");
	struct str ref = jsn_str(v, "$ref");

	if (str_starts(ref, STR("#/")))
		v = jsn_fragment(x->doc, str_from(ref, 1));
	return v;
}

static GH_RC operation(struct aws *x, const char *path, const char *method, const json_t *op, size_t position, struct gh_err *err)
{
	struct arena *a = x->bundle->arena;
	struct str id = operation_id(a, op, method, path), name = jsn_str(op, "summary");
	bool any = strcmp(method, X "any-method") == 0;
	json_t *doc;

	for (unsigned i = 2; bundle_find(x->bundle, "operation", arena_printf(a, "%.*s/%.*s", STR_ARG(x->id), STR_ARG(id))); i++)
		id = arena_printf(a, "%.*s-%u", STR_ARG(operation_id(a, op, method, path)), i);
	doc = bundle_add(x->bundle, "operation", arena_printf(a, "%.*s/%.*s", STR_ARG(x->id), STR_ARG(id)));
	if (!doc)
		FAIL(err, NOMEM, "operation");
	for (size_t i = 0; method[i] && !any; i++)
		x->method[i] = ascii_upper(method[i]);
	x->method[any ? 0 : strlen(method)] = '\0';
	bundle_text(doc, "name", name.n ? name : arena_printf(a, "%s %s", any ? "any" : x->method, path));
	bundle_text(doc, "method", any ? STR("*") : str_of(x->method));
	bundle_text(doc, "uriTemplate", template_of(a, path));
	bundle_text(doc, "description", jsn_str(op, "description"));
	if (position)
		json_object_set_new(doc, "position", json_integer((json_int_t)position));
	aws_operation(x, arena_printf(a, "%.*s/%.*s", STR_ARG(x->id), STR_ARG(id)), op, integration_of(x, op));
	import_taken(x->bundle->report, "operation", 1);
	return GH_RC_OK;
}

static GH_RC operations(struct aws *x, struct gh_err *err)
{
	const char *path;
	json_t *item;
	size_t n = 0;

	json_object_foreach(jsn_obj(x->doc, "paths"), path, item)
		for (size_t i = 0; i < ARRAY_LEN(methods); i++)
			if (jsn_obj(item, methods[i]))
				TRY(operation(x, path, methods[i], jsn_obj(item, methods[i]), n++, err));
	if (n == 0)
		FAIL(err, INVALID, "the document has no operations");
	return GH_RC_OK;
}

/* ---- the API ---------------------------------------------------------------------------------------------------------------------- */

/* "{basePath}" of the server, "basePath" of Swagger: where it stood at Amazon. */
static struct str base_path(const struct aws *x)
{
	const json_t *server = json_array_get(jsn_arr(x->doc, "servers"), 0);
	struct str path = jsn_str(x->doc, "basePath");

	if (!path.n)
		path = jsn_str(jsn_obj(jsn_obj(server, "variables"), "basePath"), "default");
	while (path.n && path.p[0] == '/')
		path = str_from(path, 1);
	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

static void put_list(struct buf *b, const json_t *list, const char *outer, const char *inner, const char *more)
{
	size_t i;
	json_t *v;

	if (json_array_size(list) == 0)
		return;
	buf_fmt(b, "      <%s%s>\n", outer, more);
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		buf_fmt(b, "        <%s>", inner);
		policy_value(b, jsn_string(v));
		buf_fmt(b, "</%s>\n", inner);
	}
	buf_fmt(b, "      </%s>\n", outer);
}

static void cors(struct aws *x, struct buf *b)
{
	const json_t *c = jsn_obj(x->doc, X "cors");
	char age[64] = "";

	if (!c)
		return;
	if (jsn_int(c, "maxAge", 0) > 0)
		snprintf(age, sizeof(age), " preflight-result-max-age=\"%lld\"", (long long)jsn_int(c, "maxAge", 0));
	buf_fmt(b, "    <cors%s>\n", jsn_bool(c, "allowCredentials", false) ? " allow-credentials=\"true\"" : "");
	put_list(b, jsn_arr(c, "allowOrigins"), "allowed-origins", "origin", "");
	put_list(b, jsn_arr(c, "allowMethods"), "allowed-methods", "method", age);
	put_list(b, jsn_arr(c, "allowHeaders"), "allowed-headers", "header", "");
	put_list(b, jsn_arr(c, "exposeHeaders"), "expose-headers", "header", "");
	buf_cstr(b, "    </cors>\n");
	import_taken(x->bundle->report, "CORS", 1);
}

static bool has(const json_t *list, struct str text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (str_eq(jsn_string(json_array_get(list, i)), text))
			return true;
	return str_eq(jsn_string(list), text);
}

/* Whether a resource names all calls, of one stage or of all; not those of a method or path alone. */
static bool is_whole(struct str resource)
{
	size_t slash = str_find_char(resource, '/');
	struct str rest = slash == SIZE_MAX ? resource : str_from(resource, slash + 1);

	slash = str_find_char(rest, '/');
	rest = slash == SIZE_MAX ? rest : str_from(rest, slash + 1);
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] != '*' && rest.p[i] != '/')
			return false;
	return rest.n > 0;
}

/* Whether it lets everybody make every call, as far as its condition is met. */
static bool is_for_all(const json_t *statement)
{
	static const char *const others[] = { "NotPrincipal", "NotAction", "NotResource" };
	const json_t *principal = jsn_get(statement, "Principal"), *resource = jsn_get(statement, "Resource");
	bool whole = is_whole(jsn_string(resource));

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (jsn_get(statement, others[i]))
			return false;
	for (size_t i = 0; i < json_array_size(resource) && !whole; i++)
		whole = is_whole(jsn_string(json_array_get(resource, i)));
	return whole && (has(principal, STR("*")) || has(jsn_get(principal, "AWS"), STR("*")));
}

static void policy_not_taken(struct aws *x, struct buf *b, const char *why)
{
	policy_closed(b, "the resource policy");
	import_not_possible(x->bundle->report, STR("resource policy"), "%s; all calls are answered 501 until you say who may call and take the "
			    "return-response out of the policy of the API", why);
}

/* A resource policy that is not one of networks keeps calls out in ways that cannot be taken over. */
static void resource_policy(struct aws *x, struct buf *b)
{
	const json_t *p = jsn_obj(x->doc, X "policy"), *statements = jsn_arr(p, "Statement");
	bool allowed = false;
	size_t i;
	json_t *s;

	json_array_foreach((json_t *)(uintptr_t)statements, i, s) {
		const json_t *condition = jsn_obj(s, "Condition");
		const json_t *in = jsn_get(jsn_obj(condition, "IpAddress"), "aws:SourceIp"), *not = jsn_get(jsn_obj(condition, "NotIpAddress"), "aws:SourceIp");
		bool allow = str_eq(jsn_str(s, "Effect"), STR("Allow"));
		const json_t *list = in ? in : not;

		allowed = allowed || allow;
		if (allow && !is_for_all(s)) {
			policy_not_taken(x, b, "a statement that lets some callers in only, or some calls");
			return;
		}
		if (!condition && allow)
			continue;
		if (!list || json_object_size(condition) != 1) {
			policy_not_taken(x, b, "a statement with other conditions than aws:SourceIp");
			return;
		}
		buf_fmt(b, "    <ip-filter action=\"%s\">\n", allow == (in != NULL) ? "allow" : "forbid");
		for (size_t k = 0; k < (json_is_array(list) ? json_array_size(list) : 1); k++) {
			buf_cstr(b, "      <address>");
			policy_value(b, jsn_string(json_is_array(list) ? json_array_get(list, k) : list));
			buf_cstr(b, "</address>\n");
		}
		buf_cstr(b, "    </ip-filter>\n");
		import_taken(x->bundle->report, "resource policy", 1);
	}
	if (!json_is_null(jsn_get(x->doc, X "policy")) && jsn_get(x->doc, X "policy") && !allowed)
		policy_not_taken(x, b, "it has no list of statements of which one lets calls in");
}

static void leftovers(struct aws *x)
{
	static const struct import_field rows[] = {
		{ X "cors", NULL, NULL }, { X "policy", NULL, NULL }, { X "request-validators", NULL, NULL }, { X "request-validator", NULL, NULL },
		{ X "integrations", NULL, NULL }, { X "importexport-version", NULL, NULL }, { X "gateway-responses", NULL, NULL },
		{ X "binary-media-types", NULL, NULL }, { X "documentation", "documentation parts: write pages of the portal, gatehouse page set", NULL },
		{ X "endpoint-configuration", "where it stands is decided by your web server", NULL },
		{ X "minimum-compression-size", "answers are compressed by your web server", NULL },
		{ X "api-key-source", "the key is looked for in the header x-api-key", "\"HEADER\"" },
		{ X "security-policy", "versions of TLS are said in your web server", NULL },
		{ X "tag-value", "put tags on the API: gatehouse api set --tag", NULL }, { NULL, NULL, NULL },
	};
	json_t *extensions = json_object(), *v;
	const char *name, *path;

	json_object_foreach(x->doc, name, v)
		if (str_starts(str_of(name), STR(X)))
			json_object_set(extensions, name, v);
	import_fields(x->bundle->report, extensions, STR("API"), rows);
	json_decref(extensions);
	if (json_array_size(jsn_arr(x->doc, X "binary-media-types")))
		import_taken(x->bundle->report, "binary media type", json_array_size(jsn_arr(x->doc, X "binary-media-types")));
	json_object_foreach(jsn_obj(x->doc, X "gateway-responses"), name, v)
		import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "gateway response %s", name), "its texts and headers: write them in <on-error> of "
				    "the API's policy, by context.LastError.Reason");
	json_object_foreach(jsn_obj(x->doc, "paths"), path, v) {
		json_t *of_path;

		json_object_foreach(v, name, of_path)
			if (str_starts(str_of(name), STR(X)) && strcmp(name, X "any-method") != 0)
				import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "path %s", path), "'%.80s' is not known here and is left out", name);
	}
	import_not_possible(x->bundle->report, STR("usage plans, stages"), "an export does not have them: set limits by tiers (gatehouse tier create) or "
			    "rate-limit, and make keys with gatehouse subscription create --key-file, which takes those that clients have");
}

static GH_RC make_api(struct aws *x, struct str path, struct gh_err *err)
{
	const json_t *info = jsn_obj(x->doc, "info");
	json_t *api = bundle_add(x->bundle, "api", x->id), *product;
	struct buf inbound;

	if (!api)
		FAIL(err, NOMEM, "API");
	bundle_text(api, "name", jsn_str(info, "title").n ? jsn_str(info, "title") : x->id);
	bundle_text(api, "description", jsn_str(info, "description"));
	bundle_text(api, "environment", x->bundle->environment);
	json_object_set_new(api, "path", json_stringn(path.p, path.n));
	buf_init(&inbound, POLICY_TEXT_MAX);
	cors(x, &inbound);
	resource_policy(x, &inbound);
	if (inbound.n)
		bundle_policy(x->bundle, arena_printf(x->bundle->arena, "api:%.*s", STR_ARG(x->id)),
			      arena_dup(x->bundle->arena, buf_view(&inbound)).p, NULL, NULL);
	buf_release(&inbound);
	TRY(operations(x, err));
	bundle_text(api, "backendUrl", x->backend.n ? x->backend : STR("http://localhost"));
	if (!x->backend.n)
		import_not_possible(x->bundle->report, STR("backend"), "no operation calls an address; http://localhost stands in its place");
	if (!x->needs_key)
		json_object_set_new(api, "subscriptionRequired", json_false());
	import_taken(x->bundle->report, "API", 1);
	if (!x->needs_key)
		return GH_RC_OK;
	bundle_text(api, "keyHeader", STR("x-api-key"));
	if (x->needs_none)
		import_approximated(x->bundle->report, STR("API keys"), "%zu operations needed none; a key is asked for by the API as a whole", x->needs_none);
	product = bundle_add(x->bundle, "product", x->id);
	bundle_text(product, "name", jsn_str(info, "title").n ? jsn_str(info, "title") : x->id);
	json_object_set_new(product, "apis", json_pack("[s%]", x->id.p, x->id.n));
	import_approximated(x->bundle->report, STR("API keys"), "the product %.*s takes the place of usage plans", STR_ARG(x->id));
	return GH_RC_OK;
}

GH_RC import_aws(struct bundle *b, struct str text, struct str id, struct str path, struct text_where *where, struct gh_err *err)
{
	struct aws x = { .bundle = b, .id = id, .told = jsn_keep(b->arena, json_object()) };
	json_t *doc;
	struct str title;

	TRY(yaml_or_json_parse(text, FILES_ONE_MAX, &x.doc, where, err));
	if (!jsn_keep(b->arena, x.doc) || !x.told)
		FAIL(err, NOMEM, "document");
	*where = (struct text_where){ 1, 1 };
	if ((!jsn_get(x.doc, "openapi") && !jsn_get(x.doc, "swagger")) || str_find(text, STR(X)) == SIZE_MAX)
		FAIL(err, INVALID, "this is no export of API Gateway: it has no openapi or swagger with " X "... extensions; export it with "
		     "\"Export with API Gateway Extensions\"");
	title = import_slug(b->arena, jsn_str(jsn_obj(x.doc, "info"), "title"));
	if (!x.id.n)
		x.id = title.n ? title : STR("api");
	if (!path.n)
		path = base_path(&x);
	while (path.n && path.p[0] == '/')
		path = str_from(path, 1);
	TRY(make_api(&x, path.n ? path : x.id, err));
	leftovers(&x);
	doc = bundle_add(b, "api-description", x.id);
	bundle_text(doc, "mediaType", str_starts(str_trim(text), STR("{")) ? STR("application/vnd.oai.openapi+json") : STR("application/vnd.oai.openapi"));
	bundle_text(doc, "document", text);
	return b->report->failed ? gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "import") : GH_RC_OK;
}
