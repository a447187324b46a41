/* time_read.c - DateTime.Parse: words and numbers in any order that the invariant culture understands.
 *
 * The text is cut into fields first (numbers, names, zone, AM/PM); what stands next to a colon is a time, the other numbers
 * are the date, whose order follows from the widths and the separators: year first when it has three digits or more, else
 * month, day, year; a month's name takes the place of its number. */
#include "core/str.h"
#include "policy/net/time.h"

enum { DATE_NUMBERS = 3, CENTURY_PIVOT = 49 };

struct reading {
	struct str s;
	size_t at;
	struct read_time *r;
	int numbers[DATE_NUMBERS], widths[DATE_NUMBERS];
	unsigned n;
	int month;                   /* by name; 0: none */
	unsigned month_at;           /* how many numbers stood before it */
	bool time, pm, am, day_name;
};

static bool more(const struct reading *x)
{
	return x->at < x->s.n;
}

static char look(const struct reading *x)
{
	return more(x) ? x->s.p[x->at] : '\0';
}

static bool read_digits(struct reading *x, int *number, int *width)
{
	*number = 0;
	*width = 0;
	while (more(x) && ascii_is_digit(look(x))) {
		if (++*width > 8)
			return false;
		*number = *number * 10 + (x->s.p[x->at++] - '0');
	}
	return *width > 0;
}

static void read_fraction(struct reading *x, int *fraction)
{
	int digits = 0;

	*fraction = 0;
	for (; more(x) && ascii_is_digit(look(x)); x->at++) {
		if (digits < 7) {
			*fraction = *fraction * 10 + (look(x) - '0');
			digits++;
		} else if (digits++ == 7 && look(x) >= '5') {
			++*fraction;
		}
	}
	for (; digits < 7; digits++)
		*fraction *= 10;
	if (*fraction >= TICKS_PER_SECOND)
		*fraction = (int)TICKS_PER_SECOND - 1;
}

/* From the colon after the hour. */
static bool read_clock(struct reading *x, int hour)
{
	struct civil *c = &x->r->civil;
	int width;

	if (x->time)
		return false;
	x->time = true;
	c->hour = hour;
	x->at++;
	if (!read_digits(x, &c->minute, &width) || width > 2)
		return false;
	if (look(x) != ':')
		return true;
	x->at++;
	if (!read_digits(x, &c->second, &width) || width > 2)
		return false;
	if (look(x) == '.' || look(x) == ',') {
		x->at++;
		if (!ascii_is_digit(look(x)))
			return false;
		read_fraction(x, &c->fraction);
	}
	return true;
}

static bool read_offset(struct reading *x)
{
	bool minus = look(x) == '-';
	int hours, minutes = 0, width;

	x->at++;
	if (x->r->has_zone || !read_digits(x, &hours, &width) || width > 4)
		return false;
	if (width > 2) {
		minutes = hours % 100;
		hours /= 100;
	} else if (look(x) == ':') {
		x->at++;
		if (!read_digits(x, &minutes, &width) || width != 2)
			return false;
	}
	if (hours > 14 || minutes > 59)
		return false;
	x->r->has_zone = true;
	x->r->offset = (hours * 60 + minutes) * TICKS_PER_MINUTE * (minus ? -1 : 1);
	return true;
}

static bool name_matches(struct str word, const char *name)
{
	struct str full = str_of(name);

	return str_eq_ci(word, full) || str_eq_ci(word, str_first(full, 3));
}

static bool read_word(struct reading *x)
{
	size_t begin = x->at;
	struct str word;

	while (more(x) && ascii_is_alpha(look(x)))
		x->at++;
	word = (struct str){ x->s.p + begin, x->at - begin };
	for (int i = 0; i < 12; i++)
		if (name_matches(word, month_names[i]) && x->month == 0) {
			x->month = i + 1;
			x->month_at = x->n;
			return true;
		}
	for (int i = 0; i < 7; i++)
		if (name_matches(word, day_names[i]) && !x->day_name)
			return x->day_name = true;
	if (str_eq_ci(word, STR("Z")) || str_eq_ci(word, STR("GMT")) || str_eq_ci(word, STR("UTC"))) {
		if (x->r->has_zone)
			return false;
		return x->r->has_zone = x->r->zulu = true;
	}
	if (str_eq_ci(word, STR("AM")) || str_eq_ci(word, STR("A")))
		return x->am = !x->pm;
	if (str_eq_ci(word, STR("PM")) || str_eq_ci(word, STR("P")))
		return x->pm = !x->am;
	return str_eq_ci(word, STR("T")) && x->n == DATE_NUMBERS;
}

static bool read_number(struct reading *x)
{
	int number, width;

	if (!read_digits(x, &number, &width))
		return false;
	if (look(x) == ':')
		return read_clock(x, number);
	if (x->n + (x->month != 0) == DATE_NUMBERS && !x->time && !x->am && !x->pm) {
		struct str rest = str_trim(str_from(x->s, x->at));     /* "3 PM" */

		if (rest.n < 2 || !strchr("AaPp", rest.p[0]))
			return false;
		x->time = true;
		x->r->civil.hour = number;
		return true;
	}
	if (x->n == DATE_NUMBERS)
		return false;
	x->numbers[x->n] = number;
	x->widths[x->n++] = width;
	return true;
}

static bool read_fields(struct reading *x)
{
	while (more(x)) {
		char ch = look(x);
		bool ok = true;

		if (ascii_is_space(ch) || ch == ',' || ch == '/')
			x->at++;
		else if ((ch == '+' || ch == '-') && x->time && x->at + 1 < x->s.n && ascii_is_digit(x->s.p[x->at + 1]) &&
			 (ch == '+' || x->n + (x->month != 0) >= 2 || x->n == 0))
			ok = read_offset(x);
		else if ((ch == '-' || ch == '.') && (x->n || x->month))
			x->at++;
		else if (ascii_is_digit(ch))
			ok = read_number(x);
		else
			ok = ascii_is_alpha(ch) && read_word(x);
		if (!ok)
			return false;
	}
	return true;
}

static int full_year(int year, int width)
{
	if (width > 2)
		return year;
	return year + (year <= CENTURY_PIVOT ? 2000 : 1900);
}

static bool settle_named(struct reading *x, struct civil *c)
{
	unsigned year, day;

	c->month = x->month;
	if (x->n == 1 && (x->widths[0] > 2 || x->numbers[0] > 31)) {
		c->year = x->numbers[0];
		c->day = 1;
		return true;
	}
	if (x->n == 1) {
		c->day = x->numbers[0];
		return true;
	}
	if (x->n != 2)
		return false;
	year = x->widths[0] > 2 ? 0 : 1;
	day = 1 - year;
	c->year = full_year(x->numbers[year], x->widths[year]);
	c->day = x->numbers[day];
	return true;
}

static bool settle_numbers(struct reading *x, struct civil *c)
{
	if (x->n == 2) {
		if (x->widths[0] > 2) {
			c->year = x->numbers[0];
			c->month = x->numbers[1];
			c->day = 1;
		} else if (x->widths[1] > 2) {
			c->month = x->numbers[0];
			c->year = x->numbers[1];
			c->day = 1;
		} else {
			c->month = x->numbers[0];
			c->day = x->numbers[1];
		}
		return true;
	}
	if (x->n != DATE_NUMBERS)
		return false;
	if (x->widths[0] > 2) {
		c->year = x->numbers[0];
		c->month = x->numbers[1];
		c->day = x->numbers[2];
		return x->widths[0] <= 4 && x->widths[1] <= 2 && x->widths[2] <= 2;
	}
	c->month = x->numbers[0];
	c->day = x->numbers[1];
	c->year = full_year(x->numbers[2], x->widths[2]);
	return x->widths[0] <= 2 && x->widths[1] <= 2 && x->widths[2] <= 4;
}

static bool settle_hour(const struct reading *x, struct civil *c)
{
	if (!x->am && !x->pm)
		return true;
	if (!x->time || c->hour > 12)
		return false;
	c->hour = c->hour % 12 + (x->pm ? 12 : 0);
	return true;
}

bool time_read(struct str s, int64_t today, struct read_time *out)
{
	struct reading x = { .s = str_trim(s), .r = out };
	struct civil now = civil_of_ticks(today), *c = &out->civil;
	int64_t ticks;

	*out = (struct read_time){ .civil = { .year = now.year, .month = now.month, .day = now.day } };
	if (x.s.n == 0 || !read_fields(&x))
		return false;
	out->has_date = x.n || x.month;
	if (!out->has_date && !x.time)
		return false;
	if (out->has_date && !(x.month ? settle_named(&x, c) : settle_numbers(&x, c)))
		return false;
	if (!settle_hour(&x, c))
		return false;
	if (c->hour == 24 && c->minute == 0 && c->second == 0 && c->fraction == 0) {
		c->hour = 0;
		if (!ticks_of_civil(c, &ticks) || ticks > TICKS_MAX - TICKS_PER_DAY)
			return false;
		*c = civil_of_ticks(ticks + TICKS_PER_DAY);
	}
	return ticks_of_civil(c, &ticks);
}

bool time_settle(const struct read_time *r, unsigned style, int64_t *ticks, enum date_kind *kind)
{
	if (!ticks_of_civil(&r->civil, ticks))
		return false;
	if (r->has_zone) {
		*ticks -= r->offset;
		*kind = (style & DATE_TO_UTC) || ((style & DATE_ROUNDTRIP) && r->zulu) ? DATE_UTC : DATE_LOCAL;
		return *ticks >= 0 && *ticks <= TICKS_MAX;
	}
	*kind = DATE_UNSPECIFIED;
	if (style & (DATE_ASSUME_UTC | DATE_ASSUME_LOCAL))
		*kind = style & DATE_TO_UTC ? DATE_UTC : DATE_LOCAL;
	return true;
}

/* ---- ISO 8601 as Newtonsoft recognises it ----------------------------------------------------------------------------------- */

static bool two(struct str s, size_t at, int *out)
{
	if (at + 2 > s.n || !ascii_is_digit(s.p[at]) || !ascii_is_digit(s.p[at + 1]))
		return false;
	*out = (s.p[at] - '0') * 10 + (s.p[at + 1] - '0');
	return true;
}

static bool iso_zone(struct str s, size_t at, int64_t *offset, enum date_kind *kind)
{
	int hours, minutes = 0;

	*offset = 0;
	*kind = DATE_UNSPECIFIED;
	if (at == s.n)
		return true;
	if (s.p[at] == 'Z' || s.p[at] == 'z') {
		*kind = DATE_UTC;
		return at + 1 == s.n;
	}
	if ((s.p[at] != '+' && s.p[at] != '-') || !two(s, at + 1, &hours))
		return false;
	*kind = DATE_LOCAL;
	*offset = hours * TICKS_PER_HOUR;
	if (at + 3 < s.n) {
		size_t m = at + 3 + (s.p[at + 3] == ':');

		if (!two(s, m, &minutes) || m + 2 != s.n)
			return false;
	}
	*offset += minutes * TICKS_PER_MINUTE;
	if (s.p[at] == '-')
		*offset = -*offset;
	return true;
}

bool time_read_iso(struct str s, int64_t *ticks, enum date_kind *kind)
{
	static const struct {
		uint8_t at;
		char sign;
	} signs[] = { { 4, '-' }, { 7, '-' }, { 10, 'T' }, { 13, ':' }, { 16, ':' } };
	struct civil c = { 0 };
	int century, year, digits = 0;
	int64_t offset;
	size_t at = 19;
	bool next_day;

	if (s.n < 19 || s.n > 40)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (s.p[signs[i].at] != signs[i].sign)
			return false;
	if (!two(s, 0, &century) || !two(s, 2, &year) || !two(s, 5, &c.month) || !two(s, 8, &c.day) || !two(s, 11, &c.hour) ||
	    !two(s, 14, &c.minute) || !two(s, 17, &c.second))
		return false;
	c.year = century * 100 + year;
	if (at < s.n && s.p[at] == '.') {
		for (at++; at < s.n && digits < 7 && ascii_is_digit(s.p[at]); at++, digits++)
			c.fraction = c.fraction * 10 + (s.p[at] - '0');
		if (digits == 0)
			return false;
		for (; digits < 7; digits++)
			c.fraction *= 10;
	}
	next_day = c.hour == 24 && c.minute == 0 && c.second == 0 && c.fraction == 0;
	if (next_day)
		c.hour = 0;
	if (!iso_zone(s, at, &offset, kind) || !ticks_of_civil(&c, ticks))
		return false;
	*ticks += (next_day ? TICKS_PER_DAY : 0) - offset;
	return *ticks >= 0 && *ticks <= TICKS_MAX;
}
