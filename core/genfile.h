/* genfile.h - the generation numbers of the configuration in a small mapped file, DIR/generation, so that a gateway worker
 * sees a change with one atomic load and no system call.
 *
 * The truth stands in the store; after each commit that changed it the store raises the word here. Two numbers:
 *   GENFILE_CONFIG   what a snapshot is built from changed: build the next one
 *   GENFILE_ACCESS   subscriptions, keys, users, groups or applications changed: forget what is cached of them
 * Numbers only grow. A worker that finds a number different from the one it has acts once and remembers the new one; read
 * the number before reading the store, so that a change in between is seen again. Any process may have the file mapped. */
#pragma once

#include "core/error.h"

enum genfile_kind { GENFILE_CONFIG, GENFILE_ACCESS, GENFILE__COUNT };

struct genfile;

/* Maps DIR/generation; makes it (mode 0640, less the umask) when it is missing and may be made. */
GH_RC genfile_open(struct genfile **out, const char *state_dir, bool writable, struct gh_err *err);
void genfile_free(struct genfile *g);                                          /* NULL is fine */
uint64_t genfile_get(const struct genfile *g, enum genfile_kind kind);
/* Raises the number to at least `value`; never lowers it. */
void genfile_raise(struct genfile *g, enum genfile_kind kind, uint64_t value);
