/* keeper.h - the background program: drains call records each second, prunes what is too old, writes quotas to disk.
 *
 * Whatever fails (no store yet, a locked, full or read-only one) is logged once and tried again; nothing is lost meanwhile,
 * for the records wait in their segments up to the configured size. One keeper works for a state directory; a second one
 * waits until the first is gone. */
#pragma once

#include "core/config.h"

struct keeper;

GH_RC keeper_new(const char *state_dir, const struct config *config, struct keeper **out, struct gh_err *err);
void keeper_free(struct keeper *k);
/* Everything that is due now. True: there is more to do at once. */
bool keeper_turn(struct keeper *k);
bool keeper_is_the_one(const struct keeper *k);          /* the state directory is its own: no other keeper works there */
