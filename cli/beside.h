/* beside.h - the files beside a description that it refers to (core/openapi_bundle.h).
 *
 * Whoever writes a description could name any file of the machine and have it shown in the portal; so only files in one
 * directory and below are read, links followed to where they lead. */
#pragma once

#include "core/openapi_bundle.h"

struct beside {
	char dir[4096];                  /* of the description */
	char root[4096];                 /* beneath which files may be read */
};

/* root NULL: the description's own directory. INVALID: there is no such directory. */
GH_RC beside_init(struct beside *b, const char *file, const char *root, struct gh_err *err);
/* struct openapi_files.read, with the struct beside as ctx. */
GH_RC beside_read(void *ctx, struct arena *a, struct str path, struct str *text, struct gh_err *err);
