#include "portal/portal/json.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/key_review.h"
#include "db/notices.h"
#include "db/teams.h"
#include "db/telemetry.h"

/* A developer's own subscriptions: keys, their replacement, the end. Each handler finds the subscription through own(), so
 * that somebody else's is answered like one that does not exist.
 *
 * New keys are shown once, on the page that follows: until then a sealed cookie of the browser keeps them. Whether they can
 * be shown again later is the operator's choice (portal.show_keys). */

enum { SHOWN_S = 120 };
static const char new_keys[] = "gh_new_keys";

/* How long the old key goes on, as the form offers it. */
static const struct overlap {
	const char *value, *words;
	int64_t seconds;
} overlaps[] = { { "day", "for a day", 86400 }, { "hour", "for an hour", 3600 }, { "week", "for a week", 604800 }, { "none", "not at all", 0 } };

static struct str opens(struct web *w, const struct store_subscription *s)
{
	return s->scope == STORE_SCOPE_PRODUCT ? s->product_id : s->scope == STORE_SCOPE_API ? s->api_id : web_text(w, STR("All APIs"));
}

void portal_put_subscription(struct web *w, struct liquid_record *r, const struct store_subscription *s)
{
	liquid_set_text(r, "id", s->id);
	liquid_set_text(r, "name", s->name.n ? s->name : s->id);
	liquid_set_text(r, "opens", opens(w, s));
	liquid_set_text(r, "product", s->scope == STORE_SCOPE_PRODUCT ? s->product_id : STR(""));
	liquid_set_text(r, "state", str_of(store_subscription_state_names[s->state]));
	web_put_time(w, r, "created", s->created_us);
	web_put_time(w, r, "ends", s->ends_us);
	liquid_set_text(r, "note", s->note.n ? s->note : STR(""));
	liquid_set_bool(r, "alive", s->state == STORE_SUB_ACTIVE || s->state == STORE_SUB_SUBMITTED || s->state == STORE_SUB_SUSPENDED);
}

gh_rc portal_subscriptions(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "subscriptions");
	struct store_subscription *v;
	size_t n;

	TRY(store_own_subscriptions(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = n; i-- > 0;)
		portal_put_subscription(w, liquid_push_record(list), &v[i]);
	web_title(w, "Your subscriptions");
	return web_page(w, "subscriptions", err);
}

/* ---- keys --------------------------------------------------------------------------------------------------------------- */

gh_rc portal_keep_keys(struct web *w, struct str id, const struct store_keys *keys, struct gh_err *err)
{
	struct str text = arena_printf(w->a, "%.*s\n%.*s\n%.*s", STR_ARG(id), STR_ARG(keys->primary.p ? keys->primary : STR("")),
				       STR_ARG(keys->secondary.p ? keys->secondary : STR("")));

	return web_sealed_put(w, new_keys, text, SHOWN_S, err);
}

/* Keys that were made by the request before this one; the cookie goes. */
static GH_RC take_new_keys(struct web *w, struct str id, struct store_keys *out, struct gh_err *err)
{
	struct str rest = web_sealed_get(w, new_keys), whose;

	*out = (struct store_keys){ STR_NULL, STR_NULL };
	if (!rest.n || !str_split(&rest, '\n', &whose) || !str_eq(whose, id))
		return GH_RC_OK;
	str_split(&rest, '\n', &out->primary);
	str_split(&rest, '\n', &out->secondary);
	return web_sealed_put(w, new_keys, STR(""), 0, err);
}

bool portal_shows_keys(const struct web *w)
{
	return str_eq(config_text(&w->site->config, CONFIG_PORTAL_SHOW_KEYS), STR("always"));
}

/* The present key of each slot, and under it those that were replaced and go on for a while. */
static GH_RC put_keys(struct web *w, struct str id, const struct store_keys *clear, struct gh_err *err)
{
	static const struct {
		const char *slot, *label;
	} names[] = { [STORE_KEY_PRIMARY] = { "primary", "Primary key" }, [STORE_KEY_SECONDARY] = { "secondary", "Secondary key" } };
	struct liquid_list *list = liquid_set_list(w->page, "keys"), *old = NULL;
	int64_t now = clock_wall_us();
	struct store_key_review *v;
	size_t n;

	TRY(store_keys_of(w->site->store, w->a, id, now, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = v[i].ends_us ? (old ? liquid_push_record(old) : NULL) : liquid_push_record(list);
		bool second = v[i].slot == STORE_KEY_SECONDARY;

		if (!r)
			continue;
		liquid_set_text(r, "prefix", v[i].prefix);
		web_put_ago(w, r, "used", v[i].last_used_us);
		if (v[i].ends_us) {
			web_put_time(w, r, "ends", v[i].ends_us);
			continue;
		}
		old = liquid_set_list(r, "old");
		liquid_set_text(r, "slot", str_of(names[second].slot));
		liquid_set_text(r, "label", web_text(w, str_of(names[second].label)));
		web_put_time(w, r, "made", v[i].created_us);
		liquid_set_text(r, "key", second ? clear->secondary : clear->primary);
	}
	return GH_RC_OK;
}

static GH_RC put_tier(struct web *w, const struct store_subscription *s, struct gh_err *err)
{
	struct liquid_record *r = liquid_set_record(w->page, "tier");
	struct store_request wish;
	struct store_product p;
	struct store_tier t;
	bool found = false;

	liquid_set_text(r, "name", STR(""));
	if (s->tier_id.n)
		TRY(store_tier_find(w->site->store, w->a, s->tier_id, &t, &found, err));
	if (found)
		liquid_set_text(r, "name", t.name.n ? t.name : t.id);
	TRY(portal_put_tier_limits(w, r, s->tier_id, err));
	TRY(store_request_find(w->site->store, w->a, s->id, &wish, &found, err));
	liquid_set_text(w->page, "message", found ? wish.message : STR(""));
	liquid_set_text(w->page, "wish", STR_NULL);
	if (found && wish.tier_id.n) {
		TRY(store_tier_find(w->site->store, w->a, wish.tier_id, &t, &found, err));
		liquid_set_text(w->page, "wish", !found ? STR_NULL : t.name.n ? t.name : t.id);
	}
	found = false;
	if (s->scope == STORE_SCOPE_PRODUCT)
		TRY(store_product_find(w->site->store, w->a, s->product_id, &p, &found, err));
	liquid_set_list(w->page, "tiers");
	liquid_set_bool(w->page, "may_wait", false);
	web_form_value(w, "message", STR(""));
	return found ? portal_put_tiers(w, &p, STR_NULL, s->tier_id, err) : GH_RC_OK;
}

static GH_RC put_application(struct web *w, const struct store_subscription *s, struct gh_err *err)
{
	struct store_application app;
	struct liquid_record *r;
	bool found = false;

	liquid_set(w->page, "application", LIQUID_NIL_VALUE);
	if (s->application_id.n)
		TRY(store_application_owned_by(w->site->store, s->application_id, w->user.id, &found, err));
	if (found)
		TRY(store_application_find(w->site->store, w->a, s->application_id, &app, &found, err));
	if (!found)
		return GH_RC_OK;
	r = liquid_set_record(w->page, "application");
	liquid_set_text(r, "id", app.id);
	liquid_set_text(r, "name", app.name);
	return GH_RC_OK;
}

static GH_RC show(struct web *w, const struct store_subscription *s, const struct store_keys *clear, int status, struct gh_err *err)
{
	struct liquid_list *times = liquid_set_list(w->page, "overlaps");

	portal_put_subscription(w, liquid_set_record(w->page, "sub"), s);
	TRY(put_keys(w, s->id, clear, err));
	TRY(put_tier(w, s, err));
	TRY(put_application(w, s, err));
	for (size_t i = 0; i < ARRAY_LEN(overlaps); i++) {
		struct liquid_record *r = liquid_push_record(times);

		liquid_set_text(r, "value", str_of(overlaps[i].value));
		liquid_set_text(r, "words", web_text(w, str_of(overlaps[i].words)));
	}
	if (s->scope == STORE_SCOPE_PRODUCT)
		TRY(portal_put_limits(w, w->page, s->product_id, err));
	else
		liquid_set_list(w->page, "limits");
	TRY(portal_put_left(w, w->page, s, err));
	TRY(portal_put_last_use(w, s->id, err));
	liquid_set_bool(w->page, "can_show", portal_shows_keys(w));
	liquid_set_bool(w->page, "shown", clear->primary.n || clear->secondary.n);
	liquid_set_text(w->page, "title", s->name.n ? s->name : s->id);
	w->rs.status = status;
	return web_page(w, "subscription", err);
}

gh_rc portal_subscription(struct web *w, struct gh_err *err)
{
	struct store_subscription s;
	struct store_keys clear;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	TRY(take_new_keys(w, s.id, &clear, err));
	web_form_value(w, "name", s.name);
	return show(w, &s, &clear, 200, err);
}

gh_rc portal_subscription_keys(struct web *w, struct gh_err *err)
{
	struct store_subscription s;
	struct store_keys clear;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	if (!portal_shows_keys(w))
		FAIL(err, NOT_FOUND, "keys are shown once");
	TRY(store_subscription_keys_shown(w->site->store, w->a, s.id, web_actor(w), &clear, err));
	web_form_value(w, "name", s.name);
	return show(w, &s, &clear, 200, err);
}

/* For the test console: the key in an answer that no page and no cache keeps. */
gh_rc portal_console_key(struct web *w, struct gh_err *err)
{
	struct store_subscription s;
	struct store_keys clear;
	json_t *answer;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	if (!portal_shows_keys(w))
		FAIL(err, NOT_FOUND, "keys are shown once");
	TRY(store_subscription_keys_shown(w->site->store, w->a, s.id, web_actor(w), &clear, err));
	answer = jsn_keep(w->a, json_pack("{s:s%}", "key", clear.primary.p, clear.primary.n));
	if (!answer)
		FAIL(err, NOMEM, "key");
	return web_json(w, 200, "application/json", answer, err);
}

static GH_RC back(struct web *w, struct str id, const char *kind, const char *text, struct gh_err *err)
{
	TRY(web_flash(w, kind, str_of(text), err));
	return web_redirect(w, arena_printf(w->a, "account/subscriptions/%.*s", STR_ARG(id)), err);
}

gh_rc portal_key_replace(struct web *w, struct str id, enum store_key_slot slot, int64_t keep_s, struct str *key, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_key_replace(s, w->a, id, slot, STR_NULL, keep_s, key, err));
	return portal_shows_keys(w) ? GH_RC_OK : store_keys_forget(s, id, err);
}

gh_rc portal_subscription_rotate(struct web *w, struct gh_err *err)
{
	struct str slot = web_param(&w->rq.form, "slot"), wish = web_param(&w->rq.form, "overlap");
	bool second = str_eq(slot, STR("secondary"));
	struct store_keys made = { STR_NULL, STR_NULL };
	struct store *st = w->site->store;
	struct store_subscription s;
	int64_t keep = overlaps[0].seconds;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	if (s.state != STORE_SUB_ACTIVE && s.state != STORE_SUB_SUBMITTED)
		return back(w, s.id, "bad", "This subscription opens nothing at present, so it gets no new key.", err);
	for (size_t i = 0; i < ARRAY_LEN(overlaps); i++)
		if (str_eq(wish, str_of(overlaps[i].value)))
			keep = overlaps[i].seconds;
	TRY(store_tx_begin(st, web_actor(w), err));
	TRY(store_tx_end(st, portal_key_replace(w, s.id, second ? STORE_KEY_SECONDARY : STORE_KEY_PRIMARY, keep,
						second ? &made.secondary : &made.primary, err), err));
	TRY(portal_keep_keys(w, s.id, &made, err));
	return back(w, s.id, "good", keep ? "This is your new key. The old one goes on for the time that you chose."
					  : "This is your new key. The old one no longer works.", err);
}

gh_rc portal_rename(struct web *w, struct store_subscription *s, struct str name, struct gh_err *err)
{
	TRY(portal_own_subscription(w, s->id, s, err));
	s->name = name;
	return store_subscription_update(w->site->store, s, err);
}

gh_rc portal_subscription_name(struct web *w, struct gh_err *err)
{
	struct str name = str_trim(web_param(&w->rq.form, "name"));
	const struct store_keys none = { STR_NULL, STR_NULL };
	struct store *st = w->site->store;
	struct store_subscription s;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	if (!name.n || name.n > PORTAL_NAME_MAX) {
		web_form_value(w, "name", name);
		web_form_error(w, "name", name.n ? STR("This is too long.") : STR("Enter a name."));
		return show(w, &s, &none, 422, err);
	}
	TRY(store_tx_begin(st, web_actor(w), err));
	TRY(store_tx_end(st, portal_rename(w, &s, name, err), err));
	return back(w, s.id, "good", "The name is changed.", err);
}

gh_rc portal_subscription_cancel(struct web *w, struct gh_err *err)
{
	struct store *st = w->site->store;
	struct store_subscription s;
	struct store_site site;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	if (s.state == STORE_SUB_CANCELLED)
		return back(w, s.id, "good", "The subscription is cancelled.", err);
	web_store_site(w, &site);
	TRY(store_tx_begin(st, web_actor(w), err));
	TRY(store_tx_end(st, store_subscription_change(st, w->a, s.id, STORE_SUB_CANCELLED, STR("Cancelled by its owner."), &site, err), err));
	return back(w, s.id, "good", "The subscription is cancelled. Its keys no longer work.", err);
}
