#include "db/notices.h"

#include "core/str.h"
#include "db/mail.h"
#include "db/users.h"

enum { USERS_READ = 500 };               /* of whom the approvers are looked for, a page */

static GH_RC put(json_t *data, const char *name, struct str value, struct gh_err *err)
{
	if (json_object_set_new(data, name, json_stringn(value.n ? value.p : "", value.n)))
		FAIL(err, NOMEM, "mail");
	return GH_RC_OK;
}

/* Texts are English, {1} is what it is about and {2} who asks; the mail is written in the language of its reader. */
struct message {
	struct str headline, text, what, owner, note, link, action;
};

static GH_RC send(struct store *s, struct arena *a, const struct store_user *to, const struct message *m, struct gh_err *err)
{
	json_t *data = jsn_keep(a, json_object());

	if (!data)
		FAIL(err, NOMEM, "mail");
	TRY(put(data, "name", to->first_name.n ? to->first_name : to->email, err));
	TRY(put(data, "headline", m->headline, err));
	TRY(put(data, "text", m->text, err));
	TRY(put(data, "what", m->what, err));
	TRY(put(data, "owner", m->owner, err));
	if (m->note.n)
		TRY(put(data, "note", m->note, err));
	if (m->link.n) {
		TRY(put(data, "link", m->link, err));
		TRY(put(data, "action", m->action, err));
	}
	return store_mail_add(s, to->email, "subscription", data, err);
}

static struct str what(const struct store_subscription *sub)
{
	if (sub->scope == STORE_SCOPE_PRODUCT)
		return sub->product_id;
	return sub->scope == STORE_SCOPE_API ? sub->api_id : STR("all APIs");
}

gh_rc store_tell_approvers(struct store *s, struct arena *a, const struct store_subscription *sub, struct str owner_email,
			   struct str dashboard, struct gh_err *err)
{
	struct message m = { .headline = STR("A subscription to {1} waits for approval"),
			     .text = STR("{2} asks for a subscription to {1}."), .what = what(sub), .owner = owner_email,
			     .action = STR("Approve or reject") };
	struct store_page page = { .search = STR_NULL, .limit = USERS_READ };
	struct store_user *users;
	size_t n, told = 0;

	if (dashboard.n)
		m.link = arena_printf(a, "%.*ssubscriptions?state=submitted", STR_ARG(dashboard));
	do {
		TRY(store_users(s, a, &page, &users, &n, err));
		for (size_t i = 0; i < n && told < NOTICE_APPROVERS_MAX; i++) {
			bool may = str_eq(users[i].role, STR("administrator")) || str_eq(users[i].role, STR("publisher"));

			if (!may || users[i].state != STORE_USER_ACTIVE)
				continue;
			TRY(send(s, a, &users[i], &m, err));
			told++;
		}
		page.offset += n;
	} while (n == USERS_READ && told < NOTICE_APPROVERS_MAX);
	return GH_RC_OK;
}

/* What happened, for the owner; NULL: nothing that he needs to be told. */
static const char *headline(int64_t before, int64_t now)
{
	switch (now) {
	case STORE_SUB_ACTIVE:
		return before == STORE_SUB_SUBMITTED ? "Your subscription to {1} is approved" : "Your subscription to {1} works again";
	case STORE_SUB_REJECTED:
		return "Your subscription to {1} was rejected";
	case STORE_SUB_SUSPENDED:
		return "Your subscription to {1} is suspended";
	case STORE_SUB_CANCELLED:
		return "Your subscription to {1} is cancelled";
	case STORE_SUB_EXPIRED:
		return "Your subscription to {1} has expired";
	default:
		return NULL;
	}
}

static const char *consequence(int64_t now)
{
	switch (now) {
	case STORE_SUB_ACTIVE:
		return "Its keys open what it stands for from now on.";
	case STORE_SUB_REJECTED:
		return "Its keys open nothing. You can ask again.";
	case STORE_SUB_SUSPENDED:
		return "Calls with its keys are refused until it is restored.";
	default:
		return "Calls with its keys are refused.";
	}
}

gh_rc store_subscription_change(struct store *s, struct arena *a, struct str id, enum store_subscription_state state,
				struct str note, struct str portal, struct gh_err *err)
{
	struct store_subscription sub;
	struct store_user owner;
	struct message m;
	const char *happened;
	bool found;

	TRY(store_subscription_find(s, a, id, &sub, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no subscription '%.*s'", STR_ARG(str_first(id, 200)));
	TRY(store_subscription_set_state(s, id, state, note, err));
	happened = sub.state == (int64_t)state ? NULL : headline(sub.state, state);
	if (!happened || !sub.user_id.n)
		return GH_RC_OK;
	TRY(store_user_find(s, a, sub.user_id, &owner, &found, err));
	if (!found || owner.state != STORE_USER_ACTIVE)
		return GH_RC_OK;
	m = (struct message){ .headline = str_of(happened), .what = what(&sub), .owner = owner.email,
			      .text = str_of(consequence(state)), .note = note, .action = STR("Look at it") };
	if (portal.n)
		m.link = arena_printf(a, "%.*saccount/subscriptions/%.*s", STR_ARG(portal), STR_ARG(id));
	return send(s, a, &owner, &m, err);
}
