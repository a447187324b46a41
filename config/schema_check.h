/* schema_check.h - a schema is compiled before it is saved, whoever saves it. */
#pragma once

#include "db/schemas.h"

/* Compiles the new one among those that are there; INVALID says what is wrong. */
GH_RC check_schema(struct store *s, struct arena *a, const struct store_schema *schema, struct gh_err *err);
