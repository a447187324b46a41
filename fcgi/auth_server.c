/* auth_server.c - which service is asked for, what it is given, and the documents that only state what there is. */
#include "fcgi/auth_server_impl.h"

#include "core/crypto.h"
#include "core/json.h"
#include "core/str.h"
#include "core/uri.h"

enum { BODY_MAX = 65536, JWKS_LIFE_S = 300 };

static const struct {
	struct str path;
	bool post;
} services[AUTH_SERVICE__COUNT] = {
	[AUTH_ASK_TOKEN] = { STR_INIT("/-/oauth2/token"), true },
	[AUTH_REVOKE] = { STR_INIT("/-/oauth2/revoke"), true },
	[AUTH_INTROSPECT] = { STR_INIT("/-/oauth2/introspect"), true },
	[AUTH_JWKS] = { STR_INIT("/-/oauth2/jwks"), false },
	[AUTH_METADATA] = { STR_INIT("/-/oauth2/.well-known/openid-configuration"), false },
	[AUTH_ID_JWKS] = { STR_INIT("/-/identity/jwks"), false },
	[AUTH_ID_METADATA] = { STR_INIT("/-/identity/.well-known/openid-configuration"), false },
};
static const struct str other_metadata = STR_INIT("/-/oauth2/.well-known/oauth-authorization-server"),
			root_metadata = STR_INIT("/.well-known/oauth-authorization-server");

static enum auth_service service_of(const struct call *k, struct str path, bool mounted)
{
	if (!mounted) {                      /* RFC 8414 section 3.1: between host and path of the issuer */
		struct str rest = str_from(path, root_metadata.n), mount = call_mount(k);

		return str_starts(path, root_metadata) && str_starts(rest, mount) && str_eq(str_from(rest, mount.n), STR("/-/oauth2"))
			       ? AUTH_METADATA
			       : AUTH_SERVICE__COUNT;
	}
	if (!str_starts(path, STR("/-/")))
		return AUTH_SERVICE__COUNT;
	for (unsigned i = 0; i < AUTH_SERVICE__COUNT; i++)
		if (str_eq(path, services[i].path))
			return (enum auth_service)i;
	return str_eq(path, other_metadata) ? AUTH_METADATA : AUTH_SERVICE__COUNT;
}

bool auth_serves(const struct call *k, struct str path, bool mounted)
{
	return service_of(k, path, mounted) != AUTH_SERVICE__COUNT;
}

struct str auth_issuer(const struct call *k, struct str behind_mount, const struct url *asked)
{
	struct str base = k->wk->limits.public_url, mount = call_mount(k);

	if (base.n)
		return arena_printf(k->arena, "%.*s%.*s", STR_ARG(base), STR_ARG(behind_mount));
	return arena_printf(k->arena, "%.*s://%.*s%.*s%.*s", STR_ARG(asked->scheme), STR_ARG(k->client_host), STR_ARG(mount),
			    STR_ARG(behind_mount));
}

/* ---- answers ---------------------------------------------------------------------------------------------------------------------- */

/* public: what anybody may keep for a while; everything else is for nobody's cache (RFC 6749 section 5.1). */
void auth_answer(struct call *k, int status, struct str json, bool public)
{
	struct fields *h;
	bool ok;

	k->finished = true;
	answer_prepare(k, status, STR_NULL, json);
	h = &k->x.response.headers;
	ok = public ? fields_add(h, STR("Cache-Control"), arena_printf(k->arena, "public, max-age=%d", JWKS_LIFE_S))
		    : fields_add(h, STR("Cache-Control"), STR("no-store")) && fields_add(h, STR("Pragma"), STR("no-cache"));
	if (status == 401)
		ok = ok && fields_add(h, STR("WWW-Authenticate"), STR("Basic realm=\"oauth2\", charset=\"UTF-8\""));
	if (!ok)
		k->x.response.status = 500;
	answer_finished(k);
}

void auth_error(struct call *k, const char *error, const char *description)
{
	int status = strcmp(error, "invalid_client") == 0		? 401
		     : strcmp(error, "temporarily_unavailable") == 0	? 503
									: 400;

	k->word = str_of(error);
	auth_answer(k, status,
		    arena_printf(k->arena, "{\"error\":\"%s\",\"error_description\":\"%s\",\"request_id\":\"%.*s\"}", error, description,
				 STR_ARG(k->x.request_id)),
		    false);
}

static void answer_metadata(struct call *k)
{
	struct str iss = auth_issuer(k, STR("/-/oauth2"), &k->x.request.original_url);
	struct str text = STR_NULL;
	json_t *v = jsn_keep(k->arena, json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:[s],s:[s],s:[s,s],s:[s,s],s:[s,s],s:[s],s:[s,s]}",
		"issuer", json_stringn(iss.p, iss.n),
		"token_endpoint", json_sprintf("%.*s/token", STR_ARG(iss)), "revocation_endpoint", json_sprintf("%.*s/revoke", STR_ARG(iss)),
		"introspection_endpoint", json_sprintf("%.*s/introspect", STR_ARG(iss)), "jwks_uri", json_sprintf("%.*s/jwks", STR_ARG(iss)),
		"grant_types_supported", "client_credentials", "response_types_supported", "token",
		"token_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post",
		"revocation_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post",
		"introspection_endpoint_auth_methods_supported", "client_secret_basic", "client_secret_post",
		"subject_types_supported", "public", "id_token_signing_alg_values_supported", "ES256", "RS256"));

	if (v)
		text = jsn_text(k->arena, v, 0);
	if (text.p)
		auth_answer(k, 200, text, true);
	else
		call_refuse(k, REASON_NO_MEMORY);
}

static void answer_document(struct call *k, enum auth_service service)
{
	const struct snapshot *s = k->gate->snapshot;
	struct str iss;

	switch (service) {
	case AUTH_JWKS:
		auth_answer(k, 200, s->auth_keys[AUTH_TOKEN].jwks, true);
		return;
	case AUTH_ID_JWKS:
		auth_answer(k, 200, s->auth_keys[AUTH_IDENTITY].jwks, true);
		return;
	case AUTH_ID_METADATA:
		iss = auth_issuer(k, STR("/-/identity"), &k->x.request.original_url);
		auth_answer(k, 200, arena_printf(k->arena, "{\"issuer\":\"%.*s\",\"jwks_uri\":\"%.*s/jwks\"}", STR_ARG(iss), STR_ARG(iss)),
			    true);
		return;
	default:
		answer_metadata(k);
		return;
	}
}

/* ---- what is asked ------------------------------------------------------------------------------------------------------------------- */

/* False: it has been answered. */
static bool read_form(struct call *k, struct auth_form *out)
{
	const struct { const char *name; struct str *to; } names[] = {
		{ "grant_type", &out->grant_type }, { "scope", &out->scope }, { "client_id", &out->client_id },
		{ "client_secret", &out->client_secret }, { "token", &out->token },
	};
	struct str rest = buf_view(&k->up), name, value;
	struct str type = fields_get(&k->x.request.headers, STR("Content-Type"));

	if (!str_starts_ci(type, STR("application/x-www-form-urlencoded"))) {
		auth_error(k, "invalid_request", "The body must be application/x-www-form-urlencoded");
		return false;
	}
	while (uri_query_next(&rest, &name, &value)) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (!str_eq(name, str_of(names[i].name)))
				continue;
			if (!str_is_null(*names[i].to)) {
				auth_error(k, "invalid_request", "A parameter stands twice");
				return false;
			}
			*names[i].to = value.p ? uri_decode(k->arena, value, true) : STR("");
		}
	}
	return true;
}

static void let_go(void *entry)
{
	lru_unref(entry);
}

/* Basic carries both parts form-encoded (RFC 6749 section 2.3.1). */
static bool basic_pair(struct call *k, struct str *id, struct str *secret)
{
	struct access_flow f = { .k = k };

	if (!access_basic_pair(&f, id, secret))
		return false;
	*id = uri_decode(k->arena, *id, true);
	*secret = uri_decode(k->arena, *secret, true);
	return true;
}

struct caller_entry *auth_client(struct call *k, const struct auth_form *form)
{
	struct serving *s = k->wk->serving;
	struct str id = form->client_id, secret = form->client_secret;
	bool basic = fields_get(&k->x.request.headers, STR("Authorization")).n > 0;
	struct caller_entry *c;
	struct gh_err err = { 0 };

	if (basic && secret.n) {
		auth_error(k, "invalid_request", "The client shows its secret in two ways");
		return NULL;
	}
	if (basic && !basic_pair(k, &id, &secret)) {
		auth_error(k, "invalid_client", "Authorization is not Basic with client id and secret");
		return NULL;
	}
	c = id.n && id.n <= STORE_CALLER_ID_MAX
		    ? access_memory_caller(s->memory, s->access, k->gate->snapshot, STR("client"), id, &err)
		    : NULL;
	if (err.code) {
		auth_error(k, "temporarily_unavailable", "The client cannot be looked up at present");
		return NULL;
	}
	if (c && !arena_defer(k->arena, let_go, &c->lru)) {
		lru_unref(&c->lru);
		call_refuse(k, REASON_NO_MEMORY);
		return NULL;
	}
	if (!c || !access_secret_fits(c, secret, k->x.started_us)) {
		auth_error(k, "invalid_client", "Unknown client, or another secret");
		return NULL;
	}
	k->gate->access.application = c->application.id;
	if (c->row.state == STORE_CALLER_ACTIVE)
		return c;
	auth_error(k, "invalid_client", "The client is suspended");
	return NULL;
}

/* The body is here, or a job is done. */
static void resume(struct call *k)
{
	struct auth_request *r = k->service;

	if (r->job) {
		auth_revoke(k, r);
		return;
	}
	if (!read_form(k, &r->form))
		return;
	r->client = auth_client(k, &r->form);
	if (!r->client)
		return;
	if (r->service == AUTH_ASK_TOKEN)
		auth_token(k, r);
	else if (r->service == AUTH_INTROSPECT)
		auth_introspect(k, r);
	else
		auth_revoke(k, r);
}

static void go_on(struct call *k)
{
	if (!k->resume_due && !(k->access_waits_body && k->up_ended))
		return;
	k->resume_due = k->access_waits_body = false;
	resume(k);
}

static bool method_fits(const struct call *k, bool post)
{
	struct str method = k->x.request.method;

	return post ? str_eq(method, STR("POST")) : str_eq(method, STR("GET")) || str_eq(method, STR("HEAD"));
}

void auth_begin(struct call *k, struct gate_state *g)
{
	struct auth_request *r = arena_new_of(k->arena, struct auth_request);
	struct str path = k->x.request.original_url.path, mount = call_mount(k);
	bool mounted = str_starts(path, mount) && !str_starts(path, root_metadata);

	if (!r || !g->snapshot->auth_keys[AUTH_TOKEN].jwks.p) {
		call_refuse(k, REASON_NO_MEMORY);
		return;
	}
	r->service = service_of(k, mounted ? str_from(path, mount.n) : path, mounted);
	if (!method_fits(k, services[r->service].post)) {
		k->word = STR("bad_method");
		auth_answer(k, 405, STR("{\"error\":\"invalid_request\",\"error_description\":\"Another method is expected here\"}"), false);
		return;
	}
	if (!services[r->service].post) {
		answer_document(k, r->service);
		return;
	}
	if (!k->wk->serving->access || !k->wk->serving->memory) {
		call_refuse(k, REASON_NO_CONFIGURATION);
		return;
	}
	if (!call_wants_form(k, BODY_MAX))
		return;
	k->service = r;
	k->stage = CALL_AT_GATE;
	k->gate_turn = go_on;
	k->access_waits_body = !k->up_ended;
	if (k->up_ended)
		resume(k);
}

void auth_drop(struct call *k)
{
	if (k->service) {
		access_job_drop(k->service->job);
		k->service->job = NULL;
	}
}
