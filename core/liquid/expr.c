#include "core/liquid/internal.h"

/* Expressions are few and small: a name with steps, a literal, a range, filters behind "|", and comparisons joined by
 * and/or. There is no arithmetic and there are no brackets around conditions; asking for them is an error here rather
 * than a guess. */

static bool name_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

void lex_init(struct lexer *x, struct parser *p, struct str source, struct place at)
{
	*x = (struct lexer){ .p = p, .source = source, .at = at };
	liquid_lex_next(x);
}

static size_t number_length(struct str s)
{
	size_t n = s.p[0] == '-';

	while (n < s.n && ascii_is_digit(s.p[n]))
		n++;
	if (n + 1 < s.n && s.p[n] == '.' && ascii_is_digit(s.p[n + 1]))
		for (n++; n < s.n && ascii_is_digit(s.p[n]);)
			n++;
	return n;
}

static size_t name_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && name_char(s.p[n]))
		n++;
	return n + (n < s.n && s.p[n] == '?');
}

static const struct {
	char sign[3];
	enum lex_kind kind;
	enum compare_op op;
} signs[] = {
	{ "==", LEX_COMPARE, OP_EQ }, { "!=", LEX_COMPARE, OP_NE }, { "<>", LEX_COMPARE, OP_NE }, { "<=", LEX_COMPARE, OP_LE },
	{ ">=", LEX_COMPARE, OP_GE }, { "..", LEX_RANGE, OP_NONE }, { "<", LEX_COMPARE, OP_LT }, { ">", LEX_COMPARE, OP_GT },
	{ ".", LEX_DOT, OP_NONE }, { "(", LEX_OPEN, OP_NONE }, { ")", LEX_CLOSE, OP_NONE }, { "[", LEX_BRACKET, OP_NONE },
	{ "]", LEX_BRACKET_END, OP_NONE }, { "|", LEX_PIPE, OP_NONE }, { ":", LEX_COLON, OP_NONE }, { ",", LEX_COMMA, OP_NONE },
	{ "=", LEX_ASSIGN, OP_NONE },
};

static void lex_sign(struct lexer *x, struct str s)
{
	x->kind = LEX_BAD;
	x->text = str_first(s, 1);
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (str_starts(s, str_of(signs[i].sign))) {
			x->kind = signs[i].kind;
			x->op = signs[i].op;
			x->text = str_first(s, strlen(signs[i].sign));
			break;
		}
	x->pos += x->text.n;
}

void liquid_lex_next(struct lexer *x)
{
	struct str s;
	char c;

	x->last_end = x->pos;
	while (x->pos < x->source.n && ascii_is_space(x->source.p[x->pos]))
		x->pos++;
	x->start = x->pos;
	s = str_from(x->source, x->pos);
	x->kind = LEX_END;
	x->text = STR("");
	x->op = OP_NONE;
	if (!s.n)
		return;
	c = s.p[0];
	if (c == '"' || c == '\'') {
		size_t end = str_find_char(str_from(s, 1), c);

		x->kind = end == SIZE_MAX ? LEX_BAD : LEX_STRING;
		x->text = end == SIZE_MAX ? s : str_first(str_from(s, 1), end);
		x->pos += end == SIZE_MAX ? s.n : end + 2;
	} else if (ascii_is_digit(c) || (c == '-' && s.n > 1 && ascii_is_digit(s.p[1]))) {
		x->kind = LEX_NUMBER;
		x->text = str_first(s, number_length(s));
		x->pos += x->text.n;
	} else if (name_char(c) && c != '-') {
		x->kind = LEX_NAME;
		x->text = str_first(s, name_length(s));
		x->pos += x->text.n;
		if (str_eq(x->text, STR("contains"))) {
			x->kind = LEX_COMPARE;
			x->op = OP_CONTAINS;
		}
	} else {
		lex_sign(x, s);
	}
}

bool lex_is(const struct lexer *x, const char *word)
{
	return x->kind == LEX_NAME && str_eq(x->text, str_of(word));
}

struct place lex_place(const struct lexer *x)
{
	struct place at = x->at;

	for (size_t i = 0; i < x->start; i++) {
		at.line += x->source.p[i] == '\n';
		at.column = x->source.p[i] == '\n' ? 1 : at.column + 1;
	}
	return at;
}

GH_RC lex_expected(struct lexer *x, const char *what)
{
	if (x->kind == LEX_END)
		FAIL_AT(x->p, lex_place(x), "expected %s", what);
	if (x->kind == LEX_BAD && x->text.n && (x->text.p[0] == '"' || x->text.p[0] == '\''))
		FAIL_AT(x->p, lex_place(x), "text without its closing %c", x->text.p[0]);
	FAIL_AT(x->p, lex_place(x), "expected %s, found '%.*s'", what, STR_ARG(str_first(x->text, 40)));
}

GH_RC lex_want_end(struct lexer *x)
{
	if (x->kind != LEX_END)
		return lex_expected(x, "the end of the tag");
	return GH_RC_OK;
}

static bool word_literal(struct str s, struct liquid_value *out)
{
	static const struct {
		const char *word;
		struct liquid_value value;
	} words[] = {
		{ "nil", { .kind = LIQUID_NIL } },
		{ "null", { .kind = LIQUID_NIL } },
		{ "true", { .kind = LIQUID_BOOL, .b = true } },
		{ "false", { .kind = LIQUID_BOOL, .b = false } },
		{ "empty", { .kind = LIQUID_EMPTY } },
		{ "blank", { .kind = LIQUID_BLANK } },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(s, str_of(words[i].word))) {
			*out = words[i].value;
			return true;
		}
	return false;
}

static GH_RC parse_steps(struct lexer *x, struct expr *e)
{
	const struct path_step **tail = &e->steps;

	while (x->kind == LEX_DOT || x->kind == LEX_BRACKET) {
		struct path_step *step = arena_new_of(x->p->a, struct path_step);
		bool dot = x->kind == LEX_DOT;

		if (!step)
			NO_MEMORY(x->p->err);
		liquid_lex_next(x);
		if (dot) {
			/* "contains" is an operator elsewhere, a member here */
			if (x->kind != LEX_NAME && x->op != OP_CONTAINS)
				return lex_expected(x, "a name behind the '.'");
			step->name = x->text;
		} else {
			TRY(expr_parse(x, &step->index));
			if (x->kind != LEX_BRACKET_END)
				return lex_expected(x, "']'");
		}
		liquid_lex_next(x);
		*tail = step;
		tail = &step->next;
	}
	return GH_RC_OK;
}

static GH_RC parse_range(struct lexer *x, struct expr *e)
{
	e->kind = EXPR_RANGE;
	liquid_lex_next(x);
	TRY(expr_parse(x, &e->from));
	if (x->kind != LEX_RANGE)
		return lex_expected(x, "'..' of a range");
	liquid_lex_next(x);
	TRY(expr_parse(x, &e->to));
	if (x->kind != LEX_CLOSE)
		return lex_expected(x, "')'");
	liquid_lex_next(x);
	return GH_RC_OK;
}

static GH_RC parse_name(struct lexer *x, struct expr *e)
{
	struct str name = x->text;

	liquid_lex_next(x);
	if (word_literal(name, &e->literal) && x->kind != LEX_DOT && x->kind != LEX_BRACKET) {
		e->kind = EXPR_LITERAL;
		return GH_RC_OK;
	}
	e->kind = EXPR_PATH;
	e->root = name;
	return parse_steps(x, e);
}

static GH_RC parse_primary(struct lexer *x, struct expr *e)
{
	switch (x->kind) {
	case LEX_STRING:
		e->literal = liquid_of_text(x->text);
		liquid_lex_next(x);
		return GH_RC_OK;
	case LEX_NUMBER:
		if (!value_parse_number(x->text, &e->literal))
			return lex_expected(x, "a number");
		liquid_lex_next(x);
		return GH_RC_OK;
	case LEX_NAME:
		return parse_name(x, e);
	case LEX_OPEN:
		return parse_range(x, e);
	case LEX_BRACKET:
		e->kind = EXPR_PATH;
		liquid_lex_next(x);
		TRY(expr_parse(x, &e->root_expr));
		if (x->kind != LEX_BRACKET_END)
			return lex_expected(x, "']'");
		liquid_lex_next(x);
		return parse_steps(x, e);
	default:
		return lex_expected(x, "a value");
	}
}

GH_RC expr_parse(struct lexer *x, const struct expr **out)
{
	struct expr *e = arena_new_of(x->p->a, struct expr);
	size_t start = x->start;

	if (!e)
		NO_MEMORY(x->p->err);
	e->at = lex_place(x);
	if (++x->depth > LIQUID_MAX_EXPR_NESTING)
		FAIL_AT(x->p, e->at, "brackets nest deeper than %d", LIQUID_MAX_EXPR_NESTING);
	TRY(parse_primary(x, e));
	x->depth--;
	e->source = str_trim(str_first(str_from(x->source, start), x->last_end - start));
	*out = e;
	return GH_RC_OK;
}

static bool named_argument(const struct lexer *x)
{
	struct lexer ahead = *x;

	liquid_lex_next(&ahead);
	return x->kind == LEX_NAME && ahead.kind == LEX_COLON;
}

static GH_RC parse_argument(struct lexer *x, struct filter_call *call)
{
	if (named_argument(x)) {
		if (!call->filter->named || !str_eq(x->text, str_of(call->filter->named)))
			FAIL_AT(x->p, lex_place(x), "filter '%s' has no argument named '%.*s'", call->filter->name,
				STR_ARG(x->text));
		liquid_lex_next(x);
		liquid_lex_next(x);
		return expr_parse(x, &call->named);
	}
	if (call->n == LIQUID_MAX_ARGS)
		FAIL_AT(x->p, lex_place(x), "a filter takes at most %d arguments", LIQUID_MAX_ARGS);
	return expr_parse(x, &call->args[call->n++]);
}

static GH_RC check_arity(struct lexer *x, const struct filter_call *call)
{
	const struct filter *f = call->filter;

	if (call->n < f->min)
		FAIL_AT(x->p, call->at, "filter '%s' needs %u argument%s", f->name, f->min, f->min == 1 ? "" : "s");
	if (call->n > f->max && f->max == 0)
		FAIL_AT(x->p, call->at, "filter '%s' takes no argument", f->name);
	if (call->n > f->max)
		FAIL_AT(x->p, call->at, "filter '%s' takes at most %u argument%s", f->name, f->max, f->max == 1 ? "" : "s");
	return GH_RC_OK;
}

static GH_RC parse_call(struct lexer *x, struct filter_call *call)
{
	const struct liquid_options *o = &x->p->t->options;

	liquid_lex_next(x);
	call->at = lex_place(x);
	if (x->kind != LEX_NAME)
		return lex_expected(x, "the name of a filter");
	call->filter = filter_find(o, x->text);
	if (!call->filter) {
		char buf[64];
		const char *near = filter_suggest(o, x->text, buf);

		FAIL_AT(x->p, call->at, "unknown filter '%.*s'%s%s%s", STR_ARG(str_first(x->text, 60)),
			near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	}
	liquid_lex_next(x);
	if (x->kind == LEX_COLON)
		do {
			liquid_lex_next(x);
			TRY(parse_argument(x, call));
		} while (x->kind == LEX_COMMA);
	return check_arity(x, call);
}

GH_RC filtered_parse(struct lexer *x, struct filtered *out)
{
	const struct filter_call **tail = &out->calls;

	*out = (struct filtered){ NULL, NULL };
	if (x->kind == LEX_END)
		return GH_RC_OK;
	TRY(expr_parse(x, &out->base));
	while (x->kind == LEX_PIPE) {
		struct filter_call *call = arena_new_of(x->p->a, struct filter_call);

		if (!call)
			NO_MEMORY(x->p->err);
		TRY(parse_call(x, call));
		*tail = call;
		tail = &call->next;
	}
	return lex_want_end(x);
}

GH_RC condition_parse(struct lexer *x, const struct condition **out)
{
	struct condition *c = arena_new_of(x->p->a, struct condition);

	if (!c)
		NO_MEMORY(x->p->err);
	TRY(expr_parse(x, &c->left));
	if (x->kind == LEX_COMPARE) {
		c->op = x->op;
		liquid_lex_next(x);
		TRY(expr_parse(x, &c->right));
	}
	*out = c;
	if (lex_is(x, "and") || lex_is(x, "or")) {
		c->logic = lex_is(x, "and") ? LOGIC_AND : LOGIC_OR;
		if (++x->depth > LIQUID_MAX_EXPR_NESTING)
			FAIL_AT(x->p, lex_place(x), "a condition joins more than %d parts", LIQUID_MAX_EXPR_NESTING);
		liquid_lex_next(x);
		return condition_parse(x, &c->rest);
	}
	return lex_want_end(x);
}
