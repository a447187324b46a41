/* bind_ref.c - ref and out: parameters of local functions, and variables that stand for another.
 *
 * What is handed over is a cell: that of the variable, which therefore lives in one as if a lambda had captured it, or one
 * that stands for an element of an array (vm.c). */
#include "core/str.h"
#include "policy/expr/bind_stmt.h"
#include "policy/expr/lex.h"

bool ref_parameters(const struct syntax *function)
{
	for (const struct syntax *p = function->b; p; p = p->next)
		if (p->op)
			return true;
	return false;
}

struct node *ref_node(struct binder *b, size_t at, struct node *place, bool is_out)
{
	struct node *n = bind_node(b, N_REF, at, place->type);

	if (!n)
		return NULL;
	if (place->kind == N_LOCAL && (place->local->read_only || place->local->is_const))
		return expr_error(b->c, at, "`%.*s` cannot be changed here", STR_ARG(place->local->name));
	if (place->kind == N_LOCAL) {
		place->local->captured = true;
		place->local->origin = NULL;
	}
	n->a = place;
	n->flag = is_out;
	n->assigns = true;
	return n;
}

static struct node *listed(struct binder *b, struct node *n)
{
	struct node *copy = n ? bind_node(b, n->kind, n->at, n->type) : NULL;

	if (copy) {
		*copy = *n;
		copy->next = NULL;
	}
	return copy;
}

struct node *ref_argument(struct binder *b, struct argument *arg, uint32_t mode, const struct type *t)
{
	const char *word = mode == KW_ref ? "ref" : "out";
	struct node *place = arg->place;

	if (mode != KW_ref && mode != KW_out) {
		if (arg->is_out)
			return expr_error(b->c, arg->at, "this argument takes no `%s`", arg->is_ref ? "ref" : "out");
		return listed(b, convert(b, arg->node, t));
	}
	if (!arg->is_out || arg->is_ref != (mode == KW_ref))
		return expr_error(b->c, arg->at, "this argument needs `%s` before it", word);
	if (!place && !arg->out) {
		bool discard = str_eq(arg->declares->text2, STR("_"));

		arg->out = local_new(b, arg->at, discard ? STR_NULL : arg->declares->text2, t);
		local_track(b, arg->out);
	}
	if (!place)
		place = arg->out ? node_local(b, arg->at, arg->out) : NULL;
	if (!place)
		return NULL;
	if (!type_eq(place->type, t))
		return expr_error(b->c, arg->at, "`%s` needs a variable of the type `%.*s`", word, STR_ARG(type_name(b, t)));
	return ref_node(b, arg->at, place, mode == KW_out);
}

/* ref T x = ref place; */
struct node *stmt_ref_local(struct binder *b, struct syntax *s)
{
	struct syntax *d = s->b;
	const struct type *t = s->a ? bind_type(b, s->a) : NULL;
	struct node *place = s->a && !t ? NULL : bind_value(b, d->a), *n;
	struct local *l;

	if (!place)
		return NULL;
	if (d->next)
		return expr_error(b->c, d->next->at, "each `ref` variable has a statement of its own");
	if (place->kind != N_ELEMENT && (place->kind != N_LOCAL || place->local->declared))
		return expr_error(b->c, d->a->at, "`ref` takes a variable or an element of an array");
	if (t && !type_eq(t, place->type))
		return expr_error(b->c, d->at, "`ref` needs a variable of the type `%.*s`", STR_ARG(type_name(b, t)));
	place = ref_node(b, d->a->at, place, false);
	l = place ? local_new(b, d->at, d->text, place->type) : NULL;
	n = l ? bind_node(b, N_BIND_REF, s->at, &type_void) : NULL;
	if (!n)
		return NULL;
	l->by_ref = l->captured = true;
	n->local = l;
	n->a = place;
	return n;
}
