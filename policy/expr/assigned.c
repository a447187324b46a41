/* assigned.c - has a variable a value wherever it is read? (C# 5 specification, 5.3)
 *
 * One walk over the bound nodes in the order in which they run. The state is a set of the variables that have a value on
 * every path to here; "no path comes here" is the full set, so that joining two paths is always an intersection. A condition
 * has two states, one for each outcome: `x is string s && s.Length > 1` gives s its value in the true one.
 *
 * A loop needs no second round: what comes back to its start has a value for all that had one when it was entered. Local
 * functions are looked at as if all variables around them had values, where C# asks for them at each call. That is no danger:
 * whatever might be read too early starts with the zero of its type (gen_scope); this check is about mistakes of authors. */
#include "policy/expr/bind.h"

#include "core/str.h"
#include "policy/expr/lex.h"

enum { TRACKED_MAX = 2048 };         /* variables of one expression; with more the check is left out */

struct set {
	uint64_t *w;
};

struct jump_target {                 /* a loop or switch: what had a value at each of its jumps */
	struct jump_target *outer;
	struct set breaks, continues;
	bool is_loop;
};

struct walk {
	struct binder *b;
	struct set now;
	struct jump_target *target;
	const struct function *function;         /* whose out parameters must have values where it ends */
	size_t words;
	bool stop;                       /* out of memory, or an error was reported */
};

static void value(struct walk *w, const struct node *n);
static void statement(struct walk *w, const struct node *n);

static struct set set_new(struct walk *w)
{
	struct set s = { arena_alloc(w->b->arena, w->words, sizeof(uint64_t)) };
	static uint64_t nothing[TRACKED_MAX / 64 + 1];

	if (!s.w) {
		w->stop = true;
		s.w = nothing;                  /* never read as a result: .stop ends the walk */
	}
	return s;
}

static struct set copy_of(struct walk *w, struct set from)
{
	struct set s = set_new(w);

	if (!w->stop)
		memcpy(s.w, from.w, w->words * sizeof(uint64_t));
	return s;
}

static void join(struct walk *w, struct set into, struct set other)
{
	for (size_t i = 0; i < w->words && !w->stop; i++)
		into.w[i] &= other.w[i];
}

static void unite(struct walk *w, struct set into, struct set other)
{
	for (size_t i = 0; i < w->words && !w->stop; i++)
		into.w[i] |= other.w[i];
}

static struct set full(struct walk *w)
{
	struct set s = set_new(w);

	if (!w->stop)
		memset(s.w, 0xFF, w->words * sizeof(uint64_t));
	return s;
}

static void nobody_comes(struct walk *w)
{
	w->now = full(w);
}

static void mark(struct walk *w, const struct local *l, bool has_value)
{
	uint64_t bit = UINT64_C(1) << (l->index & 63);

	if (!l->tracked || w->stop)
		return;
	if (has_value)
		w->now.w[l->index / 64] |= bit;
	else
		w->now.w[l->index / 64] &= ~bit;
}

static void use(struct walk *w, const struct node *n)
{
	const struct local *l = n->local;

	if (!l->tracked || w->stop || (w->now.w[l->index / 64] >> (l->index & 63) & 1))
		return;
	w->stop = true;
	expr_error(w->b->c, n->at, l->is_out ? "use of unassigned out parameter `%.*s`: give it a value on every path before" :
		   "use of unassigned local variable `%.*s`: give it a value on every path before", STR_ARG(l->name));
}

/* Control leaves the function here. */
static void leave_function(struct walk *w, size_t at)
{
	for (size_t i = 0; w->function && i < w->function->n && !w->stop; i++) {
		const struct local *l = w->function->params[i];

		if (!l->is_out || (w->now.w[l->index / 64] >> (l->index & 63) & 1))
			continue;
		w->stop = true;
		expr_error(w->b->c, at, "the out parameter `%.*s` must be assigned to before control leaves the current function",
			   STR_ARG(l->name));
	}
}

/* ---- values --------------------------------------------------------------------------------------------------------------- */

static bool is_bool_const(const struct node *n, bool which)
{
	return n->kind == N_CONST && n->value.kind == VALUE_BOOL && n->value.b == which;
}

/* *yes and *no: the state after a condition that held, or did not. */
static void condition(struct walk *w, const struct node *n, struct set *yes, struct set *no)
{
	struct set other;

	if (w->stop) {
		*yes = *no = w->now;
		return;
	}
	switch (n->kind) {
	case N_AND:
	case N_OR:
		condition(w, n->a, yes, no);
		other = n->kind == N_AND ? *no : *yes;
		w->now = n->kind == N_AND ? *yes : *no;
		condition(w, n->b, yes, no);
		join(w, n->kind == N_AND ? *no : *yes, other);
		return;
	case N_UNARY:
		if (n->op == '!') {
			condition(w, n->a, no, yes);
			return;
		}
		break;
	case N_SEQUENCE:
		for (n = n->b; n && n->next; n = n->next)
			value(w, n);
		if (n) {
			condition(w, n, yes, no);
			return;
		}
		*yes = *no = w->now;
		return;
	default:
		break;
	}
	value(w, n);
	*yes = is_bool_const(n, false) ? full(w) : copy_of(w, w->now);
	*no = is_bool_const(n, true) ? full(w) : copy_of(w, w->now);
}

static void both_outcomes(struct walk *w, const struct node *n)
{
	struct set yes, no;

	condition(w, n, &yes, &no);
	join(w, yes, no);
	w->now = yes;
}

static void values(struct walk *w, const struct node *list)
{
	for (; list && !w->stop; list = list->next)
		value(w, list);
}

static void call(struct walk *w, const struct node *n)
{
	if (n->a)
		value(w, n->a);
	for (const struct node *arg = n->b; arg; arg = arg->next)
		if (arg->kind != N_LOCAL || arg->op != 1)
			value(w, arg);
	for (const struct node *arg = n->b; arg; arg = arg->next)
		if (arg->kind == N_LOCAL && arg->op)
			mark(w, arg->local, true);
}

static void ternary(struct walk *w, const struct node *n)
{
	struct set yes, no;

	condition(w, n->a, &yes, &no);
	w->now = yes;
	value(w, n->b);
	yes = w->now;
	w->now = no;
	value(w, n->c);
	join(w, w->now, yes);
}

/* The second part runs on one of two paths. */
static void perhaps(struct walk *w, const struct node *first, const struct node *second)
{
	struct set after;

	value(w, first);
	after = copy_of(w, w->now);
	value(w, second);
	w->now = after;
}

static void lambda(struct walk *w, const struct function *f)
{
	struct set outside = w->now;
	struct jump_target *target = w->target;
	const struct function *function = w->function;

	w->now = copy_of(w, outside);
	w->target = NULL;
	w->function = f;
	for (size_t i = 0; i < f->n; i++)
		if (f->params[i]->is_out)
			mark(w, f->params[i], false);
	if (f->is_expression)
		value(w, f->body);
	else
		statement(w, f->body);
	leave_function(w, f->body->at);
	w->now = outside;
	w->target = target;
	w->function = function;
}

static void value(struct walk *w, const struct node *n)
{
	if (w->stop || !n)
		return;
	switch (n->kind) {
	case N_LOCAL: use(w, n); break;
	case N_ASSIGN:
		value(w, n->a);
		mark(w, n->local, !n->flag);
		break;
	case N_CALL: call(w, n); break;
	case N_INVOKE:
		value(w, n->a);
		values(w, n->b);
		for (const struct node *arg = n->b; arg; arg = arg->next)
			if (arg->kind == N_REF && arg->a->kind == N_LOCAL)
				mark(w, arg->a->local, true);
		break;
	case N_REF:
		if (!n->flag || n->a->kind != N_LOCAL)
			value(w, n->a);
		break;
	case N_AND:
	case N_OR: both_outcomes(w, n); break;
	case N_TERNARY: ternary(w, n); break;
	case N_COALESCE:
	case N_CONDITIONAL: perhaps(w, n->a, n->b); break;
	case N_CONCAT:
	case N_ARRAY:
	case N_ANONYMOUS:
	case N_SEQUENCE: values(w, n->b); break;
	case N_LAMBDA: lambda(w, n->function); break;
	case N_THROW:
		value(w, n->a);
		nobody_comes(w);
		break;
	case N_FORMAT: value(w, n->a); break;
	default:
		value(w, n->a);
		value(w, n->b);
		value(w, n->c);
		break;
	}
}

/* ---- statements ----------------------------------------------------------------------------------------------------------- */

static void if_statement(struct walk *w, const struct node *n)
{
	struct set yes, no;

	condition(w, n->a, &yes, &no);
	w->now = yes;
	statement(w, n->b);
	yes = w->now;
	w->now = no;
	if (n->c)
		statement(w, n->c);
	join(w, w->now, yes);
}

static void body(struct walk *w, const struct node *n, struct jump_target *t)
{
	t->outer = w->target;
	w->target = t;
	statement(w, n);
	w->target = t->outer;
}

static void loop(struct walk *w, const struct node *n)
{
	struct jump_target t = { .breaks = full(w), .continues = full(w), .is_loop = true };
	struct set yes = copy_of(w, w->now), no = full(w);

	if (!n->flag && n->a)
		condition(w, n->a, &yes, &no);
	w->now = yes;
	body(w, n->d, &t);
	join(w, w->now, t.continues);
	if (n->flag)
		condition(w, n->a, &yes, &no);
	for (const struct node *s = n->b; s; s = s->next)
		statement(w, s);
	join(w, no, t.breaks);
	w->now = no;
}

static void foreach(struct walk *w, const struct node *n)
{
	struct jump_target t = { .breaks = full(w), .continues = full(w), .is_loop = true };
	struct set before;

	value(w, n->a);
	before = copy_of(w, w->now);
	body(w, n->d, &t);
	w->now = before;
}

static void switch_statement(struct walk *w, const struct node *n)
{
	struct jump_target t = { .breaks = full(w), .continues = full(w) };
	struct set matched[256], missed;
	size_t i = 0;

	value(w, n->a);
	for (const struct node *s = n->b; s; s = s->next, i++) {
		if (i == ARRAY_LEN(matched)) {
			w->stop = true;             /* nobody writes that: not checked */
			return;
		}
		matched[i] = full(w);
		if (s->a) {
			condition(w, s->a, &matched[i], &missed);
			w->now = missed;
		}
	}
	missed = w->now;
	i = 0;
	for (const struct node *s = n->b; s; s = s->next, i++) {
		w->now = copy_of(w, matched[i]);
		if (s->flag)
			join(w, w->now, missed);
		body(w, s->b, &t);
	}
	w->now = t.breaks;
	if (!n->flag)
		join(w, w->now, missed);
}

static void try_statement(struct walk *w, const struct node *n)
{
	struct set before = copy_of(w, w->now), after;

	statement(w, n->a);
	after = w->now;
	for (const struct node *c = n->b; c; c = c->next) {
		struct set yes = copy_of(w, before), no;

		w->now = yes;
		mark(w, c->local, true);
		if (c->a)
			condition(w, c->a, &yes, &no);
		w->now = yes;
		statement(w, c->b);
		join(w, after, w->now);
	}
	if (n->c) {
		w->now = before;
		statement(w, n->c);
		unite(w, after, w->now);
	}
	w->now = after;
}

static void functions(struct walk *w, const struct node *list)
{
	struct set outside = w->now;

	if (!list)
		return;
	w->now = full(w);
	for (; list && !w->stop; list = list->next)
		statement(w, list);
	w->now = outside;
}

static void leave(struct walk *w, bool is_break)
{
	struct jump_target *t = w->target;

	while (t && !is_break && !t->is_loop)
		t = t->outer;
	if (t)
		join(w, is_break ? t->breaks : t->continues, w->now);
	nobody_comes(w);
}

static void block(struct walk *w, const struct node *n)
{
	functions(w, n->c);
	for (const struct node *s = n->b; s && !w->stop; s = s->next)
		statement(w, s);
}

static void statement(struct walk *w, const struct node *n)
{
	if (w->stop)
		return;
	switch (n->kind) {
	case N_BLOCK: block(w, n); break;
	case N_EXPRESSION:
	case N_YIELD:
	case N_BIND_REF: value(w, n->a); break;
	case N_IF: if_statement(w, n); break;
	case N_RETURN:
		value(w, n->a);
		leave_function(w, n->at);
		nobody_comes(w);
		break;
	case N_BREAK: leave(w, true); break;
	case N_CONTINUE: leave(w, false); break;
	case N_RETHROW: nobody_comes(w); break;
	case N_LOOP: loop(w, n); break;
	case N_FOREACH: foreach(w, n); break;
	case N_SWITCH: switch_statement(w, n); break;
	case N_TRY: try_statement(w, n); break;
	default: break;
	}
}

bool assigned_check(struct binder *b, const struct function *f)
{
	struct walk w = { .b = b, .words = b->n_tracked / 64 + 1 };

	if (b->n_tracked == 0 || b->n_tracked > TRACKED_MAX)
		return true;
	w.now = set_new(&w);
	if (w.stop)
		return expr_error(b->c, 0, "out of memory");
	if (f->is_expression)
		value(&w, f->body);
	else
		statement(&w, f->body);
	return b->c->errors == 0;
}
