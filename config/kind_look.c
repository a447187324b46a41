/* kind_look.c - how the portal looks: name, colours, texts of the front page, menu, logo. There is always one, "portal". What it may
 * hold is checked by core/look.h, as on the dashboard's page. */
#include "config/kind.h"

#include "core/crypto.h"
#include "core/look.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/environments.h"
#include "db/look.h"

#define LOOK_ID STR("portal")
#define TITLE STR("portal.title")                /* the setting that holds the name */
enum { LOGO_TEXT_MAX = (LOOK_LOGO_MAX + 2) / 3 * 4 * 11 / 10 };         /* in base64, with its line ends */

struct look_row {
	struct str id;
	struct str name;                 /* empty: that of gatehouse.conf */
	struct str look;                 /* JSON of core/look.h, without the name */
	struct str logo;                 /* its bytes; empty: none */
};

#define COLOUR(token, words)                                                                                            \
	{ .name = token, .type = RESOURCE_TEXTS, .label = words, .most = 40,                                            \
	  .description = "Two colours like #0b6b53, for light and for dark; none: that of the style sheet" }

static const struct resource_field colour_fields[] = {
	COLOUR("accent", "Accent: links, buttons"),
	COLOUR("on-accent", "Text on the accent"),
	COLOUR("canvas", "Page"),
	COLOUR("surface", "Panels"),
	COLOUR("text", "Text"),
	COLOUR("text-soft", "Quieter text"),
	FIELD_END,
};

static const struct resource_field menu_fields[] = {
	{ .name = "label", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Label", .description = "What the entry is called",
	  .most = LOOK_LABEL_MAX },
	{ .name = "address", .type = RESOURCE_TEXT, .flags = RESOURCE_REQUIRED, .label = "Address", .most = LOOK_ADDRESS_MAX,
	  .description = "Where it leads: an address that begins with https://, http:// or /" },
	FIELD_END,
};

static const struct resource_field fields[] = {
	FIELD_ID("Always \"portal\"", look_row, id),
	{ .name = "name", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL, .label = "Name", .most = LOOK_NAME_MAX, .offset = RESOURCE_BY_HAND,
	  .description = "At the head of every page; null: portal.title of gatehouse.conf" },
	{ .name = "colours", .type = RESOURCE_OBJECT, .label = "Colours", .fields = colour_fields, .offset = RESOURCE_BY_HAND,
	  .description = "In place of those of the style sheet; text must stand out by 4.5 : 1 (WCAG AA)" },
	{ .name = "texts", .type = RESOURCE_OBJECT, .label = "Texts", .offset = RESOURCE_BY_HAND,
	  .description = "headline and lead of the front page by language: {\"en\": {\"headline\": \"...\", \"lead\": \"...\"}}" },
	{ .name = "menu", .type = RESOURCE_OBJECTS, .label = "Menu", .fields = menu_fields, .offset = RESOURCE_BY_HAND,
	  .description = "At most 8 entries of the menu besides its own" },
	{ .name = "logo", .type = RESOURCE_TEXT, .flags = RESOURCE_NULL | RESOURCE_LINES | RESOURCE_FILE, .label = "Logo",
	  .most = LOGO_TEXT_MAX, .offset = RESOURCE_BY_HAND,
	  .description = "A PNG, JPEG or WebP picture of at most 256 KB in base64; null: none" },
	FIELD_END,
};

static void check_id(struct resource_change *c, struct str id)
{
	if (!str_eq(id, LOOK_ID))
		resource_problem(c, &kind_look, id, STR("/id"), "there is one look, 'portal'");
}

static GH_RC find(struct store *s, struct arena *a, struct str id, void *row, bool *found, struct gh_err *err)
{
	struct look_row *r = row;
	struct store_look stored;
	struct str type;
	bool has;

	*found = str_eq(id, LOOK_ID);
	if (!*found)
		return GH_RC_OK;
	TRY(store_look_get(s, a, &stored, err));
	*r = (struct look_row){ .id = id, .look = stored.look };
	TRY(store_setting_get(s, a, TITLE, &r->name, &has, err));
	if (!has)
		r->name = STR_NULL;
	return store_logo_get(s, a, &r->logo, &type, &has, err);
}

/* ---- shown --------------------------------------------------------------------------------------------------------------- */

/* Every field of the table, as documents have it; null when there are none. */
static json_t *colours_shown(const json_t *stored)
{
	json_t *out;

	if (!json_object_size(stored))
		return json_null();
	out = json_object();
	for (const struct resource_field *f = colour_fields; f->name; f++) {
		json_t *pair = jsn_get(stored, f->name);

		json_object_set_new(out, f->name, json_is_array(pair) ? json_incref(pair) : json_array());
	}
	return out;
}

static GH_RC show(struct store *s UNUSED, struct arena *a, const void *row, json_t *doc, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = LOOK_BYTES_MAX, .max_depth = 8 };
	const struct look_row *r = row;
	json_t *look, *texts, *menu;

	TRY(jsn_parse_in(a, r->look, &limits, &look, NULL, err));
	texts = jsn_get(look, "texts");
	menu = jsn_get(look, "menu");
	json_object_set_new(doc, "name", resource_text_or_null(r->name.n ? r->name : STR_NULL));
	json_object_set_new(doc, "colours", colours_shown(jsn_get(look, "colours")));
	json_object_set_new(doc, "texts", json_object_size(texts) ? json_incref(texts) : json_null());
	json_object_set_new(doc, "menu", json_is_array(menu) ? json_incref(menu) : json_array());
	json_object_set_new(doc, "logo", resource_text_or_null(r->logo.n ? crypto_base64(a, r->logo) : STR_NULL));
	return GH_RC_OK;
}

/* ---- written ------------------------------------------------------------------------------------------------------------- */

/* The look of core/look.h that a document says. Owned by the arena. */
static json_t *look_said(struct arena *a, const json_t *doc)
{
	json_t *look = jsn_keep(a, json_object()), *colours = json_object(), *texts = jsn_get(doc, "texts"), *menu = jsn_get(doc, "menu"), *pair;
	const char *token;

	json_object_foreach(jsn_get(doc, "colours"), token, pair)
		if (json_array_size(pair))
			json_object_set(colours, token, pair);
	if (json_object_size(colours))
		json_object_set(look, "colours", colours);
	json_decref(colours);
	if (json_object_size(texts))
		json_object_set(look, "texts", texts);
	if (json_array_size(menu))
		json_object_set(look, "menu", menu);
	return look;
}

/* "menu.2.address" is "/menu/1/address". */
static void told(void *ctx, const char *where, const char *what)
{
	struct resource_put *p = ctx;
	struct str rest = str_of(where), part;
	bool menu = str_starts(rest, STR("menu."));
	struct buf pointer;
	uint64_t nth;

	buf_init(&pointer, 1024);
	while (str_split(&rest, '.', &part))
		if (menu && str_to_u64(part, LOOK_MENU_MAX, &nth) && nth > 0)
			buf_fmt(&pointer, "/%llu", (unsigned long long)nth - 1);
		else
			jsn_pointer_add(&pointer, part);
	resource_problem(p->c, p->c->kind, p->id, buf_view(&pointer), "%s", what);
	buf_release(&pointer);
}

static GH_RC shipped(struct resource_put *p, struct colours *out, struct gh_err *err)
{
	char share[PATHS_MAX];
	struct theme none = { .share_dir = share };

	memset(out, 0, sizeof(*out));
	if (p->c->style_sheet.p)
		return colours_of_css(p->c->style_sheet, out, err);
	if (p->c->theme)
		return look_shipped(p->c->theme, p->a, out, err);
	TRY(paths_share(share, err));
	return look_shipped(&none, p->a, out, err);
}

/* base64 with or without line ends; the document gets it without, so that two forms of a picture are one document. */
static GH_RC take_logo(struct resource_put *p, json_t *doc, struct gh_err *err)
{
	struct look_row *r = p->row;
	struct str text = jsn_str(doc, "logo");
	char *plain = arena_alloc_text(p->a, text.n + 1);
	const char *why;
	size_t n = 0;

	r->logo = STR_NULL;
	if (!plain)
		FAIL(err, NOMEM, "logo");
	for (size_t i = 0; i < text.n; i++)
		if (!ascii_is_space(text.p[i]))
			plain[n++] = text.p[i];
	json_object_set_new(doc, "logo", n ? json_stringn(plain, n) : json_null());
	if (!n)
		return GH_RC_OK;
	if (!crypto_base64_decode(p->a, (struct str){ plain, n }, &r->logo)) {
		put_problem(p, "/logo", "must be the bytes of a picture in base64: base64 logo.png");
		return GH_RC_OK;
	}
	why = look_picture_wrong(r->logo);
	if (why)
		put_problem(p, "/logo", "%s", why);
	return GH_RC_OK;
}

static GH_RC check(struct resource_put *p, struct gh_err *err)
{
	json_t *doc = (json_t *)(uintptr_t)p->doc, *look = look_said(p->a, doc);
	struct look_row *r = p->row;
	struct str name = jsn_str(doc, "name");
	struct colours colours;

	if (!look)
		FAIL(err, NOMEM, "look");
	r->name = name;
	TRY(shipped(p, &colours, err));
	if (name.n)
		json_object_set_new(look, "name", json_stringn(name.p, name.n));
	look_check(look, &colours, told, p);
	json_object_del(look, "name");
	r->look = jsn_text(p->a, look, JSN_SORTED);
	if (!r->look.p)
		FAIL(err, NOMEM, "look");
	/* what says nothing is null, as it is shown */
	if (!name.n)
		json_object_set_new(doc, "name", json_null());
	if (!jsn_get(look, "colours"))
		json_object_set_new(doc, "colours", json_null());
	if (!jsn_get(look, "texts"))
		json_object_set_new(doc, "texts", json_null());
	return take_logo(p, doc, err);
}

static bool differs(const struct resource_put *p, const char *field)
{
	return !p->before || !json_equal(jsn_get(p->doc, field), jsn_get(p->before, field));
}

static GH_RC save(struct resource_put *p, struct gh_err *err)
{
	const struct look_row *r = p->row;

	if (differs(p, "name") && r->name.n)
		TRY(store_setting_set(p->s, TITLE, r->name, err));
	else if (differs(p, "name"))
		TRY(store_setting_unset(p->s, TITLE, err));
	if (differs(p, "colours") || differs(p, "texts") || differs(p, "menu"))
		TRY(store_look_set(p->s, r->look, err));
	return differs(p, "logo") ? store_logo_set(p->s, r->logo, look_picture_type(r->logo), err) : GH_RC_OK;
}

static const struct resource_ops ops = {
	.row_size = sizeof(struct look_row), .store = STORE_RESOURCE_LOOK, .check_id = check_id, .find = find, .show = show,
	.check = check, .save = save,
};

const struct resource_kind kind_look = {
	.name = "look", .plural = "looks", .title = "Look", .single = true,
	.description = "How the portal looks: its name, logo, colours, menu and the texts of its front page. There is one, \"portal\".",
	.area = RESOURCE_AREA_LOOK, .fields = fields, .ops = &ops, .filters = { { NULL } },
};
