/* API descriptions: one model from three dialects. */
#include "tests/unit/check.h"

#include "core/openapi.h"
#include "core/uritemplate.h"

static struct openapi *read_it(struct arena *a, const char *text)
{
	struct text_where at;
	struct gh_err err = { 0 };
	struct openapi *o = NULL;
	gh_rc rc = openapi_parse(a, str_of(text), &o, &at, &err);

	if (rc.code)
		fprintf(stderr, "# %u:%u: %s\n", at.line, at.column, err.message);
	assert_int_equal(rc.code, GH_OK);
	return o;
}

static const char yaml_31[] =
	"openapi: 3.1.0\n"
	"info: {title: Orders, version: '2', description: All orders, contact: {email: a@example.com}}\n"
	"servers:\n"
	"  - url: https://{region}.example.com/{base}\n"
	"    variables: {region: {default: eu}, base: {default: v2}}\n"
	"tags: [{name: orders, description: Buying}]\n"
	"security: [{key: []}, {}]\n"
	"paths:\n"
	"  /orders/{id}:\n"
	"    parameters:\n"
	"      - {name: id, in: path, required: true, schema: {type: integer}, example: 7}\n"
	"      - {name: X-Trace, in: header, schema: {type: string}}\n"
	"    get:\n"
	"      operationId: getOrder\n"
	"      summary: One order\n"
	"      tags: [orders]\n"
	"      parameters:\n"
	"        - {name: X-Trace, in: header, required: true, schema: {type: string}}\n"
	"        - {name: expand, in: query, style: pipeDelimited, schema: {type: array, items: {type: string}}}\n"
	"        - {name: filter, in: query, content: {application/json: {schema: {type: object}}}}\n"
	"        - {name: tenant, in: query, required: true, schema: {type: string}}\n"
	"      responses:\n"
	"        200:\n"
	"          description: Found\n"
	"          headers: {ETag: {schema: {type: string}}}\n"
	"          content:\n"
	"            application/json:\n"
	"              schema: {$ref: '#/components/schemas/Order'}\n"
	"              examples: {one: {summary: First, value: {id: 7}}, two: {$ref: '#/components/examples/Two'}}\n"
	"            text/*: {schema: {type: string}}\n"
	"        4XX: {$ref: '#/components/responses/Problem'}\n"
	"        default: {description: Else}\n"
	"    put:\n"
	"      deprecated: true\n"
	"      security: [{login: [write]}]\n"
	"      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}\n"
	"      responses: {'204': {description: Done}}\n"
	"  /files/{+path}:\n"
	"    get: {responses: {'200': {description: ok}}, parameters: [{name: path, in: path, required: true}]}\n"
	"components:\n"
	"  schemas:\n"
	"    Order:\n"
	"      type: object\n"
	"      properties:\n"
	"        id: {type: integer, minimum: 1}\n"
	"        placed: {type: string, format: date-time}\n"
	"        lines: {type: array, items: {$ref: '#/components/schemas/Order'}}\n"
	"        state: {enum: [open, sent]}\n"
	"  examples: {Two: {value: {id: 8}}}\n"
	"  responses: {Problem: {description: Wrong, content: {application/problem+json: {}}}}\n"
	"  securitySchemes:\n"
	"    key: {type: apiKey, in: header, name: X-Api-Key}\n"
	"    login: {type: oauth2, flows: {}}\n";

static void version_31(void **state UNUSED)
{
	struct arena *a = arena_new(16 << 20);
	struct openapi *o = read_it(a, yaml_31);
	const struct openapi_operation *get = openapi_find(o, STR("GET"), STR("/orders/{key}"));
	const struct openapi_parameter *p;
	const struct openapi_response *r;

	CHECK_INT("no warnings", o->n_warnings, 0);
	for (size_t i = 0; i < o->n_warnings; i++)
		fprintf(stderr, "# %.*s: %.*s\n", STR_ARG(o->warnings[i].pointer), STR_ARG(o->warnings[i].text));
	CHECK_INT("dialect", o->dialect, OPENAPI_3_1);
	CHECK_STR("title", o->title, STR("Orders"));
	CHECK_STR("contact", o->contact_email, STR("a@example.com"));
	CHECK_STR("server with defaults", o->servers[0].url, STR("https://eu.example.com/v2"));
	CHECK_STR("tag", o->tags[0].description, STR("Buying"));
	CHECK_INT("operations", o->n_operations, 3);
	assert_non_null(get);
	CHECK("by operationId", openapi_find_id(o, STR("getOrder")) == get);
	CHECK("wrong method", openapi_find(o, STR("POST"), STR("/orders/{id}")) == NULL);
	CHECK_STR("slug of the operationId", openapi_operation_slug(a, get), STR("getorder"));
	CHECK_STR("slug of method and path", openapi_operation_slug(a, &o->operations[1]), STR("put-orders-id"));
	CHECK_STR("required query in the template", openapi_url_template(a, get), STR("/orders/{id}?tenant={tenant}"));
	CHECK_STR("wildcard", openapi_url_template(a, &o->operations[2]), STR("/files/{*path}"));
	CHECK_INT("own and shared parameters", get->n_parameters, 5);
	p = openapi_parameter(get, OPENAPI_HEADER, STR("x-trace"));
	CHECK("the operation's own wins", p && p->required);
	p = openapi_parameter(get, OPENAPI_QUERY, STR("expand"));
	CHECK("style", p && p->style == OPENAPI_PIPE && !p->explode);
	p = openapi_parameter(get, OPENAPI_QUERY, STR("tenant"));
	CHECK("form explodes by default", p && p->style == OPENAPI_FORM && p->explode);
	p = openapi_parameter(get, OPENAPI_QUERY, STR("filter"));
	CHECK("serialised parameter", p && str_eq(p->content_type, STR("application/json")) && p->schema);
	p = openapi_parameter(get, OPENAPI_PATH, STR("id"));
	CHECK("example", p && p->n_examples == 1 && json_integer_value(p->examples[0].value) == 7);
	CHECK_INT("security alternatives", get->n_security, 2);
	CHECK("needs the key", get->security[0].needs[0].scheme == &o->schemes[0]);
	CHECK_INT("or nothing", get->security[1].n_needs, 0);
	CHECK_STR("own security", o->operations[1].security[0].needs[0].scopes[0], STR("write"));
	CHECK("deprecated", o->operations[1].deprecated);
	CHECK("body", o->operations[1].body && o->operations[1].body->required && o->operations[1].body->n_media == 1);
	r = openapi_response(get, 200);
	CHECK("response", r && r->n_media == 2 && r->n_headers == 1 && r->media[0].n_examples == 2);
	CHECK_STR("referenced example", jsn_text(a, r->media[0].examples[1].value, 0), STR("{\"id\":8}"));
	CHECK_STR("class of statuses", openapi_response(get, 404)->description, STR("Wrong"));
	CHECK_STR("default", openapi_response(get, 500)->description, STR("Else"));
	CHECK("no response", openapi_response(&o->operations[1], 200) == NULL);
	CHECK_STR("made up from a recursive schema", jsn_text(a, openapi_sample(o, a, r->media[0].schema), 0),
		  STR("{\"id\":1,\"placed\":\"2025-01-02T03:04:05Z\",\"lines\":[],\"state\":\"open\"}"));
	arena_free(a);
	check_done();
}

static void version_20(void **state UNUSED)
{
	static const char text[] =
		"{\"swagger\":\"2.0\",\"info\":{\"title\":\"Pets\",\"version\":\"1\"},\"host\":\"pets.example\",\"basePath\":\"/v1\","
		"\"schemes\":[\"https\",\"http\"],\"consumes\":[\"application/json\"],\"produces\":[\"application/json\",\"text/csv\"],"
		"\"securityDefinitions\":{\"b\":{\"type\":\"basic\"}},"
		"\"paths\":{\"/pets\":{\"post\":{\"operationId\":\"Pets_Add\",\"parameters\":[{\"$ref\":\"#/parameters/pet\"},"
		"{\"name\":\"ids\",\"in\":\"query\",\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"collectionFormat\":\"multi\"}],"
		"\"responses\":{\"200\":{\"description\":\"ok\",\"schema\":{\"$ref\":\"#/definitions/Pet\"},"
		"\"examples\":{\"application/json\":{\"n\":\"Rex\"}}}}},"
		"\"put\":{\"parameters\":[{\"name\":\"photo\",\"in\":\"formData\",\"type\":\"file\",\"required\":true},"
		"{\"name\":\"note\",\"in\":\"formData\",\"type\":\"string\",\"maxLength\":9}],\"responses\":{}}}},"
		"\"parameters\":{\"pet\":{\"name\":\"pet\",\"in\":\"body\",\"required\":true,\"schema\":{\"$ref\":\"#/definitions/Pet\"}}},"
		"\"definitions\":{\"Pet\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"string\"}}}}}";
	struct arena *a = arena_new(16 << 20);
	struct openapi *o = read_it(a, text);
	const struct openapi_operation *add = openapi_find_id(o, STR("Pets_Add")), *put = &o->operations[1];

	CHECK_INT("no warnings", o->n_warnings, 0);
	CHECK_INT("servers", o->n_servers, 2);
	CHECK_STR("server", o->servers[1].url, STR("http://pets.example/v1"));
	CHECK_INT("basic", o->schemes[0].type, OPENAPI_HTTP);
	assert_non_null(add);
	CHECK_STR("slug", openapi_operation_slug(a, add), STR("pets-add"));
	CHECK_INT("parameters without the body", add->n_parameters, 1);
	CHECK("multi explodes", add->parameters[0].explode && add->parameters[0].style == OPENAPI_FORM);
	CHECK_STR("schema of a parameter", jsn_text(a, add->parameters[0].schema, 0),
		  STR("{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}"));
	CHECK("body", add->body && add->body->required && add->body->n_media == 1);
	CHECK_STR("body type", add->body->media[0].type, STR("application/json"));
	CHECK_INT("response types", add->responses[0].n_media, 2);
	CHECK_STR("response example", jsn_text(a, openapi_media_example(o, a, &add->responses[0].media[0]), 0), STR("{\"n\":\"Rex\"}"));
	CHECK_STR("made up", jsn_text(a, openapi_media_example(o, a, &add->responses[0].media[1]), 0), STR("{\"n\":\"string\"}"));
	CHECK_STR("form type", put->body->media[0].type, STR("multipart/form-data"));
	CHECK_STR("form schema", jsn_text(a, put->body->media[0].schema, 0),
		  STR("{\"type\":\"object\",\"properties\":{\"photo\":{\"type\":\"string\",\"format\":\"binary\"},"
		      "\"note\":{\"type\":\"string\",\"maxLength\":9}},\"required\":[\"photo\"]}"));
	arena_free(a);
	check_done();
}

#define HEAD "openapi: 3.0.0\ninfo: {title: T, version: '1'}\n"

static void warnings(void **state UNUSED)
{
	static const struct {
		const char *label, *text, *pointer, *message;
	} rows[] = {
		{ "unknown member", HEAD "paths: {}\nfoo: 1\n", "", "'foo' is not known" },
		{ "extension is fine", HEAD "paths: {}\nx-foo: 1\n", NULL, NULL },
		{ "version without quotes", "openapi: 3.0.0\ninfo: {title: T, version: 1.0}\npaths: {}\n", NULL, NULL },
		{ "3.2", "openapi: 3.2.0\ninfo: {title: T, version: '1'}\npaths: {}\n", "", "read as 3.1" },
		{ "no info", "openapi: 3.0.0\npaths: {}\n", "/info", "no 'info'" },
		{ "no paths", HEAD, "", "no 'paths'" },
		{ "external schema", HEAD "paths: {}\ncomponents: {schemas: {A: {$ref: 'b.yaml#/B'}}}\n", "/components/schemas/A",
		  "another document 'b.yaml#/B'" },
		{ "dangling schema", HEAD "paths: {}\ncomponents: {schemas: {A: {$ref: '#/x'}}}\n", "/components/schemas/A", "leads nowhere" },
		{ "a property named $ref is none", HEAD "paths: {}\ncomponents: {schemas: {A: {properties: {$ref: {type: string}}}}}\n",
		  NULL, NULL },
		{ "a reference in an example is data", HEAD "paths: {}\ncomponents: {schemas: {A: {example: {$ref: 'x'}}}}\n", NULL, NULL },
		{ "cycle of references", HEAD "paths: {/a: {$ref: '#/paths/~1a'}}\n", "/paths/~1a", "leads to no object" },
		{ "path without a slash", HEAD "paths: {a: {get: {responses: {}}}}\n", "/paths/a/get", "does not begin with" },
		{ "variable without parameter", HEAD "paths: {'/{a}': {get: {responses: {}}}}\n", "/paths/~1{a}/get", "variable 'a'" },
		{ "unpaired brace", HEAD "paths: {'/{a': {get: {responses: {}}}}\n", "/paths/~1{a/get", "do not pair" },
		{ "same route twice", HEAD "paths: {'/{a}/': {get: {responses: {}, parameters: [{name: a, in: path, required: true}]}}, "
		  "'/{b}/': {get: {responses: {}, parameters: [{name: b, in: path, required: true}]}}}\n", "/paths/~1{b}~1/get", "same method" },
		{ "a fragment in a path", HEAD "paths: {'/a#b': {get: {responses: {}}}}\n", "/paths/~1a#b/get", "behind '#'" },
		{ "unknown status", HEAD "paths: {/a: {get: {responses: {'2000': {description: x}}}}}\n", "/paths/~1a/get/responses/2000",
		  "no status" },
		{ "operation of a wrong type", HEAD "paths: {/a: {get: 1}}\n", "/paths/~1a/get", "not integer" },
		{ "parameter without a place", HEAD "paths: {/a: {get: {parameters: [{name: x}], responses: {}}}}\n",
		  "/paths/~1a/get/parameters/0", "a name and a place" },
		{ "optional path parameter", HEAD "paths: {'/{x}': {get: {parameters: [{name: x, in: path}], responses: {}}}}\n",
		  "/paths/~1{x}/get/parameters/0", "always required" },
		{ "unknown security", HEAD "paths: {/a: {get: {security: [{k: []}], responses: {}}}}\n", "/paths/~1a/get/security", "'k' is not" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(16 << 20);
		struct openapi *o = read_it(a, rows[i].text);

		CHECK_INT(rows[i].label, o->n_warnings, rows[i].pointer ? 1 : 0);
		if (o->n_warnings == 1 && rows[i].pointer) {
			CHECK_STR(rows[i].label, o->warnings[0].pointer, str_of(rows[i].pointer));
			CHECK(rows[i].label, strstr(o->warnings[0].text.p, rows[i].message) != NULL);
		}
		arena_free(a);
	}
	check_done();
}

static void refusals(void **state UNUSED)
{
	static const struct {
		const char *label, *text;
		enum gh_code want;
		unsigned line;
	} rows[] = {
		{ "nothing", "", GH_E_INVALID, 1 },
		{ "a list", "[]", GH_E_INVALID, 1 },
		{ "no version", "{\"info\":{}}", GH_E_INVALID, 1 },
		{ "version 4", "openapi: 4.0.0", GH_E_INVALID, 1 },
		{ "Swagger 1.2", "swagger: '1.2'", GH_E_INVALID, 1 },
		{ "broken YAML", "openapi: 3.0.0\n  x: [", GH_E_SYNTAX, 2 },
		{ "broken JSON", "{\"openapi\":\n]", GH_E_SYNTAX, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct text_where at;
		struct openapi *o;

		CHECK_INT(rows[i].label, openapi_parse(a, str_of(rows[i].text), &o, &at, NULL).code, rows[i].want);
		CHECK(rows[i].label, o == NULL);
		CHECK_INT(rows[i].label, at.line, rows[i].line);
		arena_free(a);
	}
	check_done();
}

static void templates(void **state UNUSED)
{
	static const struct {
		const char *path, *query;        /* query: names of required parameters between commas */
		const char *want;
	} rows[] = {
		{ "/", "", "/" },
		{ "/a/{id}/b/{id}", "", "/a/{id}/b/{id2}" },
		{ "/tokens/{token}", "key,token", "/tokens/{token}?key={key}&token={token2}" },
		{ "/a/{b}{c}", "", "/a/{b}" },
		{ "/a/{b}.{c}", "", "/a/{b}.{c}" },
		{ "/files/{path*}", "", "/files/{*path}" },
		{ "/files/{proxy+}", "", "/files/{*proxy}" },
		{ "/files/{+path}/meta", "", "/files/{path}/meta" },
		{ "/v1/{+name}:cancel", "", "/v1/{name}:cancel" },
		{ "/list{?page,size}", "", "/list" },
		{ "/a#b", "", "/a" },
		{ "/#Action=X", "", "/" },
		{ "a/b", "", "/a/b" },
		{ "/a/{b", "", "/a/%7Bb" },
		{ "/a/{{b}}", "", "/a/%7B{b}%7D" },
		{ "/a?x={y}&z=1", "x,q", "/a?x={y}&z=1&q={q}" },
		{ "/a", "filter[x],a b,{c}", "/a?filter[x]={filter[x]}" },
		{ "/a/*/b/*", "", "/a/%2A/b/*" },
		{ "/a/{}", "", "/a/{value}" },
		{ "/a/{b=c}", "", "/a/{b}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct openapi_parameter parameters[4] = { 0 };
		struct openapi_operation op = { .path = str_of(rows[i].path), .parameters = parameters };
		struct arena *a = arena_new(1 << 20);
		struct str list = str_of(rows[i].query), name, got;
		const struct uritemplate *t;

		while (str_split(&list, ',', &name))
			parameters[op.n_parameters++] = (struct openapi_parameter){ .name = name, .in = OPENAPI_QUERY, .required = true };
		got = openapi_url_template(a, &op);
		CHECK_STR(rows[i].path, got, str_of(rows[i].want));
		CHECK_INT(rows[i].path, uritemplate_parse(a, got, &t, NULL).code, GH_OK);
		arena_free(a);
	}
	check_done();
}

static void media_types(void **state UNUSED)
{
	static const struct openapi_media list[] = {
		{ .type = STR_INIT("application/json") }, { .type = STR_INIT("application/json; version=2") },
		{ .type = STR_INIT("text/*") }, { .type = STR_INIT("application/vnd.x+json") },
	};
	static const struct {
		const char *asked;
		int want;
	} rows[] = {
		{ "application/json", 0 }, { "APPLICATION/JSON; charset=utf-8", 0 }, { "application/json; version=2", 1 },
		{ "text/plain", 2 }, { "application/vnd.x+json", 3 }, { "application/problem+json", 0 }, { "image/png", -1 },
		{ "", -1 }, { "text", -1 }, { "application/json+x", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct openapi_media *m = openapi_media(list, ARRAY_LEN(list), str_of(rows[i].asked));

		CHECK_INT(rows[i].asked, m ? m - list : -1, rows[i].want);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_31), cmocka_unit_test(version_20),  cmocka_unit_test(warnings),
		cmocka_unit_test(refusals),   cmocka_unit_test(media_types), cmocka_unit_test(templates),
	};

	return cmocka_run_group_tests_name("core/openapi", tests, NULL, NULL);
}
