/* bind_new.c - objects, collections, arrays, anonymous types and tuples. */
#include "core/str.h"
#include "policy/expr/anonymous.h"
#include "policy/expr/bind.h"

static struct node *initialise(struct binder *b, struct syntax *list, struct local *target, struct node ***last);

static bool append(struct node ***last, struct node *n)
{
	if (!n)
		return false;
	**last = n;
	*last = &n->next;
	return true;
}

/* { P = v }: v may itself be an initialiser of what P holds. */
static bool nested(struct binder *b, struct syntax *item, struct node *get, struct node ***last)
{
	struct local *inner = local_new(b, item->at, STR_NULL, get->type);

	return inner && append(last, node_assign(b, item->at, inner, get)) && initialise(b, item->a, inner, last);
}

static bool init_member(struct binder *b, struct syntax *item, struct local *target, struct node ***last)
{
	const struct type *owner;
	const struct member *m = find_property(b, target->type, item->text, false, &owner);
	struct node *self = node_local(b, item->at, target), *value;
	const struct type *t;

	if (!m) {
		const char *near = member_suggest(b->arena, target->type, item->text, false);

		return expr_error(b->c, item->at, "`%.*s` has no property `%.*s`%s%s%s", STR_ARG(type_name(b, target->type)),
				  STR_ARG(item->text), near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "") != NULL;
	}
	t = type_put_in(b->arena, m->type, owner->args, NULL);
	if (item->a->kind == SX_INITIALISER)
		return nested(b, item, member_get(b, item->at, self, owner, m, NULL), last);
	if (!m->has_set)
		return expr_error(b->c, item->at, "`%.*s` cannot be changed", STR_ARG(item->text)) != NULL;
	value = bind_to(b, item->a, t);
	return value && append(last, member_set(b, item->at, self, owner, m, NULL, value));
}

static bool init_index(struct binder *b, struct syntax *item, struct local *target, struct node ***last)
{
	struct argument *args;
	size_t n_args, n;
	struct candidate *list = collect_methods(b, target->type, STR("this[]"), MEMBER_INDEXER, false, &n);
	struct node *get, *value, *set;

	if (!n)
		return expr_error(b->c, item->at, "`%.*s` has no indexer", STR_ARG(type_name(b, target->type))) != NULL;
	if (!bind_arguments(b, item->b, &args, &n_args))
		return false;
	get = bind_overload(b, item->at, STR("the indexer"), list, n, args, n_args, node_local(b, item->at, target));
	if (!get)
		return false;
	if (item->a->kind == SX_INITIALISER)
		return nested(b, item, get, last);
	value = bind_to(b, item->a, get->type);
	if (!value)
		return false;
	set = member_set(b, item->at, get->a, get->tested, get->member, get->b, value);
	return append(last, set);
}

/* An element: target.Add(item), with several arguments for { a, b }. */
static bool init_add(struct binder *b, struct syntax *item, struct local *target, struct node ***last)
{
	struct argument args[8] = { 0 };
	struct syntax *one = item->kind == SX_INITIALISER ? item->a : item;
	size_t n = 0, found;
	struct candidate *list = collect_methods(b, target->type, STR("Add"), MEMBER_METHOD, false, &found);

	if (!found)
		return expr_error(b->c, item->at, "`%.*s` has no method `Add`: it takes no list of elements",
				  STR_ARG(type_name(b, target->type))) != NULL;
	for (; one && n < ARRAY_LEN(args); one = item->kind == SX_INITIALISER ? one->next : NULL, n++) {
		args[n].at = one->at;
		args[n].node = bind_value(b, one);
		if (!args[n].node)
			return false;
		if (n)
			args[n - 1].next = &args[n];
	}
	return append(last, bind_overload(b, item->at, STR("`Add`"), list, found, n ? args : NULL, n,
					  node_local(b, item->at, target)));
}

static struct node *initialise(struct binder *b, struct syntax *list, struct local *target, struct node ***last)
{
	for (struct syntax *item = list->a; item; item = item->next) {
		bool ok = item->kind == SX_INIT_MEMBER ? init_member(b, item, target, last)
			: item->kind == SX_INIT_INDEX  ? init_index(b, item, target, last)
						       : init_add(b, item, target, last);

		if (!ok)
			return NULL;
	}
	return node_local(b, list->at, target);
}

static struct candidate *constructors(struct binder *b, const struct type *t, size_t *n)
{
	const struct member *first = class_member(t->cls, STR(".ctor"));
	struct candidate *list;

	*n = 0;
	for (const struct member *m = first; m; m = m->next)
		++*n;
	list = arena_alloc(b->arena, *n + 1, sizeof(*list));
	*n = 0;
	for (const struct member *m = first; list && m; m = m->next)
		list[(*n)++] = (struct candidate){ .member = m, .owner = t };
	return list;
}

struct node *bind_new(struct binder *b, struct syntax *s)
{
	const struct type *t = bind_type(b, s->a);
	struct candidate *list;
	struct argument *args;
	struct node *made, *n, **last;
	struct local *target;
	size_t n_args, found;

	if (!t)
		return NULL;
	if (t->kind != TYPE_CLASS || t->cls->kind == CLASS_INTERFACE || t->cls->kind == CLASS_STATIC || type_is_delegate(t))
		return expr_error(b->c, s->at, "`%.*s` cannot be made with `new`", STR_ARG(type_name(b, t)));
	if (!bind_arguments(b, s->b, &args, &n_args))
		return NULL;
	list = constructors(b, t, &found);
	if (n_args == 0 && type_is_value(t))
		made = node_const(b, s->at, t, type_default(t));
	else if (!found)
		return expr_error(b->c, s->at, "`%.*s` cannot be made with `new`", STR_ARG(type_name(b, t)));
	else
		made = bind_overload(b, s->at, arena_printf(b->arena, "`new %.*s`", STR_ARG(type_name(b, t))), list, found, args,
				     n_args, NULL);
	if (!made || !s->c)
		return made;
	n = bind_node(b, N_SEQUENCE, s->at, t);
	target = local_new(b, s->at, STR_NULL, t);
	if (!n || !target)
		return NULL;
	last = &n->b;
	n->assigns = true;
	if (!append(&last, node_assign(b, s->at, target, made)) || !append(&last, initialise(b, s->c, target, &last)))
		return NULL;
	return n;
}

/* ---- arrays --------------------------------------------------------------------------------------------------------------- */

enum { ARRAY_ELEMENTS_MAX = 3000 };  /* they stand in registers until the array is made */

struct node *array_of(struct binder *b, struct syntax *s, const struct type *element)
{
	struct node **items, *n, **last;
	size_t count = 0;

	for (struct syntax *item = s->c->a; item; item = item->next)
		count++;
	items = arena_alloc(b->arena, count + 1, sizeof(*items));
	if (!items || count > ARRAY_ELEMENTS_MAX)
		return expr_error(b->c, s->at, "more than %d elements in one array", ARRAY_ELEMENTS_MAX);
	count = 0;
	for (struct syntax *item = s->c->a; item; item = item->next) {
		if (item->kind == SX_INITIALISER || item->kind == SX_INIT_MEMBER || item->kind == SX_INIT_INDEX)
			return expr_error(b->c, item->at, "an element of an array is a plain value");
		items[count] = bind_value(b, item);
		if (!items[count++])
			return NULL;
	}
	if (!element) {
		element = common_type(b, items, NULL, count);
		if (!element)
			return expr_error(b->c, s->at, "the elements have no type in common; write `new T[] { … }`");
	}
	n = bind_node(b, N_ARRAY, s->at, type_array_of(b->arena, element));
	if (!n)
		return NULL;
	last = &n->b;
	for (size_t i = 0; i < count; i++) {
		struct node *item = convert(b, items[i], element);

		if (!item)
			return NULL;
		if (item->next) {
			struct node *copy = bind_node(b, item->kind, item->at, item->type);

			if (!copy)
				return NULL;
			*copy = *item;
			item = copy;
		}
		item->next = NULL;
		n->assigns |= item->assigns;
		*last = item;
		last = &item->next;
	}
	return n;
}

struct node *bind_new_array(struct binder *b, struct syntax *s)
{
	const struct type *element = s->a ? bind_type(b, s->a) : NULL;
	struct node *n, *length = NULL;

	if (s->a && !element)
		return NULL;
	for (unsigned i = 0; element && i < s->n; i++)
		element = type_array_of(b->arena, element);
	if (s->op > 1 || (s->b && s->b->next))
		return bind_new_grid(b, s, element);
	if (s->b) {
		length = bind_value(b, s->b->a);
		if (length)
			length = convert(b, length, conv_implicit(b, length, &type_int).kind != CONV_NONE ? &type_int : &type_long);
		if (!length)
			return NULL;
	}
	if (s->c) {
		size_t count = 0;

		for (struct syntax *item = s->c->a; item; item = item->next)
			count++;
		if (length && (length->kind != N_CONST || length->value.i != (int64_t)count))
			return expr_error(b->c, s->at, "the array has %zu elements", count);
		return array_of(b, s, element);
	}
	n = bind_node(b, N_NEW_ARRAY, s->at, type_array_of(b->arena, element));
	if (!n)
		return NULL;
	n->b = length;
	n->assigns = length->assigns;
	return n;
}

/* ---- anonymous types ------------------------------------------------------------------------------------------------------ */

struct anonymous {
	struct anonymous *next;
	const struct type *type;
	struct value_class cls;
	struct class_link link;
	size_t n;
	struct member members[];
};

static bool same_shape(const struct anonymous *a, struct syntax *s, struct node *const *values, size_t n)
{
	if (a->n != n)
		return false;
	for (size_t i = 0; i < n; i++, s = s->next)
		if (!str_eq(a->members[i].name, s->text) || !type_eq(a->members[i].type, values[i]->type))
			return false;
	return true;
}

static struct anonymous *make_type(struct binder *b, struct syntax *s, struct node *const *values, size_t n)
{
	struct arena *keep = b->c->keep;        /* objects of the type outlive the compiler */
	struct anonymous *a = arena_alloc(keep, 1, sizeof(*a) + n * sizeof(struct member));

	if (!a)
		return expr_error(b->c, s->at, "out of memory");
	a->n = n;
	a->cls = class_anonymous;
	a->cls.link = &a->link;
	a->link.name = STR("anonymous type");
	a->link.base = &type_object;
	a->link.properties = arena_alloc(keep, n + 1, sizeof(struct member *));
	map_init(&a->link.by_name, keep, false);
	a->type = a->link.self = type_make(keep, &a->cls, NULL, 0);
	if (!a->link.properties)
		return expr_error(b->c, s->at, "out of memory");
	for (struct syntax *item = s; item; item = item->next) {
		struct member *m = &a->members[a->link.n_properties];

		if (map_get(&a->link.by_name, item->text))
			return expr_error(b->c, item->at, "`%.*s` stands twice", STR_ARG(item->text));
		m->kind = MEMBER_PROPERTY;
		m->name = arena_dup(keep, item->text);
		m->owner = &a->cls;
		m->type = type_copy(keep, values[a->link.n_properties]->type);
		m->fn = anonymous_get[a->link.n_properties];
		a->link.properties[a->link.n_properties++] = m;
		if (!m->name.p || !map_put(&a->link.by_name, m->name, m))
			return expr_error(b->c, s->at, "out of memory");
	}
	a->next = b->anonymous;
	b->anonymous = a;
	return a;
}

struct node *bind_anonymous(struct binder *b, struct syntax *s)
{
	struct node *values[ANONYMOUS_MAX], *n, **last;
	struct anonymous *a;
	size_t count = 0;

	for (struct syntax *item = s->a; item; item = item->next) {
		if (count == ANONYMOUS_MAX)
			return expr_error(b->c, item->at, "more than %d members in one anonymous type", ANONYMOUS_MAX);
		values[count] = bind_value(b, item->a);
		if (!values[count])
			return NULL;
		if (values[count]->type->kind != TYPE_CLASS)
			return expr_error(b->c, item->at, "the type of `%.*s` cannot be found from its value; cast it",
					  STR_ARG(item->text));
		count++;
	}
	for (a = b->anonymous; a && !same_shape(a, s->a, values, count); a = a->next)
		;
	if (!a && !(a = make_type(b, s->a, values, count)))
		return NULL;
	n = bind_node(b, N_ANONYMOUS, s->at, a->type);
	if (!n)
		return NULL;
	n->tested = a->type;
	last = &n->b;
	for (size_t i = 0; i < count; i++) {
		struct node *copy = bind_node(b, values[i]->kind, values[i]->at, values[i]->type);

		if (!copy)
			return NULL;
		*copy = *values[i];
		copy->next = NULL;
		n->assigns |= copy->assigns;
		*last = copy;
		last = &copy->next;
	}
	return n;
}
