/* zone.c - reads TZif files (RFC 8536). The list of changes covers the past; the text at the end ("CET-1CEST,M3.5.0,M10.5.0/3")
 * gives the rules for the time after it. */
#include "policy/net/zone.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/str.h"
#include "policy/net/time.h"
#include "policy/net/zone_names.h"

enum { FILE_MAX = 1 << 18, ZONES_MAX = 700, HEADER = 44, DAY = 86400 };
#define ZONEINFO "/usr/share/zoneinfo"

static struct {
	pthread_mutex_t lock;
	struct zone *v[ZONES_MAX];
	size_t n;
} known = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- the file ------------------------------------------------------------------------------------------------------------------- */

struct bytes {
	const uint8_t *p;
	size_t n;
	bool failed;
};

static uint64_t take(struct bytes *b, unsigned width)
{
	uint64_t v = 0;

	if (b->failed || b->n < width) {
		b->failed = true;
		return 0;
	}
	for (; width; width--, b->p++, b->n--)
		v = v << 8 | *b->p;
	return v;
}

static void skip(struct bytes *b, size_t n)
{
	b->failed |= n > b->n;
	if (b->failed)
		return;
	b->p += n;
	b->n -= n;
}

struct counts {
	uint32_t utc, standard, leaps, times, types, chars;
};

static bool header(struct bytes *b, struct counts *c, unsigned *version)
{
	if (b->n < HEADER || memcmp(b->p, "TZif", 4) != 0)
		return false;
	*version = b->p[4];
	skip(b, 20);
	c->utc = (uint32_t)take(b, 4);
	c->standard = (uint32_t)take(b, 4);
	c->leaps = (uint32_t)take(b, 4);
	c->times = (uint32_t)take(b, 4);
	c->types = (uint32_t)take(b, 4);
	c->chars = (uint32_t)take(b, 4);
	return c->times < 4096 && c->types > 0 && c->types < 256 && c->chars < 4096 && c->leaps < 1024;
}

/* ---- rules: std offset dst [offset],start[/time],end[/time] ------------------------------------------------------------------------- */

static bool skip_name(struct str *s)
{
	size_t i = 0;

	if (s->n && s->p[0] == '<') {
		i = str_find_char(*s, '>');
		if (i == SIZE_MAX)
			return false;
		*s = str_from(*s, i + 1);
		return true;
	}
	while (i < s->n && ascii_is_alpha(s->p[i]))
		i++;
	*s = str_from(*s, i);
	return i >= 3;
}

static bool number(struct str *s, int *out)
{
	size_t i = 0;

	for (*out = 0; i < s->n && ascii_is_digit(s->p[i]) && i < 6; i++)
		*out = *out * 10 + (s->p[i] - '0');
	*s = str_from(*s, i);
	return i > 0;
}

static bool clock_time(struct str *s, int32_t *out)
{
	bool minus = s->n && s->p[0] == '-';
	int part[3] = { 0 };

	if (s->n && (s->p[0] == '-' || s->p[0] == '+'))
		*s = str_from(*s, 1);
	for (int i = 0; i < 3; i++) {
		if (!number(s, &part[i]))
			return false;
		if (!s->n || s->p[0] != ':')
			break;
		*s = str_from(*s, 1);
	}
	*out = part[0] * 3600 + part[1] * 60 + part[2];
	if (minus)
		*out = -*out;
	return true;
}

static bool rule(struct str *s, struct zone_rule *r)
{
	if (!str_starts(*s, STR(",M")))
		return false;
	*s = str_from(*s, 2);
	r->second = 7200;
	if (!number(s, &r->month) || !s->n || s->p[0] != '.')
		return false;
	*s = str_from(*s, 1);
	if (!number(s, &r->week) || !s->n || s->p[0] != '.')
		return false;
	*s = str_from(*s, 1);
	if (!number(s, &r->day) || r->month < 1 || r->month > 12 || r->week < 1 || r->week > 5 || r->day > 6)
		return false;
	if (s->n && s->p[0] == '/') {
		*s = str_from(*s, 1);
		return clock_time(s, &r->second);
	}
	return true;
}

static void read_rules(struct zone *z, struct str s)
{
	int32_t west;

	if (!skip_name(&s) || !clock_time(&s, &west))
		return;
	z->standard = z->daylight = -west;
	z->base = z->standard;
	if (!skip_name(&s))
		return;
	z->daylight = z->standard + 3600;
	if (s.n && s.p[0] != ',') {
		if (!clock_time(&s, &west))
			return;
		z->daylight = -west;
	}
	z->has_rules = rule(&s, &z->to_daylight) && rule(&s, &z->to_standard);
	z->knows_daylight |= z->has_rules;
	if (z->has_rules && z->daylight < z->standard) {         /* "negative" daylight saving, as in Dublin */
		z->base = z->daylight;
	}
}

static bool read_changes(struct zone *z, struct bytes *b, const struct counts *c)
{
	struct bytes times = *b, which, types;

	skip(b, (size_t)c->times * 8);
	which = *b;
	skip(b, c->times);
	types = *b;
	skip(b, (size_t)c->types * 6 + c->chars + (size_t)c->leaps * 12 + c->standard + c->utc);
	z->changes = calloc(c->times + 1, sizeof(*z->changes));
	if (b->failed || !z->changes)
		return false;
	for (uint32_t i = 0; i < c->times; i++) {
		uint8_t type = which.p[i];
		struct bytes t = types;

		if (type >= c->types)
			return false;
		skip(&t, (size_t)type * 6);
		z->changes[i].at = (int64_t)take(&times, 8);
		z->changes[i].offset = (int32_t)take(&t, 4);
		z->changes[i].daylight = take(&t, 1) != 0;
		z->knows_daylight |= z->changes[i].daylight;
		if (!z->changes[i].daylight)
			z->base = z->changes[i].offset;
	}
	z->n = c->times;
	z->first_offset = (int32_t)take(&types, 4);
	if (c->times == 0)
		z->base = z->first_offset;
	z->standard = z->base;
	return !times.failed && !types.failed;
}

static bool read_file(struct zone *z, struct bytes b)
{
	struct counts c;
	unsigned version;

	if (!header(&b, &c, &version) || version < '2')
		return false;
	skip(&b, (size_t)c.times * 5 + (size_t)c.types * 6 + c.chars + (size_t)c.leaps * 8 + c.standard + c.utc);
	if (b.failed || !header(&b, &c, &version) || !read_changes(z, &b, &c))
		return false;
	if (b.n > 2 && b.p[0] == '\n')
		read_rules(z, (struct str){ (const char *)b.p + 1, b.n - 2 });
	return true;
}

/* ---- finding --------------------------------------------------------------------------------------------------------------------------- */

static bool plain_path(struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alpha(id.p[i]) && !ascii_is_digit(id.p[i]) && !strchr("/_+-", id.p[i]))
			return false;
	return id.n > 0 && id.n < 60 && id.p[0] != '/';
}

static struct zone *load(struct str id, struct str name)
{
	static uint8_t bytes[FILE_MAX];          /* under the lock */
	char path[160];
	struct zone *z;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), ZONEINFO "/%.*s", STR_ARG(name));
	f = plain_path(name) ? fopen(path, "rb") : NULL;
	if (!f)
		return NULL;
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	z = calloc(1, sizeof(*z));
	if (z && read_file(z, (struct bytes){ bytes, n, false })) {
		char *copy = strndup(id.p, id.n);

		z->id = (struct str){ copy, copy ? id.n : 0 };
		if (copy)
			return z;
	}
	if (z)
		free(z->changes);
	free(z);
	return NULL;
}

const struct zone *zone_find(struct str id)
{
	const char *iana = zone_of_windows(id);
	struct zone *z = NULL;

	pthread_mutex_lock(&known.lock);
	for (size_t i = 0; i < known.n && !z; i++)
		if (str_eq_ci(known.v[i]->id, id))
			z = known.v[i];
	if (!z && known.n < ZONES_MAX) {
		z = load(id, iana ? str_of(iana) : id);
		if (z)
			known.v[known.n++] = z;
	}
	pthread_mutex_unlock(&known.lock);
	return z;
}

/* ---- asking ------------------------------------------------------------------------------------------------------------------------------ */

static int64_t floor_div(int64_t n, int64_t by)
{
	return n / by - (n % by < 0);
}

/* Seconds since 1970 of a rule's moment in a year, on the local clock. */
static int64_t rule_at(const struct zone_rule *r, int year)
{
	struct civil first = { .year = year, .month = r->month, .day = 1 };
	int64_t ticks = 0;
	int day, length = days_in_month(year, r->month);

	ticks_of_civil(&first, &ticks);
	day = (r->day - day_of_week(ticks) + 7) % 7 + 7 * (r->week - 1);
	while (day >= length)
		day -= 7;
	return (ticks - TICKS_UNIX_EPOCH) / TICKS_PER_SECOND + (int64_t)day * DAY + r->second;
}

static int32_t by_rules(const struct zone *z, int64_t utc, bool *daylight)
{
	int64_t ticks = TICKS_UNIX_EPOCH + utc * TICKS_PER_SECOND, from, to;
	int year = ticks < 0 || ticks > TICKS_MAX ? 2000 : civil_of_ticks(ticks).year;

	from = rule_at(&z->to_daylight, year) - z->standard;
	to = rule_at(&z->to_standard, year) - z->daylight;
	*daylight = from < to ? utc >= from && utc < to : !(utc >= to && utc < from);
	return *daylight ? z->daylight : z->standard;
}

int32_t zone_offset(const struct zone *z, int64_t utc, bool *daylight)
{
	size_t low = 0, high = z->n;

	*daylight = false;
	if (z->n == 0 || utc >= z->changes[z->n - 1].at) {
		if (z->has_rules)
			return by_rules(z, utc, daylight);
		if (z->n == 0)
			return z->standard;
		*daylight = z->changes[z->n - 1].daylight;
		return z->changes[z->n - 1].offset;
	}
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (z->changes[middle].at <= utc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return z->first_offset;
	*daylight = z->changes[low - 1].daylight;
	return z->changes[low - 1].offset;
}

int64_t zone_to_utc(const struct zone *z, int64_t local, bool *gap, bool *twice)
{
	bool d1, d2, d;
	int32_t before = zone_offset(z, local - DAY - z->base, &d1), after = zone_offset(z, local + DAY - z->base, &d2);
	bool first = zone_offset(z, local - before, &d) == before, second = zone_offset(z, local - after, &d) == after;

	*gap = *twice = false;
	if (before == after)
		return local - before;
	if (first && second) {
		*twice = true;
		return local - (before < after ? before : after);        /* standard time, the smaller offset */
	}
	*gap = !first && !second;
	return local - (first ? before : second ? after : floor_div(before, 1));
}
