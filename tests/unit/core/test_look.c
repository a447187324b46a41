/* Colours, their contrast, and what the look of a portal may hold. */
#include "tests/unit/check.h"

#include "core/file.h"
#include "core/look.h"
#include "core/paths.h"
#include "core/str.h"

#define S STR_INIT

static struct colours shipped(struct arena *a)
{
	char share[PATHS_MAX], path[PATHS_MAX];
	struct colours c;
	struct str css;

	memset(&c, 0, sizeof(c));
	assert_int_equal(paths_share(share, NULL).code, GH_OK);
	assert_int_equal(paths_join(path, share, "www/gatehouse.css", NULL).code, GH_OK);
	assert_int_equal(file_read(a, path, 1 << 20, &css, NULL).code, GH_OK);
	assert_int_equal(colours_of_css(css, &c, NULL).code, GH_OK);
	return c;
}

static void colours(void **state UNUSED)
{
	static const struct {
		struct str text;
		bool fine;
		const char *want;
	} rows[] = {
		{ S("#16201c"), true, "#16201c" }, { S("#ABC"), true, "#aabbcc" }, { S(""), false, "" },  { S("#12345"), false, "" },
		{ S("#1234567"), false, "" },      { S("16201c0"), false, "" },    { S("#gggggg"), false, "" }, { S("red"), false, "" },
	};
	struct colour black = { 0, 0, 0 }, white = { 255, 255, 255 }, grey = { 0x77, 0x77, 0x77 }, c;
	char out[COLOUR_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool fine = colour_parse(rows[i].text, &c);

		CHECK_INT(rows[i].text.p, fine, rows[i].fine);
		if (fine)
			CHECK_STR(rows[i].text.p, str_of(colour_text(c, out)), str_of(rows[i].want));
	}
	/* as the WCAG's own examples */
	CHECK("black on white is 21", colour_contrast(black, white) > 20.99 && colour_contrast(black, white) < 21.01);
	CHECK("of itself is 1", colour_contrast(grey, grey) == 1.0);
	CHECK("#777 just fails", colour_contrast(grey, white) > 4.47 && colour_contrast(grey, white) < 4.49);
	check_done();
}

static void nobody(void *ctx, const char *where, const char *what)
{
	snprintf(ctx, 400, "%s: %s", where, what);
}

static void looks(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str json;
		const char *want;                /* the last thing told; NULL: it is fine */
	} rows[] = {
		{ "nothing", S("{}"), NULL },
		{ "all of it", S("{\"name\":\"N\",\"colours\":{\"accent\":[\"#7a1f5c\",\"#f0a3d4\"]},\"texts\":{\"en\":{\"headline\":\"H\"}},"
				 "\"menu\":[{\"label\":\"L\",\"address\":\"/x\"}]}"), NULL },
		{ "unknown member", S("{\"color\":1}"), "color: There is no member" },
		{ "unknown colour", S("{\"colours\":{\"acent\":[\"#000\",\"#fff\"]}}"), "colours.acent: There is no member" },
		{ "unknown text", S("{\"texts\":{\"en\":{\"head\":\"x\"}}}"), "texts.en.head: There is no member" },
		{ "a language of many letters", S("{\"texts\":{\"abcdefghijklmnopq\":{}}}"), "texts.abcdefghijklmnop: This is no code" },
		{ "too many languages", S("{\"texts\":{\"a\":{},\"b\":{},\"c\":{},\"d\":{},\"e\":{},\"f\":{},\"g\":{},\"h\":{},\"i\":{},\"j\":{},\"k\":{},\"l\":{},"
		  "\"m\":{},\"n\":{},\"o\":{},\"p\":{},\"q\":{},\"r\":{},\"s\":{},\"t\":{},\"u\":{},\"v\":{},\"w\":{},\"x\":{},\"y\":{},\"z\":{},\"aa\":{},"
		  "\"ab\":{},\"ac\":{},\"ad\":{},\"ae\":{},\"af\":{},\"ag\":{}}}"), "texts: At most 32 languages." },
		{ "one colour", S("{\"colours\":{\"accent\":[\"#000000\"]}}"), "colours.accent: Two colours" },
		{ "a style for a colour", S("{\"colours\":{\"accent\":[\"red;}body{\",\"#ffffff\"]}}"), "colours.accent: Two colours" },
		{ "too faint in the dark", S("{\"colours\":{\"text\":[\"#000000\",\"#000000\"]}}"), "colours: text on surface (dark)" },
		{ "script", S("{\"menu\":[{\"label\":\"L\",\"address\":\"javascript:x\"}]}"), "menu.1.address: An address" },
		{ "data", S("{\"menu\":[{\"label\":\"L\",\"address\":\"data:text/html,x\"}]}"), "menu.1.address: An address" },
		{ "another host by slashes", S("{\"menu\":[{\"label\":\"L\",\"address\":\"//x\"}]}"), "menu.1.address: An address" },
		{ "and by a backslash", S("{\"menu\":[{\"label\":\"L\",\"address\":\"/\\\\x\"}]}"), "menu.1.address: An address" },
		{ "no label", S("{\"menu\":[{\"label\":\"\",\"address\":\"/\"}]}"), "menu.1.label: Enter" },
		{ "nine entries", S("{\"menu\":[{},{},{},{},{},{},{},{},{}]}"), "menu: At most 8" },
		{ "two lines", S("{\"texts\":{\"en\":{\"lead\":\"a\\nb\"}}}"), "texts.en.lead: This is no text of one line" },
		{ "a number", S("{\"name\":1}"), "name: This is no text" },
		{ "a list for texts", S("{\"texts\":[]}"), "texts: This is no object" },
	};
	struct arena *a = arena_new(1 << 22);
	struct colours css = shipped(a);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char told[400] = "";
		json_t *look;
		unsigned bad;

		assert_int_equal(jsn_parse_in(a, rows[i].json, NULL, &look, NULL, NULL).code, GH_OK);
		bad = look_check(look, &css, nobody, told);
		CHECK_INT(rows[i].label, bad > 0, rows[i].want != NULL);
		if (rows[i].want && !str_starts(str_of(told), str_of(rows[i].want)))
			CHECK_STR(rows[i].label, str_of(told), str_of(rows[i].want));
	}
	arena_free(a);
	check_done();
}

static void tell(void *ctx UNUSED, const char *what)
{
	check_failures++;
	fprintf(stderr, "# the shipped colours: %s\n", what);
}

static void the_shipped_ones(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 22);
	struct colours css = shipped(a);

	CHECK_INT("contrast", colours_check(&css, tell, NULL), 0);
	arena_free(a);
	check_done();
}

static void pictures(void **state UNUSED)
{
	CHECK_STR("PNG", look_picture_type(STR("\x89PNG\r\n\x1a\n....")), STR("image/png"));
	CHECK_STR("JPEG", look_picture_type(STR("\xff\xd8\xff\xe0")), STR("image/jpeg"));
	CHECK_STR("WebP", look_picture_type(STR("RIFF....WEBPVP8 ........")), STR("image/webp"));
	assert_null(look_picture_type(STR("<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>")).p);
	assert_null(look_picture_type(STR("GIF89a")).p);
	assert_null(look_picture_type(STR("RIFF")).p);
	assert_null(look_picture_type(STR("")).p);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(colours), cmocka_unit_test(looks), cmocka_unit_test(the_shipped_ones),
					    cmocka_unit_test(pictures) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
