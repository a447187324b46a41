/* secrets.h - reads the secrets that stand elsewhere (core/secret_ref.h) and puts what it finds into the store.
 *
 * A file is looked at in each turn, a secret of the vault when vault.poll_s (or its lease) is over, a variable once:
 * the environment of a process does not change. A new value goes sealed into the store and raises the generation. What
 * cannot be read is told once in the log, stands as `problem` in the store for `gatehouse doctor`, and is tried again soon;
 * the last good value stays.
 *
 * A vault that is slow must not hold up the drain of call records, so this runs in a thread of its own with its own store
 * handle (secret_watch_start), or in one turn for `gatehouse-keeper --once`. */
#pragma once

#include "core/config.h"

struct secret_watch;

GH_RC secret_watch_new(const char *state_dir, const struct config *config, struct secret_watch **out, struct gh_err *err);
/* Stops the thread, waiting for a request under way (vault.timeout_ms), and frees; NULL is fine. */
void secret_watch_free(struct secret_watch *w);
void secret_watch_turn(struct secret_watch *w);          /* everything that is due now; not once the thread runs */
/* A thread that takes a turn each second. Twice is harmless. */
GH_RC secret_watch_start(struct secret_watch *w, struct gh_err *err);
