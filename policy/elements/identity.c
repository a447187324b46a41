#include "policy/elements/identity.h"

#include "core/json.h"
#include "core/str.h"
#include "policy/elements/url.h"

enum { TOKEN_TIMEOUT_MS = 30000, TOKEN_MAX = 65536, TOKEN_MARGIN_S = 60, TOKEN_LEAST_S = 60, TOKEN_MOST_S = 86400 };

static const struct str metadata_endpoint = STR_INIT("http://169.254.169.254/metadata/identity/oauth2/token");

static enum step failed(struct exchange *x, const struct identity_config *c, struct str why)
{
	bool ignore;

	if (!arg_get_bool(x, &c->ignore_error, &ignore))
		return STEP_FAIL;
	exchange_trace(x, "no token: %.*s", STR_ARG(why));
	if (ignore)
		return STEP_NEXT;
	return exchange_fail(x, 500, STR("TokenAcquisitionFailure"), "A token for the backend could not be had: %.*s",
			     STR_ARG(why));
}

/* GET of an instance metadata endpoint, or POST of a token endpoint when there is a secret. */
static bool build_request(struct exchange *x, struct identity_state *s, const struct host_identity *id)
{
	struct arena *a = x->arena;
	struct request *r = &s->call->request;
	struct str who = s->client_id.n ? s->client_id : id->client_id, resource = url_encode(a, s->resource, "");
	struct str address = str_is_null(id->endpoint) ? metadata_endpoint : id->endpoint;

	fields_init(&r->headers, a);
	if (!url_parse(address, &r->url))
		return false;
	if (id->client_secret.n) {
		r->method = STR("POST");
		r->body.kind = BODY_HELD;
		r->body.changed = true;
		r->body.bytes = arena_printf(
			a, "grant_type=client_credentials&client_id=%.*s&client_secret=%.*s&scope=%.*s%%2F.default",
			STR_ARG(url_encode(a, who, "")), STR_ARG(url_encode(a, id->client_secret, "")),
			STR_ARG(resource));
		return !str_is_null(r->body.bytes)
			&& fields_add(&r->headers, STR("Content-Type"), STR("application/x-www-form-urlencoded"));
	}
	r->method = STR("GET");
	r->url.query = arena_printf(a, "api-version=2018-02-01&resource=%.*s%s%.*s", STR_ARG(resource),
				    who.n ? "&client_id=" : "", STR_ARG(url_encode(a, who, "")));
	return !str_is_null(r->url.query) && fields_add(&r->headers, STR("Metadata"), STR("true"));
}

static enum step start_call(struct exchange *x, struct identity_state *s)
{
	struct host_identity id = { 0 };

	if (x->host->identity && !x->host->identity(x, &id))
		return exchange_fail(x, 500, STR("TokenAcquisitionFailure"), "no token endpoint is configured");
	s->call = arena_new_of(x->arena, struct subrequest);
	if (!s->call)
		return exchange_no_memory(x);
	s->call->timeout_ms = TOKEN_TIMEOUT_MS;
	s->call->max_response_bytes = TOKEN_MAX;
	if (!build_request(x, s, &id))
		return exchange_fail(x, 500, STR("TokenAcquisitionFailure"), "the token endpoint's address is wrong");
	return x->host->send(x, s->call);
}

/* Takes the token out of the answer and keeps it in the cache for as long as it is good. */
static enum step read_answer(struct exchange *x, const struct identity_config *c, struct identity_state *s)
{
	const struct response *r = &s->call->response;
	json_t *j = NULL;
	struct gh_err err;
	int64_t life;

	if (s->call->failure != CALL_OK)
		return failed(x, c, s->call->failure_text);
	if (r->status != 200)
		return failed(x, c, arena_printf(x->arena, "the token endpoint answered %d", r->status));
	if (jsn_parse_in(x->arena, r->body.bytes, NULL, &j, NULL, &err).code || str_is_null(jsn_str(j, "access_token")))
		return failed(x, c, STR("the token endpoint's answer holds no access_token"));
	s->token = jsn_str(j, "access_token");
	life = jsn_int(j, "expires_in", -1);
	if (life < 0 && !str_to_i64(jsn_str(j, "expires_in"), 0, TOKEN_MOST_S, &life))
		life = 3600;
	life = life - TOKEN_MARGIN_S > TOKEN_MOST_S ? TOKEN_MOST_S : life - TOKEN_MARGIN_S;
	if (life < TOKEN_LEAST_S)
		return STEP_NEXT;
	s->keep = arena_new_of(x->arena, struct cache_op);
	if (!s->keep)
		return exchange_no_memory(x);
	*s->keep = (struct cache_op){
		.store = CACHE_INTERNAL, .key = s->cache_key, .value = s->token, .ttl_s = (uint32_t)life
	};
	return x->host->cache_put(x, s->keep);
}

static enum step begin(struct exchange *x, const struct identity_config *c, struct identity_state *s)
{
	if (!arg_get_text(x, &c->resource, &s->resource) || !arg_get_text(x, &c->client_id, &s->client_id))
		return STEP_FAIL;
	s->cache_key = arena_printf(x->arena, "identity-token:%.*s:%.*s", STR_ARG(s->client_id), STR_ARG(s->resource));
	s->look = arena_new_of(x->arena, struct cache_op);
	if (!s->look || str_is_null(s->cache_key))
		return exchange_no_memory(x);
	s->look->store = CACHE_INTERNAL;
	s->look->key = s->cache_key;
	return x->host->cache_get(x, s->look);
}

/* A host with a credential manager has the token, or knows why not. */
static enum step ask_manager(struct exchange *x, const struct identity_config *c, struct identity_state *s)
{
	enum step step = STEP_NEXT;
	bool ignore;

	if (!s->asked) {
		s->asked = arena_new_of(x->arena, struct authorization_op);
		if (!s->asked)
			return exchange_no_memory(x);
		fields_init(&s->asked->claims, x->arena);
		if (!arg_get_text(x, &c->resource, &s->resource) || !arg_get_text(x, &c->client_id, &s->client_id))
			return STEP_FAIL;
		s->asked->resource = s->resource.p ? s->resource : STR("");
		s->asked->client_id = s->client_id;
		step = x->host->authorization(x, s->asked);
	}
	if (step != STEP_NEXT || !s->asked->done)
		return step == STEP_NEXT ? STEP_WAIT : step;
	s->token = s->asked->access_token;
	if (!str_is_null(s->token))
		return STEP_NEXT;
	if (!arg_get_bool(x, &c->ignore_error, &ignore))
		return STEP_FAIL;
	exchange_trace(x, "no token: %.*s", STR_ARG(s->asked->failure_text));
	return ignore ? STEP_NEXT
		      : authorization_failed(x, s->asked, STR("TokenAcquisitionFailure"), STR("A token for the backend could not be had"));
}

enum step identity_token(struct exchange *x, const struct identity_config *c, struct identity_state *s)
{
	enum step step = STEP_NEXT;

	if (x->host->authorization)
		return ask_manager(x, c, s);

	if (!s->look)
		step = begin(x, c, s);
	if (step == STEP_NEXT && s->look->done && s->look->value.n) {
		s->token = s->look->value;
		return STEP_NEXT;
	}
	if (step == STEP_NEXT && s->look->done && !s->call)
		step = start_call(x, s);
	if (step == STEP_NEXT && s->call && s->call->done && !s->keep)
		step = read_answer(x, c, s);
	if (step != STEP_NEXT)
		return step;
	return s->look->done && s->call && s->call->done && (!s->keep || s->keep->done) ? STEP_NEXT : STEP_WAIT;
}

/* ---- authentication-managed-identity ----------------------------------------------------------------------------- */

static enum step go_on(struct exchange *x, const struct identity_config *c, struct identity_state *s)
{
	enum step step = identity_token(x, c, s);
	struct str value;

	if (step != STEP_NEXT || str_is_null(s->token))
		return step;
	exchange_trace(x, "token for %.*s", STR_ARG(s->resource));
	if (c->variable.given)
		return exchange_set_variable(x, c->variable.text, value_string(x->arena, s->token, true)) ? STEP_NEXT
			: exchange_no_memory(x);
	value = arena_printf(x->arena, "Bearer %.*s", STR_ARG(s->token));
	if (str_is_null(value) || !fields_set(&x->request.headers, STR("Authorization"), value))
		return exchange_no_memory(x);
	return STEP_NEXT;
}

static enum step run(struct exchange *x, const void *config)
{
	struct identity_state *s = arena_new_of(x->arena, struct identity_state);

	if (!s)
		return exchange_no_memory(x);
	*step_state(x) = s;
	return go_on(x, config, s);
}

static enum step resume(struct exchange *x, const void *config)
{
	return go_on(x, config, *step_state(x));
}

static const struct arg_schema args[] = {
	{ .name = "resource",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct identity_config, resource),
	  .help = "what the token is for: the backend's application id or address" },
	{ .name = "client-id",
	  .kind = ARG_TEXT,
	  .flags = ARG_EMPTY,
	  .offset = offsetof(struct identity_config, client_id),
	  .help = "which identity to use; not given: the installation's own" },
	{ .name = "output-token-variable-name",
	  .kind = ARG_TEXT,
	  .offset = offsetof(struct identity_config, variable),
	  .help = "variable for the token; without it the header Authorization is set" },
	{ .name = "ignore-error",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct identity_config, ignore_error),
	  .help = "go on without a token when none can be had" },
};
const struct element_schema managed_identity_schema = {
	.name = "authentication-managed-identity",
	.help = "Signs the request to the backend with a token of the installation's identity.",
	.config_size = sizeof(struct identity_config),
	.args = args,
	.n_args = ARRAY_LEN(args),
};
const struct policy_type authentication_managed_identity_type = {
	.schema = &managed_identity_schema, .sections = IN_INBOUND, .scopes = NOT_WORKSPACE, .run = run, .resume = resume,
};
