/* Address patterns: reading them, one against a path, the most specific of many, and what a search costs. */
#include "tests/unit/check.h"

#include "core/buf.h"
#include "core/uritemplate.h"

#include <time.h>

static void show(struct buf *b, const struct uritemplate_values *v)
{
	buf_clear(b);
	for (size_t i = 0; i < v->n; i++) {
		if (i)
			buf_char(b, ' ');
		buf_str(b, v->v[i].name);
		buf_char(b, '=');
		buf_str(b, v->v[i].value);
	}
}

static void matching(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str template, path, query;
		bool ok;
		struct str values;
	} rows[] = {
		{ "literal", STR_INIT("/pets"), STR_INIT("/pets"), { 0 }, true, STR_INIT("") },
		{ "without ASCII case", STR_INIT("/Pets"), STR_INIT("/pETS"), { 0 }, true, STR_INIT("") },
		{ "escaped letter", STR_INIT("/pets"), STR_INIT("/p%65ts"), { 0 }, true, STR_INIT("") },
		{ "escape in the template", STR_INIT("/a%20b"), STR_INIT("/a b"), { 0 }, true, STR_INIT("") },
		{ "other literal", STR_INIT("/pets"), STR_INIT("/pet"), { 0 }, false, STR_INIT("") },
		{ "longer path", STR_INIT("/pets"), STR_INIT("/pets/1"), { 0 }, false, STR_INIT("") },
		{ "slash at the end", STR_INIT("/pets"), STR_INIT("/pets/"), { 0 }, true, STR_INIT("") },
		{ "slash at the template's end", STR_INIT("/pets/"), STR_INIT("/pets"), { 0 }, true, STR_INIT("") },
		{ "two slashes at the end", STR_INIT("/pets"), STR_INIT("/pets//"), { 0 }, false, STR_INIT("") },
		{ "root", STR_INIT("/"), STR_INIT("/"), { 0 }, true, STR_INIT("") },
		{ "root of nothing", STR_INIT("/"), STR_INIT(""), { 0 }, true, STR_INIT("") },
		{ "empty template", STR_INIT(""), STR_INIT("/"), { 0 }, true, STR_INIT("") },
		{ "root is not two slashes", STR_INIT("/"), STR_INIT("//"), { 0 }, false, STR_INIT("") },
		{ "parameter", STR_INIT("/pets/{id}"), STR_INIT("/pets/7"), { 0 }, true, STR_INIT("id=7") },
		{ "decoded", STR_INIT("/pets/{id}"), STR_INIT("/pets/a%20b+c"), { 0 }, true, STR_INIT("id=a b+c") },
		{ "empty parameter", STR_INIT("/pets/{id}"), STR_INIT("/pets/"), { 0 }, false, STR_INIT("") },
		{ "empty parameter in the middle", STR_INIT("/a/{x}/b"), STR_INIT("/a//b"), { 0 }, false, STR_INIT("") },
		{ "two", STR_INIT("/{a}/x/{b}"), STR_INIT("/1/x/2"), { 0 }, true, STR_INIT("a=1 b=2") },
		{ "file and extension", STR_INIT("/{name}.{ext}"), STR_INIT("/a.tar.gz"), { 0 }, true, STR_INIT("name=a.tar ext=gz") },
		{ "no extension", STR_INIT("/{name}.{ext}"), STR_INIT("/a."), { 0 }, false, STR_INIT("") },
		{ "no name", STR_INIT("/{name}.{ext}"), STR_INIT("/.a"), { 0 }, false, STR_INIT("") },
		{ "dot alone", STR_INIT("/{name}.{ext}"), STR_INIT("/."), { 0 }, false, STR_INIT("") },
		{ "text around", STR_INIT("/v{n}-beta"), STR_INIT("/V2-BETA"), { 0 }, true, STR_INIT("n=2") },
		{ "text around nothing", STR_INIT("/v{n}-beta"), STR_INIT("/v-beta"), { 0 }, false, STR_INIT("") },
		{ "prefix and suffix overlap", STR_INIT("/aba{x}aba"), STR_INIT("/ababa"), { 0 }, false, STR_INIT("") },
		{ "function call", STR_INIT("/d(t='{t}',u={u})"), STR_INIT("/d(t='a',u=b)"), { 0 }, true, STR_INIT("t=a u=b") },
		{ "three in one", STR_INIT("/{a}-{b}-{c}"), STR_INIT("/1-2-3-4"), { 0 }, true, STR_INIT("a=1-2 b=3 c=4") },
		{ "three in one, tight", STR_INIT("/{a}--{b}--{c}"), STR_INIT("/1--2--3"), { 0 }, true, STR_INIT("a=1 b=2 c=3") },
		{ "three in one, too short", STR_INIT("/{a}-{b}-{c}"), STR_INIT("/1-2"), { 0 }, false, STR_INIT("") },
		{ "escaped separator", STR_INIT("/{a}.{b}"), STR_INIT("/x%2Ey"), { 0 }, true, STR_INIT("a=x b=y") },
		{ "wildcard", STR_INIT("/f/{*path}"), STR_INIT("/f/a/b%20c/"), { 0 }, true, STR_INIT("path=a/b c/") },
		{ "wildcard of nothing", STR_INIT("/f/{*path}"), STR_INIT("/f"), { 0 }, true, STR_INIT("path=") },
		{ "star", STR_INIT("/f/*"), STR_INIT("/f/a/b"), { 0 }, true, STR_INIT("") },
		{ "star for all", STR_INIT("/*"), STR_INIT("/"), { 0 }, true, STR_INIT("") },
		{ "star elsewhere", STR_INIT("/f/*"), STR_INIT("/g/a"), { 0 }, false, STR_INIT("") },
		{ "default", STR_INIT("/r/{f=pdf}"), STR_INIT("/r"), { 0 }, true, STR_INIT("f=pdf") },
		{ "default not needed", STR_INIT("/r/{f=pdf}"), STR_INIT("/r/x"), { 0 }, true, STR_INIT("f=x") },
		{ "two defaults", STR_INIT("/{a=1}/{b=2}"), STR_INIT("/x"), { 0 }, true, STR_INIT("a=x b=2") },
		{ "default and wildcard", STR_INIT("/{a=1}/{*b}"), STR_INIT("/"), { 0 }, true, STR_INIT("a=1 b=") },
		{ "query", STR_INIT("/o?s={s}"), STR_INIT("/o"), STR_INIT("x=1&s=a%20b+c"), true, STR_INIT("s=a b c") },
		{ "query is missing", STR_INIT("/o?s={s}"), STR_INIT("/o"), STR_INIT("x=1"), false, STR_INIT("") },
		{ "no query at all", STR_INIT("/o?s={s}"), STR_INIT("/o"), { 0 }, false, STR_INIT("") },
		{ "empty value", STR_INIT("/o?s={s}"), STR_INIT("/o"), STR_INIT("s="), true, STR_INIT("s=") },
		{ "query name in other case", STR_INIT("/o?Status={s}"), STR_INIT("/o"), STR_INIT("status=1"), true, STR_INIT("s=1") },
		{ "query default", STR_INIT("/o?p={p=1}"), STR_INIT("/o"), { 0 }, true, STR_INIT("p=1") },
		{ "query default not needed", STR_INIT("/o?p={p=1}"), STR_INIT("/o"), STR_INIT("p=3"), true, STR_INIT("p=3") },
		{ "literal value", STR_INIT("/o?kind=new"), STR_INIT("/o"), STR_INIT("kind=NEW"), true, STR_INIT("") },
		{ "other value", STR_INIT("/o?kind=new"), STR_INIT("/o"), STR_INIT("kind=old"), false, STR_INIT("") },
		{ "name alone", STR_INIT("/o?flag"), STR_INIT("/o"), STR_INIT("flag"), true, STR_INIT("") },
		{ "path and query", STR_INIT("/o/{id}?a={b}"), STR_INIT("/o/7"), STR_INIT("a=1"), true, STR_INIT("id=7 b=1") },
	};
	struct arena *a = arena_new(1 << 20);
	struct uritemplate_values v;
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct uritemplate *t;
		struct uritemplate_set *set = uritemplate_set_new(a);
		struct gh_err err = { .message = "" };

		if (uritemplate_parse(a, rows[i].template, &t, &err).code) {
			CHECK_STR(rows[i].label, str_of(err.message), STR("(parsed)"));
			continue;
		}
		CHECK_INT(rows[i].label, uritemplate_match(t, a, rows[i].path, rows[i].query, &v), rows[i].ok);
		if (rows[i].ok) {
			show(&b, &v);
			CHECK_STR(rows[i].label, buf_view(&b), rows[i].values);
		}
		assert_int_equal(uritemplate_set_add(set, t, STR("GET"), &b, NULL, NULL).code, GH_OK);
		CHECK(rows[i].label, (uritemplate_set_find(set, a, STR("GET"), rows[i].path, rows[i].query, &v, NULL) == &b)
		      == rows[i].ok);
		if (rows[i].ok) {
			show(&b, &v);
			CHECK_STR(rows[i].label, buf_view(&b), rows[i].values);
		}
	}
	buf_release(&b);
	arena_free(a);
	check_done();
}

static void refused(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str template;
		const char *says;
	} rows[] = {
		{ "open brace", STR_INIT("/a/{id"), "character 4" },
		{ "closing brace", STR_INIT("/a/id}"), "closing brace" },
		{ "no name", STR_INIT("/a/{}"), "no name" },
		{ "nested", STR_INIT("/a/{b{c}}"), "brace inside" },
		{ "the same name twice", STR_INIT("/{id}/{ID}"), "twice" },
		{ "the same name in the query", STR_INIT("/{id}?x={id}"), "twice" },
		{ "side by side", STR_INIT("/{a}{b}"), "without a text between" },
		{ "wildcard in the middle", STR_INIT("/{*a}/b"), "last segment" },
		{ "star in the middle", STR_INIT("/*/b"), "last segment" },
		{ "wildcard with text", STR_INIT("/a{*b}"), "must stand alone" },
		{ "query without a name", STR_INIT("/a?{b}"), "name={parameter}" },
		{ "query with text", STR_INIT("/a?b={c}d"), "name={parameter}" },
		{ "query wildcard", STR_INIT("/a?b={*c}"), "name={parameter}" },
	};
	struct arena *a = arena_new(1 << 20);
	struct buf b;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct uritemplate *t;
		struct gh_err err = { .message = "" };

		CHECK_INT(rows[i].label, uritemplate_parse(a, rows[i].template, &t, &err).code, GH_E_INVALID);
		CHECK(rows[i].label, strstr(err.message, rows[i].says));
	}
	buf_init(&b, 1 << 16);
	for (int i = 0; i <= URITEMPLATE_SEGMENTS_MAX; i++)
		buf_cstr(&b, "/a");
	const struct uritemplate *t;

	CHECK_INT("too many segments", uritemplate_parse(a, buf_view(&b), &t, NULL).code, GH_E_INVALID);
	CHECK_INT("most segments", uritemplate_parse(a, str_from(buf_view(&b), 2), &t, NULL).code, GH_OK);
	CHECK("most segments match", uritemplate_match(t, a, str_from(buf_view(&b), 2), STR_NULL, NULL));
	CHECK("one more does not", !uritemplate_match(t, a, buf_view(&b), STR_NULL, NULL));
	buf_clear(&b);
	for (int i = 0; i <= URITEMPLATE_PARAMS_MAX; i++)
		buf_fmt(&b, "%sx%d={p%d}", i ? "&" : "/?", i, i);
	CHECK_INT("too many parameters", uritemplate_parse(a, buf_view(&b), &t, NULL).code, GH_E_INVALID);
	buf_release(&b);
	arena_free(a);
	check_done();
}

static const char *const templates[] = {
	"GET /pets", "POST /pets", "GET /pets/{id}", "GET /pets/mine", "DELETE /pets/mine", "GET /pets/{id}/toys",
	"GET /pets/{id}.json", "GET /pets/x{id}.json", "GET /files/{*path}", "GET /files/readme", "GET /files/{dir}/index",
	"GET /orders?status={s}", "GET /orders", "GET /orders?status={s}&page={p}", "* /any", "GET /any", "GET /s", "GET /s/",
	"PUT /pets/{id}", "GET /shop/{a}/x", "GET /shop/sale/y", "OPTIONS /cors",
};

static void specific(void **state UNUSED)
{
	static const struct {
		const char *label, *method;
		struct str path, query;
		const char *want;
		bool other;
	} rows[] = {
		{ "literal", "GET", STR_INIT("/pets"), { 0 }, "GET /pets", false },
		{ "by method", "POST", STR_INIT("/pets"), { 0 }, "POST /pets", false },
		{ "wrong method", "PATCH", STR_INIT("/pets"), { 0 }, NULL, true },
		{ "HEAD is not GET", "HEAD", STR_INIT("/pets"), { 0 }, NULL, true },
		{ "method's case matters", "get", STR_INIT("/pets"), { 0 }, NULL, true },
		{ "literal before parameter", "GET", STR_INIT("/pets/mine"), { 0 }, "GET /pets/mine", false },
		{ "parameter where the literal has another method", "PUT", STR_INIT("/pets/mine"), { 0 }, "PUT /pets/{id}", false },
		{ "parameter", "GET", STR_INIT("/pets/7"), { 0 }, "GET /pets/{id}", false },
		{ "text with parameter before parameter", "GET", STR_INIT("/pets/7.json"), { 0 }, "GET /pets/{id}.json", false },
		{ "more text before less", "GET", STR_INIT("/pets/x7.json"), { 0 }, "GET /pets/x{id}.json", false },
		{ "below a parameter", "GET", STR_INIT("/pets/mine/toys"), { 0 }, "GET /pets/{id}/toys", false },
		{ "wildcard", "GET", STR_INIT("/files/a/b/c"), { 0 }, "GET /files/{*path}", false },
		{ "literal before wildcard", "GET", STR_INIT("/files/readme"), { 0 }, "GET /files/readme", false },
		{ "parameter before wildcard", "GET", STR_INIT("/files/a/index"), { 0 }, "GET /files/{dir}/index", false },
		{ "back to the wildcard", "GET", STR_INIT("/files/readme/x"), { 0 }, "GET /files/{*path}", false },
		{ "back to the parameter", "GET", STR_INIT("/shop/sale/x"), { 0 }, "GET /shop/{a}/x", false },
		{ "no query", "GET", STR_INIT("/orders"), { 0 }, "GET /orders", false },
		{ "query", "GET", STR_INIT("/orders"), STR_INIT("status=1"), "GET /orders?status={s}", false },
		{ "more query", "GET", STR_INIT("/orders"), STR_INIT("page=2&status=1"), "GET /orders?status={s}&page={p}", false },
		{ "other query", "GET", STR_INIT("/orders"), STR_INIT("page=2"), "GET /orders", false },
		{ "any method", "PURGE", STR_INIT("/any"), { 0 }, "* /any", false },
		{ "method before any method", "GET", STR_INIT("/any"), { 0 }, "GET /any", false },
		{ "slash", "GET", STR_INIT("/s/"), { 0 }, "GET /s/", false },
		{ "no slash", "GET", STR_INIT("/s"), { 0 }, "GET /s", false },
		{ "nothing there", "GET", STR_INIT("/nope"), { 0 }, NULL, false },
	};
	struct arena *a = arena_new(1 << 20);
	struct uritemplate_set *set = uritemplate_set_new(a);
	const struct uritemplate *t;
	bool shadowed;

	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		struct str text = str_of(templates[i]);
		size_t blank = str_find_char(text, ' ');

		assert_int_equal(uritemplate_parse(a, str_from(text, blank + 1), &t, NULL).code, GH_OK);
		assert_int_equal(uritemplate_set_add(set, t, str_first(text, blank), (void *)(uintptr_t)templates[i], &shadowed,
						     NULL).code, GH_OK);
		CHECK(templates[i], !shadowed);
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool other = false;
		const char *got = uritemplate_set_find(set, a, str_of(rows[i].method), rows[i].path, rows[i].query, NULL, &other);

		CHECK_STR(rows[i].label, str_of(got), str_of(rows[i].want));
		CHECK_INT(rows[i].label, other, rows[i].other);
	}
	assert_int_equal(uritemplate_parse(a, STR("/pets/{other}"), &t, NULL).code, GH_OK);
	assert_int_equal(uritemplate_set_add(set, t, STR("GET"), &a, &shadowed, NULL).code, GH_OK);
	CHECK("the second of two equal ones is told", shadowed);
	CHECK_STR("the first of two equal ones wins",
		  str_of(uritemplate_set_find(set, a, STR("GET"), STR("/pets/1"), STR_NULL, NULL, NULL)),
		  STR("GET /pets/{id}"));
	arena_free(a);
	check_done();
}

/* Of this thread: what else the machine does is not counted. */
static int64_t used_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static int64_t cost(size_t n)
{
	struct arena *a = arena_new((size_t)1 << 28), *scratch = arena_new(1 << 20);
	struct uritemplate_set *set = uritemplate_set_new(a);
	struct uritemplate_values v;
	const struct uritemplate *t;
	int64_t start, best = INT64_MAX;
	struct str *paths = arena_alloc(a, 64, sizeof(*paths));

	for (size_t i = 0; i < n; i++) {
		struct str text = arena_printf(a, "/group-%zu/items-%zu/{id}/part-%zu", i / 100, i, i % 7);

		assert_int_equal(uritemplate_parse(a, text, &t, NULL).code, GH_OK);
		assert_int_equal(uritemplate_set_add(set, t, STR("GET"), &set, NULL, NULL).code, GH_OK);
	}
	for (size_t i = 0; i < 64; i++) {
		size_t k = i * 7919 % n;

		paths[i] = arena_printf(a, "/group-%zu/items-%zu/4711/part-%zu", k / 100, k, k % 7);
	}
	for (int round = 0; round < 5; round++) {
		start = used_us();
		for (size_t i = 0; i < 20000; i++)
			assert_ptr_equal(uritemplate_set_find(set, scratch, STR("GET"), paths[i % 64], STR_NULL, &v, NULL), &set);
		start = used_us() - start;
		best = start < best ? start : best;
	}
	arena_free(a);
	arena_free(scratch);
	return best / 20;                            /* ns each */
}

static void scaling(void **state UNUSED)
{
	int64_t few = cost(10), many = cost(100000);

	printf("# find: %lld ns among 10 templates, %lld ns among 100,000\n", (long long)few, (long long)many);
	assert_true(many < 6 * few + 1000);          /* a list would be thousands of times slower */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching), cmocka_unit_test(refused), cmocka_unit_test(specific), cmocka_unit_test(scaling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
