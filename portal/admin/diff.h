/* diff.h - what changed between two texts, line by line, for a template. */
#pragma once

#include "portal/web/web.h"

/* Puts the list `name` into *to: records {kind, text, before, after}; kind is "same", "old" (only before), "new" (only after)
 * or "gap" (lines that are the same and far from a change; text says how many). before and after are line numbers, 0: none.
 * An empty list: the texts are equal. Very long texts that differ everywhere are shown as replaced as a whole. */
void admin_put_diff(struct web *w, struct liquid_record *to, const char *name, struct str before, struct str after);
/* The same as an array of {kind, text, before, after}, kept by the arena; a line that is not there is null. NULL when out of memory. */
json_t *admin_diff_json(struct arena *a, struct str before, struct str after);
