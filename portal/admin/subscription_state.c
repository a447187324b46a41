#include "portal/admin/admin.h"

#include "config/resource.h"
#include "core/str.h"
#include "db/notices.h"
#include "db/users.h"

/* What the dashboard does to subscriptions. One table says which action leads from which state to which; the owner gets a
 * mail with the note. */

enum { NOTE_MAX = 500 };

static const struct action {
	const char *name, *label, *done;
	unsigned from;                   /* bits of enum store_subscription_state */
	enum store_subscription_state to;
} actions[] = {
	{ "approve", "Approve", "The subscription is approved.", 1u << STORE_SUB_SUBMITTED, STORE_SUB_ACTIVE },
	{ "reject", "Reject", "The subscription is rejected.", 1u << STORE_SUB_SUBMITTED, STORE_SUB_REJECTED },
	{ "suspend", "Suspend", "The subscription is suspended.", 1u << STORE_SUB_ACTIVE, STORE_SUB_SUSPENDED },
	{ "restore", "Restore", "The subscription works again.", 1u << STORE_SUB_SUSPENDED | 1u << STORE_SUB_REJECTED, STORE_SUB_ACTIVE },
	{ "cancel", "Cancel", "The subscription is cancelled.", 1u << STORE_SUB_ACTIVE | 1u << STORE_SUB_SUSPENDED, STORE_SUB_CANCELLED },
};

void admin_put_actions(struct web *w, struct liquid_record *row, int64_t state)
{
	struct liquid_list *list = liquid_set_list(row, "actions");

	if (!web_may(w, WEB_MANAGE_SUBSCRIPTIONS))
		return;
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		struct liquid_record *r;

		if (!(actions[i].from >> state & 1))
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "value", str_of(actions[i].name));
		liquid_set_text(r, "label", str_of(actions[i].label));
	}
}

static GH_RC tier_name(struct web *w, struct str id, struct str *out, struct gh_err *err)
{
	struct store_tier t;
	bool found = false;

	if (id.n)
		TRY(store_tier_find(w->site->store, w->a, id, &t, &found, err));
	*out = !found ? STR("") : t.name.n ? t.name : t.id;
	return GH_RC_OK;
}

/* Deciding on a wish for another tier; the subscription keeps its state. */
static const char *const wish_actions[][3] = {
	{ "grant-tier", "Grant the tier", "The tier is changed." },
	{ "refuse-tier", "Refuse the tier", "The tier stays as it is." },
};

gh_rc admin_put_request(struct web *w, struct liquid_record *row, const struct store_subscription *s, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(row, "wish_actions");
	struct str tier, wish = STR("");
	struct store_request r;
	struct store_user user;
	bool found, known = false;

	TRY(tier_name(w, s->tier_id, &tier, err));
	TRY(store_request_find(w->site->store, w->a, s->id, &r, &found, err));
	if (found && r.user_id.n)
		TRY(store_user_find(w->site->store, w->a, r.user_id, &user, &known, err));
	if (found)
		TRY(tier_name(w, r.tier_id, &wish, err));
	liquid_set_text(row, "tier", tier);
	liquid_set_text(row, "wish", wish);
	liquid_set_text(row, "message", found ? r.message : STR(""));
	liquid_set_text(row, "asker", known ? user.email : STR(""));
	if (!wish.n || !web_may(w, WEB_MANAGE_SUBSCRIPTIONS))
		return GH_RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(wish_actions); i++) {
		struct liquid_record *one = liquid_push_record(list);

		liquid_set_text(one, "value", str_of(wish_actions[i][0]));
		liquid_set_text(one, "label", str_of(wish_actions[i][1]));
	}
	return GH_RC_OK;
}

static GH_RC done(struct web *w, const char *kind, const char *text, struct gh_err *err)
{
	TRY(web_flash(w, kind, str_of(text), err));
	return web_redirect(w, STR("subscriptions"), err);
}

/* Through the one door, as a PATCH of the management API: one validation, and an entry with what was before and is after. */
static GH_RC patch(struct web *w, struct resource_change *c, struct str id, json_t *fields, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("subscription"));
	const json_t *change = jsn_keep(w->a, fields);
	struct store_site site;
	json_t *doc;

	if (!change)
		FAIL(err, NOMEM, "subscription");
	web_store_site(w, &site);
	resource_portal(c, site.portal);
	TRY(resource_merge(w->site->store, w->a, k, id, change, &doc, err));
	return resource_write(c, k, id, doc, RESOURCE_REPLACE, NULL, err);
}

/* Looks and changes in one transaction: of two people at once, one is told that the other was quicker. */
static GH_RC act(struct web *w, struct resource_change *c, const struct action *action, struct str id, struct str note, struct store_subscription *sub,
		 bool *late, struct gh_err *err)
{
	bool found;

	TRY(store_subscription_find(w->site->store, w->a, id, sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such subscription");
	*late = !(action->from >> sub->state & 1);
	if (*late)
		return GH_RC_OK;
	return patch(w, c, id, json_pack("{s:s, s:s%}", "state", store_subscription_state_names[action->to], "note", note.n ? note.p : "", note.n), err);
}

static const struct action *action_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (str_eq(name, str_of(actions[i].name)))
			return &actions[i];
	return NULL;
}

GH_RC admin_subscription_apply(struct web *w, struct resource_change *c, struct str id, struct str name, struct str note,
			       struct store_subscription *sub, bool *late, struct gh_err *err)
{
	const struct action *action = action_of(name);

	if (!action)
		FAIL(err, NOT_FOUND, "no such action");
	return act(w, c, action, id, note, sub, late, err);
}

static GH_RC grant_wish(struct web *w, struct resource_change *c, const struct store_request *r, struct str note, struct gh_err *err)
{
	json_t *fields = json_pack("{s:s%}", "tier", r->tier_id.p, r->tier_id.n);
	struct store_subscription sub;
	bool found;

	if (note.n)                      /* else the note that explains its state goes on standing there */
		json_object_set_new(fields, "note", json_stringn(note.p, note.n));
	TRY(patch(w, c, r->subscription_id, fields, err));
	TRY(store_subscription_find(w->site->store, w->a, r->subscription_id, &sub, &found, err));
	return found && sub.state != STORE_SUB_SUBMITTED ? store_request_drop(w->site->store, r->subscription_id, err) : GH_RC_OK;      /* also where it has that tier already */
}

/* In one transaction with the look: the wish may have been taken back meanwhile. */
gh_rc admin_wish_decide(struct web *w, struct resource_change *c, struct str id, bool grant, struct str note, bool *late, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_site site;
	struct store_request r;
	bool found;

	TRY(store_request_find(s, w->a, id, &r, &found, err));
	*late = !found || !r.tier_id.n;
	if (*late)
		return GH_RC_OK;
	if (grant)
		return grant_wish(w, c, &r, note, err);
	web_store_site(w, &site);
	return store_tier_refuse(s, w->a, r.subscription_id, note, &site, err);
}

/* What the one door refused: a state that cannot be, or another one that was quicker. The page says it, and nothing has happened. */
static bool told(gh_rc rc)
{
	return rc.code == GH_E_INVALID || rc.code == GH_E_CONFLICT || rc.code == GH_E_DENIED;
}

static GH_RC act_on_wish(struct web *w, size_t which, struct str note, struct gh_err *err)
{
	struct store_subscription sub;
	struct resource_change *c;
	bool found, late = false;
	gh_rc rc;

	TRY(store_subscription_find(w->site->store, w->a, w->rq.args[0], &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such subscription");
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	rc = resource_end(c, admin_wish_decide(w, c, w->rq.args[0], which == 0, note, &late, err), false, err);
	if (told(rc))
		return done(w, "bad", arena_cstr(w->a, str_of(err->message)), err);
	TRY(rc);
	return late ? done(w, "bad", "Nobody asks for another tier any more.", err) : done(w, "good", wish_actions[which][2], err);
}

GH_RC admin_key_new(struct web *w, struct str id, bool second, int64_t keep_s, struct str *key, struct gh_err *err)
{
	struct store_subscription sub;
	bool found;

	TRY(store_subscription_find(w->site->store, w->a, id, &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such subscription");
	TRY(store_key_replace(w->site->store, w->a, id, second ? STORE_KEY_SECONDARY : STORE_KEY_PRIMARY, STR_NULL, keep_s, key, err));
	return str_eq(config_text(&w->site->config, CONFIG_PORTAL_SHOW_KEYS), STR("always")) ? GH_RC_OK : store_keys_forget(w->site->store, id, err);
}

static GH_RC act_on_key(struct web *w, struct gh_err *err)
{
	bool second = str_eq(web_param(&w->rq.form, "key"), STR("secondary"));
	struct store *s = w->site->store;
	struct liquid_record *r;
	struct str key = STR_NULL;
	int64_t keep;

	if (!str_to_i64(web_param(&w->rq.form, "keep"), 0, ADMIN_KEY_KEEP_MAX_S, &keep))
		keep = 0;
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, admin_key_new(w, w->rq.args[0], second, keep, &key, err), err));
	r = liquid_push_record(liquid_set_list(w->page, "issued"));
	liquid_set_text(r, "label", second ? STR("Secondary key") : STR("Primary key"));
	liquid_set_text(r, "value", key);
	liquid_set_text(w->page, "plural", STR("subscriptions"));
	liquid_set_text(w->page, "id", w->rq.args[0]);
	liquid_set_text(w->page, "title", STR("New key"));
	return web_page(w, "resource_issued", err);
}

gh_rc admin_subscription_act(struct web *w, struct gh_err *err)
{
	struct str note = str_trim(web_param(&w->rq.form, "note"));
	const struct action *action = action_of(w->rq.args[1]);
	struct store_subscription sub;
	struct resource_change *c;
	bool late = false;
	gh_rc rc;

	note = str_first(note.p ? note : STR(""), NOTE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(wish_actions); i++)
		if (str_eq(w->rq.args[1], str_of(wish_actions[i][0])))
			return act_on_wish(w, i, note, err);
	if (str_eq(w->rq.args[1], STR("new-key")))
		return act_on_key(w, err);
	if (!action)
		FAIL(err, NOT_FOUND, "no such action");
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	rc = resource_end(c, act(w, c, action, w->rq.args[0], note, &sub, &late, err), false, err);
	if (told(rc))
		return done(w, "bad", arena_cstr(w->a, str_of(err->message)), err);
	TRY(rc);
	return late ? done(w, "bad", "Somebody else was quicker: the subscription is in another state now.", err)
		    : done(w, "good", action->done, err);
}
