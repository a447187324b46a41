/* redis.c - connecting to Redis and signing in, step by step, each with its time limit. */
#include "core/redis.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/redis_address.h"
#include "core/str.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdlib.h>

enum { ARENA_BYTES = 16384, PASSWORD_MAX = 4096, WORDS_BYTES = 1 << 20, SLICE_MS = 50, STANDARD_PORT = 6379, SENTINEL_PORT = 26379 };

struct dialling {
	const struct redis_options *o;
	struct arena *arena;
	struct redis_address at;
	struct str password;             /* STR_NULL: none */
};

static bool stopped(const struct redis_options *o)
{
	return o->stop && atomic_load(o->stop);
}

/* ---- one command ---------------------------------------------------------------------------------------------------------- */

void redis_write(struct buf *to, const struct str *words, size_t n)
{
	buf_fmt(to, "*%zu\r\n", n);
	for (size_t i = 0; i < n; i++) {
		buf_fmt(to, "$%zu\r\n", words[i].n);
		buf_str(to, words[i]);
		buf_cstr(to, "\r\n");
	}
}

/* Waits in short slices, so that a worker that stops need not wait for it. */
static gh_rc wait_for(const struct redis_options *o, const struct redis_node *n, short events, int64_t until_us, struct gh_err *err)
{
	struct pollfd p = { .fd = n->fd, .events = events };

	while (clock_mono_us() < until_us) {
		if (stopped(o))
			FAIL(err, UNAVAILABLE, "redis: stopped");
		if (poll(&p, 1, SLICE_MS) > 0)
			return GH_RC_OK;
	}
	FAIL(err, TIMEOUT, "redis: %s does not answer within %lld ms", n->address, (long long)o->timeout_ms);
}

static gh_rc send_all(const struct redis_options *o, struct redis_node *to, struct str bytes, int64_t until_us, struct gh_err *err)
{
	while (bytes.n) {
		size_t sent = 0;
		CURLcode c = curl_easy_send(to->easy, bytes.p, bytes.n, &sent);

		if (c != CURLE_OK && c != CURLE_AGAIN)
			FAIL(err, IO, "redis: %s: %s", to->address, curl_easy_strerror(c));
		bytes = str_from(bytes, sent);
		if (c == CURLE_AGAIN)
			TRY(wait_for(o, to, POLLOUT, until_us, err));
	}
	return GH_RC_OK;
}

static gh_rc receive(const struct redis_options *o, struct redis_node *from, redisReader *reader, int64_t until_us, redisReply **reply,
		     struct gh_err *err)
{
	void *got = NULL;
	char bytes[4096];

	for (;;) {
		size_t n = 0;
		CURLcode c = curl_easy_recv(from->easy, bytes, sizeof(bytes), &n);

		if (c == CURLE_AGAIN) {
			TRY(wait_for(o, from, POLLIN, until_us, err));
			continue;
		}
		if (c != CURLE_OK || !n)
			FAIL(err, IO, "redis: %s: %s", from->address, c == CURLE_OK ? "the connection was closed" : curl_easy_strerror(c));
		if (redisReaderFeed(reader, bytes, n) != REDIS_OK || redisReaderGetReply(reader, &got) != REDIS_OK)
			FAIL(err, PROTO, "redis: %s: %s", from->address, reader->errstr);
		if (got) {
			*reply = got;
			return GH_RC_OK;
		}
	}
}

gh_rc redis_ask(const struct redis_options *o, struct redis_node *to, const struct str *words, size_t n, redisReply **reply,
		struct gh_err *err)
{
	int64_t until_us = clock_mono_us() + o->timeout_ms * 1000;
	redisReader *reader = redisReaderCreate();
	struct buf b;
	gh_rc rc;

	*reply = NULL;
	buf_init(&b, WORDS_BYTES);
	redis_write(&b, words, n);
	if (!reader || !buf_ok(&b))
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "redis: no memory");
	else
		rc = send_all(o, to, buf_view(&b), until_us, err);
	if (!rc.code)
		rc = receive(o, to, reader, until_us, reply, err);
	if (!rc.code && (*reply)->type == REDIS_REPLY_ERROR) {
		rc = gh_err_set(err, GH_E_UPSTREAM, __FILE__, __LINE__, "redis: %s refuses %.*s: %s", to->address, STR_ARG(words[0]), (*reply)->str);
		freeReplyObject(*reply);
		*reply = NULL;
	}
	buf_release(&b);
	if (reader)
		redisReaderFree(reader);
	return rc;
}

/* A command whose answer says nothing but that it was done. */
static gh_rc order(const struct dialling *d, struct redis_node *to, const struct str *words, size_t n, struct gh_err *err)
{
	redisReply *reply;

	TRY(redis_ask(d->o, to, words, n, &reply, err));
	freeReplyObject(reply);
	return GH_RC_OK;
}

/* ---- one connection -------------------------------------------------------------------------------------------------------- */

static void close_node(struct redis_node *n)
{
	curl_easy_cleanup(n->easy);
	n->easy = NULL;
}

static int give_up(void *o, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED, curl_off_t d UNUSED)
{
	return stopped(o) ? 1 : 0;
}

static gh_rc connect_to(const struct dialling *d, struct str host, unsigned port, struct redis_node *out, struct gh_err *err)
{
	char url[REDIS_ADDRESS_MAX + 16], problem[CURL_ERROR_SIZE] = "";
	bool bare = host.n && host.p[0] != '[' && str_find_char(host, ':') != SIZE_MAX;      /* an IPv6 address as servers tell it */
	const char *open = bare ? "[" : "", *end = bare ? "]" : "";
	CURL *e = out->easy = curl_easy_init();
	curl_socket_t fd = CURL_SOCKET_BAD;
	CURLcode c;

	if (!e)
		FAIL(err, NOMEM, "redis: no memory");
	snprintf(out->address, sizeof(out->address), "%.*s:%u", STR_ARG(host), port);
	if (d->at.path.p)
		snprintf(out->address, sizeof(out->address), "%.*s", STR_ARG(d->at.path));
	snprintf(url, sizeof(url), "%s://%s%.*s%s:%u/", d->at.tls ? "https" : "http", open, STR_ARG(host), end, port);
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);         /* who gives up, or stops, does not wait for a resolver that does not answer */
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)d->o->timeout_ms);
	curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, give_up);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, (void *)(uintptr_t)d->o);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, problem);
	if (d->o->ca_file.n)
		curl_easy_setopt(e, CURLOPT_CAINFO, arena_cstr(d->arena, d->o->ca_file));
	if (d->at.path.p)
		curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, arena_cstr(d->arena, d->at.path));
	c = curl_easy_perform(e);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 1L);
	if (c == CURLE_OK)
		c = curl_easy_getinfo(e, CURLINFO_ACTIVESOCKET, &fd);
	out->fd = (int)fd;
	if (c == CURLE_OK && fd != CURL_SOCKET_BAD)
		return GH_RC_OK;
	close_node(out);
	FAIL(err, UNAVAILABLE, "redis: %s: %s", out->address, *problem ? problem : curl_easy_strerror(c));
}

static gh_rc sign_in(const struct dialling *d, struct redis_node *n, struct gh_err *err)
{
	struct str words[3] = { STR("AUTH"), d->at.user, d->password };

	if (d->password.p && d->at.user.n)
		TRY(order(d, n, words, 3, err));
	else if (d->password.p)
		TRY(order(d, n, (struct str[]){ STR("AUTH"), d->password }, 2, err));
	if (d->at.database)
		TRY(order(d, n, (struct str[]){ STR("SELECT"), arena_printf(d->arena, "%llu", (unsigned long long)d->at.database) }, 2, err));
	return GH_RC_OK;
}

static gh_rc open_node(const struct dialling *d, struct str host, unsigned port, struct redis_node *out, struct gh_err *err)
{
	gh_rc rc;

	TRY(connect_to(d, host, port, out, err));
	rc = sign_in(d, out, err);
	if (rc.code)
		close_node(out);
	return rc;
}

/* ---- Sentinel -------------------------------------------------------------------------------------------------------------- */

static bool is_text(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS;
}

/* https://redis.io/docs/latest/develop/reference/sentinel-clients/: the master is asked whether it knows that it is one. */
static gh_rc check_master(const struct dialling *d, struct redis_node *n, struct gh_err *err)
{
	redisReply *r;
	bool master;

	TRY(redis_ask(d->o, n, (struct str[]){ STR("ROLE") }, 1, &r, err));
	master = r->type == REDIS_REPLY_ARRAY && r->elements && is_text(r->element[0]) && strcmp(r->element[0]->str, "master") == 0;
	freeReplyObject(r);
	if (!master)
		FAIL(err, UNAVAILABLE, "redis: %s is not the master yet that its Sentinels call it", n->address);
	return GH_RC_OK;
}

static gh_rc ask_sentinel(const struct dialling *d, struct str host, unsigned port, struct redis_node *out, struct gh_err *err)
{
	struct redis_node sentinel = { .fd = -1 };
	redisReply *r;
	uint64_t at = 0;
	gh_rc rc;

	TRY(connect_to(d, host, port, &sentinel, err));
	rc = redis_ask(d->o, &sentinel, (struct str[]){ STR("SENTINEL"), STR("get-master-addr-by-name"), d->at.master }, 3, &r, err);
	close_node(&sentinel);
	TRY(rc);
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || !is_text(r->element[0]) || !is_text(r->element[1])
	    || !str_to_u64(str_of(r->element[1]->str), 65535, &at)) {
		freeReplyObject(r);
		FAIL(err, NOT_FOUND, "redis: the Sentinel %s knows no master \"%.*s\"", sentinel.address, STR_ARG(d->at.master));
	}
	rc = open_node(d, str_of(r->element[0]->str), (unsigned)at, out, err);
	freeReplyObject(r);
	TRY(rc);
	rc = check_master(d, out, err);
	if (rc.code)
		close_node(out);
	return rc;
}

/* ---- Cluster --------------------------------------------------------------------------------------------------------------- */

static size_t node_named(const struct dialling *d, struct redis_servers *s, struct str host, unsigned port)
{
	struct str wanted = arena_printf(d->arena, "%.*s:%u", STR_ARG(host), port);
	struct redis_node *n;
	struct gh_err err;

	for (size_t i = 0; i < s->n; i++)
		if (str_eq(str_of(s->node[i].address), wanted))
			return i;
	if (s->n == REDIS_NODES_MAX)
		return REDIS_NO_NODE;
	n = &s->node[s->n++];
	if (open_node(d, host, port, n, &err).code)
		s->whole = false;
	return s->n - 1;
}

/* Each of CLUSTER SLOTS: first slot, last slot, [address, port, ...] of the master, and so on. */
static void take_range(const struct dialling *d, struct redis_servers *s, const redisReply *r, struct str asked)
{
	const redisReply *master = r->type == REDIS_REPLY_ARRAY && r->elements >= 3 ? r->element[2] : NULL;
	struct str host = asked;
	size_t node;

	if (!master || master->type != REDIS_REPLY_ARRAY || master->elements < 2 || master->element[1]->type != REDIS_REPLY_INTEGER)
		return;
	if (is_text(master->element[0]) && master->element[0]->len)
		host = str_of(master->element[0]->str);
	node = node_named(d, s, host, (unsigned)master->element[1]->integer);
	if (node == REDIS_NO_NODE)
		s->whole = false;
	for (long long slot = r->element[0]->integer; slot >= 0 && slot <= r->element[1]->integer && slot < REDIS_SLOTS; slot++)
		s->node_of[slot] = (uint8_t)node;
}

static gh_rc ask_cluster(const struct dialling *d, struct str host, unsigned port, struct redis_servers *s, struct gh_err *err)
{
	struct redis_node seed = { .fd = -1 };
	redisReply *r;
	gh_rc rc;

	TRY(open_node(d, host, port, &seed, err));
	rc = redis_ask(d->o, &seed, (struct str[]){ STR("CLUSTER"), STR("SLOTS") }, 2, &r, err);
	close_node(&seed);
	TRY(rc);
	memset(s->node_of, REDIS_NO_NODE, sizeof(s->node_of));
	for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++)
		take_range(d, s, r->element[i], host);
	freeReplyObject(r);
	for (size_t i = 0; i < s->n; i++)
		if (s->node[i].easy)
			return GH_RC_OK;
	FAIL(err, UNAVAILABLE, "redis: no node of the Cluster that %s names can be reached", seed.address);
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------- */

static gh_rc dial_hosts(const struct dialling *d, struct redis_servers *s, struct gh_err *err)
{
	unsigned standard = d->at.kind == REDIS_SENTINEL ? SENTINEL_PORT : STANDARD_PORT, port;
	gh_rc rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "redis: the address names no host");
	struct str rest = d->at.hosts, host;

	if (d->at.path.p) {
		s->n = 1;
		return open_node(d, STR("localhost"), STANDARD_PORT, &s->node[0], err);
	}
	while (rc.code && redis_address_host(&rest, standard, &host, &port)) {
		s->n = d->at.kind == REDIS_CLUSTER ? 0 : 1;
		s->whole = true;
		rc = d->at.kind == REDIS_CLUSTER ? ask_cluster(d, host, port, s, err)
						 : d->at.kind == REDIS_SENTINEL ? ask_sentinel(d, host, port, &s->node[0], err)
										: open_node(d, host, port, &s->node[0], err);
	}
	return rc;
}

static gh_rc prepare(struct dialling *d, struct gh_err *err)
{
	struct str text;

	if (!d->arena)
		FAIL(err, NOMEM, "redis: no memory");
	TRY(redis_address_read(&d->at, d->arena, d->o->url, err));
	if (!d->o->password_file.n)
		return GH_RC_OK;
	TRY(file_read(d->arena, arena_cstr(d->arena, d->o->password_file), PASSWORD_MAX, &text, err));
	if (!str_split(&text, '\n', &d->password) || !(d->password = str_trim(d->password)).n)
		FAIL(err, INVALID, "redis.password_file: the first line of %.*s is empty", STR_ARG(d->o->password_file));
	return GH_RC_OK;
}

gh_rc redis_dial(const struct redis_options *o, struct redis_servers **out, struct gh_err *err)
{
	struct dialling d = { .o = o, .arena = arena_new(ARENA_BYTES) };
	struct redis_servers *s = calloc(1, sizeof(*s));
	gh_rc rc = prepare(&d, err);

	if (!rc.code && !s)
		rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "redis: no memory");
	if (!rc.code) {
		s->whole = true;
		rc = dial_hosts(&d, s, err);
	}
	arena_free(d.arena);
	if (rc.code)
		redis_hang_up(s);
	else
		*out = s;
	return rc;
}

void redis_hang_up(struct redis_servers *s)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (s->node[i].easy)
			close_node(&s->node[i]);
	free(s);
}

gh_rc redis_check(struct str url, struct gh_err *err)
{
	struct redis_address at;
	struct arena *a = arena_new(ARENA_BYTES);
	gh_rc rc = a ? redis_address_read(&at, a, url, err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "redis: no memory");

	arena_free(a);
	return rc;
}

/* https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags; CRC16 as XMODEM counts it. */
unsigned redis_slot(struct str key)
{
	size_t open = str_find_char(key, '{'), end = open == SIZE_MAX ? SIZE_MAX : str_find_char(str_from(key, open + 1), '}');
	uint16_t crc = 0;

	if (end != SIZE_MAX && end)
		key = str_first(str_from(key, open + 1), end);
	for (size_t i = 0; i < key.n; i++) {
		crc ^= (uint16_t)((uint16_t)(unsigned char)key.p[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? (uint16_t)(crc << 1) ^ 0x1021 : crc << 1);
	}
	return crc % REDIS_SLOTS;
}
