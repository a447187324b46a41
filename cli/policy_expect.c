/* policy_expect.c - what a case expects against what a run gave. Only what is named is compared:
 *
 *   text              equal; "/pattern/" is a regular expression (PCRE2) that must match somewhere in the text
 *   number            equal as a number
 *   object            each of its members
 *   list              as long, entry by entry; of `calls`, `logs` and `metrics`: these, in this order, among others
 *   null              absent or null
 *   header            the name in any case, the value as text; a list for a header that stands there several times
 *   body              text as above; an object or list is compared with the body as JSON, whole */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "cli/policy_test.h"
#include "core/str.h"

enum { PATTERN_STEPS_MAX = 1000000 };

struct checking {
	struct arena *arena;
	json_t *differences;
	json_int_t run;
	bool whole;                      /* members that are not named count, too */
};

static void differ(struct checking *c, const char *path, json_t *want, json_t *have, const char *message)
{
	size_t n = json_array_size(c->differences);
	json_t *one;

	if (n > TEST_DIFFERENCES_MAX)
		return;
	one = json_object();
	if (c->run)
		json_object_set_new(one, "run", json_integer(c->run));
	if (n == TEST_DIFFERENCES_MAX) {
		message = "there are more differences";
	} else {
		json_object_set_new(one, "path", json_string(path));
		if (want)
			json_object_set(one, "expected", want);
		if (have)
			json_object_set(one, "actual", have);
	}
	if (message)
		json_object_set_new(one, "message", json_string(message));
	json_array_append_new(c->differences, one);
}

static const char *member_path(struct checking *c, const char *path, const char *name)
{
	return *path ? arena_printf(c->arena, "%s.%s", path, name).p : name;
}

static const char *entry_path(struct checking *c, const char *path, size_t i)
{
	return arena_printf(c->arena, "%s[%zu]", path, i).p;
}

/* ---- texts --------------------------------------------------------------------------------------------------------- */

static bool is_pattern(struct str s)
{
	return s.n > 2 && s.p[0] == '/' && s.p[s.n - 1] == '/';
}

/* NULL in *problem: it could be asked. */
static bool pattern_matches(struct arena *a, struct str pattern, struct str text, const char **problem)
{
	PCRE2_UCHAR words[256];
	PCRE2_SIZE at;
	int error, found = PCRE2_ERROR_NOMEMORY;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
	pcre2_match_data *data;
	pcre2_match_context *limits;

	*problem = NULL;
	if (!code) {
		pcre2_get_error_message(error, words, sizeof(words));
		*problem = arena_printf(a, "the pattern is malformed at character %zu: %s", (size_t)at + 1, (const char *)words).p;
		return false;
	}
	data = pcre2_match_data_create_from_pattern(code, NULL);
	limits = pcre2_match_context_create(NULL);
	if (data && limits) {
		pcre2_set_match_limit(limits, PATTERN_STEPS_MAX);
		found = pcre2_match(code, (PCRE2_SPTR)text.p, text.n, 0, 0, data, limits);
	}
	if (found < PCRE2_ERROR_NOMATCH) {
		pcre2_get_error_message(found, words, sizeof(words));
		*problem = arena_printf(a, "the pattern could not be tried: %s", (const char *)words).p;
	}
	pcre2_match_context_free(limits);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return found >= 0;
}

static void compare_text(struct checking *c, const char *path, json_t *want, json_t *have)
{
	struct str expected = jsn_string(want), text = jsn_string(have);
	const char *problem = NULL;
	bool same;

	if (!json_is_string(have)) {
		differ(c, path, want, have, NULL);
		return;
	}
	if (is_pattern(expected))
		same = pattern_matches(c->arena, (struct str){ expected.p + 1, expected.n - 2 }, text, &problem);
	else
		same = str_eq(expected, text);
	if (!same)
		differ(c, path, want, have, problem ? problem : is_pattern(expected) ? "the pattern does not match" : NULL);
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

static void compare(struct checking *c, const char *path, json_t *want, json_t *have);

static void compare_object(struct checking *c, const char *path, json_t *want, json_t *have)
{
	const char *name;
	json_t *value;

	if (!json_is_object(have)) {
		differ(c, path, want, have, NULL);
		return;
	}
	json_object_foreach(want, name, value)
		compare(c, member_path(c, path, name), value, json_object_get(have, name));
	if (!c->whole)
		return;
	json_object_foreach(have, name, value) {
		if (!json_object_get(want, name))
			differ(c, member_path(c, path, name), NULL, value, NULL);
	}
}

static void compare_list(struct checking *c, const char *path, json_t *want, json_t *have)
{
	size_t n = json_array_size(want), there = json_array_size(have);

	if (!json_is_array(have)) {
		differ(c, path, want, have, NULL);
		return;
	}
	for (size_t i = 0; i < n && i < there; i++)
		compare(c, entry_path(c, path, i), json_array_get(want, i), json_array_get(have, i));
	for (size_t i = there; i < n; i++)
		differ(c, entry_path(c, path, i), json_array_get(want, i), NULL, NULL);
	for (size_t i = n; i < there; i++)
		differ(c, entry_path(c, path, i), NULL, json_array_get(have, i), NULL);
}

static void compare(struct checking *c, const char *path, json_t *want, json_t *have)
{
	switch (json_typeof(want)) {
	case JSON_NULL:
		if (have && !json_is_null(have))
			differ(c, path, want, have, NULL);
		break;
	case JSON_OBJECT:
		compare_object(c, path, want, have);
		break;
	case JSON_ARRAY:
		compare_list(c, path, want, have);
		break;
	case JSON_STRING:
		compare_text(c, path, want, have);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		if (json_equal(want, have))
			break;
		if (!json_is_number(have) || json_typeof(have) == json_typeof(want)
		    || json_number_value(have) < json_number_value(want) || json_number_value(have) > json_number_value(want))
			differ(c, path, want, have, NULL);
		break;
	default:
		if (!have || json_typeof(have) != json_typeof(want))
			differ(c, path, want, have, NULL);
	}
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

/* A number or boolean in a test file stands for its text, as headers have no other values. */
static json_t *as_text(struct checking *c, json_t *v)
{
	struct str s;

	if (!json_is_number(v) && !json_is_boolean(v))
		return v;
	s = jsn_text(c->arena, v, 0);
	return jsn_keep(c->arena, json_stringn(s.p ? s.p : "", s.n));
}

static json_t *header_of(json_t *headers, const char *wanted)
{
	const char *name;
	json_t *value;

	json_object_foreach(headers, name, value) {
		if (str_eq_ci(str_of(name), str_of(wanted)))
			return value;
	}
	return NULL;
}

static json_t *as_list(struct checking *c, json_t *v)
{
	json_t *list = jsn_keep(c->arena, json_array());

	if (v)
		json_array_append(list, v);
	return list;
}

static void compare_headers(struct checking *c, const char *path, json_t *want, json_t *have)
{
	const char *name;
	json_t *value, *one;
	size_t i;

	json_object_foreach(want, name, value) {
		const char *at = member_path(c, path, name);
		json_t *is = header_of(have, name), *list;

		if (!json_is_array(value)) {
			compare(c, at, as_text(c, value), is);
			continue;
		}
		list = jsn_keep(c->arena, json_array());
		json_array_foreach(value, i, one)
			json_array_append(list, as_text(c, one));
		compare(c, at, list, json_is_array(is) ? is : as_list(c, is));
	}
}

static void compare_body(struct checking *c, const char *path, json_t *want, json_t *have)
{
	struct gh_err err = { 0 };
	json_t *body;

	if (!json_is_object(want) && !json_is_array(want)) {
		/* the output has an empty text where there is no body */
		if (!json_is_null(want) || jsn_string(have).n)
			compare(c, path, as_text(c, want), have);
		return;
	}
	if (jsn_parse_in(c->arena, jsn_string(have), &(struct jsn_limits){ .flags = JSN_ANY | JSN_BIG_INTEGERS }, &body, NULL,
			 &err).code) {
		differ(c, path, want, have, "the body is no JSON");
		return;
	}
	c->whole = true;
	compare(c, path, want, body);
	c->whole = false;
}

static void compare_message(struct checking *c, const char *path, json_t *want, json_t *have)
{
	const char *name;
	json_t *value;

	if (!json_is_object(want) || !json_is_object(have)) {
		compare(c, path, want, have);
		return;
	}
	json_object_foreach(want, name, value) {
		const char *at = member_path(c, path, name);
		json_t *is = json_object_get(have, name);

		if (!strcmp(name, "headers") && json_is_object(value))
			compare_headers(c, at, value, is);
		else if (!strcmp(name, "body"))
			compare_body(c, at, value, is);
		else
			compare(c, at, value, is);
	}
}

/* Each of `want` must be met by one of `have`, in the same order; others may stand between. No entries: none may be there. */
static void compare_sequence(struct checking *c, const char *path, json_t *want, json_t *have)
{
	size_t next = 0, there = json_array_size(have), i;
	json_t *one;

	if (!json_is_array(want)) {
		differ(c, path, want, have, "a list is expected here");
		return;
	}
	if (!json_array_size(want) && there)
		differ(c, path, want, have, NULL);
	json_array_foreach(want, i, one) {
		size_t at = next;

		for (; at < there; at++) {
			struct checking try = { .arena = c->arena, .differences = jsn_keep(c->arena, json_array()) };

			compare_message(&try, path, one, json_array_get(have, at));
			if (!json_array_size(try.differences))
				break;
		}
		if (at < there) {
			next = at + 1;
			continue;
		}
		/* the one that stands in its place says most about what is wrong; when there is none, all of them do */
		if (json_array_size(want) == there)
			compare_message(c, entry_path(c, path, i), one, json_array_get(have, i));
		else
			differ(c, entry_path(c, path, i), one, have, "none of them is the expected one, in this order");
	}
}

void test_expect(struct arena *a, json_t *expect, json_t *output, json_int_t run, json_t *differences)
{
	static const struct {
		const char *name;
		void (*compare)(struct checking *, const char *, json_t *, json_t *);
	} parts[] = {
		{ "response", compare_message }, { "backendRequest", compare_message }, { "calls", compare_sequence },
		{ "variables", compare }, { "lastError", compare }, { "logs", compare_sequence }, { "metrics", compare_sequence },
	};
	struct checking c = { .arena = a, .differences = differences, .run = run };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		json_t *want = json_object_get(expect, parts[i].name);

		if (want)
			parts[i].compare(&c, parts[i].name, want, json_object_get(output, parts[i].name));
	}
}
