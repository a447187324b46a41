#include "portal/portal/portal.h"

#include "config/rights.h"
#include "core/str.h"
#include "db/audit.h"
#include "db/notices.h"

/* Tiers: what a product offers, the one that was chosen, and asking for another one. */

enum { WISHES_PER_HOUR = 10 };           /* of one person; each is a mail to everybody who decides */

static bool offered(const struct store_tier *t, struct str present)
{
	return !t->deprecated || str_eq(t->id, present);
}

gh_rc portal_put_tier_limits(struct web *w, struct liquid_record *r, struct str tier_id, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(r, "limits");
	struct store_limit *v;
	size_t n = 0;

	if (tier_id.n)
		TRY(store_tier_limits(w->site->store, w->a, tier_id, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		liquid_push(list, liquid_of_text(portal_stored_limit_words(w, &v[i])));
	return GH_RC_OK;
}

gh_rc portal_put_tiers(struct web *w, const struct store_product *p, struct str chosen, struct str present, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "tiers");
	bool may_wait = p->approval == STORE_APPROVAL_MANUAL;
	struct store_tier *v;
	size_t n;

	TRY(store_tiers(w->site->store, w->a, p->id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		bool by_hand = v[i].approval == STORE_APPROVAL_MANUAL || (!present.n && p->approval == STORE_APPROVAL_MANUAL);
		struct liquid_record *r;

		if (!offered(&v[i], present))
			continue;
		may_wait = may_wait || by_hand;
		r = liquid_push_record(list);
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name.n ? v[i].name : v[i].id);
		liquid_set_text(r, "description", v[i].description.n ? v[i].description : STR(""));
		liquid_set_bool(r, "by_hand", by_hand);
		liquid_set_bool(r, "here", str_eq(v[i].id, chosen));
		liquid_set_bool(r, "present", str_eq(v[i].id, present));
		TRY(portal_put_tier_limits(w, r, v[i].id, err));
	}
	liquid_set_bool(w->page, "may_wait", may_wait);
	return GH_RC_OK;
}

gh_rc portal_tier_chosen(struct web *w, const struct store_product *p, struct str id, struct store_tier *out, bool *any,
			 struct gh_err *err)
{
	struct store_tier *v;
	size_t n;

	*out = (struct store_tier){ .id = STR_NULL };
	*any = false;
	TRY(store_tiers(w->site->store, w->a, p->id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (v[i].deprecated)
			continue;
		*any = true;
		if (str_eq(v[i].id, id))
			*out = v[i];
	}
	return GH_RC_OK;
}

/* ---- another one --------------------------------------------------------------------------------------------------------- */

static GH_RC back(struct web *w, struct str id, const char *kind, const char *text, struct gh_err *err)
{
	TRY(web_flash(w, kind, str_of(text), err));
	return web_redirect(w, arena_printf(w->a, "account/subscriptions/%.*s", STR_ARG(id)), err);
}

gh_rc portal_ask(struct web *w, const struct store_ask *ask, struct gh_err *err)
{
	struct store_ask whole = *ask;
	struct store_user *approvers;
	struct store_site site;

	TRY(rights_approvers(w->site->store, w->a, ask->request.subscription_id, &approvers, &whole.n_approvers, err));
	web_store_site(w, &site);
	whole.approvers = approvers;
	whole.site = &site;
	return store_ask(w->site->store, w->a, &whole, err);
}

/* What is sent twice is asked once, and nobody fills the mailboxes of those who decide: *held says why nothing was done. */
static GH_RC wish(struct web *w, const struct store_subscription *s, const struct store_tier *t, struct str message, const char **held,
		 struct gh_err *err)
{
	const struct store_ask ask = { .request = { .subscription_id = s->id, .tier_id = t->id, .user_id = w->user.id, .message = message },
				       .asker_email = w->user.email };
	struct store_request open;
	struct store_site site;
	bool found;

	web_store_site(w, &site);
	if (t->approval != STORE_APPROVAL_MANUAL)
		return store_subscription_change_tier(w->site->store, w->a, s->id, t->id, STR(""), &site, err);
	TRY(store_request_find(w->site->store, w->a, s->id, &open, &found, err));
	if (found && str_eq(open.tier_id, t->id) && str_eq(open.message, message))
		return GH_RC_OK;
	if (web_allowance(w, "wish", w->user.id, WISHES_PER_HOUR))
		return portal_ask(w, &ask, err);
	*held = "Wait a little before you try again.";
	return GH_RC_OK;
}

GH_RC portal_tier_change(struct web *w, const struct store_subscription *s, struct str id, struct str message, const char **problem, bool *waits,
			 struct gh_err *err)
{
	struct store *st = w->site->store;
	struct store_product p;
	struct store_tier tier;
	bool found = false, any;

	*problem = NULL;
	*waits = false;
	if (s->scope == STORE_SCOPE_PRODUCT)
		TRY(store_product_find(st, w->a, s->product_id, &p, &found, err));
	if (!found || s->state != STORE_SUB_ACTIVE) {
		*problem = "Only the tier of a subscription that works can be changed.";
		return GH_RC_OK;
	}
	TRY(portal_tier_chosen(w, &p, id, &tier, &any, err));
	if (!tier.id.n) {
		*problem = "Choose one of the tiers of this product.";
		return GH_RC_OK;
	}
	*waits = tier.approval == STORE_APPROVAL_MANUAL;
	if (str_eq(tier.id, s->tier_id)) {
		*waits = false;
		return GH_RC_OK;
	}
	TRY(store_tx_begin(st, web_actor(w), err));
	return store_tx_end(st, wish(w, s, &tier, message, problem, err), err);
}

gh_rc portal_subscription_tier(struct web *w, struct gh_err *err)
{
	struct str id = web_param(&w->rq.form, "tier"), message = str_trim(web_param(&w->rq.form, "message"));
	struct store_subscription s;
	const char *problem;
	bool waits;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	TRY(portal_tier_change(w, &s, id, message, &problem, &waits, err));
	if (problem)
		return back(w, s.id, "bad", problem, err);
	if (str_eq(id, s.tier_id))
		return back(w, s.id, "good", "This is the tier that the subscription has.", err);
	return back(w, s.id, "good", waits ? "Your request is on its way. You get a mail when it is decided."
					   : "The tier is changed, and its limits hold from now on.", err);
}

static GH_RC withdraw(struct web *w, const struct store_subscription *s, struct gh_err *err)
{
	struct store_request r;
	bool found;

	TRY(store_request_find(w->site->store, w->a, s->id, &r, &found, err));
	if (!found || !r.tier_id.n)
		return GH_RC_OK;
	TRY(store_request_drop(w->site->store, s->id, err));
	return store_audit_note(w->site->store, STR("withdraw-request"), STR("subscription"), s->id, STR_NULL, err);
}

GH_RC portal_tier_withdraw(struct web *w, const struct store_subscription *s, struct gh_err *err)
{
	TRY(store_tx_begin(w->site->store, web_actor(w), err));
	return store_tx_end(w->site->store, withdraw(w, s, err), err);
}

gh_rc portal_subscription_tier_withdraw(struct web *w, struct gh_err *err)
{
	struct store_subscription s;

	TRY(portal_own_subscription(w, w->rq.args[0], &s, err));
	TRY(portal_tier_withdraw(w, &s, err));
	return back(w, s.id, "good", "Your request is taken back.", err);
}
