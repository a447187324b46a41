/* validate_jwt.c - validate-jwt and validate-azure-ad-token. */
#include "policy/elements/token.h"

#include "core/str.h"

static struct token_state *new_state(struct exchange *x, size_t providers)
{
	struct token_state *s = arena_new_of(x->arena, struct token_state);

	if (s && !(s->providers = arena_alloc(x->arena, providers, sizeof(*s->providers))))
		s = NULL;
	if (!s)
		exchange_no_memory(x);
	*step_state(x) = s;
	return s;
}

/* ---- validate-jwt --------------------------------------------------------------------------------------------------- */

/* The accepted issuers: those that are listed and those of the providers. "{tenantid}" in a provider's is the token's own. */
static bool issuers_of(struct exchange *x, const struct token_config *c, const struct token_state *s, const json_t *claims,
		       const struct str **out, size_t *n)
{
	const struct str *listed;
	struct str *all;

	if (!token_values(x, &c->issuers, &listed, n))
		return false;
	all = arena_alloc(x->arena, *n + s->n_providers + 1, sizeof(*all));
	if (!all) {
		exchange_no_memory(x);
		return false;
	}
	for (size_t i = 0; i < *n; i++)
		all[i] = listed[i];
	for (size_t i = 0; i < s->n_providers; i++) {
		struct str issuer = s->providers[i].issuer, tenant = jsn_str(claims, "tid");
		size_t at = str_find(issuer, STR("{tenantid}"));

		if (!issuer.n)
			continue;
		if (at != SIZE_MAX)
			issuer = arena_printf(x->arena, "%.*s%.*s%.*s", STR_ARG(str_first(issuer, at)), STR_ARG(tenant),
					      STR_ARG(str_from(issuer, at + 10)));
		all[(*n)++] = issuer;
	}
	*out = all;
	return true;
}

static enum step check_times(struct exchange *x, const struct token_config *c, struct token_state *s, const struct jose_token *t)
{
	struct jose_claim_rules rules = { .now_s = x->host->now_us(x) / 1000000 };
	struct token_compared was;
	enum jose_reason r;

	if (!arg_get_int(x, &c->skew, &rules.skew_s) || !arg_get_bool(x, &c->need_expiry, &rules.require_expiry) ||
	    !token_values(x, &c->audiences, &rules.audiences, &rules.n_audiences) ||
	    !issuers_of(x, c, s, t->claims, &rules.issuers, &rules.n_issuers))
		return STEP_FAIL;
	r = jose_check_claims(t->claims, &rules);
	token_settle(s, r, t);
	if (r == JOSE_OK)
		return STEP_NEXT;
	was = token_compared_claims(x->arena, r, t, &rules);
	return token_refuse(x, c, r, str_of(jose_reason_text(r)), &was);
}

static enum step resume_jwt(struct exchange *x, const void *config)
{
	const struct token_config *c = config;
	struct token_state *s = *step_state(x);
	enum step step = token_keys(x, c, s);
	struct jose_token t;
	bool need_signature;

	if (step != STEP_NEXT)
		return step;
	if (!arg_get_bool(x, &c->need_signature, &need_signature))
		return STEP_FAIL;
	step = token_verify(x, c, s, need_signature, &t);
	if (step == STEP_NEXT)
		step = check_times(x, c, s, &t);
	if (step == STEP_NEXT)
		step = token_claims(x, c, t.claims);
	if (step == STEP_NEXT)
		token_keep(x, c, s, &t, c->skew.number);
	return step == STEP_NEXT ? token_done(x, c, s, &t) : step;
}

static enum step run_jwt(struct exchange *x, const void *config)
{
	const struct token_config *c = config;
	struct token_state *s = new_state(x, c->providers.n);
	struct str scheme;
	enum step step;

	if (!s || !arg_get_text(x, &c->scheme, &scheme))
		return STEP_FAIL;
	step = token_find(x, c, scheme.n > 0, scheme, s);
	if (step != STEP_NEXT || token_passed(x, c, s, &step))
		return step;
	for (; s->n_providers < c->providers.n; s->n_providers++)
		if (!arg_get_text(x, &((const struct token_value *)c->providers.v[s->n_providers].config)->text,
				  &s->providers[s->n_providers].fetched.url))
			return STEP_FAIL;
	return resume_jwt(x, c);
}

static bool check_jwt(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct token_config *t = config;
	const struct token_list *keys = t->signing_keys.n ? t->signing_keys.v[0].config : NULL;

	if (!t->providers.n && !keys && !t->need_signature.expr && t->need_signature.number)
		compile_warning(c, n, NULL, "without openid-config or issuer-signing-keys no signed token can be accepted");
	if (!token_check(c, n, config))
		return false;
	token_number(config);
	return true;
}

static const struct arg_schema provider_args[] = {
	{ .name = "url", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct token_value, text),
	  .help = "address of the provider's OpenID configuration" },
};
static const struct element_schema provider_schema = {
	.name = "openid-config", .help = "An identity provider whose keys and issuer are accepted.", .config_size = sizeof(struct token_value),
	.args = provider_args, .n_args = ARRAY_LEN(provider_args),
};
static const struct child_schema jwt_children[] = {
	{ .element = &provider_schema, .offset = offsetof(struct token_config, providers) },
	{ .element = &token_signing_schema, .max = 1, .offset = offsetof(struct token_config, signing_keys) },
	{ .element = &token_decryption_schema, .max = 1, .offset = offsetof(struct token_config, decryption_keys) },
	{ .element = &token_audiences_schema, .max = 1, .offset = offsetof(struct token_config, audiences) },
	{ .element = &token_issuers_schema, .max = 1, .offset = offsetof(struct token_config, issuers) },
	{ .element = &token_claims_schema, .max = 1, .offset = offsetof(struct token_config, claims) },
};
static const struct arg_schema jwt_args[] = {
	TOKEN_COMMON_ARGS(NULL),
	{ .name = "require-expiration-time", .kind = ARG_BOOL, .flags = ARG_EXPR, .def = "true",
	  .offset = offsetof(struct token_config, need_expiry), .help = "a token without exp is refused" },
	{ .name = "require-scheme", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY, .offset = offsetof(struct token_config, scheme),
	  .help = "scheme that must stand before the token in Authorization" },
	{ .name = "require-signed-tokens", .kind = ARG_BOOL, .flags = ARG_EXPR, .def = "true",
	  .offset = offsetof(struct token_config, need_signature), .help = "a token without a signature is refused" },
	{ .name = "clock-skew", .kind = ARG_INT, .flags = ARG_EXPR, .least = 0, .most = 86400, .def = "0",
	  .offset = offsetof(struct token_config, skew), .help = "tolerance of exp and nbf in seconds" },
};
static const struct element_schema jwt_schema = {
	.name = "validate-jwt", .help = "Refuses a request without a valid token (JWT).", .config_size = sizeof(struct token_config),
	.args = jwt_args, .n_args = ARRAY_LEN(jwt_args), .children = jwt_children, .n_children = ARRAY_LEN(jwt_children), .check = check_jwt,
};
const struct policy_type validate_jwt_type = { .schema = &jwt_schema, .sections = IN_INBOUND, .run = run_jwt, .resume = resume_jwt };

/* ---- validate-azure-ad-token ------------------------------------------------------------------------------------------ */

static bool host_of(struct exchange *x, const struct token_config *c, struct str *out)
{
	if (!arg_get_text(x, &c->endpoint, out))
		return false;
	if (str_starts_ci(*out, STR("https://")))
		*out = str_from(*out, 8);
	while (str_ends(*out, STR("/")))
		out->n--;
	return true;
}

/* Both generations of tokens: v1 from sts.windows.net with appid, v2 from the sign-in address with azp. */
static bool issued_by_tenant(struct exchange *x, const json_t *claims, struct str tenant, struct str host)
{
	struct str tid = jsn_str(claims, "tid"), iss = jsn_str(claims, "iss");
	bool guid = tenant.n == 36 && str_find_char(tenant, '.') == SIZE_MAX;   /* else a domain, common, organizations … */

	if (!tid.n || (guid && !str_eq_ci(tid, tenant)))
		return false;
	return str_eq(iss, arena_printf(x->arena, "https://sts.windows.net/%.*s/", STR_ARG(tid))) ||
	       str_eq(iss, arena_printf(x->arena, "https://%.*s/%.*s/v2.0", STR_ARG(host), STR_ARG(tid)));
}

static bool listed(const struct str *v, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_ci(v[i], s))
			return true;
	return false;
}

/* Audiences are those listed and the backends' application ids. */
static bool audiences_of(struct exchange *x, const struct token_config *c, const struct str **out, size_t *n)
{
	const struct str *audiences, *backends;
	struct str *all;
	size_t n_backends;

	if (!token_values(x, &c->audiences, &audiences, n) || !token_values(x, &c->backends, &backends, &n_backends))
		return false;
	all = arena_alloc(x->arena, *n + 2 * n_backends + 1, sizeof(*all));
	if (!all) {
		exchange_no_memory(x);
		return false;
	}
	for (size_t i = 0; i < *n; i++)
		all[i] = audiences[i];
	for (size_t i = 0; i < n_backends; i++) {
		all[(*n)++] = backends[i];
		all[(*n)++] = arena_printf(x->arena, "api://%.*s", STR_ARG(backends[i]));
	}
	*out = all;
	return true;
}

static enum step refuse_client(struct exchange *x, const struct token_config *c, const struct jose_token *t, struct str listed_ids,
			       struct str client)
{
	const struct token_compared was = { .check = "client application", .expected = listed_ids, .got = client.n ? client : STR("none"),
					    .kid = t->kid, .shown = true };

	return token_refuse(x, c, JOSE_AUDIENCE, STR("The client application is not allowed"), &was);
}

static enum step check_entra(struct exchange *x, const struct token_config *c, struct token_state *s, const struct jose_token *t)
{
	struct jose_claim_rules rules = { .now_s = x->host->now_us(x) / 1000000, .require_expiry = true };
	struct str tenant, host, client = jsn_str(t->claims, "azp");
	struct token_compared was;
	const struct str *clients;
	enum jose_reason r;
	size_t n;

	if (!arg_get_text(x, &c->tenant, &tenant) || !host_of(x, c, &host) ||
	    !audiences_of(x, c, &rules.audiences, &rules.n_audiences) || !token_values(x, &c->clients, &clients, &n))
		return STEP_FAIL;
	r = jose_check_claims(t->claims, &rules);
	if (r == JOSE_OK && !issued_by_tenant(x, t->claims, tenant, host))
		r = JOSE_ISSUER;
	token_settle(s, r, t);
	if (r != JOSE_OK) {
		rules.issuers = &tenant;     /* told as what was expected */
		rules.n_issuers = 1;
		was = token_compared_claims(x->arena, r, t, &rules);
		return token_refuse(x, c, r, str_of(jose_reason_text(r)), &was);
	}
	if (str_is_null(client))
		client = jsn_str(t->claims, "appid");
	if (n > 0 && !(client.n && listed(clients, n, client)))
		return refuse_client(x, c, t, token_compared_list(x->arena, clients, n), client);
	return token_claims(x, c, t->claims);
}

static enum step resume_entra(struct exchange *x, const void *config)
{
	const struct token_config *c = config;
	struct token_state *s = *step_state(x);
	enum step step = token_keys(x, c, s);
	struct jose_token t;

	if (step == STEP_NEXT)
		step = token_verify(x, c, s, true, &t);
	if (step == STEP_NEXT)
		step = check_entra(x, c, s, &t);
	if (step == STEP_NEXT)
		token_keep(x, c, s, &t, 0);
	return step == STEP_NEXT ? token_done(x, c, s, &t) : step;
}

static enum step run_entra(struct exchange *x, const void *config)
{
	const struct token_config *c = config;
	struct token_state *s = new_state(x, 1);
	struct str tenant, host;
	enum step step;

	if (!s || !arg_get_text(x, &c->tenant, &tenant) || !host_of(x, c, &host))
		return STEP_FAIL;
	step = token_find(x, c, false, STR(""), s);
	if (step != STEP_NEXT || token_passed(x, c, s, &step))
		return step;
	s->n_providers = 1;
	s->providers[0].fetched.url = arena_printf(x->arena, "https://%.*s/%.*s/v2.0/.well-known/openid-configuration", STR_ARG(host), STR_ARG(tenant));
	return str_is_null(s->providers[0].fetched.url) ? exchange_no_memory(x) : resume_entra(x, c);
}

static bool check_entra_element(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct token_config *t = config;

	if (!t->clients.n && !t->audiences.n)
		compile_warning(c, n, NULL, "<validate-azure-ad-token> without <client-application-ids> needs <audiences>: else a token for any "
					    "application of the tenant passes");
	if (!token_check(c, n, config))
		return false;
	token_number(config);
	return true;
}

static const struct arg_schema application_text = {
	.name = "application-id", .kind = ARG_TEXT, .flags = ARG_REQUIRED, .offset = offsetof(struct token_value, text),
	.help = "id of an application",
};
static const struct element_schema application_schema = {
	.name = "application-id", .help = "An application.", .config_size = sizeof(struct token_value), .text = &application_text,
};
static const struct child_schema applications_children[] = {
	{ .element = &application_schema, .min = 1, .offset = offsetof(struct token_list, items) },
};
static const struct element_schema clients_schema = {
	.name = "client-application-ids", .help = "Applications that may call.", .config_size = sizeof(struct token_list),
	.children = applications_children, .n_children = 1,
};
static const struct element_schema backends_schema = {
	.name = "backend-application-ids", .help = "Applications that the token may be for.", .config_size = sizeof(struct token_list),
	.children = applications_children, .n_children = 1,
};
static const struct child_schema entra_children[] = {
	{ .element = &clients_schema, .max = 1, .offset = offsetof(struct token_config, clients) },
	{ .element = &backends_schema, .max = 1, .offset = offsetof(struct token_config, backends) },
	{ .element = &token_audiences_schema, .max = 1, .offset = offsetof(struct token_config, audiences) },
	{ .element = &token_claims_schema, .max = 1, .offset = offsetof(struct token_config, claims) },
	{ .element = &token_decryption_schema, .max = 1, .offset = offsetof(struct token_config, decryption_keys) },
};
static const struct arg_schema entra_args[] = {
	{ .name = "tenant-id", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct token_config, tenant),
	  .help = "id or domain of the tenant, or common, organizations, consumers" },
	{ .name = "authentication-endpoint", .kind = ARG_TEXT, .flags = ARG_EXPR, .def = "login.microsoftonline.com",
	  .offset = offsetof(struct token_config, endpoint), .help = "where people sign in, in other clouds" },
	TOKEN_COMMON_ARGS("Authorization"),
};
static const struct element_schema entra_schema = {
	.name = "validate-azure-ad-token", .help = "Refuses a request without a valid token of a Microsoft Entra tenant.",
	.config_size = sizeof(struct token_config), .args = entra_args, .n_args = ARRAY_LEN(entra_args), .children = entra_children,
	.n_children = ARRAY_LEN(entra_children), .check = check_entra_element,
};
const struct policy_type validate_azure_ad_token_type = {
	.schema = &entra_schema, .sections = IN_INBOUND, .run = run_entra, .resume = resume_entra,
};
