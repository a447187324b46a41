#include "core/clock.h"

#include "core/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Weak, both: a test of what lasts for days puts clocks of its own in their place. */
__attribute__((weak)) int64_t clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

__attribute__((weak)) int64_t clock_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

const char *clock_iso(int64_t wall_us, unsigned digits, char out[CLOCK_ISO_MAX])
{
	int64_t sec = wall_us / 1000000, us = wall_us % 1000000;
	time_t t;
	struct tm tm;
	size_t n;

	if (us < 0)
		us += 1000000, sec--;
	t = (time_t)sec;
	if (!gmtime_r(&t, &tm) || !(n = strftime(out, CLOCK_ISO_MAX - 9, "%Y-%m-%dT%H:%M:%S", &tm))) {
		snprintf(out, CLOCK_ISO_MAX, "0000-00-00T00:00:00Z");
		return out;
	}
	if (digits) {
		char fraction[8];

		snprintf(fraction, sizeof(fraction), "%06d", (int)us);
		n += (size_t)snprintf(out + n, CLOCK_ISO_MAX - n, ".%.*s", (int)(digits > 6 ? 6 : digits), fraction);
	}
	snprintf(out + n, CLOCK_ISO_MAX - n, "Z");
	return out;
}

static bool digits(struct str *s, size_t n, int *out)
{
	uint64_t v;

	if (s->n < n || !str_to_u64(str_first(*s, n), 9999, &v))
		return false;
	*out = (int)v;
	*s = str_from(*s, n);
	return true;
}

static bool one_of(struct str *s, const char *set)
{
	if (!s->n || !strchr(set, s->p[0]) || !s->p[0])
		return false;
	*s = str_from(*s, 1);
	return true;
}

static bool parse_offset(struct str s, int64_t *seconds)
{
	int sign = 0, hour, minute;

	if (s.n == 1 && (s.p[0] == 'Z' || s.p[0] == 'z')) {
		*seconds = 0;
		return true;
	}
	if (s.n)
		sign = s.p[0] == '+' ? 1 : s.p[0] == '-' ? -1 : 0;
	s = str_from(s, 1);
	if (!sign || !digits(&s, 2, &hour) || !one_of(&s, ":") || !digits(&s, 2, &minute) || s.n || hour > 23 || minute > 59)
		return false;
	*seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

bool clock_parse_iso(struct str s, int64_t *wall_us)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct tm tm = { 0 };
	int64_t us = 0, scale = 100000, offset;
	bool leap;

	if (!digits(&s, 4, &tm.tm_year) || !one_of(&s, "-") || !digits(&s, 2, &tm.tm_mon) || !one_of(&s, "-")
	    || !digits(&s, 2, &tm.tm_mday) || !one_of(&s, "Tt ") || !digits(&s, 2, &tm.tm_hour) || !one_of(&s, ":")
	    || !digits(&s, 2, &tm.tm_min) || !one_of(&s, ":") || !digits(&s, 2, &tm.tm_sec))
		return false;
	leap = (tm.tm_year % 4 == 0 && tm.tm_year % 100 != 0) || tm.tm_year % 400 == 0;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1
	    || tm.tm_mday > month_days[tm.tm_mon - 1] + (tm.tm_mon == 2 && leap) || tm.tm_hour > 23 || tm.tm_min > 59
	    || tm.tm_sec > 60)
		return false;
	if (one_of(&s, ".")) {
		if (!s.n || !ascii_is_digit(s.p[0]))
			return false;
		for (; s.n && ascii_is_digit(s.p[0]); s = str_from(s, 1), scale /= 10)
			us += (s.p[0] - '0') * scale;
	}
	if (!parse_offset(s, &offset))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*wall_us = ((int64_t)timegm(&tm) - offset) * 1000000 + us;
	return true;
}

bool clock_parse_date(struct str s, int64_t *wall_us)
{
	char text[CLOCK_ISO_MAX];
	int n;

	if (s.n != 10)
		return clock_parse_iso(s, wall_us);
	n = snprintf(text, sizeof(text), "%.*sT00:00:00Z", STR_ARG(s));
	return clock_parse_iso((struct str){ text, (size_t)n }, wall_us);
}

bool clock_parse_duration(struct str s, int64_t *seconds)
{
	static const struct { char unit; int64_t seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	static const int64_t most = (int64_t)36500 * 86400;
	int64_t factor = 1;
	uint64_t n;

	for (size_t i = 0; s.n && i < ARRAY_LEN(units); i++)
		if (s.p[s.n - 1] == units[i].unit) {
			factor = units[i].seconds;
			s.n--;
			break;
		}
	if (!str_to_u64(s, (uint64_t)(most / factor), &n))
		return false;
	*seconds = (int64_t)n * factor;
	return true;
}

bool clock_boot_id(char out[CLOCK_BOOT_ID_BYTES])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	memset(out, 0, CLOCK_BOOT_ID_BYTES);
	if (fd < 0)
		return false;
	n = read(fd, out, CLOCK_BOOT_ID_BYTES - 1);
	close(fd);
	return n > 0;
}
