/* lib_search.c - searching what is sorted, and the rarer members of arrays, queues and stacks. */
#include "policy/expr/collection.h"
#include "policy/expr/library.h"

/* ---- BinarySearch --------------------------------------------------------------------------------------------------------- */

struct search {
	const struct array *array;           /* or */
	const struct list *list;
	struct value wanted, comparer;       /* comparer: null or an IComparer */
};

static bool order(struct vm_call *c, const struct search *s, struct value item, int *result)
{
	struct value args[2] = { item, s->wanted }, out = VALUE_NULL_INIT;
	bool comparable = true, found = false;

	if (s->comparer.kind == VALUE_NULL) {
		*result = value_compare(item, s->wanted, &comparable);
		return comparable || vm_throw(c, EX_INVALID_OPERATION, "Failed to compare two elements in the array.");
	}
	if (!vm_call_member(c->vm, s->comparer, STR("Compare"), MEMBER_METHOD, args, 2, &out, &found) || !found)
		return !vm_failed(c->vm) && vm_throw(c, EX_INVALID_OPERATION, "Failed to compare two elements in the array.");
	*result = out.i < 0 ? -1 : out.i > 0;
	return true;
}

/* The place of the value, or the complement of where it belongs. */
static bool halve(struct vm_call *c, const struct search *s, int64_t from, int64_t n)
{
	int64_t low = from, high = from + n - 1;

	while (low <= high) {
		int64_t middle = low + (high - low) / 2;
		struct value item = s->array ? array_get(s->array, (size_t)middle) : s->list->v[middle];
		int result = 0;

		if (!vm_charge(c->vm, 1) || !order(c, s, item, &result))
			return false;
		if (result == 0)
			return vm_return(c, value_int(middle));
		if (result < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return vm_return(c, value_int(~low));
}

/* (array, value), (array, value, comparer), (array, index, length, value) */
static bool array_search(struct vm_call *c)
{
	const struct array *a = value_array(c->args[0]);
	struct search s = { .array = a, .wanted = c->args[c->n == 4 ? 3 : 1],
			    .comparer = c->n == 3 ? c->args[2] : VALUE_NULL_INIT };
	int64_t from = c->n == 4 ? c->args[1].i : 0, n = c->n == 4 ? c->args[2].i : a ? (int64_t)a->n : 0;

	if (!a)
		return vm_throw_null(c, "array");
	if (from < 0 || n < 0)
		return vm_throw_range(c, from < 0 ? "index" : "length", "Non-negative number required.");
	if (from > (int64_t)a->n - n)
		return vm_throw(c, EX_ARGUMENT, "Offset and length were out of bounds for the array or count is greater than the "
				"number of elements from index to the end of the source collection.");
	return halve(c, &s, from, n);
}

static bool list_search(struct vm_call *c)
{
	const struct list *l = list_of(c->self);
	struct search s = { .list = l, .wanted = c->args[0], .comparer = c->n > 1 ? c->args[1] : VALUE_NULL_INIT };

	return halve(c, &s, 0, (int64_t)l->n);
}

/* ---- arrays --------------------------------------------------------------------------------------------------------------- */

static bool as_read_only(struct vm_call *c)
{
	return value_array(c->args[0]) ? vm_return(c, c->args[0]) : vm_throw_null(c, "array");
}

static bool zero(struct vm_call *c)
{
	return vm_return(c, value_int(0));
}

static bool long_length(struct vm_call *c)
{
	return vm_return(c, value_long((int64_t)value_array(c->self)->n));
}

static bool no(struct vm_call *c)
{
	return vm_return(c, value_bool(false));
}

static bool yes(struct vm_call *c)
{
	return vm_return(c, value_bool(true));
}

static bool create_instance(struct vm_call *c)
{
	const struct type *element = type_in_value(c->args[0]);
	struct value initial;
	struct array *a;

	if (!element)
		return vm_throw_null(c, "elementType");
	if (c->args[1].i < 0)
		return vm_throw_range(c, "length", "Non-negative number required.");
	a = vm_array_of(c, element, (size_t)c->args[1].i);
	if (!a)
		return false;
	initial = type_default(element);
	for (size_t i = 0; !a->packed && initial.kind != VALUE_NULL && i < a->n; i++)
		a->v[i] = initial;
	return vm_return(c, value_object(a));
}

static const struct class_member array_members[] = {
	{ "static int BinarySearch<E>(E[] array, E value)", array_search },
	{ "static int BinarySearch<E>(E[] array, E value, IComparer<E> comparer)", array_search },
	{ "static int BinarySearch<E>(E[] array, int index, int length, E value)", array_search },
	{ "static IReadOnlyList<E> AsReadOnly<E>(E[] array)", as_read_only },
	{ "static Array CreateInstance(Type elementType, int length)", create_instance },
	{ "int GetLowerBound(int dimension)", zero },
	{ "long GetLongLength(int dimension)", long_length },
	{ "bool IsFixedSize { get; }", yes },
	{ "bool IsReadOnly { get; }", no },
	{ "bool IsSynchronized { get; }", no },
	{ 0 }
};
static const struct class_member list_members[] = {
	{ "int BinarySearch(T item)", list_search },
	{ "int BinarySearch(T item, IComparer<T> comparer)", list_search },
	{ 0 }
};

/* ---- queues and stacks ---------------------------------------------------------------------------------------------------- */

static bool copy_out(struct vm_call *c)
{
	const struct list *l = list_of(c->self);
	bool last_first = l->g.head.cls == &class_stack;
	struct array *to = value_array(c->args[0]);
	int64_t at = c->args[1].i;

	if (!to)
		return vm_throw_null(c, "array");
	if (at < 0 || at > (int64_t)to->n)
		return vm_throw_range(c, "arrayIndex", NULL);
	if (l->n > to->n - (size_t)at)
		return vm_throw(c, EX_ARGUMENT, "Offset and length were out of bounds for the array or count is greater than the "
				"number of elements from index to the end of the source collection.");
	for (size_t i = 0; i < l->n; i++)
		if (!array_set(c->vm, to, (size_t)at + i, l->v[last_first ? l->n - 1 - i : i]))
			return false;
	return vm_charge(c->vm, l->n);
}

static bool nothing_to_do(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static const struct class_member line_members[] = {
	{ "void CopyTo(T[] array, int arrayIndex)", copy_out }, { "void TrimExcess()", nothing_to_do }, { 0 }
};

static const struct class_part parts[] = {
	{ &class_array, array_members }, { &class_list, list_members },  { &class_queue, line_members },
	{ &class_stack, line_members },  { NULL, NULL },
};
const struct class_module search_module = { .parts = parts };
