/* parse_value.c - literals, interpolated strings, `new` and lambdas. */
#include <stdlib.h>

#include "core/str.h"
#include "policy/expr/class.h"
#include "policy/expr/decimal.h"
#include "policy/expr/parse.h"
#include "policy/expr/text.h"

enum { DIGITS_MAX = 128 };

static void *bad_number(struct parser *p, const struct token *t)
{
	p->failed = true;
	return expr_error(p->c, t->at, "`%.*s` is not a number that C# knows", STR_ARG(str_first(parse_word(p, t), 40)));
}

static bool real_number(struct parser *p, const char *digits, char suffix, struct value *out)
{
	struct decimal d;

	if (suffix == 'm') {
		if (strpbrk(digits, "eE")) {
			if (!decimal_of_double(strtod(digits, NULL), &d))
				return false;
		} else if (!decimal_parse(str_of(digits), &d)) {
			return false;
		}
		*out = decimal_value(p->c->arena, d);
		return true;
	}
	*out = value_double(strtod(digits, NULL));
	if (suffix == 'f') {
		out->kind = VALUE_FLOAT;
		out->d = (float)out->d;
	}
	return true;
}

static bool whole_number(const char *digits, bool is_unsigned, bool is_long, struct value *out)
{
	uint64_t u = 0;
	unsigned base = digits[0] == '0' && ascii_lower(digits[1]) == 'x' ? 16 : digits[0] == '0' &&
			ascii_lower(digits[1]) == 'b' ? 2 : 10;

	for (const char *d = base == 10 ? digits : digits + 2; *d; d++) {
		unsigned digit = ascii_is_digit(*d) ? (unsigned)(*d - '0') : (unsigned)(ascii_lower(*d) - 'a' + 10);

		if (digit >= base || __builtin_mul_overflow(u, base, &u) || __builtin_add_overflow(u, digit, &u))
			return false;
	}
	if (!is_unsigned && !is_long && u <= INT32_MAX)
		*out = value_of(VALUE_INT, (int64_t)u);
	else if (!is_long && u <= UINT32_MAX)
		*out = value_of(VALUE_UINT, (int64_t)u);
	else if (!is_unsigned && u <= INT64_MAX)
		*out = value_of(VALUE_LONG, (int64_t)u);
	else
		*out = value_of(VALUE_ULONG, (int64_t)u);
	return base == 10 ? *digits != '\0' : digits[2] != '\0';
}

static bool number(struct parser *p, const struct token *t, struct value *out)
{
	char digits[DIGITS_MAX + 1];
	struct str text = parse_word(p, t);
	size_t n = 0;
	bool hex = text.n > 1 && ascii_lower(text.p[1]) == 'x', is_unsigned = false, is_long = false;
	char suffix = '\0';

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '_') {
			if (n == DIGITS_MAX)
				return false;
			digits[n++] = text.p[i];
		}
	for (; n > 1; n--) {
		char c = ascii_lower(digits[n - 1]);

		if (c == 'u')
			is_unsigned = true;
		else if (c == 'l')
			is_long = true;
		else if (!hex && (c == 'f' || c == 'd' || c == 'm'))
			suffix = c;
		else
			break;
	}
	digits[n] = '\0';
	if (suffix || (!hex && strpbrk(digits, ".eE")))
		return strspn(digits, "0123456789.eE+-") == n && !is_unsigned && !is_long &&
		       real_number(p, digits, suffix, out);
	return whole_number(digits, is_unsigned, is_long, out);
}

static bool quoted(struct parser *p, const struct token *t, struct value *out)
{
	struct str text = parse_word(p, t), inner;
	const char *what;
	size_t open = str_find_char(text, t->kind == TOKEN_CHAR ? '\'' : '"');

	inner = (struct str){ text.p + open + 1, text.n - open - 2 };
	inner = lex_unescape(p->c->arena, inner, t->verbatim, false, &what);
	if (!inner.p) {
		p->failed = true;
		expr_error(p->c, t->at, "%s", what);
		return false;
	}
	*out = value_string(p->c->arena, inner, false);
	if (t->kind == TOKEN_CHAR) {
		if (out->kind != VALUE_STRING || text_length(out->text) != 1) {
			p->failed = true;
			expr_error(p->c, t->at, "'…' holds exactly one character; use \"…\" for a string");
			return false;
		}
		*out = value_char(text_unit(out->text, 0));
	}
	return true;
}

struct syntax *parse_literal(struct parser *p)
{
	const struct token *t = parse_peek(p);
	struct syntax *s = parse_node(p, SX_LITERAL, t->at);

	if (!s)
		return NULL;
	p->at++;
	s->value = VALUE_NULL_INIT;
	if (t->kind == TOKEN_NUMBER && !number(p, t, &s->value))
		return bad_number(p, t);
	if ((t->kind == TOKEN_STRING || t->kind == TOKEN_CHAR) && !quoted(p, t, &s->value))
		return NULL;
	if (t->kind == TOKEN_KEYWORD && t->id != KW_null)
		s->value = value_bool(t->id == KW_true);
	s->op = s->value.kind;
	return s;
}

/* ---- interpolated strings ---------------------------------------------------------------------------------------------- */

/* Where the expression of a hole ends: at a "," or ":" outside of brackets, or at `end`. */
static size_t hole_part(struct str source, size_t from, size_t end, char *stop)
{
	struct lexer l = { .source = { source.p, end }, .at = from };
	int open = 0;

	for (;;) {
		struct token t = lex_next(&l);

		*stop = '\0';
		if (t.kind == TOKEN_END || t.kind == TOKEN_BAD)
			return end;
		if (t.kind != TOKEN_PUNCT)
			continue;
		if (t.id == '(' || t.id == '[' || t.id == '{' || t.id == P2('?', '['))
			open++;
		else if (t.id == ')' || t.id == ']' || t.id == '}')
			open--;
		else if (open == 0 && (t.id == ',' || t.id == ':')) {
			*stop = (char)t.id;
			return t.at;
		}
	}
}

static struct syntax *hole_expression(struct parser *p, size_t from, size_t to)
{
	struct parser sub = { .c = p->c, .depth = p->depth + 1 };
	struct syntax *s;

	if (!parse_tokens(&sub, from, to))
		return NULL;
	s = parse_expression(&sub);
	if (s && parse_peek(&sub)->kind != TOKEN_END)
		return parse_error(&sub, "the end of the hole `}`");
	return s;
}

static struct syntax *hole(struct parser *p, size_t open, size_t end, bool verbatim)
{
	struct syntax *s = parse_node(p, SX_HOLE, open);
	struct str source = p->c->source;
	const char *what;
	size_t stop_at;
	char stop;

	if (!s)
		return NULL;
	stop_at = hole_part(source, open + 1, end, &stop);
	s->a = hole_expression(p, open + 1, stop_at);
	if (!s->a)
		return NULL;
	if (stop == ',') {
		size_t from = stop_at + 1;

		stop_at = hole_part(source, from, end, &stop);
		s->b = hole_expression(p, from, stop_at);
		if (!s->b)
			return NULL;
	}
	if (stop == ':') {
		s->text = lex_unescape(p->c->arena, (struct str){ source.p + stop_at + 1, end - stop_at - 1 }, verbatim, true,
				       &what);
		if (!s->text.p)
			return expr_error(p->c, stop_at, "%s", what);
	}
	return s;
}

static struct syntax *text_part(struct parser *p, size_t from, size_t to, bool verbatim)
{
	struct syntax *s = parse_node(p, SX_LITERAL, from);
	const char *what;
	struct str text;

	if (!s)
		return NULL;
	text = lex_unescape(p->c->arena, (struct str){ p->c->source.p + from, to - from }, verbatim, true, &what);
	if (!text.p)
		return expr_error(p->c, from, "%s", what);
	s->value = value_string(p->c->arena, text, false);
	s->op = VALUE_STRING;
	return s;
}

struct syntax *parse_interpolated(struct parser *p)
{
	const struct token *t = parse_peek(p);
	struct str source = p->c->source;
	struct syntax *s = parse_node(p, SX_INTERPOLATED, t->at), **last;
	size_t end = t->at + t->n - 1, from = t->at;

	if (!s)
		return NULL;
	p->at++;
	last = &s->a;
	while (source.p[from++] != '"')
		;
	for (size_t at = from; at <= end; at++) {
		bool at_end = at == end;

		if (!at_end && source.p[at] == '\\' && !t->verbatim) {
			at++;
			continue;
		}
		if (!at_end && (source.p[at] == '{' || source.p[at] == '}' || source.p[at] == '"') &&
		    source.p[at + 1] == source.p[at] && at + 1 < end) {
			at++;
			continue;
		}
		if (!at_end && source.p[at] == '}')
			return expr_error(p->c, at, "a single `}` in an interpolated string is written `}}`");
		if (!at_end && source.p[at] != '{')
			continue;
		if (at > from) {
			*last = text_part(p, from, at, t->verbatim);
			if (!*last)
				return NULL;
			last = &(*last)->next;
		}
		if (at_end)
			break;
		from = lex_hole_end(source, at);
		*last = hole(p, at, from, t->verbatim);
		if (!*last)
			return NULL;
		last = &(*last)->next;
		at = from++;
	}
	return s;
}

/* ---- new ---------------------------------------------------------------------------------------------------------------- */

static struct syntax *initialiser(struct parser *p);

static struct syntax *init_item(struct parser *p)
{
	const struct token *t = parse_peek(p);
	struct syntax *s;

	if (parse_is(p, '{'))
		return initialiser(p);
	if (parse_is(p, '[')) {
		s = parse_node(p, SX_INIT_INDEX, t->at);
		p->at++;
		if (!s)
			return NULL;
		s->b = parse_arguments(p, ']');
		if (p->failed || !parse_expect(p, '='))
			return NULL;
		s->a = parse_is(p, '{') ? initialiser(p) : parse_expression(p);
		return s->a ? s : NULL;
	}
	if (t->kind == TOKEN_NAME && t[1].kind == TOKEN_PUNCT && t[1].id == '=') {
		s = parse_node(p, SX_INIT_MEMBER, t->at);
		if (!s)
			return NULL;
		s->text = parse_word(p, t);
		p->at += 2;
		s->a = parse_is(p, '{') ? initialiser(p) : parse_expression(p);
		return s->a ? s : NULL;
	}
	return parse_expression(p);
}

static struct syntax *initialiser(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_INITIALISER, parse_peek(p)->at), **last;

	if (!s || !parse_enter(p))
		return NULL;
	p->at++;
	last = &s->a;
	while (!parse_is(p, '}')) {
		*last = init_item(p);
		if (!*last)
			return NULL;
		last = &(*last)->next;
		if (!parse_accept(p, ','))
			break;
	}
	p->depth--;
	return parse_accept(p, '}') ? s : parse_error(p, "`,` or `}`");
}

static struct syntax *anonymous(struct parser *p, struct syntax *s)
{
	struct syntax **last = &s->a;

	s->kind = SX_NEW_ANONYMOUS;
	p->at++;
	while (!parse_is(p, '}')) {
		const struct token *t = parse_peek(p);
		struct syntax *item = parse_node(p, SX_ARGUMENT, t->at);

		if (!item)
			return NULL;
		if (t->kind == TOKEN_NAME && t[1].kind == TOKEN_PUNCT && t[1].id == '=') {
			item->text = parse_word(p, t);
			p->at += 2;
		}
		item->a = parse_expression(p);
		if (!item->a)
			return NULL;
		if (!item->text.n && (item->a->kind == SX_NAME || item->a->kind == SX_MEMBER))
			item->text = item->a->text;
		if (!item->text.n && item->a->kind == SX_CONDITIONAL && item->a->b->kind == SX_MEMBER)
			item->text = item->a->b->text;
		if (!item->text.n)
			return expr_error(p->c, item->at, "a member of an anonymous type needs a name: `name = value`");
		*last = item;
		last = &item->next;
		if (!parse_accept(p, ','))
			break;
	}
	return parse_accept(p, '}') ? s : parse_error(p, "`,` or `}`");
}

/* The element type, then "[n]" or "[]" with more empty ranks behind. */
static struct syntax *new_array(struct parser *p, struct syntax *s)
{
	s->kind = SX_NEW_ARRAY;
	if (parse_is(p, '[')) {
		p->at++;
		if (!parse_is(p, ']')) {
			s->b = parse_arguments(p, ']');
			if (p->failed)
				return NULL;
			while (parse_is(p, '[') && parse_peek(p)[1].kind == TOKEN_PUNCT && parse_peek(p)[1].id == ']') {
				p->at += 2;
				s->n++;
			}
		} else {
			p->at++;
		}
	}
	if (parse_is(p, '{')) {
		s->c = initialiser(p);
		return s->c ? s : NULL;
	}
	return s->b ? s : parse_error(p, "the size of the array or `{` with its elements");
}

struct syntax *parse_array_elements(struct parser *p, const struct syntax *type)
{
	struct syntax *s = parse_node(p, SX_NEW_ARRAY, parse_peek(p)->at), *element = parse_node(p, SX_TYPE, type->at);

	if (!s || !element)
		return NULL;
	*element = *type;
	if (element->n) {
		element->n--;
	} else {
		s->op = element->op;
		element = element->a;
	}
	s->a = element;
	s->c = initialiser(p);
	return s->c ? s : NULL;
}

struct syntax *parse_new(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_NEW, parse_peek(p)->at);

	if (!s)
		return NULL;
	p->at++;
	if (parse_is(p, '{'))
		return anonymous(p, s);
	if (parse_is(p, '[')) {
		if (parse_peek(p)[1].kind == TOKEN_PUNCT && parse_peek(p)[1].id == ']')
			return new_array(p, s);
		return parse_error(p, "the type of the elements, or `[]` with the elements");
	}
	s->a = parse_type(p);
	if (!s->a)
		return NULL;
	if (s->a->n) {                          /* T[] { … }: the last rank belongs to the array itself */
		s->a->n--;
		return new_array(p, s);
	}
	if (s->a->a && s->a->op > 1) {          /* T[,] { … } */
		s->op = s->a->op;
		s->a = s->a->a;
		return new_array(p, s);
	}
	if (parse_is(p, '['))
		return new_array(p, s);
	if (parse_accept(p, '(')) {
		s->b = parse_arguments(p, ')');
		if (p->failed)
			return NULL;
		s->flag = true;
	} else if (!parse_is(p, '{')) {
		return parse_error(p, "`(`, `[` or `{`");
	}
	if (parse_is(p, '{') && !(s->c = initialiser(p)))
		return NULL;
	return s;
}

/* ---- lambdas ------------------------------------------------------------------------------------------------------------ */

size_t parse_closing(struct parser *p, size_t at)
{
	int open = 0;

	for (; at < p->n; at++) {
		if (p->t[at].kind != TOKEN_PUNCT)
			continue;
		if (p->t[at].id == '(')
			open++;
		else if (p->t[at].id == ')' && --open == 0)
			return at;
	}
	return 0;
}

static bool untyped_parameters(struct parser *p, struct syntax *s)
{
	struct syntax **last = &s->a;
	bool bracket = parse_accept(p, '(');

	do {
		struct syntax *one;

		if (bracket && parse_is(p, ')'))
			break;
		one = parse_node(p, SX_PARAMETER, parse_peek(p)->at);
		if (!one)
			return false;
		if (parse_peek(p)->kind != TOKEN_NAME)
			return parse_error(p, "the name of a parameter");
		one->text = parse_word(p, parse_peek(p));
		p->at++;
		*last = one;
		last = &one->next;
	} while (bracket && parse_accept(p, ','));
	return !bracket || parse_expect(p, ')');
}

struct syntax *parse_lambda(struct parser *p, bool *is_lambda)
{
	const struct token *t = parse_peek(p);
	size_t close = t->kind == TOKEN_PUNCT && t->id == '(' ? parse_closing(p, p->at) : 0, arrow = p->at + 1;
	struct syntax *s;

	if (t->kind != TOKEN_NAME && !close)
		return NULL;
	if (close)
		arrow = close + 1;
	if (p->t[arrow].kind != TOKEN_PUNCT || p->t[arrow].id != P2('=', '>'))
		return NULL;
	*is_lambda = true;
	s = parse_node(p, SX_LAMBDA, t->at);
	if (!s || !parse_enter(p))
		return NULL;
	if (close > p->at + 2 && t[2].id != ',') {      /* (T x, …) */
		s->a = parse_parameters(p);
		if (!s->a)
			return NULL;
	} else if (!untyped_parameters(p, s)) {
		return NULL;
	}
	if (!parse_expect(p, P2('=', '>')))
		return NULL;
	s->b = parse_is(p, '{') ? parse_braces(p) : parse_expression(p);
	p->depth--;
	return s->b ? s : NULL;
}
