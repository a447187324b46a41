#include "core/backend_rules.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/str.h"

#include <stdio.h>

enum { SECOND_US = 1000000, LEAST_CALLS = 10, SCRATCH_BYTES = 4 << 20, NAMES_MAX = 12 };

bool status_ranges_hold(const struct status_ranges *r, int status)
{
	for (size_t i = 0; i < r->n; i++)
		if (status >= r->v[i].min && status <= r->v[i].max)
			return true;
	return false;
}

/* ---- members ----------------------------------------------------------------------------------------------------------- */

/* "P1DT2H3M4S": days, hours, minutes, seconds, in this order, at least one of them. */
static bool parse_iso(struct str s, int64_t *seconds)
{
	static const struct { char unit; bool time; int64_t seconds; } units[] = {
		{ 'D', false, 86400 }, { 'H', true, 3600 }, { 'M', true, 60 }, { 'S', true, 1 },
	};
	bool in_time = false;
	size_t next = 0;

	*seconds = 0;
	for (s = str_from(s, 1); s.n;) {
		size_t digits = 0;
		uint64_t n;

		if (s.p[0] == 'T' && !in_time) {
			in_time = true;
			s = str_from(s, 1);
		}
		while (digits < s.n && ascii_is_digit(s.p[digits]))
			digits++;
		if (digits == s.n || !str_to_u64(str_first(s, digits), 3153600000, &n))
			return false;
		while (next < ARRAY_LEN(units) && (units[next].unit != s.p[digits] || units[next].time != in_time))
			next++;
		if (next == ARRAY_LEN(units))
			return false;
		*seconds += (int64_t)n * units[next++].seconds;
		s = str_from(s, digits + 1);
	}
	return next > 0;
}

static gh_rc read_duration(const json_t *o, const char *name, int64_t otherwise_s, int64_t least_s, int64_t *us, struct gh_err *err)
{
	const json_t *v = jsn_get(o, name);
	struct str text = jsn_string(v);
	int64_t s = otherwise_s;
	bool ok = true;

	if (json_is_integer(v))
		s = json_integer_value(v);
	else if (text.n)
		ok = text.p[0] == 'P' ? parse_iso(text, &s) : clock_parse_duration(text, &s);
	else
		ok = !v && otherwise_s;
	if (!ok || s < least_s || s > BREAKER_TRIP_MAX_S)
		FAIL(err, INVALID, "\"%s\" is a duration from %lld seconds to %d, such as \"PT1M30S\" or \"90s\"%s", name,
		     (long long)least_s, BREAKER_TRIP_MAX_S, v ? "" : "; it is missing");
	*us = s * SECOND_US;
	return GH_RC_OK;
}

static gh_rc read_number(const json_t *o, const char *name, int64_t least, int64_t most, uint32_t *out, struct gh_err *err)
{
	const json_t *v = jsn_get(o, name);

	if (!v)
		return GH_RC_OK;
	if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most)
		FAIL(err, INVALID, "\"%s\" is a whole number from %lld to %lld", name, (long long)least, (long long)most);
	*out = (uint32_t)json_integer_value(v);
	return GH_RC_OK;
}

static gh_rc read_ranges(const json_t *o, struct status_ranges *r, struct gh_err *err)
{
	const json_t *list = jsn_get(o, "statusCodeRanges"), *one;
	size_t i;

	if (list && (!json_is_array(list) || json_array_size(list) > BACKEND_RANGES_MAX))
		FAIL(err, INVALID, "\"statusCodeRanges\" is a list of at most %d ranges", BACKEND_RANGES_MAX);
	if (list)
		r->n = 0;
	json_array_foreach(list, i, one)
	{
		int64_t min = jsn_int(one, "min", 0), max = jsn_int(one, "max", 0);

		if (min < 100 || max > 599 || min > max)
			FAIL(err, INVALID, "a range of \"statusCodeRanges\" is { \"min\": 500, \"max\": 599 }, within 100 to 599");
		r->v[r->n].min = (uint16_t)min;
		r->v[r->n++].max = (uint16_t)max;
	}
	return GH_RC_OK;
}

/* A member that nobody reads would be a promise that nobody keeps. */
static gh_rc check_names(const json_t *o, const char *what, const char *const names[NAMES_MAX], struct gh_err *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(o))
		FAIL(err, INVALID, "%s is no object", what);
	json_object_foreach((json_t *)(uintptr_t)o, name, value)
	{
		size_t i = 0;

		(void)value;
		while (names[i] && strcmp(names[i], name) != 0)
			i++;
		if (!names[i])
			FAIL(err, INVALID, "%s has no member \"%.60s\"", what, name);
	}
	return GH_RC_OK;
}

/* ---- the breaker ------------------------------------------------------------------------------------------------------- */

#define BIT(name) (1u << BACKEND_FAILURE_##name)
enum { ALL_FAILURES = (1u << BACKEND_FAILURE__COUNT) - 1 };

static bool read_reason(struct str word, struct breaker_rule *r)
{
	static const struct { struct str word; uint32_t bits; } table[] = {
#define X(name, text) { STR_INIT(text), BIT(name) },
		BACKEND_FAILURES(X)
#undef X
		{ STR_INIT("BackendConnectionFailure"), ALL_FAILURES & ~(BIT(TIMEOUT) | BIT(IDLE) | BIT(TOTAL)) },
		{ STR_INIT("Timeout"), BIT(TIMEOUT) | BIT(IDLE) | BIT(TOTAL) | BIT(CONNECT_TIMEOUT) | BIT(TLS_TIMEOUT) },
		{ STR_INIT("Server errors"), ALL_FAILURES },         /* the reference's own example */
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (!str_eq_ci(word, table[i].word))
			continue;
		r->failures |= table[i].bits;
		return true;
	}
	return false;
}

static gh_rc read_reasons(const json_t *o, struct breaker_rule *r, struct gh_err *err)
{
	const json_t *list = jsn_get(o, "errorReasons"), *one;
	size_t i;

	if (list && !json_is_array(list))
		FAIL(err, INVALID, "\"errorReasons\" is a list of names");
	if (!list || !json_array_size(list)) {
		r->failures = ALL_FAILURES;
		return GH_RC_OK;
	}
	json_array_foreach(list, i, one)
	{
		if (!read_reason(jsn_string(one), r))
			FAIL(err, INVALID, "\"errorReasons\" knows BackendConnectionFailure, Timeout, Server errors, backend_connect, "
			     "backend_dns, backend_tls, backend_connect_timeout, backend_tls_timeout, backend_timeout, backend_idle, "
			     "backend_total, backend_garbage, backend_cut_off and backend_send, not \"%.*s\"",
			     STR_ARG(str_first(jsn_string(one), 60)));
	}
	return GH_RC_OK;
}

static gh_rc read_condition(const json_t *o, struct breaker_rule *r, struct gh_err *err)
{
	static const char *const names[NAMES_MAX] = { "count", "percentage", "interval", "statusCodeRanges", "errorReasons",
						      "minimumRequests" };

	TRY(check_names(o, "\"failureCondition\"", names, err));
	TRY(read_number(o, "count", 1, 10000, &r->count, err));
	TRY(read_number(o, "percentage", 1, 100, &r->percentage, err));
	TRY(read_number(o, "minimumRequests", 1, 1000000, &r->least_calls, err));
	if ((r->count > 0) == (r->percentage > 0))
		FAIL(err, INVALID, "\"failureCondition\" has either \"count\" or \"percentage\"");
	if (r->count && jsn_get(o, "minimumRequests"))
		FAIL(err, INVALID, "\"minimumRequests\" goes with \"percentage\"");
	TRY(read_duration(o, "interval", 0, 1, &r->interval_us, err));
	TRY(read_ranges(o, &r->statuses, err));
	return read_reasons(o, r, err);
}

static gh_rc read_rule(const json_t *top, void *out, struct gh_err *err)
{
	struct breaker_rule *r = out;
	static const char *const in_top[NAMES_MAX] = { "circuitBreaker" }, *const in_breaker[NAMES_MAX] = { "rules" };
	static const char *const in_rule[NAMES_MAX] = { "name", "failureCondition", "tripDuration", "acceptRetryAfter" };
	const json_t *breaker = jsn_get(top, "circuitBreaker"), *rule;

	if (breaker)
		TRY(check_names(top, "the document", in_top, err));
	else
		breaker = top;
	TRY(check_names(breaker, breaker == top ? "the document" : "\"circuitBreaker\"", in_breaker, err));
	if (json_array_size(jsn_arr(breaker, "rules")) != 1)
		FAIL(err, INVALID, "\"rules\" is a list with one rule");
	rule = json_array_get(jsn_arr(breaker, "rules"), 0);
	TRY(check_names(rule, "the rule", in_rule, err));
	if (jsn_get(rule, "acceptRetryAfter") && !json_is_boolean(jsn_get(rule, "acceptRetryAfter")))
		FAIL(err, INVALID, "\"acceptRetryAfter\" is true or false");
	r->accept_retry_after = jsn_bool(rule, "acceptRetryAfter", false);
	TRY(read_duration(rule, "tripDuration", 0, 1, &r->trip_us, err));
	return read_condition(jsn_get(rule, "failureCondition"), r, err);
}

static gh_rc parse(struct str json, const char *what, struct arena *scratch, json_t **top, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = BACKEND_RULES_MAX_BYTES, .max_depth = 16, .flags = JSN_UNIQUE_KEYS };
	struct text_where where = { 0 };
	struct gh_err why = { 0 };

	if (jsn_parse_in(scratch, json, &limits, top, &where, &why).code)
		FAIL(err, INVALID, "%s: line %u, column %u: %s", what, where.line, where.column, why.message);
	return GH_RC_OK;
}

/* The message begins with what the document is. */
static gh_rc read_document(struct str json, const char *what, gh_rc (*read)(const json_t *, void *, struct gh_err *), void *out,
			   struct gh_err *err)
{
	struct arena *scratch = arena_new(SCRATCH_BYTES);
	struct gh_err why = { 0 };
	json_t *top;
	gh_rc rc;

	if (!scratch)
		FAIL(err, NOMEM, "%s: no memory", what);
	rc = parse(json, what, scratch, &top, err);
	if (!rc.code && (rc = read(top, out, &why)).code)
		rc = gh_err_set(err, rc.code, __FILE__, __LINE__, "%s: %s", what, why.message);
	arena_free(scratch);
	return rc;
}

gh_rc breaker_rule_parse(struct str json, struct breaker_rule *out, struct gh_err *err)
{
	*out = (struct breaker_rule){ .least_calls = LEAST_CALLS, .statuses = { 1, { { 500, 599 } } } };
	out->print = (uint32_t)str_hash(json) | 1;
	return read_document(json, "circuit breaker", read_rule, out, err);
}

/* ---- the health check -------------------------------------------------------------------------------------------------- */

static gh_rc read_check(const json_t *top, void *out, struct gh_err *err)
{
	struct health_check *h = out;
	static const char *const names[NAMES_MAX] = { "path", "interval", "timeout", "unhealthyThreshold", "healthyThreshold",
						      "statusCodeRanges" };
	struct str path = jsn_str(top, "path");

	TRY(check_names(top, "the document", names, err));
	if (!path.n || path.p[0] != '/' || path.n >= sizeof(h->path))
		FAIL(err, INVALID, "\"path\" begins with / and has less than %zu bytes", sizeof(h->path));
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] <= ' ' || path.p[i] >= 127 || path.p[i] == '#')
			FAIL(err, INVALID, "\"path\" holds a byte that must be escaped");
	snprintf(h->path, sizeof(h->path), "%.*s", STR_ARG(path));
	TRY(read_duration(top, "interval", 10, 1, &h->interval_us, err));
	TRY(read_duration(top, "timeout", 2, 1, &h->timeout_us, err));
	TRY(read_number(top, "unhealthyThreshold", 1, 100, &h->unhealthy, err));
	TRY(read_number(top, "healthyThreshold", 1, 100, &h->healthy, err));
	return read_ranges(top, &h->statuses, err);
}

gh_rc health_check_parse(struct str json, struct health_check *out, struct gh_err *err)
{
	*out = (struct health_check){ .unhealthy = 3, .healthy = 2, .statuses = { 1, { { 200, 399 } } } };
	return read_document(json, "health check", read_check, out, err);
}
