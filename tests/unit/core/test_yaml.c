/* YAML to JSON values and back. */
#include "tests/unit/check.h"

#include "core/yaml.h"

static const struct {
	const char *label;
	struct str yaml;
	const char *json;
} good[] = {
	{ "empty", STR_INIT(""), "null" },
	{ "comment only", STR_INIT("# nothing\n"), "null" },
	{ "nulls", STR_INIT("[~, null, Null, NULL, ]"), "[null,null,null,null]" },
	{ "empty value", STR_INIT("a:\nb: 1\n"), "{\"a\":null,\"b\":1}" },
	{ "booleans", STR_INIT("[true, True, TRUE, false, False, FALSE]"), "[true,true,true,false,false,false]" },
	{ "words of YAML 1.1 are texts", STR_INIT("[yes, no, on, off, y, tRue]"), "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"tRue\"]" },
	{ "integers", STR_INIT("[0, -1, +12, 007, 0o17, 0xFF]"), "[0,-1,12,7,15,255]" },
	{ "reals", STR_INIT("[1.5, .5, 1., -2.5e3, 1e3]"), "[1.5,0.5,1.0,-2500.0,1000.0]" },
	{ "numbers of YAML 1.1 are texts", STR_INIT("[1_000, 0b11, 1:30]"), "[\"1_000\",\"0b11\",\"1:30\"]" },
	{ "not numbers", STR_INIT("[-, +, 1.2.3, 1e, 0x, 0o8, .inf, .nan]"),
	  "[\"-\",\"+\",\"1.2.3\",\"1e\",\"0x\",\"0o8\",\".inf\",\".nan\"]" },
	{ "past 64 bits", STR_INIT("[18446744073709551615]"), "[1.8446744073709552e+19]" },
	{ "dates are texts", STR_INIT("d: 2020-01-02"), "{\"d\":\"2020-01-02\"}" },
	{ "quoted numbers are texts", STR_INIT("['1', \"true\"]"), "[\"1\",\"true\"]" },
	{ "names stay texts", STR_INIT("200: ok\non: push\ntrue: x\nnull: y"),
	  "{\"200\":\"ok\",\"on\":\"push\",\"true\":\"x\",\"null\":\"y\"}" },
	{ "literal", STR_INIT("a: |\n  x\n   y\n"), "{\"a\":\"x\\n y\\n\"}" },
	{ "folded", STR_INIT("a: >-\n  x\n  y\n"), "{\"a\":\"x y\"}" },
	{ "alias", STR_INIT("a: &x {k: 1}\nb: *x\n"), "{\"a\":{\"k\":1},\"b\":{\"k\":1}}" },
	{ "the latest anchor counts", STR_INIT("[&x 1, *x, &x 2, *x]"), "[1,1,2,2]" },
	{ "merge", STR_INIT("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3\n"), "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"k\":3,\"l\":2}}" },
	{ "merge of a list", STR_INIT("a: &x {k: 1}\nc: &y {k: 5, m: 2}\nb: {<<: [*x, *y]}\n"),
	  "{\"a\":{\"k\":1},\"c\":{\"k\":5,\"m\":2},\"b\":{\"k\":1,\"m\":2}}" },
	{ "a quoted << is a name", STR_INIT("'<<': 1"), "{\"<<\":1}" },
	{ "tags of the schema", STR_INIT("[!!str 1, !!int \"2\", !!float 1.5, !!bool true, ! 3, !!seq [], !!map {}]"),
	  "[\"1\",2,1.5,true,\"3\",[],{}]" },
	{ "document marks", STR_INIT("%YAML 1.2\n---\na: 1\n...\n"), "{\"a\":1}" },
	{ "beyond ASCII", STR_INIT("a: \"\\u00e9\xc3\xa9\""), "{\"a\":\"\xc3\xa9\xc3\xa9\"}" },
};

static void reading(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct arena *a = arena_new(1 << 20);
		struct gh_err err;
		json_t *v;
		gh_rc rc = yaml_parse(good[i].yaml, NULL, &v, NULL, &err);

		CHECK_INT(good[i].label, rc.code, GH_OK);
		CHECK_STR(good[i].label, jsn_text(a, v, 0), str_of(good[i].json));
		json_decref(v);
		arena_free(a);
	}
	check_done();
}

static void refusing(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str yaml;
		enum gh_code want;
		unsigned line, column;
		const char *message;
	} rows[] = {
		{ "duplicate name", STR_INIT("a: 1\nb: 2\na: 3\n"), GH_E_SYNTAX, 3, 1, "'a' stands twice" },
		{ "cycle", STR_INIT("a: &x [1, *x]\n"), GH_E_SYNTAX, 1, 11, "inside the value" },
		{ "unknown alias", STR_INIT("a: *x\n"), GH_E_SYNTAX, 1, 4, "names no anchor" },
		{ "unknown tag", STR_INIT("a: !!python/object x\n"), GH_E_SYNTAX, 1, 4, "tag " },
		{ "wrong content for a tag", STR_INIT("a: !!int x\n"), GH_E_SYNTAX, 1, 4, "'x' is no int" },
		{ "list as a name", STR_INIT("? [1]\n: 2\n"), GH_E_SYNTAX, 1, 3, "must be a single value" },
		{ "second document", STR_INIT("a: 1\n---\nb: 2\n"), GH_E_SYNTAX, 2, 1, "second document" },
		{ "bad indentation", STR_INIT("a:\n  b: 1\n c: 2\n"), GH_E_SYNTAX, 3, 2, "block mapping" },
		{ "tab", STR_INIT("a:\n\tb: 1\n"), GH_E_SYNTAX, 2, 1, "token" },
		{ "unclosed", STR_INIT("a: [1,\n"), GH_E_SYNTAX, 2, 1, "flow" },
		{ "broken UTF-8", STR_INIT("a: \xff\n"), GH_E_SYNTAX, 1, 1, "UTF-8" },
		{ "merge of a text", STR_INIT("<<: x\n"), GH_E_SYNTAX, 2, 1, "merges a mapping" },
		{ "too many values", STR_INIT("[1,2,3,4,5,6,7,8,9,10,11]"), GH_E_LIMIT, 1, 20, "more than 10 values" },
		{ "too deep", STR_INIT("[[[[[[]]]]]]"), GH_E_LIMIT, 1, 6, "nested more than 5" },
		{ "too long", STR_INIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), GH_E_LIMIT, 0, 0, "65 bytes" },
		{ "alias bomb", STR_INIT("- &a [1,2,3]\n- [*a,*a,*a,*a]\n"), GH_E_LIMIT, 2, 4, "aliases expand" },
		{ "zero character", STR_INIT("a: \"\\0\""), GH_E_SYNTAX, 1, 4, "U+0000" },
	};
	const struct yaml_limits limits = { .max_bytes = 64, .max_nodes = 10, .max_depth = 5 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gh_err err = { 0 };
		struct text_where at;
		json_t *v;
		gh_rc rc = yaml_parse(rows[i].yaml, &limits, &v, &at, &err);

		CHECK_INT(rows[i].label, rc.code, rows[i].want);
		CHECK_INT(rows[i].label, at.line, rows[i].line);
		CHECK_INT(rows[i].label, at.column, rows[i].column);
		CHECK(rows[i].label, v == NULL);
		if (!strstr(err.message, rows[i].message)) {
			CHECK(rows[i].label, !"message");
			fprintf(stderr, "# %s\n", err.message);
		}
	}
	check_done();
}

static void writing(void **state UNUSED)
{
	static const struct {
		const char *json, *yaml;
	} rows[] = {
		{ "{\"a\":1,\"b\":[1.5,\"x\",{\"c\":null,\"d\":[]}],\"e\":{}}",
		  "a: 1\nb:\n  - 1.5\n  - x\n  - c: null\n    d: []\ne: {}\n" },
		{ "[[1,[2]],{}]", "-\n  - 1\n  -\n    - 2\n- {}\n" },
		{ "{\"t\":\"true\",\"n\":\"1\",\"e\":\"\",\"y\":\"yes\",\"c\":\"a: b\",\"h\":\"a #b\",\"s\":\" a\",\"q\":\"'\",\"d\":\"-\"}",
		  "t: \"true\"\n\"n\": \"1\"\ne: \"\"\n\"y\": \"yes\"\nc: \"a: b\"\nh: \"a #b\"\ns: \" a\"\nq: \"'\"\nd: \"-\"\n" },
		{ "{\"l\":\"x\\n y\\n\",\"m\":\"x\\n\\ny\",\"k\":\"x\\n\\n\",\"i\":\" x\\ny\",\"u\":\"\xc3\xa9\\u0007\"}",
		  "l: |\n  x\n   y\nm: |-\n  x\n\n  y\nk: |+\n  x\n\ni: \" x\\ny\"\nu: \"\xc3\xa9\\u0007\"\n" },
		{ "{\"/a/{id}\":{\"200\":{\"$ref\":\"#/x\"}}}", "/a/{id}:\n  \"200\":\n    $ref: \"#/x\"\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct buf b;
		json_t *v, *again = NULL;

		assert_int_equal(jsn_parse_in(a, str_of(rows[i].json), NULL, &v, NULL, NULL).code, GH_OK);
		buf_init(&b, 4096);
		CHECK_INT(rows[i].json, yaml_write(&b, v, NULL).code, GH_OK);
		CHECK_STR(rows[i].json, buf_view(&b), str_of(rows[i].yaml));
		CHECK_INT(rows[i].json, yaml_parse(buf_view(&b), NULL, &again, NULL, NULL).code, GH_OK);
		CHECK(rows[i].json, json_equal(v, again));
		json_decref(again);
		buf_release(&b);
		arena_free(a);
	}
	check_done();
}

static void places(void **state UNUSED)
{
	static const struct {
		struct str text, pointer;
		unsigned line, column;
	} rows[] = {
		{ STR_INIT("a: 1\nb:\n  c: [x, y]\n"), STR_INIT("/b/c/1"), 3, 10 },
		{ STR_INIT("a: 1\nb:\n  c: [x, y]\n"), STR_INIT("/b/c"), 3, 3 },
		{ STR_INIT("a: {z: 1}\nb:\n  a/b: 1\n"), STR_INIT("/b/a~1b"), 3, 3 },
		{ STR_INIT("a: 1\n"), STR_INIT("/x"), 0, 0 },
		{ STR_INIT("a: 1\n"), STR_INIT("/a/b"), 0, 0 },
		{ STR_INIT("a: 1\n"), STR_INIT(""), 1, 1 },
		{ STR_INIT("{\"a\": {\n \"b\": [1,\n2]}}"), STR_INIT("/a/b/1"), 3, 1 },
		{ STR_INIT(""), STR_INIT("/a"), 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text_where at = yaml_locate(rows[i].text, rows[i].pointer);

		CHECK_INT(rows[i].pointer.p, at.line, rows[i].line);
		CHECK_INT(rows[i].pointer.p, at.column, rows[i].column);
	}
	check_done();
}

static void either(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str text;
		enum gh_code want;
		const char *json;
	} rows[] = {
		{ "JSON", STR_INIT(" {\"a\":1}"), GH_OK, "{\"a\":1}" },
		{ "JSON behind a byte order mark", STR_INIT("\xef\xbb\xbf{\"a\":1}"), GH_OK, "{\"a\":1}" },
		{ "flow YAML", STR_INIT("{a: 1}"), GH_OK, "{\"a\":1}" },
		{ "YAML", STR_INIT("a: 1"), GH_OK, "{\"a\":1}" },
		{ "neither", STR_INIT("{\"a\" 1"), GH_E_SYNTAX, "null" },
		{ "JSON with a duplicate", STR_INIT("{\"a\":1,\"a\":1}"), GH_E_SYNTAX, "null" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct text_where at;
		json_t *v;

		CHECK_INT(rows[i].label, yaml_or_json_parse(rows[i].text, 1000, &v, &at, NULL).code, rows[i].want);
		CHECK_STR(rows[i].label, jsn_text(a, v, 0), str_of(rows[i].json));
		json_decref(v);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading), cmocka_unit_test(refusing), cmocka_unit_test(writing),
		cmocka_unit_test(places),  cmocka_unit_test(either),
	};

	return cmocka_run_group_tests_name("core/yaml", tests, NULL, NULL);
}
