#include "portal/portal/portal.h"

#include "core/str.h"
#include "core/uri.h"
#include "db/lifecycle.h"
#include "db/notices.h"
#include "db/teams.h"
#include "portal/web/markdown.h"

/* Products: what one subscribes to. The list, a product's page with its limits in words, and asking for a subscription. API
 * groups are products of a kind of their own (db/products.h) with lists and addresses of their own and the same pages. */

enum { SUBSCRIPTIONS_MAX = 100,          /* of one person with his applications, over all products */
       PAGE_PRODUCTS = 30, PAGE_APIS = 60 };

const struct store_product *portal_sight_product(const struct portal_sight *s, struct str id)
{
	for (size_t i = 0; i < s->n_products; i++)
		if (str_eq(s->products[i].id, id))
			return &s->products[i];
	return NULL;
}

struct str portal_product_place(int64_t kind)
{
	return kind == STORE_KIND_API_GROUP ? STR("groups") : STR("products");
}

size_t portal_sight_of_kind(struct portal_sight *s, enum store_product_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_products; i++)
		if (s->products[i].kind == (int64_t)kind)
			s->products[n++] = s->products[i];
	return s->n_products = n;
}

/* The one that the address names. *moved: it stands at the other of products/ and groups/, and that was answered. */
static GH_RC find_asked(struct web *w, struct portal_sight *sight, const struct store_product **out, bool *moved, struct gh_err *err)
{
	bool group = str_starts(w->rq.path, STR("/groups/"));

	*moved = false;
	TRY(portal_sight_load(w, sight, err));
	*out = portal_sight_product(sight, w->rq.args[0]);
	if (!*out)
		FAIL(err, NOT_FOUND, "no such %s", group ? "API group" : "product");
	*moved = ((*out)->kind == STORE_KIND_API_GROUP) != group;
	if (*moved)
		return web_redirect(w, arena_printf(w->a, "%.*s/%.*s", STR_ARG(portal_product_place((*out)->kind)),
						    STR_ARG(uri_encode(w->a, (*out)->id, URI_KEEP_UNRESERVED))), err);
	return GH_RC_OK;
}

/* What the list and the page show of it; the APIs themselves are put by put_apis. */
static GH_RC put_product(struct web *w, const struct portal_sight *s, const struct store_product *p, struct liquid_record *r,
			 struct gh_err *err)
{
	size_t apis = 0;

	for (size_t i = 0; i < s->n_links; i++)
		apis += str_eq(s->links[i].product_id, p->id) && portal_sight_find(s, s->links[i].api_id);
	liquid_set_text(r, "id", p->id);
	liquid_set_text(r, "name", p->name.n ? p->name : p->id);
	liquid_set_text(r, "summary", web_markdown_summary(w->a, p->description));
	liquid_set_bool(r, "needs_key", p->subscription_required);
	liquid_set_bool(r, "by_hand", p->approval == STORE_APPROVAL_MANUAL);
	liquid_set_text(r, "place", portal_product_place(p->kind));
	liquid_set_int(r, "apis_total", (int64_t)apis);
	return portal_put_limits(w, r, p->id, err);
}

/* The APIs of one page of them. */
static GH_RC put_apis(struct web *w, const struct portal_sight *s, const struct store_product *p, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "apis");
	struct str *in = arena_alloc(w->a, s->n_links + 1, sizeof(*in));
	size_t n = 0, from;

	if (!in)
		FAIL(err, NOMEM, "APIs");
	for (size_t i = 0; i < s->n_links; i++)
		if (str_eq(s->links[i].product_id, p->id) && portal_sight_find(s, s->links[i].api_id))
			in[n++] = s->links[i].api_id;
	n = web_slice(w, n, PAGE_APIS, &from);
	for (size_t i = from; i < from + n; i++) {
		struct store_api api;
		bool found;

		TRY(store_api_find(w->site->store, w->a, in[i], 0, &api, &found, err));
		if (found)
			portal_put_api(w, liquid_push_record(list), &api);
	}
	return GH_RC_OK;
}

static GH_RC list_kind(struct web *w, enum store_product_kind kind, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "products");
	struct portal_sight sight;
	size_t n, from;

	TRY(portal_sight_load(w, &sight, err));
	n = web_slice(w, portal_sight_of_kind(&sight, kind), PAGE_PRODUCTS, &from);
	for (size_t i = from; i < from + n; i++)
		TRY(put_product(w, &sight, &sight.products[i], liquid_push_record(list), err));
	liquid_set_bool(w->page, "groups", kind == STORE_KIND_API_GROUP);
	if (kind == STORE_KIND_API_GROUP)
		web_title(w, "API groups");
	else
		web_title(w, "Products");
	return web_page(w, "products", err);
}

gh_rc portal_products(struct web *w, struct gh_err *err)
{
	return list_kind(w, STORE_KIND_PRODUCT, err);
}

gh_rc portal_groups(struct web *w, struct gh_err *err)
{
	return list_kind(w, STORE_KIND_API_GROUP, err);
}

/* Those that stand or wait: a cancelled one does not count against the limit. */
static GH_RC own_subscriptions(struct web *w, struct str product_id, struct store_subscription **out, size_t *n, size_t *all,
			       struct gh_err *err)
{
	size_t kept = 0;

	*n = *all = 0;
	if (!w->signed_in)
		return GH_RC_OK;
	TRY(store_own_subscriptions(w->site->store, w->a, w->user.id, out, all, err));
	for (size_t i = 0; i < *all; i++)
		if ((*out)[i].state <= STORE_SUB_SUSPENDED && str_eq((*out)[i].product_id, product_id))
			(*out)[kept++] = (*out)[i];
	*n = kept;
	return GH_RC_OK;
}

/* Applications that may call with it, and tiers to choose from. */
static GH_RC put_choices(struct web *w, const struct store_product *p, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "applications");
	struct str chosen = web_param(&w->rq.form, "application");
	struct store_application *apps;
	size_t n = 0;

	if (!chosen.n)
		chosen = web_param(&w->rq.query, "application");
	if (w->signed_in)
		TRY(store_applications_of_user(w->site->store, w->a, w->user.id, &apps, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "id", apps[i].id);
		liquid_set_text(r, "name", apps[i].name);
		liquid_set_bool(r, "here", str_eq(apps[i].id, chosen));
	}
	return portal_put_tiers(w, p, web_param(&w->rq.form, "tier"), STR_NULL, err);
}

static GH_RC show(struct web *w, const struct portal_sight *s, const struct store_product *p, int status, struct gh_err *err)
{
	struct liquid_record *r = liquid_set_record(w->page, "product");
	struct liquid_list *list = liquid_set_list(w->page, "own");
	struct liquid_value description, terms;
	struct store_subscription *own;
	size_t n, all;
	bool takes;

	TRY(put_product(w, s, p, r, err));
	TRY(put_apis(w, s, p, err));
	TRY(web_markdown(w->a, p->description, &description, err));
	TRY(web_markdown(w->a, p->terms, &terms, err));
	liquid_set(w->page, "description", description);
	liquid_set(w->page, "terms", p->terms.n ? terms : LIQUID_NIL_VALUE);
	TRY(own_subscriptions(w, p->id, &own, &n, &all, err));
	for (size_t i = 0; i < n; i++)
		portal_put_subscription(w, liquid_push_record(list), &own[i]);
	TRY(put_choices(w, p, err));
	TRY(store_product_takes_subscriptions(w->site->store, p->id, &takes, err));
	liquid_set_bool(w->page, "group", p->kind == STORE_KIND_API_GROUP);
	liquid_set_bool(w->page, "closed", !takes);
	liquid_set_bool(w->page, "full", p->subscriptions_limit && (int64_t)n >= p->subscriptions_limit);
	liquid_set_bool(w->page, "agreed", web_param(&w->rq.form, "agree").n > 0);
	liquid_set_text(w->page, "title", p->name.n ? p->name : p->id);
	w->rs.status = status;
	return web_page(w, "product", err);
}

gh_rc portal_product(struct web *w, struct gh_err *err)
{
	const struct store_product *p;
	struct portal_sight sight;
	bool moved;

	TRY(find_asked(w, &sight, &p, &moved, err));
	if (moved)
		return GH_RC_OK;
	web_form_value(w, "name", STR(""));
	return show(w, &sight, p, 200, err);
}

/* ---- subscribing ------------------------------------------------------------------------------------------------------- */

/* The sentence that says why not; NULL: it may be. */
static GH_RC check(struct web *w, const struct store_product *p, struct str application_id, const char **problem, struct gh_err *err)
{
	struct store_subscription *own;
	size_t n, all;
	bool takes;

	*problem = NULL;
	TRY(store_product_takes_subscriptions(w->site->store, p->id, &takes, err));
	if (!takes)
		*problem = "All APIs of this product are deprecated: it takes no new subscription.";
	if (!p->subscription_required)
		*problem = "This product needs no subscription: call its APIs as they are.";
	TRY(own_subscriptions(w, p->id, &own, &n, &all, err));
	if (p->subscriptions_limit && (int64_t)n >= p->subscriptions_limit)
		*problem = "You have as many subscriptions to this product as one person may have.";
	for (size_t i = 0; i < n && p->kind == STORE_KIND_API_GROUP; i++)
		if (str_eq(own[i].application_id, application_id) && own[i].application_id.n)
			*problem = "This application has a contract with the group already: its keys and client ids open all of its APIs.";
		else if (str_eq(own[i].application_id, application_id))
			*problem = "You have a contract with the group already: its keys open all of its APIs.";
	if (all >= SUBSCRIPTIONS_MAX)
		*problem = "You have as many subscriptions as one person may have. Ask the people behind this portal to remove old ones.";
	return GH_RC_OK;
}

/* In one transaction with the check, so that two requests at once cannot pass a limit together. *problem: refused. */
static GH_RC create(struct web *w, const struct store_product *p, struct str message, struct store_subscription *sub,
		    struct store_keys *keys, const char **problem, struct gh_err *err)
{
	struct store_ask ask = { .request = { .user_id = w->user.id, .message = message }, .asker_email = w->user.email };
	struct store *s = w->site->store;

	TRY(check(w, p, sub->application_id, problem, err));
	if (*problem)
		return GH_RC_OK;
	TRY(store_subscription_create(s, w->a, sub, NULL, &sub->id, keys, err));
	if (!portal_shows_keys(w))
		TRY(store_keys_forget(s, sub->id, err));
	if (sub->state != STORE_SUB_SUBMITTED)
		return GH_RC_OK;
	ask.request.subscription_id = sub->id;
	return portal_ask(w, &ask, err);
}

gh_rc portal_subscription_make(struct web *w, const struct store_product *p, const struct portal_wish *wish,
			       struct store_subscription *sub, struct store_keys *keys, const char **problem, struct gh_err *err)
{
	bool by_hand = p->approval == STORE_APPROVAL_MANUAL || (wish->tier.id.n && wish->tier.approval == STORE_APPROVAL_MANUAL);
	struct str otherwise = wish->application.id.n ? wish->application.name : p->name.n ? p->name : p->id;
	struct store *s = w->site->store;

	*sub = (struct store_subscription){ .name = wish->name.n ? wish->name : otherwise, .scope = STORE_SCOPE_PRODUCT, .product_id = p->id,
					    .tier_id = wish->tier.id };
	if (wish->application.id.n)
		sub->application_id = wish->application.id;      /* its owners' together, so of no user */
	else
		sub->user_id = w->user.id;
	sub->state = by_hand ? STORE_SUB_SUBMITTED : STORE_SUB_ACTIVE;
	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, create(w, p, wish->message, sub, keys, problem, err), err);
}

/* Puts what is wrong beside its field; *ok false: something is. */
static GH_RC read_form(struct web *w, const struct store_product *p, struct portal_wish *out, bool *ok, struct gh_err *err)
{
	struct str name = str_trim(web_param(&w->rq.form, "name")), message = web_param(&w->rq.form, "message");
	struct str application = web_param(&w->rq.form, "application");
	bool offered;

	*out = (struct portal_wish){ .name = name, .message = str_trim(message) };
	web_form_value(w, "name", name);
	web_form_value(w, "message", message);
	if (application.n)
		TRY(portal_own_application(w, application, &out->application, err));
	TRY(portal_tier_chosen(w, p, web_param(&w->rq.form, "tier"), &out->tier, &offered, err));
	if (offered && !out->tier.id.n)
		web_form_error(w, "tier", STR("Choose a tier."));
	if (name.n > PORTAL_NAME_MAX)
		web_form_error(w, "name", STR("This is too long."));
	if (message.n > STORE_REQUEST_MESSAGE_MAX)
		web_form_error(w, "message", STR("This is too long."));
	if (p->terms.n && !web_param(&w->rq.form, "agree").n)
		web_form_error(w, "agree", STR("Agree to the terms of this product first."));
	*ok = (!offered || out->tier.id.n) && name.n <= PORTAL_NAME_MAX && message.n <= STORE_REQUEST_MESSAGE_MAX
	      && (!p->terms.n || web_param(&w->rq.form, "agree").n);
	return GH_RC_OK;
}

gh_rc portal_subscribe(struct web *w, struct gh_err *err)
{
	struct portal_wish wish;
	const struct store_product *p;
	struct store_subscription sub;
	struct portal_sight sight;
	struct store_keys keys;
	const char *problem;
	bool ok, moved;

	TRY(find_asked(w, &sight, &p, &moved, err));
	if (moved)
		return GH_RC_OK;
	TRY(read_form(w, p, &wish, &ok, err));
	if (!ok)
		return show(w, &sight, p, 422, err);
	TRY(portal_subscription_make(w, p, &wish, &sub, &keys, &problem, err));
	if (problem) {
		web_form_problem(w, problem);
		return show(w, &sight, p, 422, err);
	}
	TRY(portal_keep_keys(w, sub.id, &keys, err));
	TRY(web_flash(w, "good", sub.state == STORE_SUB_ACTIVE ? STR("You are subscribed. These are your keys.")
							       : STR("Your request is on its way. You get a mail when it is decided."), err));
	return web_redirect(w, arena_printf(w->a, "account/subscriptions/%.*s", STR_ARG(sub.id)), err);
}
