/* lib_list.c - List<T>, Queue<T>, Stack<T>: one growing array. */
#include "core/str.h"
#include "policy/expr/collection.h"
#include "policy/expr/library.h"

static const char out_of_range[] = "Index was out of range. Must be non-negative and less than the size of the collection.";

struct list *list_of(struct value v)
{
	if (v.kind != VALUE_OBJECT || (v.object->cls != &class_list && v.object->cls != &class_queue &&
				       v.object->cls != &class_stack && v.object->cls != &class_key_list))
		return NULL;
	return (struct list *)(void *)v.object;
}

bool list_push(struct vm *vm, struct list *l, struct value v)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 4;
		struct value *bigger = vm_memory(vm, cap, sizeof(*bigger));

		if (!bigger)
			return false;
		if (l->n)
			memcpy(bigger, l->v, l->n * sizeof(*bigger));
		l->v = bigger;
		l->cap = cap;
	}
	l->v[l->n++] = v;
	l->version++;
	return true;
}

struct list *list_make(struct vm *vm, const struct value_class *cls, const struct type *type)
{
	struct list *l = vm_new(vm_scratch(vm), cls, sizeof(*l));

	if (l)
		l->g.type = type;
	return l;
}

struct value vm_list_new(struct vm_call *c, const struct type *element)
{
	return value_object(list_make(c->vm, &class_list, type_make1(c->arena, &class_list, element)));
}

bool vm_list_add(struct vm_call *c, struct value list, struct value item)
{
	return list_push(c->vm, list_of(list), item);
}

static struct list *self_of(struct vm_call *c)
{
	return (struct list *)(void *)c->self.object;
}

static bool next(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct list *l = (const struct list *)(const void *)it->source.object;

	if (l->version != (uint32_t)(uintptr_t)it->state)
		return vm_throw(vm_scratch(vm), EX_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
	if (it->at >= l->n)
		return false;
	*item = l->g.head.cls == &class_stack ? l->v[l->n - 1 - it->at] : l->v[it->at];
	it->at++;
	return true;
}

static struct iterator *iterate(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next, v, (void *)(uintptr_t)list_of(v)->version);
}

/* ---- making --------------------------------------------------------------------------------------------------------------- */

static bool push_all(struct vm_call *c, struct list *l, struct value sequence)
{
	struct items items;

	if (!items_of(c->vm, sequence, &items))
		return false;
	for (size_t i = 0; i < items.n; i++)
		if (!list_push(c->vm, l, items.v[i]))
			return false;
	return true;
}

static bool list_new(struct vm_call *c)
{
	struct list *l = list_make(c->vm, type_class(c->type), c->type);

	if (!l)
		return false;
	if (c->n && c->args[0].kind == VALUE_INT) {
		if (c->args[0].i < 0)
			return vm_throw_range(c, "capacity", "Non-negative number required.");
	} else if (c->n) {
		if (c->args[0].kind == VALUE_NULL)
			return vm_throw_null(c, "collection");
		if (!push_all(c, l, c->args[0]))
			return false;
	}
	return vm_return(c, value_object(l));
}

/* ---- List ----------------------------------------------------------------------------------------------------------------- */

static bool get_count(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)self_of(c)->n));
}

static bool checked(struct vm_call *c, struct value index, size_t *i)
{
	*i = (size_t)index.i;
	return index.i >= 0 && *i < self_of(c)->n ? true : vm_throw_range(c, "index", out_of_range);
}

static bool get_item(struct vm_call *c)
{
	size_t i;

	return checked(c, c->args[0], &i) && vm_return(c, self_of(c)->v[i]);
}

static bool set_item(struct vm_call *c)
{
	size_t i;

	if (!checked(c, c->args[0], &i))
		return false;
	self_of(c)->v[i] = c->args[1];
	self_of(c)->version++;
	return true;
}

static bool add(struct vm_call *c)
{
	return list_push(c->vm, self_of(c), c->args[0]);
}

static bool add_range(struct vm_call *c)
{
	if (c->args[0].kind == VALUE_NULL)
		return vm_throw_null(c, "collection");
	return push_all(c, self_of(c), c->args[0]);
}

static bool clear(struct vm_call *c)
{
	self_of(c)->n = 0;
	self_of(c)->version++;
	return true;
}

static int64_t find(const struct list *l, struct value v, bool backward)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t k = backward ? l->n - 1 - i : i;

		if (value_equals(l->v[k], v))
			return (int64_t)k;
	}
	return -1;
}

static bool contains(struct vm_call *c)
{
	return vm_charge(c->vm, self_of(c)->n) && vm_return(c, value_bool(find(self_of(c), c->args[0], false) >= 0));
}

static bool index_of(struct vm_call *c)
{
	return vm_charge(c->vm, self_of(c)->n) && vm_return(c, value_int(find(self_of(c), c->args[0], false)));
}

static bool last_index_of(struct vm_call *c)
{
	return vm_charge(c->vm, self_of(c)->n) && vm_return(c, value_int(find(self_of(c), c->args[0], true)));
}

static void remove_range(struct list *l, size_t at, size_t n)
{
	memmove(l->v + at, l->v + at + n, (l->n - at - n) * sizeof(*l->v));
	l->n -= n;
	l->version++;
}

static bool remove_item(struct vm_call *c)
{
	int64_t at = find(self_of(c), c->args[0], false);

	if (!vm_charge(c->vm, self_of(c)->n))
		return false;
	if (at >= 0)
		remove_range(self_of(c), (size_t)at, 1);
	return vm_return(c, value_bool(at >= 0));
}

static bool remove_at(struct vm_call *c)
{
	size_t i;

	if (!checked(c, c->args[0], &i))
		return false;
	remove_range(self_of(c), i, 1);
	return vm_charge(c->vm, self_of(c)->n / 16);
}

static bool in_range(struct vm_call *c, struct value from, struct value count)
{
	struct list *l = self_of(c);

	if (from.i < 0 || count.i < 0)
		return vm_throw_range(c, from.i < 0 ? "index" : "count", "Non-negative number required.");
	if ((uint64_t)from.i > l->n || (uint64_t)count.i > l->n - (uint64_t)from.i)
		return vm_throw(c, EX_ARGUMENT, "Offset and length were out of bounds for the array or count is greater than the "
				"number of elements from index to the end of the source collection.");
	return true;
}

static bool remove_many(struct vm_call *c)
{
	if (!in_range(c, c->args[0], c->args[1]))
		return false;
	if (c->args[1].i)
		remove_range(self_of(c), (size_t)c->args[0].i, (size_t)c->args[1].i);
	return true;
}

static bool get_range(struct vm_call *c)
{
	struct list *l;

	if (!in_range(c, c->args[0], c->args[1]))
		return false;
	l = list_make(c->vm, &class_list, c->type);
	for (int64_t i = 0; l && i < c->args[1].i; i++)
		if (!list_push(c->vm, l, self_of(c)->v[c->args[0].i + i]))
			return false;
	return l && vm_return(c, value_object(l));
}

static bool insert_at(struct vm_call *c, size_t at, struct value v)
{
	struct list *l = self_of(c);

	if (!list_push(c->vm, l, v))
		return false;
	memmove(l->v + at + 1, l->v + at, (l->n - 1 - at) * sizeof(*l->v));
	l->v[at] = v;
	return vm_charge(c->vm, l->n / 16);
}

static bool insert(struct vm_call *c)
{
	if (c->args[0].i < 0 || (uint64_t)c->args[0].i > self_of(c)->n)
		return vm_throw_range(c, "index", "Index must be within the bounds of the List.");
	return insert_at(c, (size_t)c->args[0].i, c->args[1]);
}

static bool insert_range(struct vm_call *c)
{
	struct items items;

	if (c->args[0].i < 0 || (uint64_t)c->args[0].i > self_of(c)->n)
		return vm_throw_range(c, "index", out_of_range);
	if (!items_of(c->vm, c->args[1], &items))
		return false;
	for (size_t i = 0; i < items.n; i++)
		if (!insert_at(c, (size_t)c->args[0].i + i, items.v[i]))
			return false;
	return true;
}

static bool reverse(struct vm_call *c)
{
	struct list *l = self_of(c);

	for (size_t i = 0; i < l->n / 2; i++) {
		struct value t = l->v[i];

		l->v[i] = l->v[l->n - 1 - i];
		l->v[l->n - 1 - i] = t;
	}
	l->version++;
	return vm_charge(c->vm, l->n);
}

static bool sort(struct vm_call *c)
{
	struct list *l = self_of(c);
	struct order by = { .compare = c->n ? c->args[0] : VALUE_NULL_INIT };
	struct items items;
	size_t *index;

	if (!items_of(c->vm, c->self, &items))
		return false;
	by.keys = items.v;
	index = vm_alloc(c, items.n + 1, sizeof(*index));
	if (!index || !items_sort(c->vm, &items, &by, index))
		return false;
	for (size_t i = 0; i < items.n; i++)
		l->v[i] = items.v[index[i]];
	l->version++;
	return true;
}

static bool to_array(struct vm_call *c)
{
	struct list *l = self_of(c);
	struct array *a = vm_array(c, l->n);

	for (size_t i = 0; a && i < l->n; i++)
		if (!array_set(c->vm, a, i, l->g.head.cls == &class_stack ? l->v[l->n - 1 - i] : l->v[i]))
			return false;
	return a && vm_return(c, value_object(a));
}

static bool copy_to(struct vm_call *c)
{
	struct array *to = value_array(c->args[0]);
	size_t at = c->n > 1 ? (size_t)c->args[1].i : 0;

	if (!to)
		return vm_throw_null(c, "array");
	if (at > to->n || self_of(c)->n > to->n - at)
		return vm_throw(c, EX_ARGUMENT, "Destination array was not long enough. Check destIndex and length, and the array's "
				"lower bounds.");
	for (size_t i = 0; i < self_of(c)->n; i++)
		if (!array_set(c->vm, to, at + i, self_of(c)->v[i]))
			return false;
	return true;
}

/* ---- with predicates ------------------------------------------------------------------------------------------------------ */

static bool search(struct vm_call *c, bool backward, bool wanted, size_t *at)
{
	struct value yes;

	*at = SIZE_MAX;
	for (size_t i = 0; i < self_of(c)->n; i++) {
		size_t k = backward ? self_of(c)->n - 1 - i : i;

		if (!vm_invoke(c->vm, c->args[0], &self_of(c)->v[k], 1, &yes))
			return false;
		if (yes.b == wanted) {
			*at = k;
			return true;
		}
	}
	return true;
}

static bool exists(struct vm_call *c)
{
	size_t at;

	return search(c, false, true, &at) && vm_return(c, value_bool(at != SIZE_MAX));
}

static bool true_for_all(struct vm_call *c)
{
	size_t at;

	return search(c, false, false, &at) && vm_return(c, value_bool(at == SIZE_MAX));
}

static bool give_found(struct vm_call *c, size_t at)
{
	return vm_return(c, at == SIZE_MAX ? type_default(c->type) : self_of(c)->v[at]);
}

static bool find_first(struct vm_call *c)
{
	size_t at;

	return search(c, false, true, &at) && give_found(c, at);
}

static bool find_last(struct vm_call *c)
{
	size_t at;

	return search(c, true, true, &at) && give_found(c, at);
}

static bool find_index(struct vm_call *c)
{
	size_t at;

	return search(c, false, true, &at) && vm_return(c, value_int(at == SIZE_MAX ? -1 : (int64_t)at));
}

static bool find_last_index(struct vm_call *c)
{
	size_t at;

	return search(c, true, true, &at) && vm_return(c, value_int(at == SIZE_MAX ? -1 : (int64_t)at));
}

static bool split(struct vm_call *c, struct list *yes_list, struct list *no_list)
{
	struct value yes;

	for (size_t i = 0; i < self_of(c)->n; i++) {
		struct list *to;

		if (!vm_invoke(c->vm, c->args[0], &self_of(c)->v[i], 1, &yes))
			return false;
		to = yes.b ? yes_list : no_list;
		if (to && !list_push(c->vm, to, self_of(c)->v[i]))
			return false;
	}
	return true;
}

static bool find_all(struct vm_call *c)
{
	struct list *l = list_make(c->vm, &class_list, c->type);

	return l && split(c, l, NULL) && vm_return(c, value_object(l));
}

static bool remove_all(struct vm_call *c)
{
	struct list *kept = list_make(c->vm, &class_list, self_of(c)->g.type), *l = self_of(c);
	size_t before = l->n;

	if (!kept || !split(c, NULL, kept))
		return false;
	l->v = kept->v;
	l->n = kept->n;
	l->cap = kept->cap;
	l->version++;
	return vm_return(c, value_int((int64_t)(before - l->n)));
}

static bool for_each(struct vm_call *c)
{
	uint32_t version = self_of(c)->version;
	struct value result;

	for (size_t i = 0; i < self_of(c)->n; i++) {
		if (!vm_invoke(c->vm, c->args[0], &self_of(c)->v[i], 1, &result))
			return false;
		if (self_of(c)->version != version)
			return vm_throw(c, EX_INVALID_OPERATION, "Collection was modified; enumeration operation may not execute.");
	}
	return true;
}

static bool convert_all(struct vm_call *c)
{
	struct list *l = list_make(c->vm, &class_list, c->type);
	struct value result;

	for (size_t i = 0; l && i < self_of(c)->n; i++)
		if (!vm_invoke(c->vm, c->args[0], &self_of(c)->v[i], 1, &result) || !list_push(c->vm, l, result))
			return false;
	return l && vm_return(c, value_object(l));
}

static bool as_it_is(struct vm_call *c)
{
	return vm_return(c, c->self);
}

static bool capacity(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)self_of(c)->cap));
}

static const struct class_member list_members[] = {
	{ "List()", list_new },
	{ "List(int capacity)", list_new },
	{ "List(IEnumerable<T> collection)", list_new },
	{ "int Count { get; }", get_count },
	{ "int Capacity { get; }", capacity },
	{ "T this[int index] { get; set; }", get_item, set_item },
	{ "void Add(T item)", add },
	{ "void AddRange(IEnumerable<T> collection)", add_range },
	{ "void Clear()", clear },
	{ "bool Contains(T item)", contains },
	{ "int IndexOf(T item)", index_of },
	{ "int LastIndexOf(T item)", last_index_of },
	{ "bool Remove(T item)", remove_item },
	{ "void RemoveAt(int index)", remove_at },
	{ "void RemoveRange(int index, int count)", remove_many },
	{ "int RemoveAll(Predicate<T> match)", remove_all },
	{ "List<T> GetRange(int index, int count)", get_range },
	{ "void Insert(int index, T item)", insert },
	{ "void InsertRange(int index, IEnumerable<T> collection)", insert_range },
	{ "void Reverse()", reverse },
	{ "void Sort()", sort },
	{ "void Sort(Comparison<T> comparison)", sort },
	{ "void Sort(IComparer<T> comparer)", sort },
	{ "T[] ToArray()", to_array },
	{ "void CopyTo(T[] array)", copy_to },
	{ "void CopyTo(T[] array, int arrayIndex)", copy_to },
	{ "bool Exists(Predicate<T> match)", exists },
	{ "bool TrueForAll(Predicate<T> match)", true_for_all },
	{ "T Find(Predicate<T> match)", find_first },
	{ "T FindLast(Predicate<T> match)", find_last },
	{ "List<T> FindAll(Predicate<T> match)", find_all },
	{ "int FindIndex(Predicate<T> match)", find_index },
	{ "int FindLastIndex(Predicate<T> match)", find_last_index },
	{ "void ForEach(Action<T> action)", for_each },
	{ "List<R> ConvertAll<R>(Converter<T, R> converter)", convert_all },
	{ "IReadOnlyList<T> AsReadOnly()", as_it_is },
	{ "void TrimExcess()", as_it_is },
	{ 0 }
};
struct value_class class_list = {
	.name = "System.Collections.Generic.List", .parameters = "T", .members = list_members, .iterate = iterate,
	.interfaces = "IList<T>, IReadOnlyList<T>",
};

/* Keys and Values of a dictionary: a list that cannot be changed. */
static bool read_only(struct vm_call *c)
{
	return vm_throw(c, EX_NOT_SUPPORTED, "Mutating a key collection derived from a dictionary is not allowed.");
}

static const struct class_member key_members[] = {
	{ "int Count { get; }", get_count }, { "bool Contains(T item)", contains }, { "void CopyTo(T[] array, int index)", copy_to },
	{ "void Add(T item)", read_only }, { "bool Remove(T item)", read_only }, { "void Clear()", read_only }, { 0 }
};
struct value_class class_key_list = {
	.name = "KeyCollection", .parameters = "T", .members = key_members, .iterate = iterate,
	.interfaces = "ICollection<T>, IReadOnlyCollection<T>",
};

/* ---- Queue, Stack --------------------------------------------------------------------------------------------------------- */

static bool is_empty(struct vm_call *c)
{
	if (self_of(c)->n)
		return false;
	vm_throw(c, EX_INVALID_OPERATION, self_of(c)->g.head.cls == &class_stack ? "Stack empty." : "Queue empty.");
	return true;
}

static bool dequeue(struct vm_call *c)
{
	if (is_empty(c))
		return false;
	c->result = self_of(c)->v[0];
	self_of(c)->v++;
	self_of(c)->cap--;
	self_of(c)->n--;
	self_of(c)->version++;
	return true;
}

static bool peek_first(struct vm_call *c)
{
	return !is_empty(c) && vm_return(c, self_of(c)->v[0]);
}

static bool pop(struct vm_call *c)
{
	if (is_empty(c))
		return false;
	self_of(c)->version++;
	return vm_return(c, self_of(c)->v[--self_of(c)->n]);
}

static bool peek_last(struct vm_call *c)
{
	return !is_empty(c) && vm_return(c, self_of(c)->v[self_of(c)->n - 1]);
}

static const struct class_member queue_members[] = {
	{ "Queue()", list_new }, { "Queue(int capacity)", list_new }, { "Queue(IEnumerable<T> collection)", list_new },
	{ "int Count { get; }", get_count }, { "void Enqueue(T item)", add }, { "T Dequeue()", dequeue },
	{ "T Peek()", peek_first }, { "void Clear()", clear }, { "bool Contains(T item)", contains },
	{ "T[] ToArray()", to_array }, { 0 }
};
struct value_class class_queue = {
	.name = "System.Collections.Generic.Queue", .parameters = "T", .members = queue_members, .iterate = iterate,
	.interfaces = "IReadOnlyCollection<T>",
};

static const struct class_member stack_members[] = {
	{ "Stack()", list_new }, { "Stack(int capacity)", list_new }, { "Stack(IEnumerable<T> collection)", list_new },
	{ "int Count { get; }", get_count }, { "void Push(T item)", add }, { "T Pop()", pop }, { "T Peek()", peek_last },
	{ "void Clear()", clear }, { "bool Contains(T item)", contains }, { "T[] ToArray()", to_array }, { 0 }
};
struct value_class class_stack = {
	.name = "System.Collections.Generic.Stack", .parameters = "T", .members = stack_members, .iterate = iterate,
	.interfaces = "IReadOnlyCollection<T>",
};

static struct value_class *const classes[] = { &class_list, &class_key_list, &class_queue, &class_stack, NULL };
const struct class_module list_module = { classes, NULL };
