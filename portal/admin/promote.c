/* promote.c - the page that takes an API into another environment: what goes along is chosen, what would change is shown, then it is
 * done. Only what was shown is done: the second form carries a digest of the differences, which is compared inside the transaction. */
#include "portal/admin/admin.h"

#include "config/files/promote.h"
#include "core/crypto.h"
#include "core/str.h"
#include "db/environments.h"
#include "portal/admin/plan_view.h"
#include "portal/admin/rest.h"

/* What may go along, in the order of promotion_parts, and the right that it takes. */
static const struct {
	const char *label, *about;
	enum web_right right;
	bool of_all;                     /* belongs to no environment: takes the right everywhere */
} parts[] = {
	{ "Policies", "of the API and its operations, with access and network rules", WEB_CHANGE_POLICIES, false },
	{ "Tiers", "the products that it is in, as products of their own", WEB_CHANGE_PRODUCTS, false },
	{ "Alerts", "rules about the API", WEB_CHANGE_SETTINGS, true },
	{ "Contracts", "active subscriptions of those products, with keys of their own; needs tiers", WEB_MANAGE_SUBSCRIPTIONS, false },
};

struct asked {
	struct web *w;
	struct store_api api;
	struct promotion p;
	struct plan plan;
	struct files_set *set;
	bool planned, moved;             /* the plan is there to be shown; it is another one than was shown */
};

static bool may_take(struct web *w, size_t part)
{
	return parts[part].of_all ? web_may_everywhere(w, parts[part].right) : web_may(w, parts[part].right);
}

static bool ticked(struct web *w, const char *part)
{
	for (size_t i = 0; i < w->rq.form.n; i++)
		if (str_eq(w->rq.form.v[i].name, STR("with")) && str_eq(w->rq.form.v[i].value, str_of(part)))
			return true;
	return false;
}

/* ---- the page ------------------------------------------------------------------------------------------------------------------- */

static GH_RC put_choices(struct asked *x, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(x->w->page, "targets");
	struct store_environment *e;
	struct web *w = x->w;
	size_t n;

	TRY(store_environments(w->site->store, w->a, &e, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r;

		if (str_eq(e[i].id, x->api.environment_id) || !web_may_in(w, WEB_CHANGE_APIS, e[i].id))
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "id", e[i].id);
		liquid_set_text(r, "name", e[i].name.n ? e[i].name : e[i].id);
	}
	list = liquid_set_list(w->page, "parts");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct liquid_record *r;

		if (!may_take(w, i))
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "value", str_of(promotion_parts[i]));
		liquid_set_text(r, "label", str_of(parts[i].label));
		liquid_set_text(r, "about", str_of(parts[i].about));
		liquid_set_bool(r, "on", ticked(w, promotion_parts[i]));
	}
	return GH_RC_OK;
}

/* What the differences are, without what calls add to them meanwhile. */
static GH_RC digest(struct asked *x, struct str *out, struct gh_err *err)
{
	uint8_t sum[CRYPTO_SHA256_BYTES];
	struct buf b;

	buf_init(&b, FILES_BYTES_MAX);
	for (size_t i = 0; i < x->plan.n; i++) {
		const struct plan_change *c = &x->plan.changes[i];

		buf_fmt(&b, "\n%s %s %.*s ", plan_action_names[c->action], c->kind->name, STR_ARG(c->id));
		jsn_write(&b, c->fields, 0);
		if (c->doc)
			jsn_write(&b, c->doc->doc, 0);
	}
	if (!buf_ok(&b)) {
		buf_release(&b);
		FAIL(err, NOMEM, "promotion");
	}
	crypto_sha256(buf_view(&b), sum);
	buf_release(&b);
	*out = crypto_hex(x->w->a, (struct str){ (const char *)sum, sizeof(sum) });
	return GH_RC_OK;
}

static GH_RC put_plan(struct asked *x, struct gh_err *err)
{
	struct liquid_record *r = liquid_set_record(x->w->page, "plan");
	struct str sum;

	admin_put_changes(x->w, r, &x->plan);
	TRY(digest(x, &sum, err));
	liquid_set_text(r, "digest", sum);
	liquid_set_text(r, "instance", x->p.instance);
	liquid_set_text(r, "to", x->p.to);
	liquid_set_bool(r, "any", x->plan.n > 0);
	return GH_RC_OK;
}

static GH_RC page(struct asked *x, int status, struct gh_err *err)
{
	struct web *w = x->w;

	web_form(w);
	web_form_value(w, "to", web_param(&w->rq.form, "to").p ? web_param(&w->rq.form, "to") : web_param(&w->rq.query, "to"));
	web_form_value(w, "backend", web_param(&w->rq.form, "backend"));
	TRY(put_choices(x, err));
	liquid_set(w->page, "plan", LIQUID_NIL_VALUE);
	if (x->planned)
		TRY(put_plan(x, err));
	admin_put_api_head(w, &x->api);
	liquid_set_bool(w->page, "see_policies", web_may_in(w, WEB_VIEW_POLICIES, x->api.environment_id));
	liquid_set_text(w->page, "title", arena_printf(w->a, "Promote %.*s", STR_ARG(x->api.name.n ? x->api.name : x->api.id)));
	w->rs.status = status;
	return web_page(w, "promote", err);
}

static GH_RC begin(struct web *w, struct asked *x, struct gh_err *err)
{
	bool found;

	*x = (struct asked){ .w = w, .set = arena_new_of(w->a, struct files_set) };
	if (!x->set)
		FAIL(err, NOMEM, "promotion");
	TRY(store_api_find(w->site->store, w->a, w->rq.args[0], 0, &x->api, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such API");
	return GH_RC_OK;
}

gh_rc admin_promote(struct web *w, struct gh_err *err)
{
	struct asked x;

	TRY(begin(w, &x, err));
	return page(&x, 200, err);
}

/* ---- what was chosen ---------------------------------------------------------------------------------------------------------------- */

/* *fine false: the form says what is wrong. */
static GH_RC read_form(struct asked *x, bool *fine, struct gh_err *err)
{
	bool *const wishes[] = { &x->p.policies, &x->p.tiers, &x->p.alerts, &x->p.contracts };
	struct web *w = x->w;

	*fine = true;
	x->p = (struct promotion){ .api = x->api.id, .to = str_trim(web_param(&w->rq.form, "to")), .backend = str_trim(web_param(&w->rq.form, "backend")) };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		*wishes[i] = ticked(w, promotion_parts[i]);
		if (*wishes[i] && !may_take(w, i))
			FAIL(err, DENIED, "no right to take %s along", promotion_parts[i]);
	}
	if (!x->p.to.n) {
		web_form_error(w, "to", STR("Choose where the API goes."));
		*fine = false;
	} else if (!web_may_in(w, WEB_CHANGE_APIS, x->p.to)) {
		FAIL(err, DENIED, "no right to change APIs in '%.*s'", STR_ARG(x->p.to));
	}
	if (x->p.contracts && !x->p.tiers) {
		web_form_error(w, "with", STR("Contracts are to products: tick tiers too."));
		*fine = false;
	}
	return GH_RC_OK;
}

/* A role that counts everywhere is not asked again for each resource (resource_allowed): here is where its rights count. */
static GH_RC check_rights(struct asked *x, struct gh_err *err)
{
	for (size_t i = 0; i < x->set->n; i++)
		if (!web_may(x->w, admin_right_of(x->set->docs[i].kind, true)))
			FAIL(err, DENIED, "no right to change %s", x->set->docs[i].kind->plural);
	return GH_RC_OK;
}

static gh_rc same_as_shown(void *ctx, struct gh_err *err)
{
	struct asked *x = ctx;
	struct str sum;

	TRY(digest(x, &sum, err));
	x->moved = !str_eq(sum, web_param(&x->w->rq.form, "shown"));
	if (x->moved)
		FAIL(err, CONFLICT, "not what was shown");
	return GH_RC_OK;
}

static GH_RC run(struct asked *x, bool dry_run, struct gh_err *err)
{
	struct plan_options o = { .actor = web_actor(x->w), .dry_run = dry_run, .impact = dry_run, .theme = &x->w->site->theme };
	struct store *s = x->w->site->store;

	if (!dry_run) {
		o.look = same_as_shown;
		o.look_ctx = x;
	}
	TRY(promotion_set(s, x->w->a, &x->p, x->set, err));
	TRY(check_rights(x, err));
	return plan_run(s, x->w->a, x->set, &o, &x->plan, err);
}

/* Beside the field that can mend it, else above the form. */
static GH_RC refuse(struct asked *x, gh_rc rc, const struct gh_err *why, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(x->w->page, "problems");

	if (rc.code != GH_E_INVALID && rc.code != GH_E_CONFLICT && rc.code != GH_E_LIMIT && rc.code != GH_E_NOT_FOUND) {
		*err = *why;
		return rc;
	}
	web_form(x->w);
	for (size_t i = 0; i < x->set->n_problems; i++)
		liquid_set_text(liquid_push_record(list), "text", x->set->problems[i].doc
				? arena_printf(x->w->a, "%s %.*s: %.*s", x->set->problems[i].doc->kind->name, STR_ARG(x->set->problems[i].doc->id),
					       STR_ARG(x->set->problems[i].message)) : x->set->problems[i].message);
	if (x->p.lacks_address)
		web_form_error(x->w, "backend", arena_printf(x->w->a, "No variable says where the backend is in %.*s. Give both environments a variable "
			       "for it, or enter the address here.", STR_ARG(x->p.to)));
	else
		liquid_set_text(x->w->form, "error", x->set->n_problems ? STR("Nothing can be promoted as it is:") : arena_dup(x->w->a, str_of(why->message)));
	return page(x, 422, err);
}

gh_rc admin_promote_act(struct web *w, struct gh_err *err)
{
	bool act = str_eq(web_param(&w->rq.form, "action"), STR("promote")), fine;
	struct gh_err why = { .code = GH_OK };
	struct asked x;
	gh_rc rc;

	TRY(begin(w, &x, err));
	web_form(w);
	TRY(read_form(&x, &fine, err));
	if (!fine)
		return page(&x, 422, err);
	rc = run(&x, !act, &why);
	if (x.moved) {
		liquid_set_text(w->form, "error", STR("Something has changed since this was shown, and nothing was done. Look at it once more."));
		rc = run(&x, true, &why);
	}
	if (rc.code)
		return refuse(&x, rc, &why, err);
	if (!act || x.moved) {
		x.planned = true;
		return page(&x, x.moved ? 409 : 200, err);
	}
	TRY(web_flash(w, "good", arena_printf(w->a, "%.*s is promoted to %.*s: %zu made, %zu changed, %zu removed.", STR_ARG(x.p.instance), STR_ARG(x.p.to),
		      plan_count(&x.plan, PLAN_CREATE), plan_count(&x.plan, PLAN_CHANGE), plan_count(&x.plan, PLAN_DELETE)), err));
	return web_redirect(w, arena_printf(w->a, "apis/%.*s", STR_ARG(x.p.instance)), err);
}
