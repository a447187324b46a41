#include "portal/web/internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "db/preferences.h"
#include "policy/net/zone.h"

/* In which language and time zone a page is written: what the account says, else what was chosen in this browser (a cookie),
 * else what the browser asks for. Without a zone of the account times are written in UTC, and www/page.js writes them anew
 * in the zone of the browser. The dashboard is English. */

static const char lang_cookie[] = "gh_lang";
enum { KEEP_CHOICE_S = 365 * 86400, ZONE_MAX = 64 };

static void from_account(struct web *w, struct str *language)
{
	struct store_preference p;
	struct gh_err err;
	bool found;

	if (!w->signed_in)
		return;
	if (store_preference_find(w->site->store, w->a, w->user.id, &p, &found, &err).code) {
		log_warn("language not known", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err.message));
		return;
	}
	if (!found)
		return;
	*language = p.language;
	w->zone = p.zone.n ? zone_find(p.zone) : NULL;
	w->zone_name = w->zone ? p.zone : STR_NULL;
}

void web_language_choose(struct web *w)
{
	const struct langs *all = w->site->langs;
	struct str chosen = STR_NULL;

	if (!all)
		return;
	w->lang = langs_english(all);
	from_account(w, &chosen);
	if (w->site->app->is_dashboard)
		return;
	if (!chosen.n)
		chosen = web_param(&w->rq.cookies, lang_cookie);
	if (chosen.n && langs_find(all, chosen))
		w->lang = langs_find(all, chosen);
	else if (langs_accept(all, w->rq.accept_language))
		w->lang = langs_accept(all, w->rq.accept_language);
	else if (langs_find(all, config_text(&w->site->config, CONFIG_WEB_LANGUAGE)))
		w->lang = langs_find(all, config_text(&w->site->config, CONFIG_WEB_LANGUAGE));
}

/* What the layout needs to offer the languages. */
void web_language_put(struct web *w)
{
	struct liquid_list *list = liquid_set_list(w->page, "languages");
	const struct langs *all = w->site->langs;
	bool get = str_eq(w->rq.method, STR("GET")) && w->rs.status < 400;

	liquid_set_text(w->page, "lang", lang_code(w->lang));
	liquid_set(w->page, "zone", w->zone ? liquid_of_text(w->zone_name) : LIQUID_NIL_VALUE);
	liquid_set_text(w->page, "return_to", get ? w->rq.target : w->site->base);
	for (size_t i = 0; i < langs_count(all) && langs_count(all) > 1; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "code", lang_code(langs_at(all, i)));
		liquid_set_text(r, "name", lang_name(langs_at(all, i)));
		liquid_set_bool(r, "here", langs_at(all, i) == w->lang);
	}
}

/* ---- choosing --------------------------------------------------------------------------------------------------------------- */

static GH_RC remember(struct web *w, struct str code, struct str zone, struct gh_err *err)
{
	struct store_preference p = { .user_id = w->user.id, .language = code, .zone = zone };
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, arena_printf(w->a, "user:%.*s", STR_ARG(w->user.email)), err));
	return store_tx_end(s, store_preference_set(s, &p, err), err);
}

static void keep_in_browser(struct web *w, struct str code)
{
	web_set_cookie(w, lang_cookie, code, arena_printf(w->a, "; Max-Age=%d", KEEP_CHOICE_S).p);
}

/* A visitor's choice changes nothing but how the next pages are written, so it may be a link. */
gh_rc web_language(struct web *w, struct gh_err *err)
{
	const struct lang *l = langs_find(w->site->langs, w->rq.args[0]);

	if (!l)
		FAIL(err, NOT_FOUND, "no such language");
	keep_in_browser(w, lang_code(l));
	return web_redirect(w, web_way_back(w, web_param(&w->rq.query, "return")), err);
}

/* From the foot of a page, by somebody who is signed in. */
gh_rc web_language_set(struct web *w, struct gh_err *err)
{
	const struct lang *l = langs_find(w->site->langs, w->rq.args[0]);

	if (!l)
		FAIL(err, NOT_FOUND, "no such language");
	keep_in_browser(w, lang_code(l));
	TRY(remember(w, lang_code(l), w->zone ? w->zone_name : STR(""), err));
	return web_redirect(w, web_way_back(w, web_param(&w->rq.form, "return")), err);
}

gh_rc web_preferences_put(struct web *w, struct gh_err *err)
{
	struct store_preference p = { .user_id = STR_NULL, .language = STR(""), .zone = STR("") };
	const struct web_param *zone = web_param_find(&w->rq.form, "zone");
	bool found;

	TRY(store_preference_find(w->site->store, w->a, w->user.id, &p, &found, err));
	web_form_value(w, "language", found ? p.language : STR(""));
	web_form_value(w, "zone", zone ? zone->value : found ? p.zone : STR(""));
	return GH_RC_OK;
}

gh_rc web_preferences_take(struct web *w, bool *taken, struct gh_err *err)
{
	struct str code = web_param(&w->rq.form, "language"), zone = str_trim(web_param(&w->rq.form, "zone"));
	const struct lang *l = code.n ? langs_find(w->site->langs, code) : NULL;

	*taken = false;
	if (code.n && !l)
		web_form_error(w, "language", STR("Choose one of the languages."));
	if (zone.n > ZONE_MAX || (zone.n && !zone_find(zone)))
		web_form_error(w, "zone", STR("This is no time zone. It looks like Europe/Berlin."));
	else if (!code.n || l)
		*taken = true;
	if (!*taken)
		return GH_RC_OK;
	TRY(remember(w, l ? lang_code(l) : STR(""), zone.n ? zone : STR(""), err));
	if (l)
		keep_in_browser(w, lang_code(l));
	else
		web_set_cookie(w, lang_cookie, STR(""), "; Max-Age=0");
	web_language_choose(w);
	return GH_RC_OK;
}

/* ---- texts ------------------------------------------------------------------------------------------------------------------ */

static const struct lang *language(struct web *w)
{
	if (!w->lang)
		web_language_choose(w);
	return w->lang;
}

struct str web_text(struct web *w, struct str english)
{
	const struct lang *l = language(w);
	struct str out = l && english.p ? lang_text(l, w->a, english, 0, NULL, 0) : english;

	return out.p ? out : english;
}

struct str web_text_values(struct web *w, const char *english, const struct lang_value *values, size_t n)
{
	struct str out = lang_text(language(w), w->a, str_of(english), 0, values, n);

	return out.p ? out : STR("");
}

struct lang_value web_count(struct web *w, int64_t n)
{
	return lang_count(language(w), w->a, n);
}

void web_title(struct web *w, const char *english)
{
	liquid_set_text(w->page, "title", web_text(w, str_of(english)));
}

static int64_t offset(struct web *w, int64_t us)
{
	bool daylight;

	return w->zone ? zone_offset(w->zone, us / 1000000, &daylight) : 0;
}

struct str web_time_of(struct web *w, int64_t us)
{
	return lang_time(language(w), w->a, us, offset(w, us), w->zone ? STR("") : STR("UTC"));
}

struct str web_decimal(struct web *w, double v, unsigned digits)
{
	return lang_decimal(language(w), w->a, v, digits);
}

struct str web_day(struct web *w, int64_t us)
{
	return lang_date(language(w), w->a, us, 0);      /* days are counted in UTC */
}

struct str web_ago_of(struct web *w, int64_t us, int64_t now_us)
{
	return lang_ago(language(w), w->a, us, now_us);
}

struct str web_number_of(struct web *w, int64_t n)
{
	return lang_number(language(w), w->a, n);
}

/* ---- moments ---------------------------------------------------------------------------------------------------------------- */

/* A moment prints as text and knows its ISO form, for <time datetime>: templates/web/time.html. */
struct moment {
	struct web *w;
	int64_t us;
	bool ago;
};

static struct str moment_text(void *self, struct arena *a UNUSED)
{
	struct moment *m = self;

	return m->ago ? web_ago_of(m->w, m->us, clock_wall_us()) : web_time_of(m->w, m->us);
}

static bool moment_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	struct moment *m = self;
	char iso[CLOCK_ISO_MAX];

	if (str_eq(name, STR("exact"))) {    /* "2026-01-02 03:04:05.678": of what happens many times in a minute */
		clock_iso(m->us, 3, iso);
		iso[10] = ' ';
		*out = liquid_of_text(arena_dup(a, str_first(str_of(iso), 23)));
		return true;
	}
	if (str_eq(name, STR("ago"))) {
		*out = liquid_of_bool(m->ago);
		return true;
	}
	if (!str_eq(name, STR("iso")))
		return false;
	clock_iso(m->us, 0, iso);
	*out = liquid_of_text(arena_dup(a, str_of(iso)));
	return true;
}

static struct liquid_value moment(struct web *w, int64_t us, bool ago)
{
	static const struct liquid_class cls = { .name = "a moment", .get = moment_get, .text = moment_text };
	struct moment *m = us ? arena_new_of(w->a, struct moment) : NULL;

	if (!m)
		return LIQUID_NIL_VALUE;
	*m = (struct moment){ w, us, ago };
	return liquid_of_object(&cls, m);
}

void web_put_time(struct web *w, struct liquid_record *r, const char *name, int64_t us)
{
	liquid_set(r, name, moment(w, us, false));
}

void web_put_ago(struct web *w, struct liquid_record *r, const char *name, int64_t us)
{
	liquid_set(r, name, moment(w, us, true));
}
