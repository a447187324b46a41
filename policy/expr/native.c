/* native.c - what a function in C may ask of the machine: memory, exceptions, iterators, calls back. */
#include <time.h>

#include "policy/expr/vm.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/arena_keep.h"
#include "core/str.h"
#include "policy/expr/decimal.h"
#include "policy/expr/text.h"

enum {
	PULLING_MAX = 500,          /* q = q.Concat(r) in a loop: each is a C call inside the next */
	INSTRUCTION_NS = 10,        /* what one instruction of work is reckoned at */
	FREED_PER_NS = 4,           /* bytes */
	PAGE_BYTES = 4096,
	TOUCHED_BYTES = 256 * 1024, /* between two looks at the clock */
	LONG_WORK = 4096,           /* instructions of work in one go for which the clock is looked at */
};

/* ---- limits and memory ---------------------------------------------------------------------------------------------------- */

bool vm_fatal(struct vm *vm, const char *text)
{
	if (vm->fatal)                          /* the first one says what happened */
		return false;
	vm->failed = vm->fatal = true;
	vm->end = (struct text){ strlen(text), true, text };
	vm->exception = value_text(&vm->end);
	return false;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The coarse clock costs a few ns; the thread's processor time, a system call, is asked for only when as much time has gone
 * by as it may have used. The first look is the start: what came before is too little to count. Work that takes long in one
 * go has its time taken beforehand, because nothing looks at the clock inside of it; and so has giving the memory back. */
bool vm_look_at_clock(struct vm *vm, uint64_t instructions)
{
	uint64_t now, used;
	uint64_t ahead = instructions * INSTRUCTION_NS + (arena_used(vm->arena) - vm->memory_from) / FREED_PER_NS;

	if (!vm->cpu_ns)
		return true;
	now = clock_ns(CLOCK_MONOTONIC_COARSE);
	if (!vm->watched_ns) {
		vm->watched_ns = now;
		vm->cpu_from_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		return true;
	}
	if (now - vm->watched_ns + ahead < vm->cpu_ns)
		return true;
	used = clock_ns(CLOCK_THREAD_CPUTIME_ID) - vm->cpu_from_ns;
	if (used + ahead >= vm->cpu_ns)
		return vm_fatal(vm, "The expression exceeded its limit of processor time.");
	vm->watched_ns = now - used;
	return true;
}

bool vm_charge(struct vm *vm, uint64_t instructions)
{
	vm_pay_memory(vm, arena_used(vm->arena));
	if (instructions > (uint64_t)INT64_MAX || (vm->budget -= (int64_t)instructions) < 0)
		return vm_fatal(vm, "The expression exceeded its limit of instructions.");
	return (++vm->ticks % TICKS && instructions < LONG_WORK) || vm_look_at_clock(vm, instructions);
}

/* The first touch of a page is what memory costs most, and now and then ten times more than usual: it is done here, piece by
 * piece with the clock in sight, and not inside of whatever wanted the memory. */
static bool touch(void *arg, unsigned char *block, size_t n)
{
	struct vm *vm = arg;

	for (size_t at = 0; at < n; at += PAGE_BYTES) {
		*(volatile unsigned char *)(block + at) = 0;
		if (at % TOUCHED_BYTES == 0 && !vm_look_at_clock(vm, 0))
			return false;
	}
	return !vm->fatal;
}

static _Thread_local struct vm *under_way;

void vm_under_way(struct vm *vm)
{
	struct arena *a = vm ? vm->arena : under_way->arena;

	under_way = vm;
	arena_watch(a, vm ? touch : NULL, vm);
}

bool vm_time_left(struct vm *vm, uint64_t *ns)
{
	uint64_t used;

	if (!vm->cpu_ns || !ns)
		return vm->cpu_ns != 0;
	if (!vm_look_at_clock(vm, 0))
		return false;
	used = clock_ns(CLOCK_THREAD_CPUTIME_ID) - vm->cpu_from_ns;
	*ns = used < vm->cpu_ns ? vm->cpu_ns - used : 0;
	return *ns > 0;
}

bool vm_charge_here(uint64_t instructions)
{
	return !under_way || (!under_way->fatal && vm_charge(under_way, instructions));
}

void *vm_memory(struct vm *vm, size_t n, size_t size)
{
	void *p = NULL;
	size_t bytes, used = arena_used(vm->arena);

	if (!__builtin_mul_overflow(n, size, &bytes) && used <= vm->memory_top && bytes <= vm->memory_top - used)
		p = arena_alloc(vm->arena, n, size);
	if (!p)
		vm_fatal(vm, MEMORY_ENDED);
	return p;
}

void *vm_alloc(struct vm_call *c, size_t n, size_t size)
{
	return vm_memory(c->vm, n, size);
}

void *vm_new(struct vm_call *c, const struct value_class *cls, size_t size)
{
	struct object *o = vm_memory(c->vm, 1, size);

	if (o)
		o->cls = cls;
	return o;
}

struct vm_call *vm_scratch(struct vm *vm)
{
	return &vm->scratch;
}

bool vm_failed(const struct vm *vm)
{
	return vm->failed;
}

bool vm_text(struct vm *vm, struct str s, struct value *out)
{
	*out = value_string(vm->arena, s, false);
	return out->kind == VALUE_STRING || vm_fatal(vm, MEMORY_ENDED);
}

bool vm_return_str(struct vm_call *c, struct str s)
{
	if (s.p)
		return vm_text(c->vm, s, &c->result);
	c->result = VALUE_NULL_INIT;
	return true;
}

bool vm_return_copy(struct vm_call *c, struct str s)
{
	struct str copy = s.p ? arena_dup(c->arena, s) : s;

	if (s.p && !copy.p)
		return vm_fatal(c->vm, MEMORY_ENDED);
	return vm_return_str(c, copy);
}

/* ---- exceptions ----------------------------------------------------------------------------------------------------------- */

struct value vm_exception_new(struct vm *vm, const struct value_class *cls, struct str message)
{
	struct exception_object *e = vm_new(&vm->scratch, cls, sizeof(*e));

	if (!e || !vm_text(vm, message, &e->message))
		return VALUE_NULL_INIT;
	return value_object(e);
}

static const char *own_message(enum vm_exception kind)
{
	static const char *const messages[] = {
#define X(name, full, base, message) message,
		VM_EXCEPTIONS(X)
#undef X
	};

	return messages[kind];
}

static bool throw_text(struct vm *vm, enum vm_exception kind, struct str message)
{
	struct value e;

	if (vm->fatal)
		return false;
	e = vm_exception_new(vm, exception_class(kind), message);
	if (!vm->fatal) {
		vm->failed = true;
		vm->exception = e;
	}
	return false;
}

bool vm_raise(struct vm *vm, enum vm_exception kind)
{
	return throw_text(vm, kind, str_of(own_message(kind)));
}

bool vm_throw(struct vm_call *c, enum vm_exception kind, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	if (kind == EX_OUT_OF_MEMORY && !fmt)
		return vm_fatal(c->vm, MEMORY_ENDED);
	if (!fmt)
		return vm_raise(c->vm, kind);
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	return throw_text(c->vm, kind, arena_dup(c->arena, (struct str){ text, (size_t)n < sizeof(text) ? (size_t)n :
									  sizeof(text) - 1 }));
}

bool vm_throw_null(struct vm_call *c, const char *parameter)
{
	return vm_throw(c, EX_ARGUMENT_NULL, "%s (Parameter '%s')", own_message(EX_ARGUMENT_NULL), parameter);
}

bool vm_throw_range(struct vm_call *c, const char *parameter, const char *message)
{
	return vm_throw(c, EX_ARGUMENT_RANGE, "%s (Parameter '%s')", message ? message : own_message(EX_ARGUMENT_RANGE),
			parameter);
}

/* ---- iterators ------------------------------------------------------------------------------------------------------------ */

struct iterator *vm_iterator(struct vm *vm, bool (*next)(struct vm *, struct iterator *, struct value *), struct value source,
			     void *state)
{
	struct iterator *it = vm_memory(vm, 1, sizeof(*it));

	if (it)
		*it = (struct iterator){ .next = next, .source = source, .state = state };
	return it;
}

static bool next_char(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct text *t = it->source.text;
	size_t n = it->state ? *(const size_t *)it->state : t->n;

	(void)vm;
	if (it->at >= n)
		return false;
	*item = value_char(t->ascii ? (unsigned char)t->p[it->at] : ((const uint16_t *)((const size_t *)it->state + 1))[it->at]);
	it->at++;
	return true;
}

static struct iterator *iterate_text(struct vm *vm, struct value v)
{
	size_t n, *state;
	uint16_t *units;

	if (v.text->ascii)
		return vm_iterator(vm, next_char, v, NULL);
	units = text_units(vm->arena, v.text, &n);
	state = units ? vm_memory(vm, 1, sizeof(size_t) + n * sizeof(*units)) : NULL;
	if (!state)
		return NULL;
	*state = n;
	memcpy(state + 1, units, n * sizeof(*units));
	return vm_iterator(vm, next_char, v, state);
}

static struct iterator *iterate_object(struct vm *vm, const struct value_class *c, struct value v)
{
	struct iterator *it;

	if (vm->pulling >= PULLING_MAX) {
		vm_fatal(vm, "The expression exceeded its limit of nested sequences.");
		return NULL;
	}
	vm->pulling++;
	it = c->iterate(vm, v);
	vm->pulling--;
	return it;
}

struct iterator *vm_iterate(struct vm *vm, struct value v)
{
	if (v.kind == VALUE_STRING)
		return iterate_text(vm, v);
	if (v.kind == VALUE_OBJECT)
		for (const struct value_class *c = v.object->cls; c; c = class_link(c)->base ? class_link(c)->base->cls : NULL)
			if (c->iterate)
				return iterate_object(vm, c, v);
	vm_raise(vm, v.kind == VALUE_NULL ? EX_NULL_REFERENCE : EX_INVALID_CAST);
	return NULL;
}

bool vm_next(struct vm *vm, struct iterator *it, struct value *item)
{
	bool more;

	if (!vm_charge(vm, 4))
		return false;
	if (vm->pulling >= PULLING_MAX)
		return vm_fatal(vm, "The expression exceeded its limit of nested sequences.");
	vm->pulling++;
	more = it->next(vm, it, item);
	vm->pulling--;
	return more;
}

/* ---- calls back ----------------------------------------------------------------------------------------------------------- */

bool vm_invoke(struct vm *vm, struct value fn, const struct value *args, size_t n, struct value *result)
{
	if (fn.kind == VALUE_NULL)
		return vm_raise(vm, EX_NULL_REFERENCE);
	if (fn.kind != VALUE_OBJECT || fn.object->cls->kind != CLASS_DELEGATE)
		return vm_raise(vm, EX_INVALID_CAST);
	{
		const struct closure *c = (const struct closure *)(const void *)fn.object;

		return vm_run(vm, c->proto, c, args, n, result);
	}
}

static bool call_found(struct vm *vm, const struct member *m, const struct type *owner, struct value self, struct value *args,
		       size_t n, struct value *result)
{
	const struct type *type = m->type ? type_put_in(vm->arena, m->type, owner->args, NULL) : owner;
	struct vm_call c = { .vm = vm, .arena = vm->arena, .x = vm->x, .self = self, .args = args, .n = n, .types = owner->args,
			     .type = type };

	if (!m->fn || !m->fn(&c))
		return vm->failed ? false : vm_raise(vm, EX_NOT_SUPPORTED);
	*result = c.result;
	return !vm->failed;
}

static const struct member *find_member(const struct value_class *cls, struct str name, enum member_kind kind, size_t n,
					bool is_static)
{
	if (cls == &class_array && !is_static && class_member(&class_array_interfaces, name))
		cls = &class_array_interfaces;
	for (; cls; cls = class_link(cls)->base ? class_link(cls)->base->cls : NULL)
		for (const struct member *m = class_member(cls, name); m; m = m->next)
			if (m->kind == kind && m->n == n && m->is_static == is_static && !m->extension && m->fn)
				return m;
	return NULL;
}

bool vm_call_member(struct vm *vm, struct value self, struct str name, enum member_kind kind, struct value *args, size_t n,
		    struct value *result, bool *found)
{
	const struct member *m = self.kind == VALUE_NULL ? NULL : find_member(value_class_of(self), name, kind, n, false);

	*found = m != NULL;
	return m && call_found(vm, m, type_of_value(vm, self), self, args, n, result);
}

bool vm_call_static(struct vm *vm, const struct type *t, struct str name, struct value *args, size_t n, struct value *result,
		    bool *found)
{
	const struct member *m = find_member(t->cls, name, MEMBER_METHOD, n, true);

	*found = m != NULL;
	return m && call_found(vm, m, t, VALUE_NULL_INIT, args, n, result);
}

bool vm_property(struct vm_call *c, struct value v, size_t i, struct str *name, struct value *out)
{
	const struct type *t = type_of_value(c->vm, v);
	const struct class_link *link;

	for (; t && t->kind == TYPE_CLASS; t = link->base) {
		link = class_link(t->cls);
		if (i < link->n_properties) {
			*name = link->properties[i]->name;
			return call_found(c->vm, link->properties[i], t, v, NULL, 0, out);
		}
		i -= link->n_properties;
	}
	return false;
}

/* ---- types at run time ---------------------------------------------------------------------------------------------------- */

const struct type *type_of_value(struct vm *vm, struct value v)
{
	(void)vm;
	if (v.kind == VALUE_NULL)
		return &type_null;
	if (v.kind != VALUE_OBJECT)
		return type_of_kind(v.kind);
	if (v.object->cls->parameters || v.object->cls == &class_array)
		return ((const struct generic_object *)(const void *)v.object)->type;
	return class_link(v.object->cls)->self;
}

bool type_accepts(struct vm *vm, const struct type *t, struct value v)
{
	const struct type *of;

	if (v.kind == VALUE_NULL)
		return false;
	if (t == &type_object)
		return true;
	of = type_of_value(vm, v);
	return type_eq(of, type_bare(t)) || type_derives(vm->arena, of, type_bare(t));
}

struct value type_default(const struct type *t)
{
	static const struct decimal zero_decimal;
	enum value_kind kind = type_value_kind(t);

	if (!type_is_value(t) || type_is_nullable(t))
		return VALUE_NULL_INIT;
	if (kind == VALUE_DECIMAL)
		return (struct value){ .kind = VALUE_DECIMAL, .object = (struct object *)(uintptr_t)&zero_decimal };
	if (kind != VALUE_OBJECT)
		return (struct value){ .kind = kind };
	if (t->cls->kind == CLASS_ENUM) {
		const struct class_link *link = class_link(t->cls);

		for (size_t i = 0; i < link->n_rows; i++)
			if (link->rows[i].object.number == 0)
				return value_object(&link->rows[i].object);
		return link->n_rows ? value_object(&link->rows[0].object) : VALUE_NULL_INIT;
	}
	return value_object(t->cls->zero);
}

bool vm_cast(struct vm *vm, struct value v, const struct type *t, struct value *out)
{
	struct str from, to;

	*out = v;
	if (v.kind == VALUE_NULL) {
		if (!type_is_value(t) || type_is_nullable(t))
			return true;
		return vm_raise(vm, EX_NULL_REFERENCE);
	}
	if (type_accepts(vm, t, v))
		return true;
	from = type_text(vm->arena, type_of_value(vm, v), true);
	to = type_text(vm->arena, t, true);
	return vm_throw(&vm->scratch, EX_INVALID_CAST, "Unable to cast object of type '%.*s' to type '%.*s'.", STR_ARG(from),
			STR_ARG(to));
}
