#include "core/openid_client.h"

#include "core/crypto.h"
#include "core/jose.h"
#include "core/str.h"
#include "core/uri.h"

enum { STATE_BYTES = 16, VERIFIER_BYTES = 32 };

GH_RC openid_attempt_new(struct arena *a, struct openid_attempt *out, struct gh_err *err)
{
	TRY(crypto_random_hex(a, STATE_BYTES, &out->state, err));
	TRY(crypto_random_hex(a, STATE_BYTES, &out->nonce, err));
	return crypto_random_hex(a, VERIFIER_BYTES, &out->verifier, err);
}

static struct str enc(struct arena *a, struct str s)
{
	return uri_encode(a, s, URI_KEEP_UNRESERVED);
}

struct str openid_authorize_address(struct arena *a, struct str endpoint, struct str client_id, struct str scopes,
				    struct str redirect_uri, const struct openid_attempt *attempt)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	if (!str_starts_ci(endpoint, STR("https://")) && !str_starts_ci(endpoint, STR("http://")))
		return STR_NULL;
	crypto_sha256(attempt->verifier, digest);
	return arena_printf(a, "%.*s%sresponse_type=code&client_id=%.*s&redirect_uri=%.*s&scope=%.*s&state=%.*s&nonce=%.*s"
			       "&code_challenge=%.*s&code_challenge_method=S256",
			    STR_ARG(endpoint), str_find_char(endpoint, '?') == SIZE_MAX ? "?" : "&", STR_ARG(enc(a, client_id)),
			    STR_ARG(enc(a, redirect_uri)), STR_ARG(enc(a, scopes)), STR_ARG(attempt->state), STR_ARG(attempt->nonce),
			    STR_ARG(crypto_base64url(a, (struct str){ (const char *)digest, sizeof(digest) })));
}

struct str openid_code_form(struct arena *a, struct str code, struct str redirect_uri, struct str verifier)
{
	return arena_printf(a, "grant_type=authorization_code&code=%.*s&redirect_uri=%.*s&code_verifier=%.*s", STR_ARG(enc(a, code)),
			    STR_ARG(enc(a, redirect_uri)), STR_ARG(verifier));
}

/* Discovery 1.0 section 3: client_secret_basic when nothing is said. */
bool openid_takes_basic(const json_t *discovery)
{
	const json_t *methods = jsn_arr(discovery, "token_endpoint_auth_methods_supported");

	for (size_t i = 0; i < json_array_size(methods); i++)
		if (str_eq(jsn_string(json_array_get(methods, i)), STR("client_secret_basic")))
			return true;
	return !methods;
}

struct str openid_basic_pair(struct arena *a, struct str client_id, struct str secret)
{
	return arena_printf(a, "%.*s:%.*s", STR_ARG(enc(a, client_id)), STR_ARG(enc(a, secret)));
}

struct str openid_form_client(struct arena *a, struct str client_id, struct str secret)
{
	return arena_printf(a, "&client_id=%.*s%s%.*s", STR_ARG(enc(a, client_id)), secret.n ? "&client_secret=" : "",
			    STR_ARG(enc(a, secret.n ? secret : STR(""))));
}

const char *openid_check_claims(const json_t *claims, struct str issuer, struct str client_id, struct str nonce, int64_t now_s)
{
	const struct jose_claim_rules rules = {
		.now_s = now_s, .skew_s = OPENID_SKEW_S, .require_expiry = true, .issuers = &issuer, .n_issuers = 1,
		.audiences = &client_id, .n_audiences = 1,
	};
	struct str party = jsn_str(claims, "azp"), subject = jsn_str(claims, "sub"), given = jsn_str(claims, "nonce");
	enum jose_reason why = jose_check_claims(claims, &rules);

	if (why != JOSE_OK)
		return jose_reason_text(why);
	if ((party.n || json_array_size(jsn_arr(claims, "aud")) > 1) && !str_eq(party, client_id))
		return "the ID token was made for another party";
	if (nonce.p && (!given.n || !crypto_equal(given, nonce)))
		return "the ID token belongs to another sign-in";
	return subject.n && subject.n <= OPENID_SUBJECT_MAX ? NULL : "the ID token names nobody";
}

const json_t *openid_claim(const json_t *claims, const json_t *info, struct str name)
{
	const json_t *v = jsn_get_n(claims, name);

	return v ? v : jsn_get_n(info, name);
}

bool openid_is_true(const json_t *v)
{
	return json_is_true(v) || str_eq(jsn_string(v), STR("true"));
}
