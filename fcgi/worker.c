/* worker.c - one gateway process: accepting, turns, sweeps, drain. */
#include "fcgi/worker.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/slice.h"
#include "core/str.h"
#include "fcgi/credential.h"
#include "fcgi/fill.h"
#include "fcgi/log_sink.h"
#include "fcgi/share.h"
#include "fcgi/shared_limit.h"
#include "fcgi/shared_place.h"
#include "fcgi/shared_state.h"
#include "fcgi/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_PER_ROUND = 64, SWEEP_US = 100000, IDLE_WAIT_US = 500000, SETTINGS_BYTES_MAX = 16 << 20 };
/* A turn of the loop takes microseconds. One that takes so long held all calls of the worker up, and somebody should know. */
enum { LATE_TURN_US = 250000 };

/* At least one place, or nothing would pass. */
static size_t part_of(const struct config *c, enum setting percent)
{
	size_t n = (size_t)config_int(c, CONFIG_GATEWAY_MAX_IN_FLIGHT) * (size_t)config_int(c, percent) / 100;

	return n ? n : 1;
}

static void take_limits(struct worker *wk)
{
	const struct config *c = wk->config;

	wk->limits = (struct worker_limits){
		.max_in_flight = (size_t)config_int(c, CONFIG_GATEWAY_MAX_IN_FLIGHT),
		.shed_low = part_of(c, CONFIG_GATEWAY_SHED_LOW_PERCENT),
		.shed_normal = part_of(c, CONFIG_GATEWAY_SHED_NORMAL_PERCENT),
		.backend_share = part_of(c, CONFIG_GATEWAY_BACKEND_SHARE_PERCENT),
		.backend_queue = (uint32_t)config_int(c, CONFIG_GATEWAY_BACKEND_QUEUE),
		.backend_queue_us = config_int(c, CONFIG_GATEWAY_BACKEND_QUEUE_MS) * 1000,
		.header_bytes = (size_t)config_int(c, CONFIG_GATEWAY_MAX_HEADER_BYTES),
		.held_body = (size_t)config_int(c, CONFIG_GATEWAY_MAX_HELD_BODY_BYTES),
		.uri_bytes = (size_t)config_int(c, CONFIG_GATEWAY_MAX_URI_BYTES),
		.stream_buffer = (size_t)config_int(c, CONFIG_GATEWAY_STREAM_BUFFER_BYTES),
		.request_memory = (size_t)config_int(c, CONFIG_GATEWAY_REQUEST_MEMORY_BYTES),
		.subresponse = (size_t)config_int(c, CONFIG_GATEWAY_MAX_SUBRESPONSE_BYTES),
		.filling = (size_t)config_int(c, CONFIG_CACHE_FILLING_BYTES),
		.one_way = (size_t)config_int(c, CONFIG_GATEWAY_MAX_ONE_WAY),
		.old_limit_fields = config_bool(c, CONFIG_GATEWAY_X_RATELIMIT),
		.max_body = (uint64_t)config_int(c, CONFIG_GATEWAY_MAX_BODY_BYTES),
		.idle_us = config_int(c, CONFIG_GATEWAY_IDLE_TIMEOUT_MS) * 1000,
		.refresh_ms = (uint32_t)config_int(c, CONFIG_CACHE_REFRESH_TIMEOUT_MS),
		.mirror_ms = (uint32_t)config_int(c, CONFIG_GATEWAY_MIRROR_TIMEOUT_MS),
		.drain_us = config_int(c, CONFIG_GATEWAY_DRAIN_TIMEOUT_MS) * 1000,
		.token_life_s = config_int(c, CONFIG_OAUTH_TOKEN_LIFE_S),
		.base_path = config_text(c, CONFIG_GATEWAY_BASE_PATH),
		.correlation_header = config_text(c, CONFIG_GATEWAY_CORRELATION_HEADER),
		.cert_header = config_text(c, CONFIG_GATEWAY_CLIENT_CERTIFICATE_HEADER),
	};
}

/* The address of the mount, and the issuer that follows from it. */
static void take_public_url(struct worker *wk)
{
	static const struct str behind = STR_INIT("/-/oauth2");
	struct str url = config_text(wk->config, CONFIG_OAUTH_PUBLIC_URL);
	int n;

	while (url.n && url.p[url.n - 1] == '/')
		url.n--;
	n = snprintf(wk->oauth_issuer, sizeof(wk->oauth_issuer), "%.*s%s", STR_ARG(url), behind.p);
	if (!url.n || n >= (int)sizeof(wk->oauth_issuer))
		return;
	wk->limits.public_url = str_first(str_of(wk->oauth_issuer), url.n);
	wk->limits.oauth_issuer = str_of(wk->oauth_issuer);
}

GH_RC worker_init(struct worker *wk, const struct config *config, const char *state_dir, unsigned number,
	struct gh_err *err)
{
	struct upstream_limits limits = {
		.connect_ms = config_int(config, CONFIG_GATEWAY_CONNECT_TIMEOUT_MS),
		.first_byte_ms = config_int(config, CONFIG_GATEWAY_FIRST_BYTE_TIMEOUT_MS),
		.idle_ms = config_int(config, CONFIG_GATEWAY_IDLE_TIMEOUT_MS),
		.total_ms = config_int(config, CONFIG_GATEWAY_TOTAL_TIMEOUT_MS),
		.max_header_bytes = (size_t)config_int(config, CONFIG_GATEWAY_MAX_HEADER_BYTES),
		.max_connections = (long)config_int(config, CONFIG_GATEWAY_MAX_BACKEND_CONNECTIONS),
	};

	memset(wk, 0, sizeof(*wk));
	wk->config = config;
	wk->state_dir = state_dir;
	wk->number = number;
	wk->listen.fd = -1;
	wk->turns_end = &wk->turns;
	take_limits(wk);
	take_public_url(wk);
	wk->memory = arena_new(SETTINGS_BYTES_MAX);
	if (!wk->memory)
		FAIL(err, NOMEM, "no memory for a worker");
	TRY(client_trust_read(wk->memory, config, &wk->trust, err));
	TRY(loop_init(&wk->loop, err));
	wk->fills = fill_table_new(wk);
	wk->sinks = log_sinks_new(wk);
	wk->shares = share_table_new();
	if (!wk->fills || !wk->sinks || !wk->shares)
		FAIL(err, NOMEM, "no memory for a worker");
	wk->up = upstream_new(&wk->loop, &limits, config, err);
	return wk->up ? GH_RC_OK : (gh_rc){ err ? err->code : GH_E_NOMEM };
}

void worker_release(struct worker *wk)
{
	while (wk->conns)
		conn_close(wk->conns);
	asides_drop(wk);
	mirrors_drop(wk);
	while (wk->turns) {              /* over, but still on the list */
		struct call *k = wk->turns;

		wk->turns = k->next_turn;
		call_recycle(k);
	}
	while (wk->pool) {
		struct call *k = wk->pool;

		wk->pool = k->next;
		call_free(k);
	}
	credentials_free(wk->credentials);       /* with what they have asked Redis, and their timers */
	wk->credentials = NULL;
	shared_states_free(wk->shared_states);
	wk->shared_states = NULL;
	shared_places_free(wk->shared_places);
	shared_limits_free(wk->shared_limits);
	shared_free(wk->shared);
	fill_table_free(wk->fills);
	share_table_free(wk->shares);
	log_sinks_free(wk->sinks);
	upstream_free(wk->up);
	arena_free(wk->memory);
	loop_release(&wk->loop);
	if (wk->listen.fd >= 0)
		close(wk->listen.fd);
}

/* ---- accepting ---- */

/* Out of descriptors: asking again at once would only spin. Connections wait in the socket's queue, or go to a worker that
 * has descriptors left; the sweep tries again. */
static void pause_accepting(struct worker *wk, const char *why)
{
	log_error("cannot accept", KV_CSTR("error", why), KV_INT("connections", wk->n_conns));
	loop_forget(&wk->loop, &wk->listen, false);
	wk->deaf = true;
}

static void accept_some(struct watch *w, uint32_t events UNUSED)
{
	struct worker *wk = CONTAINER_OF(w, struct worker, listen);

	for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
		int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct conn *c;

		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				pause_accepting(wk, strerror(errno));
			return;
		}
		c = conn_new(wk, fd);
		if (!c) {
			log_error("out of memory for a connection", KV_INT("connections", wk->n_conns));
			close(fd);
			return;
		}
		conn_read(c);            /* the request is usually there already */
	}
}

GH_RC worker_listen(struct worker *wk, int fd, struct gh_err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		FAIL(err, IO, "the listening socket cannot be used: %s", strerror(errno));
	loop_watch_init(&wk->listen, fd, accept_some);
	wk->listen.exclusive = true;     /* other workers wait on the same socket: wake one, not all */
	if (!loop_want(&wk->loop, &wk->listen, EPOLLIN))
		FAIL(err, IO, "the listening socket cannot be watched: %s", strerror(errno));
	return GH_RC_OK;
}

/* ---- one round ---- */

static bool run_turns(struct worker *wk)
{
	bool any = wk->turns != NULL;

	while (wk->turns) {
		struct call *k = wk->turns;

		wk->turns = k->next_turn;
		if (!wk->turns)
			wk->turns_end = &wk->turns;
		k->on_turn = false;
		if (k->stage == CALL_OVER)
			call_recycle(k);
		else
			call_turn(k);
	}
	return any;
}

static void flush_all(struct worker *wk)
{
	struct conn *list = wk->dirty;

	wk->dirty = NULL;
	while (list) {
		struct conn *c = list;

		list = c->next_dirty;
		c->dirty = false;
		if (c->dead)
			conn_bury(c);
		else
			conn_flush(c);
	}
}

static int64_t processor_us(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void sweep(struct worker *wk)
{
	int64_t now = wk->loop.now_us;

	wk->swept_us = now;
	wk->processor_us = processor_us();
	if (wk->deaf && wk->listen.fd >= 0 && loop_want(&wk->loop, &wk->listen, EPOLLIN))
		wk->deaf = false;
	for (struct conn *c = wk->conns, *next; c; c = next) {
		next = c->next;
		if (c->closing && c->lingers && (now > c->linger_by_us || wk->stopping))
			conn_close(c);
		else if (conn_queued(c) && now - c->touched_us > wk->limits.idle_us)
			conn_close(c);   /* the web server has stopped reading */
		else if (c->call && call_client_is_late(c->call, now))
			call_wake(c->call);
		else if (!c->call && wk->stopping && !conn_queued(c))
			conn_close(c);
	}
}

static void drive(struct worker *wk)
{
	bool more;

	do {
		more = upstream_turn(wk->up);
		more |= run_turns(wk);
	} while (more);
	flush_all(wk);
}

static int64_t next_wait(const struct worker *wk)
{
	int64_t due = upstream_due(wk->up), wait = wk->n_calls || wk->stopping ? SWEEP_US : IDLE_WAIT_US;

	if (wk->turns || wk->dirty)
		return 0;
	if (due != INT64_MAX && due - wk->loop.now_us < wait)
		wait = due - wk->loop.now_us;
	return wait;
}

static bool drained(struct worker *wk)
{
	if (!wk->stopping)
		return false;
	if (wk->loop.now_us > wk->drain_by_us) {
		log_warn("stopped with work left", KV_INT("calls", wk->n_calls), KV_INT("messages", log_sinks_busy(wk->sinks)));
		return true;
	}
	if (!wk->n_conns) {
		asides_drop(wk);
		mirrors_drop(wk);
	}
	return !wk->n_conns && !upstream_active(wk->up) && !log_sinks_busy(wk->sinks);
}

/* From the moment that events came until all that they set going has been done. With far less processor time than that it was the
 * machine that was too busy, or something that blocks. */
static void count_turn(struct worker *wk)
{
	int64_t took_us = clock_mono_us() - wk->loop.now_us;

	loop_lag_count(&wk->lag, took_us);
	if (took_us >= LATE_TURN_US)
		log_warn("a turn of the loop held calls up", KV_INT("ms", took_us / 1000),
			 KV_INT("processor_ms", (processor_us() - wk->processor_us) / 1000), KV_INT("calls", wk->n_calls));
}

void worker_run(struct worker *wk)
{
	slice_ask_short();
	wk->loop.now_us = clock_mono_us();   /* starting took its time, and was no turn */
	do {
		wk->poll(wk);
		drive(wk);
		count_turn(wk);
		if (wk->loop.now_us - wk->swept_us >= SWEEP_US)
			sweep(wk);
		if (wk->once && !wk->n_conns) {
			worker_stop(wk);
			if (drained(wk))
				return;      /* else messages still have to leave */
		}
		loop_round(&wk->loop, next_wait(wk));
	} while (!drained(wk));
}

void worker_stop(struct worker *wk)
{
	if (wk->stopping)
		return;
	wk->stopping = true;
	wk->drain_by_us = wk->loop.now_us + wk->limits.drain_us;
	log_sinks_drain(wk->sinks);
	if (wk->listen.fd >= 0) {
		loop_forget(&wk->loop, &wk->listen, false);
		close(wk->listen.fd);
		wk->listen.fd = -1;
	}
}

void worker_random(struct worker *wk, void *to, size_t n)
{
	if (wk->random_left < n) {
		size_t have = 0;

		while (have < RANDOM_BYTES) {
			ssize_t got = getrandom(wk->random + have, RANDOM_BYTES - have, 0);

			if (got > 0)
				have += (size_t)got;
		}
		wk->random_left = RANDOM_BYTES;
	}
	wk->random_left -= n;
	memcpy(to, wk->random + wk->random_left, n);
	explicit_bzero(wk->random + wk->random_left, n);
}

void worker_id(struct worker *wk, int64_t now_us, uint8_t to[16])
{
	uint64_t ms = (uint64_t)now_us / 1000;

	for (int i = 0; i < 6; i++)
		to[i] = (uint8_t)(ms >> (40 - 8 * i));
	worker_random(wk, to + 6, 10);
	to[6] = (uint8_t)((to[6] & 0x0f) | 0x70);
	to[8] = (uint8_t)((to[8] & 0x3f) | 0x80);
}
