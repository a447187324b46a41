/* limit_option.h - limits as options write them: 100/60, 10000/day, 5000/12h. */
#pragma once

#include "cli/command.h"
#include "db/tiers.h"

/* `text` is what was given to --NAME. Wrong usage when it is no limit of that kind. */
gh_rc limit_option(struct cli *c, const char *name, const char *text, enum store_limit_kind kind, struct store_limit *out,
		   struct gh_err *err);
/* The options --rate and --quota, each as often as wished, of a tier or rule: all that were given, rates first. Behind the period
 * may stand how it counts: 100/60:token-bucket. */
#define LIMIT_OPTIONS                                                                                                             \
	{ "rate", OPTION_MANY, "CALLS/SECONDS", "calls of one subscription in a sliding window of at most 300 s: 100/60", false },   \
	{ "quota", OPTION_MANY, "CALLS/PERIOD", "calls of one subscription in a fixed period: 10000/day, 500/3600", false }
gh_rc limit_options(struct cli *c, struct store_limit v[STORE_TIER_LIMITS_MAX], size_t *n, struct gh_err *err);
#define LIMIT_ALGORITHMS_HELP                                                                                                     \
	"How a limit counts may stand behind it, as in 100/60:token-bucket: fixed-window (windows one after the other),\n"       \
	"sliding-window (never more in any window) or token-bucket (all at once, then evenly). Without it a rate slides and a\n" \
	"quota is fixed."
/* "rate 100/60, quota 10000/86400". */
struct str limit_text(struct arena *a, const struct store_limit *v, size_t n);
