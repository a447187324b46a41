/* Header fields on their way through: names, values, hop-by-hop, trace context, addresses on the wire. */
#include "tests/unit/check.h"

#include "fcgi/fields_util.h"

static void names_and_values(void **state UNUSED)
{
	static const struct { const char *label; struct str s; bool name, value, method, id; } rows[] = {
		{ "empty", STR_INIT(""), false, true, false, false },
		{ "letters", STR_INIT("Accept"), true, true, true, true },
		{ "token characters", STR_INIT("!#$%&'*+-.^_`|~09"), true, true, true, false },
		{ "blank", STR_INIT("a b"), false, true, false, false },
		{ "colon", STR_INIT("a:b"), false, true, false, true },
		{ "tab", STR_INIT("a\tb"), false, true, false, false },
		{ "line feed", STR_INIT("a\nb"), false, false, false, false },
		{ "carriage return", STR_INIT("a\rb"), false, false, false, false },
		{ "NUL", STR_INIT("a\0b"), false, false, false, false },
		{ "delete", STR_INIT("a\x7f"), false, false, false, false },
		{ "UTF-8", STR_INIT("\xc3\xa4"), false, true, false, false },
		{ "33 letters", STR_INIT("ABCDEFGHIJABCDEFGHIJABCDEFGHIJABC"), true, true, false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_INT(rows[i].label, field_name_ok(rows[i].s), rows[i].name);
		CHECK_INT(rows[i].label, field_value_ok(rows[i].s), rows[i].value);
		CHECK_INT(rows[i].label, method_ok(rows[i].s), rows[i].method);
		CHECK_INT(rows[i].label, request_id_ok(rows[i].s), rows[i].id);
	}
	check_done();
}

/* Values are looked at eight bytes at a time: each byte in each place, among bytes of both halves. */
static void values_everywhere(void **state UNUSED)
{
	for (unsigned c = 0; c < 256; c++)
		for (size_t at = 0; at < 19; at++) {
			char text[19], label[32];
			bool want = (c >= 32 || c == '\t') && c != 127;

			memcpy(text, "a\xc3\xa4 \tbcd~ \xff\x80zzzz!\"#", sizeof(text));
			text[at] = (char)c;
			snprintf(label, sizeof(label), "byte %u in place %zu", c, at);
			CHECK_INT(label, field_value_ok((struct str){ text, sizeof(text) }), want);
		}
	check_done();
}

static void cgi_names(void **state UNUSED)
{
	static const char *const rows[][2] = {
		{ "ACCEPT", "Accept" }, { "X_FORWARDED_FOR", "X-Forwarded-For" }, { "X__Y", "X--Y" }, { "TE", "TE" },
		{ "SOAPACTION", "SOAPAction" }, { "CONTENT_MD5", "Content-MD5" }, { "A1_B2", "A1-B2" }, { "_A", "-A" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s", rows[i][0]);
		field_name_from_cgi(name, strlen(name));
		CHECK_STR(rows[i][0], str_of(name), str_of(rows[i][1]));
	}
	check_done();
}

static void hop_by_hop(void **state UNUSED)
{
	static const char *const end[] = { "Connection", "keep-alive", "TE", "Trailer", "transfer-ENCODING", "Upgrade",
					   "Proxy-Authorization", "Proxy-Connection", "Proxy-Authenticate" };
	static const char *const go_on[] = { "Content-Length", "Accept", "Te2", "Authorization", "X-Connection", "" };
	struct str listed = STR(" close ,X-Private,, x-other");

	for (size_t i = 0; i < ARRAY_LEN(end); i++)
		CHECK(end[i], field_is_hop_by_hop(str_of(end[i])));
	for (size_t i = 0; i < ARRAY_LEN(go_on); i++)
		CHECK(go_on[i], !field_is_hop_by_hop(str_of(go_on[i])));
	CHECK("listed", field_listed(listed, STR("x-private")) && field_listed(listed, STR("X-Other")));
	CHECK("not listed", !field_listed(listed, STR("private")) && !field_listed(STR_NULL, STR("close")));
	check_done();
}

static void addresses(void **state UNUSED)
{
	static const struct { const char *label; struct url url; const char *want; } rows[] = {
		{ "plain", { STR_INIT("http"), STR_INIT("a.b"), 0, STR_INIT("/x"), { NULL, 0 } }, "http://a.b/x" },
		{ "port and query", { STR_INIT("https"), STR_INIT("[::1]"), 8443, STR_INIT("/x"), STR_INIT("a=%20&b") },
		  "https://[::1]:8443/x?a=%20&b" },
		{ "empty query stays", { STR_INIT("http"), STR_INIT("h"), 65535, STR_INIT("/"), STR_INIT("") }, "http://h:65535/?" },
		{ "path without slash", { STR_INIT("http"), STR_INIT("h"), 0, STR_INIT("x"), { NULL, 0 } }, "http://h/x" },
		{ "what a policy may have left in it", { STR_INIT("http"), STR_INIT("h"), 0, STR_INIT("/a b#c\r\n\xc3\xa4"), { NULL, 0 } },
		  "http://h/a%20b%23c%0D%0A%C3%A4" },
	};
	struct arena *a = arena_new(65536);
	struct buf b;

	buf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str whole = url_for_wire(a, &rows[i].url);

		CHECK_STR(rows[i].label, whole, str_of(rows[i].want));
		buf_clear(&b);
		buf_str(&b, rows[i].url.scheme);
		buf_cstr(&b, "://");
		url_write_authority(&b, &rows[i].url);
		url_write_target(&b, &rows[i].url);
		CHECK_STR(rows[i].label, buf_view(&b), whole);
	}
	buf_release(&b);
	arena_free(a);
	check_done();
}

static void targets(void **state UNUSED)
{
	static const struct { const char *label; struct str target; bool ok; const char *path, *query; } rows[] = {
		{ "path", STR_INIT("/a/b"), true, "/a/b", NULL },
		{ "path and query", STR_INIT("/a?b=c?d"), true, "/a", "b=c?d" },
		{ "absolute form", STR_INIT("http://h:1/a?b"), true, "/a", "b" },
		{ "absolute form without path", STR_INIT("http://host"), true, "/", NULL },
		{ "asterisk", STR_INIT("*"), false, NULL, NULL },
		{ "empty", STR_INIT(""), false, NULL, NULL },
		{ "dot segment", STR_INIT("/a/../b"), false, NULL, NULL },
		{ "encoded slash", STR_INIT("/a%2Fb"), false, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str path, query;
		bool ok = target_split(rows[i].target, &path, &query);

		CHECK_INT(rows[i].label, ok, rows[i].ok);
		if (!ok || !rows[i].ok)
			continue;
		CHECK_STR(rows[i].label, path, str_of(rows[i].path));
		CHECK_STR(rows[i].label, query, str_of(rows[i].query));
	}
	check_done();
}

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void traces(void **state UNUSED)
{
	static const struct { const char *label; struct str s; bool ok; } rows[] = {
		{ "the example of the specification", STR_INIT("00-" TRACE "-" SPAN "-01"), true },
		{ "nothing", { NULL, 0 }, false },
		{ "a later version", STR_INIT("cc-" TRACE "-" SPAN "-01"), true },
		{ "a later version with more", STR_INIT("cc-" TRACE "-" SPAN "-01-what"), true },
		{ "version 00 with more", STR_INIT("00-" TRACE "-" SPAN "-01-what"), false },
		{ "version ff", STR_INIT("ff-" TRACE "-" SPAN "-01"), false },
		{ "capitals in the trace id", STR_INIT("00-0AF7651916cd43dd8448eb211c80319c-" SPAN "-01"), false },
		{ "trace id all zero", STR_INIT("00-00000000000000000000000000000000-" SPAN "-01"), false },
		{ "span id all zero", STR_INIT("00-" TRACE "-0000000000000000-01"), false },
		{ "flags that are none", STR_INIT("00-" TRACE "-" SPAN "-0x"), false },
		{ "too short", STR_INIT("00-" TRACE "-" SPAN "-0"), false },
		{ "wrong dash", STR_INIT("00_" TRACE "-" SPAN "-01"), false },
	};
	struct arena *a = arena_new(4096);
	struct trace_context t;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(rows[i].label, trace_context_parse(rows[i].s, &t), rows[i].ok);
	CHECK("parsed", trace_context_parse(rows[0].s, &t));
	CHECK_STR("parent", str_of(t.parent_id), STR(SPAN));
	memcpy(t.span_id, SPAN, 17);
	CHECK_STR("written", trace_context_text(a, &t), rows[0].s);
	arena_free(a);
	check_done();
}

static void own_cookies(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str in, want;             /* want STR_NULL: the field goes */
	} rows[] = {
		{ "none of ours", STR_INIT("a=1; b=gh_x"), STR_INIT("a=1; b=gh_x") },
		{ "in the middle", STR_INIT("a=1; gh_portal=secret; b=2"), STR_INIT("a=1; b=2") },
		{ "first, without blanks", STR_INIT("gh_admin=x;a=1"), STR_INIT("a=1") },
		{ "alone", STR_INIT("gh_portal=secret"), { NULL, 0 } },
		{ "twice", STR_INIT("gh_portal=1; gh_portal=2"), { NULL, 0 } },
		{ "the case of a cookie's name counts", STR_INIT("GH_PORTAL=1; gh_portal=2"), STR_INIT("GH_PORTAL=1") },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 16);
		struct fields f;

		fields_init(&f, a);
		assert_true(fields_add(&f, STR("cookie"), rows[i].in) && fields_add(&f, STR("Accept"), STR("gh_portal=1")));
		assert_true(fields_hide_cookies(&f, STR("gh_")));
		CHECK_INT(rows[i].label, f.n, rows[i].want.p ? 2 : 1);
		if (rows[i].want.p)
			CHECK_STR(rows[i].label, f.v[0].value, rows[i].want);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values), cmocka_unit_test(values_everywhere), cmocka_unit_test(cgi_names), cmocka_unit_test(hop_by_hop),
		cmocka_unit_test(addresses), cmocka_unit_test(targets), cmocka_unit_test(traces),
		cmocka_unit_test(own_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
