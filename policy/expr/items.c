/* items.c - a sequence taken whole, and sorting it. */
#include "core/str.h"
#include "policy/expr/collection.h"
#include "policy/expr/text.h"

bool items_of(struct vm *vm, struct value sequence, struct items *out)
{
	struct iterator *it = vm_iterate(vm, sequence);
	struct value item;
	size_t cap = 0;

	*out = (struct items){ NULL, 0 };
	if (!it)
		return false;
	while (vm_next(vm, it, &item)) {
		if (out->n == cap) {
			size_t bigger = cap ? cap * 2 : 8;
			struct value *v = vm_memory(vm, bigger, sizeof(*v));

			if (!v)
				return false;
			if (out->n)
				memcpy(v, out->v, out->n * sizeof(*v));
			out->v = v;
			cap = bigger;
		}
		out->v[out->n++] = item;
	}
	return !vm->failed;
}

/* < 0, 0, > 0; sets vm->failed when the two cannot be compared. */
static int compare_by_call(struct vm *vm, struct value compare, struct value l, struct value r)
{
	struct value args[2] = { l, r }, result = value_int(0);
	bool found;

	if (compare.kind == VALUE_OBJECT && compare.object->cls->kind == CLASS_DELEGATE) {
		vm_invoke(vm, compare, args, 2, &result);
	} else {
		vm_call_member(vm, compare, STR("Compare"), MEMBER_METHOD, args, 2, &result, &found);
		if (!found && !vm->failed)
			vm_raise(vm, EX_NOT_SUPPORTED);
	}
	return vm->failed ? 0 : (int)result.i;
}

static int compare(struct vm *vm, const struct order *by, size_t l, size_t r)
{
	for (; by; by = by->then) {
		bool comparable = true;
		int order = by->compare.kind == VALUE_NULL ? value_compare(by->keys[l], by->keys[r], &comparable)
							   : compare_by_call(vm, by->compare, by->keys[l], by->keys[r]);

		if (!comparable)
			vm_throw(vm_scratch(vm), EX_ARGUMENT, "At least one object must implement IComparable.");
		if (vm->failed)
			return 0;
		if (order)
			return by->descending ? -order : order;
	}
	return 0;
}

/* Merge sort of index[from, to), because .NET's OrderBy is stable. */
static bool sort_range(struct vm *vm, const struct order *by, size_t *index, size_t *spare, size_t n)
{
	size_t half = n / 2, i = 0, k = half, at = 0;

	if (n < 2)
		return true;
	if (!sort_range(vm, by, index, spare, half) || !sort_range(vm, by, index + half, spare, n - half))
		return false;
	memcpy(spare, index, n * sizeof(*index));
	while (i < half && k < n) {
		bool right = compare(vm, by, spare[k], spare[i]) < 0;

		if (vm->failed || !vm_charge(vm, 2))
			return false;
		index[at++] = right ? spare[k++] : spare[i++];
	}
	while (i < half)
		index[at++] = spare[i++];
	while (k < n)
		index[at++] = spare[k++];
	return true;
}

bool items_sort(struct vm *vm, struct items *items, const struct order *by, size_t *index)
{
	size_t *spare = vm_memory(vm, items->n + 1, sizeof(*spare));

	for (size_t i = 0; i < items->n; i++)
		index[i] = i;
	return spare && sort_range(vm, by, index, spare, items->n);
}
