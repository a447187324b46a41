/* issuer.h - a small world for tests of validate-jwt: a provider with keys, tokens of its own and of a shared secret, and a
 * host whose clock the test sets. */
#pragma once

#include "tests/unit/check.h"

#include "core/jose.h"
#include "policy/compiler.h"
#include "policy/elements/openid.h"

#define EXP "\"exp\":1700000100"
#define NOW_S 1700000000
#define SECRET "0123456789abcdef0123456789abcdef"        /* MDEy…ZWY= in Base64 */
#define KEY "<issuer-signing-keys><key id=\"s\">MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=</key></issuer-signing-keys>"
#define PROVIDER "<openid-config url=\"https://login.example/c\"/>"

static struct {
	int64_t now_us;
	unsigned discoveries, key_fetches, forwards;
	struct jose_keys *provider;      /* what the provider shows */
	enum call_failure failure;
	bool wait;                       /* answers come later */
	unsigned certificates;           /* how often one was asked for */
	struct str certificate, certificate_key;
	struct subrequest *open;
	struct {                         /* what an exchange has sent aside; `run` NULL: nothing */
		struct exchange x;
		enum step (*run)(struct exchange *, void *);
		void *state;
	} errand;
} world;

static int64_t now_us(struct exchange *x UNUSED)
{
	return world.now_us;
}

static void answer(struct exchange *x, struct subrequest *s)
{
	struct str url = url_text(x->arena, &s->request.url);
	json_t *set;

	s->failure = world.failure;
	s->failure_text = STR("refused");
	s->response.status = 200;
	if (str_eq(url, STR("https://login.example/keys"))) {
		world.key_fetches++;
		set = jose_keys_public(world.provider);
		s->response.body.bytes = jsn_text(x->arena, set, 0);
		json_decref(set);
	} else {
		world.discoveries++;
		s->response.body.bytes =
			STR("{\"issuer\":\"https://login.example/{tenantid}/\",\"jwks_uri\":\"https://login.example/keys\"}");
	}
	s->done = true;
}

static enum step send(struct exchange *x, struct subrequest *s)
{
	if (world.wait) {
		world.open = s;
		return STEP_WAIT;
	}
	answer(x, s);
	return STEP_NEXT;
}

static UNUSED void *aside(struct exchange *x, enum step (*run)(struct exchange *, void *), size_t bytes, struct arena **a)
{
	assert_null(world.errand.run);
	*a = arena_new(4 << 20);
	world.errand.run = run;
	world.errand.state = arena_alloc(*a, 1, bytes);
	world.errand.x = (struct exchange){ .arena = *a, .host = x->host };
	return world.errand.state;
}

/* Its turn, to the end. */
static void run_errand_now(void)
{
	enum step (*run)(struct exchange *, void *) = world.errand.run;

	world.errand.run = NULL;
	if (!run)
		return;
	assert_int_not_equal(run(&world.errand.x, world.errand.state), STEP_WAIT);
	arena_free(world.errand.x.arena);
}

/* Time passes only here, and then whatever was sent has its turn. */
static enum step sleep_for(struct exchange *x UNUSED, struct host_sleep *s)
{
	world.now_us += (int64_t)s->ms * 1000;
	run_errand_now();
	s->done = true;
	return STEP_NEXT;
}

static enum step forward(struct exchange *x, struct forward *f)
{
	world.forwards++;
	x->response.status = 200;
	f->done = true;
	return STEP_NEXT;
}

static void finished(struct exchange *x)
{
	x->owner = NULL;
}

static bool certificate(struct exchange *x UNUSED, struct str id, struct str *cert, struct str *key)
{
	world.certificates++;
	*cert = world.certificate;
	*key = world.certificate_key;
	return str_eq(id, STR("signer")) && world.certificate.n;
}

static const struct policy_host host = { .now_us = now_us, .send = send, .sleep = sleep_for, .forward = forward,
					 .certificate = certificate };

static void begin(void)
{
	openid_forget();
	jose_keys_free(world.provider);
	memset(&world, 0, sizeof(world));
	world.now_us = (int64_t)NOW_S * 1000000;
	world.provider = jose_keys_new();
	assert_int_equal(jose_keys_generate(world.provider, STR("p1"), JOSE_ES256, NULL).code, GH_OK);
}

static const struct policy_document *compile(struct arena *a, const char *element, struct policy_diags *d)
{
	struct str text = arena_printf(a, "<policies><inbound>%s</inbound><backend><forward-request/></backend><outbound/><on-error/></policies>",
				       element);

	policy_diags_init(d, a);
	return policy_compile(a, text, &(struct policy_source){ .scope = SCOPE_API }, NULL, d);
}

static struct exchange *exchange_of(struct arena *a, const struct policy_document *d, struct str authorization, const char *query)
{
	struct exchange *x = arena_new_of(a, struct exchange);

	x->arena = a;
	x->host = &host;
	x->owner = x;
	x->finished = finished;
	x->request_id = STR("3f2504e0-4f89-11d3-9a0c-0305e82c3301");
	x->request.method = STR("GET");
	assert_true(url_parse(STR("https://backend.example/x"), &x->request.url));
	x->request.url.query = str_of(query);
	fields_init(&x->request.headers, a);
	fields_init(&x->response.headers, a);
	fields_init(&x->matched, a);
	if (authorization.p)
		assert_true(fields_add(&x->request.headers, STR("Authorization"), authorization));
	x->documents[SCOPE_API] = d;
	return x;
}

static UNUSED struct str hs256(struct arena *a, const char *claims)
{
	struct jose_keys *k = jose_keys_new();
	struct str out = STR_NULL;
	json_t *v;

	assert_int_equal(jose_keys_add_secret(k, STR("s"), STR(SECRET), NULL).code, GH_OK);
	assert_int_equal(jsn_parse_in(a, str_of(claims), NULL, &v, NULL, NULL).code, GH_OK);
	assert_int_equal(jose_sign(a, k, STR_NULL, JOSE_HS256, v, &out, NULL).code, GH_OK);
	jose_keys_free(k);
	return out;
}

static UNUSED struct str by_provider(struct arena *a, const char *kid, const char *claims)
{
	struct str out = STR_NULL;
	json_t *v;

	assert_int_equal(jsn_parse_in(a, str_of(claims), NULL, &v, NULL, NULL).code, GH_OK);
	assert_int_equal(jose_sign(a, world.provider, str_of(kid), JOSE_ES256, v, &out, NULL).code, GH_OK);
	return out;
}
