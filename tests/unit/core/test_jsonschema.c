/* JSON Schema beyond the public suite: dialects of OpenAPI, messages, closed objects, limits, errors of schemas. */
#include "tests/unit/check.h"

#include "core/jsonschema.h"

#include <stdlib.h>

static json_t *parse(struct arena *a, const char *text)
{
	const struct jsn_limits limits = { .flags = JSN_ANY | JSN_BIG_INTEGERS, .max_depth = 2000 };
	json_t *v = NULL;
	gh_rc rc = jsn_parse_in(a, str_of(text), &limits, &v, NULL, NULL);

	if (rc.code)
		fprintf(stderr, "# bad JSON in the test: %s\n", text);
	assert_int_equal(rc.code, GH_OK);
	return v;
}

static void messages(void **state UNUSED)
{
	static const struct {
		const char *schema, *value, *path, *instance, *pointer, *message;
	} rows[] = {
		{ "{\"type\":\"string\"}", "1", "", "", "/type", "Invalid type. Expected String but got Integer." },
		{ "{\"type\":[\"string\",\"null\"]}", "1.5", "", "", "/type", "Invalid type. Expected String, Null but got Number." },
		{ "{\"required\":[\"a\",\"b\",\"c\"]}", "{\"b\":1}", "", "", "/required",
		  "Required properties are missing from object: a, c." },
		{ "{\"properties\":{\"a\":{\"items\":{\"properties\":{\"x.y\":{\"type\":\"integer\"}}}}}}", "{\"a\":[{},{\"x.y\":true}]}",
		  "a[1]['x.y']", "/a/1/x.y", "/properties/a/items/properties/x.y/type", "Invalid type. Expected Integer but got Boolean." },
		{ "{\"additionalProperties\":false,\"properties\":{\"a\":{}}}", "{\"a\":1,\"b\":2}", "b", "/b", "/additionalProperties",
		  "Property 'b' has not been defined and the schema does not allow additional properties." },
		{ "{\"enum\":[\"a\",1]}", "\"b\"", "", "", "/enum", "Value \"b\" is not defined in enum." },
		{ "{\"const\":{\"a\":1.0}}", "{\"a\":2}", "", "", "/const", "Value {\"a\":2} does not match const." },
		{ "{\"minimum\":5}", "1", "", "", "/minimum", "Integer 1 is less than minimum value of 5." },
		{ "{\"maximum\":5.5}", "6.25", "", "", "/maximum", "Number 6.25 exceeds maximum value of 5.5." },
		{ "{\"exclusiveMaximum\":5}", "5", "", "", "/exclusiveMaximum",
		  "Integer 5 equals maximum value of 5 and exclusive maximum is true." },
		{ "{\"minLength\":3}", "\"\xc3\xa9\xc3\xa9\"", "", "", "/minLength", "String '\xc3\xa9\xc3\xa9' is less than minimum length of 3." },
		{ "{\"pattern\":\"^x\"}", "\"abc\"", "", "", "/pattern", "String 'abc' does not match regex pattern '^x'." },
		{ "{\"pattern\":\"^[\\\\w- ]+$\"}", "\"a-b c!\"", "", "", "/pattern", "String 'a-b c!' does not match regex pattern '^[\\w- ]+$'." },
		{ "{\"pattern\":\"^[\\\\uD800\\\\uDC00-\\\\uDBFF\\\\uDFFF]$\"}", "\"a\"", "", "", "/pattern",
		  "String 'a' does not match regex pattern '^[\\uD800\\uDC00-\\uDBFF\\uDFFF]$'." },
		{ "{\"pattern\":\"^[\\\\p{Alnum}_]+\\\\P{Punct}$\"}", "\"a_1!\"", "", "", "/pattern",
		  "String 'a_1!' does not match regex pattern '^[\\p{Alnum}_]+\\P{Punct}$'." },
		{ "{\"minItems\":2}", "[1]", "", "", "/minItems", "Array item count 1 is less than minimum count of 2." },
		{ "{\"uniqueItems\":true}", "[1,2,1.0]", "", "", "/uniqueItems", "Non-unique array item at index 2." },
		{ "{\"multipleOf\":0.01}", "0.075", "", "", "/multipleOf", "Number 0.075 is not a multiple of 0.01." },
		{ "{\"anyOf\":[{\"type\":\"null\"},{\"minimum\":2}]}", "1", "", "", "/anyOf", "JSON does not match any schemas from 'anyOf'." },
		{ "{\"oneOf\":[{},{\"minimum\":0},{\"minimum\":2}]}", "1", "", "", "/oneOf",
		  "JSON is valid against more than one schema from 'oneOf'. Valid schema indexes: 0, 1." },
		{ "{\"not\":{}}", "1", "", "", "/not", "JSON is valid against schema from 'not'." },
		{ "{\"items\":false}", "[1]", "[0]", "/0", "/items", "Schema always fails validation." },
		{ "{\"contains\":{\"const\":1}}", "[2]", "", "", "/contains", "No items match contains." },
		{ "{\"$ref\":\"#/$defs/x~1y\",\"$defs\":{\"x/y\":{\"type\":\"null\"}}}", "1", "", "", "/$defs/x~1y/type",
		  "Invalid type. Expected Null but got Integer." },
		{ "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", "", "", "/dependentRequired",
		  "Dependencies for property 'a' failed. Missing required keys: b." },
		{ "{\"format\":\"date\"}", "\"2025-02-29\"", "", "", "/format", "String '2025-02-29' does not validate against format 'date'." },
		{ "{\"format\":\"int32\"}", "2147483648", "", "", "/format", "Integer 2147483648 does not validate against format 'int32'." },
	};
	const struct jsonschema_options options = { .formats = true };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct jsonschema_result got;
		struct jsonschema *s = NULL;

		CHECK_INT(rows[i].schema, jsonschema_new(&s, parse(a, rows[i].schema), STR(""), &options, NULL).code, GH_OK);
		CHECK_INT(rows[i].schema, jsonschema_validate(s, parse(a, rows[i].value), a, 5, &got, NULL).code, GH_OK);
		CHECK(rows[i].schema, !got.valid && got.n_errors == 1);
		if (got.n_errors > 0) {
			CHECK_STR(rows[i].schema, got.errors[0].message, str_of(rows[i].message));
			CHECK_STR(rows[i].schema, got.errors[0].path, str_of(rows[i].path));
			CHECK_STR(rows[i].schema, got.errors[0].instance, str_of(rows[i].instance));
			CHECK_STR(rows[i].schema, got.errors[0].schema, str_of(rows[i].pointer));
		}
		jsonschema_free(s);
		arena_free(a);
	}
	check_done();
}

static const char description[] =
	"{\"openapi\":\"3.0.0\",\"components\":{\"schemas\":{"
	"\"Id\":{\"type\":\"integer\",\"readOnly\":true},"
	"\"Base\":{\"type\":\"object\",\"required\":[\"id\",\"secret\",\"name\"],\"properties\":{"
	"\"id\":{\"$ref\":\"#/components/schemas/Id\"},\"secret\":{\"type\":\"string\",\"writeOnly\":true},"
	"\"name\":{\"type\":\"string\",\"nullable\":true,\"minLength\":1},"
	"\"age\":{\"type\":\"number\",\"minimum\":0,\"exclusiveMinimum\":true},"
	"\"self\":{\"$ref\":\"#/components/schemas/Base\",\"minProperties\":99}}},"
	"\"Dog\":{\"allOf\":[{\"$ref\":\"#/components/schemas/Base\"},{\"properties\":{\"bark\":{\"type\":\"boolean\"}}}]},"
	"\"Open\":{\"properties\":{\"a\":{}},\"additionalProperties\":true},"
	"\"a%b/c\":{\"type\":\"null\"}}}}";

static void openapi_dialect(void **state UNUSED)
{
	static const struct {
		const char *label, *name, *value;
		enum jsonschema_direction way;
		bool closed, want;
	} rows[] = {
		{ "complete", "Base", "{\"id\":1,\"secret\":\"s\",\"name\":\"n\"}", JSONSCHEMA_ANY_WAY, false, true },
		{ "all are required", "Base", "{\"secret\":\"s\",\"name\":\"n\"}", JSONSCHEMA_ANY_WAY, false, false },
		{ "a request need not have what is read-only", "Base", "{\"secret\":\"s\",\"name\":\"n\"}", JSONSCHEMA_REQUEST, false, true },
		{ "a request needs what is write-only", "Base", "{\"id\":1,\"name\":\"n\"}", JSONSCHEMA_REQUEST, false, false },
		{ "a response need not have what is write-only", "Base", "{\"id\":1,\"name\":\"n\"}", JSONSCHEMA_RESPONSE, false, true },
		{ "nullable", "Base", "{\"secret\":\"s\",\"name\":null}", JSONSCHEMA_REQUEST, false, true },
		{ "not nullable", "Base", "{\"secret\":null,\"name\":\"n\"}", JSONSCHEMA_REQUEST, false, false },
		{ "boolean exclusiveMinimum", "Base", "{\"secret\":\"s\",\"name\":\"n\",\"age\":0}", JSONSCHEMA_REQUEST, false, false },
		{ "above it", "Base", "{\"secret\":\"s\",\"name\":\"n\",\"age\":0.1}", JSONSCHEMA_REQUEST, false, true },
		{ "beside $ref nothing counts", "Base", "{\"secret\":\"s\",\"name\":\"n\",\"self\":{\"secret\":\"s\",\"name\":\"n\"}}",
		  JSONSCHEMA_REQUEST, false, true },
		{ "open", "Dog", "{\"secret\":\"s\",\"name\":\"n\",\"bark\":true,\"x\":1}", JSONSCHEMA_REQUEST, false, true },
		{ "closed over allOf", "Dog", "{\"secret\":\"s\",\"name\":\"n\",\"bark\":true}", JSONSCHEMA_REQUEST, true, true },
		{ "closed refuses what none knows", "Dog", "{\"secret\":\"s\",\"name\":\"n\",\"bark\":true,\"x\":1}", JSONSCHEMA_REQUEST, true,
		  false },
		{ "closed inside", "Dog", "{\"secret\":\"s\",\"name\":\"n\",\"self\":{\"secret\":\"s\",\"name\":\"n\",\"x\":1}}",
		  JSONSCHEMA_REQUEST, true, false },
		{ "closed overrides what says it is open", "Open", "{\"b\":1}", JSONSCHEMA_REQUEST, true, false },
		{ "a name with escapes", "a%b~1c", "null", JSONSCHEMA_REQUEST, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct jsonschema_options options = { .dialect = JSONSCHEMA_OPENAPI_3_0, .direction = rows[i].way,
							    .closed = rows[i].closed };
		struct arena *a = arena_new(1 << 20);
		struct jsonschema_result got = { 0 };
		struct gh_err err = { 0 };
		struct jsonschema *s = NULL;
		struct str pointer = arena_printf(a, "/components/schemas/%s", rows[i].name);

		CHECK_INT(rows[i].label, jsonschema_new(&s, parse(a, description), pointer, &options, &err).code, GH_OK);
		if (s)
			CHECK_INT(rows[i].label, jsonschema_validate(s, parse(a, rows[i].value), a, 9, &got, NULL).code, GH_OK);
		CHECK_INT(rows[i].label, got.valid, rows[i].want);
		if (got.valid != rows[i].want && got.n_errors > 0)
			fprintf(stderr, "# %s\n", got.errors[0].message.p);
		jsonschema_free(s);
		arena_free(a);
	}
	check_done();
}

/* The caller's choices over what the schema says of additional properties and of names. */
static void choices(void **state UNUSED)
{
	static const char strict[] = "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"}},\"required\":[\"id\"],"
				     "\"additionalProperties\":false}";
	static const char map[] = "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}";
	static const char never[] = "{\"properties\":{\"id\":true},\"unevaluatedProperties\":false}";
	static const char needs[] = "{\"dependentRequired\":{\"A\":[\"B\"]}}";
	static const struct {
		const char *label, *schema, *value;
		bool closed, open, ignore_case, want;
	} rows[] = {
		{ "as written: a further property", strict, "{\"id\":1,\"x\":2}", false, false, false, false },
		{ "open: a further property", strict, "{\"id\":1,\"x\":2}", false, true, false, true },
		{ "open: the others are still checked", strict, "{\"id\":\"1\",\"x\":2}", false, true, false, false },
		{ "open: also unevaluatedProperties", never, "{\"x\":1}", false, true, false, true },
		{ "as written: unevaluatedProperties", never, "{\"x\":1}", false, false, false, false },
		{ "closed: a map says of what its members are", map, "{\"x\":1}", true, false, false, true },
		{ "closed: a map still checks them", map, "{\"x\":\"1\"}", true, false, false, false },
		{ "another spelling is another name", strict, "{\"ID\":1}", false, false, false, false },
		{ "without case: it is there", strict, "{\"ID\":1}", false, false, true, true },
		{ "without case: it is checked", strict, "{\"Id\":\"x\"}", false, false, true, false },
		{ "without case: each spelling is checked", strict, "{\"id\":1,\"ID\":\"x\"}", false, false, true, false },
		{ "without case: closed knows it", strict, "{\"iD\":1}", true, false, true, true },
		{ "without case: others are others", strict, "{\"id\":1,\"idx\":1}", false, false, true, false },
		{ "without case: what a property asks for", needs, "{\"a\":1}", false, false, true, false },
		{ "without case: and it is there", needs, "{\"a\":1,\"b\":1}", false, false, true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct jsonschema_options options = { .closed = rows[i].closed, .open = rows[i].open,
							    .ignore_case = rows[i].ignore_case };
		struct arena *a = arena_new(1 << 20);
		struct jsonschema_result got = { 0 };
		struct jsonschema *s = NULL;

		CHECK_INT(rows[i].label, jsonschema_new(&s, parse(a, rows[i].schema), STR(""), &options, NULL).code, GH_OK);
		if (s)
			CHECK_INT(rows[i].label, jsonschema_validate(s, parse(a, rows[i].value), a, 9, &got, NULL).code, GH_OK);
		CHECK_INT(rows[i].label, got.valid, rows[i].want);
		jsonschema_free(s);
		arena_free(a);
	}
	check_done();
}

static void refused_schemas(void **state UNUSED)
{
	static const struct {
		const char *schema, *message;
	} rows[] = {
		{ "1", "a schema is an object, true or false, not integer" },
		{ "{\"type\":\"text\"}", "#/type: must be object, array" },
		{ "{\"properties\":{\"a\":{\"pattern\":\"(\"}}}", "#/properties/a: the pattern '(' is not understood at character 2" },
		{ "{\"$ref\":\"#/x\"}", "the reference '#/x' leads nowhere" },
		{ "{\"$ref\":\"other.json\"}", "leads to a document that is not here" },
		{ "{\"$ref\":\"#x\"}", "names an anchor that is not here" },
		{ "{\"allOf\":{}}", "#/allOf: must be a list of schemas" },
		{ "{\"properties\":[]}", "#/properties: must be an object of schemas" },
		{ "{\"minLength\":-1}", "integers of 0 or more" },
		{ "{\"multipleOf\":0}", "above 0" },
		{ "{\"required\":\"a\"}", "#/required: must be a list" },
		{ "{\"items\":{\"not\":[]}}", "#/items/not: a schema is an object" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct gh_err err = { 0 };
		struct jsonschema *s = NULL;

		CHECK_INT(rows[i].schema, jsonschema_new(&s, parse(a, rows[i].schema), STR(""), NULL, &err).code, GH_E_INVALID);
		CHECK(rows[i].schema, s == NULL);
		if (!strstr(err.message, rows[i].message)) {
			CHECK(rows[i].schema, !"message");
			fprintf(stderr, "# %s\n", err.message);
		}
		arena_free(a);
	}
	check_done();
}

static void limits(void **state UNUSED)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct jsonschema_result got;
	struct jsonschema *s = NULL;
	char *deep = malloc(4001);
	struct buf many;

	/* a reference to itself never ends */
	assert_int_equal(jsonschema_new(&s, parse(a, "{\"$ref\":\"#\"}"), STR(""), NULL, NULL).code, GH_OK);
	assert_int_equal(jsonschema_validate(s, parse(a, "1"), a, 5, &got, NULL).code, GH_OK);
	CHECK("endless reference", !got.valid && got.gave_up);
	jsonschema_free(s);

	assert_int_equal(jsonschema_new(&s, parse(a, "{\"items\":{\"$ref\":\"#\"}}"), STR(""), NULL, NULL).code, GH_OK);
	memset(deep, '[', 2000);
	memset(deep + 2000, ']', 2000);
	deep[4000] = '\0';
	assert_int_equal(jsonschema_validate(s, parse(a, deep), a, 5, &got, NULL).code, GH_OK);
	CHECK("deep value", !got.valid && got.gave_up);
	jsonschema_free(s);
	free(deep);

	assert_int_equal(jsonschema_new(&s, parse(a, "{\"pattern\":\"^(a+)+$\"}"), STR(""), NULL, NULL).code, GH_OK);
	assert_int_equal(jsonschema_validate(s, parse(a, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\""), a, 5, &got, NULL).code, GH_OK);
	CHECK("hostile pattern", !got.valid);
	jsonschema_free(s);

	assert_int_equal(jsonschema_new(&s, parse(a, "{\"items\":{\"type\":\"null\"}}"), STR(""), NULL, NULL).code, GH_OK);
	buf_init(&many, 1 << 20);
	buf_char(&many, '[');
	for (int i = 0; i < 5000; i++)
		buf_cstr(&many, i ? ",1" : "1");
	buf_char(&many, ']');
	assert_int_equal(jsonschema_validate(s, parse(a, many.p), a, 7, &got, NULL).code, GH_OK);
	CHECK_INT("as many errors as asked for", got.n_errors, 7);
	buf_release(&many);
	jsonschema_free(s);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(openapi_dialect),
		cmocka_unit_test(choices),
		cmocka_unit_test(refused_schemas),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests_name("core/jsonschema", tests, NULL, NULL);
}
