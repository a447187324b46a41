#include "core/liquid/internal.h"

/* include runs another template among the names of this one; render gives it only what is passed. */

struct named_value {
	struct str name;
	const struct expr *value;
	const struct named_value *next;
};

struct partial_node {
	struct node head;
	const struct expr *template;
	const struct expr *bound;         /* with …, for … */
	struct str alias;
	const struct named_value *values;
	bool isolated, each;              /* render; for */
};

static GH_RC find_template(struct run *r, const struct partial_node *n, const struct liquid_template **out)
{
	struct liquid_value name;

	TRY(eval_expr(r, n->template, &name));
	*out = value_is_text(name) && r->env->load ? r->env->load(r->env->load_ctx, name.text) : NULL;
	if (!*out)
		FAIL_RUN(r, n->head.at, "there is no template '%.*s'",
			 STR_ARG(str_first(value_is_text(name) ? name.text : n->template->source, 80)));
	if ((*out)->options.html != r->t->options.html)
		FAIL_RUN(r, n->head.at, "template '%.*s' escapes in another way", STR_ARG((*out)->name));
	return GH_RC_OK;
}

static GH_RC run_other(struct run *r, const struct liquid_template *t, struct frame *frame)
{
	const struct liquid_template *outer = r->t;
	struct frame *up = r->frame;
	gh_rc rc;

	r->t = t;
	r->frame = frame;
	rc = run_block(r, &t->body);
	r->frame = up;
	r->t = outer;
	return rc;
}

/* One run, with the bound value and, in a render … for, a forloop. */
static GH_RC run_once(struct run *r, const struct partial_node *n, const struct liquid_template *t, struct var *vars,
		      struct liquid_value *bound, struct forloop *loop)
{
	struct var forloop = { .name = STR("forloop"), .next = vars };
	struct var item = { .name = n->alias, .next = vars };
	struct frame frame = { .vars = vars, .up = r->frame, .base = n->isolated, .sealed = n->isolated };

	if (loop) {
		forloop.value = forloop_value(loop);
		item.next = &forloop;
	}
	if (bound) {
		item.value = *bound;
		frame.vars = &item;
	}
	return run_other(r, t, &frame);
}

static GH_RC run_each(struct run *r, const struct partial_node *n, const struct liquid_template *t, struct var *vars)
{
	struct forloop loop = { .name = n->alias }, *outer = r->loop;
	struct liquid_value v;
	struct seq s;

	if (!n->bound)
		return run_once(r, n, t, vars, NULL, NULL);
	TRY(eval_expr(r, n->bound, &v));
	if (!(n->each || (!n->isolated && (v.kind == LIQUID_LIST || v.kind == LIQUID_JSON))) || !value_seq(v, r->a, &s)
	    || v.kind == LIQUID_RECORD || s.of.kind != v.kind)
		return run_once(r, n, t, vars, &v, NULL);
	loop.length = s.n;
	for (; loop.index < s.n && r->flow == FLOW_ON; loop.index++) {
		v = seq_at(&s, loop.index);
		r->loop = n->isolated ? NULL : outer;
		TRY(run_step(r, n->head.at));
		TRY(run_once(r, n, t, vars, &v, n->isolated ? &loop : NULL));
	}
	r->loop = outer;
	return GH_RC_OK;
}

static GH_RC run_partial(struct run *r, const struct node *node)
{
	const struct partial_node *n = (const struct partial_node *)node;
	struct run outer = *r;
	const struct liquid_template *t;
	struct var *vars = NULL;
	struct liquid_value v;

	TRY(find_template(r, n, &t));
	if (++r->depth > LIQUID_MAX_NESTING)
		return fail_at(r->err, GH_E_LIMIT, r->t->name, node->at, "templates include one another deeper than %d",
			       LIQUID_MAX_NESTING);
	for (const struct named_value *nv = n->values; nv; nv = nv->next) {
		TRY(eval_expr(r, nv->value, &v));
		TRY(var_set(r, &vars, nv->name, v));
	}
	if (n->isolated) {
		r->counters = r->cycles = r->offsets = r->changes = NULL;
		r->loop = NULL;
	}
	TRY(run_each(r, n, t, vars));
	r->depth--;
	if (n->isolated) {
		r->counters = outer.counters;
		r->cycles = outer.cycles;
		r->offsets = outer.offsets;
		r->changes = outer.changes;
		r->loop = outer.loop;
		r->flow = FLOW_ON;
	}
	return GH_RC_OK;
}

static GH_RC parse_values(struct lexer *x, struct partial_node *n)
{
	const struct named_value **tail = &n->values;

	while (x->kind != LEX_END) {
		struct named_value *nv;

		if (x->kind == LEX_COMMA) {
			liquid_lex_next(x);
			continue;
		}
		if (x->kind != LEX_NAME)
			return lex_expected(x, "the name of a value to pass");
		nv = arena_new_of(x->p->a, struct named_value);
		if (!nv)
			NO_MEMORY(x->p->err);
		nv->name = x->text;
		liquid_lex_next(x);
		if (x->kind != LEX_COLON)
			return lex_expected(x, "':'");
		liquid_lex_next(x);
		TRY(expr_parse(x, &nv->value));
		*tail = nv;
		tail = &nv->next;
	}
	return GH_RC_OK;
}

static GH_RC parse_bound(struct lexer *x, struct partial_node *n)
{
	n->alias = n->template->kind == EXPR_LITERAL ? n->template->literal.text : STR("");
	if (!lex_is(x, "with") && !lex_is(x, "for"))
		return GH_RC_OK;
	n->each = lex_is(x, "for");
	liquid_lex_next(x);
	TRY(expr_parse(x, &n->bound));
	if (!lex_is(x, "as"))
		return GH_RC_OK;
	liquid_lex_next(x);
	if (x->kind != LEX_NAME)
		return lex_expected(x, "a name behind 'as'");
	n->alias = x->text;
	liquid_lex_next(x);
	return GH_RC_OK;
}

static GH_RC remember_name(struct parser *p, struct str name)
{
	struct partial_name *n = arena_new_of(p->a, struct partial_name);

	if (!n)
		NO_MEMORY(p->err);
	n->name = name;
	n->next = p->t->partials;
	p->t->partials = n;
	return GH_RC_OK;
}

gh_rc parse_partial(struct parser *p, const struct token *t, struct block *into)
{
	struct partial_node *n = NODE_NEW(p, struct partial_node, t, run_partial);
	bool literal;
	struct lexer x;

	if (!n)
		NO_MEMORY(p->err);
	if (p->t->options.html && p->markup.state != MARKUP_TEXT)
		FAIL_AT(p, t->tag_at, "'%.*s' cannot stand %s", STR_ARG(t->name), markup_describe(&p->markup));
	n->isolated = str_eq(t->name, STR("render"));
	lex_init(&x, p, t->text, t->at);
	TRY(expr_parse(&x, &n->template));
	literal = n->template->kind == EXPR_LITERAL && value_is_text(n->template->literal);
	if (n->isolated && !literal)
		FAIL_AT(p, t->tag_at, "'render' needs the template's name in quotes");
	if (literal)
		TRY(remember_name(p, n->template->literal.text));
	TRY(parse_bound(&x, n));
	TRY(parse_values(&x, n));
	node_add(into, &n->head);
	return GH_RC_OK;
}
