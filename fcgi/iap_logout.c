/* iap_logout.c - the end of sessions: by the person, and by the provider (OpenID Connect Back-Channel Logout 1.0). */
#include "fcgi/iap.h"

#include "core/counter.h"
#include "core/log.h"
#include "core/str.h"
#include "core/uri.h"
#include "fcgi/serving.h"

#include <stdio.h>

/* ---- marks --------------------------------------------------------------------------------------------------------------------- */

static struct str mark_key(struct iap *f, char kind, struct str id)
{
	return arena_printf(f->k->arena, "ended|%.*s|%c|%.*s", STR_ARG(f->conf->provider), kind, STR_ARG(id));
}

/* The mark holds when it was made; it stays for as long as a session that is older than it could. Not in the cache, which
 * makes room for what is newer: notes among the counters keep their place. */
bool iap_end_session(struct iap *f, char kind, struct str id)
{
	struct counters *counters = f->k->wk->serving->counters;
	struct str key = mark_key(f, kind, id);
	int64_t now = iap_now_us(f);

	if (counters && key.p && counter_note(counters, key, now, now + iap_longest_us(f)) != COUNTER_NO_ROOM)
		return true;
	log_error("a session could not be ended", KV_STR("provider", f->conf->provider),
		  KV_CSTR("reason", counters ? "no room for a note: counter.entries" : "the counters are away"));
	return false;
}

bool iap_is_ended(struct iap *f, const struct iap_session *s, bool *ended)
{
	struct counters *counters = f->k->wk->serving->counters;
	const struct {
		char kind;
		struct str id;
	} marks[] = { { 'i', s->id }, { 's', s->sid }, { 'u', s->subject } };

	if (!counters)
		return false;
	*ended = s->begun_us < counter_notes_since_us(counters, false);  /* whether it was ended is not known any more */
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		struct str key = marks[i].id.n ? mark_key(f, marks[i].kind, marks[i].id) : STR("none");
		int64_t when;

		if (!key.p)
			return false;
		if (marks[i].id.n && counter_find_note(counters, key, &when) && (marks[i].kind != 'u' || s->begun_us <= when))
			*ended = true;
	}
	return true;
}

/* ---- by the person -------------------------------------------------------------------------------------------------------------- */

static enum step leave(struct iap *f)
{
	struct arena *a = f->k->arena;
	if (f->pub->end_session) {                       /* RP-Initiated Logout 1.0 */
		struct str end = str_of(f->pub->end_session), to;

		to = arena_printf(a, "%.*s%sclient_id=%.*s", STR_ARG(end), str_find_char(end, '?') == SIZE_MAX ? "?" : "&",
				  STR_ARG(uri_encode(a, f->conf->client_id, URI_KEEP_UNRESERVED)));
		return iap_redirect(f, to, STR_NULL);
	}
	f->k->finished = true;
	answer_json(f->k, 200, STR("{ \"statusCode\": 200, \"message\": \"You are signed out\" }"));
	return STEP_RESPOND;
}

/* Another site's page must not sign people out. */
enum step iap_logout(struct iap *f)
{
	struct str site = fields_get(&f->k->x.request.headers, STR("Sec-Fetch-Site"));
	struct str sealed = iap_cookie(f->k, "gh_iap_", f->conf->provider);

	if (str_eq(site, STR("cross-site")))
		return iap_refuse(f, REASON_SIGN_IN_STATE, "asked for by another site");
	if (sealed.n && iap_session_read(f, sealed, &f->session) && !iap_end_session(f, 'i', f->session.id))
		return iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, "the end of a session cannot be noted");
	if (!iap_set_cookie(f, "gh_iap_", f->conf->provider, STR(""), STR_NULL, 0, &f->cookie))
		return STEP_FAIL;
	return iap_discover(f, leave);
}

/* ---- by the provider -------------------------------------------------------------------------------------------------------------- */

static enum step say(struct iap *f, int status, const char *error)
{
	f->k->finished = true;
	if (error)
		log_warn("back-channel logout refused", KV_STR("provider", f->conf->provider), KV_CSTR("reason", error));
	answer_prepare(f->k, status, STR_NULL,
		       error ? arena_printf(f->k->arena, "{\"error\":\"invalid_request\",\"error_description\":\"%s\"}", error) : STR("{}"));
	if (!fields_add(&f->k->x.response.headers, STR("Cache-Control"), STR("no-store")))
		f->k->reason = REASON_NO_MEMORY;
	answer_finished(f->k);
	return STEP_RESPOND;
}

/* Issuer, audience and times; a logout token need not say when it expires. */
static bool is_for_us(const struct iap *f)
{
	const struct jose_claim_rules rules = {
		.now_s = iap_now_us(f) / 1000000, .skew_s = OPENID_SKEW_S, .issuers = &f->conf->issuer, .n_issuers = 1,
		.audiences = &f->conf->client_id, .n_audiences = 1,
	};

	return jose_check_claims(f->claims, &rules) == JOSE_OK;
}

/* Section 2.6. */
static enum step verified(struct iap *f)
{
	struct str sid = jsn_str(f->claims, "sid"), subject = jsn_str(f->claims, "sub");
	const json_t *events = jsn_obj(f->claims, "events");

	if (!is_for_us(f))
		return say(f, 400, "the token is of another issuer, for another client, or too old");
	if (!json_is_object(json_object_get(events, "http://schemas.openid.net/event/backchannel-logout")))
		return say(f, 400, "the token is no logout token");
	if (jsn_get(f->claims, "nonce"))
		return say(f, 400, "a logout token holds no nonce");
	if (!json_is_integer(jsn_get(f->claims, "iat")) || !jsn_str(f->claims, "jti").n)
		return say(f, 400, "the token has no iat or no jti");
	if (!sid.n && !subject.n)
		return say(f, 400, "the token names no session and nobody");
	if (sid.n > IAP_BACK_MAX || subject.n > IAP_BACK_MAX)
		return say(f, 400, "the token is too large");
	if (!(sid.n ? iap_end_session(f, 's', sid) : iap_end_session(f, 'u', subject)))
		return iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, "the end of a session cannot be noted");
	log_info("session ended by the provider", KV_STR("provider", f->conf->provider));
	return say(f, 200, NULL);
}

static enum step not_signed(struct iap *f)
{
	return say(f, 400, "the signature of the token does not fit");
}

/* Waits until the form is here: it is small. */
enum step iap_backchannel(struct iap *f)
{
	struct call *k = f->k;
	struct str token;

	if (!str_eq(k->x.request.method, STR("POST")))
		return say(f, 400, "logout tokens are posted");
	if (!k->form_most && !call_wants_form(k, IAP_FORM_MAX))
		return STEP_RESPOND;
	if (!k->up_ended)
		return STEP_WAIT;
	if (!uri_query_find(buf_view(&k->up), STR("logout_token"), &token) || !token.n)
		return say(f, 400, "there is no logout_token");
	f->token = uri_decode(k->arena, token, true);
	f->bad = not_signed;
	return iap_verify(f, verified);
}
