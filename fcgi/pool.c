#include "fcgi/pool.h"

#include "core/log.h"
#include "core/str.h"

#include <math.h>

enum { RETRY_COST = 100, RETRIES_FIRST = 10, RETRIES_MAX = 100 };    /* credit is in hundredths of a retry */
enum { LOOK_AGAIN_US = 60000000 };   /* far less than BACKEND_GONE_US */

struct pool_live {
	int64_t credit;
	struct {
		int64_t turn;                /* smooth weighted round robin: the largest is next */
		int64_t under_way;
	} m[];
};

struct pool_live *pool_live_new(struct arena *a, size_t n_members)
{
	struct pool_live *l = arena_alloc(a, 1, sizeof(*l) + n_members * sizeof(l->m[0]));

	if (l)
		l->credit = RETRIES_FIRST * RETRY_COST;
	return l;
}

void pool_enter(const struct snap_backend *pool, size_t member)
{
	pool->live->m[member].under_way++;
}

void pool_leave(const struct snap_backend *pool, size_t member)
{
	pool->live->m[member].under_way--;
}

void pool_budget_add(const struct snap_backend *pool, int64_t percent)
{
	struct pool_live *l = pool->live;

	l->credit = l->credit + percent < RETRIES_MAX * RETRY_COST ? l->credit + percent : RETRIES_MAX * RETRY_COST;
}

bool pool_budget_take(const struct snap_backend *pool)
{
	if (pool->live->credit < RETRY_COST)
		return false;
	pool->live->credit -= RETRY_COST;
	return true;
}

/* ---- where its state stands ----------------------------------------------------------------------------------------------- */

struct backend_place *backend_place_new(struct arena *a, uint64_t key)
{
	struct backend_place *p = arena_new_of(a, struct backend_place);

	if (p)
		p->key = key;
	return p;
}

struct backend_slot *backend_place_find(struct backend_place *p, struct str id, struct backend_states *s, int64_t now)
{
	if (!s)
		return NULL;
	if (p->looked && now - p->looked_us < LOOK_AGAIN_US && (!p->slot || backend_slot_is(p->slot, p->key)))
		return p->slot;
	p->slot = backend_slot(s, p->key, now);
	if (!p->slot && !p->looked)
		log_error("no room for the state of another backend: its circuit breaker stays closed", KV_STR("backend", id),
			  KV_INT("room", BACKEND_STATES_MAX));
	p->looked = true;
	p->looked_us = now;
	return p->slot;
}

struct backend_slot *backend_place_slot(const struct snap_backend *b, struct backend_states *s, int64_t now)
{
	return backend_place_find(b->place, b->id, s, now);
}

/* ---- who can be used ------------------------------------------------------------------------------------------------------ */

struct standing {
	bool usable, breaker_probe, eject_probe;
};

static struct standing look(const struct snap_backend *b, const struct pool_ask *ask, bool last_resort, int64_t *left_us)
{
	struct backend_slot *slot = backend_place_slot(b, ask->states, ask->now_us);
	struct standing s = { .usable = true };
	enum backend_gate gate = BACKEND_PASS;
	int64_t left;

	if (b->breaker)
		gate = breaker_state(slot, b->breaker, ask->now_us, &left);
	if (gate == BACKEND_SHUT && (!*left_us || left < *left_us))
		*left_us = left;
	if (gate == BACKEND_SHUT)
		return (struct standing){ 0 };
	s.breaker_probe = gate == BACKEND_PROBE;
	if (last_resort)
		return s;
	gate = eject_state(slot, ask->now_us);
	s.eject_probe = gate == BACKEND_PROBE;
	s.usable = gate != BACKEND_SHUT && health_state(slot, ask->now_us) != BACKEND_DOWN
		   && (ask->may_probe || (!s.breaker_probe && !s.eject_probe));
	return s;
}

/* Probes are one at a time over all workers: somebody may have been faster. */
static bool claim(const struct snap_backend *b, const struct pool_ask *ask, const struct standing *s)
{
	struct backend_slot *slot = backend_place_slot(b, ask->states, ask->now_us);

	if (s->breaker_probe && !breaker_claim(slot, ask->now_us))
		return false;
	if (!s->eject_probe || eject_claim(slot, ask->now_us))
		return true;
	if (s->breaker_probe)
		breaker_release(slot);
	return false;
}

/* ---- who of them ---------------------------------------------------------------------------------------------------------- */

#define HAS(mask, i) ((mask) >> (i) & 1)

static size_t take_turns(const struct snap_backend *pool, uint64_t mask)
{
	size_t best = pool->n_members;
	int64_t total = 0;

	for (size_t i = 0; i < pool->n_members; i++) {
		if (!HAS(mask, i))
			continue;
		total += pool->members[i].weight;
		pool->live->m[i].turn += pool->members[i].weight;
		if (best == pool->n_members || pool->live->m[i].turn > pool->live->m[best].turn)
			best = i;
	}
	pool->live->m[best].turn -= total;
	return best;
}

/* With the next call each would have (n + 1) / weight under way. */
static int compare_load(const struct snap_backend *pool, size_t a, size_t b)
{
	int64_t x = (pool->live->m[a].under_way + 1) * pool->members[b].weight, y = (pool->live->m[b].under_way + 1) * pool->members[a].weight;

	return (x > y) - (x < y);
}

static size_t least_outstanding(const struct snap_backend *pool, uint64_t mask)
{
	uint64_t equals = 0;
	size_t best = pool->n_members;

	for (size_t i = 0; i < pool->n_members; i++) {
		int c = !HAS(mask, i) ? 1 : best == pool->n_members ? -1 : compare_load(pool, i, best);

		if (c > 0)
			continue;
		equals = (c < 0 ? 0 : equals) | UINT64_C(1) << i;
		if (c < 0)
			best = i;
	}
	return take_turns(pool, equals);
}

/* The finalizer of SplitMix64: every bit of the key moves every bit of the result. */
static uint64_t mix(uint64_t v)
{
	v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
	return v ^ (v >> 31);
}

/* Each member draws -ln(u)/weight with a u that key and member fix; the smallest wins. That is won in proportion to the weights
 * (the minimum of exponential variables). */
static size_t by_hash(const struct snap_backend *pool, uint64_t mask, uint64_t key)
{
	size_t best = pool->n_members;
	double least = 0;

	for (size_t i = 0; i < pool->n_members; i++) {
		uint64_t bits = mix(key ^ mix(pool->members[i].backend->place->key)) >> 11;
		double draw = -log(((double)bits + 0.5) / 9007199254740992.0) / (double)pool->members[i].weight;

		if (!HAS(mask, i) || (best < pool->n_members && draw >= least))
			continue;
		best = i;
		least = draw;
	}
	return best;
}

static size_t choose(const struct snap_backend *pool, const struct pool_ask *ask, uint64_t mask)
{
	for (size_t i = 0; ask->token.n && i < pool->n_members; i++)
		if (HAS(mask, i) && str_eq(pool->members[i].token, ask->token))
			return i;
	switch (pool->balance) {
	case POOL_LEAST_OUTSTANDING:
		return least_outstanding(pool, mask);
	case POOL_HASH:
		return by_hash(pool, mask, ask->hash);
	default:
		return take_turns(pool, mask);
	}
}

/* Of the members [from, to), which have one priority. */
static bool pick_of_group(const struct snap_backend *pool, size_t from, size_t to, const struct pool_ask *ask, bool last_resort,
			  struct pool_pick *out)
{
	struct standing s[POOL_MEMBERS_MAX];
	uint64_t mask = 0;

	for (size_t i = from; i < to; i++) {
		if (HAS(ask->tried, i))
			continue;
		s[i] = look(pool->members[i].backend, ask, last_resort, &out->left_us);
		mask |= (uint64_t)s[i].usable << i;
	}
	while (mask) {
		size_t i = choose(pool, ask, mask);

		if (claim(pool->members[i].backend, ask, &s[i])) {
			out->member = i;
			out->breaker_probe = s[i].breaker_probe;
			out->eject_probe = s[i].eject_probe;
			return true;
		}
		mask &= ~(UINT64_C(1) << i);
	}
	return false;
}

bool pool_pick(const struct snap_backend *pool, const struct pool_ask *ask, struct pool_pick *out)
{
	*out = (struct pool_pick){ 0 };
	for (int last_resort = 0; last_resort < (ask->tried ? 1 : 2); last_resort++) {
		for (size_t from = 0, to; from < pool->n_members; from = to) {
			for (to = from; to < pool->n_members && pool->members[to].priority == pool->members[from].priority; to++)
				;
			if (pick_of_group(pool, from, to, ask, last_resort, out))
				return true;
		}
	}
	return false;
}
