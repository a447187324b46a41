/* type.h - constructed types: a class with its type arguments, as the compiler and the runtime both see them.
 *
 * Types are immutable and compared with type_eq (the same type may stand at two addresses). T[] is class_array with one
 * argument, T? is class_nullable with one. Type parameters appear only in the parsed signatures of generic members. */
#pragma once

#include "policy/expr/class.h"

enum type_kind {
	TYPE_CLASS,
	TYPE_PARAMETER,              /* of a class or a method: replaced by type_put_in */
	TYPE_VOID,
	TYPE_NULL,                   /* of the literal null */
	TYPE_OPEN,                   /* of a lambda or method group before its conversion; of default */
	TYPE_THROW,                  /* of a throw expression: converts to anything */
};

enum { TYPE_ARGS_MAX = 8 };

struct type {
	enum type_kind kind;
	const struct value_class *cls;       /* TYPE_CLASS */
	uint16_t index;                      /* TYPE_PARAMETER */
	bool of_method;
	uint16_t n;
	uint32_t size;               /* of it and all its arguments; 0 counts as 1 */
	const struct type *const *args;
	const struct str *names;     /* of the elements of a tuple, n of them, some STR_NULL; NULL: none. No part of what the
	                              * type is: type_eq does not look, type_copy drops them */
};

enum { TYPE_SIZE_MAX = 500 };        /* a larger type becomes object: `x => (x, x)` over and over doubles it each time */

extern const struct type type_void, type_null, type_open, type_throw, type_object, type_string, type_bool, type_char,
	type_sbyte, type_byte, type_short, type_ushort, type_int, type_uint, type_long, type_ulong, type_float, type_double,
	type_decimal, type_exception;

const struct type *type_make(struct arena *a, const struct value_class *cls, const struct type *const *args, size_t n);
const struct type *type_make1(struct arena *a, const struct value_class *cls, const struct type *arg);
const struct type *type_array_of(struct arena *a, const struct type *element);
const struct type *type_nullable_of(struct arena *a, const struct type *t);
const struct type *type_copy(struct arena *a, const struct type *t);     /* deep; t itself when it lives for ever */
/* The same type with names for its elements; they are borrowed. */
const struct type *type_with_names(struct arena *a, const struct type *t, const struct str *names);
bool type_eq(const struct type *l, const struct type *r);
/* Replaces type parameters; a NULL entry leaves its parameter in place. */
const struct type *type_put_in(struct arena *a, const struct type *t, const struct type *const *of_class,
			       const struct type *const *of_method);
bool type_has_parameters(const struct type *t);              /* of a method */

static inline bool type_is(const struct type *t, const struct value_class *cls)
{
	return t->kind == TYPE_CLASS && t->cls == cls;
}
static inline bool type_is_array(const struct type *t)
{
	return type_is(t, &class_array);
}
static inline bool type_is_nullable(const struct type *t)
{
	return type_is(t, &class_nullable);
}
bool type_is_value(const struct type *t);                    /* a struct, number, enum or T? */
bool type_is_enum(const struct type *t);
bool type_is_tuple(const struct type *t);                    /* ValueTuple */
bool type_is_delegate(const struct type *t);
const struct type *type_bare(const struct type *t);          /* T of T?, else t */
/* Kind of a value of the type: VALUE_INT for int …, VALUE_OBJECT otherwise. */
enum value_kind type_value_kind(const struct type *t);
const struct type *type_of_kind(enum value_kind kind);       /* of a keyword type; NULL otherwise */
bool type_is_numeric(const struct type *t);                  /* number or char */
bool type_is_integral(const struct type *t);

/* t itself, or the base or interface of it that is made from cls; NULL: none. */
const struct type *type_as(struct arena *a, const struct type *t, const struct value_class *cls);
/* Identity, reference and boxing conversions. */
bool type_derives(struct arena *a, const struct type *from, const struct type *to);
/* T of foreach over t; NULL: cannot be enumerated. */
const struct type *type_item(struct arena *a, const struct type *t);
