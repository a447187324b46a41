#include "policy/expr/text.h"

#include <stdlib.h>

#include "core/str.h"

const struct text text_empty = { 0, true, "" };

bool str_is_ascii(struct str s)
{
	size_t i = 0;
	uint64_t word;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&word, s.p + i, 8);
		if (word & 0x8080808080808080u)
			return false;
	}
	for (; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

struct text *text_new(struct arena *a, struct str s, bool copy)
{
	struct text *t = arena_alloc_raw(a, sizeof(*t));

	if (!t)
		return NULL;
	if (copy && s.n) {
		s = arena_dup(a, s);
		if (!s.p)
			return NULL;
	}
	*t = (struct text){ s.n, str_is_ascii(s), s.p ? s.p : "" };
	return t;
}

struct value value_text(const struct text *t)
{
	return t ? (struct value){ .kind = VALUE_STRING, .text = t } : VALUE_NULL_INIT;
}

/* Bytes of the sequence that starts at p, and how many UTF-16 units it is. Any byte that starts none counts as one unit,
 * so that broken text (bytes of a client) has a length too. */
static size_t sequence(const struct text *t, size_t at, unsigned *units)
{
	unsigned char c = (unsigned char)t->p[at];
	size_t n = c < 0xC2 || c > 0xF4 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

	*units = 1;
	if (n > t->n - at)
		return 1;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)t->p[at + i] & 0xC0) != 0x80)
			return 1;
	*units = n == 4 ? 2 : 1;
	return n;
}

/* ---- remembered places ---------------------------------------------------------------------------------------------------- */

enum { PLACES_TEXTS = 4, PLACES_STEP = 64, PLACES_LEAST = 256 };

struct places {
	const char *p;
	size_t n;
	int64_t length;
	struct place {
		int64_t unit;
		size_t at;
	} *v;                        /* one for each PLACES_STEP bytes */
};

static _Thread_local struct {
	bool on, any;                /* any: something is remembered, as few runs do */
	unsigned next;
	struct places text[PLACES_TEXTS];
} remembered;

void text_remember(bool on)
{
	remembered.on = on;
	for (size_t i = 0; remembered.any && i < PLACES_TEXTS; i++) {
		free(remembered.text[i].v);
		remembered.text[i] = (struct places){ 0 };
	}
	remembered.any = false;
}

static bool find_places(struct places *to, const struct text *t)
{
	int64_t units = 0;
	size_t at = 0, k = 0;
	struct place *v = malloc((t->n / PLACES_STEP + 2) * sizeof(*v));

	if (!v)
		return false;
	while (at < t->n) {
		unsigned used;

		if (at >= k * PLACES_STEP)
			v[k++] = (struct place){ units, at };
		at += sequence(t, at, &used);
		units += used;
	}
	v[k] = (struct place){ units, at };
	free(to->v);
	*to = (struct places){ t->p, t->n, units, v };
	return true;
}

static const struct places *places_of(const struct text *t)
{
	if (!remembered.on || t->n < PLACES_LEAST)
		return NULL;
	for (size_t i = 0; i < PLACES_TEXTS; i++)
		if (remembered.text[i].p == t->p && remembered.text[i].n == t->n)
			return &remembered.text[i];
	remembered.any = true;
	remembered.next = (remembered.next + 1) % PLACES_TEXTS;
	return find_places(&remembered.text[remembered.next], t) ? &remembered.text[remembered.next] : NULL;
}

/* The last remembered place at or before the unit. */
static struct place place_before(const struct places *p, int64_t index)
{
	size_t low = 0, high = p->n / PLACES_STEP;

	while (low < high) {
		size_t middle = (low + high + 1) / 2;

		if (p->v[middle].unit <= index)
			low = middle;
		else
			high = middle - 1;
	}
	return p->v[low];
}

int64_t text_length(const struct text *t)
{
	const struct places *places;
	int64_t n = 0;

	if (t->ascii)
		return (int64_t)t->n;
	places = places_of(t);
	if (places)
		return places->length;
	for (size_t at = 0; at < t->n;) {
		unsigned units;

		at += sequence(t, at, &units);
		n += units;
	}
	return n;
}

/* Byte offset of unit `index`; *low is set when that is the second half of a pair. */
static size_t seek(const struct text *t, int64_t index, bool *low)
{
	const struct places *places;
	size_t at = 0;

	*low = false;
	if (t->ascii)
		return (size_t)index < t->n ? (size_t)index : t->n;
	places = places_of(t);
	if (places && index > 0) {
		struct place from = place_before(places, index);

		at = from.at;
		index -= from.unit;
	}
	while (at < t->n && index > 0) {
		unsigned units;
		size_t n = sequence(t, at, &units);

		if (units == 2 && index == 1) {
			*low = true;
			return at;
		}
		index -= units;
		at += n;
	}
	return at;
}

size_t text_offset(const struct text *t, int64_t index)
{
	bool low;

	return seek(t, index, &low);
}

int64_t text_index(const struct text *t, size_t offset)
{
	struct text head = { offset, t->ascii, t->p };

	return text_length(&head);
}

static uint32_t code_point(const struct text *t, size_t at, size_t *n)
{
	const unsigned char *p = (const unsigned char *)t->p + at;
	unsigned units;

	*n = sequence(t, at, &units);
	switch (*n) {
	case 2:
		return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
	case 3:
		return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
	case 4:
		return ((uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
			(p[3] & 0x3F)) & 0x1FFFFF;
	default:
		return p[0] < 0x80 ? p[0] : 0xFFFD;
	}
}

uint16_t text_unit(const struct text *t, int64_t index)
{
	bool low;
	size_t at = seek(t, index, &low), n;
	uint32_t cp;

	if (at >= t->n)
		return 0;
	cp = code_point(t, at, &n);
	if (cp < 0x10000)
		return (uint16_t)cp;
	cp -= 0x10000;
	return (uint16_t)(low ? 0xDC00 + (cp & 0x3FF) : 0xD800 + (cp >> 10));
}

uint16_t *text_units(struct arena *a, const struct text *t, size_t *n)
{
	uint16_t *units = arena_alloc_raw(a, (t->n + 1) * sizeof(*units));

	*n = 0;
	for (size_t at = 0; units && at < t->n;) {
		size_t used;
		uint32_t cp = code_point(t, at, &used);

		if (cp >= 0x10000 && cp <= 0x10FFFF) {
			units[(*n)++] = (uint16_t)(0xD800 + ((cp - 0x10000) >> 10));
			units[(*n)++] = (uint16_t)(0xDC00 + ((cp - 0x10000) & 0x3FF));
		} else {
			units[(*n)++] = (uint16_t)cp;
		}
		at += used;
	}
	return units;
}

static size_t put_code_point(char *to, uint32_t cp)
{
	if (cp >= 0xD800 && cp <= 0xDFFF) {
		to[0] = (char)(0xE0 | cp >> 12);
		to[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		to[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	return utf8_encode(cp, to);
}

const struct text *text_of_units(struct arena *a, const uint16_t *units, size_t n)
{
	struct text *t = arena_alloc_raw(a, sizeof(*t));
	char *to = n < SIZE_MAX / 4 ? arena_alloc_text(a, n * 3 + 4) : NULL;
	size_t used = 0;

	if (!t || !to)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		uint32_t cp = units[i];

		if (cp >= 0xD800 && cp <= 0xDBFF && i + 1 < n && units[i + 1] >= 0xDC00 && units[i + 1] <= 0xDFFF)
			cp = 0x10000 + ((cp - 0xD800) << 10) + (units[++i] - 0xDC00u);
		used += put_code_point(to + used, cp);
	}
	*t = (struct text){ used, str_is_ascii((struct str){ to, used }), to };
	return t;
}

const struct text *text_slice(struct arena *a, const struct text *t, int64_t from, int64_t count)
{
	bool low_from, low_to;
	size_t begin = seek(t, from, &low_from);
	size_t end = t->ascii ? begin + (size_t)count : seek(t, from + count, &low_to);
	struct text *out;

	if (t->ascii)
		low_to = false;
	if (low_from || low_to) {
		size_t n;
		uint16_t *units = text_units(a, t, &n);

		return units ? text_of_units(a, units + from, (size_t)count) : NULL;
	}
	if (begin == end)
		return &text_empty;
	out = arena_alloc_raw(a, sizeof(*out));
	if (out)
		*out = (struct text){ end - begin, t->ascii || str_is_ascii((struct str){ t->p + begin, end - begin }),
				      t->p + begin };
	return out;
}

static bool ends_high(const struct text *t)
{
	return t->n >= 3 && (unsigned char)t->p[t->n - 3] == 0xED && (unsigned char)t->p[t->n - 2] >= 0xA0 &&
	       (unsigned char)t->p[t->n - 2] < 0xB0;
}

static bool starts_low(const struct text *t)
{
	return t->n >= 3 && (unsigned char)t->p[0] == 0xED && (unsigned char)t->p[1] >= 0xB0;
}

const struct text *text_concat(struct arena *a, const struct text *l, const struct text *r)
{
	struct text *t;
	char *to;

	if (l->n == 0 || r->n == 0)
		return l->n ? l : r;
	t = arena_alloc_raw(a, sizeof(*t));
	to = arena_alloc_text(a, l->n + r->n + 1);
	if (!t || !to)
		return NULL;
	memcpy(to, l->p, l->n);
	memcpy(to + l->n, r->p, r->n);
	to[l->n + r->n] = '\0';
	*t = (struct text){ l->n + r->n, l->ascii && r->ascii, to };
	if (!l->ascii && !r->ascii && ends_high(l) && starts_low(r)) {
		size_t n;
		uint16_t *units = text_units(a, t, &n);

		return units ? text_of_units(a, units, n) : NULL;
	}
	return t;
}

int text_compare_ordinal(const struct text *l, const struct text *r)
{
	size_t i = 0, nl, nr, n = l->n < r->n ? l->n : r->n;
	uint32_t cl, cr;

	if (l->ascii && r->ascii)
		return str_cmp(text_str(l), text_str(r));
	while (i < n && l->p[i] == r->p[i])
		i++;
	while (i > 0 && i < n && ((unsigned char)l->p[i] & 0xC0) == 0x80)
		i--;
	if (i >= n)
		return l->n < r->n ? -1 : l->n > r->n;
	cl = code_point(l, i, &nl);
	cr = code_point(r, i, &nr);
	/* by unit: a pair (D800..) sorts below U+E000..U+FFFF */
	if (cl >= 0x10000 && cr < 0x10000)
		return cr >= 0xE000 ? -1 : 1;
	if (cr >= 0x10000 && cl < 0x10000)
		return cl >= 0xE000 ? 1 : -1;
	return cl < cr ? -1 : cl > cr;
}


struct str text_clean(struct arena *a, struct str s)
{
	char *to;
	size_t n = 0;

	if (str_is_ascii(s) || utf8_valid(s))
		return s;
	to = s.n < SIZE_MAX / 4 ? arena_alloc_text(a, s.n * 3 + 1) : NULL;
	if (!to)
		return STR_NULL;
	for (size_t i = 0; i < s.n;) {
		unsigned used = utf8_decode(str_from(s, i), NULL);

		if (used) {
			memcpy(to + n, s.p + i, used);
			n += used;
			i += used;
			continue;
		}
		memcpy(to + n, "\xEF\xBF\xBD", 3);
		n += 3;
		i += (unsigned char)s.p[i] == 0xED && i + 2 < s.n && (unsigned char)s.p[i + 1] >= 0xA0 ? 3 : 1;
	}
	to[n] = '\0';
	return (struct str){ to, n };
}
