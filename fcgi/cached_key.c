/* cached_key.c - what an answer is kept under: where the request goes, who asks, and the fields that tell answers apart. */
#include "core/buf.h"
#include "core/crypto.h"
#include "core/str.h"
#include "fcgi/access_flow.h"
#include "fcgi/cached.h"
#include "fcgi/iap.h"
#include "policy/elements/cache_entry.h"

bool cached_address_key(struct call *k, const struct url *u, struct str *out)
{
	struct str host = forward_host(k);
	struct exchange *x = &k->x;
	struct buf b;

	buf_init(&b, CACHE_KEY_MAX);
	buf_fmt(&b, "%.*s;%.*s\n", STR_ARG(x->api->id), STR_ARG(x->api->revision));
	if (host.n)                              /* a policy has named another site of the backend */
		buf_fmt(&b, "%.*s\n", STR_ARG(host));
	if (x->backend_id.n)                     /* a pool counts as one backend */
		buf_str(&b, x->backend_id);
	else
		buf_fmt(&b, "%.*s://%.*s:%u", STR_ARG(u->scheme), STR_ARG(u->host), url_port(u));
	buf_str(&b, u->path);
	if (u->query.p) {
		buf_char(&b, '?');
		buf_str(&b, u->query);
	}
	*out = buf_ok(&b) ? arena_dup(k->arena, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out->p != NULL;
}

/* A line for each thing that tells callers apart; lengths keep one caller's values from looking like another's. */
static void add_caller(struct buf *b, char kind, struct str value)
{
	if (value.n)
		buf_fmt(b, "%c%zu:%.*s\n", kind, value.n, STR_ARG(value));
}

/* The subscription, and whom else the credentials named: a product's subscription may be shared by the users of its
 * application. */
static void write_tenant(struct call *k, struct buf *b)
{
	const struct principal *w = k->access && k->access->granted ? &k->access->who : NULL;
	const struct exchange *x = &k->x;

	if (x->subscription)
		buf_fmt(b, "s:%.*s\n", STR_ARG(x->subscription->id));
	if (x->user)
		add_caller(b, 'u', x->user->id);
	if (k->gate->iap)
		add_caller(b, 'i', k->gate->iap->session.subject);
	if (!w)
		return;
	add_caller(b, 'm', str_of(w->method));
	add_caller(b, 'p', w->issuer);
	add_caller(b, 'n', w->id);
	add_caller(b, 'c', w->client);
	add_caller(b, 'a', w->username);
}

static void add_authorization(struct call *k, struct buf *b)
{
	struct str value = fields_joined(&k->x.request.headers, STR("Authorization"));
	uint8_t digest[CRYPTO_SHA256_BYTES];

	if (!value.n)
		return;
	crypto_sha256(value, digest);            /* no credential lies in a file */
	add_caller(b, 'z', crypto_hex(k->arena, (struct str){ (char *)digest, sizeof(digest) }));
}

static struct str tenant_of(struct call *k, const struct cached *c)
{
	struct str out;
	struct buf b;

	buf_init(&b, CACHE_KEY_MAX);
	if (c->rule->by_subscription)
		write_tenant(k, &b);
	if (c->rule->policy.keeps_authorized)
		add_authorization(k, &b);
	out = buf_ok(&b) ? arena_dup(k->arena, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

bool cached_keys(struct call *k, struct cached *c)
{
	const struct fields *h = &k->x.request.headers;
	struct buf b;

	c->tenant = tenant_of(k, c);
	if (!c->tenant.p || !cached_address_key(k, &k->x.request.url, &c->address_key))
		return false;
	buf_init(&b, CACHE_KEY_MAX);
	buf_str(&b, c->address_key);
	buf_char(&b, '\n');
	buf_str(&b, c->tenant);
	for (size_t i = 0; i < c->rule->n_vary_by; i++) {
		struct str value = fields_joined(h, c->rule->vary_by[i]);

		buf_fmt(&b, "h%zu:%.*s:%.*s\n", value.n, STR_ARG(c->rule->vary_by[i]), STR_ARG(value));
	}
	c->key = buf_ok(&b) ? arena_dup(k->arena, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return c->key.p != NULL;
}
