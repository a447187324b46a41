#include "portal/web/web.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "db/passkeys.h"

/* The owner's passkeys: listed, made (after proof that it is the owner who asks), removed. */

enum { NAME_MAX = 60 };
static const char purpose[] = "make";

static GH_RC put_list(struct web *w, size_t *n, struct gh_err *err)
{
	struct liquid_list *list = liquid_set_list(w->page, "passkeys");
	struct store_passkey *v;
	struct str ids = STR("");

	TRY(store_passkeys_of_user(w->site->store, w->a, w->user.id, &v, n, err));
	for (size_t i = 0; i < *n; i++) {
		struct liquid_record *r = liquid_push_record(list);

		liquid_set_text(r, "id", v[i].id);
		liquid_set_text(r, "name", v[i].name);
		web_put_time(w, r, "created", v[i].created_us);
		web_put_ago(w, r, "used", v[i].used_us);
		ids = arena_printf(w->a, "%.*s%s%.*s", STR_ARG(ids), ids.n ? " " : "", STR_ARG(v[i].id));
	}
	liquid_set_text(w->page, "key_ids", ids);
	return GH_RC_OK;
}

static GH_RC show(struct web *w, int status, struct gh_err *err)
{
	struct str name = web_param(&w->rq.form, "name");
	size_t n;

	TRY(put_list(w, &n, err));
	web_form_value(w, "name", name.p ? name : STR(""));
	web_form_value(w, "password_passkey", STR(""));
	liquid_set_bool(w->page, "has_password", w->user.password_hash.n > 0);
	liquid_set_bool(w->page, "full", n >= STORE_PASSKEYS_MAX);
	liquid_set_bool(w->page, "demanded", w->factor_missing);
	web_title(w, "Passkeys");
	w->rs.status = status;
	return web_page(w, "web/passkeys", err);
}

gh_rc web_passkeys(struct web *w, struct gh_err *err)
{
	return show(w, 200, err);
}

static bool name_ok(struct web *w, struct str *name)
{
	*name = str_trim(web_param(&w->rq.form, "name"));
	if (name->n && name->n <= NAME_MAX)
		return true;
	web_form_error(w, "name", name->n ? STR("This is too long.") : STR("Enter a name."));
	return false;
}

/* The owner is proven: from here on the challenge in the sealed cookie says so. */
gh_rc web_passkey_begin(struct web *w, struct str *challenge, struct str *rp_id, bool *ok, struct gh_err *err)
{
	struct store_passkey *v;
	struct str name;
	bool named = name_ok(w, &name);
	size_t n;

	*ok = web_owner_proven(w, "password_passkey") && named;
	if (!*ok)
		return GH_RC_OK;
	TRY(store_passkeys_of_user(w->site->store, w->a, w->user.id, &v, &n, err));
	if (n >= STORE_PASSKEYS_MAX) {
		web_form_error(w, "name", STR("You have as many passkeys as one person may have. Remove one first."));
		*ok = false;
		return GH_RC_OK;
	}
	return web_passkey_new(w, purpose, w->user.id, challenge, rp_id, err);
}

gh_rc web_passkey_start(struct web *w, struct gh_err *err)
{
	struct str challenge, rp_id, title;
	bool ok;
	size_t n;

	TRY(web_passkey_begin(w, &challenge, &rp_id, &ok, err));
	if (!ok)
		return show(w, 422, err);
	TRY(put_list(w, &n, err));
	web_form_value(w, "name", str_trim(web_param(&w->rq.form, "name")));
	TRY(web_site_title(w, &title, err));
	liquid_set_text(w->page, "site_title", title);
	liquid_set_text(w->page, "challenge", challenge);
	liquid_set_text(w->page, "rp_id", rp_id);
	liquid_set_text(w->page, "user_id", w->user.id);
	web_title(w, "Make a passkey");
	return web_page(w, "web/passkey-make", err);
}

static GH_RC tell(struct web *w, const char *what, struct str name, struct gh_err *err)
{
	json_t *data = json_object();

	json_object_set_new(data, "what", json_string(what));
	json_object_set_new(data, "key", json_stringn(name.p, name.n));
	return web_mail(w, w->user.email, "passkey", web_greeting(&w->user), STR_NULL, data, err);
}

static GH_RC add(struct web *w, struct str name, struct store_passkey *key, struct gh_err *err)
{
	TRY(web_passkey_made(w, purpose, key, err));
	key->name = name;
	TRY(store_passkey_add(w->site->store, key, err));
	return tell(w, "A passkey was added to your account at {1}: {2}", name, err);
}

gh_rc web_passkey_finish(struct web *w, struct store_passkey *key, bool *ok, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct str name;
	gh_rc rc;

	*ok = name_ok(w, &name);
	if (!*ok)
		return GH_RC_OK;
	TRY(store_tx_begin(s, web_actor(w), err));
	rc = store_tx_end(s, add(w, name, key, err), err);
	if (!rc.code)
		return web_session_proven(w, err);
	if (rc.code != GH_E_INVALID && rc.code != GH_E_CONFLICT)
		return rc;
	log_warn("passkey not added", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err->message));
	web_form_problem(w, "The passkey was not accepted. Begin once more.");
	*ok = false;
	return GH_RC_OK;
}

gh_rc web_passkey_add(struct web *w, struct gh_err *err)
{
	struct store_passkey key;
	bool ok;

	TRY(web_passkey_finish(w, &key, &ok, err));
	if (!ok)
		return show(w, 422, err);
	TRY(web_flash(w, "good", STR("Your passkey is ready. Sign in with it from now on."), err));
	return web_redirect(w, STR("account/passkeys"), err);
}

static GH_RC drop(struct web *w, struct str id, struct gh_err *err)
{
	struct store_passkey key;
	bool found;

	TRY(store_passkey_find(w->site->store, w->a, id, &key, &found, err));
	if (!found || !str_eq(key.user_id, w->user.id))
		FAIL(err, NOT_FOUND, "no such passkey");
	TRY(store_passkey_remove(w->site->store, id, w->user.id, err));
	return tell(w, "A passkey was removed from your account at {1}: {2}", key.name, err);
}

gh_rc web_passkey_drop(struct web *w, struct str id, struct gh_err *err)
{
	struct store *s = w->site->store;

	TRY(store_tx_begin(s, web_actor(w), err));
	return store_tx_end(s, drop(w, id, err), err);
}

gh_rc web_passkey_remove(struct web *w, struct gh_err *err)
{
	TRY(web_passkey_drop(w, w->rq.args[0], err));
	TRY(web_flash(w, "good", STR("The passkey is removed. It opens nothing any more."), err));
	return web_redirect(w, STR("account/passkeys"), err);
}
