/* direct_conn.c - backend addresses and the connections to them that are kept. */
#include "fcgi/direct_impl.h"

#include "core/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum { LEARNED_US = 30 * 1000000, IDLE_US = 50 * 1000000 };

struct direct *direct_new(struct upstream *u)
{
	struct direct *d = calloc(1, sizeof(*d));

	if (d) {
		d->up = u;
		d->over_end = &d->over;
		buf_init(&d->request, REQUEST_MAX);
	}
	return d;
}

/* ---- origins ---- */

static size_t bucket_of(struct str host, unsigned port)
{
	return (size_t)(str_hash_ci(host) + port * 31u) % ORIGIN_BUCKETS;
}

static bool take_address(struct origin *o, const char *ip)
{
	o->address = (typeof(o->address)){ .any = { 0 } };
	if (inet_pton(AF_INET, ip, &o->address.v4.sin_addr) == 1) {
		o->address.v4.sin_family = AF_INET;
		o->address.v4.sin_port = htons((uint16_t)o->port);
		o->address_n = sizeof(o->address.v4);
		return true;
	}
	if (inet_pton(AF_INET6, ip, &o->address.v6.sin6_addr) == 1) {
		o->address.v6.sin6_family = AF_INET6;
		o->address.v6.sin6_port = htons((uint16_t)o->port);
		o->address_n = sizeof(o->address.v6);
		return true;
	}
	return false;
}

/* An IPv6 address is in brackets there. */
static bool take_resolved(struct origin *o, const char *text)
{
	struct str s = str_of(text);
	char ip[64];

	if (s.n > 2 && s.p[0] == '[')
		s = str_first(str_from(s, 1), s.n - 2);
	if (s.n >= sizeof(ip))
		return false;
	memcpy(ip, s.p, s.n);
	ip[s.n] = '\0';
	return take_address(o, ip);
}

static struct origin *new_origin(struct direct *d, struct str host, unsigned port)
{
	struct origin *o;
	size_t b = bucket_of(host, port);
	bool bracket = host.n > 2 && host.p[0] == '[';
	char ip[64];

	if (d->n_origins >= ORIGINS_MAX || host.n > 255 || !(o = calloc(1, sizeof(*o) + host.n)))
		return NULL;
	o->port = port;
	o->host_n = host.n;
	memcpy(o->host, host.p, host.n);
	if (host.n < sizeof(ip)) {
		size_t n = bracket ? host.n - 2 : host.n;

		memcpy(ip, host.p + bracket, n);
		ip[n] = '\0';
		if (take_address(o, ip))
			o->known_until_us = ORIGIN_FIXED;
	}
	o->next = d->origins[b];
	d->origins[b] = o;
	d->n_origins++;
	return o;
}

struct origin *direct_origin(struct direct *d, struct str host, unsigned port)
{
	for (struct origin *o = d->origins[bucket_of(host, port)]; o; o = o->next)
		if (o->port == port && str_eq_ci((struct str){ o->host, o->host_n }, host))
			return o;
	return new_origin(d, host, port);
}

void direct_learn(struct transfer *t, const char *ip)
{
	struct direct *d = t->up->direct;
	struct origin *o = direct_origin(d, t->url.host, url_port(&t->url));

	if (!o || o->known_until_us == ORIGIN_FIXED || !take_address(o, ip))
		return;
	o->known_until_us = t->name_print ? ORIGIN_RESOLVED : d->up->loop->now_us + LEARNED_US;
	o->print = t->name_print;
}

void direct_doubt(struct transfer *t)
{
	if (t->origin->known_until_us != ORIGIN_FIXED)
		t->origin->known_until_us = 0;
}

bool direct_readdress(struct origin *o, const struct transfer *t)
{
	if (!t->name_print || o->known_until_us == ORIGIN_FIXED)
		return o->known_until_us > t->up->loop->now_us;
	if (o->print == t->name_print && o->known_until_us == ORIGIN_RESOLVED)
		return true;
	if (o->print != t->name_print) {
		while (o->idle)
			direct_close(o->idle);
		o->print = t->name_print;
		/* of one address there is nothing to race */
		o->known_until_us = t->n_addresses == 1 && take_resolved(o, t->addresses) ? ORIGIN_RESOLVED : 0;
	}
	return o->known_until_us == ORIGIN_RESOLVED;
}

/* ---- connections ---- */

static void leave_idle(struct direct_conn *c)
{
	struct direct *d = c->d;

	*(c->prev ? &c->prev->next : &c->origin->idle) = c->next;
	if (c->next)
		c->next->prev = c->prev;
	*(c->older ? &c->older->newer : &d->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &d->newest) = c->older;
	c->next = c->prev = c->older = c->newer = NULL;
	c->counted = false;
	d->n_idle--;
}

void direct_keep(struct direct_conn *c)
{
	struct direct *d = c->d;

	c->idle_since_us = d->up->loop->now_us;
	c->prev = NULL;
	c->next = c->origin->idle;
	if (c->next)
		c->next->prev = c;
	c->origin->idle = c;
	c->older = d->newest;
	c->newer = NULL;
	*(c->older ? &c->older->newer : &d->oldest) = c;
	d->newest = c;
	c->counted = true;
	d->n_idle++;
}

static void free_conn(struct grave *g)
{
	struct direct_conn *c = CONTAINER_OF(g, struct direct_conn, grave);

	http1_release(&c->reader);
	buf_release(&c->out);
	buf_release(&c->pause_body);
	buf_release(&c->held);
	free(c);
}

void direct_close(struct direct_conn *c)
{
	struct loop *l = c->d->up->loop;

	if (c->counted)
		leave_idle(c);
	if (c->transfer)
		c->transfer->conn = NULL;
	c->transfer = NULL;
	loop_forget(l, &c->watch, true);
	close(c->watch.fd);
	loop_bury(l, &c->grave, free_conn);
}

struct direct_conn *direct_open(struct direct *d, struct origin *o, void (*ready)(struct watch *, uint32_t))
{
	int fd = socket(o->address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	struct direct_conn *c = fd >= 0 ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	loop_watch_init(&c->watch, fd, ready);
	c->d = d;
	c->origin = o;
	c->print = o->print;
	http1_init(&c->reader, d->up->limits.max_header_bytes);
	buf_init(&c->out, REQUEST_MAX);
	buf_init(&c->pause_body, READ_BYTES);
	buf_init(&c->held, READ_BYTES);
	c->connecting = connect(fd, &o->address.any, o->address_n) < 0;
	if ((c->connecting && errno != EINPROGRESS) || !loop_want(d->up->loop, &c->watch, c->connecting ? EPOLLOUT : EPOLLIN)) {
		direct_close(c);
		return NULL;
	}
	return c;
}

/* The event set catches most closed ones; this one is for a request that must not be sent twice. */
static bool is_alive(const struct direct_conn *c)
{
	char byte;

	return recv(c->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

struct direct_conn *direct_kept(struct origin *o, bool must_be_alive)
{
	struct direct_conn *c;

	while ((c = o->idle)) {
		if (!must_be_alive || is_alive(c)) {
			leave_idle(c);
			return c;
		}
		direct_close(c);
	}
	return NULL;
}

void direct_close_old(struct direct *d)
{
	while (d->oldest && d->up->loop->now_us - d->oldest->idle_since_us > IDLE_US)
		direct_close(d->oldest);
}

void direct_free(struct direct *d)
{
	if (!d)
		return;
	while (d->oldest)
		direct_close(d->oldest);
	for (size_t i = 0; i < ORIGIN_BUCKETS; i++)
		while (d->origins[i]) {
			struct origin *o = d->origins[i];

			d->origins[i] = o->next;
			free(o);
		}
	buf_release(&d->request);
	free(d);
}
