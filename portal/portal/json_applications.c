#include "portal/portal/json.h"

#include "core/str.h"
#include "db/teams.h"

/* Applications of the caller as JSON, with the people who look after them and their subscriptions. Invitations are answered on
 * the pages, by people. */

enum { NAME_MAX = 100, DESCRIPTION_MAX = 1000 };

static json_t *short_form(const struct store_application *app)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "id", portal_json_text(app->id), "name", portal_json_text(app->name), "description",
			 portal_json_text(app->description.p ? app->description : STR("")), "createdAt", portal_json_time(app->created_us));
}

gh_rc portal_json_applications(struct web *w, struct gh_err *err)
{
	struct store_application *v;
	struct portal_window win;
	json_t *items;
	size_t n;

	TRY(store_applications_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, short_form(&v[i]));
	return portal_json_list(w, &win, items, err);
}

static struct str tag_of(struct web *w, const struct store_application *app)
{
	return arena_printf(w->a, "\"%.*s\"", STR_ARG(portal_application_version(w, app)));
}

static GH_RC show(struct web *w, const struct store_application *app, int status, struct gh_err *err)
{
	const struct store_subscription_filter of = { .application_id = app->id, .state = -1 };
	json_t *v = jsn_keep(w->a, short_form(app)), *people = json_array(), *subscriptions = json_array();
	struct store_subscription *subs;
	struct store_user *team;
	size_t n;

	web_header(w, "ETag", tag_of(w, app));
	if (json_object_set_new(v, "owners", people) != 0 || json_object_set_new(v, "subscriptions", subscriptions) != 0)
		FAIL(err, NOMEM, "application");
	TRY(store_application_owners(w->site->store, w->a, app->id, &team, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(people, portal_json_text(team[i].email));
	TRY(store_subscriptions(w->site->store, w->a, &of, NULL, &subs, &n, err));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(subscriptions, json_pack("{s:o, s:o}", "id", portal_json_text(subs[i].id), "name",
							       portal_json_text(subs[i].name.n ? subs[i].name : subs[i].id)));
	return web_json(w, status, "application/json", v, err);
}

static void take(struct web *w, const json_t *body, const char *name, size_t most, bool needed, struct str *to)
{
	const json_t *given = jsn_get(body, name);
	struct str s = str_trim(jsn_string(given).p ? jsn_string(given) : STR(""));

	if (given && !json_is_string(given))
		web_json_field(w, name, "This is no text");
	else if (s.n > most)
		web_json_field(w, name, "This is too long");
	if (given)
		*to = s;
	if (needed && !to->n)
		web_json_field(w, name, "This cannot be empty");
}

/* *ok false: answered. */
static GH_RC read_body(struct web *w, struct store_application *app, bool *ok, struct gh_err *err)
{
	json_t *body;

	*ok = false;
	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	take(w, body, "name", NAME_MAX, true, &app->name);
	take(w, body, "description", DESCRIPTION_MAX, false, &app->description);
	*ok = !w->fields;
	if (w->fields)
		web_json_error(w, 422, NULL, NULL);
	return GH_RC_OK;
}

gh_rc portal_json_application_create(struct web *w, struct gh_err *err)
{
	struct store_application app = { .description = STR(""), .redirect_url = STR("") };
	struct store *s = w->site->store;
	bool ok, found, full = false;

	TRY(read_body(w, &app, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, portal_application_make(w, &app, &full, err), err));
	if (full) {
		web_json_error(w, 409, "too_many_applications", "You have as many applications as one person may have");
		return GH_RC_OK;
	}
	TRY(store_application_find(s, w->a, app.id, &app, &found, err));
	web_header(w, "Location", arena_printf(w->a, "%.*s%s/applications/%.*s", STR_ARG(w->site->base), PORTAL_JSON + 1, STR_ARG(app.id)));
	return show(w, &app, 201, err);
}

gh_rc portal_json_application(struct web *w, struct gh_err *err)
{
	struct store_application app;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	return show(w, &app, 200, err);
}

/* Looks again in the transaction: what is not named stays as another owner has written it meanwhile. */
static GH_RC change(struct web *w, struct store_application *app, bool *ok, struct gh_err *err)
{
	TRY(portal_own_application(w, w->rq.args[0], app, err));
	*ok = !w->rq.if_match.n || web_tag_listed(w->rq.if_match, tag_of(w, app));
	if (!*ok) {
		web_json_error(w, 412, NULL, NULL);
		return GH_RC_OK;
	}
	TRY(read_body(w, app, ok, err));
	return *ok ? store_application_update(w->site->store, app, err) : GH_RC_OK;
}

gh_rc portal_json_application_change(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application app;
	bool ok;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, change(w, &app, &ok, err), err));
	return ok ? show(w, &app, 200, err) : GH_RC_OK;
}

gh_rc portal_json_application_delete(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_application app;

	TRY(portal_own_application(w, w->rq.args[0], &app, err));
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, portal_application_remove(w, app.id, err), err));
	w->rs.status = 204;
	web_header(w, "Cache-Control", STR("no-store"));
	return GH_RC_OK;
}
