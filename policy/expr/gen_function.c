/* gen_function.c - functions and lambdas: their registers, captures and code, copied to where it stays. */
#include "policy/expr/gen.h"

static struct proto *function(struct gen *outer, struct compilation *c, struct function *f);

static bool add_captures(struct gen *g, struct proto *p, struct function *f)
{
	p->captures = arena_alloc(g->c->keep, f->n_captures ? f->n_captures : 1, sizeof(*p->captures));
	if (!p->captures)
		return gen_fail(g, 0, "out of memory");
	p->n_captures = f->n_captures;
	for (size_t i = 0; i < f->n_captures; i++) {
		struct local *l = f->captures[i];

		p->captures[i].of_parent = l->owner != g->f;
		p->captures[i].index = l->owner != g->f ? gen_capture_index(g, l) : l->reg;
	}
	return true;
}

uint16_t gen_lambda(struct gen *g, struct node *n, uint16_t dest)
{
	struct proto *p = function(g, g->c, n->function);

	if (!p) {
		g->failed = true;
		return dest;
	}
	if (!add_captures(g, p, n->function))
		return dest;
	APPEND(g, protos, n_protos, 4, p);
	emit_insn(g, OP_CLOSURE, dest, (uint16_t)(g->p->n_protos - 1), add_type(g, node_type(n)));
	return dest;
}

static void *kept(struct gen *g, const void *list, size_t n, size_t size)
{
	void *copy = arena_alloc_raw(g->c->keep, n * size);

	if (!copy)
		return gen_fail(g, 0, "out of memory");
	if (n)
		memcpy(copy, list, n * size);
	return copy;
}

static struct proto *kept_proto(struct gen *g)
{
	struct proto *p = kept(g, g->p, 1, sizeof(*p));

	if (!p)
		return NULL;
	p->code = kept(g, p->code, p->n_code, sizeof(*p->code));
	p->constants = kept(g, p->constants, p->n_constants, sizeof(*p->constants));
	p->sites = kept(g, p->sites, p->n_sites, sizeof(*p->sites));
	p->types = kept(g, p->types, p->n_types, sizeof(*p->types));
	p->protos = kept(g, p->protos, p->n_protos, sizeof(*p->protos));
	p->handlers = kept(g, p->handlers, p->n_handlers, sizeof(*p->handlers));
	return g->failed ? NULL : p;
}

static struct proto *function(struct gen *outer, struct compilation *c, struct function *f)
{
	struct gen g = { .c = c, .arena = c->arena, .f = f, .outer = outer };

	g.p = arena_new_of(c->arena, struct proto);
	if (!g.p)
		return expr_error(c, 0, "out of memory");
	g.p->n_params = (uint16_t)f->n;
	g.p->generator = f->generator ? type_copy(c->keep, f->result) : NULL;
	for (size_t i = 0; i < f->n; i++)
		f->params[i]->reg = reg_new(&g);
	for (size_t i = 0; i < f->n; i++)
		if (f->params[i]->captured && !f->params[i]->by_ref)
			emit_insn(&g, OP_WRAP_CELL, f->params[i]->reg, 0, 0);
	gen_scope(&g, f->scope);
	if (f->is_expression) {
		uint16_t r = gen_value(&g, f->body, ANY);

		emit_insn(&g, f->body->type->kind == TYPE_VOID ? OP_RETURN_NONE : OP_RETURN, r, 0, 0);
	} else {
		gen_statement(&g, f->body);
		emit_insn(&g, OP_RETURN_NONE, 0, 0, 0);
	}
	return g.failed ? NULL : kept_proto(&g);
}

struct proto *gen_function(struct compilation *c, struct function *f)
{
	return function(NULL, c, f);
}
