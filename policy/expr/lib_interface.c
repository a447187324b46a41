/* lib_interface.c - the interfaces of System.Collections and what else appears in signatures.
 *
 * Rows without a function are found in the class of the instance when they are called (vm.c, call_virtual). */
#include "policy/expr/library.h"
#include "policy/expr/vm.h"

struct enumerator {
	struct generic_object g;
	struct iterator *it;
	struct value current;
};

static struct value_class class_enumerator;

bool enumerator_of(struct vm *vm, struct value sequence, const struct type *item, struct value *out)
{
	struct enumerator *e = vm_new(vm_scratch(vm), &class_enumerator, sizeof(*e));

	if (!e)
		return false;
	e->g.type = type_make1(vm->arena, &class_enumerator, item);
	e->it = vm_iterate(vm, sequence);
	*out = value_object(e);
	return e->it != NULL;
}

static bool get_enumerator(struct vm_call *c)
{
	return enumerator_of(c->vm, c->self, type_arg(c->type, 0), &c->result);
}

static struct enumerator *self_of(struct vm_call *c)
{
	return (struct enumerator *)(void *)c->self.object;
}

static bool move_next(struct vm_call *c)
{
	bool more = vm_next(c->vm, self_of(c)->it, &self_of(c)->current);

	return !vm_failed(c->vm) && vm_return(c, value_bool(more));
}

static bool current(struct vm_call *c)
{
	return vm_return(c, self_of(c)->current);
}

static bool nothing(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static const struct class_member enumerator_members[] = {
	{ "bool MoveNext()", move_next }, { "T Current { get; }", current }, { "void Dispose()", nothing }, { 0 }
};
static struct value_class class_enumerator = {
	.name = "Enumerator", .parameters = "T", .interfaces = "IEnumerator<T>", .members = enumerator_members,
};

#define INTERFACE(id, full, params, bases, ...)                                                              \
	static const struct class_member id##_members[] = { __VA_ARGS__ { 0 } };                             \
	static struct value_class class_##id = {                                                             \
		.name = full, .kind = CLASS_INTERFACE, .parameters = params, .interfaces = bases, .members = id##_members, \
	}
#define COLLECTIONS "System.Collections.Generic."

INTERFACE(enumerable, COLLECTIONS "IEnumerable", "T", "IEnumerable", { "IEnumerator<T> GetEnumerator()", get_enumerator },);
INTERFACE(plain_enumerable, "System.Collections.IEnumerable", NULL, NULL,);
INTERFACE(enumerator_interface, COLLECTIONS "IEnumerator", "T", "IEnumerator, IDisposable", { "T Current { get; }", NULL },);
INTERFACE(plain_enumerator, "System.Collections.IEnumerator", NULL, NULL, { "bool MoveNext()", NULL },
	  { "object Current { get; }", NULL },);
INTERFACE(collection, COLLECTIONS "ICollection", "T", "IEnumerable<T>", { "int Count { get; }", NULL },
	  { "void Add(T item)", NULL }, { "void Clear()", NULL }, { "bool Contains(T item)", NULL },
	  { "bool Remove(T item)", NULL }, { "void CopyTo(T[] array, int arrayIndex)", NULL },);
INTERFACE(list_interface, COLLECTIONS "IList", "T", "ICollection<T>", { "T this[int index] { get; set; }", NULL },
	  { "int IndexOf(T item)", NULL }, { "void Insert(int index, T item)", NULL }, { "void RemoveAt(int index)", NULL },);
INTERFACE(read_collection, COLLECTIONS "IReadOnlyCollection", "T", "IEnumerable<T>", { "int Count { get; }", NULL },);
INTERFACE(read_list, COLLECTIONS "IReadOnlyList", "T", "IReadOnlyCollection<T>", { "T this[int index] { get; }", NULL },);
INTERFACE(set, COLLECTIONS "ISet", "T", "ICollection<T>", { "bool Add(T item)", NULL },
	  { "void UnionWith(IEnumerable<T> other)", NULL }, { "void ExceptWith(IEnumerable<T> other)", NULL },
	  { "void IntersectWith(IEnumerable<T> other)", NULL }, { "bool IsSubsetOf(IEnumerable<T> other)", NULL },
	  { "bool IsSupersetOf(IEnumerable<T> other)", NULL }, { "bool Overlaps(IEnumerable<T> other)", NULL },
	  { "bool SetEquals(IEnumerable<T> other)", NULL }, { "bool IsProperSubsetOf(IEnumerable<T> other)", NULL },
	  { "bool IsProperSupersetOf(IEnumerable<T> other)", NULL },
	  { "void SymmetricExceptWith(IEnumerable<T> other)", NULL },);
INTERFACE(dictionary_interface, COLLECTIONS "IDictionary", "K, V", "ICollection<KeyValuePair<K, V>>",
	  { "V this[K key] { get; set; }", NULL }, { "ICollection<K> Keys { get; }", NULL },
	  { "ICollection<V> Values { get; }", NULL }, { "bool ContainsKey(K key)", NULL }, { "void Add(K key, V value)", NULL },
	  { "bool Remove(K key)", NULL }, { "bool TryGetValue(K key, out V value)", NULL },);
INTERFACE(read_dictionary, COLLECTIONS "IReadOnlyDictionary", "K, V", "IReadOnlyCollection<KeyValuePair<K, V>>",
	  { "V this[K key] { get; }", NULL }, { "IEnumerable<K> Keys { get; }", NULL },
	  { "IEnumerable<V> Values { get; }", NULL }, { "bool ContainsKey(K key)", NULL },
	  { "bool TryGetValue(K key, out V value)", NULL },);
INTERFACE(grouping, "System.Linq.IGrouping", "K, T", "IEnumerable<T>", { "K Key { get; }", NULL },);
INTERFACE(lookup, "System.Linq.ILookup", "K, T", "IEnumerable<IGrouping<K, T>>", { "int Count { get; }", NULL },
	  { "IEnumerable<T> this[K key] { get; }", NULL }, { "bool Contains(K key)", NULL },);
INTERFACE(ordered, "System.Linq.IOrderedEnumerable", "T", "IEnumerable<T>",);
INTERFACE(disposable, "System.IDisposable", NULL, NULL, { "void Dispose()", nothing },);
INTERFACE(comparable, "System.IComparable", NULL, NULL, { "int CompareTo(object obj)", NULL },);
INTERFACE(comparable_of, "System.IComparable", "T", NULL, { "int CompareTo(T other)", NULL },);
INTERFACE(equatable, "System.IEquatable", "T", NULL, { "bool Equals(T other)", NULL },);
INTERFACE(convertible, "System.IConvertible", NULL, NULL,);
INTERFACE(equality_comparer, COLLECTIONS "IEqualityComparer", "T", NULL, { "bool Equals(T x, T y)", NULL },
	  { "int GetHashCode(T obj)", NULL },);
INTERFACE(comparer, COLLECTIONS "IComparer", "T", NULL, { "int Compare(T x, T y)", NULL },);

static struct value_class *const classes[] = {
	&class_enumerator, &class_enumerable, &class_plain_enumerable, &class_enumerator_interface, &class_plain_enumerator,
	&class_collection, &class_list_interface, &class_read_collection, &class_read_list, &class_set,
	&class_dictionary_interface, &class_read_dictionary, &class_grouping, &class_lookup, &class_ordered,
	&class_disposable, &class_comparable, &class_comparable_of, &class_equatable, &class_convertible,
	&class_equality_comparer, &class_comparer, NULL,
};
const struct class_module interface_module = { classes, NULL };
