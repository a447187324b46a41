#include "core/liquid/internal.h"

/* if, unless, case: branches. In html mode every branch must leave the markup where it found the others leave it. */

struct branch {
	const struct condition *condition;        /* NULL: else */
	const struct when_value *values;          /* case: any of them */
	struct block body;
	struct branch *next;
	bool is_else;
};

struct when_value {
	const struct expr *value;
	const struct when_value *next;
};

struct branches {
	struct node head;
	struct branch *first, **tail;
	const struct expr *subject;               /* case */
	bool negate_first;                        /* unless */
};

struct merge {                                    /* of the markup behind several branches */
	struct markup before, after;
	bool have;
};

static GH_RC merge_branch(struct parser *p, struct merge *m, const struct token *opener)
{
	if (m->have && !markup_same(&m->after, &p->markup))
		FAIL_AT(p, opener->tag_at, "the branches of '%.*s' end in different places of the HTML: one %s, another %s",
			STR_ARG(opener->name), markup_describe(&m->after), markup_describe(&p->markup));
	if (m->have)
		p->markup.value_begun |= m->after.value_begun;
	m->after = p->markup;
	m->have = true;
	p->markup = m->before;
	return GH_RC_OK;
}

/* Without an else the text before the tag is one more way through. */
static GH_RC merge_end(struct parser *p, struct merge *m, const struct token *opener, bool had_else)
{
	if (!had_else)
		TRY(merge_branch(p, m, opener));
	p->markup = m->after;
	return GH_RC_OK;
}

static struct branch *add_branch(struct parser *p, struct branches *all)
{
	struct branch *b = arena_new_of(p->a, struct branch);

	if (b) {
		*all->tail = b;
		all->tail = &b->next;
	}
	return b;
}

static void finish_branches(struct branches *all, struct parser *p, struct block *into)
{
	all->head.blank = true;
	for (struct branch *b = all->first; b; b = b->next)
		all->head.blank &= b->body.blank;
	if (all->head.blank && p->t->options.dialect == LIQUID_STANDARD)
		for (struct branch *b = all->first; b; b = b->next)
			block_drop_text(&b->body);
	node_add(into, &all->head);
}

static GH_RC run_if(struct run *r, const struct node *n)
{
	const struct branches *all = (const struct branches *)n;

	for (const struct branch *b = all->first; b; b = b->next) {
		bool yes = true;

		if (b->condition) {
			TRY(eval_condition(r, b->condition, &yes));
			yes ^= all->negate_first && b == all->first;
		}
		if (yes)
			return run_block(r, &b->body);
	}
	return GH_RC_OK;
}

static GH_RC parse_if(struct parser *p, const struct token *t, struct block *into)
{
	bool unless = str_eq(t->name, STR("unless")), had_else = false, last;
	const char *const ends[] = { unless ? "endunless" : "endif", "elsif", "elseif", "else", NULL };
	struct branches *all = NODE_NEW(p, struct branches, t, run_if);
	struct merge merge = { .before = p->markup };
	struct token head = *t;

	if (!all)
		NO_MEMORY(p->err);
	all->tail = &all->first;
	all->negate_first = unless;
	do {
		struct branch *b = add_branch(p, all);    /* one behind an else is never reached */
		struct lexer x;

		if (!b)
			NO_MEMORY(p->err);
		b->is_else = str_eq(head.name, STR("else"));
		if (!b->is_else) {
			lex_init(&x, p, head.text, head.at);
			TRY(condition_parse(&x, &b->condition));
		}
		TRY(parse_block(p, t, ends, &b->body));
		TRY(merge_branch(p, &merge, t));
		had_else |= b->is_else;
		head = p->end;
		last = str_eq(head.name, str_of(ends[0]));
	} while (!last);
	TRY(merge_end(p, &merge, t, had_else));
	finish_branches(all, p, into);
	return GH_RC_OK;
}

/* ---- case ---------------------------------------------------------------------------------------------------------- */

static GH_RC run_case(struct run *r, const struct node *n)
{
	const struct branches *all = (const struct branches *)n;
	struct liquid_value subject, value;
	bool any = false, equal;

	TRY(eval_expr(r, all->subject, &subject));
	for (const struct branch *b = all->first; b && r->flow == FLOW_ON; b = b->next) {
		if (b->is_else && !any)
			TRY(run_block(r, &b->body));
		for (const struct when_value *w = b->values; w && r->flow == FLOW_ON; w = w->next) {
			TRY(eval_expr(r, w->value, &value));
			TRY(compare(r, subject, OP_EQ, value, n->at, &equal));
			if (!equal)
				continue;
			any = true;
			TRY(run_block(r, &b->body));
			if (r->t->options.dialect == LIQUID_DOTLIQUID)
				break;
		}
	}
	return GH_RC_OK;
}

static GH_RC parse_when(struct parser *p, const struct token *head, struct branch *b)
{
	const struct when_value **tail = &b->values;
	struct lexer x;

	lex_init(&x, p, head->text, head->at);
	for (;;) {
		struct when_value *w = arena_new_of(p->a, struct when_value);

		if (!w)
			NO_MEMORY(p->err);
		TRY(expr_parse(&x, &w->value));
		*tail = w;
		tail = &w->next;
		if (x.kind != LEX_COMMA && !lex_is(&x, "or"))
			return lex_want_end(&x);
		liquid_lex_next(&x);
	}
}

static GH_RC parse_case(struct parser *p, const struct token *t, struct block *into)
{
	static const char *const ends[] = { "endcase", "when", "else", NULL };
	struct branches *all = NODE_NEW(p, struct branches, t, run_case);
	struct merge merge = { .before = p->markup };
	bool had_else = false;
	struct block before;
	struct lexer x;

	if (!all)
		NO_MEMORY(p->err);
	all->tail = &all->first;
	lex_init(&x, p, t->text, t->at);
	TRY(expr_parse(&x, &all->subject));
	TRY(lex_want_end(&x));
	TRY(parse_block(p, t, ends, &before));            /* what stands before the first when is not written */
	p->markup = merge.before;
	while (!str_eq(p->end.name, STR("endcase"))) {
		struct branch *b = add_branch(p, all);
		struct token head = p->end;

		if (!b)
			NO_MEMORY(p->err);
		b->is_else = str_eq(head.name, STR("else"));
		had_else |= b->is_else;
		if (!b->is_else)
			TRY(parse_when(p, &head, b));
		TRY(parse_block(p, t, ends, &b->body));
		TRY(merge_branch(p, &merge, t));
	}
	TRY(merge_end(p, &merge, t, had_else));
	finish_branches(all, p, into);
	return GH_RC_OK;
}

/* ---- words that are not blocks ------------------------------------------------------------------------------------- */

static GH_RC run_break(struct run *r, const struct node *n UNUSED)
{
	r->flow = FLOW_BREAK;
	return GH_RC_OK;
}

static GH_RC run_continue(struct run *r, const struct node *n UNUSED)
{
	r->flow = FLOW_CONTINUE;
	return GH_RC_OK;
}

static GH_RC parse_jump(struct parser *p, const struct token *t, struct block *into)
{
	bool is_break = str_eq(t->name, STR("break"));
	struct node *n = NODE_NEW(p, struct node, t, is_break ? run_break : run_continue);

	if (!n)
		NO_MEMORY(p->err);
	n->blank = true;
	node_add(into, n);
	return GH_RC_OK;
}

/* Comments may hold tags that do not parse, and other comments and raw blocks. */
static GH_RC parse_comment(struct parser *p, const struct token *t, struct block *into UNUSED)
{
	struct token inner;
	struct str skipped;
	unsigned depth = 1;

	while (depth) {
		TRY(scan_next(p->scan, &inner, p->err));
		if (inner.kind == TOKEN_END)
			FAIL_AT(p, t->tag_at, "'comment' without its 'endcomment'");
		if (inner.kind != TOKEN_TAG)
			continue;
		if (str_eq(inner.name, STR("comment")))
			depth++;
		else if (str_eq(inner.name, STR("endcomment")))
			depth--;
		else if (str_eq(inner.name, STR("raw")) && !scan_until(p->scan, STR("endraw"), &skipped))
			FAIL_AT(p, inner.tag_at, "'raw' without its 'endraw'");
	}
	return GH_RC_OK;
}

static GH_RC parse_hash(struct parser *p, const struct token *t, struct block *into UNUSED)
{
	struct str rest = t->text, line;
	bool first = true;

	for (; str_split(&rest, '\n', &line); first = false)
		if (!first && str_trim(line).n && str_trim(line).p[0] != '#')
			FAIL_AT(p, t->tag_at, "each line of a '#' comment must begin with '#'");
	return GH_RC_OK;
}

static GH_RC parse_doc(struct parser *p, const struct token *t, struct block *into UNUSED)
{
	struct str body;

	if (t->text.n && str_trim(t->text).n)
		FAIL_AT(p, t->tag_at, "'doc' takes no argument");
	if (!scan_until(p->scan, STR("enddoc"), &body))
		FAIL_AT(p, t->tag_at, "'doc' without its 'enddoc'");
	return GH_RC_OK;
}

struct raw_node {
	struct node head;
	struct str text;
};

static GH_RC run_raw(struct run *r, const struct node *n)
{
	buf_str(r->out, ((const struct raw_node *)n)->text);
	return GH_RC_OK;
}

static GH_RC parse_raw(struct parser *p, const struct token *t, struct block *into)
{
	struct raw_node *n = NODE_NEW(p, struct raw_node, t, run_raw);

	if (!n)
		NO_MEMORY(p->err);
	if (str_trim(t->text).n)
		FAIL_AT(p, t->tag_at, "'raw' takes no argument");
	if (!scan_until(p->scan, STR("endraw"), &n->text))
		FAIL_AT(p, t->tag_at, "'raw' without its 'endraw'");
	if (p->t->options.html)
		markup_feed(&p->markup, n->text);
	node_add(into, &n->head);
	return GH_RC_OK;
}

static GH_RC parse_echo(struct parser *p, const struct token *t, struct block *into)
{
	return parse_output(p, t->text, t->at, into);
}

const struct tag liquid_tags[] = {
	{ "#", parse_hash },          { "JSONArrayFor", parse_json_array },          { "assign", parse_assign },   { "break", parse_jump },
	{ "capture", parse_capture }, { "case", parse_case },       { "comment", parse_comment },
	{ "continue", parse_jump },   { "cycle", parse_cycle },     { "decrement", parse_counter },
	{ "doc", parse_doc },         { "echo", parse_echo },       { "for", parse_for },
	{ "if", parse_if },           { "ifchanged", parse_ifchanged }, { "include", parse_partial },
	{ "increment", parse_counter }, { "liquid", parse_liquid_lines }, { "raw", parse_raw },
	{ "render", parse_partial },  { "tablerow", parse_tablerow }, { "unless", parse_if },
	{ NULL, NULL },
};
