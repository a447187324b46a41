/* iap_provider.c - what the proxy asks of a provider: its configuration, tokens, keys. */
#include "fcgi/iap.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/uri.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { PROVIDERS_MAX = 16 };

/* ---- requests ------------------------------------------------------------------------------------------------------------ */

static enum step asked(struct iap *f)
{
	return f->call->done ? f->then(f) : STEP_WAIT;
}

static bool fill_request(struct iap *f, const char *url, struct str form, bool authenticate, struct str bearer)
{
	struct arena *a = f->k->arena;
	struct request *rq = &f->call->request;

	f->call->timeout_ms = OPENID_TIMEOUT_MS;
	f->call->max_response_bytes = OPENID_DOCUMENT_MAX;
	fields_init(&rq->headers, a);
	rq->method = form.p ? STR("POST") : STR("GET");
	if (!url || !url_parse(str_of(url), &rq->url) || !fields_add(&rq->headers, STR("Accept"), STR("application/json")))
		return false;
	if (authenticate && f->conf->client_secret.n && f->pub->basic)
		bearer = arena_printf(a, "Basic %.*s",
				      STR_ARG(crypto_base64(a, openid_basic_pair(a, f->conf->client_id, f->conf->client_secret))));
	else if (authenticate)
		form = arena_printf(a, "%.*s%.*s", STR_ARG(form),
				    STR_ARG(openid_form_client(a, f->conf->client_id, f->conf->client_secret)));
	if (bearer.n && !fields_add(&rq->headers, STR("Authorization"), bearer))
		return false;
	if (!rq->method.n || str_eq(rq->method, STR("GET")))
		return true;
	rq->body = (struct body){ .kind = BODY_HELD, .bytes = form };
	return form.p && fields_add(&rq->headers, STR("Content-Type"), STR("application/x-www-form-urlencoded"));
}

enum step iap_ask(struct iap *f, const char *url, struct str form, bool authenticate, struct str bearer,
		  enum step (*then)(struct iap *))
{
	f->call = arena_new_of(f->k->arena, struct subrequest);
	if (!f->call || !fill_request(f, url, form, authenticate, bearer))
		return iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, "an address of the provider makes no sense");
	f->call->fresh = form.n > 0;     /* a code and a refresh token are good for one request, which must arrive */
	f->then = then;
	f->go = asked;
	return live_host.send(&f->k->x, f->call) == STEP_WAIT ? STEP_WAIT : STEP_JUMP;
}

json_t *iap_answer(struct iap *f, bool *rejected)
{
	const struct jsn_limits limits = { .max_bytes = OPENID_DOCUMENT_MAX, .max_depth = JOSE_MAX_DEPTH, .flags = JSN_BIG_INTEGERS };
	const struct response *r = &f->call->response;
	json_t *v = NULL;

	if (rejected)
		*rejected = f->call->failure == CALL_OK && (r->status == 400 || r->status == 401 || r->status == 403);
	if (f->call->failure != CALL_OK || r->status != 200
	    || jsn_parse_in(f->k->arena, r->body.bytes, &limits, &v, NULL, NULL).code || !json_is_object(v)) {
		log_warn("identity provider", KV_STR("provider", f->conf->provider), KV_STR("host", f->call->request.url.host),
			 KV_INT("status", r->status), KV_STR("detail", f->call->failure == CALL_OK ? STR("") : f->call->failure_text));
		return NULL;
	}
	return v;
}

/* ---- configuration ---------------------------------------------------------------------------------------------------------- */

struct iap_published {                   /* immutable but for its count */
	struct iap_provider p;
	_Atomic unsigned refs;
};

static void *hold(void *thing)
{
	struct iap_published *x = thing;

	atomic_fetch_add_explicit(&x->refs, 1, memory_order_relaxed);
	return x;
}

static void release(void *thing)
{
	struct iap_published *x = thing;

	if (!x || atomic_fetch_sub_explicit(&x->refs, 1, memory_order_acq_rel) != 1)
		return;
	free(x->p.issuer);
	free(x->p.authorization);
	free(x->p.token);
	free(x->p.userinfo);
	free(x->p.end_session);
	free(x);
}

static struct shelf_place places[PROVIDERS_MAX];
static struct shelf shelf = SHELF_INIT(places, hold, release);

static char *text_of(const json_t *doc, const char *name)
{
	struct str s = jsn_str(doc, name);

	return s.n && (str_starts_ci(s, STR("https://")) || str_starts_ci(s, STR("http://"))) ? strndup(s.p, s.n) : NULL;
}

static enum fetched_take take(struct exchange *x, struct fetched *f, struct str bytes, void **thing)
{
	const struct jsn_limits limits = { .max_bytes = OPENID_DOCUMENT_MAX, .max_depth = JOSE_MAX_DEPTH, .flags = JSN_BIG_INTEGERS };
	struct iap_published *pub = calloc(1, sizeof(*pub));
	json_t *doc = NULL;

	if (!pub || jsn_parse_in(x->arena, bytes, &limits, &doc, NULL, NULL).code || !json_is_object(doc)) {
		free(pub);
		f->why = STR("the OpenID configuration is no JSON object");
		return FETCHED_BAD;
	}
	pub->refs = 1;
	pub->p = (struct iap_provider){
		.issuer = text_of(doc, "issuer"), .authorization = text_of(doc, "authorization_endpoint"),
		.token = text_of(doc, "token_endpoint"), .userinfo = text_of(doc, "userinfo_endpoint"),
		.end_session = text_of(doc, "end_session_endpoint"), .basic = openid_takes_basic(doc),
		.says_issuer = jsn_bool(doc, "authorization_response_iss_parameter_supported", false),
	};
	if (!pub->p.issuer || !pub->p.authorization || !pub->p.token) {
		release(pub);
		f->why = STR("the OpenID configuration names no issuer, authorization_endpoint or token_endpoint");
		return FETCHED_BAD;
	}
	*thing = pub;
	f->fresh_s = OPENID_FRESH_S;
	f->stale_s = OPENID_STALE_S;
	return FETCHED_THING;
}

static const struct fetched_kind configuration = {
	.shelf = &shelf, .pace = { OPENID_FLOOR_S, OPENID_RETRY_S }, .name = "OpenID configuration", .accept = "application/json",
	.timeout_ms = OPENID_TIMEOUT_MS, .max_bytes = OPENID_DOCUMENT_MAX, .take = take,
};

static enum step discovering(struct iap *f)
{
	enum step step = fetched_step(&f->k->x, &configuration, &f->configuration);
	const struct iap_published *pub = f->configuration.thing;

	if (step != STEP_NEXT)
		return step;
	if (!pub)
		return iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, arena_cstr(f->k->arena, f->configuration.why));
	/* Discovery section 4.3: else one provider could speak for another */
	if (!str_eq(str_of(pub->p.issuer), f->conf->issuer))
		return iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, "the configuration is of another issuer");
	f->pub = &pub->p;
	f->go = f->after;
	return STEP_JUMP;
}

enum step iap_discover(struct iap *f, enum step (*after)(struct iap *))
{
	f->after = after;
	f->configuration = (struct fetched){ .url = f->conf->discovery };
	f->go = discovering;
	return STEP_JUMP;
}

/* ---- tokens ---------------------------------------------------------------------------------------------------------------- */

static enum step keys_there(struct iap *f)
{
	const unsigned shared = JOSE_BIT(JOSE_HS256) | JOSE_BIT(JOSE_HS384) | JOSE_BIT(JOSE_HS512);
	struct jose_rules rules = { .algs = JOSE_ALL_ALGS & ~shared };
	struct jose_token token = { .claims = NULL };
	enum step step = openid_step(&f->k->x, &f->openid);
	enum jose_reason why;

	if (step != STEP_NEXT)
		return step;
	if (!f->openid.keys)
		return iap_refuse(f, REASON_SIGN_IN_UNAVAILABLE, arena_cstr(f->k->arena, f->openid.fetched.why));
	rules.keys = f->openid.keys;
	why = jose_verify(f->k->arena, f->token, &rules, &token);
	if (why == JOSE_KEY_NOT_FOUND && !f->renewed) {
		f->renewed = true;
		f->openid = (struct openid_state){ .fetched = { .url = f->conf->discovery, .renew = true } };
		return STEP_JUMP;
	}
	if (why != JOSE_OK) {
		log_warn("token of an identity provider refused", KV_STR("provider", f->conf->provider),
			 KV_CSTR("reason", jose_reason_name(why)));
		return f->bad ? f->bad(f) : iap_refuse(f, REASON_SIGN_IN_FAILED, "");
	}
	f->claims = token.claims;
	f->go = f->after;
	return STEP_JUMP;
}

enum step iap_verify(struct iap *f, enum step (*after)(struct iap *))
{
	f->after = after;
	f->renewed = false;
	f->openid = (struct openid_state){ .fetched = { .url = f->conf->discovery } };
	f->go = keys_there;
	return STEP_JUMP;
}
