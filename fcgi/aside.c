/* aside.c - work that a call begins and that is no call's: fetching keys of an issuer, a list of revoked certificates.
 *
 * Such work runs in a struct call that has no client and never reaches the gate: an exchange with its arena, a place on the
 * turn list, sub-requests and sleeps. Nobody is answered, nothing is recorded. So a caller who leaves does not take a fetch
 * with him that others wait for, and what is only due is fetched while calls go on with what is there.
 *
 * Their number is bounded; beyond it the caller does the work itself. When the worker drains they are let go. */
#include "fcgi/call.h"

#include "core/clock.h"

enum { ASIDES_MAX = 64 };

struct call *aside_begin(struct worker *wk, enum step (*run)(struct exchange *, void *state), size_t bytes)
{
	struct call *k = wk->n_asides < ASIDES_MAX && !wk->stopping ? call_from_pool(wk) : NULL;

	if (!k)
		return NULL;
	k->wk = wk;
	k->aside_state = arena_alloc(k->arena, 1, bytes);
	if (!k->aside_state) {
		call_recycle(k);
		return NULL;
	}
	k->stage = CALL_ASIDE;
	k->aside = run;
	k->begun_us = wk->loop.now_us;
	k->x = (struct exchange){ .arena = k->arena, .host = &live_host, .owner = k, .started_us = clock_wall_us() };
	k->next = wk->asides;
	if (k->next)
		k->next->prev = k;
	wk->asides = k;
	wk->n_asides++;
	call_wake(k);
	return k;
}

void *host_aside(struct exchange *x, enum step (*run)(struct exchange *, void *state), size_t bytes, struct arena **arena)
{
	struct call *k = aside_begin(((struct call *)x->owner)->wk, run, bytes);

	if (!k)
		return NULL;
	*arena = k->arena;
	return k->aside_state;
}

static void end(struct call *k)
{
	struct worker *wk = k->wk;

	*(k->prev ? &k->prev->next : &wk->asides) = k->next;
	if (k->next)
		k->next->prev = k->prev;
	wk->n_asides--;
	forward_drop(k);
	host_drop(k);
	call_leave_gate(k);
	k->stage = CALL_OVER;
	if (!k->on_turn)
		call_recycle(k);
}

void aside_turn(struct call *k)
{
	k->resume_due = false;
	if (k->aside(&k->x, k->aside_state) != STEP_WAIT)
		end(k);
}

void asides_drop(struct worker *wk)
{
	while (wk->asides)
		end(wk->asides);
}
