#include "portal/portal/json.h"

#include "core/str.h"
#include "db/personal_tokens.h"
#include "db/preferences.h"
#include "db/sessions.h"

/* The account, its tokens and its browsers as JSON. What proves who somebody is: json_owner.c. */

enum { NAME_MAX = 100 };

gh_rc portal_json_tokens(struct web *w, struct gh_err *err)
{
	struct store_personal_token *v;
	struct portal_window win;
	json_t *items;
	size_t n;

	TRY(store_personal_tokens(w->site->store, w->a, w->user.id, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, portal_json_token(&v[i]));
	return portal_json_list(w, &win, items, err);
}

gh_rc portal_json_token_delete(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, store_personal_token_delete(s, w->user.id, w->rq.args[0], err), err));
	w->rs.status = 204;
	web_header(w, "Cache-Control", STR("no-store"));
	return GH_RC_OK;
}

/* ---- browsers that are signed in ----------------------------------------------------------------------------------------------- */

gh_rc portal_json_sessions(struct web *w, struct gh_err *err)
{
	struct store_session *v;
	struct portal_window win;
	json_t *items;
	size_t n;

	TRY(store_sessions_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++)
		json_array_append_new(items, json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:b}", "id", portal_json_text(str_first(v[i].id, PORTAL_SESSION_DIGITS)),
						       "browser", portal_json_text(portal_agent_words(w, v[i].agent)), "of",
						       str_eq(v[i].app, STR("gh_admin")) ? "dashboard" : "portal", "address",
						       portal_json_text(v[i].address), "createdAt", portal_json_time(v[i].created_us), "seenAt",
						       portal_json_time(v[i].seen_us), "present",
						       w->session.id.n && str_eq(v[i].id, w->session.id)));
	return portal_json_list(w, &win, items, err);
}

static GH_RC end_sessions(struct web *w, struct str handle, bool *found, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_session *v;
	size_t n;

	*found = false;
	TRY(store_sessions_of_user(s, w->a, w->user.id, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (str_eq(v[i].id, w->session.id) || (handle.n && !str_eq(str_first(v[i].id, PORTAL_SESSION_DIGITS), handle)))
			continue;
		*found = true;
		TRY(store_session_delete(s, v[i].id, err));
	}
	return GH_RC_OK;
}

/* One, or all but the present one. */
gh_rc portal_json_sessions_end(struct web *w, struct gh_err *err)
{
	struct str handle = w->rq.args[0];
	bool found = false;

	TRY(store_tx_begin(w->site->store, web_actor(w), err));
	TRY(store_tx_end(w->site->store, end_sessions(w, handle, &found, err), err));
	if (handle.n && !found)
		FAIL(err, NOT_FOUND, "no such session");
	w->rs.status = 204;
	web_header(w, "Cache-Control", STR("no-store"));
	return GH_RC_OK;
}

/* ---- account ----------------------------------------------------------------------------------------------------------------- */

gh_rc portal_json_account(struct web *w, struct gh_err *err)
{
	struct store_preference p = { .language = STR_NULL, .zone = STR_NULL };
	bool found;
	json_t *v;

	TRY(store_preference_find(w->site->store, w->a, w->user.id, &p, &found, err));
	v = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", portal_json_text(w->user.id), "email", portal_json_text(w->user.email), "firstName",
		      portal_json_text(w->user.first_name.p ? w->user.first_name : STR("")), "lastName",
			      portal_json_text(w->user.last_name.p ? w->user.last_name : STR("")), "role", portal_json_text(w->user.role), "createdAt",
			      portal_json_time(w->user.created_us), "language", portal_json_text(p.language.n ? p.language : STR_NULL), "zone",
			      portal_json_text(p.zone.n ? p.zone : STR_NULL));
	if (!w->by_token)
		json_object_set_new(v, "csrfToken", portal_json_text(w->csrf));
	return portal_json_answer(w, 200, v, err);
}

static struct str changed(struct web *w, const json_t *body, const char *name, struct str now, bool needed)
{
	const json_t *given = jsn_get(body, name);
	struct str s = str_trim(jsn_string(given).p ? jsn_string(given) : STR(""));

	if (!given)
		return now;
	if (!json_is_string(given))
		web_json_field(w, name, "This is no text");
	else if (s.n > NAME_MAX)
		web_json_field(w, name, "This is too long");
	else if (needed && !s.n)
		web_json_field(w, name, "This cannot be empty");
	return s;
}

/* Language and zone are set together on the page; what is not named here stays. "" or null: as the browser says. */
static GH_RC change_preferences(struct web *w, const json_t *body, bool *ok, struct gh_err *err)
{
	static const struct web_json_member members[] = { { "language", "language" }, { "zone", "zone" }, { NULL, NULL } };
	struct store_preference p = { .language = STR_NULL, .zone = STR_NULL };
	bool found;

	*ok = true;
	if (!json_object_get(body, "language") && !json_object_get(body, "zone"))
		return GH_RC_OK;
	TRY(web_json_form(w, members, ok, err));
	if (!*ok)
		return GH_RC_OK;
	TRY(store_preference_find(w->site->store, w->a, w->user.id, &p, &found, err));
	if (!json_object_get(body, "language") && p.language.p)
		TRY(web_params_add(&w->rq.form, w->a, STR("language"), p.language, err));
	if (!json_object_get(body, "zone") && p.zone.p)
		TRY(web_params_add(&w->rq.form, w->a, STR("zone"), p.zone, err));
	TRY(web_preferences_take(w, ok, err));
	if (!*ok)
		web_json_error(w, 422, NULL, NULL);
	return GH_RC_OK;
}

gh_rc portal_json_account_change(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_user u = w->user;
	json_t *body;
	bool ok;

	TRY(web_json_body(w, &body, err));
	if (!body)
		return GH_RC_OK;
	u.first_name = changed(w, body, "firstName", u.first_name, true);
	u.last_name = changed(w, body, "lastName", u.last_name, false);
	if (w->fields) {
		web_json_error(w, 422, NULL, NULL);
		return GH_RC_OK;
	}
	TRY(change_preferences(w, body, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	TRY(store_tx_end(s, portal_names_set(w, u.first_name, u.last_name, err), err));
	return portal_json_account(w, err);
}
