/* context.h - objects of `context` that policies make and take: the C side of IResponse and the like.
 * The classes stand in policy/expr; a policy only moves them in and out of variables. */
#pragma once

#include "policy/exchange.h"
#include "policy/expr/value.h"

/* An IResponse over r, which must live as long as the exchange. VALUE_NULL when out of memory. */
struct value context_response(struct arena *a, struct response *r);
/* The response that an IResponse stands for; NULL when v is none. Also of context.Response itself. */
struct response *context_response_of(struct exchange *x, struct value v);
/* An Authorization with AccessToken and Claims. */
struct value context_authorization(struct arena *a, struct str access_token, const struct fields *claims);
