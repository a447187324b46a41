/* absent.c - keeps the library complete until the expression compiler is in it: documents with expressions are refused
 * with a clear error. Goes when policy/expr has its own. */
#include "policy/context.h"
#include "policy/element.h"
#include "policy/expr/class.h"
#include "policy/net/make.h"

#define ABSENT __attribute__((weak))

const struct expr_limits expr_limits_default ABSENT = { 5000000, 200, 64 << 20 };

ABSENT struct expr *expr_compile(struct arena *a, struct str source, unsigned line, unsigned column, struct policy_diags *diags,
				 struct expr_uses *uses)
{
	(void)a, (void)source, (void)uses;
	policy_error(diags, line, column, "policy expressions are not supported by this version");
	return NULL;
}

ABSENT gh_rc expr_run(const struct expr *e, struct exchange *x, const struct expr_limits *limits, struct value *out, struct gh_err *err)
{
	(void)e, (void)x, (void)limits, (void)out;
	FAIL(err, UNSUPPORTED, "policy expressions are not supported by this version");
}

ABSENT struct value value_int(int64_t i)
{
	return (struct value){ .kind = VALUE_INT, .i = i };
}

ABSENT struct value value_bool(bool b)
{
	return (struct value){ .kind = VALUE_BOOL, .b = b };
}

ABSENT const struct value_class *value_class_of(struct value v)
{
	(void)v;
	return NULL;
}

ABSENT struct value value_string(struct arena *a, struct str s, bool copy)
{
	struct text *t = arena_new_of(a, struct text);

	(void)copy;
	if (!t || !s.p)
		return VALUE_NULL_INIT;
	t->p = s.p;
	t->n = s.n;
	return (struct value){ .kind = VALUE_STRING, .text = t };
}

ABSENT bool value_is_string(struct value v)
{
	return v.kind == VALUE_STRING;
}

ABSENT struct str value_str(struct value v)
{
	return v.kind == VALUE_STRING ? (struct str){ v.text->p, v.text->n } : STR_NULL;
}

ABSENT struct str value_to_text(struct arena *a, struct value v)
{
	switch (v.kind) {
	case VALUE_STRING:
		return value_str(v);
	case VALUE_BOOL:
		return v.b ? STR("True") : STR("False");
	case VALUE_INT:
		return arena_printf(a, "%lld", (long long)v.i);
	default:
		return STR("");
	}
}

ABSENT struct str value_bytes(struct value v)
{
	(void)v;
	return STR_NULL;
}

ABSENT struct value context_response(struct arena *a, struct response *r)
{
	(void)a, (void)r;
	return VALUE_NULL_INIT;
}

ABSENT struct response *context_response_of(struct exchange *x, struct value v)
{
	(void)x, (void)v;
	return NULL;
}

struct value_class class_array ABSENT;

ABSENT const struct type *type_named(const char *text)
{
	(void)text;
	return NULL;
}

ABSENT struct value value_object(const void *object)
{
	return (struct value){ .kind = object ? VALUE_OBJECT : VALUE_NULL, .object = (struct object *)(uintptr_t)object };
}
