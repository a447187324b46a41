#include "portal/admin/scim.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"

enum { USED_EVERY_US = 60 * 1000000, START_MAX = 10000000,
       SCAN_ROWS = 500, SCAN_MEMORY = 64 << 20 };         /* of one part of a list that is filtered */

static const char media[] = "application/scim+json";
static const struct scim_kind *const kinds[] = { &scim_users, &scim_groups };

gh_rc scim_error(struct web *w, int status, const char *type, const char *detail, struct gh_err *err)
{
	json_t *v = jsn_keep(w->a, json_pack("{s:[s], s:s, s:s}", "schemas", "urn:ietf:params:scim:api:messages:2.0:Error", "status",
					    arena_printf(w->a, "%d", status).p, "detail", detail));

	if (v && type)
		json_object_set_new(v, "scimType", json_string(type));
	if (!v)
		FAIL(err, NOMEM, "answer");
	return web_json(w, status, media, v, err);
}

/* What went wrong below, in the RFC's words. Failures of our own side stay hidden. */
static GH_RC told(struct web *w, gh_rc rc, const struct gh_err *why, struct gh_err *err)
{
	switch (rc.code) {
	case GH_OK:
		return rc;
	case GH_E_CONFLICT:
		return scim_error(w, 409, "uniqueness", why->message, err);
	case GH_E_INVALID:
	case GH_E_SYNTAX:
		return scim_error(w, 400, "invalidValue", why->message, err);
	case GH_E_DENIED:
		return scim_error(w, 403, NULL, why->message, err);
	case GH_E_NOT_FOUND:
		return scim_error(w, 404, NULL, "There is no such resource.", err);
	default:
		log_error("provisioning", KV_STR("request_id", w->rq.id), KV_CSTR("reason", why->message));
		return scim_error(w, rc.code == GH_E_BUSY ? 503 : 500, NULL, "The request could not be carried out.", err);
	}
}

/* ---- who may ------------------------------------------------------------------------------------------------------------ */

static GH_RC note_use(struct web *w, const struct store_scim_token *t, struct gh_err *err)
{
	struct store *s = w->site->store;

	if (clock_wall_us() - t->used_us < USED_EVERY_US)
		return GH_RC_OK;
	TRY(store_tx_begin(s, STR("scim"), err));
	return store_tx_end(s, store_scim_token_used(s, t->id, err), err);
}

static GH_RC admit(struct web *w, struct store_scim_token *t, bool *in, struct gh_err *err)
{
	struct str field = w->rq.authorization;
	uint32_t wait;

	*in = false;
	if (str_starts_ci(field, STR("Bearer ")))
		TRY(store_scim_token_find(w->site->store, w->a, str_trim(str_from(field, 7)), t, in, err));
	if (*in)
		return note_use(w, t, err);
	/* a good token always passes: guesses of others must not keep the provisioner out */
	wait = field.n ? web_brake(w, "scim", w->rq.address) : 0;
	if (wait) {
		(void)web_wait_text(w, wait);
		return scim_error(w, 429, NULL, "There were too many failed tries.", err);
	}
	if (field.n)
		web_brake_count(w, "scim", w->rq.address);
	web_header(w, "WWW-Authenticate", field.n ? STR("Bearer realm=\"scim\", error=\"invalid_token\"") : STR("Bearer realm=\"scim\""));
	return scim_error(w, 401, NULL, "A bearer token for provisioning is needed.", err);
}

/* ---- resources ---------------------------------------------------------------------------------------------------------- */

struct str scim_address(struct web *w, const char *endpoint, struct str id)
{
	struct str host;

	if (web_public_address(w, &host, NULL).code)     /* then a relative one, which RFC 7644 allows to be resolved */
		host = STR("");
	return arena_printf(w->a, "%.*s%.*sscim/v2/%s%s%.*s", STR_ARG(host), STR_ARG(w->site->base), endpoint, id.n ? "/" : "", STR_ARG(id));
}

void scim_put_text(json_t *v, const char *name, struct str s)
{
	if (s.n)
		json_object_set_new(v, name, json_stringn(s.p, s.n));
}

gh_rc scim_base(struct web *w, const struct scim_kind *k, struct str id, struct str attributes, json_t **out, struct gh_err *err)
{
	json_t *v = NULL;

	if (jsn_parse_in(w->a, attributes.n ? attributes : STR("{}"), NULL, &v, NULL, err).code || !json_is_object(v))
		v = jsn_keep(w->a, json_object());
	if (!v)
		FAIL(err, NOMEM, "resource");
	if (!jsn_arr(v, "schemas"))
		json_object_set_new(v, "schemas", json_pack("[s]", k->schema));
	json_object_set_new(v, "id", json_stringn(id.p, id.n));
	*out = v;
	return GH_RC_OK;
}

/* The version is a digest of what is shown, so it changes whoever makes the change. */
gh_rc scim_put_meta(struct web *w, const struct scim_kind *k, json_t *v, int64_t created_us, int64_t changed_us, struct gh_err *err)
{
	char created[CLOCK_ISO_MAX], changed[CLOCK_ISO_MAX];
	uint8_t digest[CRYPTO_SHA256_BYTES];
	struct str text, tag;
	json_t *meta;

	json_object_del(v, "meta");
	text = jsn_text(w->a, v, JSN_SORTED);
	if (!text.p)
		FAIL(err, NOMEM, "resource");
	crypto_sha256(text, digest);
	tag = arena_printf(w->a, "W/\"%.*s\"", 32, crypto_hex(w->a, (struct str){ (const char *)digest, 16 }).p);
	meta = json_pack("{s:s, s:s, s:s, s:s, s:s}", "resourceType", k->type, "created", clock_iso(created_us, 3, created), "lastModified",
			 clock_iso(changed_us, 3, changed), "location", scim_address(w, k->endpoint, jsn_str(v, "id")).p, "version", tag.p);
	if (!meta || json_object_set_new(v, "meta", meta) != 0)
		FAIL(err, NOMEM, "resource");
	return GH_RC_OK;
}

struct str scim_kept(struct web *w, const json_t *v, const char *const *without, size_t n)
{
	static const char *const made[] = { "id", "meta", "password" };
	json_t *copy = jsn_keep(w->a, json_copy((json_t *)(uintptr_t)v)), *member;
	const char *key;
	void *next;

	json_object_foreach_safe(copy, next, key, member) {
		bool drop = false;

		for (size_t i = 0; i < ARRAY_LEN(made); i++)
			drop = drop || str_eq_ci(str_of(key), str_of(made[i]));
		for (size_t i = 0; i < n; i++)
			drop = drop || str_eq_ci(str_of(key), str_of(without[i]));
		if (drop)
			json_object_del(copy, key);
	}
	return copy ? jsn_text(w->a, copy, 0) : STR_NULL;
}

/* ?attributes=a,b and ?excludedAttributes=c: names of the first level; id and schemas always stay. */
static void select_attributes(struct web *w, json_t *v)
{
	struct str only = web_param(&w->rq.query, "attributes"), without = web_param(&w->rq.query, "excludedAttributes"), name;
	json_t *member;
	const char *key;
	void *next;

	json_object_foreach_safe(v, next, key, member) {
		bool in = !only.n, out = false;

		for (struct str rest = only; rest.n && str_split(&rest, ',', &name);)
			in = in || str_eq_ci(str_first(str_trim(name), str_find_char(str_trim(name), '.')), str_of(key));
		for (struct str rest = without; rest.n && str_split(&rest, ',', &name);)
			out = out || str_eq_ci(str_trim(name), str_of(key));
		if ((!in || out) && strcmp(key, "id") != 0 && strcmp(key, "schemas") != 0)
			json_object_del(v, key);
	}
}

static GH_RC show(struct web *w, int status, json_t *v, struct gh_err *err)
{
	const json_t *meta = jsn_obj(v, "meta");

	web_header(w, "ETag", arena_dup(w->a, jsn_str(meta, "version")));
	web_header(w, status == 201 ? "Location" : "Content-Location", arena_dup(w->a, jsn_str(meta, "location")));
	select_attributes(w, v);
	return web_json(w, status, media, v, err);
}

/* *v NULL: answered. */
static GH_RC load(struct web *w, const struct scim_kind *k, struct str id, json_t **v, struct gh_err *err)
{
	TRY(k->find(w, id, v, err));
	if (!*v)
		return scim_error(w, 404, NULL, "There is no such resource.", err);
	TRY(k->complete(w, *v, err));
	if (w->rq.if_match.n && !web_tag_listed(w->rq.if_match, jsn_str(jsn_obj(*v, "meta"), "version"))) {
		*v = NULL;
		return scim_error(w, 412, NULL, "The resource was changed meanwhile.", err);
	}
	return GH_RC_OK;
}

/* ---- lists -------------------------------------------------------------------------------------------------------------- */

struct found {
	json_t **v;                      /* those to be shown */
	size_t n, total;                 /* total: that match */
};

/* Members and groups cost a query each: only for filters that ask. */
static bool asks_for_more(struct str filter)
{
	return str_find(filter, STR("members")) != SIZE_MAX || str_find(filter, STR("groups")) != SIZE_MAX;
}

static GH_RC scan_part(struct web *w, const struct scim_kind *k, const struct scim_filter *f, struct str text, size_t offset, struct arena *keep,
		       size_t from, size_t count, struct found *out, size_t *read, struct gh_err *err)
{
	json_t **v;
	size_t all;

	TRY(k->page(w, offset, SCAN_ROWS, &v, read, &all, err));
	for (size_t i = 0; i < *read; i++) {
		if (asks_for_more(text))
			TRY(k->complete(w, v[i], err));
		if (!scim_filter_matches(f, v[i]))
			continue;
		if (out->total++ >= from && out->n < count) {
			out->v[out->n] = jsn_keep(keep, json_deep_copy(v[i]));
			if (!out->v[out->n++])
				FAIL(err, NOMEM, "resources");
		}
	}
	return GH_RC_OK;
}

/* Everybody is looked at, in parts whose memory is given back: a directory of any size fits. */
static GH_RC scan(struct web *w, const struct scim_kind *k, const struct scim_filter *f, struct str text, size_t from, size_t count,
		  struct found *out, struct gh_err *err)
{
	struct arena *own = w->a;
	size_t read = SCAN_ROWS;
	gh_rc rc = GH_RC_OK;

	for (size_t offset = 0; !rc.code && read == SCAN_ROWS; offset += SCAN_ROWS) {
		w->a = arena_new(SCAN_MEMORY);
		if (w->a)
			rc = scan_part(w, k, f, text, offset, own, from, count, out, &read, err);
		else
			rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "resources");
		arena_free(w->a);
		w->a = own;
	}
	return rc;
}

static GH_RC matching(struct web *w, const struct scim_kind *k, struct str text, size_t from, size_t count, struct found *out, struct gh_err *err)
{
	const struct scim_filter *f = NULL;
	struct str attribute, value;
	bool can = false;

	if (!text.n)
		return k->page(w, from, count, &out->v, &out->n, &out->total, err);
	TRY(scim_filter_parse(w->a, text, &f, err));
	out->v = arena_alloc(w->a, count + 1, sizeof(*out->v));
	if (!out->v)
		FAIL(err, NOMEM, "resources");
	if (scim_filter_is_eq(f, &attribute, &value)) {
		TRY(k->find_by(w, attribute, value, &can, &out->v[0], err));
		out->total = can && out->v[0];
		out->n = out->total > from && count ? 1 : 0;
	}
	return can ? GH_RC_OK : scan(w, k, f, text, from, count, out, err);
}

static uint64_t number(struct web *w, const char *name, uint64_t otherwise)
{
	struct str s = web_param(&w->rq.query, name);
	uint64_t v;

	if (!s.n)
		return otherwise;
	if (s.p[0] == '-')
		return 0;
	return str_to_u64(s, START_MAX, &v) ? v : otherwise;
}

static GH_RC list(struct web *w, const struct scim_kind *k, struct gh_err *err)
{
	uint64_t most = (uint64_t)config_int(&w->site->config, CONFIG_SCIM_MAX_RESULTS);
	uint64_t start = number(w, "startIndex", 1), count = number(w, "count", most);
	json_t *resources = json_array(), *answer;
	struct found found = { .n = 0 };
	struct gh_err why;
	gh_rc rc;

	if (!jsn_keep(w->a, resources))
		FAIL(err, NOMEM, "answer");
	start = start ? start : 1;
	count = count < most ? count : most;
	rc = matching(w, k, web_param(&w->rq.query, "filter"), (size_t)start - 1, (size_t)count, &found, &why);
	if (rc.code == GH_E_SYNTAX || rc.code == GH_E_LIMIT)
		return scim_error(w, 400, "invalidFilter", why.message, err);
	if (rc.code)
		return told(w, rc, &why, err);
	for (size_t i = 0; i < found.n; i++) {
		TRY(k->complete(w, found.v[i], err));
		select_attributes(w, found.v[i]);
		json_array_append(resources, found.v[i]);
	}
	answer = jsn_keep(w->a, json_pack("{s:[s], s:I, s:I, s:I, s:O}", "schemas", "urn:ietf:params:scim:api:messages:2.0:ListResponse",
					 "totalResults", (json_int_t)found.total, "startIndex", (json_int_t)start, "itemsPerPage", (json_int_t)found.n,
					 "Resources", resources));
	if (!answer)
		FAIL(err, NOMEM, "answer");
	return web_json(w, 200, media, answer, err);
}

/* ---- changes ------------------------------------------------------------------------------------------------------------ */

/* The body as an object; *v NULL: answered. */
static GH_RC body(struct web *w, json_t **v, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_depth = 32, .flags = JSN_UNIQUE_KEYS };
	struct gh_err why;

	*v = NULL;
	if (!str_starts_ci(w->rq.media_type, STR("application/scim+json")) && !str_starts_ci(w->rq.media_type, STR("application/json")))
		return scim_error(w, 415, NULL, "Send application/scim+json.", err);
	if (jsn_parse_in(w->a, w->rq.body, &limits, v, NULL, &why).code || !json_is_object(*v)) {
		*v = NULL;
		return scim_error(w, 400, "invalidSyntax", "The body is no JSON object.", err);
	}
	return GH_RC_OK;
}

static GH_RC save(struct web *w, const struct scim_kind *k, struct str actor, struct str id, const json_t *v, struct gh_err *err)
{
	struct store *s = w->site->store;
	bool is_new = !id.n;
	struct gh_err why;
	json_t *shown;
	gh_rc rc;

	TRY(store_tx_begin(s, actor, err));
	rc = store_tx_end(s, k->save(w, &id, v, &why), &why);
	if (rc.code)
		return told(w, rc, &why, err);
	TRY(k->find(w, id, &shown, err));
	if (!shown)
		FAIL(err, INTERNAL, "what was written is not there");
	TRY(k->complete(w, shown, err));
	return show(w, is_new ? 201 : 200, shown, err);
}

static GH_RC replace(struct web *w, const struct scim_kind *k, struct str actor, struct str id, bool patch, struct gh_err *err)
{
	json_t *have, *v;
	struct gh_err why;
	enum scim_fault f;

	TRY(load(w, k, id, &have, err));
	if (!have)
		return GH_RC_OK;
	TRY(body(w, &v, err));
	if (!v)
		return GH_RC_OK;
	if (!patch)
		return save(w, k, actor, id, v, err);
	f = scim_patch(w->a, have, v, &why);
	if (f == SCIM_NOMEM)
		FAIL(err, NOMEM, "resource");
	return f != SCIM_OK ? scim_error(w, 400, scim_fault_type(f), why.message, err) : save(w, k, actor, id, have, err);
}

static GH_RC drop(struct web *w, const struct scim_kind *k, struct str actor, struct str id, struct gh_err *err)
{
	struct store *s = w->site->store;
	struct gh_err why;
	json_t *have;
	gh_rc rc;

	TRY(load(w, k, id, &have, err));
	if (!have)
		return GH_RC_OK;
	TRY(store_tx_begin(s, actor, err));
	rc = store_tx_end(s, k->remove(w, id, &why), &why);
	if (rc.code)
		return told(w, rc, &why, err);
	w->rs.status = 204;
	return GH_RC_OK;
}

static GH_RC one(struct web *w, const struct scim_kind *k, struct str actor, struct str id, struct gh_err *err)
{
	struct str method = w->rq.method;
	json_t *v;

	if (str_eq(method, STR("PUT")) || str_eq(method, STR("PATCH")))
		return replace(w, k, actor, id, str_eq(method, STR("PATCH")), err);
	if (str_eq(method, STR("DELETE")))
		return drop(w, k, actor, id, err);
	if (str_eq(method, STR("POST")))
		return scim_error(w, 405, NULL, "A resource is not posted to.", err);
	TRY(load(w, k, id, &v, err));
	if (!v)
		return GH_RC_OK;
	if (w->rq.if_none_match.n && web_tag_listed(w->rq.if_none_match, jsn_str(jsn_obj(v, "meta"), "version"))) {
		w->rs.status = 304;
		return GH_RC_OK;
	}
	return show(w, 200, v, err);
}

static GH_RC all(struct web *w, const struct scim_kind *k, struct str actor, struct gh_err *err)
{
	json_t *v;

	if (str_eq(w->rq.method, STR("GET")) || str_eq(w->rq.method, STR("HEAD")))
		return list(w, k, err);
	if (!str_eq(w->rq.method, STR("POST")))
		return scim_error(w, 405, NULL, "Name a resource.", err);
	TRY(body(w, &v, err));
	return v ? save(w, k, actor, STR_NULL, v, err) : GH_RC_OK;
}

gh_rc admin_scim(struct web *w, struct gh_err *err)
{
	struct str path = w->rq.args[0], head, rest = path;
	struct store_scim_token token;
	bool in, found;

	TRY(admit(w, &token, &in, err));
	if (!in)
		return GH_RC_OK;
	if (!str_split(&rest, '/', &head))
		head = path;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(head, str_of(kinds[i]->endpoint))) {
			struct str actor = arena_printf(w->a, "scim:%.*s", STR_ARG(token.id));

			return rest.n ? one(w, kinds[i], actor, rest, err) : all(w, kinds[i], actor, err);
		}
	if (str_eq(head, STR("Bulk")) || str_eq(head, STR("Me")))
		return scim_error(w, 501, NULL, "This is not offered; see ServiceProviderConfig.", err);
	TRY(scim_about(w, path, &found, err));
	return found ? GH_RC_OK : scim_error(w, 404, NULL, "There is nothing here.", err);
}
