/* openapi_names.c - ids and URL templates of operations, as API Management has them.
 *
 * Descriptions hold path templates that a router cannot take as they are: a variable twice, two variables side by side,
 * expressions of RFC 6570 ({+path}, {?page}), AWS's {proxy+}, stray braces, fragments. Each is turned into the nearest
 * template that routes the same calls; core/uritemplate.h is the judge of what routes. */
#include "core/openapi.h"

#include "core/str.h"
#include "core/uritemplate.h"

#define SLUG_MAX 76u                     /* leaves room for "-123" behind it */

struct str openapi_operation_slug(struct arena *a, const struct openapi_operation *op)
{
	struct str from[2] = { op->id, STR_NULL };
	char *to = arena_alloc_text(a, SLUG_MAX + 1);
	size_t n = 0;

	if (!to)
		return STR_NULL;
	if (op->id.n == 0) {
		from[0] = op->method;
		from[1] = op->path;
	}
	for (unsigned k = 0; k < 2; k++) {
		for (size_t i = 0; i < from[k].n && n < SLUG_MAX; i++) {
			char c = ascii_lower(from[k].p[i]);

			if (ascii_is_alpha(c) || ascii_is_digit(c))
				to[n++] = c;
			else if (n > 0 && to[n - 1] != '-')
				to[n++] = '-';
		}
	}
	while (n > 0 && to[n - 1] == '-')
		n--;
	if (n == 0) {
		memcpy(to, "operation", 9);
		n = 9;
	}
	to[n] = '\0';
	return (struct str){ to, n };
}

/* ---- URL templates -------------------------------------------------------------------------------------------------- */

struct shaper {
	struct buf b;
	struct str names[URITEMPLATE_PARAMS_MAX];
	size_t n_names;
	struct arena *arena;
};

static bool name_taken(const struct shaper *s, struct str name)
{
	for (size_t i = 0; i < s->n_names; i++)
		if (str_eq_ci(s->names[i], name))
			return true;
	return false;
}

/* A name that no other variable has: "id", "id2", … STR_NULL when there are too many. */
static struct str fresh_name(struct shaper *s, struct str name)
{
	struct str free = name;

	for (unsigned i = 2; free.p && name_taken(s, free); i++)
		free = arena_printf(s->arena, "%.*s%u", STR_ARG(name), i);
	if (!free.p || s->n_names == URITEMPLATE_PARAMS_MAX)
		return STR_NULL;
	s->names[s->n_names++] = free;
	return free;
}

/* The name inside braces without operators; *wild: it takes slashes. */
static struct str variable_of(struct str inside, bool *wild, bool *optional)
{
	*wild = *optional = false;
	while (inside.n > 0 && strchr("+*#./;?&", inside.p[0])) {
		*wild |= inside.p[0] == '+' || inside.p[0] == '*';
		*optional |= inside.p[0] == '?' || inside.p[0] == '&' || inside.p[0] == '#';
		inside = str_from(inside, 1);
	}
	while (inside.n > 0 && strchr("+*", inside.p[inside.n - 1])) {
		*wild = true;
		inside.n--;
	}
	for (size_t i = 0; i < inside.n; i++)
		if (strchr("=?*&/#:,", inside.p[i]))
			return str_first(inside, i);
	return inside;
}

/* One "{…}" of the path; `rest` is what follows it. Two side by side are one to a router. */
static void put_variable(struct shaper *s, struct str inside, struct str rest)
{
	bool alone = s->b.n > 0 && s->b.p[s->b.n - 1] == '/', wild, optional;
	bool behind_another = s->b.n > 0 && s->b.p[s->b.n - 1] == '}';
	struct str name = variable_of(inside, &wild, &optional);

	if (optional || behind_another)
		return;
	name = fresh_name(s, name.n ? name : STR("value"));
	if (!name.p)
		s->b.failed = true;
	else
		buf_fmt(&s->b, "{%s%.*s}", wild && alone && rest.n == 0 ? "*" : "", STR_ARG(name));
}

static void put_path(struct shaper *s, struct str path)
{
	if (path.n == 0 || path.p[0] != '/')
		buf_char(&s->b, '/');
	for (size_t i = 0; i < path.n; i++) {
		struct str rest = str_from(path, i);
		size_t end = rest.p[0] == '{' ? str_find_char(rest, '}') : SIZE_MAX;

		if (end != SIZE_MAX && str_find_char(str_first(str_from(rest, 1), end - 1), '{') == SIZE_MAX) {
			put_variable(s, (struct str){ rest.p + 1, end - 1 }, str_from(rest, end + 1));
			i += end;
		} else if (rest.p[0] == '{' || rest.p[0] == '}') {
			buf_cstr(&s->b, rest.p[0] == '{' ? "%7B" : "%7D");
		} else if (rest.p[0] == '?') {           /* from inside braces that do not pair */
			buf_cstr(&s->b, "%3F");
		} else if (rest.p[0] == '*' && s->b.p[s->b.n - 1] == '/' && rest.n > 1 && rest.p[1] == '/') {
			buf_cstr(&s->b, "%2A");          /* as a whole segment it is a wildcard, which only the last may be */
		} else {
			buf_char(&s->b, rest.p[0]);
		}
	}
}

static void put_query_item(struct shaper *s, struct str name, struct str variable, char *between)
{
	if (name.n == 0 || strpbrk(arena_cstr(s->arena, name), "&=#?{} %+"))
		return;          /* the call may have it all the same; the route does not ask for it */
	variable = fresh_name(s, variable.n && !strpbrk(arena_cstr(s->arena, variable), "*={}?&/") ? variable : STR("value"));
	if (!variable.p) {
		s->b.failed = true;
		return;
	}
	buf_fmt(&s->b, "%c%.*s={%.*s}", *between, STR_ARG(name), STR_ARG(variable));
	*between = '&';
}

/* The query that stands in the path of the description: "?action=list&id={id}". */
static void put_written_query(struct shaper *s, struct str query, char *between)
{
	struct str item;

	while (str_split(&query, '&', &item)) {
		struct str name = str_first(item, str_find_char(item, '=')), value = str_from(item, name.n + 1);

		if (value.n > 1 && value.p[0] == '{' && value.p[value.n - 1] == '}') {
			put_query_item(s, name, (struct str){ value.p + 1, value.n - 2 }, between);
		} else if (name.n > 0 && str_find_char(item, '{') == SIZE_MAX && str_find_char(item, '}') == SIZE_MAX) {
			buf_fmt(&s->b, "%c%.*s", *between, STR_ARG(item));
			*between = '&';
		}
	}
}

/* Is the parameter asked for by the written query already? */
static bool in_query(struct str query, struct str name)
{
	struct str item;

	while (str_split(&query, '&', &item))
		if (str_eq(str_first(item, str_find_char(item, '=')), name))
			return true;
	return false;
}

/* Where the query begins: the first '?' that stands outside of braces. */
static size_t question_mark(struct str path)
{
	bool inside = false;

	for (size_t i = 0; i < path.n; i++) {
		if (path.p[i] == '?' && !inside)
			return i;
		inside = path.p[i] == '{' || (inside && path.p[i] != '}');
	}
	return SIZE_MAX;
}

struct str openapi_url_template(struct arena *a, const struct openapi_operation *op)
{
	struct str path = str_first(op->path, str_find_char(op->path, '#')), query, out = STR_NULL;
	size_t question = question_mark(path);
	struct shaper s = { .arena = a };
	char between = '?';

	if (path.n == 0 && op->path.n > 0)
		path = STR("/");
	query = question == SIZE_MAX ? STR_NULL : str_from(path, question + 1);
	buf_init(&s.b, URITEMPLATE_BYTES_MAX + 1);
	put_path(&s, str_first(path, question));
	put_written_query(&s, query, &between);
	for (size_t i = 0; i < op->n_parameters; i++) {
		const struct openapi_parameter *p = &op->parameters[i];

		if (p->in == OPENAPI_QUERY && p->required && !in_query(query, p->name))
			put_query_item(&s, p->name, p->name, &between);
	}
	if (buf_ok(&s.b))
		out = arena_dup(a, buf_view(&s.b));
	buf_release(&s.b);
	return out;
}
