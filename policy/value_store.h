/* value_store.h - values and responses as bytes, for the cache.
 *
 * What a document may keep: null, bool, the numbers, string, byte[], Newtonsoft's tokens, XElement and XDocument, Guid,
 * DateTime and TimeSpan (as their text), and responses. A value that is none of these is kept as its text. */
#pragma once

#include "policy/exchange.h"

/* STR_NULL: out of memory. */
struct str value_store(struct exchange *x, struct value v);
/* VALUE_NULL (and false) when the bytes are not what value_store made. */
bool value_restore(struct exchange *x, struct str bytes, struct value *out) MUST_USE;

struct str response_store(struct arena *a, const struct response *r);
/* The same without a copy: it borrows from the bytes. */
bool response_view(struct arena *a, struct str bytes, struct response *out) MUST_USE;
bool response_restore(struct arena *a, struct str bytes, struct response *out) MUST_USE;
