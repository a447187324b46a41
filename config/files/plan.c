/* plan.c - the walk from a set of documents into the store.
 *
 * First every resource of the kinds at stake is read, a page at a time, and compared with its document: what is equal costs
 * no more than that, so a plan over an installation without changes writes nothing. The rest passes the one door, resource_write,
 * which also knows what equals in another wording.
 *
 * Order: which revision of an API is current; deletions that nothing refers to, so that the path of an API that goes is free for one that comes; then what is
 * created and changed, in the order of dependence; then the deletions that had to wait for those changes. */
#include "config/files/plan.h"

#include "config/files/export.h"
#include "config/files/layout.h"
#include "config/files/plan_walk.h"
#include "core/crypto.h"
#include "core/str.h"

enum { STATE_DIGEST_BYTES = 16 };         /* of SHA-256 */

const char *const plan_action_names[] = { "create", "change", "delete", NULL };

size_t plan_count(const struct plan *p, enum plan_action action)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->changes[i].action == action;
	return n;
}

static GH_RC add_change(struct walk *w, struct plan_change c, struct gh_err *err)
{
	struct plan *p = w->plan;

	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		struct plan_change *v = arena_alloc(w->arena, cap, sizeof(*v));

		if (!v)
			FAIL(err, NOMEM, "plan");
		if (p->n)
			memcpy(v, p->changes, p->n * sizeof(*v));
		p->changes = v;
		p->cap = cap;
	}
	p->changes[p->n++] = c;
	return GH_RC_OK;
}

/* ---- what is there ---------------------------------------------------------------------------------------------------------- */

static bool in_environments(const struct files_set *set, struct str env)
{
	size_t i;
	json_t *v;

	if (!set->environments || !env.p)
		return true;
	json_array_foreach(set->environments, i, v)
		if (str_eq(jsn_string(v), env))
			return true;
	return false;
}

static GH_RC add_gone(struct walk *w, const struct resource_kind *k, const json_t *doc, struct gh_err *err)
{
	struct layout_owner o = layout_owner(k, doc);
	struct str env;

	if (!str_starts(jsn_str(doc, "id"), w->set->only))
		return GH_RC_OK;
	TRY(files_environment(w->store, w->scratch, k, doc, &env, err));
	if (!in_environments(w->set, env) || (w->set->environments && !env.p))
		return GH_RC_OK;
	if (w->n_gone == w->cap_gone) {
		size_t cap = w->cap_gone ? 2 * w->cap_gone : 64;
		struct gone *v = arena_alloc(w->arena, cap, sizeof(*v));

		if (!v)
			FAIL(err, NOMEM, "plan");
		if (w->n_gone)
			memcpy(v, w->gone, w->n_gone * sizeof(*v));
		w->gone = v;
		w->cap_gone = cap;
	}
	w->gone[w->n_gone] = (struct gone){ .kind = k, .id = arena_dup(w->arena, jsn_str(doc, "id")) };
	if (o.kind && !(strcmp(o.kind, k->name) == 0 && o.rest.n == 0))
		w->gone[w->n_gone].owner = arena_printf(w->arena, "%s %.*s", o.kind, STR_ARG(o.id));
	if (!w->gone[w->n_gone].id.p)
		FAIL(err, NOMEM, "plan");
	w->n_gone++;
	return GH_RC_OK;
}

/* One resource of the store against the files. */
static GH_RC compare(struct walk *w, const struct resource_kind *k, json_t *there, struct gh_err *err)
{
	const struct files_doc *d = files_set_find(w->set, k, jsn_str(there, "id"));
	json_t *shown;

	if (!d)
		return w->set->covers[files_kind_index(k)] ? add_gone(w, k, there, err) : GH_RC_OK;
	shown = resource_document(w->scratch, k, there, RESOURCE_WRITABLE | RESOURCE_SHORT);
	if (!shown)
		FAIL(err, NOMEM, "plan");
	w->state[d - w->set->docs] = json_equal(shown, d->doc) ? DOC_SAME : DOC_DIFFERS;
	w->plan->same += w->state[d - w->set->docs] == DOC_SAME;
	return GH_RC_OK;
}

static GH_RC compare_kind(struct walk *w, const struct resource_kind *k, struct gh_err *err)
{
	struct resource_query q = { .limit = RESOURCE_LIST_MAX };
	struct str next = STR_NULL;
	char after[600];
	json_t *page, *there;
	size_t i;

	do {
		arena_reset(w->scratch);
		TRY(resource_list(w->store, w->scratch, k, &q, &page, &next, err));
		json_array_foreach(page, i, there)
			TRY(compare(w, k, there, err));
		if (next.n >= sizeof(after))
			FAIL(err, INTERNAL, "an id of %zu bytes", next.n);
		if (next.n)
			memcpy(after, next.p, next.n);
		q.after = (struct str){ after, next.n };
	} while (next.n);
	return GH_RC_OK;
}

static GH_RC compare_all(struct walk *w, struct gh_err *err)
{
	for (size_t i = 0; resource_kinds[i]; i++) {
		bool at_stake = w->set->covers[i];

		for (size_t k = 0; k < w->set->n && !at_stake; k++)
			at_stake = w->set->docs[k].kind == resource_kinds[i];
		if (at_stake)
			TRY(compare_kind(w, resource_kinds[i], err));
	}
	return GH_RC_OK;
}

/* ---- what comes ---------------------------------------------------------------------------------------------------------------- */

static GH_RC touch(struct walk *w, struct plan_change *c, const json_t *doc, struct gh_err *err)
{
	struct impact_of of;

	if (!w->options->impact)
		return GH_RC_OK;
	if (!w->impact.ready)
		TRY(impact_begin(&w->impact, w->store, w->arena, err));
	TRY(impact_find(&w->impact, c->kind, doc, &of, err));
	c->everything = of.everything;
	c->subscriptions = of.subscriptions;
	c->calls = of.calls;
	return GH_RC_OK;
}

/* The fields that differ, without what only the store sets. */
static json_t *differences(struct walk *w, const struct resource_kind *k, const json_t *before, const json_t *after)
{
	json_t *list = jsn_keep(w->arena, json_array());

	for (const struct resource_field *f = k->fields; f->name && list; f++) {
		json_t *was = jsn_get(before, f->name), *is = jsn_get(after, f->name);

		if (f->flags & RESOURCE_READ_ONLY || (was && is && json_equal(was, is)) || (!was && !is))
			continue;
		json_array_append_new(list, json_pack("{s:s, s:O, s:O}", "field", f->name, "before", was ? was : json_null(), "after",
				      is ? is : json_null()));
	}
	return list;
}

/* Problems of the change that came since `from` get their place in the files. */
static void take_problems(struct walk *w, size_t from)
{
	size_t n;
	const struct resource_problem *v = resource_problems(w->change, &n);

	for (size_t i = from; i < n; i++) {
		const struct files_doc *d = v[i].kind ? files_set_find(w->set, v[i].kind, v[i].id) : NULL;

		/* what stands in the file has a place there; what is missing needs its name */
		struct str name = d && v[i].pointer.n && !jsn_pointer(d->doc, v[i].pointer) ? str_from(v[i].pointer, 1) : STR("");

		files_set_problem(w->set, d, v[i].pointer, "%s %.*s: %.*s%s%.*s", v[i].kind ? v[i].kind->name : "", STR_ARG(v[i].id), STR_ARG(name),
				  name.n ? ": " : "", STR_ARG(v[i].message));
	}
	if (resource_problem_count(w->change) > n)
		w->set->total_problems = w->set->n_problems + (resource_problem_count(w->change) - n);
}

/* Writes one resource; `c` says which, and becomes a change of the plan when there is something to do. */
static GH_RC write_one(struct walk *w, struct plan_change c, const json_t *doc, enum resource_how how, struct gh_err *err)
{
	struct resource_outcome outcome = { .result = RESOURCE_SAME };
	size_t kept, problems = resource_problem_count(w->change);
	json_t *after;
	gh_rc rc;

	(void)resource_problems(w->change, &kept);
	rc = resource_write(w->change, c.kind, c.id, doc, how, &outcome, err);
	if (rc.code && resource_problem_count(w->change) > problems) {
		take_problems(w, kept);
		return GH_RC_OK;
	}
	TRY(rc);
	if (outcome.result == RESOURCE_SAME) {
		w->plan->same++;
		return GH_RC_OK;
	}
	TRY(resource_read(w->store, w->arena, c.kind, c.id, &after, err));
	c.action = outcome.result == RESOURCE_CREATED ? PLAN_CREATE : PLAN_CHANGE;
	if (c.action == PLAN_CHANGE)
		c.fields = differences(w, c.kind, outcome.before, after);
	TRY(touch(w, &c, after ? after : doc, err));
	return add_change(w, c, err);
}

static GH_RC write_doc(struct walk *w, size_t i, struct gh_err *err)
{
	const struct files_doc *d = &w->set->docs[i];
	json_t *doc;

	TRY(plan_secrets(w, d, &doc, err));
	if (!doc)
		return GH_RC_OK;                         /* told already */
	return write_one(w, (struct plan_change){ .kind = d->kind, .id = d->id, .doc = d }, doc, RESOURCE_PUT, err);
}

/* ---- which revision is current ---------------------------------------------------------------------------------------------- */

static struct str revision_id(struct walk *w, struct str api, int64_t number)
{
	return arena_printf(w->arena, "%.*s;rev=%lld", STR_ARG(api), (long long)number);
}

/* One that is not there begins as a copy of the current one, if the files also say what becomes of that; else the number is a slip. */
static GH_RC make_revision(struct walk *w, const struct files_doc *d, int64_t from, int64_t to, bool *there, struct gh_err *err)
{
	const struct resource_kind *k = resource_kind_find(STR("revision"));
	struct plan_change c = { .kind = k, .id = revision_id(w, d->id, to), .doc = d, .ahead = true };
	json_t *doc;

	TRY(resource_read(w->store, w->arena, k, c.id, &doc, err));
	*there = doc || w->set->covers[files_kind_index(k)] || files_set_find(w->set, k, revision_id(w, d->id, from));
	if (doc || !*there)
		return GH_RC_OK;
	doc = jsn_keep(w->arena, json_pack("{s:I}", "copyOf", (json_int_t)from));
	return write_one(w, c, doc, RESOURCE_CREATE, err);
}

/* Whatever has no ";rev=" in its id is about the current revision. So another one is made current before anything is compared. */
static GH_RC switch_revisions(struct walk *w, struct gh_err *err)
{
	for (size_t i = 0; i < w->set->n; i++) {
		const struct files_doc *d = &w->set->docs[i];
		int64_t from, to = strcmp(d->kind->name, "api") == 0 ? jsn_int(d->doc, "revision", 0) : 0;
		struct plan_change c = { .kind = d->kind, .id = d->id, .doc = d, .ahead = true };
		json_t *doc, *patch;
		bool there;

		if (to < 1)
			continue;
		arena_reset(w->scratch);
		TRY(resource_read(w->store, w->scratch, d->kind, d->id, &doc, err));
		from = jsn_int(doc, "revision", to);
		if (from == to)
			continue;
		TRY(make_revision(w, d, from, to, &there, err));
		if (!there)
			continue;
		patch = jsn_keep(w->scratch, json_pack("{s:I}", "revision", (json_int_t)to));
		TRY(resource_merge(w->store, w->arena, d->kind, d->id, patch, &doc, err));
		if (doc)
			TRY(write_one(w, c, doc, RESOURCE_REPLACE, err));
	}
	return GH_RC_OK;
}

/* ---- in the order of dependence --------------------------------------------------------------------------------------------- */

/* Documents of the same kind that this one refers to come first: members of a pool, parents of groups. */
static GH_RC visit(struct walk *w, size_t i, unsigned depth, struct gh_err *err);

static GH_RC visit_refs(struct walk *w, const struct resource_kind *k, const struct resource_field *fields, const json_t *doc,
			unsigned depth, struct gh_err *err)
{
	for (const struct resource_field *f = fields; f && f->name; f++) {
		const json_t *v = jsn_get(doc, f->name);
		bool same = f->ref && strcmp(f->ref, k->name) == 0;
		size_t n = json_is_array(v) ? json_array_size(v) : v != NULL;

		for (size_t i = 0; i < n && (same || f->fields); i++) {
			const json_t *one = json_is_array(v) ? json_array_get(v, i) : v;
			const struct files_doc *d = same && json_is_string(one) ? files_set_find(w->set, k, jsn_string(one)) : NULL;

			if (d)
				TRY(visit(w, (size_t)(d - w->set->docs), depth - 1, err));
			if (f->fields && json_is_object(one))
				TRY(visit_refs(w, k, f->fields, one, depth, err));
		}
	}
	return GH_RC_OK;
}

static GH_RC visit(struct walk *w, size_t i, unsigned depth, struct gh_err *err)
{
	const struct files_doc *d = &w->set->docs[i];

	if (w->state[i] == DOC_SAME || w->state[i] == DOC_DONE || depth == 0)
		return GH_RC_OK;
	w->state[i] = DOC_DONE;
	TRY(visit_refs(w, d->kind, d->kind->fields, d->doc, depth, err));
	return write_doc(w, i, err);
}

/* ---- what goes ----------------------------------------------------------------------------------------------------------------- */

static GH_RC drop(struct walk *w, struct gone *g, struct gh_err *err)
{
	struct plan_change c = { .action = PLAN_DELETE, .kind = g->kind, .id = g->id };
	size_t kept, problems = resource_problem_count(w->change);
	json_t *doc;
	gh_rc rc;

	TRY(resource_read(w->store, w->arena, g->kind, g->id, &doc, err));
	g->done = true;
	if (!doc)
		return GH_RC_OK;                         /* it went with its owner */
	(void)resource_problems(w->change, &kept);
	c.gone = doc;
	TRY(touch(w, &c, doc, err));
	rc = resource_remove(w->change, g->kind, g->id, NULL, err);
	if (rc.code && resource_problem_count(w->change) > problems) {
		take_problems(w, kept);
		return GH_RC_OK;
	}
	TRY(rc);
	for (size_t i = 0; i < w->n_gone; i++)
		c.with += w->gone[i].owner.n && str_eq(w->gone[i].owner, arena_printf(w->scratch, "%s %.*s", g->kind->name, STR_ARG(g->id)));
	return add_change(w, c, err);
}

static bool owner_goes(const struct walk *w, const struct gone *g)
{
	for (size_t i = 0; i < w->n_gone && g->owner.n; i++) {
		const struct gone *o = &w->gone[i];
		size_t n = strlen(o->kind->name);

		if (!o->owner.n && g->owner.n == n + 1 + o->id.n && str_starts(g->owner, str_of(o->kind->name)) &&
		    str_eq(str_from(g->owner, n + 1), o->id))
			return true;
	}
	return false;
}

static GH_RC deletions(struct walk *w, bool last, struct gh_err *err)
{
	for (size_t i = w->n_gone; i-- > 0;) {
		struct gone *g = &w->gone[i];
		struct resource_name *uses;
		size_t n = 0;

		arena_reset(w->scratch);
		if (g->done)
			continue;
		if (!last) {
			if (owner_goes(w, g))
				continue;                /* looked at again at the end: it went with its owner */
			TRY(resource_uses(w->store, w->scratch, g->kind, g->id, 1, &uses, &n, err));
		}
		if (n == 0)
			TRY(drop(w, g, err));
	}
	return GH_RC_OK;
}

/* A plan that somebody has agreed to, and nothing else: the store is the one that it was made for. */
static GH_RC run_agreed(struct walk *w, const struct plan *agreed, struct gh_err *err)
{
	TRY(switch_revisions(w, err));
	for (size_t i = 0; i < agreed->n; i++) {
		const struct plan_change *c = &agreed->changes[i];
		struct gone g = { .kind = c->kind, .id = c->id };

		if (c->ahead)
			continue;
		arena_reset(w->scratch);
		TRY(c->doc ? write_doc(w, (size_t)(c->doc - w->set->docs), err) : drop(w, &g, err));
	}
	w->plan->same = agreed->same;
	return GH_RC_OK;
}

/* What is done, as a text of hexadecimal digits: of each change what it is about, what was before and what is after. */
static GH_RC digest(struct walk *w, struct str *out, struct gh_err *err)
{
	json_t *all = json_array(), *v;
	uint8_t hash[CRYPTO_SHA256_BYTES];
	struct str text;

	for (size_t i = 0; i < w->plan->n; i++) {
		const struct plan_change *c = &w->plan->changes[i];

		v = json_pack("[i, s, s%, O?, O?]", (int)c->action, c->kind->name, c->id.p, c->id.n, c->fields, c->gone);
		if (!v || json_array_append_new(all, v) != 0)
			break;
	}
	text = json_array_size(all) == w->plan->n ? jsn_text(w->scratch, all, JSN_SORTED) : STR_NULL;
	json_decref(all);
	if (!text.p)
		FAIL(err, NOMEM, "plan");
	crypto_sha256(text, hash);
	*out = crypto_hex(w->arena, (struct str){ (const char *)hash, STATE_DIGEST_BYTES });
	return out->p ? GH_RC_OK : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "plan");
}

static GH_RC finish(struct walk *w, struct str wanted, struct gh_err *err)
{
	size_t dash = str_find_char(wanted, '-');
	struct str now = STR_NULL;

	arena_reset(w->scratch);
	TRY(digest(w, &now, err));
	if (wanted.n && !str_eq(str_first(wanted, dash), w->plan->state) && (dash == SIZE_MAX || !str_eq(str_from(wanted, dash + 1), now)))
		FAIL(err, CONFLICT, "somebody has changed the configuration since this was planned; nothing was changed: plan again");
	w->plan->state = arena_printf(w->arena, "%.*s-%.*s", STR_ARG(w->plan->state), STR_ARG(now));
	return w->plan->state.p ? GH_RC_OK : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "plan");
}

static GH_RC run_all(struct walk *w, struct gh_err *err)
{
	const struct plan *agreed = w->options->agreed;
	struct str wanted = agreed ? agreed->state : w->options->state;
	struct plan_watch watch;

	TRY(store_state(w->store, w->arena, &w->plan->state, err));
	if (agreed && str_eq(str_first(wanted, str_find_char(wanted, '-')), w->plan->state)) {
		w->plan->state = wanted;
		return run_agreed(w, agreed, err);
	}
	TRY(plan_watch_begin(w, &watch, err));
	TRY(switch_revisions(w, err));
	TRY(compare_all(w, err));
	TRY(deletions(w, false, err));
	for (size_t i = 0; i < w->set->n; i++)
		TRY(visit(w, i, PLAN_DEPTH_MAX, err));
	TRY(deletions(w, true, err));
	TRY(plan_watch_end(w, &watch, err));
	return w->set->total_problems ? GH_RC_OK : finish(w, wanted, err);
}

static GH_RC settle(struct walk *w, struct gh_err *err)
{
	size_t kept, problems = resource_problem_count(w->change);

	(void)resource_problems(w->change, &kept);
	TRY(resource_settle(w->change, err));
	if (resource_problem_count(w->change) > problems)
		take_problems(w, kept);
	return GH_RC_OK;
}

GH_RC plan_run(struct store *s, struct arena *a, struct files_set *set, const struct plan_options *o, struct plan *out,
	       struct gh_err *err)
{
	struct walk w = { .store = s, .arena = a, .set = set, .options = o, .plan = out };
	gh_rc rc;

	*out = (struct plan){ .arena = a };
	if (set->total_problems)
		FAIL(err, INVALID, "%zu problems", set->total_problems);
	w.state = arena_alloc(a, set->n + 1, sizeof(*w.state));
	w.scratch = arena_new(FILES_BYTES_MAX);
	if (!w.state || !w.scratch)
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "plan");
	else
		rc = resource_begin(s, a, o->actor, &w.change, err);
	if (!rc.code) {
		const struct tree_file *css = set->tree ? tree_find(set->tree, STR(FILES_THEME "www/gatehouse.css")) : NULL;

		resource_theme(w.change, o->theme);
		if (o->passwords_stand)
			resource_passwords_stand(w.change);
		resource_style_sheet(w.change, css ? css->bytes : STR_NULL);
		rc = run_all(&w, err);
		if (!rc.code)
			rc = settle(&w, err);
		if (!rc.code && set->total_problems)
			rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%zu problem%s", set->total_problems,
					set->total_problems == 1 ? "" : "s");
		if (!rc.code && o->look)
			rc = o->look(o->look_ctx, err);
		rc = resource_end(w.change, rc, o->dry_run, err);
	}
	arena_free(w.scratch);
	return rc;
}
