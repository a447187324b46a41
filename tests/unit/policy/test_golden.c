/* Runs what stands under tests/golden/policy, through the offline host of `gatehouse policy run`.
 *
 *   NAME/cases.json     an array of cases: { "label", "request", "context", "expect" } with the document as "policy", or its
 *                       parts as "inbound", "backend", "outbound", "on-error" (each with <base/> put in front)
 *   NAME/policy.xml     one case, with request.json, context.json (optional) and expected.json beside it; without the last
 *                       it belongs to a file of cases that `gatehouse policy test` runs
 *
 * What is expected is a part of the output: every member that is named must be there and equal; null also means absent.
 * "error" in a case: the document must not compile, and a message must hold this text. */
#include "tests/unit/check.h"

#include "policy/offline/offline.h"
#include "core/file.h"
#include "policy/element.h"

#include <dirent.h>
#include <unistd.h>

static const char root[] = "tests/golden/policy";

static bool covers(const json_t *want, const json_t *have)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_null(want))
		return !have || json_is_null(have);
	if (json_is_object(want)) {
		json_object_foreach((json_t *)(uintptr_t)want, key, value) {
			if (!covers(value, json_object_get(have, key)))
				return false;
		}
		return json_is_object(have);
	}
	if (json_is_array(want)) {
		if (json_array_size(want) != json_array_size(have))
			return false;
		json_array_foreach((json_t *)(uintptr_t)want, i, value) {
			if (!covers(value, json_array_get(have, i)))
				return false;
		}
		return true;
	}
	return json_equal(want, have);
}

static json_t *read_json(struct arena *a, const char *path)
{
	struct text_where where;
	struct gh_err err;
	struct str text;
	json_t *out;

	if (file_read(a, path, OFFLINE_FILE_MAX, &text, &err).code)
		return NULL;
	if (!jsn_parse_in(a, text, NULL, &out, &where, &err).code)
		return out;
	fprintf(stderr, "# %s:%u:%u: %s\n", path, where.line, where.column, err.message);
	check_failures++;
	return NULL;
}

static void complain(const char *label, const char *what, struct str got)
{
	fprintf(stderr, "# %s: %s: %.*s\n", label, what, STR_ARG(got));
	check_failures++;
}

/* The document's file: written for the case when it is given in parts. */
static const char *document_of(struct arena *a, const json_t *c)
{
	static const char *const sections[] = { "inbound", "backend", "outbound", "on-error" };
	const char *path = arena_printf(a, "/tmp/gatehouse-golden-%d.xml", (int)getpid()).p;
	struct str text = jsn_str(c, "policy");
	struct gh_err err;

	if (str_is_null(text)) {
		text = STR("<policies>");
		for (size_t i = 0; i < ARRAY_LEN(sections); i++)
			text = arena_printf(a, "%.*s<%s><base />%.*s</%s>", STR_ARG(text), sections[i],
					    STR_ARG(jsn_str(c, sections[i])), sections[i]);
		text = arena_printf(a, "%.*s</policies>", STR_ARG(text));
	}
	return file_write_atomic(path, text, 0600, &err).code ? NULL : path;
}

static void run_case(struct arena *a, const char *label, const char *path, json_t *request, json_t *context, const char *dir,
		     const json_t *expect, struct str error)
{
	struct policy_diags diags;
	struct offline *o;
	struct gh_err err = { 0 };
	const char *file;
	json_t *out;

	policy_diags_init(&diags, a);
	if (offline_new(a, context, dir, &o, &err).code) {
		complain(label, "context", str_of(err.message));
		return;
	}
	if (offline_load(o, path, &diags, &file, &err).code) {
		for (size_t i = 0; i < diags.n; i++)
			if (error.n && str_find(diags.v[i].message, error) != SIZE_MAX)
				return;
		complain(label, file, diags.n ? diags.v[0].message : str_of(err.message));
		return;
	}
	if (error.n)
		complain(label, "it compiled, but should have said", error);
	else if (offline_run(o, request ? request : jsn_keep(a, json_object()), &out, &err).code)
		complain(label, "run", str_of(err.message));
	else if (!covers(expect, out))
		complain(label, "other output", jsn_text(a, out, JSN_INDENT));
}

static void run_table(struct arena *a, const char *dir)
{
	json_t *cases = read_json(a, arena_printf(a, "%s/cases.json", dir).p), *c;
	size_t i;

	json_array_foreach(cases, i, c) {
		struct arena *one = arena_new(1 << 28);
		const char *label = arena_printf(one, "%s: %s", dir + sizeof(root), jsn_str(c, "label").p).p, *path = document_of(one, c);

		run_case(one, label, path, jsn_obj(c, "request"), jsn_obj(c, "context"), dir, jsn_get(c, "expect"), jsn_str(c, "error"));
		if (path)
			unlink(path);
		arena_free(one);
	}
}

static void run_folder(const char *dir)
{
	struct arena *a = arena_new(1 << 28);
	const char *policy = arena_printf(a, "%s/policy.xml", dir).p, *expected = arena_printf(a, "%s/expected.json", dir).p;

	if (!access(arena_printf(a, "%s/cases.json", dir).p, R_OK))
		run_table(a, dir);
	if (!access(policy, R_OK) && !access(expected, R_OK))
		run_case(a, dir + sizeof(root), policy, read_json(a, arena_printf(a, "%s/request.json", dir).p),
			 read_json(a, arena_printf(a, "%s/context.json", dir).p), dir,
			 read_json(a, expected), STR_NULL);
	arena_free(a);
}

/* ---- every policy has a case --------------------------------------------------------------------------------------- */

static void collect(struct buf *to, struct arena *a, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct gh_err err;
	struct str text;

	while (d && (e = readdir(d))) {
		const char *path = arena_printf(a, "%s/%s", dir, e->d_name).p;

		if (e->d_name[0] == '.')
			continue;
		if (e->d_type == DT_DIR)
			collect(to, a, path);
		else if (!file_read(a, path, OFFLINE_FILE_MAX, &text, &err).code)
			buf_str(to, text);
	}
	if (d)
		closedir(d);
}

/* proxy acts on the wire only: tests/http has it. */
static void test_covered(void **state)
{
	struct arena *a = arena_new(1 << 28);
	struct buf all;

	(void)state;
	buf_init(&all, 1 << 26);
	collect(&all, a, root);
	for (size_t i = 0; policy_types[i]; i++) {
		const char *name = policy_types[i]->schema->name;
		struct str bare = arena_printf(a, "<%s/", name), spaced = arena_printf(a, "<%s ", name), open = arena_printf(a, "<%s>", name);

		if (policy_types[i]->not_live || str_eq(str_of(name), STR("proxy")))
			continue;
		CHECK(name, str_find(buf_view(&all), spaced) != SIZE_MAX || str_find(buf_view(&all), open) != SIZE_MAX
				    || str_find(buf_view(&all), bare) != SIZE_MAX);
	}
	buf_release(&all);
	arena_free(a);
	check_done();
}

static void test_all(void **state)
{
	DIR *d = opendir(root);
	struct dirent *e;
	size_t n = 0;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		char path[512];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", root, e->d_name);
		run_folder(path);
		n++;
	}
	closedir(d);
	assert_true(n > 0);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all), cmocka_unit_test(test_covered) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
