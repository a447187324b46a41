#include "portal/web/internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "db/preferences.h"

/* A session is a random cookie whose SHA-256 names a row of the store; who steals the store cannot sign in with it. It
 * ends when it was not used for a while, and for good some hours after it began. Visitors have no session: a form that
 * they may send (signing in) carries a token that is a MAC of a random cookie, so no visit writes to the store. */

enum { SEEN_EVERY_US = 60 * 1000000, COOKIE_HEX = 64, VISIT_BYTES = 16 };

static const char visit_cookie[] = "gh_visit";

static struct str session_id(struct arena *a, struct str cookie)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(cookie, digest);
	return crypto_hex(a, (struct str){ (const char *)digest, sizeof(digest) });
}

static struct str actor_of(struct web *w, struct str email)
{
	return email.n ? arena_printf(w->a, "user:%.*s", STR_ARG(email)) : STR("web");
}

static int64_t ends_at(const struct web *w, int64_t now)
{
	int64_t idle = now + config_int(&w->site->config, CONFIG_WEB_SESSION_IDLE_S) * 1000000;
	int64_t most = w->session.created_us + config_int(&w->site->config, CONFIG_WEB_SESSION_MAX_S) * 1000000;

	return idle < most ? idle : most;
}

static GH_RC save_session(struct web *w, struct gh_err *err)
{
	TRY(store_tx_begin(w->site->store, actor_of(w, w->user.email), err));
	return store_tx_end(w->site->store, store_session_update(w->site->store, &w->session, err), err);
}

static void touch_session(struct web *w)
{
	int64_t now = clock_wall_us();
	struct gh_err err;

	if (now - w->session.seen_us < SEEN_EVERY_US)
		return;
	w->session.seen_us = now;
	w->session.ends_us = ends_at(w, now);
	w->session.address = w->rq.address;
	/* a store that cannot be written to must not keep people from reading */
	if (save_session(w, &err).code)
		log_warn("session not prolonged", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err.message));
}

static GH_RC find_session(struct web *w, struct str cookie, bool *found, struct gh_err *err)
{
	struct str id = session_id(w->a, cookie);
	int64_t now = clock_wall_us();

	*found = false;
	if (!id.p)
		FAIL(err, NOMEM, "session");
	TRY(store_session_find(w->site->store, w->a, id, &w->session, found, err));
	if (!*found || !w->session.user_id.n || w->session.ends_us <= now
	    || !str_eq(w->session.app, str_of(w->site->app->cookie))) {
		*found = false;
		return GH_RC_OK;
	}
	TRY(store_user_find(w->site->store, w->a, w->session.user_id, &w->user, found, err));
	*found = *found && w->user.state == STORE_USER_ACTIVE;
	return GH_RC_OK;
}

/* What the account may. The portal asks for no place: everybody's own things only. */
static GH_RC read_rights(struct web *w, struct gh_err *err)
{
	w->rights = (struct rights){ .everywhere = rights_of_role(w->user.role) };
	return w->site->app->is_dashboard ? rights_of_user(w->site->store, w->a, w->user.id, w->user.role, &w->rights, err) : GH_RC_OK;
}

GH_RC web_may_enter(struct web *w, const struct store_user *user, bool *yes, struct gh_err *err)
{
	enum web_right enter = w->site->app->enter;
	struct rights r;

	*yes = web_role_may(user->role, enter);
	if (*yes || !w->site->app->is_dashboard)
		return GH_RC_OK;
	TRY(rights_of_user(w->site->store, w->a, user->id, user->role, &r, err));
	*yes = rights_anywhere(&r, web_right_of(enter));
	return GH_RC_OK;
}

void web_identify(struct web *w)
{
	struct str cookie = web_param(&w->rq.cookies, w->site->app->cookie);
	struct gh_err err;

	if (cookie.n != COOKIE_HEX || !w->site->store)
		return;
	if (find_session(w, cookie, &w->signed_in, &err).code) {
		log_error("session", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err.message));
		w->signed_in = false;
	}
	if (!w->signed_in) {
		w->user = (struct store_user){ .role = STR_NULL };
		w->session = (struct store_session){ .id = STR_NULL };
		return;
	}
	if (read_rights(w, &err).code) {
		log_error("rights", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err.message));
		w->rights = (struct rights){ .everywhere = 0 };
	}
	w->csrf = w->session.csrf;
	/* a page that follows events asks by itself, for as long as it is open: nobody needs to sit in front of it */
	if (!str_eq(w->rq.accept, STR("text/event-stream")))
		touch_session(w);
}

void web_set_cookie(struct web *w, const char *name, struct str value, const char *more)
{
	web_header(w, "Set-Cookie",
		   arena_printf(w->a, "%s=%.*s; Path=%.*s; HttpOnly; SameSite=Lax%s%s", name, STR_ARG(value),
				STR_ARG(w->site->base), w->rq.tls ? "; Secure" : "", more));
}

gh_rc web_session_begin(struct web *w, const struct store_user *user, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct store_session old = w->session;
	bool had = w->signed_in;
	struct str cookie;
	gh_rc rc;

	TRY(crypto_random_hex(w->a, COOKIE_HEX / 2, &cookie, err));
	w->session = (struct store_session){ .id = session_id(w->a, cookie), .user_id = user->id,
					     .app = str_of(w->site->app->cookie), .address = w->rq.address,
					     .agent = w->rq.agent, .proof = w->proof ? str_of(w->proof) : STR("") };
	TRY(crypto_random_hex(w->a, 32, &w->session.csrf, err));
	w->session.created_us = w->session.seen_us = clock_wall_us();
	w->session.ends_us = ends_at(w, w->session.created_us);
	TRY(store_tx_begin(s, actor_of(w, user->email), err));
	rc = store_sessions_prune(s, err);               /* those that have ended, while we write anyway */
	if (!rc.code)
		rc = store_session_create(s, &w->session, err);
	if (!rc.code && w->lang && !w->site->app->is_dashboard)
		rc = store_preference_seen(s, user->id, lang_code(w->lang), err);
	if (!rc.code)
		rc = store_user_signed_in(s, user->id, w->session.created_us, err);
	if (!rc.code && had) {
		rc = store_session_delete(s, old.id, err);
		if (rc.code == GH_E_NOT_FOUND)
			rc = GH_RC_OK;
	}
	TRY(store_tx_end(s, rc, err));
	w->user = *user;
	w->signed_in = true;
	w->csrf = w->session.csrf;
	web_set_cookie(w, w->site->app->cookie, cookie, "");
	return GH_RC_OK;
}

gh_rc web_session_proven(struct web *w, struct gh_err *err)
{
	if (!w->session.id.n)
		return GH_RC_OK;
	w->session.proof = STR(WEB_PROOF_SECOND_FACTOR);
	return save_session(w, err);
}

gh_rc web_session_end(struct web *w, struct gh_err *err)
{
	struct store *s = w->site->store;
	gh_rc rc;

	if (!w->signed_in)
		return GH_RC_OK;
	TRY(store_tx_begin(s, actor_of(w, w->user.email), err));
	rc = store_session_delete(s, w->session.id, err);
	if (rc.code == GH_E_NOT_FOUND)
		rc = GH_RC_OK;
	TRY(store_tx_end(s, rc, err));
	w->signed_in = false;
	w->csrf = STR_NULL;                      /* it was of the session; a visitor has another */
	web_set_cookie(w, w->site->app->cookie, STR(""), "; Max-Age=0");
	return GH_RC_OK;
}

gh_rc web_flash(struct web *w, const char *kind, struct str text, struct gh_err *err)
{
	w->session.data = arena_printf(w->a, "%s\n%.*s", kind, STR_ARG(web_text(w, text)));
	if (!w->session.data.p)
		FAIL(err, NOMEM, "message");
	return save_session(w, err);
}

void web_flash_show(struct web *w)
{
	struct str rest = w->session.data, kind;
	struct liquid_record *flash;
	struct gh_err err;

	liquid_set(w->page, "flash", LIQUID_NIL_VALUE);
	if (!w->signed_in || !rest.n || !str_split(&rest, '\n', &kind))
		return;
	flash = liquid_set_record(w->page, "flash");
	liquid_set_text(flash, "kind", kind);
	liquid_set_text(flash, "text", rest);
	w->session.data = STR_NULL;
	if (save_session(w, &err).code)
		log_warn("message not cleared", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err.message));
}

/* ---- form tokens --------------------------------------------------------------------------------------------------- */

static struct str visitor_token(struct web *w, const struct web_keys *keys, struct str visit)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];

	crypto_hmac_sha256((struct str){ (const char *)keys->form, sizeof(keys->form) }, visit, mac);
	return crypto_hex(w->a, (struct str){ (const char *)mac, sizeof(mac) });
}

/* The token for forms on this page; a visitor without the cookie gets one. */
void web_csrf_prepare(struct web *w)
{
	struct str visit = web_param(&w->rq.cookies, visit_cookie);

	if (w->csrf.n)
		return;
	if (visit.n != VISIT_BYTES * 2) {
		if (crypto_random_hex(w->a, VISIT_BYTES, &visit, NULL).code)
			return;
		web_set_cookie(w, visit_cookie, visit, "");
	}
	w->csrf = visitor_token(w, &w->site->keys, visit);
}

bool web_csrf_matches(struct web *w, struct str sent)
{
	const struct web_keys *keys[] = { &w->site->keys, web_keys_before(w->site) };
	struct str visit = web_param(&w->rq.cookies, visit_cookie);
	bool ok = false;

	if (w->signed_in)
		return w->session.csrf.n && sent.n && crypto_equal(sent, w->session.csrf);
	for (size_t i = 0; i < ARRAY_LEN(keys) && keys[i] && sent.n && visit.n == VISIT_BYTES * 2; i++) {
		struct str want = visitor_token(w, keys[i], visit);

		ok |= want.n && crypto_equal(sent, want);
	}
	return ok;
}

bool web_csrf_ok(struct web *w)
{
	return web_csrf_matches(w, web_param(&w->rq.form, "csrf"));
}
