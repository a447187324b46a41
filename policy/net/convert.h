/* convert.h - System.Convert's rules, for whoever needs a number of some type from a value of another. */
#pragma once

#include "policy/expr/class.h"

/* System.TypeCode */
enum type_code {
	CODE_EMPTY, CODE_OBJECT, CODE_DB_NULL, CODE_BOOLEAN, CODE_CHAR, CODE_SBYTE, CODE_BYTE, CODE_INT16, CODE_UINT16, CODE_INT32,
	CODE_UINT32, CODE_INT64, CODE_UINT64, CODE_SINGLE, CODE_DOUBLE, CODE_DECIMAL, CODE_DATE_TIME, CODE_STRING = 18
};
enum type_code type_code_of(struct value v);
extern struct value_class class_type_code, class_convert;

/* Convert.ToInt32(v) and its like: null gives zero, doubles round half to even, texts are parsed, JValue is looked into.
 * False: threw. */
bool convert_number(struct vm_call *c, struct value v, enum value_kind to, struct value *out);
bool convert_bool(struct vm_call *c, struct value v, bool *out);
bool convert_date(struct vm_call *c, struct value v, struct value *out);         /* DateTime */
