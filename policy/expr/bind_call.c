/* bind_call.c - calls: arguments, candidates, the call node, and what to say when nothing fits. */
#include "core/str.h"
#include "policy/expr/bind.h"
#include "policy/expr/lex.h"

enum { CANDIDATES_MAX = 96 };

/* ---- arguments ------------------------------------------------------------------------------------------------------------ */

static bool out_argument(struct binder *b, struct syntax *s, struct argument *arg)
{
	struct node *n;

	arg->is_out = true;
	if (s->b) {                             /* out T x, out var x, out _ */
		const struct type *t;
		bool inferred = str_eq(s->b->text, STR("var")) && !s->b->n && !s->b->b;

		arg->declares = s;
		if (inferred)
			return true;
		t = bind_type(b, s->b);
		if (t)
			arg->out = str_eq(s->text2, STR("_")) ? local_new(b, s->at, STR_NULL, t) : local_new(b, s->at, s->text2, t);
		return arg->out != NULL;
	}
	if (s->a->kind == SX_NAME && str_eq(s->a->text, STR("_")) && !local_find(b, s->a->text)) {
		arg->declares = s;
		s->text2 = s->a->text;
		return true;
	}
	n = bind_value(b, s->a);
	if (!n)
		return false;
	if (n->kind == N_ELEMENT)
		arg->place = n;
	else if (n->kind != N_LOCAL || n->local->declared)
		return expr_error(b->c, s->at, "`%s` takes a variable or an element of an array", arg->is_ref ? "ref" : "out");
	else
		arg->out = n->local;
	return true;
}

bool bind_arguments(struct binder *b, struct syntax *list, struct argument **first, size_t *n)
{
	struct argument **last = first;

	*first = NULL;
	*n = 0;
	for (struct syntax *s = list; s; s = s->next) {
		struct argument *arg = arena_new_of(b->arena, struct argument);

		if (!arg)
			return expr_error(b->c, s->at, "out of memory");
		if (++*n > ARGUMENTS_MAX)
			return expr_error(b->c, s->at, "more than %d arguments", ARGUMENTS_MAX);
		arg->syntax = s;
		arg->name = s->text;
		arg->at = s->at;
		arg->is_ref = s->op == KW_ref;
		if (s->flag || arg->is_ref) {
			if (!out_argument(b, s, arg))
				return false;
		} else {
			arg->node = bind_value(b, s->a);
			if (!arg->node)
				return false;
			if (arg->node->type->kind == TYPE_VOID)
				return expr_error(b->c, s->at, "this call returns nothing and cannot be an argument");
		}
		*last = arg;
		last = &arg->next;
	}
	return true;
}

/* ---- candidates ----------------------------------------------------------------------------------------------------------- */

static size_t collect(struct binder *b, const struct type *t, struct str name, enum member_kind kind, bool is_static,
		      struct candidate *out, size_t n, size_t max, unsigned depth)
{
	const struct class_link *link = class_link(t->cls);

	for (const struct member *m = class_member(t->cls, name); m && n < max; m = m->next)
		if (m->kind == kind && m->is_static == is_static && !m->extension) {
			if (out)
				out[n] = (struct candidate){ .member = m, .owner = t, .depth = depth };
			n++;
		}
	if (t->cls->kind == CLASS_INTERFACE)
		for (size_t i = 0; i < link->n_interfaces; i++)
			n = collect(b, type_put_in(b->arena, link->interfaces[i], t->args, NULL), name, kind, is_static, out, n, max,
				    depth + 1);
	if (link->base && depth < 16)
		n = collect(b, type_put_in(b->arena, link->base, t->args, NULL), name, kind, is_static, out, n, max, depth + 1);
	else if (t->cls->kind == CLASS_INTERFACE && !is_static && depth < 16)
		n = collect(b, &type_object, name, kind, is_static, out, n, max, 17);
	return n;
}

/* out NULL: counts only. */
static size_t collect_all(struct binder *b, const struct type *t, struct str name, enum member_kind kind, bool is_static,
			  struct candidate *out)
{
	const struct class_link *link = class_link(t->cls);
	size_t n = collect(b, t, name, kind, is_static, out, 0, CANDIDATES_MAX, 0);

	for (size_t i = 0; n == 0 && !is_static && t->cls->kind != CLASS_INTERFACE && i < link->n_interfaces; i++)
		n = collect(b, type_put_in(b->arena, link->interfaces[i], t->args, NULL), name, kind, false, out, 0,
			    CANDIDATES_MAX, 18);
	return n;
}

struct candidate *collect_methods(struct binder *b, const struct type *t, struct str name, enum member_kind kind, bool is_static,
				  size_t *n)
{
	struct candidate *out;

	t = type_is_nullable(t) && !is_static ? type_bare(t) : t;
	*n = collect_all(b, t, name, kind, is_static, NULL);
	out = *n ? arena_alloc(b->arena, *n, sizeof(*out)) : NULL;
	*n = out ? collect_all(b, t, name, kind, is_static, out) : 0;
	return out;
}

bool has_method(struct binder *b, const struct type *t, struct str name, bool is_static)
{
	t = type_is_nullable(t) && !is_static ? type_bare(t) : t;
	return collect_all(b, t, name, MEMBER_METHOD, is_static, NULL) > 0;
}

static struct candidate *collect_extensions(struct binder *b, struct str name, size_t *n)
{
	const struct member *first = class_extensions(name);
	struct candidate *out;

	*n = 0;
	for (const struct member *m = first; m; m = m->next_extension)
		++*n;
	out = *n ? arena_alloc(b->arena, *n, sizeof(*out)) : NULL;
	*n = 0;
	for (const struct member *m = first; out && m; m = m->next_extension)
		out[(*n)++] = (struct candidate){ .member = m, .reduced = true };
	return out;
}

static struct candidate *copied(struct binder *b, const struct candidate *list, size_t n)
{
	struct candidate *copy = arena_alloc(b->arena, n, sizeof(*copy));

	if (copy && n)
		memcpy(copy, list, n * sizeof(*copy));
	return copy;
}

/* Drops methods with another number of type parameters than were given; fills the given ones in. */
static size_t with_types(struct candidate *list, size_t n, const struct type *const *types, size_t n_types)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (n_types && list[i].member->n_types != n_types)
			continue;
		for (size_t k = 0; k < n_types; k++)
			list[i].types[k] = types[k];
		list[kept++] = list[i];
	}
	return kept;
}

/* ---- the call ------------------------------------------------------------------------------------------------------------- */

static struct node *out_node(struct binder *b, struct argument *arg, const struct type *t)
{
	struct node *n;

	if (arg->place)
		return expr_error(b->c, arg->at, "here `%s` takes a variable; give it one and copy it into the element after the call",
				  arg->is_ref ? "ref" : "out");
	if (!arg->out) {
		bool discard = str_eq(arg->declares->text2, STR("_"));

		arg->out = local_new(b, arg->at, discard ? STR_NULL : arg->declares->text2, t);
		if (!arg->out)
			return NULL;
	}
	if (arg->declares)
		local_track(b, arg->out);
	if (arg->out->read_only)
		return expr_error(b->c, arg->at, "`%.*s` cannot be changed here", STR_ARG(arg->out->name));
	n = node_local(b, arg->at, arg->out);
	if (n)
		n->op = arg->is_ref ? 2 : 1;
	return n;
}

/* A copy, because the list that it is put into uses .next. */
static struct node *listed(struct binder *b, struct node *n)
{
	struct node *copy;

	if (!n || !n->next)
		return n;
	copy = bind_node(b, n->kind, n->at, n->type);
	if (copy) {
		*copy = *n;
		copy->next = NULL;
	}
	return copy;
}

static struct node *params_array(struct binder *b, size_t at, struct candidate *c, struct argument *args,
				 const struct type *array)
{
	struct node *n = bind_node(b, N_ARRAY, at, array), **last;
	size_t i = 0;

	if (!n)
		return NULL;
	last = &n->b;
	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		if (c->slot[i] != c->member->n - 1)
			continue;
		*last = listed(b, convert(b, arg->node, type_arg(array, 0)));
		if (!*last)
			return NULL;
		n->assigns |= (*last)->assigns;
		last = &(*last)->next;
	}
	return n;
}

static struct node *parameter_node(struct binder *b, size_t at, struct candidate *c, struct argument *args, size_t slot)
{
	const struct parameter *p = &c->member->params[slot];
	const struct type *t = type_put_in(b->arena, p->type, c->owner ? c->owner->args : NULL, c->types);
	size_t i = 0;

	if (c->expanded && slot == c->member->n - 1)
		return params_array(b, at, c, args, t);
	for (struct argument *arg = args; arg; arg = arg->next, i++)
		if (c->slot[i] == slot)
			return arg->is_out ? out_node(b, arg, t) : listed(b, convert(b, arg->node, t));
	return node_const(b, at, t, p->initial.kind == VALUE_NULL ? type_default(t) : p->initial);
}

static bool set_type_arguments(struct binder *b, struct node *n, const struct candidate *c)
{
	size_t of_owner = c->owner ? c->owner->n : 0, total = of_owner + c->member->n_types;
	const struct type **types = arena_alloc(b->arena, total ? total : 1, sizeof(*types));

	if (!types)
		return expr_error(b->c, n->at, "out of memory");
	for (size_t i = 0; i < of_owner; i++)
		types[i] = c->owner->args[i];
	for (size_t i = 0; i < c->member->n_types; i++)
		types[of_owner + i] = c->types[i];
	n->types = types;
	n->n_types = total;
	return true;
}

/* What the class has to say about constants among the arguments. */
static bool constants_fit(struct binder *b, const struct node *n)
{
	const struct value *constants[PARAMETERS_MAX] = { NULL };
	const struct node *arg;
	size_t i = 0, which = 0;
	struct str wrong;

	if (!n->member->owner->check)
		return true;
	for (arg = n->b; arg && i < PARAMETERS_MAX; arg = arg->next, i++)
		if (arg->kind == N_CONST)
			constants[i] = &arg->value;
	wrong = n->member->owner->check(b->arena, n->member, constants, &which);
	if (!wrong.p)
		return true;
	for (arg = n->b; which > 0 && arg->next; which--)
		arg = arg->next;
	return expr_error(b->c, arg->at, "%.*s", STR_ARG(wrong));
}

static struct node *call_node(struct binder *b, size_t at, struct candidate *c, struct argument *args, struct node *self)
{
	const struct member *m = c->member;
	const struct type *result = m->kind == MEMBER_CONSTRUCTOR ? c->owner : m->type;
	struct node *n = bind_node(b, N_CALL, at, type_put_in(b->arena, result, c->owner ? c->owner->args : NULL, c->types));
	struct node **last;

	if (!n || !set_type_arguments(b, n, c))
		return NULL;
	n->member = m;
	n->tested = c->owner;
	n->a = m->is_static ? NULL : self;
	n->assigns = self && self->assigns;
	last = &n->b;
	for (size_t i = 0; i < m->n; i++) {
		*last = parameter_node(b, at, c, args, i);
		if (!*last)
			return NULL;
		n->assigns |= (*last)->assigns || m->params[i].out || (*last)->kind == N_LAMBDA;
		last = &(*last)->next;
	}
	return constants_fit(b, n) ? n : NULL;
}

/* ---- when nothing fits ---------------------------------------------------------------------------------------------------- */

static struct str argument_types(struct binder *b, const struct argument *args)
{
	struct str out = STR("");

	for (; args; args = args->next)
		out = arena_printf(b->arena, "%.*s%s%.*s", STR_ARG(out), out.n ? ", " : "",
				   STR_ARG(args->is_out ? STR("out") : type_name(b, args->node->type)));
	return out;
}

static struct node *one_candidate(struct binder *b, size_t at, struct str what, struct candidate *c, struct argument *args,
				  size_t n_args)
{
	const struct member *m = c->member;
	size_t i = 0, first = c->reduced ? 1 : 0;

	c->expanded = m->n && m->params[m->n - 1].params;
	if (!overload_map(c, args, n_args)) {
		for (struct argument *arg = args; arg; arg = arg->next)
			if (arg->name.n) {
				bool known = false;

				for (size_t k = 0; k < m->n; k++)
					known |= str_eq(m->params[k].name, arg->name);
				if (!known)
					return expr_error(b->c, arg->at, "%.*s has no parameter `%.*s`", STR_ARG(what),
							  STR_ARG(arg->name));
			}
		for (struct argument *arg = args; arg; arg = arg->next, i++)
			if (i < m->n && (arg->is_out != m->params[i].out || arg->is_ref != m->params[i].by_ref))
				return expr_error(b->c, arg->at, m->params[i].out ? "this argument needs `%s` before it" :
						  "this argument takes no `%s`", m->params[i].by_ref || arg->is_ref ? "ref" : "out");
		return expr_error(b->c, at, "%.*s takes %zu argument%s, not %zu", STR_ARG(what), m->n - first,
				  m->n - first == 1 ? "" : "s", n_args - first);
	}
	if (m->n_types && !c->types[0] && !infer_types(b, c, args, n_args, NULL) && !b->c->errors) {
		for (struct argument *arg = args; arg; arg = arg->next, i++)
			if (arg->node && arg->node->type == &type_open && arg->node->kind == N_OPEN &&
			    arg->node->syntax->kind == SX_LAMBDA) {
				const struct type *params[PARAMETERS_MAX], *result, *t = m->params[c->slot[i]].type;
				size_t n;

				if (!type_is_delegate(t) || !delegate_signature(b, t, params, &n, &result))
					continue;
				for (size_t k = 0; k < n; k++)
					params[k] = type_put_in(b->arena, params[k], NULL, c->types);
				bind_lambda(b, arg->node->syntax, params, n, NULL, NULL, &result);
				if (b->c->errors)
					return NULL;
			}
		return expr_error(b->c, at, "the type arguments of %.*s cannot be found from its arguments; write them: "
				  "`…<type>(…)`", STR_ARG(what));
	}
	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		const struct type *t = m->params[c->slot[i]].type;

		if (c->expanded && c->slot[i] == m->n - 1)
			t = type_arg(t, 0);
		t = type_put_in(b->arena, t, c->owner ? c->owner->args : NULL, c->types);
		if (!arg->is_out && !convert(b, arg->node, t))
			return NULL;
	}
	return expr_error(b->c, at, "%.*s cannot be called with (%.*s)", STR_ARG(what), STR_ARG(argument_types(b, args)));
}

static struct node *no_overload(struct binder *b, size_t at, struct str what, struct candidate *list, size_t n,
				struct argument *args, size_t n_args)
{
	struct candidate *only = NULL;
	size_t fitting = 0;

	for (size_t i = 0; i < n; i++) {
		list[i].expanded = list[i].member->n && list[i].member->params[list[i].member->n - 1].params;
		if (overload_map(&list[i], args, n_args)) {
			only = &list[i];
			fitting++;
		}
	}
	if (n == 1)
		only = &list[0];
	if (n == 1 || fitting == 1)
		return one_candidate(b, at, what, only, args, n_args);
	if (fitting == 0) {
		size_t first = list[0].reduced ? 1 : 0;

		return expr_error(b->c, at, "no overload of %.*s takes %zu argument%s", STR_ARG(what), n_args - first,
				  n_args - first == 1 ? "" : "s");
	}
	for (size_t i = 0; i < n; i++) {        /* an error inside a lambda says more than a list of types */
		bool lambda = false;

		for (struct argument *arg = args; arg; arg = arg->next)
			lambda |= arg->node && arg->node->kind == N_OPEN && arg->node->syntax->kind == SX_LAMBDA;
		if (lambda && overload_map(&list[i], args, n_args))
			return one_candidate(b, at, what, &list[i], args, n_args);
	}
	return expr_error(b->c, at, "no overload of %.*s takes (%.*s)", STR_ARG(what), STR_ARG(argument_types(b, args)));
}

struct node *bind_overload(struct binder *b, size_t at, struct str what, struct candidate *list, size_t n,
			   struct argument *args, size_t n_args, struct node *self)
{
	struct candidate *copy = copied(b, list, n);
	bool ambiguous;
	size_t best;

	if (!copy)
		return expr_error(b->c, at, "out of memory");
	best = overload_choose(b, at, list, n, args, n_args, &ambiguous);
	if (best == SIZE_MAX && ambiguous)
		return NULL;
	if (best == SIZE_MAX)
		return no_overload(b, at, what, copy, n, args, n_args);
	return call_node(b, at, &list[best], args, self);
}

/* ---- kinds of calls ------------------------------------------------------------------------------------------------------- */

/* ToString() and GetHashCode() of a T? that is null throw nothing: the value's own answer, or "" and 0. */
static struct node *nullable_answer(struct binder *b, struct node *target, struct value none)
{
	struct node *n = bind_node(b, N_COALESCE, target->at, type_of_kind(none.kind));
	struct node *asked = bind_node(b, N_CONDITIONAL, target->at, n ? n->type : NULL), *self;
	size_t found;
	struct candidate *list = collect_methods(b, target->a->type, target->text, MEMBER_METHOD, false, &found);

	if (!n || !asked || !found)
		return NULL;
	asked->local = local_new(b, target->at, STR_NULL, type_bare(target->a->type));
	asked->a = target->a;
	asked->assigns = n->assigns = true;
	self = asked->local ? node_local(b, target->at, asked->local) : NULL;
	asked->b = self ? bind_overload(b, target->at, target->text, list, found, NULL, 0, self) : NULL;
	n->a = asked;
	n->b = node_const(b, n->at, n->type, none);
	return asked->b && n->b ? n : NULL;
}

static struct node *nullable_method(struct binder *b, struct node *target, struct argument *args)
{
	struct node *n;

	if (str_eq(target->text, STR("ToString")) && !args)
		return nullable_answer(b, target, value_string(b->arena, STR(""), false));
	if (str_eq(target->text, STR("GetHashCode")) && !args)
		return nullable_answer(b, target, value_int(0));
	if (!str_eq(target->text, STR("GetValueOrDefault")))
		return NULL;
	n = bind_node(b, N_COALESCE, target->at, type_bare(target->a->type));
	if (!n)
		return NULL;
	n->a = target->a;
	n->b = args ? convert(b, args->node, n->type) : node_const(b, n->at, n->type, type_default(n->type));
	return n->b ? n : NULL;
}

static struct argument *with_self(struct binder *b, struct node *self, struct argument *args)
{
	struct argument *first = arena_new_of(b->arena, struct argument);

	if (!first)
		return expr_error(b->c, self->at, "out of memory");
	first->node = self;
	first->at = self->at;
	first->next = args;
	return first;
}

/* The call of the best candidate; NULL without an error when none fits. */
static struct node *try_candidates(struct binder *b, size_t at, const struct candidate *list, size_t n, struct argument *args,
				   size_t n_args, struct node *self)
{
	struct candidate *copy = n ? copied(b, list, n) : NULL;
	bool ambiguous;
	size_t best = copy ? overload_choose(b, at, copy, n, args, n_args, &ambiguous) : SIZE_MAX;

	return best == SIZE_MAX ? NULL : call_node(b, at, &copy[best], args, self);
}

/* Only those that take this receiver at all. */
static size_t with_receiver(struct binder *b, struct candidate *list, size_t n, const struct type *receiver)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct type *t = list[i].member->params[0].type;

		if (t->kind == TYPE_PARAMETER || (receiver->kind == TYPE_CLASS && type_as(b->arena, receiver, t->cls)))
			list[kept++] = list[i];
	}
	return kept;
}

static struct node *extension_call(struct binder *b, struct syntax *s, struct node *target, struct argument *args, size_t n_args,
				   const struct type *const *types, size_t n_types, bool report)
{
	struct argument *reduced = with_self(b, target->a, args);
	size_t n;
	struct candidate *list = collect_extensions(b, target->text, &n);
	struct node *call;

	if (!reduced)
		return NULL;
	n = with_types(list, n, types, n_types);
	call = try_candidates(b, s->at, list, n, reduced, n_args + 1, target->a);
	if (call || b->c->errors || !report)
		return call;
	n = with_receiver(b, list, n, target->a->type);
	if (n)
		return no_overload(b, s->at, arena_printf(b->arena, "`%.*s`", STR_ARG(target->text)), list, n, reduced, n_args + 1);
	return expr_error(b->c, s->at, "`%.*s` has no member `%.*s`", STR_ARG(type_name(b, target->a->type)),
			  STR_ARG(target->text));
}

static struct node *method_call(struct binder *b, struct syntax *s, struct node *target, struct argument *args, size_t n_args)
{
	const struct type *types[TYPE_ARGS_MAX];
	struct str what = arena_printf(b->arena, "`%.*s`", STR_ARG(target->text));
	size_t n_types = 0, n, all;
	struct candidate *list;
	struct node *call;

	for (struct syntax *t = target->syntax->b; t; t = t->next)
		if (n_types == TYPE_ARGS_MAX || !(types[n_types++] = bind_type(b, t)))
			return NULL;
	list = collect_methods(b, target->tested, target->text, MEMBER_METHOD, target->a == NULL, &all);
	n = with_types(list, all, types, n_types);
	call = try_candidates(b, s->at, list, n, args, n_args, target->a);
	if (!call && !b->c->errors && target->a)
		call = extension_call(b, s, target, args, n_args, types, n_types, n == 0 && all == 0);
	if (call || b->c->errors)
		return call;
	if (n)
		return no_overload(b, s->at, what, list, n, args, n_args);
	return expr_error(b->c, s->at, "%.*s takes %s type arguments", STR_ARG(what), n_types ? "another number of" : "no");
}

struct node *bind_call(struct binder *b, struct syntax *s)
{
	struct argument *args;
	struct node *target, *n;
	size_t n_args;

	if (s->a->kind == SX_MEMBER || s->a->kind == SX_NAME)
		s->a->flag = true;
	if (s->a->kind == SX_NAME && !local_find(b, s->a->text) && !type_lookup(b, s->a->text, s->a->b) && !b->c->errors)
		return expr_error(b->c, s->a->at, "unknown function `%.*s`", STR_ARG(s->a->text));
	target = bind_expr(b, s->a);
	if (!target)
		return NULL;
	if (target->kind == N_TYPE)
		return expr_error(b->c, s->at, "`%.*s` is a type: write `new %.*s(…)` to make one",
				  STR_ARG(type_name(b, target->tested)), STR_ARG(type_name(b, target->tested)));
	if (!bind_arguments(b, s->b, &args, &n_args))
		return NULL;
	if (target->kind != N_METHODS) {
		if (target->type->kind != TYPE_CLASS)
			return expr_error(b->c, s->at, "this cannot be called");
		return bind_invoke(b, s, target, args, n_args);
	}
	if (target->a && type_is_nullable(target->a->type)) {
		n = nullable_method(b, target, args);
		if (n || b->c->errors)
			return n;
	}
	return method_call(b, s, target, args, n_args);
}
