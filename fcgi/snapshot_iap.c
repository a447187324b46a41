/* snapshot_iap.c - which APIs are behind a sign-in, and where. */
#include "fcgi/snapshot_impl.h"

#include "core/str.h"
#include "db/identity_providers.h"
#include "fcgi/iap.h"

static gh_rc no_memory(struct build *b)
{
	FAIL(b->err, NOMEM, "no memory for a snapshot");
}

static gh_rc fill_groups(struct build *b, struct str lines, struct snap_iap *x)
{
	struct str rest, group, *v;
	size_t n = 0;

	TRY(build_text(b, lines, &lines));
	rest = lines;
	while (rest.n && str_split(&rest, '\n', &group))
		n++;
	v = arena_alloc(b->a, n + 1, sizeof(*v));
	if (!v)
		return no_memory(b);
	rest = lines;
	n = 0;
	while (rest.n && str_split(&rest, '\n', &group))
		if (group.n)
			v[n++] = group;
	x->groups = v;
	x->n_groups = n;
	return GH_RC_OK;
}

static gh_rc fill_provider(struct build *b, const struct store_provider *p, struct snap_iap *x)
{
	struct str base = p->issuer;

	while (base.n && base.p[base.n - 1] == '/')
		base.n--;
	TRY(build_text(b, p->id, &x->provider));
	TRY(build_text(b, p->issuer, &x->issuer));
	TRY(build_text(b, p->client_id, &x->client_id));
	TRY(build_text(b, p->secret, &x->client_secret));
	TRY(build_text(b, p->scopes, &x->scopes));
	TRY(build_text(b, p->groups_claim, &x->groups_claim));
	x->discovery = arena_printf(b->a, "%.*s/.well-known/openid-configuration", STR_ARG(base));
	return x->discovery.p ? GH_RC_OK : no_memory(b);
}

GH_RC build_iap(struct build *b)
{
	struct store_api_sign_in *rows;
	struct store_provider *providers;
	struct snap_iap *v;
	size_t n, n_providers;

	map_init(&b->iap, b->rows, false);
	TRY(store_api_sign_ins(b->store, b->rows, &rows, &n, b->err));
	if (!n)
		return GH_RC_OK;
	TRY(store_providers(b->store, b->rows, true, &providers, &n_providers, b->err));
	v = arena_alloc(b->a, n, sizeof(*v));
	if (!v)
		return no_memory(b);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n_providers; k++)
			if (str_eq(providers[k].id, rows[i].provider_id))
				TRY(fill_provider(b, &providers[k], &v[i]));
		TRY(fill_groups(b, rows[i].groups, &v[i]));
		v[i].idle_us = rows[i].idle_s * 1000000;
		v[i].max_us = rows[i].max_s * 1000000;
		if (!map_put(&b->iap, rows[i].api_id, &v[i]))
			return no_memory(b);
	}
	b->s->iap = v;
	b->s->n_iap = n;
	return GH_RC_OK;
}
