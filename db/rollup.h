/* rollup.h - calls summed up into totals per minute, hour and day: the writing side (reading: db/analytics.h).
 *
 * A drain adds its calls to a `struct rollup` and writes it into the open transaction. Where a call belongs is a tuple of
 * thirteen texts, its place; each place has a number in the table `place` and each total names it by that number. The number
 * of places is bounded: calls of new ones beyond it are counted under "(other)", keeping environment, API, class of status,
 * origin and kind of address, and how many there were is told (store_telemetry_stats).
 *
 * Hours and days are written in the same transaction as minutes, each from the same calls, so that they always agree. */
#pragma once

#include "core/telemetry.h"
#include "db/store.h"

/* The dimensions in the order of the table `place`; X(name, column, title). */
#define ROLLUP_DIMENSIONS(X)                                    \
	X(ENVIRONMENT, "environment", "Environment")            \
	X(API, "api", "API")                                    \
	X(VERSION, "version", "Version")                        \
	X(OPERATION, "operation", "Operation")                  \
	X(PRODUCT, "product", "Product")                        \
	X(SUBSCRIPTION, "subscription", "Subscription")         \
	X(APPLICATION, "application", "Application")            \
	X(USER, "user", "User")                                 \
	X(BACKEND, "backend", "Backend")                        \
	X(STATUS, "status", "Status")                           \
	X(REASON, "reason", "Reason")                           \
	X(ORIGIN, "origin", "Answered by")                      \
	X(ADDRESS, "address", "Kind of address")

enum rollup_dimension {
#define X(name, column, title) ROLLUP_##name,
	ROLLUP_DIMENSIONS(X)
#undef X
	ROLLUP_DIMENSION__COUNT
};
const char *rollup_dimension_name(enum rollup_dimension d);      /* "subscription" */
const char *rollup_dimension_title(enum rollup_dimension d);     /* "Subscription" */
bool rollup_dimension_of(struct str name, enum rollup_dimension *out) MUST_USE;
#define ROLLUP_OTHER "(other)"

enum { ROLLUP_MINUTE_S = 60, ROLLUP_HOUR_S = 3600, ROLLUP_DAY_S = 86400,
       ROLLUP_PLACES_MAX = 50000 };                              /* unless the caller wants another bound */

struct rollup;
struct rollup *rollup_new(struct store *s, size_t places_max);   /* NULL when out of memory; places_max 0: ROLLUP_PLACES_MAX */
void rollup_free(struct rollup *r);                              /* NULL is fine */
/* `times` calls that are all like this one. False: out of memory. */
bool rollup_add(struct rollup *r, const struct telemetry_call *call, uint32_t times) MUST_USE;
bool rollup_full(const struct rollup *r);                        /* write before adding more */
/* Into the open drain; begins anew. */
GH_RC rollup_write(struct rollup *r, struct gh_err *err);
