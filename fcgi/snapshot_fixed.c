/* snapshot_fixed.c - the fixed header fields and query parameters of a backend, with named values put in. */
#include "core/str.h"
#include "core/uri.h"
#include "fcgi/fixed.h"
#include "fcgi/snapshot_impl.h"

static gh_rc no_memory(struct build *b)
{
	FAIL(b->err, NOMEM, "no memory for the headers and parameters of the backends");
}

struct filled {
	struct build *b;
	struct snap_fixed *x;
};

/* What stands for "{{name}}"; STR_NULL, and x->problem says why, when nothing does. */
static struct str named(void *ctx, struct str name)
{
	struct filled *f = ctx;
	const struct store_named_value *v = map_get(&f->b->named_values, name);

	if (v && v->value.p)
		return v->value;
	f->x->problem = arena_printf(f->b->a, v ? "named value %.*s: nothing could be read for it yet" : "there is no named value %.*s",
				     STR_ARG(str_first(name, 200)));
	return STR_NULL;
}

static gh_rc add_parameter(struct build *b, const struct backend_fixed_value *v, struct str *names, struct snap_fixed *x)
{
	struct str name = uri_encode(b->rows, v->name, URI_KEEP_UNRESERVED), value = uri_encode(b->rows, v->value, URI_KEEP_UNRESERVED);
	bool known = false;

	for (size_t i = 0; i < x->n_parameters; i++)
		known |= str_eq(names[i], v->name);
	if (!known)
		names[x->n_parameters++] = v->name;
	if (!name.p || !value.p)
		return no_memory(b);
	x->query = arena_printf(b->a, "%.*s%s%.*s=%.*s", STR_ARG(x->query), x->query.n ? "&" : "", STR_ARG(name), STR_ARG(value));
	return x->query.p ? GH_RC_OK : no_memory(b);
}

/* "Bearer abc" is hidden as a whole by its field, and "abc" wherever it stands. */
static struct str secret_part(const struct backend_fixed_value *v)
{
	size_t blank = v->query || !str_eq_ci(v->name, STR("Authorization")) ? SIZE_MAX : str_find_char(v->value, ' ');

	return blank == SIZE_MAX ? v->value : str_trim(str_from(v->value, blank + 1));
}

static gh_rc keep(struct build *b, const struct backend_fixed *from, struct snap_fixed *x)
{
	struct backend_fixed_value *fields = arena_alloc(b->a, from->n + 1, sizeof(*fields));
	struct str *names = arena_alloc(b->a, from->n + 1, sizeof(*names)), *secrets = arena_alloc(b->a, from->n + 1, sizeof(*secrets));

	if (!fields || !names || !secrets)
		return no_memory(b);
	x->fields = fields;
	x->parameters = names;
	x->secrets = secrets;
	for (size_t i = 0; i < from->n; i++) {
		struct backend_fixed_value v = from->v[i];

		TRY(backend_fixed_fill(b->a, from->v[i].value, named, &(struct filled){ b, x }, &v.value, b->err));
		if (!v.query && !backend_fixed_value_ok(v.value))
			x->problem = arena_printf(b->a, "the value of header %.*s holds a line break", STR_ARG(v.name));
		if (v.query)
			TRY(add_parameter(b, &v, names, x));
		else
			fields[x->n_fields++] = v;
		secrets[x->n_secrets++] = secret_part(&v);
	}
	return GH_RC_OK;
}

/* A store from before these were sent took any object: what cannot be read is left out, as it was then, and the log says so. What
 * can be read and has no value keeps calls from the backend: it would answer them to whoever may not ask. */
gh_rc build_fixed(struct build *b, struct str id, struct str json, const struct snap_fixed **out)
{
	struct backend_fixed *parsed;
	struct snap_fixed *x;
	struct gh_err err;

	*out = NULL;
	if (!json.n)
		return GH_RC_OK;
	parsed = arena_new_of(b->rows, struct backend_fixed);
	x = arena_new_of(b->a, struct snap_fixed);
	if (!parsed || !x)
		return no_memory(b);
	if (backend_fixed_parse(b->a, json, parsed, &err).code) {
		b->s->backend_problem = arena_printf(b->a, "backend %.*s: fixed headers and parameters: %s", STR_ARG(id), err.message);
		return GH_RC_OK;
	}
	if (!parsed->n)
		return GH_RC_OK;
	TRY(keep(b, parsed, x));
	if (x->problem.n)
		b->s->backend_problem = arena_printf(b->a, "backend %.*s: fixed headers and parameters: %.*s", STR_ARG(id), STR_ARG(x->problem));
	*out = x;
	return GH_RC_OK;
}
