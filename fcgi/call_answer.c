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

/* ---- the head ----
 *
 * How many bytes it takes at most is known beforehand, so it is written in one go, at the place from which it leaves. */

enum {
	OWN_FIELDS = 1 + CALL_TRACE_FIELDS + LIMIT_FIELDS + 3 + LIFE_FIELDS,     /* 3: cookies */
	REST_BYTES = 96,                 /* status, its number and what is around it, X-Accel-Buffering, Content-Length, the empty line */
};

struct own_fields {                      /* what the gateway adds of its own */
	struct field v[OWN_FIELDS];
	size_t n;
	const struct field *limits;      /* those of them that take the place of the backend's */
	size_t n_limits;
	uint64_t limit_lengths;          /* a bit for the length of each of their names */
};

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

static char *put_field(char *to, struct str name, struct str value)
{
	to = str_put(to, name);
	memcpy(to, ": ", 2);
	to = str_put(to + 2, value);
	memcpy(to, "\r\n", 2);
	return to + 2;
}

static char *put_status(char *to, int status, struct str text)
{
	to = str_put_u64(str_put(to, STR("Status: ")), (uint64_t)status);
	return str_put(str_put(str_put(to, STR(" ")), text), STR("\r\n"));
}

/* 200 with "Location: /x" is an order to Apache to serve /x instead. As a whole address it means the same to the client. */
static bool location_is_made_whole(const struct response *r, const struct field *f)
{
	return r->status == 200 && f->name.n == 8 && f->value.n && f->value.p[0] == '/' && str_eq_ci(f->name, STR("Location"));
}

static char *put_whole_location(const struct call *k, char *to, const struct field *f)
{
	to = str_put(str_put(str_put(to, f->name), STR(": ")), k->x.request.original_url.scheme);
	to = str_put(str_put(str_put(to, STR("://")), k->client_host), f->value);
	return str_put(to, STR("\r\n"));
}

/* A backend has limits of its own; what is said here is said once. */
static bool is_said_by_us(const struct own_fields *own, struct str name)
{
	if (name.n > 63 || !(own->limit_lengths >> name.n & 1))
		return false;
	for (size_t i = 0; i < own->n_limits; i++)
		if (str_eq_ci(own->limits[i].name, name))
			return true;
	return false;
}

static char *put_fields(const struct call *k, char *to, const struct own_fields *own)
{
	const struct response *r = &k->x.response;
	struct str connection = fields_joined(&r->headers, STR("Connection"));
	bool stream = false;

	for (size_t i = 0; i < r->headers.n; i++) {
		const struct field *f = &r->headers.v[i];

		if (!field_name_ok(f->name) || !field_value_ok(f->value))
			continue;
		if (is_kept_back(f->name) || is_said_by_us(own, f->name) || (connection.n && field_listed(connection, f->name)))
			continue;
		if (r->body.changed && str_eq_ci(f->name, STR("Content-Encoding")))
			continue;
		if (f->name.n == 12 && str_eq_ci(f->name, STR("Content-Type")))
			stream = str_starts_ci(f->value, STR("text/event-stream"));
		to = location_is_made_whole(r, f) ? put_whole_location(k, to, f) : put_field(to, f->name, f->value);
	}
	return stream ? put_field(to, STR("X-Accel-Buffering"), STR("no")) : to;     /* nginx: pass each event on at once */
}

static char *put_length(const struct call *k, char *to)
{
	const struct response *r = &k->x.response;
	struct str length;

	if (r->status == 204 || r->status == 304 || r->status < 200)
		return to;
	if (r->body.kind == BODY_HELD || (r->body.kind == BODY_NONE && !k->head_request)) {
		to = str_put_u64(str_put(to, STR("Content-Length: ")), r->body.kind == BODY_HELD ? r->body.bytes.n : 0);
		return str_put(to, STR("\r\n"));
	}
	length = fields_get(&r->headers, STR("Content-Length"));
	if (length.n && (k->head_request || (k->forward_length >= 0 && !r->body.changed)))
		return put_field(to, STR("Content-Length"), length);
	return to;
}

static void take_own_fields(struct call *k, struct own_fields *own)
{
	struct field *v = own->v;
	size_t n = 0;

	v[n++] = (struct field){ STR("X-Request-Id"), k->x.request_id };
	n += call_trace_fields(k, v + n);
	own->limits = v + n;
	own->n_limits = limit_fields(k, v + n);
	own->limit_lengths = 0;
	for (size_t i = 0; i < own->n_limits; i++)
		own->limit_lengths |= (uint64_t)1 << own->limits[i].name.n;
	n += own->n_limits;
	n += balance_cookie(k, v + n);
	n += canary_cookie(k, v + n);
	n += iap_field(k, v + n);
	own->n = n + life_fields(k, v + n);
}

static size_t most_bytes(const struct call *k, struct str status_text, const struct own_fields *own)
{
	enum { AROUND = 4 };                 /* colon, blank, end of line */
	const struct response *r = &k->x.response;
	size_t n = REST_BYTES + status_text.n;

	for (size_t i = 0; i < own->n; i++)
		n += own->v[i].name.n + own->v[i].value.n + AROUND;
	for (size_t i = 0; i < r->headers.n; i++) {
		n += r->headers.v[i].name.n + r->headers.v[i].value.n + AROUND;
		if (location_is_made_whole(r, &r->headers.v[i]))
			n += k->x.request.original_url.scheme.n + STR("://").n + k->client_host.n;
	}
	return n;
}

static char *put_head(const struct call *k, char *to, struct str status_text, const struct own_fields *own)
{
	to = put_fields(k, put_status(to, k->status, status_text), own);
	for (size_t i = 0; i < own->n; i++)
		to = put_field(to, own->v[i].name, own->v[i].value);
	return str_put(put_length(k, to), STR("\r\n"));
}

static void write_head(struct call *k)
{
	struct str reason = k->x.response.reason, text;
	struct own_fields own;
	char *room, *to;
	size_t most;

	take_own_fields(k, &own);            /* takes fields out of the response, too */
	text = reason.n && field_value_ok(reason) ? reason : answer_status_text(k->status);
	most = most_bytes(k, text, &own);
	room = conn_room(k->conn, most);
	if (room) {
		conn_wrote(k->conn, (size_t)(put_head(k, room, text, &own) - room));
		return;
	}
	to = arena_alloc_text(k->arena, most);       /* larger than a record */
	if (to)
		conn_write(k->conn, (struct str){ to, (size_t)(put_head(k, to, text, &own) - to) });
	else
		k->conn->out.failed = true;          /* which closes the connection */
}

void answer_finished(struct call *k)
{
	struct response *r = &k->x.response;

	if (r->status < 100 || r->status > 999) {
		r->status = 500;
		k->reason = REASON_INTERNAL;
	}
	k->status = r->status;
	write_head(k);
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
