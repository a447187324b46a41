#include "policy/elements/liquid_date.h"

#include "core/str.h"
#include "policy/elements/json_date.h"
#include "policy/expr/class.h"
#include "policy/net/time.h"

enum { DEPTH_MAX = 64 };

struct dated {
	int64_t ticks, offset;
	enum date_kind kind;
	bool has_offset;
};

static bool format(struct arena *a, const struct dated *d, struct str how, struct str *out)
{
	struct out o = out_in(a);
	const struct shown_time shown = { .ticks = d->ticks, .kind = d->kind, .has_offset = d->has_offset, .offset = d->offset };

	if (!time_format(&o, shown, how))
		return false;
	*out = out_str(&o);
	return out->p != NULL;
}

static struct str text_of(void *self, struct arena *a)
{
	struct str out = STR_NULL;

	return format(a, self, STR("G"), &out) ? out : STR_NULL;
}

static const struct liquid_class date_class = { .name = "date", .text = text_of };

static struct liquid_value date_with(struct arena *a, struct dated d)
{
	struct dated *kept = arena_new_of(a, struct dated);

	if (!kept)
		return LIQUID_NIL_VALUE;
	*kept = d;
	return liquid_of_object(&date_class, kept);
}

struct liquid_value liquid_date(struct arena *a, int64_t ticks, enum date_kind kind)
{
	return date_with(a, (struct dated){ .ticks = ticks, .kind = kind });
}

bool liquid_date_of(struct arena *a, struct value v, struct liquid_value *out)
{
	const struct value_class *cls = value_class_of(v);

	if (cls == &class_date_time)
		*out = liquid_date(a, value_date(v)->ticks, value_date(v)->kind);
	else if (cls == &class_date_offset)
		*out = date_with(a, (struct dated){ .ticks = value_offset(v)->ticks, .offset = value_offset(v)->offset, .has_offset = true });
	else
		return false;
	return true;
}

/* ---- JSON ----------------------------------------------------------------------------------------------------------- */

static bool has_dates(struct arena *a, json_t *j, unsigned depth)
{
	enum date_kind kind;
	const char *name;
	int64_t ticks;
	json_t *one;
	size_t i;

	if (depth > DEPTH_MAX)
		return false;
	json_object_foreach(j, name, one) {
		if (has_dates(a, one, depth + 1))
			return true;
	}
	json_array_foreach(j, i, one) {
		if (has_dates(a, one, depth + 1))
			return true;
	}
	return json_is_string(j) && json_date_read(a, jsn_string(j), &ticks, &kind);
}

static struct liquid_value convert(struct arena *a, json_t *j, unsigned depth)
{
	struct liquid_record *record;
	struct liquid_list *list;
	enum date_kind kind;
	const char *name;
	int64_t ticks;
	json_t *one;
	size_t i;

	if (json_is_string(j) && json_date_read(a, jsn_string(j), &ticks, &kind))
		return liquid_date(a, ticks, kind);
	if (depth > DEPTH_MAX || (!json_is_object(j) && !json_is_array(j)))
		return liquid_of_json(j);
	if (json_is_array(j)) {
		list = liquid_list_new(a);
		json_array_foreach(j, i, one)
			liquid_push(list, convert(a, one, depth + 1));
		return liquid_of_list(list);
	}
	record = liquid_record_new(a);
	json_object_foreach(j, name, one)
		liquid_set(record, name, convert(a, one, depth + 1));
	return liquid_of_record(record);
}

struct liquid_value liquid_json_with_dates(struct arena *a, json_t *json)
{
	return has_dates(a, json, 0) ? convert(a, json, 0) : liquid_of_json(json);
}

/* ---- the filter ----------------------------------------------------------------------------------------------------- */

bool liquid_format_date(void *ctx, struct arena *a, struct liquid_value in, struct str how, struct str *out)
{
	struct exchange *x = ctx;
	int64_t now = TICKS_UNIX_EPOCH + (x->host->now_us ? x->host->now_us(x) : 0) * TICKS_PER_US;
	struct dated d = { .ticks = now, .kind = DATE_LOCAL };
	struct read_time read;

	if (in.kind == LIQUID_OBJECT && in.object.cls == &date_class)
		return format(a, in.object.self, how, out);
	if (in.kind != LIQUID_TEXT)
		return false;
	if (!str_eq_ci(in.text, STR("now")) && !str_eq_ci(in.text, STR("today"))
	    && (!time_read(in.text, now - now % TICKS_PER_DAY, &read) || !time_settle(&read, 0, &d.ticks, &d.kind)))
		return false;
	return format(a, &d, how, out);
}
