/* rest_resource.c - resources over HTTP: lists and documents, entity-tags, changes that lose nothing. */
#include "portal/admin/rest.h"

#include "core/crypto.h"
#include "core/str.h"
#include "db/api_list.h"
#include "db/machine_tokens.h"
#include "portal/admin/admin.h"

/* ---- answers ----------------------------------------------------------------------------------------------------------- */

bool rest_tag_matches(struct str field, struct str tag)
{
	struct str one;

	while (field.n && str_split(&field, ',', &one)) {
		one = str_trim(one);
		if (str_eq(one, STR("*")) || str_eq(one, tag))
			return true;
	}
	return false;
}

static struct str address_of(struct rest *r, struct str id)
{
	struct buf b;
	struct str out;

	buf_init(&b, 4096);
	buf_fmt(&b, "%.*s%s%s/", STR_ARG(r->w->site->base), REST_PATH + 1, r->kind->plural);
	for (size_t i = 0; i < id.n; i++)
		if (ascii_is_alpha(id.p[i]) || ascii_is_digit(id.p[i]) || strchr("-_.~", id.p[i]))
			buf_char(&b, id.p[i]);
		else
			buf_fmt(&b, "%%%02X", (unsigned char)id.p[i]);
	out = buf_ok(&b) ? arena_dup(r->w->a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

static GH_RC answer(struct rest *r, int status, const json_t *doc, struct gh_err *err)
{
	web_header(r->w, "ETag", resource_etag(r->w->a, doc));
	if (r->dry_run)
		web_header(r->w, "Dry-Run", STR("true"));
	return web_json(r->w, status, "application/json", doc, err);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

/* APIs are narrowed by ?status= too, as in the dashboard: it is told by calls and is no field. */
struct tracked {
	struct rest *r;
	int64_t wanted, since_us;        /* enum store_tracking */
};

static gh_rc keep_tracked(void *ctx, struct str id, bool *yes, struct gh_err *err)
{
	const struct tracked *t = ctx;
	int64_t last;

	TRY(store_api_last_call(t->r->w->site->store, id, &last, err));
	*yes = store_tracking_of(last, t->since_us) == t->wanted;
	return GH_RC_OK;
}

static GH_RC read_tracking(struct rest *r, struct resource_query *q, bool *ok, struct gh_err *err)
{
	struct str status = web_param(&r->w->rq.query, "status");
	struct tracked *t = arena_new_of(r->w->a, struct tracked);

	if (strcmp(r->kind->name, "api") != 0 || !status.n)
		return GH_RC_OK;
	if (!t)
		FAIL(err, NOMEM, "list");
	*t = (struct tracked){ .r = r, .since_us = admin_active_since(r->w) };
	while (store_tracking_names[t->wanted] && !str_eq(status, str_of(store_tracking_names[t->wanted])))
		t->wanted++;
	*ok = store_tracking_names[t->wanted] != NULL;
	if (!*ok)
		return rest_problem(r, 422, "invalid", STR("status is unregistered, active or inactive."), NULL, err);
	q->keep = keep_tracked;
	q->keep_ctx = t;
	return GH_RC_OK;
}

/* The cursor is the last id, so that it holds whatever was added or removed meanwhile. */
static GH_RC read_query(struct rest *r, struct resource_query *q, bool *ok, struct gh_err *err)
{
	struct web *w = r->w;
	struct str cursor = web_param(&w->rq.query, "cursor"), limit = web_param(&w->rq.query, "limit");
	uint64_t n = 0;

	*ok = true;
	*q = (struct resource_query){ .search = web_param(&w->rq.query, "search") };
	for (size_t i = 0; r->kind->filters[i].name; i++)
		q->values[i] = web_param(&w->rq.query, r->kind->filters[i].name);
	if (limit.n && (!str_to_u64(limit, RESOURCE_LIST_MAX, &n) || !n))
		*ok = false;
	q->limit = (size_t)n;
	if (!*ok)
		return rest_problem(r, 400, "bad-request", arena_printf(w->a, "limit is a number from 1 to %d.", RESOURCE_LIST_MAX), NULL, err);
	if (cursor.n && !crypto_base64url_decode(w->a, cursor, &q->after)) {
		*ok = false;
		return rest_problem(r, 400, "bad-request", STR("cursor is not one that a list gave."), NULL, err);
	}
	return read_tracking(r, q, ok, err);
}

/* Parameters that are not known are most likely misspelt, and a list that is not narrowed is no harmless answer. */
static GH_RC check_parameters(struct rest *r, bool *ok, struct gh_err *err)
{
	static const char *const common[] = { "cursor", "limit", "search" };
	const struct web_params *q = &r->w->rq.query;

	*ok = true;
	for (size_t i = 0; i < q->n && *ok; i++) {
		bool known = strcmp(r->kind->name, "api") == 0 && str_eq(q->v[i].name, STR("status"));

		for (size_t k = 0; k < ARRAY_LEN(common); k++)
			known |= str_eq(q->v[i].name, str_of(common[k]));
		for (size_t k = 0; r->kind->filters[k].name; k++)
			known |= str_eq(q->v[i].name, str_of(r->kind->filters[k].name));
		*ok = known;
		if (!known)
			return rest_problem(r, 400, "bad-request", arena_printf(r->w->a, "There is no parameter '%.*s' here.",
					    STR_ARG(str_first(q->v[i].name, 80))), NULL, err);
	}
	return GH_RC_OK;
}

static struct str next_address(struct rest *r, struct str cursor)
{
	struct str out = arena_printf(r->w->a, "<%.*s%s%s?cursor=%.*s", STR_ARG(r->w->site->base), REST_PATH + 1, r->kind->plural, STR_ARG(cursor));
	struct str query = r->w->rq.target, part;
	size_t at = str_find_char(query, '?');

	query = at == SIZE_MAX ? STR("") : str_from(query, at + 1);
	while (query.n && str_split(&query, '&', &part))
		if (part.n && !str_starts(part, STR("cursor=")))
			out = arena_printf(r->w->a, "%.*s&%.*s", STR_ARG(out), STR_ARG(part));
	return arena_printf(r->w->a, "%.*s>; rel=\"next\"", STR_ARG(out));
}

gh_rc rest_list(struct rest *r, struct gh_err *err)
{
	struct store *s = r->w->site->store;
	struct resource_query q;
	struct str next, cursor = STR_NULL;
	struct gh_err why;
	json_t *items, *v;
	bool ok;
	gh_rc rc;

	TRY(check_parameters(r, &ok, err));
	if (ok)
		TRY(read_query(r, &q, &ok, err));
	if (!ok)
		return GH_RC_OK;
	TRY(store_read_begin(s, err));
	rc = resource_list(s, r->w->a, r->kind, &q, &items, &next, &why);
	store_read_end(s);
	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	if (next.p)
		cursor = crypto_base64url(r->w->a, next);
	v = jsn_keep(r->w->a, json_pack("{s:O, s:o}", "items", items, "next", cursor.p ? json_stringn(cursor.p, cursor.n) : json_null()));
	if (!v)
		FAIL(err, NOMEM, "list");
	if (cursor.p)
		web_header(r->w, "Link", next_address(r, cursor));
	TRY(web_json(r->w, 200, "application/json", v, err));
	web_compress(r->w);
	return GH_RC_OK;
}

static GH_RC not_there(struct rest *r, struct gh_err *err)
{
	return rest_problem(r, 404, "not-found", arena_printf(r->w->a, "There is no %s '%.*s'.", r->kind->name, STR_ARG(str_first(r->id, 200))), NULL,
			    err);
}

gh_rc rest_get(struct rest *r, struct gh_err *err)
{
	struct store *s = r->w->site->store;
	json_t *doc;
	gh_rc rc;

	TRY(store_read_begin(s, err));
	rc = resource_read(s, r->w->a, r->kind, r->id, &doc, err);
	store_read_end(s);
	TRY(rc);
	if (!doc)
		return not_there(r, err);
	if (rest_tag_matches(r->w->rq.if_none_match, resource_etag(r->w->a, doc))) {
		web_header(r->w, "ETag", resource_etag(r->w->a, doc));
		r->w->rs.status = 304;
		return GH_RC_OK;
	}
	return answer(r, 200, doc, err);
}

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

gh_rc rest_body(struct rest *r, bool patch, json_t **out, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_depth = REST_DEPTH, .flags = JSN_UNIQUE_KEYS };
	struct str type = str_trim(str_first(r->w->rq.media_type, str_find_char(r->w->rq.media_type, ';')));
	struct text_where where;
	struct gh_err why;
	gh_rc rc;

	*out = NULL;
	if (!str_eq_ci(type, STR("application/json")) && !(patch && str_eq_ci(type, STR("application/merge-patch+json"))))
		return rest_problem(r, 415, "media-type", patch ? STR("Send the body as application/merge-patch+json.")
				    : STR("Send the body as application/json."), NULL, err);
	rc = jsn_parse_in(r->w->a, r->w->rq.body, &limits, out, &where, &why);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "body");
	if (rc.code || !json_is_object(*out)) {
		*out = NULL;
		return rest_problem(r, 400, "bad-request", rc.code ? arena_printf(r->w->a, "The body is no JSON: line %u, column %u: %s", where.line,
				    where.column, why.message) : STR("The body is no JSON object."), NULL, err);
	}
	return GH_RC_OK;
}

gh_rc rest_match(struct rest *r, const struct resource_kind *k, struct str id, bool needed, bool *go, struct gh_err *err)
{
	struct web *w = r->w;
	json_t *doc;

	*go = false;
	TRY(resource_read(w->site->store, w->a, k, id, &doc, err));
	if (!doc && w->rq.if_match.n)
		return rest_problem(r, 412, "stale", STR("It is not there any more."), NULL, err);
	if (doc && w->rq.if_match.n && !rest_tag_matches(w->rq.if_match, resource_etag(w->a, doc))) {
		web_header(w, "ETag", resource_etag(w->a, doc));
		return rest_problem(r, 412, "stale", STR("It was changed meanwhile: read it again and repeat your change on what it is now."), NULL, err);
	}
	if (doc && rest_tag_matches(w->rq.if_none_match, resource_etag(w->a, doc)))
		return rest_problem(r, 412, "exists", STR("It is there already."), NULL, err);
	if (doc && needed && !w->rq.if_match.n)
		return rest_problem(r, 428, "match-required", STR("Send the ETag that you have seen as If-Match, so that nobody's change is lost."),
				    NULL, err);
	*go = true;
	return GH_RC_OK;
}

static GH_RC written(struct rest *r, const struct resource_outcome *out, struct gh_err *err)
{
	bool made = out->result == RESOURCE_CREATED;
	const char *name;
	json_t *doc, *v;

	TRY(resource_read(r->w->site->store, r->w->a, r->kind, out->id, &doc, err));
	if (!doc)
		FAIL(err, INTERNAL, "what was written is not there");
	if (made)
		web_header(r->w, "Location", address_of(r, out->id));
	web_header(r->w, "ETag", resource_etag(r->w->a, doc));
	if (r->dry_run)
		web_header(r->w, "Dry-Run", STR("true"));
	if (out->issued) {               /* told this once */
		doc = jsn_keep(r->w->a, json_copy(doc));
		json_object_foreach(out->issued, name, v)
			json_object_set(doc, name, v);
	}
	return web_json(r->w, made ? 201 : 200, "application/json", doc, err);
}

/* The document of a PUT or POST, or what a patch makes of the resource; *doc NULL: the answer stands. */
static GH_RC document(struct rest *r, const json_t *body, bool patch, json_t **doc, struct gh_err *err)
{
	*doc = (json_t *)(uintptr_t)body;
	if (!patch)
		return GH_RC_OK;
	TRY(resource_merge(r->w->site->store, r->w->a, r->kind, r->id, body, doc, err));
	return *doc ? GH_RC_OK : not_there(r, err);
}

/* A token that may write tokens makes none that may more than itself: its scopes would be no bounds. */
static void check_scopes(struct rest *r, struct resource_change *c, const json_t *doc)
{
	size_t i;
	json_t *v;

	if (strcmp(r->kind->name, "machine-token") != 0)
		return;
	json_array_foreach(jsn_arr(doc, "scopes"), i, v) {
		struct str scope = jsn_string(v);
		size_t colon = str_find_char(scope, ':');
		bool write = str_starts(scope, STR("write"));

		if (scope.n && !store_scopes_allow(r->who.scopes, write, colon == SIZE_MAX ? STR_NULL : str_from(scope, colon + 1)))
			resource_problem(c, r->kind, r->id, arena_printf(r->w->a, "/scopes/%zu", i),
					 "may more than the token that asks; a token gives away only what it has");
	}
}

struct write {
	const json_t *body;
	bool patch, match_needed;
	enum resource_how how;
};

/* *done: the answer stands and nothing is to be committed. */
static GH_RC write_in(struct rest *r, struct resource_change *c, const struct write *x, bool *done, struct gh_err *err)
{
	struct resource_outcome out;
	struct gh_err why = { .message = "" };
	struct str given = r->id.n ? r->id : jsn_str(x->body, "id"), portal;
	bool go = true, there = false;
	json_t *doc;
	gh_rc rc;

	TRY(rest_again(r, done, err));
	if (*done)
		return GH_RC_OK;
	*done = true;
	if (r->id.n)
		TRY(rest_match(r, r->kind, r->id, x->match_needed, &go, err));
	if (!go)
		return GH_RC_OK;
	if (x->how == RESOURCE_CREATE && given.n)
		TRY(resource_exists(r->w->site->store, r->kind, given, &there, err));
	if (there)
		return rest_problem(r, 409, "exists", arena_printf(r->w->a, "There is a %s '%.*s' already.", r->kind->name,
				    STR_ARG(str_first(given, 200))), NULL, err);
	TRY(document(r, x->body, x->patch, &doc, err));
	if (!doc)
		return GH_RC_OK;
	if (!web_public_address(r->w, &portal, NULL).code)
		resource_portal(c, arena_printf(r->w->a, "%.*s%.*s", STR_ARG(portal), STR_ARG(web_portal_base(r->w->site, r->w->a))));
	check_scopes(r, c, doc);
	resource_theme(c, &r->w->site->theme);
	rc = resource_write(c, r->kind, r->id, doc, x->how, &out, &why);
	if (rc.code || resource_problem_count(c))
		return rest_refused(r, rc.code ? rc : (gh_rc){ GH_E_INVALID }, &why, c, err);
	TRY(written(r, &out, err));
	TRY(rest_remember(r, err));
	*done = false;
	return GH_RC_OK;
}

gh_rc rest_end(struct rest *r, struct resource_change *c, gh_rc rc, bool refused, struct gh_err *err)
{
	struct gh_err why;
	gh_rc end;

	if (rc.code || refused) {
		(void)resource_end(c, (gh_rc){ rc.code ? rc.code : GH_E_INVALID }, true, NULL).code;      /* `rc` is what is told */
		return rc;
	}
	end = resource_end(c, GH_RC_OK, r->dry_run, &why);
	return end.code ? rest_refused(r, end, &why, c, err) : GH_RC_OK;
}

static GH_RC write_one(struct rest *r, const struct write *x, struct gh_err *err)
{
	struct resource_change *c;
	struct gh_err why;
	bool refused = false;
	gh_rc rc = resource_begin(r->w->site->store, r->w->a, r->who.actor, &c, &why);

	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	rc = write_in(r, c, x, &refused, err);
	return rest_end(r, c, rc, refused, err);
}

static GH_RC write_body(struct rest *r, struct write x, struct gh_err *err)
{
	json_t *body;

	TRY(rest_body(r, x.patch, &body, err));
	x.body = body;
	return body ? write_one(r, &x, err) : GH_RC_OK;
}

gh_rc rest_create(struct rest *r, struct gh_err *err)
{
	return write_body(r, (struct write){ .how = RESOURCE_CREATE }, err);
}

gh_rc rest_put(struct rest *r, struct gh_err *err)
{
	return write_body(r, (struct write){ .how = RESOURCE_PUT, .match_needed = true }, err);
}

gh_rc rest_patch(struct rest *r, struct gh_err *err)
{
	return write_body(r, (struct write){ .how = RESOURCE_REPLACE, .patch = true }, err);
}

static GH_RC remove_in(struct rest *r, struct resource_change *c, bool *done, struct gh_err *err)
{
	struct gh_err why = { .message = "" };
	bool go;
	gh_rc rc;

	TRY(rest_again(r, done, err));
	if (*done)
		return GH_RC_OK;
	*done = true;
	TRY(rest_match(r, r->kind, r->id, true, &go, err));
	if (!go)
		return GH_RC_OK;
	rc = resource_remove(c, r->kind, r->id, NULL, &why);
	if (rc.code)
		return rest_refused(r, rc, &why, c, err);
	r->w->rs.status = 204;
	if (r->dry_run)
		web_header(r->w, "Dry-Run", STR("true"));
	TRY(rest_remember(r, err));
	*done = false;
	return GH_RC_OK;
}

gh_rc rest_delete(struct rest *r, struct gh_err *err)
{
	struct resource_change *c;
	struct gh_err why;
	bool refused = false;
	gh_rc rc = resource_begin(r->w->site->store, r->w->a, r->who.actor, &c, &why);

	if (rc.code)
		return rest_refused(r, rc, &why, NULL, err);
	rc = remove_in(r, c, &refused, err);
	return rest_end(r, c, rc, refused, err);
}

/* ---- about oneself ----------------------------------------------------------------------------------------------------- */

gh_rc rest_me(struct rest *r, struct gh_err *err)
{
	json_t *scopes = json_array(), *kinds = json_object(), *v;
	struct str rest = r->who.scopes, scope;

	while (str_word(&rest, &scope))
		json_array_append_new(scopes, json_stringn(scope.p, scope.n));
	for (size_t i = 0; resource_kinds[i]; i++)
		json_object_set_new(kinds, resource_kinds[i]->plural,
				    json_pack("{s:b, s:b}", "read", rest_may(r, admin_right_of(resource_kinds[i], false)), "write",
					      rest_may(r, admin_right_of(resource_kinds[i], true))));
	v = jsn_keep(r->w->a, json_pack("{s:s%, s:s%, s:o, s:o}", "actor", r->who.actor.p, r->who.actor.n, "role", r->who.role.p, r->who.role.n,
					"scopes", scopes, "kinds", kinds));
	if (!v)
		FAIL(err, NOMEM, "answer");
	return web_json(r->w, 200, "application/json", v, err);
}
