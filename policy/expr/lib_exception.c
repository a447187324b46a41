/* lib_exception.c - the exceptions of class.h as types that C# code can throw and catch. */
#include "core/str.h"
#include "policy/expr/library.h"
#include "policy/expr/text.h"
#include "policy/expr/vm.h"

static struct exception_object *self_of(struct vm_call *c)
{
	return (struct exception_object *)(void *)c->self.object;
}

static bool exception_new(struct vm_call *c)
{
	struct str own = STR_NULL;

	if (c->n == 0 || c->args[0].kind == VALUE_NULL) {
#define X(id, full, base_, text)                              \
	if (strcmp(type_class(c->type)->name, full) == 0)     \
		own = STR(text);
		VM_EXCEPTIONS(X)
#undef X
	} else {
		own = value_str(c->args[0]);
	}
	c->result = vm_exception_new(c->vm, type_class(c->type), own);
	if (c->result.kind == VALUE_NULL)
		return false;
	if (c->n == 2 && c->args[1].kind == VALUE_OBJECT)
		((struct exception_object *)(void *)c->result.object)->inner = c->args[1];
	return true;
}

/* ArgumentException(message, parameter), ArgumentNullException(parameter) and their kin put the name behind it. */
static bool with_parameter(struct vm_call *c, struct str message, struct str parameter)
{
	struct str text = parameter.p ? arena_printf(c->arena, "%.*s (Parameter '%.*s')", STR_ARG(message),
						     STR_ARG(parameter)) : message;

	c->result = vm_exception_new(c->vm, type_class(c->type), text);
	return c->result.kind != VALUE_NULL;
}

static bool argument_new(struct vm_call *c)
{
	return with_parameter(c, value_str(c->args[0]), value_str(c->args[1]));
}

static bool argument_null_new(struct vm_call *c)
{
	return with_parameter(c, STR("Value cannot be null."), value_str(c->args[0]));
}

static bool argument_range_new(struct vm_call *c)
{
	return with_parameter(c, STR("Specified argument was out of the range of valid values."), value_str(c->args[0]));
}

static bool argument_swapped(struct vm_call *c)
{
	return with_parameter(c, value_str(c->args[1]), value_str(c->args[0]));
}

static bool get_message(struct vm_call *c)
{
	return vm_return(c, self_of(c)->message);
}

static bool get_inner(struct vm_call *c)
{
	return vm_return(c, self_of(c)->inner);
}

static bool get_nothing(struct vm_call *c)
{
	return vm_return_str(c, STR(""));
}

static bool get_null(struct vm_call *c)
{
	return vm_return(c, VALUE_NULL_INIT);
}

/* What .NET's constructors set; the others have that of Exception. */
static bool get_result(struct vm_call *c)
{
	static const uint32_t results[EX__COUNT] = {
		[EX_SYSTEM] = 0x80131501, [EX_APPLICATION] = 0x80131600, [EX_ARGUMENT] = 0x80070057,
		[EX_ARGUMENT_NULL] = 0x80004003, [EX_ARGUMENT_RANGE] = 0x80131502, [EX_ARITHMETIC] = 0x80070216,
		[EX_DIVIDE_BY_ZERO] = 0x80020012, [EX_OVERFLOW] = 0x80131516, [EX_FORMAT] = 0x80131537,
		[EX_UNPARSABLE_URI] = 0x80131537, [EX_INVALID_CAST] = 0x80004002, [EX_INVALID_OPERATION] = 0x80131509,
		[EX_OBJECT_DISPOSED] = 0x80131622, [EX_INDEX_RANGE] = 0x80131508, [EX_KEY_NOT_FOUND] = 0x80131577,
		[EX_NULL_REFERENCE] = 0x80004003, [EX_NOT_SUPPORTED] = 0x80131515, [EX_NOT_IMPLEMENTED] = 0x80004001,
		[EX_OUT_OF_MEMORY] = 0x8007000E, [EX_TIMEOUT] = 0x80131505, [EX_REGEX_TIMEOUT] = 0x80131505,
		[EX_DECODER] = 0x80070057, [EX_CRYPTOGRAPHIC] = 0x80131501, [EX_XML] = 0x80131940,
		[EX_XPATH] = 0x80131941,
	};
	uint32_t result = 0;

	for (int i = 0; i < EX__COUNT; i++)
		if (exception_class((enum vm_exception)i) == c->self.object->cls)
			result = results[i];
	return vm_return(c, value_int((int32_t)(result ? result : 0x80131500)));
}

/* A dictionary that comes to be when it is asked for. */
static bool get_data(struct vm_call *c)
{
	struct exception_object *e = self_of(c);

	if (e->data.kind == VALUE_NULL)
		e->data = vm_dictionary_new(c, &type_object, &type_object, false);
	return e->data.kind != VALUE_NULL && vm_return(c, e->data);
}

static bool base_exception(struct vm_call *c)
{
	struct value v = c->self;

	while (((struct exception_object *)(void *)v.object)->inner.kind == VALUE_OBJECT)
		v = ((struct exception_object *)(void *)v.object)->inner;
	return vm_return(c, v);
}

/* "System.FormatException: text ---> …" */
static struct str to_text(struct arena *a, struct value v)
{
	const struct exception_object *e = (const struct exception_object *)(const void *)v.object;
	struct str name = str_of(e->head.cls->name);

	if (e->inner.kind != VALUE_OBJECT)
		return arena_join(a, (struct str[]){ name, STR(": "), value_str(e->message) }, 3);
	return arena_join(a, (struct str[]){ name, STR(": "), value_str(e->message), STR(" ---> "), value_to_text(a, e->inner),
					    STR("\r\n   --- End of inner exception stack trace ---") }, 6);
}

#define CONSTRUCTORS                                                            \
	{ "X()", exception_new }, { "X(string message)", exception_new },       \
	{ "X(string message, Exception innerException)", exception_new }

static const struct class_member exception_members[] = {
	CONSTRUCTORS,
	{ "string Message { get; }", get_message },
	{ "Exception InnerException { get; }", get_inner },
	{ "string StackTrace { get; }", get_nothing },
	{ "string Source { get; }", get_nothing },
	{ "string HelpLink { get; }", get_null },
	{ "int HResult { get; }", get_result },
	{ "IDictionary<object, object> Data { get; }", get_data },
	{ "object TargetSite { get; }", get_null },
	{ "Exception GetBaseException()", base_exception },
	{ 0 }
};
static const struct class_member derived_members[] = { CONSTRUCTORS, { 0 } };
static const struct class_member argument_members[] = {
	CONSTRUCTORS, { "X(string message, string paramName)", argument_new }, { 0 }
};
static const struct class_member null_members[] = {
	{ "X()", exception_new }, { "X(string paramName)", argument_null_new },
	{ "X(string paramName, string message)", argument_swapped }, { 0 }
};
static const struct class_member range_members[] = {
	{ "X()", exception_new }, { "X(string paramName)", argument_range_new },
	{ "X(string paramName, string message)", argument_swapped }, { 0 }
};

struct value_class class_exception = {
	.name = "System.Exception", .members = exception_members, .to_text = to_text,
};

/* Three of the table have constructors of their own. */
#pragma GCC diagnostic ignored "-Woverride-init"
static struct value_class derived[EX__COUNT] = {
#define X(id, full, base_, message) [EX_##id] = { .name = full, .base = base_, .members = derived_members },
	VM_EXCEPTIONS(X)
#undef X
	[EX_ARGUMENT] = { .name = "System.ArgumentException", .base = "SystemException", .members = argument_members },
	[EX_ARGUMENT_NULL] = { .name = "System.ArgumentNullException", .base = "ArgumentException", .members = null_members },
	[EX_ARGUMENT_RANGE] = { .name = "System.ArgumentOutOfRangeException", .base = "ArgumentException",
				.members = range_members },
};

const struct value_class *exception_class(enum vm_exception kind)
{
	return kind == EX_EXCEPTION ? &class_exception : &derived[kind];
}

static struct value_class *const classes[] = {
#define X(id, full, base_, message) &derived[EX_##id],
	VM_EXCEPTIONS(X)
#undef X
	&class_exception,            /* after the row of the same name, which it replaces */
	NULL,
};
const struct class_module exception_module = { classes, NULL };
