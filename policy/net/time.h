/* time.h - ticks, calendar, and the texts of DateTime, DateTimeOffset and TimeSpan in the invariant culture.
 *
 * A tick is 100 ns. Dates run from 0001-01-01 to 9999-12-31 in the Gregorian calendar. The local time zone is UTC, as on
 * the hosts of the reference system: DateTime.Now has kind Local and prints "+00:00". */
#pragma once

#include "policy/net/types.h"

#define TICKS_PER_MS INT64_C(10000)
#define TICKS_PER_SECOND INT64_C(10000000)
#define TICKS_PER_MINUTE (60 * TICKS_PER_SECOND)
#define TICKS_PER_HOUR (60 * TICKS_PER_MINUTE)
#define TICKS_PER_DAY (24 * TICKS_PER_HOUR)
#define TICKS_MAX INT64_C(3155378975999999999)

struct date_time {
	struct object head;
	int64_t ticks;
	enum date_kind kind;
};
struct date_offset {
	struct object head;
	int64_t ticks;               /* of the clock it shows */
	int64_t offset;              /* ticks east of UTC, whole minutes */
};
struct time_span {
	struct object head;
	int64_t ticks;
};

struct civil {
	int year, month, day, hour, minute, second, fraction;    /* fraction: ticks within the second */
};

extern struct value_class class_date_time, class_date_offset, class_time_span, class_date_kind, class_day_of_week,
	class_time_zone;

static inline const struct date_time *value_date(struct value v)
{
	return (const struct date_time *)(const void *)v.object;
}
static inline const struct date_offset *value_offset(struct value v)
{
	return (const struct date_offset *)(const void *)v.object;
}
static inline int64_t value_ticks(struct value v)        /* of a TimeSpan */
{
	return ((const struct time_span *)(const void *)v.object)->ticks;
}
struct value date_offset_value(struct arena *a, int64_t ticks, int64_t offset);

bool year_is_leap(int year);
int days_in_month(int year, int month);
struct civil civil_of_ticks(int64_t ticks);
bool ticks_of_civil(const struct civil *c, int64_t *ticks);      /* false: no such date or time */
int day_of_week(int64_t ticks);                                  /* 0: Sunday */

/* What is printed: a DateTime (zone by kind) or a DateTimeOffset. */
struct shown_time {
	int64_t ticks;
	enum date_kind kind;
	bool has_offset;
	int64_t offset;
};
bool time_format(struct out *o, struct shown_time t, struct str format);         /* false: invalid format */
bool span_format(struct out *o, int64_t ticks, struct str format);
bool date_value_format(struct out *o, struct value v, struct str format);
bool offset_value_format(struct out *o, struct value v, struct str format);
bool span_value_format(struct out *o, struct value v, struct str format);
/* The custom format behind a standard one's letter; NULL: none. */
const char *time_standard_format(char letter, bool has_offset);

extern const char *const month_names[12], *const day_names[7];

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

struct read_time {
	struct civil civil;
	bool has_date, has_zone;
	bool zulu;                   /* "Z" or "GMT" */
	int64_t offset;              /* ticks */
};
/* DateTime.Parse; today fills in the date when the text has only a time. */
bool time_read(struct str s, int64_t today_ticks, struct read_time *out);
/* ParseExact with one format, standard or custom. */
bool time_read_exact(struct str s, struct str format, bool for_offset, int64_t today_ticks, unsigned style,
		     struct read_time *out);
/* Newtonsoft's: "yyyy-MM-ddTHH:mm:ss[.f…][Z|±hh:mm]". False: it stays a text. */
bool time_read_iso(struct str s, int64_t *ticks, enum date_kind *kind);
enum span_result { SPAN_OK, SPAN_FORMAT, SPAN_OVERFLOW };
enum span_result span_read(struct str s, int64_t *ticks);

/* System.Globalization.DateTimeStyles */
enum { DATE_INNER_WHITE = 4, DATE_TO_UTC = 16, DATE_ASSUME_LOCAL = 32, DATE_ASSUME_UTC = 64, DATE_ROUNDTRIP = 128 };
/* Ticks and kind of what was read, by the styles. False: out of range. */
bool time_settle(const struct read_time *r, unsigned style, int64_t *ticks, enum date_kind *kind);

/* DateTime.Parse(s) as a value. False: threw. */
bool date_parse_value(struct vm_call *c, struct str s, struct value *out);
bool offset_parse_value(struct vm_call *c, struct str s, struct value *out);     /* DateTimeOffset.Parse */
