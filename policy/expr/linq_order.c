/* linq_order.c - OrderBy and ThenBy, GroupBy, ToLookup, Join. */
#include "policy/expr/library.h"
#include "policy/expr/linq.h"

/* ---- ordering ------------------------------------------------------------------------------------------------------------- */

static bool keys_for(struct vm *vm, const struct items *items, struct value fn, struct value **out)
{
	struct value *keys = vm_memory(vm, items->n + 1, sizeof(*keys));

	for (size_t i = 0; keys && i < items->n; i++)
		if (!vm_invoke(vm, fn, &items->v[i], 1, &keys[i]))
			return false;
	*out = keys;
	return keys != NULL;
}

struct ordered {
	struct items items;
	size_t *index;
};

static bool next_ordered(struct vm *vm, struct iterator *it, struct value *item)
{
	struct ordered *o = it->state;

	(void)vm;
	if (it->at >= o->items.n)
		return false;
	*item = o->items.v[o->index[it->at++]];
	return true;
}

/* The chain of keys runs from the last ThenBy to the first OrderBy; the first decides first. */
static bool chain(struct vm *vm, const struct sequence *s, struct items *items, struct order **first)
{
	struct order *next = NULL;

	for (; s; s = s->before) {
		struct order *o = vm_memory(vm, 1, sizeof(*o));

		if (!o || !keys_for(vm, items, s->a, &o->keys))
			return false;
		o->compare = s->b;
		o->descending = s->order->descending;
		o->then = next;
		next = o;
	}
	*first = next;
	return true;
}

static struct iterator *begin_ordered(struct vm *vm, const struct sequence *s)
{
	struct ordered *o = vm_memory(vm, 1, sizeof(*o));
	struct order *by;

	if (!o || !items_of(vm, s->source, &o->items) || !chain(vm, s, &o->items, &by))
		return NULL;
	o->index = vm_memory(vm, o->items.n + 1, sizeof(*o->index));
	if (!o->index || !items_sort(vm, &o->items, by, o->index))
		return NULL;
	return vm_iterator(vm, next_ordered, s->source, o);
}

static bool order_by(struct vm_call *c, bool descending, bool then)
{
	const struct sequence *before = then ? linq_sequence(c->args[0]) : NULL;
	struct sequence *s;

	if (!linq_return(c, begin_ordered))
		return false;
	s = (struct sequence *)(void *)c->result.object;
	s->g.head.cls = &class_ordered_sequence;
	s->g.type = type_make1(c->arena, &class_ordered_sequence, s->item);
	s->order = vm_alloc(c, 1, sizeof(*s->order));
	if (!s->order)
		return false;
	s->order->descending = descending;
	if (before) {
		s->before = before;
		s->source = before->source;
	}
	return true;
}

static bool linq_order_by(struct vm_call *c)
{
	return order_by(c, false, false);
}

static bool linq_order_by_descending(struct vm_call *c)
{
	return order_by(c, true, false);
}

static bool linq_then_by(struct vm_call *c)
{
	return order_by(c, false, true);
}

static bool linq_then_by_descending(struct vm_call *c)
{
	return order_by(c, true, true);
}

/* ---- groups --------------------------------------------------------------------------------------------------------------- */

struct group {
	struct generic_object g;
	struct value key;
	struct list *items;
};

static bool group_key(struct vm_call *c)
{
	return vm_return(c, ((struct group *)(void *)c->self.object)->key);
}

static struct iterator *group_iterate(struct vm *vm, struct value v)
{
	return vm_iterate(vm, value_object(((struct group *)(void *)v.object)->items));
}

static const struct class_member group_members[] = { { "K Key { get; }", group_key }, { 0 } };
struct value_class class_grouping_object = {
	.name = "System.Linq.Lookup.Grouping", .parameters = "K, T", .interfaces = "IGrouping<K, T>", .members = group_members,
	.iterate = group_iterate,
};

struct value linq_group(struct vm *vm, const struct type *key_type, const struct type *item, struct value key, struct list **items)
{
	const struct type *const args[] = { key_type, item };
	struct group *g = vm_new(vm_scratch(vm), &class_grouping_object, sizeof(*g));

	if (!g)
		return VALUE_NULL_INIT;
	g->g.type = type_make(vm->arena, &class_grouping_object, args, 2);
	g->key = key;
	g->items = *items = list_make(vm, &class_list, type_make1(vm->arena, &class_list, item));
	return *items ? value_object(g) : VALUE_NULL_INIT;
}

bool linq_groups(struct vm *vm, struct value source, struct value key, struct value element, struct value comparer,
		 const struct type *key_type, const struct type *item, struct dictionary **out)
{
	struct iterator *it = vm_iterate(vm, source);
	struct dictionary *d = it ? dictionary_make(vm, type_make(vm->arena, &class_dictionary, (const struct type *const[]){
			key_type, &type_object }, 2), comparer_ignores_case(vm, comparer)) : NULL;
	struct value from, k, v;

	while (d && vm_next(vm, it, &from)) {
		struct entry *e;
		struct list *items;
		struct value group;
		bool added;

		v = from;
		if (!vm_invoke(vm, key, &from, 1, &k) || (element.kind != VALUE_NULL && !vm_invoke(vm, element, &from, 1, &v)))
			return false;
		e = dictionary_find(d, k);
		if (e) {
			items = ((struct group *)(void *)e->value.object)->items;
		} else {
			group = linq_group(vm, key_type, item, k, &items);
			if (group.kind == VALUE_NULL || !dictionary_set(vm, d, k, group, &added))
				return false;
		}
		if (!list_push(vm, items, v))
			return false;
	}
	*out = d;
	return d && !vm->failed;
}

static bool next_group(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct dictionary *d = it->state;

	(void)vm;
	if (it->at >= d->used)
		return false;
	*item = d->entries[it->at++].value;
	return true;
}

static struct iterator *begin_group(struct vm *vm, const struct sequence *s)
{
	struct dictionary *d;

	if (!linq_groups(vm, s->source, s->a, s->b, s->c, type_arg(s->item, 0), type_arg(s->item, 1), &d))
		return NULL;
	return vm_iterator(vm, next_group, s->source, d);
}

static bool linq_group_by(struct vm_call *c)
{
	return linq_return(c, begin_group);
}

static bool linq_group_by_comparer(struct vm_call *c)    /* (source, key, comparer) */
{
	if (!linq_return(c, begin_group))
		return false;
	((struct sequence *)(void *)c->result.object)->b = VALUE_NULL_INIT;
	((struct sequence *)(void *)c->result.object)->c = c->args[2];
	return true;
}

/* GroupBy(key, (key, items) => result) */
static bool next_group_result(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct sequence *s = it->state;
	struct value args[2];
	const struct dictionary *d = (const struct dictionary *)(const void *)it->source.object;

	if (it->at >= d->used)
		return false;
	args[0] = d->entries[it->at].key;
	args[1] = d->entries[it->at++].value;
	return vm_invoke(vm, s->b, args, 2, item);
}

static struct iterator *begin_group_result(struct vm *vm, const struct sequence *s)
{
	struct dictionary *d;

	if (!linq_groups(vm, s->source, s->a, VALUE_NULL_INIT, VALUE_NULL_INIT, &type_object, &type_object, &d))
		return NULL;
	return vm_iterator(vm, next_group_result, value_object(d), (void *)(uintptr_t)s);
}

static bool linq_group_by_result(struct vm_call *c)
{
	return linq_return(c, begin_group_result);
}

/* ---- lookup --------------------------------------------------------------------------------------------------------------- */

struct lookup {
	struct generic_object g;
	struct dictionary *groups;
};

static struct lookup *lookup_of(struct vm_call *c)
{
	return (struct lookup *)(void *)c->self.object;
}

static struct iterator *lookup_iterate(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next_group, v, ((struct lookup *)(void *)v.object)->groups);
}

static bool lookup_count(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)lookup_of(c)->groups->n));
}

static bool lookup_contains(struct vm_call *c)
{
	return vm_return(c, value_bool(dictionary_find(lookup_of(c)->groups, c->args[0]) != NULL));
}

static bool lookup_item(struct vm_call *c)
{
	struct entry *e = dictionary_find(lookup_of(c)->groups, c->args[0]);
	struct array *a;

	if (e)
		return vm_return(c, e->value);
	a = vm_array_of(c, type_arg(lookup_of(c)->g.type, 1), 0);
	return a && vm_return(c, value_object(a));
}

static const struct class_member lookup_members[] = {
	{ "int Count { get; }", lookup_count },
	{ "bool Contains(K key)", lookup_contains },
	{ "IEnumerable<T> this[K key] { get; }", lookup_item },
	{ 0 }
};
static struct value_class class_lookup_object = {
	.name = "System.Linq.Lookup", .parameters = "K, T", .interfaces = "ILookup<K, T>", .members = lookup_members,
	.iterate = lookup_iterate,
};

static bool linq_to_lookup(struct vm_call *c)
{
	const struct type *const args[] = { type_arg(c->type, 0), type_arg(c->type, 1) };
	struct lookup *l = linq_source(c) ? vm_new(c, &class_lookup_object, sizeof(*l)) : NULL;

	if (!l)
		return false;
	l->g.type = type_make(c->arena, &class_lookup_object, args, 2);
	return linq_groups(c->vm, c->args[0], c->args[1], c->n > 2 ? c->args[2] : VALUE_NULL_INIT, VALUE_NULL_INIT, args[0], args[1],
			   &l->groups) && vm_return(c, value_object(l));
}

/* ---- join ----------------------------------------------------------------------------------------------------------------- */


static bool join_into(struct vm_call *c, struct list *out, bool grouped)
{
	struct dictionary *groups;
	struct iterator *it = NULL;
	struct value from, key, args[2], made;

	if (linq_groups(c->vm, c->args[1], c->args[3], VALUE_NULL_INIT, VALUE_NULL_INIT, &type_object, &type_object, &groups))
		it = vm_iterate(c->vm, c->args[0]);
	while (it && vm_next(c->vm, it, &from)) {
		struct entry *e;
		struct list empty = { .g = { .head = { &class_list }, .type = &type_object } };
		const struct list *items;

		if (!vm_invoke(c->vm, c->args[2], &from, 1, &key))
			return false;
		e = key.kind == VALUE_NULL ? NULL : dictionary_find(groups, key);
		items = e ? ((struct group *)(void *)e->value.object)->items : &empty;
		args[0] = from;
		if (grouped) {
			struct array *a = vm_array_of(c, &type_object, items->n);

			if (!a)
				return false;
			if (items->n)
				memcpy(a->v, items->v, items->n * sizeof(*a->v));
			args[1] = value_object(a);
			if (!vm_invoke(c->vm, c->args[4], args, 2, &made) || !list_push(c->vm, out, made))
				return false;
			continue;
		}
		for (size_t i = 0; i < items->n; i++) {
			args[1] = items->v[i];
			if (!vm_invoke(c->vm, c->args[4], args, 2, &made) || !list_push(c->vm, out, made))
				return false;
		}
	}
	return it && !c->vm->failed;
}

static bool join(struct vm_call *c, bool grouped)
{
	struct list *out = linq_source(c) ? list_make(c->vm, &class_list, type_make1(c->arena, &class_list, type_arg(c->type, 0)))
					  : NULL;

	return out && join_into(c, out, grouped) && vm_return(c, value_object(out));
}

static bool linq_join(struct vm_call *c)
{
	return join(c, false);
}

static bool linq_group_join(struct vm_call *c)
{
	return join(c, true);
}

#define T_SEQ "this IEnumerable<T> source"
const struct class_member linq_order_members[] = {
	{ "static IOrderedEnumerable<T> OrderBy<T, K>(" T_SEQ ", Func<T, K> keySelector)", linq_order_by },
	{ "static IOrderedEnumerable<T> OrderBy<T, K>(" T_SEQ ", Func<T, K> keySelector, IComparer<K> comparer)", linq_order_by },
	{ "static IOrderedEnumerable<T> OrderByDescending<T, K>(" T_SEQ ", Func<T, K> keySelector)", linq_order_by_descending },
	{ "static IOrderedEnumerable<T> OrderByDescending<T, K>(" T_SEQ ", Func<T, K> keySelector, IComparer<K> comparer)",
	  linq_order_by_descending },
	{ "static IOrderedEnumerable<T> ThenBy<T, K>(this IOrderedEnumerable<T> source, Func<T, K> keySelector)", linq_then_by },
	{ "static IOrderedEnumerable<T> ThenByDescending<T, K>(this IOrderedEnumerable<T> source, Func<T, K> keySelector)",
	  linq_then_by_descending },
	{ "static IEnumerable<IGrouping<K, T>> GroupBy<T, K>(" T_SEQ ", Func<T, K> keySelector)", linq_group_by },
	{ "static IEnumerable<IGrouping<K, T>> GroupBy<T, K>(" T_SEQ ", Func<T, K> keySelector, IEqualityComparer<K> comparer)",
	  linq_group_by_comparer },
	{ "static IEnumerable<IGrouping<K, E>> GroupBy<T, K, E>(" T_SEQ ", Func<T, K> keySelector, Func<T, E> elementSelector)",
	  linq_group_by },
	{ "static IEnumerable<R> GroupBy<T, K, R>(" T_SEQ ", Func<T, K> keySelector, Func<K, IEnumerable<T>, R> resultSelector)",
	  linq_group_by_result },
	{ "static ILookup<K, T> ToLookup<T, K>(" T_SEQ ", Func<T, K> keySelector)", linq_to_lookup },
	{ "static ILookup<K, E> ToLookup<T, K, E>(" T_SEQ ", Func<T, K> keySelector, Func<T, E> elementSelector)",
	  linq_to_lookup },
	{ "static IEnumerable<R> Join<T, I, K, R>(" T_SEQ ", IEnumerable<I> inner, Func<T, K> outerKeySelector, "
	  "Func<I, K> innerKeySelector, Func<T, I, R> resultSelector)", linq_join },
	{ "static IEnumerable<R> GroupJoin<T, I, K, R>(" T_SEQ ", IEnumerable<I> inner, Func<T, K> outerKeySelector, "
	  "Func<I, K> innerKeySelector, Func<T, IEnumerable<I>, R> resultSelector)", linq_group_join },
	{ 0 }
};

static struct value_class class_enumerable_methods = {
	.name = "System.Linq.Enumerable", .kind = CLASS_STATIC, .extensions = true, .members = linq_lazy_members,
};
static const struct class_part parts[] = {
	{ &class_enumerable_methods, linq_eager_members }, { &class_enumerable_methods, linq_order_members }, { NULL, NULL },
};
static struct value_class *const classes[] = {
	&class_enumerable_methods, &class_sequence, &class_ordered_sequence, &class_grouping_object, &class_lookup_object, NULL,
};
const struct class_module linq_module = { classes, parts };
