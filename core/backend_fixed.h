/* backend_fixed.h - what every call to a backend carries besides what its caller sent, read from the JSON that operators write.
 *
 * It has the form of Azure's `credentials` of a backend:
 *
 *   { "header": { "X-Key": "k-1", "X-Tag": [ "a", "b" ] }, "query": { "code": [ "c-1" ] },
 *     "authorization": { "scheme": "Bearer", "parameter": "t-1" } }
 *
 * A value is a text or an array of texts, and may hold named values, "{{name}}", which whoever uses it puts in. A certificate is
 * none of it: a backend has a field for that, and `certificate`, `certificateIds` and `certificateThumbprint` may only be empty.
 * Fields that the gateway needs to send a message at all (Host, Content-Length and those that end at a hop) are refused. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum { BACKEND_FIXED_MAX = 32, BACKEND_FIXED_BYTES = 65536 };      /* values of a backend; bytes of their JSON */

struct backend_fixed_value {
	struct str name, value;
	bool query;                          /* a query parameter; else a header field */
};

struct backend_fixed {
	size_t n;
	struct backend_fixed_value v[BACKEND_FIXED_MAX];       /* several of one name stand in their order */
};

/* The texts are in the arena. INVALID: says which member and what it may be, and never a value; NOMEM. */
GH_RC backend_fixed_parse(struct arena *a, struct str json, struct backend_fixed *out, struct gh_err *err);
/* The next "{{name}}" of a value: `before` is what stands in front of it, and *rest goes on behind it. False: there is no more;
 * braces that are not closed are text. */
bool backend_fixed_named(struct str *rest, struct str *before, struct str *name);
/* The value with what stands for its named values put in; `of` says that, and may say STR_NULL: nothing is put in, and `of` keeps in
 * mind that it had none. NOMEM. */
typedef struct str backend_fixed_of(void *ctx, struct str name);
GH_RC backend_fixed_fill(struct arena *a, struct str text, backend_fixed_of *of, void *ctx, struct str *out, struct gh_err *err);
/* May it stand in a header field: no control character but the tab. */
bool backend_fixed_value_ok(struct str value);
