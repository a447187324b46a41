#include "core/look.h"

#include "core/file.h"
#include "core/str.h"

#include <stdio.h>

enum { CSS_MAX = 1 << 20 };

struct check {
	look_tell *tell;
	void *ctx;
	unsigned bad;
};

static void wrong(struct check *c, const char *where, const char *what)
{
	c->bad++;
	c->tell(c->ctx, where, what);
}

static bool plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
			return false;
	return utf8_valid(s);
}

static void check_text(struct check *c, const json_t *v, const char *where, size_t most)
{
	struct str s = jsn_string(v);
	char what[80];

	if (!v)
		return;
	snprintf(what, sizeof(what), "This is longer than %zu bytes.", most);
	if (!json_is_string(v) || !plain(s))
		wrong(c, where, "This is no text of one line.");
	else if (s.n > most)
		wrong(c, where, what);
}

static void check_names(struct check *c, const json_t *o, const char *where, const char *const *names)
{
	const char *key;
	char place[128];
	json_t *v;

	if (o && !json_is_object(o)) {
		wrong(c, where[0] ? where : "look", "This is no object.");
		return;
	}
	json_object_foreach((json_t *)o, key, v) {
		bool known = false;

		for (size_t i = 0; names[i]; i++)
			known = known || strcmp(key, names[i]) == 0;
		snprintf(place, sizeof(place), "%s%s%.60s", where, where[0] ? "." : "", key);
		if (!known)
			wrong(c, place, "There is no member of this name.");
	}
}

static void tell_contrast(void *ctx, const char *what)
{
	wrong(ctx, "colours", what);
}

static void check_colours(struct check *c, const json_t *o, const struct colours *shipped)
{
	struct colours all = *shipped;
	unsigned before = c->bad;

	check_names(c, o, "colours", colour_names);
	for (size_t i = 0; i < COLOUR__COUNT; i++) {
		const json_t *pair = jsn_get(o, colour_names[i]);
		char where[60];

		snprintf(where, sizeof(where), "colours.%s", colour_names[i]);
		if (!pair)
			continue;
		if (json_array_size(pair) != 2 || !colour_parse(jsn_string(json_array_get(pair, 0)), &all.v[i][0])
		    || !colour_parse(jsn_string(json_array_get(pair, 1)), &all.v[i][1]))
			wrong(c, where, "Two colours like #0b6b53, for light and for dark.");
	}
	if (o && c->bad == before)
		colours_check(&all, tell_contrast, c);
}

bool look_address_ok(struct str s)
{
	if (!s.n || s.n > LOOK_ADDRESS_MAX || !plain(s) || str_find_char(s, ' ') != SIZE_MAX || str_find_char(s, '\\') != SIZE_MAX)
		return false;
	if (str_starts(s, STR("https://")) || str_starts(s, STR("http://")))
		return s.n > strlen("https://");
	return s.p[0] == '/' && !str_starts(s, STR("//"));
}

static void check_menu(struct check *c, const json_t *menu)
{
	static const char *const names[] = { "label", "address", NULL };
	size_t i;
	json_t *v;

	if (menu && (!json_is_array(menu) || json_array_size(menu) > LOOK_MENU_MAX)) {
		wrong(c, "menu", "At most 8 entries with label and address.");
		return;
	}
	json_array_foreach(menu, i, v) {
		char where[60];

		snprintf(where, sizeof(where), "menu.%zu", i + 1);
		check_names(c, v, where, names);
		snprintf(where, sizeof(where), "menu.%zu.label", i + 1);
		if (!jsn_str(v, "label").n)
			wrong(c, where, "Enter what the entry is called.");
		check_text(c, jsn_get(v, "label"), where, LOOK_LABEL_MAX);
		snprintf(where, sizeof(where), "menu.%zu.address", i + 1);
		if (!look_address_ok(jsn_str(v, "address")))
			wrong(c, where, "An address begins with https://, http:// or /.");
	}
}

static void check_texts(struct check *c, const json_t *texts)
{
	static const char *const names[] = { "headline", "lead", NULL };
	const char *lang;
	json_t *v;

	if (texts && !json_is_object(texts))
		wrong(c, "texts", "This is no object.");
	if (json_object_size(texts) > LOOK_LANGUAGES_MAX) {      /* the whole has to stay within LOOK_BYTES_MAX */
		wrong(c, "texts", "At most 32 languages.");
		return;
	}
	json_object_foreach((json_t *)texts, lang, v) {
		char where[60];

		snprintf(where, sizeof(where), "texts.%.16s", lang);
		if (strlen(lang) > LOOK_LANGUAGE_MAX || !plain(str_of(lang)))
			wrong(c, where, "This is no code of a language, like en.");
		check_names(c, v, where, names);
		for (size_t i = 0; names[i]; i++) {
			snprintf(where, sizeof(where), "texts.%.16s.%s", lang, names[i]);
			check_text(c, jsn_get(v, names[i]), where, LOOK_TEXT_MAX);
		}
	}
}

GH_RC look_shipped(const struct theme *t, struct arena *a, struct colours *out, struct gh_err *err)
{
	struct str own, path, css;

	memset(out, 0, sizeof(*out));
	TRY(theme_paths(t, a, STR("www/gatehouse.css"), &own, &path, err));
	TRY(file_read(a, own.p ? own.p : path.p, CSS_MAX, &css, err));
	return colours_of_css(css, out, err);
}

unsigned look_check(const json_t *look, const struct colours *shipped, look_tell *tell, void *ctx)
{
	static const char *const names[] = { "name", "colours", "texts", "menu", NULL };
	struct check c = { tell, ctx, 0 };

	check_names(&c, look, "", names);
	check_text(&c, jsn_get(look, "name"), "name", LOOK_NAME_MAX);
	check_colours(&c, jsn_get(look, "colours"), shipped);
	check_texts(&c, jsn_get(look, "texts"));
	check_menu(&c, jsn_get(look, "menu"));
	return c.bad;
}

struct str look_picture_type(struct str bytes)
{
	if (str_starts(bytes, (struct str){ "\x89PNG\r\n\x1a\n", 8 }))
		return STR("image/png");
	if (str_starts(bytes, (struct str){ "\xff\xd8\xff", 3 }))
		return STR("image/jpeg");
	if (bytes.n > 16 && str_starts(bytes, STR("RIFF")) && str_starts(str_from(bytes, 8), STR("WEBPVP8")))
		return STR("image/webp");
	return STR_NULL;
}

const char *look_picture_wrong(struct str bytes)
{
	if (bytes.n > LOOK_LOGO_MAX)
		return "A picture has at most 256 KB.";
	return look_picture_type(bytes).p ? NULL : "This is no PNG, JPEG or WebP picture.";
}

struct str look_css(struct arena *a, const json_t *look)
{
	const json_t *o = jsn_obj(look, "colours");
	bool accent = false;
	struct str out;
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < COLOUR__COUNT; i++) {
		const json_t *pair = jsn_get(o, colour_names[i]);
		struct colour light, dark;
		char one[COLOUR_TEXT_MAX], two[COLOUR_TEXT_MAX];

		if (!pair || !colour_parse(jsn_string(json_array_get(pair, 0)), &light)
		    || !colour_parse(jsn_string(json_array_get(pair, 1)), &dark))
			continue;
		buf_fmt(&b, "%s\t--%s: light-dark(%s, %s);\n", b.n ? "" : ":root {\n", colour_names[i], colour_text(light, one),
			colour_text(dark, two));
		accent = accent || i == COLOUR_ACCENT;
	}
	if (accent)                              /* what goes with it; the shares are those of core/colour.c */
		buf_cstr(&b, "\t--accent-hover: color-mix(in srgb, var(--accent) 82%, var(--text));\n"
			     "\t--accent-soft: color-mix(in srgb, var(--accent) 14%, var(--surface));\n");
	if (b.n)
		buf_cstr(&b, "}\n");
	out = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return out;
}
