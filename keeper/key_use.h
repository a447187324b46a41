/* key_use.h - when each key was last shown, gathered from the records of one drain and written once for each key. */
#pragma once

#include "db/telemetry.h"

struct key_uses;

struct key_uses *key_uses_new(struct arena *a);                      /* NULL when out of memory */
bool key_uses_add(struct key_uses *u, const struct telemetry_call *call) MUST_USE;       /* false: out of memory */
GH_RC key_uses_write(struct key_uses *u, struct store *s, struct gh_err *err);
