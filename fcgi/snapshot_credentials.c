/* snapshot_credentials.c - credentials in a snapshot: parsed, with their keys ready, found by environment and id, by
 * provider, and by resource. */
#include "fcgi/snapshot_impl.h"

#include "core/sign.h"
#include "core/str.h"
#include "db/credentials.h"
#include "fcgi/credential.h"

static struct str place(struct arena *a, struct str environment, struct str id)
{
	return arena_printf(a, "%.*s/%.*s", STR_ARG(environment), STR_ARG(id));
}

static void drop_keys(void *keys)
{
	jose_keys_free(keys);
}

/* The key of http-signature: PEM, or a shared secret. */
static void read_key(struct build *b, struct snap_credential *x)
{
	struct str key = credential_text(&x->c, "key"), alg = credential_text(&x->c, "algorithm");
	struct gh_err err = { 0 };
	gh_rc rc;

	x->keys = jose_keys_new();
	if (!x->keys || !arena_defer(b->a, drop_keys, x->keys))
		return;
	x->alg = msgsig_alg_of(alg);
	if (str_find(key, STR("-----BEGIN")) != SIZE_MAX) {
		rc = jose_keys_add_pem(x->keys, STR_NULL, key, &err);
		for (enum jose_alg i = JOSE_HS256; !rc.code && !alg.n && i < JOSE_ALG__COUNT && !x->alg; i++) {
			struct str ignored;

			if (msgsig_alg_name(i).p && !jose_sign_bytes(b->rows, x->keys, STR_NULL, i, STR("x"), &ignored, NULL).code)
				x->alg = i;
		}
	} else {
		if (str_eq(credential_text(&x->c, "key-encoding"), STR("base64")) && !crypto_base64_decode(b->rows, key, &key))
			key = STR("");
		rc = jose_keys_add_secret(x->keys, STR_NULL, key, &err);
		x->alg = JOSE_HS256;
	}
	if (rc.code)
		x->problem = arena_printf(b->a, "key: %s", err.message);
}

static gh_rc add(struct build *b, const struct store_credential *row)
{
	struct snap_credential *x = arena_new_of(b->a, struct snap_credential);
	struct store_credential kept = *row;
	struct map *m = &b->s->priv->credentials;
	struct str key, by_provider;

	if (!x)
		FAIL(b->err, NOMEM, "no memory for a snapshot");
	TRY(build_text(b, row->environment_id, &kept.environment_id));
	TRY(build_text(b, row->id, &kept.id));
	TRY(build_text(b, row->provider.n ? row->provider : row->id, &x->provider));
	TRY(build_text(b, row->resource, &x->resource));
	TRY(build_text(b, row->problem, &x->problem));
	TRY(store_credential_parse(b->a, &kept, &x->c, b->err));
	x->token_id = (struct tokens_id){ .environment = x->c.environment, .credential = x->c.id };
	memcpy(x->token_id.print, row->print, sizeof(row->print));
	tokens_id_seal(&x->token_id);
	if (x->c.kind == CREDENTIAL_MESSAGE && !x->problem.p)
		read_key(b, x);
	key = place(b->a, x->c.environment, x->c.id);
	by_provider = arena_printf(b->a, "%.*s/%.*s/%.*s", STR_ARG(x->c.environment), STR_ARG(x->provider), STR_ARG(x->c.id));
	if (!key.p || !by_provider.p || !map_put(m, key, x) || !map_put(m, by_provider, x))
		FAIL(b->err, NOMEM, "no memory for a snapshot");
	return GH_RC_OK;
}

static gh_rc read_grants(struct build *b)
{
	struct store_credential_grant *rows;
	size_t n;

	TRY(store_credential_grants(b->store, b->rows, true, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++) {
		struct snap_credential *x = map_get(&b->s->priv->credentials, place(b->rows, rows[i].environment_id, rows[i].credential_id));

		if (x)
			TRY(build_text(b, rows[i].refresh_token, &x->refresh_token));
	}
	return GH_RC_OK;
}

gh_rc build_credentials(struct build *b)
{
	struct store_credential *rows;
	size_t n;

	map_init(&b->s->priv->credentials, b->a, false);
	TRY(store_credentials(b->store, b->rows, true, &rows, &n, b->err));
	for (size_t i = 0; i < n; i++)
		TRY(add(b, &rows[i]));
	return read_grants(b);
}

const struct snap_credential *snapshot_credential(const struct snapshot *s, struct str environment, struct str id)
{
	char key[512];

	if (!s || environment.n + id.n + 1 > sizeof(key))
		return NULL;
	memcpy(key, environment.p, environment.n);
	key[environment.n] = '/';
	memcpy(key + environment.n + 1, id.p, id.n);
	return map_get(&s->priv->credentials, (struct str){ key, environment.n + 1 + id.n });
}

const struct snap_credential *snapshot_credential_next(const struct snapshot *s, size_t *i)
{
	const struct map_slot *slot;

	/* each stands there twice; the shorter key is the one by id */
	while ((slot = map_next(&s->priv->credentials, i))) {
		const struct snap_credential *x = slot->value;

		if (slot->key.n == x->c.environment.n + 1 + x->c.id.n)
			return x;
	}
	return NULL;
}

const struct snap_credential *snapshot_credential_for(const struct snapshot *s, struct str environment, struct str resource,
						      struct str client_id)
{
	const struct snap_credential *x, *found = NULL;

	for (size_t i = 0; s && (x = snapshot_credential_next(s, &i));) {
		if (!x->resource.n || !str_eq(x->c.environment, environment) || !str_eq(x->resource, resource))
			continue;
		if (client_id.n && !str_eq(client_id, credential_text(&x->c, "client-id")) && !str_eq(client_id, x->c.id))
			continue;
		if (!found || str_cmp(x->c.id, found->c.id) < 0)
			found = x;
	}
	return found;
}
