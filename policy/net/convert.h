/* convert.h - System.Convert's rules, for whoever needs a number of some type from a value of another. */
#pragma once

#include "policy/expr/class.h"

/* Convert.ToInt32(v) and its like: null gives zero, doubles round half to even, texts are parsed, JValue is looked into.
 * False: threw. */
bool convert_number(struct vm_call *c, struct value v, enum value_kind to, struct value *out);
bool convert_bool(struct vm_call *c, struct value v, bool *out);
bool convert_date(struct vm_call *c, struct value v, struct value *out);         /* DateTime */
