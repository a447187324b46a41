/* parse.c - what all parts of the parser share, types, and the frame "@(…)" / "@{…}".
 *
 * Recursive descent over an array of tokens, so that looking ahead (is this a cast? a lambda? a generic call?) is moving
 * an index. The first error ends the parse: what would follow is seldom true. */
#include <stdarg.h>
#include <stdio.h>

#include "core/str.h"
#include "policy/diag.h"
#include "policy/expr/expr.h"
#include "policy/expr/parse.h"

void *expr_error(struct compilation *c, size_t at, const char *fmt, ...)
{
	unsigned line = c->line, column = c->column;
	char text[600];
	va_list ap;

	if (c->errors++ || c->quiet) {
		if (c->quiet)
			c->errors = 1;
		return NULL;
	}
	for (size_t i = 0; i < at && i < c->source.n; i++) {
		column++;
		if (c->source.p[i] == '\n') {
			line++;
			column = 1;
		}
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	policy_error(c->diags, line, column, "%s", text);
	return NULL;
}

struct syntax *parse_node(struct parser *p, enum syntax_kind kind, size_t at)
{
	struct syntax *s = arena_new_of(p->c->arena, struct syntax);

	if (!s) {
		p->failed = true;
		return expr_error(p->c, at, "out of memory");
	}
	s->kind = kind;
	s->at = (uint32_t)at;
	return s;
}

bool parse_tokens(struct parser *p, size_t from, size_t to)
{
	struct lexer l = { .source = { p->c->source.p, to }, .at = from };
	size_t cap = 0;

	p->n = p->at = 0;
	for (;;) {
		if (p->n == cap) {
			size_t bigger = cap ? cap * 2 : 64;
			struct token *t = arena_alloc_raw(p->c->arena, bigger * sizeof(*t));

			if (!t)
				return expr_error(p->c, from, "out of memory");
			if (p->n)
				memcpy(t, p->t, p->n * sizeof(*t));
			p->t = t;
			cap = bigger;
		}
		p->t[p->n] = lex_next(&l);
		if (p->t[p->n].kind == TOKEN_BAD)
			return expr_error(p->c, p->t[p->n].at, "%s", l.what);
		if (p->t[p->n++].kind == TOKEN_END)
			return true;
	}
}

/* What C# has and expressions have not, where the next token shows it; NULL: something else. */
static const char *not_here(struct parser *p)
{
	const struct token *t = parse_peek(p);

	if (t->kind != TOKEN_END && str_eq(parse_word(p, t), STR("ref")))
		return "`ref` stands before arguments, parameters and variables only; a function cannot return a reference";
	return NULL;
}

void *parse_error(struct parser *p, const char *expected)
{
	const struct token *t = parse_peek(p);
	const char *other = not_here(p);

	p->failed = true;
	if (other)
		return expr_error(p->c, t->at, "%s", other);
	if (t->kind == TOKEN_END)
		return expr_error(p->c, t->at, "expected %s, but the expression ends here", expected);
	return expr_error(p->c, t->at, "expected %s, found `%.*s`", expected, STR_ARG(str_first(parse_word(p, t), 40)));
}

bool parse_enter(struct parser *p)
{
	if (p->depth >= SYNTAX_DEPTH_MAX) {
		p->failed = true;
		expr_error(p->c, parse_peek(p)->at, "nested too deeply: more than %d levels", SYNTAX_DEPTH_MAX);
		return false;
	}
	p->depth++;
	return true;
}

bool parse_expect(struct parser *p, uint32_t id)
{
	char text[8] = "`";
	size_t n = 1;

	if (parse_accept(p, id))
		return true;
	for (int shift = 16; shift >= 0; shift -= 8)
		if ((id >> shift & 0xFF) && id < KW_none)
			text[n++] = (char)(id >> shift & 0xFF);
	text[n] = '`';
	parse_error(p, id == KW_in ? "`in`" : id == KW_while ? "`while`" : text);
	return false;
}

bool parse_is_word(struct parser *p, const char *word)
{
	return p->t[p->at].kind == TOKEN_NAME && str_eq(parse_word(p, &p->t[p->at]), str_of(word));
}

/* ---- types -------------------------------------------------------------------------------------------------------------- */

static bool is_type_keyword(const struct token *t)
{
	switch (t->id) {
	case KW_bool: case KW_byte: case KW_char: case KW_decimal: case KW_double: case KW_float: case KW_int: case KW_long:
	case KW_object: case KW_sbyte: case KW_short: case KW_string: case KW_uint: case KW_ulong: case KW_ushort:
	case KW_void:
		return t->kind == TOKEN_KEYWORD;
	default:
		return false;
	}
}

static bool at_id(struct parser *p, size_t at, uint32_t id)
{
	return p->t[at].id == id && p->t[at].kind == TOKEN_PUNCT;
}

static bool skip_type_arguments(struct parser *p, size_t *at)
{
	do {
		++*at;                          /* "<" or "," */
		if (!parse_skip_type(p, at))
			return false;
	} while (at_id(p, *at, ','));
	if (!at_id(p, *at, '>'))
		return false;
	++*at;
	return true;
}

static bool skip_tuple_type(struct parser *p, size_t *at)
{
	unsigned n = 0;

	do {
		++*at;                          /* "(" or "," */
		if (!parse_skip_type(p, at))
			return false;
		if (p->t[*at].kind == TOKEN_NAME)
			++*at;
		n++;
	} while (at_id(p, *at, ','));
	if (n < 2 || !at_id(p, *at, ')'))
		return false;
	++*at;
	return true;
}

/* The "]" of "[]" or "[,]" that begins at `at`; 0: something stands between. */
static size_t rank_end(struct parser *p, size_t at)
{
	for (at++; at_id(p, at, ','); at++)
		;
	return at_id(p, at, ']') ? at : 0;
}

bool parse_skip_type(struct parser *p, size_t *at)
{
	if (at_id(p, *at, '(')) {
		if (!skip_tuple_type(p, at))
			return false;
	} else if (is_type_keyword(&p->t[*at])) {
		++*at;
	} else {
		for (;;) {
			if (p->t[*at].kind != TOKEN_NAME)
				return false;
			++*at;
			if (at_id(p, *at, '<') && !skip_type_arguments(p, at))
				return false;
			if (!at_id(p, *at, '.') || p->t[*at + 1].kind != TOKEN_NAME)
				break;
			++*at;
		}
	}
	for (;;) {
		if (at_id(p, *at, '?'))
			++*at;
		else if ((at_id(p, *at, '[') || at_id(p, *at, P2('?', '['))) && rank_end(p, *at))
			*at = rank_end(p, *at) + 1;
		else
			return true;
	}
}

static struct syntax *type_arguments(struct parser *p)
{
	struct syntax *first = NULL, **last = &first;

	do {
		*last = parse_type(p);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	} while (parse_accept(p, ','));
	return parse_expect(p, '>') ? first : NULL;
}

static struct syntax *simple_type(struct parser *p)
{
	const struct token *t = parse_peek(p);
	struct syntax *s = parse_node(p, SX_TYPE, t->at);
	size_t from = t->at, to;

	if (!s)
		return NULL;
	if (is_type_keyword(t)) {
		p->at++;
		s->text = parse_word(p, t);
		return s;
	}
	for (;;) {
		if (parse_peek(p)->kind != TOKEN_NAME)
			return parse_error(p, "a type");
		to = parse_peek(p)->at + parse_peek(p)->n;
		p->at++;
		if (!parse_is(p, '.') || p->t[p->at + 1].kind != TOKEN_NAME)
			break;
		p->at++;
	}
	s->text = (struct str){ p->c->source.p + from, to - from };
	if (parse_accept(p, '<')) {
		s->b = type_arguments(p);
		if (!s->b)
			return NULL;
	}
	return s;
}

/* (int, string) or (int count, string name) */
static struct syntax *tuple_type(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_TYPE, parse_peek(p)->at), **last;

	if (!s)
		return NULL;
	p->at++;
	s->flag = true;
	s->text = STR("ValueTuple");
	last = &s->b;
	do {
		*last = parse_type(p);
		if (!*last)
			return NULL;
		if (parse_peek(p)->kind == TOKEN_NAME) {
			(*last)->text2 = parse_word(p, parse_peek(p));
			p->at++;
		}
		last = &(*last)->next;
	} while (parse_accept(p, ','));
	if (!s->b->next)
		return parse_error(p, "`,` and a second type of the tuple");
	return parse_expect(p, ')') ? s : NULL;
}

/* "[,]": a type around the one of its elements. */
static struct syntax *dimensions(struct parser *p, struct syntax *element)
{
	struct syntax *s = parse_node(p, SX_TYPE, element->at);
	size_t end = rank_end(p, p->at);

	if (!s)
		return NULL;
	if (element->n || at_id(p, end + 1, '['))
		return parse_error(p, "arrays either of one dimension or of several, not both in one type");
	s->a = element;
	s->op = (uint32_t)(end - p->at);
	p->at = end + 1;
	return s;
}

struct syntax *parse_type(struct parser *p)
{
	struct syntax *s, *outer;

	if (!parse_enter(p))
		return NULL;
	s = parse_is(p, '(') ? tuple_type(p) : simple_type(p);
	p->depth--;
	while (s) {
		bool optional_array = parse_is(p, P2('?', '[')) && at_id(p, p->at + 1, ']');

		if (parse_accept(p, '?') || optional_array) {
			if (s->op || s->n) {
				outer = parse_node(p, SX_TYPE, s->at);
				if (!outer)
					return NULL;
				outer->a = s;
				s = outer;
			}
			s->op = 1;
		}
		if (optional_array || (parse_is(p, '[') && at_id(p, p->at + 1, ']'))) {
			p->at += 2;
			s->n++;
		} else if (parse_is(p, '[') && at_id(p, p->at + 1, ',') && rank_end(p, p->at)) {
			s = dimensions(p, s);
		} else if (!parse_is(p, '?')) {
			return s;
		}
	}
	return NULL;
}

struct syntax *parse_parameters(struct parser *p)
{
	struct syntax *first = NULL, **last = &first;

	if (!parse_expect(p, '('))
		return NULL;
	while (!parse_is(p, ')')) {
		struct syntax *s = parse_node(p, SX_PARAMETER, parse_peek(p)->at);

		if (!s)
			return NULL;
		if (parse_is(p, KW_ref) || parse_is(p, KW_out) || parse_is(p, KW_params))
			s->op = p->t[p->at++].id;
		s->a = parse_type(p);
		if (!s->a)
			return NULL;
		if (parse_peek(p)->kind != TOKEN_NAME)
			return parse_error(p, "the name of a parameter");
		s->text = parse_word(p, parse_peek(p));
		p->at++;
		if (parse_accept(p, '=') && !(s->b = parse_expression(p)))
			return NULL;
		*last = s;
		last = &s->next;
		if (!parse_accept(p, ','))
			break;
	}
	if (!parse_expect(p, ')'))
		return NULL;
	return first;
}

struct syntax *parse_source(struct compilation *c)
{
	struct parser p = { .c = c };
	struct str s = c->source;
	size_t end;
	const char *what;
	struct syntax *result;

	if (s.n > UINT32_MAX / 2)
		return expr_error(c, 0, "the expression is too long");
	end = expr_scan(s, &what);
	if (!end)
		return expr_error(c, 0, "%s", what);
	if (str_trim(str_from(s, end)).n)
		return expr_error(c, end, "text after the end of the expression");
	if (!parse_tokens(&p, s.p[1] == '(' ? 2 : 1, s.p[1] == '(' ? end - 1 : end))
		return NULL;
	if (s.p[1] == '(' && parse_is(&p, ';'))
		return parse_error(&p, "an expression");
	result = s.p[1] == '(' ? parse_expression(&p) : parse_braces(&p);
	if (!result)
		return NULL;
	if (s.p[1] == '(' && parse_is(&p, ';'))
		return expr_error(c, parse_peek(&p)->at, "`@(…)` takes one expression without `;`; use `@{ return …; }` for statements");
	if (parse_peek(&p)->kind != TOKEN_END)
		return parse_error(&p, "an operator or the end of the expression");
	return result;
}
