/* bind_stmt.c - statements. `using`, `foreach` and `switch` are made of simpler nodes here, so that gen.c knows few kinds. */
#include "core/str.h"
#include "policy/expr/bind_stmt.h"
#include "policy/expr/lex.h"

struct node *stmt_block_new(struct binder *b, size_t at)
{
	struct node *n = bind_node(b, N_BLOCK, at, &type_void);

	if (!n || !(n->scope = scope_enter(b)))
		return NULL;
	return n;
}

struct node *stmt_of(struct binder *b, struct node *value)
{
	struct node *n = value ? bind_node(b, N_EXPRESSION, value->at, &type_void) : NULL;

	if (n)
		n->a = value;
	return n;
}

struct local *bind_pattern(struct binder *b, size_t at, struct str name, const struct type *t)
{
	struct local *l = local_new(b, at, name, t);

	local_track(b, l);
	return l;
}

/* ---- declarations --------------------------------------------------------------------------------------------------------- */

/* `int x;`: set to zero each time it comes by, but to be assigned before it is read. */
static struct node *without_value(struct binder *b, size_t at, struct local *l)
{
	struct node *n = node_assign(b, at, l, node_const(b, at, l->type, type_default(l->type)));

	local_track(b, l);
	if (n)
		n->flag = true;
	return stmt_of(b, n);
}

static struct node *declarator(struct binder *b, struct syntax *s, struct syntax *d)
{
	const struct type *t = s->a ? bind_type(b, s->a) : NULL;
	struct node *value = NULL;
	struct local *l;

	if (s->a && !t)
		return NULL;
	if (d->a) {
		value = t ? bind_to(b, d->a, t) : bind_value(b, d->a);
		if (!value)
			return NULL;
	} else if (!s->a || s->flag) {
		return expr_error(b->c, d->at, "`%.*s` needs a value: `%s %.*s = …;`", STR_ARG(d->text), s->a ? "const" : "var",
				  STR_ARG(d->text));
	}
	if (!t) {
		t = value->type;
		if (t == &type_null || t == &type_open)
			return expr_error(b->c, d->at, "the type of `%.*s` cannot be found from %s; write it instead of `var`",
					  STR_ARG(d->text), t == &type_null ? "null" : "a lambda");
		if (t->kind == TYPE_VOID)
			return expr_error(b->c, d->at, "this call returns nothing: `%.*s` would have no value", STR_ARG(d->text));
	}
	if (t->kind == TYPE_VOID)
		return expr_error(b->c, d->at, "a variable cannot be void");
	l = local_new(b, d->at, d->text, t);
	if (!l)
		return NULL;
	if (s->flag) {
		if (value->kind != N_CONST)
			return expr_error(b->c, d->at, "the value of a constant must be known when the document is loaded");
		l->is_const = true;
		l->constant = value->value;
		return bind_node(b, N_NOTHING, d->at, &type_void);
	}
	l->origin = value;
	if (!value)
		return without_value(b, d->at, l);
	return stmt_of(b, node_assign(b, d->at, l, value));
}

struct node *stmt_local(struct binder *b, struct syntax *s)
{
	struct node *first = NULL, **last = &first;
	struct node *n;

	if (s->op == KW_ref)
		return stmt_ref_local(b, s);
	for (struct syntax *d = s->b; d; d = d->next) {
		*last = declarator(b, s, d);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	if (!first->next)
		return first;
	n = bind_node(b, N_BLOCK, s->at, &type_void);    /* without a scope of its own */
	if (n)
		n->b = first;
	return n;
}

/* ---- blocks --------------------------------------------------------------------------------------------------------------- */

bool stmt_add(struct binder *b, struct node *block, struct syntax *list)
{
	struct node **last = &block->b, **functions = &block->c;

	while (*last)
		last = &(*last)->next;
	if (!declare_functions(b, block, list))
		return false;
	for (; list; list = list->next) {
		struct node *n = bind_statement(b, list);

		if (!n)
			return false;
		if (list->kind == SX_FUNCTION) {
			*functions = n;
			functions = &n->next;
			continue;
		}
		*last = n;
		last = &n->next;
	}
	return true;
}

struct node *bind_statements(struct binder *b, struct syntax *list, size_t at)
{
	struct node *n = stmt_block_new(b, at);
	bool ok;

	if (!n)
		return NULL;
	ok = stmt_add(b, n, list);
	scope_leave(b);
	return ok ? n : NULL;
}

struct node *stmt_block(struct binder *b, struct syntax *s)
{
	bool was = b->function->checked, unchecked = b->function->unchecked;
	struct node *n;

	if (s->flag) {
		b->function->checked = s->op == KW_checked;
		b->function->unchecked = !b->function->checked;
	}
	n = bind_statements(b, s->a, s->at);
	b->function->checked = was;
	b->function->unchecked = unchecked;
	return n;
}

/* A statement that is the body of another: its variables are its own. */
struct node *stmt_embedded(struct binder *b, struct syntax *s)
{
	if (s->kind == SX_LOCAL || s->kind == SX_FUNCTION)
		return expr_error(b->c, s->at, "a declaration here needs `{ … }` around it");
	return s->kind == SX_BLOCK ? stmt_block(b, s) : bind_statements(b, s, s->at);
}


/* ---- simple statements ---------------------------------------------------------------------------------------------------- */

static struct node *expression(struct binder *b, struct syntax *s)
{
	static const enum syntax_kind allowed[] = { SX_CALL, SX_ASSIGN, SX_UNARY, SX_NEW, SX_CONDITIONAL, SX_THROW_EXPR };
	bool ok = false;
	struct node *n;

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		ok |= s->a->kind == allowed[i];
	if (s->a->kind == SX_UNARY)
		ok = s->a->op == P2('+', '+') || s->a->op == P2('-', '-');
	if (s->a->kind == SX_CONDITIONAL)
		ok = s->a->b->kind == SX_CALL || s->a->b->kind == SX_CONDITIONAL;
	if (!ok)
		return expr_error(b->c, s->at, "this value is not used: only calls, assignments and `new` are statements");
	n = bind_value(b, s->a);
	return stmt_of(b, n);
}

static struct node *if_statement(struct binder *b, struct syntax *s)
{
	struct node *n = bind_node(b, N_IF, s->at, &type_void);

	if (!n || !(n->a = bind_condition(b, s->a)) || !(n->b = stmt_embedded(b, s->b)) || (s->c && !(n->c = stmt_embedded(b, s->c))))
		return NULL;
	return n;
}

static struct node *jump(struct binder *b, struct syntax *s)
{
	bool is_break = s->kind == SX_BREAK;

	if (!b->function->loops && !(is_break && b->function->switches))
		return expr_error(b->c, s->at, is_break ? "`break` stands in a loop or a switch only" :
				  "`continue` stands in a loop only");
	return bind_node(b, is_break ? N_BREAK : N_CONTINUE, s->at, &type_void);
}

static struct node *return_statement(struct binder *b, struct syntax *s)
{
	struct function *f = b->function;
	struct node *n = bind_node(b, N_RETURN, s->at, &type_void);

	if (!n)
		return NULL;
	if (f->generator)
		return expr_error(b->c, s->at, "a function with `yield return` ends with `yield break;`, not with `return`");
	f->returns = true;
	if (f->finallys)
		return expr_error(b->c, s->at, "`return` cannot leave a finally block");
	if (!s->a) {
		if (f->result && f->result->kind != TYPE_VOID)
			return expr_error(b->c, s->at, "`return` needs a value here");
		return n;
	}
	if (f->result && f->result->kind == TYPE_VOID)
		return expr_error(b->c, s->at, "this function returns nothing");
	n->a = f->result ? bind_to(b, s->a, f->result) : bind_value(b, s->a);
	if (!n->a)
		return NULL;
	if (!f->result) {
		if (f->n_inferred == ARRAY_LEN(f->inferred))
			return expr_error(b->c, s->at, "more than %zu returns in one lambda", ARRAY_LEN(f->inferred));
		f->inferred[f->n_inferred] = n->a->type;
		f->returned[f->n_inferred++] = n;
	}
	return n;
}

/* What a function with `yield` gives: the type of its elements; NULL: no sequence. */
static const struct type *yielded(const struct type *t)
{
	static const char *const of_one[] = { "IEnumerable", "IEnumerator" };

	for (size_t i = 0; t && t->kind == TYPE_CLASS && t->n <= 1 && i < ARRAY_LEN(of_one); i++)
		if (t->cls == class_find(str_of(of_one[i]), t->n))
			return t->n ? t->args[0] : &type_object;
	return NULL;
}

static struct node *yield_statement(struct binder *b, struct syntax *s)
{
	struct function *f = b->function;
	const struct type *item = f->is_local ? yielded(f->result) : NULL;
	struct node *n;

	if (!f->is_local)
		return expr_error(b->c, s->at, "`yield` stands in a local function only");
	if (!item)
		return expr_error(b->c, s->at, "a function with `yield` returns IEnumerable<T> or IEnumerator<T>");
	if (f->returns)
		return expr_error(b->c, s->at, "a function with `yield return` ends with `yield break;`, not with `return`");
	f->generator = true;
	if (!s->a)
		return f->finallys ? expr_error(b->c, s->at, "`yield break` cannot leave a finally block")
				   : bind_node(b, N_RETURN, s->at, &type_void);
	if (f->tries)
		return expr_error(b->c, s->at, "`yield return` cannot stand in a try or using block; fill a List<T> there");
	n = bind_node(b, N_YIELD, s->at, &type_void);
	return n && (n->a = bind_to(b, s->a, item)) ? n : NULL;
}

static struct node *throw_statement(struct binder *b, struct syntax *s)
{
	struct node *n;

	if (!s->a) {
		if (!b->catches)
			return expr_error(b->c, s->at, "`throw;` stands in a catch block only");
		return bind_node(b, N_RETHROW, s->at, &type_void);
	}
	n = bind_node(b, N_THROW, s->at, &type_throw);
	if (!n || !(n->a = bind_to(b, s->a, &type_exception)))
		return NULL;
	return stmt_of(b, n);
}

static struct node *empty(struct binder *b, struct syntax *s)
{
	return bind_node(b, N_NOTHING, s->at, &type_void);
}

/* ---- loops ---------------------------------------------------------------------------------------------------------------- */

static struct node *body(struct binder *b, struct syntax *s)
{
	struct node *n;

	b->function->loops++;
	n = stmt_embedded(b, s);
	b->function->loops--;
	return n;
}

static struct node *while_parts(struct binder *b, struct syntax *s, struct node *outer)
{
	struct node *n = bind_node(b, N_LOOP, s->at, &type_void);

	if (!n)
		return NULL;
	outer->b = n;
	n->flag = s->kind == SX_DO;
	if (n->flag && !(n->d = body(b, s->d)))
		return NULL;
	n->a = bind_condition(b, s->a);
	if (!n->a || (!n->flag && !(n->d = body(b, s->d))))
		return NULL;
	return outer;
}

/* What the condition declares is seen in the loop only. */
static struct node *while_statement(struct binder *b, struct syntax *s)
{
	struct node *outer = stmt_block_new(b, s->at), *n;

	if (!outer)
		return NULL;
	n = while_parts(b, s, outer);
	scope_leave(b);
	return n;
}

static struct node *for_parts(struct binder *b, struct syntax *s, struct node *outer)
{
	struct node *n = bind_node(b, N_LOOP, s->at, &type_void), **last = &outer->b;

	if (!n)
		return NULL;
	for (struct syntax *init = s->a; init; init = init->next) {
		*last = bind_statement(b, init);
		if (!*last)
			return NULL;
		last = &(*last)->next;
		if (init->kind == SX_LOCAL)
			break;
	}
	if (s->b && !(n->a = bind_condition(b, s->b)))
		return NULL;
	n->d = body(b, s->d);
	if (!n->d)
		return NULL;
	*last = n;
	last = &n->b;
	for (struct syntax *step = s->c; step; step = step->next) {
		*last = expression(b, step);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	return outer;
}

static struct node *for_statement(struct binder *b, struct syntax *s)
{
	struct node *outer = stmt_block_new(b, s->at), *n;

	if (!outer)
		return NULL;
	n = for_parts(b, s, outer);
	scope_leave(b);
	return n;
}

static struct node *foreach_body(struct binder *b, struct syntax *s, struct local *item)
{
	struct node *inner = stmt_block_new(b, s->at), *value;
	const struct type *t = item->type;
	struct local *l;

	if (!inner)
		return NULL;
	if (s->c) {
		inner->b = tuple_take(b, s->c, s->at, node_local(b, s->at, item));
		goto body;
	}
	if (s->a && !(t = bind_type(b, s->a)))
		goto failed;
	value = convert_explicit(b, node_local(b, s->at, item), t, s->at);
	l = value ? local_new(b, s->at, s->text, t) : NULL;
	if (!l)
		goto failed;
	inner->b = stmt_of(b, node_assign(b, s->at, l, value));
	l->read_only = true;
body:
	if (!inner->b)
		goto failed;
	inner->b->next = body(b, s->d);
	scope_leave(b);
	return inner->b->next ? inner : NULL;
failed:
	scope_leave(b);
	return NULL;
}

static struct node *foreach_statement(struct binder *b, struct syntax *s)
{
	struct node *n = bind_node(b, N_FOREACH, s->at, &type_void), *outer = stmt_block_new(b, s->at);
	const struct type *item;

	if (!n || !outer)
		return NULL;
	n->a = bind_value(b, s->b);
	if (!n->a)
		goto failed;
	item = n->a->type->kind == TYPE_CLASS ? type_item(b->arena, n->a->type) : NULL;
	if (!item) {
		expr_error(b->c, s->b->at, "`%.*s` cannot be enumerated with foreach", STR_ARG(type_name(b, n->a->type)));
		goto failed;
	}
	n->local = local_new(b, s->at, STR_NULL, item);
	n->d = n->local ? foreach_body(b, s, n->local) : NULL;
	if (!n->d)
		goto failed;
	scope_leave(b);
	outer->b = n;
	return outer;
failed:
	scope_leave(b);
	return NULL;
}

struct node *bind_statement(struct binder *b, struct syntax *s)
{
	static struct node *(*const binders[])(struct binder *, struct syntax *) = {
		[SX_BLOCK] = stmt_block, [SX_LOCAL] = stmt_local, [SX_DECONSTRUCT] = stmt_deconstruct,
		[SX_EXPRESSION] = expression, [SX_IF] = if_statement, [SX_FOR] = for_statement,
		[SX_FOREACH] = foreach_statement, [SX_WHILE] = while_statement, [SX_DO] = while_statement,
		[SX_SWITCH] = stmt_switch, [SX_BREAK] = jump, [SX_CONTINUE] = jump, [SX_RETURN] = return_statement,
		[SX_THROW] = throw_statement, [SX_TRY] = stmt_try, [SX_USING] = stmt_using,
		[SX_FUNCTION] = stmt_function, [SX_YIELD] = yield_statement, [SX_EMPTY] = empty,
	};

	if (s->kind >= ARRAY_LEN(binders) || !binders[s->kind])
		return expr_error(b->c, s->at, "this cannot stand here as a statement");
	return binders[s->kind](b, s);
}

struct function *bind_source(struct binder *b, struct syntax *s)
{
	struct function *f = function_new(b, &type_object);

	if (!f)
		return NULL;
	b->function = f;
	f->scope = scope_enter(b);
	if (!f->scope)
		return NULL;
	if (s->kind == SX_BLOCK) {
		f->body = bind_statement(b, s);
		if (f->body && flow_ends(f->body))
			return expr_error(b->c, s->at, "not every path of `@{ … }` ends with `return`");
	} else {
		f->is_expression = true;
		f->body = bind_value(b, s);
		if (f->body)
			f->body = convert(b, f->body, &type_object);
	}
	return f->body && assigned_check(b, f) ? f : NULL;
}
