/* http_date.c - strptime reads names of days and months in the language of the process, and is generous with blanks; so the
 * three forms are read by hand. A reader accepts all of them, a writer writes the first:
 *
 *   Sun, 06 Nov 1994 08:49:37 GMT       IMF-fixdate
 *   Sunday, 06-Nov-94 08:49:37 GMT      RFC 850: a year more than 50 years ahead is meant in the past
 *   Sun Nov  6 08:49:37 1994            asctime */
#include "core/http_date.h"

#include "core/str.h"

#include <time.h>

static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec", DAYS[] = "SunMonTueWedThuFriSat";

struct reader {
	struct str s;
	bool failed;
};

static void expect(struct reader *r, struct str text)
{
	if (!str_starts_ci(r->s, text))
		r->failed = true;
	else
		r->s = str_from(r->s, text.n);
}

static int digits(struct reader *r, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (i >= r->s.n || !ascii_is_digit(r->s.p[i])) {
			r->failed = true;
			return 0;
		}
		v = v * 10 + (r->s.p[i] - '0');
	}
	r->s = str_from(r->s, n);
	return v;
}

static int month(struct reader *r)
{
	for (int i = 0; i < 12; i++)
		if (str_eq_ci(str_first(r->s, 3), (struct str){ MONTHS + 3 * i, 3 })) {
			r->s = str_from(r->s, 3);
			return i;
		}
	r->failed = true;
	return 0;
}

static void clock_part(struct reader *r, struct tm *t)
{
	t->tm_hour = digits(r, 2);
	expect(r, STR(":"));
	t->tm_min = digits(r, 2);
	expect(r, STR(":"));
	t->tm_sec = digits(r, 2);
}

static int full_year(int two)
{
	time_t now = time(NULL);
	struct tm t;
	int year = gmtime_r(&now, &t) ? (t.tm_year + 1900) / 100 * 100 + two : 1900 + two;

	return year > t.tm_year + 1900 + 50 ? year - 100 : year;
}

static void asctime_form(struct reader *r, struct tm *t)
{
	expect(r, STR(" "));
	t->tm_mon = month(r);
	expect(r, STR(" "));
	if (r->s.n && *r->s.p == ' ') {
		r->s = str_from(r->s, 1);
		t->tm_mday = digits(r, 1);
	} else {
		t->tm_mday = digits(r, 2);
	}
	expect(r, STR(" "));
	clock_part(r, t);
	expect(r, STR(" "));
	t->tm_year = digits(r, 4) - 1900;
}

static void comma_form(struct reader *r, struct tm *t)
{
	bool dashes;

	expect(r, STR(", "));
	t->tm_mday = digits(r, 2);
	dashes = r->s.n && *r->s.p == '-';
	expect(r, dashes ? STR("-") : STR(" "));
	t->tm_mon = month(r);
	expect(r, dashes ? STR("-") : STR(" "));
	t->tm_year = (dashes ? full_year(digits(r, 2)) : digits(r, 4)) - 1900;
	expect(r, STR(" "));
	clock_part(r, t);
	expect(r, STR(" GMT"));
}

bool http_date_parse(struct str s, int64_t *seconds)
{
	struct reader r = { .s = str_trim(s) };
	struct tm t = { 0 };
	size_t day = 0;

	while (day < r.s.n && ascii_is_alpha(r.s.p[day]))
		day++;
	if (day < 3 || day > 9)
		return false;
	r.s = str_from(r.s, day);
	if (r.s.n && *r.s.p == ',')
		comma_form(&r, &t);
	else
		asctime_form(&r, &t);
	if (r.failed || r.s.n || t.tm_mday < 1 || t.tm_mday > 31 || t.tm_hour > 23 || t.tm_min > 59 || t.tm_sec > 60)
		return false;
	*seconds = (int64_t)timegm(&t);
	return true;
}

struct str http_date_text(struct arena *a, int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm t;

	if (!gmtime_r(&when, &t) || t.tm_year > 9999 - 1900)
		return STR_NULL;
	return arena_printf(a, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", DAYS + 3 * t.tm_wday, t.tm_mday, MONTHS + 3 * t.tm_mon,
			    t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}
