/* document_text.c - texts of a document that are not their own bytes any more: entities decoded, named values put in.
 * Each keeps a list of runs, so that an error in it can still be shown at its place in the original file. */
#include "policy/document.h"

#include "core/str.h"

void doc_builder_init(struct doc_builder *b, struct arena *a, size_t expected)
{
	*b = (struct doc_builder){ .arena = a, .cap = expected + 1 };
	b->p = arena_alloc_text(a, b->cap);
	b->failed = !b->p;
}

static bool grow(struct doc_builder *b, size_t more)
{
	size_t cap = b->cap * 2 > b->n + more + 1 ? b->cap * 2 : b->n + more + 1;
	char *p;

	if (more < b->cap - b->n)
		return true;
	p = arena_alloc_text(b->arena, cap);
	if (!p)
		return false;
	memcpy(p, b->p, b->n);
	b->p = p;
	b->cap = cap;
	return true;
}

static bool add_run(struct doc_builder *b, uint32_t source, bool fixed)
{
	const struct doc_run *last = b->n_runs ? &b->runs[b->n_runs - 1] : NULL;

	if (last && !last->fixed && !fixed && last->source + ((uint32_t)b->n - last->at) == source)
		return true;
	if (b->n_runs == b->cap_runs) {
		size_t cap = b->cap_runs ? b->cap_runs * 2 : 4;
		struct doc_run *v = arena_alloc(b->arena, cap, sizeof(*v));

		if (!v)
			return false;
		if (b->n_runs)
			memcpy(v, b->runs, b->n_runs * sizeof(*v));
		b->runs = v;
		b->cap_runs = cap;
	}
	b->runs[b->n_runs++] = (struct doc_run){ (uint32_t)b->n, source, fixed };
	return true;
}

void doc_builder_add(struct doc_builder *b, struct str bytes, uint32_t source, bool fixed)
{
	if (b->failed || !bytes.n)
		return;
	if (!grow(b, bytes.n) || !add_run(b, source, fixed)) {
		b->failed = true;
		return;
	}
	memcpy(b->p + b->n, bytes.p, bytes.n);
	b->n += bytes.n;
}

bool doc_builder_done(struct doc_builder *b, struct doc_text *out)
{
	if (b->failed)
		return false;
	b->p[b->n] = '\0';
	out->text = (struct str){ b->p, b->n };
	out->runs = b->runs;
	out->n_runs = b->n_runs;
	out->at = b->n_runs ? b->runs[0].source : 0;
	return true;
}

size_t doc_text_source(const struct doc_text *t, size_t i)
{
	size_t lo = 0, hi = t->n_runs;

	if (!t->runs || !t->n_runs)
		return t->at + i;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->runs[mid].at <= i)
			lo = mid;
		else
			hi = mid;
	}
	return t->runs[lo].fixed ? t->runs[lo].source : t->runs[lo].source + (i - t->runs[lo].at);
}

bool text_is_expression(struct str s)
{
	while (s.n && ascii_is_space(*s.p))
		s = str_from(s, 1);
	return s.n > 1 && s.p[0] == '@' && (s.p[1] == '(' || s.p[1] == '{');
}

/* ---- entities ---------------------------------------------------------------------------------------------------- */

static bool character_reference(struct str digits, char out[4], unsigned *n)
{
	uint32_t base = 10, cp = 0;

	if (digits.n && (*digits.p == 'x' || *digits.p == 'X')) {
		base = 16;
		digits = str_from(digits, 1);
	}
	if (!digits.n || digits.n > 8)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		char c = ascii_lower(digits.p[i]);
		uint32_t d = ascii_is_digit(c) ? (uint32_t)(c - '0')
			: c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
					       : 99;

		if (d >= base || cp > 0x10FFFF)
			return false;
		cp = cp * base + d;
	}
	if (!cp || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000) || (cp < 0x20 && cp != 9 && cp != 10 && cp != 13))
		return false;
	*n = utf8_encode(cp, out);
	return true;
}

enum entity { NO_ENTITY, BAD_ENTITY, GOOD_ENTITY };

/* What stands at the "&" that s begins with; *len is its length in the source, out/n the bytes it means. */
static enum entity read_entity(struct str s, size_t *len, char out[4], unsigned *n)
{
	static const struct {
		struct str name;
		char c;
	} five[] = {
		{ STR_INIT("lt"), '<' }, { STR_INIT("gt"), '>' }, { STR_INIT("amp"), '&' }, { STR_INIT("quot"), '"' },
		{ STR_INIT("apos"), '\'' },
	};
	size_t end = 1;
	struct str name;

	while (end < s.n && end < 34 && (ascii_is_alpha(s.p[end]) || ascii_is_digit(s.p[end]) || s.p[end] == '#'))
		end++;
	if (end == 1 || end == s.n || s.p[end] != ';')
		return NO_ENTITY;
	name = (struct str){ s.p + 1, end - 1 };
	*len = end + 1;
	if (*name.p == '#')
		return character_reference(str_from(name, 1), out, n) ? GOOD_ENTITY : BAD_ENTITY;
	for (size_t i = 0; i < ARRAY_LEN(five); i++)
		if (str_eq(name, five[i].name)) {
			out[0] = five[i].c;
			*n = 1;
			return GOOD_ENTITY;
		}
	return BAD_ENTITY;
}

size_t csharp_literal_length(struct str s)
{
	bool verbatim = false;
	size_t i = 0;

	while (i < s.n && i < 2 && (s.p[i] == '$' || s.p[i] == '@')) {
		verbatim |= s.p[i] == '@';
		i++;
	}
	if (i == s.n || (s.p[i] != '"' && (s.p[i] != '\'' || i)))
		return 0;
	for (char quote = s.p[i++]; i < s.n; i++) {
		if (s.p[i] == '\\' && !verbatim) {
			i++;
		} else if (s.p[i] == quote) {
			if (!verbatim || i + 1 == s.n || s.p[i + 1] != quote)
				return i + 1;
			i++;
		} else if (s.p[i] == '\n' && !verbatim) {
			return 0;
		}
	}
	return 0;
}

bool doc_builder_decode(struct doc_builder *b, struct str s, uint32_t source, bool outside_strings, size_t *bad)
{
	size_t from = 0, i = 0, len;
	char bytes[4];
	unsigned n;

	while (i < s.n) {
		enum entity e = NO_ENTITY;

		if (outside_strings && (len = csharp_literal_length(str_from(s, i)))) {
			i += len;
			continue;
		}
		if (s.p[i] == '&')
			e = read_entity(str_from(s, i), &len, bytes, &n);
		if (e == BAD_ENTITY && !outside_strings) {
			*bad = i;
			return false;
		}
		if (e != GOOD_ENTITY) {
			i++;
			continue;
		}
		doc_builder_add(b, (struct str){ s.p + from, i - from }, source + (uint32_t)from, false);
		doc_builder_add(b, (struct str){ bytes, n }, source + (uint32_t)i, true);
		from = i += len;
	}
	doc_builder_add(b, str_from(s, from), source + (uint32_t)from, false);
	return true;
}

/* Ends `before` with a part's name and "=", at its beginning or behind a comma: O=  or  C=US, O= */
static bool ends_with_part_name(struct str before)
{
	size_t n = before.n && before.p[before.n - 1] == '=' ? before.n - 1 : 0, from = n;

	while (from && (ascii_is_alpha(before.p[from - 1]) || ascii_is_digit(before.p[from - 1]) || before.p[from - 1] == '.'))
		from--;
	if (from == n)
		return false;
	before = str_trim(str_first(before, from));
	return !before.n || before.p[before.n - 1] == ',';
}

size_t text_literal_end(struct str s, char quote, bool *quoted)
{
	size_t at = str_find_char(s, quote);

	*quoted = false;
	while (at != SIZE_MAX && ends_with_part_name(str_first(s, at))) {
		struct str inner = str_from(s, at + 1), after;
		size_t n = str_find_char(inner, quote);

		if (n == SIZE_MAX || n == 0)
			break;
		after = str_from(inner, n + 1);
		inner = str_first(inner, n);
		if (ascii_is_space(*inner.p) || str_find_char(inner, '=') != SIZE_MAX || str_find_char(inner, '<') != SIZE_MAX
		    || !after.n || (*after.p != ',' && *after.p != quote))
			break;
		*quoted = true;
		n += at + 2;
		at = str_find_char(str_from(s, n), quote);
		at = at == SIZE_MAX ? at : at + n;
	}
	return at;
}
