/* iap_back.c - the way to the provider and back: what is remembered in between, the code's exchange, the new session.
 *
 * What is remembered stands in a sealed cookie whose name holds the beginning of the state, so that several tabs can be on
 * their way at once. It is for the callback's address only and goes with it. */
#include "fcgi/iap.h"

#include "core/str.h"
#include "core/uri.h"
#include "fcgi/serving.h"

enum { STATE_TAG = 8, GROUPS_MAX = 200, GROUP_BYTES_MAX = 2000, TEXT_MAX = 254 };
static const char go_cookie[] = "gh_go_";

static struct str callback_path(const struct call *k)
{
	return arena_printf(k->arena, "%.*s/-/iap/callback", STR_ARG(call_mount(k)));
}

/* Where it began, as far as it may stand in a cookie and be gone back to: a path of this host and nothing else. */
static struct str way_back(const struct call *k)
{
	const struct url *u = &k->x.request.original_url;
	struct str back = u->query.p ? arena_printf(k->arena, "%.*s?%.*s", STR_ARG(u->path), STR_ARG(u->query)) : u->path;

	if (str_starts(u->path, STR("//")) || str_find_char(u->path, '\\') != SIZE_MAX)    /* a browser takes it for another host */
		return STR("");
	return back.n <= IAP_BACK_MAX ? back : u->path.n <= IAP_BACK_MAX ? u->path : STR("");
}

enum step iap_begin(struct iap *f)
{
	struct call *k = f->k;
	struct arena *a = k->arena;
	struct str sealed, cookie, redirect;

	redirect = arena_printf(a, "%.*s%.*s", STR_ARG(iap_origin(k)), STR_ARG(callback_path(k)));
	if (openid_attempt_new(a, &f->attempt, NULL).code)
		return STEP_FAIL;
	if (!iap_seal(k, "iap go",
		      arena_printf(a, "%.*s\n%.*s\n%lld\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(f->conf->provider), STR_ARG(f->conf->issuer),
				   (long long)(iap_now_us(f) / 1000000 + IAP_GO_S), STR_ARG(f->attempt.state), STR_ARG(f->attempt.nonce),
				   STR_ARG(f->attempt.verifier), STR_ARG(way_back(k))),
		      &sealed)
	    || !iap_set_cookie(f, go_cookie, str_first(f->attempt.state, STATE_TAG), sealed, callback_path(k), IAP_GO_S, &cookie))
		return STEP_FAIL;
	return iap_redirect(f, openid_authorize_address(a, str_of(f->pub->authorization), f->conf->client_id, f->conf->scopes, redirect,
							&f->attempt),
			    cookie);
}

/* ---- claims ------------------------------------------------------------------------------------------------------------------ */

/* By the rules of any API of the provider: the session is for all of them. */
static bool asked_for(const struct iap *f, struct str group)
{
	const struct snapshot *s = f->g->snapshot;

	for (size_t i = 0; i < s->n_iap; i++)
		for (size_t k = 0; k < s->iap[i].n_groups && str_eq(s->iap[i].provider, f->conf->provider); k++)
			if (str_eq(s->iap[i].groups[k], group))
				return true;
	return false;
}

/* One a line. A cookie has little room: those that some rule asks for come first, the others as far as they fit. */
static struct str groups_of(struct iap *f, const json_t *v)
{
	struct arena *a = f->k->arena;
	struct str out = STR("");

	if (json_is_string(v))
		return str_find_char(jsn_string(v), '\n') == SIZE_MAX ? jsn_string(v) : STR("");
	for (int wanted = 1; wanted >= 0; wanted--)
		for (size_t i = 0; i < json_array_size(v) && i < GROUPS_MAX * 10; i++) {
			struct str g = jsn_string(json_array_get(v, i));

			if (!g.n || str_find_char(g, '\n') != SIZE_MAX || asked_for(f, g) != (wanted == 1)
			    || out.n + g.n > GROUP_BYTES_MAX)
				continue;
			out = out.n ? arena_printf(a, "%.*s\n%.*s", STR_ARG(out), STR_ARG(g)) : g;
			if (!out.p)
				return STR("");
		}
	return out;
}

static struct str short_text(struct str s)
{
	return s.n && s.n <= TEXT_MAX ? s : STR("");
}

void iap_take_claims(struct iap *f, const json_t *info)
{
	const json_t *verified = openid_claim(f->claims, info, STR("email_verified"));
	struct iap_session *s = &f->session;

	s->provider = f->conf->provider;
	s->subject = jsn_str(f->claims, "sub");
	/* a refreshed token need not name the session again: it is the same one, and the provider may end it by that name */
	if (jsn_str(f->claims, "sid").n || !s->sid.p)
		s->sid = short_text(jsn_str(f->claims, "sid"));
	/* an address that the provider says is not proven must not become somebody's identity at the backend */
	s->email = verified && !openid_is_true(verified)
			   ? STR("") : short_text(jsn_string(openid_claim(f->claims, info, STR("email"))));
	s->name = short_text(jsn_string(openid_claim(f->claims, info, STR("name"))));
	if (!s->name.n)
		s->name = short_text(jsn_string(openid_claim(f->claims, info, STR("preferred_username"))));
	s->groups = groups_of(f, f->conf->groups_claim.n ? openid_claim(f->claims, info, f->conf->groups_claim) : NULL);
}

void iap_take_lifetime(struct iap *f)
{
	struct str refresh = jsn_str(f->tokens, "refresh_token");
	int64_t seconds = jsn_int(f->tokens, "expires_in", 0);

	if (refresh.n)
		f->session.refresh = refresh;
	f->session.fresh_us = f->session.refresh.n && seconds > 0 && seconds < 31536000 ? iap_now_us(f) + seconds * 1000000 : 0;
}

/* ---- back --------------------------------------------------------------------------------------------------------------------- */

static enum step finish(struct iap *f, const json_t *info)
{
	struct str done;

	iap_take_claims(f, info);
	iap_take_lifetime(f);
	f->session.begun_us = f->session.seen_us = iap_now_us(f);
	if (crypto_random_hex(f->k->arena, 16, &f->session.id, NULL).code || !iap_session_cookie(f))
		return iap_refuse(f, REASON_SIGN_IN_FAILED, "the session does not fit into a cookie");
	if (!iap_set_cookie(f, go_cookie, str_first(f->attempt.state, STATE_TAG), STR(""), callback_path(f->k), 0, &done))
		return STEP_FAIL;
	return iap_redirect(f, f->back.n ? f->back : arena_printf(f->k->arena, "%.*s/", STR_ARG(call_mount(f->k))), done);
}

static enum step informed(struct iap *f)
{
	const json_t *info = iap_answer(f, NULL);

	if (!info)
		return iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, "the user's information could not be had");
	if (!str_eq(jsn_str(info, "sub"), jsn_str(f->claims, "sub")))    /* Core section 5.3.2 */
		return iap_refuse(f, REASON_SIGN_IN_FAILED, "the user's information is of somebody else");
	return finish(f, info);
}

static enum step verified(struct iap *f)
{
	struct str access = jsn_str(f->tokens, "access_token");
	bool told = jsn_get(f->claims, "email") && (!f->conf->groups_claim.n || jsn_get_n(f->claims, f->conf->groups_claim));
	const char *problem = openid_check_claims(f->claims, f->conf->issuer, f->conf->client_id, f->attempt.nonce, iap_now_us(f) / 1000000);

	if (problem)
		return iap_refuse(f, REASON_SIGN_IN_FAILED, problem);
	if (told || !f->pub->userinfo || !access.n)
		return finish(f, NULL);
	return iap_ask(f, f->pub->userinfo, STR_NULL, false, arena_printf(f->k->arena, "Bearer %.*s", STR_ARG(access)), informed);
}

static enum step exchanged(struct iap *f)
{
	bool rejected;

	f->tokens = iap_answer(f, &rejected);
	if (!f->tokens)
		return iap_refuse(f, rejected ? REASON_SIGN_IN_FAILED : REASON_SIGN_IN_UNAVAILABLE, "the code was not exchanged");
	f->token = jsn_str(f->tokens, "id_token");
	return iap_verify(f, verified);
}

static enum step exchange(struct iap *f)
{
	struct arena *a = f->k->arena;
	struct str redirect = arena_printf(a, "%.*s%.*s", STR_ARG(iap_origin(f->k)), STR_ARG(callback_path(f->k))), issuer = STR_NULL;
	bool says = uri_query_find(f->k->x.request.original_url.query, STR("iss"), &issuer);

	if (says ? !str_eq(uri_decode(a, issuer, true), f->conf->issuer) : f->pub->says_issuer)
		return iap_refuse(f, REASON_SIGN_IN_FAILED, "the answer comes from another provider");
	return iap_ask(f, f->pub->token,
		       openid_code_form(a, f->code, redirect, f->attempt.verifier),
		       true, STR_NULL, exchanged);
}

/* The cookie of this attempt; the provider that it names is still configured. */
static bool read_attempt(struct iap *f, struct str state)
{
	struct str sealed = iap_cookie(f->k, go_cookie, str_first(state, STATE_TAG)), plain, provider, issuer, until, want;
	const struct snapshot *s = f->g->snapshot;
	int64_t ends;

	if (state.n < STATE_TAG || !sealed.n || !iap_unseal(f->k, "iap go", sealed, &plain) || !str_split(&plain, '\n', &provider)
	    || !str_split(&plain, '\n', &issuer) || !str_split(&plain, '\n', &until) || !str_split(&plain, '\n', &want) || !str_split(&plain, '\n', &f->attempt.nonce)
	    || !str_split(&plain, '\n', &f->attempt.verifier) || !plain.p)
		return false;
	f->back = plain;
	f->attempt.state = state;
	for (size_t i = 0; i < s->n_iap; i++)
		if (str_eq(s->iap[i].provider, provider) && str_eq(s->iap[i].issuer, issuer))
			f->conf = &s->iap[i];
	return f->conf && crypto_equal(want, state) && str_to_i64(until, 0, INT64_MAX, &ends) && ends >= iap_now_us(f) / 1000000;
}

enum step iap_callback(struct iap *f)
{
	struct str query = f->k->x.request.original_url.query, state = STR_NULL, code = STR_NULL, said;
	struct arena *a = f->k->arena;

	if (!str_eq(f->k->x.request.method, STR("GET")))
		return iap_refuse(f, REASON_SIGN_IN_STATE, "method");
	if (uri_query_find(query, STR("state"), &state))
		state = uri_decode(a, state, true);
	if (!state.n || !read_attempt(f, state))
		return iap_refuse(f, REASON_SIGN_IN_STATE, "no such attempt in this browser");
	if (uri_query_find(query, STR("error"), &said))
		return iap_refuse(f, REASON_SIGN_IN_FAILED, "the provider did not sign in");
	if (!uri_query_find(query, STR("code"), &code) || !code.n)
		return iap_refuse(f, REASON_SIGN_IN_STATE, "no code");
	f->code = uri_decode(a, code, true);
	return iap_discover(f, exchange);
}
