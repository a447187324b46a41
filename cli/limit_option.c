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
		{ STR_INIT("month"), 2592000 },
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

static const char *const algorithms[] = { "usual", "fixed-window", "sliding-window", "token-bucket", "leaky-bucket" };

/* "queue=50,2000ms": false when it is none. */
static bool parse_queue(struct str text, struct store_limit *out)
{
	size_t comma = str_find_char(text, ',');
	struct str wait = comma == SIZE_MAX ? STR_NULL : str_from(text, comma + 1);

	if (!str_starts(text, STR("queue=")) || !str_ends(wait, STR("ms")))
		return false;
	return str_to_i64(str_from(str_first(text, comma), 6), 1, STORE_QUEUE_MAX, &out->queue)
	       && str_to_i64(str_first(wait, wait.n - 2), 1, STORE_DELAY_MS_MAX, &out->delay_ms);
}

static bool parse_algorithm(struct str text, struct store_limit *out)
{
	for (size_t i = STORE_ALGORITHM_FIXED; i < ARRAY_LEN(algorithms); i++)
		if (str_eq(text, str_of(algorithms[i]))) {
			out->algorithm = (int64_t)i;
			return true;
		}
	return false;
}

/* What may stand behind one: ":ALGORITHM", ":queue=CALLS,WAITms". */
static gh_rc named_limit(struct cli *c, const char *name, const char *given, enum store_limit_kind kind, struct store_limit *out,
			 struct gh_err *err)
{
	struct str text = str_of(given), rest, part;
	size_t colon = str_find_char(text, ':');

	if (colon == SIZE_MAX)
		return limit_option(c, name, given, kind, out, err);
	TRY(limit_option(c, name, arena_cstr(c->arena, str_first(text, colon)), kind, out, err));
	for (rest = str_from(text, colon + 1); rest.n && str_split(&rest, ':', &part);)
		if (!parse_algorithm(part, out) && !parse_queue(part, out))
			return cli_usage(c, err, "--%s: behind a limit stands fixed-window, sliding-window, token-bucket or leaky-bucket, "
					 "or queue=CALLS,WAITms of a rate (at most %d calls, %d ms), not '%.*s'", name, STORE_QUEUE_MAX,
					 STORE_DELAY_MS_MAX, STR_ARG(str_first(part, 80)));
	return GH_RC_OK;
}

/* "1000000", "500KB", "1GB": units of 1000 would be another limit than the one that the portal shows, so they are of 1024. */
static bool parse_bytes(struct str text, int64_t *out)
{
	static const struct {
		struct str unit;
		int64_t bytes;
	} units[] = { { STR_INIT("KB"), 1 << 10 }, { STR_INIT("MB"), 1 << 20 }, { STR_INIT("GB"), 1 << 30 }, { STR_INIT("TB"), INT64_C(1) << 40 } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (str_ends(text, units[i].unit)) {
			bool ok = str_to_i64(str_first(text, text.n - 2), 1, STORE_LIMIT_BYTES_MAX / units[i].bytes, out);

			*out *= units[i].bytes;
			return ok;
		}
	return str_to_i64(text, 1, STORE_LIMIT_BYTES_MAX, out);
}

static gh_rc bandwidth(struct cli *c, const char *given, struct store_limit *out, struct gh_err *err)
{
	struct str text = str_of(given);
	size_t slash = str_find_char(text, '/');

	*out = (struct store_limit){ .kind = STORE_LIMIT_BANDWIDTH };
	if (slash == SIZE_MAX || !parse_bytes(str_first(text, slash), &out->calls) || !parse_period(str_from(text, slash + 1), &out->seconds))
		return cli_usage(c, err, "--bandwidth takes BYTES/PERIOD such as 1GB/month or 500MB/day, not '%.*s'", STR_ARG(str_first(text, 80)));
	return GH_RC_OK;
}

static gh_rc add(struct cli *c, struct store_limit v[STORE_TIER_LIMITS_MAX], size_t *n, const struct store_limit *l, struct gh_err *err)
{
	if (*n == STORE_TIER_LIMITS_MAX)
		return cli_usage(c, err, "at most %d limits are possible", STORE_TIER_LIMITS_MAX);
	v[(*n)++] = *l;
	return GH_RC_OK;
}

gh_rc limit_options(struct cli *c, struct store_limit v[STORE_TIER_LIMITS_MAX], size_t *n, struct gh_err *err)
{
	static const char *const names[] = { [STORE_LIMIT_RATE] = "rate", [STORE_LIMIT_QUOTA] = "quota", [STORE_LIMIT_BANDWIDTH] = "bandwidth" };
	struct store_limit one = { 0 };
	const char *text;

	*n = 0;
	for (unsigned kind = 0; kind < ARRAY_LEN(names); kind++)
		for (size_t i = 0; (text = option_nth(&c->options, names[kind], i)); i++) {
			TRY(kind == STORE_LIMIT_BANDWIDTH ? bandwidth(c, text, &one, err)
							  : named_limit(c, names[kind], text, (enum store_limit_kind)kind, &one, err));
			TRY(add(c, v, n, &one, err));
		}
	text = option_text(&c->options, "concurrency");
	if (!text)
		return GH_RC_OK;
	one = (struct store_limit){ .kind = STORE_LIMIT_CONCURRENCY };
	if (!str_to_i64(str_of(text), 1, STORE_CONCURRENCY_MAX, &one.calls))
		return cli_usage(c, err, "--concurrency takes a number from 1 to %d, not '%.80s'", STORE_CONCURRENCY_MAX, text);
	return add(c, v, n, &one, err);
}

struct str limit_text(struct arena *a, const struct store_limit *v, size_t n)
{
	static const char *const names[] = { "rate", "quota", "bandwidth", "concurrency" };
	struct str out = STR("");

	for (size_t i = 0; i < n; i++) {
		const struct store_limit *l = &v[i];

		out = arena_printf(a, "%.*s%s%s %lld", STR_ARG(out), i ? ", " : "", names[l->kind], (long long)l->calls);
		if (l->kind != STORE_LIMIT_CONCURRENCY)
			out = arena_printf(a, "%.*s/%lld", STR_ARG(out), (long long)l->seconds);
		if (l->algorithm)
			out = arena_printf(a, "%.*s:%s", STR_ARG(out), algorithms[l->algorithm]);
		if (l->queue)
			out = arena_printf(a, "%.*s:queue=%lld,%lldms", STR_ARG(out), (long long)l->queue, (long long)l->delay_ms);
	}
	return out;
}
