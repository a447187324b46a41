#include "portal/admin/consent.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/tokens.h"
#include "db/certificates.h"
#include "db/credentials.h"

#include <curl/curl.h>

/* The way to the provider and back: authorization code with PKCE (RFC 7636) and a state, both in a sealed cookie of this
 * browser. The code is exchanged here, the refresh token goes sealed into the store, and the gateway lives on it. The access
 * token that comes with it is not kept: the gateway asks for its own. */

enum { ATTEMPT_S = 900, RANDOM_BYTES = 32, CODE_MAX = 4096 };
static const char cookie[] = "gh_consent";

static GH_RC callback(struct web *w, struct str *out, struct gh_err *err)
{
	struct str host;

	TRY(web_public_address(w, &host, err));
	*out = arena_printf(w->a, "%.*s%.*scredentials/callback", STR_ARG(host), STR_ARG(w->site->base));
	if (!out->p)
		FAIL(err, NOMEM, "address");
	return GH_RC_OK;
}

static GH_RC find(struct web *w, struct str environment, struct str id, struct credential *out, struct gh_err *err)
{
	struct store_credential row;
	bool found;

	TRY(store_credential_find(w->site->store, w->a, environment, id, true, &row, &found, err));
	if (!found || !str_eq(row.kind, STR("authorization-code")))
		FAIL(err, NOT_FOUND, "no such credential, or none that is consented to");
	return store_credential_parse(w->a, &row, out, err);
}

gh_rc admin_consent_start(struct web *w, struct gh_err *err)
{
	struct str state, verifier, redirect, to;
	struct credential c;

	if (!crypto_equal(web_param(&w->rq.query, "link"), web_link_mark(w)))
		FAIL(err, DENIED, "the address to connect a credential was not made for this session");
	TRY(find(w, w->rq.args[0], w->rq.args[1], &c, err));
	TRY(crypto_random_hex(w->a, RANDOM_BYTES, &state, err));
	TRY(crypto_random_hex(w->a, RANDOM_BYTES, &verifier, err));
	TRY(callback(w, &redirect, err));
	TRY(token_consent_url(w->a, &c, redirect, state, token_challenge(w->a, verifier), &to, err));
	TRY(web_sealed_put(w, cookie,
			   arena_printf(w->a, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(w->rq.args[0]), STR_ARG(w->rq.args[1]), STR_ARG(state),
					STR_ARG(verifier), STR_ARG(w->user.id)), ATTEMPT_S, err));
	w->rs.status = 303;
	web_header(w, "Location", to);
	return GH_RC_OK;
}

/* ---- the token endpoint ---------------------------------------------------------------------------------------------- */

static size_t collect(char *bytes, size_t size, size_t n, void *to)
{
	buf_add(to, bytes, size * n);
	return buf_ok(to) ? size * n : 0;
}

static void give_blob(CURL *e, CURLoption option, struct str bytes)
{
	struct curl_blob b = { (void *)(uintptr_t)bytes.p, bytes.n, CURL_BLOB_COPY };

	if (bytes.n)
		curl_easy_setopt(e, option, &b);
}

/* What is shown to the endpoint, and who vouches for it. */
static GH_RC give_certificates(struct web *w, CURL *e, const struct token_ask *ask, struct gh_err *err)
{
	bool own = !ask->certificate_id.n, authority = !ask->ca_id.n;
	struct store_certificate *v;
	size_t n;

	if (own && authority)
		return GH_RC_OK;
	TRY(store_certificates(w->site->store, w->a, true, &v, &n, err));
	for (size_t i = 0; i < n; i++) {
		if (!own && str_eq(v[i].id, ask->certificate_id)) {
			give_blob(e, CURLOPT_SSLCERT_BLOB, v[i].pem);
			give_blob(e, CURLOPT_SSLKEY_BLOB, v[i].key_pem);
			own = true;
		}
		if (!authority && str_eq(v[i].id, ask->ca_id)) {
			give_blob(e, CURLOPT_CAINFO_BLOB, v[i].pem);
			authority = true;
		}
	}
	if (!own || !authority)
		FAIL(err, NOT_FOUND, "a certificate that `certificate` or `ca` names is not there");
	return GH_RC_OK;
}

static GH_RC post(struct web *w, CURL *e, const struct token_ask *ask, struct buf *body, long *status, struct gh_err *err)
{
	long ms = (long)config_int(&w->site->config, CONFIG_CREDENTIAL_TIMEOUT_MS);
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json"), *more = headers;
	CURLcode code;

	if (headers && ask->authorization.n)
		more = curl_slist_append(headers, arena_printf(w->a, "Authorization: %.*s", STR_ARG(ask->authorization)).p);
	if (!more) {
		curl_slist_free_all(headers);
		FAIL(err, NOMEM, "token request");
	}
	curl_easy_setopt(e, CURLOPT_URL, arena_cstr(w->a, ask->url));
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, ms);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.n);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, ask->body.p);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, body);
	code = curl_easy_perform(e);
	curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, status);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		FAIL(err, UPSTREAM, "the token endpoint cannot be used: %s", curl_easy_strerror(code));
	return GH_RC_OK;
}

static GH_RC exchange(struct web *w, const struct credential *c, const struct token_grant *g, struct token_answer *out,
		      struct gh_err *err)
{
	struct token_ask ask;
	struct buf body;
	long status = 0;
	CURL *e;
	gh_rc rc;

	TRY(token_ask_make(w->a, c, g, &ask, err));
	e = curl_easy_init();
	if (!e)
		FAIL(err, NOMEM, "token request");
	buf_init(&body, (size_t)config_int(&w->site->config, CONFIG_CREDENTIAL_RESPONSE_BYTES));
	rc = give_certificates(w, e, &ask, err);
	if (!rc.code)
		rc = post(w, e, &ask, &body, &status, err);
	if (!rc.code && token_answer_read(w->a, c, (int)status, buf_view(&body), STR_NULL, out) != TOKEN_OK)
		rc = gh_err_set(err, GH_E_UPSTREAM, __FILE__, __LINE__, "the token endpoint %.*s", STR_ARG(out->problem));
	curl_easy_cleanup(e);
	if (body.p)
		crypto_wipe(body.p, body.n);
	buf_release(&body);
	return rc;
}

/* ---- back ------------------------------------------------------------------------------------------------------------ */

static GH_RC keep(struct web *w, const struct credential *c, struct str refresh_token, struct gh_err *err)
{
	struct store_credential_grant g = { .environment_id = c->environment, .credential_id = c->id, .refresh_token = refresh_token,
					    .granted_by = web_actor(w) };
	struct tokens *t;

	TRY(store_tx_begin(w->site->store, g.granted_by, err));
	TRY(store_tx_end(w->site->store, store_credential_grant_set(w->site->store, &g, err), err));
	/* tokens of whoever consented before */
	TRY(admin_open_tokens(w, &t, err));
	if (t)
		tokens_purge(t, c->environment, c->id);
	tokens_close(t);
	return GH_RC_OK;
}

static GH_RC say(struct web *w, bool good, struct str text, struct gh_err *err)
{
	if (!good)
		log_warn("a credential was not connected", KV_STR("request_id", w->rq.id), KV_STR("reason", text));
	TRY(web_flash(w, good ? "good" : "bad", text, err));
	return web_redirect(w, STR("credentials"), err);
}

struct attempt {
	struct str environment, id, state, verifier, user_id;
};

static bool read_attempt(struct web *w, struct attempt *out)
{
	struct str text = web_sealed_get(w, cookie);

	return text.n && str_split(&text, '\n', &out->environment) && str_split(&text, '\n', &out->id)
	       && str_split(&text, '\n', &out->state) && str_split(&text, '\n', &out->verifier) && str_split(&text, '\n', &out->user_id)
	       && str_eq(out->user_id, w->user.id);
}

struct str admin_consent_environment(struct web *w)
{
	struct attempt t;

	return read_attempt(w, &t) ? t.environment : STR_NULL;
}

static GH_RC connect_with(struct web *w, const struct attempt *t, struct str code, struct gh_err *err)
{
	struct token_grant g = { .code = code, .code_verifier = t->verifier, .now_s = clock_wall_us() / 1000000 };
	struct token_answer answer;
	struct credential c;
	gh_rc rc;

	TRY(find(w, t->environment, t->id, &c, err));
	TRY(callback(w, &g.redirect_uri, err));
	rc = exchange(w, &c, &g, &answer, err);
	if (rc.code == GH_E_NOMEM)
		return rc;
	if (rc.code)
		return say(w, false, arena_printf(w->a, "%.*s was not connected: %s.", STR_ARG(t->id), err->message), err);
	if (!answer.refresh_token.n)
		return say(w, false, arena_printf(w->a, "%.*s was not connected: the provider gave no refresh token. Ask for the scope that does, "
							"often offline_access.", STR_ARG(t->id)), err);
	TRY(keep(w, &c, answer.refresh_token, err));
	return say(w, true, arena_printf(w->a, "%.*s is connected.", STR_ARG(t->id)), err);
}

gh_rc admin_consent_back(struct web *w, struct gh_err *err)
{
	struct str code = web_param(&w->rq.query, "code"), state = web_param(&w->rq.query, "state"), said = web_param(&w->rq.query, "error");
	struct attempt t;

	if (!read_attempt(w, &t) || !state.n || !crypto_equal(state, t.state))
		return say(w, false, STR("Nothing was connected: the answer does not belong to an attempt of this browser, or came too late. Try again."),
			   err);
	TRY(web_sealed_put(w, cookie, STR(""), 0, err));
	if (said.n || !code.n || code.n > CODE_MAX)
		return say(w, false, arena_printf(w->a, "%.*s was not connected: the provider refused (%.*s).", STR_ARG(t.id),
						  STR_ARG(said.n ? str_first(said, 60) : STR("no code"))), err);
	return connect_with(w, &t, code, err);
}
