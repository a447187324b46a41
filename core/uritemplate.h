/* uritemplate.h - the address patterns of operations, as in the reference system:
 *
 *     /pets/{id}                     a parameter is one segment
 *     /files/{name}.{ext}            or a part of it
 *     /files/{*path}                 the rest of the path, slashes and all; only at the end; also written as a last segment "*"
 *     /orders?status={s}&kind=new    query parameters that must be there, and with a literal value that must be this
 *     /orders?page={p=1}             a default: matched when absent, and then `p` is "1"
 *     /report/{format=pdf}           the same for the last segments of a path
 *
 * Literals compare without ASCII case and after percent-decoding, parameters are handed out percent-decoded. A slash at
 * the end of the path makes no difference unless two templates differ in nothing else.
 *
 * A set (struct uritemplate_set) finds the template of a path among many: the more specific one wins, segment by segment
 * from the left (literal, then literal with parameter, then parameter, then wildcard), then the one that asks for more
 * query parameters. It is a tree with hashed children: the cost follows the length of the path, not the number of
 * templates. A set is immutable once built and may be used by several threads. */
#pragma once

#include "core/arena.h"
#include "core/error.h"
#include "core/str.h"

enum {
	URITEMPLATE_BYTES_MAX = 2000,
	URITEMPLATE_SEGMENTS_MAX = 64,       /* also of a path that is matched: what is longer only a wildcard takes */
	URITEMPLATE_PARAMS_MAX = 64,
};

struct uritemplate;                          /* opaque; lives in the arena */

/* INVALID says what is wrong and at which character. `text` must live as long as the arena. */
GH_RC uritemplate_parse(struct arena *a, struct str text, const struct uritemplate **out, struct gh_err *err);
size_t uritemplate_params(const struct uritemplate *t);               /* how many names it has */
struct str uritemplate_param(const struct uritemplate *t, size_t i);  /* in the order they stand; path before query */
struct str uritemplate_text(const struct uritemplate *t);

struct uritemplate_value {
	struct str name;             /* belongs to the template */
	struct str value;            /* percent-decoded; borrowed from the path or in the arena given to the match */
};

struct uritemplate_values {
	size_t n;
	struct uritemplate_value v[URITEMPLATE_PARAMS_MAX];
};

/* One template against one path ("/a/b", raw) and query (raw, STR_NULL). values may be NULL. */
bool uritemplate_match(const struct uritemplate *t, struct arena *a, struct str path, struct str query,
		       struct uritemplate_values *values);

/* ---- many templates ------------------------------------------------------------------------------------------------ */
struct uritemplate_set;

struct uritemplate_set *uritemplate_set_new(struct arena *a);         /* NULL when out of memory */
/* `tag` comes back from the search; `method` as in HTTP ("GET"; "*" is any). The first of two equal ones wins; *shadowed
 * (may be NULL) says that this one can never match. */
GH_RC uritemplate_set_add(struct uritemplate_set *s, const struct uritemplate *t, struct str method, void *tag,
			  bool *shadowed, struct gh_err *err);

/* The tag of the best match, or NULL. HEAD is not answered by GET: what is not declared is not there.
 * *other_method (may be NULL): the path would have matched under another method. */
void *uritemplate_set_find(const struct uritemplate_set *s, struct arena *a, struct str method, struct str path,
			   struct str query, struct uritemplate_values *values, bool *other_method);
