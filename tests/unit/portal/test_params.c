/* Names and values from outside: queries, forms, uploads, cookies, paths. */
#include "tests/unit/check.h"

#include "portal/web/params.h"

#define S STR_INIT

/* name=value,name=value of what was read; the error's kind otherwise */
static struct str show(struct arena *a, const struct web_params *p, gh_rc rc)
{
	struct str out = STR("");

	if (rc.code)
		return str_of(gh_code_name(rc.code));
	for (size_t i = 0; i < p->n; i++)
		out = arena_printf(a, "%.*s%s%.*s=%.*s", STR_ARG(out), i ? "," : "", STR_ARG(p->v[i].name),
				   STR_ARG(p->v[i].value));
	return out;
}

struct row {
	const char *label;
	struct str in, want;
};

static void urlencoded(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "nothing", S(""), S("") },
		{ "one", S("a=1"), S("a=1") },
		{ "two, repeated", S("a=1&a=2"), S("a=1,a=2") },
		{ "no value", S("a&b="), S("a=,b=") },
		{ "no name", S("=x"), S("=x") },
		{ "empty pairs", S("&&a=1&"), S("a=1") },
		{ "plus and escapes", S("q=a+b%20c%2Bd"), S("q=a b c+d") },
		{ "equals sign in the value", S("a=b=c"), S("a=b=c") },
		{ "escape cut short", S("a=%4"), S("INVALID") },
		{ "escape at the end", S("a=%"), S("INVALID") },
		{ "no hexadecimal", S("a=%GG"), S("INVALID") },
		{ "zero byte", S("a=%00"), S("INVALID") },
		{ "not UTF-8", S("a=%FF"), S("INVALID") },
		{ "UTF-8", S("a=%C3%A9"), S("a=\xC3\xA9") },
		{ "as many as may be", S("a&b&c&d"), S("a=,b=,c=,d=") },
		{ "one too many", S("a&b&c&d&e"), S("LIMIT") },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 16);
		struct web_params p;

		web_params_init(&p, 4);
		CHECK_STR(rows[i].label, show(a, &p, web_params_urlencoded(&p, a, rows[i].in, NULL)), rows[i].want);
		arena_free(a);
	}
	check_done();
}

static void cookies(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "nothing", S(""), S("") },
		{ "two", S("a=1; b=2"), S("a=1,b=2") },
		{ "quoted", S("a=\"1\""), S("a=1") },
		{ "no value", S("a; b=2"), S("b=2") },
		{ "no name", S("=1; b=2"), S("b=2") },
		{ "not UTF-8 is passed over", S("a=\xFF; b=2"), S("b=2") },
		{ "escapes stay", S("a=%41"), S("a=%41") },
		{ "equals sign in the value", S("a=b=="), S("a=b==") },
		{ "one too many", S("a=1; b=2; c=3; d=4; e=5"), S("LIMIT") },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 16);
		struct web_params p;

		web_params_init(&p, 4);
		CHECK_STR(rows[i].label, show(a, &p, web_params_cookies(&p, a, rows[i].in, NULL)), rows[i].want);
		arena_free(a);
	}
	check_done();
}

static void multipart(void **state UNUSED)
{
#define PART(name, value) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
	static const struct row rows[] = {
		{ "one", S(PART("a", "1") "--b--\r\n"), S("a=1") },
		{ "two", S(PART("a", "1") PART("c", "x\r\ny") "--b--"), S("a=1,c=x\r\ny") },
		{ "empty value", S(PART("a", "") "--b--"), S("a=") },
		{ "boundary in the value", S(PART("a", "--b") "--b--"), S("a=--b") },
		{ "none", S("--b--"), S("") },
		{ "no boundary", S("a=1"), S("PROTO") },
		{ "no end", S(PART("a", "1")), S("PROTO") },
		{ "cut in the value", S("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"), S("PROTO") },
		{ "no blank line", S("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n--b--"), S("PROTO") },
		{ "no name", S("--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--"), S("PROTO") },
		{ "one too many", S(PART("a", "") PART("a", "") PART("a", "") PART("a", "") PART("a", "") "--b--"), S("LIMIT") },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 16);
		struct web_params p;

		web_params_init(&p, 4);
		CHECK_STR(rows[i].label,
			  show(a, &p, web_params_multipart(&p, a, STR("multipart/form-data; boundary=b"), rows[i].in, NULL)),
			  rows[i].want);
		arena_free(a);
	}
	check_done();
}

static void upload(void **state UNUSED)
{
	static const struct str body = S("--x y\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a b.yaml\"\r\n"
					 "Content-Type: application/yaml\r\n\r\nopenapi: 3\r\n--x y--\r\n");
	static const struct str binary = S("--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"b\"\r\n\r\n\xff\0\x01\r\n--x--\r\n");
	struct arena *a = arena_new(1 << 16);
	const struct web_param *f;
	struct web_params p;

	web_params_init(&p, 4);
	assert_int_equal(web_params_multipart(&p, a, STR("multipart/form-data; boundary=\"x y\""), body, NULL).code, GH_OK);
	f = web_param_find(&p, "f");
	assert_non_null(f);
	CHECK_STR("bytes", f->file, STR("openapi: 3"));
	CHECK_STR("which are no text of the form", f->value, STR(""));
	CHECK_STR("file name", f->file_name, STR("a b.yaml"));
	CHECK_STR("media type", f->media_type, STR("application/yaml"));
	web_params_init(&p, 4);
	assert_int_equal(web_params_multipart(&p, a, STR("multipart/form-data; boundary=x"), binary, NULL).code, GH_OK);
	CHECK_STR("a file of any bytes", web_param_find(&p, "f")->file, ((struct str){ "\xff\0\x01", 3 }));
	CHECK_INT("no boundary", web_params_multipart(&p, a, STR("multipart/form-data"), body, NULL).code, GH_E_PROTO);
	arena_free(a);
	check_done();
}

static void paths(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in;
		bool ok;
		struct str want;
	} rows[] = {
		{ "plain", S("/a/b"), true, S("/a/b") },
		{ "escapes", S("/a%20b"), true, S("/a b") },
		{ "plus stays", S("/a+b"), true, S("/a+b") },
		{ "zero byte", S("/a%00"), false, S("") },
		{ "line break", S("/a%0Ab"), false, S("") },
		{ "not UTF-8", S("/%C3%28"), false, S("") },
		{ "cut short", S("/%2"), false, S("") },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 16);
		struct str out;
		bool ok = web_path_decode(a, rows[i].in, &out);

		CHECK_INT(rows[i].label, ok, rows[i].ok);
		if (ok)
			CHECK_STR(rows[i].label, out, rows[i].want);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(urlencoded), cmocka_unit_test(cookies), cmocka_unit_test(multipart),
					    cmocka_unit_test(upload), cmocka_unit_test(paths) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
