/* openapi_bundle.h - an API description that stands in several files becomes one document.
 *
 * A reference to another document ("$ref: schemas/order.yaml#/Order") is a file beside the one that holds it. What it names
 * goes into the components of the first document, under a name made from the reference, once however often it is named, so a
 * cycle over several files stays a cycle; path items, which have no place among the components, are put where they are named.
 * Nothing else changes: members keep their order, references inside the first document stay as they are.
 *
 * Where files come from is the caller's matter (struct openapi_files); nothing here opens one. An address of the network is
 * never followed: whoever writes a description could make us ask anybody for anything. Such a reference, one to a file that
 * cannot be read and one that leads nowhere stay as they are and are told as problems. */
#pragma once

#include "core/openapi.h"

#define OPENAPI_FILES_MAX 256u           /* documents that one description may be made of */
#define OPENAPI_BUNDLE_MAX 65536u        /* references to other documents that are followed */

struct openapi_files {
	/* The file at a path from the first document's directory, without "." and with ".." only in front. err's message is
	 * shown to whoever imports. */
	GH_RC (*read)(void *ctx, struct arena *a, struct str path, struct str *text, struct gh_err *err);
	void *ctx;
	struct str name;                 /* of the first document, as others refer to it: "orders.yaml"; STR_NULL: not known */
};

/* *out is the one document as JSON in the arena; STR_NULL when `text` names no other document. Problems (at most
 * OPENAPI_MAX_WARNINGS) are warnings with a pointer into the first document where they have one. SYNTAX when text is neither JSON nor YAML;
 * LIMIT. One thread; both live in the arena. */
GH_RC openapi_bundle(struct arena *a, struct str text, const struct openapi_files *files, struct str *out,
		     struct openapi_warning **problems, size_t *n_problems, struct gh_err *err);
