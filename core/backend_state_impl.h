/* backend_state_impl.h - the layout of the file, for core/backend_state.c and backend_share.c only. A change of it changes STATES_MAGIC. */
#pragma once

#include "core/backend_share.h"
#include "core/clock.h"

#include <stdatomic.h>

#define STATES_MAGIC UINT64_C(0x3430534b43424847)
enum { PARTS = 16 };

/* until 0: closed. probe: until when somebody's probe holds; 0: nobody's. */
struct gate {
	_Atomic int64_t until, probe;
};

struct backend_slot {
	_Atomic uint64_t key;
	_Atomic int64_t used;                /* when somebody last had to do with it, to within TOUCH_US */
	struct gate breaker, eject;
	_Atomic uint32_t print;              /* of the rule that the numbers belong to */
	_Atomic uint32_t level;              /* ejections in a row */
	_Atomic uint64_t trips, ejections;
	_Atomic uint32_t health, health_status;
	_Atomic int64_t health_until;
	_Atomic uint64_t failed[PARTS], all[PARTS];  /* part of time, 32 bits; count, 32 bits */
	_Atomic uint64_t copies[MIRROR__COUNT];
	/* other machines: backend_share.h */
	_Atomic uint32_t news;               /* bits by enum backend_part: others have not been told */
	_Atomic int64_t heard[BACKEND_PART__COUNT];  /* version of what is known to all */
	_Atomic uint32_t far_health;
	_Atomic int64_t far_health_until;
};

struct file {
	uint64_t magic;
	char boot[CLOCK_BOOT_ID_BYTES];
	_Atomic uint64_t machine;            /* drawn when it is first asked for */
	_Atomic int64_t puller_until;        /* who listens to other machines, by when it must have done so again */
	_Atomic uint32_t used;               /* places that are free no more; they may become another key's */
	struct backend_slot slots[BACKEND_STATES_MAX];
};

struct backend_states {
	struct file *file;
	uint16_t *slots;                     /* of those in use when there were n_slots */
	uint32_t n_slots;
	int64_t pulling_until;               /* of ours in puller_until */
};

static inline void backend_has_news(struct backend_slot *s, enum backend_part part)
{
	atomic_fetch_or(&s->news, 1u << part);
}

/* The probe is given back after the new state stands, so that nobody slips in between. */
static inline void backend_gate_set(struct gate *g, int64_t until)
{
	atomic_store(&g->until, until);
	atomic_store(&g->probe, 0);
}

void backend_clear_window(struct backend_slot *s);
