/* lib_array.c - arrays and the static methods of System.Array. byte[] is packed into bytes. */
#include "core/str.h"
#include "policy/expr/collection.h"
#include "policy/expr/library.h"
#include "policy/expr/bind.h"
#include "policy/expr/link.h"
#include "policy/expr/run.h"

struct array *value_array(struct value v)
{
	return v.kind == VALUE_OBJECT && v.object->cls == &class_array ? (struct array *)(void *)v.object : NULL;
}

struct str value_bytes(struct value v)
{
	const struct array *a = value_array(v);

	return a && a->packed ? (struct str){ (const char *)a->bytes, a->n } : STR_NULL;
}

struct value array_get(const struct array *a, size_t i)
{
	return a->packed ? value_of(VALUE_BYTE, a->bytes[i]) : a->v[i];
}

static bool fits(struct vm *vm, const struct type *element, struct value v)
{
	if (element->kind != TYPE_CLASS || element->cls == &class_object)
		return true;
	if (v.kind == element->cls->value_kind && v.kind != VALUE_NULL)
		return true;
	if (v.kind == VALUE_NULL)
		return !type_is_value(element) || type_is_nullable(element);
	return (v.kind == VALUE_OBJECT && v.object->cls == element->cls) || type_accepts(vm, element, v);
}

/* An array of a base class may really be one of a derived class: then not everything fits. */
bool array_set(struct vm *vm, struct array *a, size_t i, struct value v)
{
	if (!fits(vm, type_arg(a->g.type, 0), v))
		return vm_throw(vm_scratch(vm), EX_INVALID_CAST, "Attempted to access an element as a type incompatible with the array.");
	if (a->packed)
		a->bytes[i] = (uint8_t)v.u;
	else
		a->v[i] = v;
	return true;
}

bool vm_array_index(struct vm *vm, const struct array *a, struct value index, size_t *i)
{
	*i = (size_t)index.i;
	return index.i >= 0 && *i < a->n ? true : vm_raise(vm, EX_INDEX_RANGE);
}

static struct array *array_with(struct vm_call *c, const struct type *type, size_t n, bool borrowed)
{
	struct array *a = vm_new(c, &class_array, sizeof(*a));
	bool packed = type_value_kind(type_arg(type, 0)) == VALUE_BYTE;

	if (!a)
		return NULL;
	a->g.type = type;
	a->packed = packed;
	a->n = n;
	if (borrowed)
		return a;
	if (packed)
		a->bytes = vm_alloc(c, n ? n : 1, 1);
	else
		a->v = vm_alloc(c, n ? n : 1, sizeof(*a->v));
	return a->v ? a : NULL;
}

struct array *vm_array_of(struct vm_call *c, const struct type *element, size_t n)
{
	return array_with(c, type_array_of(c->arena, element), n, false);
}

struct array *vm_array(struct vm_call *c, size_t n)
{
	const struct type *item;

	if (type_is_array(c->type))
		return array_with(c, c->type, n, false);
	item = type_item(c->arena, c->type);
	return vm_array_of(c, item ? item : &type_object, n);
}

struct value vm_bytes(struct vm_call *c, struct str bytes)
{
	static const struct type *const args[] = { &type_byte };
	static const struct type bytes_type = { .cls = &class_array, .n = 1, .args = args };
	struct array *a = array_with(c, &bytes_type, bytes.n, true);

	if (!a)
		return VALUE_NULL_INIT;
	a->bytes = (uint8_t *)(uintptr_t)bytes.p;
	return value_object(a);
}

/* ---- members -------------------------------------------------------------------------------------------------------------- */

static struct array *self_of(struct vm_call *c)
{
	return (struct array *)(void *)c->self.object;
}

static bool get_length(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)self_of(c)->n));
}

static bool get_long_length(struct vm_call *c)
{
	return vm_return(c, value_long((int64_t)self_of(c)->n));
}

static bool get_rank(struct vm_call *c)
{
	return vm_return(c, value_int(1));
}

static bool get_value(struct vm_call *c)
{
	size_t i;

	if (!vm_array_index(c->vm, self_of(c), c->args[0], &i))
		return false;
	return vm_return(c, array_get(self_of(c), i));
}

static bool set_value(struct vm_call *c)        /* (value, index) */
{
	const struct type *element = type_arg(self_of(c)->g.type, 0);
	struct value v = c->args[0].kind == VALUE_NULL ? type_default(element) : c->args[0];
	size_t i;

	if (!vm_array_index(c->vm, self_of(c), c->args[1], &i))
		return false;
	if (v.kind != VALUE_NULL && !type_accepts(c->vm, element, v))
		return vm_throw(c, EX_INVALID_CAST, "Object cannot be stored in an array of this type.");
	return array_set(c->vm, self_of(c), i, v);
}

static bool set_item(struct vm_call *c)         /* [index] = value */
{
	size_t i;

	return vm_array_index(c->vm, self_of(c), c->args[0], &i) && array_set(c->vm, self_of(c), i, c->args[1]);
}

static bool fixed_size(struct vm_call *c)
{
	return vm_throw(c, EX_NOT_SUPPORTED, "Collection was of a fixed size.");
}

static bool array_clone(struct vm_call *c)
{
	const struct array *from = self_of(c);
	struct array *a = array_with(c, from->g.type, from->n, false);

	if (!a)
		return false;
	if (from->n)
		memcpy(a->packed ? (void *)a->bytes : (void *)a->v, from->packed ? (void *)from->bytes : (void *)from->v,
		       from->packed ? from->n : from->n * sizeof(*from->v));
	return vm_return(c, value_object(a));
}

static bool next(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct array *a = (const struct array *)(const void *)it->source.object;

	(void)vm;
	if (it->at >= a->n)
		return false;
	*item = array_get(a, it->at++);
	return true;
}

static struct iterator *iterate(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next, v, NULL);
}

static bool contains(struct vm_call *c)
{
	const struct array *a = self_of(c);
	bool found = false;

	for (size_t i = 0; i < a->n && !found; i++)
		found = value_equals(array_get(a, i), c->args[0]);
	return vm_charge(c->vm, a->n) && vm_return(c, value_bool(found));
}

static int64_t find(const struct array *a, struct value v, int64_t from, int64_t to, int step)
{
	for (int64_t i = from; i != to; i += step)
		if (value_equals(array_get(a, (size_t)i), v))
			return i;
	return -1;
}

static bool self_index_of(struct vm_call *c)
{
	return vm_charge(c->vm, self_of(c)->n) && vm_return(c, value_int(find(self_of(c), c->args[0], 0, (int64_t)self_of(c)->n, 1)));
}

static bool self_copy_to(struct vm_call *c)
{
	struct array *from = self_of(c), *to = value_array(c->args[0]);
	int64_t at = c->args[1].i;

	if (!to)
		return vm_throw_null(c, "array");
	if (at < 0 || (uint64_t)at > to->n || from->n > to->n - (size_t)at)
		return vm_throw(c, EX_ARGUMENT, "Destination array was not long enough. Check destIndex and length, and the array's "
				"lower bounds.");
	for (size_t i = 0; i < from->n; i++)
		if (!array_set(c->vm, to, (size_t)at + i, array_get(from, i)))
			return false;
	return true;
}

/* ---- static methods ------------------------------------------------------------------------------------------------------- */

static struct array *arg_array(struct vm_call *c, size_t i, const char *name)
{
	struct array *a = value_array(c->args[i]);

	if (!a)
		vm_throw_null(c, name);
	return a;
}

/* What a predicate says of each element from either end; stops at the first true. SIZE_MAX: none. */
static bool search(struct vm_call *c, bool backward, bool wanted, size_t *at)
{
	const struct array *a = arg_array(c, 0, "array");
	struct value yes, item;

	*at = SIZE_MAX;
	for (size_t i = 0; a && i < a->n; i++) {
		size_t k = backward ? a->n - 1 - i : i;

		item = array_get(a, k);
		if (!vm_invoke(c->vm, c->args[1], &item, 1, &yes))
			return false;
		if (yes.b == wanted) {
			*at = k;
			return true;
		}
	}
	return a != NULL;
}

static bool array_exists(struct vm_call *c)
{
	size_t at;

	return search(c, false, true, &at) && vm_return(c, value_bool(at != SIZE_MAX));
}

static bool array_true_for_all(struct vm_call *c)
{
	size_t at;

	return search(c, false, false, &at) && vm_return(c, value_bool(at == SIZE_MAX));
}

static bool found_item(struct vm_call *c, bool backward)
{
	size_t at;

	if (!search(c, backward, true, &at))
		return false;
	return vm_return(c, at == SIZE_MAX ? type_default(c->type) : array_get(value_array(c->args[0]), at));
}

static bool array_find(struct vm_call *c)
{
	return found_item(c, false);
}

static bool array_find_last(struct vm_call *c)
{
	return found_item(c, true);
}

static bool array_find_index(struct vm_call *c)
{
	size_t at;

	return search(c, false, true, &at) && vm_return(c, value_int(at == SIZE_MAX ? -1 : (int64_t)at));
}

static bool array_find_last_index(struct vm_call *c)
{
	size_t at;

	return search(c, true, true, &at) && vm_return(c, value_int(at == SIZE_MAX ? -1 : (int64_t)at));
}

static bool each(struct vm_call *c, struct array *to, struct value fn)
{
	const struct array *a = value_array(c->args[0]);
	struct value item, result;

	for (size_t i = 0; i < a->n; i++) {
		item = array_get(a, i);
		if (!vm_invoke(c->vm, fn, &item, 1, &result) || (to && !array_set(c->vm, to, i, result)))
			return false;
	}
	return true;
}

static bool array_for_each(struct vm_call *c)
{
	return arg_array(c, 0, "array") && each(c, NULL, c->args[1]);
}

static bool array_convert_all(struct vm_call *c)
{
	const struct array *from = arg_array(c, 0, "array");
	struct array *to = from ? vm_array(c, from->n) : NULL;

	return to && each(c, to, c->args[1]) && vm_return(c, value_object(to));
}

static bool array_find_all(struct vm_call *c)
{
	const struct array *from = arg_array(c, 0, "array");
	struct value *kept = from ? vm_alloc(c, from->n + 1, sizeof(*kept)) : NULL, yes;
	struct array *to;
	size_t n = 0;

	if (!kept)
		return false;
	for (size_t i = 0; i < from->n; i++) {
		kept[n] = array_get(from, i);
		if (!vm_invoke(c->vm, c->args[1], &kept[n], 1, &yes))
			return false;
		n += yes.b;
	}
	to = vm_array(c, n);
	for (size_t i = 0; to && i < n; i++)
		if (!array_set(c->vm, to, i, kept[i]))
			return false;
	return to && vm_return(c, value_object(to));
}

static bool array_index_of(struct vm_call *c)
{
	const struct array *a = arg_array(c, 0, "array");
	int64_t from = c->n > 2 ? c->args[2].i : 0;

	if (!a)
		return false;
	if (from < 0 || (uint64_t)from > a->n)
		return vm_throw_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the "
				      "collection.");
	return vm_charge(c->vm, a->n) && vm_return(c, value_int(find(a, c->args[1], from, (int64_t)a->n, 1)));
}

static bool array_last_index_of(struct vm_call *c)
{
	const struct array *a = arg_array(c, 0, "array");

	return a && vm_charge(c->vm, a->n) && vm_return(c, value_int(find(a, c->args[1], (int64_t)a->n - 1, -1, -1)));
}

/* int[] to long[]: a number that fits any value of the other kind is widened. */
static bool copy_item(struct vm_call *c, struct array *to, size_t i, struct value v)
{
	enum value_kind kind = type_value_kind(type_arg(to->g.type, 0));

	if (v.kind != kind && v.kind >= VALUE_CHAR && v.kind < VALUE_DECIMAL && kind < VALUE_DECIMAL &&
	    numeric_widens(v.kind, kind))
		run_convert(c->arena, v, kind, false, &v);
	return array_set(c->vm, to, i, v);
}

static bool copy_range(struct vm_call *c, const struct array *from, int64_t at, struct array *to, int64_t to_at, int64_t n)
{
	if (n < 0)
		return vm_throw_range(c, "length", "Non-negative number required.");
	if (at < 0 || to_at < 0)
		return vm_throw_range(c, at < 0 ? "sourceIndex" : "destinationIndex", "Number was less than the array's lower "
				      "bound in the first dimension.");
	if ((uint64_t)at > from->n || (uint64_t)n > from->n - (uint64_t)at)
		return vm_throw(c, EX_ARGUMENT, "Source array was not long enough. Check srcIndex and length, and the array's "
				"lower bounds.");
	if ((uint64_t)to_at > to->n || (uint64_t)n > to->n - (uint64_t)to_at)
		return vm_throw(c, EX_ARGUMENT, "Destination array was not long enough. Check destIndex and length, and the "
				"array's lower bounds.");
	if (!vm_charge(c->vm, (uint64_t)n))
		return false;
	if (from == to && from->packed) {
		memmove(to->bytes + to_at, from->bytes + at, (size_t)n);
		return true;
	}
	if (from == to) {
		memmove(to->v + to_at, from->v + at, (size_t)n * sizeof(*to->v));
		return true;
	}
	if (from->packed != to->packed)
		return vm_throw(c, EX_INVALID_CAST, "Source array type cannot be assigned to destination array type.");
	for (int64_t i = 0; i < n; i++)
		if (!copy_item(c, to, (size_t)(to_at + i), array_get(from, (size_t)(at + i))))
			return false;
	return true;
}

static bool array_copy(struct vm_call *c)       /* (from, to, n) or (from, i, to, k, n) */
{
	const struct array *from = arg_array(c, 0, "sourceArray");
	struct array *to = from ? arg_array(c, c->n == 3 ? 1 : 2, "destinationArray") : NULL;

	if (!to)
		return false;
	if (c->n == 3)
		return copy_range(c, from, 0, to, 0, c->args[2].i);
	return copy_range(c, from, c->args[1].i, to, c->args[3].i, c->args[4].i);
}

static bool array_reverse(struct vm_call *c)
{
	struct array *a = arg_array(c, 0, "array");

	for (size_t i = 0; a && i < a->n / 2; i++) {
		struct value l = array_get(a, i), r = array_get(a, a->n - 1 - i);

		if (!array_set(c->vm, a, i, r) || !array_set(c->vm, a, a->n - 1 - i, l))
			return false;
	}
	return a && vm_charge(c->vm, a->n);
}

static bool array_sort(struct vm_call *c)
{
	struct array *a = arg_array(c, 0, "array");
	struct order by = { .compare = c->n > 1 ? c->args[1] : VALUE_NULL_INIT };
	struct items items;
	size_t *index;

	if (!a || !items_of(c->vm, c->args[0], &items))
		return false;
	by.keys = items.v;
	index = vm_alloc(c, items.n + 1, sizeof(*index));
	if (!index || !items_sort(c->vm, &items, &by, index))
		return false;
	for (size_t i = 0; i < items.n; i++)
		if (!array_set(c->vm, a, i, items.v[index[i]]))
			return false;
	return true;
}

static bool array_clear(struct vm_call *c)
{
	struct array *a = arg_array(c, 0, "array");
	int64_t from = c->n > 1 ? c->args[1].i : 0, n = c->n > 1 ? c->args[2].i : a ? (int64_t)a->n : 0;
	struct value zero = a ? type_default(type_arg(a->g.type, 0)) : VALUE_NULL_INIT;

	if (!a)
		return false;
	if (from < 0 || n < 0 || (uint64_t)from > a->n || (uint64_t)n > a->n - (uint64_t)from)
		return vm_raise(c->vm, EX_INDEX_RANGE);
	for (int64_t i = 0; i < n; i++)
		if (!array_set(c->vm, a, (size_t)(from + i), zero))
			return false;
	return true;
}

static bool array_empty(struct vm_call *c)
{
	struct array *a = vm_array(c, 0);

	return a && vm_return(c, value_object(a));
}

static bool get_upper_bound(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)self_of(c)->n - 1));
}

/* A new array of that length with the old elements; nothing there gives an empty one to copy from. */
static bool array_resize(struct vm_call *c)
{
	const struct array *from = value_array(c->args[0]);
	const struct type *item = c->types[0];
	int64_t n = c->args[1].i;
	struct array *to;

	if (n < 0)
		return vm_throw_range(c, "newSize", "Non-negative number required.");
	if (from && from->n == (size_t)n)
		return vm_return(c, VALUE_NULL_INIT);
	to = vm_array_of(c, from ? type_arg(from->g.type, 0) : item, (size_t)n);
	if (!to || !vm_charge(c->vm, (uint64_t)n / 4))
		return false;
	for (size_t i = 0; i < to->n; i++)
		if (!array_set(c->vm, to, i, from && i < from->n ? array_get(from, i) : type_default(type_arg(to->g.type, 0))))
			return false;
	c->args[0] = value_object(to);
	return vm_return(c, VALUE_NULL_INIT);
}

/* Copy, which here checks every element: on an error nothing may have changed. */
static bool constrained_copy(struct vm_call *c)
{
	const struct array *from = arg_array(c, 0, "sourceArray");
	struct array *to = from ? arg_array(c, 2, "destinationArray") : NULL;

	if (!to)
		return false;
	if (!type_eq(type_arg(from->g.type, 0), type_arg(to->g.type, 0)) &&
	    (type_is_value(type_arg(from->g.type, 0)) || !type_derives(c->arena, type_arg(from->g.type, 0), type_arg(to->g.type, 0))))
		return vm_throw(c, EX_INVALID_CAST, "Array.ConstrainedCopy will only work on array types that are provably compatible, "
				"without any form of boxing, unboxing, widening, or casting of each array element. Change the array "
				"types (i.e., copy a Derived[] to a Base[]), or use a mitigation strategy in the CER for Array.Copy's "
				"less powerful reliability contract, such as cloning the array or throwing away the potentially "
				"corrupt destination array.");
	return copy_range(c, from, c->args[1].i, to, c->args[3].i, c->args[4].i);
}

static bool array_itself(struct vm_call *c)
{
	return vm_return(c, c->self);
}

static const struct class_member members[] = {
	{ "static void Resize<E>(ref E[] array, int newSize)", array_resize },
	{ "static void ConstrainedCopy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)",
	  constrained_copy },
	{ "object SyncRoot { get; }", array_itself },
	{ "int Length { get; }", get_length },
	{ "long LongLength { get; }", get_long_length },
	{ "int Rank { get; }", get_rank },
	{ "int GetLength(int dimension)", get_length },
	{ "int GetUpperBound(int dimension)", get_upper_bound },
	{ "object GetValue(int index)", get_value },
	{ "void SetValue(object value, int index)", set_value },
	{ "object Clone()", array_clone },
	{ "void CopyTo(Array array, int index)", self_copy_to },
	{ "static bool Exists<E>(E[] array, Predicate<E> match)", array_exists },
	{ "static bool TrueForAll<E>(E[] array, Predicate<E> match)", array_true_for_all },
	{ "static E Find<E>(E[] array, Predicate<E> match)", array_find },
	{ "static E FindLast<E>(E[] array, Predicate<E> match)", array_find_last },
	{ "static E[] FindAll<E>(E[] array, Predicate<E> match)", array_find_all },
	{ "static int FindIndex<E>(E[] array, Predicate<E> match)", array_find_index },
	{ "static int FindLastIndex<E>(E[] array, Predicate<E> match)", array_find_last_index },
	{ "static void ForEach<E>(E[] array, Action<E> action)", array_for_each },
	{ "static R[] ConvertAll<E, R>(E[] array, Converter<E, R> converter)", array_convert_all },
	{ "static int IndexOf<E>(E[] array, E value)", array_index_of },
	{ "static int IndexOf<E>(E[] array, E value, int startIndex)", array_index_of },
	{ "static int LastIndexOf<E>(E[] array, E value)", array_last_index_of },
	{ "static void Copy(Array sourceArray, Array destinationArray, int length)", array_copy },
	{ "static void Copy(Array sourceArray, int sourceIndex, Array destinationArray, int destinationIndex, int length)",
	  array_copy },
	{ "static void Reverse(Array array)", array_reverse },
	{ "static void Sort<E>(E[] array)", array_sort },
	{ "static void Sort<E>(E[] array, Comparison<E> comparison)", array_sort },
	{ "static void Sort<E>(E[] array, IComparer<E> comparer)", array_sort },
	{ "static void Clear(Array array, int index, int length)", array_clear },
	{ "static void Clear(Array array)", array_clear },
	{ "static E[] Empty<E>()", array_empty },
	{ 0 }
};
struct value_class class_array = {
	.name = "System.Array", .parameters = "T", .members = members, .iterate = iterate,
	.interfaces = "IList<T>, IReadOnlyList<T>, IEnumerable<T>",
};

/* What an array answers to as an IList<T>, but does not show as an array. */
static const struct class_member hidden_members[] = {
	{ "int Count { get; }", get_length },
	{ "object this[int index] { get; set; }", get_value, set_item },
	{ "bool Contains(object item)", contains },
	{ "int IndexOf(object item)", self_index_of },
	{ "void Add(object item)", fixed_size },
	{ "bool Remove(object item)", fixed_size },
	{ "void RemoveAt(int index)", fixed_size },
	{ "void Insert(int index, object item)", fixed_size },
	{ "void Clear()", fixed_size },
	{ "void CopyTo(object array, int arrayIndex)", self_copy_to },
	{ 0 }
};
struct value_class class_array_interfaces = { .name = "ArrayInterfaces", .members = hidden_members };

static struct value_class *const classes[] = { &class_array, &class_array_interfaces, NULL };
const struct class_module array_module = { classes, NULL };
