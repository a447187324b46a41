/* call_answer.c - what the client gets: the head, the body as it comes, and the gateway's own errors.
 *
 * A web server reads meaning into some fields of a CGI response ("Status" sets the status, "X-Accel-Redirect" and
 * "X-Sendfile" make it serve its own files, a 200 with a local "Location" makes it ask itself again). A backend must not
 * be able to say such things to the web server, so they stop here. */
#include "fcgi/call.h"

#include "core/buf.h"
#include "core/log.h"
#include "core/str.h"
#include "fcgi/call_trace.h"

static const struct { int status; struct str text; } status_texts[] = {
	{ 200, STR_INIT("OK") }, { 201, STR_INIT("Created") }, { 202, STR_INIT("Accepted") },
	{ 203, STR_INIT("Non-Authoritative Information") }, { 204, STR_INIT("No Content") },
	{ 205, STR_INIT("Reset Content") }, { 206, STR_INIT("Partial Content") }, { 207, STR_INIT("Multi-Status") },
	{ 300, STR_INIT("Multiple Choices") }, { 301, STR_INIT("Moved Permanently") }, { 302, STR_INIT("Found") },
	{ 303, STR_INIT("See Other") }, { 304, STR_INIT("Not Modified") }, { 307, STR_INIT("Temporary Redirect") },
	{ 308, STR_INIT("Permanent Redirect") }, { 400, STR_INIT("Bad Request") }, { 401, STR_INIT("Unauthorized") },
	{ 402, STR_INIT("Payment Required") }, { 403, STR_INIT("Forbidden") }, { 404, STR_INIT("Not Found") },
	{ 405, STR_INIT("Method Not Allowed") }, { 406, STR_INIT("Not Acceptable") },
	{ 408, STR_INIT("Request Timeout") }, { 409, STR_INIT("Conflict") }, { 410, STR_INIT("Gone") },
	{ 411, STR_INIT("Length Required") }, { 412, STR_INIT("Precondition Failed") },
	{ 413, STR_INIT("Content Too Large") }, { 414, STR_INIT("URI Too Long") },
	{ 415, STR_INIT("Unsupported Media Type") }, { 416, STR_INIT("Range Not Satisfiable") },
	{ 417, STR_INIT("Expectation Failed") }, { 418, STR_INIT("I'm a teapot") },
	{ 422, STR_INIT("Unprocessable Content") }, { 423, STR_INIT("Locked") }, { 424, STR_INIT("Failed Dependency") },
	{ 425, STR_INIT("Too Early") }, { 426, STR_INIT("Upgrade Required") }, { 428, STR_INIT("Precondition Required") },
	{ 429, STR_INIT("Too Many Requests") }, { 431, STR_INIT("Request Header Fields Too Large") },
	{ 451, STR_INIT("Unavailable For Legal Reasons") }, { 500, STR_INIT("Internal Server Error") },
	{ 501, STR_INIT("Not Implemented") }, { 502, STR_INIT("Bad Gateway") }, { 503, STR_INIT("Service Unavailable") },
	{ 504, STR_INIT("Gateway Timeout") }, { 505, STR_INIT("HTTP Version Not Supported") },
	{ 507, STR_INIT("Insufficient Storage") }, { 508, STR_INIT("Loop Detected") },
};

struct str answer_status_text(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(status_texts); i++)
		if (status_texts[i].status == status)
			return status_texts[i].text;
	return STR("Unknown");
}

/* ---- the head ---- */

/* Also what is made anew here. Content-Length is written from what is known about the body. */
static bool is_kept_back(struct str n)
{
	static const struct str names[] = { STR_INIT("Status"), STR_INIT("Server"), STR_INIT("Content-Length"),
					    STR_INIT("X-Request-Id"), STR_INIT("X-Sendfile"), STR_INIT("X-Sendfile2") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (n.n == names[i].n && str_eq_ci(n, names[i]))
			return true;
	return ((n.p[0] | 0x20) == 'x' && (str_starts_ci(n, STR("X-Accel-")) || str_starts_ci(n, STR("X-LIGHTTPD-"))))
	       || field_is_hop_by_hop(n);
}

static void put_field(struct conn *c, struct str name, struct str value)
{
	conn_write(c, name);
	conn_write(c, STR(": "));
	conn_write(c, value);
	conn_write(c, STR("\r\n"));
}

static void put_number(struct conn *c, struct str name, uint64_t n)
{
	char digits[24];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	put_field(c, name, (struct str){ digits + i, sizeof(digits) - i });
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

static void put_fields(struct call *k)
{
	const struct response *r = &k->x.response;
	struct str connection = fields_joined(&r->headers, STR("Connection"));
	bool stream = false;

	for (size_t i = 0; i < r->headers.n; i++) {
		const struct field *f = &r->headers.v[i];
		struct str value = f->value;

		if (is_kept_back(f->name) || (connection.n && field_listed(connection, f->name)))
			continue;
		if (!field_name_ok(f->name) || !field_value_ok(value))
			continue;
		if (r->body.changed && str_eq_ci(f->name, STR("Content-Encoding")))
			continue;
		if (f->name.n == 8 && str_eq_ci(f->name, STR("Location")))
			value = location(k, value);
		if (f->name.n == 12 && str_eq_ci(f->name, STR("Content-Type")))
			stream = str_starts_ci(value, STR("text/event-stream"));
		put_field(k->conn, f->name, value);
	}
	if (stream)
		put_field(k->conn, STR("X-Accel-Buffering"), STR("no"));     /* nginx: pass each event on at once */
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
		put_field(k->conn, STR("Content-Length"), length);
}

void answer_finished(struct call *k)
{
	struct response *r = &k->x.response;
	struct field trace;

	if (r->status < 100 || r->status > 999) {
		r->status = 500;
		k->reason = REASON_INTERNAL;
	}
	k->status = r->status;
	put_status(k->conn, r->status, r->reason);
	put_fields(k);
	put_field(k->conn, STR("X-Request-Id"), k->x.request_id);
	if (call_trace_field(k, &trace))
		put_field(k->conn, trace.name, trace.value);
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
			/* Too late for an error. The connection breaks, so that the web server breaks the client's: the
			 * client must not take half a body for a whole one. */
			k->reason = k->forward_reason;
			conn_close(k->conn);
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
