/* traffic.h - traffic rules of APIs at work (core/traffic_rule.h): canary.c sends some calls to another backend and all back when it
 * fails, mirror.c copies calls, fault.c delays or refuses calls so that consumers can test. Calls of an API without a rule pay for
 * a look at a pointer; call.traffic stays NULL.
 *
 *   forward-request ── fault_begin ──(delay)── fault_answer ── canary_choose ── cache ── backend ── canary_outcome
 *                                                                                          └── mirror_call
 *
 * The side is chosen once a call, before the cache is asked: what a canary answered is kept apart from what the others did, for the
 * backend is part of the key. What all workers know of a canary stands in core/backend_state.h; the one that rolls it back tells
 * the log, and the keeper writes it into the store. Shares are kept by counting in each worker, to within one call. */
#pragma once

#include "core/traffic_rule.h"
#include "fcgi/call.h"
#include "fcgi/pool.h"

/* The part that changes, on the loop's thread. */
struct traffic_live {
	struct backend_place canary, stable, mirror;
	uint32_t canary_turn, mirror_turn, fault_turn[TRAFFIC_FAULTS_MAX];
};

struct snap_traffic {
	struct str api;
	const struct canary_rule *canary;        /* NULL: none */
	bool canary_off;                         /* paused, or rolled back */
	const struct mirror_rule *mirror;        /* NULL: none */
	const struct fault_rule *faults;
	size_t n_faults;
	struct traffic_live *live;
};

struct call_traffic {
	const struct snap_traffic *rule;
	bool begun, chosen, told, mirrored;      /* told: how the present forward-request ended */
	bool counts, on_canary;                  /* counts: the call is on one of the two sides */
	struct str side;                         /* id of the backend of that side; a policy may send a later try elsewhere */
	bool waiting;
	struct str set_cookie;                   /* for the client; STR_NULL: none */
	struct str note;                         /* for the record: what was decided and why */
	const struct fault_rule *fault;          /* that the call met; NULL: none */
	struct host_sleep sleep;
};

/* True when the API has a rule and the call is not the gateway's own. */
bool traffic_begin(struct call *k);
/* True so many times in a hundred. */
bool traffic_share(uint32_t *turn, uint32_t percent);
/* "and" joined to what stands in the record. */
void traffic_note(struct call *k, struct str text);

enum step fault_begin(struct call *k);           /* WAIT: the call waits, on a timer of the loop */
bool fault_waits(struct call *k);                /* false: the time is over, and waiting is false */
bool fault_answer(struct call *k, struct forward *f);    /* answered in the backend's place */

void canary_choose(struct call *k);
void canary_outcome(struct call *k, enum reason why);    /* NONE: the head has come */
bool canary_cookie(struct call *k, struct field *out);   /* for the caller; false: there is none to set */

/* A small body that was announced is waited for, so that what is copied does not depend on how fast it came. */
bool mirror_wants_body(const struct call *k, const struct snap_api *api);
/* The request has been sent as rq; a copy may go too. */
void mirror_call(struct call *k, const struct upstream_request *rq);
void mirrors_drop(struct worker *wk);
