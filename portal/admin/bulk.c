/* bulk.c - one deed for many: what was ticked in a list of subscriptions, applications or users. All of it is one transaction, and
 * each of them has its own entry in the audit trail. Those that the deed does not fit (a suspended one cannot be suspended) are
 * passed over and named; what is refused for another reason leaves everything as it was. */
#include "portal/admin/person.h"

#include "config/resource.h"
#include "core/str.h"
#include "db/sessions.h"
#include "db/users.h"

enum { NOTE_MAX = 500 };

static const struct deed {
	const char *plural, *name, *label, *past;
} deeds[] = {
	{ "subscriptions", "approve", "Approve", "approved" },   { "subscriptions", "reject", "Reject", "rejected" },
	{ "subscriptions", "suspend", "Suspend", "suspended" },  { "subscriptions", "restore", "Restore", "restored" },
	{ "applications", "suspend", "Suspend", "suspended" },   { "applications", "restore", "Restore", "restored" },
	{ "users", "approve", "Approve", "approved" },           { "users", "reject", "Reject", "rejected" },
	{ "users", "suspend", "Suspend", "suspended" },          { "users", "restore", "Restore", "restored" },
};

void admin_put_bulk(struct web *w, const char *plural)
{
	struct liquid_list *list = liquid_set_list(w->page, "bulk");
	bool people = strcmp(plural, "users") == 0;

	if (!web_may_everywhere(w, people ? WEB_MANAGE_PEOPLE : WEB_MANAGE_SUBSCRIPTIONS))
		return;
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
		if (strcmp(deeds[i].plural, plural) == 0) {
			struct liquid_record *r = liquid_push_record(list);

			liquid_set_text(r, "value", str_of(deeds[i].name));
			liquid_set_text(r, "label", str_of(deeds[i].label));
		}
}

GH_RC admin_user_apply(struct web *w, struct resource_change *c, struct str id, struct str deed, struct str *name, struct str *why,
		       struct gh_err *err)
{
	bool waits = str_eq(deed, STR("approve")) || str_eq(deed, STR("reject"));
	bool blocks = str_eq(deed, STR("suspend")) || str_eq(deed, STR("reject"));
	int64_t from = waits ? STORE_USER_PENDING : blocks ? STORE_USER_ACTIVE : STORE_USER_BLOCKED;
	const struct resource_kind *k = resource_kind_find(STR("user"));
	struct store_user u;
	json_t *patch, *doc;
	bool found;

	*why = STR_NULL;
	TRY(store_user_find(w->site->store, w->a, id, &u, &found, err));
	*name = found ? u.email : id;
	if (!found)
		*why = STR("There is no such account any more.");
	else if (str_eq(id, w->user.id))
		*why = STR("This is your own account.");
	else if (u.state != from)
		*why = u.state == STORE_USER_PENDING ? STR("The account waits for approval.") : u.state == STORE_USER_ACTIVE ? STR("The account is active.")
														 : STR("The account is suspended.");
	if (why->p)
		return GH_RC_OK;
	patch = jsn_keep(w->a, json_pack("{s:s}", "state", blocks ? "blocked" : "active"));
	TRY(resource_merge(w->site->store, w->a, k, id, patch, &doc, err));
	TRY(resource_write(c, k, id, doc, RESOURCE_REPLACE, NULL, err));
	return blocks ? store_sessions_delete_of_user(w->site->store, id, err) : GH_RC_OK;
}

static struct str or_id(struct str name, struct str id)
{
	return name.n ? name : id;
}

static GH_RC subscription(struct web *w, struct resource_change *c, struct str id, const struct deed *d, struct str note, struct str *name, struct str *why,
			  struct gh_err *err)
{
	struct store_subscription sub = { .id = STR_NULL };
	bool late = false;
	gh_rc rc = admin_subscription_apply(w, c, id, str_of(d->name), note, &sub, &late, err);

	*why = STR_NULL;
	*name = sub.id.n ? or_id(sub.name, sub.id) : id;
	if (rc.code == GH_E_NOT_FOUND && !sub.id.n) {
		*why = STR("There is no such subscription any more.");
		return GH_RC_OK;
	}
	if (!rc.code && late)
		*why = arena_printf(w->a, "It is %s.", store_subscription_state_names[sub.state]);
	return rc;
}

/* An application is suspended by its subscriptions: none of its keys opens anything. */
static GH_RC application(struct web *w, struct resource_change *c, struct str id, const struct deed *d, struct str note, struct str *name, struct str *why,
			 struct gh_err *err)
{
	bool suspend = strcmp(d->name, "suspend") == 0, found, late;
	const struct store_subscription_filter f = { .application_id = id, .state = suspend ? STORE_SUB_ACTIVE : STORE_SUB_SUSPENDED };
	const struct store_page all = { .limit = BULK_MAX };
	struct store_application app;
	struct store_subscription *v, sub;
	size_t n;

	*why = STR_NULL;
	TRY(store_application_find(w->site->store, w->a, id, &app, &found, err));
	*name = found ? or_id(app.name, app.id) : id;
	TRY(store_subscriptions(w->site->store, w->a, &f, &all, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(admin_subscription_apply(w, c, v[i].id, str_of(d->name), note, &sub, &late, err));
	if (!found || !n)
		*why = !found ? STR("There is no such application any more.") : suspend ? STR("It has no active subscription.") : STR("It has no suspended subscription.");
	return GH_RC_OK;
}

static const struct deed *deed_find(struct str plural, struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
		if (str_eq(plural, str_of(deeds[i].plural)) && str_eq(name, str_of(deeds[i].name)))
			return &deeds[i];
	return NULL;
}

bool bulk_deed_known(struct str plural, struct str deed)
{
	return deed_find(plural, deed) != NULL;
}

gh_rc bulk_do(struct web *w, struct resource_change *c, struct str plural, struct str deed, struct str note, struct bulk_item *v, size_t n, size_t *at,
	      struct gh_err *err)
{
	const struct deed *d = deed_find(plural, deed);

	if (!d)
		FAIL(err, NOT_FOUND, "no such action");
	note = str_first(str_trim(note), NOTE_MAX);
	for (*at = 0; *at < n; (*at)++) {
		struct bulk_item *p = &v[*at];

		if (strcmp(d->plural, "users") == 0)
			TRY(admin_user_apply(w, c, p->id, str_of(d->name), &p->name, &p->why, err));
		else if (strcmp(d->plural, "applications") == 0)
			TRY(application(w, c, p->id, d, note, &p->name, &p->why, err));
		else
			TRY(subscription(w, c, p->id, d, note, &p->name, &p->why, err));
	}
	return GH_RC_OK;
}

static const struct deed *deed_of(struct web *w)
{
	struct str path = str_from(w->rq.path, 1);

	return deed_find(str_first(path, str_find_char(path, '/')), web_param(&w->rq.form, "action"));
}

static GH_RC show(struct web *w, const struct deed *d, const struct bulk_item *v, size_t n, size_t failed_at, const struct str *failure, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "rows");
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);
		bool good = !failure && !v[i].why.p;

		done += good;
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name.n ? v[i].name : v[i].id);
		liquid_set_text(r, "level", failure && i == failed_at ? STR("bad") : good ? STR("good") : STR("same"));
		liquid_set_text(r, "text", good ? arena_printf(w->a, "Is %s.", d->past) : failure && i == failed_at ? *failure
				      : v[i].why.p ? v[i].why : STR("Stays as it is."));
	}
	liquid_set_text(w->page, "plural", str_of(d->plural));
	liquid_set_text(w->page, "deed", str_of(d->label));
	liquid_set_bool(w->page, "failed", failure != NULL);
	liquid_set_bool(w->page, "none_done", !done);
	liquid_set_text(w->page, "summary", failure ? STR("Nothing was changed, because one of them was refused.")
						     : arena_printf(w->a, "%zu of %zu %s.", done, n, d->past));
	liquid_set_text(w->page, "title", arena_printf(w->a, "%s %s", d->label, d->plural));
	w->rs.status = failure ? 422 : 200;
	return web_page(w, "bulk", err);
}

gh_rc admin_bulk(struct web *w, struct gh_err *err)
{
	const struct deed *d = deed_of(w);
	struct bulk_item *v = arena_alloc(w->a, BULK_MAX, sizeof(*v));
	struct resource_change *c;
	struct gh_err why;
	struct str failure;
	size_t n = 0, at = 0;
	gh_rc rc;

	if (!v)
		FAIL(err, NOMEM, "list");
	if (!d)
		FAIL(err, NOT_FOUND, "no such action");
	for (size_t i = 0; i < w->rq.form.n && n < BULK_MAX; i++)
		if (str_eq(w->rq.form.v[i].name, STR("pick")) && w->rq.form.v[i].value.n)
			v[n++].id = w->rq.form.v[i].value;
	if (!n) {
		TRY(web_flash(w, "bad", STR("Tick at least one of them first."), err));
		return web_redirect(w, str_of(d->plural), err);
	}
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	rc = bulk_do(w, c, str_of(d->plural), str_of(d->name), web_param(&w->rq.form, "note"), v, n, &at, &why);
	rc = resource_end(c, rc, false, &why);
	if (rc.code && rc.code != GH_E_INVALID && rc.code != GH_E_CONFLICT && rc.code != GH_E_NOT_FOUND && rc.code != GH_E_DENIED) {
		*err = why;
		return rc;
	}
	failure = rc.code ? arena_dup(w->a, str_of(why.message)) : STR_NULL;
	return show(w, d, v, n, at, rc.code ? &failure : NULL, err);
}
