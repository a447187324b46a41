/* bind_grid.c - new T[2, 3] and new T[,] { { … }, { … } }: the elements in one row, then the array over them. */
#include "core/str.h"
#include "policy/expr/bind.h"

struct grid_shape {
	int64_t length[GRID_RANK_MAX];
	unsigned rank;
	struct syntax *leaves, **last;
};

/* All elements in a list of their own; the lists of one depth are of one length. */
static bool flatten(struct binder *b, struct grid_shape *g, const struct syntax *list, unsigned depth)
{
	int64_t n = 0;

	for (const struct syntax *item = list->a; item; item = item->next, n++) {
		bool leaf = depth + 1 == g->rank;

		if (leaf == (item->kind == SX_INITIALISER))
			return expr_error(b->c, item->at, leaf ? "there are more brackets than the array has dimensions"
							       : "here a list in `{ … }` is needed") != NULL;
		if (!leaf) {
			if (!flatten(b, g, item, depth + 1))
				return false;
			continue;
		}
		*g->last = arena_new_of(b->arena, struct syntax);
		if (!*g->last)
			return expr_error(b->c, item->at, "out of memory") != NULL;
		**g->last = *item;
		(*g->last)->next = NULL;
		g->last = &(*g->last)->next;
	}
	if (g->length[depth] < 0)
		g->length[depth] = n;
	return g->length[depth] == n ||
	       expr_error(b->c, list->at, "this list has %lld elements, here there must be %lld", (long long)n,
			  (long long)g->length[depth]) != NULL;
}

static struct node *construct(struct binder *b, size_t at, const struct type *t, struct node *args, unsigned n)
{
	const struct member *m = class_member(t->cls, STR(".ctor"));
	struct node *node = bind_node(b, N_CALL, at, t);

	while (m && m->n != n)
		m = m->next;
	if (!m || !node)
		return expr_error(b->c, at, "out of memory");
	node->member = m;
	node->tested = t;
	node->types = t->args;
	node->n_types = t->n;
	node->b = args;
	for (; args; args = args->next)
		node->assigns |= args->assigns;
	return node;
}

/* The sizes as they are written, or as the elements have them. */
static struct node *sizes(struct binder *b, struct syntax *s, const struct grid_shape *g)
{
	struct node *first = NULL, **last = &first;
	struct syntax *size = s->b;

	for (unsigned i = 0; i < g->rank; i++) {
		struct node *n = size ? bind_to(b, size->a, &type_int) : node_const(b, s->at, &type_int, value_int(g->length[i]));

		if (!n)
			return NULL;
		if (size && s->c && (n->kind != N_CONST || n->value.i != g->length[i]))
			return expr_error(b->c, size->at, "there are %lld elements", (long long)g->length[i]);
		*last = bind_node(b, n->kind, n->at, n->type);
		if (!*last)
			return NULL;
		**last = *n;
		(*last)->next = NULL;
		last = &(*last)->next;
		size = size ? size->next : NULL;
	}
	return first;
}

struct node *bind_new_grid(struct binder *b, struct syntax *s, const struct type *element)
{
	struct grid_shape g = { .length = { -1, -1, -1, -1 }, .rank = (unsigned)s->op };
	struct node *args, *items = NULL, **last = &args;
	const struct type *t;

	if (!element)
		return expr_error(b->c, s->at, "an array with several dimensions names its type: `new T[,] { … }`");
	if (s->n)
		return expr_error(b->c, s->at, "an array is either of one dimension or of several, not both");
	for (const struct syntax *size = s->b; size; size = size->next)
		g.rank += s->op ? 0 : 1;
	if (!grid_class(g.rank))
		return expr_error(b->c, s->at, "an array has at most %d dimensions here", GRID_RANK_MAX);
	t = type_make1(b->arena, grid_class(g.rank), element);
	g.last = &g.leaves;
	if (s->c) {
		struct syntax flat = *s, list = *s->c;

		if (!flatten(b, &g, s->c, 0))
			return NULL;
		for (unsigned i = 0; i < g.rank; i++)    /* nothing inside of an empty list */
			g.length[i] = g.length[i] < 0 ? 0 : g.length[i];
		list.a = g.leaves;
		flat.c = &list;
		items = array_of(b, &flat, element);
		if (!items)
			return NULL;
	}
	args = sizes(b, s, &g);
	if (!args)
		return NULL;
	while (*last)
		last = &(*last)->next;
	*last = items;
	return construct(b, s->at, t, args, g.rank + (items ? 1 : 0));
}
