#include "fcgi/share.h"

#include "core/str.h"
#include "fcgi/call.h"
#include "fcgi/snapshot.h"

#include <stdlib.h>

/* Entries of idle backends stay, so that a call costs no allocation, up to so many. */
enum { BUCKETS = 256, IDLE_KEPT = 1024 };

struct share_entry {
	struct share_entry *next;
	uint32_t hash, port;
	size_t n;
	bool tls;
	size_t host_n;
	char host[];
};

struct share_table {
	struct share_entry *buckets[BUCKETS];
	size_t n_entries;
};

struct share_table *share_table_new(void)
{
	return calloc(1, sizeof(struct share_table));
}

void share_table_free(struct share_table *t)
{
	for (size_t i = 0; t && i < BUCKETS; i++)
		while (t->buckets[i]) {
			struct share_entry *e = t->buckets[i];

			t->buckets[i] = e->next;
			free(e);
		}
	free(t);
}

static struct share_entry *make(struct share_table *t, struct share_entry **at, struct str host, uint32_t port, uint32_t hash, bool tls)
{
	struct share_entry *e = calloc(1, sizeof(*e) + host.n);

	if (!e)
		return NULL;
	e->hash = hash;
	e->port = port;
	e->tls = tls;
	e->host_n = host.n;
	memcpy(e->host, host.p, host.n);
	e->next = *at;
	*at = e;
	t->n_entries++;
	return e;
}

/* host: or the path of a socket, which begins with a slash as no host does. */
static struct share_entry *enter(struct share_table *t, const struct url *url, struct str host, size_t most)
{
	uint32_t port = (uint32_t)url_port(url), hash = (uint32_t)str_hash(host) * 31 + port;
	bool tls = str_eq(url->scheme, STR("https"));
	struct share_entry **at = &t->buckets[hash % BUCKETS], *e = *at;

	while (e && (e->hash != hash || e->port != port || e->tls != tls || !str_eq((struct str){ e->host, e->host_n }, host)))
		e = e->next;
	if (!e)
		e = make(t, at, host, port, hash, tls);
	if (!e || e->n >= most)
		return NULL;
	e->n++;
	return e;
}

static void leave(struct share_table *t, struct share_entry *e)
{
	struct share_entry **at = &t->buckets[e->hash % BUCKETS];

	if (--e->n || t->n_entries <= IDLE_KEPT)
		return;
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	t->n_entries--;
	free(e);
}

bool share_pass(struct call *k)
{
	const struct url *url = &k->x.request.url;
	struct str socket = k->x.backend_id.n && k->backend ? k->backend->unix_socket : STR_NULL;

	share_drop(k);
	k->share = enter(k->wk->shares, url, socket.n ? socket : url->host, k->wk->limits.backend_share);
	return k->share != NULL;
}

void share_drop(struct call *k)
{
	if (k->share)
		leave(k->wk->shares, k->share);
	k->share = NULL;
}
