/* change.c - one change of the configuration: documents in, one transaction with its audit entries out. */
#include "config/document.h"

#include "config/guard.h"
#include "core/str.h"
#include "db/audit.h"

#include <stdlib.h>

enum { SCRATCH_BYTES = 256 << 20, DETAIL_BYTES = 16384, DETAIL_TEXT = 600 };

GH_RC resource_begin(struct store *s, struct arena *a, struct str actor, struct resource_change **out, struct gh_err *err)
{
	struct resource_change *c = arena_new_of(a, struct resource_change);

	*out = NULL;
	if (!c)
		FAIL(err, NOMEM, "change");
	c->store = s;
	c->arena = a;
	c->actor = actor;
	c->scratch = arena_new(SCRATCH_BYTES);
	if (!c->scratch)
		FAIL(err, NOMEM, "change");
	gh_rc rc = store_tx_begin(s, actor, err);
	if (rc.code) {
		arena_free(c->scratch);
		return rc;
	}
	*out = c;
	return GH_RC_OK;
}

/* A value that breaks who names it is a problem of the value. */
static GH_RC check_value(struct resource_change *c, struct str id, struct gh_err *err)
{
	struct gh_err why;
	gh_rc rc = policy_store_check_value(c->store, id, &why);

	if (rc.code == GH_E_INVALID)
		resource_problem(c, &kind_named_value, id, STR("/value"), "%s", why.message);
	else if (rc.code && err)
		*err = why;
	if (rc.code)
		return rc.code == GH_E_INVALID ? GH_RC_OK : rc;
	return value_check_backends(c, c->arena, id, err);
}

GH_RC resource_settle(struct resource_change *c, struct gh_err *err)
{
	const size_t n = c->total ? 0 : c->n_values;     /* what is wrong by itself comes first */

	c->n_values = 0;
	for (size_t i = 0; i < n; i++)                   /* together with the policies that came too */
		TRY(check_value(c, c->values[i], err));
	return c->total ? GH_RC_OK : operation_routes_settle(c, err);
}

GH_RC resource_end(struct resource_change *c, gh_rc so_far, bool dry_run, struct gh_err *err)
{
	arena_free(c->scratch);
	arena_free(c->policy_arena);
	c->scratch = c->policy_arena = NULL;
	if (!so_far.code)
		so_far = resource_settle(c, err);
	if (!so_far.code && c->total)
		so_far = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%zu problem%s", c->total, c->total == 1 ? "" : "s");
	if (!so_far.code && !dry_run)
		return store_tx_commit(c->store, err);
	store_tx_rollback(c->store);
	return so_far;
}

void resource_portal(struct resource_change *c, struct str address)
{
	c->portal = address;
}

void resource_passwords_stand(struct resource_change *c)
{
	c->passwords_stand = true;
}

void resource_theme(struct resource_change *c, const struct theme *theme)
{
	c->theme = theme;
}

void resource_style_sheet(struct resource_change *c, struct str css)
{
	c->style_sheet = css;
}

const struct resource_problem *resource_problems(const struct resource_change *c, size_t *n)
{
	*n = c->n;
	return c->problems;
}

size_t resource_problem_count(const struct resource_change *c)
{
	return c->total;
}

/* ---- the trail --------------------------------------------------------------------------------------------------------- */

static json_t *cut(const json_t *v)
{
	struct str s = jsn_string(v);

	if (s.n <= DETAIL_TEXT)
		return json_incref((json_t *)(uintptr_t)v);
	s = str_first(s, DETAIL_TEXT);
	while (s.n && !utf8_valid(s))
		s.n--;
	return json_sprintf("%.*s…", (int)s.n, s.p);
}

/* What a document says of a secret, without its value. */
static json_t *told(const struct resource_field *fields, const char *name, const json_t *v)
{
	for (const struct resource_field *f = fields; f && f->name; f++) {
		json_t *copy, *member;
		const char *key;

		if (strcmp(f->name, name) != 0)
			continue;
		if (f->type == RESOURCE_SECRET)
			return json_is_string(v) ? json_string("(set)") : json_incref((json_t *)(uintptr_t)v);
		if (f->type != RESOURCE_OBJECT || !f->fields || !json_is_object(v))
			break;
		copy = json_object();
		json_object_foreach((json_t *)(uintptr_t)v, key, member)
			json_object_set_new(copy, key, told(f->fields, key, member));
		return copy;
	}
	return cut(v);
}

/* {"before": {…}, "after": {…}}: of two documents only the fields that differ. */
static struct str detail(struct arena *a, const struct resource_kind *k, const json_t *before, const json_t *after)
{
	json_t *all = jsn_keep(a, json_object()), *sides[2] = { json_object(), json_object() };
	const json_t *docs[2] = { before, after };
	struct str text;

	for (const struct resource_field *f = k->fields; f->name; f++) {
		const json_t *v[2] = { jsn_get(before, f->name), jsn_get(after, f->name) };

		if (f == k->fields || f->flags & RESOURCE_READ_ONLY || (v[0] && v[1] && json_equal(v[0], v[1])))
			continue;
		if (f->type == RESOURCE_SECRET && after && !v[1])
			continue;
		for (int i = 0; i < 2; i++)
			if (v[i])
				json_object_set_new(sides[i], f->name, told(k->fields, f->name, v[i]));
	}
	for (int i = 0; i < 2; i++) {
		if (docs[i])
			json_object_set(all, i ? "after" : "before", sides[i]);
		json_decref(sides[i]);
	}
	text = jsn_text(a, all, 0);
	return text.n && text.n <= DETAIL_BYTES ? text : STR("{\"cut\":true}");
}

static GH_RC note(struct resource_change *c, const char *action, const struct resource_kind *k, struct str id, const json_t *before,
		  const json_t *after, struct gh_err *err)
{
	store_audit_hold(c->store, false);
	return store_audit_note(c->store, str_of(action), str_of(k->name), id, detail(c->scratch, k, before, after), err);
}

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

static void check_id(struct resource_change *c, const struct resource_kind *k, struct str id)
{
	size_t problems = c->total;

	if (!id.n || id.n > RESOURCE_ID_MAX || !utf8_valid(id)) {
		resource_problem(c, k, id, STR("/id"), "an id has 1 to %d characters of UTF-8", RESOURCE_ID_MAX);
		return;
	}
	if (resource_has_control(id))
		resource_problem(c, k, id, STR("/id"), "an id holds no control characters");
	if (c->total == problems && k->ops->check_id)
		k->ops->check_id(c, id);
}

/* Which resource is meant: the address counts, and the document must not contradict it. */
static GH_RC choose_id(struct resource_change *c, const struct resource_kind *k, const json_t *document, struct str *id, bool *made,
		       struct gh_err *err)
{
	const json_t *given = jsn_get(document, "id");
	struct str inside = jsn_string(given);

	*made = false;
	if (given && !json_is_string(given) && !(k->makes_id && json_is_null(given)))
		resource_problem(c, k, *id, STR("/id"), "must be a text");
	else if (id->n && inside.p && !str_eq(*id, inside))
		resource_problem(c, k, *id, STR("/id"), "says '%.*s', but this is '%.*s'; an id never changes", STR_ARG(str_first(inside, 200)),
				 STR_ARG(str_first(*id, 200)));
	if (!id->n)
		*id = inside;
	if (!id->n && k->makes_id) {
		*made = true;
		return store_new_id(c->arena, id, err);
	}
	if (!id->n)
		resource_problem(c, k, STR_NULL, STR("/id"), "is required: %s", k->fields[0].description);
	return GH_RC_OK;
}

static void check_fixed(struct resource_put *p)
{
	char pointer[80];

	for (const struct resource_field *f = p->c->kind->fields + 1; f->name; f++) {
		const json_t *now = jsn_get(p->doc, f->name);

		if (!(f->flags & RESOURCE_FIXED) || !p->before || !now || json_equal(now, jsn_get(p->before, f->name)))
			continue;
		snprintf(pointer, sizeof(pointer), "/%s", f->name);
		put_problem(p, pointer, "cannot change; make a new %s and remove this one", p->c->kind->name);
	}
}

/* Whether the document says what is there already; a secret that is given as text counts as another. */
static bool says_the_same(const struct resource_field *fields, const json_t *doc, const json_t *before)
{
	for (const struct resource_field *f = fields; f->name; f++) {
		const json_t *v = jsn_get(doc, f->name), *was = jsn_get(before, f->name);

		if (!v)
			continue;
		if (f->type == RESOURCE_SECRET && jsn_bool(v, "sealed", false) && jsn_bool(was, "sealed", false))
			continue;
		if (f->type == RESOURCE_OBJECT && f->fields && json_is_object(v) && json_is_object(was)) {
			if (!says_the_same(f->fields, v, was))
				return false;
			continue;
		}
		if (json_is_string(v) && f->type == RESOURCE_SECRET)
			return false;
		if (!was || !json_equal(v, was))
			return false;
	}
	return true;
}

static GH_RC fill_row(struct resource_put *p, bool *found, struct gh_err *err)
{
	const struct resource_kind *k = p->c->kind;

	p->row = arena_alloc(p->a, 1, k->ops->row_size);
	if (!p->row)
		FAIL(err, NOMEM, "%s", k->name);
	TRY(k->ops->find(p->s, p->a, p->id, p->row, found, err));
	p->exists = *found;
	if (*found) {
		json_t *before;

		TRY(resource_show(p->s, p->a, k, p->row, &before, err));
		p->before = before;
	} else {
		memset(p->row, 0, k->ops->row_size);
		if (k->ops->fresh)
			TRY(k->ops->fresh(p, err));
	}
	return GH_RC_OK;
}

static GH_RC check_allowed(struct resource_put *p, struct gh_err *err)
{
	const struct resource_kind *k = p->c->kind;
	bool yes;

	TRY(resource_allowed(p->s, k, p->id, true, &yes, err));
	if (!yes)
		FAIL(err, DENIED, "you may not change the %s '%.*s': that takes the right %s where it belongs, in an environment or business group or "
		     "everywhere", k->name, STR_ARG(str_first(p->id, 200)), right_texts[resource_right(k, true)].name);
	return guard_resource(p->s, k, p->id, false, err);
}

static GH_RC save(struct resource_put *p, struct resource_outcome *out, struct gh_err *err)
{
	struct resource_change *c = p->c;
	const struct resource_kind *k = c->kind;
	struct gh_err why;
	gh_rc rc;

	out->result = p->exists ? RESOURCE_CHANGED : RESOURCE_CREATED;
	if (p->exists && says_the_same(k->fields, p->doc, p->before)) {
		out->result = RESOURCE_SAME;
		return GH_RC_OK;
	}
	if (p->exists)
		TRY(check_allowed(p, err));
	store_audit_hold(c->store, true);
	rc = k->ops->save(p, &why);
	store_audit_hold(c->store, false);
	if (rc.code)
		return put_refused(p, "", rc, &why, err);
	TRY(check_allowed(p, err));              /* where it belongs now: the caller rolls back */
	out->issued = c->issued;
	out->told = c->told;
	return note(c, p->exists ? "update" : "create", k, p->id, p->before, p->doc, err);
}

static GH_RC write_one(struct resource_put *p, const json_t *document, enum resource_how how, struct resource_outcome *out,
		       struct gh_err *err)
{
	struct resource_change *c = p->c;
	const struct resource_kind *k = c->kind;
	size_t problems = c->total;
	bool found = false;

	if (p->id.n)
		check_id(c, k, p->id);
	if (c->total == problems && p->id.n)
		TRY(fill_row(p, &found, err));
	if (found) {
		bool seen;

		TRY(resource_allowed(p->s, k, p->id, false, &seen, err));
		if (!seen)
			TRY(check_allowed(p, err));
	}
	if (found && how == RESOURCE_CREATE)
		resource_problem(c, k, p->id, STR("/id"), "there is a %s '%.*s' already", k->name, STR_ARG(str_first(p->id, 200)));
	if (!found && how == RESOURCE_REPLACE)
		FAIL(err, NOT_FOUND, "there is no %s '%.*s'%.*s", k->name, STR_ARG(str_first(p->id, 200)), STR_ARG(resource_did_you_mean(p->s, p->a, k, p->id)));
	p->doc = resource_normal(c, p->a, document);
	if (c->total != problems || !p->doc || !p->row)
		return GH_RC_OK;
	resource_fill(k, p->doc, p->id, p->row);
	check_fixed(p);
	if (k->ops->check && c->total == problems)
		TRY(k->ops->check(p, err));
	return c->total == problems ? save(p, out, err) : GH_RC_OK;
}

GH_RC resource_write(struct resource_change *c, const struct resource_kind *k, struct str id, const json_t *document,
		     enum resource_how how, struct resource_outcome *out, struct gh_err *err)
{
	struct resource_put p = { .c = c, .a = c->scratch, .s = c->store, .id = id };
	struct resource_outcome none;
	size_t problems = c->total;
	bool made;

	out = out ? out : &none;
	*out = (struct resource_outcome){ .result = RESOURCE_SAME };
	arena_reset(c->scratch);
	resource_forget_policies(c, k);
	c->kind = k;
	c->issued = NULL;
	c->told = 0;
	if (!json_is_object(document)) {
		resource_problem(c, k, id, STR(""), "must be an object, not %s", jsn_type_name(document));
		FAIL(err, INVALID, "%s: no object", k->name);
	}
	TRY(choose_id(c, k, document, &p.id, &made, err));
	c->id = p.id;
	TRY(write_one(&p, document, how, out, err));
	resource_forget_policies(c, k);          /* a fragment was compiled with those that were there before it */
	if (c->total != problems)
		FAIL(err, INVALID, "%s '%.*s': %.*s", k->name, STR_ARG(str_first(p.id, 200)),
		     STR_ARG(problems < c->n ? c->problems[problems].message : STR("more problems than are kept")));
	out->id = arena_dup(c->arena, p.id);
	if (p.before && !jsn_keep(c->arena, (out->before = json_incref((json_t *)(uintptr_t)p.before))))
		FAIL(err, NOMEM, "%s", k->name);
	return out->id.p ? GH_RC_OK : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "%s", k->name);
}

/* null takes a secret away, which would stay when it is left out; and {"ref"} takes the place of {"sealed"}, not one beside it */
static void take_secrets(const struct resource_field *fields, json_t *merged, const json_t *patch)
{
	for (const struct resource_field *f = fields; f && f->name; f++) {
		json_t *given = jsn_get(patch, f->name);

		if (f->type == RESOURCE_SECRET && given)
			json_object_set(merged, f->name, given);
		else if (f->type == RESOURCE_OBJECT && json_is_object(given))
			take_secrets(f->fields, jsn_get(merged, f->name), given);
	}
}

GH_RC resource_merge(struct store *s, struct arena *a, const struct resource_kind *k, struct str id, const json_t *patch, json_t **out,
		     struct gh_err *err)
{
	json_t *base = NULL;

	*out = NULL;
	if (k->ops->base)
		TRY(k->ops->base(s, a, id, patch, &base, err));
	else
		TRY(resource_read(s, a, k, id, &base, err));
	if (!base)
		return GH_RC_OK;
	base = resource_document(a, k, base, RESOURCE_WRITABLE);
	if (!base)
		FAIL(err, NOMEM, "%s", k->name);
	*out = jsn_keep(a, jsn_merge_patch(base, patch));
	if (!*out)
		FAIL(err, NOMEM, "%s", k->name);
	take_secrets(k->fields, *out, patch);
	return GH_RC_OK;
}

/* ---- removing ---------------------------------------------------------------------------------------------------------- */

/* "3 others that you may not see" */
static struct str others(struct resource_change *c, size_t seen, size_t hidden, bool more)
{
	const char *what = seen ? hidden == 1 ? "other" : "others" : hidden == 1 ? "thing" : "things";

	return arena_printf(c->scratch, "%s%zu %s that you may not see", more ? "at least " : "", hidden, what);
}

/* What refers to it is named to whoever may list it; of the rest only the number is told. */
static GH_RC refuse_uses(struct resource_change *c, const struct resource_kind *k, struct str id, struct gh_err *err)
{
	struct resource_name *uses, *first = NULL;
	struct str short_id = str_first(id, 200), rest;
	size_t n, seen = 0, hidden = 0;

	TRY(resource_uses(c->store, c->scratch, k, id, STORE_RESOURCE_USES_MAX, &uses, &n, err));
	for (size_t i = 0; i < n; i++) {
		bool told;

		TRY(resource_told(c->store, uses[i].kind, uses[i].id, &told, err));
		hidden += !told;
		if (told && seen++ < RESOURCE_USES_MAX)
			resource_problem(c, k, id, STR(""), "the %s '%.*s' refers to it; change or remove that first", uses[i].kind->name,
					 STR_ARG(str_first(uses[i].id, 200)));
		first = told && !first ? &uses[i] : first;
	}
	rest = others(c, seen, hidden, n == STORE_RESOURCE_USES_MAX);
	if (hidden)
		resource_problem(c, k, id, STR(""), "%.*s refer%s to it; ask somebody who may see %s to change or remove %s first", STR_ARG(rest),
				 hidden == 1 ? "s" : "", hidden == 1 ? "it" : "them", hidden == 1 ? "that" : "those");
	if (first)
		FAIL(err, CONFLICT, "%s '%.*s' is in use by %s '%.*s'%s%.*s", k->name, STR_ARG(short_id), first->kind->name, STR_ARG(str_first(first->id, 200)),
		     hidden ? " and " : "", hidden ? (int)rest.n : 0, rest.p);
	if (n)
		FAIL(err, CONFLICT, "%s '%.*s' is in use by %.*s", k->name, STR_ARG(short_id), STR_ARG(rest));
	return GH_RC_OK;
}

GH_RC resource_remove(struct resource_change *c, const struct resource_kind *k, struct str id, json_t **before, struct gh_err *err)
{
	json_t *was;
	bool may;
	gh_rc rc;

	arena_reset(c->scratch);
	resource_forget_policies(c, k);
	if (before)
		*before = NULL;
	TRY(resource_read(c->store, before ? c->arena : c->scratch, k, id, &was, err));
	if (!was)
		FAIL(err, NOT_FOUND, "there is no %s '%.*s'%.*s", k->name, STR_ARG(str_first(id, 200)), STR_ARG(resource_did_you_mean(c->store, c->scratch, k, id)));
	if (before)
		*before = was;
	if (k->single || !k->ops->drop) {
		resource_problem(c, k, id, STR(""), "there is always one %s; change it instead", k->name);
		FAIL(err, CONFLICT, "there is always one %s", k->name);
	}
	TRY(resource_allowed(c->store, k, id, true, &may, err));
	if (!may)
		FAIL(err, DENIED, "you may not remove the %s '%.*s': that takes the right %s where it belongs", k->name, STR_ARG(str_first(id, 200)),
		     right_texts[resource_right(k, true)].name);
	TRY(guard_resource(c->store, k, id, true, err));
	TRY(refuse_uses(c, k, id, err));
	store_audit_hold(c->store, true);
	rc = k->ops->drop(c->store, c->scratch, id, err);
	store_audit_hold(c->store, false);
	if (rc.code == GH_E_CONFLICT || rc.code == GH_E_INVALID)
		resource_problem(c, k, id, STR(""), "%s", err ? err->message : "it cannot be removed");
	TRY(rc);
	return note(c, "delete", k, id, was, NULL, err);
}
