#include "portal/admin/admin.h"

#include "core/str.h"
#include "db/notices.h"

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

	if (!web_role_may(w->user.role, WEB_MANAGE_SUBSCRIPTIONS))
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

static GH_RC done(struct web *w, const char *kind, const char *text, struct gh_err *err)
{
	TRY(web_flash(w, kind, str_of(text), err));
	return web_redirect(w, STR("subscriptions"), err);
}

/* Looks and changes in one transaction: of two people at once, one is told that the other was quicker. */
static GH_RC act(struct web *w, const struct action *action, struct str note, struct str portal, bool *late, struct gh_err *err)
{
	struct store_subscription sub;
	bool found;

	TRY(store_subscription_find(w->site->store, w->a, w->rq.args[0], &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such subscription");
	*late = !(action->from >> sub.state & 1);
	if (*late)
		return GH_RC_OK;
	return store_subscription_change(w->site->store, w->a, sub.id, action->to, note, portal, err);
}

gh_rc admin_subscription_act(struct web *w, struct gh_err *err)
{
	struct str host, portal = STR_NULL, note = str_trim(web_param(&w->rq.form, "note"));
	const struct action *action = NULL;
	struct store *s = w->site->store;
	struct gh_err unknown;
	bool late = false;

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (str_eq(w->rq.args[1], str_of(actions[i].name)))
			action = &actions[i];
	if (!action)
		FAIL(err, NOT_FOUND, "no such action");
	if (!web_public_address(w, &host, &unknown).code)
		portal = arena_printf(w->a, "%.*s%.*s", STR_ARG(host), STR_ARG(web_portal_base(w->site, w->a)));
	TRY(store_tx_begin(s, arena_printf(w->a, "user:%.*s", STR_ARG(w->user.email)), err));
	TRY(store_tx_end(s, act(w, action, str_first(note.p ? note : STR(""), NOTE_MAX), portal, &late, err), err));
	return late ? done(w, "bad", "Somebody else was quicker: the subscription is in another state now.", err)
		    : done(w, "good", action->done, err);
}
