/* time_span.c - System.TimeSpan. */
#include <math.h>

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/time.h"

#define TOO_LONG "TimeSpan overflowed because the duration is too long."

static const struct time_span zero = { { &class_time_span }, 0 };

struct value time_span_value(struct arena *a, int64_t ticks)
{
	struct time_span *t = arena_alloc_raw(a, sizeof(*t));

	if (!t)
		return VALUE_NULL_INIT;
	*t = (struct time_span){ { &class_time_span }, ticks };
	return value_object(t);
}

bool span_value_format(struct out *o, struct value v, struct str format)
{
	return span_format(o, value_ticks(v), format);
}

static struct str to_text(struct arena *a, struct value v)
{
	struct out o = out_in(a);

	span_format(&o, value_ticks(v), STR(""));
	return out_str(&o);
}

static bool same(struct value l, struct value r)
{
	return value_ticks(l) == value_ticks(r);
}

static uint64_t hash(struct value v)
{
	return (uint64_t)(int64_t)((int32_t)value_ticks(v) ^ (int32_t)(value_ticks(v) >> 32));
}

static int compare(struct value l, struct value r)
{
	return value_ticks(l) < value_ticks(r) ? -1 : value_ticks(l) > value_ticks(r);
}

static bool give(struct vm_call *c, int64_t ticks)
{
	return give_made(c, time_span_value(c->arena, ticks));
}

static bool give_wide(struct vm_call *c, __int128 ticks)
{
	if (ticks > INT64_MAX || ticks < INT64_MIN)
		return vm_throw(c, EX_OVERFLOW, TOO_LONG);
	return give(c, (int64_t)ticks);
}

static bool new_of_ticks(struct vm_call *c)
{
	return give(c, c->n ? arg_int(c, 0) : 0);
}

/* ([days,] hours, minutes, seconds, [milliseconds]) */
static bool new_of_fields(struct vm_call *c)
{
	size_t days = c->n > 3;
	__int128 ticks = 0;

	if (days)
		ticks += (__int128)arg_int(c, 0) * TICKS_PER_DAY;
	ticks += (__int128)arg_int(c, days) * TICKS_PER_HOUR + (__int128)arg_int(c, days + 1) * TICKS_PER_MINUTE +
		 (__int128)arg_int(c, days + 2) * TICKS_PER_SECOND;
	if (c->n > 4)
		ticks += (__int128)arg_int(c, 4) * TICKS_PER_MS;
	if (ticks > INT64_MAX || ticks < INT64_MIN)
		return vm_throw(c, EX_ARGUMENT_RANGE, TOO_LONG);
	return give(c, (int64_t)ticks);
}

/* .NET Framework rounds what these are given to whole milliseconds. */
static bool interval(struct vm_call *c, double unit_ms)
{
	double value = c->args[0].d, ms;

	if (isnan(value))
		return vm_throw(c, EX_ARGUMENT, "TimeSpan does not accept floating point Not-a-Number values.");
	ms = value * unit_ms + (value >= 0 ? 0.5 : -0.5);
	if (!(fabs(ms) <= 922337203685477.0))
		return vm_throw(c, EX_OVERFLOW, TOO_LONG);
	return give(c, (int64_t)ms * TICKS_PER_MS);
}

static bool from_days(struct vm_call *c)
{
	return interval(c, 86400000.0);
}

static bool from_hours(struct vm_call *c)
{
	return interval(c, 3600000.0);
}

static bool from_minutes(struct vm_call *c)
{
	return interval(c, 60000.0);
}

static bool from_seconds(struct vm_call *c)
{
	return interval(c, 1000.0);
}

static bool from_milliseconds(struct vm_call *c)
{
	return interval(c, 1.0);
}

static bool get_max(struct vm_call *c)
{
	return give(c, INT64_MAX);
}

static bool get_min(struct vm_call *c)
{
	return give(c, INT64_MIN);
}

#define UNIT(name, ticks)                                    \
	static bool name(struct vm_call *c)                  \
	{                                                    \
		return vm_return(c, value_long(ticks));      \
	}
UNIT(unit_day, TICKS_PER_DAY)
UNIT(unit_hour, TICKS_PER_HOUR)
UNIT(unit_minute, TICKS_PER_MINUTE)
UNIT(unit_second, TICKS_PER_SECOND)
UNIT(unit_millisecond, TICKS_PER_MS)

#define PART(name, unit, modulus)                                                          \
	static bool name(struct vm_call *c)                                                \
	{                                                                                  \
		return give_int(c, value_ticks(c->self) / (unit) % (modulus));             \
	}
PART(get_days, TICKS_PER_DAY, INT64_MAX)
PART(get_hours, TICKS_PER_HOUR, 24)
PART(get_minutes, TICKS_PER_MINUTE, 60)
PART(get_seconds, TICKS_PER_SECOND, 60)
PART(get_milliseconds, TICKS_PER_MS, 1000)

#define TOTAL(name, unit)                                                                     \
	static bool name(struct vm_call *c)                                                   \
	{                                                                                     \
		return vm_return(c, value_double((double)value_ticks(c->self) / (double)(unit))); \
	}
TOTAL(total_days, TICKS_PER_DAY)
TOTAL(total_hours, TICKS_PER_HOUR)
TOTAL(total_minutes, TICKS_PER_MINUTE)
TOTAL(total_seconds, TICKS_PER_SECOND)
TOTAL(total_milliseconds, TICKS_PER_MS)

static bool get_ticks(struct vm_call *c)
{
	return vm_return(c, value_long(value_ticks(c->self)));
}

static bool add(struct vm_call *c)
{
	return give_wide(c, (__int128)value_ticks(c->self) + value_ticks(c->args[0]));
}

static bool subtract(struct vm_call *c)
{
	return give_wide(c, (__int128)value_ticks(c->self) - value_ticks(c->args[0]));
}

static bool op_plus(struct vm_call *c)
{
	return give_wide(c, (__int128)value_ticks(c->args[0]) + value_ticks(c->args[1]));
}

static bool op_minus(struct vm_call *c)
{
	return give_wide(c, (__int128)value_ticks(c->args[0]) - value_ticks(c->args[1]));
}

static bool op_negate(struct vm_call *c)
{
	return give_wide(c, -(__int128)value_ticks(c->args[0]));
}

static bool negate(struct vm_call *c)
{
	return give_wide(c, -(__int128)value_ticks(c->self));
}

static bool duration(struct vm_call *c)
{
	__int128 t = value_ticks(c->self);

	return give_wide(c, t < 0 ? -t : t);
}

#include "policy/net/ordered.inc"

static bool to_string(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	if (!span_format(&o, value_ticks(c->self), c->n ? arg_str(c, 0) : STR("")))
		return vm_throw(c, EX_FORMAT, "Input string was not in a correct format.");
	return give_new(c, out_str(&o));
}

static bool parse(struct vm_call *c)
{
	int64_t ticks;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "s");
	switch (span_read(arg_str(c, 0), &ticks)) {
	case SPAN_OK:
		return give(c, ticks);
	case SPAN_OVERFLOW:
		return vm_throw(c, EX_OVERFLOW, "The TimeSpan could not be parsed because at least one of the numeric components is "
						"out of range or contains too many digits.");
	default:
		return vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid TimeSpan.", SHOWN(arg_str(c, 0)));
	}
}

static bool try_parse(struct vm_call *c)
{
	int64_t ticks = 0;
	bool ok = !arg_is_null(c, 0) && span_read(arg_str(c, 0), &ticks) == SPAN_OK;

	c->args[c->n - 1] = time_span_value(c->arena, ok ? ticks : 0);
	return give_bool(c, ok);
}

static const struct class_member members[] = {
	{ "TimeSpan()", new_of_ticks },
	{ "TimeSpan(long ticks)", new_of_ticks },
	{ "TimeSpan(int hours, int minutes, int seconds)", new_of_fields },
	{ "TimeSpan(int days, int hours, int minutes, int seconds)", new_of_fields },
	{ "TimeSpan(int days, int hours, int minutes, int seconds, int milliseconds)", new_of_fields },
	{ "static TimeSpan Zero { get; }", new_of_ticks },
	{ "static TimeSpan MaxValue { get; }", get_max },
	{ "static TimeSpan MinValue { get; }", get_min },
	{ "static long TicksPerDay { get; }", unit_day },
	{ "static long TicksPerHour { get; }", unit_hour },
	{ "static long TicksPerMinute { get; }", unit_minute },
	{ "static long TicksPerSecond { get; }", unit_second },
	{ "static long TicksPerMillisecond { get; }", unit_millisecond },
	{ "static TimeSpan FromDays(double value)", from_days },
	{ "static TimeSpan FromHours(double value)", from_hours },
	{ "static TimeSpan FromMinutes(double value)", from_minutes },
	{ "static TimeSpan FromSeconds(double value)", from_seconds },
	{ "static TimeSpan FromMilliseconds(double value)", from_milliseconds },
	{ "static TimeSpan FromTicks(long value)", new_of_ticks },
	{ "int Days { get; }", get_days },
	{ "int Hours { get; }", get_hours },
	{ "int Minutes { get; }", get_minutes },
	{ "int Seconds { get; }", get_seconds },
	{ "int Milliseconds { get; }", get_milliseconds },
	{ "long Ticks { get; }", get_ticks },
	{ "double TotalDays { get; }", total_days },
	{ "double TotalHours { get; }", total_hours },
	{ "double TotalMinutes { get; }", total_minutes },
	{ "double TotalSeconds { get; }", total_seconds },
	{ "double TotalMilliseconds { get; }", total_milliseconds },
	{ "TimeSpan Add(TimeSpan ts)", add },
	{ "TimeSpan Subtract(TimeSpan ts)", subtract },
	{ "TimeSpan Negate()", negate },
	{ "TimeSpan Duration()", duration },
	{ "static TimeSpan operator +(TimeSpan t1, TimeSpan t2)", op_plus },
	{ "static TimeSpan operator -(TimeSpan t1, TimeSpan t2)", op_minus },
	{ "static TimeSpan operator -(TimeSpan t)", op_negate },
	{ "static bool operator ==(TimeSpan t1, TimeSpan t2)", op_equal },
	{ "static bool operator !=(TimeSpan t1, TimeSpan t2)", op_unequal },
	{ "static bool operator <(TimeSpan t1, TimeSpan t2)", op_less },
	{ "static bool operator >(TimeSpan t1, TimeSpan t2)", op_greater },
	{ "static bool operator <=(TimeSpan t1, TimeSpan t2)", op_less_equal },
	{ "static bool operator >=(TimeSpan t1, TimeSpan t2)", op_greater_equal },
	{ "static int Compare(TimeSpan t1, TimeSpan t2)", static_compare },
	{ "static bool Equals(TimeSpan t1, TimeSpan t2)", op_equal },
	{ "int CompareTo(TimeSpan value)", compare_to },
	{ "bool Equals(TimeSpan obj)", equals },
	{ "string ToString()", to_string },
	{ "string ToString(string format)", to_string },
	{ "string ToString(string format, IFormatProvider provider)", to_string },
	{ "static TimeSpan Parse(string s)", parse },
	{ "static TimeSpan Parse(string s, IFormatProvider provider)", parse },
	{ "static bool TryParse(string s, out TimeSpan result)", try_parse },
	{ "static bool TryParse(string s, IFormatProvider provider, out TimeSpan result)", try_parse },
	{ 0 }
};

struct value_class class_time_span = {
	.name = "System.TimeSpan", .kind = CLASS_STRUCT, .members = members, .equals = same, .hash = hash,
	.compare = compare, .to_text = to_text, .zero = &zero.head
};
static struct value_class *const classes[] = { &class_time_span, NULL };

const struct class_module net_time_span = { .classes = classes };
