#include "core/alert.h"

#include "core/buf.h"
#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>

#define ALERT_NAME(id, name) name,
const char *const alert_kinds[] = { ALERT_KINDS(ALERT_NAME) NULL };
const char *const alert_origins[] = { ALERT_ORIGINS(ALERT_NAME) NULL };
const char *const alert_statistics[] = { ALERT_STATISTICS(ALERT_NAME) NULL };
const char *const alert_times[] = { ALERT_TIMES(ALERT_NAME) NULL };
const char *const alert_measures[] = { ALERT_MEASURES(ALERT_NAME) NULL };
const char *const alert_comparisons[] = { ALERT_COMPARISONS(ALERT_NAME) NULL };
const char *const alert_eachs[] = { ALERT_EACH(ALERT_NAME) NULL };

int alert_word(const char *const *names, struct str name)
{
	for (int i = 0; names[i]; i++)
		if (str_eq(name, str_of(names[i])))
			return i;
	return -1;
}

/* ---- rules ------------------------------------------------------------------------------------------------------------- */

enum { PERCENT = 100000, DAYS_MOST = 3650, BURN_MOST = 1000 };

bool alert_rule_counts(const struct alert_rule *r)
{
	return r->kind <= ALERT_BUDGET;
}

const char *alert_unit(const struct alert_rule *r)
{
	switch (r->kind) {
	case ALERT_LATENCY: return "ms";
	case ALERT_EXPIRY: return "days";
	case ALERT_BUDGET: return "times";
	case ALERT_QUOTA: return "%";
	default: return r->measure == ALERT_MEASURE_PERCENT ? "%" : "calls";
	}
}

/* "404", "4xx" */
static bool is_status(struct str s)
{
	if (s.n != 3 || s.p[0] < '1' || s.p[0] > '5')
		return false;
	return (ascii_is_digit(s.p[1]) && ascii_is_digit(s.p[2])) || str_eq_ci(str_from(s, 1), STR("xx"));
}

static gh_rc check_words(const struct alert_rule *r, struct gh_err *err)
{
	struct str rest = r->status, word;
	size_t n = 0;

	for (; str_word(&rest, &word); n++)
		if (!is_status(word))
			FAIL(err, INVALID, "status: '%.*s' is no response code; write codes and classes: 404 5xx", STR_ARG(str_first(word, 20)));
	if (n > ALERT_WORDS_MAX)
		FAIL(err, INVALID, "status: at most %d codes", ALERT_WORDS_MAX);
	if (r->kind == ALERT_STATUS && !n)
		FAIL(err, INVALID, "status: say which response codes count: 5xx, or 401 403");
	rest = r->reasons;
	for (n = 0; str_word(&rest, &word); n++)
		if (word.n > 48)
			FAIL(err, INVALID, "reasons: '%.*s…' is longer than a reason in the log", STR_ARG(str_first(word, 20)));
	if (n > ALERT_WORDS_MAX)
		FAIL(err, INVALID, "reasons: at most %d words", ALERT_WORDS_MAX);
	return GH_RC_OK;
}

static gh_rc check_threshold(const struct alert_rule *r, struct gh_err *err)
{
	if (r->threshold < 0)
		FAIL(err, INVALID, "threshold: it cannot be below 0");
	if (strcmp(alert_unit(r), "%") == 0 && (r->threshold > PERCENT || (r->kind == ALERT_QUOTA && !r->threshold)))
		FAIL(err, INVALID, "threshold: a share is between 0 and 100 per cent");
	if (r->kind == ALERT_EXPIRY && (r->threshold < 1000 || r->threshold > DAYS_MOST * INT64_C(1000)))
		FAIL(err, INVALID, "threshold: say how many days ahead, between 1 and %d", DAYS_MOST);
	if (r->kind == ALERT_LATENCY && !r->threshold)
		FAIL(err, INVALID, "threshold: say how many milliseconds calls may take");
	if (r->kind == ALERT_BUDGET && (r->threshold < 1000 || r->threshold > BURN_MOST * INT64_C(1000)))
		FAIL(err, INVALID, "threshold: say how many times too fast the budget may be spent, between 1 and %d; 14.4 is usual for an "
		     "hour", BURN_MOST);
	if (r->kind == ALERT_BUDGET && (r->target <= 0 || r->target >= PERCENT))
		FAIL(err, INVALID, "target: say which share of calls shall be good, above 0 and below 100: 99.9");
	return GH_RC_OK;
}

static gh_rc check_enums(const struct alert_rule *r, struct gh_err *err)
{
	const struct {
		const char *field;
		int64_t v;
		int count;
	} rows[] = { { "kind", r->kind, ALERT_KIND__COUNT }, { "each", r->each, ALERT_EACH__COUNT },
		     { "origin", r->origin, ALERT_ORIGIN__COUNT }, { "statistic", r->statistic, ALERT_STATISTIC__COUNT },
		     { "time", r->time, ALERT_TIME__COUNT }, { "measure", r->measure, ALERT_MEASURE__COUNT },
		     { "comparison", r->comparison, ALERT_COMPARISON__COUNT } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].v < 0 || rows[i].v >= rows[i].count)
			FAIL(err, INVALID, "%s: there is no such %s", rows[i].field, rows[i].field);
	return GH_RC_OK;
}

gh_rc alert_rule_check(struct alert_rule *r, struct gh_err *err)
{
	TRY(check_enums(r, err));
	if (r->kind == ALERT_BUDGET && !str_trim(r->status).n)
		r->status = STR("5xx");
	if (!r->periods)
		r->periods = 1;
	if (!r->least_calls)
		r->least_calls = 1;
	if (!alert_rule_counts(r))
		r->period_s = r->period_s ? r->period_s : 60;
	if (r->period_s < ALERT_PERIOD_LEAST_S || r->period_s > ALERT_PERIOD_MOST_S)
		FAIL(err, INVALID, "period: between 1 second and 7 days");
	if (r->periods < 1 || r->periods > ALERT_PERIODS_MAX)
		FAIL(err, INVALID, "periods: between 1 and %d", ALERT_PERIODS_MAX);
	if (r->least_calls < 0)
		FAIL(err, INVALID, "leastCalls: it cannot be below 0");
	if (r->comparison == ALERT_BELOW && r->kind != ALERT_REQUESTS)
		FAIL(err, INVALID, "comparison: 'below' goes with the kind requests only");
	if (r->measure == ALERT_MEASURE_PERCENT && r->kind != ALERT_STATUS && r->kind != ALERT_VIOLATION)
		FAIL(err, INVALID, "measure: a share goes with the kinds status and policy-violation only");
	TRY(check_words(r, err));
	return check_threshold(r, err);
}

uint64_t alert_rule_hash(const struct alert_rule *r)
{
	const struct str texts[] = { r->environment, r->api, r->product, r->subscription, r->backend, r->status, r->reasons };
	const int64_t numbers[] = { r->kind, r->each, r->origin, r->statistic, r->time, r->measure, r->period_s, r->periods,
				    r->kind == ALERT_LATENCY ? r->threshold : 0 };
	uint64_t h = str_hash((struct str){ (const char *)numbers, sizeof(numbers) });

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		h = (h ^ str_hash(texts[i])) * UINT64_C(1099511628211) + i;
	return h;
}

static bool status_is(const struct alert_rule *r, unsigned status)
{
	struct str rest = r->status, word;
	const char digits[3] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10), (char)('0' + status % 10) };

	while (str_word(&rest, &word))
		if (word.p[0] == digits[0] && (word.p[1] == digits[1] || !ascii_is_digit(word.p[1]))
		    && (word.p[2] == digits[2] || !ascii_is_digit(word.p[2])))
			return true;
	return false;
}

static bool origin_is(const struct alert_rule *r, const struct telemetry_call *c)
{
	bool backend = c->origin == TELEMETRY_BY_BACKEND || c->origin == TELEMETRY_BACKEND_FAILED;

	return r->origin == ALERT_ORIGIN_ANY || (r->origin == ALERT_ORIGIN_BACKEND) == backend;
}

static bool reason_is(const struct alert_rule *r, struct str reason)
{
	struct str rest = r->reasons, word;

	if (!str_word(&rest, &word))
		return true;
	do {
		if (str_eq_ci(word, reason))
			return true;
	} while (str_word(&rest, &word));
	return false;
}

static bool within(struct str scope, struct str value)
{
	return !scope.n || str_eq(scope, value);
}

bool alert_rule_takes(const struct alert_rule *r, const struct telemetry_call *c, bool *hit)
{
	if (!within(r->environment, c->environment) || !within(r->api, c->api) || !within(r->product, c->product)
	    || !within(r->subscription, c->subscription) || !within(r->backend, c->backend))
		return false;
	switch (r->kind) {
	case ALERT_STATUS:
	case ALERT_BUDGET:
		*hit = status_is(r, c->status) && origin_is(r, c);
		break;
	case ALERT_VIOLATION:            /* as the column "refused" of the totals counts them */
		*hit = c->status / 100 == 4 && c->origin == TELEMETRY_BY_GATEWAY && reason_is(r, c->reason);
		break;
	case ALERT_LATENCY:              /* a call that reached no backend says nothing about one */
		if (r->time == ALERT_TIME_BACKEND && !c->attempts)
			return false;
		*hit = (int64_t)alert_rule_us(r, c) > r->threshold;
		break;
	default:
		*hit = true;
	}
	return true;
}

uint64_t alert_rule_us(const struct alert_rule *r, const struct telemetry_call *c)
{
	return r->time == ALERT_TIME_BACKEND ? c->backend_us : r->time == ALERT_TIME_GATEWAY ? c->gateway_us : c->total_us;
}

struct str alert_rule_subject(const struct alert_rule *r, const struct telemetry_call *c)
{
	switch (r->each) {
	case ALERT_EACH_ENVIRONMENT: return c->environment;
	case ALERT_EACH_API: return c->api;
	case ALERT_EACH_OPERATION: return c->operation;
	case ALERT_EACH_PRODUCT: return c->product;
	case ALERT_EACH_SUBSCRIPTION: return c->subscription;
	case ALERT_EACH_APPLICATION: return c->application;
	case ALERT_EACH_BY_BACKEND: return c->backend;
	default: return STR("");
	}
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------ */

const char *alert_number(int64_t thousandths, char out[ALERT_NUMBER_MAX])
{
	int n = snprintf(out, ALERT_NUMBER_MAX, "%lld.%03lld", (long long)(thousandths / 1000), (long long)(thousandths % 1000));

	while (n > 1 && out[n - 1] == '0')
		out[--n] = '\0';
	if (out[n - 1] == '.')
		out[n - 1] = '\0';
	return out;
}

bool alert_number_parse(struct str s, int64_t *thousandths)
{
	size_t dot = str_find_char(s, '.');
	struct str fraction = dot == SIZE_MAX ? STR("") : str_from(s, dot + 1);
	uint64_t whole, part = 0;

	if (!str_to_u64(str_first(s, dot), INT64_MAX / 2000, &whole) || (dot != SIZE_MAX && !fraction.n) || fraction.n > 3
	    || (fraction.n && !str_to_u64(fraction, 999, &part)))
		return false;
	for (size_t i = fraction.n; i < 3; i++)
		part *= 10;
	*thousandths = (int64_t)(whole * 1000 + part);
	return true;
}
