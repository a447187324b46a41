/* value_list.h - a growing list of values in the call's memory, for members that gather before they answer. */
#pragma once

#include "policy/expr/class.h"

struct value_list {
	struct value *v;
	size_t n, cap;
};

/* False after vm_fatal: the call has no memory left. */
bool value_list_add(struct vm_call *c, struct value_list *l, struct value v);
/* Returns it as an array to the expression. */
bool value_list_give(struct vm_call *c, const struct value_list *l);
