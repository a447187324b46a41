/* The public JSON Schema Test Suite: the drafts that Debian's package json-schema-test-suite has (4, 6, 7), and those under
 * GATEHOUSE_SUITES (2020-12, 4). A suite that is not there is skipped. What we fail on purpose is listed with its reason. */
#include "tests/unit/check.h"

#include "core/file.h"
#include "core/jsonschema.h"

#include <dirent.h>
#include <stdlib.h>

struct suite {
	const char *dir, *remotes, *remote_base;
	enum jsonschema_dialect dialect;
	bool formats;
	size_t passed, failed, excused;
	struct arena *arena;
	json_t *loaded;
};

/* file, start of the group's description, start of the test's description (NULL: all), why */
static const struct {
	const char *file, *group, *test, *why;
} excused[] = {
	{ "ref.json", "remote ref, containing refs itself", NULL, "needs the meta-schema, which is not shipped" },
	{ "definitions.json", "", NULL, "needs the meta-schema" },
	{ "defs.json", "", NULL, "needs the meta-schema" },
	{ "id.json", "$id inside an enum is not a real identifier", NULL, "needs the meta-schema" },
	{ "vocabulary.json", "", NULL, "meta-schemas with vocabularies of their own are not read" },
	{ "format-assertion.json", "", NULL, "meta-schemas with vocabularies of their own are not read" },
	{ "ecmascript-regex.json", "ECMA 262 \\s matches whitespace", NULL, "\\s is ASCII in PCRE2 without UCP" },
	{ "ecmascript-regex.json", "ECMA 262 \\S matches everything", NULL, "\\S is ASCII in PCRE2 without UCP" },
	{ "ecmascript-regex.json", "Python-specific", NULL, "PCRE2 understands more than ECMA-262" },
	{ "ecmascript-regex.json", "global inline flag", NULL, "PCRE2 understands more than ECMA-262" },
	{ "ecmascript-regex.json", "ECMA 262 lookbehind is valid", "a variable-width", "PCRE2's look-behind has a fixed width" },
	{ "bignum.json", "", NULL, "numbers have 64 bits" },
	{ "float-overflow.json", "", NULL, "numbers have 64 bits" },
	{ "zeroTerminatedFloats.json", "", NULL, "1.0 and 1 cannot be told apart after a change of number type" },
	{ "idn-hostname.json", "", NULL, "IDNA tables are not read" },
	{ "hostname.json", "validation of A-label", NULL, "IDNA tables are not read" },
	{ "content.json", "", NULL, "contentEncoding is an annotation" },
};

static bool is_excused(const char *file, const char *group, const char *test)
{
	for (size_t i = 0; i < ARRAY_LEN(excused); i++)
		if (strcmp(excused[i].file, file) == 0 && strncmp(group, excused[i].group, strlen(excused[i].group)) == 0 &&
		    (!excused[i].test || strncmp(test, excused[i].test, strlen(excused[i].test)) == 0))
			return true;
	return false;
}

static json_t *load(struct suite *s, const char *path)
{
	static const struct jsn_limits limits = { .flags = JSN_NUL | JSN_ANY | JSN_BIG_INTEGERS, .max_depth = 2000 };
	struct str text;
	json_t *v = NULL;

	if (file_read(s->arena, path, 16 << 20, &text, NULL).code || jsn_parse(text, &limits, &v, NULL, NULL).code)
		return NULL;
	json_array_append_new(s->loaded, v);
	return v;
}

static json_t *find(void *self, struct str uri)
{
	struct suite *s = self;
	char path[512];

	if (!str_starts(uri, str_of(s->remote_base)))
		return NULL;
	uri = str_from(uri, strlen(s->remote_base));
	snprintf(path, sizeof(path), "%s/%.*s", s->remotes, STR_ARG(uri));
	return load(s, path);
}

static void run_group(struct suite *s, const char *file, json_t *group)
{
	const struct jsonschema_source source = { find, s };
	const struct jsonschema_options options = { .dialect = s->dialect, .formats = s->formats, .source = &source };
	const char *name = json_string_value(json_object_get(group, "description"));
	struct gh_err err = { 0 };
	struct jsonschema *schema = NULL;
	gh_rc rc = jsonschema_new(&schema, json_object_get(group, "schema"), STR(""), &options, &err);
	size_t i;
	json_t *test;

	json_array_foreach(json_object_get(group, "tests"), i, test) {
		struct arena *a = arena_new(1 << 20);
		const char *what = json_string_value(json_object_get(test, "description"));
		bool want = json_is_true(json_object_get(test, "valid"));
		struct jsonschema_result got = { 0 }, silent = { 0 };
		bool ok = !rc.code && !jsonschema_validate(schema, json_object_get(test, "data"), a, 10, &got, NULL).code &&
			  !jsonschema_validate(schema, json_object_get(test, "data"), a, 0, &silent, NULL).code &&
			  got.valid == want && silent.valid == want && (got.n_errors > 0) == !want;

		if (is_excused(file, name, what)) {
			s->excused++;
		} else if (ok) {
			s->passed++;
		} else {
			s->failed++;
			fprintf(stderr, "# %s/%s: %s: %s: want %s%s%s\n", s->dir, file, name, what, want ? "valid" : "invalid",
				rc.code ? ": " : "", rc.code ? err.message : "");
			for (size_t e = 0; e < got.n_errors && e < 2; e++)
				fprintf(stderr, "#   %s: %s\n", got.errors[e].instance.p, got.errors[e].message.p);
		}
		arena_free(a);
	}
	jsonschema_free(schema);
}

static int no_dots(const struct dirent *e)
{
	return e->d_name[0] != '.' && str_ends(str_of(e->d_name), STR(".json"));
}

static bool run_dir(struct suite *s)
{
	struct dirent **entries;
	int n = scandir(s->dir, &entries, no_dots, alphasort);

	if (n < 0)
		return false;
	s->arena = arena_new((size_t)256 << 20);
	s->loaded = json_array();
	for (int f = 0; f < n; f++) {
		char path[600];
		json_t *groups, *group;
		size_t i;

		snprintf(path, sizeof(path), "%s/%s", s->dir, entries[f]->d_name);
		groups = load(s, path);
		if (!groups) {
			s->failed++;
			fprintf(stderr, "# %s: unreadable\n", path);
		}
		json_array_foreach(groups, i, group)
			run_group(s, entries[f]->d_name, group);
		free(entries[f]);
	}
	free(entries);
	json_decref(s->loaded);
	arena_free(s->arena);
	printf("# %s: %zu passed, %zu failed, %zu excused\n", s->dir, s->passed, s->failed, s->excused);
	return true;
}

static void run_one(const char *base, const char *dir, const char *remotes, enum jsonschema_dialect d, bool formats)
{
	char full[400], remote[400];
	struct suite s = { .dialect = d, .formats = formats, .remote_base = "http://localhost:1234/" };

	snprintf(full, sizeof(full), "%s/%s", base, dir);
	snprintf(remote, sizeof(remote), "%s/%s", base, remotes);
	s.dir = full;
	s.remotes = remote;
	if (!run_dir(&s))
		check_skip("%s is not here", full);
	assert_int_equal(s.failed, 0);
	assert_true(s.passed > 20);
}

#define DEBIAN "/usr/share/json-schema-test-suite"

static const char *suites(void)
{
	const char *dir = getenv("GATEHOUSE_SUITES");
	static char path[300];

	snprintf(path, sizeof(path), "%s/json-schema", dir ? dir : "../shared/suites");
	return path;
}

#define SUITE(name, base, dir, dialect, formats)                                \
	static void name(void **state UNUSED)                                   \
	{                                                                       \
		run_one(base, dir, "remotes", dialect, formats);                \
	}

SUITE(debian_draft_4, DEBIAN, "tests/draft4", JSONSCHEMA_DRAFT_4, false)
SUITE(debian_draft_6, DEBIAN, "tests/draft6", JSONSCHEMA_DRAFT_6, false)
SUITE(debian_draft_7, DEBIAN, "tests/draft7", JSONSCHEMA_DRAFT_7, false)
SUITE(debian_draft_7_formats, DEBIAN, "tests/draft7/optional/format", JSONSCHEMA_DRAFT_7, true)
SUITE(draft_4, suites(), "tests/draft4", JSONSCHEMA_DRAFT_4, false)
SUITE(draft_4_formats, suites(), "tests/draft4/optional/format", JSONSCHEMA_DRAFT_4, true)
SUITE(draft_2020_12, suites(), "tests/draft2020-12", JSONSCHEMA_2020_12, false)
SUITE(draft_2020_12_optional, suites(), "tests/draft2020-12/optional", JSONSCHEMA_2020_12, false)
SUITE(draft_2020_12_formats, suites(), "tests/draft2020-12/optional/format", JSONSCHEMA_2020_12, true)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debian_draft_4),         cmocka_unit_test(debian_draft_6),
		cmocka_unit_test(debian_draft_7),         cmocka_unit_test(debian_draft_7_formats),
		cmocka_unit_test(draft_4),                cmocka_unit_test(draft_4_formats),
		cmocka_unit_test(draft_2020_12),          cmocka_unit_test(draft_2020_12_optional),
		cmocka_unit_test(draft_2020_12_formats),
	};

	return cmocka_run_group_tests_name("core/jsonschema_suite", tests, NULL, NULL);
}
