/* serving.h - what a worker serves from: the current snapshot, the key cache, counters, shared cache and telemetry; and
 * how they are opened, swapped and reported. */
#pragma once

#include "core/counter.h"
#include "core/crypto.h"
#include "core/telemetry.h"
#include "fcgi/access.h"
#include "fcgi/snapshot.h"
#include "fcgi/worker.h"

struct access_memory;

struct serving {
	struct snapshot *snapshot;       /* NULL: none yet, every call gets 503 */
	struct snapshot_loader *loader;
	struct watch loader_watch;
	struct worker *wk;
	struct access_cache *access;     /* NULL: the store could not be opened yet; tried again each second */
	struct access_memory *memory;    /* of callers without a key: access_memory.h; NULL: as above */
	struct counters *counters;       /* NULL: limits cannot be kept, calls that need one get 503 */
	struct telemetry *telemetry;     /* NULL: nothing is recorded */
	struct documents *documents;
	uint8_t trace_key[CRYPTO_KEY_BYTES];     /* core/trace_token.h */
	bool trace_key_known, trace_key_stale;   /* stale: to be read again */
	uint8_t iap_key[CRYPTO_KEY_BYTES];       /* seals the sessions of iap.h */
	bool iap_key_known;
	int64_t tried_us, reported_us;
	bool refused;                    /* the latest configuration did not compile */
	struct gh_err refusal;
	int64_t detail_every;            /* of so many calls one is recorded with each policy's decision; 0: only after failures */
	unsigned detail_left;            /* calls that are recorded so because one has failed */
	unsigned detailed;               /* in the second that began at detail_us (monotonic) */
	int64_t detail_us;
	bool reported_shared;            /* that Redis was there */
	uint64_t calls, failures, reported_calls, reported_change;       /* since the start */
	struct backend_states *states;   /* core/backend_state.h; NULL: not there, breakers stay closed */
};

/* wait_for_snapshot: plain CGI, which cannot answer 503 and hope. Trouble with a part is logged, not fatal. */
GH_RC serving_open(struct worker *wk, bool wait_for_snapshot, struct gh_err *err);
void serving_close(struct worker *wk);
void serving_reload(struct worker *wk);          /* SIGHUP */
void serving_poll(struct worker *wk);            /* once a round: retries and the status file, when due */
