#include "core/backend_state_impl.h"

#include "core/crypto.h"

#include <stdlib.h>

/* What is told for longer than anything lasts is no news of ours. */
#define LEFT_MOST_US INT64_C(172800000000)

/* A place that was used once is on the list for good: the list is made anew when there are more of them. */
static bool list_slots(struct backend_states *s)
{
	uint32_t used = atomic_load(&s->file->used);

	if (used == s->n_slots)
		return true;
	if (!s->slots)
		s->slots = malloc(BACKEND_STATES_MAX * sizeof(*s->slots));
	if (!s->slots)
		return false;
	s->n_slots = 0;
	for (uint32_t i = 0; i < BACKEND_STATES_MAX; i++)
		if (atomic_load_explicit(&s->file->slots[i].key, memory_order_relaxed))
			s->slots[s->n_slots++] = (uint16_t)i;
	return true;
}

/* ---- telling ------------------------------------------------------------------------------------------------------------- */

static int64_t left_of(int64_t until, int64_t now)
{
	return !until ? -1 : until > now ? until - now : 0;
}

static void read_part(struct backend_slot *x, enum backend_part part, int64_t now, struct backend_news *out)
{
	/* before the state itself: what is heard from here on shows in backend_news_told */
	*out = (struct backend_news){ .key = atomic_load(&x->key), .part = part, .known = atomic_load(&x->heard[part]) };
	switch (part) {
	case BACKEND_PART_BREAKER:
		out->left_us = left_of(atomic_load(&x->breaker.until), now);
		out->what = atomic_load(&x->print);
		break;
	case BACKEND_PART_EJECTION:
		out->left_us = left_of(atomic_load(&x->eject.until), now);
		out->what = atomic_load(&x->level);
		break;
	default:
		out->left_us = left_of(atomic_load(&x->health_until), now);
		out->what = atomic_load(&x->health);
	}
}

bool backend_news_next(struct backend_states *s, size_t *at, int64_t now, struct backend_news *out)
{
	if (!*at && !list_slots(s))
		return false;
	for (; *at < s->n_slots; ++*at) {
		struct backend_slot *x = &s->file->slots[s->slots[*at]];
		uint32_t news = atomic_load_explicit(&x->news, memory_order_relaxed);

		for (unsigned part = 0; news && part < BACKEND_PART__COUNT; part++) {
			if (!(news >> part & 1) || !(atomic_fetch_and(&x->news, ~(1u << part)) >> part & 1))
				continue;
			read_part(x, (enum backend_part)part, now, out);
			return true;
		}
	}
	return false;
}

void backend_news_again(struct backend_states *s, uint64_t key, enum backend_part part)
{
	struct backend_slot *x = backend_slot_find(s, key);

	if (x)
		backend_has_news(x, part);
}

static bool is_newer(struct backend_slot *x, enum backend_part part, int64_t version)
{
	int64_t known = atomic_load(&x->heard[part]);

	while (known < version)
		if (atomic_compare_exchange_weak(&x->heard[part], &known, version))
			return true;
	return false;
}

void backend_news_told(struct backend_states *s, const struct backend_news *n, int64_t version)
{
	struct backend_slot *x = backend_slot_find(s, n->key);
	int64_t known = n->known;

	if (x && known < version)
		atomic_compare_exchange_strong(&x->heard[n->part], &known, version);
}

/* ---- hearing ------------------------------------------------------------------------------------------------------------- */

/* Of a backend that nobody has called here yet the rule is taken over; under another rule it says nothing. */
static void hear_breaker(struct backend_slot *x, const struct backend_news *n, int64_t now)
{
	uint32_t print = 0;

	if (!atomic_compare_exchange_strong(&x->print, &print, n->what) && print != n->what)
		return;
	if (n->left_us >= 0) {
		atomic_store(&x->breaker.until, now + n->left_us);
		return;
	}
	backend_clear_window(x);
	backend_gate_set(&x->breaker, 0);
}

static void hear_ejection(struct backend_slot *x, const struct backend_news *n, int64_t now)
{
	atomic_store(&x->level, n->what);
	if (n->left_us < 0)
		backend_gate_set(&x->eject, 0);
	else
		atomic_store(&x->eject.until, now + n->left_us);
}

static void hear_health(struct backend_slot *x, const struct backend_news *n, int64_t now)
{
	atomic_store(&x->far_health_until, now + n->left_us);
	atomic_store(&x->far_health, n->what <= BACKEND_DOWN ? n->what : BACKEND_UNKNOWN);
}

void backend_news_hear(struct backend_states *s, const struct backend_news *n, int64_t version, int64_t now)
{
	struct backend_slot *x;

	/* keys are odd: 0 would be a free place */
	if (!(n->key & 1) || (unsigned)n->part >= BACKEND_PART__COUNT || n->left_us > LEFT_MOST_US)
		return;
	x = n->left_us < 0 ? backend_slot_find(s, n->key) : backend_slot(s, n->key, now);
	if (!x || atomic_load(&x->news) >> n->part & 1 || !is_newer(x, n->part, version))
		return;
	if (n->part == BACKEND_PART_BREAKER)
		hear_breaker(x, n, now);
	else if (n->part == BACKEND_PART_EJECTION)
		hear_ejection(x, n, now);
	else
		hear_health(x, n, now);
}

/* ---- the machine ----------------------------------------------------------------------------------------------------------- */

bool backend_listens(struct backend_states *s, int64_t now, int64_t for_us)
{
	int64_t until = atomic_load(&s->file->puller_until);

	if (until > now && until != s->pulling_until)
		return false;
	if (!atomic_compare_exchange_strong(&s->file->puller_until, &until, now + for_us))
		return false;
	s->pulling_until = now + for_us;
	return true;
}

uint64_t backend_machine(struct backend_states *s)
{
	uint64_t drawn = 0, known = atomic_load(&s->file->machine);

	if (known)
		return known;
	if (crypto_random(&drawn, sizeof(drawn), NULL).code || !drawn)
		drawn = (uint64_t)clock_wall_us() | 1;
	return atomic_compare_exchange_strong(&s->file->machine, &known, drawn) ? drawn : known;
}
