/* bind_function.c - local functions and calls of function values.
 *
 * A local function is a read-only variable that holds a delegate (Func, Action). A generic one is a template: for each set of
 * type arguments that it is called with, its syntax is copied and bound where it was declared, with the arguments in place of
 * its type parameters; the copies are further hidden variables of that block. */
#include "core/str.h"
#include "policy/expr/bind_stmt.h"
#include "policy/expr/lex.h"

struct function_instance {
	struct function_instance *next;
	const struct type *types[TYPE_ARGS_MAX];
	struct local *local;
};

/* ---- declarations --------------------------------------------------------------------------------------------------------- */

static const struct type *function_type(struct binder *b, struct syntax *s)
{
	const struct type *types[TYPE_ARGS_MAX], *result = bind_type(b, s->a);
	const struct value_class *cls;
	bool optional = false;
	size_t n = 0;

	if (!result)
		return NULL;
	for (struct syntax *p = s->b; p; p = p->next) {
		if (n + 1 >= TYPE_ARGS_MAX)
			return expr_error(b->c, p->at, "a local function takes at most %d parameters", TYPE_ARGS_MAX - 1);
		if (p->op && (p->b || (p->op == KW_params && p->next)))
			return expr_error(b->c, p->at, p->b ? "a ref, out or params parameter has no default value" :
					  "`params` stands before the last parameter only");
		if (optional && !p->b && !p->op)
			return expr_error(b->c, p->at, "`%.*s` needs a default value too: it stands behind one that has one",
					  STR_ARG(p->text));
		optional |= p->b != NULL;
		types[n] = bind_type(b, p->a);
		if (!types[n++])
			return NULL;
	}
	if (result->kind != TYPE_VOID)
		types[n++] = result;
	cls = class_find(result->kind == TYPE_VOID ? STR("System.Action") : STR("System.Func"), n);
	return cls ? type_make(b->arena, cls, types, n) : expr_error(b->c, s->at, "too many parameters");
}

bool declare_functions(struct binder *b, struct node *block, struct syntax *list)
{
	for (; list; list = list->next) {
		const struct type *t;
		struct local *l;

		if (list->kind != SX_FUNCTION)
			continue;
		t = list->d ? &type_object : function_type(b, list);
		l = t ? local_new(b, list->at, list->text, t) : NULL;
		if (!l)
			return false;
		l->declared = list;
		l->read_only = true;
		if (list->d) {
			l->generic = true;
			l->home = block;
			l->home_scope = b->scope;
		}
	}
	return true;
}

static struct node *set_function(struct binder *b, struct syntax *s, struct local *l)
{
	const struct type *params[PARAMETERS_MAX], *result;
	struct syntax *lambda = arena_new_of(b->arena, struct syntax);
	size_t count;

	if (!lambda)
		return expr_error(b->c, s->at, "out of memory");
	if (!delegate_signature(b, l->type, params, &count, &result))
		return NULL;
	*lambda = (struct syntax){ .kind = SX_LAMBDA, .at = s->at, .a = s->b, .b = s->c, .flag = true };
	return stmt_of(b, node_assign(b, s->at, l, bind_lambda(b, lambda, params, count, result, l->type, NULL)));
}

struct node *stmt_function(struct binder *b, struct syntax *s)
{
	struct local *l = local_find(b, s->text);

	if (!l || l->declared != s)
		return expr_error(b->c, s->at, "a local function stands in a block");
	if (l->generic)
		return bind_node(b, N_NOTHING, s->at, &type_void);
	return set_function(b, s, l);
}

/* ---- generic functions ---------------------------------------------------------------------------------------------------- */

static struct syntax *copy_syntax(struct arena *a, const struct syntax *s)
{
	struct syntax *copy = s ? arena_new_of(a, struct syntax) : NULL;

	if (!copy)
		return NULL;
	*copy = *s;
	copy->bound = NULL;
	copy->bound_type = NULL;
	copy->a = copy_syntax(a, s->a);
	copy->b = copy_syntax(a, s->b);
	copy->c = copy_syntax(a, s->c);
	copy->d = copy_syntax(a, s->d);
	copy->next = NULL;
	for (struct syntax *to = copy; s->next; s = s->next, to = to->next) {    /* lists may be long: no recursion */
		const struct syntax *from = s->next;

		to->next = arena_new_of(a, struct syntax);
		if (!to->next)
			return NULL;
		*to->next = *from;
		to->next->bound = NULL;
		to->next->bound_type = NULL;
		to->next->a = copy_syntax(a, from->a);
		to->next->b = copy_syntax(a, from->b);
		to->next->c = copy_syntax(a, from->c);
		to->next->d = copy_syntax(a, from->d);
		to->next->next = NULL;
	}
	return copy;
}

/* While it is bound, its type parameters are names of types. */
static void name_types(struct binder *b, const struct syntax *s, const struct function_instance *made,
		       struct type_parameter params[TYPE_ARGS_MAX])
{
	size_t i = 0;

	for (const struct syntax *p = s->d; p; p = p->next, i++) {
		params[i] = (struct type_parameter){ .next = b->type_parameters, .name = p->text, .type = made->types[i] };
		b->type_parameters = &params[i];
	}
}

static struct local *instance_new(struct binder *b, struct local *l, struct function_instance *made)
{
	struct type_parameter params[TYPE_ARGS_MAX], *outer = b->type_parameters;
	struct var_scope *scope = b->scope;
	struct function *function = b->function;
	struct syntax *s = copy_syntax(b->arena, l->declared);
	const struct type *t;
	struct node *set, **last = &l->home->c;

	if (!s)
		return expr_error(b->c, l->declared->at, "out of memory");
	s->next = NULL;
	name_types(b, s, made, params);
	b->scope = l->home_scope;
	b->function = l->owner;
	t = function_type(b, s);
	made->local = t ? local_new(b, s->at, STR_NULL, t) : NULL;
	if (made->local) {
		made->local->declared = s;
		made->local->read_only = true;
		made->local->instances = made;
		made->next = l->instances;      /* before the body: it may call itself */
		l->instances = made;
		set = set_function(b, s, made->local);
		while (*last)
			last = &(*last)->next;
		*last = set;
		if (!set) {
			l->instances = made->next;
			made->local = NULL;
		}
	}
	b->scope = scope;
	b->function = function;
	b->type_parameters = outer;
	return made->local;
}

/* What T is when a parameter written as `s` takes a `t`. */
static void unify(struct binder *b, const struct local *l, const struct syntax *s, const struct type *t, const struct type **found)
{
	const struct value_class *cls;
	const struct type *as;
	size_t i = 0;

	if (t->kind != TYPE_CLASS)
		return;
	if (s->op)
		t = type_bare(t);
	for (unsigned rank = 0; rank < s->n; rank++) {
		if (!type_is_array(t))
			return;
		t = type_arg(t, 0);
	}
	for (const struct syntax *p = l->declared->d; p && !s->b; p = p->next, i++)
		if (str_eq(p->text, s->text) && (!found[i] || conv_of_type(b, found[i], t).kind != CONV_NONE))
			found[i] = t;
	if (!s->b)
		return;
	i = 0;
	for (const struct syntax *arg = s->b; arg; arg = arg->next)
		i++;
	cls = class_find(s->flag ? STR("System.ValueTuple") : s->text, i);
	as = cls ? type_as(b->arena, t, cls) : NULL;
	i = 0;
	for (const struct syntax *arg = s->b; as && arg && i < as->n; arg = arg->next, i++)
		unify(b, l, arg, as->args[i], found);
}

/* The copy of a generic function for this call. */
static struct local *instance(struct binder *b, struct syntax *call, struct local *l, const struct argument *args)
{
	struct function_instance *made = arena_new_of(b->arena, struct function_instance);
	const struct syntax *p = l->declared->b;
	size_t n = 0;

	if (!made)
		return expr_error(b->c, call->at, "out of memory");
	for (struct syntax *given = call->a->b; given; given = given->next)
		if (n == TYPE_ARGS_MAX || !(made->types[n++] = bind_type(b, given)))
			return NULL;
	for (const struct argument *arg = args; !n && arg && p; arg = arg->next, p = p->next)
		if (!arg->name.n && (arg->node || arg->place || arg->out))
			unify(b, l, p->a, arg->node ? arg->node->type : arg->place ? arg->place->type : arg->out->type, made->types);
	n = 0;
	for (const struct syntax *t = l->declared->d; t; t = t->next, n++)
		if (!made->types[n])
			return expr_error(b->c, call->at, "the type argument `%.*s` of `%.*s` cannot be found from its arguments; write "
					  "it: `%.*s<type>(…)`", STR_ARG(t->text), STR_ARG(l->name), STR_ARG(l->name));
	for (struct function_instance *i = l->instances; i; i = i->next) {
		size_t same = 0;

		while (same < n && type_eq(i->types[same], made->types[same]))
			same++;
		if (same == n)
			return i->local;
	}
	if (b->instances++ >= FUNCTION_INSTANCES_MAX)
		return expr_error(b->c, call->at, "a generic function is used with more than %d lists of types",
				  FUNCTION_INSTANCES_MAX);
	return instance_new(b, l, made);
}

/* ---- calls ---------------------------------------------------------------------------------------------------------------- */

static struct node *listed(struct binder *b, struct node *n)
{
	struct node *copy = n ? bind_node(b, n->kind, n->at, n->type) : NULL;

	if (copy) {
		*copy = *n;
		copy->next = NULL;
	}
	return copy;
}

static bool takes_more(const struct syntax *function)
{
	const struct syntax *p = function->b;

	while (p && p->next)
		p = p->next;
	return p && p->op == KW_params;
}

/* What stands for `params T[]`: the arguments from there on as one array, unless one array is given. < 0: an error. */
static int spread_arguments(struct binder *b, const struct local *l, struct argument *args, const struct type *const *params,
			    struct node **values)
{
	size_t slot = 0, n = 0, i = 0;
	struct node *array, **last;

	if (!takes_more(l->declared))
		return 0;
	for (const struct syntax *p = l->declared->b; p->next; p = p->next)
		slot++;
	if (!type_is_array(params[slot])) {
		expr_error(b->c, l->declared->at, "`params` needs an array");
		return -1;
	}
	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		if (arg->name.n)
			return 0;
		n += i >= slot;
		if (i == slot && !arg->next && arg->node && conv_implicit(b, arg->node, params[slot]).kind != CONV_NONE)
			return 0;
	}
	if (i < slot)
		return 0;
	array = bind_node(b, N_ARRAY, l->declared->at, params[slot]);
	if (!array)
		return -1;
	last = &array->b;
	i = 0;
	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		if (i < slot)
			continue;
		*last = arg->is_out ? expr_error(b->c, arg->at, "this argument takes no `ref` or `out`")
				    : listed(b, convert(b, arg->node, type_arg(params[slot], 0)));
		if (!*last)
			return -1;
		array->assigns |= (*last)->assigns;
		last = &(*last)->next;
	}
	values[slot] = array;
	return (int)n;
}

/* Arguments of a declared function may have names, and default values stand for those that are missing. */
static bool declared_arguments(struct binder *b, const struct syntax *call, const struct local *l, struct argument *args,
			       const struct type *const *params, struct node **values)
{
	size_t i = 0, n = 0;

	if (spread_arguments(b, l, args, params, values) < 0)
		return false;
	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		const struct syntax *p = l->declared->b;
		size_t slot = 0;

		while (p && !(p->op == KW_params && values[slot]) && (arg->name.n ? !str_eq(p->text, arg->name) : slot < i)) {
			p = p->next;
			slot++;
		}
		if (p && p->op == KW_params && values[slot])
			continue;
		if (!p && arg->name.n)
			return expr_error(b->c, arg->at, "`%.*s` has no parameter `%.*s`", STR_ARG(l->declared->text),
					  STR_ARG(arg->name)) != NULL;
		if (!p || values[slot])
			return expr_error(b->c, arg->at, p ? "this argument does not fit here" : "too many arguments") != NULL;
		values[slot] = ref_argument(b, arg, p->op, params[slot]);
		if (!values[slot])
			return false;
	}
	for (struct syntax *p = l->declared->b; p; p = p->next, n++) {
		if (!values[n] && p->op == KW_params)
			values[n] = bind_node(b, N_ARRAY, call->at, params[n]);
		if (values[n])
			continue;
		if (!p->b)
			return expr_error(b->c, call->at, "the argument `%.*s` of `%.*s` is missing", STR_ARG(p->text),
					  STR_ARG(l->declared->text)) != NULL;
		values[n] = listed(b, bind_to(b, p->b, params[n]));
		if (!values[n])
			return false;
		if (values[n]->kind != N_CONST)
			return expr_error(b->c, p->b->at, "a default value must be a constant") != NULL;
	}
	return true;
}

static bool arguments_of(struct binder *b, const struct syntax *call, const struct local *l, struct argument *args,
			 const struct type *const *params, struct node **values)
{
	struct type_parameter types[TYPE_ARGS_MAX], *outer = b->type_parameters;
	bool ok;

	if (l->instances)
		name_types(b, l->declared, l->instances, types);
	ok = declared_arguments(b, call, l, args, params, values);
	b->type_parameters = outer;
	return ok;
}

static bool plain_arguments(struct binder *b, struct argument *args, const struct type *const *params, struct node **values)
{
	size_t i = 0;

	for (struct argument *arg = args; arg; arg = arg->next, i++) {
		if (arg->is_out || arg->name.n)
			return expr_error(b->c, arg->at, "a function value takes plain arguments") != NULL;
		values[i] = listed(b, convert(b, arg->node, params[i]));
		if (!values[i])
			return false;
	}
	return true;
}

struct node *bind_invoke(struct binder *b, struct syntax *s, struct node *target, struct argument *args, size_t n_args)
{
	const struct type *params[PARAMETERS_MAX], *result;
	struct node *values[PARAMETERS_MAX] = { NULL }, *n, **last;
	struct local *l = target->kind == N_LOCAL && target->local->declared ? target->local : NULL;
	size_t count;

	if (l && l->generic) {
		l = instance(b, s, l, args);
		target = l ? node_local(b, s->at, l) : NULL;
		if (!target)
			return NULL;
	}
	if (!type_is_delegate(target->type) || !delegate_signature(b, target->type, params, &count, &result))
		return expr_error(b->c, s->at, "`%.*s` is no method and cannot be called", STR_ARG(type_name(b, target->type)));
	if (l ? n_args > count && !takes_more(l->declared) : n_args != count)
		return expr_error(b->c, s->at, "this function takes %zu argument%s, not %zu", count, count == 1 ? "" : "s", n_args);
	if (l ? !arguments_of(b, s, l, args, params, values) : !plain_arguments(b, args, params, values))
		return NULL;
	n = bind_node(b, N_INVOKE, s->at, result);
	if (!n)
		return NULL;
	n->a = target;
	n->assigns = true;
	last = &n->b;
	for (size_t i = 0; i < count; i++) {
		*last = values[i];
		last = &values[i]->next;
	}
	return n;
}
