#include "policy/schema.h"

#include "core/str.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

int64_t arg_choice(const struct arg_schema *s, struct str text)
{
	struct str all = str_of(s->choices);
	int64_t i = 0;

	for (struct str one; str_split(&all, '|', &one); i++)
		if (str_eq_ci(one, text))
			return i;
	return -1;
}

/* "a, b or c" of "a|b|c" */
static struct str choices_text(struct arena *a, const struct arg_schema *s)
{
	struct str all = str_of(s->choices), out = STR("");

	for (struct str one; str_split(&all, '|', &one);)
		out = !out.n
			? arena_printf(a, "`%.*s`", STR_ARG(one))
			: arena_printf(a, "%.*s%s`%.*s`", STR_ARG(out), str_is_null(all) ? " or " : ", ", STR_ARG(one));
	return out;
}

static bool read_int(struct arena *a, const struct arg_schema *s, struct arg *out, struct str *why)
{
	bool ranged = s->least || s->most;
	int64_t least = ranged ? s->least : INT64_MIN, most = ranged ? s->most : INT64_MAX;

	if (str_to_i64(str_trim(out->text), least, most, &out->number))
		return true;
	if (ranged && most == INT64_MAX)
		*why = arena_printf(a, "a whole number from %lld on", (long long)least);
	else if (ranged)
		*why = arena_printf(a, "a whole number from %lld to %lld", (long long)least, (long long)most);
	else
		*why = STR("a whole number");
	return false;
}

static bool read_bool(struct arg *out, struct str *why)
{
	struct str t = str_trim(out->text);

	*why = STR("`true` or `false`");
	out->number = str_eq_ci(t, STR("true"));
	return out->number || str_eq_ci(t, STR("false"));
}

static bool read_real(struct arena *a, struct arg *out, struct str *why)
{
	const char *text = arena_cstr(a, str_trim(out->text));
	char *end;

	*why = STR("a number such as 1.5");
	if (!text || !*text)
		return false;
	out->real = strtod(text, &end);
	return !*end && isfinite(out->real);
}

bool arg_literal(struct arena *a, const struct arg_schema *s, struct str text, struct arg *out, struct str *why)
{
	out->text = text;
	switch (s->kind) {
	case ARG_TEXT:
		*why = STR("a text that is not empty");
		return text.n || (s->flags & ARG_EMPTY);
	case ARG_INT:
		return read_int(a, s, out, why);
	case ARG_BOOL:
		return read_bool(out, why);
	case ARG_ENUM:
		out->number = arg_choice(s, str_trim(text));
		if (out->number < 0)
			*why = choices_text(a, s);
		return out->number >= 0;
	case ARG_REAL:
		return read_real(a, out, why);
	}
	return false;
}
