/* limit_option.h - limits as options write them: 100/60, 10000/day, 5000/12h. */
#pragma once

#include "cli/command.h"
#include "db/tiers.h"

/* `text` is what was given to --NAME. Wrong usage when it is no limit of that kind. */
gh_rc limit_option(struct cli *c, const char *name, const char *text, enum store_limit_kind kind, struct store_limit *out,
		   struct gh_err *err);
/* The options --rate, --quota, --bandwidth and --concurrency, each as often as wished, of a tier or rule: all that were
 * given, by kind. Behind the period may stand how it counts: 100/60:token-bucket. */
#define LIMIT_OPTIONS                                                                                                             \
	{ "rate", OPTION_MANY, "CALLS/SECONDS", "calls of one subscription in a sliding window of at most 300 s: 100/60", false },   \
	{ "quota", OPTION_MANY, "CALLS/PERIOD", "calls of one subscription in a fixed period: 10000/day, 500/3600", false },  \
	{ "bandwidth", OPTION_MANY, "BYTES/PERIOD", "bytes of one subscription in a fixed period: 1GB/month, 500MB/day", false },    \
	{ "concurrency", OPTION_TEXT, "CALLS", "calls of one subscription at once: 5", false }
gh_rc limit_options(struct cli *c, struct store_limit v[STORE_TIER_LIMITS_MAX], size_t *n, struct gh_err *err);
#define LIMIT_ALGORITHMS_HELP                                                                                                     \
	"How a limit counts may stand behind it, as in 100/60:token-bucket: fixed-window (windows one after the other),\n"       \
	"sliding-window (never more in any window), token-bucket (all at once, then evenly) or leaky-bucket (a rate, evenly from\n" \
	"the first call on). Without it a rate slides and a quota is fixed. Behind a rate may stand a queue: with\n"             \
	"100/1:queue=50,2000ms up to 50 calls beyond it wait for at most 2 seconds in place of being refused."
/* "rate 100/60, quota 10000/86400, bandwidth 1000000/86400, concurrency 5". */
struct str limit_text(struct arena *a, const struct store_limit *v, size_t n);
