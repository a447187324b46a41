/* totals.h - calls summed up per minute and place in memory, until they are written into the open drain. */
#pragma once

#include "db/telemetry.h"

struct totals;

struct totals *totals_new(struct arena *a);          /* NULL when out of memory */
void totals_free(struct totals *t);                  /* NULL is fine */
bool totals_add(struct totals *t, const struct telemetry_call *call) MUST_USE;       /* false: out of memory */
bool totals_full(const struct totals *t);            /* write before adding more */
GH_RC totals_write(struct totals *t, struct store *s, struct gh_err *err);           /* and begins anew */
