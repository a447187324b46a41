#include "policy/expr/lex.h"

#include <stdlib.h>

#include "core/str.h"

/* Strings decide everything here: a bracket inside "…", @"…", $"…{ … }…", 'c' or a comment is text, and an interpolated
 * string holds expressions that hold strings. lex_next and lex_hole_end therefore call each other, to a bounded depth. */

enum { HOLE_DEPTH = 16 };

static size_t string_end(struct str s, size_t at, bool verbatim, bool interpolated, unsigned depth);

static bool name_start(unsigned char c)
{
	return ascii_is_alpha((char)c) || c == '_' || c >= 0x80;
}

static bool name_char(unsigned char c)
{
	return name_start(c) || ascii_is_digit((char)c);
}

static char peek(struct str s, size_t at)
{
	return at < s.n ? s.p[at] : '\0';
}

/* Past white space and comments; SIZE_MAX when a comment does not end. */
static size_t skip_blank(struct str s, size_t at)
{
	while (at < s.n) {
		if (ascii_is_space(s.p[at])) {
			at++;
		} else if (s.p[at] == '/' && peek(s, at + 1) == '/') {
			while (at < s.n && s.p[at] != '\n')
				at++;
		} else if (s.p[at] == '/' && peek(s, at + 1) == '*') {
			size_t end = str_find(str_from(s, at + 2), STR("*/"));

			if (end == SIZE_MAX)
				return SIZE_MAX;
			at += 2 + end + 2;
		} else if ((unsigned char)s.p[at] == 0xC2 && (unsigned char)peek(s, at + 1) == 0xA0) {
			at += 2;                /* no-break space, pasted from web pages */
		} else if (at + 2 < s.n && memcmp(s.p + at, "\xEF\xBB\xBF", 3) == 0) {
			at += 3;
		} else {
			break;
		}
	}
	return at;
}

/* Past a string or char that starts at `at`, or `at` when none does; 0 when it does not end. */
static size_t skip_string(struct str s, size_t at, unsigned depth)
{
	size_t open = at;
	bool verbatim = false, interpolated = false;

	while (peek(s, open) == '@' || peek(s, open) == '$') {
		if (s.p[open] == '@')
			verbatim = true;
		else
			interpolated = true;
		open++;
	}
	if (open > at + 2)
		return at;
	if (peek(s, open) == '"')
		return string_end(s, open + 1, verbatim, interpolated, depth);
	if (open > at || peek(s, at) != '\'')
		return at;
	for (at++; at < s.n && s.p[at] != '\'' && s.p[at] != '\n'; at++)
		if (s.p[at] == '\\')
			at++;
	return peek(s, at) == '\'' ? at + 1 : 0;
}

static size_t hole_end(struct str s, size_t at, unsigned depth)
{
	int open = 0;

	if (depth > HOLE_DEPTH)
		return 0;
	while (at < s.n) {
		size_t next = skip_string(s, at, depth);
		char c = s.p[at];

		if (next == 0)
			return 0;
		if (next > at) {
			at = next;
			continue;
		}
		if (c == '/' && peek(s, at + 1) == '*') {
			at = skip_blank(s, at);
			if (at == SIZE_MAX)
				return 0;
			continue;
		}
		if (c == '(' || c == '[' || c == '{')
			open++;
		else if (c == ')' || c == ']' || c == '}')
			open--;
		if (open == 0)
			return at;
		at++;
	}
	return 0;
}

size_t lex_hole_end(struct str source, size_t at)
{
	return hole_end(source, at, 0);
}

static size_t string_end(struct str s, size_t at, bool verbatim, bool interpolated, unsigned depth)
{
	while (at < s.n) {
		char c = s.p[at];

		if (c == '"') {
			if (!verbatim || peek(s, at + 1) != '"')
				return at + 1;
			at += 2;
		} else if (c == '\\' && !verbatim) {
			at += 2;
		} else if (c == '{' && interpolated) {
			if (peek(s, at + 1) == '{') {
				at += 2;
				continue;
			}
			at = hole_end(s, at, depth + 1);
			if (at == 0)
				return 0;
			at++;
		} else {
			at++;
		}
	}
	return 0;
}

static const struct keyword_row {
	const char *word;
	enum keyword id;
} keywords[] = {
#define X(word) { #word, KW_##word },
	LEX_KEYWORDS(X)
#undef X
};

static int keyword_order(const void *key, const void *row)
{
	const struct str *s = key;
	const char *word = ((const struct keyword_row *)row)->word;
	int order = strncmp(s->p, word, s->n);

	return order ? order : (word[s->n] ? -1 : 0);
}

static void take_name(struct lexer *l, struct token *t)
{
	struct str s = l->source;
	bool escaped = s.p[l->at] == '@';
	struct str name;

	if (escaped)
		l->at++, t->at++;
	while (l->at < s.n && name_char((unsigned char)s.p[l->at]))
		l->at++;
	t->kind = TOKEN_NAME;
	t->n = (uint32_t)l->at - t->at;
	name = (struct str){ s.p + t->at, t->n };
	if (!escaped && name.n <= 9) {
		const void *row = bsearch(&name, keywords, ARRAY_LEN(keywords), sizeof(keywords[0]), keyword_order);

		if (row) {
			t->kind = TOKEN_KEYWORD;
			t->id = ((const struct keyword_row *)row)->id;
		}
	}
}

static void take_number(struct lexer *l, struct token *t)
{
	struct str s = l->source;
	bool hex = s.p[l->at] == '0' && (peek(s, l->at + 1) | 0x20) == 'x';

	while (l->at < s.n) {
		char c = s.p[l->at];

		if (ascii_is_digit(c) || ascii_is_alpha(c) || c == '_')
			l->at++;
		else if (c == '.' && !hex && ascii_is_digit(peek(s, l->at + 1)))
			l->at++;
		else if ((c == '+' || c == '-') && !hex && (s.p[l->at - 1] | 0x20) == 'e')
			l->at++;
		else
			break;
	}
	t->kind = TOKEN_NUMBER;
}

static void take_punct(struct lexer *l, struct token *t)
{
	static const char two[][3] = { "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "?[", "=>", "+=", "-=", "*=", "/=",
				       "%=", "&=", "|=", "^=", "++", "--", "<<", "::", "->" };
	struct str rest = str_from(l->source, l->at);

	t->kind = TOKEN_PUNCT;
	if (str_starts(rest, STR("<<="))) {
		t->id = P3('<', '<', '=');
		l->at += 3;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(two); i++)
		if (rest.n >= 2 && memcmp(rest.p, two[i], 2) == 0) {
			/* `a ?[1]` cannot be told from `a ? [..]`, but C# 7 has no collection expressions; "?.5" is one */
			if (memcmp(two[i], "?.", 2) == 0 && rest.n > 2 && ascii_is_digit(rest.p[2]))
				continue;
			t->id = P2(two[i][0], two[i][1]);
			l->at += 2;
			return;
		}
	if (rest.p[0] == '\0' || !strchr("(){}[];,.:?<>=+-*/%&|^!~", rest.p[0])) {
		t->kind = TOKEN_BAD;
		l->what = "this character has no meaning in C#";
	}
	t->id = (unsigned char)rest.p[0];
	l->at++;
}

static void take_string(struct lexer *l, struct token *t, size_t end)
{
	struct str s = l->source;

	t->kind = s.p[l->at] == '\'' ? TOKEN_CHAR : TOKEN_STRING;
	for (size_t i = l->at; s.p[i] == '@' || s.p[i] == '$'; i++) {
		if (s.p[i] == '@')
			t->verbatim = true;
		else
			t->interpolated = true;
	}
	if (end == 0) {
		t->kind = TOKEN_BAD;
		l->what = s.p[l->at] == '\'' ? "a character is not closed by '" : "a string is not closed by \"";
		l->at = s.n;
	} else {
		l->at = end;
	}
}

struct token lex_next(struct lexer *l)
{
	struct str s = l->source;
	struct token t = { .kind = TOKEN_END };
	size_t start = skip_blank(s, l->at), end;

	if (start == SIZE_MAX) {
		t.kind = TOKEN_BAD;
		t.at = (uint32_t)l->at;
		l->what = "a comment is not closed by */";
		l->at = s.n;
		return t;
	}
	t.spaced = start > l->at;
	l->at = start;
	t.at = (uint32_t)start;
	if (start >= s.n)
		return t;
	end = skip_string(s, start, 0);
	if (end != start)
		take_string(l, &t, end);
	else if (name_start((unsigned char)s.p[start]) ||
		 (s.p[start] == '@' && name_start((unsigned char)peek(s, start + 1))))
		take_name(l, &t);
	else if (ascii_is_digit(s.p[start]) || (s.p[start] == '.' && ascii_is_digit(peek(s, start + 1))))
		take_number(l, &t);
	else
		take_punct(l, &t);
	t.n = (uint32_t)l->at - t.at;
	return t;
}
