/* date_offset.c - System.DateTimeOffset: a clock's time and how far it stands from UTC. Two are equal when their moments are. */
#include <math.h>

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/time.h"
#include "policy/net/world.h"

#define UTC_RANGE "The UTC time represented when the offset is applied must be between year 0 and 10,000."

static const struct date_offset zero = { { &class_date_offset }, 0, 0 };

struct value date_offset_value(struct arena *a, int64_t ticks, int64_t offset)
{
	struct date_offset *d = arena_alloc_raw(a, sizeof(*d));

	if (!d)
		return VALUE_NULL_INIT;
	*d = (struct date_offset){ { &class_date_offset }, ticks, offset };
	return value_object(d);
}

struct value date_offset_of_us(struct arena *a, int64_t us)
{
	return date_offset_value(a, TICKS_UNIX_EPOCH + us * TICKS_PER_US, 0);
}

bool offset_value_format(struct out *o, struct value v, struct str format)
{
	const struct date_offset *d = value_offset(v);

	return time_format(o, (struct shown_time){ .ticks = d->ticks, .has_offset = true, .offset = d->offset }, format);
}

static struct str to_text(struct arena *a, struct value v)
{
	struct out o = out_in(a);

	offset_value_format(&o, v, STR(""));
	return out_str(&o);
}

static int64_t utc(struct value v)
{
	return value_offset(v)->ticks - value_offset(v)->offset;
}

static bool same(struct value l, struct value r)
{
	return utc(l) == utc(r);
}

static uint64_t hash(struct value v)
{
	return (uint64_t)(int64_t)((int32_t)utc(v) ^ (int32_t)(utc(v) >> 32));
}

static int compare(struct value l, struct value r)
{
	return utc(l) < utc(r) ? -1 : utc(l) > utc(r);
}

static bool give(struct vm_call *c, int64_t ticks, int64_t offset)
{
	return give_made(c, date_offset_value(c->arena, ticks, offset));
}

static bool give_checked(struct vm_call *c, int64_t ticks, int64_t offset)
{
	if (offset % TICKS_PER_MINUTE)
		return vm_throw(c, EX_ARGUMENT, "Offset must be specified in whole minutes. (Parameter 'offset')");
	if (offset < -14 * TICKS_PER_HOUR || offset > 14 * TICKS_PER_HOUR)
		return vm_throw_range(c, "offset", "Offset must be within plus or minus 14 hours.");
	if (ticks < 0 || ticks > TICKS_MAX || ticks - offset < 0 || ticks - offset > TICKS_MAX)
		return vm_throw_range(c, "offset", UTC_RANGE);
	return give(c, ticks, offset);
}

/* ---- making ------------------------------------------------------------------------------------------------------------------- */

static bool get_zero(struct vm_call *c)
{
	return vm_return(c, value_object(&zero));
}

static bool get_max(struct vm_call *c)
{
	return give(c, TICKS_MAX, 0);
}

static bool get_epoch(struct vm_call *c)
{
	return give(c, TICKS_UNIX_EPOCH, 0);
}

static bool get_now(struct vm_call *c)
{
	return give_made(c, date_offset_of_us(c->arena, world_now_us(c)));
}

static bool new_of_date(struct vm_call *c)
{
	const struct date_time *d = value_date(c->args[0]);
	int64_t offset = c->n > 1 ? value_ticks(c->args[1]) : 0;

	if (offset && d->kind == DATE_UTC)
		return vm_throw(c, EX_ARGUMENT, "The UTC Offset for Utc DateTime instances must be 0. (Parameter 'offset')");
	if (offset && d->kind == DATE_LOCAL)
		return vm_throw(c, EX_ARGUMENT, "The UTC Offset of the local dateTime parameter does not match the offset "
						"argument. (Parameter 'offset')");
	return give_checked(c, d->ticks, offset);
}

static bool new_of_ticks(struct vm_call *c)
{
	return give_checked(c, arg_int(c, 0), value_ticks(c->args[1]));
}

/* (year, month, day, hour, minute, second, [millisecond], offset) */
static bool new_of_fields(struct vm_call *c)
{
	struct civil v = { (int)arg_int(c, 0), (int)arg_int(c, 1), (int)arg_int(c, 2), (int)arg_int(c, 3), (int)arg_int(c, 4),
			   (int)arg_int(c, 5), 0 };
	int64_t ticks, ms = c->n > 7 ? arg_int(c, 6) : 0;

	if (ms < 0 || ms > 999)
		return vm_throw_range(c, "millisecond", "Valid values are between 0 and 999, inclusive.");
	v.fraction = (int)(ms * TICKS_PER_MS);
	if (!ticks_of_civil(&v, &ticks))
		return vm_throw(c, EX_ARGUMENT_RANGE, "Year, Month, and Day parameters describe an un-representable DateTime.");
	return give_checked(c, ticks, value_ticks(c->args[c->n - 1]));
}

static bool from_unix(struct vm_call *c, int64_t unit, int64_t min, int64_t max)
{
	int64_t n = arg_int(c, 0);

	if (n < min || n > max)
		return vm_throw_range(c, unit == TICKS_PER_SECOND ? "seconds" : "milliseconds",
				      arena_printf(c->arena, "Valid values are between %ld and %ld, inclusive.", min, max).p);
	return give(c, TICKS_UNIX_EPOCH + n * unit, 0);
}

static bool from_unix_seconds(struct vm_call *c)
{
	return from_unix(c, TICKS_PER_SECOND, -62135596800, 253402300799);
}

static bool from_unix_milliseconds(struct vm_call *c)
{
	return from_unix(c, TICKS_PER_MS, -62135596800000, 253402300799999);
}

static bool of_date(struct vm_call *c)
{
	return give(c, value_date(c->args[0])->ticks, 0);
}

/* ---- parts --------------------------------------------------------------------------------------------------------------------- */

static const struct date_offset *self_of(const struct vm_call *c)
{
	return value_offset(c->self);
}

#define PART(name, expression)                                      \
	static bool name(struct vm_call *c)                         \
	{                                                           \
		struct civil v = civil_of_ticks(self_of(c)->ticks); \
		return give_int(c, expression);                     \
	}
PART(get_year, v.year)
PART(get_month, v.month)
PART(get_day, v.day)
PART(get_hour, v.hour)
PART(get_minute, v.minute)
PART(get_second, v.second)
PART(get_millisecond, v.fraction / (int)TICKS_PER_MS)

static bool get_day_of_week(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_day_of_week, day_of_week(self_of(c)->ticks)));
}

static bool get_day_of_year(struct vm_call *c)
{
	struct civil v = civil_of_ticks(self_of(c)->ticks);
	int64_t first;

	v = (struct civil){ .year = v.year, .month = 1, .day = 1 };
	return ticks_of_civil(&v, &first) && give_int(c, (self_of(c)->ticks - first) / TICKS_PER_DAY + 1);
}

static bool get_ticks(struct vm_call *c)
{
	return vm_return(c, value_long(self_of(c)->ticks));
}

static bool get_utc_ticks(struct vm_call *c)
{
	return vm_return(c, value_long(utc(c->self)));
}

static bool get_offset(struct vm_call *c)
{
	return give_made(c, time_span_value(c->arena, self_of(c)->offset));
}

static bool get_time_of_day(struct vm_call *c)
{
	return give_made(c, time_span_value(c->arena, self_of(c)->ticks % TICKS_PER_DAY));
}

static bool get_date_time(struct vm_call *c)
{
	return give_made(c, date_time_value(c->arena, self_of(c)->ticks, DATE_UNSPECIFIED));
}

static bool get_utc_date_time(struct vm_call *c)
{
	return give_made(c, date_time_value(c->arena, utc(c->self), DATE_UTC));
}

static bool get_local_date_time(struct vm_call *c)
{
	return give_made(c, date_time_value(c->arena, utc(c->self), DATE_LOCAL));
}

static bool get_date(struct vm_call *c)
{
	return give_made(c, date_time_value(c->arena, self_of(c)->ticks / TICKS_PER_DAY * TICKS_PER_DAY, DATE_UNSPECIFIED));
}

/* .NET rounds Unix seconds down, before 1970 too. */
static int64_t floor_div(int64_t n, int64_t by)
{
	return n / by - (n % by < 0);
}

static bool to_unix_seconds(struct vm_call *c)
{
	return vm_return(c, value_long(floor_div(utc(c->self) - TICKS_UNIX_EPOCH, TICKS_PER_SECOND)));
}

static bool to_unix_milliseconds(struct vm_call *c)
{
	return vm_return(c, value_long(floor_div(utc(c->self) - TICKS_UNIX_EPOCH, TICKS_PER_MS)));
}

/* ---- arithmetic ----------------------------------------------------------------------------------------------------------------- */

static bool shifted(struct vm_call *c, struct value v, int64_t by)
{
	int64_t ticks;

	if (__builtin_add_overflow(value_offset(v)->ticks, by, &ticks) || ticks < 0 || ticks > TICKS_MAX)
		return vm_throw_range(c, "value", "The added or subtracted value results in an un-representable DateTime.");
	return give(c, ticks, value_offset(v)->offset);
}

static bool add_units(struct vm_call *c, double unit_ms)
{
	double ms = c->args[0].d * unit_ms + (c->args[0].d >= 0 ? 0.5 : -0.5);

	if (!(fabs(ms) < 315537897600000.0))
		return vm_throw_range(c, "value", "Value to add was out of range.");
	return shifted(c, c->self, (int64_t)ms * TICKS_PER_MS);
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
	return shifted(c, c->self, arg_int(c, 0));
}

static bool add_span(struct vm_call *c)
{
	return shifted(c, c->self, value_ticks(c->args[0]));
}

static bool months_later(struct vm_call *c, int64_t months)
{
	struct civil v = civil_of_ticks(self_of(c)->ticks);
	int64_t at = (int64_t)v.year * 12 + v.month - 1 + months, ticks;

	if (months < -120000 || months > 120000 || at < 12 || at >= 120000)
		return vm_throw_range(c, "months", "The added or subtracted value results in an un-representable DateTime.");
	v.year = (int)(at / 12);
	v.month = (int)(at % 12) + 1;
	if (v.day > days_in_month(v.year, v.month))
		v.day = days_in_month(v.year, v.month);
	return ticks_of_civil(&v, &ticks) && give(c, ticks, self_of(c)->offset);
}

static bool add_months(struct vm_call *c)
{
	return months_later(c, arg_int(c, 0));
}

static bool add_years(struct vm_call *c)
{
	return months_later(c, arg_int(c, 0) * 12);
}

static bool subtract_offset(struct vm_call *c)
{
	return give_made(c, time_span_value(c->arena, utc(c->self) - utc(c->args[0])));
}

static bool subtract_span(struct vm_call *c)
{
	return shifted(c, c->self, -value_ticks(c->args[0]));
}

static bool op_plus(struct vm_call *c)
{
	return shifted(c, c->args[0], value_ticks(c->args[1]));
}

static bool op_minus_span(struct vm_call *c)
{
	return shifted(c, c->args[0], -value_ticks(c->args[1]));
}

static bool op_minus(struct vm_call *c)
{
	return give_made(c, time_span_value(c->arena, utc(c->args[0]) - utc(c->args[1])));
}

#include "policy/net/ordered.inc"

static bool equals_exact(struct vm_call *c)
{
	return give_bool(c, self_of(c)->ticks == value_offset(c->args[0])->ticks &&
				    self_of(c)->offset == value_offset(c->args[0])->offset);
}

static bool to_offset(struct vm_call *c)
{
	return give_checked(c, utc(c->self) + value_ticks(c->args[0]), value_ticks(c->args[0]));
}

static bool to_utc(struct vm_call *c)
{
	return give(c, utc(c->self), 0);
}

/* ---- text ------------------------------------------------------------------------------------------------------------------------ */

static bool to_string(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (!vm_charge(c->vm, COST_FORMAT))
		return false;
	if (!offset_value_format(&o, c->self, c->n && c->args[0].kind == VALUE_STRING ? arg_str(c, 0) : STR("")))
		return vm_throw(c, EX_FORMAT, "Input string was not in a correct format.");
	return give_new(c, out_str(&o));
}

static bool settle(const struct read_time *r, unsigned style, int64_t *ticks, int64_t *offset)
{
	if (!ticks_of_civil(&r->civil, ticks))
		return false;
	*offset = r->has_zone ? r->offset : 0;
	if (style & DATE_TO_UTC) {
		*ticks -= *offset;
		*offset = 0;
	}
	return *ticks - *offset >= 0 && *ticks - *offset <= TICKS_MAX;
}

static bool read_args(struct vm_call *c, bool exact, int64_t *ticks, int64_t *offset)
{
	const struct array *formats = exact ? value_array(c->args[1]) : NULL;
	int64_t now = TICKS_UNIX_EPOCH + world_now_us(c) * TICKS_PER_US;
	unsigned style = 0;
	struct read_time r;

	for (size_t i = 1; i < c->n; i++)
		if (c->args[i].kind == VALUE_OBJECT && value_class_of(c->args[i])->kind == CLASS_ENUM)
			style = (unsigned)enum_value(c->args[i]);
	if (arg_is_null(c, 0) || !vm_charge(c->vm, COST_PARSE + arg_str(c, 0).n / 4))
		return false;
	if (!exact)
		return time_read(arg_str(c, 0), now, &r) && settle(&r, style, ticks, offset);
	for (size_t i = 0; i < (formats ? formats->n : 1); i++) {
		struct str format = formats ? value_str(array_get(formats, i)) : arg_str(c, 1);

		if (time_read_exact(arg_str(c, 0), format, true, now, style, &r))
			return settle(&r, style, ticks, offset);
	}
	return false;
}

static bool parse_any(struct vm_call *c, bool exact)
{
	int64_t ticks, offset;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "input");
	if (!read_args(c, exact, &ticks, &offset))
		return !vm_failed(c->vm) && vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid DateTime.",
							SHOWN(arg_str(c, 0)));
	return give(c, ticks, offset);
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
	int64_t ticks = 0, offset = 0;
	bool ok = read_args(c, exact, &ticks, &offset);

	if (vm_failed(c->vm))
		return false;
	c->args[c->n - 1] = date_offset_value(c->arena, ok ? ticks : 0, ok ? offset : 0);
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

bool offset_parse_value(struct vm_call *c, struct str s, struct value *out)
{
	struct read_time r;
	int64_t ticks, offset;

	if (!time_read(s, TICKS_UNIX_EPOCH + world_now_us(c) * TICKS_PER_US, &r) || !settle(&r, 0, &ticks, &offset))
		return vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid DateTime.", SHOWN(s));
	*out = date_offset_value(c->arena, ticks, offset);
	return out->kind != VALUE_NULL || vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static const struct class_member members[] = {
	{ "DateTimeOffset()", get_zero },
	{ "DateTimeOffset(DateTime dateTime)", new_of_date },
	{ "DateTimeOffset(DateTime dateTime, TimeSpan offset)", new_of_date },
	{ "DateTimeOffset(long ticks, TimeSpan offset)", new_of_ticks },
	{ "DateTimeOffset(int year, int month, int day, int hour, int minute, int second, TimeSpan offset)", new_of_fields },
	{ "DateTimeOffset(int year, int month, int day, int hour, int minute, int second, int millisecond, TimeSpan offset)",
	  new_of_fields },
	{ "static DateTimeOffset MinValue { get; }", get_zero },
	{ "static DateTimeOffset MaxValue { get; }", get_max },
	{ "static DateTimeOffset UnixEpoch { get; }", get_epoch },
	{ "static DateTimeOffset Now { get; }", get_now },
	{ "static DateTimeOffset UtcNow { get; }", get_now },
	{ "static DateTimeOffset FromUnixTimeSeconds(long seconds)", from_unix_seconds },
	{ "static DateTimeOffset FromUnixTimeMilliseconds(long milliseconds)", from_unix_milliseconds },
	{ "static implicit operator DateTimeOffset(DateTime dateTime)", of_date },
	{ "int Year { get; }", get_year },
	{ "int Month { get; }", get_month },
	{ "int Day { get; }", get_day },
	{ "int Hour { get; }", get_hour },
	{ "int Minute { get; }", get_minute },
	{ "int Second { get; }", get_second },
	{ "int Millisecond { get; }", get_millisecond },
	{ "int DayOfYear { get; }", get_day_of_year },
	{ "DayOfWeek DayOfWeek { get; }", get_day_of_week },
	{ "long Ticks { get; }", get_ticks },
	{ "long UtcTicks { get; }", get_utc_ticks },
	{ "TimeSpan Offset { get; }", get_offset },
	{ "TimeSpan TimeOfDay { get; }", get_time_of_day },
	{ "DateTime DateTime { get; }", get_date_time },
	{ "DateTime UtcDateTime { get; }", get_utc_date_time },
	{ "DateTime LocalDateTime { get; }", get_local_date_time },
	{ "DateTime Date { get; }", get_date },
	{ "long ToUnixTimeSeconds()", to_unix_seconds },
	{ "long ToUnixTimeMilliseconds()", to_unix_milliseconds },
	{ "DateTimeOffset Add(TimeSpan timeSpan)", add_span },
	{ "DateTimeOffset AddDays(double days)", add_days },
	{ "DateTimeOffset AddHours(double hours)", add_hours },
	{ "DateTimeOffset AddMinutes(double minutes)", add_minutes },
	{ "DateTimeOffset AddSeconds(double seconds)", add_seconds },
	{ "DateTimeOffset AddMilliseconds(double milliseconds)", add_milliseconds },
	{ "DateTimeOffset AddTicks(long ticks)", add_ticks },
	{ "DateTimeOffset AddMonths(int months)", add_months },
	{ "DateTimeOffset AddYears(int years)", add_years },
	{ "TimeSpan Subtract(DateTimeOffset value)", subtract_offset },
	{ "DateTimeOffset Subtract(TimeSpan value)", subtract_span },
	{ "static DateTimeOffset operator +(DateTimeOffset d, TimeSpan t)", op_plus },
	{ "static DateTimeOffset operator -(DateTimeOffset d, TimeSpan t)", op_minus_span },
	{ "static TimeSpan operator -(DateTimeOffset l, DateTimeOffset r)", op_minus },
	{ "static bool operator ==(DateTimeOffset l, DateTimeOffset r)", op_equal },
	{ "static bool operator !=(DateTimeOffset l, DateTimeOffset r)", op_unequal },
	{ "static bool operator <(DateTimeOffset l, DateTimeOffset r)", op_less },
	{ "static bool operator >(DateTimeOffset l, DateTimeOffset r)", op_greater },
	{ "static bool operator <=(DateTimeOffset l, DateTimeOffset r)", op_less_equal },
	{ "static bool operator >=(DateTimeOffset l, DateTimeOffset r)", op_greater_equal },
	{ "static int Compare(DateTimeOffset first, DateTimeOffset second)", static_compare },
	{ "static bool Equals(DateTimeOffset first, DateTimeOffset second)", op_equal },
	{ "int CompareTo(DateTimeOffset other)", compare_to },
	{ "bool Equals(DateTimeOffset other)", equals },
	{ "bool EqualsExact(DateTimeOffset other)", equals_exact },
	{ "DateTimeOffset ToOffset(TimeSpan offset)", to_offset },
	{ "DateTimeOffset ToUniversalTime()", to_utc },
	{ "DateTimeOffset ToLocalTime()", to_utc },
	{ "string ToString()", to_string },
	{ "string ToString(string format)", to_string },
	{ "string ToString(IFormatProvider provider)", to_string },
	{ "string ToString(string format, IFormatProvider provider)", to_string },
	{ "static DateTimeOffset Parse(string input)", parse },
	{ "static DateTimeOffset Parse(string input, IFormatProvider provider)", parse },
	{ "static DateTimeOffset Parse(string input, IFormatProvider provider, DateTimeStyles styles)", parse },
	{ "static DateTimeOffset ParseExact(string input, string format, IFormatProvider provider)", parse_exact },
	{ "static DateTimeOffset ParseExact(string input, string format, IFormatProvider provider, DateTimeStyles styles)",
	  parse_exact },
	{ "static bool TryParse(string input, out DateTimeOffset result)", try_parse },
	{ "static bool TryParse(string input, IFormatProvider provider, DateTimeStyles styles, out DateTimeOffset result)",
	  try_parse },
	{ "static bool TryParseExact(string input, string format, IFormatProvider provider, DateTimeStyles styles, out "
	  "DateTimeOffset result)",
	  try_parse_exact },
	{ 0 }
};

struct value_class class_date_offset = {
	.name = "System.DateTimeOffset", .kind = CLASS_STRUCT, .members = members, .equals = same, .hash = hash,
	.compare = compare, .to_text = to_text, .zero = &zero.head
};
static struct value_class *const classes[] = { &class_date_offset, NULL };

const struct class_module net_date_offset = { .classes = classes };
