/* anonymous.h - objects of anonymous types: the class is made by the compiler, the values stand behind the head. */
#pragma once

#include "policy/expr/class.h"

enum { ANONYMOUS_MAX = 32 };         /* members */

struct anonymous_object {
	struct object head;
	size_t n;
	struct value v[];
};

extern const struct value_class class_anonymous;             /* what the compiler copies for each shape */
extern const vm_fn anonymous_get[ANONYMOUS_MAX];             /* getter of the i-th member */
