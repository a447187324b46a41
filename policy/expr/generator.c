/* generator.c - local functions with `yield return`: a call gives a sequence, each enumeration of it runs the function anew.
 *
 * The registers of a run live as long as its iterator; it stops at OP_YIELD and goes on behind it. */
#include "core/str.h"
#include "policy/expr/linq.h"

struct generator {
	struct sequence s;
	const struct proto *proto;
	const struct closure *self;
	size_t n;
	struct value args[];
};

struct generator_run {
	const struct generator *g;
	struct value *frame;
	uint32_t pc;
	bool done;
};

static bool next(struct vm *vm, struct iterator *it, struct value *item)
{
	struct generator_run *r = it->state;
	bool more = false;

	if (r->done)
		return false;
	r->done = true;                         /* also when it throws */
	if (!vm_resume(vm, r->g->proto, r->g->self, r->frame, &r->pc, item, &more) || !more)
		return false;
	r->done = false;
	return true;
}

static struct iterator *begin(struct vm *vm, const struct sequence *s)
{
	const struct generator *g = (const struct generator *)(const void *)s;
	struct generator_run *r = vm_memory(vm, 1, sizeof(*r));

	if (!r || !(r->frame = vm_memory(vm, g->proto->n_regs ? g->proto->n_regs : 1, sizeof(*r->frame))))
		return NULL;
	if (g->n)
		memcpy(r->frame, g->args, g->n * sizeof(*g->args));
	r->g = g;
	return vm_iterator(vm, next, value_object(g), r);
}

bool generator_new(struct vm *vm, const struct proto *p, const struct closure *self, const struct value *args, size_t n,
		   struct value *result)
{
	struct generator *g;

	n = n < p->n_params ? n : p->n_params;
	g = vm_memory(vm, 1, sizeof(*g) + n * sizeof(*args));
	if (!g)
		return false;
	g->s.g.head.cls = &class_sequence;
	g->s.item = p->generator->n ? p->generator->args[0] : &type_object;
	g->s.g.type = type_make1(vm->arena, &class_sequence, g->s.item);
	g->s.begin = begin;
	g->proto = p;
	g->self = self;
	g->n = n;
	if (n)
		memcpy(g->args, args, n * sizeof(*args));
	*result = value_object(g);
	if (strstr(p->generator->cls->name, "IEnumerator"))
		return enumerator_of(vm, *result, g->s.item, result);
	return true;
}
