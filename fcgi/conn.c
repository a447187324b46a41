/* conn.c - a connection from the web server: bytes to calls, answers to bytes.
 *
 * Reading goes through one scratch buffer of the worker; the record reader needs no copy, so an idle connection costs a
 * few hundred bytes. Writing fills STDOUT records in one growing buffer. A record stays open until the buffer is flushed
 * at the end of the round, so that head, body and END_REQUEST of a small answer leave in one system call. */
#include "fcgi/worker.h"

#include "core/log.h"
#include "core/str.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_KEPT_BYTES = 16384, OUT_EXTRA_BYTES = 1 << 20, LINGER_US = 10 * 1000 * 1000 };

static void conn_ready(struct watch *w, uint32_t events)
{
	struct conn *c = CONTAINER_OF(w, struct conn, watch);

	if (events & EPOLLOUT)
		conn_flush(c);
	if (c->dead || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)))
		return;
	if (c->paused)
		conn_close(c);           /* asked for nothing but the hang-up */
	else
		conn_read(c);
}

static struct conn *make(struct worker *wk, int fd, int out_fd)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->wk = wk;
	c->out_fd = out_fd;
	c->record_at = SIZE_MAX;
	c->touched_us = wk->loop.now_us;
	loop_watch_init(&c->watch, fd, conn_ready);
	fcgi_reader_init(&c->reader);
	buf_init(&c->out, wk->limits.stream_buffer + wk->limits.header_bytes + OUT_EXTRA_BYTES);
	c->next = wk->conns;
	if (c->next)
		c->next->prev = c;
	wk->conns = c;
	wk->n_conns++;
	return c;
}

struct conn *conn_new(struct worker *wk, int fd)
{
	struct conn *c = make(wk, fd, fd);

	if (c && !loop_want(&wk->loop, &c->watch, EPOLLIN)) {
		conn_close(c);
		return NULL;
	}
	return c;
}

struct conn *conn_new_cgi(struct worker *wk, int in_fd, int out_fd, uint64_t body_bytes)
{
	struct conn *c = make(wk, in_fd, out_fd);

	if (c) {
		c->raw = true;
		c->raw_left = body_bytes;
	}
	return c;
}

static void free_conn(struct grave *g)
{
	struct conn *c = CONTAINER_OF(g, struct conn, grave);

	buf_release(&c->out);
	free(c);
}

void conn_bury(struct conn *c)
{
	loop_bury(&c->wk->loop, &c->grave, free_conn);
}

void conn_close(struct conn *c)
{
	struct worker *wk = c->wk;
	struct call *k = c->call;

	if (c->dead)
		return;
	c->dead = true;
	c->call = NULL;
	if (k)
		call_client_gone(k);
	loop_forget(&wk->loop, &c->watch, true);
	close(c->watch.fd);
	*(c->prev ? &c->prev->next : &wk->conns) = c->next;
	if (c->next)
		c->next->prev = c->prev;
	wk->n_conns--;
	if (!c->dirty)
		conn_bury(c);            /* else the flush does it */
}

/* ---- in ---- */

static void mark_dirty(struct conn *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	c->next_dirty = c->wk->dirty;
	c->wk->dirty = c;
}

static void begin(struct conn *c, const struct fcgi_event *ev)
{
	c->keep = ev->keep;
	c->lingers = false;
	if (ev->role != FCGI_RESPONDER) {
		fcgi_write_end_request(&c->out, ev->id, FCGI_UNKNOWN_ROLE);
		fcgi_reader_request_over(&c->reader);
		c->closing = !c->keep;
		mark_dirty(c);
		return;
	}
	c->call = call_new(c);
	if (!c->call) {
		fcgi_write_end_request(&c->out, ev->id, FCGI_OVERLOADED);
		fcgi_reader_request_over(&c->reader);
		c->closing = !c->keep;
		mark_dirty(c);
	}
}

static void malformed(struct conn *c, const char *problem)
{
	log_warn("malformed FastCGI record", KV_CSTR("problem", problem), KV_INT("fd", c->watch.fd));
	conn_close(c);
}

/* Abort: the answer to it is END_REQUEST, and the connection may go on. */
static void aborted(struct conn *c)
{
	struct call *k = c->call;

	if (!k)
		return;
	c->call = NULL;
	call_client_gone(k);
	conn_end(c);
}

static void control(struct conn *c, const struct fcgi_event *ev)
{
	switch (ev->kind) {
	case FCGI_EV_GET_VALUES:
		fcgi_write_values(&c->out, ev->bytes, c->wk->limits.max_in_flight);
		break;
	case FCGI_EV_MULTIPLEX:
		fcgi_write_end_request(&c->out, ev->id, FCGI_CANT_MPX_CONN);
		break;
	default:
		fcgi_write_unknown_type(&c->out, ev->type);
	}
	mark_dirty(c);
}

/* A record of another kind must not stand inside an open STDOUT record. */
static void close_record(struct conn *c)
{
	size_t content;

	if (c->record_at == SIZE_MAX)
		return;
	content = c->out.n - c->record_at - FCGI_HEADER_LEN;
	if (!c->out.failed)              /* else there may have been no room for its head */
		fcgi_write_head((uint8_t *)c->out.p + c->record_at, FCGI_STDOUT, c->reader.id, content, 0);
	c->record_at = SIZE_MAX;
}

static void take_event(struct conn *c, const struct fcgi_event *ev)
{
	switch (ev->kind) {
	case FCGI_EV_BEGIN:
		begin(c, ev);
		break;
	case FCGI_EV_PARAMS:
		if (c->call)
			call_params(c->call, ev->bytes);
		break;
	case FCGI_EV_PARAMS_END:
		if (c->call)
			call_params_end(c->call);
		break;
	case FCGI_EV_STDIN:
		if (c->call)
			call_stdin(c->call, ev->bytes);
		break;
	case FCGI_EV_STDIN_END:
		if (c->call)
			call_stdin_end(c->call);
		break;
	case FCGI_EV_ABORT:
		aborted(c);
		break;
	case FCGI_EV_BAD:
		malformed(c, ev->problem);
		break;
	default:
		close_record(c);
		control(c, ev);
	}
}

static void feed(struct conn *c, struct str in)
{
	for (;;) {
		struct fcgi_event ev = fcgi_read(&c->reader, &in);

		if (ev.kind == FCGI_EV_MORE)
			return;
		take_event(c, &ev);
		if (c->dead)
			return;
	}
}

static void feed_raw(struct conn *c, struct str in)
{
	if (in.n > c->raw_left)
		in.n = (size_t)c->raw_left;
	c->raw_left -= in.n;
	if (c->call && in.n)
		call_stdin(c->call, in);
	if (!c->raw_left && !c->raw_ended) {
		c->raw_ended = true;
		loop_forget(&c->wk->loop, &c->watch, false);
		if (c->call)
			call_stdin_end(c->call);
	}
}

/* A plain file or /dev/null as body cannot be watched, and need not be: it is read here. */
void conn_start_cgi(struct conn *c)
{
	if (!c->raw_left)
		feed_raw(c, STR(""));
	else if (!loop_want(&c->wk->loop, &c->watch, EPOLLIN))
		while (!c->dead && !c->raw_ended)
			conn_read(c);
}

void conn_read(struct conn *c)
{
	struct worker *wk = c->wk;
	ssize_t n = c->raw ? read(c->watch.fd, wk->scratch, sizeof(wk->scratch))
			   : recv(c->watch.fd, wk->scratch, sizeof(wk->scratch), 0);     /* a shorter way through the kernel */

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (c->raw && c->raw_left) {     /* a CGI body that ends early */
			c->raw_left = 0;
			feed_raw(c, STR(""));
			return;
		}
		conn_close(c);
		return;
	}
	c->touched_us = wk->loop.now_us;
	if (c->raw)
		feed_raw(c, (struct str){ wk->scratch, (size_t)n });
	else
		feed(c, (struct str){ wk->scratch, (size_t)n });
}

/* While paused only the hang-up is of interest, so that a client that goes away ends the backend's transfer too. */
void conn_pause(struct conn *c, bool pause)
{
	if (c->dead || c->paused == pause || c->raw_ended)
		return;
	c->paused = pause;
	if (pause) {
		loop_forget(&c->wk->loop, &c->watch, false);
		loop_want(&c->wk->loop, &c->watch, EPOLLRDHUP | (conn_queued(c) ? EPOLLOUT : 0));
	} else {
		loop_want(&c->wk->loop, &c->watch, EPOLLIN | (conn_queued(c) ? EPOLLOUT : 0));
	}
}

/* ---- out ---- */

static void open_record(struct conn *c)
{
	static const char head[FCGI_HEADER_LEN];

	c->record_at = c->out.n;
	buf_add(&c->out, head, sizeof(head));
}

void conn_write(struct conn *c, struct str bytes)
{
	mark_dirty(c);
	if (c->raw) {
		buf_str(&c->out, bytes);
		return;
	}
	while (bytes.n) {
		size_t used, n;

		if (c->record_at == SIZE_MAX)
			open_record(c);
		used = c->out.n - c->record_at - FCGI_HEADER_LEN;
		n = FCGI_OUT_RECORD_MAX - used;
		if (!n) {
			close_record(c);
			continue;
		}
		if (n > bytes.n)
			n = bytes.n;
		buf_add(&c->out, bytes.p, n);
		bytes = str_from(bytes, n);
		if (c->out.failed)
			return;
	}
}

char *conn_room(struct conn *c, size_t n)
{
	mark_dirty(c);
	if (c->raw)
		return buf_room(&c->out, n);
	if (n > FCGI_OUT_RECORD_MAX)
		return NULL;
	if (c->record_at != SIZE_MAX && n > FCGI_OUT_RECORD_MAX - (c->out.n - c->record_at - FCGI_HEADER_LEN))
		close_record(c);
	if (c->record_at == SIZE_MAX)
		open_record(c);
	return buf_room(&c->out, n);
}

void conn_wrote(struct conn *c, size_t n)
{
	buf_wrote(&c->out, n);
}

/* The call is over. What may still come of its request is skipped by the reader. While some of it may come the connection
 * stays open even when it is not to be kept: a web server that is busy sending a body would take the end of the
 * connection for a failure and never look at the answer. It hangs up itself once it has read END_REQUEST. */
void conn_end(struct conn *c)
{
	uint8_t end[FCGI_HEADER_LEN];
	bool rest = c->reader.phase != FCGI_PHASE_ANSWER;

	c->call = NULL;
	mark_dirty(c);
	if (c->raw) {
		c->closing = true;
		return;
	}
	close_record(c);
	fcgi_write_head(end, FCGI_STDOUT, c->reader.id, 0, 0);
	buf_add(&c->out, end, sizeof(end));
	fcgi_write_end_request(&c->out, c->reader.id, FCGI_REQUEST_COMPLETE);
	fcgi_reader_request_over(&c->reader);
	if (!c->keep || c->wk->stopping)
		c->closing = true;
	if (c->paused)
		conn_pause(c, false);
	if (rest) {
		c->lingers = true;
		c->linger_by_us = c->wk->loop.now_us + LINGER_US;
	}
}

/* Half an answer has left, and no more of it will come. nginx without buffering and mod_proxy_fcgi take the mere end of the connection
 * for the end of the answer: the client would hold half a body for a whole one, or wait for the rest. So what comes next is no FastCGI
 * (version 0), for which every web server gives up the client's connection. */
void conn_break(struct conn *c)
{
	static const uint8_t nonsense[FCGI_HEADER_LEN];
	struct call *k = c->call;

	if (c->raw) {
		conn_close(c);
		return;
	}
	c->call = NULL;
	mark_dirty(c);
	close_record(c);
	buf_add(&c->out, nonsense, sizeof(nonsense));
	fcgi_reader_request_over(&c->reader);
	c->closing = true;
	if (c->paused)
		conn_pause(c, false);
	if (k)
		call_client_gone(k);
}

static void compact(struct conn *c)
{
	if (c->sent == c->out.n) {
		c->sent = 0;
		if (c->out.cap > OUT_KEPT_BYTES)
			buf_release(&c->out);
		else
			buf_clear(&c->out);
	} else if (c->sent >= c->out.n / 2) {
		buf_drop_front(&c->out, c->sent);
		c->sent = 0;
	}
}

void conn_flush(struct conn *c)
{
	ssize_t n;

	if (c->dead)
		return;
	close_record(c);
	if (c->out.failed) {
		log_error("output queue over its limit", KV_INT("fd", c->watch.fd));
		conn_close(c);
		return;
	}
	if (conn_queued(c)) {
		n = c->raw ? write(c->out_fd, c->out.p + c->sent, conn_queued(c))
			   : send(c->out_fd, c->out.p + c->sent, conn_queued(c), MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			conn_close(c);
			return;
		}
		if (n > 0) {
			c->sent += (size_t)n;
			c->touched_us = c->wk->loop.now_us;
		}
		compact(c);
	}
	if (conn_queued(c)) {
		loop_want(&c->wk->loop, &c->watch, (c->paused ? EPOLLRDHUP : EPOLLIN) | EPOLLOUT);
	} else if (c->closing && !c->lingers) {
		conn_close(c);
		return;
	} else if (c->watch.wanted & EPOLLOUT) {
		c->watch.wanted &= ~(uint32_t)EPOLLOUT;
	}
	if (c->call)
		call_drained(c->call);
}
