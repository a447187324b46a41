/* Texts in the reader's language: forms, values, parts, numbers and dates; the choice by Accept-Language; which catalogues are
 * refused; a theme's texts on top of the shipped ones. The shipped catalogues are loaded as they are. */
#include "tests/unit/check.h"

#include "core/file.h"
#include "core/lang.h"
#include "core/paths.h"
#include "core/str.h"

#include <stdlib.h>
#include <unistd.h>

#define S STR_INIT

static char problem[600];

static void note_problem(void *ctx UNUSED, struct str path UNUSED, const char *what)
{
	snprintf(problem, sizeof(problem), "%s", what);
}

static const struct langs *load(struct arena *a, const char *theme_dir)
{
	static char share[PATHS_MAX];
	const struct theme theme = { .share_dir = share, .dir = theme_dir, .problem = note_problem };
	const struct langs *all = NULL;
	struct gh_err err = { .message = "" };

	assert_int_equal(paths_share(share, NULL).code, GH_OK);
	if (langs_load(a, &theme, &all, &err).code)
		fail_msg("%s", err.message);
	return all;
}

static void texts(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	const struct langs *all = load(a, NULL);
	static const struct {
		const char *label, *lang;
		struct str english;
		unsigned part;
		int64_t count;                   /* {1}; -1: no value */
		struct str want;
	} rows[] = {
		{ "English is its own key", "en", S("Sign in"), 0, -1, S("Sign in") },
		{ "German", "de", S("Sign in"), 0, -1, S("Anmelden") },
		{ "what is not translated stays English", "de", S("Never heard of"), 0, -1, S("Never heard of") },
		{ "nothing", "de", S(""), 0, -1, S("") },
		{ "none", "en", S("{1} day ago || {1} days ago"), 0, 0, S("0 days ago") },
		{ "one", "en", S("{1} day ago || {1} days ago"), 0, 1, S("1 day ago") },
		{ "two", "en", S("{1} day ago || {1} days ago"), 0, 2, S("2 days ago") },
		{ "one in German", "de", S("{1} day ago || {1} days ago"), 0, 1, S("vor 1 Tag") },
		{ "thousands in German", "de", S("{1} day ago || {1} days ago"), 0, 12345, S("vor 12.345 Tagen") },
		{ "forms of a text that is not translated", "de", S("{1} cat || {1} cats"), 0, 2, S("2 cats") },
		{ "part before", "de", S("I agree to the |terms of use|"), 1, -1, S("Ich stimme den ") },
		{ "part", "de", S("I agree to the |terms of use|"), 2, -1, S("Nutzungsbedingungen") },
		{ "part behind", "de", S("I agree to the |terms of use|"), 3, -1, S(" zu") },
		{ "no such part", "de", S("I agree to the |terms of use|"), 4, -1, S("") },
		{ "a value that is not given stays", "en", S("{1} of {2}"), 0, 1, S("1 of {2}") },
		{ "a brace alone", "en", S("{1} { {x} {9"), 0, 1, S("1 { {x} {9") },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct lang *l = langs_find(all, str_of(rows[i].lang));
		struct lang_value v = lang_count(l, a, rows[i].count);

		CHECK_STR(rows[i].label, lang_text(l, a, rows[i].english, rows[i].part, &v, rows[i].count >= 0), rows[i].want);
	}
	arena_free(a);
	check_done();
}

static void numbers(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	const struct langs *all = load(a, NULL);
	const struct lang *en = langs_english(all), *de = langs_find(all, STR("de"));
	static const struct {
		int64_t n;
		struct str en, de;
	} rows[] = { { 0, S("0"), S("0") }, { 999, S("999"), S("999") }, { 1000, S("1,000"), S("1.000") },
		     { -1234567, S("-1,234,567"), S("-1.234.567") }, { INT64_MIN, S("-9,223,372,036,854,775,808"), S("-9.223.372.036.854.775.808") } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CHECK_STR("en", lang_number(en, a, rows[i].n), rows[i].en);
		CHECK_STR("de", lang_number(de, a, rows[i].n), rows[i].de);
	}
	CHECK_STR("decimal", lang_decimal(en, a, 1234.5, 2), STR("1,234.50"));
	CHECK_STR("decimal", lang_decimal(de, a, 0.249, 2), STR("0,25"));
	CHECK_STR("decimal below", lang_decimal(de, a, -0.04, 1), STR("-0,0"));
	CHECK_STR("carry", lang_decimal(en, a, 9.999, 1), STR("10.0"));
	CHECK_STR("no digits", lang_decimal(en, a, 9.5, 0), STR("10"));
	CHECK_STR("time", lang_time(en, a, 1763474700000000, 0, STR("UTC")), STR("18 Nov 2025, 14:05 UTC"));
	CHECK_STR("time in German, an hour east", lang_time(de, a, 1763474700000000, 3600, STR("")), STR("18. Nov. 2025, 15:05"));
	CHECK_STR("the day before, west", lang_date(de, a, 1763424000000000, -60), STR("17. Nov. 2025"));
	assert_null(lang_date(en, a, 0, 0).p);
	CHECK_STR("just now", lang_ago(de, a, 1000000, 2000000), STR("gerade eben"));
	CHECK_STR("ago", lang_ago(de, a, 1, 7200 * 1000000LL + 1), STR("vor 2 Stunden"));
	arena_free(a);
	check_done();
}

static void accepted(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	const struct langs *all = load(a, NULL);
	static const struct {
		struct str header;
		const char *want;                /* NULL: none */
	} rows[] = {
		{ S(""), NULL }, { S("de"), "de" }, { S("DE"), "de" }, { S("de-CH"), "de" }, { S("fr"), NULL }, { S("fr, de;q=0.5"), "de" },
		{ S("de;q=0.5, en;q=0.9"), "en" }, { S("de;q=0, en;q=0.1"), "en" }, { S("de;q=0"), NULL }, { S("*"), "en" },
		{ S("de;q=x"), NULL }, { S(",,;;q,de"), "de" }, { S("de;q=1.5"), "de" }, { S("en;q=0.99999999999999999999, de"), "de" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct lang *l = langs_accept(all, rows[i].header);

		CHECK_STR(rows[i].header.p, l ? lang_code(l) : STR_NULL, str_of(rows[i].want));
	}
	arena_free(a);
	check_done();
}

static void refused(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str yaml;
		const char *want;                /* in the message; NULL: it is fine */
	} rows[] = {
		{ "texts alone", S("texts: { \"Sign in\": \"x\" }"), NULL },
		{ "no mapping", S("- a"), "no catalogue" },
		{ "empty", S(""), "no catalogue" },
		{ "no YAML", S("texts: {"), "1:" },
		{ "unknown name", S("text: {}"), "'text' is none of" },
		{ "unknown plural", S("plural: dual"), "'dual' is none of" },
		{ "months", S("dates: { months: [a] }"), "not 12" },
		{ "no text", S("texts: { a: 1 }"), "'a' is no text" },
		{ "value lost", S("texts: { \"Hello {1}\": \"Hallo\" }"), "values {1}" },
		{ "value invented", S("texts: { \"Hello\": \"Hallo {1}\" }"), "values {1}" },
		{ "values in another order", S("texts: { \"{1} of {2}\": \"{2} de {1}\" }"), NULL },
		{ "part lost", S("texts: { \"a |b| c\": \"a b c\" }"), "1 parts, but 3" },
		{ "one form in place of two", S("texts: { \"{1} cat || {1} cats\": \"{1} Katze\" }"), "1 forms, but this language has 2" },
		{ "a form without the number", S("texts: { \"{1} cat || {1} cats\": \"eine Katze || {1} Katzen\" }"), NULL },
		{ "three forms", S("plural: polish\ntexts: { \"{1} cat || {1} cats\": \"{1} kot || {1} koty || {1} kot\" }"), NULL },
	};
	struct arena *a = arena_new(1 << 22);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct gh_err err = { .message = "" };
		gh_rc rc = lang_check(a, rows[i].yaml, &err);

		CHECK_INT(rows[i].label, rc.code != GH_OK, rows[i].want != NULL);
		if (rows[i].want && !strstr(err.message, rows[i].want))
			CHECK_STR(rows[i].label, str_of(err.message), str_of(rows[i].want));
	}
	arena_free(a);
	check_done();
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[PATHS_MAX];

	assert_int_equal(paths_join(path, dir, name, NULL).code, GH_OK);
	assert_int_equal(file_write_atomic(path, str_of(text), 0600, NULL).code, GH_OK);
}

static void of_a_theme(void **state UNUSED)
{
	char dir[] = "/tmp/gh-lang-XXXXXX", sub[PATHS_MAX];
	struct arena *a = arena_new(1 << 22);
	const struct langs *all;
	const struct lang *fr;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(paths_join(sub, dir, "templates/lang", NULL).code, GH_OK);
	assert_int_equal(file_make_dirs(sub, 0700, NULL).code, GH_OK);
	put(sub, "en.yaml", "texts: { \"Sign in\": \"Log in\" }");
	put(sub, "fr.yaml", "language: Français\nplural: zero-one-other\ntexts:\n  \"Sign in\": Connexion\n"
			    "  \"{1} day ago || {1} days ago\": \"il y a {1} jour || il y a {1} jours\"\n");
	put(sub, "de.yaml", "texts: { \"Hello {1},\": \"Tag\" }");
	problem[0] = '\0';
	all = load(a, dir);
	fr = langs_find(all, STR("fr"));
	CHECK_STR("an English text is replaced", lang_text(langs_english(all), a, STR("Sign in"), 0, NULL, 0), STR("Log in"));
	assert_non_null(fr);
	CHECK_STR("a language more", lang_text(fr, a, STR("Sign in"), 0, NULL, 0), STR("Connexion"));
	CHECK_STR("French has no plural of 0", lang_ago(fr, a, 1, 1), STR("just now"));
	for (int64_t n = 0; n < 3; n++) {
		struct lang_value v = lang_count(fr, a, n);

		CHECK_STR("French forms", lang_text(fr, a, STR("{1} day ago || {1} days ago"), 0, &v, 1),
			  n == 0 ? STR("il y a 0 jour") : n == 1 ? STR("il y a 1 jour") : STR("il y a 2 jours"));
	}
	assert_non_null(strstr(problem, "values {1}"));
	CHECK_STR("what is broken leaves the shipped texts", lang_text(langs_find(all, STR("de")), a, STR("Sign in"), 0, NULL, 0),
		  STR("Anmelden"));
	for (size_t i = 0; i < 3; i++) {
		static const char *const files[] = { "en.yaml", "fr.yaml", "de.yaml" };
		char path[PATHS_MAX];

		assert_int_equal(paths_join(path, sub, files[i], NULL).code, GH_OK);
		unlink(path);
	}
	rmdir(sub);
	assert_int_equal(paths_join(sub, dir, "templates", NULL).code, GH_OK);
	rmdir(sub);
	CHECK_INT("nothing is left", rmdir(dir), 0);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(numbers), cmocka_unit_test(accepted),
					    cmocka_unit_test(refused), cmocka_unit_test(of_a_theme) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
