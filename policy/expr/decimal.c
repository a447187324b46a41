/* decimal.c - 96-bit decimal arithmetic with the results of System.Decimal.
 *
 * Products and quotients need up to 192 bits; `struct wide` is three 64-bit limbs with just what rounding needs: multiply
 * by ten, divide by a small number. Results are rounded half to even, as .NET does, until they fit 96 bits and scale 28. */
#include "policy/expr/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/str.h"

typedef unsigned __int128 u128;

enum { SCALE_MAX = 28, LIMBS = 4 };

struct wide {
	uint64_t limb[LIMBS];        /* little end first */
};

static struct wide wide_of(u128 v)
{
	return (struct wide){ { (uint64_t)v, (uint64_t)(v >> 64) } };
}

static bool wide_over(const struct wide *w)          /* more than 96 bits */
{
	return w->limb[3] || w->limb[2] || w->limb[1] >> 32;
}

static bool wide_mul10(struct wide *w)
{
	u128 carry = 0;

	for (int i = 0; i < LIMBS; i++) {
		carry += (u128)w->limb[i] * 10;
		w->limb[i] = (uint64_t)carry;
		carry >>= 64;
	}
	return carry == 0;
}

static unsigned wide_div10(struct wide *w)
{
	u128 rest = 0;

	for (int i = LIMBS - 1; i >= 0; i--) {
		rest = rest << 64 | w->limb[i];
		w->limb[i] = (uint64_t)(rest / 10);
		rest %= 10;
	}
	return (unsigned)rest;
}

static void wide_increment(struct wide *w)
{
	for (int i = 0; i < LIMBS && ++w->limb[i] == 0; i++)
		;
}

static int wide_cmp(const struct wide *l, const struct wide *r)
{
	for (int i = LIMBS - 1; i >= 0; i--)
		if (l->limb[i] != r->limb[i])
			return l->limb[i] < r->limb[i] ? -1 : 1;
	return 0;
}

static void wide_add(struct wide *l, const struct wide *r)
{
	u128 carry = 0;

	for (int i = 0; i < LIMBS; i++) {
		carry += (u128)l->limb[i] + r->limb[i];
		l->limb[i] = (uint64_t)carry;
		carry >>= 64;
	}
}

static void wide_sub(struct wide *l, const struct wide *r)      /* l >= r */
{
	uint64_t borrow = 0;

	for (int i = 0; i < LIMBS; i++) {
		u128 d = (u128)l->limb[i] - r->limb[i] - borrow;

		l->limb[i] = (uint64_t)d;
		borrow = d >> 64 ? 1 : 0;
	}
}

/* Takes digits off the end, rounding half to even, until it fits. `sticky`: something was cut off already. */
static bool fit(struct wide w, int scale, bool negative, bool sticky, struct decimal *out)
{
	unsigned last = 0;

	while (scale > SCALE_MAX || (wide_over(&w) && scale > 0)) {
		sticky |= last != 0;
		last = wide_div10(&w);
		scale--;
	}
	if (last > 5 || (last == 5 && (sticky || (w.limb[0] & 1))))
		wide_increment(&w);
	if (wide_over(&w)) {
		if (scale == 0)
			return false;
		return fit(w, scale, negative, false, out);
	}
	*out = (struct decimal){ .digits = (u128)w.limb[1] << 64 | w.limb[0], .scale = (uint8_t)scale, .negative = negative };
	return true;
}

/* Both at the larger scale. */
static int align(struct decimal l, struct decimal r, struct wide *wl, struct wide *wr)
{
	int scale = l.scale > r.scale ? l.scale : r.scale;

	*wl = wide_of(l.digits);
	*wr = wide_of(r.digits);
	for (int i = l.scale; i < scale; i++)
		wide_mul10(wl);
	for (int i = r.scale; i < scale; i++)
		wide_mul10(wr);
	return scale;
}

bool decimal_add(struct decimal l, struct decimal r, struct decimal *out)
{
	struct wide wl, wr;
	int scale = align(l, r, &wl, &wr);

	if (l.negative == r.negative) {
		wide_add(&wl, &wr);
		return fit(wl, scale, l.negative, false, out);
	}
	if (wide_cmp(&wl, &wr) >= 0) {
		wide_sub(&wl, &wr);
		return fit(wl, scale, l.negative, false, out);
	}
	wide_sub(&wr, &wl);
	return fit(wr, scale, r.negative, false, out);
}

bool decimal_sub(struct decimal l, struct decimal r, struct decimal *out)
{
	r.negative = !r.negative;
	return decimal_add(l, r, out);
}

bool decimal_mul(struct decimal l, struct decimal r, struct decimal *out)
{
	uint64_t a[2] = { (uint64_t)l.digits, (uint64_t)(l.digits >> 64) };
	uint64_t b[2] = { (uint64_t)r.digits, (uint64_t)(r.digits >> 64) };
	struct wide w = { { 0 } };

	for (int i = 0; i < 2; i++) {
		u128 carry = 0;

		for (int j = 0; j < 2; j++) {
			carry += (u128)a[i] * b[j] + w.limb[i + j];
			w.limb[i + j] = (uint64_t)carry;
			carry >>= 64;
		}
		w.limb[i + 2] = (uint64_t)carry;
	}
	return fit(w, l.scale + r.scale, l.negative != r.negative, false, out);
}

/* Long division, digit by digit, until it comes out even or 30 digits more than the whole part are there. */
bool decimal_div(struct decimal l, struct decimal r, struct decimal *out)
{
	u128 rest;
	struct wide q;
	int scale = l.scale - r.scale;

	if (r.digits == 0)
		return false;
	q = wide_of(l.digits / r.digits);
	rest = l.digits % r.digits;
	while ((rest != 0 || scale < 0) && scale < SCALE_MAX + 1 && q.limb[3] < UINT64_MAX / 32) {
		rest *= 10;                     /* below 2^96 * 10: fits */
		wide_mul10(&q);
		for (u128 digit = rest / r.digits; digit; digit--)
			wide_increment(&q);
		rest %= r.digits;
		scale++;
	}
	return scale >= 0 && fit(q, scale, l.negative != r.negative, rest != 0, out);
}

bool decimal_rem(struct decimal l, struct decimal r, struct decimal *out)
{
	struct wide wl, wr, step;
	int scale = align(l, r, &wl, &wr);

	if (r.digits == 0)
		return false;
	while (wide_cmp(&wl, &wr) >= 0) {
		struct wide next = wr;

		do {                            /* the largest wr * 2^k below wl */
			step = next;
			wide_add(&next, &step);
		} while (wide_cmp(&next, &wl) <= 0 && next.limb[3] >> 62 == 0);
		wide_sub(&wl, &step);
	}
	return fit(wl, scale, l.negative, false, out);
}

int decimal_cmp(struct decimal l, struct decimal r)
{
	struct wide wl, wr;
	int order;

	if (l.digits == 0 && r.digits == 0)
		return 0;
	if (l.negative != r.negative)
		return l.digits == 0 ? (r.negative ? 1 : -1) : l.negative ? -1 : 1;
	align(l, r, &wl, &wr);
	order = wide_cmp(&wl, &wr);
	return l.negative ? -order : order;
}

struct decimal decimal_of_i64(int64_t i)
{
	return (struct decimal){ .digits = i < 0 ? -(u128)(__int128)i : (u128)i, .negative = i < 0 };
}

struct decimal decimal_of_u64(uint64_t u)
{
	return (struct decimal){ .digits = u };
}

bool decimal_of_double(double d, struct decimal *out)
{
	char text[64];
	char *e;
	int exponent;
	struct decimal v;

	if (!isfinite(d) || fabs(d) >= 7.9228162514264338e28)
		return false;
	snprintf(text, sizeof(text), "%.14e", d);
	e = strchr(text, 'e');
	exponent = (int)strtol(e + 1, NULL, 10);
	if (!decimal_parse((struct str){ text, (size_t)(e - text) }, &v))
		return false;
	while (v.scale > 0 && v.digits % 10 == 0) {
		v.digits /= 10;
		v.scale--;
	}
	for (; exponent > 0; exponent--) {
		if (v.scale > 0)
			v.scale--;
		else
			v.digits *= 10;
	}
	return fit(wide_of(v.digits), v.scale - exponent, v.negative && v.digits, false, out);
}

double decimal_to_double(struct decimal d)
{
	char text[DECIMAL_TEXT_MAX + 1];

	text[decimal_text(d, text)] = '\0';
	return strtod(text, NULL);
}

static u128 whole(struct decimal d)
{
	for (int i = 0; i < d.scale; i++)
		d.digits /= 10;
	return d.digits;
}

bool decimal_to_i64(struct decimal d, int64_t *out)
{
	u128 w = whole(d);

	if (w > (u128)INT64_MAX + (d.negative ? 1 : 0))
		return false;
	*out = d.negative ? (int64_t)(-(__int128)w) : (int64_t)w;
	return true;
}

bool decimal_to_u64(struct decimal d, uint64_t *out)
{
	u128 w = whole(d);

	*out = (uint64_t)w;
	return w <= UINT64_MAX && (!d.negative || w == 0);
}

size_t decimal_text(struct decimal d, char out[DECIMAL_TEXT_MAX])
{
	char digits[DECIMAL_TEXT_MAX];
	size_t n = 0, at = 0;

	do {
		digits[n++] = (char)('0' + (int)(d.digits % 10));
		d.digits /= 10;
	} while (d.digits || n <= d.scale);
	if (d.negative)
		out[at++] = '-';
	while (n > 0) {
		if (n == d.scale)
			out[at++] = '.';
		out[at++] = digits[--n];
	}
	return at;
}

bool decimal_parse(struct str s, struct decimal *out)
{
	struct wide w = { { 0 } };
	bool negative = false, point = false, any = false, sticky = false;
	int scale = 0;

	if (s.n && (s.p[0] == '-' || s.p[0] == '+')) {
		negative = s.p[0] == '-';
		s = str_from(s, 1);
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (!ascii_is_digit(s.p[i]))
			return false;
		any = true;
		if (point && (scale > SCALE_MAX || w.limb[3])) {
			sticky |= s.p[i] != '0';
			continue;
		}
		if (w.limb[3] >> 32)
			return false;
		wide_mul10(&w);
		for (int d = s.p[i] - '0'; d > 0; d--)
			wide_increment(&w);
		scale += point;
	}
	return any && fit(w, scale, negative, sticky, out);
}

const struct decimal *value_decimal(struct value v)
{
	return v.kind == VALUE_DECIMAL ? (const struct decimal *)(const void *)v.object : NULL;
}

struct value decimal_value(struct arena *a, struct decimal d)
{
	struct decimal *p = arena_alloc_raw(a, sizeof(*p));

	if (!p)
		return VALUE_NULL_INIT;
	*p = d;
	p->head.cls = NULL;
	return (struct value){ .kind = VALUE_DECIMAL, .object = &p->head };
}
