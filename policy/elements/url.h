/* url.h - the address of the backend as policies change it: the backend's own part (scheme, host, base path) and the
 * part of the operation (the rest of the path, the query). */
#pragma once

#include "policy/element.h"

/* Replaces the backend's own part; the operation's part stays. False after exchange_fail. */
bool url_set_base(struct exchange *x, struct str address) MUST_USE;
/* Replaces the operation's part of the path; "/" is put in front when it is missing. */
bool url_set_operation_path(struct exchange *x, struct str path) MUST_USE;

/* Walks "a=1&b=2": false at the end. Name and value as they stand; value STR_NULL without "=". */
bool query_next(struct str *rest, struct str *name, struct str *value);
/* Percent-decodes ("+" is a blank in a query). Borrows s when nothing is to be decoded. STR_NULL: out of memory. */
struct str url_decode(struct arena *a, struct str s, bool query);
/* Percent-encodes all but unreserved characters and those in `keep`. */
struct str url_encode(struct arena *a, struct str s, const char *keep);
/* The query without the parameter (compared decoded, with case); STR_NULL when nothing is left. */
struct str query_without(struct arena *a, struct str query, struct str name);
