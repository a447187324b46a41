#include "cli/limit_option.h"

#include "core/str.h"

/* "60", "60s", "5m", "hour". False when it is none of these. */
static bool parse_period(struct str text, int64_t *seconds)
{
	static const struct {
		struct str unit;
		int64_t seconds;
	} units[] = {
		{ STR_INIT("s"), 1 },     { STR_INIT("second"), 1 },   { STR_INIT("m"), 60 },   { STR_INIT("minute"), 60 },
		{ STR_INIT("h"), 3600 },  { STR_INIT("hour"), 3600 },  { STR_INIT("d"), 86400 }, { STR_INIT("day"), 86400 },
		{ STR_INIT("w"), 604800 }, { STR_INIT("week"), 604800 },
	};
	size_t digits = 0;
	int64_t number = 1;

	while (digits < text.n && ascii_is_digit(text.p[digits]))
		digits++;
	if (digits && !str_to_i64(str_first(text, digits), 0, STORE_QUOTA_SECONDS_MAX, &number))
		return false;
	if (digits == text.n) {
		*seconds = number;
		return digits > 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (str_eq(units[i].unit, str_from(text, digits))) {
			*seconds = number * units[i].seconds;
			return *seconds <= STORE_QUOTA_SECONDS_MAX;
		}
	return false;
}

gh_rc limit_option(struct cli *c, const char *name, const char *given, enum store_limit_kind kind, struct store_limit *out,
		   struct gh_err *err)
{
	int64_t most = kind == STORE_LIMIT_RATE ? STORE_RATE_SECONDS_MAX : STORE_QUOTA_SECONDS_MAX;
	struct str text = str_of(given);
	size_t slash = str_find_char(text, '/');

	*out = (struct store_limit){ .kind = kind };
	if (slash == SIZE_MAX || !str_to_i64(str_first(text, slash), 1, STORE_LIMIT_CALLS_MAX, &out->calls)
	    || !parse_period(str_from(text, slash + 1), &out->seconds))
		return cli_usage(c, err, "--%s takes CALLS/PERIOD such as 100/60 or 10000/day, not '%.*s'", name,
				 STR_ARG(str_first(text, 80)));
	if (out->seconds > most || (out->seconds < 1 && kind == STORE_LIMIT_RATE))
		return cli_usage(c, err, "--%s: a period of %lld seconds is not possible; 1 to %lld are%s", name,
				 (long long)out->seconds, (long long)most,
				 kind == STORE_LIMIT_RATE ? " (use --quota for longer ones)" : "");
	return GH_RC_OK;
}

static const char *const algorithms[] = { "usual", "fixed-window", "sliding-window", "token-bucket" };

/* One that ends in ":ALGORITHM". */
static gh_rc named_limit(struct cli *c, const char *name, const char *given, enum store_limit_kind kind, struct store_limit *out,
			 struct gh_err *err)
{
	struct str text = str_of(given);
	size_t colon = str_find_char(text, ':');

	if (colon == SIZE_MAX)
		return limit_option(c, name, given, kind, out, err);
	TRY(limit_option(c, name, arena_cstr(c->arena, str_first(text, colon)), kind, out, err));
	for (size_t i = STORE_ALGORITHM_FIXED; i < ARRAY_LEN(algorithms); i++)
		if (str_eq(str_from(text, colon + 1), str_of(algorithms[i]))) {
			out->algorithm = (int64_t)i;
			return GH_RC_OK;
		}
	return cli_usage(c, err, "--%s: a limit counts by fixed-window, sliding-window or token-bucket, not '%.*s'", name,
			 STR_ARG(str_first(str_from(text, colon + 1), 80)));
}

gh_rc limit_options(struct cli *c, struct store_limit v[STORE_TIER_LIMITS_MAX], size_t *n, struct gh_err *err)
{
	static const char *const names[] = { [STORE_LIMIT_RATE] = "rate", [STORE_LIMIT_QUOTA] = "quota" };
	const char *text;

	*n = 0;
	for (unsigned kind = 0; kind < ARRAY_LEN(names); kind++)
		for (size_t i = 0; (text = option_nth(&c->options, names[kind], i)); i++) {
			if (*n == STORE_TIER_LIMITS_MAX)
				return cli_usage(c, err, "at most %d limits are possible", STORE_TIER_LIMITS_MAX);
			TRY(named_limit(c, names[kind], text, (enum store_limit_kind)kind, &v[(*n)++], err));
		}
	return GH_RC_OK;
}

struct str limit_text(struct arena *a, const struct store_limit *v, size_t n)
{
	struct str out = STR("");

	for (size_t i = 0; i < n; i++)
		out = arena_printf(a, "%.*s%s%s %lld/%lld%s%s", STR_ARG(out), i ? ", " : "", v[i].kind == STORE_LIMIT_RATE ? "rate" : "quota",
				   (long long)v[i].calls, (long long)v[i].seconds, v[i].algorithm ? ":" : "",
				   v[i].algorithm ? algorithms[v[i].algorithm] : "");
	return out;
}
