/* snapshot_backends.c - backends and pools of a snapshot. */
#include "core/coding.h"
#include "core/crypto.h"
#include "core/str.h"
#include "fcgi/pool.h"
#include "fcgi/snapshot_impl.h"

enum { TOKEN_BYTES = 9 };                    /* of a member, in its pool's cookie: twelve characters */

static gh_rc no_memory(struct build *b)
{
	FAIL(b->err, NOMEM, "no memory for the backends");
}

/* ---- pools ------------------------------------------------------------------------------------------------------------- */

/* The same for all workers and after each change, so that a session stays where it is. */
static gh_rc member_token(struct build *b, struct str pool_id, struct snap_pool_member *m)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(arena_printf(b->rows, "%.*s/%.*s", STR_ARG(pool_id), STR_ARG(m->backend->id)), digest);
	m->token = crypto_base64url(b->a, (struct str){ (const char *)digest, TOKEN_BYTES });
	return m->token.p ? GH_RC_OK : no_memory(b);
}

static gh_rc add_members(struct build *b, struct snap_backend *pool, const struct store_pool_member *rows, size_t n)
{
	struct snap_pool_member *members = arena_alloc(b->a, n, sizeof(*members));

	if (!members)
		return no_memory(b);
	for (size_t i = 0; i < n && pool->n_members < POOL_MEMBERS_MAX; i++) {
		struct snap_pool_member m = { map_get(&b->s->priv->backends, rows[i].backend_id), rows[i].weight > 0 ? rows[i].weight : 1,
					      rows[i].priority, STR_NULL };
		size_t at = pool->n_members;

		if (!m.backend || !m.backend->base.host.n)
			continue;
		TRY(member_token(b, pool->id, &m));
		for (; at && members[at - 1].priority > m.priority; at--)
			members[at] = members[at - 1];
		members[at] = m;
		pool->n_members++;
	}
	pool->members = members;
	pool->live = pool_live_new(b->a, pool->n_members);
	return pool->live ? GH_RC_OK : no_memory(b);
}

static gh_rc read_pools(struct build *b)
{
	struct store_pool_member *rows;
	size_t n, to;

	TRY(store_pool_members(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i = to) {
		struct snap_backend *pool = map_get(&b->s->priv->backends, rows[i].pool_id);

		for (to = i; to < n && str_eq(rows[to].pool_id, rows[i].pool_id); to++)
			;
		if (pool)
			TRY(add_members(b, pool, rows + i, to - i));
	}
	return GH_RC_OK;
}

/* How calls are spread, as db/backends.h has checked it. */
static gh_rc read_balance(struct build *b, const struct store_backend *row, struct snap_backend *x)
{
	static const struct { struct str name; enum pool_hash hash; } hashes[] = {
		{ STR_INIT("address"), POOL_HASH_ADDRESS }, { STR_INIT("subscription"), POOL_HASH_SUBSCRIPTION },
		{ STR_INIT("path"), POOL_HASH_PATH }, { STR_INIT("header"), POOL_HASH_HEADER }, { STR_INIT("cookie"), POOL_HASH_COOKIE },
	};
	struct str rest = row->hash_on, kind;

	if (str_eq(row->balance, STR("least-outstanding")))
		x->balance = POOL_LEAST_OUTSTANDING;
	if (str_eq(row->balance, STR("hash")))
		x->balance = POOL_HASH;
	if (str_split(&rest, ':', &kind))
		for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
			if (str_eq(hashes[i].name, kind))
				x->hash = hashes[i].hash;
	TRY(build_text(b, rest, &x->hash_name));
	return build_text(b, row->affinity_cookie, &x->affinity_cookie);
}

/* ---- backends ---------------------------------------------------------------------------------------------------------- */

/* A store from before breakers were obeyed took any JSON: such a document must not keep all calls from being served. */
static gh_rc read_breaker(struct build *b, const struct store_backend *row, struct snap_backend *x)
{
	struct breaker_rule *r;
	struct gh_err err;

	if (!row->breaker.n)
		return GH_RC_OK;
	r = arena_new_of(b->a, struct breaker_rule);
	if (!r)
		return no_memory(b);
	if (breaker_rule_parse(row->breaker, r, &err).code)
		b->s->backend_problem = arena_printf(b->a, "backend %.*s: %s", STR_ARG(row->id), err.message);
	else
		x->breaker = r;
	return GH_RC_OK;
}

static gh_rc read_backend(struct build *b, const struct store_backend *row, struct snap_backend *x)
{
	TRY(build_text(b, row->id, &x->id));
	TRY(build_text(b, row->url, &x->url));
	TRY(build_text(b, row->client_certificate_id, &x->client_certificate_id));
	TRY(build_fixed(b, row->id, row->credentials, &x->fixed));
	TRY(build_text(b, row->tls_server_name, &x->tls_server_name));
	TRY(build_text(b, row->tls_min_version, &x->tls_min_version));
	TRY(build_text(b, row->tls_pins, &x->tls_pins));
	TRY(build_text(b, row->credential_id, &x->credential_id));
	TRY(build_text(b, row->unix_socket, &x->unix_socket));
	x->max_calls = (uint32_t)row->max_calls;
	/* no key that a policy takes out of a field of a request begins like this */
	x->calls_key = arena_printf(b->a, "\001backend-calls:%.*s", STR_ARG(row->id));
	if (!x->calls_key.p)
		return no_memory(b);
	x->verify_tls = row->verify_tls;
	x->verify_name = row->verify_name;
	x->place = backend_place_new(b->a, backend_state_key(x->id));
	if (!x->place)
		return no_memory(b);
	if (!x->url.n || !url_parse(x->url, &x->base))
		x->base = (struct url){ 0 };
	TRY(read_breaker(b, row, x));
	return read_balance(b, row, x);
}

gh_rc build_backends(struct build *b)
{
	struct store_backend *rows;
	size_t n;

	TRY(store_backends(b->store, b->rows, true, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_backend *x = arena_new_of(b->a, struct snap_backend);

		if (!x)
			return no_memory(b);
		TRY(read_backend(b, &rows[i], x));
		if (!map_put(&b->s->priv->backends, x->id, x))
			return no_memory(b);
	}
	return read_pools(b);
}
