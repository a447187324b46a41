#include "db/notices.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/audit.h"
#include "db/mail.h"
#include "db/teams.h"

static const int64_t DAY_US = INT64_C(86400000000);

/* ---- links --------------------------------------------------------------------------------------------------------------- */

struct str store_site_address(struct arena *a, struct str origin, struct str base_path)
{
	while (origin.n && origin.p[origin.n - 1] == '/')
		origin.n--;
	while (base_path.n && base_path.p[0] == '/')
		base_path = str_from(base_path, 1);
	while (base_path.n && base_path.p[base_path.n - 1] == '/')
		base_path.n--;
	return arena_printf(a, "%.*s/%.*s%s", STR_ARG(origin), STR_ARG(base_path), base_path.n ? "/" : "");
}

struct store_site store_site_of(struct arena *a, const struct config *config)
{
	struct str origin = config_text(config, CONFIG_WEB_PUBLIC_URL);

	if (!origin.n)
		return (struct store_site){ STR_NULL, STR_NULL };
	return (struct store_site){ store_site_address(a, origin, config_text(config, CONFIG_PORTAL_BASE_PATH)),
				    store_site_address(a, origin, config_text(config, CONFIG_ADMIN_BASE_PATH)) };
}

/* ---- one mail ------------------------------------------------------------------------------------------------------------ */

/* Texts are English, with {1} what it is about, {2} who asks, {3} the tier that was, {4} the one that is wished for or is, {5} the
 * application; the mail is written in the language of its reader. */
struct message {
	struct str headline, text, more;         /* more: one more sentence; may be empty */
	struct str what, who, from, to, application;
	struct str note, link, action;
};

static GH_RC put(json_t *data, const char *name, struct str value, struct gh_err *err)
{
	if (json_object_set_new(data, name, json_stringn(value.n ? value.p : "", value.n)))
		FAIL(err, NOMEM, "mail");
	return GH_RC_OK;
}

static GH_RC send(struct store *s, struct arena *a, const struct store_user *to, const struct message *m, struct gh_err *err)
{
	const struct {
		const char *name;
		struct str value;
		bool always;
	} rows[] = { { "headline", m->headline, true }, { "text", m->text, true }, { "more", m->more, false }, { "what", m->what, true },
		     { "owner", m->who, true }, { "from", m->from, true }, { "to", m->to, true }, { "application", m->application, true },
		     { "note", m->note, false }, { "link", m->link, false } };
	json_t *data = jsn_keep(a, json_object());

	if (!data)
		FAIL(err, NOMEM, "mail");
	TRY(put(data, "name", to->first_name.n ? to->first_name : to->email, err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].always || rows[i].value.n)
			TRY(put(data, rows[i].name, rows[i].value, err));
	if (m->link.n)
		TRY(put(data, "action", m->action, err));
	return store_mail_add(s, to->email, "subscription", data, err);
}

/* Names, as people know them. */
static GH_RC what_of(struct store *s, struct arena *a, const struct store_subscription *sub, struct str *out, struct gh_err *err)
{
	struct store_product p;
	bool found = false;

	*out = sub->scope == STORE_SCOPE_API ? sub->api_id : STR("all APIs");
	if (sub->scope != STORE_SCOPE_PRODUCT)
		return GH_RC_OK;
	TRY(store_product_find(s, a, sub->product_id, &p, &found, err));
	*out = found && p.name.n ? p.name : sub->product_id;
	return GH_RC_OK;
}

static GH_RC tier_name(struct store *s, struct arena *a, struct str id, struct str *out, struct gh_err *err)
{
	struct store_tier t;
	bool found = false;

	if (id.n)
		TRY(store_tier_find(s, a, id, &t, &found, err));
	*out = !found ? STR("–") : t.name.n ? t.name : t.id;
	return GH_RC_OK;
}

static struct str page_of(struct arena *a, const struct store_subscription *sub, const struct store_site *site)
{
	if (!site || !site->portal.n)
		return STR_NULL;
	return arena_printf(a, "%.*saccount/subscriptions/%.*s", STR_ARG(site->portal), STR_ARG(sub->id));
}

/* ---- who is told --------------------------------------------------------------------------------------------------------- */

static GH_RC tell_owners(struct store *s, struct arena *a, const struct store_subscription *sub, struct message m,
			 const struct store_site *site, struct gh_err *err)
{
	struct store_user *owners, one;
	bool found = false;
	size_t n = 0;

	m.link = page_of(a, sub, site);
	m.action = STR("Look at it");
	if (sub->application_id.n)
		TRY(store_application_owners(s, a, sub->application_id, &owners, &n, err));
	if (sub->user_id.n)
		TRY(store_user_find(s, a, sub->user_id, &one, &found, err));
	for (size_t i = 0; i < n; i++) {
		found = found && !str_eq(owners[i].id, one.id);
		if (owners[i].state == STORE_USER_ACTIVE)
			TRY(send(s, a, &owners[i], &m, err));
	}
	return found && one.state == STORE_USER_ACTIVE ? send(s, a, &one, &m, err) : GH_RC_OK;
}

static GH_RC find(struct store *s, struct arena *a, struct str id, struct store_subscription *out, struct gh_err *err)
{
	bool found;

	TRY(store_subscription_find(s, a, id, out, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no subscription '%.*s'", STR_ARG(str_first(id, 200)));
	return GH_RC_OK;
}

/* ---- asking ---------------------------------------------------------------------------------------------------------------- */

/* The four sentences, by whether there is a tier and an application. */
static const char *const asked[2][2] = {
	{ "{2} asks for a subscription to {1}.", "{2} asks for a subscription to {1} for the application {5}." },
	{ "{2} asks for a subscription to {1} with the tier {4}.", "{2} asks for a subscription to {1} with the tier {4} for the application {5}." },
};
static const char *const tier_wishes[2] = {
	"{2} asks for the tier {4} of {1} in place of {3}.",
	"{2} asks for the tier {4} of {1} in place of {3} for the application {5}.",
};

static GH_RC describe(struct store *s, struct arena *a, const struct store_subscription *sub, const struct store_request *r,
		      struct message *m, struct gh_err *err)
{
	struct store_application app;
	bool found = false;

	TRY(what_of(s, a, sub, &m->what, err));
	TRY(tier_name(s, a, sub->tier_id, &m->from, err));
	TRY(tier_name(s, a, r->tier_id.n ? r->tier_id : sub->tier_id, &m->to, err));
	if (sub->application_id.n)
		TRY(store_application_find(s, a, sub->application_id, &app, &found, err));
	if (found)
		m->application = app.name;
	m->text = str_of(r->tier_id.n ? tier_wishes[found] : asked[sub->tier_id.n > 0][found]);
	return GH_RC_OK;
}

gh_rc store_ask(struct store *s, struct arena *a, const struct store_ask *ask, struct gh_err *err)
{
	const struct store_request *r = &ask->request;
	const struct store_site *site = ask->site;
	struct message m = { .headline = r->tier_id.n ? STR("Another tier for {1} waits for approval")
						      : STR("A subscription to {1} waits for approval"),
			     .who = ask->asker_email, .note = r->message, .action = STR("Approve or reject") };
	struct store_subscription sub;

	TRY(find(s, a, r->subscription_id, &sub, err));
	TRY(store_request_set(s, r, err));
	TRY(describe(s, a, &sub, r, &m, err));
	if (site && site->dashboard.n)
		m.link = arena_printf(a, "%.*ssubscriptions?state=%s", STR_ARG(site->dashboard), r->tier_id.n ? "asking" : "submitted");
	for (size_t i = 0; i < ask->n_approvers; i++)
		TRY(send(s, a, &ask->approvers[i], &m, err));
	m.headline = r->tier_id.n ? STR("Your request: another tier for {1}") : STR("Your request: a subscription to {1}");
	m.more = STR("You get a mail when it is decided.");
	return tell_owners(s, a, &sub, m, site, err);
}

/* ---- states ---------------------------------------------------------------------------------------------------------------- */

/* What happened, for the owners; NULL: nothing that they need to be told. */
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
				struct str note, const struct store_site *site, struct gh_err *err)
{
	struct store_subscription sub;
	const char *happened;
	struct str what;

	TRY(find(s, a, id, &sub, err));
	TRY(store_subscription_set_state(s, id, state, note, err));
	happened = sub.state == (int64_t)state ? NULL : headline(sub.state, state);
	if (!happened)
		return GH_RC_OK;
	if (sub.state == STORE_SUB_SUBMITTED || (state != STORE_SUB_ACTIVE && state != STORE_SUB_SUSPENDED))
		TRY(store_request_drop(s, id, err));
	TRY(what_of(s, a, &sub, &what, err));
	return tell_owners(s, a, &sub,
			   (struct message){ .headline = str_of(happened), .text = str_of(consequence(state)), .what = what, .note = note },
			   site, err);
}

/* ---- tiers ----------------------------------------------------------------------------------------------------------------- */

gh_rc store_check_tier(struct store *s, struct arena *a, const struct store_subscription *sub, struct str tier_id, struct gh_err *err)
{
	struct store_tier t;
	bool found;

	if (!tier_id.n)
		return GH_RC_OK;
	TRY(store_tier_find(s, a, tier_id, &t, &found, err));
	if (!found)
		FAIL(err, NOT_FOUND, "there is no tier '%.*s'", STR_ARG(str_first(tier_id, 200)));
	if (sub->scope != STORE_SCOPE_PRODUCT || !str_eq(sub->product_id, t.product_id))
		FAIL(err, INVALID, "tier '%.*s' is of another product", STR_ARG(tier_id));
	return GH_RC_OK;
}

gh_rc store_subscription_change_tier(struct store *s, struct arena *a, struct str id, struct str tier_id, struct str note,
				     const struct store_site *site, struct gh_err *err)
{
	struct message m = { .headline = STR("The tier of your subscription to {1} is changed"), .note = note };
	struct store_subscription sub, next;

	TRY(find(s, a, id, &sub, err));
	TRY(store_check_tier(s, a, &sub, tier_id, err));
	next = sub;
	next.tier_id = tier_id;
	TRY(store_subscription_update(s, &next, err));
	if (sub.state != STORE_SUB_SUBMITTED)            /* what waits for approval goes on waiting, for the new tier */
		TRY(store_request_drop(s, id, err));
	if (str_eq(sub.tier_id, tier_id))
		return GH_RC_OK;
	TRY(what_of(s, a, &sub, &m.what, err));
	TRY(tier_name(s, a, sub.tier_id, &m.from, err));
	TRY(tier_name(s, a, tier_id, &m.to, err));
	m.text = !tier_id.n ? STR("It has no tier from now on.") : sub.tier_id.n ? STR("Its tier was {3} and is {4} from now on.")
										 : STR("Its tier is {4} from now on.");
	return tell_owners(s, a, &sub, m, site, err);
}

gh_rc store_tier_refuse(struct store *s, struct arena *a, struct str id, struct str note, const struct store_site *site,
			struct gh_err *err)
{
	struct message m = { .headline = STR("The tier of your subscription to {1} stays as it is"),
			     .text = STR("The change to {4} was rejected."), .note = note };
	struct store_subscription sub;
	struct store_request r;
	bool found;

	TRY(find(s, a, id, &sub, err));
	TRY(store_request_find(s, a, id, &r, &found, err));
	if (!found || !r.tier_id.n)
		FAIL(err, NOT_FOUND, "nobody asks for another tier for subscription '%.*s'", STR_ARG(str_first(id, 200)));
	TRY(store_request_drop(s, id, err));
	TRY(store_audit_note(s, STR("refuse-tier"), STR("subscription"), id, STR_NULL, err));
	TRY(what_of(s, a, &sub, &m.what, err));
	TRY(tier_name(s, a, r.tier_id, &m.to, err));
	return tell_owners(s, a, &sub, m, site, err);
}

gh_rc store_tier_grant_waiting(struct store *s, struct arena *a, const struct store_tier *t, const struct store_site *site,
			       struct gh_err *err)
{
	struct store_subscription *waiting;
	struct store_request *wishes;
	struct store_product p;
	bool found;
	size_t n;

	TRY(store_tier_wishes(s, a, t->id, STORE_LIST_MAX, &wishes, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(store_subscription_change_tier(s, a, wishes[i].subscription_id, t->id, STR(""), site, err));
	TRY(store_product_find(s, a, t->product_id, &p, &found, err));
	if (!found || p.approval == STORE_APPROVAL_MANUAL)
		return GH_RC_OK;
	TRY(store_tier_waiting(s, a, t->id, &waiting, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(store_subscription_change(s, a, waiting[i].id, STORE_SUB_ACTIVE, STR(""), site, err));
	return GH_RC_OK;
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------ */

/* The nearest first: when a stage was missed (no keeper, a clock that jumped) only the one that fits now is sent, and noting it
 * takes the place of those before. */
static const int64_t stages[] = { 1, 10, 30 };

static GH_RC warn(struct store *s, struct arena *a, const struct store_subscription *sub, int64_t days, int64_t now_us,
		  const struct store_site *site, struct gh_err *err)
{
	int64_t left = (sub->ends_us - now_us + DAY_US - 1) / DAY_US;
	struct message m = { .headline = left == 1 ? STR("Your keys for {1} expire within a day") : STR("Your keys for {1} expire in {3} days"),
			     .text = STR("The subscription ends on {4}. Calls with its keys are refused from then on.") };
	char when[CLOCK_ISO_MAX];

	TRY(store_expiry_note(s, sub, days, err));
	TRY(what_of(s, a, sub, &m.what, err));
	clock_iso(sub->ends_us, 0, when);
	m.from = arena_printf(a, "%lld", (long long)left);
	m.to = arena_printf(a, "%.10s %.5s UTC", when, when + 11);
	return tell_owners(s, a, sub, m, site, err);
}

static GH_RC warn_all(struct store *s, struct arena *a, const struct store_subscription *v, size_t n, int64_t days, int64_t now_us,
		      const struct store_site *site, struct gh_err *err)
{
	for (size_t i = 0; i < n; i++)
		TRY(warn(s, a, &v[i], days, now_us, site, err));
	return GH_RC_OK;
}

/* Looked up outside a transaction, so that a minute in which nothing ends costs no write. */
gh_rc store_warn_of_ends(struct store *s, struct arena *a, int64_t now_us, const struct store_site *site, bool *more,
			 struct gh_err *err)
{
	struct store_subscription *v;
	size_t n;

	*more = false;
	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		TRY(store_expiring(s, a, now_us, now_us + stages[i] * DAY_US, stages[i], NOTICE_EXPIRIES_MAX, &v, &n, err));
		*more = *more || n == NOTICE_EXPIRIES_MAX;
		if (!n)
			continue;
		TRY(store_tx_begin(s, STR("keeper"), err));
		TRY(store_tx_end(s, warn_all(s, a, v, n, stages[i], now_us, site, err), err));
	}
	return GH_RC_OK;
}
