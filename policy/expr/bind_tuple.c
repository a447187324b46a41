/* bind_tuple.c - tuples: literals, their conversions, names of elements, and taking values apart.
 *
 * At run time a tuple is a ValueTuple; names of its elements live in the compiler's types only (type.names). A literal keeps
 * its elements as they were bound, so that `(byte, string) t = (1, null)` converts each of them and not a finished tuple. */
#include "core/str.h"
#include "policy/expr/bind_place.h"
#include "policy/expr/bind_stmt.h"
#include "policy/expr/lex.h"

/* ---- elements ------------------------------------------------------------------------------------------------------------- */

static size_t count(const struct node *list)
{
	size_t n = 0;

	for (; list; list = list->next)
		n++;
	return n;
}

static struct node *alone(struct binder *b, const struct node *n)
{
	struct node *copy = bind_node(b, n->kind, n->at, n->type);

	if (copy) {
		*copy = *n;
		copy->next = NULL;
	}
	return copy;
}

bool node_is_tuple(const struct node *n)
{
	return (n->kind == N_OPEN || n->kind == N_CALL) && n->syntax && n->syntax->kind == SX_TUPLE;
}

static bool is_item_name(struct str s)
{
	return str_starts(s, STR("Item")) && s.n > 4 && ascii_is_digit(s.p[4]);
}

/* Written names, else those of the variables and members that stand there (C# 7.1); what is not unique has none. */
static const struct str *names_of(struct binder *b, const struct syntax *elements, size_t n, bool *ok)
{
	struct str *names = arena_alloc(b->arena, n, sizeof(*names));
	const struct syntax *s = elements;
	bool any = false;

	*ok = names != NULL;
	for (size_t i = 0; names && i < n; i++, s = s->next) {
		const struct syntax *e = s->a;

		if (e && e->kind == SX_CONDITIONAL)
			e = e->b;
		names[i] = s->text;
		if (!s->text.n && e && (e->kind == SX_NAME || e->kind == SX_MEMBER) && !is_item_name(e->text) &&
		    !str_eq(e->text, STR("_")))
			names[i] = e->text;
		for (size_t k = 0; k < i; k++) {
			if (!names[i].n || !str_eq(names[i], names[k]))
				continue;
			if (s->text.n)
				*ok = expr_error(b->c, s->at, "`%.*s` stands twice in this tuple", STR_ARG(s->text)) != NULL;
			names[i] = names[k] = STR_NULL;
		}
		any |= names[i].n > 0;
	}
	return any ? names : NULL;
}

static struct node *make(struct binder *b, size_t at, const struct type *t, struct node *elements, struct syntax *s)
{
	struct candidate one = { .owner = t, .member = class_member(t->cls, STR(".ctor")) };
	struct argument args[TYPE_ARGS_MAX] = { 0 };
	struct node *n;
	size_t i = 0;

	for (struct node *e = elements; e; e = e->next, i++) {
		args[i].at = e->at;
		args[i].node = alone(b, e);
		if (!args[i].node)
			return NULL;
		if (i)
			args[i - 1].next = &args[i];
	}
	n = bind_overload(b, at, STR("the tuple"), &one, 1, args, i, NULL);
	if (n) {
		n->syntax = s;
		n->type = t;
	}
	return n;
}

struct node *bind_tuple(struct binder *b, struct syntax *s)
{
	const struct type *types[TYPE_ARGS_MAX];
	struct node *first = NULL, **last = &first, *n;
	const struct value_class *cls;
	const struct str *names;
	bool open = false, ok;
	size_t k = 0;

	for (struct syntax *item = s->a; item; item = item->next, k++) {
		struct node *v = item->flag ? expr_error(b->c, item->at, "a tuple holds values: no `out` here") :
			    bind_value(b, item->a);

		v = v ? alone(b, v) : NULL;
		if (!v)
			return NULL;
		if (v->type->kind == TYPE_VOID)
			return expr_error(b->c, item->at, "this call returns nothing and cannot be part of a tuple");
		if (k < TYPE_ARGS_MAX)
			types[k] = v->type;
		open |= v->type->kind != TYPE_CLASS;
		*last = v;
		last = &v->next;
	}
	cls = k > 1 && k <= TYPE_ARGS_MAX ? class_find(STR("System.ValueTuple"), k) : NULL;
	if (!cls)
		return expr_error(b->c, s->at, "a tuple has 2 to 7 values, not %zu", k);
	names = names_of(b, s->a, k, &ok);
	if (!ok)
		return NULL;
	if (!open)
		return make(b, s->at, type_with_names(b->arena, type_make(b->arena, cls, types, k), names), first, s);
	n = bind_node(b, N_OPEN, s->at, &type_open);
	if (n) {
		n->syntax = s;
		n->b = first;
	}
	return n;
}

/* ---- conversions ---------------------------------------------------------------------------------------------------------- */

bool tuple_converts(struct binder *b, const struct node *literal, const struct type *to)
{
	const struct type *bare = type_bare(to);
	size_t i = 0;

	if (!type_is_tuple(bare) || count(literal->b) != bare->n)
		return false;
	for (struct node *e = literal->b; e; e = e->next, i++)
		if (conv_implicit(b, e, bare->args[i]).kind == CONV_NONE)
			return false;
	return true;
}

bool tuple_type_converts(struct binder *b, const struct type *from, const struct type *to)
{
	if (!type_is_tuple(from) || !type_is_tuple(type_bare(to)) || from->n != type_bare(to)->n)
		return false;
	for (size_t i = 0; i < from->n; i++)
		if (conv_of_type(b, from->args[i], type_bare(to)->args[i]).kind == CONV_NONE)
			return false;
	return true;
}

static struct node *item_of(struct binder *b, size_t at, struct local *kept, size_t i)
{
	static const char *const pair[] = { "Key", "Value" };
	const struct type *owner;
	struct str name = arena_printf(b->arena, "Item%zu", i + 1);
	const struct member *m = find_property(b, kept->type, name, false, &owner);

	if (!m && i < ARRAY_LEN(pair) && strcmp(kept->type->cls->name, "System.Collections.Generic.KeyValuePair") == 0)
		m = find_property(b, kept->type, str_of(pair[i]), false, &owner);
	return m ? member_get(b, at, node_local(b, at, kept), owner, m, NULL) : NULL;
}

/* Elements of a value that is kept in a variable. */
static struct node *items_of(struct binder *b, size_t at, struct local *kept, size_t n)
{
	struct node *first = NULL, **last = &first;

	for (size_t i = 0; i < n; i++) {
		*last = item_of(b, at, kept, i);
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	return first;
}

struct node *tuple_convert(struct binder *b, struct node *from, const struct type *to)
{
	const struct type *bare = type_bare(to);
	struct node *elements = from->b, *first = NULL, **last = &first, *sequence, *made;
	struct local *kept = NULL;
	size_t i = 0;

	if (!node_is_tuple(from)) {
		kept = local_new(b, from->at, STR_NULL, from->type);
		elements = kept ? items_of(b, from->at, kept, from->type->n) : NULL;
		if (!elements)
			return NULL;
	}
	for (struct node *e = elements; e; e = e->next, i++) {
		struct node *one = alone(b, e);

		one = one ? convert(b, one, bare->args[i]) : NULL;
		*last = one ? alone(b, one) : NULL;
		if (!*last)
			return NULL;
		last = &(*last)->next;
	}
	made = make(b, from->at, bare, first, NULL);
	if (!made || !kept)
		return made;
	sequence = bind_node(b, N_SEQUENCE, from->at, bare);
	if (!sequence || !(sequence->b = node_assign(b, from->at, kept, from)))
		return NULL;
	sequence->b->next = made;
	sequence->assigns = true;
	return sequence;
}

/* ---- members and operators ------------------------------------------------------------------------------------------------ */

struct node *tuple_member(struct binder *b, size_t at, struct node *self, struct str name)
{
	const struct type *owner, *t = self->type;
	const struct member *m;

	if (!t->names || !type_is_tuple(t))
		return NULL;
	for (size_t i = 0; i < t->n; i++)
		if (t->names[i].n && str_eq(t->names[i], name)) {
			m = find_property(b, t, arena_printf(b->arena, "Item%zu", i + 1), false, &owner);
			return m ? member_get(b, at, self, t, m, NULL) : NULL;
		}
	return NULL;
}

struct node *tuple_with(struct binder *b, size_t at, struct node *tuple, size_t item, struct node *value)
{
	struct local *kept = local_new(b, at, STR_NULL, tuple->type);
	struct node *elements = kept ? items_of(b, at, kept, tuple->type->n) : NULL, *n = bind_node(b, N_SEQUENCE, at, tuple->type);
	struct node **e = &elements;

	if (!elements || !n || !(n->b = node_assign(b, at, kept, tuple)))
		return NULL;
	for (size_t i = 0; i < item; i++)
		e = &(*e)->next;
	value = alone(b, value);
	if (!value)
		return NULL;
	value->next = (*e)->next;
	*e = value;
	n->assigns = true;
	n->b->next = make(b, at, tuple->type, elements, NULL);
	return n->b->next ? n : NULL;
}

static struct node *kept_value(struct binder *b, struct node *v, struct local **kept)
{
	*kept = local_new(b, v->at, STR_NULL, v->type);
	return *kept ? node_assign(b, v->at, *kept, v) : NULL;
}

/* t == u, element by element (C# 7.3). */
struct node *tuple_equal(struct binder *b, size_t at, bool differs, struct node *l, struct node *r)
{
	struct node *sequence = bind_node(b, N_SEQUENCE, at, &type_bool), *result = NULL;
	struct local *kl, *kr;

	if (!sequence || !(sequence->b = kept_value(b, l, &kl)) || !(sequence->b->next = kept_value(b, r, &kr)))
		return NULL;
	sequence->assigns = true;
	for (size_t i = 0; i < l->type->n; i++) {
		struct node *a = item_of(b, at, kl, i), *c = item_of(b, at, kr, i), *one, *both;

		one = a && c ? equal_of(b, at, differs, a, c) : NULL;
		if (!one)
			return NULL;
		if (!result) {
			result = one;
			continue;
		}
		both = bind_node(b, differs ? N_OR : N_AND, at, &type_bool);
		if (!both)
			return NULL;
		both->a = result;
		both->b = one;
		both->assigns = true;
		result = both;
	}
	sequence->b->next->next = result;
	return sequence;
}

/* ---- taking apart --------------------------------------------------------------------------------------------------------- */

/* What is being built: the parts of the places first, then the values in their order, then the assignments. */
struct taking {
	struct node *block;
	struct node **before, *values, **last_value, *writes, **last_write;
};

static bool add(struct binder *b, struct node ***last, struct node *value)
{
	struct node *n = stmt_of(b, value);

	**last = n;
	if (n)
		*last = &n->next;
	return n != NULL;
}

static bool take(struct binder *b, struct taking *k, struct syntax *targets, struct node *from);

/* The place is known before the value is taken; its type is where the value goes. */
static bool target_place(struct binder *b, struct taking *k, struct syntax *s, struct node *value)
{
	struct place p = { 0 };
	struct local *kept;
	struct node *next;

	if (!place_of(b, &p, s->c, false))
		return false;
	for (struct node *n = p.before; n; n = next) {
		next = n->next;
		n->next = NULL;
		if (!add(b, &k->before, n))
			return false;
	}
	value = convert(b, value, p.type);
	kept = value ? local_new(b, s->at, STR_NULL, p.type) : NULL;
	return kept && add(b, &k->last_value, node_assign(b, s->at, kept, value)) &&
	       add(b, &k->last_write, place_write(b, &p, s->at, node_local(b, s->at, kept)));
}

static bool target(struct binder *b, struct taking *k, struct syntax *s, struct node *value)
{
	const struct type *t = value->type;
	struct local *l;

	if (s->b)
		return take(b, k, s->b, value);
	if (s->c)
		return target_place(b, k, s, value);
	if (s->a) {
		t = bind_type(b, s->a);
		value = t ? convert(b, value, t) : NULL;
	} else if (t->kind != TYPE_CLASS && !str_eq(s->text, STR("_"))) {
		return expr_error(b->c, s->at, "the type of `%.*s` cannot be found from its value; write it",
				  STR_ARG(s->text)) != NULL;
	}
	if (!value)
		return false;
	if (str_eq(s->text, STR("_")))
		return t->kind != TYPE_CLASS || add(b, &k->last_value, value);
	l = local_new(b, s->at, s->text, t);
	return l && add(b, &k->last_value, node_assign(b, s->at, l, value));
}

static bool take(struct binder *b, struct taking *k, struct syntax *targets, struct node *from)
{
	struct node *elements = node_is_tuple(from) ? from->b : NULL;
	size_t wanted = 0, have;

	for (struct syntax *s = targets; s; s = s->next)
		wanted++;
	if (wanted < 2)
		return expr_error(b->c, targets->at, "at least two variables stand in `(…) =`") != NULL;
	if (!elements) {
		struct local *kept;

		if (from->type->kind != TYPE_CLASS || !(type_is_tuple(from->type) || strcmp(from->type->cls->name, "System.Tuple") == 0 ||
		    strcmp(from->type->cls->name, "System.Collections.Generic.KeyValuePair") == 0))
			return expr_error(b->c, from->at, "only a tuple can be taken apart, this is `%.*s`",
					  STR_ARG(type_name(b, from->type))) != NULL;
		kept = local_new(b, from->at, STR_NULL, from->type);
		if (!kept || !add(b, &k->last_value, node_assign(b, from->at, kept, from)))
			return false;
		elements = items_of(b, from->at, kept, from->type->n);
	}
	have = count(elements);
	if (have != wanted)
		return expr_error(b->c, targets->at, "the tuple has %zu values, here are %zu variables", have, wanted) != NULL;
	for (struct syntax *s = targets; s; s = s->next, elements = elements->next) {
		struct node *one = alone(b, elements);

		if (!one || !target(b, k, s, one))
			return false;
	}
	return true;
}

/* A block without a scope of its own: what is declared belongs to the block around it. */
struct node *tuple_take(struct binder *b, struct syntax *targets, size_t at, struct node *from)
{
	struct node *n = from ? bind_node(b, N_BLOCK, at, &type_void) : NULL;
	struct taking k = { .block = n };

	if (!n)
		return NULL;
	k.before = &n->b;
	k.last_value = &k.values;
	k.last_write = &k.writes;
	if (!take(b, &k, targets, from))
		return NULL;
	*k.last_value = k.writes;
	*k.before = k.values;
	return n;
}

struct node *stmt_deconstruct(struct binder *b, struct syntax *s)
{
	return tuple_take(b, s->b, s->at, bind_value(b, s->a));
}
