#include "portal/admin/admin.h"

#include "config/resource.h"
#include "core/crypto.h"
#include "core/look.h"
#include "core/str.h"
#include "db/environments.h"
#include "db/look.h"

#define LOOK STR("portal")                       /* the one look that there is */

/* The page on which the portal gets its name, picture, colours, texts and menu. Nothing is saved unless all of it may be. */

static const char *field(struct web *w, const char *a, const char *b)
{
	return arena_printf(w->a, "%s_%s", a, b).p;
}

/* What the form shows: what was sent, else what is stored, else what is shipped. */
static void value(struct web *w, const char *name, struct str stored)
{
	const struct web_param *sent = web_param_find(&w->rq.form, name);

	web_form_value(w, name, sent ? sent->value : stored.p ? stored : STR(""));
}

static void put_colours(struct web *w, const json_t *look, const struct colours *css)
{
	static const char *const words[] = { "Accent: links, buttons", "Text on the accent", "Page", "Panels", "Text", "Quieter text" };
	struct liquid_list *list = liquid_set_list(w->page, "colours");

	for (size_t i = 0; i < COLOUR__COUNT; i++) {
		struct liquid_record *r = liquid_push_record(list);
		const json_t *pair = jsn_get(jsn_obj(look, "colours"), colour_names[i]);
		const char *names[] = { field(w, colour_names[i], "light"), field(w, colour_names[i], "dark") };

		liquid_set_text(r, "words", str_of(words[i]));
		liquid_set_text(r, "light", str_of(names[0]));
		liquid_set_text(r, "dark", str_of(names[1]));
		for (size_t k = 0; k < 2; k++) {
			char text[COLOUR_TEXT_MAX];
			struct str stored = jsn_string(json_array_get(pair, k));

			value(w, names[k], stored.n ? stored : arena_dup(w->a, str_of(colour_text(css->v[i][k], text))));
		}
	}
}

static void put_texts(struct web *w, const json_t *look)
{
	struct liquid_list *list = liquid_set_list(w->page, "texts");

	for (size_t i = 0; i < langs_count(w->site->langs); i++) {
		const struct lang *l = langs_at(w->site->langs, i);
		const char *code = arena_cstr(w->a, lang_code(l));
		const json_t *own = jsn_get(jsn_obj(look, "texts"), code);
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "language", lang_name(l));
		liquid_set_text(r, "headline", str_of(field(w, "headline", code)));
		liquid_set_text(r, "lead", str_of(field(w, "lead", code)));
		value(w, field(w, "headline", code), jsn_str(own, "headline"));
		value(w, field(w, "lead", code), jsn_str(own, "lead"));
	}
}

static const char *menu_field(struct web *w, const char *what, size_t i)
{
	return arena_printf(w->a, "menu_%zu_%s", i + 1, what).p;
}

static void put_menu(struct web *w, const json_t *look)
{
	struct liquid_list *list = liquid_set_list(w->page, "entries");

	for (size_t i = 0; i < LOOK_MENU_MAX; i++) {
		const json_t *entry = json_array_get(jsn_arr(look, "menu"), i);
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_int(r, "number", (int64_t)i + 1);
		liquid_set_text(r, "label", str_of(menu_field(w, "label", i)));
		liquid_set_text(r, "address", str_of(menu_field(w, "address", i)));
		value(w, menu_field(w, "label", i), jsn_str(entry, "label"));
		value(w, menu_field(w, "address", i), jsn_str(entry, "address"));
	}
}

/* What the form began with: that of the form that was sent, so that what somebody else saved meanwhile stays told; else of what is stored. */
static GH_RC mark_of(struct web *w, struct str *out, struct gh_err *err)
{
	const struct web_param *sent = web_param_find(&w->rq.form, "mark");
	json_t *doc;

	if (sent) {
		*out = sent->value;
		return GH_RC_OK;
	}
	TRY(resource_read(w->site->store, w->a, resource_kind_find(STR("look")), LOOK, &doc, err));
	*out = resource_etag(w->a, doc);
	return GH_RC_OK;
}

static GH_RC show(struct web *w, int status, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = LOOK_BYTES_MAX, .max_depth = 8 };
	struct str name = STR_NULL, mark;
	struct store_look stored;
	struct colours css;
	json_t *look;
	bool found;

	TRY(look_shipped(&w->site->theme, w->a, &css, err));
	TRY(store_look_get(w->site->store, w->a, &stored, err));
	TRY(jsn_parse_in(w->a, stored.look, &limits, &look, NULL, err));
	TRY(store_setting_get(w->site->store, w->a, STR("portal.title"), &name, &found, err));
	value(w, "name", found && name.n ? name : config_text(&w->site->config, CONFIG_PORTAL_TITLE));
	put_colours(w, look, &css);
	put_texts(w, look);
	put_menu(w, look);
	liquid_set_text(w->page, "portal_base", web_portal_base(w->site, w->a));
	liquid_set(w->page, "logo_version", stored.logo_type.n ? liquid_of_int(stored.changed_us) : LIQUID_NIL_VALUE);
	TRY(mark_of(w, &mark, err));
	liquid_set_text(w->page, "mark", mark);
	web_title(w, "Look of the portal");
	w->rs.status = status;
	return web_page(w, "look", err);
}

gh_rc admin_look(struct web *w, struct gh_err *err)
{
	web_form(w);
	liquid_set(w->page, "clash", LIQUID_NIL_VALUE);
	return show(w, 200, err);
}

/* ---- saving ----------------------------------------------------------------------------------------------------------------- */

static struct str sent(struct web *w, const char *name)
{
	struct str v = str_trim(web_param(&w->rq.form, name));

	return v.p ? v : STR("");
}

static json_t *text(struct str s)
{
	return json_stringn(s.p, s.n);
}

/* Colours that are those of the style sheet are not written down: who changes the sheet later sees the change. */
static json_t *colours_sent(struct web *w, const struct colours *css)
{
	json_t *out = json_object();

	for (size_t i = 0; i < COLOUR__COUNT; i++) {
		struct str light = sent(w, field(w, colour_names[i], "light")), dark = sent(w, field(w, colour_names[i], "dark"));
		char one[COLOUR_TEXT_MAX], two[COLOUR_TEXT_MAX];

		if (str_eq_ci(light, str_of(colour_text(css->v[i][0], one))) && str_eq_ci(dark, str_of(colour_text(css->v[i][1], two))))
			continue;
		json_object_set_new(out, colour_names[i], json_pack("[o,o]", text(light), text(dark)));
	}
	return out;
}

static json_t *look_sent(struct web *w, const struct colours *css)
{
	json_t *out = jsn_keep(w->a, json_object()), *colours = colours_sent(w, css), *texts = json_object(), *menu = json_array();

	for (size_t i = 0; i < langs_count(w->site->langs); i++) {
		const char *code = arena_cstr(w->a, lang_code(langs_at(w->site->langs, i)));
		struct str headline = sent(w, field(w, "headline", code)), lead = sent(w, field(w, "lead", code));
		json_t *own = json_object();

		if (headline.n)
			json_object_set_new(own, "headline", text(headline));
		if (lead.n)
			json_object_set_new(own, "lead", text(lead));
		if (json_object_size(own))
			json_object_set(texts, code, own);
		json_decref(own);
	}
	for (size_t i = 0; i < LOOK_MENU_MAX; i++) {
		struct str label = sent(w, menu_field(w, "label", i)), address = sent(w, menu_field(w, "address", i));

		if (label.n || address.n)
			json_array_append_new(menu, json_pack("{s:o,s:o}", "label", text(label), "address", text(address)));
	}
	if (json_object_size(colours))
		json_object_set(out, "colours", colours);
	if (json_object_size(texts))
		json_object_set(out, "texts", texts);
	if (json_array_size(menu))
		json_object_set(out, "menu", menu);
	json_decref(colours);
	json_decref(texts);
	json_decref(menu);
	return out;
}

struct telling {
	struct web *w;
	struct str colours;              /* what is wrong with pairs of them, one behind the other */
};

/* "menu.2.address" stands beside the field of the second entry that was filled in. */
static void beside(void *ctx, const char *where, const char *what)
{
	struct telling *t = ctx;
	struct web *w = t->w;
	struct str rest = str_of(where), part[3] = { STR(""), STR(""), STR("") }, text;
	const char *name = "name";

	for (size_t i = 0; i < 3 && str_split(&rest, '.', &part[i]); i++)
		;
	if (str_eq(part[0], STR("menu")) && part[2].n) {
		uint64_t nth = 1, seen = 0;
		size_t i = 0;

		if (!str_to_u64(part[1], LOOK_MENU_MAX, &nth))
			nth = 1;
		for (; i < LOOK_MENU_MAX; i++)
			if ((sent(w, menu_field(w, "label", i)).n || sent(w, menu_field(w, "address", i)).n) && ++seen == nth)
				break;
		name = menu_field(w, arena_cstr(w->a, part[2]), i);
	} else if (str_eq(part[0], STR("texts")) && part[2].n) {
		name = field(w, arena_cstr(w->a, part[2]), arena_cstr(w->a, part[1]));
	} else if (str_eq(part[0], STR("colours"))) {
		name = part[1].n ? field(w, arena_cstr(w->a, part[1]), "light") : "colours";
	}
	text = arena_dup(w->a, str_of(what));
	if (strcmp(name, "colours") == 0)
		text = t->colours = arena_printf(w->a, "%.*s%s%.*s", STR_ARG(t->colours), t->colours.n ? "; " : "", STR_ARG(text));
	web_form_error(w, name, text);
}

/* The picture that was sent; STR_NULL when there is none. False: it cannot be used. */
static bool picture(struct web *w, struct str *bytes)
{
	const struct web_param *file = web_param_find(&w->rq.form, "logo");
	const char *why;

	*bytes = STR_NULL;
	if (!file || !file->file_name.p || !file->file.n)
		return true;
	*bytes = file->file;
	why = look_picture_wrong(file->file);
	if (why)
		web_form_error(w, "logo", str_of(why));
	return !why;
}

/* The look as it stands, with what `patch` says in place of whole fields, through the one door. Only when it is still what the form began
 * with: of two people at once the second is told. */
static GH_RC write_fields(struct web *w, struct resource_change *c, const json_t *patch, bool *clash, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("look"));
	json_t *doc;

	TRY(resource_read(w->site->store, w->a, k, LOOK, &doc, err));
	*clash = !str_eq(resource_etag(w->a, doc), web_param(&w->rq.form, "mark"));
	if (*clash)
		FAIL(err, CONFLICT, "changed meanwhile");
	doc = resource_document(w->a, k, doc, RESOURCE_WRITABLE);
	if (!doc)
		FAIL(err, NOMEM, "look");
	json_object_update(doc, (json_t *)(uintptr_t)patch);
	return resource_write(c, k, LOOK, doc, RESOURCE_REPLACE, NULL, err);
}

/* *status: 0 when it is written, else that of the form, in which what is refused stands. */
static GH_RC write_look(struct web *w, const json_t *patch, int *status, struct gh_err *err)
{
	const struct resource_problem *v;
	struct resource_change *c;
	bool clash = false;
	size_t n;
	gh_rc rc;

	*status = 0;
	liquid_set(w->page, "clash", LIQUID_NIL_VALUE);
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	resource_theme(c, &w->site->theme);
	rc = resource_end(c, write_fields(w, c, patch, &clash, err), false, err);
	v = resource_problems(c, &n);
	if (clash) {
		liquid_set_text(w->page, "clash", STR("Somebody else changed this meanwhile. Your text stands below; open it again to see theirs."));
		*status = 409;
		return GH_RC_OK;
	}
	if (rc.code != GH_E_INVALID || !n)
		return rc;
	*status = 422;
	for (size_t i = 0; i < n; i++)
		web_form_error(w, str_starts(v[i].pointer, STR("/logo")) ? "logo" : "name", arena_dup(w->a, v[i].message));
	return GH_RC_OK;
}

static json_t *field_of(const json_t *look, const char *name, json_t *otherwise)
{
	json_t *v = jsn_get(look, name);

	if (!v)
		return otherwise;
	json_decref(otherwise);
	return json_incref(v);
}

/* A name that is the one of gatehouse.conf is not written down, nor is a picture that stays. */
static GH_RC patch_of(struct web *w, const json_t *look, struct str bytes, json_t **out, struct gh_err *err)
{
	struct str name = sent(w, "name"), old = STR_NULL, logo;
	bool found;

	*out = jsn_keep(w->a, json_object());
	if (!*out)
		FAIL(err, NOMEM, "look");
	TRY(store_setting_get(w->site->store, w->a, STR("portal.title"), &old, &found, err));
	if (!str_eq(name, found && old.n ? old : config_text(&w->site->config, CONFIG_PORTAL_TITLE)))
		json_object_set_new(*out, "name", text(name));
	json_object_set_new(*out, "colours", field_of(look, "colours", json_null()));
	json_object_set_new(*out, "texts", field_of(look, "texts", json_null()));
	json_object_set_new(*out, "menu", field_of(look, "menu", json_array()));
	logo = bytes.n ? crypto_base64(w->a, bytes) : STR_NULL;
	if (bytes.n || web_param(&w->rq.form, "no_logo").n)
		json_object_set_new(*out, "logo", logo.n ? text(logo) : json_null());
	return GH_RC_OK;
}

gh_rc admin_look_save(struct web *w, struct gh_err *err)
{
	struct str bytes, name = sent(w, "name");
	struct colours css;
	unsigned bad = 0;
	json_t *look, *patch = NULL;
	int refused;

	web_form(w);
	liquid_set(w->page, "clash", LIQUID_NIL_VALUE);
	TRY(look_shipped(&w->site->theme, w->a, &css, err));
	look = look_sent(w, &css);
	if (!look)
		FAIL(err, NOMEM, "look");
	if (!name.n || name.n > LOOK_NAME_MAX) {
		web_form_error(w, "name", name.n ? STR("This is too long.") : STR("Enter a name."));
		bad++;
	}
	bad += look_check(look, &css, beside, &(struct telling){ .w = w });
	bad += !picture(w, &bytes);
	if (bad)
		return show(w, 422, err);
	TRY(patch_of(w, look, bytes, &patch, err));
	TRY(write_look(w, patch, &refused, err));
	if (refused)
		return show(w, refused, err);
	TRY(web_flash(w, "good", STR("The look is saved. Visitors see it at their next page."), err));
	return web_redirect(w, STR("look"), err);
}

/* Back to the colours of the style sheet; the rest stays. */
gh_rc admin_look_reset(struct web *w, struct gh_err *err)
{
	int refused;

	web_form(w);
	TRY(write_look(w, jsn_keep(w->a, json_pack("{s:n}", "colours")), &refused, err));
	if (refused)
		return show(w, refused, err);
	TRY(web_flash(w, "good", STR("The shipped colours are back."), err));
	return web_redirect(w, STR("look"), err);
}
