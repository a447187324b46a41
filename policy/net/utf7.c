/* utf7.c - UTF-7 (RFC 2152) as .NET's UTF7Encoding writes it: optional characters encoded, each run closed with '-'. */
#include "core/str.h"
#include "policy/net/out.h"
#include "policy/net/unicode.h"
#include "policy/net/utf7.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct run {
	struct out *o;
	uint32_t bits;
	int n;                       /* bits that wait; -1: outside of a run */
};

static void put_unit(struct run *r, uint32_t unit)
{
	if (r->n < 0) {
		out_char(r->o, '+');
		r->n = 0;
	}
	r->bits = r->bits << 16 | unit;
	for (r->n += 16; r->n >= 6; r->n -= 6)
		out_char(r->o, digits[r->bits >> (r->n - 6) & 63]);
}

static void close_run(struct run *r)
{
	if (r->n > 0)
		out_char(r->o, digits[r->bits << (6 - r->n) & 63]);
	if (r->n >= 0)
		out_char(r->o, '-');
	r->n = -1;
}

void utf7_encode(struct out *o, struct str s)
{
	struct run r = { .o = o, .n = -1 };

	for (size_t at = 0; at < s.n;) {
		uint32_t cp = utf8_next(s, &at);

		if (cp && cp < 0x80 && (ascii_is_alpha((char)cp) || ascii_is_digit((char)cp) || strchr("\t\n\r '(),-./:?", (int)cp))) {
			close_run(&r);
			out_char(o, (char)cp);
		} else if (cp == '+' && r.n < 0) {
			out_put(o, STR("+-"));
		} else if (cp > 0xFFFF) {
			put_unit(&r, 0xD800 + ((cp - 0x10000) >> 10));
			put_unit(&r, 0xDC00 + ((cp - 0x10000) & 0x3FF));
		} else {
			put_unit(&r, cp);
		}
	}
	close_run(&r);
}

static void take_unit(struct out *o, uint32_t unit, uint32_t *high)
{
	if (*high && unit >= 0xDC00 && unit <= 0xDFFF) {
		out_code_point(o, 0x10000 + ((*high - 0xD800) << 10) + (unit - 0xDC00));
		*high = 0;
		return;
	}
	if (*high)
		out_code_point(o, *high);
	*high = unit >= 0xD800 && unit <= 0xDBFF ? unit : 0;
	if (!*high)
		out_code_point(o, unit);
}

void utf7_decode(struct out *o, struct str s)
{
	uint32_t bits = 0, high = 0;
	int n = -1;

	for (size_t at = 0; at < s.n; at++) {
		char c = s.p[at];
		const char *digit = c ? strchr(digits, c) : NULL;

		if (n < 0 && c == '+') {
			n = 0;
			bits = 0;
			if (at + 1 < s.n && s.p[at + 1] == '-') {
				take_unit(o, '+', &high);
				n = -1;
				at++;
			}
		} else if (n >= 0 && digit) {
			bits = bits << 6 | (uint32_t)(digit - digits);
			n += 6;
			if (n >= 16) {
				n -= 16;
				take_unit(o, bits >> n & 0xFFFF, &high);
			}
		} else {
			if (n < 0 || c != '-')
				take_unit(o, (uint8_t)c, &high);
			n = -1;
		}
	}
	if (high)
		out_code_point(o, high);
}
