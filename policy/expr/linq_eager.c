/* linq_eager.c - LINQ methods that give a value: First, Any, Count, Sum, ToList … */
#include "core/str.h"
#include "policy/expr/lex.h"
#include "policy/expr/linq.h"
#include "policy/expr/run.h"

static struct iterator *source(struct vm_call *c)
{
	return linq_source(c) ? vm_iterate(c->vm, c->args[0]) : NULL;
}

/* The next element that the predicate in args[1] (when there is one) accepts. */
static bool next_match(struct vm_call *c, struct iterator *it, bool filtered, struct value *item)
{
	struct value yes;

	while (vm_next(c->vm, it, item)) {
		if (!filtered)
			return true;
		if (!vm_invoke(c->vm, c->args[1], item, 1, &yes))
			return false;
		if (yes.b)
			return true;
	}
	return false;
}

static bool failed(struct vm_call *c)
{
	return vm_failed(c->vm);
}

static bool nothing_there(struct vm_call *c, bool filtered)
{
	return vm_throw(c, EX_INVALID_OPERATION, filtered ? "Sequence contains no matching element" : "Sequence contains no elements");
}

/* ---- Any, All, Count, Contains -------------------------------------------------------------------------------------------- */

static bool linq_any(struct vm_call *c)
{
	struct iterator *it = source(c);
	struct value item;
	bool found = it && next_match(c, it, c->n > 1, &item);

	return it && !failed(c) && vm_return(c, value_bool(found));
}

static bool linq_all(struct vm_call *c)
{
	struct iterator *it = source(c);
	struct value item, yes;

	while (it && vm_next(c->vm, it, &item)) {
		if (!vm_invoke(c->vm, c->args[1], &item, 1, &yes))
			return false;
		if (!yes.b)
			return vm_return(c, yes);
	}
	return it && !failed(c) && vm_return(c, value_bool(true));
}

static bool count(struct vm_call *c, int64_t *n)
{
	struct iterator *it = source(c);
	struct value item;

	for (*n = 0; it && next_match(c, it, c->n > 1, &item);)
		++*n;
	return it && !failed(c);
}

static bool linq_count(struct vm_call *c)
{
	int64_t n;

	return count(c, &n) && vm_return(c, value_int(n));
}

static bool linq_long_count(struct vm_call *c)
{
	int64_t n;

	return count(c, &n) && vm_return(c, value_long(n));
}

static bool comparer_equals(struct vm_call *c, struct value comparer, struct value a, struct value b, bool *same)
{
	struct value args[2] = { a, b }, result = VALUE_NULL_INIT;
	bool found;

	*same = comparer.kind == VALUE_NULL && value_equals(a, b);
	if (comparer.kind == VALUE_NULL)
		return true;
	vm_call_member(c->vm, comparer, STR("Equals"), MEMBER_METHOD, args, 2, &result, &found);
	*same = result.kind == VALUE_BOOL && result.b;
	return !failed(c);
}

static bool linq_contains(struct vm_call *c)
{
	struct iterator *it = source(c);
	struct value item;
	bool same;

	while (it && vm_next(c->vm, it, &item)) {
		if (!comparer_equals(c, c->n > 2 ? c->args[2] : VALUE_NULL_INIT, item, c->args[1], &same))
			return false;
		if (same)
			return vm_return(c, value_bool(true));
	}
	return it && !failed(c) && vm_return(c, value_bool(false));
}

static bool linq_sequence_equal(struct vm_call *c)
{
	struct items l, r;
	bool same;

	if (!linq_source(c) || !items_of(c->vm, c->args[0], &l) || !items_of(c->vm, c->args[1], &r))
		return false;
	same = l.n == r.n;
	for (size_t i = 0; same && i < l.n; i++)
		if (!comparer_equals(c, c->n > 2 ? c->args[2] : VALUE_NULL_INIT, l.v[i], r.v[i], &same))
			return false;
	return vm_return(c, value_bool(same));
}

/* ---- First, Last, Single, ElementAt --------------------------------------------------------------------------------------- */

static bool has_predicate(struct vm_call *c)
{
	return c->n > 1 && c->args[1].kind == VALUE_OBJECT && c->args[1].object->cls->kind == CLASS_DELEGATE;
}

static bool first(struct vm_call *c, bool or_default)
{
	struct iterator *it = source(c);
	struct value item;
	bool filtered = has_predicate(c);

	if (!it)
		return false;
	if (next_match(c, it, filtered, &item))
		return vm_return(c, item);
	if (failed(c))
		return false;
	return or_default ? vm_return(c, type_default(c->type)) : nothing_there(c, filtered);
}

static bool linq_first(struct vm_call *c)
{
	return first(c, false);
}

static bool linq_first_or_default(struct vm_call *c)
{
	return first(c, true);
}

static bool last(struct vm_call *c, bool or_default)
{
	struct iterator *it = source(c);
	struct value item;
	bool found = false, filtered = has_predicate(c);

	while (it && next_match(c, it, filtered, &item)) {
		c->result = item;
		found = true;
	}
	if (!it || failed(c))
		return false;
	if (found)
		return true;
	return or_default ? vm_return(c, type_default(c->type)) : nothing_there(c, filtered);
}

static bool linq_last(struct vm_call *c)
{
	return last(c, false);
}

static bool linq_last_or_default(struct vm_call *c)
{
	return last(c, true);
}

static bool single(struct vm_call *c, bool or_default)
{
	struct iterator *it = source(c);
	struct value item, more;
	bool filtered = has_predicate(c);

	if (!it)
		return false;
	if (!next_match(c, it, filtered, &item)) {
		if (failed(c))
			return false;
		return or_default ? vm_return(c, type_default(c->type)) : nothing_there(c, filtered);
	}
	if (next_match(c, it, filtered, &more))
		return vm_throw(c, EX_INVALID_OPERATION, filtered ? "Sequence contains more than one matching element" :
				"Sequence contains more than one element");
	return !failed(c) && vm_return(c, item);
}

static bool linq_single(struct vm_call *c)
{
	return single(c, false);
}

static bool linq_single_or_default(struct vm_call *c)
{
	return single(c, true);
}

static bool element_at(struct vm_call *c, bool or_default)
{
	struct iterator *it = source(c);
	struct value item;

	for (int64_t i = 0; it && c->args[1].i >= 0 && vm_next(c->vm, it, &item); i++)
		if (i == c->args[1].i)
			return vm_return(c, item);
	if (!it || failed(c))
		return false;
	if (or_default)
		return vm_return(c, type_default(c->type));
	return vm_throw_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the collection.");
}

static bool linq_element_at(struct vm_call *c)
{
	return element_at(c, false);
}

static bool linq_element_at_or_default(struct vm_call *c)
{
	return element_at(c, true);
}

/* ---- collections ---------------------------------------------------------------------------------------------------------- */

static bool linq_to_array(struct vm_call *c)
{
	struct items items;
	struct array *a;

	if (!linq_source(c) || !items_of(c->vm, c->args[0], &items))
		return false;
	a = vm_array(c, items.n);
	for (size_t i = 0; a && i < items.n; i++)
		if (!array_set(c->vm, a, i, items.v[i]))
			return false;
	return a && vm_return(c, value_object(a));
}

static bool linq_to_list(struct vm_call *c)
{
	struct list *l = linq_source(c) ? list_make(c->vm, &class_list, c->type) : NULL;
	struct items items;

	if (!l || !items_of(c->vm, c->args[0], &items))
		return false;
	l->v = items.v;
	l->n = l->cap = items.n;
	return vm_return(c, value_object(l));
}

static bool linq_to_set(struct vm_call *c)
{
	struct iterator *it = source(c);
	struct dictionary *d = it ? dictionary_make(c->vm, c->type, comparer_ignores_case(c->vm, c->n > 1 ? c->args[1] :
												     VALUE_NULL_INIT)) : NULL;
	struct value item;
	bool added;

	while (d && vm_next(c->vm, it, &item))
		if (!dictionary_set(c->vm, d, item, VALUE_NULL_INIT, &added))
			return false;
	return d && !failed(c) && vm_return(c, value_object(d));
}

static bool is_delegate(struct value v)
{
	return v.kind == VALUE_OBJECT && v.object->cls->kind == CLASS_DELEGATE;
}

static bool linq_to_dictionary(struct vm_call *c)
{
	struct value element = c->n > 2 && is_delegate(c->args[2]) ? c->args[2] : VALUE_NULL_INIT, item, key, v;
	struct value comparer = c->n > 2 && !is_delegate(c->args[c->n - 1]) ? c->args[c->n - 1] : VALUE_NULL_INIT;
	struct iterator *it = source(c);
	struct dictionary *d = it ? dictionary_make(c->vm, c->type, comparer_ignores_case(c->vm, comparer)) : NULL;
	bool added;

	while (d && vm_next(c->vm, it, &item)) {
		v = item;
		if (!vm_invoke(c->vm, c->args[1], &item, 1, &key) ||
		    (element.kind != VALUE_NULL && !vm_invoke(c->vm, element, &item, 1, &v)))
			return false;
		if (key.kind == VALUE_NULL)
			return vm_throw_null(c, "key");
		if (!dictionary_set(c->vm, d, key, v, &added))
			return false;
		if (!added)
			return vm_throw(c, EX_ARGUMENT, "An item with the same key has already been added. Key: %.*s",
					STR_ARG(str_first(value_to_text(c->arena, key), 200)));
	}
	return d && !failed(c) && vm_return(c, value_object(d));
}

/* ---- numbers -------------------------------------------------------------------------------------------------------------- */

/* The next number, through the selector when there is one; nulls are passed over. */
static bool next_number(struct vm_call *c, struct iterator *it, struct value *item)
{
	struct value from;

	while (vm_next(c->vm, it, &from)) {
		*item = from;
		if (c->n > 1 && !vm_invoke(c->vm, c->args[1], &from, 1, item))
			return false;
		if (item->kind != VALUE_NULL)
			return true;
	}
	return false;
}

static bool arithmetic(struct vm_call *c, enum vm_exception ex)
{
	return ex == EX__COUNT ? true : vm_raise(c->vm, ex);
}

static bool linq_sum(struct vm_call *c)
{
	struct iterator *it = source(c);
	struct value sum = type_default(type_bare(c->type)), item;

	while (it && next_number(c, it, &item))
		if (!arithmetic(c, run_binary(c->arena, '+', sum, item, true, &sum)))
			return false;
	return it && !failed(c) && vm_return(c, sum);
}

static bool linq_average(struct vm_call *c)
{
	struct iterator *it = source(c);
	enum value_kind kind = type_value_kind(type_bare(c->type));
	struct value sum = type_default(type_bare(c->type)), item;
	int64_t n = 0;

	for (; it && next_number(c, it, &item); n++)
		if (!arithmetic(c, run_convert(c->arena, item, kind, false, &item)) ||
		    !arithmetic(c, run_binary(c->arena, '+', sum, item, false, &sum)))
			return false;
	if (!it || failed(c))
		return false;
	if (n == 0)
		return type_is_nullable(c->type) ? vm_return(c, VALUE_NULL_INIT) : nothing_there(c, false);
	if (!arithmetic(c, run_convert(c->arena, value_long(n), kind, false, &item)))
		return false;
	return arithmetic(c, run_binary(c->arena, '/', sum, item, false, &c->result));
}

static bool extreme(struct vm_call *c, int sign)
{
	struct iterator *it = source(c);
	struct value best = VALUE_NULL_INIT, item;
	bool comparable;

	while (it && next_number(c, it, &item)) {
		int order = best.kind == VALUE_NULL ? sign : value_compare(item, best, &comparable);

		if (best.kind != VALUE_NULL && !comparable)
			return vm_throw(c, EX_ARGUMENT, "At least one object must implement IComparable.");
		if (order * sign > 0)
			best = item;
	}
	if (!it || failed(c))
		return false;
	if (best.kind == VALUE_NULL && type_is_value(c->type) && !type_is_nullable(c->type))
		return nothing_there(c, false);
	return vm_return(c, best);
}

static bool linq_min(struct vm_call *c)
{
	return extreme(c, -1);
}

static bool linq_max(struct vm_call *c)
{
	return extreme(c, 1);
}

static bool linq_aggregate(struct vm_call *c)    /* (source, fn), (source, seed, fn), (source, seed, fn, result) */
{
	struct iterator *it = source(c);
	struct value args[2], fn = c->n > 2 ? c->args[2] : c->args[1];

	if (!it)
		return false;
	if (c->n > 2)
		args[0] = c->args[1];
	else if (!vm_next(c->vm, it, &args[0]))
		return failed(c) ? false : nothing_there(c, false);
	while (vm_next(c->vm, it, &args[1]))
		if (!vm_invoke(c->vm, fn, args, 2, &args[0]))
			return false;
	if (failed(c))
		return false;
	return c->n > 3 ? vm_invoke(c->vm, c->args[3], args, 1, &c->result) : vm_return(c, args[0]);
}

#define T_SEQ "this IEnumerable<T> source"
#define BY_TYPE(method, fn, type, result)                                                                    \
	{ "static " result " " method "(this IEnumerable<" type "> source)", fn },                           \
	{ "static " result " " method "<T>(" T_SEQ ", Func<T, " type "> selector)", fn }

const struct class_member linq_eager_members[] = {
	{ "static bool Any<T>(" T_SEQ ")", linq_any },
	{ "static bool Any<T>(" T_SEQ ", Func<T, bool> predicate)", linq_any },
	{ "static bool All<T>(" T_SEQ ", Func<T, bool> predicate)", linq_all },
	{ "static int Count<T>(" T_SEQ ")", linq_count },
	{ "static int Count<T>(" T_SEQ ", Func<T, bool> predicate)", linq_count },
	{ "static long LongCount<T>(" T_SEQ ")", linq_long_count },
	{ "static long LongCount<T>(" T_SEQ ", Func<T, bool> predicate)", linq_long_count },
	{ "static bool Contains<T>(" T_SEQ ", T value)", linq_contains },
	{ "static bool Contains<T>(" T_SEQ ", T value, IEqualityComparer<T> comparer)", linq_contains },
	{ "static bool SequenceEqual<T>(" T_SEQ ", IEnumerable<T> second)", linq_sequence_equal },
	{ "static bool SequenceEqual<T>(" T_SEQ ", IEnumerable<T> second, IEqualityComparer<T> comparer)", linq_sequence_equal },
	{ "static T First<T>(" T_SEQ ")", linq_first },
	{ "static T First<T>(" T_SEQ ", Func<T, bool> predicate)", linq_first },
	{ "static T FirstOrDefault<T>(" T_SEQ ")", linq_first_or_default },
	{ "static T FirstOrDefault<T>(" T_SEQ ", Func<T, bool> predicate)", linq_first_or_default },
	{ "static T Last<T>(" T_SEQ ")", linq_last },
	{ "static T Last<T>(" T_SEQ ", Func<T, bool> predicate)", linq_last },
	{ "static T LastOrDefault<T>(" T_SEQ ")", linq_last_or_default },
	{ "static T LastOrDefault<T>(" T_SEQ ", Func<T, bool> predicate)", linq_last_or_default },
	{ "static T Single<T>(" T_SEQ ")", linq_single },
	{ "static T Single<T>(" T_SEQ ", Func<T, bool> predicate)", linq_single },
	{ "static T SingleOrDefault<T>(" T_SEQ ")", linq_single_or_default },
	{ "static T SingleOrDefault<T>(" T_SEQ ", Func<T, bool> predicate)", linq_single_or_default },
	{ "static T ElementAt<T>(" T_SEQ ", int index)", linq_element_at },
	{ "static T ElementAtOrDefault<T>(" T_SEQ ", int index)", linq_element_at_or_default },
	{ "static T[] ToArray<T>(" T_SEQ ")", linq_to_array },
	{ "static List<T> ToList<T>(" T_SEQ ")", linq_to_list },
	{ "static HashSet<T> ToHashSet<T>(" T_SEQ ")", linq_to_set },
	{ "static HashSet<T> ToHashSet<T>(" T_SEQ ", IEqualityComparer<T> comparer)", linq_to_set },
	{ "static Dictionary<K, T> ToDictionary<T, K>(" T_SEQ ", Func<T, K> keySelector)", linq_to_dictionary },
	{ "static Dictionary<K, T> ToDictionary<T, K>(" T_SEQ ", Func<T, K> keySelector, IEqualityComparer<K> comparer)",
	  linq_to_dictionary },
	{ "static Dictionary<K, E> ToDictionary<T, K, E>(" T_SEQ ", Func<T, K> keySelector, Func<T, E> elementSelector)",
	  linq_to_dictionary },
	{ "static Dictionary<K, E> ToDictionary<T, K, E>(" T_SEQ ", Func<T, K> keySelector, Func<T, E> elementSelector, "
	  "IEqualityComparer<K> comparer)", linq_to_dictionary },
	BY_TYPE("Sum", linq_sum, "int", "int"),
	BY_TYPE("Sum", linq_sum, "long", "long"),
	BY_TYPE("Sum", linq_sum, "float", "float"),
	BY_TYPE("Sum", linq_sum, "double", "double"),
	BY_TYPE("Sum", linq_sum, "decimal", "decimal"),
	BY_TYPE("Sum", linq_sum, "int?", "int?"),
	BY_TYPE("Sum", linq_sum, "long?", "long?"),
	BY_TYPE("Sum", linq_sum, "double?", "double?"),
	BY_TYPE("Sum", linq_sum, "decimal?", "decimal?"),
	BY_TYPE("Average", linq_average, "int", "double"),
	BY_TYPE("Average", linq_average, "long", "double"),
	BY_TYPE("Average", linq_average, "float", "float"),
	BY_TYPE("Average", linq_average, "double", "double"),
	BY_TYPE("Average", linq_average, "decimal", "decimal"),
	BY_TYPE("Average", linq_average, "int?", "double?"),
	BY_TYPE("Average", linq_average, "double?", "double?"),
	{ "static T Min<T>(" T_SEQ ")", linq_min },
	{ "static R Min<T, R>(" T_SEQ ", Func<T, R> selector)", linq_min },
	{ "static T Max<T>(" T_SEQ ")", linq_max },
	{ "static R Max<T, R>(" T_SEQ ", Func<T, R> selector)", linq_max },
	{ "static T Aggregate<T>(" T_SEQ ", Func<T, T, T> func)", linq_aggregate },
	{ "static A Aggregate<T, A>(" T_SEQ ", A seed, Func<A, T, A> func)", linq_aggregate },
	{ "static R Aggregate<T, A, R>(" T_SEQ ", A seed, Func<A, T, A> func, Func<A, R> resultSelector)", linq_aggregate },
	{ 0 }
};
