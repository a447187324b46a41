/* tests/golden/expr/NAME.txt: one case a line, "EXPRESSION --> RESULT".
 *
 *     1 + 2 --> 3                               the value as JSON
 *     1 / zero --! Attempted to divide by zero. the message that context.LastError shows
 *     "a".Lenght --? 1:5 `string` has no …      where and what the compiler says
 *
 * In a message \r\n stands for a line break. Without "@(" or "@{" the expression stands in "@(…)" and columns count in it as written. Blank lines and lines that begin
 * with # are passed over. Every compiled expression runs twice: it must not have changed. */
#include "tests/unit/check.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#include "core/file.h"
#include "policy/diag.h"
#include "policy/exchange.h"
#include "policy/expr/expr.h"

enum { MEMORY = 256 << 20 };

static int64_t now_us(struct exchange *x UNUSED)
{
	return INT64_C(1735787045678000);        /* 2025-01-02T03:04:05.678Z */
}

static uint64_t random_bits(struct exchange *x UNUSED)
{
	return 0x9E3779B97F4A7C15u;
}

static const struct policy_host host = { .now_us = now_us, .random = random_bits };
static const struct ctx_api api = {
	.id = STR_INIT("orders"), .name = STR_INIT("Orders"), .path = STR_INIT("orders"), .revision = STR_INIT("1"),
	.is_current_revision = true,
	.service_url = { STR_INIT("https"), STR_INIT("backend.example"), 0, STR_INIT("/v1"), { NULL, 0 } },
};
static const struct ctx_operation operation = {
	.id = STR_INIT("get"), .name = STR_INIT("Get order"), .method = STR_INIT("GET"), .url_template = STR_INIT("/orders/{id}"),
};
static const struct ctx_group groups[] = { { STR_INIT("g1"), STR_INIT("Developers") }, { STR_INIT("g2"), STR_INIT("Admins") } };
static const struct ctx_user user = {
	.id = STR_INIT("u1"), .email = STR_INIT("a@example.com"), .first_name = STR_INIT("A"), .groups = groups, .n_groups = 2,
};
static const struct ctx_subscription subscription = {
	.id = STR_INIT("sub-1"), .name = STR_INIT("Sub"), .key = STR_INIT("k"), .start_us = 1735689600000000,
};
static const struct ctx_product product = { .id = STR_INIT("gold"), .name = STR_INIT("Gold"), .subscriptions_limit = -1 };
static const struct ctx_deployment deployment = { .region = STR_INIT("local"), .service_name = STR_INIT("gatehouse") };

static void fill(struct exchange *x, struct arena *a)
{

	*x = (struct exchange){
		.arena = a, .host = &host, .api = &api, .operation = &operation, .user = &user, .subscription = &subscription,
		.product = &product, .deployment = &deployment, .started_us = 1735787045000000,
		.request_id = STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
	};
	x->request.method = STR("POST");
	x->request.ip = STR("203.0.113.9");
	x->request.url = (struct url){ STR("https"), STR("gw.example"), 8443, STR("/orders/7"), STR("x=1&x=2&y=a%20b") };
	x->request.original_url = (struct url){ STR("https"), STR("gw.example"), 0, STR("/api/orders/7"), STR_NULL };
	x->request.body = (struct body){ .kind = BODY_HELD, .bytes = STR("{\"n\":5,\"s\":\"t\",\"a\":[1,2,3],\"o\":{\"k\":null}}") };
	fields_init(&x->request.headers, a);
	fields_init(&x->response.headers, a);
	fields_init(&x->matched, a);
	assert_true(fields_add(&x->request.headers, STR("X-One"), STR("1")));
	assert_true(fields_add(&x->request.headers, STR("Accept"), STR("text/html")));
	assert_true(fields_add(&x->request.headers, STR("accept"), STR("*/*")));
	assert_true(fields_add(&x->matched, STR("id"), STR("7")));
	x->response.status = 200;
	x->response.reason = STR("OK");
	assert_true(exchange_set_variable(x, STR("s"), value_string(a, STR("text"), true)));
	assert_true(exchange_set_variable(x, STR("i"), value_int(41)));
	assert_true(exchange_set_variable(x, STR("b"), value_bool(true)));
}

/* ---- one line ------------------------------------------------------------------------------------------------------------- */

struct row {
	const char *file;
	unsigned line;
	struct str source, want;
	char kind;               /* '>', '!' or '?' */
};

static char *label_of(const struct row *r)
{
	static char label[400];

	snprintf(label, sizeof(label), "%s:%u %.*s", r->file, r->line, STR_ARG(str_first(r->source, 200)));
	return label;
}

static void check_diags(const struct row *r, const struct policy_diags *d, unsigned shift)
{
	char got[800] = "";

	if (d->n)
		snprintf(got, sizeof(got), "%u:%u %.*s", d->v[0].line,
			 d->v[0].line > 1 ? d->v[0].column : d->v[0].column > shift ? d->v[0].column - shift : 0,
			 STR_ARG(d->v[0].message));
	CHECK_STR(label_of(r), str_of(got), r->kind == '?' ? r->want : STR("no compile error"));
}

static void run_row(const struct row *r)
{
	struct expr_limits limits = expr_limits_default;
	struct arena *a = arena_new(MEMORY), *b = arena_new(MEMORY);
	bool wrapped = !str_starts(r->source, STR("@(")) && !str_starts(r->source, STR("@{"));
	struct str source = wrapped ? arena_printf(a, "@(%.*s)", STR_ARG(r->source)) : r->source, text = STR_NULL;
	struct policy_diags diags;
	struct expr *e;

	limits.cpu_ms = 0;              /* a busy machine must not end a row sooner than its own limit */
	policy_diags_init(&diags, a);
	e = expr_compile(a, source, 1, 1, &diags, NULL);
	if (!e || r->kind == '?')
		check_diags(r, &diags, wrapped ? 2 : 0);
	for (int run = 0; e && run < 2; run++) {
		struct exchange x;
		struct gh_err err;
		struct value v;
		clock_t start = clock();

		arena_reset(b);
		fill(&x, b);
		if (expr_run(e, &x, &limits, &v, &err).code || expr_json(&x, v, &limits, &text, &err).code)
			CHECK_STR(label_of(r), str_of(err.message), r->kind == '!' ? r->want : STR("no exception"));
		else
			CHECK_STR(label_of(r), text, r->kind == '>' ? r->want : STR("an error"));
		CHECK(label_of(r), clock() - start < CLOCKS_PER_SEC * 2);
	}
	arena_free(a);
	arena_free(b);
}

static struct str with_breaks(struct arena *a, struct str s)
{
	size_t at = str_find(s, STR("\\r\\n"));

	if (at == SIZE_MAX || s.p[0] == '"' || s.p[0] == '{' || s.p[0] == '[')
		return s;
	return arena_printf(a, "%.*s\r\n%.*s", STR_ARG(str_first(s, at)), STR_ARG(str_from(s, at + 4)));
}

static void run_line(struct arena *a, const char *file, unsigned line, struct str text)
{
	static const char *const marks[] = { " --> ", " --! ", " --? " };
	struct row r = { .file = file, .line = line };

	text = str_trim(text);
	if (!text.n || text.p[0] == '#')
		return;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t at = str_find(text, str_of(marks[i]));

		if (at == SIZE_MAX)
			continue;
		r.source = str_trim(str_first(text, at));
		r.want = with_breaks(a, str_from(text, at + 5));
		r.kind = marks[i][3];
		run_row(&r);
		return;
	}
	fprintf(stderr, "# %s:%u: no --> --! or --? in this line\n", file, line);
	check_failures++;
}

static int only_txt(const struct dirent *d)
{
	return str_ends(str_of(d->d_name), STR(".txt"));
}

static void files(void **state UNUSED)
{
	struct dirent **names;
	int n = scandir("tests/golden/expr", &names, only_txt, alphasort);

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		struct arena *a = arena_new(MEMORY);
		char path[512];
		struct str rest, line;
		unsigned at = 0;

		snprintf(path, sizeof(path), "tests/golden/expr/%s", names[i]->d_name);
		assert_int_equal(file_read(a, path, 1 << 20, &rest, NULL).code, GH_OK);
		while (str_split(&rest, '\n', &line))
			run_line(a, names[i]->d_name, ++at, line);
		arena_free(a);
		free(names[i]);
	}
	free(names);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(files) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
