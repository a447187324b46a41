/* alerts.h - watches the rules of db/alerts.h: counts calls as they are drained, tells when a state changes.
 *
 *   drain ── alerts_begin ── alerts_count … ── alerts_store ── commit ── alerts_drained      windows move with the records
 *   turn  ── alerts_turn: each window and check is judged; a change of state is one transaction with its messages
 *
 * Windows stand in memory and, slice by slice, in telemetry.db, written in the transaction that takes the records in: so a
 * restart forgets nothing and nothing counts twice. A burst that was drained late (the keeper was away) is judged at the times
 * when it happened. One thread. */
#pragma once

#include "core/config.h"
#include "db/alerts.h"

struct alerts;

GH_RC alerts_new(const char *state_dir, const struct config *config, struct alerts **out, struct gh_err *err);
void alerts_free(struct alerts *a);                      /* NULL is fine */

/* Rules as they are now, and their windows where they are new here. Inside or before the drain. */
GH_RC alerts_begin(struct alerts *a, struct store *s, struct gh_err *err);
bool alerts_count(struct alerts *a, const struct telemetry_call *call) MUST_USE;      /* false: out of memory */
GH_RC alerts_store(struct alerts *a, struct store *s, struct gh_err *err);            /* in the open drain */
/* stored false: the drain was rolled back, so what was counted is read again from the store. */
void alerts_drained(struct alerts *a, bool stored);

/* Judges and tells. What fails has not changed and is done again by a later turn; all the others are told. The error is the first one. */
GH_RC alerts_turn(struct alerts *a, struct store *s, struct gh_err *err);
/* For `gatehouse doctor`: how many windows there are, and how many had no room since the start. */
struct alerts_stats {
	size_t rules, windows, bad;
	uint64_t no_room;
};
struct alerts_stats alerts_stats(const struct alerts *a);
