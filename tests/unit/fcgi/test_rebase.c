/* What a call goes to when it is addressed anew, and what a failure says of the backend. */
#include "tests/unit/check.h"

#include "core/traffic_rule.h"
#include "fcgi/balance.h"

static struct url url_of(const char *host, const char *path)
{
	return (struct url){ .scheme = STR("http"), .host = str_of(host), .path = str_of(path) };
}

static void rebases(void **state UNUSED)
{
	static const struct { const char *label, *from, *to, *path, *want; } rows[] = {
		{ "no base at all", "", "", "/x", "/x" },
		{ "below the base", "/a", "/b/", "/a/x", "/b/x" },
		{ "the base itself", "/a", "/b", "/a", "/b" },
		{ "the base with a slash", "/a/", "/b", "/a/", "/b/" },
		{ "from a base to none", "/a", "", "/a", "/" },
		{ "from none to a base", "", "/b", "/x", "/b/x" },
		{ "another name that begins so", "/a", "/b", "/ab/x", NULL },
		{ "a longer base that begins so", "/shop/v1", "/b", "/shop/v10/x", NULL },
	};
	struct arena *a = arena_new(1 << 16);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url from = url_of("one", rows[i].from), to = url_of("two", rows[i].to), u = url_of("one", rows[i].path);
		bool moved = false;

		CHECK(rows[i].label, url_rebase(a, &u, &from, &to, &moved));
		CHECK_INT(rows[i].label, moved, rows[i].want != NULL);
		CHECK_STR(rows[i].label, u.path, str_of(rows[i].want ? rows[i].want : rows[i].path));
		CHECK_STR(rows[i].label, u.host, str_of(rows[i].want ? "two" : "one"));
	}
	arena_free(a);
	check_done();
}

static void reasons(void **state UNUSED)
{
	CHECK("a backend that does not answer", reason_is_backend(REASON_BACKEND_TIMEOUT));
	CHECK("no place is the gateway's own refusal", !reason_is_backend(REASON_BACKEND_FULL));
	CHECK("nor is a busy gateway", !reason_is_backend(REASON_OVERLOAD_BACKEND));
	check_done();
}

/* A document with more faults than config/ lets in: the gateway has room for so many and no more. */
static void faults(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct str doc = STR("[{\"percent\":1}");
	struct fault_rule *v = NULL;
	size_t n = 0;

	for (int i = 0; i < 40; i++)
		doc = arena_printf(a, "%.*s,{\"percent\":%d}", STR_ARG(doc), i);
	CHECK("read", fault_rules_read(a, arena_printf(a, "%.*s]", STR_ARG(doc)), &v, &n));
	CHECK_INT("no more than there is room for", (long long)n, TRAFFIC_FAULTS_MAX);
	CHECK_INT("the first ones", (long long)v[1].percent, 0);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rebases), cmocka_unit_test(reasons), cmocka_unit_test(faults) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
