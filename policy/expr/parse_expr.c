/* parse_expr.c - expressions by precedence climbing; what is in question between a cast, a tuple, a lambda and a bracket is
 * decided by looking ahead. */
#include "core/str.h"
#include "policy/expr/parse.h"

static struct syntax *unary(struct parser *p);

static bool at_id(struct parser *p, size_t at, uint32_t id)
{
	return at < p->n && p->t[at].id == id && (p->t[at].kind == TOKEN_PUNCT || p->t[at].kind == TOKEN_KEYWORD);
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static bool out_argument(struct parser *p, struct syntax *arg)
{
	size_t at = p->at;

	arg->flag = true;
	if (parse_skip_type(p, &at) && p->t[at].kind == TOKEN_NAME && at > p->at) {
		arg->b = parse_type(p);
		if (!arg->b)
			return false;
		arg->text2 = parse_word(p, parse_peek(p));
		p->at++;
		return true;
	}
	arg->a = parse_expression(p);
	return arg->a != NULL;
}

static struct syntax *argument(struct parser *p)
{
	struct syntax *arg = parse_node(p, SX_ARGUMENT, parse_peek(p)->at);

	if (!arg)
		return NULL;
	if (parse_peek(p)->kind == TOKEN_NAME && at_id(p, p->at + 1, ':')) {
		arg->text = parse_word(p, parse_peek(p));
		p->at += 2;
	}
	if (parse_accept(p, KW_ref))
		arg->op = KW_ref;
	if (parse_accept(p, KW_out))
		return out_argument(p, arg) ? arg : NULL;
	arg->a = parse_expression(p);
	return arg->a ? arg : NULL;
}

struct syntax *parse_arguments(struct parser *p, uint32_t close)
{
	struct syntax *first = NULL, **last = &first;

	while (!parse_is(p, close)) {
		*last = argument(p);
		if (!*last) {
			p->failed = true;
			return NULL;
		}
		last = &(*last)->next;
		if (!parse_accept(p, ','))
			break;
	}
	if (!parse_accept(p, close))
		return parse_error(p, close == ')' ? "`,` or `)`" : "`,` or `]`");
	return first;
}

/* ---- postfix ------------------------------------------------------------------------------------------------------------ */

/* After a name: "<int>" when what follows shows that it was no comparison (C# 7 specification, 7.6.4.2). */
static bool generic_arguments_follow(struct parser *p)
{
	static const uint32_t after[] = { '(', ')', ']', '}', ':', ';', ',', '.', '?', P2('=', '='), P2('!', '='), '|', '^',
					  P2('&', '&'), P2('|', '|'), P2('?', '.'), P2('?', '?') };
	size_t at = p->at;

	if (!parse_is(p, '<'))
		return false;
	do {
		at++;
		if (!parse_skip_type(p, &at))
			return false;
	} while (at_id(p, at, ','));
	if (!at_id(p, at, '>'))
		return false;
	at++;
	if (p->t[at].kind == TOKEN_END)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(after); i++)
		if (at_id(p, at, after[i]))
			return true;
	return false;
}

static bool type_arguments(struct parser *p, struct syntax *s)
{
	struct syntax **last = &s->b;

	if (!generic_arguments_follow(p))
		return true;
	p->at++;
	do {
		*last = parse_type(p);
		if (!*last)
			return false;
		last = &(*last)->next;
	} while (parse_accept(p, ','));
	return parse_expect(p, '>');
}

static struct syntax *member(struct parser *p, struct syntax *target)
{
	const struct token *t = parse_peek(p);
	struct syntax *s = parse_node(p, SX_MEMBER, t->at);

	if (!s)
		return NULL;
	if (t->kind != TOKEN_NAME)
		return parse_error(p, "the name of a member");
	s->a = target;
	s->text = parse_word(p, t);
	p->at++;
	return type_arguments(p, s) ? s : NULL;
}

static struct syntax *bracket(struct parser *p, enum syntax_kind kind, struct syntax *target, size_t at)
{
	struct syntax *s = parse_node(p, kind, at);

	if (!s)
		return NULL;
	s->a = target;
	s->b = parse_arguments(p, kind == SX_CALL ? ')' : ']');
	if (kind == SX_INDEX && !s->b && !p->failed)
		return parse_error(p, "an index");
	return p->failed ? NULL : s;
}

static struct syntax *postfix(struct parser *p, struct syntax *s);

static struct syntax *conditional(struct parser *p, struct syntax *target, bool index, size_t at)
{
	struct syntax *s = parse_node(p, SX_CONDITIONAL, at), *receiver = parse_node(p, SX_RECEIVER, at), *rest;

	if (!s || !receiver || !parse_enter(p))
		return NULL;
	s->a = target;
	rest = index ? bracket(p, SX_INDEX, receiver, at) : member(p, receiver);
	s->b = rest ? postfix(p, rest) : NULL;
	p->depth--;
	return s->b ? s : NULL;
}

static struct syntax *increment(struct parser *p, struct syntax *target, uint32_t op)
{
	struct syntax *s = parse_node(p, SX_UNARY, target->at);

	if (!s)
		return NULL;
	s->op = op;
	s->flag = true;
	s->a = target;
	return s;
}

static struct syntax *postfix(struct parser *p, struct syntax *s)
{
	unsigned chain = 0;

	while (s) {
		const struct token *t = parse_peek(p);

		if (++chain > 4 * SYNTAX_DEPTH_MAX)
			return parse_error(p, "a shorter chain of calls");
		if (parse_accept(p, '.'))
			s = member(p, s);
		else if (parse_accept(p, '('))
			s = bracket(p, SX_CALL, s, t->at);
		else if (parse_accept(p, '['))
			s = bracket(p, SX_INDEX, s, t->at);
		else if (parse_accept(p, P2('?', '.')))
			return conditional(p, s, false, t->at);
		else if (parse_accept(p, P2('?', '[')))
			return conditional(p, s, true, t->at);
		else if (parse_accept(p, P2('+', '+')) || parse_accept(p, P2('-', '-')))
			s = increment(p, s, t->id);
		else if (parse_is(p, '!') && at_id(p, p->at + 1, '.'))
			p->at++;                /* the null-forgiving a!.b of later versions means nothing at run time */
		else
			return s;
	}
	return NULL;
}

/* ---- primary ------------------------------------------------------------------------------------------------------------ */

static struct syntax *name(struct parser *p)
{
	const struct token *t = parse_peek(p);
	struct syntax *s = parse_node(p, SX_NAME, t->at);

	if (!s)
		return NULL;
	s->text = parse_word(p, t);
	p->at++;
	if (str_eq(s->text, STR("nameof")) && parse_is(p, '(')) {
		size_t at = p->at + 1;

		while (p->t[at].kind == TOKEN_NAME && at_id(p, at + 1, '.'))
			at += 2;
		if (p->t[at].kind == TOKEN_NAME && at_id(p, at + 1, ')')) {
			s->kind = SX_NAMEOF;
			s->text = parse_word(p, &p->t[at]);
			p->at = at + 2;
			return s;
		}
	}
	return type_arguments(p, s) ? s : NULL;
}

/* int.Parse, string.Empty: a keyword type as a target. */
static struct syntax *keyword_type(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_NAME, parse_peek(p)->at);

	if (!s)
		return NULL;
	s->text = parse_word(p, parse_peek(p));
	p->at++;
	return s;
}

static struct syntax *tuple(struct parser *p, struct syntax *first, size_t at)
{
	struct syntax *s = parse_node(p, SX_TUPLE, at), **last;

	if (!s)
		return NULL;
	s->a = first;
	last = &first->next;
	while (parse_accept(p, ',')) {
		*last = argument(p);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	return parse_expect(p, ')') ? s : NULL;
}

static struct syntax *parenthesised(struct parser *p)
{
	size_t at = parse_peek(p)->at;
	struct syntax *first;

	p->at++;
	if (!parse_enter(p))
		return NULL;
	first = argument(p);
	p->depth--;
	if (!first)
		return NULL;
	if (parse_is(p, ',') || first->text.n)
		return tuple(p, first, at);
	return parse_expect(p, ')') ? first->a : NULL;
}

static struct syntax *wrapped(struct parser *p, enum syntax_kind kind)   /* keyword "(" expression or type ")" */
{
	struct syntax *s = parse_node(p, kind, parse_peek(p)->at);

	if (!s)
		return NULL;
	s->flag = parse_is(p, KW_unchecked);
	p->at++;
	if (kind == SX_DEFAULT && !parse_is(p, '('))
		return s;
	if (!parse_expect(p, '('))
		return NULL;
	s->a = kind == SX_CHECKED ? parse_expression(p) : parse_type(p);
	return s->a && parse_expect(p, ')') ? s : NULL;
}

static struct syntax *primary(struct parser *p)
{
	const struct token *t = parse_peek(p);

	switch (t->kind) {
	case TOKEN_NAME:
		return parse_is_query_word(p, t) ? parse_error(p, "an expression") : name(p);
	case TOKEN_NUMBER:
	case TOKEN_CHAR:
		return parse_literal(p);
	case TOKEN_STRING:
		return t->interpolated ? parse_interpolated(p) : parse_literal(p);
	case TOKEN_PUNCT:
		if (t->id == '(')
			return parenthesised(p);
		break;
	case TOKEN_KEYWORD:
		switch (t->id) {
		case KW_null: case KW_true: case KW_false:
			return parse_literal(p);
		case KW_new:
			return parse_new(p);
		case KW_typeof:
			return wrapped(p, SX_TYPEOF);
		case KW_default:
			return wrapped(p, SX_DEFAULT);
		case KW_checked: case KW_unchecked:
			return wrapped(p, SX_CHECKED);
		case KW_bool: case KW_byte: case KW_char: case KW_decimal: case KW_double: case KW_float: case KW_int:
		case KW_long: case KW_object: case KW_sbyte: case KW_short: case KW_string: case KW_uint: case KW_ulong:
		case KW_ushort:
			return keyword_type(p);
		default:
			break;
		}
		break;
	default:
		break;
	}
	return parse_error(p, "an expression");
}

/* "(T)x": T must be a type, and what follows must be able to start an operand (C# 7 specification, 7.7.6). */
static bool cast_follows(struct parser *p)
{
	size_t at = p->at + 1;
	bool certain;
	const struct token *t;

	if (!parse_is(p, '(') || !parse_skip_type(p, &at) || !at_id(p, at, ')'))
		return false;
	certain = p->t[p->at + 1].kind == TOKEN_KEYWORD || p->t[at - 1].kind == TOKEN_PUNCT;
	t = &p->t[at + 1];
	if (parse_is_query_word(p, t))
		return false;
	if (t->kind == TOKEN_NAME || t->kind == TOKEN_NUMBER || t->kind == TOKEN_STRING || t->kind == TOKEN_CHAR)
		return true;
	if (t->kind == TOKEN_KEYWORD)
		return t->id != KW_as && t->id != KW_is && t->id != KW_in;
	if (t->kind != TOKEN_PUNCT)
		return false;
	return t->id == '(' || t->id == '!' || t->id == '~' || (certain && (t->id == '-' || t->id == '+'));
}

static struct syntax *cast(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_CAST, parse_peek(p)->at);

	if (!s || !parse_enter(p))
		return NULL;
	p->at++;
	s->a = parse_type(p);
	if (!s->a || !parse_expect(p, ')'))
		return NULL;
	s->b = unary(p);
	p->depth--;
	return s->b ? s : NULL;
}

static struct syntax *unary(struct parser *p)
{
	static const uint32_t operators[] = { '+', '-', '!', '~', P2('+', '+'), P2('-', '-') };
	const struct token *t = parse_peek(p);
	bool is_lambda = false;
	struct syntax *s = parse_lambda(p, &is_lambda);

	if (is_lambda)
		return s;
	if (cast_follows(p))
		return cast(p);
	for (size_t i = 0; t->kind == TOKEN_PUNCT && i < ARRAY_LEN(operators); i++)
		if (t->id == operators[i]) {
			s = parse_node(p, SX_UNARY, t->at);
			if (!s || !parse_enter(p))
				return NULL;
			p->at++;
			s->op = t->id;
			s->a = unary(p);
			p->depth--;
			return s->a ? s : NULL;
		}
	if (t->kind == TOKEN_KEYWORD && t->id == KW_throw) {
		s = parse_node(p, SX_THROW_EXPR, t->at);
		p->at++;
		if (!s || !(s->a = parse_expression(p)))
			return NULL;
		return s;
	}
	return postfix(p, primary(p));
}

/* ---- binary operators --------------------------------------------------------------------------------------------------- */

enum { COALESCE = 1, RELATIONAL = 8, SHIFT = 9 };

static const struct {
	uint32_t op;
	int precedence;
} binary_operators[] = {
	{ P2('?', '?'), COALESCE }, { P2('|', '|'), 2 }, { P2('&', '&'), 3 }, { '|', 4 }, { '^', 5 }, { '&', 6 },
	{ P2('=', '='), 7 }, { P2('!', '='), 7 }, { '<', RELATIONAL }, { '>', RELATIONAL }, { P2('<', '='), RELATIONAL },
	{ P2('>', '='), RELATIONAL }, { P2('<', '<'), SHIFT }, { '+', 10 }, { '-', 10 }, { '*', 11 }, { '/', 11 },
	{ '%', 11 },
};

/* ">" ">" without white space between is a shift, ">" ">=" its assignment. */
static bool shift_right(struct parser *p, bool assign)
{
	const struct token *t = parse_peek(p);
	uint32_t second = assign ? P2('>', '=') : (uint32_t)'>';

	return t->kind == TOKEN_PUNCT && t->id == '>' && at_id(p, p->at + 1, second) && !t[1].spaced;
}

static uint32_t binary_operator(struct parser *p, int *precedence, size_t *tokens)
{
	const struct token *t = parse_peek(p);

	*tokens = 1;
	*precedence = RELATIONAL;
	if (t->kind == TOKEN_KEYWORD && (t->id == KW_is || t->id == KW_as))
		return t->id;
	if (t->kind != TOKEN_PUNCT || shift_right(p, true))
		return 0;
	if (shift_right(p, false)) {
		*tokens = 2;
		*precedence = SHIFT;
		return P2('>', '>');
	}
	for (size_t i = 0; i < ARRAY_LEN(binary_operators); i++)
		if (binary_operators[i].op == t->id) {
			*precedence = binary_operators[i].precedence;
			return t->id;
		}
	return 0;
}

/* A type after is/as: its "?" belongs to a conditional operator when an operand follows. */
static struct syntax *tested_type(struct parser *p)
{
	size_t at = p->at, question;
	enum token_kind after;
	struct syntax *s;

	if (!parse_skip_type(p, &at) || !at_id(p, at - 1, '?'))
		return parse_type(p);
	question = at - 1;
	after = p->t[at].kind;
	if (after != TOKEN_NAME && after != TOKEN_NUMBER && after != TOKEN_STRING && after != TOKEN_CHAR &&
	    after != TOKEN_KEYWORD && !at_id(p, at, '(') && !at_id(p, at, '!') && !at_id(p, at, '-'))
		return parse_type(p);
	p->t[question].kind = TOKEN_END;
	s = parse_type(p);
	p->t[question].kind = TOKEN_PUNCT;
	return s;
}

static struct syntax *type_test(struct parser *p, struct syntax *left, uint32_t op)
{
	struct syntax *s = parse_node(p, op == KW_is ? SX_IS : SX_AS, left->at);
	size_t at = p->at;

	if (!s)
		return NULL;
	s->a = left;
	if (op == KW_is && (!parse_skip_type(p, &at) || at_id(p, at, '.') || at_id(p, at, '('))) {
		s->c = unary(p);                /* is null, is 5, is "text" */
		return s->c ? s : NULL;
	}
	s->b = tested_type(p);
	if (!s->b)
		return NULL;
	if (op == KW_is && parse_peek(p)->kind == TOKEN_NAME && !parse_is_word(p, "when") &&
	    !parse_is_query_word(p, parse_peek(p))) {
		s->text2 = parse_word(p, parse_peek(p));
		p->at++;
	}
	return s;
}

static struct syntax *binary(struct parser *p, int lowest)
{
	struct syntax *left = unary(p), *s;
	unsigned chain = 0;

	while (left) {
		int precedence;
		size_t tokens;
		uint32_t op = binary_operator(p, &precedence, &tokens);

		if (!op || precedence < lowest)
			return left;
		if (++chain > 4 * SYNTAX_DEPTH_MAX)
			return parse_error(p, "a shorter expression: split it with variables");
		p->at += tokens;
		if (op == KW_is || op == KW_as) {
			left = type_test(p, left, op);
			continue;
		}
		s = parse_node(p, SX_BINARY, p->t[p->at - tokens].at);
		if (!s || !parse_enter(p))
			return NULL;
		s->op = op;
		s->a = left;
		s->b = binary(p, op == P2('?', '?') ? precedence : precedence + 1);
		p->depth--;
		left = s->b ? s : NULL;
	}
	return NULL;
}

static uint32_t assignment_operator(struct parser *p)
{
	static const struct {
		uint32_t token, op;
	} rows[] = {
		{ '=', '=' }, { P2('+', '='), '+' }, { P2('-', '='), '-' }, { P2('*', '='), '*' }, { P2('/', '='), '/' },
		{ P2('%', '='), '%' }, { P2('&', '='), '&' }, { P2('|', '='), '|' }, { P2('^', '='), '^' },
		{ P3('<', '<', '='), P2('<', '<') },
	};

	if (shift_right(p, true)) {
		p->at += 2;
		return P2('>', '>');
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (parse_accept(p, rows[i].token))
			return rows[i].op;
	return 0;
}

static struct syntax *ternary(struct parser *p, struct syntax *condition)
{
	struct syntax *s = parse_node(p, SX_TERNARY, parse_peek(p)->at);

	if (!s)
		return NULL;
	p->at++;
	s->a = condition;
	s->b = parse_expression(p);
	if (!s->b || !parse_expect(p, ':'))
		return NULL;
	s->c = parse_expression(p);
	return s->c ? s : NULL;
}

struct syntax *parse_expression(struct parser *p)
{
	struct syntax *left, *s;
	size_t at;

	if (!parse_enter(p))
		return NULL;
	left = parse_query_follows(p) ? parse_query(p) : binary(p, COALESCE);
	at = parse_peek(p)->at;
	if (left && parse_is(p, '?')) {
		left = ternary(p, left);
	} else if (left) {
		uint32_t op = assignment_operator(p);

		if (op) {
			s = parse_node(p, SX_ASSIGN, at);
			if (!s)
				return NULL;
			s->op = op;
			s->a = left;
			s->b = parse_expression(p);
			left = s->b ? s : NULL;
		}
	}
	p->depth--;
	return left;
}
