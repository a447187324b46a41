/* canary.h - writes into the store that a canary was rolled back: the gateways have done so already (core/backend_state.h), but what
 * they know is gone with a boot of the machine. The entry stands in the audit trail of "keeper". */
#pragma once

#include "core/backend_state.h"
#include "db/store.h"

struct canaries;

GH_RC canaries_new(const char *state_dir, struct canaries **out, struct gh_err *err);
void canaries_free(struct canaries *c);                  /* NULL is fine */
GH_RC canaries_turn(struct canaries *c, struct store *s, struct gh_err *err);
