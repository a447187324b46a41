/* person.c - one person on one page: account and ways to sign in, groups, applications, subscriptions with the first characters of
 * their keys, the last calls and why calls were refused, browsers that are signed in, and what the audit trail knows. Each part is
 * shown to those who may see it on a page of its own. What is changed here goes through the same validation as everything else. */
#include "portal/admin/person.h"

#include "config/guard.h"
#include "config/resource.h"
#include "core/clock.h"
#include "core/str.h"
#include "core/uri.h"
#include "db/accounts.h"
#include "db/audit.h"
#include "db/identity_providers.h"
#include "db/passkeys.h"
#include "db/personal_tokens.h"
#include "db/sessions.h"
#include "db/teams.h"

enum {
	CALLS_SHOWN = 10, REASONS_SHOWN = 8, ENTRIES_SHOWN = 10,
	SUBSCRIPTIONS_ASKED = 20,        /* whose calls are looked at */
	REFUSED_OF_LAST = 1000,          /* calls of each subscription */
	REFUSED_DAYS = 7,
	MOVED_MAX = 1000,
};

static struct str or_id(struct str name, struct str id)
{
	return name.n ? name : id;
}

/* ---- the account ---------------------------------------------------------------------------------------------------------------- */

static void put_fact(struct liquid_list *list, const char *name, struct str value)
{
	struct liquid_record *r = liquid_push_record(list);

	liquid_set_text(r, "name", str_of(name));
	liquid_set_text(r, "value", value);
}

static void put_deed(struct liquid_list *list, const char *name, const char *label)
{
	struct liquid_record *r = liquid_push_record(list);

	liquid_set_text(r, "value", str_of(name));
	liquid_set_text(r, "label", str_of(label));
}

/* It has rights that who looks lacks: nothing is done to it. */
static bool is_above(struct web *w, const struct store_user *u)
{
	return guard_account(w->site->store, u->id, NULL).code == GH_E_DENIED;
}

/* Nobody does these things to his own account. */
static bool may_do(struct web *w, const struct store_user *u)
{
	return web_may_everywhere(w, WEB_MANAGE_PEOPLE) && !str_eq(u->id, w->user.id) && !is_above(w, u);
}

static GH_RC put_sign_in(struct web *w, const struct store_user *u, struct liquid_list *facts, struct liquid_list *deeds, struct gh_err *err)
{
	struct store_identity *ids;
	struct store_passkey *keys;
	struct store_personal_token *tokens;
	struct store_factor factor;
	struct str providers = STR("");
	size_t n_ids, n_keys, n_tokens;
	bool found;

	TRY(store_identities_of_user(w->site->store, w->a, u->id, &ids, &n_ids, err));
	TRY(store_passkeys_of_user(w->site->store, w->a, u->id, &keys, &n_keys, err));
	TRY(store_personal_tokens(w->site->store, w->a, u->id, &tokens, &n_tokens, err));
	TRY(store_factor_find(w->site->store, w->a, u->id, &factor, &found, err));
	for (size_t i = 0; i < n_ids; i++)
		providers = arena_printf(w->a, "%.*s%s%.*s", STR_ARG(providers), i ? ", " : "", STR_ARG(ids[i].provider_id));
	put_fact(facts, "Password", u->password_hash.n ? STR("Set") : STR("None"));
	put_fact(facts, "Passkeys", web_number(w, (int64_t)n_keys));
	put_fact(facts, "Codes of an app", found && factor.confirmed_us ? STR("On") : STR("Off"));
	put_fact(facts, "Identity providers", n_ids ? providers : STR("None"));
	put_fact(facts, "Personal tokens", web_number(w, (int64_t)n_tokens));
	if (found && factor.confirmed_us && may_do(w, u))
		put_deed(deeds, "reset-second-factor", "Reset second factor");
	return GH_RC_OK;
}

static GH_RC put_account(struct web *w, const struct store_user *u, struct gh_err *err)
{
	static const char *const states[] = { "pending", "active", "suspended" };
	bool may = may_do(w, u);
	struct liquid_list *facts = liquid_set_list(w->page, "facts"), *deeds = liquid_set_list(w->page, "deeds");
	static const char *const on_pending[] = { "approve", "Approve", "reject", "Reject", NULL }, *const on_active[] = { "suspend", "Suspend", NULL },
			  *const on_blocked[] = { "restore", "Restore", NULL };
	const char *const *of_state = u->state == STORE_USER_PENDING ? on_pending : u->state == STORE_USER_ACTIVE ? on_active : on_blocked;

	liquid_set_text(w->page, "user_id", u->id);
	liquid_set_text(w->page, "email", u->email);
	liquid_set_text(w->page, "name", str_trim(arena_printf(w->a, "%.*s %.*s", STR_ARG(u->first_name), STR_ARG(u->last_name))));
	liquid_set_text(w->page, "role", u->role);
	liquid_set_text(w->page, "state", str_of(states[u->state < 0 || u->state > 2 ? 2 : u->state]));
	liquid_set_text(w->page, "note", u->note.n ? u->note : STR(""));
	put_fact(facts, "Account since", u->created_us ? web_date(w, u->created_us) : STR("Unknown"));
	put_fact(facts, "Signed in", u->signed_in_us ? web_date(w, u->signed_in_us) : STR("Never"));
	for (size_t i = 0; may && of_state[i]; i += 2)
		put_deed(deeds, of_state[i], of_state[i + 1]);
	return put_sign_in(w, u, facts, deeds, err);
}

static GH_RC put_groups(struct web *w, const struct store_user *u, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "groups");
	struct store_group *all, *own;
	size_t n, n_own;

	TRY(store_groups(w->site->store, w->a, &all, &n, err));
	TRY(store_groups_of_user(w->site->store, w->a, u->id, &own, &n_own, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);
		bool in = false;

		for (size_t k = 0; k < n_own; k++)
			in = in || str_eq(own[k].id, all[i].id);
		liquid_set_text(r, "id", all[i].id);
		liquid_set_text(r, "name", or_id(all[i].name, all[i].id));
		liquid_set_bool(r, "in", in);
	}
	return GH_RC_OK;
}

/* ---- what he has ------------------------------------------------------------------------------------------------------------------- */

static GH_RC put_subscription(struct web *w, struct liquid_record *r, const struct store_subscription *s, struct gh_err *err)
{
	struct store_keys prefixes;

	TRY(store_subscription_prefixes(w->site->store, w->a, s->id, &prefixes, err));
	liquid_set_text(r, "id", s->id);
	liquid_set_text(r, "name", or_id(s->name, s->id));
	liquid_set_text(r, "opens", s->scope == STORE_SCOPE_PRODUCT ? s->product_id : s->scope == STORE_SCOPE_API ? s->api_id : STR("all APIs"));
	liquid_set_text(r, "application", s->application_id.n ? s->application_id : STR(""));
	liquid_set_text(r, "state", str_of(store_subscription_state_names[s->state]));
	liquid_set_text(r, "primary", prefixes.primary.n ? prefixes.primary : STR(""));
	liquid_set_text(r, "secondary", prefixes.secondary.n ? prefixes.secondary : STR(""));
	return GH_RC_OK;
}

static GH_RC put_belongings(struct web *w, const struct store_user *u, struct store_subscription **subs, size_t *n, struct gh_err *err)
{
	struct liquid_list *apps = liquid_set_list(w->page, "applications"), *list = liquid_set_list(w->page, "subscriptions");
	struct store_application *v;
	size_t n_apps;

	TRY(store_applications_of_user(w->site->store, w->a, u->id, &v, &n_apps, err));
	for (size_t i = 0; i < n_apps; i++) {
		struct liquid_record *r = liquid_push_record(apps);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", or_id(v[i].name, v[i].id));
	}
	TRY(store_own_subscriptions(w->site->store, w->a, u->id, subs, n, err));
	for (size_t i = 0; i < *n && i < PERSON_SUBSCRIPTIONS; i++)
		TRY(put_subscription(w, liquid_push_record(list), &(*subs)[i], err));
	liquid_set_text(w->page, "more_subscriptions", *n > PERSON_SUBSCRIPTIONS ? web_number(w, (int64_t)*n - PERSON_SUBSCRIPTIONS) : STR(""));
	return GH_RC_OK;
}

/* ---- what he did -------------------------------------------------------------------------------------------------------------------- */

static int newest_first(const void *a, const void *b)
{
	int64_t x = ((const struct store_call *)a)->call.started_us, y = ((const struct store_call *)b)->call.started_us;

	return (x < y) - (x > y);
}

gh_rc person_calls(struct web *w, const struct store_subscription *subs, size_t n, struct store_call **out, size_t *n_out, struct gh_err *err)
{
	size_t asked = n < SUBSCRIPTIONS_ASKED ? n : SUBSCRIPTIONS_ASKED, have = 0;
	struct store_call *all = arena_alloc(w->a, asked * CALLS_SHOWN + 1, sizeof(*all)), *v;

	if (!all)
		FAIL(err, NOMEM, "calls");
	for (size_t i = 0; i < asked; i++) {
		const struct store_calls_filter f = { .subscription = subs[i].id, .by_time = true, .limit = CALLS_SHOWN };
		size_t k;

		TRY(store_calls(w->site->store, w->a, &f, &v, &k, err));
		memcpy(all + have, v, k * sizeof(*v));
		have += k;
	}
	qsort(all, have, sizeof(*all), newest_first);
	*out = all;
	*n_out = have < CALLS_SHOWN ? have : CALLS_SHOWN;
	return GH_RC_OK;
}

static GH_RC put_calls(struct web *w, const struct store_subscription *subs, size_t n, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "calls");
	struct store_call *v;
	size_t have;

	TRY(person_calls(w, subs, n, &v, &have, err));
	for (size_t i = 0; i < have; i++)
		admin_put_call(w, liquid_push_record(list), &v[i]);
	return GH_RC_OK;
}

static int most_first(const void *a, const void *b)
{
	int64_t x = ((const struct store_reason *)a)->calls, y = ((const struct store_reason *)b)->calls;

	return (x < y) - (x > y);
}

/* One reason of several subscriptions is one line. */
static void add_reason(struct store_reason *all, size_t *n, const struct store_reason *r)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq(all[i].reason, r->reason) && all[i].status == r->status) {
			all[i].calls += r->calls;
			all[i].last_us = r->last_us > all[i].last_us ? r->last_us : all[i].last_us;
			return;
		}
	all[(*n)++] = *r;
}

gh_rc person_refusals(struct web *w, const struct store_subscription *subs, size_t n, struct store_reason **out, size_t *n_out, struct gh_err *err)
{
	int64_t from = clock_wall_us() - INT64_C(86400000000) * REFUSED_DAYS;
	size_t asked = n < SUBSCRIPTIONS_ASKED ? n : SUBSCRIPTIONS_ASKED, have = 0, total = 0;
	struct store_reason *rows[SUBSCRIPTIONS_ASKED], *all;
	size_t counts[SUBSCRIPTIONS_ASKED];

	for (size_t i = 0; i < asked; i++) {
		TRY(store_call_reasons(w->site->store, w->a, subs[i].id, from, REFUSED_OF_LAST, &rows[i], &counts[i], err));
		total += counts[i];
	}
	all = arena_alloc(w->a, total + 1, sizeof(*all));
	if (!all)
		FAIL(err, NOMEM, "refusals");
	for (size_t i = 0; i < asked; i++)
		for (size_t k = 0; k < counts[i]; k++)
			add_reason(all, &have, &rows[i][k]);
	qsort(all, have, sizeof(*all), most_first);
	*out = all;
	*n_out = have < REASONS_SHOWN ? have : REASONS_SHOWN;
	return GH_RC_OK;
}

static GH_RC put_refusals(struct web *w, const struct store_subscription *subs, size_t n, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "refusals");
	int64_t now = clock_wall_us();
	struct store_reason *all;
	size_t have;

	TRY(person_refusals(w, subs, n, &all, &have, err));
	for (size_t i = 0; i < have; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "reason", all[i].reason.n ? all[i].reason : STR("The backend answered so"));
		liquid_set_text(r, "status", all[i].status ? arena_printf(w->a, "%lld", (long long)all[i].status) : STR("none"));
		liquid_set_text(r, "level", all[i].status >= 500 || !all[i].status ? STR("bad") : STR("warn"));
		liquid_set_text(r, "calls", web_number(w, all[i].calls));
		liquid_set_text(r, "last", web_ago(w, all[i].last_us, now));
	}
	return GH_RC_OK;
}

static GH_RC put_sessions(struct web *w, const struct store_user *u, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "sessions");
	int64_t now = clock_wall_us();
	struct store_session *v;
	size_t n;

	TRY(store_sessions_of_user(w->site->store, w->a, u->id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "where", str_eq(v[i].app, STR("gh_admin")) ? STR("Dashboard") : STR("Portal"));
		liquid_set_text(r, "agent", v[i].agent.n ? str_first(v[i].agent, 120) : STR("Unknown browser"));
		liquid_set_text(r, "address", v[i].address.n ? v[i].address : STR("Unknown"));
		liquid_set_text(r, "seen", web_ago(w, v[i].seen_us, now));
	}
	return GH_RC_OK;
}

gh_rc person_trail(struct web *w, const struct store_user *u, struct store_audit_entry **out, size_t *n_out, struct gh_err *err)
{
	const struct store_audit_filter by = { .actor = arena_printf(w->a, "user:%.*s", STR_ARG(u->email)), .limit = ENTRIES_SHOWN },
					to = { .kind = STR("user"), .id = u->id, .limit = ENTRIES_SHOWN };
	struct store_audit_entry *a, *b, *all = arena_alloc(w->a, ENTRIES_SHOWN, sizeof(*all));
	size_t n, k, i = 0, j = 0, shown = 0;

	if (!all)
		FAIL(err, NOMEM, "trail");
	TRY(store_audit_find(w->site->store, w->a, &by, &a, &n, err));
	TRY(store_audit_find(w->site->store, w->a, &to, &b, &k, err));
	for (; shown < ENTRIES_SHOWN && (i < n || j < k); shown++) {
		bool first = j >= k || (i < n && a[i].seq >= b[j].seq);

		all[shown] = first ? a[i] : b[j];
		j += !first || (j < k && b[j].seq == all[shown].seq);    /* what he did to himself is in both */
		i += first;
	}
	*out = all;
	*n_out = shown;
	return GH_RC_OK;
}

static GH_RC put_trail(struct web *w, const struct store_user *u, struct gh_err *err)
{
	struct str self = arena_printf(w->a, "user:%.*s", STR_ARG(u->email));
	struct liquid_list *list = liquid_set_list(w->page, "entries");
	struct store_audit_entry *v;
	size_t n;

	TRY(person_trail(w, u, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "at", web_date(w, v[i].at_us));
		liquid_set_text(r, "by", str_eq(v[i].actor, self) ? STR("") : v[i].actor);
		liquid_set_text(r, "action", v[i].action);
		liquid_set_text(r, "kind", v[i].kind);
		liquid_set_text(r, "object", v[i].id);
	}
	return GH_RC_OK;
}

gh_rc admin_person(struct web *w, struct gh_err *err)
{
	bool keys = web_may_everywhere(w, WEB_VIEW_SUBSCRIPTIONS),
	     calls = web_may_everywhere(w, WEB_VIEW_TRAFFIC) && web_may_everywhere(w, WEB_VIEW_CALLERS),
	     trail = web_may_everywhere(w, WEB_VIEW_AUDIT);
	struct store_subscription *subs = NULL;
	bool found, manages = web_may_everywhere(w, WEB_MANAGE_PEOPLE), above;
	struct store_user u;
	size_t n = 0;

	TRY(store_user_find(w->site->store, w->a, w->rq.args[0], &u, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such account");
	above = is_above(w, &u);
	web_form(w);
	TRY(put_account(w, &u, err));
	TRY(put_groups(w, &u, err));
	TRY(put_sessions(w, &u, err));
	if (keys)
		TRY(put_belongings(w, &u, &subs, &n, err));
	if (calls) {
		TRY(put_calls(w, subs, n, err));
		TRY(put_refusals(w, subs, n, err));
	}
	if (trail)
		TRY(put_trail(w, &u, err));
	liquid_set_bool(w->page, "see_keys", keys);
	liquid_set_bool(w->page, "see_calls", keys && calls);
	liquid_set_bool(w->page, "see_trail", trail);
	liquid_set_bool(w->page, "may_change", manages && !above);
	liquid_set_bool(w->page, "may_move", manages && !above && web_may(w, WEB_MANAGE_SUBSCRIPTIONS));
	liquid_set_bool(w->page, "above", manages && above);
	liquid_set_text(w->page, "title", u.email);
	return web_page(w, "person", err);
}

/* ---- deeds ---------------------------------------------------------------------------------------------------------------------------- */

static GH_RC change_one(struct web *w, struct resource_change *c, const char *kind, struct str id, json_t *patch, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(str_of(kind));
	json_t *doc;

	if (!jsn_keep(w->a, patch))
		FAIL(err, NOMEM, "%s", kind);
	TRY(resource_merge(w->site->store, w->a, k, id, patch, &doc, err));
	if (!doc)
		FAIL(err, NOT_FOUND, "there is no %s '%.*s'", kind, STR_ARG(str_first(id, 200)));
	return resource_write(c, k, id, doc, RESOURCE_REPLACE, NULL, err);
}

/* Keys open what they open, whoever has them: to give them away takes the right to subscriptions, and not that to people alone. */
static GH_RC may_move(struct web *w, const struct store_subscription *v, size_t n, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("subscription"));
	size_t not = 0;
	bool yes;

	for (size_t i = 0; i < n; i++) {
		TRY(resource_allowed(w->site->store, k, v[i].id, true, &yes, err));
		not += !yes;
	}
	if (not)
		FAIL(err, DENIED, "Moving subscriptions takes the right manage-subscriptions where they belong, which you lack for %zu of %zu; ask somebody who "
		     "has it, such as an administrator.", not, n);
	return GH_RC_OK;
}

/* His place in teams and what is his own goes to somebody else, as when he leaves. */
static GH_RC hand_over(struct web *w, struct resource_change *c, const struct store_user *u, struct str email, size_t *moved, struct gh_err *err)
{
	const struct store_subscription_filter own = { .user_id = u->id, .state = -1 };
	const struct store_page all = { .limit = MOVED_MAX };
	struct store_subscription *subs;
	struct store_application *apps;
	struct store_user to, *team;
	size_t n, k;
	bool found;

	TRY(store_user_find_email(w->site->store, w->a, str_trim(email), &to, &found, err));
	if (!found || str_eq(to.id, u->id))
		FAIL(err, INVALID, "Name the address of another account.");
	TRY(store_applications_of_user(w->site->store, w->a, u->id, &apps, &n, err));
	for (size_t i = 0; i < n; i++) {
		json_t *owners = json_array();

		TRY(store_application_owners(w->site->store, w->a, apps[i].id, &team, &k, err));
		json_array_append_new(owners, json_stringn(to.id.p, to.id.n));
		for (size_t m = 0; m < k; m++)
			if (!str_eq(team[m].id, u->id) && !str_eq(team[m].id, to.id))
				json_array_append_new(owners, json_stringn(team[m].id.p, team[m].id.n));
		TRY(change_one(w, c, "application", apps[i].id, json_pack("{s:o}", "owners", owners), err));
	}
	TRY(store_subscriptions(w->site->store, w->a, &own, &all, &subs, &k, err));
	TRY(may_move(w, subs, k, err));
	for (size_t i = 0; i < k; i++)
		TRY(change_one(w, c, "subscription", subs[i].id, json_pack("{s:s%}", "user", to.id.p, to.id.n), err));
	*moved = n + k;
	return GH_RC_OK;
}

/* For somebody who has lost both the phone and the recovery codes. */
static GH_RC reset_factor(struct web *w, const struct store_user *u, struct gh_err *err)
{
	gh_rc rc;

	if (str_eq(u->id, w->user.id))
		FAIL(err, CONFLICT, "This is your own account: its second factor is switched off in the portal, under Account.");
	rc = store_factor_delete(w->site->store, u->id, err);
	if (rc.code == GH_E_NOT_FOUND)
		FAIL(err, CONFLICT, "The account has no second factor.");
	return rc;
}

bool person_deed_known(struct str deed)
{
	static const char *const known[] = { "suspend", "restore", "approve", "reject", "groups", "move", "sign-out", "reset-second-factor" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(deed, str_of(known[i])))
			return true;
	return false;
}

gh_rc person_do(struct web *w, struct resource_change *c, const struct store_user *u, const struct person_deed *d, struct str *text, struct gh_err *err)
{
	struct str name, why, deed = d->name;
	size_t moved = 0;

	TRY(guard_account(w->site->store, u->id, err));
	if (str_eq(deed, STR("groups"))) {
		*text = STR("The groups are saved.");
		return change_one(w, c, "user", u->id, json_pack("{s:O}", "groups", d->groups), err);
	}
	if (str_eq(deed, STR("move"))) {
		TRY(hand_over(w, c, u, d->to, &moved, err));
		*text = arena_printf(w->a, "%zu moved.", moved);
		return GH_RC_OK;
	}
	if (str_eq(deed, STR("sign-out"))) {
		*text = STR("All browsers of this account are signed out.");
		TRY(store_sessions_delete_of_user(w->site->store, u->id, err));
		return store_audit_note(w->site->store, STR("sign-out"), STR("user"), u->id, STR_NULL, err);
	}
	if (str_eq(deed, STR("reset-second-factor"))) {
		*text = STR("Two-step sign-in of this account is switched off, until it is set up anew.");
		return reset_factor(w, u, err);
	}
	TRY(admin_user_apply(w, c, u->id, deed, &name, &why, err));
	if (why.p)
		FAIL(err, CONFLICT, "%.*s", STR_ARG(why));
	*text = str_eq(deed, STR("suspend")) ? STR("The account is suspended, and signed out everywhere.") : str_eq(deed, STR("reject"))
					     ? STR("The account is rejected.") : STR("The account is active.");
	return GH_RC_OK;
}

gh_rc admin_person_act(struct web *w, struct gh_err *err)
{
	struct person_deed d = { .name = w->rq.args[1], .to = web_param(&w->rq.form, "to"), .groups = jsn_keep(w->a, json_array()) };
	bool found = person_deed_known(d.name);
	struct str text = STR("");
	struct resource_change *c;
	struct store_user u;
	struct gh_err why;
	gh_rc rc;

	for (size_t i = 0; i < w->rq.form.n; i++)
		if (str_eq(w->rq.form.v[i].name, STR("group")))
			json_array_append_new(d.groups, json_stringn(w->rq.form.v[i].value.p, w->rq.form.v[i].value.n));
	if (found)
		TRY(store_user_find(w->site->store, w->a, w->rq.args[0], &u, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "no such account or deed");
	TRY(resource_begin(w->site->store, w->a, web_actor(w), &c, err));
	rc = person_do(w, c, &u, &d, &text, &why);
	rc = resource_end(c, rc, false, &why);
	if (rc.code && rc.code != GH_E_INVALID && rc.code != GH_E_CONFLICT && rc.code != GH_E_NOT_FOUND && rc.code != GH_E_LIMIT && rc.code != GH_E_DENIED) {
		*err = why;
		return rc;
	}
	TRY(web_flash(w, rc.code ? "bad" : "good", rc.code ? str_of(why.message) : text, err));
	return web_redirect(w, arena_printf(w->a, "users/%.*s", STR_ARG(uri_encode(w->a, u.id, URI_KEEP_UNRESERVED))), err);
}
