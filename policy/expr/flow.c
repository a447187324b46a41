/* flow.c - can control come out at the end of a statement? (C# 5 specification, 8.1) */
#include "policy/expr/bind.h"

static bool is_true(const struct node *condition)
{
	return !condition || (condition->kind == N_CONST && condition->value.kind == VALUE_BOOL && condition->value.b);
}

/* A `break` that leaves the loop or switch whose body this is. */
static bool breaks(const struct node *n)
{
	if (!n)
		return false;
	switch (n->kind) {
	case N_BREAK:
		return true;
	case N_BLOCK:
		for (const struct node *s = n->b; s; s = s->next)
			if (breaks(s))
				return true;
		return false;
	case N_IF:
		return breaks(n->b) || breaks(n->c);
	case N_TRY:
		for (const struct node *c = n->b; c; c = c->next)
			if (breaks(c->b))
				return true;
		return breaks(n->a) || breaks(n->c);
	default:
		return false;
	}
}

static bool switch_ends(const struct node *n)
{
	for (const struct node *s = n->b; s; s = s->next)
		if (breaks(s->b))
			return true;
	return !n->flag;
}

static bool try_ends(const struct node *n)
{
	bool ends = flow_ends(n->a);

	for (const struct node *c = n->b; c; c = c->next)
		ends |= flow_ends(c->b);
	return ends && (!n->c || flow_ends(n->c));
}

bool flow_ends(const struct node *n)
{
	switch (n->kind) {
	case N_RETURN:
	case N_BREAK:
	case N_CONTINUE:
	case N_RETHROW:
		return false;
	case N_EXPRESSION:
		return n->a->kind != N_THROW;
	case N_BLOCK:
		for (const struct node *s = n->b; s; s = s->next)
			if (!flow_ends(s))
				return false;
		return true;
	case N_IF:
		if (n->a->kind == N_CONST)
			return n->a->value.b ? flow_ends(n->b) : !n->c || flow_ends(n->c);
		return !n->c || flow_ends(n->b) || flow_ends(n->c);
	case N_LOOP:
		return !is_true(n->a) || breaks(n->d);
	case N_SWITCH:
		return switch_ends(n);
	case N_TRY:
		return try_ends(n);
	default:
		return true;
	}
}
