#include "core/liquid/internal.h"

/* Filters on text. Characters are Unicode code points; case is changed for ASCII and Latin-1, Greek and Cyrillic letters
 * whose other case is a fixed distance away. */

static GH_RC give(struct run *r, struct buf *b, struct liquid_value *out)
{
	struct str s = buf_ok(b) ? arena_dup(r->a, buf_view(b)) : STR_NULL;

	buf_release(b);
	if (str_is_null(s))
		NO_MEMORY(r->err);
	*out = liquid_of_text(s);
	return GH_RC_OK;
}

static GH_RC input(struct run *r, struct liquid_value in, struct str *s, struct buf *b)
{
	buf_init(b, text_room(r->a));
	return arg_text(r, in, s);
}

/* ---- case ---------------------------------------------------------------------------------------------------------- */

static uint32_t change_case(uint32_t c, bool up)
{
	static const struct {
		uint32_t from, to, distance;      /* lower-case letters and how far up the capital stands */
	} ranges[] = { { 'a', 'z', 32 }, { 0xE0, 0xF6, 32 }, { 0xF8, 0xFE, 32 }, { 0x3B1, 0x3C1, 32 }, { 0x3C3, 0x3C9, 32 },
		       { 0x430, 0x44F, 32 }, { 0x450, 0x45F, 80 } };

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		uint32_t d = ranges[i].distance;

		if (up && c >= ranges[i].from && c <= ranges[i].to)
			return c - d;
		if (!up && c >= ranges[i].from - d && c <= ranges[i].to - d)
			return c + d;
	}
	if ((c >= 0x100 && c < 0x130) || (c >= 0x14A && c < 0x178))
		return up ? c & ~1u : c | 1u;
	return c;
}

static void add_case(struct buf *b, struct str *s, bool up)
{
	uint32_t c;
	unsigned n = utf8_decode(*s, &c);
	char enc[4];

	if (n)
		buf_add(b, enc, utf8_encode(change_case(c, up), enc));
	else
		buf_add(b, s->p, n = 1);
	*s = str_from(*s, n);
}

static GH_RC all_case(struct run *r, struct liquid_value in, struct liquid_value *out, bool up)
{
	struct str s;
	struct buf b;

	TRY(input(r, in, &s, &b));
	while (s.n)
		add_case(&b, &s, up);
	return give(r, &b, out);
}

static GH_RC f_upcase(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	return all_case(r, in, out, true);
}

static GH_RC f_downcase(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	return all_case(r, in, out, false);
}

static bool all_upper(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] >= 'a' && word.p[i] <= 'z')
			return false;
	return word.n > 1;
}

/* .NET's title case: the first letter of each word; a word in capitals is taken for an acronym and kept. */
static void title_case(struct buf *b, struct str s)
{
	while (s.n) {
		size_t n = 0;
		struct str word;

		while (n < s.n && !ascii_is_space(s.p[n]))
			n++;
		word = str_first(s, n);
		s = str_from(s, n);
		if (all_upper(word)) {
			buf_str(b, word);
		} else if (word.n) {
			add_case(b, &word, true);
			while (word.n)
				add_case(b, &word, false);
		}
		if (s.n) {
			buf_char(b, s.p[0]);
			s = str_from(s, 1);
		}
	}
}

static GH_RC f_capitalize(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct str s;
	struct buf b;

	TRY(input(r, in, &s, &b));
	if (r->t->options.dialect == LIQUID_DOTLIQUID) {
		title_case(&b, s);
		return give(r, &b, out);
	}
	if (s.n)
		add_case(&b, &s, true);
	while (s.n)
		add_case(&b, &s, false);
	return give(r, &b, out);
}

/* ---- putting together and taking away ------------------------------------------------------------------------------ */

gh_rc join_texts(struct run *r, struct liquid_value first, struct liquid_value second, struct liquid_value *out)
{
	struct str s, more;
	struct buf b;

	TRY(input(r, first, &s, &b));
	TRY(arg_text(r, second, &more));
	buf_str(&b, s);
	buf_str(&b, more);
	return give(r, &b, out);
}

static GH_RC f_append(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return join_texts(r, in, a->v[0], out);
}

static GH_RC f_prepend(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return join_texts(r, a->v[0], in, out);
}

enum which { ALL, FIRST, LAST };

static size_t find_last(struct str s, struct str part)
{
	if (part.n > s.n)
		return SIZE_MAX;
	for (size_t i = s.n - part.n + 1; i--;)
		if (str_eq(str_first(str_from(s, i), part.n), part))
			return i;
	return SIZE_MAX;
}

/* An empty part stands between all characters. */
static void replace_nothing(struct buf *b, struct str s, struct str with)
{
	while (s.n) {
		unsigned n = utf8_decode(s, NULL);

		n = n ? n : 1;
		buf_str(b, with);
		buf_add(b, s.p, n);
		s = str_from(s, n);
	}
	buf_str(b, with);
}

static GH_RC replace(struct run *r, struct liquid_value in, struct liquid_value what, struct liquid_value by,
		     enum which which, struct liquid_value *out)
{
	struct str s, part, with;
	struct buf b;
	size_t at;

	TRY(input(r, in, &s, &b));
	TRY(arg_text(r, what, &part));
	TRY(arg_text(r, by, &with));
	if (which == ALL && !part.n) {
		replace_nothing(&b, s, with);
		return give(r, &b, out);
	}
	while ((at = which == LAST ? find_last(s, part) : str_find(s, part)) != SIZE_MAX) {
		buf_str(&b, str_first(s, at));
		buf_str(&b, with);
		s = str_from(s, at + part.n);
		if (which != ALL || b.failed)
			break;
	}
	buf_str(&b, s);
	return give(r, &b, out);
}

static GH_RC f_replace(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return replace(r, in, a->v[0], a->v[1], ALL, out);
}

static GH_RC f_replace_first(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return replace(r, in, a->v[0], a->v[1], FIRST, out);
}

static GH_RC f_replace_last(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return replace(r, in, a->v[0], a->v[1], LAST, out);
}

static GH_RC f_remove(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return replace(r, in, a->v[0], LIQUID_NIL_VALUE, ALL, out);
}

static GH_RC f_remove_first(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return replace(r, in, a->v[0], LIQUID_NIL_VALUE, FIRST, out);
}

static GH_RC f_remove_last(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	return replace(r, in, a->v[0], LIQUID_NIL_VALUE, LAST, out);
}

/* ---- white space and lines ----------------------------------------------------------------------------------------- */

static GH_RC trim(struct run *r, struct liquid_value in, bool left, bool right, struct liquid_value *out)
{
	struct str s;

	TRY(arg_text(r, in, &s));
	while (left && s.n && ascii_is_space(s.p[0]))
		s = str_from(s, 1);
	while (right && s.n && ascii_is_space(s.p[s.n - 1]))
		s.n--;
	*out = liquid_of_text(s);
	return GH_RC_OK;
}

static GH_RC f_strip(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	return trim(r, in, true, true, out);
}

static GH_RC f_lstrip(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	return trim(r, in, true, false, out);
}

static GH_RC f_rstrip(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	return trim(r, in, false, true, out);
}

static GH_RC lines(struct run *r, struct liquid_value in, const char *between, struct liquid_value *out)
{
	struct str s, line;
	struct buf b;
	bool first = true;

	TRY(input(r, in, &s, &b));
	for (; str_split(&s, '\n', &line); first = false) {
		if (!first)
			buf_cstr(&b, between);
		if (!str_is_null(s) && line.n && line.p[line.n - 1] == '\r')
			line.n--;
		buf_str(&b, line);
	}
	return give(r, &b, out);
}

static GH_RC f_strip_newlines(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	return lines(r, in, "", out);
}

static GH_RC f_newline_to_br(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	return lines(r, in, "<br />\n", out);
}

/* ---- cutting ------------------------------------------------------------------------------------------------------- */

static size_t char_count(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
	return n;
}

/* Bytes of the first n characters. */
static size_t char_bytes(struct str s, size_t n)
{
	size_t i = 0;

	for (; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xC0) != 0x80 && n-- == 0)
			break;
	return i;
}

static GH_RC f_truncate(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct str s, end = STR("...");
	int64_t length = 50;
	size_t keep, end_chars;
	struct buf b;

	TRY(input(r, in, &s, &b));
	if (a->n > 0 && in.kind != LIQUID_NIL)
		TRY(arg_int(r, a, 0, &length));
	if (a->n > 1)
		TRY(arg_text(r, a->v[1], &end));
	if (length < 0)
		length = 0;
	if (char_count(s) <= (size_t)length) {
		*out = liquid_of_text(s);
		return GH_RC_OK;
	}
	end_chars = char_count(end);
	keep = (size_t)length > end_chars ? (size_t)length - end_chars : 0;
	buf_str(&b, str_first(s, char_bytes(s, keep)));
	buf_str(&b, end);
	return give(r, &b, out);
}

static bool next_word(struct str *rest, struct str *word)
{
	size_t n = 0;

	*rest = str_trim(*rest);
	while (n < rest->n && !ascii_is_space(rest->p[n]))
		n++;
	*word = str_first(*rest, n);
	*rest = str_from(*rest, n);
	return n > 0;
}

static GH_RC f_truncatewords(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct str s, rest, word, end = STR("...");
	int64_t words = 15;
	struct buf b;

	TRY(input(r, in, &s, &b));
	if (a->n > 0 && in.kind != LIQUID_NIL)
		TRY(arg_int(r, a, 0, &words));
	if (a->n > 1)
		TRY(arg_text(r, a->v[1], &end));
	if (words < 1)
		words = 1;
	rest = s;
	for (int64_t i = 0; i < words && next_word(&rest, &word); i++) {
		if (i)
			buf_char(&b, ' ');
		buf_str(&b, word);
	}
	if (!next_word(&rest, &word)) {
		buf_release(&b);
		*out = liquid_of_text(s);
		return GH_RC_OK;
	}
	buf_str(&b, end);
	return give(r, &b, out);
}

static GH_RC slice_text(struct str s, int64_t from, int64_t n, struct liquid_value *out)
{
	int64_t chars = (int64_t)char_count(s);
	size_t begin, end;

	if (from < 0)
		from += chars;
	if (from < 0 || from > chars || n <= 0) {
		*out = liquid_of_text(STR(""));
		return GH_RC_OK;
	}
	if (n > chars - from)
		n = chars - from;
	begin = char_bytes(s, (size_t)from);
	end = char_bytes(s, (size_t)(from + n));
	*out = liquid_of_text(str_first(str_from(s, begin), end - begin));
	return GH_RC_OK;
}

static GH_RC f_slice(struct run *r, struct liquid_value in, const struct args *a, struct liquid_value *out)
{
	struct liquid_list *l;
	int64_t from, n = 1;
	struct seq s;
	struct str text;

	TRY(arg_int(r, a, 0, &from));
	if (a->n > 1 && a->v[1].kind != LIQUID_NIL)
		TRY(arg_int(r, a, 1, &n));
	if (value_is_text(in) || !value_seq(in, r->a, &s)) {
		TRY(arg_text(r, in, &text));
		return slice_text(text, from, n, out);
	}
	l = liquid_list_new(r->a);
	if (from < 0)
		from += (int64_t)s.n;
	for (int64_t i = from; i >= 0 && i < (int64_t)s.n && n > 0; i++, n--)
		liquid_push(l, seq_at(&s, (size_t)i));
	*out = liquid_of_list(l);
	return GH_RC_OK;
}

/* ---- HTML ---------------------------------------------------------------------------------------------------------- */

static GH_RC f_escape(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct str s;
	struct buf b;

	TRY(input(r, in, &s, &b));
	liquid_escape_html(&b, s);
	return give(r, &b, out);
}

/* "&name;" or "&#digits;" at the front: its length, or 0. */
static size_t entity_length(struct str s)
{
	size_t n = 1;

	if (!s.n || s.p[0] != '&')
		return 0;
	n += n < s.n && s.p[n] == '#';
	while (n < s.n && n < 12 && (ascii_is_alpha(s.p[n]) || ascii_is_digit(s.p[n])))
		n++;
	return n > 2 && n < s.n && s.p[n] == ';' ? n + 1 : 0;
}

static GH_RC f_escape_once(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct str s;
	struct buf b;

	TRY(input(r, in, &s, &b));
	while (s.n) {
		size_t n = entity_length(s);

		if (n)
			buf_add(&b, s.p, n);
		else
			liquid_escape_html(&b, str_first(s, n = 1));
		s = str_from(s, n);
	}
	return give(r, &b, out);
}

/* Length of the element, comment or tag at the front of s, which begins with '<'; 0 when it never ends. */
static size_t tag_length(struct str s)
{
	static const struct {
		struct str open, close;
	} whole[] = { { STR_INIT("<script"), STR_INIT("</script>") },
		      { STR_INIT("<style"), STR_INIT("</style>") },
		      { STR_INIT("<!--"), STR_INIT("-->") } };
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (str_starts_ci(s, whole[i].open) && (n = str_find(s, whole[i].close)) != SIZE_MAX)
			return n + whole[i].close.n;
	n = str_find_char(s, '>');
	return n == SIZE_MAX ? 0 : n + 1;
}

static GH_RC f_strip_html(struct run *r, struct liquid_value in, const struct args *a UNUSED, struct liquid_value *out)
{
	struct str s;
	struct buf b;
	size_t at, n;

	TRY(input(r, in, &s, &b));
	while ((at = str_find_char(s, '<')) != SIZE_MAX && (n = tag_length(str_from(s, at)))) {
		buf_str(&b, str_first(s, at));
		s = str_from(s, at + n);
	}
	buf_str(&b, s);
	return give(r, &b, out);
}

enum { EVERYWHERE = FILTER_STANDARD | FILTER_DOTLIQUID };

const struct filter filters_text[] = {
	{ "append", f_append, 1, 1, EVERYWHERE, NULL },
	{ "capitalize", f_capitalize, 0, 0, EVERYWHERE, NULL },
	{ "downcase", f_downcase, 0, 0, EVERYWHERE, NULL },
	{ "escape", f_escape, 0, 0, EVERYWHERE, NULL },
	{ "escape_once", f_escape_once, 0, 0, FILTER_STANDARD, NULL },
	{ "h", f_escape, 0, 0, EVERYWHERE, NULL },
	{ "lstrip", f_lstrip, 0, 0, EVERYWHERE, NULL },
	{ "newline_to_br", f_newline_to_br, 0, 0, EVERYWHERE, NULL },
	{ "prepend", f_prepend, 1, 1, EVERYWHERE, NULL },
	{ "remove", f_remove, 1, 1, EVERYWHERE, NULL },
	{ "remove_first", f_remove_first, 1, 1, EVERYWHERE, NULL },
	{ "remove_last", f_remove_last, 1, 1, FILTER_STANDARD, NULL },
	{ "replace", f_replace, 1, 2, EVERYWHERE, NULL },
	{ "replace_first", f_replace_first, 1, 2, EVERYWHERE, NULL },
	{ "replace_last", f_replace_last, 2, 2, FILTER_STANDARD, NULL },
	{ "rstrip", f_rstrip, 0, 0, EVERYWHERE, NULL },
	{ "slice", f_slice, 1, 2, EVERYWHERE, NULL },
	{ "strip", f_strip, 0, 0, EVERYWHERE, NULL },
	{ "strip_html", f_strip_html, 0, 0, EVERYWHERE, NULL },
	{ "strip_newlines", f_strip_newlines, 0, 0, EVERYWHERE, NULL },
	{ "truncate", f_truncate, 0, 2, EVERYWHERE, NULL },
	{ "truncatewords", f_truncatewords, 0, 2, FILTER_STANDARD, NULL },
	{ "truncate_words", f_truncatewords, 0, 2, FILTER_DOTLIQUID, NULL },
	{ "upcase", f_upcase, 0, 0, EVERYWHERE, NULL },
	{ NULL, NULL, 0, 0, 0, NULL },
};
