/* parse_query.c - query expressions: `from x in list where x > 1 select x * 2`.
 *
 * A query is only another way to write method calls (C# 5 specification, 7.16), so it becomes them here and the compiler
 * behind knows nothing of it: list.Where(x => x > 1).Select(x => x * 2). With more than one range variable what flows from
 * call to call is an object of all of them, `new { x, y }`; the lambda's parameter then lists their names (SX_PARAMETER.c),
 * which the binder resolves to members of the parameter. The specification nests such objects, we keep one flat object:
 * the same values, one step less at each use. */
#include "core/str.h"
#include "policy/expr/parse.h"

enum { RANGE_MAX = 16, CLAUSES_MAX = 100 };

struct query {
	struct parser *p;
	struct syntax *source;               /* the calls so far */
	struct str names[RANGE_MAX];
	size_t n;
	unsigned clauses;
	bool any;                            /* a clause stands before: `select x` of the variable itself adds nothing */
};

/* ---- words ---------------------------------------------------------------------------------------------------------------- */

bool parse_is_query_word(struct parser *p, const struct token *t)
{
	static const struct str words[] = {
		STR_INIT("where"), STR_INIT("let"), STR_INIT("orderby"), STR_INIT("join"), STR_INIT("group"), STR_INIT("select"),
		STR_INIT("into"), STR_INIT("on"), STR_INIT("equals"), STR_INIT("by"), STR_INIT("ascending"),
		STR_INIT("descending"), STR_INIT("from"),
	};

	if (!p->queries || t->kind != TOKEN_NAME)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(parse_word(p, t), words[i]))
			return true;
	return false;
}

/* "from x in" or "from T x in": `from` alone is a name like any other. */
bool parse_query_follows(struct parser *p)
{
	size_t at = p->at + 1;

	if (!parse_is_word(p, "from"))
		return false;
	if (p->t[at].kind == TOKEN_NAME && p->t[at + 1].kind == TOKEN_KEYWORD && p->t[at + 1].id == KW_in)
		return true;
	return parse_skip_type(p, &at) && p->t[at].kind == TOKEN_NAME && p->t[at + 1].kind == TOKEN_KEYWORD &&
	       p->t[at + 1].id == KW_in;
}

static bool accept_word(struct parser *p, const char *word)
{
	if (!parse_is_word(p, word))
		return false;
	p->at++;
	return true;
}

static bool expect_word(struct parser *p, const char *word, const char *shown)
{
	return accept_word(p, word) || parse_error(p, shown) != NULL;
}

/* ---- what a query is made of ---------------------------------------------------------------------------------------------- */

static struct syntax *named(struct parser *p, enum syntax_kind kind, size_t at, struct str text)
{
	struct syntax *s = parse_node(p, kind, at);

	if (s)
		s->text = text;
	return s;
}

/* The parameter that stands for all range variables. */
static struct syntax *range_parameter(struct query *q, size_t at)
{
	struct syntax *s = named(q->p, SX_PARAMETER, at, q->n == 1 ? q->names[0] : STR("<range>")), **last;

	if (!s || q->n == 1)
		return s;
	last = &s->c;
	for (size_t i = 0; i < q->n; i++) {
		*last = named(q->p, SX_NAME, at, q->names[i]);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	return s;
}

/* (range variables, then `other`) => body */
static struct syntax *lambda(struct query *q, size_t at, struct str other, struct syntax *body)
{
	struct syntax *s = parse_node(q->p, SX_LAMBDA, at);

	if (!s || !body)
		return NULL;
	s->a = range_parameter(q, at);
	s->b = body;
	if (!s->a)
		return NULL;
	if (other.n && !(s->a->next = named(q->p, SX_PARAMETER, at, other)))
		return NULL;
	return s;
}

static struct syntax *lambda_of(struct query *q, size_t at, struct str only, struct syntax *body)
{
	struct syntax *s = parse_node(q->p, SX_LAMBDA, at);

	if (!s || !body || !(s->a = named(q->p, SX_PARAMETER, at, only)))
		return NULL;
	s->b = body;
	return s;
}

/* source.Method(a, b, c, d), as many as there are */
static bool call(struct query *q, size_t at, const char *method, struct syntax *const *args, size_t n)
{
	struct syntax *s = parse_node(q->p, SX_CALL, at), *member = named(q->p, SX_MEMBER, at, str_of(method)), **last;

	if (!s || !member)
		return false;
	member->a = q->source;
	s->a = member;
	last = &s->b;
	for (size_t i = 0; i < n; i++) {
		*last = args[i] ? parse_node(q->p, SX_ARGUMENT, args[i]->at) : NULL;
		if (!*last)
			return false;
		(*last)->a = args[i];
		last = &(*last)->next;
	}
	q->source = s;
	return true;
}

static bool add_name(struct query *q, size_t at, struct str name)
{
	if (q->n == RANGE_MAX)
		return expr_error(q->p->c, at, "more than %d range variables in one query", RANGE_MAX) != NULL;
	for (size_t i = 0; i < q->n; i++)
		if (str_eq(q->names[i], name))
			return expr_error(q->p->c, at, "a variable `%.*s` exists here already; choose another name",
					  STR_ARG(name)) != NULL;
	q->names[q->n++] = name;
	return true;
}

/* new { x, y, added = value }; value NULL: the variable `added` itself. */
static struct syntax *range_object(struct query *q, size_t at, struct str added, struct syntax *value)
{
	struct syntax *s = parse_node(q->p, SX_NEW_ANONYMOUS, at), **last;

	if (!s)
		return NULL;
	last = &s->a;
	for (size_t i = 0; i <= q->n; i++) {
		struct str name = i < q->n ? q->names[i] : added;
		struct syntax *item = named(q->p, SX_ARGUMENT, at, name);

		if (!item)
			return NULL;
		item->a = i == q->n && value ? value : named(q->p, SX_NAME, at, name);
		if (!item->a)
			return NULL;
		*last = item;
		last = &item->next;
	}
	return s;
}

/* ---- clauses -------------------------------------------------------------------------------------------------------------- */

/* "T x in e" or "x in e", after `from` or `join`. */
static struct syntax *generator(struct query *q, struct str *name, size_t *at)
{
	struct parser *p = q->p;
	struct syntax *type = NULL, *source;
	struct query cast;

	if (p->t[p->at].kind != TOKEN_NAME || p->t[p->at + 1].kind != TOKEN_KEYWORD || p->t[p->at + 1].id != KW_in) {
		type = parse_type(p);
		if (!type)
			return NULL;
	}
	if (parse_peek(p)->kind != TOKEN_NAME)
		return parse_error(p, "the name of a variable");
	*at = parse_peek(p)->at;
	*name = parse_word(p, parse_peek(p));
	p->at++;
	if (!parse_expect(p, KW_in))
		return NULL;
	source = parse_expression(p);
	if (!source || !type || str_eq(type->text, STR("var")))
		return source;
	cast = (struct query){ .p = p, .source = source };
	if (!call(&cast, type->at, "Cast", NULL, 0))
		return NULL;
	cast.source->a->b = type;
	return cast.source;
}

static bool from_clause(struct query *q, size_t at)
{
	struct str name;
	size_t place;
	struct syntax *e = generator(q, &name, &place), *args[2];

	if (!e)
		return false;
	args[0] = lambda(q, at, STR_NULL, e);
	args[1] = lambda(q, at, name, range_object(q, place, name, NULL));
	return args[0] && args[1] && call(q, at, "SelectMany", args, 2) && add_name(q, place, name);
}

static bool let_clause(struct query *q, size_t at)
{
	struct parser *p = q->p;
	struct syntax *value, *body;
	struct str name;

	if (parse_peek(p)->kind != TOKEN_NAME)
		return parse_error(p, "the name of a variable");
	name = parse_word(p, parse_peek(p));
	p->at++;
	if (!parse_expect(p, '='))
		return false;
	value = parse_expression(p);
	if (!value)
		return false;
	body = lambda(q, at, STR_NULL, range_object(q, at, name, value));
	return body && call(q, at, "Select", &body, 1) && add_name(q, at, name);
}

static bool where_clause(struct query *q, size_t at)
{
	struct syntax *test = lambda(q, at, STR_NULL, parse_expression(q->p));

	return test && call(q, at, "Where", &test, 1);
}

static bool join_clause(struct query *q, size_t at)
{
	struct parser *p = q->p;
	struct str name, group = STR_NULL;
	size_t place;
	struct syntax *args[4];

	args[0] = generator(q, &name, &place);
	if (!args[0] || !expect_word(p, "on", "`on`"))
		return false;
	args[1] = lambda(q, at, STR_NULL, parse_expression(p));
	if (!args[1] || !expect_word(p, "equals", "`equals`"))
		return false;
	args[2] = lambda_of(q, at, name, parse_expression(p));
	if (!args[2])
		return false;
	if (accept_word(p, "into")) {
		if (parse_peek(p)->kind != TOKEN_NAME)
			return parse_error(p, "the name of a variable");
		group = name = parse_word(p, parse_peek(p));
		place = parse_peek(p)->at;
		p->at++;
	}
	args[3] = lambda(q, at, name, range_object(q, place, name, NULL));
	return args[3] && call(q, at, group.n ? "GroupJoin" : "Join", args, 4) && add_name(q, place, name);
}

static bool orderby_clause(struct query *q, size_t at)
{
	struct parser *p = q->p;
	bool first = true;

	do {
		struct syntax *key = lambda(q, at, STR_NULL, parse_expression(p));
		bool down;

		if (!key)
			return false;
		down = accept_word(p, "descending");
		if (!down)
			accept_word(p, "ascending");
		if (!call(q, at, first ? (down ? "OrderByDescending" : "OrderBy") : down ? "ThenByDescending" : "ThenBy", &key, 1))
			return false;
		first = false;
	} while (parse_accept(p, ','));
	return true;
}

static bool is_the_variable(const struct query *q, const struct syntax *s)
{
	return q->n == 1 && s->kind == SX_NAME && !s->b && str_eq(s->text, q->names[0]);
}

static bool select_clause(struct query *q, size_t at)
{
	struct syntax *value = parse_expression(q->p);

	if (!value)
		return false;
	if (q->any && is_the_variable(q, value))
		return true;
	value = lambda(q, at, STR_NULL, value);
	return value && call(q, at, "Select", &value, 1);
}

static bool group_clause(struct query *q, size_t at)
{
	struct syntax *element = parse_expression(q->p), *args[2];

	if (!element || !expect_word(q->p, "by", "`by`"))
		return false;
	args[0] = lambda(q, at, STR_NULL, parse_expression(q->p));
	if (!args[0])
		return false;
	args[1] = is_the_variable(q, element) ? NULL : lambda(q, at, STR_NULL, element);
	return call(q, at, "GroupBy", args, args[1] ? 2 : 1);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------ */

static bool body_clauses(struct query *q)
{
	static const struct {
		const char *word;
		bool (*parse)(struct query *, size_t);
	} rows[] = {
		{ "from", from_clause }, { "let", let_clause }, { "where", where_clause }, { "join", join_clause },
		{ "orderby", orderby_clause },
	};
	struct parser *p = q->p;

	for (;;) {
		size_t at = parse_peek(p)->at, i = 0;

		while (i < ARRAY_LEN(rows) && !accept_word(p, rows[i].word))
			i++;
		if (i == ARRAY_LEN(rows))
			return true;
		if (++q->clauses > CLAUSES_MAX)
			return expr_error(p->c, at, "more than %d clauses in one query", CLAUSES_MAX) != NULL;
		if (!rows[i].parse(q, at))
			return false;
		q->any = true;
	}
}

static bool query_body(struct query *q)
{
	struct parser *p = q->p;

	for (;;) {
		size_t at;

		if (!body_clauses(q))
			return false;
		at = parse_peek(p)->at;
		if (accept_word(p, "group")) {
			if (!group_clause(q, at))
				return false;
		} else if (!expect_word(p, "select", "`select` or `group`") || !select_clause(q, at)) {
			return false;
		}
		if (!accept_word(p, "into"))
			return true;
		if (parse_peek(p)->kind != TOKEN_NAME)
			return parse_error(p, "the name of a variable");
		q->n = 0;
		q->any = true;
		if (!add_name(q, at, parse_word(p, parse_peek(p))))
			return false;
		p->at++;
	}
}

struct syntax *parse_query(struct parser *p)
{
	struct query q = { .p = p };
	struct str name;
	size_t at;
	bool ok;

	p->at++;
	p->queries++;
	q.source = generator(&q, &name, &at);
	ok = q.source && add_name(&q, at, name) && query_body(&q);
	p->queries--;
	return ok ? q.source : NULL;
}
