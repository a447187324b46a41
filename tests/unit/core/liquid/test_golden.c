/* The public Golden Liquid suite, where it is present (GATEHOUSE_SUITES, else ../shared/suites; skipped otherwise).
 * Every case must pass but the ones listed here, each with the reason why we differ on purpose; a listed case that
 * passes after all fails the test, so the list stays true. */
#include "tests/unit/check.h"

#include "core/file.h"
#include "core/liquid.h"

#include <jansson.h>
#include <stdlib.h>

static const struct {
	const char *name, *why;
} excluded[] = {
	{ "filters, has, array of ints, default value",
	  "asks whether bit 2 of each number is set, an accident of Ruby; we say that numbers have no properties" },
	{ "tags, case, unexpected when token", "passes over the rest of a 'when' it does not understand; we refuse it" },
	{ NULL, NULL },
};

struct partials {
	struct arena *a;
	json_t *sources;
};

static const struct liquid_template *load(void *ctx, struct str name)
{
	struct partials *p = ctx;
	json_t *source = json_object_getn(p->sources, name.p, name.n);
	const struct liquid_template *t;

	if (!source || liquid_parse(p->a, name, str_of(json_string_value(source)), NULL, &t, NULL).code)
		return NULL;
	return t;
}

static bool one_of(json_t *test, struct str got)
{
	json_t *all = json_object_get(test, "results"), *one = json_object_get(test, "result"), *item;
	size_t i;

	if (one)
		return str_eq(got, (struct str){ json_string_value(one), json_string_length(one) });
	json_array_foreach(all, i, item)
		if (str_eq(got, (struct str){ json_string_value(item), json_string_length(item) }))
			return true;
	return false;
}

static bool passes(json_t *test, char *detail, size_t n)
{
	struct arena *a = arena_new(16 << 20);
	struct partials p = { a, json_object_get(test, "templates") };
	json_t *source = json_object_get(test, "template");
	const struct liquid_template *t;
	struct liquid_env env = { .globals = liquid_of_json(json_object_get(test, "data")), .load = load, .load_ctx = &p };
	struct gh_err err = { .message = "" };
	struct buf out;
	bool ok;
	gh_rc rc;

	buf_init(&out, 1 << 20);
	rc = liquid_parse(a, STR("t"), (struct str){ json_string_value(source), json_string_length(source) }, NULL, &t, &err);
	if (!rc.code)
		rc = liquid_render(t, &env, a, &out, &err);
	if (json_is_true(json_object_get(test, "invalid")))
		ok = rc.code != GH_OK;
	else
		ok = !rc.code && one_of(test, buf_view(&out));
	snprintf(detail, n, "got \"%.*s\" %s", STR_ARG(buf_view(&out)), rc.code ? err.message : "");
	buf_release(&out);
	arena_free(a);
	return ok;
}

static const char *reason(const char *name)
{
	for (size_t i = 0; excluded[i].name; i++)
		if (strcmp(excluded[i].name, name) == 0)
			return excluded[i].why;
	return NULL;
}

static void golden(void **state UNUSED)
{
	const char *root = getenv("GATEHOUSE_SUITES");
	struct arena *a = arena_new(16 << 20);
	struct str path = arena_printf(a, "%s/golden-liquid/golden_liquid.json", root ? root : "../shared/suites"), text;
	size_t i, passed = 0, left_out = 0;
	json_t *suite, *test;

	if (file_read(a, path.p, 8 << 20, &text, NULL).code) {
		arena_free(a);
		check_skip("no Golden Liquid suite at hand");
	}
	suite = json_loadb(text.p, text.n, 0, NULL);
	assert_non_null(suite);
	json_array_foreach(json_object_get(suite, "tests"), i, test) {
		const char *name = json_string_value(json_object_get(test, "name"));
		char detail[400];
		bool ok = passes(test, detail, sizeof(detail));

		passed += ok;
		left_out += !ok;
		if (ok == (reason(name) != NULL)) {
			check_failures++;
			fprintf(stderr, "# %s: %s: %s\n", name, ok ? "is listed as excluded but passes" : "differs", detail);
		}
	}
	fprintf(stderr, "# golden liquid: %zu passed, %zu excluded with a reason\n", passed, left_out);
	json_decref(suite);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(golden) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
