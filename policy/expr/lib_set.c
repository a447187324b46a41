/* lib_set.c - HashSet<T>: the keys of a dictionary. */
#include "policy/expr/collection.h"
#include "policy/expr/library.h"

static struct dictionary *self_of(struct vm_call *c)
{
	return (struct dictionary *)(void *)c->self.object;
}

static bool put(struct vm *vm, struct dictionary *d, struct value v, bool *added)
{
	return dictionary_set(vm, d, v, VALUE_NULL_INIT, added);
}

static bool put_all(struct vm_call *c, struct dictionary *d, struct value sequence)
{
	struct items items;
	bool added;

	if (sequence.kind == VALUE_NULL)
		return vm_throw_null(c, "other");
	if (!items_of(c->vm, sequence, &items))
		return false;
	for (size_t i = 0; i < items.n; i++)
		if (!put(c->vm, d, items.v[i], &added))
			return false;
	return true;
}

static bool set_new(struct vm_call *c)
{
	struct value comparer = VALUE_NULL_INIT, source = VALUE_NULL_INIT;
	struct dictionary *d;

	for (size_t i = 0; i < c->n; i++) {
		if (c->args[i].kind == VALUE_STRING || (c->args[i].kind == VALUE_OBJECT &&
							type_item(c->arena, type_of_value(c->vm, c->args[i]))))
			source = c->args[i];
		else
			comparer = c->args[i];
	}
	d = dictionary_make(c->vm, c->type, comparer_ignores_case(c->vm, comparer));
	if (!d || (source.kind != VALUE_NULL && !put_all(c, d, source)))
		return false;
	return vm_return(c, value_object(d));
}

static bool get_count(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)self_of(c)->n));
}

static bool add(struct vm_call *c)
{
	bool added;

	return put(c->vm, self_of(c), c->args[0], &added) && vm_return(c, value_bool(added));
}

static bool contains(struct vm_call *c)
{
	return vm_return(c, value_bool(dictionary_find(self_of(c), c->args[0]) != NULL));
}

static bool remove_item(struct vm_call *c)
{
	return vm_return(c, value_bool(dictionary_remove(self_of(c), c->args[0])));
}

static bool clear(struct vm_call *c)
{
	struct dictionary *d = self_of(c);

	d->n = d->used = d->cap = 0;
	d->version++;
	return true;
}

static bool union_with(struct vm_call *c)
{
	return put_all(c, self_of(c), c->args[0]);
}

/* The other sequence as a set with the same comparer. */
static struct dictionary *other_set(struct vm_call *c)
{
	struct dictionary *d = dictionary_make(c->vm, self_of(c)->g.type, self_of(c)->ignore_case);

	return d && put_all(c, d, c->args[0]) ? d : NULL;
}

static bool keep(struct vm_call *c, bool common)
{
	struct dictionary *d = self_of(c), *other = other_set(c);

	for (size_t i = 0; other && i < d->used; i++)
		if (!d->entries[i].gone && (dictionary_find(other, d->entries[i].key) != NULL) != common)
			dictionary_remove(d, d->entries[i].key);
	return other && vm_charge(c->vm, d->used);
}

static bool except_with(struct vm_call *c)
{
	return keep(c, false);
}

static bool intersect_with(struct vm_call *c)
{
	return keep(c, true);
}

static bool all_in(const struct dictionary *d, const struct dictionary *other)
{
	for (size_t i = 0; i < d->used; i++)
		if (!d->entries[i].gone && !dictionary_find(other, d->entries[i].key))
			return false;
	return true;
}

static bool is_subset(struct vm_call *c)
{
	struct dictionary *other = other_set(c);

	return other && vm_charge(c->vm, other->used) && vm_return(c, value_bool(all_in(self_of(c), other)));
}

static bool is_superset(struct vm_call *c)
{
	struct dictionary *other = other_set(c);

	return other && vm_charge(c->vm, other->used) && vm_return(c, value_bool(all_in(other, self_of(c))));
}

static bool is_proper_subset(struct vm_call *c)
{
	struct dictionary *other = other_set(c);

	return other && vm_charge(c->vm, other->used) &&
	       vm_return(c, value_bool(self_of(c)->n < other->n && all_in(self_of(c), other)));
}

static bool is_proper_superset(struct vm_call *c)
{
	struct dictionary *other = other_set(c);

	return other && vm_charge(c->vm, other->used) &&
	       vm_return(c, value_bool(self_of(c)->n > other->n && all_in(other, self_of(c))));
}

/* The element that is in the set, which may differ in case from the one asked for. */
static bool try_get(struct vm_call *c)
{
	const struct entry *e = dictionary_find(self_of(c), c->args[0]);

	c->args[1] = e ? e->key : type_default(type_arg(self_of(c)->g.type, 0));
	return vm_return(c, value_bool(e != NULL));
}

static bool nothing_to_do(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

static bool copy_to(struct vm_call *c)
{
	struct dictionary *d = self_of(c);
	struct array *to = value_array(c->args[0]);
	int64_t at = c->n > 1 ? c->args[1].i : 0;

	if (!to)
		return vm_throw_null(c, "array");
	if (at < 0 || at > (int64_t)to->n || d->n > to->n - (size_t)at)
		return vm_throw(c, EX_ARGUMENT, "Destination array is not long enough to copy all the items in the collection. Check "
				"array index and length.");
	for (size_t i = 0; i < d->used; i++)
		if (!d->entries[i].gone && !array_set(c->vm, to, (size_t)at++, d->entries[i].key))
			return false;
	return vm_charge(c->vm, d->used);
}

static bool set_equals(struct vm_call *c)
{
	struct dictionary *other = other_set(c);

	return other && vm_charge(c->vm, other->used) &&
	       vm_return(c, value_bool(other->n == self_of(c)->n && all_in(other, self_of(c))));
}

static bool overlaps(struct vm_call *c)
{
	struct dictionary *other = other_set(c);
	bool found = false;

	for (size_t i = 0; other && i < other->used && !found; i++)
		found = dictionary_find(self_of(c), other->entries[i].key) != NULL;
	return other && vm_return(c, value_bool(found));
}

static bool symmetric_except(struct vm_call *c)
{
	struct dictionary *d = self_of(c), *other = other_set(c);
	bool added;

	for (size_t i = 0; other && i < other->used; i++)
		if (!dictionary_remove(d, other->entries[i].key) && !put(c->vm, d, other->entries[i].key, &added))
			return false;
	return other != NULL;
}

static bool remove_where(struct vm_call *c)
{
	struct dictionary *d = self_of(c);
	struct value yes;
	int64_t n = 0;

	for (size_t i = 0; i < d->used; i++) {
		if (d->entries[i].gone)
			continue;
		if (!vm_invoke(c->vm, c->args[0], &d->entries[i].key, 1, &yes))
			return false;
		if (yes.b)
			n += dictionary_remove(d, d->entries[i].key);
	}
	return vm_return(c, value_int(n));
}

static bool get_comparer(struct vm_call *c)
{
	c->result = comparer_of(c, type_arg(self_of(c)->g.type, 0), self_of(c)->ignore_case);
	return c->result.kind != VALUE_NULL;
}

static bool set_comparer(struct vm_call *c)
{
	c->result = comparer_of_sets(c, type_make1(c->arena, &class_hash_set, c->types[0]));
	return c->result.kind != VALUE_NULL;
}

static const struct class_member members[] = {
	{ "IEqualityComparer<T> Comparer { get; }", get_comparer },
	{ "static IEqualityComparer<HashSet<T>> CreateSetComparer()", set_comparer },
	{ "HashSet()", set_new },
	{ "HashSet(IEnumerable<T> collection)", set_new },
	{ "HashSet(IEqualityComparer<T> comparer)", set_new },
	{ "HashSet(IEnumerable<T> collection, IEqualityComparer<T> comparer)", set_new },
	{ "int Count { get; }", get_count },
	{ "bool Add(T item)", add },
	{ "bool Contains(T item)", contains },
	{ "bool Remove(T item)", remove_item },
	{ "int RemoveWhere(Predicate<T> match)", remove_where },
	{ "void Clear()", clear },
	{ "void UnionWith(IEnumerable<T> other)", union_with },
	{ "void ExceptWith(IEnumerable<T> other)", except_with },
	{ "void IntersectWith(IEnumerable<T> other)", intersect_with },
	{ "void SymmetricExceptWith(IEnumerable<T> other)", symmetric_except },
	{ "bool IsSubsetOf(IEnumerable<T> other)", is_subset },
	{ "bool IsSupersetOf(IEnumerable<T> other)", is_superset },
	{ "bool Overlaps(IEnumerable<T> other)", overlaps },
	{ "bool SetEquals(IEnumerable<T> other)", set_equals },
	{ "bool IsProperSubsetOf(IEnumerable<T> other)", is_proper_subset },
	{ "bool IsProperSupersetOf(IEnumerable<T> other)", is_proper_superset },
	{ "bool TryGetValue(T equalValue, out T actualValue)", try_get },
	{ "void CopyTo(T[] array)", copy_to },
	{ "void CopyTo(T[] array, int arrayIndex)", copy_to },
	{ "void TrimExcess()", nothing_to_do },
	{ 0 }
};
struct value_class class_hash_set = {
	.name = "System.Collections.Generic.HashSet", .parameters = "T", .members = members, .iterate = dictionary_iterate,
	.interfaces = "ISet<T>, IReadOnlyCollection<T>",
};

static struct value_class *const classes[] = { &class_hash_set, NULL };
const struct class_module set_module = { classes, NULL };
