/* health.h - asks backends how they are, as their health checks say (core/backend_rules.h), and tells the workers in DIR/backends
 * (core/backend_state.h), which read it without a look into the store.
 *
 * A check carries what each call to the backend carries, its fixed headers and parameters (core/backend_fixed.h), and no credential:
 * those are of environments. While a named value of these has no value, no call can be made, and nothing is asked either.
 *
 * Checks run side by side in a thread of their own, so that a backend that hangs holds up neither another one nor the drain of
 * call records. A backend counts as up with its first good answer; after that its thresholds decide. What is told holds for three
 * intervals: without a keeper nobody is down for long. */
#pragma once

#include "core/config.h"

/* Checks under way at once; those beyond wait their turn. Each has a connection of its own, and a process of a common system
 * may have a thousand. */
enum { HEALTH_AT_ONCE = 256 };

struct health_watch;

GH_RC health_watch_new(const char *state_dir, struct health_watch **out, struct gh_err *err);
/* Stops the thread without waiting for answers, and frees; NULL is fine. */
void health_watch_free(struct health_watch *w);
/* A thread that goes on until it is freed. Twice is harmless. */
GH_RC health_watch_start(struct health_watch *w, struct gh_err *err);
