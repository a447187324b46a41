/* closure.h - one API with what belongs to it and what it needs, for an archive of its own. For config/files/ only. */
#pragma once

#include "config/resource.h"
#include "core/map.h"

/* Calls `each` with every resource, each once: the API, its revisions, operations, description, policies; and what these name, by
 * their fields or in policies (backends, fragments, named values ...), and so on. Environments and business groups stay out: where an
 * API is put is decided by whoever takes it. NOT_FOUND: there is no such API. */
GH_RC closure_of_api(struct store *s, struct arena *a, struct str api,
		     gh_rc (*each)(void *ctx, const struct resource_kind *k, const json_t *doc, struct gh_err *err), void *ctx,
		     struct gh_err *err);
