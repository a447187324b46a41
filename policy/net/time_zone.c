/* time_zone.c - System.TimeZoneInfo and System.TimeZone. The local zone is UTC, as on the reference system's hosts. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/time.h"
#include "policy/net/zone.h"

static const struct zone_object utc_zone = { .head = { &class_time_zone } };
static const struct zone_object local_zone = { .head = { &class_time_zone }, .local = true };

static const struct zone_object *self_of(const struct vm_call *c)
{
	return SELF(c, const struct zone_object);
}

static int64_t seconds_of(int64_t ticks)
{
	int64_t since = ticks - TICKS_UNIX_EPOCH;

	return since / TICKS_PER_SECOND - (since % TICKS_PER_SECOND < 0);
}

static int64_t offset_at(const struct zone_object *z, int64_t utc_ticks, bool *daylight)
{
	*daylight = false;
	return z->zone ? zone_offset(z->zone, seconds_of(utc_ticks), daylight) * TICKS_PER_SECOND : 0;
}

static bool invalid_time(struct vm_call *c)
{
	return vm_throw(c, EX_ARGUMENT,
			"The supplied DateTime represents an invalid time.  For example, when the clock is adjusted forward, any time "
			"in the period that is skipped is invalid. (Parameter 'dateTime')");
}

/* Ticks in UTC of a clock's time in the zone. */
static bool to_utc_ticks(struct vm_call *c, const struct zone_object *z, int64_t ticks, int64_t *utc)
{
	bool gap = false, twice;
	int64_t local = seconds_of(ticks);

	*utc = ticks;
	if (!z->zone)
		return true;
	*utc = ticks - (local - zone_to_utc(z->zone, local, &gap, &twice)) * TICKS_PER_SECOND;
	return !gap || invalid_time(c);
}

static bool give_time(struct vm_call *c, int64_t ticks, enum date_kind kind)
{
	if (ticks < 0)
		ticks = 0;
	return give_made(c, date_time_value(c->arena, ticks > TICKS_MAX ? TICKS_MAX : ticks, kind));
}

static bool need(struct vm_call *c, size_t i, const char *name)
{
	return !arg_is_null(c, i) || vm_throw_null(c, name);
}

/* ---- finding ------------------------------------------------------------------------------------------------------------------ */

static bool find(struct vm_call *c)
{
	struct str id = arg_str(c, 0);
	const struct zone *z;
	struct zone_object *o;

	if (!need(c, 0, "id"))
		return false;
	if (str_eq_ci(id, STR("UTC")))
		return vm_return(c, value_object(&utc_zone));
	z = zone_find(id);
	if (!z)
		return vm_throw(c, EX_TIME_ZONE, "The time zone ID '%.*s' was not found on the local computer.", STR_ARG(id));
	o = vm_new(c, &class_time_zone, sizeof(*o));
	if (!o)
		return false;
	o->zone = z;
	return vm_return(c, value_object(o));
}

static bool get_utc(struct vm_call *c)
{
	return vm_return(c, value_object(&utc_zone));
}

static bool get_local(struct vm_call *c)
{
	return vm_return(c, value_object(&local_zone));
}

static struct str id_of(const struct zone_object *z)
{
	return z->zone ? z->zone->id : STR("UTC");
}

static bool get_id(struct vm_call *c)
{
	return vm_return_str(c, id_of(self_of(c)));
}

static struct str display_name(struct arena *a, const struct zone_object *z)
{
	int32_t base = z->zone ? z->zone->base : 0, size = base < 0 ? -base : base;

	if (z->name.p)
		return z->name;
	if (base == 0)
		return arena_printf(a, "(UTC) %.*s", z->zone ? (int)z->zone->id.n : 26,
				    z->zone ? z->zone->id.p : "Coordinated Universal Time");
	return arena_printf(a, "(UTC%c%02d:%02d) %.*s", base < 0 ? '-' : '+', size / 3600, size / 60 % 60, STR_ARG(z->zone->id));
}

static bool get_display_name(struct vm_call *c)
{
	return give_new(c, display_name(c->arena, self_of(c)));
}

static struct str to_text(struct arena *a, struct value v)
{
	return display_name(a, (const struct zone_object *)(const void *)v.object);
}

static bool same(struct value l, struct value r)
{
	return str_eq(id_of((const struct zone_object *)(void *)l.object), id_of((const struct zone_object *)(void *)r.object));
}

static uint64_t hash(struct value v)
{
	return str_hash(id_of((const struct zone_object *)(void *)v.object));
}

static bool get_base_offset(struct vm_call *c)
{
	const struct zone *z = self_of(c)->zone;

	return give_made(c, time_span_value(c->arena, z ? z->base * TICKS_PER_SECOND : 0));
}

static bool get_supports(struct vm_call *c)
{
	return give_bool(c, self_of(c)->zone && self_of(c)->zone->knows_daylight);
}

/* ---- converting ------------------------------------------------------------------------------------------------------------------- */

/* UTC ticks of a DateTime or DateTimeOffset, seen from the zone where a DateTime does not say. */
static bool moment(struct vm_call *c, struct value v, const struct zone_object *z, int64_t *utc)
{
	if (value_is(v, &class_date_offset)) {
		*utc = value_offset(v)->ticks - value_offset(v)->offset;
		return true;
	}
	*utc = value_date(v)->ticks;
	return value_date(v)->kind != DATE_UNSPECIFIED || to_utc_ticks(c, z, *utc, utc);
}

static bool utc_offset(struct vm_call *c)
{
	bool daylight;
	int64_t utc;

	return moment(c, c->args[0], self_of(c), &utc) &&
	       give_made(c, time_span_value(c->arena, offset_at(self_of(c), utc, &daylight)));
}

static bool is_daylight(struct vm_call *c)
{
	bool daylight;
	int64_t utc;

	if (!moment(c, c->args[0], self_of(c), &utc))
		return false;
	offset_at(self_of(c), utc, &daylight);
	return give_bool(c, daylight);
}

static bool local_question(struct vm_call *c, bool ambiguous)
{
	bool gap = false, twice = false;

	if (self_of(c)->zone && value_date(c->args[0])->kind != DATE_UTC)
		zone_to_utc(self_of(c)->zone, seconds_of(value_date(c->args[0])->ticks), &gap, &twice);
	return give_bool(c, ambiguous ? twice : gap);
}

static bool is_ambiguous(struct vm_call *c)
{
	return local_question(c, true);
}

static bool is_invalid(struct vm_call *c)
{
	return local_question(c, false);
}

static bool give_in_zone(struct vm_call *c, const struct zone_object *z, int64_t utc)
{
	bool daylight;

	return give_time(c, utc + offset_at(z, utc, &daylight), z->zone ? DATE_UNSPECIFIED : z->local ? DATE_LOCAL : DATE_UTC);
}

static bool convert_from_utc(struct vm_call *c)
{
	if (!need(c, 1, "destinationTimeZone"))
		return false;
	if (value_date(c->args[0])->kind == DATE_LOCAL)
		return vm_throw(c, EX_ARGUMENT, "The conversion could not be completed because the supplied DateTime did not have the "
						"Kind property set correctly.  For example, when the Kind property is "
						"DateTimeKind.Local, the source time zone must be TimeZoneInfo.Local. (Parameter 'sourceTimeZone')");
	return give_in_zone(c, arg_object(c, 1), value_date(c->args[0])->ticks);
}

/* ConvertTimeToUtc(dateTime, [sourceTimeZone]) */
static bool convert_to_utc(struct vm_call *c)
{
	const struct date_time *d = value_date(c->args[0]);
	const struct zone_object *z = c->n > 1 ? arg_object(c, 1) : &local_zone;
	int64_t utc;

	if (!z)
		return vm_throw_null(c, "sourceTimeZone");
	if (d->kind != DATE_UNSPECIFIED && z->zone)
		return vm_throw(c, EX_ARGUMENT, "The conversion could not be completed because the supplied DateTime did not have the "
						"Kind property set correctly.  For example, when the Kind property is "
						"DateTimeKind.Local, the source time zone must be TimeZoneInfo.Local. (Parameter 'sourceTimeZone')");
	return to_utc_ticks(c, z, d->ticks, &utc) && give_time(c, utc, DATE_UTC);
}

/* ConvertTime(dateTime, destination), (dateTime, source, destination), (dateTimeOffset, destination) */
static bool convert(struct vm_call *c)
{
	const struct zone_object *from = c->n > 2 ? arg_object(c, 1) : &local_zone, *to = arg_object(c, c->n - 1);
	int64_t utc, offset;
	bool daylight;

	if (!from || !to)
		return vm_throw_null(c, from ? "destinationTimeZone" : "sourceTimeZone");
	if (!moment(c, c->args[0], from, &utc))
		return false;
	if (value_is(c->args[0], &class_date_offset)) {
		offset = offset_at(to, utc, &daylight);
		return give_made(c, date_offset_value(c->arena, utc + offset, offset));
	}
	if (c->n > 2 && value_date(c->args[0])->kind == DATE_UTC && from->zone)
		return vm_throw(c, EX_ARGUMENT, "The conversion could not be completed because the supplied DateTime did not have the "
						"Kind property set correctly. (Parameter 'sourceTimeZone')");
	return give_in_zone(c, to, utc);
}

/* ConvertTimeBySystemTimeZoneId(dateTime, id) */
static bool convert_by_id(struct vm_call *c)
{
	struct value time = c->args[0];
	int64_t utc, offset;
	bool daylight;
	const struct zone_object *to;

	c->args[0] = c->args[1];
	if (!find(c) || !moment(c, time, &local_zone, &utc))
		return false;
	to = (const struct zone_object *)(void *)c->result.object;
	if (!value_is(time, &class_date_offset))
		return give_in_zone(c, to, utc);
	offset = offset_at(to, utc, &daylight);
	return give_made(c, date_offset_value(c->arena, utc + offset, offset));
}

static bool has_same_rules(struct vm_call *c)
{
	const struct zone_object *other = arg_object(c, 0);

	return other ? give_bool(c, other->zone == self_of(c)->zone) : vm_throw_null(c, "other");
}

static bool equals(struct vm_call *c)
{
	return give_bool(c, value_is(c->args[0], &class_time_zone) && same(c->self, c->args[0]));
}

static const struct class_member members[] = {
	{ "static TimeZoneInfo Utc { get; }", get_utc },
	{ "static TimeZoneInfo Local { get; }", get_local },
	{ "static TimeZoneInfo FindSystemTimeZoneById(string id)", find },
	{ "static DateTime ConvertTime(DateTime dateTime, TimeZoneInfo destinationTimeZone)", convert },
	{ "static DateTime ConvertTime(DateTime dateTime, TimeZoneInfo sourceTimeZone, TimeZoneInfo destinationTimeZone)", convert },
	{ "static DateTimeOffset ConvertTime(DateTimeOffset dateTimeOffset, TimeZoneInfo destinationTimeZone)", convert },
	{ "static DateTime ConvertTimeFromUtc(DateTime dateTime, TimeZoneInfo destinationTimeZone)", convert_from_utc },
	{ "static DateTime ConvertTimeToUtc(DateTime dateTime)", convert_to_utc },
	{ "static DateTime ConvertTimeToUtc(DateTime dateTime, TimeZoneInfo sourceTimeZone)", convert_to_utc },
	{ "static DateTime ConvertTimeBySystemTimeZoneId(DateTime dateTime, string destinationTimeZoneId)", convert_by_id },
	{ "static DateTimeOffset ConvertTimeBySystemTimeZoneId(DateTimeOffset dateTimeOffset, string destinationTimeZoneId)",
	  convert_by_id },
	{ "string Id { get; }", get_id },
	{ "string DisplayName { get; }", get_display_name },
	{ "string StandardName { get; }", get_id },
	{ "string DaylightName { get; }", get_id },
	{ "TimeSpan BaseUtcOffset { get; }", get_base_offset },
	{ "bool SupportsDaylightSavingTime { get; }", get_supports },
	{ "TimeSpan GetUtcOffset(DateTime dateTime)", utc_offset },
	{ "TimeSpan GetUtcOffset(DateTimeOffset dateTimeOffset)", utc_offset },
	{ "bool IsDaylightSavingTime(DateTime dateTime)", is_daylight },
	{ "bool IsDaylightSavingTime(DateTimeOffset dateTimeOffset)", is_daylight },
	{ "bool IsAmbiguousTime(DateTime dateTime)", is_ambiguous },
	{ "bool IsInvalidTime(DateTime dateTime)", is_invalid },
	{ "bool HasSameRules(TimeZoneInfo other)", has_same_rules },
	{ "bool Equals(TimeZoneInfo other)", equals },
	{ 0 }
};

/* ---- System.TimeZone, the older class: the local zone only ------------------------------------------------------------------------------ */

static struct value_class class_old_zone;
static const struct object old_zone = { &class_old_zone };

static bool get_current(struct vm_call *c)
{
	return vm_return(c, value_object(&old_zone));
}

static bool old_name(struct vm_call *c)
{
	return vm_return_str(c, STR("Coordinated Universal Time"));
}

static bool old_offset(struct vm_call *c)
{
	return give_made(c, time_span_value(c->arena, 0));
}

static bool old_to_utc(struct vm_call *c)
{
	return give_time(c, value_date(c->args[0])->ticks, DATE_UTC);
}

static bool old_to_local(struct vm_call *c)
{
	return give_time(c, value_date(c->args[0])->ticks, DATE_LOCAL);
}

static bool old_daylight(struct vm_call *c)
{
	return give_bool(c, false);
}

static const struct class_member old_members[] = {
	{ "static TimeZone CurrentTimeZone { get; }", get_current },
	{ "string StandardName { get; }", old_name },
	{ "string DaylightName { get; }", old_name },
	{ "TimeSpan GetUtcOffset(DateTime time)", old_offset },
	{ "DateTime ToUniversalTime(DateTime time)", old_to_utc },
	{ "DateTime ToLocalTime(DateTime time)", old_to_local },
	{ "bool IsDaylightSavingTime(DateTime time)", old_daylight },
	{ 0 }
};

struct value_class class_time_zone = {
	.name = "System.TimeZoneInfo", .members = members, .equals = same, .hash = hash, .to_text = to_text
};
static struct value_class class_old_zone = { .name = "System.TimeZone", .members = old_members };
static struct value_class *const classes[] = { &class_time_zone, &class_old_zone, NULL };

const struct class_module net_time_zone = { .classes = classes };
