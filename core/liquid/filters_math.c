#include "core/liquid/internal.h"

#include <math.h>
#include <stdio.h>

/* Whole numbers stay whole as long as they fit 64 bits; everything else is a double. Text that is a number counts as it. */

static bool whole(struct liquid_value a, struct liquid_value b)
{
	return a.kind == LIQUID_INT && b.kind == LIQUID_INT;
}

/* 10.1 - 2.2 is 7.9 for people: results are rounded to the 15 digits that a double can promise. */
static struct liquid_value tidy(double d)
{
	char text[40];
	struct liquid_value v;

	if (!isfinite(d))
		return liquid_of_float(d);
	snprintf(text, sizeof(text), "%.15g", d);
	return value_parse_number(str_of(text), &v) ? liquid_of_float(value_float(v)) : liquid_of_float(d);
}

static GH_RC f_plus(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_value x = value_number(in), y = value_number(a->v[0]);

	/* DotLiquid adds to text by appending */
	if (r->t->options.dialect == LIQUID_DOTLIQUID && value_is_text(in))
		return join_texts(r, in, a->v[0], out);
	*out = liquid_of_int(0);
	if (!whole(x, y) || __builtin_add_overflow(x.i, y.i, &out->i))
		*out = tidy(value_float(x) + value_float(y));
	return GH_RC_OK;
}

static GH_RC f_minus(struct run *r UNUSED, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_value x = value_number(in), y = value_number(a->v[0]);

	*out = liquid_of_int(0);
	if (!whole(x, y) || __builtin_sub_overflow(x.i, y.i, &out->i))
		*out = tidy(value_float(x) - value_float(y));
	return GH_RC_OK;
}

static GH_RC f_times(struct run *r UNUSED, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_value x = value_number(in), y = value_number(a->v[0]);

	*out = liquid_of_int(0);
	if (!whole(x, y) || __builtin_mul_overflow(x.i, y.i, &out->i))
		*out = tidy(value_float(x) * value_float(y));
	return GH_RC_OK;
}

static int64_t floor_div(int64_t x, int64_t y)
{
	return x / y - (x % y != 0 && (x < 0) != (y < 0));
}

static GH_RC f_divided_by(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_value x = value_number(in), y = value_number(a->v[0]);
	bool net = r->t->options.dialect == LIQUID_DOTLIQUID;

	if (whole(x, y) && y.i == 0)
		FAIL_RUN(r, a->at, "division by zero");
	if (!whole(x, y))
		*out = liquid_of_float(value_float(x) / value_float(y));
	else if (y.i == -1)
		*out = x.i == INT64_MIN ? liquid_of_float(-(double)x.i) : liquid_of_int(-x.i);
	else
		*out = liquid_of_int(net ? x.i / y.i : floor_div(x.i, y.i));
	return GH_RC_OK;
}

static GH_RC f_modulo(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_value x = value_number(in), y = value_number(a->v[0]);
	bool net = r->t->options.dialect == LIQUID_DOTLIQUID;
	double m;

	if (whole(x, y) && y.i == 0)
		FAIL_RUN(r, a->at, "division by zero");
	if (whole(x, y)) {
		*out = liquid_of_int(y.i == -1 ? 0 : x.i % y.i);
		if (!net && out->i && (out->i < 0) != (y.i < 0))
			out->i += y.i;
		return GH_RC_OK;
	}
	m = fmod(value_float(x), value_float(y));
	if (!net && m != 0 && (m < 0) != (value_float(y) < 0))
		m += value_float(y);
	*out = tidy(m);
	return GH_RC_OK;
}

static GH_RC f_abs(struct run *r UNUSED, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct liquid_value x = value_number(in);

	if (x.kind == LIQUID_FLOAT)
		*out = liquid_of_float(fabs(x.d));
	else
		*out = x.i == INT64_MIN ? liquid_of_float(-(double)x.i) : liquid_of_int(x.i < 0 ? -x.i : x.i);
	return GH_RC_OK;
}

static GH_RC at_limit(struct liquid_value in, const struct args *a, bool least, struct liquid_value *out)
{
	struct liquid_value x = value_number(in), y = value_number(a->v[0]);

	*out = (value_float(x) < value_float(y)) == least ? y : x;
	return GH_RC_OK;
}

static GH_RC f_at_least(struct run *r UNUSED, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return at_limit(in, a, true, out);
}

static GH_RC f_at_most(struct run *r UNUSED, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return at_limit(in, a, false, out);
}

static struct liquid_value whole_of(double d)
{
	return fabs(d) < 9.2e18 ? liquid_of_int((int64_t)d) : liquid_of_float(d);
}

static GH_RC f_ceil(struct run *r UNUSED, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct liquid_value x = value_number(in);

	*out = x.kind == LIQUID_INT ? x : whole_of(ceil(x.d));
	return GH_RC_OK;
}

static GH_RC f_floor(struct run *r UNUSED, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct liquid_value x = value_number(in);

	*out = x.kind == LIQUID_INT ? x : whole_of(floor(x.d));
	return GH_RC_OK;
}

/* To `digits` behind the point. .NET rounds a half to the even neighbour, Ruby away from zero. */
static double rounded(double d, int digits, bool even)
{
	double scale = pow(10, digits), scaled = d * scale;
	char text[40];

	if (!isfinite(scaled) || fabs(scaled) > 1e15)
		return d;
	snprintf(text, sizeof(text), "%.15g", scaled);    /* 1.005 * 100 is 100.49999999999999 */
	scaled = value_float(liquid_of_text(str_of(text)));
	return (even ? rint(scaled) : round(scaled)) / scale;
}

static GH_RC f_round(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_value x = value_number(in);
	int64_t digits = a->n ? liquid_value_int(a->v[0]) : 0;
	bool even = r->t->options.dialect == LIQUID_DOTLIQUID;

	digits = digits > 15 ? 15 : digits < -15 ? -15 : digits;
	if (x.kind == LIQUID_INT && digits >= 0)
		*out = x;
	else if (digits <= 0)
		*out = whole_of(rounded(value_float(x), (int)digits, even));
	else
		*out = liquid_of_float(rounded(value_float(x), (int)digits, even));
	return GH_RC_OK;
}

static GH_RC add_up(struct run *r, struct liquid_value v, const struct liquid_value *key, unsigned depth,
		    const struct args *a, struct liquid_value *sum)
{
	struct seq s;

	if (depth > LIQUID_MAX_TEXT_DEPTH)
		FAIL_RUN(r, a->at, "lists nest too deep to be summed");
	if ((v.kind == LIQUID_LIST || v.kind == LIQUID_JSON || v.kind == LIQUID_RANGE) && value_seq(v, r->a, &s)
	    && s.of.kind == v.kind) {
		for (size_t i = 0; i < s.n; i++)
			TRY(add_up(r, seq_at(&s, i), key, depth + 1, a, sum));
		return GH_RC_OK;
	}
	if (key && v.kind != LIQUID_RECORD && v.kind != LIQUID_JSON && v.kind != LIQUID_OBJECT)
		FAIL_RUN(r, a->at, "only objects have the property to sum");
	if (key && !(value_is_text(*key) && value_member(v, key->text, r->a, &v)))
		return GH_RC_OK;
	return f_plus(r, *sum, &(struct args){ .v = { v }, .n = 1, .at = a->at }, sum);
}

static GH_RC f_sum(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	*out = liquid_of_int(0);
	return add_up(r, in, a->n ? &a->v[0] : NULL, 0, a, out);
}

/* ---- money: DotLiquid's Currency ----------------------------------------------------------------------------------- */

static const struct currency {
	struct str culture;
	const char *before, *after;
	char group[4], point;
} currencies[] = {
	{ STR_INIT("en-US"), "$", "", ",", '.' },
	{ STR_INIT("en-GB"), "\xC2\xA3", "", ",", '.' },
	{ STR_INIT("en-CA"), "$", "", ",", '.' },
	{ STR_INIT("en-AU"), "$", "", ",", '.' },
	{ STR_INIT("en-IE"), "\xE2\x82\xAC", "", ",", '.' },
	{ STR_INIT("de-DE"), "", " \xE2\x82\xAC", ".", ',' },
	{ STR_INIT("fr-FR"), "", " \xE2\x82\xAC", "\xC2\xA0", ',' },
	{ STR_INIT("es-ES"), "", " \xE2\x82\xAC", ".", ',' },
	{ STR_INIT("it-IT"), "", " \xE2\x82\xAC", ".", ',' },
	{ STR_INIT("nl-NL"), "\xE2\x82\xAC ", "", ".", ',' },
};

static GH_RC f_currency(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	const struct currency *c = &currencies[0];
	char digits[360];
	struct str culture, s;
	struct buf b;
	size_t n;

	if (a->n) {
		TRY(arg_text(r, a->v[0], &culture));
		for (c = currencies; c < currencies + ARRAY_LEN(currencies) && !str_eq_ci(c->culture, culture);)
			c++;
		if (c == currencies + ARRAY_LEN(currencies))
			FAIL_RUN(r, a->at, "culture '%.*s' is not known to Currency", STR_ARG(str_first(culture, 20)));
	}
	if (!isfinite(value_float(in)))
		FAIL_RUN(r, a->at, "Currency of something that is no number");
	n = (size_t)snprintf(digits, sizeof(digits), "%.2f", fabs(value_float(in))) - 3;
	buf_init(&b, 1000);
	buf_cstr(&b, value_float(in) < 0 ? "-" : "");
	buf_cstr(&b, c->before);
	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			buf_cstr(&b, c->group);
		buf_char(&b, digits[i]);
	}
	buf_char(&b, c->point);
	buf_cstr(&b, digits + n + 1);
	buf_cstr(&b, c->after);
	s = arena_dup(r->a, buf_view(&b));
	buf_release(&b);
	if (str_is_null(s))
		NO_MEMORY(r->err);
	*out = liquid_of_text(s);
	return GH_RC_OK;
}

enum { EVERYWHERE = FILTER_STANDARD | FILTER_DOTLIQUID };

const struct filter filters_math[] = {
	{ "abs", f_abs, 0, 0, EVERYWHERE, NULL },
	{ "at_least", f_at_least, 1, 1, EVERYWHERE, NULL },
	{ "at_most", f_at_most, 1, 1, EVERYWHERE, NULL },
	{ "ceil", f_ceil, 0, 0, EVERYWHERE, NULL },
	{ "currency", f_currency, 0, 1, FILTER_DOTLIQUID, NULL },
	{ "divided_by", f_divided_by, 1, 1, EVERYWHERE, NULL },
	{ "floor", f_floor, 0, 0, EVERYWHERE, NULL },
	{ "minus", f_minus, 1, 1, EVERYWHERE, NULL },
	{ "modulo", f_modulo, 1, 1, EVERYWHERE, NULL },
	{ "plus", f_plus, 1, 1, EVERYWHERE, NULL },
	{ "round", f_round, 0, 1, EVERYWHERE, NULL },
	{ "sum", f_sum, 0, 1, FILTER_STANDARD, NULL },
	{ "times", f_times, 1, 1, EVERYWHERE, NULL },
	{ NULL, NULL, 0, 0, 0, NULL },
};
