#include "portal/portal/portal.h"

#include "core/clock.h"
#include "core/str.h"
#include "db/callers.h"
#include "db/teams.h"

/* Applications: programs that call APIs, each with its subscriptions, its client ids and the people who look after it. Every handler
 * finds the application through portal_own_application, so that somebody else's is answered like one that is not there. */

enum { NAME_MAX = 100, DESCRIPTION_MAX = 1000, CLIENTS_MAX = 5, SECRET_SHOWN_S = 120, OVERLAP_S = 86400, CLIENT_ID_BYTES = 12, VERSION_BYTES = 8 };
static const char new_secret[] = "gh_new_secret";

static GH_RC to_page(struct web *w, struct str id, const char *kind, const char *text, struct gh_err *err)
{
	TRY(web_flash(w, kind, str_of(text), err));
	return web_redirect(w, arena_printf(w->a, "account/applications/%.*s", STR_ARG(id)), err);
}

gh_rc portal_application_back(struct web *w, struct str id, const char *kind, const char *text, struct gh_err *err)
{
	return to_page(w, id, kind, text, err);
}

struct str portal_application_version(struct web *w, const struct store_application *app)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct buf b;

	buf_init(&b, 65536);
	buf_json(&b, app->name);
	buf_json(&b, app->description);
	buf_json(&b, app->redirect_url);
	crypto_sha256(buf_view(&b), digest);
	buf_release(&b);
	return crypto_hex(w->a, (struct str){ (const char *)digest, VERSION_BYTES });
}

/* ---- list ------------------------------------------------------------------------------------------------------------------ */

static GH_RC put_invitations(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "invitations");
	struct store_application app;
	struct store_invitation *v;
	bool found;
	size_t n;

	TRY(store_invitations_for(w->site->store, w->a, w->user.email, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r;

		TRY(store_application_find(w->site->store, w->a, v[i].application_id, &app, &found, err));
		if (!found)
			continue;
		r = liquid_push_record(list);
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", app.name);
		liquid_set_text(r, "from", v[i].invited_by);
		web_put_time(w, r, "until", v[i].ends_us);
	}
	return GH_RC_OK;
}

gh_rc portal_applications(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "applications");
	struct store_application *v;
	size_t n;

	TRY(store_applications_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		const struct store_subscription_filter of = { .application_id = v[i].id, .state = STORE_SUB_ACTIVE };
		struct liquid_record *r = liquid_push_record(list);
		struct store_user *team;
		int64_t active;
		size_t people;

		TRY(store_subscriptions_count(w->site->store, &of, &active, err));
		TRY(store_application_owners(w->site->store, w->a, v[i].id, &team, &people, err));
		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name);
		liquid_set_text(r, "description", v[i].description.n ? v[i].description : STR(""));
		liquid_set_int(r, "subscriptions", active);
		liquid_set_int(r, "people", (int64_t)people);
	}
	TRY(put_invitations(w, err));
	web_title(w, "Your applications");
	return web_page(w, "applications", err);
}

/* ---- one ------------------------------------------------------------------------------------------------------------------- */

static GH_RC put_subscriptions(struct web *w, struct str id, struct gh_err *err)
{
	const struct store_subscription_filter of = { .application_id = id, .state = -1 };
	struct liquid_list *list = liquid_set_list(w->page, "subscriptions");
	struct store_subscription *v;
	size_t n;

	TRY(store_subscriptions(w->site->store, w->a, &of, NULL, &v, &n, err));
	for (size_t i = n; i-- > 0;)
		portal_put_subscription(w, liquid_push_record(list), &v[i]);
	return GH_RC_OK;
}

/* The secret that was made by the request before this one is shown once; the cookie goes. */
static GH_RC put_clients(struct web *w, struct str id, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "clients");
	struct str fresh = web_sealed_get(w, new_secret), whose = STR_NULL;
	struct store_caller *v;
	size_t n;

	if (fresh.n) {
		str_split(&fresh, '\n', &whose);
		TRY(web_sealed_put(w, new_secret, STR(""), 0, err));
	}
	TRY(store_callers(w->site->store, w->a, STR("client"), id, NULL, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "secret", whose.n && str_eq(whose, v[i].id) ? fresh : STR_NULL);
		web_put_time(w, r, "changed", v[i].changed_us);
		liquid_set_bool(r, "suspended", v[i].state != STORE_CALLER_ACTIVE);
	}
	liquid_set_bool(w->page, "more_clients", n < CLIENTS_MAX);
	return GH_RC_OK;
}

gh_rc portal_application_show(struct web *w, const struct store_application *app, int status, struct gh_err *err)
{
	struct liquid_record *r = liquid_set_record(w->page, "app");

	web_form(w);
	liquid_set_text(r, "id", app->id);
	liquid_set_text(r, "name", app->name);
	liquid_set_text(r, "version", portal_application_version(w, app));
	liquid_set_text(r, "description", app->description.p ? app->description : STR(""));
	web_put_time(w, r, "created", app->created_us);
	TRY(put_subscriptions(w, app->id, err));
	TRY(put_clients(w, app->id, err));
	TRY(portal_put_team(w, app->id, err));
	liquid_set_text(w->page, "title", app->name);
	w->rs.status = status;
	return web_page(w, "application", err);
}

gh_rc portal_application(struct web *w, struct gh_err *err)
{
	struct store_application app;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	web_form_value(w, "name", app.name);
	web_form_value(w, "description", app.description);
	web_form_value(w, "email", STR(""));
	return portal_application_show(w, &app, 200, err);
}

/* ---- create, edit, delete ---------------------------------------------------------------------------------------------------- */

static bool read_form(struct web *w, struct store_application *app)
{
	struct str name = str_trim(web_param(&w->rq.form, "name")), description = str_trim(web_param(&w->rq.form, "description"));

	web_form_value(w, "name", name);
	web_form_value(w, "description", description);
	if (!name.n || name.n > NAME_MAX)
		web_form_error(w, "name", name.n ? STR("This is too long.") : STR("Enter a name."));
	if (description.n > DESCRIPTION_MAX)
		web_form_error(w, "description", STR("This is too long."));
	app->name = name;
	app->description = description.n ? description : STR("");
	return name.n && name.n <= NAME_MAX && description.n <= DESCRIPTION_MAX;
}

static GH_RC show_new(struct web *w, int status, struct gh_err *err)
{
	web_title(w, "A new application");
	w->rs.status = status;
	return web_page(w, "application-new", err);
}

gh_rc portal_application_form(struct web *w, struct gh_err *err)
{
	web_form_value(w, "name", STR(""));
	web_form_value(w, "description", STR(""));
	return show_new(w, 200, err);
}

gh_rc portal_application_make(struct web *w, struct store_application *app, bool *full, struct gh_err *err)
{
	struct store_application *own;
	size_t n;

	TRY(store_applications_of_user(w->site->store, w->a, w->user.id, &own, &n, err));
	*full = n >= STORE_APPLICATIONS_MAX;
	return *full ? GH_RC_OK : store_application_create(w->site->store, w->a, app, w->user.id, &app->id, err);
}

gh_rc portal_application_create(struct web *w, struct gh_err *err)
{
	struct store_application app = { .redirect_url = STR("") };
	struct store *s = w->site->store;
	bool full = false;

	if (!read_form(w, &app))
		return show_new(w, 422, err);
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, portal_application_make(w, &app, &full, err), err));
	if (full) {
		web_form_error(w, "name", STR("You have as many applications as one person may have. Delete one that is not needed."));
		return show_new(w, 422, err);
	}
	return to_page(w, app.id, "good", "The application is there. Subscribe it to a product to get keys.", err);
}

/* In a transaction, so that of two at once the second sees what the first wrote. *stale: another one changed it since the form was
 * shown; `now` is how it stands. */
static GH_RC edit(struct web *w, const struct store_application *wanted, struct store_application *now, bool *stale, struct gh_err *err)
{
	struct store_application row;

	TRY(portal_own_application(w, w->rq.args[0], now, err));
	*stale = !str_eq(portal_application_version(w, now), web_param(&w->rq.form, "version"))
		 && !(str_eq(now->name, wanted->name) && str_eq(now->description, wanted->description));
	if (*stale)
		return GH_RC_OK;
	row = *now;
	row.name = wanted->name;
	row.description = wanted->description;
	return store_application_update(w->site->store, &row, err);
}

gh_rc portal_application_edit(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application wanted = { .id = STR_NULL }, app;
	bool stale = false;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	if (!read_form(w, &wanted))
		return portal_application_show(w, &app, 422, err);
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, edit(w, &wanted, &app, &stale, err), err));
	if (stale) {                     /* the page has the new version: sent again, the form replaces what it shows */
		liquid_set_bool(w->page, "stale", true);
		return portal_application_show(w, &app, 409, err);
	}
	return to_page(w, app.id, "good", "The application is changed.", err);
}

/* Its subscriptions go with it: nobody could look after them any more. */
gh_rc portal_application_remove(struct web *w, struct str id, struct gh_err *err)
{
	const struct store_subscription_filter of = { .application_id = id, .state = -1 };
	struct store *s = w->site->store;
	struct store_subscription *v;
	size_t n;

	TRY(store_subscriptions(s, w->a, &of, NULL, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(store_subscription_delete(s, v[i].id, err));
	return store_application_delete(s, id, err);
}

gh_rc portal_application_delete(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application app;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	if (!web_param(&w->rq.form, "sure").n) {
		web_form_value(w, "name", app.name);
		web_form_value(w, "description", app.description);
		web_form_error(w, "sure", STR("Say that you want this."));
		return portal_application_show(w, &app, 422, err);
	}
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, portal_application_remove(w, app.id, err), err));
	TRY(web_flash(w, "good", STR("The application is deleted, and its keys work no more."), err));
	return web_redirect(w, STR("account/applications"), err);
}

/* ---- client ids -------------------------------------------------------------------------------------------------------------- */

static GH_RC keep_secret(struct web *w, struct str client, struct str secret, struct gh_err *err)
{
	return web_sealed_put(w, new_secret, arena_printf(w->a, "%.*s\n%.*s", STR_ARG(client), STR_ARG(secret)), SECRET_SHOWN_S, err);
}

static GH_RC make_client(struct web *w, const struct store_application *app, struct store_caller *c, struct str *secret, bool *full,
			 struct gh_err *err)
{
	struct store_caller *v;
	size_t n;

	TRY(store_callers(w->site->store, w->a, STR("client"), app->id, NULL, &v, &n, err));
	*full = n >= CLIENTS_MAX;
	if (*full)
		return GH_RC_OK;
	TRY(crypto_random_hex(w->a, CLIENT_ID_BYTES, &c->id, err));
	return store_caller_create(w->site->store, w->a, c, secret, err);
}

GH_RC portal_client_make(struct web *w, const struct store_application *app, struct store_caller *c, struct str *secret, bool *full,
			 struct gh_err *err)
{
	*full = false;
	*c = (struct store_caller){ .kind = STR("client"), .groups = STR(""), .application_id = app->id, .name = app->name };
	TRY(store_tx_begin(w->site->store, web_actor(w), err));
	return store_tx_end(w->site->store, make_client(w, app, c, secret, full, err), err);
}

GH_RC portal_client_renew(struct web *w, const struct store_caller *c, struct str *secret, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, store_caller_rotate(s, w->a, c->kind, c->id, STR_NULL, OVERLAP_S, secret, err), err);
}

gh_rc portal_client_create(struct web *w, struct gh_err *err)
{
	struct store_application app;
	struct store_caller c;
	struct str secret;
	bool full;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(portal_client_make(w, &app, &c, &secret, &full, err));
	if (full)
		return to_page(w, app.id, "bad", "An application has at most five client ids. Remove one that is not needed.", err);
	TRY(keep_secret(w, c.id, secret, err));
	return to_page(w, app.id, "good", "This is the secret of the new client id. Copy it now: it is not shown again.", err);
}

/* One of this application's client ids; all else is not there. */
GH_RC portal_own_client(struct web *w, struct store_application *app, struct store_caller *out, struct gh_err *err)
{
	bool found;

	TRY(portal_own_application(w, w->rq.args[0], app, err));
	TRY(store_caller_find(w->site->store, w->a, STR("client"), w->rq.args[1], false, out, &found, err));
	if (!found || !str_eq(out->application_id, app->id))
		FAIL(err, NOT_FOUND, "no such client");
	return GH_RC_OK;
}

gh_rc portal_client_rotate(struct web *w, struct gh_err *err)
{
	struct store_application app;
	struct store_caller c;
	struct str secret;

	TRY(portal_own_client(w, &app, &c, err));
	TRY(portal_client_renew(w, &c, &secret, err));
	TRY(keep_secret(w, c.id, secret, err));
	return to_page(w, app.id, "good", "This is the new secret: it is not shown again. The old one goes on for a day.", err);
}

gh_rc portal_client_delete(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application app;
	struct store_caller c;

	TRY(portal_own_client(w, &app, &c, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_caller_delete(s, c.kind, c.id, err), err));
	return to_page(w, app.id, "good", "The client id is removed and works no more.", err);
}
