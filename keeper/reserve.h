/* reserve.h - room on the disk that is there when nothing else is.
 *
 * To take away old calls costs room before it gives any: SQLite writes changed pages beside the store first, and cannot bring them
 * home while the store may not grow. On a disk without a free byte nothing could make room for anything, and segments that
 * cannot be emptied cannot be removed either. So the keeper holds a file of some MB as long as there is plenty, and gives it back
 * when a write fails. */
#pragma once

#include "core/paths.h"

enum { RESERVE_BYTES = 16 << 20 };

struct reserve {
	char path[PATHS_MAX];
	bool there;
};

GH_RC reserve_init(struct reserve *r, const char *state_dir, struct gh_err *err);
/* Makes the file while the disk has room for several of them; true when it is there. Only for the one keeper of a state directory. */
bool reserve_hold(struct reserve *r);
void reserve_give(struct reserve *r);
/* Whether more than half of what was given back is in use; true, too, when nobody can tell. */
bool reserve_is_low(const struct reserve *r);
