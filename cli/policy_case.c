/* policy_case.c - one file of test cases read and checked, one case run. */
#include "cli/policy_test.h"

#include "core/file.h"
#include "core/str.h"
#include "core/suggest.h"
#include "core/yaml.h"

#include <unistd.h>

/* ---- which fields there are ---------------------------------------------------------------------------------------- */

enum { SHAPE_FIELDS_MAX = 24 };

struct shape {
	const char *names[SHAPE_FIELDS_MAX + 1];
	const struct {
		const char *name;
		const struct shape *shape;       /* of the field, or of each entry of it */
	} inside[8];
};

static const struct shape request_shape = {
	.names = { "method", "url", "headers", "body", "ip", "clientCertificate", "repeat", "interval" },
};
static const struct shape answer_shape = { .names = { "status", "reason", "headers", "body", "error" } };
static const struct shape match_shape = { .names = { "method", "url" } };
static const struct shape call_shape = {
	.names = { "match", "response", "times", "error" },
	.inside = { { "match", &match_shape }, { "response", &answer_shape } },
};
static const struct shape context_shape = {
	.names = { "now", "seed", "scope", "variables", "namedValues", "fragments", "api", "operation", "matchedParameters",
		   "product", "subscription", "user", "workspace", "deployment", "scopes", "calls", "backend", "backends",
		   "certificates", "openapi", "authorities", "revocationLists", "schemas" },
	.inside = { { "calls", &call_shape }, { "backend", &answer_shape } },
};
static const struct shape sent_shape = { .names = { "method", "url", "headers", "body" } };
static const struct shape response_shape = { .names = { "status", "reason", "headers", "body" } };
static const struct shape error_shape = {
	.names = { "source", "reason", "message", "scope", "section", "path", "policyId" },
};
static const struct shape expect_shape = {
	.names = { "response", "backendRequest", "calls", "variables", "lastError", "logs", "metrics" },
	.inside = { { "response", &response_shape }, { "backendRequest", &sent_shape }, { "calls", &sent_shape },
		    { "lastError", &error_shape } },
};
static const struct shape case_shape = {
	.names = { "name", "policy", "request", "context", "expect" },
	.inside = { { "request", &request_shape }, { "context", &context_shape }, { "expect", &expect_shape } },
};

/* A list of complaints about one file. */
struct complaints {
	struct arena *arena;
	const char *file;
	struct str text;
	json_t *errors;
};

static const char *place(struct arena *a, const char *file, struct text_where w)
{
	if (!w.line)
		return file;
	return arena_printf(a, "%s:%u:%u", file, w.line, w.column).p;
}

static void complain(struct complaints *c, const char *pointer, const char *message)
{
	struct text_where w = yaml_locate(c->text, str_of(pointer));
	struct str line = arena_printf(c->arena, "%s: error: %s", place(c->arena, c->file, w), message);

	json_array_append_new(c->errors, json_stringn(line.p ? line.p : "", line.n));
}

static const char *below(struct complaints *c, const char *pointer, const char *name)
{
	struct buf b;
	const char *out;

	buf_init(&b, 1 << 20);
	buf_cstr(&b, pointer);
	jsn_pointer_add(&b, str_of(name));
	out = arena_cstr(c->arena, buf_view(&b));
	buf_release(&b);
	return out;
}

static const struct shape *shape_inside(const struct shape *s, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(s->inside) && s->inside[i].name; i++)
		if (!strcmp(s->inside[i].name, name))
			return s->inside[i].shape;
	return NULL;
}

static bool is_named(const struct shape *s, const char *name)
{
	for (const char *const *n = s->names; *n; n++)
		if (!strcmp(*n, name))
			return true;
	return false;
}

static void unknown_field(struct complaints *c, const struct shape *s, const char *pointer, const char *name)
{
	const char *near = suggest(str_of(name), s->names);
	struct str known = STR("");

	if (near) {
		complain(c, pointer, arena_printf(c->arena, "there is no field `%s`; did you mean `%s`?", name, near).p);
		return;
	}
	for (const char *const *n = s->names; *n; n++)
		known = arena_printf(c->arena, "%.*s%s%s", STR_ARG(known), n == s->names ? "" : ", ", *n);
	complain(c, pointer, arena_printf(c->arena, "there is no field `%s`; there are %.*s", name, STR_ARG(known)).p);
}

static void check_shape(struct complaints *c, const struct shape *s, const char *pointer, json_t *v)
{
	const char *name;
	json_t *value;
	size_t i;

	json_array_foreach(v, i, value)
		check_shape(c, s, arena_printf(c->arena, "%s/%zu", pointer, i).p, value);
	json_object_foreach(v, name, value) {
		const struct shape *inside = shape_inside(s, name);
		const char *at = below(c, pointer, name);

		if (!is_named(s, name))
			unknown_field(c, s, at, name);
		else if (inside)
			check_shape(c, inside, at, value);
	}
}

/* ---- files of cases ------------------------------------------------------------------------------------------------ */

static const char *one_line(struct arena *a, struct str s)
{
	struct str copy = arena_dup(a, s);
	char *p = (char *)(uintptr_t)copy.p;

	for (size_t i = 0; i < copy.n; i++)
		if ((unsigned char)p[i] < ' ')
			p[i] = ' ';
	return copy.p;
}

static void add_case(struct arena *a, struct test_case *c, json_t *json, const char *pointer, size_t number)
{
	struct str name = jsn_str(json, "name");

	c->json = json;
	c->pointer = pointer;
	c->name = name.n ? one_line(a, name) : arena_printf(a, "case %zu", number).p;
}

static GH_RC read_cases(struct arena *a, const char *file, struct test_case *v, size_t *n, json_t *root, struct gh_err *err)
{
	const struct test_case first = v[*n];
	json_t *list = jsn_get(root, "cases"), *one;
	size_t i;

	if (!list) {
		add_case(a, &v[(*n)++], root, "", 1);
		return GH_RC_OK;
	}
	if (!json_array_size(list) || json_object_size(root) != 1) {
		v[*n].name = "the file can be read";
		v[(*n)++].problem = arena_printf(a, "%s: error: %s", file, json_object_size(root) != 1
			? "beside `cases` there are no other fields" : "`cases` must be a list of at least one case").p;
		return GH_RC_OK;
	}
	json_array_foreach(list, i, one) {
		if (*n == TEST_CASES_MAX)
			FAIL(err, LIMIT, "%s: there are more than %d cases", file, TEST_CASES_MAX);
		v[*n] = first;
		add_case(a, &v[(*n)++], one, arena_printf(a, "/cases/%zu", i).p, i + 1);
	}
	return GH_RC_OK;
}

GH_RC test_file_read(struct arena *a, const char *file, struct test_case *v, size_t *n, struct gh_err *err)
{
	struct text_where where = { 0 };
	struct gh_err why = { 0 };
	json_t *root = NULL;
	gh_rc rc;

	if (*n == TEST_CASES_MAX)
		FAIL(err, LIMIT, "%s: there are more than %d cases", file, TEST_CASES_MAX);
	v[*n] = (struct test_case){ .file = file, .pointer = "" };
	rc = file_read(a, file, TEST_FILE_BYTES_MAX, &v[*n].text, &why);
	if (rc.code) {
		v[*n].name = "the file can be read";
		v[(*n)++].problem = arena_printf(a, "error: %s", why.message).p;
		return GH_RC_OK;
	}
	rc = yaml_or_json_parse(v[*n].text, TEST_FILE_BYTES_MAX, &root, &where, &why);
	if (!rc.code && jsn_keep(a, root) && json_is_object(root))
		return read_cases(a, file, v, n, root, err);
	v[*n].name = "the file can be read";
	v[(*n)++].problem = arena_printf(a, "%s: error: %s", place(a, file, where), rc.code ? why.message
					 : "a case has the fields name, policy, request, context and expect").p;
	return GH_RC_OK;
}

/* ---- one case ------------------------------------------------------------------------------------------------------ */

static const char *beside(struct arena *a, const char *file, struct str name)
{
	const char *slash = strrchr(file, '/');

	if (!slash || (name.n && name.p[0] == '/'))
		return arena_cstr(a, name);
	return arena_printf(a, "%.*s%.*s", (int)(slash - file + 1), file, STR_ARG(name)).p;
}

static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_dup(a, (struct str){ path, (size_t)(slash - path) }).p : ".";
}

/* orders.test.yaml is about orders.xml, or else about the policy.xml beside it. */
static const char *policy_of(struct arena *a, const struct test_case *c)
{
	struct str named = jsn_str(c->json, "policy"), base = str_of(c->file);
	const char *own;

	if (named.n)
		return beside(a, c->file, named);
	base.n = str_rfind_char(base, '.');
	base.n -= strlen(".test");
	own = arena_printf(a, "%.*s.xml", STR_ARG(base)).p;
	return own && !access(own, R_OK) ? own : beside(a, c->file, STR("policy.xml"));
}

/* A part of the case that stands in it or in a file of its own. *dir: the folder of the file it stands in. */
static bool part_of(struct complaints *c, const struct test_case *t, const char *name, const struct shape *shape, json_t **out,
		    const char **dir)
{
	struct complaints other = *c;
	struct text_where where = { 0 };
	struct gh_err why = { 0 };

	*out = jsn_get(t->json, name);
	*dir = folder_of(c->arena, t->file);
	if (!json_is_string(*out))
		return true;
	other.file = beside(c->arena, t->file, jsn_string(*out));
	*dir = folder_of(c->arena, other.file);
	if (file_read(c->arena, other.file, TEST_FILE_BYTES_MAX, &other.text, &why).code) {
		complain(c, below(c, t->pointer, name), why.message);
		return false;
	}
	if (yaml_or_json_parse(other.text, TEST_FILE_BYTES_MAX, out, &where, &why).code) {
		struct str line = arena_printf(c->arena, "%s: error: %s", place(c->arena, other.file, where), why.message);

		json_array_append_new(c->errors, json_stringn(line.p ? line.p : "", line.n));
		return false;
	}
	jsn_keep(c->arena, *out);
	check_shape(&other, shape, "", *out);
	return true;
}

/* Types that would otherwise be taken for "not given". */
static void check_types(struct complaints *c, const struct test_case *t)
{
	static const struct {
		const char *name, *must;
		bool text, object, list;
	} rows[] = {
		{ "name", "is a sentence", true, false, false },
		{ "policy", "is the path of a policy document", true, false, false },
		{ "request", "is an object, or the path of a file that holds one", true, true, false },
		{ "context", "is an object, or the path of a file that holds one", true, true, false },
		{ "expect", "is an object, or with `repeat` a list of objects", false, true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *v = jsn_get(t->json, rows[i].name);

		if (v && !(rows[i].text && json_is_string(v)) && !(rows[i].object && json_is_object(v))
		    && !(rows[i].list && json_is_array(v)))
			complain(c, below(c, t->pointer, rows[i].name),
				 arena_printf(c->arena, "`%s` %s", rows[i].name, rows[i].must).p);
	}
	if (!jsn_get(t->json, "expect"))
		complain(c, t->pointer, "a case needs `expect`: what the run must give");
}

static void compare_runs(struct complaints *c, const struct test_case *t, json_t *output, struct test_result *out)
{
	json_t *expect = jsn_get(t->json, "expect"), *one;
	size_t i, runs = json_array_size(output);

	if (!json_is_array(output)) {
		if (json_is_array(expect))
			complain(c, below(c, t->pointer, "expect"), "`expect` can only be a list when the request has `repeat`");
		else
			test_expect(c->arena, expect, output, 0, out->differences);
		return;
	}
	if (json_is_array(expect) && json_array_size(expect) != runs) {
		complain(c, below(c, t->pointer, "expect"), arena_printf(c->arena, "`expect` has %zu entries, but the request runs %zu times",
									 json_array_size(expect), runs).p);
		return;
	}
	json_array_foreach(output, i, one)
		test_expect(c->arena, json_is_array(expect) ? json_array_get(expect, i) : expect, one, (json_int_t)i + 1,
			    out->differences);
}

static void add_diags(struct complaints *c, const char *file, const struct policy_diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct text_where w = { d->v[i].line, d->v[i].column };
		struct str line = arena_printf(c->arena, "%s: error: %.*s", place(c->arena, file, w), STR_ARG(d->v[i].message));

		if (!d->v[i].warning)
			json_array_append_new(c->errors, json_stringn(line.p ? line.p : "", line.n));
	}
}

static void run_document(struct complaints *c, const struct test_case *t, json_t *request, json_t *context, const char *dir,
			 struct test_result *out)
{
	struct policy_diags diags;
	struct gh_err err = { 0 };
	const char *file = NULL;
	struct offline *o;
	json_t *output;

	out->policy = policy_of(c->arena, t);
	policy_diags_init(&diags, c->arena);
	if (offline_new(c->arena, context, dir, &o, &err).code) {
		complain(c, below(c, t->pointer, "context"), err.message);
		return;
	}
	if (offline_load(o, out->policy, &diags, &file, &err).code) {
		add_diags(c, file, &diags);
		if (!diags.errors)
			complain(c, t->pointer, err.message);
		return;
	}
	if (offline_run(o, request ? request : jsn_keep(c->arena, json_object()), &output, &err).code)
		complain(c, below(c, t->pointer, "request"), err.message);
	else
		compare_runs(c, t, output, out);
}

GH_RC test_case_run(struct arena *a, const struct test_case *t, struct test_result *out, struct gh_err *err)
{
	struct complaints c = { .arena = a, .file = t->file, .text = t->text };
	json_t *request, *context;
	const char *dir;

	*out = (struct test_result){ .errors = jsn_keep(a, json_array()), .differences = jsn_keep(a, json_array()) };
	if (!out->errors || !out->differences)
		FAIL(err, NOMEM, "%s", t->file);
	c.errors = out->errors;
	if (t->problem) {
		json_array_append_new(out->errors, json_string(t->problem));
		return GH_RC_OK;
	}
	if (json_is_object(t->json)) {
		check_shape(&c, &case_shape, t->pointer, t->json);
		check_types(&c, t);
	} else {
		complain(&c, t->pointer, "a case has the fields name, policy, request, context and expect");
	}
	if (!json_array_size(out->errors) && part_of(&c, t, "request", &request_shape, &request, &dir)
	    && part_of(&c, t, "context", &context_shape, &context, &dir) && !json_array_size(out->errors))
		run_document(&c, t, request, context, dir, out);
	if (json_array_size(out->errors) || json_array_size(out->differences))
		out->where = yaml_locate(t->text, str_of(t->pointer));
	return GH_RC_OK;
}
