/* problem.c - what is wrong with documents; and what was probably meant. */
#include "config/document.h"

#include "config/rights.h"
#include "core/str.h"
#include "core/suggest.h"

#include <stdarg.h>
#include <stdio.h>

enum { TITLE_MAX = 40, NEAR_LETTERS = 3, SUGGESTIONS_MAX = 20 };

/* ---- problems ---------------------------------------------------------------------------------------------------------- */

/* Bytes of "product 'gold': " in front of a message: checks of the store begin so, and whoever shows a problem says of what it is. */
static size_t named_again(const char *text, struct str id)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz- "), slash = str_rfind_char(id, '/');
	const struct str forms[2] = { id, slash == SIZE_MAX ? STR_NULL : str_from(id, slash + 1) };      /* "default/key" is the credential 'key' */

	for (size_t i = 0; n && n <= TITLE_MAX && text[n] == '\'' && i < ARRAY_LEN(forms); i++) {
		struct str rest = str_of(text + n + 1);

		if (forms[i].n && str_starts(rest, forms[i]) && str_starts(str_from(rest, forms[i].n), STR("': ")))
			return n + 1 + forms[i].n + 3;
	}
	return 0;
}

void resource_add_problem(struct resource_change *c, const struct resource_kind *k, struct str id, struct str pointer, const char *fmt,
			va_list args)
{
	struct resource_problem *p = &c->problems[c->n];
	char text[1024];
	size_t at;

	c->total++;
	if (c->n == RESOURCE_PROBLEMS_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	at = k ? named_again(text, id) : 0;
	p->kind = k;
	p->id = id.p ? arena_dup(c->arena, id) : STR_NULL;
	p->pointer = arena_dup(c->arena, pointer);
	p->message = arena_dup(c->arena, str_of(text + at));
	c->n += p->message.p != NULL;
}

void resource_problem(struct resource_change *c, const struct resource_kind *k, struct str id, struct str pointer, const char *fmt,
		      ...)
{
	va_list args;

	va_start(args, fmt);
	resource_add_problem(c, k, id, pointer, fmt, args);
	va_end(args);
}

void put_problem(struct resource_put *p, const char *pointer, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	resource_add_problem(p->c, p->c->kind, p->id, str_of(pointer), fmt, args);
	va_end(args);
}

GH_RC put_refused(struct resource_put *p, const char *pointer, gh_rc rc, const struct gh_err *why, struct gh_err *err)
{
	switch (rc.code) {
	case GH_E_INVALID: case GH_E_SYNTAX: case GH_E_CONFLICT: case GH_E_NOT_FOUND: case GH_E_LIMIT: case GH_E_PROTO:
		put_problem(p, pointer, "%s", why->message);
		return GH_RC_OK;
	case GH_OK:
		return rc;
	default:
		if (err)
			*err = *why;
		return rc;
	}
}

/* ---- did you mean ...? ------------------------------------------------------------------------------------------------------ */

/* The ids, or for a kind whose ids are made, and known by nobody, what people call them, of those that have these letters somewhere. */
static size_t names_with(struct store *s, struct arena *a, const struct resource_kind *k, struct str letters, struct str *ids, const char **names)
{
	const struct resource_query q = { .search = letters, .limit = k->makes_id ? RESOURCE_LIST_DEFAULT : RESOURCE_LIST_MAX };
	struct str *found = NULL, next;
	json_t *docs = NULL, *doc;
	struct gh_err why;
	size_t n = 0, i;

	if (!k->makes_id && resource_ids(s, a, k, &q, &found, &n, &next, &why).code)
		return 0;
	for (i = 0; i < n; i++) {
		ids[i] = found[i];
		names[i] = arena_dup(a, found[i]).p;
	}
	if (k->makes_id && resource_list(s, a, k, &q, &docs, &next, &why).code)
		return 0;
	json_array_foreach(docs, i, doc) {
		ids[n] = jsn_str(doc, "id");
		names[n] = arena_dup(a, jsn_str(doc, jsn_str(doc, "email").n ? "email" : "name")).p;
		n += names[n] != NULL;
	}
	return n;
}

bool resource_near(struct store *s, struct arena *a, const struct resource_kind *k, struct str wrong, struct str *id, struct str *name)
{
	/* the slip may be at the beginning, or in the middle of a short one */
	const struct str letters[] = { str_first(wrong, NEAR_LETTERS), wrong.n > NEAR_LETTERS ? str_from(wrong, wrong.n - NEAR_LETTERS) : str_first(wrong, 1),
				       str_first(wrong, 1) };
	const char **names = arena_alloc(a, RESOURCE_LIST_MAX + 1, sizeof(*names)), *near;
	struct str *ids = arena_alloc(a, RESOURCE_LIST_MAX, sizeof(*ids));

	if (!resource_kind_told(s, k))
		return false;
	for (size_t round = 0; names && ids && round < ARRAY_LEN(letters) && letters[round].n; round++) {
		size_t n = names_with(s, a, k, letters[round], ids, names);

		names[n] = NULL;
		near = suggest(wrong, names);
		for (size_t i = 0; near && i < n; i++)
			if (names[i] == near) {
				*id = ids[i];
				*name = str_of(near);
				return true;
			}
	}
	return false;
}

struct str resource_did_you_mean(struct store *s, struct arena *a, const struct resource_kind *k, struct str wrong)
{
	struct str id, name, out = STR("");

	if (resource_near(s, a, k, wrong, &id, &name))
		out = k->makes_id ? arena_printf(a, "; did you mean '%.*s' (%.*s)?", STR_ARG(id), STR_ARG(name))
				  : arena_printf(a, "; did you mean '%.*s'?", STR_ARG(id));
	return out.p ? out : STR("");
}

struct str resource_meant(struct resource_change *c, const struct resource_kind *k, struct str wrong)
{
	return c->total < SUGGESTIONS_MAX ? resource_did_you_mean(c->store, c->arena, k, wrong) : STR("");
}
