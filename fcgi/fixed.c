#include "fcgi/fixed.h"

#include "core/str.h"
#include "core/uri.h"
#include "fcgi/credential.h"

bool fixed_apply(struct arena *a, const struct snap_fixed *f, struct url *url, struct fields *fields)
{
	for (size_t i = 0; i < f->n_fields; i++)
		fields_remove(fields, f->fields[i].name);
	for (size_t i = 0; i < f->n_fields; i++)
		if (!fields_add(fields, f->fields[i].name, f->fields[i].value))
			return false;
	if (!f->n_parameters)
		return true;
	for (size_t i = 0; i < f->n_parameters; i++)
		if (!uri_query_remove(a, url->query, f->parameters[i], &url->query))
			return false;
	url->query = arena_printf(a, "%.*s%s%.*s", STR_ARG(url->query), url->query.n ? "&" : "", STR_ARG(f->query));
	return url->query.p;
}

bool fixed_may_travel(const struct snap_fixed *f)
{
	for (size_t i = 0; i < f->n_fields; i++)
		if (!str_eq_ci(f->fields[i].name, STR("Authorization")))
			return false;
	return !f->n_parameters;
}

/* They are the snapshot's, which the call holds; another try at the same backend adds nothing. */
static bool hide(struct call *k, struct str field, struct str text)
{
	struct credential_secret *s = k->secrets;

	while (s && (s->text.p != text.p || s->field.p != field.p))
		s = s->next;
	if (s)
		return true;
	s = arena_new_of(k->arena, struct credential_secret);
	if (!s)
		return false;
	*s = (struct credential_secret){ k->secrets, text, field };
	k->secrets = s;
	return true;
}

bool fixed_hide(struct call *k, const struct snap_fixed *f)
{
	for (size_t i = 0; i < f->n_fields; i++)
		if (!hide(k, f->fields[i].name, f->fields[i].value))
			return false;
	for (size_t i = 0; i < f->n_secrets; i++)
		if (!hide(k, STR_NULL, f->secrets[i]))
			return false;
	return true;
}
