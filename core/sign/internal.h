/* internal.h - what the files of core/sign share. */
#pragma once

#include "core/crypto.h"
#include "core/sign.h"
#include "core/str.h"

enum { SIGN_TEXT_MAX = 1 << 20 };        /* bytes of a text that is signed, without the body */

/* All values of the field joined by `glue`, each without blanks at its ends; `squeeze`: runs of white space inside become
 * one blank. STR_NULL: there is none (or no memory). The authority serves as Host. */
struct str sign_field_value(struct arena *a, const struct sign_request *rq, struct str name, const char *glue, bool squeeze);
bool sign_add(struct sign_added *out, struct str name, struct str value);        /* false: value.p is NULL */
struct str sign_take(struct arena *a, struct buf *b);    /* its bytes in the arena, and releases it; STR_NULL: it failed */
