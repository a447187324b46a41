/* entities.h - HTML as WebUtility escapes and reads it. */
#pragma once

#include "core/arena.h"

enum { HTML_ENTITY_MAX = 10 };       /* characters between "&" and ";" */

uint32_t html_entity(struct str name);                   /* code point of an HTML 4 name; 0: unknown */
struct str html_encode(struct arena *a, struct str s);   /* STR_NULL: out of memory, in all of these */
struct str html_decode(struct arena *a, struct str s);
struct str web_url_encode(struct arena *a, struct str s);    /* WebUtility.UrlEncode: blanks become "+" */
struct str web_url_decode(struct arena *a, struct str s);
