/* kong_left.h - routes that are not served here, and those by expressions: Kong gives their calls to nobody else. An API here takes all
 * below its path, so without more it would answer them, perhaps without the guard that the route had. For config/import/ only. */
#pragma once

#include "config/import/bundle.h"

struct kong_left {
	struct bundle *bundle;
	json_t *routes;                  /* array; see kong_left.c */
	json_t *by_expression;           /* {id: true} of APIs whose path was written as an expression: the longer one counts there too */
};

GH_RC kong_left_init(struct kong_left *l, struct bundle *b, struct gh_err *err);

/* "orders" of "/orders/" and "~/orders/(?<id>\d+)$"; false: no path stands before the expression. *cut: it was shortened. *expression is
 * STR_NULL where the path says all. */
bool kong_plain_path(struct str path, struct str *out, bool *cut, struct str *expression);
/* A call of a C# expression: whether the path of the call is of that expression. */
void kong_matches(struct buf *b, struct arena *a, struct str expression);

/* A route whose calls go to the API `own`, or to none (STR_NULL). `expression` STR_NULL: all below the path. */
void kong_left_add(struct kong_left *l, struct str own, struct str path, struct str expression, const json_t *methods);
void kong_left_by_expression(struct kong_left *l, struct str api);
/* One whose condition is an expression of Kong's router; false: it says nothing of paths. */
bool kong_left_add_router(struct kong_left *l, struct str expression);
/* Closes their calls in all other APIs that would get them; after all APIs have been made. */
void kong_left_close(struct kong_left *l);
