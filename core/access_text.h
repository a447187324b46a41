/* access_text.h - the short form of an access rule, to and from JSON: for core/access_*.c and its fuzz target. */
#pragma once

#include "core/access_rule.h"

/* SYNTAX with the column. The result is not validated yet. */
GH_RC access_text_parse(struct arena *a, struct str text, json_t **out, struct gh_err *err);
