/* parse_stmt.c - statements. */
#include "core/str.h"
#include "policy/expr/parse.h"

static struct syntax *statement(struct parser *p);

enum { TYPE_PARAMETERS_MAX = 4 };    /* of a local function */

static struct syntax *expression_then(struct parser *p, struct syntax *s, uint32_t close)
{
	s->a = parse_expression(p);
	return s->a && parse_expect(p, close) ? s : NULL;
}

static struct syntax *list_until_brace(struct parser *p)
{
	struct syntax *first = NULL, **last = &first;

	while (!parse_is(p, '}')) {
		if (parse_peek(p)->kind == TOKEN_END)
			return parse_error(p, "`}`");
		*last = statement(p);
		if (!*last) {
			p->failed = true;
			return NULL;
		}
		last = &(*last)->next;
	}
	return first;
}

struct syntax *parse_braces(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_BLOCK, parse_peek(p)->at);

	if (!s || !parse_enter(p) || !parse_expect(p, '{'))
		return NULL;
	s->a = list_until_brace(p);
	p->depth--;
	return !p->failed && parse_expect(p, '}') ? s : NULL;
}

static bool is_var(const struct syntax *type)
{
	return str_eq(type->text, STR("var")) && !type->b && !type->n && !type->op && !type->a;
}

static bool at_ref(const struct parser *p)
{
	return p->t[p->at + 1].kind == TOKEN_KEYWORD && p->t[p->at + 1].id == KW_ref;
}

static struct syntax *declarators(struct parser *p, struct syntax *s)
{
	struct syntax **last = &s->b;

	do {
		struct syntax *d = parse_node(p, SX_DECLARATOR, parse_peek(p)->at);

		if (!d)
			return NULL;
		if (parse_peek(p)->kind != TOKEN_NAME)
			return parse_error(p, "the name of a variable");
		d->text = parse_word(p, parse_peek(p));
		p->at++;
		if (s->op == KW_ref && !(parse_is(p, '=') && at_ref(p)))
			return parse_error(p, "`= ref` and what the variable stands for");
		if (s->op == KW_ref)
			p->at++;
		if (parse_accept(p, '=') || s->op == KW_ref) {
			p->at += s->op == KW_ref;
			d->a = parse_is(p, '{') && s->a && (s->a->n || s->a->op > 1) ? parse_array_elements(p, s->a) : parse_expression(p);
			if (!d->a)
				return NULL;
		}
		*last = d;
		last = &d->next;
	} while (parse_accept(p, ','));
	return s;
}

/* "T name" followed by what may follow a declared name. */
static bool declaration_follows(struct parser *p)
{
	size_t at = p->at;
	const struct token *t;

	if (parse_is(p, KW_const) || parse_is(p, KW_ref))
		return true;
	if (!parse_skip_type(p, &at) || p->t[at].kind != TOKEN_NAME)
		return false;
	t = &p->t[at + 1];
	return t->kind == TOKEN_PUNCT && (t->id == '=' || t->id == ';' || t->id == ',');
}

/* "T name(" or "T name<U>(" */
static bool function_follows(struct parser *p)
{
	size_t at = p->at;

	if (!parse_skip_type(p, &at) || p->t[at].kind != TOKEN_NAME || parse_is_word(p, "await"))
		return false;
	at++;
	if (p->t[at].kind == TOKEN_PUNCT && p->t[at].id == '<') {
		do {
			at++;
			if (p->t[at++].kind != TOKEN_NAME)
				return false;
		} while (p->t[at].kind == TOKEN_PUNCT && p->t[at].id == ',');
		if (p->t[at].kind != TOKEN_PUNCT || p->t[at++].id != '>')
			return false;
	}
	return p->t[at].kind == TOKEN_PUNCT && p->t[at].id == '(';
}

static bool type_parameters(struct parser *p, struct syntax *s)
{
	struct syntax **last = &s->d;
	unsigned n = 0;

	if (!parse_accept(p, '<'))
		return true;
	do {
		*last = parse_node(p, SX_NAME, parse_peek(p)->at);
		if (!*last)
			return false;
		if (++n > TYPE_PARAMETERS_MAX)
			return parse_error(p, "at most 4 type parameters");
		(*last)->text = parse_word(p, parse_peek(p));
		p->at++;
		last = &(*last)->next;
	} while (parse_accept(p, ','));
	return parse_expect(p, '>');
}

static struct syntax *declaration(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_LOCAL, parse_peek(p)->at);

	if (!s)
		return NULL;
	s->flag = parse_accept(p, KW_const);
	if (parse_accept(p, KW_ref))
		s->op = KW_ref;
	s->a = parse_type(p);
	if (!s->a)
		return NULL;
	if (is_var(s->a))
		s->a = NULL;
	return declarators(p, s);
}

static struct syntax *function(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_FUNCTION, parse_peek(p)->at);

	if (!s)
		return NULL;
	s->a = parse_type(p);
	if (!s->a)
		return NULL;
	s->text = parse_word(p, parse_peek(p));
	p->at++;
	if (!type_parameters(p, s))
		return NULL;
	s->b = parse_parameters(p);
	if (!s->b && (p->failed || p->c->errors))
		return NULL;
	if (parse_accept(p, P2('=', '>'))) {
		s->c = parse_expression(p);
		return s->c && parse_expect(p, ';') ? s : NULL;
	}
	s->c = parse_braces(p);
	return s->c ? s : NULL;
}

static bool variable_name(struct parser *p, struct syntax *s)
{
	if (parse_peek(p)->kind != TOKEN_NAME)
		return parse_error(p, "the name of a variable");
	s->text = parse_word(p, parse_peek(p));
	p->at++;
	return true;
}

/* "T x" or "var x": the type goes into a, NULL for var. */
static bool variable(struct parser *p, struct syntax *s)
{
	s->a = parse_type(p);
	if (!s->a)
		return false;
	if (is_var(s->a))
		s->a = NULL;
	return variable_name(p, s);
}

/* One of "(x, int y, (a, b), _, place)". */
static struct syntax *target(struct parser *p, bool declares)
{
	struct syntax *s = parse_node(p, SX_TARGET, parse_peek(p)->at);
	size_t at = p->at;

	if (!s)
		return NULL;
	if (parse_is(p, '(') && !(parse_skip_type(p, &at) && p->t[at].kind == TOKEN_NAME)) {
		s->b = parse_targets(p, declares);
		return s->b ? s : NULL;
	}
	at = p->at;
	if (!declares && !(parse_skip_type(p, &at) && p->t[at].kind == TOKEN_NAME)) {
		if (parse_is_word(p, "_") && p->t[p->at + 1].kind == TOKEN_PUNCT &&
		    (p->t[p->at + 1].id == ',' || p->t[p->at + 1].id == ')'))
			s->text = parse_word(p, &p->t[p->at++]);
		else
			s->c = parse_expression(p);
		return s->text.n || s->c ? s : NULL;
	}
	return (declares ? variable_name(p, s) : variable(p, s)) ? s : NULL;
}

struct syntax *parse_targets(struct parser *p, bool declares)
{
	struct syntax *first = NULL, **last = &first;

	if (!parse_enter(p) || !parse_expect(p, '('))
		return NULL;
	do {
		*last = target(p, declares);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	} while (parse_accept(p, ','));
	p->depth--;
	return parse_expect(p, ')') ? first : NULL;
}

/* "var (x, y) = …;" or "(x, int y) = …;" */
static bool deconstruction_follows(struct parser *p)
{
	size_t close;

	if (parse_is_word(p, "var"))
		return p->t[p->at + 1].kind == TOKEN_PUNCT && p->t[p->at + 1].id == '(' &&
		       (close = parse_closing(p, p->at + 1)) != 0 && p->t[close + 1].kind == TOKEN_PUNCT &&
		       p->t[close + 1].id == '=';
	if (!parse_is(p, '('))
		return false;
	close = parse_closing(p, p->at);
	return close && p->t[close + 1].kind == TOKEN_PUNCT && p->t[close + 1].id == '=';
}

static struct syntax *deconstruction(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_DECONSTRUCT, parse_peek(p)->at);
	bool declares = parse_is_word(p, "var");

	if (!s)
		return NULL;
	p->at += declares;
	s->b = parse_targets(p, declares);
	return s->b && parse_expect(p, '=') ? expression_then(p, s, ';') : NULL;
}

static struct syntax *condition(struct parser *p, struct syntax *s)      /* keyword "(" a ")" */
{
	p->at++;
	return parse_expect(p, '(') ? expression_then(p, s, ')') : NULL;
}

static struct syntax *if_statement(struct parser *p, struct syntax *s)
{
	if (!condition(p, s))
		return NULL;
	s->b = statement(p);
	if (!s->b)
		return NULL;
	if (parse_accept(p, KW_else) && !(s->c = statement(p)))
		return NULL;
	return s;
}

static struct syntax *expression_statement(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_EXPRESSION, parse_peek(p)->at);

	if (!s)
		return NULL;
	s->a = parse_expression(p);
	return s->a ? s : NULL;
}

static bool expression_list(struct parser *p, uint32_t close, struct syntax **last)
{
	if (parse_accept(p, close))
		return true;
	do {
		*last = expression_statement(p);
		if (!*last)
			return false;
		last = &(*last)->next;
	} while (parse_accept(p, ','));
	return parse_expect(p, close);
}

static struct syntax *for_statement(struct parser *p, struct syntax *s)
{
	p->at++;
	if (!parse_expect(p, '('))
		return NULL;
	if (declaration_follows(p)) {
		s->a = declaration(p);
		if (!s->a || !parse_expect(p, ';'))
			return NULL;
	} else if (!expression_list(p, ';', &s->a)) {
		return NULL;
	}
	if (!parse_is(p, ';') && !(s->b = parse_expression(p)))
		return NULL;
	if (!parse_expect(p, ';') || !expression_list(p, ')', &s->c))
		return NULL;
	s->d = statement(p);
	return s->d ? s : NULL;
}

/* "T x", "var (x, y)" or "(T x, U y)" */
static bool foreach_item(struct parser *p, struct syntax *s)
{
	bool declares = parse_is_word(p, "var");
	size_t close;

	close = parse_closing(p, p->at + declares);
	if (p->t[p->at + declares].kind == TOKEN_PUNCT && p->t[p->at + declares].id == '(' && close &&
	    p->t[close + 1].kind == TOKEN_KEYWORD && p->t[close + 1].id == KW_in) {
		p->at += declares;
		s->c = parse_targets(p, declares);
		return s->c != NULL;
	}
	return variable(p, s);
}

static struct syntax *foreach_statement(struct parser *p, struct syntax *s)
{
	p->at++;
	if (!parse_expect(p, '(') || !foreach_item(p, s) || !parse_expect(p, KW_in))
		return NULL;
	s->b = parse_expression(p);
	if (!s->b || !parse_expect(p, ')'))
		return NULL;
	s->d = statement(p);
	return s->d ? s : NULL;
}

static struct syntax *do_statement(struct parser *p, struct syntax *s)
{
	p->at++;
	s->d = statement(p);
	if (!s->d || !parse_expect(p, KW_while) || !parse_expect(p, '('))
		return NULL;
	return expression_then(p, s, ')') && parse_expect(p, ';') ? s : NULL;
}

static struct syntax *label(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_LABEL, parse_peek(p)->at);
	size_t at = p->at + 1;

	if (!s)
		return NULL;
	if (parse_accept(p, KW_default))
		return parse_expect(p, ':') ? s : NULL;
	p->at++;
	/* "case T name:" or "case T name when …:"; anything else is a constant */
	if (parse_skip_type(p, &at) && p->t[at].kind == TOKEN_NAME) {
		s->b = parse_type(p);
		if (!s->b)
			return NULL;
		s->text2 = parse_word(p, parse_peek(p));
		p->at++;
	} else {
		s->a = parse_expression(p);
		if (!s->a)
			return NULL;
	}
	if (parse_is_word(p, "when")) {
		p->at++;
		s->c = parse_expression(p);
		if (!s->c)
			return NULL;
	}
	return parse_expect(p, ':') ? s : NULL;
}

static struct syntax *section(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_SECTION, parse_peek(p)->at), **last;

	if (!s)
		return NULL;
	last = &s->a;
	while (parse_is(p, KW_case) || parse_is(p, KW_default)) {
		*last = label(p);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	if (!s->a)
		return parse_error(p, "`case` or `default`");
	last = &s->b;
	while (!parse_is(p, KW_case) && !parse_is(p, '}') &&
	       !(parse_is(p, KW_default) && p->t[p->at + 1].kind == TOKEN_PUNCT && p->t[p->at + 1].id == ':')) {
		*last = statement(p);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	return s;
}

static struct syntax *switch_statement(struct parser *p, struct syntax *s)
{
	struct syntax **last = &s->b;

	if (!condition(p, s) || !parse_expect(p, '{'))
		return NULL;
	while (!parse_accept(p, '}')) {
		*last = section(p);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	return s;
}

static struct syntax *catch_clause(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_CATCH, parse_peek(p)->at);

	if (!s)
		return NULL;
	p->at++;
	if (parse_accept(p, '(')) {
		s->a = parse_type(p);
		if (!s->a)
			return NULL;
		if (parse_peek(p)->kind == TOKEN_NAME) {
			s->text = parse_word(p, parse_peek(p));
			p->at++;
		}
		if (!parse_expect(p, ')'))
			return NULL;
	}
	if (parse_is_word(p, "when")) {
		p->at++;
		if (!parse_expect(p, '(') || !(s->b = parse_expression(p)) || !parse_expect(p, ')'))
			return NULL;
	}
	s->c = parse_braces(p);
	return s->c ? s : NULL;
}

static struct syntax *try_statement(struct parser *p, struct syntax *s)
{
	struct syntax **last = &s->b;

	p->at++;
	s->a = parse_braces(p);
	if (!s->a)
		return NULL;
	while (parse_is(p, KW_catch)) {
		*last = catch_clause(p);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	if (parse_accept(p, KW_finally) && !(s->c = parse_braces(p)))
		return NULL;
	return s->b || s->c ? s : parse_error(p, "`catch` or `finally`");
}

static struct syntax *using_statement(struct parser *p, struct syntax *s)
{
	p->at++;
	if (!parse_expect(p, '('))
		return NULL;
	s->a = declaration_follows(p) ? declaration(p) : parse_expression(p);
	if (!s->a || !parse_expect(p, ')'))
		return NULL;
	s->b = statement(p);
	return s->b ? s : NULL;
}

static struct syntax *jump(struct parser *p, struct syntax *s)   /* return, throw with an optional operand */
{
	p->at++;
	if (parse_accept(p, ';'))
		return s;
	return expression_then(p, s, ';');
}

/* yield return x; yield break; */
static struct syntax *yield_statement(struct parser *p)
{
	struct syntax *s = parse_node(p, SX_YIELD, parse_peek(p)->at);
	bool ends = p->t[p->at + 1].id == KW_break;

	p->at += 2;
	if (!s)
		return NULL;
	if (ends)
		return parse_expect(p, ';') ? s : NULL;
	return expression_then(p, s, ';');
}

static struct syntax *checked_block(struct parser *p)
{
	bool is_unchecked = parse_is(p, KW_unchecked);
	struct syntax *s;

	p->at++;
	s = parse_braces(p);
	if (s) {
		s->op = is_unchecked ? KW_unchecked : KW_checked;
		s->flag = true;
	}
	return s;
}

static struct syntax *keyword_statement(struct parser *p, bool *is_one)
{
	static const struct {
		uint32_t keyword;
		enum syntax_kind kind;
		struct syntax *(*parse)(struct parser *, struct syntax *);
	} rows[] = {
		{ KW_if, SX_IF, if_statement },           { KW_for, SX_FOR, for_statement },
		{ KW_foreach, SX_FOREACH, foreach_statement }, { KW_while, SX_WHILE, NULL },
		{ KW_do, SX_DO, do_statement },           { KW_switch, SX_SWITCH, switch_statement },
		{ KW_return, SX_RETURN, jump },           { KW_throw, SX_THROW, jump },
		{ KW_try, SX_TRY, try_statement },        { KW_using, SX_USING, using_statement },
	};
	const struct token *t = parse_peek(p);
	struct syntax *s;

	*is_one = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (t->kind != TOKEN_KEYWORD || t->id != rows[i].keyword)
			continue;
		s = parse_node(p, rows[i].kind, t->at);
		if (!s)
			return NULL;
		if (rows[i].parse)
			return rows[i].parse(p, s);
		return condition(p, s) && (s->d = statement(p)) ? s : NULL;
	}
	if (parse_is(p, KW_break) || parse_is(p, KW_continue)) {
		s = parse_node(p, parse_is(p, KW_break) ? SX_BREAK : SX_CONTINUE, t->at);
		p->at++;
		return parse_expect(p, ';') ? s : NULL;
	}
	if ((parse_is(p, KW_checked) || parse_is(p, KW_unchecked)) && t[1].kind == TOKEN_PUNCT && t[1].id == '{')
		return checked_block(p);
	*is_one = false;
	return NULL;
}

static struct syntax *plain_statement(struct parser *p)
{
	struct syntax *s;
	bool is_one;

	if (parse_is(p, '{'))
		return parse_braces(p);
	if (parse_is(p, ';')) {
		s = parse_node(p, SX_EMPTY, parse_peek(p)->at);
		p->at++;
		return s;
	}
	s = keyword_statement(p, &is_one);
	if (is_one)
		return s;
	if (parse_is_word(p, "yield") && p->t[p->at + 1].kind == TOKEN_KEYWORD &&
	    (p->t[p->at + 1].id == KW_return || p->t[p->at + 1].id == KW_break))
		return yield_statement(p);
	if (declaration_follows(p)) {
		s = declaration(p);
		return s && parse_expect(p, ';') ? s : NULL;
	}
	if (function_follows(p))
		return function(p);
	if (deconstruction_follows(p))
		return deconstruction(p);
	s = expression_statement(p);
	return s && parse_expect(p, ';') ? s : NULL;
}

static struct syntax *statement(struct parser *p)
{
	struct syntax *s;

	if (!parse_enter(p))
		return NULL;
	s = plain_statement(p);
	p->depth--;
	return s;
}
