/* telemetry_kind.h - calls whose shared fields (TELEMETRY_SHARED_TEXTS, TELEMETRY_SHARED_NUMBERS) are alike are of one kind.
 *
 * Most calls of a drain are of a few kinds: one operation, called by one subscription from one address with one outcome. Who takes calls
 * in looks up the kind of each once, and keeps under its number what is the same for all of that kind: the place in the totals, the
 * packed fields, the use of a key. One thread. */
#pragma once

#include "core/telemetry.h"

enum { TELEMETRY_KINDS_MAX = 1024 };

struct telemetry_kinds;
struct telemetry_kinds *telemetry_kinds_new(void);       /* NULL when out of memory */
void telemetry_kinds_free(struct telemetry_kinds *k);    /* NULL is fine */

/* The number of the kind of a call that segment_next read, 1 to TELEMETRY_KINDS_MAX. Calls that have the same number have the same shared
 * fields; the reverse need not hold. 0: there are too many kinds, or no memory; then the fields must be looked at themselves. */
unsigned telemetry_kind(struct telemetry_kinds *k, const struct telemetry_call *call);
