/* args.c - the value of an argument for one request: a literal as it was compiled, or what its expression gives. */
#include "policy/element.h"

#include "core/str.h"

#include <math.h>
#include <stdlib.h>

static bool failed(struct exchange *x, const struct arg *a, const char *what)
{
	exchange_fail(x, 500, STR("ExpressionValueEvaluationFailure"),
		      "Expression evaluation failed. The value of `%s` %s.",
		      a->schema && a->schema->name ? a->schema->name : "the expression", what);
	return false;
}

static bool run(struct exchange *x, const struct arg *a, struct value *out)
{
	struct gh_err err;

	if (!expr_run(a->expr, x, NULL, out, &err).code)
		return true;
	exchange_fail(x, 500, STR("ExpressionValueEvaluationFailure"), "Expression evaluation failed. %s", err.message);
	x->error.exhausted = err.code == GH_E_LIMIT;
	return false;
}

bool arg_get_value(struct exchange *x, const struct arg *a, struct value *out)
{
	if (a->expr)
		return run(x, a, out);
	*out = value_string(x->arena, a->text, false);
	return true;
}

bool arg_get_text(struct exchange *x, const struct arg *a, struct str *out)
{
	struct value v;

	*out = a->text;
	if (!a->expr)
		return true;
	if (!run(x, a, &v))
		return false;
	if (v.kind == VALUE_NULL) {
		*out = STR_NULL;
		return true;
	}
	*out = value_is_string(v) ? value_str(v) : value_to_text(x->arena, v);
	if (out->p)
		return true;
	exchange_no_memory(x);
	return false;
}

bool arg_get_bool(struct exchange *x, const struct arg *a, bool *out)
{
	struct value v;
	struct str t;

	*out = a->number != 0;
	if (!a->expr)
		return true;
	if (!run(x, a, &v))
		return false;
	*out = v.kind == VALUE_BOOL && v.b;
	if (v.kind == VALUE_BOOL)
		return true;
	t = value_is_string(v) ? str_trim(value_str(v)) : STR_NULL;
	*out = str_eq_ci(t, STR("true"));
	return *out || str_eq_ci(t, STR("false")) || failed(x, a, "must be true or false");
}

static bool to_real(struct exchange *x, struct value v, double *out)
{
	struct str t = value_to_text(x->arena, v);
	const char *text = t.n && t.n < 64 ? arena_cstr(x->arena, str_trim(t)) : NULL;
	char *end;

	if (!text || !*text)
		return false;
	*out = strtod(text, &end);
	return !*end && isfinite(*out);
}

bool arg_get_real(struct exchange *x, const struct arg *a, double *out)
{
	struct value v;

	*out = a->schema && a->schema->kind == ARG_INT ? (double)a->number : a->real;
	if (!a->expr)
		return true;
	if (!run(x, a, &v))
		return false;
	return to_real(x, v, out) || failed(x, a, "must be a number");
}

static bool to_int(struct exchange *x, struct value v, int64_t *out)
{
	double d;

	switch (v.kind) {
	case VALUE_SBYTE:
	case VALUE_SHORT:
	case VALUE_INT:
	case VALUE_LONG:
		*out = v.i;
		return true;
	case VALUE_BYTE:
	case VALUE_USHORT:
	case VALUE_UINT:
		*out = (int64_t)v.u;
		return true;
	default:
		if (!to_real(x, v, &d) || d != floor(d) || fabs(d) > 9e15)
			return false;
		*out = (int64_t)d;
		return true;
	}
}

bool arg_get_int(struct exchange *x, const struct arg *a, int64_t *out)
{
	const struct arg_schema *s = a->schema;
	struct value v;
	struct str text;

	*out = a->number;
	if (!a->expr)
		return true;
	if (s->kind == ARG_ENUM) {
		if (!arg_get_text(x, a, &text))
			return false;
		*out = arg_choice(s, text);
		return *out >= 0 || failed(x, a, "is none of the allowed words");
	}
	if (!run(x, a, &v))
		return false;
	if (!to_int(x, v, out))
		return failed(x, a, "must be a whole number");
	if ((s->least || s->most) && (*out < s->least || *out > s->most))
		return failed(x, a, "is outside of the allowed range");
	return true;
}
