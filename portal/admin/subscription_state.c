#include "portal/admin/admin.h"

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

/* Looks and changes in one transaction: of two people at once, one is told that the other was quicker. */
static GH_RC act(struct web *w, const struct action *action, struct str id, struct str note, struct store_subscription *sub, bool *late,
		 struct gh_err *err)
{
	struct store_site site;
	bool found;

	TRY(store_subscription_find(w->site->store, w->a, id, sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such subscription");
	web_store_site(w, &site);
	*late = !(action->from >> sub->state & 1);
	if (*late)
		return GH_RC_OK;
	return store_subscription_change(w->site->store, w->a, sub->id, action->to, note, &site, err);
}

static const struct action *action_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (str_eq(name, str_of(actions[i].name)))
			return &actions[i];
	return NULL;
}

GH_RC admin_subscription_apply(struct web *w, struct str id, struct str name, struct str note, struct store_subscription *sub, bool *late,
			       struct gh_err *err)
{
	const struct action *action = action_of(name);

	if (!action)
		FAIL(err, NOT_FOUND, "no such action");
	return act(w, action, id, note, sub, late, err);
}

/* In one transaction with the look: the wish may have been taken back meanwhile. */
gh_rc admin_wish_decide(struct web *w, struct str id, bool grant, struct str note, bool *late, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_site site;
	struct store_request r;
	bool found;

	TRY(store_request_find(s, w->a, id, &r, &found, err));
	*late = !found || !r.tier_id.n;
	if (*late)
		return GH_RC_OK;
	web_store_site(w, &site);
	return grant ? store_subscription_change_tier(s, w->a, r.subscription_id, r.tier_id, note, &site, err)
		     : store_tier_refuse(s, w->a, r.subscription_id, note, &site, err);
}

static GH_RC act_on_wish(struct web *w, size_t which, struct str note, struct gh_err *err)
{
	struct store_subscription sub;
	bool found, late = false;

	TRY(store_subscription_find(w->site->store, w->a, w->rq.args[0], &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such subscription");
	TRY(store_tx_begin(w->site->store, web_actor(w), err));
	TRY(store_tx_end(w->site->store, admin_wish_decide(w, w->rq.args[0], which == 0, note, &late, err), err));
	return late ? done(w, "bad", "Nobody asks for another tier any more.", err) : done(w, "good", wish_actions[which][2], err);
}

GH_RC admin_key_new(struct web *w, struct str id, bool second, int64_t keep_s, struct str *key, struct gh_err *err)
{
	struct store_subscription sub;
	bool found;

	TRY(store_subscription_find(w->site->store, w->a, id, &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such subscription");
	return store_key_replace(w->site->store, w->a, id, second ? STORE_KEY_SECONDARY : STORE_KEY_PRIMARY, STR_NULL, keep_s, key, err);
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
	struct store *s = w->site->store;
	struct store_subscription sub;
	bool late = false;

	note = str_first(note.p ? note : STR(""), NOTE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(wish_actions); i++)
		if (str_eq(w->rq.args[1], str_of(wish_actions[i][0])))
			return act_on_wish(w, i, note, err);
	if (str_eq(w->rq.args[1], STR("new-key")))
		return act_on_key(w, err);
	if (!action)
		FAIL(err, NOT_FOUND, "no such action");
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, act(w, action, w->rq.args[0], note, &sub, &late, err), err));
	return late ? done(w, "bad", "Somebody else was quicker: the subscription is in another state now.", err)
		    : done(w, "good", action->done, err);
}
