/* suggest.h - "did you mean …?": the nearest of a list of known names. */
#pragma once

#include "core/base.h"

/* The name of the NULL-terminated list that is nearest to `wrong` by edit distance (swaps count one, case counts less),
 * or NULL when none is near enough to be worth naming. Names longer than 63 bytes are passed over. */
const char *suggest(struct str wrong, const char *const *names);
