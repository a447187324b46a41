/* call_answer.c - what the client gets: the head, the body as it comes, and the gateway's own errors.
 *
 * A web server reads meaning into some fields of a CGI response ("Status" sets the status, "X-Accel-Redirect" and
 * "X-Sendfile" make it serve its own files, a 200 with a local "Location" makes it ask itself again). A backend must not
 * be able to say such things to the web server, so they stop here. */
#include "fcgi/call_gate.h"

#include "core/buf.h"
#include "core/http_status.h"
#include "core/log.h"
#include "core/str.h"
#include "fcgi/balance.h"
#include "fcgi/call_trace.h"
#include "fcgi/capture.h"
#include "fcgi/iap.h"
#include "fcgi/life.h"
#include "fcgi/traffic.h"

struct str answer_status_text(int status)
{
	struct str text = http_reason(status);

	return text.n ? text : STR("Unknown");
}

/* ---- the head ---- */

/* Also what is made anew here. Content-Length is written from what is known about the body. */
static bool is_kept_back(struct str n)
{
	static const struct str names[] = { STR_INIT("Status"), STR_INIT("Server"), STR_INIT("Content-Length"),
					    STR_INIT("X-Request-Id"), STR_INIT("X-Sendfile"), STR_INIT("X-Sendfile2") };

	static const unsigned lengths = 1 << 6 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 14;

	for (size_t i = 0; n.n < 15 && lengths >> n.n & 1 && i < ARRAY_LEN(names); i++)
		if (str_eq_ci(n, names[i]))
			return true;
	return ((n.p[0] | 0x20) == 'x' && (str_starts_ci(n, STR("X-Accel-")) || str_starts_ci(n, STR("X-LIGHTTPD-"))))
	       || field_is_hop_by_hop(n);
}

static void put_number(struct conn *c, struct str name, uint64_t n)
{
	char digits[24];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	conn_write_field(c, name, (struct str){ digits + i, sizeof(digits) - i });
}

static void put_status(struct conn *c, int status, struct str text)
{
	char digits[3] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10), (char)('0' + status % 10) };

	conn_write(c, STR("Status: "));
	conn_write(c, (struct str){ digits, sizeof(digits) });
	conn_write(c, STR(" "));
	conn_write(c, text.n && field_value_ok(text) ? text : answer_status_text(status));
	conn_write(c, STR("\r\n"));
}

/* 200 with "Location: /x" is an order to Apache to serve /x instead. As a whole address it means the same to the client. */
static struct str location(struct call *k, struct str value)
{
	if (k->x.response.status != 200 || !value.n || value.p[0] != '/')
		return value;
	return arena_printf(k->arena, "%.*s://%.*s%.*s", STR_ARG(k->x.request.original_url.scheme),
			    STR_ARG(k->client_host), STR_ARG(value));
}

/* A backend has limits of its own; what is said here is said once. */
static bool is_among(const struct field *v, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_ci(v[i].name, name))
			return true;
	return false;
}

static void put_fields(struct call *k, const struct field *told, size_t n_told)
{
	const struct response *r = &k->x.response;
	struct str connection = fields_joined(&r->headers, STR("Connection"));
	bool stream = false;

	for (size_t i = 0; i < r->headers.n; i++) {
		const struct field *f = &r->headers.v[i];
		struct str value = f->value;

		if (is_kept_back(f->name) || is_among(told, n_told, f->name) || (connection.n && field_listed(connection, f->name)))
			continue;
		if (!field_name_ok(f->name) || !field_value_ok(value))
			continue;
		if (r->body.changed && str_eq_ci(f->name, STR("Content-Encoding")))
			continue;
		if (f->name.n == 8 && str_eq_ci(f->name, STR("Location")))
			value = location(k, value);
		if (f->name.n == 12 && str_eq_ci(f->name, STR("Content-Type")))
			stream = str_starts_ci(value, STR("text/event-stream"));
		conn_write_field(k->conn, f->name, value);
	}
	if (stream)
		conn_write_field(k->conn, STR("X-Accel-Buffering"), STR("no"));     /* nginx: pass each event on at once */
}

static void put_length(struct call *k)
{
	const struct response *r = &k->x.response;
	struct str length = fields_get(&r->headers, STR("Content-Length"));

	if (r->status == 204 || r->status == 304 || r->status < 200)
		return;
	if (r->body.kind == BODY_HELD)
		put_number(k->conn, STR("Content-Length"), r->body.bytes.n);
	else if (r->body.kind == BODY_NONE && !k->head_request)
		put_number(k->conn, STR("Content-Length"), 0);
	else if (length.n && (k->head_request || (k->forward_length >= 0 && !r->body.changed)))
		conn_write_field(k->conn, STR("Content-Length"), length);
}

/* What the gateway adds of its own. */
static void put_own_fields(struct call *k, const struct field *told, size_t n_told)
{
	struct field trace[CALL_TRACE_FIELDS], session;
	size_t n_trace = call_trace_fields(k, trace);

	conn_write_field(k->conn, STR("X-Request-Id"), k->x.request_id);
	for (size_t i = 0; i < n_trace; i++)
		conn_write_field(k->conn, trace[i].name, trace[i].value);
	for (size_t i = 0; i < n_told; i++)
		conn_write_field(k->conn, told[i].name, told[i].value);
	if (balance_cookie(k, &session))
		conn_write_field(k->conn, session.name, session.value);
	if (canary_cookie(k, &session))
		conn_write_field(k->conn, session.name, session.value);
	if (iap_field(k, &session))
		conn_write_field(k->conn, session.name, session.value);
}

void answer_finished(struct call *k)
{
	struct response *r = &k->x.response;
	struct field limit[LIMIT_FIELDS], life[LIFE_FIELDS];
	size_t n_limit = limit_fields(k, limit), n_life = life_fields(k, life);

	if (r->status < 100 || r->status > 999) {
		r->status = 500;
		k->reason = REASON_INTERNAL;
	}
	k->status = r->status;
	put_status(k->conn, r->status, r->reason);
	put_fields(k, limit, n_limit);
	put_own_fields(k, limit, n_limit);
	for (size_t i = 0; i < n_life; i++)
		conn_write_field(k->conn, life[i].name, life[i].value);
	put_length(k);
	conn_write(k->conn, STR("\r\n"));
	k->stage = CALL_ANSWERING;
	if (r->body.kind == BODY_HELD && !k->head_request)
		k->held = r->body.bytes;
	if (r->body.kind != BODY_STREAM)
		forward_drop(k);         /* a policy answered in the backend's place */
}

/* ---- the body ---- */

static bool pump(struct call *k, struct str bytes, size_t *at)
{
	size_t bound = k->wk->limits.stream_buffer;

	while (*at < bytes.n) {
		struct str part = str_first(str_from(bytes, *at), FCGI_OUT_RECORD_MAX);

		if (conn_queued(k->conn) > bound)
			return false;
		conn_write(k->conn, part);
		if (k->capture)
			capture_to_client(k, part);
		*at += part.n;
		k->down_bytes += part.n;
	}
	return true;
}

void answer_pump(struct call *k)
{
	if (k->held.n) {
		if (!pump(k, k->held, &k->held_at))
			return;
	} else if (k->x.response.body.kind == BODY_STREAM) {
		if (!pump(k, buf_view(&k->down), &k->down_at))
			return;
		buf_clear(&k->down);
		k->down_at = 0;
		if (k->forward && conn_queued(k->conn) <= k->wk->limits.stream_buffer / 2)
			forward_resume(k);
		if (!k->down_ended)
			return;
		if (k->forward_reason != REASON_NONE) {
			k->reason = k->forward_reason;       /* too late for an error */
			conn_break(k->conn);
			return;
		}
	}
	call_over(k);
}

/* ---- errors of our own ---- */

void answer_prepare(struct call *k, int status, struct str status_text, struct str json)
{
	struct response *r = &k->x.response;

	forward_drop(k);
	*r = (struct response){ .status = status, .reason = status_text };
	fields_init(&r->headers, k->arena);
	if (!fields_add(&r->headers, STR("Content-Type"), STR("application/json"))
	    || (status == 503 && !fields_add(&r->headers, STR("Retry-After"), STR("1"))))
		json = STR("");
	r->body = (struct body){ .kind = BODY_HELD, .bytes = json, .changed = true };
}

void answer_json(struct call *k, int status, struct str json)
{
	answer_prepare(k, status, status == 404 ? STR("Resource Not Found") : STR_NULL, json);
	answer_finished(k);
}

struct str answer_message(struct call *k, enum reason reason)
{
	struct str message = reason_info(reason)->message;

	return reason == REASON_BACKEND_TLS && k->tls_problem
		       ? arena_printf(k->arena, "%.*s: %s", STR_ARG(message), k->tls_problem)
		       : message;
}

struct str answer_body(struct call *k, enum reason reason)
{
	const struct reason_info *why = reason_info(reason);
	struct str id = k->x.request_id;

	/* a documented form, which clients compare as text */
	if (why->status == 404)
		return STR("{ \"statusCode\": 404, \"message\": \"Resource not found\" }");
	return arena_printf(k->arena, "{ \"statusCode\": %d, \"message\": \"%.*s\", \"requestId\": \"%.*s\" }", why->status,
			    STR_ARG(answer_message(k, reason)), STR_ARG(id));
}

void answer_reason(struct call *k, enum reason reason)
{
	const struct reason_info *why = reason_info(reason);

	k->reason = reason;
	answer_json(k, why->status, answer_body(k, reason));
}
