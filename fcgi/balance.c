/* balance.c - between a forward-request and its backend: breaker, pool, ejection, retries on another member.
 *
 * The member is chosen when the request is forwarded, not when the call comes in: what policies refuse takes no turn, and
 * what happened meanwhile counts. Until then the request is addressed to the first member; policies may rewrite its path, and
 * what they made of it is kept when it is addressed to another one. */
#include "fcgi/balance.h"

#include "core/log.h"
#include "core/str.h"
#include "fcgi/call_gate.h"
#include "fcgi/pool.h"
#include "fcgi/shared_state.h"

#include <curl/curl.h>
#include <time.h>

struct balance {
	uint64_t tried;                      /* members that were asked in vain in this forward-request */
	size_t member;
	const struct snap_backend *backend;  /* that was chosen */
	unsigned again;
	bool counted;                        /* in the budget of retries of its pool */
	enum reason why;                     /* again: how the last try failed */
	bool probe_breaker, probe_eject;     /* ours to end */
	bool asks, leased;                   /* other machines whether we may probe; they have been told that we do */
	struct shared_probe probe;
	bool told, under_way, stays;         /* stays: the member has answered, so the session may stay with it */
	const struct snap_backend *pool;     /* that member is of */
	const struct snap_backend *full;     /* the last that had as many calls as it may; NULL: none */
	struct str entered;                  /* gauge of calls under way that this one is in; STR_NULL: none */
	struct str set_token;                /* for the client's cookie; STR_NULL: it has it */
};

enum { SECOND_US = 1000000, TEXT_MAX = 200 };

bool balance_wanted(const struct call *k)
{
	return k->x.backend_id.n && k->backend && (k->pool || k->backend->breaker || k->backend->max_calls);
}

static struct backend_slot *slot_of(const struct call *k, const struct snap_backend *b)
{
	return backend_place_slot(b, k->wk->serving->states, k->wk->loop.now_us);
}

/* ---- addressing -------------------------------------------------------------------------------------------------------- */

static struct str without_slash(struct str path)
{
	return path.n && path.p[path.n - 1] == '/' ? str_first(path, path.n - 1) : path;
}

/* "/shop" is a base of "/shop" and "/shop/x", not of "/shopping". */
static bool is_below(struct str path, struct str base)
{
	return str_starts(path, base) && (path.n == base.n || path.p[base.n] == '/');
}

bool url_rebase(struct arena *a, struct url *u, const struct url *from, const struct url *to, bool *moved)
{
	struct str old = without_slash(from->path), base = without_slash(to->path);

	*moved = str_eq_ci(u->host, from->host) && url_port(u) == url_port(from) && str_eq(u->scheme, from->scheme)
		 && is_below(u->path, old);
	if (!*moved)
		return true;
	u->scheme = to->scheme;
	u->host = to->host;
	u->port = to->port;
	if (!str_eq(old, base))
		u->path = arena_printf(a, "%.*s%.*s", STR_ARG(base), STR_ARG(str_from(u->path, old.n)));
	if (!u->path.n)
		u->path = u->path.p ? STR("/") : STR_NULL;
	return u->path.p != NULL;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------------- */

static struct str hashed_text(const struct call *k, const struct snap_backend *pool)
{
	const struct fields *h = &k->x.request.headers;

	switch (pool->hash) {
	case POOL_HASH_SUBSCRIPTION:
		return k->gate->access.subscription_id;
	case POOL_HASH_PATH:
		return k->x.request.original_url.path;
	case POOL_HASH_HEADER:
		return fields_get(h, pool->hash_name);
	case POOL_HASH_COOKIE:
		return fields_cookie(h, pool->hash_name, STR(""));
	default:
		return k->x.request.ip;
	}
}

/* False: as many calls are under way to it as may be. Without counters nobody is kept away. */
static bool enter(struct call *k, const struct snap_backend *to)
{
	struct balance *b = k->balance;

	if (!to->max_calls || !k->wk->serving->counters)
		return true;
	if (!gate_enter(&k->x, to->calls_key, to->max_calls)) {
		b->full = to;
		return false;
	}
	b->entered = to->calls_key;
	return true;
}

static void give_probes_back(struct call *k, const struct snap_backend *from, bool breaker, bool eject)
{
	if (breaker)
		breaker_release(slot_of(k, from));
	if (eject)
		eject_release(slot_of(k, from));
}

static bool choose_member(struct call *k, bool may_repeat, int64_t *left_us)
{
	struct balance *b = k->balance;
	const struct snap_backend *pool = k->pool;
	struct pool_ask ask = { .states = k->wk->serving->states, .now_us = k->wk->loop.now_us, .tried = b->tried, .may_probe = may_repeat };
	struct pool_pick pick;

	if (pool->affinity_cookie.n)
		ask.token = fields_cookie(&k->x.request.headers, pool->affinity_cookie, STR(""));
	if (pool->balance == POOL_HASH)
		ask.hash = str_hash(hashed_text(k, pool));
	for (;;) {
		const struct snap_backend *one;

		if (!pool_pick(pool, &ask, &pick)) {
			*left_us = pick.left_us;
			return false;
		}
		one = pool->members[pick.member].backend;
		if (enter(k, one))
			break;
		give_probes_back(k, one, pick.breaker_probe, pick.eject_probe);
		ask.tried |= UINT64_C(1) << pick.member;     /* of this choice: it has answered all the same */
	}
	b->member = pick.member;
	b->probe_breaker = pick.breaker_probe;
	b->probe_eject = pick.eject_probe;
	b->pool = pool;
	b->under_way = true;
	pool_enter(pool, b->member);
	if (pool->affinity_cookie.n)
		b->set_token = str_eq(pool->members[b->member].token, ask.token) ? STR_NULL : pool->members[b->member].token;
	return true;
}

/* A backend that is no pool's. */
static bool ask_breaker(struct call *k, int64_t *left_us)
{
	int64_t now = k->wk->loop.now_us;
	enum backend_gate gate = k->backend->breaker ? breaker_state(slot_of(k, k->backend), k->backend->breaker, now, left_us) : BACKEND_PASS;

	if (gate == BACKEND_PROBE && !breaker_claim(slot_of(k, k->backend), now))
		gate = BACKEND_SHUT;
	if (gate != BACKEND_SHUT && !enter(k, k->backend)) {
		give_probes_back(k, k->backend, gate == BACKEND_PROBE, false);
		return false;
	}
	k->balance->probe_breaker = gate == BACKEND_PROBE;
	return gate != BACKEND_SHUT;
}

static void refuse(struct call *k, struct forward *f, int64_t left_us)
{
	long long wait = left_us > SECOND_US ? (left_us + SECOND_US - 1) / SECOND_US : 1;

	if (k->balance->full)
		f->failure_text = arena_printf(k->arena, "As many calls are under way to the backend %.*s as it may have (%u)",
					       STR_ARG(k->balance->full->id), k->balance->full->max_calls);
	else if (k->pool)
		f->failure_text = arena_printf(k->arena, "No backend of the pool %.*s may be asked; try again in %lld s",
					       STR_ARG(k->pool->id), wait);
	else
		f->failure_text = arena_printf(k->arena, "The circuit breaker of the backend %.*s is open; try again in %lld s",
					       STR_ARG(k->backend->id), wait);
	f->failure_header = STR("Retry-After");
	f->failure_header_value = arena_printf(k->arena, "%lld", wait);
}

bool balance_choose(struct call *k, struct forward *f, bool may_repeat, enum reason *why)
{
	struct balance *b = k->balance ? k->balance : arena_new_of(k->arena, struct balance);
	int64_t left_us = 0;

	*why = REASON_NO_MEMORY;
	if (!b)
		return false;
	k->balance = b;
	b->pool = NULL;
	b->set_token = STR_NULL;
	if (k->pool && !b->counted)          /* once, however often it looks for a place */
		pool_budget_add(k->pool, config_int(k->wk->config, CONFIG_POOL_RETRY_PERCENT));
	b->counted = true;
	b->told = b->stays = false;
	b->full = NULL;
	*why = REASON_BACKEND_OPEN;
	if (!(k->pool ? choose_member(k, may_repeat, &left_us) : ask_breaker(k, &left_us))) {
		/* nobody else is there: the caller is told how it failed, not that nobody may be asked */
		if (b->again)
			*why = b->why;
		else
			refuse(k, f, left_us);
		if (!b->again && b->full)
			*why = REASON_BACKEND_FULL;
		return false;
	}
	b->backend = k->pool ? k->pool->members[b->member].backend : k->backend;
	*why = REASON_NO_MEMORY;
	if (k->pool) {
		const struct url *from = &k->backend->base;
		bool moved;

		k->backend = b->backend;
		if (from != &b->backend->base && !url_rebase(k->arena, &k->x.request.url, from, &b->backend->base, &moved))
			return false;
	}
	if (k->x.trace_on)
		exchange_trace(&k->x, "%s%.*s%sbackend %.*s%s", k->pool ? "pool " : "", STR_ARG(k->pool ? k->pool->id : STR("")),
			       k->pool ? ": " : "", STR_ARG(k->backend->id),
			       b->probe_breaker ? ", probe of its circuit breaker" : b->probe_eject ? ", probe after it could not be reached" : "");
	return true;
}

/* ---- other machines ---------------------------------------------------------------------------------------------------- */

bool balance_asks(struct call *k)
{
	struct balance *b = k->balance;

	if (!b || !b->probe_breaker || b->leased || !k->wk->shared_states)
		return false;
	b->probe = (struct shared_probe){ .call = k, .key = b->backend->place->key };
	b->asks = b->leased = shared_probe_ask(k->wk->shared_states, &b->probe);
	return b->asks;
}

bool balance_is_asking(const struct call *k)
{
	return k->balance && k->balance->asks;
}

enum balance_answer balance_answer(struct call *k)
{
	struct balance *b = k->balance;
	int64_t busy_us = b->probe.busy_us;
	struct backend_slot *slot = slot_of(k, b->backend);

	if (!b->probe.done)
		return BALANCE_WAITS;
	if (b->probe.again && shared_probe_ask(k->wk->shared_states, &b->probe))
		return BALANCE_WAITS;
	b->asks = false;
	if (!busy_us)
		return BALANCE_GOES;
	b->leased = false;
	balance_end(k);
	breaker_wait(slot, k->wk->loop.now_us + busy_us);
	return BALANCE_ANEW;
}

void balance_begin(struct call *k)
{
	if (!k->balance)
		return;
	k->balance->tried = k->balance->again = 0;
	k->balance->counted = false;
}

/* ---- outcome ----------------------------------------------------------------------------------------------------------- */

/* The bit of a reason in breaker_rule.failures; 0: it says nothing about the backend. */
static uint32_t failure_bit(enum reason why)
{
	static const enum reason reasons[BACKEND_FAILURE__COUNT] = {
#define X(name, word) [BACKEND_FAILURE_##name] = REASON_BACKEND_##name,
		BACKEND_FAILURES(X)
#undef X
	};

	for (unsigned i = 0; i < BACKEND_FAILURE__COUNT; i++)
		if (reasons[i] == why)
			return 1u << i;
	return 0;
}

/* Not a byte of the request has left. */
static bool nothing_sent(enum reason why)
{
	return why == REASON_BACKEND_CONNECT || why == REASON_BACKEND_DNS || why == REASON_BACKEND_CONNECT_TIMEOUT
	       || why == REASON_BACKEND_TLS || why == REASON_BACKEND_TLS_TIMEOUT;
}

static bool broke_off(enum reason why)
{
	return why == REASON_BACKEND_CUT_OFF || why == REASON_BACKEND_SEND;
}

/* Retry-After of the answer in µs (RFC 9110 section 10.2.3: seconds or a date); 0: none. */
static int64_t asked_pause(const struct call *k)
{
	struct str text = str_trim(fields_get(&k->x.response.headers, STR("Retry-After")));
	char date[64];
	uint64_t s = 0;

	if (!text.n || str_to_u64(text, BREAKER_TRIP_MAX_S, &s) || text.n >= sizeof(date))
		return (int64_t)s * SECOND_US;
	memcpy(date, text.p, text.n);
	date[text.n] = '\0';
	s = (uint64_t)(curl_getdate(date, NULL) - time(NULL));
	return s <= BREAKER_TRIP_MAX_S ? (int64_t)s * SECOND_US : 0;
}

static void tell_breaker(struct call *k, enum reason why)
{
	const struct breaker_rule *r = k->balance->backend->breaker;
	bool probe = k->balance->probe_breaker, failed;
	int64_t trip_us = 0;

	if (why != REASON_NONE && !failure_bit(why))
		return;                      /* the client went away: nothing is known; balance_end gives the probe back */
	failed = why != REASON_NONE ? r->failures & failure_bit(why) : status_ranges_hold(&r->statuses, k->x.response.status);
	if (failed && why == REASON_NONE && r->accept_retry_after)
		trip_us = asked_pause(k);
	if (breaker_tell(slot_of(k, k->balance->backend), r, failed, probe, trip_us, k->wk->loop.now_us))
		log_warn("circuit breaker open", KV_STR("backend", k->balance->backend->id),
			 KV_INT("for_s", (trip_us ? trip_us : r->trip_us) / SECOND_US), KV_STR("reason", reason_info(why)->word),
			 KV_INT("status", k->x.response.status));
	else if (probe && !failed)
		log_info("circuit breaker closed", KV_STR("backend", k->balance->backend->id));
	if (failed || probe)
		shared_states_soon(k->wk->shared_states);
	k->balance->probe_breaker = k->balance->leased = false;      /* what others are told ends it there too */
}

static void tell_ejection(struct call *k, enum reason why)
{
	const struct config *c = k->wk->config;
	bool failed = nothing_sent(why) || broke_off(why);

	if (why != REASON_NONE && !failure_bit(why))
		return;
	if (eject_tell(slot_of(k, k->balance->backend), failed, k->balance->probe_eject, config_int(c, CONFIG_POOL_EJECT_MS) * 1000,
		       config_int(c, CONFIG_POOL_EJECT_MAX_MS) * 1000, k->wk->loop.now_us))
		log_warn("backend ejected", KV_STR("backend", k->balance->backend->id), KV_STR("pool", k->balance->pool->id),
			 KV_STR("reason", reason_info(why)->word));
	if (failed || k->balance->probe_eject)
		shared_states_soon(k->wk->shared_states);
	k->balance->probe_eject = false;
}

void balance_tell(struct call *k, enum reason why)
{
	if (k->balance->told) {
		if (why != REASON_NONE)      /* it broke off: the answer may be ours, and no session stays with such a member */
			k->balance->stays = false;
		return;
	}
	k->balance->told = true;
	k->balance->stays = why == REASON_NONE;
	if (k->balance->backend->breaker)
		tell_breaker(k, why);
	if (k->balance->pool)
		tell_ejection(k, why);
}

static bool is_safe(struct str method)
{
	return str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")) || str_eq(method, STR("OPTIONS"));
}

bool balance_again(struct call *k, enum reason why, bool may_repeat)
{
	struct balance *b = k->balance;

	if (!b || !k->pool || b->pool != k->pool || !may_repeat || b->again + 1 >= k->pool->n_members
	    || !(nothing_sent(why) || (broke_off(why) && is_safe(k->x.request.method))) || !pool_budget_take(k->pool))
		return false;
	b->tried |= UINT64_C(1) << b->member;
	b->again++;
	b->why = why;
	return true;
}

void balance_same_again(struct call *k)
{
	struct balance *b = k->balance;

	b->told = b->stays = false;
	(void)enter(k, b->backend);          /* it had its place a moment ago */
	if (b->pool) {
		b->under_way = true;
		pool_enter(b->pool, b->member);
	}
}

void balance_end(struct call *k)
{
	struct balance *b = k->balance;

	if (!b)
		return;
	if (b->entered.n)
		gate_leave(&k->x, b->entered);
	b->entered = STR_NULL;
	if (b->under_way)
		pool_leave(b->pool, b->member);
	if (b->asks)
		shared_drop(&b->probe.wire);
	if (b->leased)
		shared_probe_release(k->wk->shared_states, b->backend->place->key);
	b->asks = b->leased = false;
	if (b->probe_breaker)
		breaker_release(slot_of(k, b->backend));
	if (b->probe_eject)
		eject_release(slot_of(k, b->backend));
	b->under_way = b->probe_breaker = b->probe_eject = false;
}

bool balance_cookie(struct call *k, struct field *out)
{
	const struct balance *b = k->balance;

	if (!b || !b->stays || !b->set_token.n)
		return false;
	out->name = STR("Set-Cookie");
	out->value = arena_printf(k->arena, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Lax%s", STR_ARG(b->pool->affinity_cookie),
				  STR_ARG(b->set_token), str_eq(k->x.request.original_url.scheme, STR("https")) ? "; Secure" : "");
	return out->value.p != NULL;
}
