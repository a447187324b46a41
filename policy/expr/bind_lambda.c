/* bind_lambda.c - lambdas, method groups and whatever else takes its type from where it is put. */
#include "core/str.h"
#include "policy/expr/bind.h"
#include "policy/expr/lex.h"

bool delegate_signature(struct binder *b, const struct type *t, const struct type **params, size_t *n,
			const struct type **result)
{
	const struct member *m = class_member(t->cls, STR("Invoke"));

	if (!m)
		return false;
	for (size_t i = 0; i < m->n; i++)
		params[i] = type_put_in(b->arena, m->params[i].type, t->args, NULL);
	*n = m->n;
	*result = type_put_in(b->arena, m->type, t->args, NULL);
	return true;
}

struct function *function_new(struct binder *b, const struct type *result)
{
	struct function *f = arena_new_of(b->arena, struct function);

	if (!f)
		return expr_error(b->c, 0, "out of memory");
	f->parent = b->function;
	f->result = result;
	f->checked = b->function ? b->function->checked : false;
	f->unchecked = b->function ? b->function->unchecked : false;
	return f;
}

const struct type *common_type(struct binder *b, struct node *const *list, const struct type *const *types, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct type *t = list ? list[i]->type : types[i];
		bool all = t->kind == TYPE_CLASS;

		for (size_t k = 0; all && k < n; k++)
			all = k == i || (list ? conv_implicit(b, list[k], t) : conv_of_type(b, types[k], t)).kind != CONV_NONE;
		if (all)
			return t;
	}
	for (size_t i = 0; i < n; i++)          /* null and int: int? */
		if ((list ? list[i]->type : types[i])->kind == TYPE_NULL)
			for (size_t k = 0; k < n; k++) {
				const struct type *t = list ? list[k]->type : types[k];

				if (t->kind == TYPE_CLASS && type_is_value(t) && n == 2 && !list)
					return type_nullable_of(b->arena, t);
			}
	return NULL;
}

/* ---- the body ------------------------------------------------------------------------------------------------------------- */

/* A query's variables: members of the one parameter that stands for all of them. */
static bool range_names(struct binder *b, const struct syntax *p, struct local *param)
{
	for (const struct syntax *name = p->c; name; name = name->next) {
		const struct type *owner;
		const struct member *m = find_property(b, param->type, name->text, false, &owner);
		struct local *l = m ? local_new(b, name->at, name->text, m->type) : NULL;

		if (!l)
			return m ? false : expr_error(b->c, name->at, "`%.*s` is not known here", STR_ARG(name->text)) != NULL;
		l->range = param;
		l->member = m;
		l->owner_type = owner;
		l->read_only = true;
	}
	return true;
}

static bool add_params(struct binder *b, struct syntax *s, struct function *f, const struct type *const *params, size_t n)
{
	size_t i = 0;

	for (struct syntax *p = s->a; p; p = p->next, i++) {
		const struct type *t;

		if (i == n)
			return expr_error(b->c, s->at, "the lambda takes more than %zu parameter%s", n, n == 1 ? "" : "s");
		t = params[i];
		if (p->a) {
			const struct type *written = bind_type(b, p->a);

			if (!written)
				return false;
			if (!type_eq(written, t))
				return expr_error(b->c, p->at, "the parameter `%.*s` must be a `%.*s`", STR_ARG(p->text),
						  STR_ARG(type_name(b, t)));
		}
		if (str_eq(p->text, STR("_")))
			f->params[i] = local_new(b, p->at, STR_NULL, t);
		else
			f->params[i] = local_new(b, p->at, p->text, t);
		if (f->params[i] && (p->op == KW_ref || p->op == KW_out))
			f->params[i]->by_ref = f->params[i]->captured = true;
		if (f->params[i] && p->op == KW_out) {
			f->params[i]->is_out = true;
			local_track(b, f->params[i]);
		}
		if (!f->params[i] || !range_names(b, p, f->params[i]))
			return false;
	}
	f->n = n;
	return i == n ? true : expr_error(b->c, s->at, "the lambda takes %zu parameter%s, here it must take %zu", i,
					  i == 1 ? "" : "s", n) != NULL;
}

static bool expression_body(struct binder *b, struct function *f, struct syntax *body, const struct type **inferred)
{
	struct node *v = bind_expr(b, body);

	if (!v)
		return false;
	if (v->kind == N_TYPE || v->kind == N_NAMESPACE)
		return bind_value(b, body) != NULL;
	f->is_expression = true;
	if (f->result && f->result->kind != TYPE_VOID) {
		v = convert(b, v, f->result);
	} else if (!f->result) {
		if (v->type == &type_open && v->kind == N_OPEN && v->syntax->kind == SX_LAMBDA)
			return false;
		*inferred = v->type->kind == TYPE_CLASS || v->type->kind == TYPE_VOID ? v->type : NULL;
		f->result = v->type;
	}
	f->body = v;
	return v != NULL;
}

static bool block_body(struct binder *b, struct function *f, struct syntax *body, const struct type **inferred)
{
	bool infer = f->result == NULL;

	f->body = bind_statement(b, body);
	if (!f->body)
		return false;
	if (infer) {
		f->result = f->n_inferred ? common_type(b, NULL, f->inferred, f->n_inferred) : &type_void;
		if (!f->result)
			return expr_error(b->c, body->at, "the results of this lambda have no type in common");
		*inferred = f->result;
		for (size_t i = 0; i < f->n_inferred; i++)
			if (f->returned[i]->a && !(f->returned[i]->a = convert(b, f->returned[i]->a, f->result)))
				return false;
	}
	if (f->result->kind != TYPE_VOID && !f->generator && flow_ends(f->body))
		return expr_error(b->c, body->at, "not every path of this lambda returns a value");
	return true;
}

struct node *bind_lambda(struct binder *b, struct syntax *s, const struct type *const *params, size_t n,
			 const struct type *result, const struct type *delegate, const struct type **inferred)
{
	struct function *f, *outer = b->function;
	struct node *node;
	const struct type *found = NULL;
	bool ok;

	if (delegate && s->bound && s->bound_type && type_eq(s->bound_type, delegate))
		return s->bound;
	if (++b->tries > LAMBDA_TRIES_MAX)
		return expr_error(b->c, s->at, "too many ways to read these nested lambdas; give their parameters types");
	f = function_new(b, result);
	if (!f)
		return NULL;
	f->scope = scope_enter(b);
	if (!f->scope)
		return NULL;
	b->function = f;
	f->is_local = s->flag;
	ok = add_params(b, s, f, params, n) &&
	     (s->b->kind == SX_BLOCK ? block_body(b, f, s->b, &found) : expression_body(b, f, s->b, &found));
	scope_leave(b);
	b->function = outer;
	if (inferred)
		*inferred = ok ? found : NULL;
	node = ok ? bind_node(b, N_LAMBDA, s->at, delegate ? delegate : &type_open) : NULL;
	if (!node)
		return NULL;
	node->function = f;
	node->tested = found;
	node->assigns = true;
	if (delegate && !b->c->quiet) {
		s->bound = node;
		s->bound_type = delegate;
	}
	return node;
}

/* ---- method groups -------------------------------------------------------------------------------------------------------- */

/* `Select(int.Parse)`: a function whose body is the call. */
static struct node *method_group(struct binder *b, struct node *group, const struct type *const *params, size_t n,
				 const struct type *result, const struct type *delegate)
{
	struct candidate *list;
	struct argument args[PARAMETERS_MAX] = { 0 };
	struct function *f = function_new(b, result), *outer = b->function;
	struct node *call = NULL, *node;
	size_t found;

	list = collect_methods(b, group->tested, group->text, MEMBER_METHOD, group->a == NULL, &found);
	if (!f || !(f->scope = scope_enter(b)))
		return NULL;
	b->function = f;
	for (size_t i = 0; i < n; i++) {
		f->params[i] = local_new(b, group->at, STR_NULL, params[i]);
		args[i].node = f->params[i] ? node_local(b, group->at, f->params[i]) : NULL;
		args[i].at = group->at;
		args[i].next = i + 1 < n ? &args[i + 1] : NULL;
		if (!args[i].node)
			found = 0;
	}
	f->n = n;
	f->is_expression = true;
	if (found)
		call = bind_overload(b, group->at, arena_printf(b->arena, "`%.*s`", STR_ARG(group->text)), list, found,
				     n ? args : NULL, n, group->a);
	node = call ? bind_node(b, N_LAMBDA, group->at, delegate) : NULL;
	if (node) {
		node->tested = call->type;
		node->function = f;
		f->body = type_has_parameters(result) || result->kind == TYPE_VOID ? call : convert(b, call, result);
		if (!f->body)
			node = NULL;
	}
	scope_leave(b);
	b->function = outer;
	return node;
}

struct node *bind_open(struct binder *b, struct node *open, const struct type *to)
{
	const struct type *params[PARAMETERS_MAX], *result;
	size_t n;

	if (open->kind == N_OPEN && open->syntax->kind == SX_DEFAULT)
		return node_const(b, open->at, to, type_default(to));
	if (open->kind == N_OPEN && open->syntax->kind == SX_TUPLE)
		return tuple_converts(b, open, to) ? tuple_convert(b, open, to) : NULL;
	if (!type_is_delegate(to) || !delegate_signature(b, to, params, &n, &result))
		return NULL;
	if (open->kind == N_METHODS)
		return method_group(b, open, params, n, result, to);
	if (open->kind != N_OPEN)
		return NULL;
	return bind_lambda(b, open->syntax, params, n, result, to, NULL);
}
