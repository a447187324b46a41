/* transfer_name.c - from the name of a backend's host to where the request goes.
 *
 * curl keeps connections by the name of the host, so after a change of addresses it would go on with those to the old ones. It is
 * therefore told (CURLOPT_CONNECT_TO) that the host is to be reached under a name made of the set of addresses, and
 * (CURLOPT_RESOLVE) what these are: another set is another name, and connections of the old one are not found any more. With
 * addresses of both families they race as ever (RFC 8305). Host, SNI and the check of the certificate stay with the real name. */
#include "fcgi/upstream_impl.h"

#include "core/str.h"

#include <arpa/inet.h>

/* With an old answer at hand nobody waits for a new one for longer than this. */
enum { PATIENCE_US = 1000000 };

static bool is_address(struct str host)
{
	unsigned char to[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];

	if (host.n && host.p[0] == '[')
		return true;
	if (host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(AF_INET, text, to) == 1;
}

static void take(struct transfer *t, const struct resolved *v)
{
	size_t at = 0;

	t->name_print = v->print;
	t->n_addresses = (unsigned)v->n;
	for (size_t i = 0; i < v->n; i++) {
		bool v6 = strchr(v->addresses[i], ':') != NULL;

		at += (size_t)snprintf(t->addresses + at, sizeof(t->addresses) - at, v6 ? "%s[%s]" : "%s%s", i ? "," : "", v->addresses[i]);
	}
	t->dns_us = (uint32_t)(t->up->loop->now_us - t->started_us);
}

static void wait(struct transfer *t, struct resolved *v)
{
	struct upstream *u = t->up;

	t->phase = TRANSFER_RESOLVING;
	t->name = v;
	v->waiting++;
	t->prev_waiting = NULL;
	t->next_waiting = u->resolving;
	if (t->next_waiting)
		t->next_waiting->prev_waiting = t;
	u->resolving = t;
}

void transfer_stop_waiting(struct transfer *t)
{
	if (!t->name)
		return;
	t->name->waiting--;
	t->name = NULL;
	*(t->prev_waiting ? &t->prev_waiting->next_waiting : &t->up->resolving) = t->next_waiting;
	if (t->next_waiting)
		t->next_waiting->prev_waiting = t->prev_waiting;
}

bool transfer_resolve(struct transfer *t)
{
	struct resolved *v;

	t->name = NULL;
	t->name_print = t->n_addresses = 0;
	t->dns_us = 0;
	if (t->rq.proxy_url.n || t->rq.unix_socket.n || is_address(t->url.host))
		return true;
	switch (resolver_look(t->up->resolver, t->url.host, &v)) {
	case RESOLVER_KNOWN:
		take(t, v);
		return true;
	case RESOLVER_NONE:
		return true;
	case RESOLVER_FAILED:
		t->up->names_failed = true;
		/* fall through */
	default:
		wait(t, v);
		return false;
	}
}

bool transfer_waiting_turn(struct upstream *u, bool late)
{
	bool any = false;

	for (struct transfer *t = u->resolving, *next; t; t = next) {
		bool patient = !late || u->loop->now_us - t->started_us < PATIENCE_US;
		struct resolved *v = t->name;
		enum resolver_answer is = resolver_look_again(u->resolver, v, patient);

		next = t->next_waiting;
		if (is == RESOLVER_WAIT)
			continue;
		any = true;
		transfer_stop_waiting(t);
		t->phase = TRANSFER_CONNECTING;
		t->touched_us = u->loop->now_us;
		if (is == RESOLVER_KNOWN)
			take(t, v);
		if (is == RESOLVER_FAILED)
			upstream_finish(t, REASON_BACKEND_DNS);
		else if (!transfer_start(t))
			upstream_finish(t, REASON_NO_MEMORY);
	}
	return any;
}

/* ---- for curl ---- */

static struct str bare(struct str host)
{
	return host.n > 2 && host.p[0] == '[' ? str_first(str_from(host, 1), host.n - 2) : host;
}

static struct curl_slist *line(struct transfer *t, struct str text)
{
	struct curl_slist *s = text.p ? arena_new_of(t->arena, struct curl_slist) : NULL;

	if (s)
		s->data = (char *)(uintptr_t)text.p;
	return s;
}

bool transfer_point(struct transfer *t, struct str name)
{
	struct str host = bare(t->url.host), label = host;
	bool v6 = str_find_char(host, ':') != SIZE_MAX;
	struct curl_slist *to = NULL, *resolve = NULL;
	unsigned port = url_port(&t->url);

	if (t->name_print) {
		label = arena_printf(t->arena, "a%016llx.invalid", (unsigned long long)t->name_print);
		resolve = line(t, arena_printf(t->arena, "+%.*s:%u:%s", STR_ARG(label), port, t->addresses));
		if (!resolve)
			return false;
	}
	if (t->name_print || !str_eq(name, t->url.host)) {
		to = line(t, arena_printf(t->arena, v6 ? "%.*s:%u:[%.*s]:%u" : "%.*s:%u:%.*s:%u", STR_ARG(name), port, STR_ARG(label), port));
		if (!to)
			return false;
	}
	return curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, to) == CURLE_OK && curl_easy_setopt(t->easy, CURLOPT_RESOLVE, resolve) == CURLE_OK;
}
