#include "policy/elements/json_date.h"

#include "core/str.h"
#include "policy/net/time.h"

enum { DEPTH_MAX = 512 };

/* "/Date(1198908717056)/", the milliseconds with or without an offset behind them, which only says where it came from. */
static bool read_milliseconds(struct str s, int64_t *ticks)
{
	struct str number;
	size_t end;
	int64_t ms;

	if (!str_starts(s, STR("/Date(")) || !str_ends(s, STR(")/")))
		return false;
	number = str_first(str_from(s, 6), s.n - 8);
	for (end = number.n && number.p[0] == '-'; end < number.n && ascii_is_digit(number.p[end]);)
		end++;
	if (end < number.n && number.p[end] != '+' && number.p[end] != '-')
		return false;
	if (!str_to_i64(str_first(number, end), -INT64_C(62135596800000), INT64_C(253402300799999), &ms))
		return false;
	*ticks = TICKS_UNIX_EPOCH + ms * TICKS_PER_MS;
	return true;
}

/* The ISO form, also without seconds. */
static bool read_iso(struct arena *a, struct str s, int64_t *ticks, enum date_kind *kind)
{
	if (s.n < 16 || s.n > 40 || s.p[4] != '-' || s.p[10] != 'T' || s.p[13] != ':')
		return false;
	if (s.n == 16 || s.p[16] != ':')
		s = arena_printf(a, "%.16s:00%.*s", s.p, STR_ARG(str_from(s, 16)));
	return s.p && time_read_iso(s, ticks, kind);
}

bool json_date_read(struct arena *a, struct str s, int64_t *ticks, enum date_kind *kind)
{
	if (s.n && s.p[0] == '/') {
		*kind = DATE_UTC;
		return read_milliseconds(s, ticks);
	}
	return read_iso(a, s, ticks, kind);
}

/* What is printed is XmlConvert's round-trip form. False: the text is no date, or memory is out. */
static bool rewrite(struct arena *a, json_t *one, json_t **out)
{
	struct shown_time shown = { 0 };
	struct out o = out_in(a);

	if (!json_date_read(a, jsn_string(one), &shown.ticks, &shown.kind)
	    || !time_format(&o, shown, STR("yyyy-MM-ddTHH:mm:ss.FFFFFFFK")) || !out_str(&o).p)
		return false;
	*out = json_stringn(o.p, o.n);
	return *out != NULL;
}

void json_dates_in_xml_form(struct arena *a, json_t *json, unsigned depth)
{
	const char *name;
	json_t *one, *new;
	size_t i;

	if (depth > DEPTH_MAX)
		return;
	json_object_foreach(json, name, one) {
		if (json_is_string(one) && rewrite(a, one, &new))
			json_object_set_new(json, name, new);
		else
			json_dates_in_xml_form(a, one, depth + 1);
	}
	json_array_foreach(json, i, one) {
		if (json_is_string(one) && rewrite(a, one, &new))
			json_array_set_new(json, i, new);
		else
			json_dates_in_xml_form(a, one, depth + 1);
	}
}
