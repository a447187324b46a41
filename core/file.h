/* file.h - whole files, bounded. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

/* The file's bytes in the arena, followed by a zero byte. LIMIT when it holds more than max_bytes; "-" reads standard
 * input. The message names the path. */
GH_RC file_read(struct arena *a, const char *path, size_t max_bytes, struct str *out, struct gh_err *err);

/* Writes beside the target, flushes to disk and renames, so a reader sees the old or the new file and never half. */
GH_RC file_write_atomic(const char *path, struct str bytes, unsigned mode, struct gh_err *err);

/* mkdir -p with the given mode for what is new. */
GH_RC file_make_dirs(const char *path, unsigned mode, struct gh_err *err);
