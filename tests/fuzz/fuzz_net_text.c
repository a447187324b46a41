/* Numbers and times: what is printed reads back as the same value; formats made of any bytes never crash. */
#include <math.h>
#include <stdlib.h>

#include "core/str.h"
#include "policy/net/number.h"
#include "policy/net/time.h"

static void numbers(struct arena *a, struct str text)
{
	static const enum value_kind kinds[] = { VALUE_SBYTE, VALUE_INT, VALUE_ULONG, VALUE_DOUBLE, VALUE_FLOAT, VALUE_DECIMAL };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct value v, again;
		struct out o = out_in(a);

		if (number_parse(a, text, kinds[i], number_default_style(kinds[i]), &v) != PARSE_OK)
			continue;
		number_text(&o, v);
		if (number_parse(a, out_str(&o), kinds[i], number_default_style(kinds[i]), &again) != PARSE_OK)
			abort();
		if ((kinds[i] == VALUE_DOUBLE || kinds[i] == VALUE_FLOAT) ? again.d != v.d && !isnan(v.d)
		    : kinds[i] != VALUE_DECIMAL && again.u != v.u)
			abort();
	}
}

static void formats(struct arena *a, struct str format, uint64_t seed)
{
	struct out o = out_in(a);
	double d;

	memcpy(&d, &seed, sizeof(d));
	(void)number_format(&o, (struct value){ .kind = VALUE_DOUBLE, .d = d }, format);
	(void)number_format(&o, (struct value){ .kind = VALUE_LONG, .i = (int64_t)seed }, format);
	(void)time_format(&o, (struct shown_time){ .ticks = (int64_t)(seed % (uint64_t)TICKS_MAX) }, format);
	(void)span_format(&o, (int64_t)seed, format);
}

static void times(struct arena *a, struct str text)
{
	struct read_time r;
	enum date_kind kind;
	int64_t ticks, again;
	struct out o = out_in(a);

	(void)span_read(text, &ticks);
	(void)time_read_exact(text, STR("yyyy-MM-dd HH:mm:ss.FFFFFFF zzz"), true, 0, 7, &r);
	if (!time_read(text, INT64_C(638713728000000000), &r) || !time_settle(&r, 0, &ticks, &kind))
		return;
	time_format(&o, (struct shown_time){ .ticks = ticks }, STR("o"));
	if (!time_read(out_str(&o), 0, &r) || !time_settle(&r, 0, &again, &kind) || again != ticks)
		abort();
	if (!time_read_exact(out_str(&o), STR("o"), false, 0, 0, &r) || !time_settle(&r, 0, &again, &kind) || again != ticks)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct str text = { (const char *)data, size };
	uint64_t seed = 0;

	memcpy(&seed, data, size < sizeof(seed) ? size : sizeof(seed));
	numbers(a, text);
	times(a, text);
	formats(a, text, seed);
	arena_free(a);
	return 0;
}
