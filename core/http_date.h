/* http_date.h - dates as HTTP writes them (RFC 9110 section 5.6.7). */
#pragma once

#include "core/arena.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT", or one of the two old forms. False when it is anything else. */
bool http_date_parse(struct str s, int64_t *seconds) MUST_USE;
/* The first form. STR_NULL: out of memory, or a year beyond 9999. */
struct str http_date_text(struct arena *a, int64_t seconds);
