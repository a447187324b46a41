/* annotations.c - objects that an expression ties to a JToken or XObject: they are part of no text. */
#include "core/str.h"
#include "policy/net/annotations.h"
#include "policy/net/json_net.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/value_list.h"
#include "policy/net/xlinq.h"

struct annotation {
	struct annotation *next;     /* in the order in which they were added */
	struct value v;
};

static struct annotation **list_of(const struct vm_call *c)
{
	struct jtoken *t = value_token(c->self);

	return t ? &t->annotations : &self_xnode(c)->annotations;
}

static bool add(struct vm_call *c)
{
	struct annotation **last = list_of(c), *a = vm_alloc(c, 1, sizeof(*a));

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "annotation");
	if (!a)
		return false;
	for (; *last; last = &(*last)->next)
		if (!vm_charge(c->vm, 1))
			return false;
	a->v = c->args[0];
	*last = a;
	return vm_return(c, VALUE_NULL_INIT);
}

/* Of the type argument, or of the argument `type`; NULL: threw. */
static const struct type *wanted(struct vm_call *c)
{
	if (c->n == 0)
		return c->types[0];
	if (arg_is_null(c, 0))
		vm_throw_null(c, "type");
	return type_in_value(c->args[0]);
}

static bool first(struct vm_call *c)
{
	const struct type *t = wanted(c);

	for (const struct annotation *a = t ? *list_of(c) : NULL; a; a = a->next)
		if (type_accepts(c->vm, t, a->v))
			return vm_return(c, a->v);
	return t && vm_return(c, VALUE_NULL_INIT);
}

static bool all(struct vm_call *c)
{
	const struct type *t = wanted(c);
	struct value_list l = { 0 };

	for (const struct annotation *a = t ? *list_of(c) : NULL; a; a = a->next)
		if (type_accepts(c->vm, t, a->v) && !value_list_add(c, &l, a->v))
			return false;
	return t && value_list_give(c, &l);
}

static bool remove_all(struct vm_call *c)
{
	const struct type *t = wanted(c);
	struct annotation **at = list_of(c);

	while (t && *at) {
		if (type_accepts(c->vm, t, (*at)->v))
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
	return t && vm_return(c, VALUE_NULL_INIT);
}

/* T is a class in .NET: what is not there is null. */
static const struct class_member members[] = {
	{ "void AddAnnotation(object annotation)", add },
	{ "T Annotation<T>()", first },
	{ "object Annotation(Type type)", first },
	{ "IEnumerable<T> Annotations<T>()", all },
	{ "IEnumerable<object> Annotations(Type type)", all },
	{ "void RemoveAnnotations<T>()", remove_all },
	{ "void RemoveAnnotations(Type type)", remove_all },
	{ 0 }
};

static const struct class_part parts[] = { { &class_jtoken, members }, { &class_xobject, members }, { NULL, NULL } };

const struct class_module net_annotations = { .parts = parts };
