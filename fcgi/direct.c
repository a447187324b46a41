/* direct.c - plain HTTP/1.1 over kept connections: see direct.h for what goes this way. */
#include "fcgi/direct_impl.h"

#include "core/str.h"
#include "fcgi/fields_util.h"

#include <errno.h>

static void conn_ready(struct watch *w, uint32_t events);

/* ---- the end of a transfer ---- */

static void over(struct transfer *t, enum reason why)
{
	struct direct *d = t->up->direct;

	if (t->conn) {
		t->conn->transfer = NULL;
		direct_close(t->conn);
		t->conn = NULL;
	}
	t->result = why;
	t->is_over = true;
	t->next_over = NULL;
	*d->over_end = t;
	d->over_end = &t->next_over;
}

static void complete(struct direct_conn *c, bool nothing_left)
{
	struct transfer *t = c->transfer;
	bool keep = c->keep && nothing_left && !c->out.n && c->print == c->origin->print
		    && c->d->n_idle < (size_t)c->d->up->limits.max_connections;

	if (keep) {
		c->transfer = NULL;
		t->conn = NULL;
		http1_reset(&c->reader);
		loop_want(c->d->up->loop, &c->watch, EPOLLIN);
		direct_keep(c);
	}
	over(t, REASON_NONE);
}

static bool send_on(struct direct *d, struct transfer *t, bool fresh);

static bool may_repeat(const struct transfer *t)
{
	static const struct str safe[] = { STR_INIT("GET"), STR_INIT("HEAD"), STR_INIT("PUT"), STR_INIT("DELETE"),
					   STR_INIT("OPTIONS"), STR_INIT("TRACE") };

	for (size_t i = 0; i < ARRAY_LEN(safe); i++)
		if (str_eq(t->rq.method, safe[i]))
			return true;
	return false;
}

static void failed(struct direct_conn *c, enum reason why)
{
	struct transfer *t = c->transfer;
	struct direct *d = c->d;
	bool again = c->reused && http1_untouched(&c->reader) && may_repeat(t);

	bool race = c->connecting && t->n_addresses > 1;

	if (c->connecting)
		direct_doubt(t);
	direct_close(c);
	if (race) {                          /* another of its addresses may be there; nothing was sent */
		t->direct = false;
		t->raced = true;
		t->phase = TRANSFER_CONNECTING;
		if (transfer_start_curl(t))
			return;
		t->direct = true;
	}
	if (!again || !send_on(d, t, true))
		over(t, why);
}

/* ---- reading ---- */

/* Status line and fields of one head. False: malformed, and t->failed says how. */
static bool take_head(struct transfer *t, struct str head)
{
	struct str text = arena_dup(t->arena, head), line;

	if (!text.p)
		return transfer_stop(t, REASON_NO_MEMORY);
	t->response.status = 0;
	if (!str_starts(text, STR("HTTP/1.")))
		return transfer_stop(t, REASON_BACKEND_GARBAGE);
	while (str_split(&text, '\n', &line)) {
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (!line.n)
			break;
		if (!transfer_head_line(t, line))
			return transfer_stop(t, REASON_BACKEND_GARBAGE);
	}
	return t->response.status >= 100 || transfer_stop(t, REASON_BACKEND_GARBAGE);
}

static bool keeps(const struct transfer *t)
{
	struct str connection = fields_joined(&t->response.headers, STR("Connection"));

	return t->http_minor >= 1 && !(connection.n && field_listed(connection, STR("close")))
	       && !(t->chunked && t->length >= 0);
}

static void begin_body(struct direct_conn *c)
{
	struct transfer *t = c->transfer;
	int s = t->response.status;
	enum http1_framing f;

	if (s < 200) {
		http1_framing(&c->reader, HTTP1_INTERIM, 0);
		return;
	}
	c->keep = keeps(t);
	if (t->no_body || s == 204 || s == 304)
		f = HTTP1_NO_BODY;
	else
		f = t->chunked ? HTTP1_CHUNKED : t->length >= 0 ? HTTP1_LENGTH : HTTP1_UNTIL_CLOSE;
	http1_framing(&c->reader, f, (uint64_t)t->length);
	transfer_head_complete(t);
}

/* True: go on reading this input. */
static bool take_event(struct direct_conn *c, const struct http1_event *ev, const struct str *rest)
{
	struct transfer *t = c->transfer;

	switch (ev->kind) {
	case HTTP1_HEAD:
		if (take_head(t, ev->bytes)) {
			begin_body(c);
			return true;
		}
		break;
	case HTTP1_BODY:
		if (t->ops->body(t, ev->bytes))
			return true;
		/* what was offered, and what came behind it, waits */
		t->paused = true;
		loop_forget(c->d->up->loop, &c->watch, false);
		buf_str(&c->pause_body, ev->bytes);
		buf_str(&c->held, *rest);
		return false;
	case HTTP1_END:
		complete(c, !rest->n);
		return false;
	case HTTP1_TOO_LARGE:
		transfer_stop(t, REASON_BACKEND_HEADERS);
		break;
	default:
		transfer_stop(t, REASON_BACKEND_GARBAGE);
	}
	over(t, t->failed);
	return false;
}

static bool feed(struct direct_conn *c, struct str in)
{
	for (;;) {
		struct http1_event ev = http1_read(&c->reader, &in);

		if (ev.kind == HTTP1_MORE)
			return true;
		if (!take_event(c, &ev, &in))
			return false;
	}
}

static void read_some(struct direct_conn *c)
{
	struct transfer *t = c->transfer;
	ssize_t n = recv(c->watch.fd, c->d->scratch, READ_BYTES, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	t->touched_us = c->d->up->loop->now_us;
	if (n > 0)
		feed(c, (struct str){ c->d->scratch, (size_t)n });
	else if (n == 0 && http1_closed(&c->reader))
		over(t, REASON_NONE);
	else
		failed(c, REASON_BACKEND_CUT_OFF);
}

void direct_resume(struct transfer *t)
{
	struct direct_conn *c = t->conn;
	struct buf body, rest;

	t->paused = false;
	t->touched_us = t->up->loop->now_us;
	if (!c)
		return;
	body = c->pause_body;
	rest = c->held;
	buf_init(&c->pause_body, READ_BYTES);
	buf_init(&c->held, READ_BYTES);
	loop_want(c->d->up->loop, &c->watch, EPOLLIN);
	if (t->ops->body(t, buf_view(&body))) {
		feed(c, buf_view(&rest));
		buf_release(&body);
		buf_release(&rest);
	} else {
		t->paused = true;
		c->pause_body = body;
		c->held = rest;
		loop_forget(c->d->up->loop, &c->watch, false);
	}
}

/* ---- writing ---- */

static void push(struct direct_conn *c)
{
	ssize_t n = send(c->watch.fd, c->out.p, c->out.n, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		failed(c, REASON_BACKEND_SEND);
		return;
	}
	if (n > 0) {
		c->transfer->touched_us = c->d->up->loop->now_us;
		buf_drop_front(&c->out, (size_t)n);
	}
	loop_want(c->d->up->loop, &c->watch, c->out.n ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void connected(struct direct_conn *c)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(c->watch.fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error) {
		failed(c, REASON_BACKEND_CONNECT);
		return;
	}
	c->connecting = false;
	c->transfer->phase = TRANSFER_CONNECTING;
	c->transfer->connected_us = c->transfer->touched_us = c->d->up->loop->now_us;
	push(c);
}

static void conn_ready(struct watch *w, uint32_t events)
{
	struct direct_conn *c = CONTAINER_OF(w, struct direct_conn, watch);

	if (!c->transfer)
		direct_close(c);           /* idle, and the backend has closed it or says what nobody asked for */
	else if (c->connecting)
		connected(c);
	else if (events & EPOLLOUT && c->out.n)
		push(c);
	else if (!c->transfer->paused)
		read_some(c);            /* else the rest is read when its owner can take it */
}

/* Puts the whole request into `b`. */
static void write_request(struct buf *b, const struct transfer *t)
{
	const struct upstream_request *rq = &t->rq;

	buf_clear(b);
	buf_str(b, rq->method);
	buf_char(b, ' ');
	url_write_target(b, rq->url);
	buf_cstr(b, " HTTP/1.1\r\nHost: ");
	if (rq->host.n)
		buf_str(b, rq->host);
	else
		url_write_authority(b, rq->url);
	buf_cstr(b, "\r\n");
	for (size_t i = 0; i < rq->headers->n; i++)
		buf_field(b, rq->headers->v[i].name, rq->headers->v[i].value);
	if (rq->body == BODY_HELD) {
		buf_cstr(b, "Content-Length: ");
		buf_u64(b, rq->bytes.n);
		buf_cstr(b, "\r\n");
	}
	buf_cstr(b, "\r\n");
	if (rq->body == BODY_HELD)
		buf_str(b, rq->bytes);
}

static bool send_first(struct direct_conn *c, struct buf *b)
{
	ssize_t n = 0;

	if (!c->connecting)
		n = send(c->watch.fd, b->p, b->n, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (n < (ssize_t)b->n) {
		buf_add(&c->out, b->p + (n > 0 ? n : 0), b->n - (size_t)(n > 0 ? n : 0));
		if (!buf_ok(&c->out))
			return false;
	}
	return loop_want(c->d->up->loop, &c->watch, c->connecting ? EPOLLOUT : c->out.n ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* fresh: on a new connection. False: not possible. */
static bool send_on(struct direct *d, struct transfer *t, bool fresh)
{
	struct origin *o = t->origin;
	struct direct_conn *c;

	write_request(&d->request, t);
	if (!buf_ok(&d->request))
		return false;
	for (;;) {
		c = fresh || t->rq.fresh ? NULL : direct_kept(o, !may_repeat(t));
		if (c)
			c->reused = true;
		else
			c = direct_open(d, o, conn_ready);
		if (!c)
			return false;
		c->transfer = t;
		t->conn = c;
		t->phase = c->connecting ? TRANSFER_OPENING : TRANSFER_CONNECTING;
		if (send_first(c, &d->request))
			return true;
		if (!c->reused) {
			direct_close(c);
			return false;
		}
		direct_close(c);
	}
}

/* ---- from outside ---- */

static bool is_everyday(const struct upstream_request *rq)
{
	return str_eq(rq->url->scheme, STR("http")) && !rq->follow_redirects && rq->http_version <= 1 && !rq->proxy_url.n && !rq->unix_socket.n
	       && !rq->expect_continue_ms && (rq->body == BODY_NONE || (rq->body == BODY_HELD && rq->bytes.n <= BODY_MAX));
}

bool direct_start(struct direct *d, struct transfer *t)
{
	const struct url *u = t->rq.url;

	if (!is_everyday(&t->rq))
		return false;
	t->origin = direct_origin(d, u->host, url_port(u));
	if (!t->origin || t->raced || !direct_readdress(t->origin, t))
		return false;
	t->no_body = str_eq(t->rq.method, STR("HEAD"));
	return send_on(d, t, false);
}

void direct_cancel(struct transfer *t)
{
	struct direct *d = t->up->direct;

	if (t->conn)
		direct_close(t->conn);
	t->conn = NULL;
	if (!t->is_over)
		return;
	for (struct transfer **at = &d->over; *at; at = &(*at)->next_over)
		if (*at == t) {
			*at = t->next_over;
			if (!*at)
				d->over_end = at;
			break;
		}
}

bool direct_turn(struct direct *d)
{
	bool any = d->over != NULL;

	while (d->over) {
		struct transfer *t = d->over;

		d->over = t->next_over;
		if (!d->over)
			d->over_end = &d->over;
		t->is_over = false;
		upstream_finish(t, t->result);
	}
	direct_close_old(d);
	return any;
}
