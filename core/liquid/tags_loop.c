#include "core/liquid/internal.h"

/* for, tablerow and JSONArrayFor: three writers over one way of choosing items. */

struct loop_node {
	struct node head;
	struct str variable, name;        /* "x", "x-list" */
	struct filtered list;
	const struct expr *limit, *offset, *cols;
	bool reversed, go_on;             /* offset: continue */
	struct block body, otherwise;
};

struct items {                            /* what one loop goes over */
	struct seq seq;
	size_t from, n;
	bool reversed;
};

/* ---- the forloop object -------------------------------------------------------------------------------------------- */

static bool forloop_get(void *self, struct str name, struct arena *a UNUSED, struct liquid_value *out)
{
	struct forloop *f = self;
	const struct {
		const char *name;
		struct liquid_value value;
	} members[] = {
		{ "index", liquid_of_int((int64_t)f->index + 1) },
		{ "index0", liquid_of_int((int64_t)f->index) },
		{ "rindex", liquid_of_int((int64_t)(f->length - f->index)) },
		{ "rindex0", liquid_of_int((int64_t)(f->length - f->index) - 1) },
		{ "first", liquid_of_bool(f->index == 0) },
		{ "last", liquid_of_bool(f->index + 1 == f->length) },
		{ "length", liquid_of_int((int64_t)f->length) },
		{ "name", liquid_of_text(f->name) },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (str_eq(name, str_of(members[i].name))) {
			*out = members[i].value;
			return true;
		}
	if (str_eq(name, STR("parentloop")) && f->parent) {
		*out = forloop_value((struct forloop *)f->parent);
		return true;
	}
	return false;
}

struct liquid_value forloop_value(struct forloop *f)
{
	static const struct liquid_class cls = { .name = "forloop", .get = forloop_get };

	return liquid_of_object(&cls, f);
}

/* ---- items --------------------------------------------------------------------------------------------------------- */

static GH_RC whole_number(struct run *r, const struct expr *e, size_t if_nil, size_t *out)
{
	struct liquid_value v, n;
	int64_t i;

	TRY(eval_expr(r, e, &v));
	*out = if_nil;
	if (v.kind == LIQUID_NIL)
		return GH_RC_OK;
	if (v.kind == LIQUID_INT || v.kind == LIQUID_FLOAT)
		n = v;
	else if (!value_is_text(v) || !value_parse_number(str_trim(v.text), &n))
		FAIL_RUN(r, e->at, "'%.*s' is no whole number", STR_ARG(str_first(e->source, 60)));
	i = liquid_value_int(n);
	*out = i < 0 ? 0 : (size_t)i;
	return GH_RC_OK;
}

static bool one_text(struct run *r, struct liquid_value v, struct seq *out)
{
	struct liquid_list *l;

	if (!value_is_text(v) || !v.text.n)
		return false;
	l = liquid_list_new(r->a);
	liquid_push(l, v);
	return value_seq(liquid_of_list(l), r->a, out) && out->n;
}

static GH_RC choose_items(struct run *r, const struct loop_node *n, struct items *out)
{
	struct liquid_value list;
	struct var *before = var_find(r->offsets, n->name);
	size_t limit = SIZE_MAX, offset = 0;

	*out = (struct items){ .reversed = n->reversed };
	TRY(eval_filtered(r, &n->list, &list));
	if (!value_seq(list, r->a, &out->seq) && !one_text(r, list, &out->seq))
		return GH_RC_OK;
	if (value_failed(out->seq.of))
		NO_MEMORY(r->err);
	if (n->go_on)
		offset = before ? (size_t)before->value.i : 0;
	else if (n->offset)
		TRY(whole_number(r, n->offset, 0, &offset));
	if (n->limit)
		TRY(whole_number(r, n->limit, SIZE_MAX, &limit));
	out->from = offset < out->seq.n ? offset : out->seq.n;
	out->n = out->seq.n - out->from < limit ? out->seq.n - out->from : limit;
	return var_set(r, &r->offsets, n->name, liquid_of_int((int64_t)(out->from + out->n)));
}

static struct liquid_value item_at(const struct items *it, size_t i)
{
	return seq_at(&it->seq, it->reversed ? it->from + it->n - 1 - i : it->from + i);
}

/* True when the loop goes on. */
static bool after_turn(struct run *r)
{
	enum flow flow = r->flow;

	r->flow = FLOW_ON;
	return flow != FLOW_BREAK;
}

static GH_RC run_for(struct run *r, const struct node *node)
{
	const struct loop_node *n = (const struct loop_node *)node;
	struct forloop loop = { .name = n->name, .parent = r->loop };
	struct var forloop = { .name = STR("forloop"), .value = forloop_value(&loop) };
	struct var variable = { .name = n->variable, .next = &forloop };
	struct frame frame = { .vars = &variable, .up = r->frame };
	struct items it;

	TRY(choose_items(r, n, &it));
	if (!it.n)
		return run_block(r, &n->otherwise);
	loop.length = it.n;
	r->frame = &frame;
	r->loop = &loop;
	for (size_t i = 0; i < it.n; i++) {
		loop.index = i;
		variable.value = item_at(&it, i);
		TRY(run_step(r, node->at));
		TRY(run_block(r, &n->body));
		if (!after_turn(r))
			break;
	}
	r->frame = frame.up;
	r->loop = (struct forloop *)loop.parent;
	return GH_RC_OK;
}

/* ---- tablerow ------------------------------------------------------------------------------------------------------ */

struct tablerow {
	struct forloop loop;
	size_t cols;
};

static bool tablerow_get(void *self, struct str name, struct arena *a, struct liquid_value *out)
{
	struct tablerow *t = self;
	size_t col = t->loop.index % t->cols;
	const struct {
		const char *name;
		struct liquid_value value;
	} members[] = {
		{ "col", liquid_of_int((int64_t)col + 1) },
		{ "col0", liquid_of_int((int64_t)col) },
		{ "col_first", liquid_of_bool(col == 0) },
		{ "col_last", liquid_of_bool(col + 1 == t->cols) },
		{ "row", liquid_of_int((int64_t)(t->loop.index / t->cols) + 1) },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (str_eq(name, str_of(members[i].name))) {
			*out = members[i].value;
			return true;
		}
	return forloop_get(&t->loop, name, a, out);
}

static GH_RC run_cells(struct run *r, const struct loop_node *n, const struct items *it, struct tablerow *t,
		       struct liquid_value *item)
{
	for (size_t i = 0; i < it->n; i++) {
		size_t col = i % t->cols;
		bool go_on;

		t->loop.index = i;
		*item = item_at(it, i);
		if (i && col == 0)
			buf_fmt(r->out, "<tr class=\"row%zu\">", i / t->cols + 1);
		buf_fmt(r->out, "<td class=\"col%zu\">", col + 1);
		TRY(run_step(r, n->head.at));
		TRY(run_block(r, &n->body));
		buf_cstr(r->out, "</td>");
		go_on = after_turn(r);
		if (!go_on)
			break;
		if (col + 1 == t->cols && i + 1 < it->n)
			buf_cstr(r->out, "</tr>\n");
	}
	return GH_RC_OK;
}

static GH_RC run_tablerow(struct run *r, const struct node *node)
{
	static const struct liquid_class cls = { .name = "tablerowloop", .get = tablerow_get };
	const struct loop_node *n = (const struct loop_node *)node;
	struct tablerow t = { .loop = { .name = n->name } };
	struct var row = { .name = STR("tablerowloop"), .value = liquid_of_object(&cls, &t) };
	struct var variable = { .name = n->variable, .next = &row };
	struct frame frame = { .vars = &variable, .up = r->frame };
	struct items it;

	TRY(choose_items(r, n, &it));
	t.loop.length = it.n;
	t.cols = it.n ? it.n : 1;
	if (n->cols)
		TRY(whole_number(r, n->cols, t.cols, &t.cols));
	if (!t.cols)
		t.cols = 1;
	buf_cstr(r->out, "<tr class=\"row1\">\n");
	r->frame = &frame;
	TRY(run_cells(r, n, &it, &t, &variable.value));
	r->frame = frame.up;
	buf_cstr(r->out, "</tr>\n");
	return GH_RC_OK;
}

/* ---- JSONArrayFor -------------------------------------------------------------------------------------------------- */

/* A loop of set-body templates that puts the commas of a JSON array. An item that writes nothing but white space gets no
 * comma either, so an array stays valid when its body is an `if`. */
static GH_RC run_json_array(struct run *r, const struct node *node)
{
	const struct loop_node *n = (const struct loop_node *)node;
	struct forloop loop = { .name = n->name, .parent = r->loop };
	struct var forloop = { .name = STR("forloop"), .value = forloop_value(&loop) };
	struct var variable = { .name = n->variable, .next = &forloop };
	struct frame frame = { .vars = &variable, .up = r->frame };
	bool any = false, go_on = true;
	struct items it;
	struct str text;

	TRY(choose_items(r, n, &it));
	loop.length = it.n;
	r->frame = &frame;
	r->loop = &loop;
	for (size_t i = 0; i < it.n && go_on; i++) {
		loop.index = i;
		variable.value = item_at(&it, i);
		TRY(run_step(r, node->at));
		TRY(run_aside(r, &n->body, &text));
		go_on = after_turn(r);
		if (any && str_trim(text).n)
			buf_char(r->out, ',');
		any |= str_trim(text).n != 0;
		buf_str(r->out, text);
	}
	r->frame = frame.up;
	r->loop = (struct forloop *)loop.parent;
	return GH_RC_OK;
}

/* ---- parsing ------------------------------------------------------------------------------------------------------- */

static GH_RC parse_options(struct lexer *x, struct loop_node *n)
{
	while (x->kind != LEX_END) {
		const struct expr **to = NULL;

		if (x->kind == LEX_COMMA) {
			liquid_lex_next(x);
			continue;
		}
		if (lex_is(x, "reversed")) {
			n->reversed = true;
			liquid_lex_next(x);
			continue;
		}
		if (lex_is(x, "limit"))
			to = &n->limit;
		else if (lex_is(x, "offset"))
			to = &n->offset;
		else if (lex_is(x, "cols"))
			to = &n->cols;
		if (!to)
			return lex_expected(x, "limit, offset, cols or reversed");
		liquid_lex_next(x);
		if (x->kind != LEX_COLON)
			return lex_expected(x, "':'");
		liquid_lex_next(x);
		if (to == &n->offset && lex_is(x, "continue")) {
			n->go_on = true;
			liquid_lex_next(x);
			continue;
		}
		TRY(expr_parse(x, to));
	}
	return GH_RC_OK;
}

static GH_RC parse_head(struct parser *p, const struct token *t, struct loop_node *n)
{
	struct lexer x;

	lex_init(&x, p, t->text, t->at);
	if (x.kind != LEX_NAME)
		return lex_expected(&x, "the name of the loop's variable");
	n->variable = x.text;
	liquid_lex_next(&x);
	if (!lex_is(&x, "in"))
		return lex_expected(&x, "'in'");
	liquid_lex_next(&x);
	TRY(expr_parse(&x, &n->list.base));
	n->name = arena_printf(p->a, "%.*s-%.*s", STR_ARG(n->variable), STR_ARG(n->list.base->source));
	if (str_is_null(n->name))
		NO_MEMORY(p->err);
	return parse_options(&x, n);
}

gh_rc parse_loop_body(struct parser *p, const struct token *t, const char *const *ends, struct block *out)
{
	struct markup before = p->markup;

	TRY(parse_block(p, t, ends, out));
	if (p->t->options.html && !markup_same(&before, &p->markup))
		FAIL_AT(p, t->tag_at, "'%.*s' begins %s and ends %s: it must leave the HTML as it found it", STR_ARG(t->name),
			markup_describe(&before), markup_describe(&p->markup));
	return GH_RC_OK;
}

gh_rc parse_for(struct parser *p, const struct token *t, struct block *into)
{
	static const char *const ends[] = { "endfor", "else", NULL };
	struct loop_node *n = NODE_NEW(p, struct loop_node, t, run_for);

	if (!n)
		NO_MEMORY(p->err);
	TRY(parse_head(p, t, n));
	block_init(&n->otherwise);
	TRY(parse_loop_body(p, t, ends, &n->body));
	if (str_eq(p->end.name, STR("else")))
		TRY(parse_loop_body(p, t, (const char *const[]){ "endfor", NULL }, &n->otherwise));
	n->head.blank = n->body.blank && n->otherwise.blank;
	if (n->head.blank && p->t->options.dialect == LIQUID_STANDARD) {
		block_drop_text(&n->body);
		block_drop_text(&n->otherwise);
	}
	node_add(into, &n->head);
	return GH_RC_OK;
}

gh_rc parse_tablerow(struct parser *p, const struct token *t, struct block *into)
{
	static const char *const ends[] = { "endtablerow", NULL };
	struct loop_node *n = NODE_NEW(p, struct loop_node, t, run_tablerow);

	if (!n)
		NO_MEMORY(p->err);
	if (p->t->options.html && p->markup.state != MARKUP_TEXT)
		FAIL_AT(p, t->tag_at, "'tablerow' writes elements and cannot stand %s", markup_describe(&p->markup));
	TRY(parse_head(p, t, n));
	TRY(parse_loop_body(p, t, ends, &n->body));
	node_add(into, &n->head);
	return GH_RC_OK;
}

gh_rc parse_json_array(struct parser *p, const struct token *t, struct block *into)
{
	static const char *const ends[] = { "endJSONArrayFor", NULL };
	struct loop_node *n = NODE_NEW(p, struct loop_node, t, run_json_array);

	if (!n)
		NO_MEMORY(p->err);
	if (p->t->options.dialect != LIQUID_DOTLIQUID)
		FAIL_AT(p, t->tag_at, "'JSONArrayFor' is for set-body templates; write a 'for'");
	block_init(&n->otherwise);
	TRY(parse_head(p, t, n));
	TRY(parse_loop_body(p, t, ends, &n->body));
	node_add(into, &n->head);
	return GH_RC_OK;
}
