/* cached_key.c - what an answer is kept under: where the request goes, who asks, and the fields that tell answers apart. */
#include "core/buf.h"
#include "core/crypto.h"
#include "core/str.h"
#include "fcgi/access_flow.h"
#include "fcgi/cached.h"
#include "fcgi/iap.h"
#include "policy/elements/cache_entry.h"

/* Made for every call: without a buffer of its own, and without formats. `more` is room behind it. */
static char *put_address(struct call *k, const struct url *u, size_t more, struct str *out)
{
	const struct exchange *x = &k->x;
	const struct str host = forward_host(k), none = STR("");
	bool named = x->backend_id.n;            /* a pool counts as one backend */
	char port[24];
	const struct str parts[] = {
		x->api->id, STR(";"), x->api->revision, STR("\n"),
		host, host.n ? STR("\n") : none,        /* a policy has named another site of the backend */
		named ? x->backend_id : u->scheme, named ? none : STR("://"), named ? none : u->host, named ? none : STR(":"),
		{ port, named ? 0 : (size_t)(str_put_u64(port, url_port(u)) - port) },
		u->path, u->query.p ? STR("?") : none, u->query,
	};

	size_t n = 0;
	char *text, *to;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		n += parts[i].n;
	text = to = n <= CACHE_KEY_MAX ? arena_alloc_text(k->arena, n + more) : NULL;
	if (!text)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		to = str_put(to, parts[i]);
	*out = (struct str){ text, n };
	return to;
}

bool cached_address_key(struct call *k, const struct url *u, struct str *out)
{
	return put_address(k, u, 0, out) != NULL;
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

	if (!c->rule->by_subscription && !c->rule->policy.keeps_authorized)
		return STR("");
	buf_init(&b, CACHE_KEY_MAX);
	if (c->rule->by_subscription)
		write_tenant(k, &b);
	if (c->rule->policy.keeps_authorized)
		add_authorization(k, &b);
	out = buf_ok(&b) ? arena_dup(k->arena, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

static struct str key_by_fields(struct call *k, const struct cached *c)
{
	const struct fields *h = &k->x.request.headers;
	struct str out;
	struct buf b;

	buf_init(&b, CACHE_KEY_MAX);
	buf_str(&b, c->address_key);
	buf_char(&b, '\n');
	buf_str(&b, c->tenant);
	for (size_t i = 0; i < c->rule->n_vary_by; i++) {
		struct str value = fields_joined(h, c->rule->vary_by[i]);

		buf_fmt(&b, "h%zu:%.*s:%.*s\n", value.n, STR_ARG(c->rule->vary_by[i]), STR_ARG(value));
	}
	out = buf_ok(&b) ? arena_dup(k->arena, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	return out;
}

bool cached_keys(struct call *k, struct cached *c)
{
	const struct str behind = STR(CACHE_VARIANT_BEHIND);
	char *to;

	c->tenant = tenant_of(k, c);
	if (!c->tenant.p)
		return false;
	/* one piece of memory: the address, which begins the key, which begins what is looked under when nothing varies */
	to = put_address(k, &k->x.request.url, 1 + c->tenant.n + behind.n, &c->address_key);
	if (!to)
		return false;
	if (c->rule->n_vary_by) {
		c->key = key_by_fields(k, c);
		return c->key.p != NULL;
	}
	to = str_put(str_put(to, STR("\n")), c->tenant);
	c->key = (struct str){ c->address_key.p, (size_t)(to - c->address_key.p) };
	to = str_put(to, behind);
	c->plain_variant = (struct str){ c->key.p, (size_t)(to - c->key.p) };
	return c->key.n <= CACHE_KEY_MAX;
}
