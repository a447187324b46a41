/* shared_file.h - a file of fixed size that several processes map and write at once. It lasts until a program wants another size
 * or layout of it, and is begun anew then. For tables that need no more than that; those that must know the boot or the death of
 * others look after themselves (core/counter.h, core/backend_state.h). */
#pragma once

#include "core/error.h"

#include <stdint.h>

/* The first bytes of the mapping; what follows is the caller's, zero in a new file. */
struct shared_file_head {
	uint64_t magic, size;
};

/* Maps `path`, made when it is missing or its magic or size (a number of the caller's, of which `bytes` follows) is another; one
 * that does not fit is taken away and never cut, for others may have it mapped. `begin` (may be NULL) fills a new one before
 * anybody else sees it. Its blocks are taken at once: a write to a mapped hole of a full disk would be a SIGBUS. To be given back
 * with munmap. BUSY: others keep replacing it. */
GH_RC shared_file_map(const char *path, const struct shared_file_head *head, size_t bytes, void (*begin)(void *map), void **out,
		      struct gh_err *err);
