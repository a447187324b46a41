/* value.h - what an expression yields and a variable holds: one C# value, 16 bytes.
 *
 * References point into the exchange's arena or into something that outlives it (a snapshot, a constant of the compiled
 * expression). Values are copied freely; nothing is counted or freed. */
#pragma once

#include "core/arena.h"

enum value_kind {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_CHAR,                  /* a UTF-16 unit in .u */
	VALUE_SBYTE, VALUE_BYTE, VALUE_SHORT, VALUE_USHORT, VALUE_INT, VALUE_UINT, VALUE_LONG, VALUE_ULONG,
	VALUE_FLOAT, VALUE_DOUBLE,
	VALUE_DECIMAL,               /* .object */
	VALUE_STRING,                /* .text */
	VALUE_OBJECT,                /* .object: everything else; its first member is a const struct value_class * */
	VALUE__COUNT
};

struct value_class;                  /* a .NET type at run time: policy/expr/class.h */
struct object {                      /* head of every reference object */
	const struct value_class *cls;
};

struct text {                        /* an immutable .NET string in UTF-8; see policy/expr/text.h for UTF-16 indexes */
	size_t n;                    /* bytes */
	bool ascii;                  /* bytes are UTF-16 units too */
	const char *p;
};

struct value {
	enum value_kind kind;
	union {
		bool b;
		int64_t i;           /* the signed integers */
		uint64_t u;          /* the unsigned integers and CHAR */
		double d;            /* FLOAT (rounded to float) and DOUBLE */
		const struct text *text;
		struct object *object;
	};
};

#define VALUE_NULL_INIT ((struct value){ .kind = VALUE_NULL })

struct value value_bool(bool b);
struct value value_int(int64_t i);                                   /* C# int */
/* C# string; copies the bytes when copy is set, else borrows them. Kind VALUE_NULL when out of memory or s is STR_NULL. */
struct value value_string(struct arena *a, struct str s, bool copy);
bool value_is_string(struct value v);
struct str value_str(struct value v);                                /* of a string; STR_NULL otherwise */

/* .NET's ToString() in the invariant culture ("True", "1.5", JSON of a JObject …); null gives "". STR_NULL: no memory. */
struct str value_to_text(struct arena *a, struct value v);
