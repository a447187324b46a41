/* openid.c - discovery documents lead to key sets; both together are one thing on the shelf. */
#include "policy/elements/openid.h"

#include "core/json.h"
#include "core/str.h"

#include <stdatomic.h>
#include <stdlib.h>

struct provider {                        /* immutable but for its count */
	_Atomic unsigned refs;
	struct jose_keys *keys;
	char *issuer;                    /* NULL: none is named */
};

static void *hold(void *thing)
{
	struct provider *p = thing;

	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

static void release(void *thing)
{
	struct provider *p = thing;

	if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	jose_keys_free(p->keys);
	free(p->issuer);
	free(p);
}

static struct shelf_place places[OPENID_PROVIDERS_MAX];
static struct shelf shelf = SHELF_INIT(places, hold, release);

void openid_forget(void)
{
	shelf_clear(&shelf);
}

/* Takes the keys. NULL: out of memory. */
static struct provider *provider_new(struct jose_keys *keys, struct str issuer)
{
	struct provider *p = calloc(1, sizeof(*p));

	if (p && issuer.n && !(p->issuer = strndup(issuer.p, issuer.n))) {
		free(p);
		p = NULL;
	}
	if (!p) {
		jose_keys_free(keys);
		return NULL;
	}
	p->refs = 1;
	p->keys = keys;
	return p;
}

static enum fetched_take take_keys(struct exchange *x, struct fetched *f, struct str bytes, struct str issuer, void **thing)
{
	struct jose_keys *keys = jose_keys_new();
	struct gh_err err = { 0 };

	if (!keys || jose_keys_add_jwks(keys, bytes, NULL, &err).code || jose_keys_count(keys) == 0) {
		f->why = arena_printf(x->arena, "the key set has no key that can be used%s%s", err.message[0] ? ": " : "",
				      err.message);
		jose_keys_free(keys);
		return FETCHED_BAD;
	}
	*thing = provider_new(keys, issuer);
	f->fresh_s = OPENID_FRESH_S;
	f->stale_s = OPENID_STALE_S;
	return *thing ? FETCHED_THING : FETCHED_BAD;
}

/* First the discovery document, then what its jwks_uri leads to; the address may be that of the key set itself. */
static enum fetched_take take(struct exchange *x, struct fetched *f, struct str bytes, void **thing)
{
	const struct jsn_limits limits = { .max_bytes = OPENID_DOCUMENT_MAX, .max_depth = JOSE_MAX_DEPTH, .flags = JSN_BIG_INTEGERS };
	struct openid_state *s = CONTAINER_OF(f, struct openid_state, fetched);
	struct gh_err err = { 0 };
	json_t *v;

	if (f->hops)
		return take_keys(x, f, bytes, s->issuer, thing);
	if (jsn_parse_in(x->arena, bytes, &limits, &v, NULL, &err).code || !json_is_object(v)) {
		f->why = STR("the OpenID configuration is no JSON object");
		return FETCHED_BAD;
	}
	if (jsn_arr(v, "keys"))
		return take_keys(x, f, bytes, STR_NULL, thing);
	s->issuer = jsn_str(v, "issuer");
	f->next = jsn_str(v, "jwks_uri");
	if (f->next.n)
		return FETCHED_ON;
	f->why = STR("the OpenID configuration names no jwks_uri");
	return FETCHED_BAD;
}

static const struct fetched_kind kind = {
	.shelf = &shelf, .pace = { OPENID_FLOOR_S, OPENID_RETRY_S }, .name = "OpenID configuration", .accept = "application/json",
	.timeout_ms = OPENID_TIMEOUT_MS, .max_bytes = OPENID_DOCUMENT_MAX, .state_bytes = sizeof(struct openid_state), .take = take,
};

enum step openid_step(struct exchange *x, struct openid_state *s)
{
	enum step step = fetched_step(x, &kind, &s->fetched);
	const struct provider *p = s->fetched.thing;

	if (step == STEP_NEXT && p) {
		s->keys = p->keys;
		s->issuer = p->issuer ? str_of(p->issuer) : STR_NULL;
	}
	return step;
}

int64_t openid_settled(const struct openid_state *s, int64_t now_us, uint64_t *version)
{
	const int64_t most_us = now_us + (int64_t)OPENID_SETTLED_S * 1000000;
	int64_t until_us = shelf_settled(&shelf, s->fetched.url, s->fetched.thing, version);

	return until_us < most_us ? until_us : most_us;
}

uint64_t openid_version(void)
{
	return shelf_version(&shelf);
}
