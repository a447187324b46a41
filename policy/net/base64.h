/* base64.h - RFC 4648 section 4 as .NET reads it: complete quads, left-over bits ignored. */
#pragma once

#include "core/arena.h"

struct str base64_text(struct arena *a, struct str bytes);               /* STR_NULL: out of memory */
bool base64_bytes(struct arena *a, struct str text, struct str *out);    /* false: no base 64, or out of memory */
/* base64url with or without padding. */
bool base64url_bytes(struct arena *a, struct str text, struct str *out);
