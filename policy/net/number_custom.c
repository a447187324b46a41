/* number_custom.c - custom numeric format strings: "#,##0.00;(#,##0.00);zero".
 *
 * Two passes over one section, as .NET does it: the first counts placeholders and finds point, groups and scaling, then
 * the digits are rounded to what the section can show, and the second writes. Rounding to zero moves a number into the
 * third section, hence the loop in plan(). */
#include "policy/net/number.h"

#include <stdlib.h>

#include "core/str.h"

enum { NOTHING = 0x7FFFFFFF, GROUPS_MAX = 400 };

struct plan {
	struct str f;
	size_t section;              /* where the section begins */
	int digit_count, point, first, last, group_at, group_count, adjust_scale;
	bool groups, scientific;
};

static char at(struct str f, size_t i)
{
	return i < f.n ? f.p[i] : '\0';
}

/* Past a quoted run that starts after the quote at i - 1. */
static size_t skip_quoted(struct str f, size_t i, char quote)
{
	while (i < f.n && f.p[i] != quote)
		i++;
	return i < f.n ? i + 1 : i;
}

static size_t find_section(struct str f, int section)
{
	size_t i = 0;

	while (section > 0 && i < f.n) {
		char ch = f.p[i++];

		if (ch == '\'' || ch == '"') {
			i = skip_quoted(f, i, ch);
		} else if (ch == '\\') {
			i++;
		} else if (ch == ';' && --section == 0) {
			return i < f.n && f.p[i] != ';' ? i : 0;
		}
	}
	return 0;
}

static size_t scan_exponent(struct plan *p, size_t i)
{
	if (at(p->f, i) == '0' || ((at(p->f, i) == '+' || at(p->f, i) == '-') && at(p->f, i + 1) == '0')) {
		p->scientific = true;
		while (++i < p->f.n && p->f.p[i] == '0')
			;
	}
	return i;
}

static void scan_comma(struct plan *p)
{
	if (p->digit_count == 0 || p->point >= 0)
		return;
	if (p->group_at >= 0) {
		if (p->group_at == p->digit_count) {
			p->group_count++;
			return;
		}
		p->groups = true;
	}
	p->group_at = p->digit_count;
	p->group_count = 1;
}

static void scan_section(struct plan *p)
{
	size_t i = p->section;
	char ch;

	p->digit_count = p->last = p->group_count = p->adjust_scale = 0;
	p->point = p->group_at = -1;
	p->first = NOTHING;
	p->groups = p->scientific = false;
	while (i < p->f.n && (ch = p->f.p[i++]) != ';') {
		switch (ch) {
		case '#':
			p->digit_count++;
			break;
		case '0':
			if (p->first == NOTHING)
				p->first = p->digit_count;
			p->last = ++p->digit_count;
			break;
		case '.':
			if (p->point < 0)
				p->point = p->digit_count;
			break;
		case ',':
			scan_comma(p);
			break;
		case '%':
			p->adjust_scale += 2;
			break;
		case '\xE2':                    /* U+2030, per mille */
			if (at(p->f, i) == '\x80' && at(p->f, i + 1) == '\xB0')
				p->adjust_scale += 3;
			break;
		case '\'':
		case '"':
			i = skip_quoted(p->f, i, ch);
			break;
		case '\\':
			i++;
			break;
		case 'E':
		case 'e':
			i = scan_exponent(p, i);
			break;
		default:
			break;
		}
	}
	if (p->point < 0)
		p->point = p->digit_count;
	if (p->group_at >= 0) {
		if (p->group_at == p->point)
			p->adjust_scale -= p->group_count * 3;
		else
			p->groups = true;
	}
}

static void plan(struct plan *p, struct digits *x)
{
	p->section = find_section(p->f, x->n == 0 ? 2 : x->negative ? 1 : 0);
	for (;;) {
		size_t zero;

		scan_section(p);
		if (x->n == 0) {
			if (!x->real)
				x->negative = false;
			x->scale = 0;
			break;
		}
		x->scale += p->adjust_scale;
		digits_round(x, p->scientific ? p->digit_count : x->scale + p->digit_count - p->point);
		if (x->n > 0)
			break;
		zero = find_section(p->f, 2);
		if (zero == p->section)
			break;
		p->section = zero;
	}
	p->first = p->first < p->point ? p->point - p->first : 0;
	p->last = p->last > p->point ? p->point - p->last : 0;
}

struct writer {
	struct out *o;
	const struct plan *p;
	const struct digits *x;
	int used;                    /* digits written */
	int digit_pos, adjust, groups[GROUPS_MAX], n_groups;
	bool point_written, scientific;
};

static void plan_groups(struct writer *w)
{
	int digits = w->digit_pos + (w->adjust < 0 ? w->adjust : 0), total = 3;

	if (!w->p->groups)
		return;
	if (w->p->first > digits)
		digits = w->p->first;
	for (; digits > total && w->n_groups < GROUPS_MAX; total += 3)
		w->groups[w->n_groups++] = total;
}

static void group_after(struct writer *w)
{
	if (w->p->groups && w->digit_pos > 1 && w->n_groups > 0 && w->digit_pos == w->groups[w->n_groups - 1] + 1) {
		out_char(w->o, ',');
		w->n_groups--;
	}
}

static void write_placeholder(struct writer *w)
{
	char ch;

	if (w->adjust < 0) {
		w->adjust++;
		ch = w->digit_pos <= w->p->first ? '0' : '\0';
	} else if (w->used < w->x->n) {
		ch = w->x->d[w->used++];
	} else {
		ch = w->digit_pos > w->p->last ? '0' : '\0';
	}
	if (ch) {
		out_char(w->o, ch);
		group_after(w);
	}
	w->digit_pos--;
}

/* Digits for which the format has no placeholder go before its first one. */
static void write_surplus(struct writer *w)
{
	for (; w->adjust > 0; w->adjust--) {
		out_char(w->o, w->used < w->x->n ? w->x->d[w->used++] : '0');
		group_after(w);
		w->digit_pos--;
	}
}

static void write_point(struct writer *w)
{
	if (w->digit_pos != 0 || w->point_written)
		return;
	if (w->p->last < 0 || (w->p->point < w->p->digit_count && w->used < w->x->n)) {
		out_char(w->o, '.');
		w->point_written = true;
	}
}

static size_t write_exponent(struct writer *w, size_t i, char letter)
{
	struct str f = w->p->f;
	bool plus = false;
	int digits = 0, e;

	if (!w->scientific) {
		out_char(w->o, letter);
		if (at(f, i) == '+' || at(f, i) == '-')
			out_char(w->o, f.p[i++]);
		while (at(f, i) == '0')
			out_char(w->o, f.p[i++]);
		return i;
	}
	if (at(f, i) == '0') {
		digits++;
	} else if (at(f, i) == '+' && at(f, i + 1) == '0') {
		plus = true;
	} else if (!(at(f, i) == '-' && at(f, i + 1) == '0')) {
		out_char(w->o, letter);
		return i;
	}
	while (++i < f.n && f.p[i] == '0')
		digits++;
	e = w->x->n == 0 ? 0 : w->x->scale - w->p->point;
	out_char(w->o, letter);
	if (e < 0)
		out_char(w->o, '-');
	else if (plus)
		out_char(w->o, '+');
	out_fmt(w->o, "%0*d", digits > 10 ? 10 : digits, abs(e));
	w->scientific = false;
	return i;
}

static size_t write_quoted(struct writer *w, size_t i, char quote)
{
	struct str f = w->p->f;

	while (i < f.n && f.p[i] != quote)
		out_char(w->o, f.p[i++]);
	return i < f.n ? i + 1 : i;
}

static void write_section(struct writer *w)
{
	struct str f = w->p->f;
	size_t i = w->p->section;
	char ch;

	while (i < f.n && (ch = f.p[i++]) != ';') {
		switch (ch) {
		case '#':
		case '0':
			write_surplus(w);
			write_placeholder(w);
			break;
		case '.':
			write_surplus(w);
			write_point(w);
			break;
		case ',':
			break;
		case '\'':
		case '"':
			i = write_quoted(w, i, ch);
			break;
		case '\\':
			if (i < f.n)
				out_char(w->o, f.p[i++]);
			break;
		case 'E':
		case 'e':
			i = write_exponent(w, i, ch);
			break;
		default:
			out_char(w->o, ch);
			break;
		}
	}
}

void digits_custom(struct out *o, struct digits *x, struct str format)
{
	struct plan p = { .f = format };
	struct writer w = { .o = o, .p = &p, .x = x };

	plan(&p, x);
	w.scientific = p.scientific;
	if (p.scientific) {
		w.digit_pos = p.point;
	} else {
		w.digit_pos = x->scale > p.point ? x->scale : p.point;
		w.adjust = x->scale - p.point;
	}
	plan_groups(&w);
	if (x->negative && p.section == 0)
		out_char(o, '-');
	write_section(&w);
}
