/* counter_take.c - what the kinds of counters do once their set is locked, and the gauges. */
#include "core/counter_impl.h"

#include <limits.h>

static const int64_t SECOND_US = 1000000;

static uint32_t seconds_up(int64_t us)
{
	int64_t s = us <= 0 ? 0 : (us - 1) / SECOND_US + 1;

	return s > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)s;
}

static uint32_t retry_s(int64_t us)
{
	uint32_t s = seconds_up(us);

	return s ? s : 1;
}

static void tell_retry(struct counter_answer *out, int64_t us)
{
	out->retry_after_us = us > 0 ? us : 1;
	out->retry_after_s = retry_s(us);
}

static void tell_never(struct counter_answer *out)
{
	out->retry_after_us = INT64_MAX;
	out->retry_after_s = UINT32_MAX;
}

static bool fits(uint64_t used, const struct counter_ask *ask)
{
	return ask->forced || (used <= ask->limit && ask->amount <= ask->limit - used);
}

/* Who looks wants to know whether one more would pass. */
static struct counter_ask for_one(const struct counter_ask *ask)
{
	struct counter_ask one = *ask;

	one.amount = one.amount ? one.amount : 1;
	one.forced = false;
	return one;
}

static uint64_t left(uint64_t used, uint64_t limit)
{
	return used < limit ? limit - used : 0;
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* ---- sliding window ------------------------------------------------------------------------------------------------------ */

static struct run *run_at(struct sliding *s, uint32_t i)
{
	return &s->runs[(s->first + i) % COUNTER_EXACT_RUNS];
}

/* After a death: the ring is right (runs are written before n covers them), the sum may not be. */
void sliding_repair(struct sliding *s)
{
	s->first %= COUNTER_EXACT_RUNS;
	if (s->n > COUNTER_EXACT_RUNS)
		s->n = 0;
	s->total = 0;
	for (uint32_t i = 0; i < s->n; i++)
		s->total = add_up(s->total, run_at(s, i)->count);
}

bool sliding_idle(const struct sliding *s, int64_t now_us)
{
	return !s->n || s->runs[(s->first + s->n - 1) % COUNTER_EXACT_RUNS].at_us + s->window_us <= now_us;
}

static void expire(struct sliding *s, int64_t now_us)
{
	while (s->n && run_at(s, 0)->at_us + s->window_us <= now_us) {
		uint64_t gone = run_at(s, 0)->count;

		s->first = (s->first + 1) % COUNTER_EXACT_RUNS;
		s->n--;
		s->total = s->total > gone ? s->total - gone : 0;
	}
	if (!s->n)
		s->total = 0;
}

/* Joins the newest run where each call cannot have one of its own. The joined run has the later time, which errs on the
 * side of the limit. */
static void push(struct sliding *s, const struct counter_ask *ask, int64_t now_us)
{
	struct run *last = s->n ? run_at(s, s->n - 1) : NULL;
	int64_t slice = s->window_us / 120 + 1;

	if (last && (s->n == COUNTER_EXACT_RUNS || last->at_us >= now_us
		     || (ask->limit > COUNTER_EXACT_RUNS && last->at_us / slice == now_us / slice))) {
		last->count = add_up(last->count, ask->amount);
		if (now_us > last->at_us)
			last->at_us = now_us;
	} else {
		*run_at(s, s->n) = (struct run){ now_us, ask->amount };
		atomic_signal_fence(memory_order_seq_cst);
		s->n++;
	}
	s->total = add_up(s->total, ask->amount);
}

static struct counter_answer take_sliding(struct sliding *s, const struct counter_ask *ask, int64_t now)
{
	struct counter_answer out = { 0 };
	struct counter_ask one = for_one(ask);

	s->window_us = (int64_t)ask->window_s * SECOND_US;
	expire(s, now);
	out.allowed = fits(s->total, ask);
	if (out.allowed && ask->amount) {
		push(s, ask, now);
	} else if (!fits(s->total, &one)) {
		uint64_t used = s->total;

		tell_never(&out);
		for (uint32_t i = 0; i < s->n && one.amount <= ask->limit; i++) {
			used -= run_at(s, i)->count < used ? run_at(s, i)->count : used;
			if (!fits(used, &one))
				continue;
			tell_retry(&out, run_at(s, i)->at_us + s->window_us - now);
			break;
		}
	}
	out.used = s->total;
	out.remaining = left(s->total, ask->limit);
	if (s->n)
		out.reset_s = seconds_up(run_at(s, s->n - 1)->at_us + s->window_us - now);
	return out;
}

/* ---- fixed window -------------------------------------------------------------------------------------------------------- */

static int64_t window_start(const struct counter_ask *ask, int64_t now_us)
{
	int64_t window = (int64_t)ask->window_s * SECOND_US, since;

	if (!window)
		return ask->origin_us;
	since = (now_us - ask->origin_us) % window;
	return now_us - (since < 0 ? since + window : since);
}

/* A wall clock that is set back must not give a new quota, so a window a little in the future stays; one far in the future
 * comes from a clock that was wrong before. */
static struct counter_answer take_fixed(struct counters *c, struct plain *p, const struct counter_ask *ask)
{
	int64_t now = c->wall_us(), window = (int64_t)ask->window_s * SECOND_US, start = window_start(ask, now), end;
	struct counter_answer out = { 0 };
	struct counter_ask one = for_one(ask);

	if (window && start != p->start_us && (start > p->start_us || p->start_us > start + window)) {
		p->count = 0;
		atomic_signal_fence(memory_order_seq_cst);
		p->start_us = start;
	}
	end = p->end_us = window ? p->start_us + window : INT64_MAX;
	out.allowed = fits(p->count, ask);
	if (out.allowed)
		p->count = add_up(p->count, ask->amount);
	if (!out.allowed || (!ask->amount && !fits(p->count, &one))) {
		if (!window || one.amount > ask->limit)
			tell_never(&out);
		else
			tell_retry(&out, end - now);
	}
	out.used = p->count;
	out.remaining = left(p->count, ask->limit);
	out.reset_s = !p->count ? 0 : window ? seconds_up(end - now) : UINT32_MAX;
	return out;
}

/* ---- bucket (generic cell rate algorithm, ITU-T I.371) -------------------------------------------------------------------- */

static int64_t clamp_ns(unsigned __int128 v)
{
	return v > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)v;
}

static struct counter_answer take_bucket(struct plain *p, const struct counter_ask *ask, int64_t now_us)
{
	uint64_t limit = ask->limit ? ask->limit : 1, burst = ask->burst ? ask->burst : limit;
	unsigned __int128 window_ns = (unsigned __int128)ask->window_s * 1000000000u;
	int64_t now = now_us * 1000, room = clamp_ns(window_ns * burst / limit), full, after;
	struct counter_answer out = { 0 };

	full = p->full_ns > now ? p->full_ns : now;
	after = full + clamp_ns(window_ns * ask->amount / limit);
	if (after - now > INT64_MAX / 4)
		after = now + INT64_MAX / 4;
	out.allowed = ask->forced || (ask->limit && after - now <= room);
	if (out.allowed)
		p->full_ns = full = after;
	else if (!ask->limit || ask->amount > burst)
		tell_never(&out);
	else
		tell_retry(&out, (after - room - now + 999) / 1000);
	out.remaining = full - now >= room ? 0 : (uint64_t)((unsigned __int128)(room - (full - now)) * limit / window_ns);
	out.used = left(out.remaining, burst);
	if (!ask->amount && !out.remaining && !out.retry_after_s)
		tell_retry(&out, (full + clamp_ns(window_ns / limit) - room - now + 999) / 1000);
	out.reset_s = seconds_up((full - now + 999) / 1000);
	return out;
}

bool plain_idle(const struct plain *p, int64_t mono_us, int64_t wall_us)
{
	return p->type == COUNTER_TYPE_BUCKET ? p->full_ns <= mono_us * 1000 : !p->count || p->end_us <= wall_us;
}

/* ---- one take ------------------------------------------------------------------------------------------------------------ */

struct counter_answer counter_take(struct counters *c, const struct counter_ask *ask)
{
	enum table t = ask->type == COUNTER_TYPE_SLIDING ? TABLE_SLIDING : TABLE_PLAIN;
	struct counter_ask a = *ask;
	struct counter_answer out;
	struct place p;
	int64_t now_us;
	void *body;

	if (!a.window_s && a.type != COUNTER_TYPE_FIXED)
		a.window_s = 1;
	p = counter_place(c, t, counter_digest(c, a.key, a.window_s << 2 ^ (uint32_t)a.type ^ a.part * 0x9e3779b9u));
	counter_lock(c, &p);
	now_us = c->mono_us();               /* with the lock in hand: times of one counter never go back */
	body = counter_find(c, &p, now_us, true);
	if (t == TABLE_SLIDING) {
		out = take_sliding(body, &a, now_us);
	} else {
		((struct plain *)body)->type = (uint32_t)a.type;
		out = a.type == COUNTER_TYPE_FIXED ? take_fixed(c, body, &a) : take_bucket(body, &a, now_us);
	}
	counter_unlock(&p);
	return out;
}

/* ---- gauges -------------------------------------------------------------------------------------------------------------- */

enum { GAUGE_SALT = 0x67617567, REAP_EVERY_US = 1000000 };

static uint64_t inside(const struct gauge *g)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < COUNTER_PROCESSES_MAX; i++)
		sum += g->in[i];
	return sum;
}

bool gauge_idle(const struct gauge *g)
{
	return inside(g) == 0;
}

void counter_gauges_clear(struct counters *c, unsigned slot)
{
	for (size_t i = 0; i < c->sets[TABLE_GAUGE]; i++) {
		struct place p = counter_place(c, TABLE_GAUGE, (struct digest){ 0, i });
		struct gauge *bodies = (void *)(c->map + c->bodies_at[TABLE_GAUGE]);

		for (unsigned w = 0; w < WAYS; w++) {
			if (!p.set->lo[w])
				continue;
			counter_lock(c, &p);
			bodies[i * WAYS + w].in[slot] = 0;
			counter_unlock(&p);
		}
	}
}

static void reap(struct counters *c)
{
	int64_t now = c->mono_us();

	if (c->reaped_us && now - c->reaped_us < REAP_EVERY_US)
		return;
	c->reaped_us = now;
	for (unsigned i = 0; i < COUNTER_PROCESSES_MAX; i++)
		counter_slot_clear_dead(c, i);
}

static bool enter(struct counters *c, struct place *p, uint32_t max, bool *full)
{
	struct gauge *g;
	bool in;

	counter_lock(c, p);
	g = counter_find(c, p, c->mono_us(), true);
	in = g && inside(g) < max;
	if (in)
		g->in[c->slot]++;
	*full = !g;
	counter_unlock(p);
	return in;
}

bool counter_enter(struct counters *c, struct str key, uint32_t max)
{
	struct place p = counter_place(c, TABLE_GAUGE, counter_digest(c, key, GAUGE_SALT));
	bool full;

	if (enter(c, &p, max, &full))
		return true;
	reap(c);
	if (enter(c, &p, max, &full))
		return true;
	if (full)
		atomic_fetch_add(&c->header->gauges_full, 1);
	return false;
}

void counter_leave(struct counters *c, struct str key)
{
	struct place p = counter_place(c, TABLE_GAUGE, counter_digest(c, key, GAUGE_SALT));
	struct gauge *g;

	counter_lock(c, &p);
	g = counter_find(c, &p, c->mono_us(), false);
	if (g && g->in[c->slot])
		g->in[c->slot]--;
	counter_unlock(&p);
}

uint64_t counter_inside(struct counters *c, struct str key)
{
	struct place p = counter_place(c, TABLE_GAUGE, counter_digest(c, key, GAUGE_SALT));
	const struct gauge *g;
	uint64_t n;

	counter_lock(c, &p);
	g = counter_find(c, &p, c->mono_us(), false);
	n = g ? inside(g) : 0;
	counter_unlock(&p);
	return n;
}
