/* route.c - the table of places and the way through it.
 *
 * One hash table holds every API path of every environment. Its key is the environment and the segments of the path,
 * decoded and in lower case; the hash of a longer path is the hash of the shorter one carried on, so all prefixes of a
 * request's path are hashed in one pass and looked up from the longest down. A request costs at most as many look-ups as
 * the deepest API has segments, whether there are ten APIs or ten thousand.
 *
 * A version that stands in the path is simply part of it. Versions by header or query are a short list at their place, and
 * so are revisions at their version. */
#include "fcgi/route.h"

#include "core/uritemplate.h"
#include "fcgi/route_table.h"

struct revision {
	struct revision *next;
	int64_t number;
	const struct snap_api *api;
};

struct variant {                             /* one version at a place */
	struct variant *next;
	struct str api_id, version, parameter;
	enum version_scheme scheme;          /* NONE: takes what no other variant takes */
	struct revision *revisions;
	const struct snap_api *current;      /* NULL: none is */
};

struct place {
	const struct snap_environment *environment;
	uint64_t hash;
	struct str *segments;
	size_t depth;
	struct variant *variants;
	bool versioned;                      /* versions stand one segment below */
};

struct environment_entry {
	const struct snap_environment *environment;
	struct str prefix[ROUTE_DEPTH_MAX];  /* path_prefix, cut */
	size_t depth;
	unsigned rank;                       /* 3: host and prefix, 2: host, 1: prefix, 0: neither */
};

struct slot {                                /* the hash beside the pointer: a look-up touches its own place only */
	uint64_t hash;
	struct place *place;                 /* NULL: free */
};

struct route_table {
	struct arena *arena;
	struct environment_entry *environments;      /* highest rank first, then deepest prefix */
	size_t n_environments, cap_environments;
	struct slot *slots;
	size_t cap, n, deepest;
};

static const char *const reasons[ROUTE__COUNT] = {
	[ROUTE_NO_OPERATION] = "operation_not_found", [ROUTE_NO_API] = "api_not_found",
	[ROUTE_NO_VERSION] = "version_not_found",     [ROUTE_NO_REVISION] = "revision_not_found",
	[ROUTE_BAD_TARGET] = "bad_request_target",
};

const char *route_reason(enum route_result r)
{
	return r < ROUTE__COUNT ? reasons[r] : NULL;
}

/* ---- hashing ------------------------------------------------------------------------------------------------------------ */

static uint64_t hash_begin(const struct snap_environment *e)
{
	return (1469598103934665603u ^ (uint64_t)(uintptr_t)e) * 1099511628211u;
}

static uint64_t hash_byte(uint64_t h, char c)
{
	return (h ^ (unsigned char)ascii_lower(c)) * 1099511628211u;
}

static uint64_t hash_segment(uint64_t h, struct str raw)
{
	for (size_t i = 0; i < raw.n; i++) {
		char decoded[3];

		if (raw.p[i] == '%' && raw.n - i >= 3
		    && uri_decode_to(decoded, (struct str){ raw.p + i, 3 }, false) == 1) {
			h = hash_byte(h, decoded[0]);
			i += 2;
		} else {
			h = hash_byte(h, raw.p[i]);
		}
	}
	return hash_byte(h, '/');
}

static size_t slot_of(const struct route_table *t, uint64_t hash)
{
	return (size_t)(hash ^ hash >> 32) & (t->cap - 1);
}

/* ---- building ----------------------------------------------------------------------------------------------------------- */

struct route_table *route_table_new(struct arena *a)
{
	struct route_table *t = arena_new_of(a, struct route_table);

	if (t)
		t->arena = a;
	return t;
}

static gh_rc no_memory(struct gh_err *err)
{
	FAIL(err, NOMEM, "no memory for the routes");
}

/* Decoded and in lower case, in the table's arena. */
static gh_rc cut_path(struct route_table *t, struct str path, struct str out[ROUTE_DEPTH_MAX], size_t *n, struct gh_err *err)
{
	struct str rest = path, part;

	while (rest.n && str_split(&rest, '/', &part)) {
		char *p = arena_alloc_text(t->arena, part.n);

		if (!p)
			return no_memory(err);
		if (*n == ROUTE_DEPTH_MAX)
			FAIL(err, INVALID, "the path \"%.*s\" has more than %d segments", STR_ARG(path), ROUTE_DEPTH_MAX);
		out[*n] = (struct str){ p, uri_decode_to(p, part, false) };
		for (size_t i = 0; i < out[*n].n; i++)
			p[i] = ascii_lower(p[i]);
		++*n;
	}
	return GH_RC_OK;
}

gh_rc route_table_add_environment(struct route_table *t, const struct snap_environment *e, struct gh_err *err)
{
	struct environment_entry entry = { .environment = e, .rank = (e->host.n ? 2u : 0) + (e->path_prefix.n ? 1u : 0) };
	size_t at;

	TRY(cut_path(t, e->path_prefix, entry.prefix, &entry.depth, err));
	if (t->n_environments == t->cap_environments) {
		size_t cap = t->cap_environments ? 2 * t->cap_environments : 4;
		struct environment_entry *more = arena_alloc(t->arena, cap, sizeof(*more));

		if (!more)
			return no_memory(err);
		if (t->n_environments)
			memcpy(more, t->environments, t->n_environments * sizeof(*more));
		t->environments = more;
		t->cap_environments = cap;
	}
	for (at = t->n_environments++; at; at--) {
		const struct environment_entry *before = &t->environments[at - 1];

		if (before->rank > entry.rank || (before->rank == entry.rank && before->depth >= entry.depth))
			break;
		t->environments[at] = *before;
	}
	t->environments[at] = entry;
	return GH_RC_OK;
}

static bool grow(struct route_table *t)
{
	size_t cap = t->cap ? 2 * t->cap : 64;
	struct slot *old = t->slots;
	size_t old_cap = t->cap;

	if (10 * (t->n + 1) <= 7 * t->cap)
		return true;
	t->slots = arena_alloc(t->arena, cap, sizeof(*t->slots));
	if (!t->slots) {
		t->slots = old;
		return false;
	}
	t->cap = cap;
	for (size_t i = 0; i < old_cap; i++) {
		size_t at;

		if (!old[i].place)
			continue;
		for (at = slot_of(t, old[i].hash); t->slots[at].place; at = (at + 1) & (cap - 1))
			;
		t->slots[at] = old[i];
	}
	return true;
}

static bool same_place(const struct place *a, const struct place *b)
{
	if (a->hash != b->hash || a->environment != b->environment || a->depth != b->depth)
		return false;
	for (size_t i = 0; i < a->depth; i++)
		if (!str_eq(a->segments[i], b->segments[i]))
			return false;
	return true;
}

/* The place of that path, made when it is not there. */
static struct place *place_for(struct route_table *t, const struct place *key)
{
	struct place *p;
	size_t at;

	if (!grow(t))
		return NULL;
	for (at = slot_of(t, key->hash); t->slots[at].place; at = (at + 1) & (t->cap - 1))
		if (t->slots[at].hash == key->hash && same_place(t->slots[at].place, key))
			return t->slots[at].place;
	p = arena_alloc_raw(t->arena, sizeof(*p));
	if (!p)
		return NULL;
	*p = *key;
	p->segments = arena_alloc(t->arena, key->depth, sizeof(struct str));
	if (!p->segments)
		return NULL;
	if (key->depth)
		memcpy(p->segments, key->segments, key->depth * sizeof(struct str));
	t->slots[at] = (struct slot){ p->hash, p };
	t->n++;
	if (p->depth > t->deepest)
		t->deepest = p->depth;
	return p;
}

static gh_rc add_variant(struct route_table *t, struct place *p, const struct route_place *rp, struct gh_err *err)
{
	bool in_path = rp->scheme == VERSION_SEGMENT;
	struct variant *v;
	struct revision *r = arena_new_of(t->arena, struct revision);

	for (v = p->variants; v; v = v->next) {
		if (str_eq(v->api_id, rp->api->ctx.id))
			break;
		if (in_path || str_eq_ci(v->version, rp->version))
			FAIL(err, CONFLICT, "APIs \"%.*s\" and \"%.*s\" stand at the same path \"%.*s\"", STR_ARG(v->api_id),
			     STR_ARG(rp->api->ctx.id), STR_ARG(rp->api->base_path));
	}
	if (!v && (v = arena_new_of(t->arena, struct variant))) {
		v->api_id = rp->api->ctx.id;
		v->version = rp->version;
		v->parameter = rp->parameter;
		v->scheme = in_path || !rp->version.n ? VERSION_NONE : rp->scheme;
		v->next = p->variants;
		p->variants = v;
	}
	if (!v || !r)
		return no_memory(err);
	*r = (struct revision){ .next = v->revisions, .number = rp->revision, .api = rp->api };
	v->revisions = r;
	if (rp->is_current)
		v->current = rp->api;
	return GH_RC_OK;
}

gh_rc route_table_add(struct route_table *t, const struct route_place *rp, struct gh_err *err)
{
	struct str segments[ROUTE_DEPTH_MAX];
	struct place key = { .environment = rp->api->environment, .segments = segments }, *p;
	size_t path_depth;

	TRY(cut_path(t, rp->path, key.segments, &key.depth, err));
	path_depth = key.depth;
	key.hash = hash_begin(key.environment);
	for (size_t i = 0; i < key.depth; i++)
		key.hash = hash_segment(key.hash, key.segments[i]);
	if (rp->scheme == VERSION_SEGMENT && rp->version.n) {
		p = place_for(t, &key);
		if (!p)
			return no_memory(err);
		p->versioned = true;
		TRY(cut_path(t, rp->version, key.segments, &key.depth, err));
		for (size_t i = path_depth; i < key.depth; i++)
			key.hash = hash_segment(key.hash, key.segments[i]);
	}
	p = place_for(t, &key);
	return p ? add_variant(t, p, rp, err) : no_memory(err);
}

/* ---- finding ------------------------------------------------------------------------------------------------------------ */

/* The first segments of a path, each without its ";rev=N", and what is behind each of them. */
struct cut {
	struct str segments[ROUTE_DEPTH_MAX];
	struct str rest[ROUTE_DEPTH_MAX + 1];        /* rest[k]: behind k segments; starts with "/" or is empty */
	int64_t revision[ROUTE_DEPTH_MAX + 1];       /* rest[k]'s: asked for within k segments; 0: not */
	size_t n;
};

static int64_t take_revision(struct str *segment)
{
	size_t at = segment->n ? str_rfind_char(*segment, ';') : SIZE_MAX;
	struct str tail = at == SIZE_MAX ? STR_NULL : str_from(*segment, at + 1);
	uint64_t v;

	if (!str_starts_ci(tail, STR("rev=")) || !str_to_u64(str_from(tail, 4), INT64_MAX, &v))
		return 0;
	*segment = str_first(*segment, at);
	return v ? (int64_t)v : INT64_MAX;           /* there is no revision 0 */
}

static void cut_request(const struct route_table *t, struct str path, size_t most, struct cut *c)
{
	c->n = 0;
	c->rest[0] = path;
	c->revision[0] = 0;
	if (most > t->deepest)
		most = t->deepest;
	while (c->n < most && c->rest[c->n].n > 1) {
		struct str rest = str_from(c->rest[c->n], 1), *segment = &c->segments[c->n];
		size_t end = str_find_char(rest, '/');
		int64_t revision;

		*segment = str_first(rest, end);
		revision = take_revision(segment);
		c->n++;
		c->rest[c->n] = end == SIZE_MAX ? str_from(rest, rest.n) : str_from(rest, end);
		c->revision[c->n] = c->revision[c->n - 1] ? c->revision[c->n - 1] : revision;
	}
}

/* ";rev=N" as the whole first segment belongs to an API with an empty path. */
static void cut_root_revision(struct cut *c)
{
	struct str first = str_from(c->rest[0], 1);
	size_t end = str_find_char(first, '/');
	struct str segment = str_first(first, end);
	int64_t revision = take_revision(&segment);

	if (!revision || segment.n)
		return;
	c->revision[0] = revision;
	c->rest[0] = end == SIZE_MAX ? str_from(first, first.n) : str_from(first, end);
}

static struct place *find_place(const struct route_table *t, const struct snap_environment *e, const struct cut *c, size_t depth,
				uint64_t hash)
{
	for (size_t at = slot_of(t, hash); t->slots[at].place; at = (at + 1) & (t->cap - 1)) {
		struct place *p = t->slots[at].place;
		size_t i = 0;

		if (t->slots[at].hash != hash || p->environment != e || p->depth != depth)
			continue;
		while (i < depth && uri_eq_decoded_ci(c->segments[i], p->segments[i]))
			i++;
		if (i == depth)
			return p;
	}
	return NULL;
}

static bool under_prefix(const struct environment_entry *e, struct str path, struct str *rest)
{
	*rest = path;
	for (size_t i = 0; i < e->depth; i++) {
		struct str segment = str_from(*rest, 1);
		size_t end = str_find_char(segment, '/');

		if (!rest->n || !uri_eq_decoded_ci(str_first(segment, end), e->prefix[i]))
			return false;
		*rest = end == SIZE_MAX ? str_from(segment, segment.n) : str_from(segment, end);
	}
	return true;
}

static const struct snap_environment *find_environment(const struct route_table *t, struct str host, struct str path,
							struct str *rest)
{
	bool parsed = false;                 /* most installations ask for no host */
	unsigned port;

	for (size_t i = 0; i < t->n_environments; i++) {
		const struct environment_entry *e = &t->environments[i];

		if (e->environment->host.n && !parsed) {
			parsed = true;
			if (!uri_parse_authority(host, &host, &port))
				host = STR_NULL;
		}
		if ((!e->environment->host.n || str_eq_ci(e->environment->host, host)) && under_prefix(e, path, rest))
			return e->environment;
	}
	return NULL;
}

/* The version that the request names for this variant's scheme; STR_NULL: none. */
static struct str asked_version(const struct variant *v, const struct route_request *rq)
{
	struct str value = STR_NULL;

	if (v->scheme == VERSION_HEADER)
		return rq->headers ? fields_get(rq->headers, v->parameter) : STR_NULL;
	if (v->scheme == VERSION_QUERY && !uri_query_find(rq->query, v->parameter, &value))
		return STR_NULL;
	return value;
}

static const struct variant *find_variant(const struct place *p, const struct route_request *rq)
{
	const struct variant *plain = NULL;
	bool asked = false;

	for (const struct variant *v = p->variants; v; v = v->next) {
		struct str version;

		if (v->scheme == VERSION_NONE) {
			plain = v;
			continue;
		}
		version = asked_version(v, rq);
		asked |= version.n != 0;
		if (version.n && (v->scheme == VERSION_QUERY ? uri_eq_decoded_ci(version, v->version)
							      : str_eq_ci(str_trim(version), v->version)))
			return v;
	}
	return asked ? NULL : plain;
}

static enum route_result find_api(const struct place *p, int64_t revision, const struct route_request *rq,
				  const struct snap_api **out)
{
	const struct variant *v = find_variant(p, rq);

	if (!v)
		return ROUTE_NO_VERSION;
	if (!revision) {
		*out = v->current;
		return v->current ? ROUTE_FOUND : ROUTE_NO_REVISION;
	}
	for (const struct revision *r = v->revisions; r; r = r->next) {
		if (r->number == revision) {
			*out = r->api;
			return ROUTE_FOUND;
		}
	}
	return ROUTE_NO_REVISION;
}

static enum route_result walk(const struct route_table *t, const struct route_request *rq, struct str path, struct route *out)
{
	uint64_t hashes[ROUTE_DEPTH_MAX + 1];
	struct cut c;

	cut_request(t, path, ROUTE_DEPTH_MAX, &c);
	hashes[0] = hash_begin(out->environment);
	for (size_t i = 0; i < c.n; i++)
		hashes[i + 1] = hash_segment(hashes[i], c.segments[i]);
	cut_root_revision(&c);
	for (size_t k = c.n + 1; t->n && k--;) {
		const struct place *p = find_place(t, out->environment, &c, k, hashes[k]);

		if (!p || (!p->variants && !p->versioned))
			continue;
		out->rest = c.rest[k].n ? c.rest[k] : STR("/");
		return find_api(p, c.revision[k], rq, &out->api);
	}
	return ROUTE_NO_API;
}

static bool is_preflight(const struct route_request *rq)
{
	return str_eq(rq->method, STR("OPTIONS")) && rq->headers && fields_get(rq->headers, STR("Origin")).n
	       && fields_get(rq->headers, STR("Access-Control-Request-Method")).n;
}

static bool find_operation(struct arena *a, const struct route_request *rq, struct route *out, struct fields *matched)
{
	struct uritemplate_values values;

	out->operation = uritemplate_set_find(out->api->operations, a, rq->method, out->rest, rq->query, &values,
					      &out->other_method);
	if (!out->operation) {
		out->result = ROUTE_NO_OPERATION;
		out->preflight = is_preflight(rq);
		return true;
	}
	for (size_t i = 0; matched && i < values.n; i++)
		if (!fields_add(matched, values.v[i].name, values.v[i].value))
			return false;
	return true;
}

bool route_find(const struct snapshot *s, struct arena *a, const struct route_request *rq, struct route *out,
		struct fields *matched)
{
	struct str path = rq->path.n ? rq->path : STR("/"), rest;

	*out = (struct route){ .result = ROUTE_BAD_TARGET, .query = rq->query };
	out->fault = uri_check_path(path);
	if (!out->fault)
		out->fault = uri_check_query(rq->query);
	if (out->fault)
		return true;
	out->result = ROUTE_NO_API;
	out->environment = find_environment(s->routes, rq->host, path, &rest);
	if (!out->environment)
		return true;
	out->result = walk(s->routes, rq, rest.n ? rest : STR("/"), out);
	return out->result != ROUTE_FOUND || find_operation(a, rq, out, matched);
}
