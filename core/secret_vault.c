/* secret_vault.c - HashiCorp Vault's HTTP API, as far as reading secrets of the KV version 2 engine needs it:
 *
 *   GET  /v1/MOUNT/data/PATH                 {"data":{"data":{FIELD:…},"metadata":{"version":N,…}},"lease_duration":S}
 *   GET  /v1/PATH                            {"data":{FIELD:…},"lease_duration":S}, of any other engine
 *   POST /v1/PATH                            rotate: the engine makes a new secret
 *   GET  /v1/auth/token/lookup-self          {"data":{"ttl":S,"renewable":B}}; POST …/renew-self prolongs
 *   POST /v1/auth/MOUNT/login                {"role_id","secret_id"} -> {"auth":{"client_token","lease_duration"}}
 *
 * X-Vault-Token authenticates, X-Vault-Namespace chooses a namespace. A version that was deleted or destroyed is answered
 * with 404 and its metadata. A standby node may redirect to the active one, once; never from https to http.
 *
 * The token is, in this order: what stands in vault.token_file (read again for each request, so an agent may renew it),
 * what an AppRole log-in gives (renewed by logging in again before it ends, and when the vault refuses it), VAULT_TOKEN of
 * the environment. Several fields of one secret cost one request: the last answer is kept for a moment, and wiped. */
#include "core/clock.h"
#include "core/crypto.h"
#include "core/json.h"
#include "core/secret_impl.h"
#include "core/str.h"
#include "core/uri.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	ANSWER_MAX = 1 << 20,
	TOKEN_MAX = 4096,                /* with the zero byte; batch tokens are long */
	KEPT_US = 500000,                /* an answer serves the other fields of the same secret */
	REDIRECTS_MAX = 1,
};

struct vault {
	const struct config *config;
	CURL *curl;
	struct buf answer;
	long status;
	char login_token[TOKEN_MAX];     /* of the AppRole; "": none */
	int64_t login_again_us;          /* monotonic */
	struct str kept_place;           /* malloc'd: "MOUNT//PATH" of kept */
	json_t *kept;
	int64_t kept_us;
};

/* Texts of an answer are secrets, whatever they are called. Nobody else holds it. */
static void wipe_texts(json_t *v)
{
	const char *name;
	json_t *x;
	size_t i;

	if (json_is_string(v))
		crypto_wipe((void *)(uintptr_t)json_string_value(v), json_string_length(v));
	json_object_foreach(v, name, x)
		wipe_texts(x);
	json_array_foreach(v, i, x)
		wipe_texts(x);
}

static void forget_answer(struct vault *v)
{
	wipe_texts(v->kept);
	json_decref(v->kept);
	free((void *)(uintptr_t)v->kept_place.p);
	v->kept = NULL;
	v->kept_place = STR_NULL;
}

GH_RC vault_new(const struct config *config, struct vault **out, struct gh_err *err)
{
	struct vault *v = calloc(1, sizeof(*v));

	if (!v || !(v->curl = curl_easy_init())) {
		free(v);
		FAIL(err, NOMEM, "no memory for the vault");
	}
	v->config = config;
	buf_init(&v->answer, ANSWER_MAX);
	*out = v;
	return GH_RC_OK;
}

static void wipe_answer(struct vault *v)
{
	if (v->answer.p)
		crypto_wipe(v->answer.p, v->answer.n);
	buf_clear(&v->answer);
}

void vault_rest(struct vault *v)
{
	if (v)
		forget_answer(v);
}

void vault_free(struct vault *v)
{
	if (!v)
		return;
	forget_answer(v);
	wipe_answer(v);
	buf_release(&v->answer);
	curl_easy_cleanup(v->curl);
	crypto_wipe(v->login_token, sizeof(v->login_token));
	free(v);
}

/* ---- one request ------------------------------------------------------------------------------------------------------ */

static struct str setting(const struct vault *v, enum setting s, const char *variable)
{
	struct str text = config_text(v->config, s);

	return text.n || !variable ? text : str_of(getenv(variable));
}

static gh_rc address_of(const struct vault *v, struct str *out, struct gh_err *err)
{
	*out = setting(v, CONFIG_VAULT_ADDRESS, "VAULT_ADDR");
	if (!out->n)
		FAIL(err, UNAVAILABLE, "no vault is configured: set vault.address");
	if (!str_starts_ci(*out, STR("https://")) && !str_starts_ci(*out, STR("http://")))
		FAIL(err, INVALID, "vault.address must begin with https:// (or http://)");
	while (out->n && out->p[out->n - 1] == '/')
		out->n--;
	return GH_RC_OK;
}

static size_t on_bytes(char *p, size_t size, size_t n, void *user)
{
	struct vault *v = user;

	buf_add(&v->answer, p, size * n);
	return buf_ok(&v->answer) ? size * n : 0;
}

/* The list grows or, out of memory, is freed and *ok false. */
static void header(struct arena *a, struct curl_slist **list, bool *ok, const char *name, struct str value)
{
	struct str line = arena_printf(a, "%s: %.*s", name, STR_ARG(value));
	struct curl_slist *longer = line.p && *ok ? curl_slist_append(*list, line.p) : NULL;

	if (line.p)
		crypto_wipe((void *)(uintptr_t)line.p, line.n);
	if (longer)
		*list = longer;
	else
		*ok = false;
}

static void options(struct vault *v, struct arena *a, struct str url, const char *body)
{
	struct str ca = setting(v, CONFIG_VAULT_CA_FILE, "VAULT_CACERT");
	long timeout_ms = (long)config_int(v->config, CONFIG_VAULT_TIMEOUT_MS);
	CURL *e = v->curl;

	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_URL, url.p);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, str_starts_ci(url, STR("https:")) ? "https" : "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, v);
	if (ca.n)
		curl_easy_setopt(e, CURLOPT_CAINFO, arena_cstr(a, ca));
	if (body)
		curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, body);
}

/* They hold the token. */
static void free_headers(struct curl_slist *list)
{
	for (struct curl_slist *h = list; h; h = h->next)
		crypto_wipe(h->data, strlen(h->data));
	curl_slist_free_all(list);
}

/* Sends it and leaves status and bytes in v. token NULL: a log-in. */
static gh_rc exchange(struct vault *v, struct arena *a, struct str url, const char *body, const char *token,
		      struct gh_err *err)
{
	struct str ns = setting(v, CONFIG_VAULT_NAMESPACE, "VAULT_NAMESPACE");
	struct curl_slist *headers = NULL;
	char problem[CURL_ERROR_SIZE] = "";
	CURLcode code;
	bool ok = true;

	header(a, &headers, &ok, "X-Vault-Request", STR("true"));
	if (token)
		header(a, &headers, &ok, "X-Vault-Token", str_of(token));
	if (ns.n)
		header(a, &headers, &ok, "X-Vault-Namespace", ns);
	if (!ok) {
		free_headers(headers);
		FAIL(err, NOMEM, "no memory for a request to the vault");
	}
	wipe_answer(v);
	options(v, a, url, body);
	curl_easy_setopt(v->curl, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(v->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(v->curl);
	curl_easy_getinfo(v->curl, CURLINFO_RESPONSE_CODE, &v->status);
	curl_easy_reset(v->curl);
	free_headers(headers);
	if (code != CURLE_OK)
		FAIL(err, UNAVAILABLE, "the vault cannot be reached: %s", *problem ? problem : curl_easy_strerror(code));
	return GH_RC_OK;
}

/* What the vault says of a refusal: {"errors":["permission denied"]}. */
static struct str complaint(const json_t *answer)
{
	struct str s = jsn_string(json_array_get(jsn_arr(answer, "errors"), 0));

	return s.n ? str_first(s, 160) : STR("no reason given");
}

/* ---- the token -------------------------------------------------------------------------------------------------------- */

static gh_rc keep_token(struct str token, char out[TOKEN_MAX], struct gh_err *err)
{
	for (size_t i = 0; i < token.n; i++)
		if (token.p[i] <= ' ' || token.p[i] > '~')
			FAIL(err, INVALID, "the vault's token holds characters that no token has");
	if (!token.n || token.n >= TOKEN_MAX)
		FAIL(err, INVALID, "the vault's token has 1 to %d characters", TOKEN_MAX - 1);
	memcpy(out, token.p, token.n);
	out[token.n] = '\0';
	return GH_RC_OK;
}

static gh_rc log_in(struct vault *v, struct arena *a, struct str address, struct gh_err *err)
{
	struct str role = config_text(v->config, CONFIG_VAULT_ROLE_ID), secret = STR("");
	struct str secret_id = config_text(v->config, CONFIG_VAULT_SECRET_ID_FILE);
	struct str mount = config_text(v->config, CONFIG_VAULT_APPROLE_MOUNT), body_text;
	json_t *answer, *auth;
	struct str url;
	int64_t life_s;
	gh_rc rc;

	if (secret_id.n)
		TRY(secret_file(a, arena_cstr(a, secret_id), &secret, err));
	answer = jsn_keep(a, json_pack("{s:s%,s:s%}", "role_id", role.p, role.n, "secret_id", secret.p, secret.n));
	body_text = answer ? jsn_text(a, answer, 0) : STR_NULL;
	url = arena_printf(a, "%.*s/v1/auth/%.*s/login", STR_ARG(address), STR_ARG(mount));
	if (!body_text.p || !url.p)
		FAIL(err, NOMEM, "no memory for a request to the vault");
	rc = exchange(v, a, url, body_text.p, NULL, err);
	crypto_wipe((void *)(uintptr_t)body_text.p, body_text.n);
	wipe_texts(answer);
	if (secret.n)
		crypto_wipe((void *)(uintptr_t)secret.p, secret.n);
	TRY(rc);
	if (jsn_parse_in(a, buf_view(&v->answer), NULL, &answer, NULL, NULL).code)
		answer = NULL;
	wipe_answer(v);
	if (v->status != 200)
		FAIL(err, DENIED, "the vault refuses the log-in by AppRole (%ld): %.*s", v->status, STR_ARG(complaint(answer)));
	auth = jsn_obj(answer, "auth");
	rc = keep_token(jsn_str(auth, "client_token"), v->login_token, err);
	life_s = jsn_int(auth, "lease_duration", 0);
	wipe_texts(answer);
	TRY(rc);
	/* 0: it never ends. Else in good time, so that no read meets a token that has just ended. */
	v->login_again_us = life_s > 0 ? clock_mono_us() + life_s * 700000 : INT64_MAX;
	return GH_RC_OK;
}

static gh_rc token_for(struct vault *v, struct arena *a, struct str address, char out[TOKEN_MAX], struct gh_err *err)
{
	struct str file = config_text(v->config, CONFIG_VAULT_TOKEN_FILE), token;

	if (file.n) {
		gh_rc rc;

		TRY(secret_file(a, arena_cstr(a, file), &token, err));
		rc = keep_token(token, out, err);
		crypto_wipe((void *)(uintptr_t)token.p, token.n);
		return rc;
	}
	if (config_text(v->config, CONFIG_VAULT_ROLE_ID).n) {
		if (!v->login_token[0] || clock_mono_us() >= v->login_again_us)
			TRY(log_in(v, a, address, err));
		memcpy(out, v->login_token, TOKEN_MAX);
		return GH_RC_OK;
	}
	token = str_of(getenv("VAULT_TOKEN"));
	if (!token.n)
		FAIL(err, UNAVAILABLE, "there is no token for the vault: set vault.token_file or vault.role_id, or VAULT_TOKEN in "
		     "the environment");
	return keep_token(token, out, err);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static void escaped(struct buf *b, struct str path)
{
	for (size_t i = 0; i < path.n; i++) {
		char c = path.p[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) || strchr("/-._~", c))
			buf_char(b, c);
		else
			buf_fmt(b, "%%%02X", (unsigned char)c);
	}
}

static struct str url_of(struct arena *a, struct str address, const struct secret_ref *ref)
{
	struct str url = STR_NULL;
	struct buf b;

	buf_init(&b, 3 * SECRET_REF_MAX + address.n + 32);
	buf_str(&b, address);
	buf_cstr(&b, "/v1/");
	escaped(&b, ref->mount);
	buf_cstr(&b, ref->provider == SECRET_ENGINE ? "/" : "/data/");
	escaped(&b, ref->path);
	if (buf_ok(&b))
		url = arena_dup(a, buf_view(&b));
	buf_release(&b);
	return url;
}

static gh_rc refused(const struct vault *v, const json_t *answer, struct gh_err *err)
{
	const json_t *metadata = jsn_obj(jsn_obj(answer, "data"), "metadata");

	if (v->status == 404 && metadata)
		FAIL(err, NOT_FOUND, "version %lld of it was deleted", (long long)jsn_int(metadata, "version", 0));
	if (v->status == 404)
		FAIL(err, NOT_FOUND, "the vault has no such secret, or the mount has no KV engine of version 2");
	if (v->status == 403)
		FAIL(err, DENIED, "the vault refuses the token: %.*s", STR_ARG(complaint(answer)));
	if (v->status == 503)
		FAIL(err, UNAVAILABLE, "the vault is sealed or down for maintenance");
	FAIL(err, UNAVAILABLE, "the vault answers %ld: %.*s", v->status, STR_ARG(complaint(answer)));
}

/* The answer goes into v->kept. */
static gh_rc fetch(struct vault *v, struct arena *a, const struct secret_ref *ref, bool again, struct gh_err *err)
{
	char token[TOKEN_MAX];
	struct str address, url;
	json_t *answer = NULL;
	gh_rc rc;

	TRY(address_of(v, &address, err));
	url = url_of(a, address, ref);
	if (!url.p)
		FAIL(err, NOMEM, "no memory for a request to the vault");
	TRY(token_for(v, a, address, token, err));
	rc = exchange(v, a, url, NULL, token, err);
	crypto_wipe(token, sizeof(token));
	TRY(rc);
	if (v->status == 403 && v->login_token[0] && !again) {
		v->login_token[0] = '\0';            /* it was revoked, or the vault has forgotten it */
		return fetch(v, a, ref, true, err);
	}
	if (jsn_parse(buf_view(&v->answer), NULL, &answer, NULL, NULL).code)
		answer = NULL;
	wipe_answer(v);
	forget_answer(v);
	if (v->status == 200 && (ref->provider == SECRET_ENGINE ? jsn_obj(answer, "data") : jsn_obj(jsn_obj(answer, "data"), "data"))) {
		v->kept = answer;
		return GH_RC_OK;
	}
	if (v->status == 200)
		rc = gh_err_set(err, GH_E_UNAVAILABLE, __FILE__, __LINE__, "the answer is not that of a vault's KV engine of version 2");
	else
		rc = refused(v, answer, err);
	wipe_texts(answer);
	json_decref(answer);
	return rc;
}

static gh_rc take_field(struct vault *v, struct arena *a, const struct secret_ref *ref, struct secret_value *out,
			struct gh_err *err)
{
	bool engine = ref->provider == SECRET_ENGINE;
	const json_t *data = jsn_obj(v->kept, "data"), *field = jsn_get_n(engine ? data : jsn_obj(data, "data"), ref->field);
	struct str text;

	if (!field || json_is_null(field))
		FAIL(err, NOT_FOUND, "the secret has no field '%.*s'", STR_ARG(ref->field));
	text = json_is_string(field) ? jsn_string(field) : jsn_text(a, field, 0);
	if (text.n > SECRET_VALUE_MAX)
		FAIL(err, LIMIT, "the field is larger than %d bytes", SECRET_VALUE_MAX);
	out->value = json_is_string(field) ? arena_dup(a, text) : text;
	if (!out->value.p)
		FAIL(err, NOMEM, "reading a secret of the vault");
	if (engine)
		snprintf(out->version, sizeof(out->version), "%.*s", STR_ARG(str_first(jsn_str(data, "last_vault_rotation"), SECRET_VERSION_MAX - 1)));
	else
		snprintf(out->version, sizeof(out->version), "%lld", (long long)jsn_int(jsn_obj(data, "metadata"), "version", 0));
	out->lease_s = jsn_int(v->kept, "lease_duration", 0);
	return GH_RC_OK;
}

gh_rc vault_read(struct vault *v, struct arena *a, const struct secret_ref *ref, struct secret_value *out, struct gh_err *err)
{
	struct str place = arena_printf(a, "%s%.*s//%.*s", ref->provider == SECRET_ENGINE ? "engine:" : "", STR_ARG(ref->mount), STR_ARG(ref->path));

	if (!place.p)
		FAIL(err, NOMEM, "reading a secret of the vault");
	if (!v->kept || !str_eq(place, v->kept_place) || clock_mono_us() - v->kept_us > KEPT_US) {
		TRY(fetch(v, a, ref, false, err));
		v->kept_place = (struct str){ malloc(place.n), place.n };
		if (!v->kept_place.p)
			FAIL(err, NOMEM, "reading a secret of the vault");
		memcpy((void *)(uintptr_t)v->kept_place.p, place.p, place.n);
		v->kept_us = clock_mono_us();
	}
	return take_field(v, a, ref, out, err);
}

/* ---- engines that make secrets; the token's own life --------------------------------------------------------------------- */

/* *answer in the arena, NULL when it is no JSON; with a body a POST. */
static gh_rc ask(struct vault *v, struct arena *a, struct str path, const char *body, json_t **answer, struct gh_err *err)
{
	struct str address, url;
	char token[TOKEN_MAX];
	gh_rc rc;

	TRY(address_of(v, &address, err));
	url = arena_printf(a, "%.*s/v1/%.*s", STR_ARG(address), STR_ARG(uri_encode(a, path, URI_KEEP_PATH)));
	if (!url.p)
		FAIL(err, NOMEM, "no memory for a request to the vault");
	TRY(token_for(v, a, address, token, err));
	rc = exchange(v, a, url, body, token, err);
	crypto_wipe(token, sizeof(token));
	if (v->status == 403)
		v->login_token[0] = '\0';
	*answer = NULL;
	if (!rc.code && jsn_parse_in(a, buf_view(&v->answer), NULL, answer, NULL, NULL).code)
		*answer = NULL;
	wipe_answer(v);
	return rc;
}

gh_rc vault_rotate(struct vault *v, struct arena *a, struct str path, struct gh_err *err)
{
	json_t *answer;
	gh_rc rc = GH_RC_OK;

	TRY(ask(v, a, path, "{}", &answer, err));
	if (v->status != 200 && v->status != 204)
		rc = refused(v, answer, err);
	wipe_texts(answer);
	forget_answer(v);                    /* what was read before is old now */
	return rc;
}

gh_rc vault_renew(struct vault *v, struct arena *a, int64_t *again_s, struct gh_err *err)
{
	json_t *answer;
	int64_t life_s;
	bool renewable;

	*again_s = 0;
	if (config_text(v->config, CONFIG_VAULT_ROLE_ID).n && !config_text(v->config, CONFIG_VAULT_TOKEN_FILE).n)
		return GH_RC_OK;
	TRY(ask(v, a, STR("auth/token/lookup-self"), NULL, &answer, err));
	life_s = jsn_int(jsn_obj(answer, "data"), "ttl", 0);
	renewable = jsn_bool(jsn_obj(answer, "data"), "renewable", false);
	if (v->status != 200)
		return refused(v, answer, err);
	wipe_texts(answer);
	if (!life_s)
		return GH_RC_OK;
	*again_s = life_s;
	if (!renewable)
		FAIL(err, DENIED, "the vault's token ends in %lld seconds and cannot be prolonged: give another one", (long long)life_s);
	TRY(ask(v, a, STR("auth/token/renew-self"), "{}", &answer, err));
	life_s = jsn_int(jsn_obj(answer, "auth"), "lease_duration", 0);
	wipe_texts(answer);
	if (v->status != 200)
		FAIL(err, DENIED, "the vault does not prolong its token (%ld), which ends in %lld seconds", v->status, (long long)*again_s);
	*again_s = life_s / 2 > 1 ? life_s / 2 : 1;
	return GH_RC_OK;
}
