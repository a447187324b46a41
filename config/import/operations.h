/* operations.h - the operations of a description as the store has them, the same for every import. */
#pragma once

#include "core/openapi.h"
#include "core/str.h"
#include "db/apis.h"

/* An id made from a title: lower-case letters, digits and single dashes; may be empty. In the arena. */
struct str import_slug(struct arena *a, struct str s);
/* At most n bytes, no character of UTF-8 cut in two. */
struct str import_cut(struct str s, size_t n);
/* A title as a name may be: one line, blanks in the place of control characters, at most 300 bytes. In the arena. */
struct str import_name(struct arena *a, struct str s);

/* In the order of the description, with ids, routes and tags; `api_id` and `revision` are left open. Of two operations on one route
 * the first counts: the gateway could never choose the other. One that cannot be routed is left out, and a warning of the description
 * says so. *from (may be NULL): the operation of the description that each came from. */
GH_RC import_operations(struct arena *a, struct openapi *doc, struct store_operation **out, const struct openapi_operation ***from,
			size_t *n, struct gh_err *err);
