#include "policy/net/value_list.h"

#include <string.h>

bool value_list_add(struct vm_call *c, struct value_list *l, struct value v)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct value *more = vm_alloc(c, cap, sizeof(*more));

		if (!more)
			return false;
		if (l->n)
			memcpy(more, l->v, l->n * sizeof(*more));
		l->v = more;
		l->cap = cap;
	}
	l->v[l->n++] = v;
	return true;
}

bool value_list_give(struct vm_call *c, const struct value_list *l)
{
	struct array *out = vm_array(c, l->n);

	for (size_t i = 0; out && i < l->n; i++)
		out->v[i] = l->v[i];
	return out && vm_return(c, value_object(out));
}
