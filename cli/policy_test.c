/* policy_test.c - gatehouse policy test: finds the files of cases, runs them, prints TAP 13 or JSON. */
#include "cli/command.h"
#include "cli/policy_test.h"
#include "core/str.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { DIFF_LINES_MAX = 20, DIFF_TEXT_MAX = 2000 };

struct files {
	struct arena *arena;
	const char **v;
	size_t n;
};

/* ---- finding ------------------------------------------------------------------------------------------------------- */

static bool is_test_file(const char *name)
{
	static const char *const endings[] = { ".test.yaml", ".test.yml", ".test.json" };

	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (str_ends(str_of(name), str_of(endings[i])))
			return true;
	return false;
}

static GH_RC add_file(struct files *f, const char *path, struct gh_err *err)
{
	if (f->n == TEST_FILES_MAX)
		FAIL(err, LIMIT, "%s: there are more than %d test files", path, TEST_FILES_MAX);
	f->v[f->n++] = path;
	return GH_RC_OK;
}

static GH_RC walk(struct files *f, const char *dir, unsigned depth, struct gh_err *err);

/* Links are not followed into folders, so there are no circles. */
static GH_RC visit(struct files *f, const char *path, const char *name, unsigned depth, struct gh_err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return walk(f, path, depth + 1, err);
	return is_test_file(name) ? add_file(f, path, err) : GH_RC_OK;
}

static GH_RC walk_open(struct files *f, DIR *d, const char *dir, unsigned depth, struct gh_err *err)
{
	struct dirent *e;

	while ((e = readdir(d))) {
		const char *path;

		if (e->d_name[0] == '.')
			continue;
		path = arena_printf(f->arena, "%s%s%s", dir, str_ends(str_of(dir), STR("/")) ? "" : "/", e->d_name).p;
		if (!path)
			FAIL(err, NOMEM, "%s", dir);
		TRY(visit(f, path, strrchr(path, '/') + 1, depth, err));
	}
	return GH_RC_OK;
}

static GH_RC walk(struct files *f, const char *dir, unsigned depth, struct gh_err *err)
{
	DIR *d;
	gh_rc rc;

	if (depth > TEST_DEPTH_MAX)
		FAIL(err, LIMIT, "%s: folders are searched %d levels deep", dir, TEST_DEPTH_MAX);
	d = opendir(dir);
	if (!d)
		FAIL(err, IO, "%s: %s", dir, strerror(errno));
	rc = walk_open(f, d, dir, depth, err);
	closedir(d);
	return rc;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GH_RC find_files(struct cli *c, struct files *f, struct gh_err *err)
{
	size_t kept = 0;
	struct stat st;

	f->arena = c->arena;
	f->v = arena_alloc(c->arena, TEST_FILES_MAX, sizeof(*f->v));
	if (!f->v)
		FAIL(err, NOMEM, "test files");
	for (size_t i = 0; i < c->options.n_args; i++) {
		const char *path = c->options.args[i];

		if (stat(path, &st) != 0)
			FAIL(err, NOT_FOUND, "%s: %s", path, strerror(errno));
		if (S_ISDIR(st.st_mode))
			TRY(walk(f, path, 0, err));
		else if (is_test_file(path))
			TRY(add_file(f, path, err));
		else
			return cli_usage(c, err, "%s is neither a folder nor a file *.test.yaml, *.test.yml or *.test.json", path);
	}
	qsort(f->v, f->n, sizeof(*f->v), by_path);
	for (size_t i = 0; i < f->n; i++)
		if (!kept || strcmp(f->v[kept - 1], f->v[i]))
			f->v[kept++] = f->v[i];
	f->n = kept;
	return GH_RC_OK;
}

/* ---- TAP ----------------------------------------------------------------------------------------------------------- */

/* In a description '#' would begin a directive. */
static void tap_name(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '#' || *s == '\\')
			buf_char(b, '\\');
		buf_char(b, *s);
	}
}

/* One comment line; what a terminal would act on is shown as \xNN. */
static void tap_comment(struct buf *b, const char *prefix, struct str s)
{
	bool cut = s.n > DIFF_TEXT_MAX;

	if (cut)
		s.n = DIFF_TEXT_MAX;
	buf_cstr(b, "# ");
	buf_cstr(b, prefix);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if ((ch < ' ' && ch != '\t') || ch == 0x7F)
			buf_fmt(b, "\\x%02X", ch);
		else
			buf_char(b, s.p[i]);
	}
	buf_cstr(b, cut ? " ...\n" : "\n");
}

static void tap_error(struct buf *b, struct str s)
{
	struct str line;

	while (str_split(&s, '\n', &line))
		tap_comment(b, "", line);
}

static void tap_lines(struct buf *b, const char *prefix, struct str s, size_t skip, size_t n)
{
	struct str line;

	for (size_t i = 0; str_split(&s, '\n', &line) && i < skip + n; i++)
		if (i >= skip && i < skip + DIFF_LINES_MAX)
			tap_comment(b, prefix, line);
	if (n > DIFF_LINES_MAX)
		buf_fmt(b, "# %s... (%zu lines more)\n", prefix, n - DIFF_LINES_MAX);
}

static size_t count_lines(struct str s)
{
	struct str line;
	size_t n = 0;

	while (str_split(&s, '\n', &line))
		n++;
	return n;
}

/* Texts of several lines: the lines in which they differ, the equal ones around them left out. */
static void tap_text_diff(struct buf *b, struct str want, struct str have)
{
	size_t same = 0, tail = 0, n_want = count_lines(want), n_have = count_lines(have);
	struct str a = want, c = have, la, lc;

	while (str_split(&a, '\n', &la) && str_split(&c, '\n', &lc) && str_eq(la, lc))
		same++;
	while (tail < n_want - same && tail < n_have - same) {
		size_t ea = str_rfind_char(want, '\n'), ec = str_rfind_char(have, '\n');

		if (!str_eq(str_from(want, ea == SIZE_MAX ? 0 : ea + 1), str_from(have, ec == SIZE_MAX ? 0 : ec + 1)))
			break;
		tail++;
		if (ea == SIZE_MAX || ec == SIZE_MAX)
			break;
		want.n = ea;
		have.n = ec;
	}
	buf_fmt(b, "#   from line %zu on (- expected, + actual):\n", same + 1);
	tap_lines(b, "  - ", want, same, n_want - same - tail);
	tap_lines(b, "  + ", have, same, n_have - same - tail);
}

static void tap_difference(struct buf *b, struct arena *a, const json_t *d)
{
	const json_t *want = jsn_get(d, "expected"), *have = jsn_get(d, "actual");
	struct str message = jsn_str(d, "message"), x = jsn_string(want), y = jsn_string(have);
	int64_t run = jsn_int(d, "run", 0);

	buf_cstr(b, "# ");
	if (run)
		buf_fmt(b, "run %lld: ", (long long)run);
	buf_fmt(b, "%.*s%s%.*s\n", STR_ARG(jsn_str(d, "path")), message.n && jsn_get(d, "path") ? ": " : "", STR_ARG(message));
	if (!jsn_get(d, "path"))
		return;
	if (!message.n && x.p && y.p && (str_find_char(x, '\n') != SIZE_MAX || str_find_char(y, '\n') != SIZE_MAX)) {
		tap_text_diff(b, x, y);
		return;
	}
	tap_comment(b, "  expected: ", want ? jsn_text(a, want, 0) : STR("(absent)"));
	tap_comment(b, "  actual:   ", have ? jsn_text(a, have, 0) : STR("(absent)"));
}

static void print_tap(struct cli *c, struct arena *a, const struct test_case *t, const struct test_result *r, size_t number)
{
	bool ok = !json_array_size(r->errors) && !json_array_size(r->differences);
	const json_t *one;
	size_t i;

	buf_fmt(&c->out, "%s %zu - ", ok ? "ok" : "not ok", number);
	tap_name(&c->out, t->file);
	buf_cstr(&c->out, ": ");
	tap_name(&c->out, t->name);
	buf_char(&c->out, '\n');
	if (json_array_size(r->differences))
		buf_fmt(&c->out, "# %s:%u: with %s\n", t->file, r->where.line, r->policy);
	json_array_foreach(r->errors, i, one)
		tap_error(&c->out, jsn_string(one));
	json_array_foreach(r->differences, i, one)
		tap_difference(&c->out, a, one);
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------- */

static void print_json(struct cli *c, struct arena *a, const struct test_case *t, const struct test_result *r, size_t number)
{
	bool ok = !json_array_size(r->errors) && !json_array_size(r->differences);
	json_t *o = jsn_keep(a, json_object());

	json_object_set_new(o, "file", json_string(t->file));
	if (r->where.line)
		json_object_set_new(o, "line", json_integer(r->where.line));
	json_object_set_new(o, "name", json_string(t->name));
	json_object_set_new(o, "policy", r->policy ? json_string(r->policy) : json_null());
	json_object_set_new(o, "ok", json_boolean(ok));
	json_object_set(o, "errors", r->errors);
	json_object_set(o, "differences", r->differences);
	buf_cstr(&c->out, number == 1 ? "[" : ",\n ");
	jsn_write(&c->out, o, 0);
}

/* ---- the command --------------------------------------------------------------------------------------------------- */

static GH_RC run_case(struct cli *c, const struct test_case *t, size_t number, struct gh_err *err)
{
	struct arena *a = arena_new(TEST_CASE_MEMORY_MAX);
	struct test_result r;
	gh_rc rc;

	if (!a)
		FAIL(err, NOMEM, "%s", t->file);
	rc = test_case_run(a, t, &r, err);
	if (!rc.code) {
		if (json_array_size(r.errors) || json_array_size(r.differences))
			c->exit_code = 1;
		(c->json ? print_json : print_tap)(c, a, t, &r, number);
	}
	arena_free(a);
	return rc.code ? rc : cli_flush(c, err);
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct test_case *cases = arena_alloc(c->arena, TEST_CASES_MAX, sizeof(*cases));
	struct files files = { 0 };
	size_t n = 0;

	if (!cases)
		FAIL(err, NOMEM, "test cases");
	TRY(find_files(c, &files, err));
	if (!files.n)
		FAIL(err, NOT_FOUND, "there are no files *.test.yaml, *.test.yml or *.test.json under %s", c->options.args[0]);
	for (size_t i = 0; i < files.n; i++)
		TRY(test_file_read(c->arena, files.v[i], cases, &n, err));
	if (!c->json)
		buf_fmt(&c->out, "TAP version 13\n1..%zu\n", n);
	for (size_t i = 0; i < n; i++)
		TRY(run_case(c, &cases[i], i + 1, err));
	if (c->json)
		buf_cstr(&c->out, "]\n");
	return GH_RC_OK;
}

const struct command command_policy_test = {
	.name = "policy test", .args = "DIR...", .least_args = 1, .most_args = UINT_MAX,
	.summary = "run the test cases that stand beside policy documents",
	.help = "Cases are files *.test.yaml, *.test.yml or *.test.json anywhere below DIR: a request, a context, and what must\n"
		"come of it. Prints TAP, or with --format json an array of results. Exits with 1 when a case fails.",
	.run = run,
};
