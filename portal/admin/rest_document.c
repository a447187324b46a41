/* rest_document.c - the OpenAPI 3.1 document of the management API, made from the table of routes and the tables of fields: it cannot
 * say anything else than what the server does. */
#include "portal/admin/rest.h"

#include "core/str.h"
#include "core/version.h"

#include <stdio.h>

/* "named-value" as "NamedValue". */
static void camel(const char *name, char out[64])
{
	size_t n = 0;
	bool up = true;

	for (; *name && n < 63; name++) {
		if (*name == '-') {
			up = true;
			continue;
		}
		out[n++] = up ? ascii_upper(*name) : *name;
		up = false;
	}
	out[n] = '\0';
}

static json_t *ref_to(const char *part, const char *name, const char *suffix)
{
	return json_pack("{s:s+++}", "$ref", "#/components/", part, name, suffix);
}

static json_t *body_of(const char *type, json_t *schema)
{
	return json_pack("{s:{s:{s:o}}}", "content", type, "schema", schema);
}

static json_t *answer_of(const char *description, json_t *schema)
{
	json_t *v = body_of("application/json", schema);

	json_object_set_new(v, "description", json_string(description));
	return v;
}

static void add_ref(json_t *list, const char *parameter)
{
	json_array_append_new(list, ref_to("parameters/", parameter, ""));
}

static json_t *filters(const struct resource_kind *k)
{
	json_t *list = json_array();

	add_ref(list, "Limit");
	add_ref(list, "Cursor");
	add_ref(list, "Search");
	if (strcmp(k->name, "api") == 0)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:{s:s, s:[s, s, s]}}", "name", "status", "in", "query", "description",
						      "Only APIs tracked so: never called, called lately, or not for long (admin.inactive_after_s)",
						      "schema", "type", "string", "enum", "unregistered", "active", "inactive"));
	for (const struct resource_filter *f = k->filters; f->name; f++) {
		json_t *schema = json_pack("{s:s}", "type", "string"), *values = f->values ? json_array() : NULL;

		for (size_t i = 0; f->values && f->values[i]; i++)
			json_array_append_new(values, json_string(f->values[i]));
		if (values)
			json_object_set_new(schema, "enum", values);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "name", f->name, "in", "query", "description", f->description, "schema",
						     schema));
	}
	return list;
}

static json_t *problems(const char *const *statuses)
{
	json_t *v = json_object();

	for (; *statuses; statuses++)
		json_object_set_new(v, *statuses, ref_to("responses/", "Problem", ""));
	return v;
}

/* ---- operations -------------------------------------------------------------------------------------------------------- */

static json_t *of_list(const struct resource_kind *k, const char *name, json_t *op)
{
	char text[160];

	snprintf(text, sizeof(text), "One page of %s", k->plural);
	json_object_set_new(op, "parameters", filters(k));
	json_object_set_new(jsn_get(op, "responses"), "200",
			    answer_of(text, json_pack("{s:s, s:{s:{s:s, s:o}, s:{s:[s, s], s:s}}, s:[s, s]}", "type", "object", "properties", "items",
						      "type", "array", "items", ref_to("schemas/", name, ""), "next", "type", "string", "null",
						      "description", "cursor of the next page; null at the end", "required", "items", "next")));
	return op;
}

static json_t *of_write(const struct rest_route *route, const char *name, json_t *op)
{
	bool patch = strcmp(route->method, "PATCH") == 0, post = strcmp(route->method, "POST") == 0;
	json_t *parameters = json_array(), *body;

	add_ref(parameters, "DryRun");
	add_ref(parameters, "IdempotencyKey");
	if (!post)
		add_ref(parameters, "IfMatch");
	json_object_set_new(op, "parameters", parameters);
	body = body_of(patch ? "application/merge-patch+json" : "application/json",
		       patch ? json_pack("{s:s}", "type", "object") : ref_to("schemas/", name, "Write"));
	json_object_set_new(body, "required", json_true());
	json_object_set_new(op, "requestBody", body);
	if (!post)
		json_object_set_new(jsn_get(op, "responses"), "200", answer_of("As it stands now", ref_to("schemas/", name, "")));
	if (!patch)
		json_object_set_new(jsn_get(op, "responses"), "201", answer_of("It was made; what is told only once is in it",
									     ref_to("schemas/", name, "")));
	return op;
}

static json_t *of_delete(json_t *op)
{
	json_t *parameters = json_array();

	add_ref(parameters, "DryRun");
	add_ref(parameters, "IdempotencyKey");
	add_ref(parameters, "IfMatch");
	json_object_set_new(op, "parameters", parameters);
	json_object_set_new(jsn_get(op, "responses"), "204", json_pack("{s:s}", "description", "It is removed"));
	return op;
}

static json_t *of_get(const char *name, json_t *op)
{
	json_object_set_new(jsn_get(op, "responses"), "200", answer_of("The resource; ETag names this state of it", ref_to("schemas/", name, "")));
	json_object_set_new(jsn_get(op, "responses"), "304", json_pack("{s:s}", "description", "It is what If-None-Match names"));
	return op;
}

static json_t *fixed(const struct rest_route *route)
{
	bool document = strcmp(route->pattern, "/openapi.json") == 0;
	json_t *answer = document ? body_of("application/vnd.oai.openapi+json", json_pack("{s:s}", "type", "object"))
			 : body_of("application/json", json_pack("{s:s}", "type", "object"));

	json_t *answers = problems(document ? (const char *const[]){ "406", NULL } : (const char *const[]){ "401", "403", "406", NULL });

	json_object_set_new(answer, "description", json_string(document ? "An OpenAPI 3.1 document" : "Actor, role, scopes, rights by kind"));
	json_object_set_new(answers, "200", answer);
	return json_pack("{s:s, s:s, s:[s], s:o, s:o}", "operationId", document ? "getOpenapi" : "getMe", "summary",
			 document ? "This document" : "Who asks, and what they may", "tags", "about", "responses", answers,
			 "security", document ? json_pack("[{}]") : json_pack("[{s:[]}]", "token"));
}

/* What can go wrong, by method; each ends with NULL. */
static const struct {
	const char *method, *verb, *problems[12];
} verbs[] = {
	{ "GET", "get", { "401", "403", "404", "406" } },
	{ "POST", "create", { "400", "401", "403", "406", "409", "413", "415", "422" } },
	{ "PUT", "put", { "400", "401", "403", "406", "409", "412", "413", "415", "422", "428" } },
	{ "PATCH", "patch", { "400", "401", "403", "404", "406", "409", "412", "413", "415", "422" } },
	{ "DELETE", "delete", { "400", "401", "403", "404", "406", "409", "412", "422", "428" } },
};

json_t *rest_describe(const struct rest_route *route, const struct resource_kind *k)
{
	bool list = strcmp(route->pattern, "/{kind}") == 0 && strcmp(route->method, "GET") == 0;
	char name[64], plural[64], summary[200];
	size_t i = 0;
	json_t *op;

	if (!k)
		return fixed(route);
	while (i + 1 < ARRAY_LEN(verbs) && strcmp(verbs[i].method, route->method) != 0)
		i++;
	camel(k->name, name);
	camel(k->plural, plural);
	snprintf(summary, sizeof(summary), "%s: %s", k->title, list ? "list" : i == 2 ? "make or replace" : i == 3 ? "change some fields"
		 : verbs[i].verb);
	op = json_pack("{s:s++, s:s, s:[s], s:o, s:[{s:[]}]}", "operationId", list ? "list" : verbs[i].verb, list ? plural : name, "", "summary",
		       summary, "tags", k->plural, "responses", problems(verbs[i].problems), "security", "token");
	if (list) {
		json_object_set_new(jsn_get(op, "responses"), "400", ref_to("responses/", "Problem", ""));
		json_object_del(jsn_get(op, "responses"), "404");
		return of_list(k, name, op);
	}
	return strcmp(route->method, "GET") == 0 ? of_get(name, op) : strcmp(route->method, "DELETE") == 0 ? of_delete(op)
	       : of_write(route, name, op);
}

/* ---- the parts that all share ------------------------------------------------------------------------------------------- */

static json_t *parameter(const char *name, const char *in, const char *description, json_t *schema)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "name", name, "in", in, "description", description, "schema", schema);
}

static json_t *parameters(void)
{
	json_t *v = json_object();

	json_object_set_new(v, "Limit", parameter("limit", "query", "Most items of the page", json_pack("{s:s, s:i, s:i, s:i}", "type", "integer",
			    "minimum", 1, "maximum", RESOURCE_LIST_MAX, "default", RESOURCE_LIST_DEFAULT)));
	json_object_set_new(v, "Cursor", parameter("cursor", "query", "Where the list goes on: next of the page before", json_pack("{s:s}", "type",
			    "string")));
	json_object_set_new(v, "Search", parameter("search", "query", "Only what has this text in its id, name or the like, whatever its case",
			    json_pack("{s:s}", "type", "string")));
	json_object_set_new(v, "DryRun", parameter("dry-run", "query", "true: everything is checked and answered, nothing is changed",
			    json_pack("{s:s, s:b}", "type", "boolean", "default", 0)));
	json_object_set_new(v, "IdempotencyKey", parameter("Idempotency-Key", "header",
			    "A text of your own; the same request with the same key is carried out once and answered again for 24 hours",
			    json_pack("{s:s, s:i}", "type", "string", "maxLength", REST_KEY_MAX)));
	json_object_set_new(v, "IfMatch", parameter("If-Match", "header",
			    "The ETag that you have seen; needed to replace or remove what is there. Another state is answered 412",
			    json_pack("{s:s}", "type", "string")));
	return v;
}

static json_t *problem_schema(void)
{
	static const char *const texts[] = { "type", "title", "detail", "requestId" };
	json_t *properties = json_object(), *entry;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_object_set_new(properties, texts[i], json_pack("{s:s}", "type", "string"));
	json_object_set_new(properties, "status", json_pack("{s:s}", "type", "integer"));
	entry = json_pack("{s:s, s:{s:{s:s, s:s}, s:{s:s}}, s:[s, s]}", "type", "object", "properties", "pointer", "type", "string", "description",
			  "JSON Pointer of the field in the body, as a fragment: #/name", "detail", "type", "string", "required", "pointer", "detail");
	json_object_set_new(properties, "errors", json_pack("{s:s, s:o}", "type", "array", "items", entry));
	return json_pack("{s:s, s:s, s:o, s:[s, s, s, s, s]}", "type", "object", "description", "Problem details (RFC 9457)", "properties", properties,
			 "required", "type", "title", "status", "detail", "requestId");
}

static json_t *components(struct arena *a)
{
	json_t *schemas = json_object(), *problem;
	char name[80];

	json_object_set_new(schemas, "Problem", problem_schema());
	for (size_t i = 0; resource_kinds[i]; i++) {
		camel(resource_kinds[i]->name, name);
		json_object_set(schemas, name, resource_schema(a, resource_kinds[i], false));
		strncat(name, "Write", sizeof(name) - strlen(name) - 1);
		json_object_set(schemas, name, resource_schema(a, resource_kinds[i], true));
	}
	problem = body_of("application/problem+json", ref_to("schemas/", "Problem", ""));
	json_object_set_new(problem, "description", json_string("What is wrong, and how to mend it"));
	return json_pack("{s:o, s:o, s:{s:o}, s:{s:{s:s, s:s, s:s}}}", "schemas", schemas, "parameters", parameters(), "responses", "Problem", problem,
			 "securitySchemes", "token", "type", "http", "scheme", "bearer", "description",
			 "A personal token (made in the portal) or a machine token");
}

/* Of a path that is of no kind: each {…} of it. */
static json_t *path_parameters(const char *path)
{
	json_t *list = json_array();
	struct str rest = str_of(path), part;

	while (str_split(&rest, '/', &part))
		if (part.n > 2 && part.p[0] == '{')
			json_array_append_new(list, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", part.p + 1, part.n - 2, "in", "path", "required", 1,
							     "schema", "type", "string"));
	return list;
}

static void put_path(json_t *paths, const struct rest_route *route, const struct resource_kind *k)
{
	char path[160], method[16];
	json_t *item;
	size_t n = 0;

	if (k)
		snprintf(path, sizeof(path), "/%s%s", k->plural, route->pattern + 7);
	else
		snprintf(path, sizeof(path), "%s", route->pattern);
	item = jsn_get(paths, path);
	if (!item) {
		item = json_object();
		json_object_set_new(paths, path, item);
		if (!k && strchr(path, '{'))
			json_object_set_new(item, "parameters", path_parameters(path));
		if (k && strchr(path, '{'))
			json_object_set_new(item, "parameters", json_pack("[{s:s, s:s, s:b, s:s, s:{s:s}}]", "name", "id", "in", "path", "required", 1,
									  "description", k->fields[0].description, "schema", "type", "string"));
	}
	for (const char *m = route->method; *m && n < 15; m++)
		method[n++] = ascii_lower(*m);
	method[n] = '\0';
	json_object_set_new(item, method, route->describe(route, k));
}

json_t *rest_document(struct arena *a, struct str server)
{
	json_t *paths = json_object(), *tags = json_array();

	for (size_t i = 0; resource_kinds[i]; i++)
		json_array_append_new(tags, json_pack("{s:s, s:s}", "name", resource_kinds[i]->plural, "description", resource_kinds[i]->description));
	json_array_append_new(tags, json_pack("{s:s, s:s}", "name", "analytics", "description", "Questions to traffic; scope read or read:analytics"));
	json_array_append_new(tags, json_pack("{s:s, s:s}", "name", "people", "description", "People as a whole, and deeds for many"));
	json_array_append_new(tags, json_pack("{s:s, s:s}", "name", "observed", "description", "What happened, and what is going on"));
	json_array_append_new(tags, json_pack("{s:s, s:s}", "name", "about", "description", "About the API and who asks"));
	for (const struct rest_route *route = rest_routes; route->method; route++) {
		bool each = strncmp(route->pattern, "/{kind}", 7) == 0;

		if (!each)
			put_path(paths, route, NULL);
		for (size_t i = 0; each && resource_kinds[i]; i++)
			if (rest_serves(route, resource_kinds[i]))
				put_path(paths, route, resource_kinds[i]);
	}
	return jsn_keep(a, json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:s%}], s:o, s:o, s:o}", "openapi", "3.1.0", "info", "title",
				     "Gatehouse management API", "version", "1", "description",
				     "What an administrator can do, as resources. The same rules hold for the dashboard and for files.", "servers",
				     "url", server.p, server.n, "tags", tags, "paths", paths, "components", components(a)));
}

gh_rc rest_openapi(struct rest *r, struct gh_err *err)
{
	struct str server = arena_printf(r->w->a, "%.*sapi/v1", STR_ARG(r->w->site->base));
	json_t *v = server.p ? rest_document(r->w->a, server) : NULL;

	if (!v)
		FAIL(err, NOMEM, "document");
	TRY(web_json(r->w, 200, "application/vnd.oai.openapi+json;version=3.1", v, err));
	web_compress(r->w);
	return GH_RC_OK;
}
