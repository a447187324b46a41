/* native.h - what the C functions behind .NET members share: reading arguments, giving results. */
#pragma once

#include "policy/expr/class.h"
#include "policy/expr/text.h"

#define SELF(c, T) ((T *)(void *)(c)->self.object)

static inline bool arg_is_null(const struct vm_call *c, size_t i)
{
	return c->args[i].kind == VALUE_NULL;
}
/* NULL for null */
static inline const struct text *arg_text(const struct vm_call *c, size_t i)
{
	return c->args[i].kind == VALUE_STRING ? c->args[i].text : NULL;
}
static inline struct str arg_str(const struct vm_call *c, size_t i)
{
	return c->args[i].kind == VALUE_STRING ? text_str(c->args[i].text) : STR_NULL;
}
static inline int64_t arg_int(const struct vm_call *c, size_t i)
{
	return c->args[i].i;
}
static inline bool arg_bool(const struct vm_call *c, size_t i)
{
	return c->args[i].b;
}
static inline int64_t arg_enum(const struct vm_call *c, size_t i)
{
	return enum_value(c->args[i]);
}
static inline void *arg_object(const struct vm_call *c, size_t i)
{
	return c->args[i].kind == VALUE_OBJECT ? c->args[i].object : NULL;
}
static inline struct str self_str(const struct vm_call *c)
{
	return text_str(c->self.text);
}
static inline bool give_bool(struct vm_call *c, bool b)
{
	return vm_return(c, value_bool(b));
}
static inline bool give_int(struct vm_call *c, int64_t i)
{
	return vm_return(c, value_int(i));
}
/* Results made in the arena: nothing there means out of memory. */
static inline bool give_new(struct vm_call *c, struct str made)
{
	return made.p ? vm_return_str(c, made) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}
static inline bool give_made(struct vm_call *c, struct value made)
{
	return made.kind != VALUE_NULL ? vm_return(c, made) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}
static inline bool give_text(struct vm_call *c, const struct text *made)
{
	return give_made(c, value_text(made));
}
/* A text in an exception's message, for %.*s: long ones are cut. */
#define SHOWN(s) STR_ARG(str_first((s), 200))

/* Prices of work in instructions of about 10 ns. */
enum { COST_FORMAT = 50, COST_EXACT_FORMAT = 300, COST_PARSE = 50, COST_RANDOM = 60, COST_REGEX_COMPILE = 10000 };

/* One unit of work for each 32 bytes that were looked at. */
static inline bool charge_bytes(struct vm_call *c, size_t n)
{
	return n < 256 || vm_charge(c->vm, n / 32);
}
/* For work on each character that is dear: case, escapes. */
static inline bool charge_each(struct vm_call *c, size_t n)
{
	return n < 64 || vm_charge(c->vm, n);
}
/* For work on each byte: searches, comparisons, encodings. */
static inline bool charge_work(struct vm_call *c, size_t n)
{
	return n < 64 || vm_charge(c->vm, n / 4);
}
/* For what counts UTF-16 units: only texts that are not ASCII have to be walked through. */
static inline bool charge_text(struct vm_call *c, const struct text *t)
{
	return t->ascii || charge_bytes(c, t->n);
}
