/* lib_grid.c - arrays with several dimensions, int[,]: the elements row after row in an array of one.
 *
 * One class for each number of dimensions. Their names cannot be written in C#: T[,] names them (bind.c). */
#include "core/str.h"
#include "policy/expr/collection.h"
#include "policy/expr/library.h"
#include "policy/expr/link.h"

struct grid {
	struct array a;
	unsigned rank;
	int64_t length[GRID_RANK_MAX];
};

static struct value_class class_grids[GRID_RANK_MAX - 1];

const struct value_class *grid_class(unsigned rank)
{
	return rank >= 2 && rank <= GRID_RANK_MAX ? &class_grids[rank - 2] : NULL;
}

unsigned grid_rank(const struct value_class *cls)
{
	for (unsigned rank = 2; rank <= GRID_RANK_MAX; rank++)
		if (cls == &class_grids[rank - 2])
			return rank;
	return 0;
}

static struct grid *self_of(const struct vm_call *c)
{
	return (struct grid *)(void *)c->self.object;
}

static struct grid *make(struct vm_call *c, const struct type *t, const int64_t *length, unsigned rank, struct array *over)
{
	struct grid *g = vm_new(c, t->cls, sizeof(*g));
	struct value zero = type_default(type_arg(t, 0));
	uint64_t n = 1;

	if (!g)
		return NULL;
	for (unsigned i = 0; i < rank; i++) {
		if (length[i] < 0) {
			vm_throw(c, EX_OVERFLOW, NULL);
			return NULL;
		}
		g->length[i] = length[i];
		if (__builtin_mul_overflow(n, (uint64_t)length[i], &n) || n > UINT32_MAX) {
			vm_throw(c, EX_OUT_OF_MEMORY, "Array dimensions exceeded supported range.");
			return NULL;
		}
	}
	if (!over)
		over = vm_array_of(c, type_arg(t, 0), (size_t)n);
	if (!over)
		return NULL;
	for (size_t i = 0; !over->packed && zero.kind != VALUE_NULL && i < n && over->v[i].kind == VALUE_NULL; i++)
		over->v[i] = zero;
	g->a = *over;
	g->a.g.head.cls = t->cls;
	g->a.g.type = t;
	g->rank = rank;
	return vm_charge(c->vm, n / 8) ? g : NULL;
}

/* (lengths…) or (lengths…, elements) */
static bool grid_new(struct vm_call *c)
{
	unsigned rank = grid_rank(c->type->cls);
	int64_t length[GRID_RANK_MAX];
	struct grid *g;

	for (unsigned i = 0; i < rank; i++)
		length[i] = c->args[i].i;
	g = make(c, c->type, length, rank, c->n > rank ? value_array(c->args[rank]) : NULL);
	return g && vm_return(c, value_object(g));
}

static bool place(struct vm_call *c, const struct value *index, size_t *at)
{
	const struct grid *g = self_of(c);

	*at = 0;
	for (unsigned i = 0; i < g->rank; i++) {
		if (index[i].i < 0 || index[i].i >= g->length[i])
			return vm_raise(c->vm, EX_INDEX_RANGE);
		*at = *at * (size_t)g->length[i] + (size_t)index[i].i;
	}
	return true;
}

static bool get_item(struct vm_call *c)
{
	size_t at;

	return place(c, c->args, &at) && vm_return(c, array_get(&self_of(c)->a, at));
}

static bool set_item(struct vm_call *c)
{
	size_t at;

	return place(c, c->args, &at) && array_set(c->vm, &self_of(c)->a, at, c->args[c->n - 1]);
}

static bool set_value(struct vm_call *c)         /* (value, indexes…) */
{
	const struct type *element = type_arg(self_of(c)->a.g.type, 0);
	struct value v = c->args[0].kind == VALUE_NULL ? type_default(element) : c->args[0];
	size_t at;

	if (!place(c, c->args + 1, &at))
		return false;
	if (v.kind != VALUE_NULL && !type_accepts(c->vm, element, v))
		return vm_throw(c, EX_INVALID_CAST, "Object cannot be stored in an array of this type.");
	return array_set(c->vm, &self_of(c)->a, at, v);
}

static bool get_length(struct vm_call *c)
{
	return vm_return(c, value_int((int64_t)self_of(c)->a.n));
}

static bool get_long_length(struct vm_call *c)
{
	return vm_return(c, value_long((int64_t)self_of(c)->a.n));
}

static bool get_rank(struct vm_call *c)
{
	return vm_return(c, value_int(self_of(c)->rank));
}

static bool dimension(struct vm_call *c, int64_t *length)
{
	int64_t d = c->args[0].i;

	if (d < 0 || d >= self_of(c)->rank)
		return vm_raise(c->vm, EX_INDEX_RANGE);
	*length = self_of(c)->length[d];
	return true;
}

static bool length_of(struct vm_call *c)
{
	int64_t n = 0;

	return dimension(c, &n) && vm_return(c, value_int(n));
}

static bool long_length_of(struct vm_call *c)
{
	int64_t n = 0;

	return dimension(c, &n) && vm_return(c, value_long(n));
}

static bool upper_bound(struct vm_call *c)
{
	int64_t n = 0;

	return dimension(c, &n) && vm_return(c, value_int(n - 1));
}

static bool lower_bound(struct vm_call *c)
{
	int64_t n = 0;

	return dimension(c, &n) && vm_return(c, value_int(0));
}

static bool clone(struct vm_call *c)
{
	const struct grid *g = self_of(c);
	struct array *copy = vm_array_of(c, type_arg(g->a.g.type, 0), g->a.n);
	struct grid *made;

	if (!copy)
		return false;
	if (copy->packed)
		memcpy(copy->bytes, g->a.bytes, g->a.n);
	else if (g->a.n)
		memcpy(copy->v, g->a.v, g->a.n * sizeof(*copy->v));
	made = make(c, g->a.g.type, g->length, g->rank, copy);
	return made && vm_charge(c->vm, g->a.n / 8) && vm_return(c, value_object(made));
}

static bool yes(struct vm_call *c)
{
	return vm_return(c, value_bool(true));
}

static bool no(struct vm_call *c)
{
	return vm_return(c, value_bool(false));
}

static bool itself(struct vm_call *c)
{
	return vm_return(c, c->self);
}

static bool next(struct vm *vm UNUSED, struct iterator *it, struct value *item)
{
	const struct array *a = it->state;

	if (it->at >= a->n)
		return false;
	*item = array_get(a, it->at++);
	return true;
}

static struct iterator *iterate(struct vm *vm, struct value v)
{
	return vm_iterator(vm, next, v, &((struct grid *)(void *)v.object)->a);
}

#define COMMON                                                                                                    \
	{ "int Length { get; }", get_length }, { "long LongLength { get; }", get_long_length },                   \
	{ "int Rank { get; }", get_rank }, { "int GetLength(int dimension)", length_of },                         \
	{ "long GetLongLength(int dimension)", long_length_of }, { "int GetUpperBound(int dimension)", upper_bound }, \
	{ "int GetLowerBound(int dimension)", lower_bound }, { "object Clone()", clone },                         \
	{ "bool IsFixedSize { get; }", yes }, { "bool IsReadOnly { get; }", no }, { "bool IsSynchronized { get; }", no }, \
	{ "object SyncRoot { get; }", itself }
#define ROWS(lengths, ints, longs)                                                                                \
	COMMON, { "X(" lengths ")", grid_new }, { "X(" lengths ", T[] items)", grid_new },                        \
	{ "T this[" ints "] { get; set; }", get_item, set_item }, { "T this[" longs "] { get; set; }", get_item, set_item }, \
	{ "object GetValue(" ints ")", get_item }, { "void SetValue(object value, " ints ")", set_value }, { 0 }

static const struct class_member two[] = { ROWS("int l0, int l1", "int index1, int index2", "long index1, long index2") };
static const struct class_member three[] = { ROWS("int l0, int l1, int l2", "int index1, int index2, int index3",
						  "long index1, long index2, long index3") };
static const struct class_member four[] = { ROWS("int l0, int l1, int l2, int l3", "int index1, int index2, int index3, int index4",
						 "long index1, long index2, long index3, long index4") };
#define GRID(id, rows)                                                                                            \
	{ .name = "System.Array" id, .parameters = "T", .members = rows, .iterate = iterate, .interfaces = "IEnumerable<T>" }
static struct value_class class_grids[GRID_RANK_MAX - 1] = { GRID("[,]", two), GRID("[,,]", three), GRID("[,,,]", four) };

static struct value_class *const classes[] = { &class_grids[0], &class_grids[1], &class_grids[2], NULL };
const struct class_module grid_module = { classes, NULL };
