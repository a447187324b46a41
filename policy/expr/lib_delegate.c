/* lib_delegate.c - Func, Action, Predicate, Comparison, Converter: what a lambda can become. A delegate type is a class
 * with one method Invoke; f(x) is an instruction of its own, f.Invoke(x) comes here. */
#include "policy/expr/library.h"

static bool invoke(struct vm_call *c)
{
	return vm_invoke(c->vm, c->self, c->args, c->n, &c->result);
}

#define DELEGATE(id, full, params, signature)                                                                \
	static const struct class_member id##_members[] = { { signature, invoke }, { 0 } };                    \
	static struct value_class class_##id = {                                                             \
		.name = "System." full, .kind = CLASS_DELEGATE, .parameters = params, .members = id##_members, \
	}

DELEGATE(action0, "Action", NULL, "void Invoke()");
DELEGATE(action1, "Action", "A", "void Invoke(A a)");
DELEGATE(action2, "Action", "A, B", "void Invoke(A a, B b)");
DELEGATE(action3, "Action", "A, B, C", "void Invoke(A a, B b, C c)");
DELEGATE(action4, "Action", "A, B, C, D", "void Invoke(A a, B b, C c, D d)");
DELEGATE(action5, "Action", "A, B, C, D, E", "void Invoke(A a, B b, C c, D d, E e)");
DELEGATE(action6, "Action", "A, B, C, D, E, F", "void Invoke(A a, B b, C c, D d, E e, F f)");
DELEGATE(action7, "Action", "A, B, C, D, E, F, G", "void Invoke(A a, B b, C c, D d, E e, F f, G g)");
DELEGATE(func0, "Func", "R", "R Invoke()");
DELEGATE(func1, "Func", "A, R", "R Invoke(A a)");
DELEGATE(func2, "Func", "A, B, R", "R Invoke(A a, B b)");
DELEGATE(func3, "Func", "A, B, C, R", "R Invoke(A a, B b, C c)");
DELEGATE(func4, "Func", "A, B, C, D, R", "R Invoke(A a, B b, C c, D d)");
DELEGATE(func5, "Func", "A, B, C, D, E, R", "R Invoke(A a, B b, C c, D d, E e)");
DELEGATE(func6, "Func", "A, B, C, D, E, F, R", "R Invoke(A a, B b, C c, D d, E e, F f)");
DELEGATE(func7, "Func", "A, B, C, D, E, F, G, R", "R Invoke(A a, B b, C c, D d, E e, F f, G g)");
DELEGATE(predicate, "Predicate", "A", "bool Invoke(A obj)");
DELEGATE(comparison, "Comparison", "A", "int Invoke(A x, A y)");
DELEGATE(converter, "Converter", "A, R", "R Invoke(A input)");

static struct value_class *const classes[] = {
	&class_action0, &class_action1, &class_action2, &class_action3, &class_action4, &class_action5, &class_action6, &class_action7, &class_func0,
	&class_func1, &class_func2, &class_func3, &class_func4, &class_func5, &class_func6, &class_func7, &class_predicate,
	&class_comparison, &class_converter, NULL,
};
const struct class_module delegate_module = { classes, NULL };
