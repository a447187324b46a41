/* time_exact.c - ParseExact: a format string read as a pattern; and TimeSpan.Parse. */
#include "core/str.h"
#include "policy/net/time.h"

struct exact {
	struct str s, f;
	size_t at, i;                /* in the text, in the format */
	struct read_time *r;
	int twelve;                  /* hour of hh; -1: none */
	int half;                    /* AM 0, PM 1, -1: none */
	bool year, month, day, inner_white;
};

static bool digits(struct exact *x, size_t min, size_t max, int *out)
{
	size_t n = 0;

	*out = 0;
	while (n < max && x->at < x->s.n && ascii_is_digit(x->s.p[x->at])) {
		*out = *out * 10 + (x->s.p[x->at++] - '0');
		n++;
	}
	return n >= min;
}

static bool name(struct exact *x, const char *const *names, int count, size_t n, int *out)
{
	for (int i = 0; i < count; i++) {
		struct str full = n == 3 ? str_first(str_of(names[i]), 3) : str_of(names[i]);

		if (str_starts_ci(str_from(x->s, x->at), full)) {
			x->at += full.n;
			*out = i;
			return true;
		}
	}
	return false;
}

static bool fraction(struct exact *x, size_t n, bool optional)
{
	int value = 0;
	size_t used = 0;

	if (n > 7)
		return false;
	for (; used < n && x->at < x->s.n && ascii_is_digit(x->s.p[x->at]); used++)
		value = value * 10 + (x->s.p[x->at++] - '0');
	if (used < n && !optional)
		return false;
	for (; used < 7; used++)
		value *= 10;
	x->r->civil.fraction = value;
	return true;
}

static bool zone(struct exact *x, bool zulu_allowed, size_t n)
{
	bool minus;
	int hours, minutes = 0;

	if (zulu_allowed && x->at < x->s.n && (x->s.p[x->at] == 'Z' || x->s.p[x->at] == 'z')) {
		x->at++;
		x->r->has_zone = x->r->zulu = true;
		return true;
	}
	if (x->at >= x->s.n || (x->s.p[x->at] != '+' && x->s.p[x->at] != '-'))
		return zulu_allowed;             /* K: nothing at all is "unspecified" */
	minus = x->s.p[x->at++] == '-';
	if (!digits(x, n > 1 ? 2 : 1, 2, &hours))
		return false;
	if (n > 2) {
		x->at += x->at < x->s.n && x->s.p[x->at] == ':';
		if (!digits(x, 2, 2, &minutes))
			return false;
	}
	if (hours > 14 || minutes > 59)
		return false;
	x->r->has_zone = true;
	x->r->offset = (hours * 60 + minutes) * TICKS_PER_MINUTE * (minus ? -1 : 1);
	return true;
}

static bool year_field(struct exact *x, size_t n)
{
	int year;

	x->year = true;
	if (!digits(x, n < 3 ? n : n, n < 3 ? 2 : n, &year))
		return false;
	x->r->civil.year = n < 3 ? year + (year <= 49 ? 2000 : 1900) : year;
	return true;
}

static bool half_day(struct exact *x, size_t n)
{
	struct str rest = str_from(x->s, x->at);

	if (str_starts_ci(rest, str_first(STR("AM"), n)))
		x->half = 0;
	else if (str_starts_ci(rest, str_first(STR("PM"), n)))
		x->half = 1;
	else
		return false;
	x->at += n;
	return true;
}

static bool date_field(struct exact *x, char letter, size_t n)
{
	struct civil *c = &x->r->civil;
	int index;

	switch (letter) {
	case 'd':
		if (n > 2)
			return name(x, day_names, 7, n, &index);
		x->day = true;
		return digits(x, n, 2, &c->day);
	case 'M':
		x->month = true;
		if (n <= 2)
			return digits(x, n, 2, &c->month);
		if (!name(x, month_names, 12, n, &index))
			return false;
		c->month = index + 1;
		return true;
	default:
		return year_field(x, n);
	}
}

static bool field(struct exact *x, char letter, size_t n)
{
	struct civil *c = &x->r->civil;
	size_t min = n > 1 ? 2 : 1;

	switch (letter) {
	case 'd':
	case 'M':
	case 'y':
		return date_field(x, letter, n);
	case 'h':
		return digits(x, min, 2, &x->twelve) && x->twelve >= 1 && x->twelve <= 12;
	case 'H':
		return digits(x, min, 2, &c->hour);
	case 'm':
		return digits(x, min, 2, &c->minute);
	case 's':
		return digits(x, min, 2, &c->second);
	case 'f':
	case 'F':
		return fraction(x, n, letter == 'F');
	case 't':
		return half_day(x, n > 2 ? 2 : n);
	case 'z':
		return zone(x, false, n);
	case 'K':
		return zone(x, true, 3);
	default:
		return false;
	}
}

static bool literal(struct exact *x, char ch)
{
	if (x->at < x->s.n && x->s.p[x->at] == ch) {
		x->at++;
		return true;
	}
	/* a point before F's without digits may be missing */
	return ch == '.' && x->i < x->f.n && x->f.p[x->i] == 'F';
}

static bool quoted(struct exact *x, char quote)
{
	for (; x->i < x->f.n && x->f.p[x->i] != quote; x->i++)
		if (!literal(x, x->f.p[x->i]))
			return false;
	return x->i++ < x->f.n;
}

static bool follow(struct exact *x)
{
	while (x->i < x->f.n) {
		char letter = x->f.p[x->i];
		size_t n = 1;

		if (x->inner_white)
			while (x->at < x->s.n && x->s.p[x->at] == ' ' && letter != ' ')
				x->at++;
		if (strchr("dMyhHmsfFtz", letter))
			while (x->i + n < x->f.n && x->f.p[x->i + n] == letter)
				n++;
		x->i += n;
		if (letter == '%')
			continue;
		if (letter == '\\') {
			if (x->i >= x->f.n || !literal(x, x->f.p[x->i]))
				return false;
			x->i++;
		} else if (letter == '\'' || letter == '"') {
			if (!quoted(x, letter))
				return false;
		} else if (strchr("dMyhHmsfFtzK", letter) ? !field(x, letter, n) : !literal(x, letter)) {
			return false;
		}
	}
	return x->at == x->s.n;
}

bool time_read_exact(struct str s, struct str format, bool for_offset, int64_t today, unsigned style,
		     struct read_time *out)
{
	struct exact x = { .s = s, .f = format, .r = out, .twelve = -1, .half = -1 };
	struct civil now = civil_of_ticks(today), *c = &out->civil;
	int64_t ticks;

	*out = (struct read_time){ .civil = { 0 } };
	x.inner_white = style & DATE_INNER_WHITE;
	if (style & 1)
		while (x.s.n && ascii_is_space(x.s.p[0]))
			x.s = str_from(x.s, 1);
	if (style & 2)
		while (x.s.n && ascii_is_space(x.s.p[x.s.n - 1]))
			x.s.n--;
	if (format.n == 1) {
		const char *standard = time_standard_format(format.p[0], for_offset);

		if (!standard)
			return false;
		x.f = str_of(standard);
		out->has_zone = out->zulu = strchr("rRuU", format.p[0]) && for_offset;
	}
	if (x.f.n == 0 || !follow(&x))
		return false;
	if (x.twelve >= 0) {
		if (c->hour && c->hour % 12 != x.twelve % 12)
			return false;
		c->hour = x.half < 0 ? x.twelve : x.twelve % 12 + (x.half ? 12 : 0);
	}
	out->has_date = x.year || x.month || x.day;
	if (!x.year)
		c->year = now.year;
	if (!x.month)
		c->month = x.year || x.day ? 1 : now.month;
	if (!x.day)
		c->day = x.year || x.month ? 1 : now.day;
	return ticks_of_civil(c, &ticks);
}

/* ---- TimeSpan: [-]d | [-][d.]hh:mm[:ss[.fffffff]] -------------------------------------------------------------------------------- */

static bool part(struct str s, size_t *at, uint64_t *out)
{
	size_t begin = *at;

	for (*out = 0; *at < s.n && ascii_is_digit(s.p[*at]); ++*at)
		*out = *out > UINT32_MAX ? *out : *out * 10 + (unsigned)(s.p[*at] - '0');
	return *at > begin;
}

static bool span_fraction(struct str s, size_t *at, uint64_t *out)
{
	int n = 0;

	for (*out = 0; *at < s.n && ascii_is_digit(s.p[*at]); ++*at, n++)
		*out = *out * 10 + (unsigned)(s.p[*at] - '0');
	if (n == 0 || n > 7)
		return false;
	for (; n < 7; n++)
		*out *= 10;
	return true;
}

enum span_result span_read(struct str s, int64_t *ticks)
{
	uint64_t p[4] = { 0 }, days = 0, f = 0;          /* p: hours, minutes, seconds */
	bool minus = false, dotted = false;
	size_t at = 0, n = 0;
	__int128 sum;

	s = str_trim(s);
	if (s.n && s.p[0] == '-')
		minus = at++ == 0;
	if (!part(s, &at, &p[n++]))
		return SPAN_FORMAT;
	if (at == s.n) {
		days = p[0];
		p[0] = 0;
	} else if (s.p[at] == '.') {
		dotted = true;
		days = p[0];
		at++;
		if (!part(s, &at, &p[0]))
			return SPAN_FORMAT;
	}
	for (; at < s.n && s.p[at] == ':' && n < 4; n++) {
		at++;
		if (!part(s, &at, &p[n]))
			return SPAN_FORMAT;
	}
	if (n == 4) {                            /* d:hh:mm:ss */
		if (dotted)
			return SPAN_FORMAT;
		days = p[0];
		memmove(p, p + 1, 3 * sizeof(*p));
	}
	if (at < s.n && s.p[at] == '.' && n >= 3) {
		at++;
		if (!span_fraction(s, &at, &f))
			return SPAN_FORMAT;
	}
	if (at != s.n || (dotted && n < 2))
		return SPAN_FORMAT;
	if (p[0] > 23 || p[1] > 59 || p[2] > 59 || days > 10675199)
		return SPAN_OVERFLOW;
	sum = (__int128)days * TICKS_PER_DAY + (__int128)p[0] * TICKS_PER_HOUR + (__int128)p[1] * TICKS_PER_MINUTE +
	      (__int128)p[2] * TICKS_PER_SECOND + (__int128)f;
	if (sum > INT64_MAX)
		return SPAN_OVERFLOW;
	*ticks = minus ? -(int64_t)sum : (int64_t)sum;
	return SPAN_OK;
}
