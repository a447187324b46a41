/* RFC 9111 as tables: what is kept, for how long it is fresh, what a stale one is good for, validation, ranges. */
#include "tests/unit/check.h"

#include "core/http_date.h"
#include "policy/http_cache.h"

enum { NOW_S = 1792000000 };             /* of all rows; Date is given where it matters */
static struct arena *arena;

#define BAD(...) (check_failures++, fprintf(stderr, "# " __VA_ARGS__), fputc('\n', stderr))

/* "Name: value" lines. */
static void read_fields(struct fields *f, const char *text)
{
	struct str rest = str_of(text);

	fields_init(f, arena);
	for (struct str line; rest.n && str_split(&rest, '\n', &line);) {
		size_t colon = str_find_char(line, ':');

		assert_true(colon != SIZE_MAX);
		assert_true(fields_add(f, str_first(line, colon), str_trim(str_from(line, colon + 1))));
	}
}

static struct response answer(int status, const char *fields)
{
	struct response r = { .status = status };

	read_fields(&r.headers, fields);
	return r;
}

static struct str at(int64_t offset_s)
{
	return http_date_text(arena, NOW_S + offset_s);
}

/* ---- dates ---------------------------------------------------------------------------------------------------------------- */

static void dates(void **state UNUSED)
{
	static const struct {
		const char *text;
		int64_t want;            /* -1: none */
	} rows[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Sun Nov 16 08:49:37 1994", 784975777 },
		{ "sun, 06 nov 1994 08:49:37 gmt", 784111777 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:49:37", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT x", -1 },
		{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 94 08:49:37 GMT", -1 },
		{ "Sun, 06 Foo 1994 08:49:37 GMT", -1 },
		{ "Sun, 32 Nov 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 24:49:37 GMT", -1 },
		{ "06 Nov 1994 08:49:37 GMT", -1 },
		{ "0", -1 }, { "", -1 }, { "Sun,", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = -1;

		if (!http_date_parse(str_of(rows[i].text), &got))
			got = -1;
		if (got != rows[i].want)
			BAD("%s: %lld", rows[i].text, (long long)got);
	}
	CHECK_STR("text", http_date_text(arena, 784111777), STR("Sun, 06 Nov 1994 08:49:37 GMT"));
	assert_true(str_is_null(http_date_text(arena, INT64_MAX)));
	check_done();
}

/* ---- Cache-Control -------------------------------------------------------------------------------------------------------- */

static void directives(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "max-age=60", "age=60" },
		{ "MAX-AGE=60, Public", "public age=60" },
		{ "max-age=\"60\"", "age=60" },
		{ "max-age=60, max-age=5", "age=60" },
		{ "max-age=x", "age=0" },
		{ "max-age=-1", "age=0" },
		{ "max-age=6.5", "age=0" },
		{ "max-age", "age=0" },
		{ "max-age= 60", "age=0" },
		{ "max-age=99999999999999999999", "age=2147483647" },
		{ "s-maxage=7 , ,no-store", "no-store shared=7" },
		{ "no-cache", "no-cache" },
		{ "no-cache=\"Set-Cookie, X-A\", max-age=1", "age=1 no-cache(Set-Cookie, X-A)" },
		{ "private=X-B", "private(X-B)" },
		{ "private", "private" },
		{ "x=\"a, no-store\", max-age=3", "age=3" },
		{ "x=\"\\\", no-store\", max-age=3", "age=3" },
		{ "x=\"no end, no-store", "" },
		{ "stale-while-revalidate=5, stale-if-error=6", "swr=5 sie=6" },
		{ "stale-while-revalidate=x", "" },
		{ "max-stale, min-fresh=2", "any-stale min=2" },
		{ "max-stale=9", "stale=9" },
		{ "must-revalidate, proxy-revalidate, must-understand, only-if-cached", "must proxy understand only" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_cache_control c;
		char got[200] = "";
		size_t n = 0;

#define FLAG(on, text) n += (size_t)((on) ? snprintf(got + n, sizeof(got) - n, "%s" text, n ? " " : "") : 0)
#define NUMBER(v, text) n += (size_t)((v) >= 0 ? snprintf(got + n, sizeof(got) - n, "%s" text "=%lld", n ? " " : "", (long long)(v)) : 0)
#define NAMES(v, text) n += (size_t)((v).n ? snprintf(got + n, sizeof(got) - n, "%s" text "(%.*s)", n ? " " : "", STR_ARG(v)) : 0)
		http_cache_control_parse(str_of(rows[i].text), &c);
		FLAG(c.no_store, "no-store");
		FLAG(c.no_cache, "no-cache");
		FLAG(c.is_private, "private");
		FLAG(c.is_public, "public");
		FLAG(c.must_revalidate, "must");
		FLAG(c.proxy_revalidate, "proxy");
		FLAG(c.must_understand, "understand");
		FLAG(c.only_if_cached, "only");
		FLAG(c.max_stale_any, "any-stale");
		NUMBER(c.max_age, "age");
		NUMBER(c.s_maxage, "shared");
		NUMBER(c.stale_while_revalidate, "swr");
		NUMBER(c.stale_if_error, "sie");
		NUMBER(c.min_fresh, "min");
		NUMBER(c.max_stale, "stale");
		NAMES(c.no_cache_fields, "no-cache");
		NAMES(c.private_fields, "private");
		if (strcmp(got, rows[i].want) != 0)
			BAD("\"%s\" is [%s], not [%s]", rows[i].text, got, rows[i].want);
	}
	check_done();
}

/* ---- what may be kept ------------------------------------------------------------------------------------------------------- */

static void storing(void **state UNUSED)
{
	static const struct {
		const char *label, *asked;
		int status;
		const char *fields;
		bool authorized, kept;
		int64_t default_s;
	} rows[] = {
		{ "max-age", "", 200, "Cache-Control: max-age=60", false, true, 0 },
		{ "Expires ahead", "", 200, "Date: Sun, 06 Nov 1994 08:49:37 GMT\nExpires: Sun, 06 Nov 1994 08:50:37 GMT", false, true, 0 },
		{ "nothing said", "", 200, "", false, false, 0 },
		{ "nothing said, but the setting", "", 200, "", false, true, 10 },
		{ "nothing said, but a validator", "", 200, "ETag: \"1\"", false, true, 0 },
		{ "no-store", "", 200, "Cache-Control: max-age=60, no-store", false, false, 0 },
		{ "no-store in another field", "", 200, "Cache-Control: max-age=60\nCache-Control: No-Store", false, false, 0 },
		{ "must-understand takes no-store back", "", 200, "Cache-Control: max-age=60, no-store, must-understand", false, true, 0 },
		{ "must-understand of an unknown status", "", 299, "Cache-Control: max-age=60, must-understand", false, false, 0 },
		{ "private", "", 200, "Cache-Control: max-age=60, private", false, false, 0 },
		{ "private for one field", "", 200, "Cache-Control: max-age=60, private=\"X-Me\"", false, true, 0 },
		{ "no-cache with a validator", "", 200, "Cache-Control: no-cache\nETag: \"1\"", false, true, 0 },
		{ "no-cache without", "", 200, "Cache-Control: no-cache", false, false, 0 },
		{ "Set-Cookie", "", 200, "Cache-Control: max-age=60, public\nSet-Cookie: a=b", false, false, 0 },
		{ "Vary: *", "", 200, "Cache-Control: max-age=60\nVary: Accept, *", false, false, 0 },
		{ "Authorization", "Authorization: x", 200, "Cache-Control: max-age=60", false, false, 0 },
		{ "Authorization and the setting", "Authorization: x", 200, "Cache-Control: max-age=60", true, true, 0 },
		{ "Authorization and public", "Authorization: x", 200, "Cache-Control: max-age=60, public", false, true, 0 },
		{ "Authorization and s-maxage", "Authorization: x", 200, "Cache-Control: s-maxage=60", false, true, 0 },
		{ "Authorization and must-revalidate", "Authorization: x", 200, "Cache-Control: max-age=60, must-revalidate", false, true, 0 },
		{ "Authorization and proxy-revalidate", "Authorization: x", 200, "Cache-Control: max-age=60, proxy-revalidate", false, false, 0 },
		{ "a part", "", 206, "Cache-Control: max-age=60\nContent-Range: bytes 0-1/2", false, false, 0 },
		{ "304", "", 304, "Cache-Control: max-age=60", false, false, 0 },
		{ "404 with a time", "", 404, "Cache-Control: max-age=60", false, true, 0 },
		{ "500 with a time", "", 500, "Cache-Control: max-age=60", false, true, 0 },
		{ "500 with the setting alone", "", 500, "", false, true, 10 },
		{ "max-age=0 without validator", "", 200, "Cache-Control: max-age=0", false, false, 0 },
		{ "302 without a word", "", 302, "ETag: \"1\"", false, false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_cache_policy p = { .default_s = rows[i].default_s, .keeps_authorized = rows[i].authorized };
		struct response r = answer(rows[i].status, rows[i].fields);
		struct http_cache_control cc;
		struct fields asked;
		const char *why;

		read_fields(&asked, rows[i].asked);
		http_cache_control_of_response(&r.headers, &cc);
		why = http_cache_refuses(&p, &asked, &r, &cc);
		if (!why != rows[i].kept)
			BAD("%s: %s", rows[i].label, why ? why : "kept");
	}
	check_done();
}

static void fields_that_are_not_kept(void **state UNUSED)
{
	struct response r = answer(200, "Connection: X-Hop\nCache-Control: private=\"X-Me\", no-cache=\"X-Ask, X-Also\"");
	struct http_cache_control cc;

	http_cache_control_of_response(&r.headers, &cc);
	for (const char *const *n = (const char *const[]){ "connection", "Transfer-Encoding", "x-hop", "X-Me", "X-Ask", "x-also", NULL }; *n; n++)
		if (!http_cache_drops_field(&r, &cc, str_of(*n)))
			BAD("%s is kept", *n);
	assert_false(http_cache_drops_field(&r, &cc, STR("X-Other")));
	check_done();
}

/* ---- freshness -------------------------------------------------------------------------------------------------------------- */

static void lifetimes(void **state UNUSED)
{
	const struct {
		const char *label;
		int status;
		struct str fields;
		int64_t default_s, want;
	} rows[] = {
		{ "max-age", 200, STR("Cache-Control: max-age=60"), 0, 60 },
		{ "s-maxage comes first", 200, STR("Cache-Control: max-age=60, s-maxage=5"), 0, 5 },
		{ "max-age before Expires", 200, arena_printf(arena, "Cache-Control: max-age=60\nDate: %.*s\nExpires: %.*s", STR_ARG(at(0)), STR_ARG(at(9))), 0, 60 },
		{ "Expires less Date", 200, arena_printf(arena, "Date: %.*s\nExpires: %.*s", STR_ARG(at(0)), STR_ARG(at(9))), 0, 9 },
		{ "Expires in the past", 200, arena_printf(arena, "Date: %.*s\nExpires: %.*s", STR_ARG(at(0)), STR_ARG(at(-9))), 0, 0 },
		{ "Expires: 0 beats the setting", 200, STR("Expires: 0"), 30, 0 },
		{ "two Expires", 200, arena_printf(arena, "Date: %.*s\nExpires: %.*s\nExpires: %.*s", STR_ARG(at(0)), STR_ARG(at(9)), STR_ARG(at(9))), 0, 0 },
		{ "the setting", 200, STR(""), 30, 30 },
		{ "a tenth of the time since it changed", 200, arena_printf(arena, "Date: %.*s\nLast-Modified: %.*s", STR_ARG(at(0)), STR_ARG(at(-1000))), 0, 100 },
		{ "a day at most", 200, arena_printf(arena, "Date: %.*s\nLast-Modified: %.*s", STR_ARG(at(0)), STR_ARG(at(-100000000))), 0, 86400 },
		{ "no heuristic for 302", 302, arena_printf(arena, "Date: %.*s\nLast-Modified: %.*s", STR_ARG(at(0)), STR_ARG(at(-1000))), 0, 0 },
		{ "but with public", 302, arena_printf(arena, "Cache-Control: public\nDate: %.*s\nLast-Modified: %.*s", STR_ARG(at(0)), STR_ARG(at(-1000))), 0, 100 },
		{ "changed in the future", 200, arena_printf(arena, "Date: %.*s\nLast-Modified: %.*s", STR_ARG(at(0)), STR_ARG(at(1000))), 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_cache_policy p = { .default_s = rows[i].default_s };
		struct response r = answer(rows[i].status, arena_cstr(arena, rows[i].fields));
		struct http_cache_control cc;
		int64_t got;

		http_cache_control_of_response(&r.headers, &cc);
		got = http_cache_lifetime_s(&p, &r, &cc);
		if (got != rows[i].want)
			BAD("%s: %lld", rows[i].label, (long long)got);
	}
	check_done();
}

static void ages(void **state UNUSED)
{
	const int64_t now = (int64_t)NOW_S * 1000000;
	const struct {
		const char *label;
		struct str fields;
		int64_t took_s, want;
	} rows[] = {
		{ "nothing said", STR(""), 0, 0 },
		{ "it took three seconds", STR(""), 3, 3 },
		{ "Age", STR("Age: 30"), 0, 30 },
		{ "Age and the way", STR("Age: 30"), 3, 33 },
		{ "made a minute ago", arena_printf(arena, "Date: %.*s", STR_ARG(at(-60))), 0, 60 },
		{ "the larger of both", arena_printf(arena, "Age: 90\nDate: %.*s", STR_ARG(at(-60))), 0, 90 },
		{ "made in the future", arena_printf(arena, "Date: %.*s", STR_ARG(at(60))), 0, 0 },
		{ "no number may be any", STR("Age: x"), 0, HTTP_CACHE_MAX_AGE },
		{ "negative", STR("Age: -5"), 0, HTTP_CACHE_MAX_AGE },
		{ "a list", STR("Age: 7, 9"), 0, HTTP_CACHE_MAX_AGE },
		{ "as large as can be", STR("Age: 99999999999999"), 0, HTTP_CACHE_MAX_AGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct response r = answer(200, arena_cstr(arena, rows[i].fields));
		int64_t got = http_cache_initial_age_s(&r, now - rows[i].took_s * 1000000, now);

		if (got != rows[i].want)
			BAD("%s: %lld", rows[i].label, (long long)got);
	}
	check_done();
}

/* Lifetime 60 s in all rows. */
static void uses(void **state UNUSED)
{
	static const struct {
		const char *label, *asked, *said;
		int64_t age_s, setting_s;
		enum http_cache_use want;
	} rows[] = {
		{ "fresh", "", "", 59, 0, HTTP_CACHE_FRESH },
		{ "old", "", "", 60, 0, HTTP_CACHE_VALIDATE },
		{ "the client wants another", "Cache-Control: no-cache", "", 0, 0, HTTP_CACHE_VALIDATE },
		{ "Pragma stands in", "Pragma: no-cache", "", 0, 0, HTTP_CACHE_VALIDATE },
		{ "Pragma beside Cache-Control", "Pragma: no-cache\nCache-Control: max-age=30", "", 0, 0, HTTP_CACHE_FRESH },
		{ "not older than", "Cache-Control: max-age=30", "", 30, 0, HTTP_CACHE_FRESH },
		{ "older than", "Cache-Control: max-age=30", "", 31, 0, HTTP_CACHE_VALIDATE },
		{ "max-age=0", "Cache-Control: max-age=0", "", 0, 0, HTTP_CACHE_VALIDATE },
		{ "fresh for long enough", "Cache-Control: min-fresh=10", "", 50, 0, HTTP_CACHE_FRESH },
		{ "not fresh for long enough", "Cache-Control: min-fresh=10", "", 51, 0, HTTP_CACHE_VALIDATE },
		{ "stale and wanted", "Cache-Control: max-stale", "", 1000, 0, HTTP_CACHE_STALE_ASKED },
		{ "stale and wanted so far", "Cache-Control: max-stale=10", "", 69, 0, HTTP_CACHE_STALE_ASKED },
		{ "stale beyond", "Cache-Control: max-stale=10", "", 70, 0, HTTP_CACHE_VALIDATE },
		{ "must-revalidate", "Cache-Control: max-stale", "must-revalidate", 61, 9, HTTP_CACHE_VALIDATE },
		{ "proxy-revalidate", "Cache-Control: max-stale", "proxy-revalidate", 61, 9, HTTP_CACHE_VALIDATE },
		{ "s-maxage", "Cache-Control: max-stale", "s-maxage=60", 61, 9, HTTP_CACHE_VALIDATE },
		{ "no-cache is never used unasked", "", "no-cache", 0, 9, HTTP_CACHE_VALIDATE },
		{ "stale-while-revalidate", "", "stale-while-revalidate=5", 64, 0, HTTP_CACHE_STALE_OK },
		{ "its end", "", "stale-while-revalidate=5", 65, 0, HTTP_CACHE_VALIDATE },
		{ "by setting", "", "", 64, 5, HTTP_CACHE_STALE_OK },
		{ "the response comes before the setting", "", "stale-while-revalidate=0", 61, 5, HTTP_CACHE_VALIDATE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_cache_policy p = { .stale_while_revalidate_s = rows[i].setting_s };
		struct response r = answer(200, "");
		struct http_cached c = { .response = &r, .age_s = rows[i].age_s, .lifetime_s = 60 };
		struct http_cache_control asked;
		struct fields f;

		http_cache_control_parse(str_of(rows[i].said), &c.cc);
		read_fields(&f, rows[i].asked);
		http_cache_control_of_request(&f, &asked);
		if (http_cache_use_of(&p, &c, &asked) != rows[i].want)
			BAD("%s: %d", rows[i].label, http_cache_use_of(&p, &c, &asked));
	}
	check_done();
}

static void errors(void **state UNUSED)
{
	static const struct {
		const char *label, *asked, *said;
		int64_t age_s, setting_s;
		bool want;
	} rows[] = {
		{ "nothing said", "", "", 61, 0, false },
		{ "the response", "", "stale-if-error=10", 69, 0, true },
		{ "its end", "", "stale-if-error=10", 70, 0, false },
		{ "the request", "stale-if-error=10", "", 69, 0, true },
		{ "the setting", "", "", 69, 10, true },
		{ "must-revalidate", "", "must-revalidate, stale-if-error=10", 61, 10, false },
		{ "the client wants another", "no-cache", "stale-if-error=10", 61, 0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_cache_policy p = { .stale_if_error_s = rows[i].setting_s };
		struct http_cached c = { .age_s = rows[i].age_s, .lifetime_s = 60 };
		struct http_cache_control asked;

		http_cache_control_parse(str_of(rows[i].said), &c.cc);
		http_cache_control_parse(str_of(rows[i].asked), &asked);
		if (http_cache_stale_if_error(&p, &c, &asked) != rows[i].want)
			BAD("%s", rows[i].label);
	}
	check_done();
}

static void keeping(void **state UNUSED)
{
	static const struct {
		const char *fields;
		int64_t lifetime_s, age_s, swr, sie, want;
	} rows[] = {
		{ "", 60, 0, 0, 0, 60 },
		{ "", 60, 20, 0, 0, 40 },
		{ "", 60, 70, 0, 0, 0 },
		{ "", 60, 0, 10, 30, 90 },
		{ "Cache-Control: stale-if-error=5", 60, 0, 10, 30, 70 },
		{ "ETag: \"1\"", 60, 0, 0, 0, 3660 },
		{ "", HTTP_CACHE_MAX_AGE, 0, 10, 0, HTTP_CACHE_MAX_AGE },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_cache_policy p = { .stale_while_revalidate_s = rows[i].swr, .stale_if_error_s = rows[i].sie };
		struct response r = answer(200, rows[i].fields);
		struct http_cache_control cc;

		http_cache_control_of_response(&r.headers, &cc);
		assert_int_equal(http_cache_keep_s(&p, &r, &cc, rows[i].lifetime_s, rows[i].age_s), rows[i].want);
	}
	check_done();
}

/* ---- validation --------------------------------------------------------------------------------------------------------------- */

static void asking(void **state UNUSED)
{
	struct response stored = answer(200, "ETag: W/\"1\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT");
	struct fields f;

	read_fields(&f, "If-None-Match: \"mine\"\nIf-Modified-Since: x\nIf-Range: y\nRange: bytes=0-1\nAccept: a");
	assert_true(http_cache_ask_if_changed(&f, &stored));
	assert_int_equal(f.n, 3);
	CHECK_STR("text", fields_joined(&f, STR("If-None-Match")), STR("W/\"1\""));
	CHECK_STR("text", fields_joined(&f, STR("If-Modified-Since")), STR("Sun, 06 Nov 1994 08:49:37 GMT"));
	check_done();
}

static void merging(void **state UNUSED)
{
	struct response stored = answer(200, "ETag: \"1\"\nX-A: old\nX-A: older\nX-B: stays\nAge: 50\nContent-Length: 5\nContent-Type: a/b");
	struct response now = answer(304, "ETag: \"1\"\nX-A: new\nX-C: more\nContent-MD5: x\nContent-Length: 0\nContent-Type: c/d\nConnection: X-Hop\nX-Hop: 1");

	assert_true(http_cache_merge(&stored, &now));
	CHECK_STR("text", fields_joined(&stored.headers, STR("X-A")), STR("new"));
	CHECK_STR("text", fields_joined(&stored.headers, STR("X-B")), STR("stays"));
	CHECK_STR("text", fields_joined(&stored.headers, STR("X-C")), STR("more"));
	CHECK_STR("text", fields_joined(&stored.headers, STR("Content-Length")), STR("5"));
	CHECK_STR("text", fields_joined(&stored.headers, STR("Content-Type")), STR("c/d"));
	assert_int_equal(fields_count(&stored.headers, STR("Age")), 0);
	assert_int_equal(fields_count(&stored.headers, STR("X-Hop")), 0);
	assert_int_equal(fields_count(&stored.headers, STR("Connection")), 0);
	check_done();
}

static void conditions(void **state UNUSED)
{
	static const struct {
		const char *asked, *stored;
		bool want;
	} rows[] = {
		{ "If-None-Match: \"1\"", "ETag: \"1\"", true },
		{ "If-None-Match: W/\"1\"", "ETag: \"1\"", true },
		{ "If-None-Match: \"0\", \"1\"", "ETag: W/\"1\"", true },
		{ "If-None-Match: \"a,b\", \"c\"", "ETag: \"a,b\"", true },
		{ "If-None-Match: \"0\"\nIf-None-Match: \"1\"", "ETag: \"1\"", true },
		{ "If-None-Match: *", "", true },
		{ "If-None-Match: \"2\"", "ETag: \"1\"", false },
		{ "If-None-Match: 1", "ETag: \"1\"", false },
		{ "If-None-Match: \"\"", "", false },
		{ "If-None-Match: \"2\"\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
		  "ETag: \"1\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT", false },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", true },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", true },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", false },
		{ "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "Date: Sun, 06 Nov 1994 08:49:37 GMT", true },
		{ "If-Modified-Since: yesterday", "Last-Modified: yesterday", false },
		{ "", "ETag: \"1\"", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct response r = answer(200, rows[i].stored);
		struct fields f;

		read_fields(&f, rows[i].asked);
		if (http_cache_client_has(&f, &r) != rows[i].want)
			BAD("%s", rows[i].asked);
	}
	check_done();
}

static void ranges(void **state UNUSED)
{
	static const struct {
		const char *asked;
		enum http_range want;
		uint64_t from, to;       /* of ten bytes */
	} rows[] = {
		{ "", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: bytes=0-0", HTTP_RANGE_PART, 0, 0 },
		{ "Range: bytes=2-4", HTTP_RANGE_PART, 2, 4 },
		{ "Range: Bytes=2-", HTTP_RANGE_PART, 2, 9 },
		{ "Range: bytes=2-99", HTTP_RANGE_PART, 2, 9 },
		{ "Range: bytes=-3", HTTP_RANGE_PART, 7, 9 },
		{ "Range: bytes=-30", HTTP_RANGE_PART, 0, 9 },
		{ "Range: bytes=9-9", HTTP_RANGE_PART, 9, 9 },
		{ "Range: bytes=10-", HTTP_RANGE_NONE, 0, 0 },
		{ "Range: bytes=-0", HTTP_RANGE_NONE, 0, 0 },
		{ "Range: bytes=4-2", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: bytes=-", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: bytes=a-b", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: bytes=0-1,3-4", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: items=0-1", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: bytes=99999999999999999999-", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: bytes=0-1\nIf-Range: \"1\"", HTTP_RANGE_PART, 0, 1 },
		{ "Range: bytes=0-1\nIf-Range: \"2\"", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: bytes=0-1\nIf-Range: W/\"1\"", HTTP_RANGE_ALL, 0, 0 },
		{ "Range: bytes=0-1\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT", HTTP_RANGE_PART, 0, 1 },
		{ "Range: bytes=0-1\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT", HTTP_RANGE_ALL, 0, 0 },
	};
	struct response r = answer(200, "ETag: \"1\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t from = 0, to = 0;
		struct fields f;
		enum http_range got;

		read_fields(&f, rows[i].asked);
		got = http_cache_range(&f, &r, 10, &from, &to);
		if (got != rows[i].want || (got == HTTP_RANGE_PART && (from != rows[i].from || to != rows[i].to)))
			BAD("%s: %d, %llu to %llu", rows[i].asked, got, (unsigned long long)from, (unsigned long long)to);
	}
	assert_int_equal(http_cache_range(&(struct fields){ 0 }, &r, 0, &(uint64_t){ 0 }, &(uint64_t){ 0 }), HTTP_RANGE_ALL);
	check_done();
}

static int begin(void **state UNUSED)
{
	arena = arena_new(1 << 20);
	return arena ? 0 : -1;
}

static int end(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates), cmocka_unit_test(directives), cmocka_unit_test(storing),
		cmocka_unit_test(fields_that_are_not_kept), cmocka_unit_test(lifetimes), cmocka_unit_test(ages),
		cmocka_unit_test(uses), cmocka_unit_test(errors), cmocka_unit_test(keeping), cmocka_unit_test(asking),
		cmocka_unit_test(merging), cmocka_unit_test(conditions), cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
