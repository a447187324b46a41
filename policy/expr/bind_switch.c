/* bind_switch.c - switch, try and using. */
#include "core/str.h"
#include "policy/expr/bind_stmt.h"

/* ---- switch --------------------------------------------------------------------------------------------------------------- */

/* What makes a label match, with its `when`. */
static struct node *label_condition(struct binder *b, struct syntax *label, struct local *value)
{
	struct node *test, *when, *both;
	struct syntax is = { .kind = SX_IS, .at = label->at, .b = label->b, .text2 = label->text2, .c = label->a };
	struct syntax name = { .kind = SX_RECEIVER, .at = label->at };

	is.a = &name;
	if (label->b && str_eq(label->b->text, STR("var")) && !label->b->n) {
		struct local *l = bind_pattern(b, label->at, label->text2, value->type);
		struct node *set = l ? node_assign(b, label->at, l, node_local(b, label->at, value)) : NULL;

		test = set ? bind_node(b, N_SEQUENCE, label->at, &type_bool) : NULL;
		if (!test || !(set->next = node_const(b, label->at, &type_bool, value_bool(true))))
			return NULL;
		test->b = set;
		test->assigns = true;
	} else if (label->a) {
		struct node *constant = bind_value(b, label->a);

		if (!constant)
			return NULL;
		if (constant->kind != N_CONST)
			return expr_error(b->c, label->at, "`case` takes a constant or a type with a name");
		if (type_is(value->type, &class_object) && constant->type != &type_null)
			goto pattern;
		if (constant->type != &type_null)
			constant = convert(b, constant, value->type);
		test = constant ? equal_of(b, label->at, false, node_local(b, label->at, value), constant) : NULL;
	} else {
pattern:
		if (b->n_receivers == ARRAY_LEN(b->receiver))
			return expr_error(b->c, label->at, "nested too deeply");
		b->receiver[b->n_receivers++] = node_local(b, label->at, value);
		test = bind_expr(b, &is);
		b->n_receivers--;
	}
	if (!test || !label->c)
		return test;
	when = bind_condition(b, label->c);
	both = when ? bind_node(b, N_AND, label->at, &type_bool) : NULL;
	if (!both)
		return NULL;
	both->a = test;
	both->b = when;
	both->assigns = true;
	return both;
}

static struct node *section(struct binder *b, struct syntax *s, struct local *value)
{
	struct node *n = bind_node(b, N_SECTION, s->at, &type_void), *block_node;
	struct local *before = b->scope->locals, *patterns;
	bool is_default = false;

	if (!n)
		return NULL;
	for (struct syntax *label = s->a; label; label = label->next) {
		struct node *test, *either;

		if (!label->a && !label->b) {
			is_default = true;
			continue;
		}
		test = label_condition(b, label, value);
		if (!test)
			return NULL;
		if (n->a) {
			either = bind_node(b, N_OR, s->at, &type_bool);
			if (!either)
				return NULL;
			either->a = n->a;
			either->b = test;
			either->assigns = true;
			test = either;
		}
		n->a = test;
	}
	n->flag = is_default;
	patterns = b->scope->locals;
	block_node = bind_node(b, N_BLOCK, s->at, &type_void);
	if (!block_node || !stmt_add(b, block_node, s->b))
		return NULL;
	if (flow_ends(block_node))
		return expr_error(b->c, s->at, "a section of a switch must end with `break`, `return`, `continue` or `throw`");
	n->b = block_node;
	/* what a section declares is known in the sections behind it, but has no value there; names of its patterns end here */
	for (struct local *l = b->scope->locals; l != patterns; l = l->next)
		local_track(b, l);
	for (struct local *l = patterns; l != before; l = l->next)
		l->hidden = true;
	return n;
}

static bool sections(struct binder *b, struct syntax *s, struct node *n)
{
	struct node **last = &n->b;
	bool has_default = false;

	for (struct syntax *one = s->b; one; one = one->next) {
		*last = section(b, one, n->local);
		if (!*last)
			return false;
		if ((*last)->flag && has_default)
			return expr_error(b->c, one->at, "`default` stands twice");
		has_default |= (*last)->flag;
		last = &(*last)->next;
	}
	n->flag = has_default;
	return true;
}

struct node *stmt_switch(struct binder *b, struct syntax *s)
{
	struct node *outer = stmt_block_new(b, s->at), *n = bind_node(b, N_SWITCH, s->at, &type_void), *value;
	bool ok = false;

	if (!outer || !n)
		return NULL;
	value = bind_value(b, s->a);
	if (value && value->type->kind != TYPE_CLASS)
		value = expr_error(b->c, s->a->at, "`switch` needs a value");
	n->local = value ? local_new(b, s->at, STR_NULL, value->type) : NULL;
	n->a = n->local ? node_assign(b, s->at, n->local, value) : NULL;
	if (n->a) {
		b->function->switches++;
		ok = sections(b, s, n);
		b->function->switches--;
	}
	scope_leave(b);
	outer->b = n;
	return ok ? outer : NULL;
}

/* ---- try, using ----------------------------------------------------------------------------------------------------------- */

static struct node *catch_clause(struct binder *b, struct syntax *s)
{
	struct node *n = bind_node(b, N_CATCH, s->at, &type_void), *outer = stmt_block_new(b, s->at);
	const struct type *t = &type_exception;
	bool ok = n && outer;

	if (!ok)
		return NULL;
	if (s->a) {
		t = bind_type(b, s->a);
		if (t && !type_derives(b->arena, t, &type_exception))
			t = expr_error(b->c, s->a->at, "`%.*s` is no exception", STR_ARG(type_name(b, t)));
	}
	n->tested = t;
	if (t)
		n->local = local_new(b, s->at, s->text.n ? s->text : STR_NULL, t);
	ok = n->local != NULL;
	if (ok && s->b)
		ok = (n->a = bind_condition(b, s->b)) != NULL;
	if (ok) {
		b->catches++;
		ok = (n->b = stmt_block(b, s->c)) != NULL;
		b->catches--;
	}
	n->scope = outer->scope;
	scope_leave(b);
	return ok ? n : NULL;
}

static struct node *try_parts(struct binder *b, struct syntax *s)
{
	struct node *n = bind_node(b, N_TRY, s->at, &type_void), **last;

	if (!n || !(n->a = stmt_block(b, s->a)))
		return NULL;
	last = &n->b;
	for (struct syntax *c = s->b; c; c = c->next) {
		*last = catch_clause(b, c);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	if (s->c) {
		b->function->finallys++;
		n->c = stmt_block(b, s->c);
		b->function->finallys--;
		if (!n->c)
			return NULL;
	}
	return n;
}

struct node *stmt_try(struct binder *b, struct syntax *s)
{
	struct node *n;

	b->function->tries++;
	n = try_parts(b, s);
	b->function->tries--;
	return n;
}

/* Dispose(), when the type has it: most crypto classes here have nothing to give back. */
static struct node *dispose(struct binder *b, size_t at, struct local *l)
{
	struct node *n = bind_node(b, N_BLOCK, at, &type_void), *test, *call;
	size_t found;
	struct candidate *list = collect_methods(b, l->type, STR("Dispose"), MEMBER_METHOD, false, &found);

	if (!n || !found)
		return n;
	call = bind_overload(b, at, STR("`Dispose`"), list, found, NULL, 0, node_local(b, at, l));
	test = bind_node(b, N_IF, at, &type_void);
	if (!call || !test)
		return NULL;
	test->a = equal_of(b, at, true, node_local(b, at, l), node_const(b, at, &type_null, VALUE_NULL_INIT));
	test->b = stmt_of(b, call);
	n->b = test;
	return test->a && test->b ? n : NULL;
}

static struct node *using_parts(struct binder *b, struct syntax *s, struct node *outer)
{
	struct node *try = bind_node(b, N_TRY, s->at, &type_void);
	struct local *l;

	if (!try)
		return NULL;
	if (s->a->kind == SX_LOCAL) {
		outer->b = stmt_local(b, s->a);
		if (!outer->b)
			return NULL;
		l = local_find(b, s->a->b->text);
	} else {
		struct node *value = bind_value(b, s->a);

		l = value ? local_new(b, s->at, STR_NULL, value->type) : NULL;
		outer->b = l ? stmt_of(b, node_assign(b, s->at, l, value)) : NULL;
		if (!outer->b)
			return NULL;
	}
	try->a = stmt_embedded(b, s->b);
	try->c = try->a ? dispose(b, s->at, l) : NULL;
	if (!try->c)
		return NULL;
	outer->b->next = try;
	return outer;
}

struct node *stmt_using(struct binder *b, struct syntax *s)
{
	struct node *outer = stmt_block_new(b, s->at), *n;

	if (!outer)
		return NULL;
	b->function->tries++;
	n = using_parts(b, s, outer);
	b->function->tries--;
	scope_leave(b);
	return n;
}
