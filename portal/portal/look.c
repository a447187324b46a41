#include "portal/portal/portal.h"

#include "core/log.h"
#include "core/look.h"
#include "core/str.h"
#include "db/look.h"

/* How the portal looks where the dashboard says so: what the layout needs, the style sheet with the colours, the picture. */

static GH_RC load(struct web *w, struct store_look *stored, json_t **look, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = LOOK_BYTES_MAX, .max_depth = 8 };

	TRY(store_look_get(w->site->store, w->a, stored, err));
	return jsn_parse_in(w->a, stored->look, &limits, look, NULL, err);
}

static void put_menu(struct web *w, const json_t *look)
{
	struct liquid_list *list = liquid_set_list(w->page, "menu");
	json_t *entry;
	size_t i;

	json_array_foreach(jsn_arr(look, "menu"), i, entry) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "label", jsn_str(entry, "label"));
		liquid_set_text(r, "address", jsn_str(entry, "address"));
	}
}

/* In the reader's language, else in English. */
static void put_texts(struct web *w, const json_t *look)
{
	static const char *const names[] = { "headline", "lead" };
	const json_t *texts = jsn_obj(look, "texts"), *own = jsn_get_n(texts, lang_code(w->lang));

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct str text = jsn_str(own, names[i]);

		if (!text.n)
			text = jsn_str(jsn_obj(texts, "en"), names[i]);
		liquid_set_text(w->page, names[i], text.n ? text : STR_NULL);
	}
}

void portal_put_look(struct web *w)
{
	struct store_look stored = { .changed_us = 0 };
	json_t *look = NULL;
	struct gh_err err;

	if (load(w, &stored, &look, &err).code)          /* a page without colours is better than none */
		log_warn("look not known", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err.message));
	put_menu(w, look);
	put_texts(w, look);
	liquid_set(w->page, "look_version", jsn_obj(look, "colours") ? liquid_of_int(stored.changed_us) : LIQUID_NIL_VALUE);
	liquid_set(w->page, "logo_version", stored.logo_type.n ? liquid_of_int(stored.changed_us) : LIQUID_NIL_VALUE);
}

gh_rc portal_look_css(struct web *w, struct gh_err *err)
{
	struct store_look stored;
	json_t *look;

	TRY(load(w, &stored, &look, err));
	buf_str(&w->rs.body, look_css(w->a, look));
	web_header(w, "Content-Type", STR("text/css; charset=utf-8"));
	web_header(w, "Cache-Control", STR("public, max-age=31536000, immutable"));
	return GH_RC_OK;
}

gh_rc portal_logo(struct web *w, struct gh_err *err)
{
	struct str bytes, type;
	bool found;

	TRY(store_logo_get(w->site->store, w->a, &bytes, &type, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no picture");
	buf_str(&w->rs.body, bytes);
	web_header(w, "Content-Type", type);
	web_header(w, "Cache-Control", STR("public, max-age=31536000, immutable"));
	return GH_RC_OK;
}
