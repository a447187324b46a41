#include "portal/web/internal.h"

#include "core/log.h"
#include "core/str.h"
#include "db/accounts.h"
#include "db/audit.h"
#include "portal/web/oidc.h"

/* Signing in at an identity provider: the way there and back, and who the person is here.
 *
 * An account is found by the identity (provider and subject) first. Else one with the same address is linked, if the
 * provider vouches for the address; whoever has a role in the administration is linked only by a provider that may sign in to
 * the dashboard, so that a provider meant for developers cannot become anybody's back door. Else an account is made, if
 * the provider is set to. Groups and role follow the provider's claims at each sign-in, as far as they are mapped. */

enum { ATTEMPT_S = 900, BACK_MAX = 1000 };
static const char attempt_cookie[] = "gh_oidc";

static bool offered(const struct web *w, const struct store_provider *p)
{
	return w->site->app->is_dashboard ? p->for_admin : p->for_portal;
}

gh_rc web_put_providers(struct web *w, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "providers");
	struct store_provider *v;
	size_t n;

	TRY(store_providers(w->site->store, w->a, false, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (offered(w, &v[i])) {
			struct liquid_record *r = liquid_push_record(list);

			liquid_set_text(r, "id", v[i].id);
			liquid_set_text(r, "name", v[i].name);
		}
	return GH_RC_OK;
}

struct str web_link_mark(struct web *w)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];

	if (!w->signed_in)
		return STR("");
	crypto_hmac_sha256((struct str){ (const char *)w->site->keys.form, sizeof(w->site->keys.form) },
			   arena_printf(w->a, "link %.*s", STR_ARG(w->session.csrf)), mac);
	return crypto_hex(w->a, (struct str){ (const char *)mac, 16 });
}

static GH_RC callback_address(struct web *w, struct str *out, struct gh_err *err)
{
	struct str host;

	TRY(web_public_address(w, &host, err));
	*out = arena_printf(w->a, "%.*s%.*ssign-in/callback", STR_ARG(host), STR_ARG(w->site->base));
	if (!out->p)
		FAIL(err, NOMEM, "address");
	return GH_RC_OK;
}

/* ---- there ------------------------------------------------------------------------------------------------------------ */

/* A provider that does not answer is trouble of theirs or of the setting, and no secret. */
static GH_RC trouble(struct web *w, const struct store_provider *p, const struct gh_err *why)
{
	log_error("identity provider", KV_STR("request_id", w->rq.id), KV_STR("provider", p->id), KV_CSTR("reason", why->message));
	web_error_page(w, 502, web_textf(w, "{1} cannot be used to sign in at the moment. Try again soon, or sign in another way.",
					 LANG_STR(p->name)).p);
	return GH_RC_OK;
}

gh_rc web_provider_start(struct web *w, struct gh_err *err)
{
	struct str mark = web_param(&w->rq.query, "link"), back = web_way_back(w, web_param(&w->rq.query, "return"));
	bool found, link = w->signed_in && mark.n && crypto_equal(mark, web_link_mark(w));
	struct openid_attempt attempt;
	struct store_provider p;
	struct str redirect, to;
	gh_rc rc;

	TRY(store_provider_find(w->site->store, w->a, w->rq.args[0], true, &p, &found, err));
	if (!found || !offered(w, &p))
		FAIL(err, NOT_FOUND, "no such provider");
	if (w->signed_in && !link)
		return web_redirect(w, back, err);
	TRY(callback_address(w, &redirect, err));
	TRY(openid_attempt_new(w->a, &attempt, err));
	rc = oidc_start_address(w->a, w->site, &p, &attempt, redirect, &to, err);
	if (rc.code)
		return rc.code == GH_E_NOMEM ? rc : trouble(w, &p, err);
	TRY(web_sealed_put(w, attempt_cookie,
			   arena_printf(w->a, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(p.id), STR_ARG(attempt.state),
					STR_ARG(attempt.nonce), STR_ARG(attempt.verifier),
					STR_ARG(link ? w->user.id : STR("")), STR_ARG(str_first(back, back.n > BACK_MAX ? 0 : back.n))),
			   ATTEMPT_S, err));
	w->rs.status = 303;
	web_header(w, "Location", to);
	return GH_RC_OK;
}

/* ---- who it is --------------------------------------------------------------------------------------------------------- */

static bool holds(const json_t *groups, const char *value)
{
	if (json_is_string(groups))
		return str_eq(jsn_string(groups), str_of(value));
	for (size_t i = 0; i < json_array_size(groups); i++)
		if (str_eq(jsn_string(json_array_get(groups, i)), str_of(value)))
			return true;
	return false;
}

static GH_RC follow_groups(struct web *w, const struct store_provider *p, const struct oidc_person *who, struct str user_id,
			   struct gh_err *err)
{
	json_t *map, *target;
	const char *value;

	TRY(jsn_parse_in(w->a, p->group_map, NULL, &map, NULL, err));
	/* first out, then in: two values may lead to one group */
	json_object_foreach(map, value, target)
		if (!holds(who->groups, value))
			TRY(store_group_remove(w->site->store, jsn_string(target), user_id, err));
	json_object_foreach(map, value, target)
		if (holds(who->groups, value))
			TRY(store_group_add(w->site->store, jsn_string(target), user_id, err));
	return GH_RC_OK;
}

/* The mapped role that carries most; "developer" when none fits. STR_NULL: this provider says nothing of roles. */
static GH_RC role_of(struct web *w, const struct store_provider *p, const struct oidc_person *who, struct str *role,
		     struct gh_err *err)
{
	static const char *const order[] = { "administrator", "operator", "publisher", "auditor" };
	json_t *map, *target;
	const char *value;

	*role = STR_NULL;
	if (!p->for_admin)
		return GH_RC_OK;
	TRY(jsn_parse_in(w->a, p->role_map, NULL, &map, NULL, err));
	if (!json_object_size(map))
		return GH_RC_OK;
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		json_object_foreach(map, value, target)
			if (!role->p && holds(who->groups, value) && str_eq(jsn_string(target), str_of(order[i])))
				*role = str_of(order[i]);
	if (!role->p)
		*role = STR("developer");
	return GH_RC_OK;
}

/* Neither claims nor a closed account may lock everybody out. */
gh_rc web_last_administrator(struct web *w, const struct store_user *user, bool *last, struct gh_err *err)
{
	struct store_user *v;
	size_t n;

	*last = str_eq(user->role, STR("administrator"));
	if (!*last)
		return GH_RC_OK;
	TRY(store_users(w->site->store, w->a, NULL, &v, &n, err));
	for (size_t i = 0; i < n; i++)
		if (v[i].state == STORE_USER_ACTIVE && str_eq(v[i].role, STR("administrator")) && !str_eq(v[i].id, user->id))
			*last = false;
	return GH_RC_OK;
}

static GH_RC follow_role(struct web *w, const struct store_provider *p, const struct oidc_person *who, struct store_user *user,
			 struct gh_err *err)
{
	struct str role;
	bool last;

	TRY(role_of(w, p, who, &role, err));
	if (!role.p || str_eq(role, user->role))
		return GH_RC_OK;
	TRY(web_last_administrator(w, user, &last, err));
	if (last)
		return GH_RC_OK;
	user->role = role;
	TRY(store_user_update(w->site->store, user, err));
	return str_eq(role, STR("administrator")) ? store_group_add(w->site->store, STR("administrators"), user->id, err)
						  : store_group_remove(w->site->store, STR("administrators"), user->id, err);
}

static GH_RC make_user(struct web *w, const struct store_provider *p, const struct oidc_person *who, struct store_user *user,
		       struct gh_err *err)
{
	*user = (struct store_user){ .email = who->email, .first_name = who->first_name, .last_name = who->last_name,
				     .role = STR("developer"), .state = STORE_USER_ACTIVE };
	TRY(store_user_create(w->site->store, w->a, user, &user->id, err));
	TRY(store_group_add(w->site->store, STR("developers"), user->id, err));
	return store_identity_add(w->site->store, p->id, who->subject, user->id, err);
}

/* Whoever knows its password, or holds what signs in without, is not the one who comes now. */
static GH_RC forget_other_ways_in(struct web *w, struct str user_id, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_identity *own;
	size_t n;

	TRY(store_identities_of_user(s, w->a, user_id, &own, &n, err));
	for (size_t i = 0; i < n; i++)
		TRY(store_identity_remove(s, own[i].provider_id, user_id, err));
	TRY(store_account_forget(s, user_id, err));
	TRY(store_sessions_delete_of_user(s, user_id, err));
	return store_user_set_password(s, user_id, STR_NULL, err);
}

/* An account that was made for this address and never confirmed may be somebody else's attempt; one into which somebody wrote the address
 * later is somebody else's until now, and what the provider makes of it must not be his. */
static GH_RC link_by_address(struct web *w, const struct store_provider *p, const struct oidc_person *who, struct store_user *user,
			     struct gh_err *err)
{
	struct store *s = w->site->store;
	bool proven;

	TRY(store_user_proven(s, user->id, &proven, err));
	if (!proven || user->state == STORE_USER_PENDING)
		TRY(forget_other_ways_in(w, user->id, err));
	if (user->state == STORE_USER_PENDING) {
		user->state = STORE_USER_ACTIVE;
		TRY(store_user_update(s, user, err));
	}
	TRY(store_user_prove(s, user->id, who->email, err));
	return store_identity_add(s, p->id, who->subject, user->id, err);
}

/* In a transaction. *refusal (NULL: found) says to the person why not. */
static GH_RC find_person(struct web *w, const struct store_provider *p, const struct oidc_person *who, struct str link_to,
			 struct store_user *user, const char **refusal, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_identity identity;
	bool found, administers = false;

	*refusal = NULL;
	TRY(store_identity_find(s, w->a, p->id, who->subject, &identity, &found, err));
	if (found && link_to.n && !str_eq(link_to, identity.user_id)) {
		*refusal = "This identity belongs to another account here. Sign in with it and close that account first.";
		return GH_RC_OK;
	}
	if (found)
		return store_user_find(s, w->a, identity.user_id, user, &found, err);
	if (link_to.n) {
		TRY(store_user_find(s, w->a, link_to, user, &found, err));
		return found ? store_identity_add(s, p->id, who->subject, user->id, err) : GH_RC_OK;
	}
	if (!who->email_verified || web_email_problem(who->email)) {
		*refusal = "The provider does not vouch for your e-mail address, so no account can be found or made with it.";
		return GH_RC_OK;
	}
	TRY(store_user_find_email(s, w->a, who->email, user, &found, err));
	if (found && !p->for_admin)
		TRY(web_enters_dashboard(w, user, &administers, err));
	if (administers) {
		*refusal = "Your account has a role in the administration, so this provider cannot be linked to it here.";
		return GH_RC_OK;
	}
	if (found)
		return user->state == STORE_USER_BLOCKED ? GH_RC_OK : link_by_address(w, p, who, user, err);
	if (!p->create_users) {
		*refusal = "There is no account for you here. Ask the people who run this portal for an invitation.";
		return GH_RC_OK;
	}
	return make_user(w, p, who, user, err);
}

static GH_RC take_in(struct web *w, const struct store_provider *p, const struct oidc_person *who, struct str link_to,
		     struct store_user *user, const char **refusal, struct gh_err *err)
{
	TRY(find_person(w, p, who, link_to, user, refusal, err));
	if (*refusal)
		return GH_RC_OK;
	if (user->state != STORE_USER_ACTIVE) {
		*refusal = "This account is blocked. Ask the people who run this portal.";
		return GH_RC_OK;
	}
	TRY(follow_groups(w, p, who, user->id, err));
	return follow_role(w, p, who, user, err);
}

/* ---- back ------------------------------------------------------------------------------------------------------------- */

static GH_RC refuse(struct web *w, const char *why, struct gh_err *err)
{
	struct store *s = w->site->store;

	log_warn("sign-in refused", KV_STR("request_id", w->rq.id), KV_STR("address", w->rq.address), KV_CSTR("reason", why));
	TRY(store_tx_begin(s, STR("web"), err));
	TRY(store_tx_end(s, store_audit_note(s, STR("sign-in-refused"), STR("identity"), STR(""), STR_NULL, err), err));
	web_error_page(w, 403, why);
	return GH_RC_OK;
}

struct attempt {
	struct str provider, user_id, back;
	struct openid_attempt sent;
};

static bool read_attempt(struct web *w, struct attempt *out)
{
	struct str text = web_sealed_get(w, attempt_cookie);

	if (!text.n)
		return false;
	*out = (struct attempt){ .back = STR_NULL };
	if (!str_split(&text, '\n', &out->provider) || !str_split(&text, '\n', &out->sent.state)
	    || !str_split(&text, '\n', &out->sent.nonce) || !str_split(&text, '\n', &out->sent.verifier)
	    || !str_split(&text, '\n', &out->user_id))
		return false;
	out->back = text.p ? text : STR("");
	return true;
}

static GH_RC settle(struct web *w, const struct store_provider *p, const struct oidc_person *who, const struct attempt *t,
		    struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_user user = { .id = STR_NULL };
	const char *refusal;
	bool may;

	if (t->user_id.n && (!w->signed_in || !str_eq(t->user_id, w->user.id)))
		return refuse(w, "You were signed out meanwhile. Sign in and link the identity once more.", err);
	TRY(store_tx_begin(s, arena_printf(w->a, "provider:%.*s", STR_ARG(p->id)), err));
	TRY(store_tx_end(s, take_in(w, p, who, t->user_id, &user, &refusal, err), err));
	if (refusal)
		return refuse(w, refusal, err);
	TRY(web_may_enter(w, &user, &may, err));
	if (!may)
		return refuse(w, "This account has no access to the dashboard.", err);
	w->proof = oidc_counts_twice(config_text(&w->site->config, CONFIG_ADMIN_SECOND_FACTOR_AT_PROVIDER), who) ? WEB_PROOF_PROVIDER : NULL;
	return t->user_id.n ? web_redirect(w, t->back, err) : web_sign_in_user(w, &user, t->back, err);
}

gh_rc web_provider_back(struct web *w, struct gh_err *err)
{
	struct str state = web_param(&w->rq.query, "state"), code = web_param(&w->rq.query, "code");
	struct str redirect, said = web_param(&w->rq.query, "error");
	struct oidc_person who;
	struct store_provider p;
	struct attempt t;
	bool found;
	gh_rc rc;

	if (!read_attempt(w, &t) || !state.n || !crypto_equal(state, t.sent.state)) {
		web_error_page(w, 400, "This sign-in was not begun in this browser, or it was begun too long ago. Start it again.");
		return GH_RC_OK;
	}
	TRY(web_sealed_put(w, attempt_cookie, STR_NULL, 0, err));
	TRY(store_provider_find(w->site->store, w->a, t.provider, true, &p, &found, err));
	if (!found || !offered(w, &p))
		FAIL(err, NOT_FOUND, "no such provider");
	if (said.n)
		return refuse(w, str_eq(said, STR("access_denied")) ? "The sign-in was declined at the provider."
								    : "The provider did not sign you in. Try again.", err);
	TRY(callback_address(w, &redirect, err));
	rc = oidc_finish(w->a, w->site, &p, &t.sent, redirect, code.n ? code : STR(""), web_param(&w->rq.query, "iss"), &who, err);
	if (rc.code == GH_E_DENIED) {
		log_warn("identity provider", KV_STR("request_id", w->rq.id), KV_STR("provider", p.id), KV_CSTR("reason", err->message));
		return refuse(w, "What the provider said about you could not be trusted. Try again.", err);
	}
	if (rc.code)
		return rc.code == GH_E_NOMEM ? rc : trouble(w, &p, err);
	return settle(w, &p, &who, &t, err);
}
