/* vm.c - the machine: one loop over the instructions of code.h.
 *
 * A call of a lambda is a call of vm_run, so its depth is bounded by vm.depth_max. An exception is vm.failed with
 * vm.exception; the loop looks for a handler of the present instruction and else returns false, so that C frames between
 * (a LINQ method that called the lambda) unwind as they return. The budget is taken at calls and at jumps backwards,
 * which is where a program can spend time without end. */
#include "policy/expr/vm.h"

#include "core/str.h"
#include "policy/expr/anonymous.h"
#include "policy/expr/context.h"
#include "policy/expr/lex.h"
#include "policy/expr/run.h"
#include "policy/expr/text.h"

enum { FRAME_ON_STACK = 24, CALL_COST = 8, DECIMAL_COST = 20, ARGUMENTS_ON_STACK = 16 };

static inline int32_t distance(struct insn i)
{
	return (int32_t)((uint32_t)i.b | (uint32_t)i.c << 16);
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------- */

/* An operator of the bare types was given nullable operands, one of them null. */
static bool lifted_null(const struct call_site *s, const struct value *args, struct value *result)
{
	bool null0 = args[0].kind == VALUE_NULL, null1 = s->n > 1 && args[1].kind == VALUE_NULL;

	if (!null0 && !null1)
		return false;
	if (s->lifted_op == P2('=', '='))
		*result = value_bool(null0 && null1);
	else if (s->lifted_op == P2('!', '='))
		*result = value_bool(null0 != null1);
	else if (type_is(s->type, &class_bool))
		*result = value_bool(false);
	else
		*result = VALUE_NULL_INIT;
	return true;
}

/* A member of an interface: the class of the instance has it, or no class and then a default of the interface itself. */
static bool call_virtual(struct vm *vm, const struct call_site *s, struct vm_call *c)
{
	bool found = false;
	struct value result = VALUE_NULL_INIT;

	if (!s->setter &&
	    (vm_call_member(vm, c->self, s->member->name, s->member->kind, c->args, c->n, &result, &found) || found)) {
		c->result = result;
		return !vm->failed;
	}
	if (s->setter) {
		const struct value_class *first = value_class_of(c->self);

		if (first == &class_array)
			first = &class_array_interfaces;
		for (const struct value_class *cls = first; cls;
		     cls = class_link(cls)->base ? class_link(cls)->base->cls : NULL)
			for (const struct member *m = class_member(cls, s->member->name); m; m = m->next)
				if (m->kind == s->member->kind && m->set && m->n + 1u == c->n)
					return m->set(c);
	}
	return vm_raise(vm, EX_NOT_SUPPORTED);
}

bool vm_call_site(struct vm *vm, const struct call_site *s, struct value *base, struct value *result)
{
	struct vm_call c;
	bool ok;

	vm->budget -= CALL_COST;
	if (vm->budget < 0 || ++vm->ticks % TICKS == 0) {
		if (!vm_charge(vm, 0) || !vm_look_at_clock(vm, 0))
			return false;
	}
	c.vm = vm;
	c.arena = vm->arena;
	c.x = vm->x;
	c.n = s->n;
	c.types = s->types;
	c.type = s->type;
	c.result = VALUE_NULL_INIT;
	if (s->has_self) {
		if (base->kind == VALUE_NULL)
			return vm_raise(vm, EX_NULL_REFERENCE);
		c.self = *base;
		c.args = base + 1;
	} else {
		c.self = VALUE_NULL_INIT;
		c.args = base;
	}
	if (s->lifted && lifted_null(s, c.args, result))
		return true;
	ok = s->fn ? s->fn(&c) : call_virtual(vm, s, &c);
	if (!ok || vm->failed)
		return vm->failed ? false : vm_raise(vm, EX_INVALID_OPERATION);
	vm_pay_memory(vm, arena_used(vm->arena));
	if (vm->budget < 0)                     /* memory */
		return vm_charge(vm, 0);
	if (arena_used(vm->arena) > vm->memory_top)
		return vm_fatal(vm, MEMORY_ENDED);
	*result = c.result;
	return true;
}

/* ---- texts ---------------------------------------------------------------------------------------------------------------- */

static bool text_piece(struct vm *vm, struct value v, struct text *out)
{
	if (v.kind == VALUE_STRING) {
		*out = *v.text;
		return true;
	}
	{
		struct str s = value_to_text(vm->arena, v);

		*out = (struct text){ s.n, str_is_ascii(s), s.p };
		return s.p ? true : vm_fatal(vm, MEMORY_ENDED);
	}
}

static bool concat(struct vm *vm, const struct value *v, size_t n, struct value *out)
{
	const struct text *sum = &text_empty, *next;
	struct text piece;
	size_t total = 0;
	struct text *joined;
	char *to;
	bool ascii = true;

	if (n <= 2 || n > ARGUMENTS_ON_STACK) {
		for (size_t i = 0; i < n; i++) {
			struct text *copy = vm_memory(vm, 1, sizeof(*copy));

			if (!copy || !text_piece(vm, v[i], copy) || copy->n > arena_left(vm->arena) / 2)
				return vm->failed ? false : vm_fatal(vm, MEMORY_ENDED);
			next = text_concat(vm->arena, sum, copy);
			if (!next || arena_used(vm->arena) > vm->memory_top)
				return vm_fatal(vm, MEMORY_ENDED);
			sum = next;
		}
		*out = value_text(sum);
		return vm_charge(vm, sum->n / 256);
	}
	{
		struct text pieces[ARGUMENTS_ON_STACK];

		for (size_t i = 0; i < n; i++) {
			if (!text_piece(vm, v[i], &pieces[i]))
				return false;
			total += pieces[i].n;
			ascii &= pieces[i].ascii;
		}
		joined = vm_memory(vm, 1, sizeof(*joined));
		to = joined ? vm_memory(vm, 1, total + 1) : NULL;
		if (!to)
			return false;
		*joined = (struct text){ total, ascii, to };
		for (size_t i = 0; i < n; to += pieces[i].n, i++)
			memcpy(to, pieces[i].p, pieces[i].n);
	}
	(void)piece;
	*out = value_text(joined);
	return vm_charge(vm, total / 256);
}

bool vm_format_value(struct vm *vm, struct value v, struct value width, struct value format, struct value *out)
{
	bool found = false;
	int64_t columns = width.kind == VALUE_INT ? width.i : 0, have;
	struct text piece;
	struct str s;

	if (format.kind == VALUE_STRING && format.text->n && v.kind != VALUE_NULL &&
	    vm_call_member(vm, v, STR("ToString"), MEMBER_METHOD, &format, 1, out, &found))
		v = *out;
	if (vm->failed)
		return false;
	if (!text_piece(vm, v, &piece))
		return false;
	s = text_str(&piece);
	have = text_length(&piece);
	if (columns < -100000 || columns > 100000)
		return vm_raise(vm, EX_FORMAT);
	if (columns > have)
		s = arena_join(vm->arena, (struct str[]){ arena_printf(vm->arena, "%*s", (int)(columns - have), ""), s }, 2);
	else if (-columns > have)
		s = arena_join(vm->arena, (struct str[]){ s, arena_printf(vm->arena, "%*s", (int)(-columns - have), "") }, 2);
	return s.p ? vm_text(vm, s, out) : vm_fatal(vm, MEMORY_ENDED);
}

/* ---- objects -------------------------------------------------------------------------------------------------------------- */

static bool make_closure(struct vm *vm, const struct proto *p, const struct type *t, const struct closure *self,
			 const struct value *r, struct value *out)
{
	struct closure *c = vm_memory(vm, 1, sizeof(*c) + p->n_captures * sizeof(struct cell *));

	if (!c)
		return false;
	c->g.head.cls = t->cls;
	c->g.type = t;
	c->proto = p;
	for (size_t i = 0; i < p->n_captures; i++)
		c->cells[i] = p->captures[i].of_parent ? self->cells[p->captures[i].index]
						       : (struct cell *)(void *)r[p->captures[i].index].object;
	*out = value_object(c);
	return true;
}

static bool new_cell(struct vm *vm, struct value *r, struct value initial)
{
	struct cell *cell = vm_memory(vm, 1, sizeof(*cell));

	if (!cell)
		return false;
	cell->v = initial;
	*r = (struct value){ .kind = VALUE_OBJECT, .object = &cell->head };
	return true;
}

static struct cell *cell_of(struct value v)
{
	return (struct cell *)(void *)v.object;
}

static struct value cell_get(struct value v)
{
	const struct element_cell *e = (const struct element_cell *)(const void *)v.object;

	return e->head.cls ? array_get(e->array, e->at) : cell_of(v)->v;
}

static bool cell_set(struct vm *vm, struct value cell, struct value v)
{
	struct element_cell *e = (struct element_cell *)(void *)cell.object;

	if (e->head.cls)
		return array_set(vm, e->array, e->at, v);
	cell_of(cell)->v = v;
	return true;
}

static bool ref_element(struct vm *vm, struct value array, struct value index, struct value *out)
{
	struct element_cell *e = vm_memory(vm, 1, sizeof(*e));

	if (!e)
		return false;
	e->head.cls = &class_array;
	e->array = value_array(array);
	*out = (struct value){ .kind = VALUE_OBJECT, .object = &e->head };
	if (!e->array)
		return vm_raise(vm, EX_NULL_REFERENCE);
	return vm_array_index(vm, e->array, index, &e->at);
}

static bool array_of(struct vm *vm, const struct type *t, const struct value *v, size_t n, struct value *out)
{
	struct array *a = vm_array_of(&vm->scratch, type_arg(t, 0), n);

	if (!a)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!array_set(vm, a, i, v[i]))
			return false;
	*out = value_object(a);
	return true;
}

static bool new_array(struct vm *vm, const struct type *t, struct value length, struct value *out)
{
	struct array *a;
	struct value initial = type_default(type_arg(t, 0));

	if (length.i < 0)
		return vm_raise(vm, EX_OVERFLOW);
	a = vm_array_of(&vm->scratch, type_arg(t, 0), (size_t)length.i);
	if (!a)
		return false;
	for (size_t i = 0; !a->packed && initial.kind != VALUE_NULL && i < a->n; i++)
		a->v[i] = initial;
	*out = value_object(a);
	return true;
}

static bool anonymous(struct vm *vm, const struct type *t, const struct value *v, size_t n, struct value *out)
{
	struct anonymous_object *o = vm_memory(vm, 1, sizeof(*o) + n * sizeof(*v));

	if (!o)
		return false;
	o->head.cls = t->cls;
	o->n = n;
	if (n)
		memcpy(o->v, v, n * sizeof(*v));
	*out = value_object(o);
	return true;
}

static bool element(struct vm *vm, struct value array, struct value index, struct value *out)
{
	const struct array *a = value_array(array);
	size_t i;

	if (!a)
		return vm_raise(vm, EX_NULL_REFERENCE);
	if (!vm_array_index(vm, a, index, &i))
		return false;
	*out = array_get(a, i);
	return true;
}

static bool set_element(struct vm *vm, struct value array, struct value index, struct value v)
{
	struct array *a = value_array(array);
	size_t i;

	if (!a)
		return vm_raise(vm, EX_NULL_REFERENCE);
	return vm_array_index(vm, a, index, &i) && array_set(vm, a, i, v);
}

static bool iterate(struct vm *vm, struct value v, struct value *out)
{
	struct iterator *it = vm_iterate(vm, v);

	if (!it)
		return false;
	*out = (struct value){ .kind = VALUE_OBJECT, .object = (struct object *)(void *)it };
	return true;
}

static bool throw(struct vm *vm, struct value v)
{
	if (v.kind == VALUE_NULL)
		return vm_raise(vm, EX_NULL_REFERENCE);
	vm->failed = true;
	vm->exception = v;
	return false;
}

static bool arithmetic(struct vm *vm, enum vm_exception ex)
{
	return ex == EX__COUNT ? true : vm_raise(vm, ex);
}

static bool to_enum(struct vm *vm, struct value v, const struct type *t, struct value *out)
{
	struct value number;

	if (v.kind == VALUE_NULL) {
		*out = v;
		return true;
	}
	if (run_convert(vm->arena, v, VALUE_LONG, false, &number) != EX__COUNT)
		return vm_raise(vm, EX_OVERFLOW);
	*out = enum_of(&vm->scratch, t->cls, number.i);
	return !vm->failed;
}

static bool text_same(struct value l, struct value r)
{
	if (l.kind != VALUE_STRING || r.kind != VALUE_STRING)
		return l.kind == r.kind;
	return l.text == r.text || str_eq(text_str(l.text), text_str(r.text));
}

static bool same(struct value l, struct value r)
{
	return l.kind == r.kind && (l.kind == VALUE_NULL || l.u == r.u || (l.kind == VALUE_STRING && text_same(l, r)));
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------- */

/* Instructions with operands behind them or that may fail in more than one way; false: an exception is on its way. */
static bool slow(struct vm *vm, const struct proto *p, const struct closure *self, struct value *r, struct insn i, struct insn word)
{
	switch (i.op) {
	case OP_BINARY:
		if (r[i.b].kind == VALUE_DECIMAL)
			vm->budget -= DECIMAL_COST;
		return arithmetic(vm, run_binary(vm->arena, word.b, r[i.b], r[i.c], word.a, &r[i.a]));
	case OP_UNARY:
		return arithmetic(vm, run_unary(vm->arena, word.b, r[i.b], word.a, &r[i.a]));
	case OP_CONVERT:
		return arithmetic(vm, run_convert(vm->arena, r[i.b], (enum value_kind)(i.c & 0xFF), i.c >> 8, &r[i.a]));
	case OP_TO_ENUM:
		return to_enum(vm, r[i.b], p->types[i.c], &r[i.a]);
	case OP_CAST:
		return vm_cast(vm, r[i.b], p->types[i.c], &r[i.a]);
	case OP_GET_VALUE:
		r[i.a] = r[i.b];
		return r[i.b].kind != VALUE_NULL ? true : vm_throw(&vm->scratch, EX_INVALID_OPERATION,
								   "Nullable object must have a value.");
	case OP_CONCAT:
		return concat(vm, &r[i.b], i.c, &r[i.a]);
	case OP_FORMAT:
		return vm_format_value(vm, r[i.b], p->constants[i.c], p->constants[i.c + 1], &r[i.a]);
	case OP_INVOKE:
		return vm_invoke(vm, r[i.b], &r[i.b + 1], i.c, &r[i.a]);
	case OP_SET_ELEMENT:
		return set_element(vm, r[i.a], r[i.b], r[i.c]);
	case OP_NEW_ARRAY:
		return new_array(vm, p->types[i.c], r[i.b], &r[i.a]);
	case OP_ARRAY:
		return array_of(vm, p->types[i.c], &r[word.b], word.a, &r[i.a]);
	case OP_ANONYMOUS:
		return anonymous(vm, p->types[i.c], &r[word.b], word.a, &r[i.a]);
	case OP_CLOSURE:
		return make_closure(vm, p->protos[i.b], p->types[i.c], self, r, &r[i.a]);
	case OP_NEW_CELL:
		return new_cell(vm, &r[i.a], VALUE_NULL_INIT);
	case OP_WRAP_CELL:
		return new_cell(vm, &r[i.a], r[i.a]);
	case OP_UP_CELL:
		r[i.a] = (struct value){ .kind = VALUE_OBJECT, .object = &self->cells[i.b]->head };
		return true;
	case OP_REF_ELEMENT:
		return ref_element(vm, r[i.b], r[i.c], &r[i.a]);
	case OP_ITERATE:
		return iterate(vm, r[i.b], &r[i.a]);
	case OP_THROW:
		return throw(vm, r[i.a]);
	case OP_CONTEXT:
		r[i.a] = context_object(vm);
		return !vm->failed;
	default:
		return vm_fatal(vm, "internal error: unknown instruction");
	}
}

/* The handler of the instruction at pc; NULL: the exception leaves the function. */
static const struct handler *handler_of(const struct vm *vm, const struct proto *p, uint32_t pc)
{
	if (vm->fatal)
		return NULL;
	for (size_t i = 0; i < p->n_handlers; i++)
		if (pc >= p->handlers[i].from && pc < p->handlers[i].to)
			return &p->handlers[i];
	return NULL;
}

static inline struct value int_operation(unsigned op, int64_t l, int64_t r)
{
	switch (op) {
	case OP_ADD_INT: return (struct value){ .kind = VALUE_INT, .i = (int32_t)(uint32_t)((uint64_t)l + (uint64_t)r) };
	case OP_SUB_INT: return (struct value){ .kind = VALUE_INT, .i = (int32_t)(uint32_t)((uint64_t)l - (uint64_t)r) };
	case OP_MUL_INT: return (struct value){ .kind = VALUE_INT, .i = (int32_t)(uint32_t)((uint64_t)l * (uint64_t)r) };
	case OP_EQ_INT: return value_bool(l == r);
	case OP_NE_INT: return value_bool(l != r);
	case OP_LT_INT: return value_bool(l < r);
	case OP_LE_INT: return value_bool(l <= r);
	case OP_GT_INT: return value_bool(l > r);
	default: return value_bool(l >= r);
	}
}

static inline bool jumps(unsigned op, struct value v)
{
	switch (op) {
	case OP_JUMP: return true;
	case OP_JUMP_IF: return v.b;
	case OP_JUMP_UNLESS: return !v.b;
	case OP_JUMP_NULL: return v.kind == VALUE_NULL;
	default: return v.kind != VALUE_NULL;
	}
}

static inline struct value test(unsigned op, struct value l, struct value r)
{
	switch (op) {
	case OP_SAME: return value_bool(same(l, r));
	case OP_NOT_SAME: return value_bool(!same(l, r));
	case OP_TEXT_SAME: return value_bool(text_same(l, r));
	default: return value_bool(!text_same(l, r));
	}
}

/* Long texts of one length are compared to their ends. */
static inline int64_t test_cost(struct value l, struct value r)
{
	return l.kind == VALUE_STRING && r.kind == VALUE_STRING && l.text->n == r.text->n ? (int64_t)(l.text->n / 128) : 0;
}

/* from: where to begin; of a function with `yield` where it goes on, 0 at its end. */
static bool loop(struct vm *vm, const struct proto *p, const struct closure *self, struct value *r, uint32_t *from,
		 struct value *result)
{
	const struct insn *code = p->code, *pc = code + *from;
	const struct handler *h;

	for (;;) {
		struct insn i = *pc++;
		bool ok = true;

		switch (i.op) {
		case OP_CONST: r[i.a] = p->constants[i.b]; break;
		case OP_MOVE: r[i.a] = r[i.b]; break;
		case OP_JUMP: case OP_JUMP_IF: case OP_JUMP_UNLESS: case OP_JUMP_NULL: case OP_JUMP_NOT_NULL:
			if (!jumps(i.op, r[i.a]))
				break;
			if (distance(i) < 0 && ((vm->budget += distance(i)) < 0 || ++vm->ticks % TICKS == 0))
				ok = vm_charge(vm, 0) && vm_look_at_clock(vm, 0);
			pc += distance(i);
			break;
		case OP_ADD_INT: case OP_SUB_INT: case OP_MUL_INT: case OP_EQ_INT: case OP_NE_INT: case OP_LT_INT:
		case OP_LE_INT: case OP_GT_INT: case OP_GE_INT:
			r[i.a] = int_operation(i.op, r[i.b].i, r[i.c].i);
			break;
		case OP_NOT: r[i.a] = value_bool(!r[i.b].b); break;
		case OP_SAME: case OP_NOT_SAME: case OP_TEXT_SAME: case OP_TEXT_NOT_SAME:
			vm->budget -= test_cost(r[i.b], r[i.c]);
			r[i.a] = test(i.op, r[i.b], r[i.c]);
			break;
		case OP_IS: r[i.a] = value_bool(type_accepts(vm, p->types[i.c], r[i.b])); break;
		case OP_AS: r[i.a] = type_accepts(vm, p->types[i.c], r[i.b]) ? r[i.b] : VALUE_NULL_INIT; break;
		case OP_HAS_VALUE: r[i.a] = value_bool(r[i.b].kind != VALUE_NULL); break;
		case OP_CALL: ok = vm_call_site(vm, &p->sites[i.c], &r[i.b], &r[i.a]); break;
		case OP_ELEMENT: ok = element(vm, r[i.b], r[i.c], &r[i.a]); break;
		case OP_CELL_GET: r[i.a] = cell_get(r[i.b]); break;
		case OP_CELL_SET: ok = cell_set(vm, r[i.a], r[i.b]); break;
		case OP_UP_GET: r[i.a] = self->cells[i.b]->v; break;
		case OP_UP_SET: self->cells[i.a]->v = r[i.b]; break;
		case OP_NEXT:
			pc += vm_next(vm, (struct iterator *)(void *)r[i.b].object, &r[i.a]);
			ok = !vm->failed;
			break;
		case OP_RETURN: *result = r[i.a]; return true;
		case OP_YIELD:
			*result = r[i.a];
			*from = (uint32_t)(pc - code);
			return true;
		case OP_RETURN_NONE:
			*result = VALUE_NULL_INIT;
			*from = 0;
			return true;
		case OP_BINARY: case OP_UNARY: case OP_ARRAY: case OP_ANONYMOUS:
			ok = slow(vm, p, self, r, i, *pc++);
			break;
		default: ok = slow(vm, p, self, r, i, i); break;
		}
		if (__builtin_expect(ok, 1))
			continue;
		h = handler_of(vm, p, (uint32_t)(pc - code) - 1);
		if (!h)
			return false;
		vm->failed = false;
		r[h->reg] = vm->exception;
		pc = code + h->target;
	}
}

bool vm_resume(struct vm *vm, const struct proto *p, const struct closure *self, struct value *frame, uint32_t *pc,
	       struct value *item, bool *more)
{
	bool ok;

	if (vm->depth >= vm->depth_max)
		return vm_fatal(vm, "The expression exceeded its limit of nested calls.");
	vm->budget -= CALL_COST;
	if (vm->budget < 0)
		return vm_charge(vm, 0);
	vm->depth++;
	ok = loop(vm, p, self, frame, pc, item);
	vm->depth--;
	*more = ok && *pc != 0;
	return ok;
}

bool vm_run(struct vm *vm, const struct proto *p, const struct closure *self, const struct value *args, size_t n,
	    struct value *result)
{
	struct value frame[FRAME_ON_STACK], *r = frame;
	uint32_t from = 0;
	bool ok;

	if (p->generator)
		return generator_new(vm, p, self, args, n, result);
	if (vm->depth >= vm->depth_max)
		return vm_fatal(vm, "The expression exceeded its limit of nested calls.");
	vm->budget -= CALL_COST;
	if (vm->budget < 0)
		return vm_charge(vm, 0);
	if (p->n_regs > FRAME_ON_STACK) {
		r = vm_memory(vm, p->n_regs, sizeof(*r));
		if (!r)
			return false;
	}
	for (size_t i = 0; i < n && i < p->n_params; i++)
		r[i] = args[i];
	vm->depth++;
	ok = loop(vm, p, self, r, &from, result);
	vm->depth--;
	return ok;
}
