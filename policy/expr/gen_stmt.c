/* gen_stmt.c - typed nodes to instructions: statements, jumps out of loops, try. */
#include "policy/expr/gen.h"

static void add_jump(struct gen *g, struct jump_list *list, uint32_t at)
{
	if (list->n == JUMPS_MAX) {
		gen_fail(g, 0, "too many jumps out of one loop");
		return;
	}
	list->at[list->n++] = at;
}

static void patch_list(struct gen *g, struct jump_list *list, uint32_t target)
{
	for (size_t i = 0; i < list->n; i++)
		patch_to(g, list->at[i], target);
}

/* ---- try ------------------------------------------------------------------------------------------------------------------ */

static void close_range(struct gen *g, struct try_context *t)
{
	struct handler h = { .from = t->from, .to = here(g), .reg = t->reg };
	struct handler *list;

	t->from = here(g);
	if (h.from == h.to || g->failed)
		return;
	if (t->n == JUMPS_MAX) {
		gen_fail(g, 0, "too many jumps out of one try");
		return;
	}
	list = grow(g, g->p->handlers, g->p->n_handlers, 5, sizeof(*list));
	if (!list)
		return;
	g->p->handlers = list;
	t->handlers[t->n++] = g->p->n_handlers;
	list[g->p->n_handlers++] = h;
}

/* Leaves the tries inside of `until`: their finally blocks run here. */
static void leave_tries(struct gen *g, struct try_context *until)
{
	struct try_context *innermost = g->tries;

	for (struct try_context *t = innermost; t != until; t = t->outer) {
		close_range(g, t);
		g->tries = t->outer;
		if (t->finally)
			gen_statement(g, t->finally);
	}
	g->tries = innermost;
	for (struct try_context *t = innermost; t != until; t = t->outer)
		t->from = here(g);
}

static void open_try(struct gen *g, struct try_context *t, struct node *finally)
{
	t->outer = g->tries;
	t->finally = finally;
	t->from = here(g);
	t->n = 0;
	t->reg = reg_new(g);
	g->tries = t;
}

static void close_try(struct gen *g, struct try_context *t)      /* the handler's code comes next */
{
	close_range(g, t);
	g->tries = t->outer;
}

static void handler_here(struct gen *g, struct try_context *t)
{
	for (size_t i = 0; i < t->n && !g->failed; i++)
		g->p->handlers[t->handlers[i]].target = here(g);
}

static void catch_clauses(struct gen *g, struct node *n, uint16_t thrown)
{
	struct jump_list ends = { .n = 0 };
	uint16_t was = g->caught;

	for (struct node *c = n->b; c && !g->failed; c = c->next) {
		uint16_t mark = g->next, test = reg_new(g);
		uint32_t wrong_type, wrong_when = 0;

		emit_insn(g, OP_IS, test, thrown, add_type(g, c->tested));
		wrong_type = emit_jump(g, OP_JUMP_UNLESS, test);
		gen_scope(g, c->scope);
		gen_set_local(g, c->local, thrown);
		if (c->a) {
			gen_value(g, c->a, test);
			wrong_when = emit_jump(g, OP_JUMP_UNLESS, test);
		}
		g->caught = thrown;
		gen_statement(g, c->b);
		g->caught = was;
		add_jump(g, &ends, emit_jump(g, OP_JUMP, 0));
		patch_to(g, wrong_type, here(g));
		if (c->a)
			patch_to(g, wrong_when, here(g));
		g->next = mark;
	}
	emit_insn(g, OP_THROW, thrown, 0, 0);
	patch_list(g, &ends, here(g));
}

static void try_catch(struct gen *g, struct node *n)
{
	struct try_context t;
	uint32_t end;

	if (!n->b) {
		gen_statement(g, n->a);
		return;
	}
	open_try(g, &t, NULL);
	gen_statement(g, n->a);
	close_try(g, &t);
	end = emit_jump(g, OP_JUMP, 0);
	handler_here(g, &t);
	catch_clauses(g, n, t.reg);
	patch_to(g, end, here(g));
}

static void try_statement(struct gen *g, struct node *n)
{
	struct try_context t;
	uint32_t end;

	if (!n->c) {
		try_catch(g, n);
		return;
	}
	open_try(g, &t, n->c);
	try_catch(g, n);
	close_try(g, &t);
	gen_statement(g, n->c);
	end = emit_jump(g, OP_JUMP, 0);
	handler_here(g, &t);
	gen_statement(g, n->c);
	emit_insn(g, OP_THROW, t.reg, 0, 0);
	patch_to(g, end, here(g));
}

/* ---- loops and jumps ------------------------------------------------------------------------------------------------------ */

static void loop_statement(struct gen *g, struct node *n)
{
	struct loop loop = { .outer = g->loop, .tries = g->tries };
	uint32_t top, to_test = 0, test, step;
	uint16_t condition;

	if (!n->flag && n->a)
		to_test = emit_jump(g, OP_JUMP, 0);
	top = here(g);
	g->loop = &loop;
	gen_statement(g, n->d);
	g->loop = loop.outer;
	step = here(g);
	for (struct node *s = n->b; s; s = s->next)
		gen_statement(g, s);
	test = here(g);
	if (!n->flag && n->a)
		patch_to(g, to_test, test);
	if (n->a) {
		condition = gen_value(g, n->a, ANY);
		patch_to(g, emit_jump(g, OP_JUMP_IF, condition), top);
	} else {
		patch_to(g, emit_jump(g, OP_JUMP, 0), top);
	}
	patch_list(g, &loop.continues, n->b ? step : test);
	patch_list(g, &loop.breaks, here(g));
}

static void foreach_statement(struct gen *g, struct node *n)
{
	struct loop loop = { .outer = g->loop, .tries = g->tries };
	uint16_t iterator = reg_new(g), item = reg_new(g);
	uint32_t top, end;

	emit_insn(g, OP_ITERATE, iterator, gen_value(g, n->a, ANY), 0);
	top = here(g);
	emit_insn(g, OP_NEXT, item, iterator, 0);
	end = emit_jump(g, OP_JUMP, 0);
	gen_set_local(g, n->local, item);
	g->loop = &loop;
	gen_statement(g, n->d);
	g->loop = loop.outer;
	patch_list(g, &loop.continues, here(g));
	patch_to(g, emit_jump(g, OP_JUMP, 0), top);
	patch_to(g, end, here(g));
	patch_list(g, &loop.breaks, here(g));
}

static void switch_statement(struct gen *g, struct node *n)
{
	struct loop loop = { .outer = g->loop, .tries = g->tries, .is_switch = true };
	struct jump_list starts = { .n = 0 };
	uint32_t otherwise;
	uint16_t test = reg_new(g);
	size_t i = 0;

	gen_value(g, n->a, test);
	for (struct node *s = n->b; s && !g->failed; s = s->next) {
		uint32_t jump;

		if (!s->a) {
			add_jump(g, &starts, UINT32_MAX);
			continue;
		}
		gen_value(g, s->a, test);
		jump = emit_jump(g, OP_JUMP_IF, test);
		add_jump(g, &starts, jump);
	}
	otherwise = emit_jump(g, OP_JUMP, 0);
	g->loop = &loop;
	for (struct node *s = n->b; s && !g->failed; s = s->next, i++) {
		if (starts.at[i] != UINT32_MAX)
			patch_to(g, starts.at[i], here(g));
		if (s->flag) {
			patch_to(g, otherwise, here(g));
			otherwise = UINT32_MAX;
		}
		gen_statement(g, s->b);
	}
	g->loop = loop.outer;
	if (otherwise != UINT32_MAX)
		patch_to(g, otherwise, here(g));
	patch_list(g, &loop.breaks, here(g));
}

static void jump_statement(struct gen *g, struct node *n)
{
	struct loop *loop = g->loop;

	while (loop && n->kind == N_CONTINUE && loop->is_switch)
		loop = loop->outer;
	if (!loop) {
		gen_fail(g, n->at, "no loop around this");
		return;
	}
	leave_tries(g, loop->tries);
	add_jump(g, n->kind == N_BREAK ? &loop->breaks : &loop->continues, emit_jump(g, OP_JUMP, 0));
}

static void return_statement(struct gen *g, struct node *n)
{
	uint16_t value = 0;

	if (n->a) {
		value = reg_new(g);
		gen_value(g, n->a, value);
	}
	leave_tries(g, NULL);
	emit_insn(g, n->a ? OP_RETURN : OP_RETURN_NONE, value, 0, 0);
}

static void if_statement(struct gen *g, struct node *n)
{
	uint16_t condition = gen_value(g, n->a, ANY);
	uint32_t otherwise = emit_jump(g, OP_JUMP_UNLESS, condition), end;

	gen_statement(g, n->b);
	if (!n->c) {
		patch_to(g, otherwise, here(g));
		return;
	}
	end = emit_jump(g, OP_JUMP, 0);
	patch_to(g, otherwise, here(g));
	gen_statement(g, n->c);
	patch_to(g, end, here(g));
}

static void block(struct gen *g, struct node *n)
{
	if (n->scope)
		gen_scope(g, n->scope);
	for (struct node *s = n->c; s && !g->failed; s = s->next)
		gen_statement(g, s);
	for (struct node *s = n->b; s && !g->failed; s = s->next)
		gen_statement(g, s);
}

void gen_statement(struct gen *g, struct node *n)
{
	uint16_t mark = g->next;

	if (g->failed)
		return;
	switch (n->kind) {
	case N_BLOCK: block(g, n); break;
	case N_EXPRESSION: gen_value(g, n->a, ANY); break;
	case N_IF: if_statement(g, n); break;
	case N_RETURN: return_statement(g, n); break;
	case N_BREAK:
	case N_CONTINUE: jump_statement(g, n); break;
	case N_RETHROW: emit_insn(g, OP_THROW, g->caught, 0, 0); break;
	case N_LOOP: loop_statement(g, n); break;
	case N_FOREACH: foreach_statement(g, n); break;
	case N_SWITCH: switch_statement(g, n); break;
	case N_TRY: try_statement(g, n); break;
	case N_YIELD: emit_insn(g, OP_YIELD, gen_value(g, n->a, ANY), 0, 0); break;
	case N_BIND_REF: gen_value(g, n->a, n->local->reg); break;
	case N_NOTHING: break;
	default: gen_fail(g, n->at, "this cannot stand here as a statement"); break;
	}
	g->next = mark;
}
