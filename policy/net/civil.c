/* civil.c - the calendar, and dates as text. */
#include "core/str.h"
#include "policy/net/time.h"

const char *const month_names[12] = { "January", "February", "March",     "April",   "May",      "June",
				      "July",    "August",   "September", "October", "November", "December" };
const char *const day_names[7] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };

enum { DAYS_PER_400_YEARS = 146097, YEAR_MAX = 9999 };

bool year_is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_in_month(int year, int month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && year_is_leap(year));
}

static int64_t days_before(int year, int month, int day)         /* since 0001-01-01 */
{
	int y = year - 1;
	int64_t days = (int64_t)y * 365 + y / 4 - y / 100 + y / 400;

	for (int m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days + day - 1;
}

struct civil civil_of_ticks(int64_t ticks)
{
	int64_t day = ticks / TICKS_PER_DAY, in_day = ticks % TICKS_PER_DAY, in_400 = day % DAYS_PER_400_YEARS;
	struct civil c = { .month = 1 };
	int64_t year = day / DAYS_PER_400_YEARS * 400, n = in_400 / 36524;

	n = n > 3 ? 3 : n;
	year += n * 100;
	in_400 -= n * 36524;
	year += in_400 / 1461 * 4;
	in_400 %= 1461;
	n = in_400 / 365 > 3 ? 3 : in_400 / 365;
	c.year = (int)(year + n) + 1;
	in_400 -= n * 365;
	while (in_400 >= days_in_month(c.year, c.month))
		in_400 -= days_in_month(c.year, c.month++);
	c.day = (int)in_400 + 1;
	c.hour = (int)(in_day / TICKS_PER_HOUR);
	c.minute = (int)(in_day / TICKS_PER_MINUTE % 60);
	c.second = (int)(in_day / TICKS_PER_SECOND % 60);
	c.fraction = (int)(in_day % TICKS_PER_SECOND);
	return c;
}

bool ticks_of_civil(const struct civil *c, int64_t *ticks)
{
	if (c->year < 1 || c->year > YEAR_MAX || c->month < 1 || c->month > 12 || c->day < 1 ||
	    c->day > days_in_month(c->year, c->month))
		return false;
	if (c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 || c->second < 0 || c->second > 59)
		return false;
	*ticks = days_before(c->year, c->month, c->day) * TICKS_PER_DAY + c->hour * TICKS_PER_HOUR +
		 c->minute * TICKS_PER_MINUTE + c->second * TICKS_PER_SECOND + c->fraction;
	return true;
}

int day_of_week(int64_t ticks)
{
	return (int)((ticks / TICKS_PER_DAY + 1) % 7);
}

/* ---- printing --------------------------------------------------------------------------------------------------------------- */

const char *time_standard_format(char letter, bool has_offset)
{
	switch (letter) {
	case 'd':
		return "MM/dd/yyyy";
	case 'D':
		return "dddd, dd MMMM yyyy";
	case 'f':
		return "dddd, dd MMMM yyyy HH:mm";
	case 'F':
	case 'U':
		return "dddd, dd MMMM yyyy HH:mm:ss";
	case 'g':
		return "MM/dd/yyyy HH:mm";
	case 'G':
		return "MM/dd/yyyy HH:mm:ss";
	case 'm':
	case 'M':
		return "MMMM dd";
	case 'o':
	case 'O':
		return has_offset ? "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffzzz" : "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK";
	case 'r':
	case 'R':
		return "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'";
	case 's':
		return "yyyy'-'MM'-'dd'T'HH':'mm':'ss";
	case 't':
		return "HH:mm";
	case 'T':
		return "HH:mm:ss";
	case 'u':
		return "yyyy'-'MM'-'dd HH':'mm':'ss'Z'";
	case 'y':
	case 'Y':
		return "yyyy MMMM";
	default:
		return NULL;
	}
}

static void put_zone(struct out *o, int64_t offset, size_t n)
{
	int64_t minutes = offset / TICKS_PER_MINUTE, size = minutes < 0 ? -minutes : minutes;

	out_char(o, minutes < 0 ? '-' : '+');
	out_fmt(o, n > 1 ? "%02d" : "%d", (int)(size / 60));
	if (n > 2)
		out_fmt(o, ":%02d", (int)(size % 60));
}

static void put_fraction(struct out *o, int fraction, size_t n, bool trim)
{
	char digits[8];
	size_t used = n;

	for (int i = 6; i >= 0; i--, fraction /= 10)
		digits[i] = (char)('0' + fraction % 10);
	while (trim && used > 0 && digits[used - 1] == '0')
		used--;
	if (used == 0 && trim && o->n && o->p[o->n - 1] == '.')
		o->n--;
	out_add(o, digits, used);
}

static void put_year(struct out *o, int year, size_t n)
{
	if (n <= 2)
		out_fmt(o, n == 1 ? "%d" : "%02d", year % 100);
	else
		out_fmt(o, "%0*d", (int)(n > 200 ? 200 : n), year);
}

static void put_name(struct out *o, const char *name, size_t n)
{
	out_put(o, n == 3 ? str_first(str_of(name), 3) : str_of(name));
}

static bool put_field(struct out *o, const struct shown_time *t, const struct civil *c, char letter, size_t n)
{
	int twelve = c->hour % 12 ? c->hour % 12 : 12;

	switch (letter) {
	case 'd':
		if (n > 2)
			put_name(o, day_names[day_of_week(t->ticks)], n);
		else
			out_fmt(o, "%0*d", (int)n, c->day);
		return true;
	case 'M':
		if (n > 2)
			put_name(o, month_names[c->month - 1], n);
		else
			out_fmt(o, "%0*d", (int)n, c->month);
		return true;
	case 'y':
		put_year(o, c->year, n);
		return true;
	case 'h':
		out_fmt(o, "%0*d", n > 1 ? 2 : 1, twelve);
		return true;
	case 'H':
		out_fmt(o, "%0*d", n > 1 ? 2 : 1, c->hour);
		return true;
	case 'm':
		out_fmt(o, "%0*d", n > 1 ? 2 : 1, c->minute);
		return true;
	case 's':
		out_fmt(o, "%0*d", n > 1 ? 2 : 1, c->second);
		return true;
	case 'f':
	case 'F':
		if (n > 7)
			return false;
		put_fraction(o, c->fraction, n, letter == 'F');
		return true;
	case 't':
		out_put(o, str_first(c->hour < 12 ? STR("AM") : STR("PM"), n));
		return true;
	case 'g':
		out_put(o, STR("A.D."));
		return true;
	case 'z':
		put_zone(o, t->has_offset ? t->offset : 0, n);
		return true;
	case 'K':
		if (t->has_offset || t->kind == DATE_LOCAL)
			put_zone(o, t->has_offset ? t->offset : 0, 3);
		else if (t->kind == DATE_UTC)
			out_char(o, 'Z');
		return true;
	default:
		out_fill(o, letter, n);
		return true;
	}
}

static size_t run_length(struct str f, size_t i)
{
	size_t n = 1;

	if (!strchr("dMyhHmsfFtgz", f.p[i]) || !f.p[i])
		return 1;
	while (i + n < f.n && f.p[i + n] == f.p[i])
		n++;
	return n;
}

static bool put_custom(struct out *o, const struct shown_time *t, struct str f)
{
	struct civil c = civil_of_ticks(t->ticks);

	for (size_t i = 0; i < f.n;) {
		char letter = f.p[i];
		size_t n = run_length(f, i);

		if (letter == '\'' || letter == '"') {
			for (i++; i < f.n && f.p[i] != letter; i++) {
				i += f.p[i] == '\\' && i + 1 < f.n;
				out_char(o, f.p[i]);
			}
			if (i++ >= f.n)
				return false;
			continue;
		}
		if (letter == '\\') {
			if (++i >= f.n)
				return false;
			out_char(o, f.p[i++]);
			continue;
		}
		if (letter == '%') {
			if (i + 1 >= f.n || f.p[i + 1] == '%')
				return false;
			i++;
			continue;
		}
		if (!put_field(o, t, &c, letter, n))
			return false;
		i += n;
	}
	return true;
}

bool time_format(struct out *o, struct shown_time t, struct str format)
{
	const char *standard;

	if (format.n == 0) {
		if (!put_custom(o, &t, STR("MM/dd/yyyy HH:mm:ss")))
			return false;
		return !t.has_offset || put_custom(o, &t, STR(" zzz"));
	}
	if (format.n > 1)
		return put_custom(o, &t, format);
	standard = time_standard_format(format.p[0], t.has_offset);
	if (!standard || (format.p[0] == 'U' && t.has_offset))
		return false;
	if (t.has_offset && strchr("rRu", format.p[0]))
		t.ticks -= t.offset;
	return put_custom(o, &t, str_of(standard));
}

/* ---- TimeSpan ------------------------------------------------------------------------------------------------------------------ */

struct span {
	bool negative;
	uint64_t days;
	int hours, minutes, seconds, fraction;
};

static struct span span_of(int64_t ticks)
{
	uint64_t u = ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks;

	return (struct span){ .negative = ticks < 0, .days = u / TICKS_PER_DAY, .hours = (int)(u / TICKS_PER_HOUR % 24),
			      .minutes = (int)(u / TICKS_PER_MINUTE % 60), .seconds = (int)(u / TICKS_PER_SECOND % 60),
			      .fraction = (int)(u % TICKS_PER_SECOND) };
}

static void put_constant(struct out *o, const struct span *s)
{
	if (s->negative)
		out_char(o, '-');
	if (s->days)
		out_fmt(o, "%lu.", s->days);
	out_fmt(o, "%02d:%02d:%02d", s->hours, s->minutes, s->seconds);
	if (s->fraction)
		out_fmt(o, ".%07d", s->fraction);
}

static void put_general(struct out *o, const struct span *s, bool full)
{
	if (s->negative)
		out_char(o, '-');
	if (s->days || full)
		out_fmt(o, "%lu:", s->days);
	out_fmt(o, full ? "%02d:%02d:%02d" : "%d:%02d:%02d", s->hours, s->minutes, s->seconds);
	if (full) {
		out_fmt(o, ".%07d", s->fraction);
	} else if (s->fraction) {
		out_char(o, '.');
		put_fraction(o, s->fraction, 7, true);
	}
}

static bool put_span_field(struct out *o, const struct span *s, char letter, size_t n)
{
	switch (letter) {
	case 'd':
		out_fmt(o, "%0*lu", (int)n, s->days);
		return n <= 8;
	case 'h':
		out_fmt(o, "%0*d", (int)n, s->hours);
		return n <= 2;
	case 'm':
		out_fmt(o, "%0*d", (int)n, s->minutes);
		return n <= 2;
	case 's':
		out_fmt(o, "%0*d", (int)n, s->seconds);
		return n <= 2;
	case 'f':
	case 'F':
		if (n <= 7)
			put_fraction(o, s->fraction, n, letter == 'F');
		return n <= 7;
	default:
		return false;
	}
}

bool span_format(struct out *o, int64_t ticks, struct str f)
{
	struct span s = span_of(ticks);

	if (f.n == 0 || (f.n == 1 && strchr("ctT", f.p[0]))) {
		put_constant(o, &s);
		return true;
	}
	if (f.n == 1) {
		put_general(o, &s, f.p[0] == 'G');
		return f.p[0] == 'g' || f.p[0] == 'G';
	}
	for (size_t i = 0; i < f.n;) {
		char letter = f.p[i];
		size_t n = run_length(f, i);

		if (letter == '\'' || letter == '"') {
			for (i++; i < f.n && f.p[i] != letter; i++)
				out_char(o, f.p[i]);
			if (i++ >= f.n)
				return false;
		} else if (letter == '\\' || letter == '%') {
			if (++i >= f.n)
				return false;
			if (letter == '\\')
				out_char(o, f.p[i++]);
		} else if (!put_span_field(o, &s, letter, n)) {
			return false;
		} else {
			i += n;
		}
	}
	return true;
}
