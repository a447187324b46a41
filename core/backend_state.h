/* backend_state.h - what all processes of a machine know about its backends at this moment: circuit breakers, members of pools
 * that were ejected, results of health checks. A mapped file, DIR/backends, with a slot a backend.
 *
 * All numbers of a slot are atomic and there are no locks: a process that dies in the middle of anything holds up nobody.
 *
 *   breaker   closed ── enough failures in the interval ──> open ── its time is over ──> half-open ── the probe ──> closed
 *                                                            ^                                │ fails
 *                                                            └────────────────────────────────┘
 *   ejection  a member of a pool that cannot be reached is left out, for twice as long each time in a row; then one call probes
 *   health    what the keeper's last checks say, believed for as long as they go on; without any, what another machine's say
 *
 * Half-open lets one call through at a time, over all processes: whoever is told PROBE claims it, and ends it with a result
 * or gives it back. One that was claimed by a process that died is free again after BACKEND_PROBE_US.
 *
 * Failures are counted in sixteenths of the interval: one counts for at least fifteen sixteenths of it, at most for all.
 *
 * Times are of the monotonic clock, in µs; the caller passes `now`. The file begins anew with each boot. */
#pragma once

#include "core/backend_rules.h"

enum {
	BACKEND_STATES_MAX = 4096,           /* backends, canaries and mirrors of a machine; for those beyond nothing is known */
	BACKEND_PROBE_US = 30000000,
};
#define BACKEND_GONE_US INT64_C(3600000000)  /* a place that nobody used for so long may become another one's */

struct backend_states;
struct backend_slot;

/* Makes the file when it is missing or from another boot or version. `make` false: only when it is there (NOT_FOUND). */
GH_RC backend_states_open(const char *path, bool make, struct backend_states **out, struct gh_err *err);
void backend_states_close(struct backend_states *s);                 /* NULL is fine */
/* The key of a backend in the file. */
uint64_t backend_state_key(struct str id);
/* Its slot, made when there is none, if need be in the place of one that nobody has used for BACKEND_GONE_US. NULL: s is NULL, or there
 * is no room. Costs a look or two, at most 64, and no system call. Whoever keeps the pointer for longer than that time asks
 * backend_slot_is before it uses it, and calls this now and then, so that the place does not look unused. */
struct backend_slot *backend_slot(struct backend_states *s, uint64_t key, int64_t now);
bool backend_slot_is(const struct backend_slot *x, uint64_t key);
/* For those who only look: it makes none. NULL: there is none, nothing is known. */
struct backend_slot *backend_slot_find(struct backend_states *s, uint64_t key);

enum backend_gate { BACKEND_PASS, BACKEND_PROBE, BACKEND_SHUT };

/* ---- circuit breaker; slot may be NULL: then it is closed ---- */
/* *left_us: SHUT: until somebody may try. */
enum backend_gate breaker_state(struct backend_slot *s, const struct breaker_rule *r, int64_t now, int64_t *left_us);
bool breaker_claim(struct backend_slot *s, int64_t now);             /* after PROBE; false: somebody was faster */
void breaker_release(struct backend_slot *s);                        /* the probe ended without a result */
void breaker_wait(struct backend_slot *s, int64_t until);            /* somebody on another machine probes, at most until then */
/* How a call ended. trip_us: how long it stays open if this opens it; 0: as the rule says. True: this opened it. */
bool breaker_tell(struct backend_slot *s, const struct breaker_rule *r, bool failed, bool probe, int64_t trip_us, int64_t now);

/* ---- ejection ---- */
enum backend_gate eject_state(struct backend_slot *s, int64_t now);
bool eject_claim(struct backend_slot *s, int64_t now);
void eject_release(struct backend_slot *s);
/* first_us: for how long the first time; doubles up to most_us. True: this ejected it. */
bool eject_tell(struct backend_slot *s, bool failed, bool probe, int64_t first_us, int64_t most_us, int64_t now);

/* ---- health ---- */
enum backend_health { BACKEND_UNKNOWN, BACKEND_UP, BACKEND_DOWN };
/* status: of the last answer; 0: none came. believed_us: until when this holds if no more is heard. */
void health_tell(struct backend_slot *s, enum backend_health h, int status, int64_t believed_us);
enum backend_health health_state(struct backend_slot *s, int64_t now);

/* ---- canaries: two slots, of the canary and of the calls that stay (canary_key) ---- */
struct canary_rule;                  /* core/traffic_rule.h */
uint64_t canary_key(struct str place, bool canary);
/* It did worse than it may and gets no more calls, until it is begun anew. */
bool canary_is_back(struct backend_slot *canary, const struct canary_rule *r);
/* How a call of either side ended. True: this rolled it back. Slots may be NULL: then nothing is known. */
bool canary_tell(struct backend_slot *canary, struct backend_slot *stable, const struct canary_rule *r, bool on_canary, bool failed,
		 int64_t now);
struct canary_view {
	bool back;
	uint64_t calls[2], failed[2];        /* in the window; 0: of the calls that stay, 1: of the canary */
};
void canary_look(struct backend_slot *canary, struct backend_slot *stable, const struct canary_rule *r, int64_t now, struct canary_view *out);

/* ---- mirrors: what became of copies, since the boot ---- */
enum mirror_outcome { MIRROR_SENT, MIRROR_FAILED, MIRROR_SKIPPED, MIRROR__COUNT };
uint64_t mirror_key(struct str place);
void mirror_count(struct backend_slot *s, enum mirror_outcome what);         /* NULL is fine */
void mirror_look(struct backend_slot *s, uint64_t out[MIRROR__COUNT]);

/* ---- looking ---- */
struct backend_view {
	enum backend_gate breaker, ejection; /* PROBE: half-open */
	int64_t breaker_left_us, ejected_left_us;
	uint64_t trips, ejections;           /* since the boot */
	enum backend_health health;
	int health_status;
};
/* rule NULL: it has none. */
void backend_look(struct backend_slot *s, const struct breaker_rule *rule, int64_t now, struct backend_view *out);
