/* scim_path.h - SCIM filters and PATCH (RFC 7644 sections 3.4.2.2 and 3.5.2) on resources as JSON. No store, no socket.
 *
 * Attribute names compare without case and may carry their schema ("urn:…:User:userName"). Texts compare without case, but
 * for id, externalId and value. What an identity provider is known to write in its own way is taken as well: operations in
 * any case, "True" for true. */
#pragma once

#include "core/json.h"

enum { SCIM_FILTER_MAX = 4096, SCIM_FILTER_DEPTH = 16, SCIM_FILTER_NODES = 200 };

struct scim_filter;

/* SYNTAX with the place of what cannot be read; LIMIT past the bounds. Everything in the arena; borrows the text. */
GH_RC scim_filter_parse(struct arena *a, struct str text, const struct scim_filter **out, struct gh_err *err);
bool scim_filter_matches(const struct scim_filter *f, const json_t *resource);
/* "attribute eq value" and nothing else: for a look-up by index. The name is as written. */
bool scim_filter_is_eq(const struct scim_filter *f, struct str *attribute, struct str *value);

/* A member by name without case, with or without a schema before it; NULL. */
json_t *scim_get(const json_t *resource, struct str name);
/* Sets under the name that stands there already, whatever its case. Steals v. */
bool scim_set(json_t *resource, struct str name, json_t *v) MUST_USE;

enum scim_fault { SCIM_OK, SCIM_BAD_SYNTAX, SCIM_BAD_PATH, SCIM_NO_TARGET, SCIM_BAD_VALUE, SCIM_FIXED, SCIM_NOMEM };
const char *scim_fault_type(enum scim_fault f);          /* "invalidPath", …: scimType of an error */
/* Applies {"Operations":[…]} to the resource in place. */
enum scim_fault scim_patch(struct arena *a, json_t *resource, const json_t *patch, struct gh_err *err);
