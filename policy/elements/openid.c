/* openid.c - the process's cache of identity providers.
 *
 * Why a table of the process and not the shared cache of the host: what is kept is parsed keys, not text. Parsing a set for
 * each request would cost more than the signatures. The table is small and guarded by one lock that is never held while
 * anything is fetched. */
#include "policy/elements/openid.h"

#include "core/json.h"
#include "core/str.h"

#include <pthread.h>
#include <stdlib.h>

enum { PAUSE_MS = 20, PAUSES_MAX = 600, URL_MAX = 2048, FETCH_MOST_S = 30 };

struct provider {
	char *url, *issuer;
	struct jose_keys *keys;          /* NULL until the first fetch has succeeded */
	int64_t fetched_us, tried_us, fetching_us, used_us;      /* fetching_us 0: nobody fetches */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct provider providers[OPENID_PROVIDERS_MAX];

static void clear(struct provider *p)
{
	free(p->url);
	free(p->issuer);
	jose_keys_free(p->keys);
	*p = (struct provider){ 0 };
}

void openid_forget(void)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < OPENID_PROVIDERS_MAX; i++)
		clear(&providers[i]);
	pthread_mutex_unlock(&lock);
}

/* Under the lock. The provider's place, made when there is none; NULL when out of memory. */
static struct provider *provider_of(struct str url)
{
	struct provider *oldest = &providers[0];

	for (size_t i = 0; i < OPENID_PROVIDERS_MAX; i++) {
		if (providers[i].url && str_eq(str_of(providers[i].url), url))
			return &providers[i];
		if (!providers[i].url || (oldest->url && providers[i].used_us < oldest->used_us))
			oldest = &providers[i];
	}
	clear(oldest);
	oldest->url = strndup(url.p, url.n);
	return oldest->url ? oldest : NULL;
}

static void give_back(void *keys)
{
	jose_keys_free(keys);
}

/* Under the lock: the provider's keys into the state, held until the exchange ends. */
static bool hand_out(struct exchange *x, struct openid_state *s, struct provider *p)
{
	if (!arena_defer(x->arena, give_back, jose_keys_ref(p->keys))) {
		jose_keys_free(p->keys);
		return false;
	}
	s->keys = p->keys;
	s->issuer = p->issuer ? arena_dup(x->arena, str_of(p->issuer)) : STR_NULL;
	s->fetched_us = p->fetched_us;
	s->phase = OPENID_DONE;
	return true;
}

static bool older(int64_t now_us, int64_t than_us, int64_t seconds)
{
	return now_us - than_us >= seconds * 1000000;
}

enum plan { PLAN_USE, PLAN_FETCH, PLAN_WAIT, PLAN_GIVE_UP };

/* Under the lock. */
static enum plan plan_for(const struct provider *p, const struct openid_state *s, int64_t now)
{
	bool usable = p->keys && !older(now, p->fetched_us, OPENID_STALE_S);
	bool due = !p->keys || older(now, p->fetched_us, OPENID_FRESH_S) || (s->renew && older(now, p->fetched_us, OPENID_FLOOR_S));

	if (!due)
		return PLAN_USE;
	if (p->fetching_us && !older(now, p->fetching_us, FETCH_MOST_S))
		return usable && !s->renew ? PLAN_USE : PLAN_WAIT;
	if (p->tried_us && !older(now, p->tried_us, OPENID_RETRY_S))
		return usable ? PLAN_USE : PLAN_GIVE_UP;
	return PLAN_FETCH;
}

/* ---- fetching ------------------------------------------------------------------------------------------------------ */

static enum step ask(struct exchange *x, struct openid_state *s, struct str url)
{
	s->call = arena_new_of(x->arena, struct subrequest);
	if (!s->call)
		return exchange_no_memory(x);
	s->call->timeout_ms = OPENID_TIMEOUT_MS;
	s->call->max_response_bytes = OPENID_DOCUMENT_MAX;
	s->call->request.method = STR("GET");
	fields_init(&s->call->request.headers, x->arena);
	if (!url_parse(url, &s->call->request.url) || !fields_add(&s->call->request.headers, STR("Accept"), STR("application/json"))) {
		s->why = arena_printf(x->arena, "%.*s is no http or https address", STR_ARG(str_first(url, 200)));
		s->call = NULL;
		return STEP_NEXT;
	}
	return x->host->send(x, s->call);
}

static enum step finish(struct exchange *x, struct openid_state *s, struct jose_keys *keys)
{
	int64_t now = x->host->now_us(x);
	struct provider *p;
	bool ok = true;

	pthread_mutex_lock(&lock);
	p = provider_of(s->url);
	if (p) {
		p->fetching_us = 0;
		p->tried_us = now;
		p->used_us = now;
		if (keys) {
			jose_keys_free(p->keys);
			free(p->issuer);
			p->keys = keys;
			p->issuer = s->issuer.p ? strndup(s->issuer.p, s->issuer.n) : NULL;
			p->fetched_us = now;
			p->tried_us = 0;
		}
		if (p->keys && !older(now, p->fetched_us, OPENID_STALE_S))
			ok = hand_out(x, s, p);
	} else {
		jose_keys_free(keys);
		ok = false;
	}
	pthread_mutex_unlock(&lock);
	s->phase = OPENID_DONE;
	exchange_trace(x, keys ? "keys of %.*s fetched" : "keys of %.*s could not be fetched", STR_ARG(str_first(s->url, 200)));
	return ok ? STEP_NEXT : exchange_no_memory(x);
}

/* The answer as a JSON object; NULL and s->why otherwise. */
static json_t *answer_of(struct exchange *x, struct openid_state *s, const char *what)
{
	const struct jsn_limits limits = { .max_bytes = OPENID_DOCUMENT_MAX, .max_depth = JOSE_MAX_DEPTH, .flags = JSN_BIG_INTEGERS };
	struct subrequest *call = s->call;
	json_t *v = NULL;
	struct gh_err err = { 0 };

	if (!call)
		return NULL;
	if (call->failure != CALL_OK)
		s->why = arena_printf(x->arena, "the %s could not be fetched: %.*s", what, STR_ARG(call->failure_text));
	else if (call->response.status != 200)
		s->why = arena_printf(x->arena, "the %s was answered with status %d", what, call->response.status);
	else if (jsn_parse_in(x->arena, call->response.body.bytes, &limits, &v, NULL, &err).code || !json_is_object(v))
		s->why = arena_printf(x->arena, "the %s is no JSON object", what);
	return s->why.p ? NULL : v;
}

static enum step take_keys(struct exchange *x, struct openid_state *s)
{
	json_t *v = answer_of(x, s, "key set");
	struct jose_keys *keys = v ? jose_keys_new() : NULL;
	struct gh_err err = { 0 };

	if (keys && (jose_keys_add_jwks(keys, s->call->response.body.bytes, NULL, &err).code || jose_keys_count(keys) == 0)) {
		s->why = arena_printf(x->arena, "the key set has no key that can be used%s%s", err.message[0] ? ": " : "", err.message);
		jose_keys_free(keys);
		keys = NULL;
	}
	return finish(x, s, keys);
}

static enum step take_discovery(struct exchange *x, struct openid_state *s)
{
	json_t *v = answer_of(x, s, "OpenID configuration");
	enum step step;

	if (!v)
		return finish(x, s, NULL);
	if (jsn_arr(v, "keys")) {                /* the address is that of the key set itself */
		s->phase = OPENID_KEYS;
		return take_keys(x, s);
	}
	s->issuer = jsn_str(v, "issuer");
	if (jsn_str(v, "jwks_uri").n == 0) {
		s->why = STR("the OpenID configuration names no jwks_uri");
		return finish(x, s, NULL);
	}
	s->phase = OPENID_KEYS;
	step = ask(x, s, jsn_str(v, "jwks_uri"));
	if (step != STEP_NEXT)
		return step;
	return s->call && s->call->done ? take_keys(x, s) : s->call ? STEP_WAIT : finish(x, s, NULL);
}

/* ---- stepping ------------------------------------------------------------------------------------------------------- */

static enum step look(struct exchange *x, struct openid_state *s)
{
	int64_t now = x->host->now_us(x);
	enum plan plan = PLAN_GIVE_UP;
	struct provider *p;
	bool ok = true;
	enum step step;

	if (s->url.n == 0 || s->url.n > URL_MAX) {
		s->why = STR("the address of the OpenID configuration is empty or too long");
		s->phase = OPENID_DONE;
		return STEP_NEXT;
	}
	pthread_mutex_lock(&lock);
	p = provider_of(s->url);
	if (p) {
		p->used_us = now;
		plan = plan_for(p, s, now);
		if (plan == PLAN_USE)
			ok = hand_out(x, s, p);
		else if (plan == PLAN_FETCH)
			p->fetching_us = now;
	}
	pthread_mutex_unlock(&lock);
	if (!ok)
		return exchange_no_memory(x);
	if (plan == PLAN_USE)
		return STEP_NEXT;
	if (plan == PLAN_WAIT && s->pauses++ < PAUSES_MAX) {
		s->phase = OPENID_PAUSE;
		s->pause = arena_new_of(x->arena, struct host_sleep);
		if (!s->pause)
			return exchange_no_memory(x);
		s->pause->ms = PAUSE_MS;
		return x->host->sleep(x, s->pause);
	}
	if (plan != PLAN_FETCH) {
		s->why = STR("the keys could not be fetched a moment ago");
		s->phase = OPENID_DONE;
		return STEP_NEXT;
	}
	s->phase = OPENID_DISCOVERY;
	step = ask(x, s, s->url);
	return step == STEP_NEXT && !s->call ? finish(x, s, NULL) : step;
}

enum step openid_step(struct exchange *x, struct openid_state *s)
{
	enum step step = STEP_NEXT;

	while (step == STEP_NEXT && s->phase != OPENID_DONE) {
		switch (s->phase) {
		case OPENID_LOOK:
			step = look(x, s);
			break;
		case OPENID_PAUSE:
			if (!s->pause->done)
				return STEP_WAIT;
			s->phase = OPENID_LOOK;
			break;
		case OPENID_DISCOVERY:
			step = s->call->done ? take_discovery(x, s) : STEP_WAIT;
			break;
		case OPENID_KEYS:
			step = s->call->done ? take_keys(x, s) : STEP_WAIT;
			break;
		default:
			break;
		}
	}
	return step;
}
