/* What a backend's configuration puts onto its calls: how it is read, what it replaces, and that nothing written down shows it. */
#include "tests/unit/check.h"

#include "fcgi/credential.h"
#include "fcgi/fixed.h"
#include "fcgi/trace_mask.h"

static void documents(void **state UNUSED)
{
	static const struct { const char *label, *json, *wrong; int n; } rows[] = {
		{ "all of it", "{\"header\":{\"X-A\":[\"1\",\"2\"],\"X-B\":\"3\"},\"query\":{\"q\":[\"4\"]},\"authorization\":{\"scheme\":\"Bearer\",\"parameter\":\"t\"}}", NULL, 5 },
		{ "as the reference exports it", "{\"header\":{},\"query\":{},\"certificate\":[],\"certificateIds\":null,\"authorization\":null}", NULL, 0 },
		{ "a scheme alone", "{\"authorization\":{\"scheme\":\"Negotiate\"}}", NULL, 1 },
		{ "no JSON", "{", "text of a JSON object", 0 },
		{ "no object", "[]", "text of a JSON object", 0 },
		{ "unknown member", "{\"headers\":{}}", "no 'headers'", 0 },
		{ "certificate", "{\"certificate\":[\"A0\"]}", "clientCertificate", 0 },
		{ "header that is no object", "{\"header\":[]}", "header must be an object", 0 },
		{ "a number", "{\"header\":{\"X-A\":1}}", "header.X-A", 0 },
		{ "a number in an array", "{\"query\":{\"q\":[1]}}", "query.q", 0 },
		{ "a line break", "{\"header\":{\"X-A\":\"s3cret\\r\\nX-B: 1\"}}", "line breaks", 0 },
		{ "a name with a blank", "{\"header\":{\"X A\":\"1\"}}", "no name of a header", 0 },
		{ "a parameter without a name", "{\"query\":{\"\":\"1\"}}", "no name of a parameter", 0 },
		{ "framing", "{\"header\":{\"content-length\":\"1\"}}", "by itself", 0 },
		{ "no scheme", "{\"authorization\":{\"parameter\":\"t\"}}", "needs a scheme", 0 },
	};
	struct arena *a = arena_new(1 << 20);
	struct backend_fixed out;
	struct str many = STR("{\"header\":{\"X-A\":[\"0\"");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gh_err err = { 0 };
		bool ok = !backend_fixed_parse(a, str_of(rows[i].json), &out, &err).code;

		CHECK(rows[i].label, ok == !rows[i].wrong);
		if (ok)
			CHECK_INT(rows[i].label, (long long)out.n, rows[i].n);
		else if (rows[i].wrong)
			CHECK(rows[i].label, strstr(err.message, rows[i].wrong) && !strstr(err.message, "s3cret"));
	}
	for (int i = 0; i < BACKEND_FIXED_MAX; i++)
		many = arena_printf(a, "%.*s,\"%d\"", STR_ARG(many), i);
	CHECK("too many", backend_fixed_parse(a, arena_printf(a, "%.*s]}}", STR_ARG(many)), &out, &(struct gh_err){ 0 }).code == GH_E_INVALID);
	arena_free(a);
	check_done();
}

static const struct backend_fixed_value fields[] = {
	{ STR_INIT("X-Key"), STR_INIT("key-of-the-backend"), false }, { STR_INIT("X-Short"), STR_INIT("abc"), false },
	{ STR_INIT("Authorization"), STR_INIT("Bearer token-of-the-backend"), false },
};
static const struct str parameters[] = { STR_INIT("code"), STR_INIT("n") };
static const struct str secrets[] = { STR_INIT("key-of-the-backend"), STR_INIT("abc"), STR_INIT("token-of-the-backend"), STR_INIT("co de-7") };
static const struct snap_fixed all = { .fields = fields, .n_fields = 3, .parameters = parameters, .n_parameters = 2,
				       .query = STR_INIT("code=co%20de-7&n=1"), .secrets = secrets, .n_secrets = 4 };

static void applied(void **state UNUSED)
{
	static const struct { const char *label, *query, *want; } rows[] = {
		{ "no query", NULL, "code=co%20de-7&n=1" },
		{ "others stay", "x=1", "x=1&code=co%20de-7&n=1" },
		{ "the caller's go, each time that they stand there", "code=a&x=1&n=2&code=b", "x=1&code=co%20de-7&n=1" },
		{ "escaped names too", "c%6Fde=a", "code=co%20de-7&n=1" },
	};
	const struct snap_fixed bearer = { .fields = fields + 2, .n_fields = 1 };
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url u = { .path = STR("/"), .query = rows[i].query ? str_of(rows[i].query) : STR_NULL };
		struct fields f;

		fields_init(&f, a);
		CHECK(rows[i].label, fields_add(&f, STR("x-key"), STR("mine")) && fields_add(&f, STR("X-Key"), STR("mine too")));
		CHECK(rows[i].label, fixed_apply(a, &all, &u, &f));
		CHECK_STR(rows[i].label, u.query, str_of(rows[i].want));
		CHECK_STR(rows[i].label, fields_joined(&f, STR("X-Key")), fields[0].value);
		CHECK_INT(rows[i].label, (long long)f.n, 3);
	}
	CHECK("with a key it does not travel", !fixed_may_travel(&all));
	CHECK("Authorization is kept back by itself", fixed_may_travel(&bearer));
	arena_free(a);
	check_done();
}

static void masked(void **state UNUSED)
{
	static const struct { const char *label, *text, *want; } rows[] = {
		{ "a header's value", "got key-of-the-backend here", "got *** here" },
		{ "the token without its scheme", "token-of-the-backend", "***" },
		{ "a parameter, escaped", "/x?code=co%20de-7", "/x?code=***" },
		{ "what is no secret", "mine", "mine" },
	};
	struct arena *a = arena_new(1 << 20);
	struct call *k = arena_new_of(a, struct call);
	struct trace_writer w = { .k = k };

	k->arena = k->x.arena = a;
	fields_init(&k->x.request.headers, a);
	fields_init(&k->x.response.headers, a);
	CHECK("shown before", !trace_field_is_secret(k, STR("X-Short")));
	CHECK("hidden", fixed_hide(k, &all) && fixed_hide(k, &all));
	CHECK("its field, however short the value is", trace_field_is_secret(k, STR("x-short")));
	trace_hide_call(&w);
	CHECK_INT("a second try adds nothing", (long long)w.n_hidden, 5);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_STR(rows[i].label, trace_mask(&w, str_of(rows[i].text)), str_of(rows[i].want));
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(documents), cmocka_unit_test(applied), cmocka_unit_test(masked) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
