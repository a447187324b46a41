/* collection.h - the objects behind List, Dictionary, HashSet, Queue and Stack. */
#pragma once

#include "policy/expr/vm.h"

struct list {
	struct generic_object g;
	struct value *v;
	size_t n, cap;
	uint32_t version;            /* changes with each change: an enumeration that meets one throws */
};

struct entry {
	struct value key, value;
	uint64_t hash;
	uint32_t next;               /* index + 1 of the next in its bucket */
	bool gone;
};

/* Keeps the order of insertion, as .NET's does while nothing is removed. */
struct dictionary {
	struct generic_object g;     /* HashSet<T> uses the keys only */
	struct entry *entries;
	uint32_t *buckets;           /* index + 1 */
	size_t n, used, cap;         /* n: present; used: with gaps */
	bool ignore_case;            /* StringComparer.OrdinalIgnoreCase and its kin */
	uint32_t version;
};

extern struct value_class class_list, class_dictionary, class_hash_set, class_queue, class_stack, class_pair, class_key_list;

struct list *list_of(struct value v);                        /* NULL: none */
struct dictionary *dictionary_of(struct value v);            /* Dictionary or HashSet; NULL: none */
bool list_push(struct vm *vm, struct list *l, struct value v);
struct list *list_make(struct vm *vm, const struct value_class *cls, const struct type *type);
struct dictionary *dictionary_make(struct vm *vm, const struct type *type, bool ignore_case);
struct entry *dictionary_find(const struct dictionary *d, struct value key);
/* Adds or replaces; *added says which. */
bool dictionary_set(struct vm *vm, struct dictionary *d, struct value key, struct value v, bool *added);
bool dictionary_remove(struct dictionary *d, struct value key);
struct iterator *dictionary_iterate(struct vm *vm, struct value v);
struct value pair_make(struct vm *vm, const struct type *type, struct value key, struct value v);
/* Throws "The given key 'x' was not present in the dictionary." */
bool key_not_found(struct vm_call *c, struct value key);
/* lib_comparer.c: does a comparer argument ask to ignore case? Null does not. Throws at one that cannot be used. */
bool comparer_ignores_case(struct vm *vm, struct value comparer);

/* What .Comparer shows; VALUE_NULL: out of memory. */
struct value comparer_of(struct vm_call *c, const struct type *t, bool ignore_case);
struct value comparer_of_sets(struct vm_call *c, const struct type *set);

/* Everything of a sequence, as a growing array. */
struct items {
	struct value *v;
	size_t n;
};
bool items_of(struct vm *vm, struct value sequence, struct items *out);
/* Stable. By the keys of Comparer.Default, or by a Comparison or IComparer. False: threw. */
struct order {
	struct value *keys;          /* one for each item */
	struct value compare;        /* a delegate (x, y) or null */
	bool descending;
	const struct order *then;
};
bool items_sort(struct vm *vm, struct items *items, const struct order *by, size_t *index);
