/* policy_test.c - gatehouse policy test: cases that are kept beside the documents, run offline, told as TAP.
 *
 * DIR and the folders in it are searched for files named *.cases.json, *.cases.yaml or *.cases.yml: an array of
 *   { "label": …, "policy": "orders.xml", "request": {…}, "context": {…}, "expect": {…} }
 * "policy" names a document beside the file. What is expected is a part of the output of `policy run`; null means
 * absent. */
#include "cli/command.h"
#include "cli/offline.h"
#include "core/file.h"
#include "core/str.h"
#include "core/yaml.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FOLDER_DEPTH_MAX = 16, CASE_MEMORY_MAX = 256 * 1024 * 1024, SHOWN_MAX = 200 };

struct tester {
	struct cli *c;
	size_t n, failed;
};

/* ---- comparing --------------------------------------------------------------------------------------------------- */

struct difference {
	struct arena *a;
	struct str where, want, got;
};

static bool differs(struct difference *d, struct str where, const json_t *want, const json_t *got)
{
	d->where = where;
	d->want = jsn_text(d->a, want, 0);
	d->got = got ? jsn_text(d->a, got, 0) : STR("nothing");
	return false;
}

static bool covers(struct difference *d, struct str where, const json_t *want, const json_t *got)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_null(want))
		return !got || json_is_null(got) || differs(d, where, want, got);
	if (json_is_object(want)) {
		if (!json_is_object(got))
			return differs(d, where, want, got);
		json_object_foreach((json_t *)(uintptr_t)want, key, value) {
			if (!covers(d, arena_printf(d->a, "%.*s.%s", STR_ARG(where), key), value,
				    json_object_get(got, key)))
				return false;
		}
		return true;
	}
	if (!json_is_array(want) || json_array_size(want) != json_array_size(got))
		return json_equal(want, got) || differs(d, where, want, got);
	json_array_foreach((json_t *)(uintptr_t)want, i, value) {
		if (!covers(d, arena_printf(d->a, "%.*s[%zu]", STR_ARG(where), i), value, json_array_get(got, i)))
			return false;
	}
	return true;
}

/* ---- one case ---------------------------------------------------------------------------------------------------- */

static void tell(struct tester *t, bool ok, struct str label)
{
	t->n++;
	t->failed += !ok;
	buf_fmt(&t->c->out, "%sok %zu - %.*s\n", ok ? "" : "not ", t->n, STR_ARG(label));
}

static void tell_line(struct tester *t, const char *what, struct str text)
{
	for (struct str line; str_split(&text, '\n', &line);)
		buf_fmt(&t->c->out, "# %s%.*s%s\n", what, STR_ARG(str_first(line, SHOWN_MAX)),
			line.n > SHOWN_MAX ? "…" : "");
}

static GH_RC run_case(struct tester *t, struct arena *a, const json_t *c, const char *dir, struct str label,
		      struct gh_err *err)
{
	const char *path = arena_printf(a, "%s/%.*s", dir, STR_ARG(jsn_str(c, "policy"))).p, *file;
	struct difference d = { .a = a };
	struct policy_diags diags;
	json_t *out, *request = jsn_obj(c, "request");
	struct offline *o;
	gh_rc rc;

	policy_diags_init(&diags, a);
	TRY(offline_new(a, jsn_obj(c, "context"), dir, &o, err));
	rc = offline_load(o, path, &diags, &file, err);
	if (rc.code && diags.errors) {
		tell(t, false, label);
		for (size_t i = 0; i < diags.n; i++)
			if (!diags.v[i].warning)
				tell_line(t, "",
					  arena_printf(a, "%s:%u:%u: %.*s", file, diags.v[i].line, diags.v[i].column,
						       STR_ARG(diags.v[i].message)));
		return GH_RC_OK;
	}
	TRY(rc);
	TRY(offline_run(o, request ? request : jsn_keep(a, json_object()), &out, err));
	if (covers(&d, STR("output"), jsn_get(c, "expect") ? jsn_get(c, "expect") : jsn_keep(a, json_object()), out)) {
		tell(t, true, label);
		return GH_RC_OK;
	}
	tell(t, false, label);
	tell_line(t, "at   ", d.where);
	tell_line(t, "want ", d.want);
	tell_line(t, "got  ", d.got);
	return GH_RC_OK;
}

static GH_RC read_cases(struct arena *a, const char *path, json_t **out, struct gh_err *err)
{
	struct text_where where = { 0 };
	struct str text;
	gh_rc rc;

	TRY(file_read(a, path, OFFLINE_FILE_MAX, &text, err));
	if (str_ends(str_of(path), STR(".json"))) {
		rc = jsn_parse_in(a, text, NULL, out, &where, err);
	} else {
		rc = yaml_parse(text, NULL, out, &where, err);
		if (!rc.code)
			*out = jsn_keep(a, *out);
	}
	if (rc.code)
		gh_err_prefix(err, "%s:%u:%u", path, where.line, where.column);
	if (!rc.code && !json_is_array(*out))
		FAIL(err, INVALID, "%s: the cases must be an array", path);
	return rc;
}

static void run_file(struct tester *t, const char *path, const char *dir)
{
	struct arena *a = arena_new(CASE_MEMORY_MAX);
	struct gh_err err;
	json_t *cases, *c;
	size_t i;

	if (!a || read_cases(a, path, &cases, &err).code) {
		tell(t, false, str_of(path));
		tell_line(t, "", str_of(a ? err.message : "out of memory"));
		arena_free(a);
		return;
	}
	json_array_foreach(cases, i, c) {
		struct arena *one = arena_new(CASE_MEMORY_MAX);
		struct str label = jsn_str(c, "label");

		if (str_is_null(label))
			label = arena_printf(a, "%s, case %zu", path, i + 1);
		if (!one || run_case(t, one, c, dir, label, &err).code) {
			tell(t, false, label);
			tell_line(t, "", str_of(one ? err.message : "out of memory"));
		}
		arena_free(one);
	}
	arena_free(a);
}

/* ---- finding files ----------------------------------------------------------------------------------------------- */

static bool holds_cases(struct str name)
{
	return str_ends(name, STR(".cases.json")) || str_ends(name, STR(".cases.yaml"))
		|| str_ends(name, STR(".cases.yml"));
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static GH_RC search(struct tester *t, const char *dir, unsigned depth, struct gh_err *err)
{
	struct dirent **v;
	int n = scandir(dir, &v, visible, alphasort);
	gh_rc rc = GH_RC_OK;

	if (n < 0)
		FAIL(err, NOT_FOUND, "%s: the folder cannot be read", dir);
	for (int i = 0; i < n; i++) {
		const char *path = arena_printf(t->c->arena, "%s/%s", dir, v[i]->d_name).p;
		struct stat st;

		if (!rc.code && path && !stat(path, &st)) {
			if (S_ISDIR(st.st_mode) && depth < FOLDER_DEPTH_MAX)
				rc = search(t, path, depth + 1, err);
			else if (S_ISREG(st.st_mode) && holds_cases(str_of(v[i]->d_name)))
				run_file(t, path, dir);
		}
		free(v[i]);
	}
	free(v);
	return rc;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct tester t = { .c = c };

	buf_cstr(&c->out, "TAP version 13\n");
	for (size_t i = 0; i < c->options.n_args; i++)
		TRY(search(&t, c->options.args[i], 0, err));
	buf_fmt(&c->out, "1..%zu\n", t.n);
	if (!t.n)
		FAIL(err, NOT_FOUND, "no file named *.cases.json or *.cases.yaml was found");
	if (t.failed)
		c->exit_code = 1;
	return GH_RC_OK;
}

const struct command command_policy_test = {
	.name = "policy test",
	.args = "DIR...",
	.least_args = 1,
	.most_args = 64,
	.summary = "run the cases that are kept beside policy documents",
	.help = "Looks for *.cases.json and *.cases.yaml: arrays of {label, policy, request, context, expect}. "
		"`policy` names a\n"
		"document beside the file; `expect` is the part of the output of `policy run` that must be so. Prints "
		"TAP.",
	.run = run,
};
