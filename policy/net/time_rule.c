/* time_rule.c - TimeZoneInfo's rules (AdjustmentRule, TransitionTime), zones of one's own, and TimeSpan.ParseExact.
 *
 * A zone here has the rule that holds now: changes of the past are in the tzdata behind it and count in every conversion,
 * but GetAdjustmentRules lists the present rule only. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/time.h"
#include "policy/net/zone.h"

/* ---- TransitionTime ------------------------------------------------------------------------------------------------------- */

struct transition {
	struct object head;
	int64_t time_of_day;         /* ticks */
	int month, week, day;
	int weekday;
	bool fixed;
};

static struct value_class class_transition, class_rule;
static const struct transition no_transition = { .head = { &class_transition } };

static struct transition *transition_of(struct value v)
{
	return (struct transition *)(void *)v.object;
}

static bool same_transition(struct value l, struct value r)
{
	const struct transition *a = transition_of(l), *b = transition_of(r);

	return a->time_of_day == b->time_of_day && a->month == b->month && a->fixed == b->fixed &&
	       (a->fixed ? a->day == b->day : a->week == b->week && a->weekday == b->weekday);
}

static uint64_t transition_hash(struct value v)
{
	return (uint64_t)(transition_of(v)->month ^ transition_of(v)->week << 8);
}

/* (timeOfDay, month, day) or (timeOfDay, month, week, weekday) */
static bool new_transition(struct vm_call *c)
{
	struct transition *t = vm_new(c, &class_transition, sizeof(*t));
	bool fixed = c->n == 3;

	if (!t)
		return false;
	t->time_of_day = value_date(c->args[0])->ticks;
	t->month = (int)arg_int(c, 1);
	t->fixed = fixed;
	t->day = fixed ? (int)arg_int(c, 2) : 1;
	t->week = fixed ? 1 : (int)arg_int(c, 2);
	t->weekday = fixed ? 0 : (int)arg_enum(c, 3);
	if (t->time_of_day >= TICKS_PER_DAY)
		return vm_throw(c, EX_ARGUMENT, "The supplied DateTime must have the Year, Month, and Day properties set to 1.  The time "
				"cannot be specified more precisely than whole milliseconds. (Parameter 'timeOfDay')");
	if (t->month < 1 || t->month > 12)
		return vm_throw_range(c, "month", "The Month parameter must be in the range 1 through 12.");
	if (fixed && (t->day < 1 || t->day > 31))
		return vm_throw_range(c, "day", "The Day parameter must be in the range 1 through 31.");
	if (!fixed && (t->week < 1 || t->week > 5))
		return vm_throw_range(c, "week", "The Week parameter must be in the range 1 through 5.");
	return vm_return(c, value_object(t));
}

static bool transition_time(struct vm_call *c)
{
	return give_made(c, date_time_value(c->arena, transition_of(c->self)->time_of_day, DATE_UNSPECIFIED));
}

#define NUMBER(name, field)                                              \
	static bool name(struct vm_call *c)                              \
	{                                                                \
		return give_int(c, transition_of(c->self)->field);       \
	}
NUMBER(transition_month, month)
NUMBER(transition_week, week)
NUMBER(transition_day, day)

static bool transition_weekday(struct vm_call *c)
{
	return vm_return(c, enum_of(c, &class_day_of_week, transition_of(c->self)->weekday));
}

static bool transition_fixed(struct vm_call *c)
{
	return give_bool(c, transition_of(c->self)->fixed);
}

static bool transition_equal(struct vm_call *c)
{
	return give_bool(c, same_transition(c->args[0], c->args[1]));
}

static bool transition_unequal(struct vm_call *c)
{
	return give_bool(c, !same_transition(c->args[0], c->args[1]));
}

static const struct class_member transition_members[] = {
	{ "static TransitionTime CreateFixedDateRule(DateTime timeOfDay, int month, int day)", new_transition },
	{ "static TransitionTime CreateFloatingDateRule(DateTime timeOfDay, int month, int week, DayOfWeek dayOfWeek)",
	  new_transition },
	{ "DateTime TimeOfDay { get; }", transition_time },
	{ "int Month { get; }", transition_month },
	{ "int Week { get; }", transition_week },
	{ "int Day { get; }", transition_day },
	{ "DayOfWeek DayOfWeek { get; }", transition_weekday },
	{ "bool IsFixedDateRule { get; }", transition_fixed },
	{ "static bool operator ==(TransitionTime t1, TransitionTime t2)", transition_equal },
	{ "static bool operator !=(TransitionTime t1, TransitionTime t2)", transition_unequal },
	{ 0 }
};
static struct value_class class_transition = {
	.name = "System.TimeZoneInfo.TransitionTime", .kind = CLASS_STRUCT, .members = transition_members,
	.equals = same_transition, .hash = transition_hash, .zero = &no_transition.head
};

/* ---- AdjustmentRule ------------------------------------------------------------------------------------------------------- */

struct rule {
	struct object head;
	int64_t start, end, delta;
	struct value from, to;       /* TransitionTimes: daylight time begins, ends */
};

static struct rule *rule_of(struct value v)
{
	return (struct rule *)(void *)v.object;
}

static bool same_rule(struct value l, struct value r)
{
	const struct rule *a = rule_of(l), *b = rule_of(r);

	return a->start == b->start && a->end == b->end && a->delta == b->delta && same_transition(a->from, b->from) &&
	       same_transition(a->to, b->to);
}

static uint64_t rule_hash(struct value v)
{
	return (uint64_t)rule_of(v)->start;
}

static bool new_rule(struct vm_call *c)
{
	struct rule *r = vm_new(c, &class_rule, sizeof(*r));

	if (!r)
		return false;
	r->start = value_date(c->args[0])->ticks;
	r->end = value_date(c->args[1])->ticks;
	r->delta = value_ticks(c->args[2]);
	r->from = c->args[3];
	r->to = c->args[4];
	if (r->start > r->end)
		return vm_throw(c, EX_ARGUMENT, "The DateStart property must come before the DateEnd property. (Parameter 'dateStart')");
	if (r->delta < -14 * TICKS_PER_HOUR || r->delta > 14 * TICKS_PER_HOUR)
		return vm_throw_range(c, "daylightDelta", "The TimeSpan parameter must be within plus or minus 14.0 hours.");
	return vm_return(c, value_object(r));
}

#define DATE(name, field)                                                                             \
	static bool name(struct vm_call *c)                                                           \
	{                                                                                             \
		return give_made(c, date_time_value(c->arena, rule_of(c->self)->field, DATE_UNSPECIFIED)); \
	}
DATE(rule_start, start)
DATE(rule_end, end)

static bool rule_delta(struct vm_call *c)
{
	return give_made(c, time_span_value(c->arena, rule_of(c->self)->delta));
}

static bool rule_from(struct vm_call *c)
{
	return vm_return(c, rule_of(c->self)->from);
}

static bool rule_to(struct vm_call *c)
{
	return vm_return(c, rule_of(c->self)->to);
}

static bool rule_equals(struct vm_call *c)
{
	return give_bool(c, value_is(c->args[0], &class_rule) && same_rule(c->self, c->args[0]));
}

static const struct class_member rule_members[] = {
	{ "static AdjustmentRule CreateAdjustmentRule(DateTime dateStart, DateTime dateEnd, TimeSpan daylightDelta, TransitionTime "
	  "daylightTransitionStart, TransitionTime daylightTransitionEnd)", new_rule },
	{ "DateTime DateStart { get; }", rule_start },
	{ "DateTime DateEnd { get; }", rule_end },
	{ "TimeSpan DaylightDelta { get; }", rule_delta },
	{ "TransitionTime DaylightTransitionStart { get; }", rule_from },
	{ "TransitionTime DaylightTransitionEnd { get; }", rule_to },
	{ "bool Equals(AdjustmentRule other)", rule_equals },
	{ 0 }
};
static struct value_class class_rule = {
	.name = "System.TimeZoneInfo.AdjustmentRule", .members = rule_members, .equals = same_rule, .hash = rule_hash
};

/* ---- TimeZoneInfo --------------------------------------------------------------------------------------------------------- */

static const struct zone *self_zone(const struct vm_call *c)
{
	return SELF(c, const struct zone_object)->zone;
}

static struct transition *transition_made(struct vm_call *c, const struct zone_rule *from)
{
	struct transition *t = vm_new(c, &class_transition, sizeof(*t));

	if (!t)
		return NULL;
	t->time_of_day = (from->second % 86400 + 86400) % 86400 * TICKS_PER_SECOND;
	t->month = from->month;
	t->week = from->week;
	t->weekday = from->day;
	t->day = 1;
	return t;
}

static bool adjustment_rules(struct vm_call *c)
{
	const struct zone *z = self_zone(c);
	bool has = z && z->has_rules;
	struct array *a = vm_array(c, has ? 1 : 0);
	struct rule *r;

	if (!a || !has)
		return a && vm_return(c, value_object(a));
	r = vm_new(c, &class_rule, sizeof(*r));
	if (!r)
		return false;
	r->start = 0;
	r->end = TICKS_MAX / TICKS_PER_DAY * TICKS_PER_DAY;
	r->delta = (z->daylight - z->standard) * TICKS_PER_SECOND;
	r->from = value_object(transition_made(c, &z->to_daylight));
	r->to = value_object(transition_made(c, &z->to_standard));
	a->v[0] = value_object(r);
	return !vm_failed(c->vm) && vm_return(c, value_object(a));
}

static bool ambiguous_offsets(struct vm_call *c)
{
	const struct zone *z = self_zone(c);
	bool gap = false, twice = false, daylight;
	int64_t local = (value_date(c->args[0])->ticks - TICKS_UNIX_EPOCH) / TICKS_PER_SECOND, utc = 0;
	int32_t standard;
	struct array *a;

	if (z)
		utc = zone_to_utc(z, local, &gap, &twice);
	if (!twice)
		return vm_throw(c, EX_ARGUMENT, "The supplied DateTime is not in an ambiguous time range. (Parameter 'dateTime')");
	standard = (int32_t)(local - utc);
	a = vm_array(c, 2);
	if (!a)
		return false;
	a->v[0] = time_span_value(c->arena, standard * TICKS_PER_SECOND);
	a->v[1] = time_span_value(c->arena, zone_offset(z, utc - 7200, &daylight) * TICKS_PER_SECOND);
	return vm_return(c, value_object(a));
}

static bool custom_zone(struct vm_call *c)
{
	struct zone_object *o = vm_new(c, &class_time_zone, sizeof(*o));
	struct zone *z = o ? vm_alloc(c, 1, sizeof(*z)) : NULL;
	int64_t offset = value_ticks(c->args[1]);

	if (!z)
		return false;
	if (arg_is_null(c, 0) || arg_str(c, 0).n == 0)
		return vm_throw(c, EX_ARGUMENT, "The specified ID parameter '' is not supported. (Parameter 'id')");
	if (offset % TICKS_PER_MINUTE)
		return vm_throw(c, EX_ARGUMENT, "The TimeSpan parameter cannot be specified more precisely than whole minutes. \"\n\t\t\t\t\"(Parameter 'baseUtcOffset')");
	if (offset < -14 * TICKS_PER_HOUR || offset > 14 * TICKS_PER_HOUR)
		return vm_throw_range(c, "baseUtcOffset", "The TimeSpan parameter must be within plus or minus 14.0 hours.");
	z->id = arg_str(c, 0);
	z->base = z->standard = z->first_offset = (int32_t)(offset / TICKS_PER_SECOND);
	o->zone = z;
	o->name = arg_str(c, 2);
	return vm_return(c, value_object(o));
}

static bool nothing_to_do(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static const struct class_member zone_members[] = {
	{ "AdjustmentRule[] GetAdjustmentRules()", adjustment_rules },
	{ "TimeSpan[] GetAmbiguousTimeOffsets(DateTime dateTime)", ambiguous_offsets },
	{ "static TimeZoneInfo CreateCustomTimeZone(string id, TimeSpan baseUtcOffset, string displayName, string "
	  "standardDisplayName)", custom_zone },
	{ "static void ClearCachedData()", nothing_to_do },
	{ 0 }
};

/* ---- TimeSpan.ParseExact -------------------------------------------------------------------------------------------------- */

struct span_reader {
	struct str text, format;
	size_t at;
	int64_t days, hours, minutes, seconds, fraction;
};

static bool digits(struct span_reader *r, size_t min, size_t max, int64_t *out)
{
	size_t n = 0;

	*out = 0;
	while (n < max && r->at < r->text.n && ascii_is_digit(r->text.p[r->at])) {
		*out = *out * 10 + (r->text.p[r->at++] - '0');
		n++;
	}
	return n >= min;
}

/* 1 to 7 digits behind the point, as ticks; exactly `places`, or with F at most that many. */
static bool fraction(struct span_reader *r, size_t places, bool optional)
{
	size_t before = r->at;

	if (places > 7 || !digits(r, optional ? 0 : places, places, &r->fraction))
		return false;
	for (size_t n = r->at - before; n < 7; n++)
		r->fraction *= 10;
	return true;
}

static bool specifier(struct span_reader *r, char ch, size_t n)
{
	switch (ch) {
	case 'd':
		return n <= 8 && digits(r, n, n == 1 ? 8 : n, &r->days);
	case 'h':
		return n <= 2 && digits(r, n, 2, &r->hours) && r->hours < 24;
	case 'm':
		return n <= 2 && digits(r, n, 2, &r->minutes) && r->minutes < 60;
	case 's':
		return n <= 2 && digits(r, n, 2, &r->seconds) && r->seconds < 60;
	case 'f':
	case 'F':
		return fraction(r, n, ch == 'F');
	default:
		return false;
	}
}

static bool literal(struct span_reader *r, char ch)
{
	return r->at < r->text.n && r->text.p[r->at++] == ch;
}

static bool custom_span(struct span_reader *r)
{
	struct str f = r->format;

	for (size_t i = 0; i < f.n;) {
		char ch = f.p[i];
		size_t n = 1;

		if (ch == '%' && i + 1 < f.n) {
			i++;
			continue;
		}
		if (ch == '\\' && i + 1 < f.n) {
			if (!literal(r, f.p[i + 1]))
				return false;
			i += 2;
			continue;
		}
		if (ch == '\'' || ch == '"') {
			for (i++; i < f.n && f.p[i] != ch; i++)
				if (!literal(r, f.p[i]))
					return false;
			i++;
			continue;
		}
		while (i + n < f.n && f.p[i + n] == ch)
			n++;
		if (!specifier(r, ch, n))
			return false;
		i += n;
	}
	return r->at == r->text.n;
}

static bool is_standard(struct str f)
{
	return f.n == 1 && memchr("ctTgG", f.p[0], 5);
}

static bool read_exact(struct str s, struct str format, bool negative, int64_t *ticks)
{
	struct span_reader r = { .text = s, .format = format };
	__int128 sum;

	if (is_standard(format))         /* what the standard formats print is read by Parse */
		return span_read(s, ticks) == SPAN_OK;
	if (!custom_span(&r))
		return false;
	sum = (__int128)r.days * TICKS_PER_DAY + r.hours * TICKS_PER_HOUR + r.minutes * TICKS_PER_MINUTE +
	      r.seconds * TICKS_PER_SECOND + r.fraction;
	if (sum > INT64_MAX)
		return false;
	*ticks = negative ? -(int64_t)sum : (int64_t)sum;
	return true;
}

/* The format, or one of a list of them. */
static bool try_formats(struct vm_call *c, bool negative, int64_t *ticks)
{
	const struct array *list = value_array(c->args[1]);

	if (!list)
		return !arg_is_null(c, 1) && read_exact(arg_str(c, 0), arg_str(c, 1), negative, ticks);
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].kind == VALUE_STRING && read_exact(arg_str(c, 0), text_str(list->v[i].text), negative, ticks))
			return true;
	return false;
}

/* (input, format, provider) or with TimeSpanStyles */
static bool parse_exact(struct vm_call *c)
{
	int64_t ticks;

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "input");
	if (arg_is_null(c, 1))
		return vm_throw_null(c, "format");
	if (!try_formats(c, c->n > 3 && arg_enum(c, 3) == 1, &ticks))
		return vm_throw(c, EX_FORMAT, "String '%.*s' was not recognized as a valid TimeSpan.", SHOWN(arg_str(c, 0)));
	return give_made(c, time_span_value(c->arena, ticks));
}

static bool try_parse_exact(struct vm_call *c)
{
	int64_t ticks = 0;
	bool ok = !arg_is_null(c, 0) && try_formats(c, c->n > 4 && arg_enum(c, 3) == 1, &ticks);

	c->args[c->n - 1] = time_span_value(c->arena, ok ? ticks : 0);
	return give_bool(c, ok);
}

#define EXACT(T, name, rest, fn) { "static " T " " name "(string input, string format, IFormatProvider formatProvider" rest ")", fn }, \
	{ "static " T " " name "(string input, string[] formats, IFormatProvider formatProvider" rest ")", fn }
static const struct class_member span_members[] = {
	EXACT("TimeSpan", "ParseExact", "", parse_exact),
	EXACT("TimeSpan", "ParseExact", ", TimeSpanStyles styles", parse_exact),
	EXACT("bool", "TryParseExact", ", out TimeSpan result", try_parse_exact),
	EXACT("bool", "TryParseExact", ", TimeSpanStyles styles, out TimeSpan result", try_parse_exact),
	{ 0 }
};
static const struct class_member span_styles[] = { { "None = 0" }, { "AssumeNegative = 1" }, { 0 } };
static struct value_class class_span_styles = {
	.name = "System.Globalization.TimeSpanStyles", .kind = CLASS_ENUM, .members = span_styles
};

/* ---- DateTimeOffset file times: ticks since 1601 ------------------------------------------------------------------------------- */

#define TICKS_FILE_EPOCH INT64_C(504911232000000000)

static bool to_file_time(struct vm_call *c)
{
	int64_t ticks = value_offset(c->self)->ticks - value_offset(c->self)->offset - TICKS_FILE_EPOCH;

	if (ticks < 0)
		return vm_throw_range(c, NULL, "Not a valid Win32 FileTime.");
	return vm_return(c, value_long(ticks));
}

static bool from_file_time(struct vm_call *c)
{
	int64_t ticks = arg_int(c, 0);

	if (ticks < 0 || ticks > TICKS_MAX - TICKS_FILE_EPOCH)
		return vm_throw_range(c, "fileTime", "Not a valid Win32 FileTime.");
	return give_made(c, date_offset_value(c->arena, ticks + TICKS_FILE_EPOCH, 0));
}

static const struct class_member offset_members[] = {
	{ "long ToFileTime()", to_file_time }, { "static DateTimeOffset FromFileTime(long fileTime)", from_file_time }, { 0 }
};

static const struct class_part parts[] = {
	{ &class_time_zone, zone_members }, { &class_time_span, span_members }, { &class_date_offset, offset_members }, { NULL, NULL },
};
static struct value_class *const classes[] = { &class_transition, &class_rule, &class_span_styles, NULL };

const struct class_module net_time_rule = { .classes = classes, .parts = parts };
