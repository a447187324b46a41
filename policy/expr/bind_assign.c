/* bind_assign.c - assignments: what stands left is read once, then written; compound ones read it before. */
#include "core/str.h"
#include "policy/expr/bind_place.h"
#include "policy/expr/lex.h"

static struct node *keep(struct binder *b, struct place *p, struct node *n)
{
	struct local *l;
	struct node *set;

	if (!n || n->kind == N_CONST || n->kind == N_CONTEXT || (n->kind == N_LOCAL && !n->assigns && n->op == 0 &&
								  n->local->read_only))
		return n;
	l = local_new(b, n->at, STR_NULL, n->type);
	if (l)
		l->origin = n;
	set = l ? node_assign(b, n->at, l, n) : NULL;
	if (!set)
		return NULL;
	*p->last = set;
	p->last = &set->next;
	return node_local(b, n->at, l);
}

/* Fresh nodes for the second use of the same temporaries. */
static struct node *again(struct binder *b, const struct node *list)
{
	struct node *first = NULL, **last = &first;

	for (; list; list = list->next) {
		*last = bind_node(b, list->kind, list->at, list->type);
		if (!*last)
			return NULL;
		**last = *list;
		(*last)->next = NULL;
		last = &(*last)->next;
	}
	return first;
}

static bool property_place(struct binder *b, struct place *p, struct node *n, bool once)
{
	struct node *args = NULL, **last = &args;

	p->member = n->member;
	p->owner = n->tested;
	if (!n->member->has_set)
		return expr_error(b->c, n->at, n->member->kind == MEMBER_INDEXER ? "this indexer cannot be written" :
				  "`%.*s` cannot be changed", STR_ARG(n->member->name)) != NULL;
	p->self = n->a && !once ? keep(b, p, n->a) : n->a;
	for (struct node *arg = n->b, *next; arg; arg = next) {
		next = arg->next;
		arg->next = NULL;
		*last = once ? arg : keep(b, p, arg);
		if (!*last)
			return false;
		last = &(*last)->next;
	}
	p->args = args;
	if (once)
		return true;
	p->read = member_get(b, n->at, p->self, p->owner, p->member, again(b, args));
	if (p->read)
		p->read->type = n->type;
	return p->read != NULL && (!n->a || p->self);
}

static bool element_place(struct binder *b, struct place *p, struct node *n, bool once)
{
	p->array = once ? n->a : keep(b, p, n->a);
	p->index = once ? n->b : keep(b, p, n->b);
	if (!p->array || !p->index)
		return false;
	if (once)
		return true;
	p->read = bind_node(b, N_ELEMENT, n->at, n->type);
	if (!p->read)
		return false;
	p->read->a = p->array;
	p->read->b = p->index;
	return true;
}

/* t.Item1: the tuple is a value, so a new one takes its place. */
static bool tuple_place(struct binder *b, struct place *p, struct node *n, struct syntax *s)
{
	p->tuple = arena_new_of(b->arena, struct place);
	if (!p->tuple || !place_of(b, p->tuple, s->a, false))
		return p->tuple ? false : expr_error(b->c, n->at, "out of memory") != NULL;
	p->item = (size_t)(n->member->name.p[4] - '1');
	p->before = p->tuple->before;
	p->last = p->before ? p->tuple->last : &p->before;
	p->read = member_get(b, n->at, p->tuple->read, n->tested, n->member, NULL);
	return p->read != NULL;
}

bool place_of(struct binder *b, struct place *p, struct syntax *s, bool once)
{
	struct node *n = bind_value(b, s);

	p->last = &p->before;
	if (!n)
		return false;
	p->type = n->type;
	if (n->kind == N_LOCAL) {
		if (n->local->read_only || n->local->declared)
			return expr_error(b->c, s->at, "`%.*s` cannot be changed here", STR_ARG(n->local->name)) != NULL;
		p->local = n->local;
		n->local->origin = NULL;
		p->read = n;
		return true;
	}
	if (n->kind == N_ELEMENT)
		return element_place(b, p, n, once);
	if (n->kind == N_CALL && n->member->kind == MEMBER_PROPERTY && n->a && type_is_tuple(n->a->type) && s->kind == SX_MEMBER)
		return tuple_place(b, p, n, s);
	if (n->kind == N_CALL && (n->member->kind == MEMBER_PROPERTY || n->member->kind == MEMBER_INDEXER))
		return property_place(b, p, n, once);
	if (n->kind == N_CONST && s->kind == SX_NAME)
		return expr_error(b->c, s->at, "`%.*s` is a constant and cannot be changed", STR_ARG(s->text)) != NULL;
	return expr_error(b->c, s->at, "only a variable, a property or an element can stand left of an assignment") != NULL;
}

struct node *place_write(struct binder *b, struct place *p, size_t at, struct node *value)
{
	struct node *n;

	if (!value)
		return NULL;
	if (p->tuple)
		return place_write(b, p->tuple, at, tuple_with(b, at, p->tuple->read, p->item, value));
	if (p->local)
		return node_assign(b, at, p->local, value);
	if (p->array) {
		n = bind_node(b, N_SET_ELEMENT, at, p->type);
		if (!n)
			return NULL;
		n->a = p->array;
		n->b = p->index;
		n->c = value;
		n->assigns = true;
		return n;
	}
	n = member_set(b, at, p->self, p->owner, p->member, again(b, p->args), value);
	if (n)
		n->type = p->type;
	return n;
}

static struct node *sequence(struct binder *b, struct place *p, struct node *last)
{
	struct node *n;

	if (!last || !p->before)
		return last;
	n = bind_node(b, N_SEQUENCE, last->at, last->type);
	if (!n)
		return NULL;
	n->b = p->before;
	*p->last = last;
	n->assigns = true;
	return n;
}

/* The operator's result back to the type of the place: `b += 1` for a byte is an explicit conversion (7.17.2). */
static struct node *back(struct binder *b, size_t at, struct place *p, struct node *value, struct node *operand)
{
	if (!value)
		return NULL;
	if (conv_implicit(b, value, p->type).kind != CONV_NONE)
		return convert(b, value, p->type);
	if (type_is_numeric(type_bare(p->type)) && conv_implicit(b, operand, p->type).kind != CONV_NONE)
		return convert_explicit(b, value, p->type, at);
	if (type_is_numeric(type_bare(p->type)) && type_is_numeric(type_bare(operand->type)) &&
	    type_value_kind(type_bare(value->type)) == VALUE_INT && type_value_kind(type_bare(operand->type)) == VALUE_INT)
		return convert_explicit(b, value, p->type, at);
	return convert(b, value, p->type);
}

struct node *bind_assign(struct binder *b, struct syntax *s)
{
	struct place p = { 0 };
	struct node *value;

	if (s->a->kind == SX_NAME && str_eq(s->a->text, STR("_")) && !local_find(b, s->a->text) && s->op == '=')
		return bind_value(b, s->b);
	if (!place_of(b, &p, s->a, s->op == '='))
		return NULL;
	if (s->op == '=')
		return sequence(b, &p, place_write(b, &p, s->at, bind_to(b, s->b, p.type)));
	value = bind_value(b, s->b);
	if (!value)
		return NULL;
	return sequence(b, &p, place_write(b, &p, s->at, back(b, s->at, &p, binary_of(b, s->at, s->op, p.read, value), value)));
}

static struct node *one_of(struct binder *b, size_t at)
{
	return node_const(b, at, &type_int, value_int(1));
}

struct node *bind_increment(struct binder *b, struct syntax *s)
{
	struct place p = { 0 };
	uint32_t op = s->op == P2('+', '+') ? '+' : '-';
	struct node *one = one_of(b, s->at), *n, *old;
	struct local *l;

	if (!one || !place_of(b, &p, s->a, false))
		return NULL;
	if (!type_is_numeric(type_bare(p.type)))
		return expr_error(b->c, s->at, "`%c%c` needs a number, this is `%.*s`", (char)op, (char)op,
				  STR_ARG(type_name(b, p.type)));
	if (!s->flag)
		return sequence(b, &p, place_write(b, &p, s->at, back(b, s->at, &p, binary_of(b, s->at, op, p.read, one), one)));
	l = local_new(b, s->at, STR_NULL, p.type);
	n = l ? node_assign(b, s->at, l, p.read) : NULL;
	old = n ? node_local(b, s->at, l) : NULL;
	if (!old)
		return NULL;
	*p.last = n;
	p.last = &n->next;
	n = place_write(b, &p, s->at, back(b, s->at, &p, binary_of(b, s->at, op, old, one), one));
	if (!n)
		return NULL;
	*p.last = n;
	p.last = &n->next;
	return sequence(b, &p, node_local(b, s->at, l));
}
