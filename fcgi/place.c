#include "fcgi/place.h"

#include "fcgi/serving.h"
#include "fcgi/shared_limit.h"

static void enter_here(struct place *p)
{
	struct worker *wk = p->call->wk;

	p->done = true;
	p->noted = p->allowed = counter_enter(wk->serving->counters, p->key, p->max);
}

/* Nobody answers for the other machines. */
static void enter_alone(struct place *p)
{
	struct worker *wk = p->call->wk;

	if (shared_limits_local(wk->shared_limits) && wk->serving->counters)
		enter_here(p);
	else
		p->done = p->unavailable = true;
	if (p->allowed)
		shared_place_keep(wk->shared_places, &p->shared);
}

static void answered(struct shared_place *shared)
{
	struct place *p = CONTAINER_OF(shared, struct place, shared);
	struct counters *counters = p->call->wk->serving->counters;

	if (shared->away) {
		enter_alone(p);
	} else {
		p->done = true;
		p->allowed = shared->allowed;
		p->inside = shared->inside;
		p->noted = p->allowed && counters && counter_enter(counters, p->key, UINT32_MAX);
	}
	if (p->over)
		p->over(p);
	p->call->resume_due = true;
	call_wake(p->call);
}

enum step place_enter(struct place *p, struct call *k, struct str key, uint32_t max)
{
	struct worker *wk = k->wk;

	*p = (struct place){ .call = k, .key = key, .max = max };
	if (!wk->shared_places) {
		if (wk->serving->counters)
			enter_here(p);
		p->done = true;
		return STEP_NEXT;
	}
	p->shared.key = key;
	p->shared.max = max;
	p->shared.over = answered;
	if (shared_place_enter(wk->shared_places, &p->shared))
		return STEP_WAIT;
	enter_alone(p);
	return STEP_NEXT;
}

void place_leave(struct place *p)
{
	shared_place_leave(&p->shared);
	if (p->noted)
		counter_leave(p->call->wk->serving->counters, p->key);
	p->noted = p->allowed = false;
}
