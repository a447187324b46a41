/* overload.c - which of several methods a call means (C# 5 specification, 7.5.3). */
#include "policy/expr/bind.h"

#include "core/str.h"

/* ---- arguments to parameters ---------------------------------------------------------------------------------------------- */

static size_t parameter_named(const struct member *m, struct str name)
{
	for (size_t i = 0; i < m->n; i++)
		if (str_eq(m->params[i].name, name))
			return i;
	return SIZE_MAX;
}

bool overload_map(struct candidate *c, struct argument *args, size_t n_args)
{
	const struct member *m = c->member;
	bool taken[PARAMETERS_MAX] = { false };
	size_t i = 0;

	if (n_args > ARGUMENTS_MAX)
		return false;
	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		size_t slot = i;

		if (arg->name.n)
			slot = parameter_named(m, arg->name);
		else if (c->expanded && slot >= m->n)
			slot = m->n - 1;
		if (slot >= m->n || (taken[slot] && !(c->expanded && slot == m->n - 1)))
			return false;
		if (arg->is_out != m->params[slot].out || arg->is_ref != m->params[slot].by_ref)
			return false;
		taken[slot] = true;
		c->slot[i] = (uint8_t)slot;
	}
	c->defaults = 0;
	for (i = 0; i < m->n; i++) {
		if (taken[i] || (c->expanded && i == m->n - 1))
			continue;
		if (!m->params[i].optional)
			return false;
		c->defaults++;
	}
	return true;
}

static bool set_types(struct binder *b, struct candidate *c, struct argument *args, size_t n_args, struct node *self)
{
	const struct member *m = c->member;
	size_t i = 0;

	if (m->n_types && !c->types[0] && !infer_types(b, c, args, n_args, self))
		return false;
	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		const struct type *t = m->params[c->slot[i]].type;

		if (c->expanded && c->slot[i] == m->n - 1)
			t = type_arg(t, 0);
		c->params[i] = type_put_in(b->arena, t, c->owner ? c->owner->args : NULL, c->types);
	}
	return true;
}

static bool converts(struct binder *b, struct candidate *c, struct argument *args)
{
	size_t i = 0;

	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		if (arg->is_out) {
			if (arg->out && !type_eq(arg->out->type, c->params[i]))
				return false;
			continue;
		}
		if (conv_implicit(b, arg->node, c->params[i]).kind == CONV_NONE)
			return false;
		/* the receiver of an extension method: identity, reference or boxing only */
		if (i == 0 && c->reduced && conv_of_type(b, arg->node->type, c->params[i]).kind > CONV_NULLABLE)
			return false;
		if (i == 0 && c->reduced && conv_of_type(b, arg->node->type, c->params[i]).kind == CONV_NUMERIC)
			return false;
	}
	return true;
}

static bool applicable(struct binder *b, struct candidate *c, struct argument *args, size_t n_args)
{
	const struct member *m = c->member;
	bool has_params = m->n && m->params[m->n - 1].params;
	const struct type *given[TYPE_ARGS_MAX];

	memcpy(given, c->types, sizeof(given));
	c->expanded = false;
	if (overload_map(c, args, n_args) && set_types(b, c, args, n_args, NULL) && converts(b, c, args))
		return true;
	if (!has_params)
		return false;
	memcpy(c->types, given, sizeof(given));
	c->expanded = true;
	return overload_map(c, args, n_args) && set_types(b, c, args, n_args, NULL) && converts(b, c, args);
}

/* ---- better --------------------------------------------------------------------------------------------------------------- */

static bool is_signed_kind(enum value_kind k)
{
	return k == VALUE_SBYTE || k == VALUE_SHORT || k == VALUE_INT || k == VALUE_LONG;
}

static bool is_unsigned_kind(enum value_kind k)
{
	return k == VALUE_BYTE || k == VALUE_USHORT || k == VALUE_UINT || k == VALUE_ULONG;
}

/* > 0: the first type is the better target; a specific type beats a general one. */
static int better_type(struct binder *b, const struct type *l, const struct type *r)
{
	bool to_r, to_l;

	if (type_eq(l, r))
		return 0;
	to_r = conv_of_type(b, l, r).kind != CONV_NONE;
	to_l = conv_of_type(b, r, l).kind != CONV_NONE;
	if (to_r != to_l)
		return to_r ? 1 : -1;
	if (is_signed_kind(type_value_kind(l)) && is_unsigned_kind(type_value_kind(r)))
		return 1;
	if (is_unsigned_kind(type_value_kind(l)) && is_signed_kind(type_value_kind(r)))
		return -1;
	return 0;
}

static int better_lambda(struct binder *b, struct argument *arg, const struct type *l, const struct type *r)
{
	const struct type *params[PARAMETERS_MAX], *other[PARAMETERS_MAX], *rl, *rr, *inferred = NULL;
	size_t n, m;
	unsigned quiet = b->c->quiet, errors = b->c->errors;

	if (!type_is_delegate(l) || !type_is_delegate(r) || !delegate_signature(b, l, params, &n, &rl) ||
	    !delegate_signature(b, r, other, &m, &rr) || n != m)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!type_eq(params[i], other[i]))
			return 0;
	if (type_eq(rl, rr))
		return 0;
	if (rl->kind == TYPE_VOID || rr->kind == TYPE_VOID)
		return rr->kind == TYPE_VOID ? 1 : -1;
	if (arg->node->kind == N_OPEN && arg->node->syntax->kind == SX_LAMBDA) {
		b->c->quiet++;
		bind_lambda(b, arg->node->syntax, params, n, NULL, NULL, &inferred);
		b->c->quiet = quiet;
		b->c->errors = errors;
		if (inferred && type_eq(inferred, rl))
			return 1;
		if (inferred && type_eq(inferred, rr))
			return -1;
	}
	return better_type(b, rl, rr);
}

static int better_argument(struct binder *b, struct argument *arg, const struct type *l, const struct type *r)
{
	bool exact_l, exact_r;

	if (arg->is_out || type_eq(l, r))
		return 0;
	if (arg->node->type == &type_open)
		return better_lambda(b, arg, l, r);
	exact_l = type_eq(arg->node->type, l);
	exact_r = type_eq(arg->node->type, r);
	if (exact_l != exact_r)
		return exact_l ? 1 : -1;
	return better_type(b, l, r);
}

/* How specific: a type parameter is less so than anything else; compared part by part. */
static int more_specific(const struct type *l, const struct type *r)
{
	int best = 0;

	if (l->kind == TYPE_PARAMETER || r->kind == TYPE_PARAMETER)
		return (r->kind == TYPE_PARAMETER) - (l->kind == TYPE_PARAMETER);
	for (size_t i = 0; l->cls == r->cls && i < l->n && i < r->n; i++) {
		int one = more_specific(l->args[i], r->args[i]);

		if (one && best && one != best)
			return 0;
		best = one ? one : best;
	}
	return best;
}

static int tie(const struct candidate *l, const struct candidate *r, size_t n_args)
{
	int best = 0;

	if ((l->member->n_types == 0) != (r->member->n_types == 0))
		return l->member->n_types == 0 ? 1 : -1;
	if (l->expanded != r->expanded)
		return l->expanded ? -1 : 1;
	if (l->expanded && l->member->n != r->member->n)
		return l->member->n > r->member->n ? 1 : -1;
	if ((l->defaults == 0) != (r->defaults == 0))
		return l->defaults == 0 ? 1 : -1;
	for (size_t i = 0; i < n_args; i++) {
		int one = more_specific(l->member->params[l->slot[i]].type, r->member->params[r->slot[i]].type);

		if (one && best && one != best)
			return 0;
		best = one ? one : best;
	}
	if (!best && l->defaults != r->defaults)
		return l->defaults < r->defaults ? 1 : -1;
	return best;
}

static int compare(struct binder *b, const struct candidate *l, const struct candidate *r, struct argument *args, size_t n_args)
{
	int best = 0;
	size_t i = 0;
	bool same = true;

	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		int one = better_argument(b, arg, l->params[i], r->params[i]);

		same &= type_eq(l->params[i], r->params[i]);
		if (one && best && (one > 0) != (best > 0))
			return 0;
		best = one ? one : best;
	}
	if (best)
		return best;
	(void)same;
	return tie(l, r, n_args);
}

static struct str signature_of(struct binder *b, const struct candidate *c)
{
	const struct member *m = c->member;
	bool made = m->kind == MEMBER_CONSTRUCTOR;
	struct str out = arena_printf(b->arena, "%.*s%s%.*s(", STR_ARG(class_link(m->owner)->name), made ? "" : ".",
				      STR_ARG(made ? STR("") : m->name));

	for (size_t i = c->reduced ? 1 : 0; i < m->n; i++)
		out = arena_printf(b->arena, "%.*s%s%.*s", STR_ARG(out), i > (c->reduced ? 1u : 0u) ? ", " : "",
				   STR_ARG(type_name(b, type_put_in(b->arena, m->params[i].type,
								    c->owner ? c->owner->args : NULL, c->types))));
	return arena_printf(b->arena, "%.*s)", STR_ARG(out));
}

size_t overload_choose(struct binder *b, size_t at, struct candidate *list, size_t n, struct argument *args, size_t n_args,
		       bool *ambiguous)
{
	size_t kept = 0, best = 0;
	unsigned depth = UINT32_MAX;

	*ambiguous = false;
	for (size_t i = 0; i < n; i++) {
		if (list[i].depth > depth || !applicable(b, &list[i], args, n_args))
			continue;
		if (list[i].depth < depth)
			kept = 0;
		depth = list[i].depth;
		list[kept++] = list[i];
	}
	if (kept == 0)
		return SIZE_MAX;
	for (size_t i = 1; i < kept; i++)
		if (compare(b, &list[i], &list[best], args, n_args) > 0)
			best = i;
	for (size_t i = 0; i < kept; i++)
		if (i != best && compare(b, &list[best], &list[i], args, n_args) <= 0) {
			*ambiguous = true;
			expr_error(b->c, at, "this call can mean `%.*s` or `%.*s`: cast an argument to the type that is meant",
				   STR_ARG(signature_of(b, &list[i < best ? i : best])),
				   STR_ARG(signature_of(b, &list[i < best ? best : i])));
			return SIZE_MAX;
		}
	return best;
}
