/* apiops_api.c - the folder apis/: an API, its revisions beside it (ID;rev=N), operations by their description. */
#include "config/import/apiops_api.h"

#include "config/import/describe.h"
#include "config/import/policy_text.h"
#include "core/str.h"

/* The description, whatever form it has; STR_NULL: none that operations can be read from. */
static GH_RC specification(struct apiops *x, struct str folder, struct str type, struct str *text, struct str *source, struct gh_err *err)
{
	static const char *const names[] = { "specification.yaml", "specification.yml", "specification.json" };
	struct bundle *b = x->bundle;
	struct str what = arena_printf(b->arena, "API %.*s", STR_ARG(folder)), wsdl;
	struct described d = { .openapi = NULL };
	struct text_where at;
	struct gh_err why;

	*text = *source = STR_NULL;
	for (size_t i = 0; i < ARRAY_LEN(names) && !text->n; i++) {
		*source = arena_printf(b->arena, "apis/%.*s/%s", STR_ARG(folder), names[i]);
		*text = apiops_text(x, *source);
	}
	for (size_t i = 0; i < ARRAY_LEN(names) && text->n; i++) {
		struct str other = arena_printf(b->arena, "apis/%.*s/%s", STR_ARG(folder), names[i]);

		if (!str_eq(other, *source) && apiops_there(x, other))
			import_not_possible(b->report, what, "of its two descriptions %.*s is taken, and %s left out", STR_ARG(apiops_last(*source)), names[i]);
	}
	if (text->n)
		return GH_RC_OK;
	*source = arena_printf(b->arena, "apis/%.*s/specification.wsdl", STR_ARG(folder));
	wsdl = apiops_text(x, *source);
	if (wsdl.n && !import_wsdl(b->arena, wsdl, STR_NULL, NULL, b->report, &d, &at, &why).code) {
		*text = jsn_text(b->arena, d.openapi, JSN_INDENT);
		if (!text->p)
			FAIL(err, NOMEM, "description");
		return GH_RC_OK;
	}
	if (wsdl.n)
		import_not_possible(b->report, what, "its WSDL cannot be read; " BUNDLE_NO_OPERATION);
	else if (!str_eq(type, STR("graphql")))
		import_not_possible(b->report, what, "it has no description; " BUNDLE_NO_OPERATION);
	return GH_RC_OK;
}

static struct str tag_name(struct apiops *x, struct str tag)
{
	const json_t *p = apiops_properties(x, arena_printf(x->bundle->arena, "tags/%.*s/tagInformation.json", STR_ARG(tag)));

	return jsn_str(p, "displayName").n ? jsn_str(p, "displayName") : tag;
}

/* Each version of the extractor tells tags at another place. */
static void tags_of(struct apiops *x, json_t *doc, struct str api)
{
	const char *own = arena_printf(x->bundle->arena, "apis/%.*s/tags/", STR_ARG(api)).p;
	json_t *tags = json_array(), *v;
	struct str tag = STR_NULL, name;
	size_t i;

	json_array_foreach(apiops_json(x, arena_printf(x->bundle->arena, "apis/%.*s/tags.json", STR_ARG(api))), i, v)
		if (jsn_str(v, "name").n)
			json_array_append(tags, jsn_get(v, "name"));
	for (i = 0; apiops_next(x, own, &i, &tag);) {
		name = tag_name(x, tag);
		if (apiops_there(x, arena_printf(x->bundle->arena, "%s%.*s/apiTagInformation.json", own, STR_ARG(tag))))
			json_array_append_new(tags, json_stringn(name.p, name.n));
	}
	for (i = 0, tag = STR_NULL; apiops_next(x, "tags/", &i, &tag);) {
		name = tag_name(x, tag);
		if (apiops_there(x, arena_printf(x->bundle->arena, "tags/%.*s/apis/%.*s/tagApiInformation.json", STR_ARG(tag), STR_ARG(api))))
			json_array_append_new(tags, json_stringn(name.p, name.n));
	}
	if (doc && json_array_size(tags))
		json_object_set(doc, "tags", tags);
	json_decref(tags);
}

static const struct import_field fields[] = {
	{ "path", NULL, NULL }, { "apiRevision", NULL, NULL }, { "apiRevisionDescription", NULL, NULL }, { "isCurrent", NULL, NULL }, { "isOnline", NULL, NULL },
	{ "displayName", NULL, NULL }, { "description", NULL, NULL }, { "apiVersion", NULL, NULL }, { "apiVersionSetId", NULL, NULL }, { "apiVersionSet", NULL, NULL },
	{ "serviceUrl", NULL, NULL }, { "subscriptionRequired", NULL, NULL }, { "subscriptionKeyParameterNames", NULL, NULL }, { "authenticationSettings", NULL, NULL },
	{ "type", NULL, NULL }, { "apiType", NULL, NULL }, { "protocols", NULL, NULL }, { "provisioningState", NULL, NULL }, { "format", NULL, NULL },
	{ "value", NULL, NULL }, { "sourceApiId", NULL, NULL }, { "wsdlSelector", NULL, NULL }, { "translateRequiredQueryParameters", NULL, NULL },
	{ "contact", "say it in the description, under info", NULL }, { "license", "say it in the description, under info", NULL },
	{ "termsOfServiceUrl", "say it in the description, under info", NULL },
	{ "apiVersionDescription", "say it in the description of the API", NULL }, { NULL, NULL, NULL },
};

/* What else stands in the folder of an API. */
static void left_out(struct apiops *x, struct str folder)
{
	static const char *const rows[][3] = {
		{ "diagnostics", "diagnostic", "calls are recorded without it; see `gatehouse log` and the settings of telemetry" },
		{ "releases", "release", "the change log begins anew with the next revision that is made current" },
		{ "schemas", "schema", "schemas stand in the description" },
		{ "resolvers", "resolver", "GraphQL is called as any HTTP API" },
		{ "wikis", "wiki", "write pages of the portal: gatehouse page set --api" },
		{ "tagDescriptions", "tag description", "texts of tags stand in the description" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		apiops_left_out(x, arena_printf(x->bundle->arena, "apis/%.*s/%s/", STR_ARG(folder), rows[i][0]).p,
				arena_printf(x->bundle->arena, "API %.*s: %s", STR_ARG(folder), rows[i][1]).p, rows[i][2]);
}

static void warn_of(struct apiops *x, struct str api, const json_t *p)
{
	struct str what = arena_printf(x->bundle->arena, "API %.*s", STR_ARG(api)), type = jsn_str(p, "type");
	const json_t *auth = jsn_obj(p, "authenticationSettings");

	(void)apiops_there(x, arena_printf(x->bundle->arena, "apis/%.*s/specification.graphql", STR_ARG(api)));
	if (str_eq(type, STR("graphql")))
		import_approximated(x->bundle->report, what, "GraphQL is called as any HTTP API, by one operation, POST /; resolvers are not taken over");
	import_fields(x->bundle->report, p, what, fields);
	if (str_find(api, STR(";rev=")) == SIZE_MAX && bundle_is_https_only(jsn_arr(p, "protocols"))) {
		bundle_https_only(x->bundle, api);
		x->https_only++;
	}
	if (json_is_object(jsn_get(auth, "oAuth2")) || json_array_size(jsn_arr(auth, "oAuth2AuthenticationSettings")) ||
	    json_is_object(jsn_get(auth, "openid")) || json_array_size(jsn_arr(auth, "openidAuthenticationSettings")))
		import_not_possible(x->bundle->report, what, "the sign-in of Azure's test console; who may call is in its policies, or say it with "
				    "gatehouse access set");
}

static void describe_api(struct apiops *x, json_t *doc, struct str api, const json_t *p)
{
	const json_t *keys = jsn_obj(p, "subscriptionKeyParameterNames");
	struct str set = apiops_last(jsn_str(p, "apiVersionSetId"));

	bundle_text(doc, "name", jsn_str(p, "displayName").n ? jsn_str(p, "displayName") : api);
	bundle_text(doc, "description", jsn_str(p, "description"));
	bundle_text(doc, "environment", x->bundle->environment);
	json_object_set_new(doc, "path", json_stringn(jsn_str(p, "path").p ? jsn_str(p, "path").p : "", jsn_str(p, "path").n));
	bundle_text(doc, "versionSet", set);
	bundle_text(doc, "version", jsn_str(p, "apiVersion"));
	if (!jsn_bool(p, "subscriptionRequired", true))
		json_object_set_new(doc, "subscriptionRequired", json_false());
	bundle_text(doc, "keyHeader", jsn_str(keys, "header"));
	bundle_text(doc, "keyQuery", jsn_str(keys, "query"));
	tags_of(x, doc, api);
}

static void revision_fields(json_t *doc, const json_t *p, const char *description)
{
	bundle_text(doc, description, jsn_str(p, "apiRevisionDescription"));
	bundle_text(doc, "backendUrl", jsn_str(p, "serviceUrl"));
}

/* What Azure takes of GraphQL: queries that are posted to the address of the API. */
static void graphql_operation(struct apiops *x, struct str folder)
{
	json_t *doc = bundle_add(x->bundle, "operation", arena_printf(x->bundle->arena, "%.*s/graphql", STR_ARG(folder)));

	bundle_text(doc, "name", STR("GraphQL"));
	bundle_text(doc, "method", STR("POST"));
	bundle_text(doc, "uriTemplate", STR("/"));
	import_taken(x->bundle->report, "operation", 1);
}

/* What the policies of its parts asked of calls is asked of none, so none goes through. */
static bool close_graphql(struct apiops *x, struct str folder)
{
	struct str scope = arena_printf(x->bundle->arena, "operation:%.*s/graphql", STR_ARG(folder));
	struct buf b;

	if (!bundle_find(x->bundle, "operation", str_from(scope, strlen("operation:"))))
		return false;
	if (bundle_find(x->bundle, "policy", scope))
		return true;
	buf_init(&b, POLICY_TEXT_MAX);
	policy_closed(&b, "policies of operations that are not in the description");
	bundle_policy(x->bundle, scope, arena_dup(x->bundle->arena, buf_view(&b)).p, NULL, NULL);
	buf_release(&b);
	return true;
}

static void policies(struct apiops *x, struct str folder, const json_t *operations)
{
	struct arena *a = x->bundle->arena;
	const char *below = arena_printf(a, "apis/%.*s/operations/", STR_ARG(folder)).p;
	struct str text = apiops_text(x, arena_printf(a, "apis/%.*s/policy.xml", STR_ARG(folder))), op = STR_NULL;

	if (text.n) {
		bundle_text(bundle_add(x->bundle, "policy", arena_printf(a, "api:%.*s", STR_ARG(folder))), "policy", text);
		import_taken(x->bundle->report, "policy", 1);
	}
	for (size_t i = 0; apiops_next(x, below, &i, &op);) {
		struct str id = jsn_string(jsn_get_n(operations, op));

		text = apiops_text(x, arena_printf(a, "%s%.*s/policy.xml", below, STR_ARG(op)));
		if (!text.n)
			continue;
		if (!id.n) {
			import_not_possible(x->bundle->report, arena_printf(a, "policy of %.*s/%.*s", STR_ARG(folder), STR_ARG(op)),
					    json_object_size(operations) ? "the description has no operation of this id" :
					    close_graphql(x, folder) ? "there is no such operation here; POST / answers 501 until you say who may call" :
					    "there is no description with this operation: put the policy in when you add it");
			continue;
		}
		bundle_text(bundle_add(x->bundle, "policy", arena_printf(a, "operation:%.*s/%.*s", STR_ARG(folder), STR_ARG(id))), "policy", text);
		import_taken(x->bundle->report, "policy", 1);
	}
}

static GH_RC api(struct apiops *x, struct str folder, const json_t *p, struct gh_err *err)
{
	size_t rev = str_find(folder, STR(";rev="));
	struct str type = jsn_str(p, "type"), text, source;
	json_t *doc, *operations;
	uint64_t number = 1;

	if (str_eq(type, STR("websocket")) || str_eq(type, STR("grpc"))) {
		import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "API %.*s", STR_ARG(folder)), "%.*s is not served", STR_ARG(type));
		apiops_told(x, arena_printf(x->bundle->arena, "apis/%.*s/", STR_ARG(folder)));
		return GH_RC_OK;
	}
	if (!jsn_bool(p, "isOnline", true)) {
		import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "%s %.*s", rev == SIZE_MAX ? "API" : "revision", STR_ARG(folder)),
				    "it is offline and left out");
		apiops_told(x, arena_printf(x->bundle->arena, "apis/%.*s/", STR_ARG(folder)));
		return GH_RC_OK;
	}
	if (rev != SIZE_MAX && !bundle_find(x->bundle, "api", str_first(folder, rev))) {
		import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "revision %.*s", STR_ARG(folder)), "the API itself is not in the folder");
		apiops_told(x, arena_printf(x->bundle->arena, "apis/%.*s/", STR_ARG(folder)));
		return GH_RC_OK;
	}
	if (rev != SIZE_MAX && str_to_u64(str_from(folder, rev + strlen(";rev=")), INT32_MAX, &number)
	    && (int64_t)number == jsn_int(bundle_find(x->bundle, "api", str_first(folder, rev)), "revision", 1)) {
		import_not_possible(x->bundle->report, arena_printf(x->bundle->arena, "revision %.*s", STR_ARG(folder)),
				    "it is the current one, which is taken from the folder without ;rev=");
		apiops_told(x, arena_printf(x->bundle->arena, "apis/%.*s/", STR_ARG(folder)));
		return GH_RC_OK;
	}
	number = 1;
	doc = bundle_add(x->bundle, rev == SIZE_MAX ? "api" : "revision", folder);
	if (!doc)
		FAIL(err, NOMEM, "API");
	if (rev == SIZE_MAX) {
		describe_api(x, doc, folder, p);
		if (str_to_u64(jsn_str(p, "apiRevision"), INT32_MAX, &number) && number > 1)
			json_object_set_new(doc, "revision", json_integer((json_int_t)number));
		revision_fields(doc, p, "revisionDescription");
		warn_of(x, folder, p);
	} else {
		revision_fields(doc, p, "description");
	}
	import_taken(x->bundle->report, rev == SIZE_MAX ? "API" : "revision", 1);
	TRY(specification(x, folder, type, &text, &source, err));
	TRY(bundle_description(x->bundle, folder, text, source, &operations, err));
	if (!text.n && str_eq(type, STR("graphql")))
		graphql_operation(x, folder);
	policies(x, folder, operations);
	left_out(x, folder);
	return GH_RC_OK;
}

GH_RC apiops_apis(struct apiops *x, struct gh_err *err)
{
	for (int revisions = 0; revisions < 2; revisions++) {
		struct str name = STR_NULL;

		for (size_t i = 0; apiops_next(x, "apis/", &i, &name);) {
			json_t *p;

			if ((str_find(name, STR(";rev=")) != SIZE_MAX) != (revisions == 1))
				continue;
			p = apiops_properties(x, arena_printf(x->bundle->arena, "apis/%.*s/apiInformation.json", STR_ARG(name)));
			if (p)
				TRY(api(x, name, p, err));
		}
	}
	if (x->https_only)
		import_approximated(x->bundle->report, STR("protocols"), "%zu of the APIs " BUNDLE_HTTPS_ONLY, x->https_only);
	return GH_RC_OK;
}
