/* infer.c - type arguments of a generic method from its arguments (C# 5 specification, 7.5.2, with lower bounds only).
 *
 * First the arguments that have a type; then lambdas, as soon as the types of their parameters are known: the body is
 * bound with them and its type is a bound for the result. `Select(x => x.Length)` finds TSource from the sequence, then
 * TResult from the lambda. */
#include "policy/expr/bind.h"

#include "core/str.h"

enum { BOUNDS_MAX = 8 };

struct inference {
	struct binder *b;
	struct candidate *c;
	const struct type *bounds[TYPE_ARGS_MAX][BOUNDS_MAX];
	size_t n_bounds[TYPE_ARGS_MAX];
};

static void lower(struct inference *in, const struct type *p, const struct type *a)
{
	const struct type *as;

	if (p->kind == TYPE_PARAMETER) {
		if (!p->of_method || a->kind != TYPE_CLASS)
			return;
		for (size_t i = 0; i < in->n_bounds[p->index]; i++)
			if (type_eq(in->bounds[p->index][i], a))
				return;
		if (in->n_bounds[p->index] < BOUNDS_MAX)
			in->bounds[p->index][in->n_bounds[p->index]++] = a;
		return;
	}
	if (p->n == 0 || a->kind != TYPE_CLASS)
		return;
	if (type_is_nullable(p)) {
		lower(in, p->args[0], type_bare(a));
		return;
	}
	as = type_as(in->b->arena, a, p->cls);
	for (size_t i = 0; as && i < p->n; i++)
		lower(in, p->args[i], as->args[i]);
}

static bool fix(struct inference *in, size_t i)
{
	const struct type *best = NULL;

	if (in->c->types[i])
		return true;
	for (size_t k = 0; k < in->n_bounds[i] && !best; k++) {
		best = in->bounds[i][k];
		for (size_t other = 0; best && other < in->n_bounds[i]; other++)
			if (conv_of_type(in->b, in->bounds[i][other], best).kind == CONV_NONE)
				best = NULL;
	}
	in->c->types[i] = best;
	return best != NULL;
}

static bool fix_mentioned(struct inference *in, const struct type *t)
{
	if (t->kind == TYPE_PARAMETER)
		return !t->of_method || fix(in, t->index);
	for (size_t i = 0; i < t->n; i++)
		if (!fix_mentioned(in, t->args[i]))
			return false;
	return true;
}

static const struct type *param_type(struct inference *in, size_t argument)
{
	struct candidate *c = in->c;
	const struct type *t = c->member->params[c->slot[argument]].type;

	if (c->expanded && c->slot[argument] == c->member->n - 1)
		t = type_arg(t, 0);
	return type_put_in(in->b->arena, t, c->owner ? c->owner->args : NULL, NULL);
}

/* Types written at the lambda's own parameters are exact. */
static void declared_parameters(struct inference *in, struct syntax *lambda, const struct type *const *params, size_t n)
{
	size_t i = 0;

	for (struct syntax *p = lambda->a; p && i < n; p = p->next, i++) {
		const struct type *t = p->a ? bind_type(in->b, p->a) : NULL;

		if (t)
			lower(in, params[i], t);
	}
}

static bool lambda_argument(struct inference *in, struct argument *arg, const struct type *p)
{
	const struct type *params[PARAMETERS_MAX], *result, *inferred = NULL;
	struct binder *b = in->b;
	unsigned quiet = b->c->quiet, errors = b->c->errors;
	size_t n;
	struct node *bound;

	if (!type_is_delegate(p) || !delegate_signature(b, p, params, &n, &result))
		return true;
	if (arg->node->kind == N_OPEN && arg->node->syntax->kind == SX_LAMBDA)
		declared_parameters(in, arg->node->syntax, params, n);
	for (size_t i = 0; i < n; i++) {
		if (!fix_mentioned(in, params[i]))
			return false;
		params[i] = type_put_in(b->arena, params[i], NULL, in->c->types);
	}
	if (result->kind == TYPE_VOID)
		return true;
	b->c->quiet++;
	b->c->errors = 0;
	if (arg->node->kind == N_METHODS) {
		bound = bind_open(b, arg->node, type_put_in(b->arena, p, NULL, in->c->types));
		inferred = bound ? bound->tested : NULL;
	} else {
		bind_lambda(b, arg->node->syntax, params, n, NULL, NULL, &inferred);
	}
	b->c->quiet = quiet;
	b->c->errors = errors;
	if (inferred)
		lower(in, result, inferred);
	return true;
}

bool infer_types(struct binder *b, struct candidate *c, struct argument *args, size_t n_args, struct node *self)
{
	struct inference in = { .b = b, .c = c };
	bool done[ARGUMENTS_MAX] = { false }, progress = true;
	size_t i = 0;

	(void)self;
	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		if (arg->is_out && arg->out)
			lower(&in, param_type(&in, i), arg->out->type);
		else if (arg->node && arg->node->type != &type_open)
			lower(&in, param_type(&in, i), arg->node->type);
		done[i] = !arg->node || arg->node->type != &type_open;
	}
	while (progress) {
		progress = false;
		i = 0;
		for (struct argument *arg = args; arg && i < n_args; arg = arg->next, i++) {
			bool lambda = !done[i] && (arg->node->kind == N_METHODS || arg->node->syntax->kind == SX_LAMBDA);

			if (lambda && lambda_argument(&in, arg, param_type(&in, i)))
				done[i] = progress = true;
		}
	}
	for (i = 0; i < c->member->n_types; i++)
		if (!fix(&in, i))
			return false;
	return true;
}
