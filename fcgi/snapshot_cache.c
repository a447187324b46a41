/* snapshot_cache.c - cache rules with the snapshot. */
#include "core/str.h"
#include "db/cache_rules.h"
#include "fcgi/cached.h"
#include "fcgi/snapshot_impl.h"

static gh_rc names_of(struct build *b, struct str list, struct snap_cache *c)
{
	struct str rest = list, word, *v;
	size_t n = 0;

	while (str_word(&rest, &word))
		n++;
	v = arena_alloc(b->a, n, sizeof(*v));
	if (!v)
		FAIL(b->err, NOMEM, "no memory for the cache rules");
	while (c->n_vary_by < n && str_word(&list, &word))
		TRY(build_text(b, word, &v[c->n_vary_by++]));
	c->vary_by = v;
	return GH_RC_OK;
}

gh_rc build_cache_rules(struct build *b)
{
	struct store_cache_rule *rows;
	size_t n;

	TRY(store_cache_rules(b->store, b->rows, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_cache *c = arena_new_of(b->a, struct snap_cache);
		struct str key = arena_printf(b->rows, "%.*s/%.*s", STR_ARG(rows[i].api_id), STR_ARG(rows[i].operation_id));

		if (!c || !key.p || !map_put(&b->cache_rules, key, c))
			FAIL(b->err, NOMEM, "no memory for the cache rules");
		*c = (struct snap_cache){
			.off = !rows[i].enabled, .by_subscription = !str_eq(rows[i].shared_by, STR("everyone")),
			.obeys_client = rows[i].obeys_client, .tells = rows[i].tells, .max_bytes = (size_t)rows[i].max_bytes,
			.policy = { .default_s = rows[i].ttl_s, .stale_while_revalidate_s = rows[i].stale_while_revalidate_s,
				    .stale_if_error_s = rows[i].stale_if_error_s, .keeps_authorized = rows[i].authorized },
		};
		TRY(names_of(b, rows[i].vary_by, c));
		b->s->caches |= !c->off;
	}
	return GH_RC_OK;
}

const struct snap_cache *build_cache_rule(const struct build *b, struct str api, struct str operation, const struct snap_cache *otherwise)
{
	struct str key;
	const struct snap_cache *c;

	if (!b->cache_rules.n)
		return otherwise;
	key = arena_printf(b->rows, "%.*s/%.*s", STR_ARG(api), STR_ARG(operation));
	c = key.p ? map_get(&b->cache_rules, key) : NULL;
	return !c ? otherwise : c->off ? NULL : c;
}
