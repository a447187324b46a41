#include "portal/web/oidc.h"

#include "core/clock.h"
#include "core/counter.h"
#include "core/crypto.h"
#include "core/jose.h"
#include "core/str.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>

enum { DEPTH = 32, TURN_MS = 20, TURNS = 50, SLOW_US = 1000000 };

/* ---- HTTP ------------------------------------------------------------------------------------------------------------ */

struct http_call {
	struct str issuer;               /* whose request it is */
	const char *url;
	struct str form;                 /* STR_NULL: GET */
	struct str basic;                /* "user:password", encoded; STR_NULL: none */
	struct str bearer;
	long status;
	struct buf body;
};

static size_t collect(char *bytes, size_t size, size_t n, void *ctx)
{
	struct buf *b = ctx;

	buf_add(b, bytes, size * n);
	return buf_ok(b) ? size * n : 0;
}

static CURLcode run(CURL *c, struct arena *a, const struct web_site *site, struct http_call *call, struct curl_slist *headers)
{
	long seconds = (long)config_int(&site->config, CONFIG_WEB_PROVIDER_TIMEOUT_S);

	curl_easy_setopt(c, CURLOPT_URL, call->url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, seconds);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, seconds);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &call->body);
	if (call->form.p) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, arena_cstr(a, call->form));
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)call->form.n);
	}
	if (call->basic.p) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(c, CURLOPT_USERPWD, arena_cstr(a, call->basic));
	}
	return curl_easy_perform(c);
}

/* ---- providers that hang ------------------------------------------------------------------------------------------------- */

/* One process is left for everybody else; where there is only one there is no choice. */
static uint32_t most_asking(const struct web_site *site)
{
	int64_t n = config_int(&site->config, site->app->is_dashboard ? CONFIG_ADMIN_WORKERS : CONFIG_PORTAL_WORKERS);

	return n > 1 ? (uint32_t)n - 1 : 1;
}

static struct str asking_key(struct arena *a, const struct web_site *site)
{
	return arena_printf(a, "oidc asking %s", site->app->program);
}

/* amount 0: whether it did not answer a moment ago; 1: notes that it did not. */
static bool is_away(struct arena *a, const struct web_site *site, struct str issuer, uint64_t amount)
{
	const struct counter_ask ask = {
		.type = COUNTER_TYPE_SLIDING, .limit = 1, .window_s = OIDC_AWAY_S, .amount = amount, .forced = amount > 0,
		.key = arena_printf(a, "oidc away|%.*s", STR_ARG(issuer)),
	};

	return counter_take(site->counters, &ask).used > 0;
}

/* Whoever is let in leaves with counter_leave(asking_key). */
static gh_rc wait_for_turn(struct arena *a, const struct web_site *site, struct str issuer, const char *what, struct gh_err *err)
{
	const struct timespec pause = { .tv_nsec = TURN_MS * 1000000L };

	for (int i = 0; i < TURNS; i++) {
		bool in = counter_enter(site->counters, asking_key(a, site), most_asking(site));

		if (is_away(a, site, issuer, 0)) {
			if (in)
				counter_leave(site->counters, asking_key(a, site));
			FAIL(err, UPSTREAM, "the %s was not asked for: the provider did not answer a moment ago", what);
		}
		if (in)
			return GH_RC_OK;
		nanosleep(&pause, NULL);
	}
	FAIL(err, UPSTREAM, "the %s was not asked for: too many wait for identity providers already", what);
}

static void leave_turn(struct arena *a, const struct web_site *site, struct str issuer, CURLcode code, int64_t begun_us)
{
	/* one that refuses at once costs nothing, and may be back the next moment */
	if (code != CURLE_OK && clock_mono_us() - begun_us > SLOW_US)
		is_away(a, site, issuer, 1);
	counter_leave(site->counters, asking_key(a, site));
}

/* The answer's JSON object in the arena. `what` names the request in messages. */
static gh_rc fetch(struct arena *a, const struct web_site *site, const char *what, struct http_call *call, json_t **out,
		   struct str *text, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = OIDC_ANSWER_MAX, .max_depth = DEPTH, .flags = JSN_BIG_INTEGERS };
	struct curl_slist *headers, *more;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	int64_t begun_us;
	CURL *c;

	TRY(wait_for_turn(a, site, call->issuer, what, err));
	begun_us = clock_mono_us();
	c = curl_easy_init();
	headers = curl_slist_append(NULL, "Accept: application/json");
	buf_init(&call->body, OIDC_ANSWER_MAX);
	more = call->bearer.n ? curl_slist_append(headers, arena_printf(a, "Authorization: Bearer %.*s", STR_ARG(call->bearer)).p) : headers;
	if (c && headers && more && call->url)
		code = run(c, a, site, call, headers);
	leave_turn(a, site, call->issuer, code, begun_us);
	if (c)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &call->status);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	*text = arena_dup(a, buf_view(&call->body));
	buf_release(&call->body);
	if (code != CURLE_OK)
		FAIL(err, UPSTREAM, "the %s could not be had: %s", what, curl_easy_strerror(code));
	if (!text->p || jsn_parse_in(a, *text, &limits, out, NULL, err).code || !json_is_object(*out))
		FAIL(err, UPSTREAM, "the %s is no JSON object (status %ld)", what, call->status);
	if (call->status != 200) {
		struct str error = jsn_str(*out, "error");

		FAIL(err, UPSTREAM, "the %s was refused with status %ld%s%.*s", what, call->status, error.n ? ", " : "",
		     STR_ARG(str_first(error, 100)));
	}
	return GH_RC_OK;
}

/* ---- what a provider publishes --------------------------------------------------------------------------------------- */

struct published {
	char *issuer;
	json_t *doc;
	struct jose_keys *keys;
	int64_t fetched_us, used_us;
};
static struct published kept[OIDC_PROVIDERS_MAX];

static void forget(struct published *p)
{
	free(p->issuer);
	json_decref(p->doc);
	jose_keys_free(p->keys);
	*p = (struct published){ 0 };
}

static gh_rc fetch_keys(struct arena *a, const struct web_site *site, struct str issuer, const json_t *doc, struct jose_keys **out,
			struct gh_err *err)
{
	struct http_call call = { .issuer = issuer, .url = arena_cstr(a, jsn_str(doc, "jwks_uri")) };
	struct jose_keys *keys;
	struct str text;
	json_t *v = NULL;

	TRY(fetch(a, site, "key set", &call, &v, &text, err));
	keys = jose_keys_new();
	if (!keys)
		FAIL(err, NOMEM, "keys");
	if (jose_keys_add_jwks(keys, text, NULL, err).code || !jose_keys_count(keys)) {
		jose_keys_free(keys);
		FAIL(err, UPSTREAM, "the key set has no key that can be used");
	}
	*out = keys;
	return GH_RC_OK;
}

static gh_rc fetch_published(struct arena *a, const struct web_site *site, struct str issuer, struct published *out,
			     struct gh_err *err)
{
	static const char *const needed[] = { "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri" };
	struct str base = issuer;
	struct http_call call = { .issuer = issuer };
	struct jose_keys *keys = NULL;
	struct str text;
	json_t *doc;

	while (base.n && base.p[base.n - 1] == '/')
		base.n--;
	call.url = arena_printf(a, "%.*s/.well-known/openid-configuration", STR_ARG(base)).p;
	TRY(fetch(a, site, "OpenID configuration", &call, &doc, &text, err));
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!jsn_str(doc, needed[i]).n)
			FAIL(err, UPSTREAM, "the OpenID configuration names no %s", needed[i]);
	/* Discovery section 4.3: else one provider could speak for another */
	if (!str_eq(jsn_str(doc, "issuer"), issuer))
		FAIL(err, UPSTREAM, "the OpenID configuration is of the issuer %.*s, not %.*s", STR_ARG(str_first(jsn_str(doc, "issuer"), 150)),
		     STR_ARG(str_first(issuer, 150)));
	TRY(fetch_keys(a, site, issuer, doc, &keys, err));
	forget(out);
	out->issuer = strndup(issuer.p, issuer.n);
	out->doc = json_incref(doc);
	out->keys = keys;
	out->fetched_us = clock_mono_us();
	if (!out->issuer)
		FAIL(err, NOMEM, "provider");
	return GH_RC_OK;
}

/* renew: a key was not known. */
static gh_rc published_of(struct arena *a, const struct web_site *site, struct str issuer, bool renew, struct published **out,
			  struct gh_err *err)
{
	struct published *p = &kept[0];
	int64_t now = clock_mono_us(), age;
	bool known;

	for (size_t i = 0; i < OIDC_PROVIDERS_MAX; i++) {
		if (kept[i].issuer && str_eq(str_of(kept[i].issuer), issuer)) {
			p = &kept[i];
			break;
		}
		if (kept[i].used_us < p->used_us)
			p = &kept[i];
	}
	*out = p;
	age = now - p->fetched_us;
	known = p->issuer && str_eq(str_of(p->issuer), issuer);
	if (!known || age > (int64_t)OIDC_FRESH_S * 1000000 || (renew && age > (int64_t)OIDC_FLOOR_S * 1000000)) {
		gh_rc rc = fetch_published(a, site, issuer, p, err);

		if (rc.code && (!known || age > (int64_t)OIDC_STALE_S * 1000000))
			return rc;                       /* a short trouble there is none here: what was published still holds */
	}
	p->used_us = now;
	return GH_RC_OK;
}

/* ---- going ----------------------------------------------------------------------------------------------------------- */

GH_RC oidc_start_address(struct arena *a, const struct web_site *site, const struct store_provider *p,
			 const struct openid_attempt *attempt, struct str redirect_uri, struct str *out, struct gh_err *err)
{
	struct published *pub;

	TRY(published_of(a, site, p->issuer, false, &pub, err));
	*out = openid_authorize_address(a, jsn_str(pub->doc, "authorization_endpoint"), p->client_id, p->scopes, redirect_uri, attempt);
	if (!out->p)
		FAIL(err, UPSTREAM, "the authorization endpoint is no address");
	return GH_RC_OK;
}

/* ---- coming back ------------------------------------------------------------------------------------------------------ */

static gh_rc exchange(struct arena *a, const struct web_site *site, const struct store_provider *p, const json_t *doc,
		      const struct openid_attempt *attempt, struct str redirect_uri, struct str code, json_t **tokens,
		      struct gh_err *err)
{
	struct http_call call = { .issuer = p->issuer, .url = arena_cstr(a, jsn_str(doc, "token_endpoint")),
				  .form = openid_code_form(a, code, redirect_uri, attempt->verifier) };
	struct str text;

	if (p->secret.n && openid_takes_basic(doc))
		call.basic = openid_basic_pair(a, p->client_id, p->secret);
	else
		call.form = arena_printf(a, "%.*s%.*s", STR_ARG(call.form), STR_ARG(openid_form_client(a, p->client_id, p->secret)));
	if (!call.form.p)
		FAIL(err, NOMEM, "token request");
	return fetch(a, site, "token", &call, tokens, &text, err);
}

static gh_rc check_token(struct arena *a, const struct web_site *site, const struct store_provider *p, struct published *pub,
			 struct str token, struct str nonce, json_t **claims, struct gh_err *err)
{
	const unsigned shared = JOSE_BIT(JOSE_HS256) | JOSE_BIT(JOSE_HS384) | JOSE_BIT(JOSE_HS512);
	struct jose_rules rules = { .algs = JOSE_ALL_ALGS & ~shared, .keys = pub->keys };
	struct jose_token out = { .claims = NULL };
	enum jose_reason why = jose_verify(a, token, &rules, &out);
	const char *problem;

	if (why == JOSE_KEY_NOT_FOUND) {
		TRY(published_of(a, site, p->issuer, true, &pub, err));
		rules.keys = pub->keys;
		why = jose_verify(a, token, &rules, &out);
	}
	if (why != JOSE_OK)
		FAIL(err, DENIED, "the ID token does not fit: %s", jose_reason_text(why));
	*claims = out.claims;
	problem = openid_check_claims(out.claims, p->issuer, p->client_id, nonce, clock_wall_us() / 1000000);
	if (problem)
		FAIL(err, DENIED, "the ID token does not fit: %s", problem);
	return GH_RC_OK;
}

static gh_rc ask_for_more(struct arena *a, const struct web_site *site, struct str issuer, const json_t *doc, const json_t *tokens,
			  struct str subject, json_t **info, struct gh_err *err)
{
	struct http_call call = { .issuer = issuer, .url = arena_cstr(a, jsn_str(doc, "userinfo_endpoint")),
				  .bearer = jsn_str(tokens, "access_token") };
	struct str text;

	TRY(fetch(a, site, "user's information", &call, info, &text, err));
	if (!str_eq(jsn_str(*info, "sub"), subject))     /* Core section 5.3.2: else it may be of somebody else */
		FAIL(err, DENIED, "the user's information is of somebody else");
	return GH_RC_OK;
}

static void fill(const struct store_provider *p, const json_t *claims, const json_t *info, struct oidc_person *out)
{
	out->email = jsn_string(openid_claim(claims, info, STR("email")));
	out->email_verified = openid_is_true(openid_claim(claims, info, STR("email_verified")));
	out->first_name = jsn_string(openid_claim(claims, info, STR("given_name")));
	out->last_name = jsn_string(openid_claim(claims, info, STR("family_name")));
	if (!out->first_name.n && !out->last_name.n)
		out->first_name = jsn_string(openid_claim(claims, info, STR("name")));
	out->amr = jsn_get(claims, "amr");               /* how somebody signed in is told by the token, not by what is known of him */
	out->acr = jsn_str(claims, "acr");
	out->groups = p->groups_claim.n ? openid_claim(claims, info, p->groups_claim) : NULL;
}

bool oidc_counts_twice(struct str values, const struct oidc_person *who)
{
	struct str word;

	while (values.n && str_split(&values, ' ', &word)) {
		if (str_eq(word, STR("any")) || (word.n && str_eq(word, who->acr)))
			return true;
		for (size_t i = 0; word.n && i < json_array_size(who->amr); i++)
			if (str_eq(word, jsn_string(json_array_get(who->amr, i))))
				return true;
	}
	return false;
}

GH_RC oidc_finish(struct arena *a, const struct web_site *site, const struct store_provider *p,
		  const struct openid_attempt *attempt, struct str redirect_uri, struct str code, struct str issuer,
		  struct oidc_person *out, struct gh_err *err)
{
	json_t *tokens = NULL, *claims = NULL, *info = NULL;
	struct published *pub;
	bool told;

	*out = (struct oidc_person){ .subject = STR_NULL };
	TRY(published_of(a, site, p->issuer, false, &pub, err));
	if (issuer.p ? !str_eq(issuer, p->issuer) : jsn_bool(pub->doc, "authorization_response_iss_parameter_supported", false))
		FAIL(err, DENIED, "the answer comes from another provider");
	TRY(exchange(a, site, p, pub->doc, attempt, redirect_uri, code, &tokens, err));
	TRY(check_token(a, site, p, pub, jsn_str(tokens, "id_token"), attempt->nonce, &claims, err));
	out->subject = jsn_str(claims, "sub");
	told = jsn_get(claims, "email") && (!p->groups_claim.n || jsn_get_n(claims, p->groups_claim));
	if (!told && jsn_str(pub->doc, "userinfo_endpoint").n && jsn_str(tokens, "access_token").n)
		TRY(ask_for_more(a, site, p->issuer, pub->doc, tokens, out->subject, &info, err));
	fill(p, claims, info, out);
	return GH_RC_OK;
}
