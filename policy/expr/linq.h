/* linq.h - private to the LINQ methods: sequences that compute their elements when they are enumerated. */
#pragma once

#include "policy/expr/collection.h"

struct sequence;
typedef struct iterator *(*sequence_begin)(struct vm *vm, const struct sequence *s);

struct sequence {
	struct generic_object g;
	sequence_begin begin;
	struct value source, a, b, c;        /* arguments of the method */
	const struct type *item;
	struct order *order;                 /* OrderBy: its own key is `a`, compare set */
	const struct sequence *before;       /* ThenBy: the ordering that decides first */
};

extern struct value_class class_sequence, class_ordered_sequence, class_grouping_object;
extern const struct class_member linq_lazy_members[], linq_eager_members[], linq_order_members[];

/* The result of an extension method: its arguments are kept, nothing is enumerated yet. */
bool linq_return(struct vm_call *c, sequence_begin begin);
bool linq_source(struct vm_call *c);                         /* args[0] must not be null */
struct value linq_group(struct vm *vm, const struct type *key_type, const struct type *item, struct value key, struct list **items);
const struct sequence *linq_sequence(struct value v);
/* Groups in the order of their first element. */
bool linq_groups(struct vm *vm, struct value source, struct value key, struct value element, struct value comparer,
		 const struct type *key_type, const struct type *item, struct dictionary **out);
