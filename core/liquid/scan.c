#include "core/liquid/internal.h"

/* Text between tags is found by looking for the next "{{" or "{%"; a tag ends at the first "}}" or "%}", quotes or not,
 * as every Liquid does. */

static void advance(struct scanner *s, size_t n)
{
	for (size_t i = 0; i < n; i++, s->pos++) {
		if (s->source.p[s->pos] == '\n') {
			s->at.line++;
			s->at.column = 1;
		} else {
			s->at.column++;
		}
	}
}

static size_t next_opener(struct str rest)
{
	for (size_t i = 0; i + 1 < rest.n; i++) {
		const char *at = memchr(rest.p + i, '{', rest.n - 1 - i);

		if (!at)
			return SIZE_MAX;
		i = (size_t)(at - rest.p);
		if (at[1] == '{' || at[1] == '%')
			return i;
	}
	return SIZE_MAX;
}

static void split_name(struct token *t)
{
	size_t n = 0;

	if (t->text.n && t->text.p[0] == '#')
		n = 1;
	else
		while (n < t->text.n && (ascii_is_alpha(t->text.p[n]) || ascii_is_digit(t->text.p[n]) || t->text.p[n] == '_'))
			n++;
	t->tag_at = t->at;
	t->name = str_first(t->text, n);
	t->text = str_from(t->text, n);
	t->at.column += (int)n;
}

static void skip_space(struct scanner *s)
{
	while (s->pos < s->source.n && ascii_is_space(s->source.p[s->pos]))
		advance(s, 1);
}

static GH_RC scan_line(struct scanner *s, struct token *out)
{
	struct str rest;
	size_t n;

	skip_space(s);
	rest = str_from(s->source, s->pos);
	*out = (struct token){ .kind = TOKEN_END, .at = s->at };
	if (!rest.n)
		return GH_RC_OK;
	n = str_find_char(rest, '\n');
	out->kind = TOKEN_TAG;
	out->text = str_trim(str_first(rest, n));
	split_name(out);
	advance(s, n == SIZE_MAX ? rest.n : n);
	return GH_RC_OK;
}

static GH_RC scan_tag(struct scanner *s, struct token *out, struct gh_err *err)
{
	bool is_output = s->source.p[s->pos + 1] == '{';
	struct place start = s->at;
	struct str rest, inside;
	size_t n;

	advance(s, 2);
	if (s->pos < s->source.n && s->source.p[s->pos] == '-')
		advance(s, 1);
	rest = str_from(s->source, s->pos);
	n = str_find(rest, is_output ? STR("}}") : STR("%}"));
	if (n == SIZE_MAX)
		return fail_at(err, GH_E_SYNTAX, STR_NULL, start, "'%s' without its '%s'", is_output ? "{{" : "{%",
			       is_output ? "}}" : "%}");
	inside = str_first(rest, n);
	s->trim_next = inside.n && inside.p[inside.n - 1] == '-';
	if (s->trim_next)
		inside.n--;
	*out = (struct token){ .kind = is_output ? TOKEN_OUTPUT : TOKEN_TAG, .text = inside, .at = s->at };
	if (!is_output) {
		struct scanner inner = { .source = inside, .at = s->at };

		skip_space(&inner);
		out->text = str_trim(inside);
		out->at = inner.at;
		split_name(out);
	}
	advance(s, n + 2);
	return GH_RC_OK;
}

static bool opener_trims(struct str rest, size_t n)
{
	return n != SIZE_MAX && n + 2 < rest.n && rest.p[n + 2] == '-';
}

GH_RC scan_next(struct scanner *s, struct token *out, struct gh_err *err)
{
	struct str rest, text;
	size_t n;

	if (s->lines)
		return scan_line(s, out);
	for (;;) {
		if (s->trim_next)
			skip_space(s);
		s->trim_next = false;
		rest = str_from(s->source, s->pos);
		if (!rest.n) {
			*out = (struct token){ .kind = TOKEN_END, .at = s->at };
			return GH_RC_OK;
		}
		n = next_opener(rest);
		if (n == 0)
			return scan_tag(s, out, err);
		text = str_first(rest, n);
		if (opener_trims(rest, n))
			while (text.n && ascii_is_space(text.p[text.n - 1]))
				text.n--;
		*out = (struct token){ .kind = TOKEN_TEXT, .text = text, .at = s->at };
		advance(s, n == SIZE_MAX ? rest.n : n);
		if (text.n)
			return GH_RC_OK;
	}
}

/* "{%- name -%}" at the front: its length, or 0. */
static size_t closing_tag(struct str rest, struct str name, bool *trims_before, bool *trims_after)
{
	size_t i = 2;

	*trims_before = i < rest.n && rest.p[i] == '-';
	i += *trims_before;
	while (i < rest.n && ascii_is_space(rest.p[i]))
		i++;
	if (!str_starts(str_from(rest, i), name))
		return 0;
	i += name.n;
	while (i < rest.n && ascii_is_space(rest.p[i]))
		i++;
	*trims_after = i < rest.n && rest.p[i] == '-';
	i += *trims_after;
	return str_starts(str_from(rest, i), STR("%}")) ? i + 2 : 0;
}

static bool line_until(struct scanner *s, struct str name, struct str *body)
{
	size_t begin = s->pos;

	while (s->pos < s->source.n) {
		size_t before = s->pos;
		struct token t;

		if (scan_line(s, &t).code || t.kind == TOKEN_END)
			return false;
		if (str_eq(t.name, name)) {
			*body = str_first(str_from(s->source, begin), before - begin);
			return true;
		}
	}
	return false;
}

bool scan_until(struct scanner *s, struct str name, struct str *body)
{
	size_t begin;

	if (s->lines)
		return line_until(s, name, body);
	if (s->trim_next)
		skip_space(s);
	s->trim_next = false;
	begin = s->pos;
	for (;;) {
		struct str rest = str_from(s->source, s->pos);
		size_t at = str_find(rest, STR("{%")), n;
		bool before, after;

		if (at == SIZE_MAX)
			return false;
		advance(s, at);
		n = closing_tag(str_from(rest, at), name, &before, &after);
		if (!n) {
			advance(s, 2);
			continue;
		}
		*body = str_first(str_from(s->source, begin), s->pos - begin);
		if (before)
			while (body->n && ascii_is_space(body->p[body->n - 1]))
				body->n--;
		s->trim_next = after;
		advance(s, n);
		return true;
	}
}
