/* Addresses: parts, the strict check of request targets, escapes, queries. */
#include "tests/unit/check.h"

#include "core/uri.h"

static void parts(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in;
		bool ok;
		struct str scheme, host;
		unsigned port;
		struct str path, query, fragment;
	} rows[] = {
		{ "everything", STR_INIT("https://u:p@h.example:8443/a/b?x=1#f"), true, STR_INIT("https"),
		  STR_INIT("h.example"), 8443, STR_INIT("/a/b"), STR_INIT("x=1"), STR_INIT("f") },
		{ "host alone", STR_INIT("http://h"), true, STR_INIT("http"), STR_INIT("h"), 0, STR_INIT(""), { 0 }, { 0 } },
		{ "IPv6", STR_INIT("http://[2001:db8::1]:80/"), true, STR_INIT("http"), STR_INIT("[2001:db8::1]"), 80,
		  STR_INIT("/"), { 0 }, { 0 } },
		{ "relative", STR_INIT("/a?b"), true, { 0 }, { 0 }, 0, STR_INIT("/a"), STR_INIT("b"), { 0 } },
		{ "empty", STR_INIT(""), true, { 0 }, { 0 }, 0, STR_INIT(""), { 0 }, { 0 } },
		{ "empty query", STR_INIT("/a?"), true, { 0 }, { 0 }, 0, STR_INIT("/a"), STR_INIT(""), { 0 } },
		{ "no authority", STR_INIT("urn:a:b"), true, STR_INIT("urn"), { 0 }, 0, STR_INIT("a:b"), { 0 }, { 0 } },
		{ "file", STR_INIT("file:///x"), true, STR_INIT("file"), STR_INIT(""), 0, STR_INIT("/x"), { 0 }, { 0 } },
		{ "colon behind a slash", STR_INIT("/a:b"), true, { 0 }, { 0 }, 0, STR_INIT("/a:b"), { 0 }, { 0 } },
		{ "port empty", STR_INIT("http://h:/"), true, STR_INIT("http"), STR_INIT("h"), 0, STR_INIT("/"), { 0 }, { 0 } },
		{ "port 65535", STR_INIT("http://h:65535/"), true, STR_INIT("http"), STR_INIT("h"), 65535, STR_INIT("/"),
		  { 0 }, { 0 } },
		{ "port 65536", STR_INIT("http://h:65536/"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "port of many zeros", STR_INIT("http://h:000000080/"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "port 0", STR_INIT("http://h:0/"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "port of letters", STR_INIT("http://h:x/"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "blank", STR_INIT("http://h/a b"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "bad escape", STR_INIT("http://h/%zz"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "bad scheme", STR_INIT("1http://h/"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "unclosed bracket", STR_INIT("http://[::1/"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "host of user alone", STR_INIT("http://u@/"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
		{ "slash in the host", STR_INIT("http://a\\b/"), false, { 0 }, { 0 }, 0, { 0 }, { 0 }, { 0 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct uri u;

		CHECK_INT(rows[i].label, uri_parse(rows[i].in, &u), rows[i].ok);
		if (!rows[i].ok)
			continue;
		CHECK_STR(rows[i].label, u.scheme, rows[i].scheme);
		CHECK_STR(rows[i].label, u.host, rows[i].host);
		CHECK_INT(rows[i].label, str_is_null(u.host), str_is_null(rows[i].host));
		CHECK_INT(rows[i].label, u.port, rows[i].port);
		CHECK_STR(rows[i].label, u.path, rows[i].path);
		CHECK_STR(rows[i].label, u.query, rows[i].query);
		CHECK_INT(rows[i].label, str_is_null(u.query), str_is_null(rows[i].query));
		CHECK_STR(rows[i].label, u.fragment, rows[i].fragment);
	}
	check_done();
}

static void targets(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in;
		enum uri_fault want;
	} rows[] = {
		{ "root", STR_INIT("/"), URI_OK },
		{ "plain", STR_INIT("/a/b.c/~d"), URI_OK },
		{ "empty segments", STR_INIT("//a//"), URI_OK },
		{ "escaped blank", STR_INIT("/a%20b"), URI_OK },
		{ "UTF-8, raw and escaped", STR_INIT("/\xC3\xA9/%C3%A9"), URI_OK },
		{ "three dots", STR_INIT("/.../a"), URI_OK },
		{ "dots with more", STR_INIT("/..a/.b/a.."), URI_OK },
		{ "matrix parameter", STR_INIT("/a;rev=2/b"), URI_OK },
		{ "escaped percent", STR_INIT("/%252e%252e/"), URI_OK },
		{ "nothing", STR_INIT(""), URI_NO_SLASH },
		{ "no slash", STR_INIT("a"), URI_NO_SLASH },
		{ "star", STR_INIT("*"), URI_NO_SLASH },
		{ "up", STR_INIT("/a/../b"), URI_DOT_SEGMENT },
		{ "up at the end", STR_INIT("/a/.."), URI_DOT_SEGMENT },
		{ "here", STR_INIT("/./a"), URI_DOT_SEGMENT },
		{ "here at the end", STR_INIT("/a/."), URI_DOT_SEGMENT },
		{ "escaped up", STR_INIT("/a/%2e%2E/b"), URI_DOT_SEGMENT },
		{ "half escaped up", STR_INIT("/a/.%2e"), URI_DOT_SEGMENT },
		{ "up with a parameter", STR_INIT("/a/..;x/b"), URI_DOT_SEGMENT },
		{ "up with an escaped semicolon", STR_INIT("/a/..%3bx"), URI_DOT_SEGMENT },
		{ "encoded slash", STR_INIT("/a%2fb"), URI_ENCODED_SLASH },
		{ "encoded slash, upper case", STR_INIT("/a%2Fb"), URI_ENCODED_SLASH },
		{ "backslash", STR_INIT("/a\\b"), URI_BACKSLASH },
		{ "encoded backslash", STR_INIT("/a%5Cb"), URI_BACKSLASH },
		{ "NUL", STR_INIT("/a\0b"), URI_BAD_BYTE },
		{ "encoded NUL", STR_INIT("/a%00"), URI_BAD_BYTE },
		{ "encoded line feed", STR_INIT("/a%0a"), URI_BAD_BYTE },
		{ "encoded DEL", STR_INIT("/%7f"), URI_BAD_BYTE },
		{ "blank", STR_INIT("/a b"), URI_BAD_BYTE },
		{ "tab", STR_INIT("/a\tb"), URI_BAD_BYTE },
		{ "escape cut short", STR_INIT("/a%2"), URI_BAD_ESCAPE },
		{ "percent alone", STR_INIT("/%"), URI_BAD_ESCAPE },
		{ "escape of letters", STR_INIT("/%gg"), URI_BAD_ESCAPE },
		{ "fragment", STR_INIT("/a#b"), URI_FRAGMENT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, uri_check_path(rows[i].in), rows[i].want);
		CHECK(rows[i].label, uri_fault_text(rows[i].want)[0]);
	}
	CHECK_INT("query", uri_check_query(STR("a=/../%2f\\&b=%C3")), URI_OK);
	CHECK_INT("no query", uri_check_query(STR_NULL), URI_OK);
	CHECK_INT("query with a bad escape", uri_check_query(STR("a=%x")), URI_BAD_ESCAPE);
	CHECK_INT("query with NUL", uri_check_query(STR("a=%00")), URI_BAD_BYTE);
	CHECK_INT("query with a blank", uri_check_query(STR("a b")), URI_BAD_BYTE);
	CHECK_INT("query with a fragment", uri_check_query(STR("a#")), URI_FRAGMENT);
	check_done();
}

static void escapes(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 16);
	struct str s = STR("plain");

	CHECK_STR("decoded", uri_decode(a, STR("a%20b%2Fc+d"), false), STR("a b/c+d"));
	CHECK_STR("plus", uri_decode(a, STR("a+b"), true), STR("a b"));
	CHECK_STR("broken escapes stay", uri_decode(a, STR("%4%41%"), false), STR("%4A%"));
	CHECK("nothing to decode is not copied", uri_decode(a, s, true).p == s.p);
	CHECK("nothing to encode is not copied", uri_encode(a, s, URI_KEEP_UNRESERVED).p == s.p);
	CHECK_STR("value", uri_encode(a, STR("a/b c&d~\xC3\xA9%"), URI_KEEP_UNRESERVED), STR("a%2Fb%20c%26d~%C3%A9%25"));
	CHECK_STR("segment", uri_encode(a, STR("a/b:c?"), URI_KEEP_SEGMENT), STR("a%2Fb:c%3F"));
	CHECK_STR("path", uri_encode(a, STR("/a/b c?"), URI_KEEP_PATH), STR("/a/b%20c%3F"));
	CHECK_STR("query", uri_encode(a, STR("a=/?b#"), URI_KEEP_QUERY), STR("a=/?b%23"));
	CHECK_STR("text", uri_encode(a, STR("!@#$%^&*()-=+,.:;<>?/\"\\|[]{}`~ '_"), URI_KEEP_TEXT),
		  STR("!@%23$%25%5E%26*()-%3D%2B,.%3A;%3C%3E%3F%2F%22%5C%7C%5B%5D%7B%7D%60~%20%27_"));
	CHECK("compares decoded", uri_eq_decoded_ci(STR("S%55B-key"), STR("sub-Key")));
	CHECK("longer", !uri_eq_decoded_ci(STR("abc"), STR("ab")));
	CHECK("shorter", !uri_eq_decoded_ci(STR("a"), STR("ab")));
	arena_free(a);
	check_done();
}

static void queries(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str query, name, value, without;
		bool found;
	} rows[] = {
		{ "only", STR_INIT("k=v"), STR_INIT("k"), STR_INIT("v"), { 0 }, true },
		{ "first", STR_INIT("k=v&b=2"), STR_INIT("k"), STR_INIT("v"), STR_INIT("b=2"), true },
		{ "middle", STR_INIT("a=1&k=v&b=2"), STR_INIT("k"), STR_INIT("v"), STR_INIT("a=1&b=2"), true },
		{ "last, other case", STR_INIT("a=1&K=v"), STR_INIT("k"), STR_INIT("v"), STR_INIT("a=1"), true },
		{ "twice", STR_INIT("k=1&k=2&a"), STR_INIT("k"), STR_INIT("1"), STR_INIT("a"), true },
		{ "escaped name", STR_INIT("%6B=v&a="), STR_INIT("k"), STR_INIT("v"), STR_INIT("a="), true },
		{ "no value", STR_INIT("k"), STR_INIT("k"), { 0 }, { 0 }, true },
		{ "value with =", STR_INIT("k=a=b"), STR_INIT("k"), STR_INIT("a=b"), { 0 }, true },
		{ "not there", STR_INIT("a=k&kk=1"), STR_INIT("k"), { 0 }, STR_INIT("a=k&kk=1"), false },
		{ "empty pieces", STR_INIT("&&k=1&&"), STR_INIT("k"), STR_INIT("1"), { 0 }, true },
		{ "nothing", { 0 }, STR_INIT("k"), { 0 }, { 0 }, false },
	};
	struct arena *a = arena_new(1 << 16);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str got = STR_NULL;

		CHECK_INT(rows[i].label, uri_query_find(rows[i].query, rows[i].name, &got), rows[i].found);
		if (rows[i].found)
			CHECK_STR(rows[i].label, got, rows[i].value);
		assert_true(uri_query_remove(a, rows[i].query, rows[i].name, &got));
		CHECK_STR(rows[i].label, got, rows[i].without);
		CHECK_INT(rows[i].label, str_is_null(got), str_is_null(rows[i].without));
	}
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts), cmocka_unit_test(targets), cmocka_unit_test(escapes), cmocka_unit_test(queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
