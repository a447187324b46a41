/* date_time.c - System.DateTime, DateTimeKind, DayOfWeek. */
#include <math.h>

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/time.h"
#include "policy/net/world.h"

#define UNREPRESENTABLE "Year, Month, and Day parameters describe an un-representable DateTime."
#define RESULT_RANGE "The added or subtracted value results in an un-representable DateTime."

static const struct date_time zero = { { &class_date_time }, 0, DATE_UNSPECIFIED };

struct value date_time_value(struct arena *a, int64_t ticks, enum date_kind kind)
{
	struct date_time *d = arena_alloc_raw(a, sizeof(*d));

	if (!d)
		return VALUE_NULL_INIT;
	*d = (struct date_time){ { &class_date_time }, ticks, kind };
	return value_object(d);
}

struct value date_time_of_us(struct arena *a, int64_t us)
{
	return date_time_value(a, TICKS_UNIX_EPOCH + us * TICKS_PER_US, DATE_UTC);
}

bool date_value_format(struct out *o, struct value v, struct str format)
{
	return time_format(o, (struct shown_time){ .ticks = value_date(v)->ticks, .kind = value_date(v)->kind }, format);
}

static struct str to_text(struct arena *a, struct value v)
{
	struct out o = out_in(a);

	date_value_format(&o, v, STR(""));
	return out_str(&o);
}

static bool same(struct value l, struct value r)
{
	return value_date(l)->ticks == value_date(r)->ticks;
}

static uint64_t hash(struct value v)
{
	int64_t ticks = value_date(v)->ticks;

	return (uint64_t)(int64_t)((int32_t)ticks ^ (int32_t)(ticks >> 32));
}

static int compare(struct value l, struct value r)
{
	int64_t a = value_date(l)->ticks, b = value_date(r)->ticks;

	return a < b ? -1 : a > b;
}

/* ---- making ------------------------------------------------------------------------------------------------------------------ */

static bool give(struct vm_call *c, int64_t ticks, enum date_kind kind)
{
	return give_made(c, date_time_value(c->arena, ticks, kind));
}

static int64_t now_ticks(struct vm_call *c)
{
	return TICKS_UNIX_EPOCH + world_now_us(c) * TICKS_PER_US;
}

static bool new_of_ticks(struct vm_call *c)
{
	int64_t ticks = arg_int(c, 0);

	if (ticks < 0 || ticks > TICKS_MAX)
		return vm_throw_range(c, "ticks", "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.");
	return give(c, ticks, c->n > 1 ? (enum date_kind)arg_enum(c, 1) : DATE_UNSPECIFIED);
}

/* (year, month, day, [hour, minute, second, [millisecond]], [kind]) */
static bool new_of_fields(struct vm_call *c)
{
	struct civil v = { 0 };
	enum date_kind kind = DATE_UNSPECIFIED;
	int64_t fields[7] = { 0 }, ticks;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->args[i].kind == VALUE_INT && n < 7)
			fields[n++] = c->args[i].i;
		else if (value_is(c->args[i], &class_date_kind))
			kind = (enum date_kind)enum_value(c->args[i]);
	}
	v = (struct civil){ (int)fields[0], (int)fields[1], (int)fields[2], (int)fields[3], (int)fields[4], (int)fields[5], 0 };
	if (fields[6] < 0 || fields[6] > 999)
		return vm_throw_range(c, "millisecond", "Valid values are between 0 and 999, inclusive.");
	v.fraction = (int)(fields[6] * TICKS_PER_MS);
	if (!ticks_of_civil(&v, &ticks))
		return vm_throw(c, EX_ARGUMENT_RANGE, n > 3 ? "Hour, Minute, and Second parameters describe an un-representable "
							      "DateTime." : UNREPRESENTABLE);
	return give(c, ticks, kind);
}

static bool get_zero(struct vm_call *c)
{
	return vm_return(c, value_object(&zero));
}

static bool get_max(struct vm_call *c)
{
	return give(c, TICKS_MAX, DATE_UNSPECIFIED);
}

static bool get_now(struct vm_call *c)
{
	return give(c, now_ticks(c), DATE_LOCAL);
}

static bool get_utc_now(struct vm_call *c)
{
	return give(c, now_ticks(c), DATE_UTC);
}

static bool get_today(struct vm_call *c)
{
	return give(c, now_ticks(c) / TICKS_PER_DAY * TICKS_PER_DAY, DATE_LOCAL);
}

static bool get_epoch(struct vm_call *c)
{
	return give(c, TICKS_UNIX_EPOCH, DATE_UTC);
}

/* ---- parts ------------------------------------------------------------------------------------------------------------------- */

static const struct date_time *self_of(const struct vm_call *c)
{
	return value_date(c->self);
}

#define PART(name, expression)                                     \
	static bool name(struct vm_call *c)                        \
	{                                                          \
		struct civil v = civil_of_ticks(self_of(c)->ticks); \
		return give_int(c, expression);                    \
	}
PART(get_year, v.year)
PART(get_month, v.month)
PART(get_day, v.day)
PART(get_hour, v.hour)
PART(get_minute, v.minute)
PART(get_second, v.second)
PART(get_millisecond, v.fraction / (int)TICKS_PER_MS)

static bool get_ticks(struct vm_call *c)
{
	return vm_return(c, value_long(self_of(c)->ticks));
}

static bool get_day_of_year(struct vm_call *c)
{
	struct civil v = civil_of_ticks(self_of(c)->ticks);
	int64_t first;

	v = (struct civil){ .year = v.year, .month = 1, .day = 1 };
	return ticks_of_civil(&v, &first) && give_int(c, (self_of(c)->ticks - first) / TICKS_PER_DAY + 1);
}

static bool get_day_of_week(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_day_of_week, day_of_week(self_of(c)->ticks)));
}

static bool get_kind(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_date_kind, self_of(c)->kind));
}

static bool get_date(struct vm_call *c)
{
	return give(c, self_of(c)->ticks / TICKS_PER_DAY * TICKS_PER_DAY, self_of(c)->kind);
}

static bool get_time_of_day(struct vm_call *c)
{
	return give_made(c, time_span_value(c->arena, self_of(c)->ticks % TICKS_PER_DAY));
}

/* ---- arithmetic -------------------------------------------------------------------------------------------------------------- */

static bool shifted(struct vm_call *c, const struct date_time *d, int64_t by)
{
	int64_t ticks;

	if (__builtin_add_overflow(d->ticks, by, &ticks) || ticks < 0 || ticks > TICKS_MAX)
		return vm_throw_range(c, c->n ? "value" : "t", RESULT_RANGE);
	return give(c, ticks, d->kind);
}

/* .NET rounds to whole milliseconds when it adds a fraction. */
static bool add_units(struct vm_call *c, double unit_ms)
{
	double ms = c->args[0].d * unit_ms + (c->args[0].d >= 0 ? 0.5 : -0.5);

	if (!(fabs(ms) < 315537897600000.0))
		return vm_throw_range(c, "value", "Value to add was out of range.");
	return shifted(c, self_of(c), (int64_t)ms * TICKS_PER_MS);
}

static bool add_days(struct vm_call *c)
{
	return add_units(c, 86400000.0);
}

static bool add_hours(struct vm_call *c)
{
	return add_units(c, 3600000.0);
}

static bool add_minutes(struct vm_call *c)
{
	return add_units(c, 60000.0);
}

static bool add_seconds(struct vm_call *c)
{
	return add_units(c, 1000.0);
}

static bool add_milliseconds(struct vm_call *c)
{
	return add_units(c, 1.0);
}

static bool add_ticks(struct vm_call *c)
{
	return shifted(c, self_of(c), arg_int(c, 0));
}

static bool add_span(struct vm_call *c)
{
	return shifted(c, self_of(c), value_ticks(c->args[0]));
}

static bool months_later(struct vm_call *c, int64_t months)
{
	struct civil v = civil_of_ticks(self_of(c)->ticks);
	int64_t at = (int64_t)v.year * 12 + v.month - 1 + months, ticks;

	if (months < -120000 || months > 120000)
		return vm_throw_range(c, "months", "Months value must be between +/-120000.");
	if (at < 12 || at >= 120000)
		return vm_throw_range(c, "months", RESULT_RANGE);
	v.year = (int)(at / 12);
	v.month = (int)(at % 12) + 1;
	if (v.day > days_in_month(v.year, v.month))
		v.day = days_in_month(v.year, v.month);
	return ticks_of_civil(&v, &ticks) && give(c, ticks, self_of(c)->kind);
}

static bool add_months(struct vm_call *c)
{
	return months_later(c, arg_int(c, 0));
}

static bool add_years(struct vm_call *c)
{
	if (arg_int(c, 0) < -10000 || arg_int(c, 0) > 10000)
		return vm_throw_range(c, "years", "Years value must be between +/-10000.");
	return months_later(c, arg_int(c, 0) * 12);
}

static bool difference(struct vm_call *c, struct value l, struct value r)
{
	return give_made(c, time_span_value(c->arena, value_date(l)->ticks - value_date(r)->ticks));
}

static bool subtract_date(struct vm_call *c)
{
	return difference(c, c->self, c->args[0]);
}

static bool subtract_span(struct vm_call *c)
{
	return shifted(c, self_of(c), -value_ticks(c->args[0]));
}

static bool op_plus(struct vm_call *c)
{
	return shifted(c, value_date(c->args[0]), value_ticks(c->args[1]));
}

static bool op_minus_span(struct vm_call *c)
{
	return shifted(c, value_date(c->args[0]), -value_ticks(c->args[1]));
}

static bool op_minus(struct vm_call *c)
{
	return difference(c, c->args[0], c->args[1]);
}

#include "policy/net/ordered.inc"

/* ---- zones and text ---------------------------------------------------------------------------------------------------------- */

static bool to_utc(struct vm_call *c)
{
	return give(c, self_of(c)->ticks, DATE_UTC);
}

static bool to_local(struct vm_call *c)
{
	return give(c, self_of(c)->ticks, DATE_LOCAL);
}

static bool specify_kind(struct vm_call *c)
{
	return give(c, value_date(c->args[0])->ticks, (enum date_kind)arg_enum(c, 1));
}

static bool no_daylight_saving(struct vm_call *c)
{
	return give_bool(c, false);
}

static bool is_leap(struct vm_call *c)
{
	if (arg_int(c, 0) < 1 || arg_int(c, 0) > 9999)
		return vm_throw_range(c, "year", "Year must be between 1 and 9999.");
	return give_bool(c, year_is_leap((int)arg_int(c, 0)));
}

static bool month_length(struct vm_call *c)
{
	if (arg_int(c, 1) < 1 || arg_int(c, 1) > 12)
		return vm_throw_range(c, "month", "Month must be between one and twelve.");
	if (arg_int(c, 0) < 1 || arg_int(c, 0) > 9999)
		return vm_throw_range(c, "year", "Year must be between 1 and 9999.");
	return give_int(c, days_in_month((int)arg_int(c, 0), (int)arg_int(c, 1)));
}

static bool to_string_as(struct vm_call *c, struct str format)
{
	struct out o = out_in(c->arena);

	if (!vm_charge(c->vm, COST_FORMAT))
		return false;
	if (!date_value_format(&o, c->self, format))
		return vm_throw(c, EX_FORMAT, "Input string was not in a correct format.");
	return give_new(c, out_str(&o));
}

static bool to_string(struct vm_call *c)
{
	return to_string_as(c, c->n && c->args[0].kind == VALUE_STRING ? arg_str(c, 0) : STR(""));
}

#define NAMED_FORM(name, letter)                    \
	static bool name(struct vm_call *c)         \
	{                                           \
		return to_string_as(c, STR(letter)); \
	}
NAMED_FORM(long_date, "D")
NAMED_FORM(short_date, "d")
NAMED_FORM(long_time, "T")
NAMED_FORM(short_time, "t")

static bool unix_file_time(struct vm_call *c)
{
	return vm_return(c, value_long(self_of(c)->ticks - INT64_C(504911232000000000)));
}

/* ---- reading ----------------------------------------------------------------------------------------------------------------- */

/* What a member was given: text, formats (one or an array, or none) and style, by the kinds of the arguments. */
static bool read_args(struct vm_call *c, bool exact, int64_t *ticks, enum date_kind *kind)
{
	unsigned style = 0;
	struct read_time r;
	const struct array *formats = exact ? value_array(c->args[1]) : NULL;
	int64_t now = now_ticks(c);

	for (size_t i = 1; i < c->n; i++)
		if (c->args[i].kind == VALUE_OBJECT && value_class_of(c->args[i])->kind == CLASS_ENUM)
			style = (unsigned)enum_value(c->args[i]);
	if (arg_is_null(c, 0) || !vm_charge(c->vm, COST_PARSE + arg_str(c, 0).n / 4))
		return false;
	if (!exact)
		return time_read(arg_str(c, 0), now, &r) && time_settle(&r, style, ticks, kind);
	for (size_t i = 0; i < (formats ? formats->n : 1); i++) {
		struct str format = formats ? value_str(array_get(formats, i)) : arg_str(c, 1);

		if (time_read_exact(arg_str(c, 0), format, false, now, style, &r))
			return time_settle(&r, style, ticks, kind);
	}
	return false;
}

static bool parse_any(struct vm_call *c, bool exact)
{
	enum date_kind kind;
	int64_t ticks;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "s");
	if (!read_args(c, exact, &ticks, &kind))
		return !vm_failed(c->vm) && vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid DateTime.",
							SHOWN(arg_str(c, 0)));
	return give(c, ticks, kind);
}

static bool parse(struct vm_call *c)
{
	return parse_any(c, false);
}

static bool parse_exact(struct vm_call *c)
{
	return parse_any(c, true);
}

static bool try_any(struct vm_call *c, bool exact)
{
	enum date_kind kind = DATE_UNSPECIFIED;
	int64_t ticks = 0;
	bool ok = read_args(c, exact, &ticks, &kind);

	if (vm_failed(c->vm))
		return false;
	c->args[c->n - 1] = date_time_value(c->arena, ok ? ticks : 0, ok ? kind : DATE_UNSPECIFIED);
	return give_bool(c, ok);
}

static bool try_parse(struct vm_call *c)
{
	return try_any(c, false);
}

static bool try_parse_exact(struct vm_call *c)
{
	return try_any(c, true);
}

bool date_parse_value(struct vm_call *c, struct str s, struct value *out)
{
	struct read_time r;
	enum date_kind kind;
	int64_t ticks;

	if (!time_read(s, now_ticks(c), &r) || !time_settle(&r, 0, &ticks, &kind))
		return vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid DateTime.", SHOWN(s));
	*out = date_time_value(c->arena, ticks, kind);
	return out->kind != VALUE_NULL || vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static const struct class_member members[] = {
	{ "DateTime()", get_zero },
	{ "DateTime(long ticks)", new_of_ticks },
	{ "DateTime(long ticks, DateTimeKind kind)", new_of_ticks },
	{ "DateTime(int year, int month, int day)", new_of_fields },
	{ "DateTime(int year, int month, int day, int hour, int minute, int second)", new_of_fields },
	{ "DateTime(int year, int month, int day, int hour, int minute, int second, DateTimeKind kind)", new_of_fields },
	{ "DateTime(int year, int month, int day, int hour, int minute, int second, int millisecond)", new_of_fields },
	{ "DateTime(int year, int month, int day, int hour, int minute, int second, int millisecond, DateTimeKind kind)",
	  new_of_fields },
	{ "static DateTime MinValue { get; }", get_zero },
	{ "static DateTime MaxValue { get; }", get_max },
	{ "static DateTime UnixEpoch { get; }", get_epoch },
	{ "static DateTime Now { get; }", get_now },
	{ "static DateTime UtcNow { get; }", get_utc_now },
	{ "static DateTime Today { get; }", get_today },
	{ "int Year { get; }", get_year },
	{ "int Month { get; }", get_month },
	{ "int Day { get; }", get_day },
	{ "int Hour { get; }", get_hour },
	{ "int Minute { get; }", get_minute },
	{ "int Second { get; }", get_second },
	{ "int Millisecond { get; }", get_millisecond },
	{ "long Ticks { get; }", get_ticks },
	{ "int DayOfYear { get; }", get_day_of_year },
	{ "DayOfWeek DayOfWeek { get; }", get_day_of_week },
	{ "DateTimeKind Kind { get; }", get_kind },
	{ "DateTime Date { get; }", get_date },
	{ "TimeSpan TimeOfDay { get; }", get_time_of_day },
	{ "DateTime Add(TimeSpan value)", add_span },
	{ "DateTime AddDays(double value)", add_days },
	{ "DateTime AddHours(double value)", add_hours },
	{ "DateTime AddMinutes(double value)", add_minutes },
	{ "DateTime AddSeconds(double value)", add_seconds },
	{ "DateTime AddMilliseconds(double value)", add_milliseconds },
	{ "DateTime AddTicks(long value)", add_ticks },
	{ "DateTime AddMonths(int months)", add_months },
	{ "DateTime AddYears(int value)", add_years },
	{ "TimeSpan Subtract(DateTime value)", subtract_date },
	{ "DateTime Subtract(TimeSpan value)", subtract_span },
	{ "static DateTime operator +(DateTime d, TimeSpan t)", op_plus },
	{ "static DateTime operator -(DateTime d, TimeSpan t)", op_minus_span },
	{ "static TimeSpan operator -(DateTime d1, DateTime d2)", op_minus },
	{ "static bool operator ==(DateTime d1, DateTime d2)", op_equal },
	{ "static bool operator !=(DateTime d1, DateTime d2)", op_unequal },
	{ "static bool operator <(DateTime t1, DateTime t2)", op_less },
	{ "static bool operator >(DateTime t1, DateTime t2)", op_greater },
	{ "static bool operator <=(DateTime t1, DateTime t2)", op_less_equal },
	{ "static bool operator >=(DateTime t1, DateTime t2)", op_greater_equal },
	{ "static int Compare(DateTime t1, DateTime t2)", static_compare },
	{ "static bool Equals(DateTime t1, DateTime t2)", op_equal },
	{ "int CompareTo(DateTime value)", compare_to },
	{ "bool Equals(DateTime value)", equals },
	{ "DateTime ToUniversalTime()", to_utc },
	{ "DateTime ToLocalTime()", to_local },
	{ "static DateTime SpecifyKind(DateTime value, DateTimeKind kind)", specify_kind },
	{ "bool IsDaylightSavingTime()", no_daylight_saving },
	{ "static bool IsLeapYear(int year)", is_leap },
	{ "static int DaysInMonth(int year, int month)", month_length },
	{ "long ToFileTimeUtc()", unix_file_time },
	{ "string ToString()", to_string },
	{ "string ToString(string format)", to_string },
	{ "string ToString(IFormatProvider provider)", to_string },
	{ "string ToString(string format, IFormatProvider provider)", to_string },
	{ "string ToLongDateString()", long_date },
	{ "string ToShortDateString()", short_date },
	{ "string ToLongTimeString()", long_time },
	{ "string ToShortTimeString()", short_time },
	{ "static DateTime Parse(string s)", parse },
	{ "static DateTime Parse(string s, IFormatProvider provider)", parse },
	{ "static DateTime Parse(string s, IFormatProvider provider, DateTimeStyles styles)", parse },
	{ "static DateTime ParseExact(string s, string format, IFormatProvider provider)", parse_exact },
	{ "static DateTime ParseExact(string s, string format, IFormatProvider provider, DateTimeStyles style)", parse_exact },
	{ "static DateTime ParseExact(string s, string[] formats, IFormatProvider provider, DateTimeStyles style)", parse_exact },
	{ "static bool TryParse(string s, out DateTime result)", try_parse },
	{ "static bool TryParse(string s, IFormatProvider provider, DateTimeStyles styles, out DateTime result)", try_parse },
	{ "static bool TryParseExact(string s, string format, IFormatProvider provider, DateTimeStyles style, out DateTime result)",
	  try_parse_exact },
	{ "static bool TryParseExact(string s, string[] formats, IFormatProvider provider, DateTimeStyles style, out DateTime "
	  "result)",
	  try_parse_exact },
	{ 0 }
};
static const struct class_member kinds[] = { { "Unspecified = 0" }, { "Utc = 1" }, { "Local = 2" }, { 0 } };
static const struct class_member days[] = {
	{ "Sunday = 0" }, { "Monday = 1" }, { "Tuesday = 2" }, { "Wednesday = 3" }, { "Thursday = 4" }, { "Friday = 5" },
	{ "Saturday = 6" },
	{ 0 }
};

struct value_class class_date_time = {
	.name = "System.DateTime", .kind = CLASS_STRUCT, .members = members, .equals = same, .hash = hash,
	.compare = compare, .to_text = to_text, .zero = &zero.head
};
struct value_class class_date_kind = { .name = "System.DateTimeKind", .kind = CLASS_ENUM, .members = kinds };
struct value_class class_day_of_week = { .name = "System.DayOfWeek", .kind = CLASS_ENUM, .members = days };
static struct value_class *const classes[] = { &class_date_time, &class_date_kind, &class_day_of_week, NULL };

const struct class_module net_date_time = { .classes = classes };
