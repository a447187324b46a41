/* vm.h - private to the machine and to the types that policy/expr brings. */
#pragma once

#include "policy/expr/class.h"
#include "policy/expr/code.h"
#include "policy/expr/expr.h"
#include "policy/expr/text.h"

struct vm {
	struct vm_call scratch;
	struct exchange *x;
	struct arena *arena;
	int64_t budget;
	unsigned depth, depth_max;
	unsigned pulling;            /* iterators inside of each other */
	size_t memory_top;           /* of arena_used */
	size_t memory_from;          /* … at the start */
	size_t memory_seen;          /* … that has been paid for, see vm_pay_memory */
	uint32_t ticks;              /* calls and turns of loops: now and then the clock is looked at */
	uint64_t cpu_ns;             /* limit of processor time; 0: none */
	uint64_t watched_ns, cpu_from_ns;    /* since the first look: monotonic clock; processor time then */
	bool failed;                 /* an exception is on its way */
	bool fatal;                  /* … that cannot be caught: a limit */
	struct text end;             /* … and which */
	struct value exception;
};

struct exception_object {
	struct object head;
	struct value message, inner, data;
};

struct cell {
	struct object head;          /* cls NULL: the value is v; else a struct element_cell */
	struct value v;
};

struct element_cell {                /* a reference to an element of an array */
	struct object head;
	struct array *array;
	size_t at;
};

struct closure {
	struct generic_object g;     /* of the delegate */
	const struct proto *proto;
	struct cell *cells[];
};

void vm_under_way(struct vm *vm);                            /* for vm_charge_here; NULL: no run any more */

bool vm_run(struct vm *vm, const struct proto *p, const struct closure *self, const struct value *args, size_t n,
	    struct value *result);
/* Runs a function with `yield` from *pc to its next element (*more) or its end. */
bool vm_resume(struct vm *vm, const struct proto *p, const struct closure *self, struct value *frame, uint32_t *pc,
	       struct value *item, bool *more);
/* generator.c: the sequence that a call of such a function gives. */
bool generator_new(struct vm *vm, const struct proto *p, const struct closure *self, const struct value *args, size_t n,
		   struct value *result);
/* lib_interface.c: an IEnumerator<item> over a sequence. */
bool enumerator_of(struct vm *vm, struct value sequence, const struct type *item, struct value *out);
bool vm_call_site(struct vm *vm, const struct call_site *s, struct value *base, struct value *result);
enum { TICKS = 64 };                 /* between two looks at the clock */
/* Is there processor time left, for work of that many instructions in one go too? False after vm_fatal. */
bool vm_look_at_clock(struct vm *vm, uint64_t instructions);
/* Memory costs time wherever it is taken: its pages are found, cleared and given back. */
enum { BYTES_PER_INSTRUCTION = 32 };
static inline void vm_pay_memory(struct vm *vm, size_t used)
{
	vm->budget -= (int64_t)((used - vm->memory_seen) / BYTES_PER_INSTRUCTION);
	vm->memory_seen += (used - vm->memory_seen) / BYTES_PER_INSTRUCTION * BYTES_PER_INSTRUCTION;
}
/* A limit was hit; returns false. */
#define MEMORY_ENDED "The expression exceeded its limit of memory."
bool vm_fatal(struct vm *vm, const char *text);
bool vm_raise(struct vm *vm, enum vm_exception kind);        /* with .NET's own message */
struct value vm_exception_new(struct vm *vm, const struct value_class *cls, struct str message);
const struct value_class *exception_class(enum vm_exception kind);
void *vm_memory(struct vm *vm, size_t n, size_t size);       /* zeroed; NULL after vm_fatal */
bool vm_text(struct vm *vm, struct str s, struct value *out);        /* a string that borrows s */
bool vm_format_value(struct vm *vm, struct value v, struct value width, struct value format, struct value *out);
bool vm_cast(struct vm *vm, struct value v, const struct type *t, struct value *out);
/* Calls the method of that name that the value's class has with n parameters; *found false when there is none. */
bool vm_call_member(struct vm *vm, struct value self, struct str name, enum member_kind kind, struct value *args, size_t n,
		    struct value *result, bool *found);
/* A static method by name with one string parameter: JObject.Parse for As<JObject>(). */
bool vm_call_static(struct vm *vm, const struct type *t, struct str name, struct value *args, size_t n, struct value *result,
		    bool *found);
extern struct value_class class_array_interfaces;             /* lib_array.c: an array behind IList<T> */
bool vm_array_index(struct vm *vm, const struct array *a, struct value index, size_t *i);
bool array_set(struct vm *vm, struct array *a, size_t i, struct value v);
