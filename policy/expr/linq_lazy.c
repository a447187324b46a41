/* linq_lazy.c - LINQ methods that give a sequence: Where, Select, Take, Concat, Distinct, GroupBy …
 *
 * A sequence keeps its arguments; each enumeration begins anew with an iterator that pulls from the source, so effects
 * and exceptions happen when and as often as in .NET. */
#include "core/str.h"
#include "policy/expr/linq.h"

static struct iterator *iterate(struct vm *vm, struct value v)
{
	const struct sequence *s = linq_sequence(v);

	return s->begin(vm, s);
}

const struct sequence *linq_sequence(struct value v)
{
	if (v.kind != VALUE_OBJECT || (v.object->cls != &class_sequence && v.object->cls != &class_ordered_sequence))
		return NULL;
	return (const struct sequence *)(const void *)v.object;
}

struct value_class class_sequence = {
	.name = "System.Linq.Enumerable.Iterator", .parameters = "T", .interfaces = "IEnumerable<T>", .iterate = iterate,
};
struct value_class class_ordered_sequence = {
	.name = "System.Linq.OrderedEnumerable", .parameters = "T", .interfaces = "IOrderedEnumerable<T>", .iterate = iterate,
};

bool linq_source(struct vm_call *c)
{
	return c->args[0].kind != VALUE_NULL ? true : vm_throw_null(c, "source");
}

bool linq_return(struct vm_call *c, sequence_begin begin)
{
	struct sequence *s = linq_source(c) ? vm_new(c, &class_sequence, sizeof(*s)) : NULL;

	if (!s)
		return false;
	s->item = type_item(c->arena, c->type);
	if (!s->item)
		s->item = &type_object;
	s->g.type = type_make1(c->arena, &class_sequence, s->item);
	s->begin = begin;
	s->source = c->args[0];
	s->a = c->n > 1 ? c->args[1] : VALUE_NULL_INIT;
	s->b = c->n > 2 ? c->args[2] : VALUE_NULL_INIT;
	s->c = c->n > 3 ? c->args[3] : VALUE_NULL_INIT;
	return vm_return(c, value_object(s));
}

/* ---- one source ----------------------------------------------------------------------------------------------------------- */

struct pull {
	const struct sequence *s;
	struct iterator *from, *inner;
	struct value outer;
	int64_t left;
	bool started;
	struct dictionary *seen;
	struct items items;
};

static struct iterator *begin_pull(struct vm *vm, const struct sequence *s,
				   bool (*next)(struct vm *, struct iterator *, struct value *))
{
	struct pull *p = vm_memory(vm, 1, sizeof(*p));

	if (!p)
		return NULL;
	p->s = s;
	p->from = vm_iterate(vm, s->source);
	return p->from ? vm_iterator(vm, next, s->source, p) : NULL;
}

/* fn(item) or fn(item, index), as many as the lambda takes */
static bool call(struct vm *vm, struct value fn, struct value item, size_t index, struct value *out)
{
	struct value args[2] = { item, value_int((int64_t)index) };

	return vm_invoke(vm, fn, args, 2, out);
}

static bool next_where(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;
	struct value yes;

	while (vm_next(vm, p->from, item)) {
		if (!call(vm, p->s->a, *item, it->at++, &yes))
			return false;
		if (yes.b)
			return true;
	}
	return false;
}

static bool next_select(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;
	struct value from;

	return vm_next(vm, p->from, &from) && call(vm, p->s->a, from, it->at++, item);
}

static bool next_select_many(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;
	struct value many, inner;

	for (;;) {
		if (p->inner && vm_next(vm, p->inner, &inner)) {
			struct value args[2] = { p->outer, inner };

			if (p->s->b.kind != VALUE_NULL)
				return vm_invoke(vm, p->s->b, args, 2, item);
			*item = inner;
			return true;
		}
		if (vm->failed || !vm_next(vm, p->from, &p->outer) || !call(vm, p->s->a, p->outer, it->at++, &many))
			return false;
		p->inner = vm_iterate(vm, many);
		if (!p->inner)
			return false;
	}
}

static bool next_take(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	return (int64_t)it->at++ < p->s->a.i && vm_next(vm, p->from, item);
}

static bool next_skip(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	while ((int64_t)it->at < p->s->a.i) {
		if (!vm_next(vm, p->from, item))
			return false;
		it->at++;
	}
	return vm_next(vm, p->from, item);
}

static bool next_take_while(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;
	struct value yes;

	if (p->started || !vm_next(vm, p->from, item) || !call(vm, p->s->a, *item, it->at++, &yes))
		return false;
	p->started = !yes.b;
	return yes.b;
}

static bool next_skip_while(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;
	struct value yes;

	while (vm_next(vm, p->from, item)) {
		if (p->started)
			return true;
		if (!call(vm, p->s->a, *item, it->at++, &yes))
			return false;
		if (!yes.b) {
			p->started = true;
			return true;
		}
	}
	return false;
}

static bool next_concat(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	if (vm_next(vm, p->from, item))
		return true;
	if (vm->failed || p->started)
		return false;
	p->started = true;
	p->from = vm_iterate(vm, p->s->a);
	return p->from && vm_next(vm, p->from, item);
}

static bool next_append(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	if (p->started || vm_next(vm, p->from, item))
		return !p->started;
	if (vm->failed)
		return false;
	p->started = true;
	*item = p->s->a;
	return true;
}

static bool next_prepend(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	if (p->started)
		return vm_next(vm, p->from, item);
	p->started = true;
	*item = p->s->a;
	return true;
}

static bool next_default(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	if (p->left < 0)
		return false;
	if (vm_next(vm, p->from, item)) {
		p->started = true;
		return true;
	}
	if (vm->failed || p->started)
		return false;
	p->left = -1;
	*item = p->s->a.kind != VALUE_NULL ? p->s->a : type_default(p->s->item);
	return true;
}

static bool next_zip(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;
	struct value args[2];

	if (!p->inner && !(p->inner = vm_iterate(vm, p->s->a)))
		return false;
	return vm_next(vm, p->from, &args[0]) && vm_next(vm, p->inner, &args[1]) && vm_invoke(vm, p->s->b, args, 2, item);
}

static bool next_cast(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;
	struct value from;

	return vm_next(vm, p->from, &from) && vm_cast(vm, from, p->s->item, item);
}

static bool next_of_type(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	while (vm_next(vm, p->from, item))
		if (type_accepts(vm, p->s->item, *item))
			return true;
	return false;
}

static bool next_reverse(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	if (!p->started && !items_of(vm, p->s->source, &p->items))
		return false;
	p->started = true;
	if (it->at >= p->items.n)
		return false;
	*item = p->items.v[p->items.n - 1 - it->at++];
	return true;
}

/* ---- sets ----------------------------------------------------------------------------------------------------------------- */

static struct dictionary *new_set(struct vm *vm, const struct sequence *s, struct value comparer)
{
	return dictionary_make(vm, type_make1(vm->arena, &class_hash_set, s->item), comparer_ignores_case(vm, comparer));
}

static bool add_to(struct vm *vm, struct dictionary *d, struct value v, bool *added)
{
	return dictionary_set(vm, d, v, VALUE_NULL_INIT, added);
}

/* The next item that is not in the set yet. */
static bool next_fresh(struct vm *vm, struct pull *p, struct value *item)
{
	bool added;

	while (vm_next(vm, p->from, item)) {
		if (!add_to(vm, p->seen, *item, &added))
			return false;
		if (added)
			return true;
	}
	return false;
}

static bool next_distinct(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	if (!p->seen && !(p->seen = new_set(vm, p->s, p->s->a)))
		return false;
	return next_fresh(vm, p, item);
}

static bool next_union(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;
	bool added;

	if (!p->seen && !(p->seen = new_set(vm, p->s, p->s->b)))
		return false;
	while (next_concat(vm, it, item)) {
		if (!add_to(vm, p->seen, *item, &added))
			return false;
		if (added)
			return true;
	}
	return false;
}

static bool fill_set(struct vm *vm, struct pull *p)
{
	struct iterator *it;
	struct value item;
	bool added;

	if (p->seen)
		return true;
	p->seen = new_set(vm, p->s, p->s->b);
	it = p->seen ? vm_iterate(vm, p->s->a) : NULL;
	while (it && vm_next(vm, it, &item))
		if (!add_to(vm, p->seen, item, &added))
			return false;
	return it && !vm->failed;
}

static bool next_except(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	if (!fill_set(vm, p))
		return false;
	return next_fresh(vm, p, item);
}

static bool next_intersect(struct vm *vm, struct iterator *it, struct value *item)
{
	struct pull *p = it->state;

	if (!fill_set(vm, p))
		return false;
	while (vm_next(vm, p->from, item))
		if (dictionary_remove(p->seen, *item))
			return true;
	return false;
}

#define LAZY(name)                                                                        \
	static struct iterator *begin_##name(struct vm *vm, const struct sequence *s)     \
	{                                                                                 \
		return begin_pull(vm, s, next_##name);                                    \
	}                                                                                 \
	static bool linq_##name(struct vm_call *c)                                        \
	{                                                                                 \
		return linq_return(c, begin_##name);                                      \
	}
LAZY(where)
LAZY(select)
LAZY(select_many)
LAZY(take)
LAZY(skip)
LAZY(take_while)
LAZY(skip_while)
LAZY(concat)
LAZY(append)
LAZY(prepend)
LAZY(default)
LAZY(zip)
LAZY(cast)
LAZY(of_type)
LAZY(reverse)
LAZY(distinct)
LAZY(union)
LAZY(except)
LAZY(intersect)

static bool linq_same(struct vm_call *c)
{
	return linq_source(c) && vm_return(c, c->args[0]);
}

/* ---- Range, Repeat, Empty ------------------------------------------------------------------------------------------------- */

static bool next_range(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct sequence *s = it->state;

	(void)vm;
	if ((int64_t)it->at >= s->a.i)
		return false;
	*item = value_int(s->source.i + (int64_t)it->at++);
	return true;
}

static struct iterator *begin_range(struct vm *vm, const struct sequence *s)
{
	return vm_iterator(vm, next_range, s->source, (void *)(uintptr_t)s);
}

static bool next_repeat(struct vm *vm, struct iterator *it, struct value *item)
{
	const struct sequence *s = it->state;

	(void)vm;
	*item = s->b;
	return (int64_t)it->at++ < s->a.i;
}

static struct iterator *begin_repeat(struct vm *vm, const struct sequence *s)
{
	return vm_iterator(vm, next_repeat, s->source, (void *)(uintptr_t)s);
}

static bool linq_range(struct vm_call *c)
{
	if (c->args[1].i < 0 || c->args[0].i + c->args[1].i - 1 > INT32_MAX)
		return vm_throw_range(c, "count", NULL);
	return linq_return(c, begin_range);
}

static bool linq_repeat(struct vm_call *c)
{
	struct value item = c->args[0];

	if (c->args[1].i < 0)
		return vm_throw_range(c, "count", NULL);
	c->args[0] = value_int(0);              /* an element may be null, a source may not */
	if (!linq_return(c, begin_repeat))
		return false;
	((struct sequence *)(void *)c->result.object)->b = item;
	return true;
}

static bool linq_empty(struct vm_call *c)
{
	struct array *a = vm_array(c, 0);

	return a && vm_return(c, value_object(a));
}

#define T_SEQ "this IEnumerable<T> source"
const struct class_member linq_lazy_members[] = {
	{ "static IEnumerable<T> Where<T>(" T_SEQ ", Func<T, bool> predicate)", linq_where },
	{ "static IEnumerable<T> Where<T>(" T_SEQ ", Func<T, int, bool> predicate)", linq_where },
	{ "static IEnumerable<R> Select<T, R>(" T_SEQ ", Func<T, R> selector)", linq_select },
	{ "static IEnumerable<R> Select<T, R>(" T_SEQ ", Func<T, int, R> selector)", linq_select },
	{ "static IEnumerable<R> SelectMany<T, R>(" T_SEQ ", Func<T, IEnumerable<R>> selector)", linq_select_many },
	{ "static IEnumerable<R> SelectMany<T, R>(" T_SEQ ", Func<T, int, IEnumerable<R>> selector)", linq_select_many },
	{ "static IEnumerable<R> SelectMany<T, C, R>(" T_SEQ ", Func<T, IEnumerable<C>> collectionSelector, "
	  "Func<T, C, R> resultSelector)", linq_select_many },
	{ "static IEnumerable<T> Take<T>(" T_SEQ ", int count)", linq_take },
	{ "static IEnumerable<T> Skip<T>(" T_SEQ ", int count)", linq_skip },
	{ "static IEnumerable<T> TakeWhile<T>(" T_SEQ ", Func<T, bool> predicate)", linq_take_while },
	{ "static IEnumerable<T> TakeWhile<T>(" T_SEQ ", Func<T, int, bool> predicate)", linq_take_while },
	{ "static IEnumerable<T> SkipWhile<T>(" T_SEQ ", Func<T, bool> predicate)", linq_skip_while },
	{ "static IEnumerable<T> SkipWhile<T>(" T_SEQ ", Func<T, int, bool> predicate)", linq_skip_while },
	{ "static IEnumerable<T> Concat<T>(" T_SEQ ", IEnumerable<T> second)", linq_concat },
	{ "static IEnumerable<T> Append<T>(" T_SEQ ", T element)", linq_append },
	{ "static IEnumerable<T> Prepend<T>(" T_SEQ ", T element)", linq_prepend },
	{ "static IEnumerable<T> DefaultIfEmpty<T>(" T_SEQ ")", linq_default },
	{ "static IEnumerable<T> DefaultIfEmpty<T>(" T_SEQ ", T defaultValue)", linq_default },
	{ "static IEnumerable<R> Zip<T, S, R>(" T_SEQ ", IEnumerable<S> second, Func<T, S, R> resultSelector)", linq_zip },
	{ "static IEnumerable<R> Cast<R>(this IEnumerable source)", linq_cast },
	{ "static IEnumerable<R> OfType<R>(this IEnumerable source)", linq_of_type },
	{ "static IEnumerable<T> Reverse<T>(" T_SEQ ")", linq_reverse },
	{ "static IEnumerable<T> Distinct<T>(" T_SEQ ")", linq_distinct },
	{ "static IEnumerable<T> Distinct<T>(" T_SEQ ", IEqualityComparer<T> comparer)", linq_distinct },
	{ "static IEnumerable<T> Union<T>(" T_SEQ ", IEnumerable<T> second)", linq_union },
	{ "static IEnumerable<T> Union<T>(" T_SEQ ", IEnumerable<T> second, IEqualityComparer<T> comparer)", linq_union },
	{ "static IEnumerable<T> Except<T>(" T_SEQ ", IEnumerable<T> second)", linq_except },
	{ "static IEnumerable<T> Except<T>(" T_SEQ ", IEnumerable<T> second, IEqualityComparer<T> comparer)", linq_except },
	{ "static IEnumerable<T> Intersect<T>(" T_SEQ ", IEnumerable<T> second)", linq_intersect },
	{ "static IEnumerable<T> Intersect<T>(" T_SEQ ", IEnumerable<T> second, IEqualityComparer<T> comparer)",
	  linq_intersect },
	{ "static IEnumerable<T> AsEnumerable<T>(" T_SEQ ")", linq_same },
	{ "static IEnumerable<int> Range(int start, int count)", linq_range },
	{ "static IEnumerable<T> Repeat<T>(T element, int count)", linq_repeat },
	{ "static IEnumerable<T> Empty<T>()", linq_empty },
	{ 0 }
};
