#include "core/liquid/internal.h"

/* Tags that keep or bring values: assign, capture, increment, decrement, cycle, ifchanged, include, render. */

gh_rc parse_place_ok(struct parser *p, const struct token *t)
{
	const struct markup *m = &p->markup;
	bool quoted = m->state == MARKUP_VALUE_DOUBLE || m->state == MARKUP_VALUE_SINGLE;

	if (p->t->options.html && m->state != MARKUP_TEXT && !(quoted && m->attr == ATTR_PLAIN))
		FAIL_AT(p, t->tag_at, "'%.*s' cannot stand %s", STR_ARG(t->name), markup_describe(m));
	return GH_RC_OK;
}

gh_rc run_aside(struct run *r, const struct block *b, struct str *out)
{
	struct buf *outer = r->out, aside;
	gh_rc rc;

	buf_init(&aside, outer->max);
	r->out = &aside;
	rc = run_block(r, b);
	r->out = outer;
	if (!rc.code && aside.failed)
		rc = fail_at(r->err, GH_E_LIMIT, r->t->name, (struct place){ 1, 1 }, "the output is larger than %zu bytes",
			     outer->max);
	*out = rc.code ? STR("") : arena_dup(r->a, buf_view(&aside));
	buf_release(&aside);
	if (str_is_null(*out))
		NO_MEMORY(r->err);
	return rc;
}

/* A name to write to: a word, or (as old templates have it) quoted or digits. */
static GH_RC parse_target(struct lexer *x, struct str *name)
{
	if ((x->kind != LEX_NAME && x->kind != LEX_STRING && x->kind != LEX_NUMBER) || !x->text.n
	    || x->text.p[x->text.n - 1] == '?')
		return lex_expected(x, "a name to write to");
	*name = x->text;
	liquid_lex_next(x);
	return GH_RC_OK;
}

/* ---- assign -------------------------------------------------------------------------------------------------------- */

struct assign_node {
	struct node head;
	struct str name;
	struct filtered value;
};

static GH_RC run_assign(struct run *r, const struct node *n)
{
	const struct assign_node *a = (const struct assign_node *)n;
	struct liquid_value v;

	TRY(eval_filtered(r, &a->value, &v));
	return assign_name(r, a->name, v);
}

gh_rc parse_assign(struct parser *p, const struct token *t, struct block *into)
{
	struct assign_node *n = NODE_NEW(p, struct assign_node, t, run_assign);
	struct lexer x;

	if (!n)
		NO_MEMORY(p->err);
	lex_init(&x, p, t->text, t->at);
	TRY(parse_target(&x, &n->name));
	if (x.kind != LEX_ASSIGN)
		return lex_expected(&x, "'='");
	liquid_lex_next(&x);
	TRY(filtered_parse(&x, &n->value));
	n->head.blank = true;
	node_add(into, &n->head);
	return GH_RC_OK;
}

/* ---- capture ------------------------------------------------------------------------------------------------------- */

struct capture_node {
	struct node head;
	struct str name;
	struct block body;
};

static GH_RC run_capture(struct run *r, const struct node *n)
{
	const struct capture_node *c = (const struct capture_node *)n;
	struct str text;

	TRY(run_aside(r, &c->body, &text));
	return assign_name(r, c->name,
			   r->t->options.html ? liquid_of_markup((struct liquid_markup){ text }) : liquid_of_text(text));
}

gh_rc parse_capture(struct parser *p, const struct token *t, struct block *into)
{
	static const char *const ends[] = { "endcapture", NULL };
	struct capture_node *n = NODE_NEW(p, struct capture_node, t, run_capture);
	struct markup outside = p->markup;
	struct lexer x;

	if (!n)
		NO_MEMORY(p->err);
	lex_init(&x, p, t->text, t->at);
	TRY(parse_target(&x, &n->name));
	TRY(lex_want_end(&x));
	p->markup = (struct markup){ .state = MARKUP_TEXT };      /* what is captured is markup of its own */
	TRY(parse_loop_body(p, t, ends, &n->body));
	p->markup = outside;
	n->head.blank = true;
	node_add(into, &n->head);
	return GH_RC_OK;
}

/* ---- increment, decrement ------------------------------------------------------------------------------------------ */

struct counter_node {
	struct node head;
	struct str name;
	bool down;
};

static GH_RC run_counter(struct run *r, const struct node *n)
{
	const struct counter_node *c = (const struct counter_node *)n;
	struct var *v = var_find(r->counters, c->name);
	int64_t before = v ? v->value.i : 0, after = c->down ? before - 1 : before + 1;

	buf_fmt(r->out, "%lld", (long long)(c->down ? after : before));
	return var_set(r, &r->counters, c->name, liquid_of_int(after));
}

gh_rc parse_counter(struct parser *p, const struct token *t, struct block *into)
{
	struct counter_node *n = NODE_NEW(p, struct counter_node, t, run_counter);
	struct lexer x;

	if (!n)
		NO_MEMORY(p->err);
	TRY(parse_place_ok(p, t));
	lex_init(&x, p, t->text, t->at);
	TRY(parse_target(&x, &n->name));
	TRY(lex_want_end(&x));
	n->down = str_eq(t->name, STR("decrement"));
	node_add(into, &n->head);
	return GH_RC_OK;
}

/* ---- cycle --------------------------------------------------------------------------------------------------------- */

struct cycle_node {
	struct node head;
	const struct expr *group;         /* NULL: the items as written name the group */
	struct str source;
	const struct expr **items;
	size_t n;
};

static GH_RC run_cycle(struct run *r, const struct node *n)
{
	const struct cycle_node *c = (const struct cycle_node *)n;
	struct liquid_value group, item = LIQUID_NIL_VALUE;
	struct str key = c->source;
	struct var *v;
	size_t i;

	if (c->group) {
		struct str text;

		TRY(eval_expr(r, c->group, &group));
		if (!liquid_value_text(r->a, r->t->options.dialect, group, &text))
			NO_MEMORY(r->err);
		key = arena_printf(r->a, ":%.*s", STR_ARG(text));
		if (str_is_null(key))
			NO_MEMORY(r->err);
	}
	v = var_find(r->cycles, key);
	i = v ? (size_t)v->value.i : 0;
	if (i < c->n)
		TRY(eval_expr(r, c->items[i], &item));
	TRY(write_value(r, item, r->t->options.html));
	return var_set(r, &r->cycles, key, liquid_of_int(i + 1 >= c->n ? 0 : (int64_t)i + 1));
}

gh_rc parse_cycle(struct parser *p, const struct token *t, struct block *into)
{
	struct cycle_node *n = NODE_NEW(p, struct cycle_node, t, run_cycle);
	const struct expr *items[64];
	struct lexer x;

	if (!n)
		NO_MEMORY(p->err);
	TRY(parse_place_ok(p, t));
	p->markup.value_begun = true;
	lex_init(&x, p, t->text, t->at);
	n->source = str_trim(t->text);
	TRY(expr_parse(&x, &items[0]));
	n->n = 1;
	if (x.kind == LEX_COLON) {
		n->group = items[0];
		liquid_lex_next(&x);
		TRY(expr_parse(&x, &items[0]));
	}
	while (x.kind == LEX_COMMA) {
		liquid_lex_next(&x);
		if (x.kind == LEX_END)
			break;
		if (n->n == ARRAY_LEN(items))
			FAIL_AT(p, lex_place(&x), "'cycle' takes at most %zu values", ARRAY_LEN(items));
		TRY(expr_parse(&x, &items[n->n++]));
	}
	TRY(lex_want_end(&x));
	n->items = arena_alloc(p->a, n->n, sizeof(*n->items));
	if (!n->items)
		NO_MEMORY(p->err);
	memcpy(n->items, items, n->n * sizeof(*items));
	node_add(into, &n->head);
	return GH_RC_OK;
}

/* ---- ifchanged ----------------------------------------------------------------------------------------------------- */

static GH_RC run_ifchanged(struct run *r, const struct node *n)
{
	struct var *last = r->changes;
	struct str text;

	TRY(run_aside(r, &((const struct capture_node *)n)->body, &text));
	if (str_eq(last ? last->value.text : STR(""), text))
		return GH_RC_OK;
	buf_str(r->out, text);
	return var_set(r, &r->changes, STR("ifchanged"), liquid_of_text(text));
}

gh_rc parse_ifchanged(struct parser *p, const struct token *t, struct block *into)
{
	static const char *const ends[] = { "endifchanged", NULL };
	struct capture_node *n = NODE_NEW(p, struct capture_node, t, run_ifchanged);

	if (!n)
		NO_MEMORY(p->err);
	TRY(parse_loop_body(p, t, ends, &n->body));
	node_add(into, &n->head);
	return GH_RC_OK;
}
