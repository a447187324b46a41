/* limit_option.h - limits as options write them: 100/60, 10000/day, 5000/12h. */
#pragma once

#include "cli/command.h"
#include "db/tiers.h"

/* `text` is what was given to --NAME. Wrong usage when it is no limit of that kind. */
gh_rc limit_option(struct cli *c, const char *name, const char *text, enum store_limit_kind kind, struct store_limit *out,
		   struct gh_err *err);
/* "rate 100/60, quota 10000/86400". */
struct str limit_text(struct arena *a, const struct store_limit *v, size_t n);
