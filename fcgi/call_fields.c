/* call_fields.c - the header fields that a backend gets, and what a configured backend says about its TLS.
 *
 * The client's fields as the policies left them, without those that end at this hop (RFC 9110 section 7.6.1), with what
 * a gateway adds: X-Forwarded-*, Forwarded (RFC 7239), traceparent (W3C Trace Context) and X-Request-Id. A policy may
 * have changed X-Forwarded-For; the client's address is appended whatever it did. */
#include "fcgi/call.h"

#include "core/str.h"
#include "fcgi/cached.h"
#include "fcgi/network.h"
#include "fcgi/snapshot.h"

enum treatment {
	PASS,
	DROP,                            /* ends here, or is made anew below */
};

static enum treatment own_field(struct str n)
{
	static const struct str made_anew[] = {
		STR_INIT("Host"), STR_INIT("Content-Length"), STR_INIT("Expect"), STR_INIT("Forwarded"),
		STR_INIT("X-Forwarded-For"), STR_INIT("X-Forwarded-Host"), STR_INIT("X-Forwarded-Proto"),
		STR_INIT("X-Request-Id"), STR_INIT("Traceparent"),
	};

	for (size_t i = 0; i < ARRAY_LEN(made_anew); i++)
		if (n.n == made_anew[i].n && str_eq_ci(n, made_anew[i]))
			return DROP;
	return field_is_hop_by_hop(n) ? DROP : PASS;
}

static struct str joined_with(const struct call *k, const struct fields *f, struct str name, struct str last)
{
	struct str before = network_history(k, name, fields_joined(f, name));

	return before.n && field_value_ok(before) ? arena_printf(k->arena, "%.*s, %.*s", STR_ARG(before), STR_ARG(last)) : last;
}

/* for=203.0.113.9, for="[2001:db8::1]" */
static struct str forwarded_element(struct call *k)
{
	const struct request *rq = &k->x.request;
	bool v6 = str_find_char(rq->ip, ':') != SIZE_MAX;
	struct str ip = rq->ip.n ? rq->ip : STR("unknown");
	struct str host = k->client_host;

	return arena_printf(k->arena, v6 ? "for=\"[%.*s]\";host=\"%.*s\";proto=%.*s" : "for=%.*s;host=\"%.*s\";proto=%.*s",
			    STR_ARG(ip), STR_ARG(host), STR_ARG(rq->original_url.scheme));
}

static void hex_id(char *to, size_t n, const uint8_t *from)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		to[2 * i] = hex[from[i] >> 4];
		to[2 * i + 1] = hex[from[i] & 15];
	}
	to[2 * n] = '\0';
}

/* A trace begins with the call: its id is the call's, when that is the gateway's own. */
static void begin_trace(struct call *k)
{
	struct str id = k->x.request_id;
	uint8_t trace[16];
	size_t n = 0;

	k->trace_begun = true;
	k->trace.parent_id[0] = '\0';
	k->trace.flags = 1;
	if (!k->request_id_made) {
		worker_id(k->wk, k->x.started_us, trace);
		hex_id(k->trace.trace_id, sizeof(trace), trace);
		return;
	}
	for (size_t i = 0; i < id.n; i++)
		if (id.p[i] != '-')
			k->trace.trace_id[n++] = id.p[i];
	k->trace.trace_id[n] = '\0';
}

void call_trace_id(struct call *k)
{
	if (!k->trace.trace_id[0]
	    && !trace_context_parse(fields_get(&k->x.request.headers, STR("traceparent")), &k->trace))
		begin_trace(k);
}

/* Each try is a span of its own under the same trace. */
static void next_span(struct call *k)
{
	uint8_t span[8];

	worker_random(k->wk, span, sizeof(span));
	span[0] |= 1;                    /* it may not be all zero */
	call_trace_id(k);
	hex_id(k->trace.span_id, 8, span);
}

static bool add_gateway_fields(struct call *k, const struct fields *from, struct fields *out)
{
	struct str proto = k->x.request.original_url.scheme;
	struct str ip = k->x.request.ip.n ? k->x.request.ip : STR("unknown");

	return fields_add(out, STR("X-Forwarded-For"), joined_with(k, from, STR("X-Forwarded-For"), ip))
	       && fields_add(out, STR("X-Forwarded-Host"), k->client_host)
	       && fields_add(out, STR("X-Forwarded-Proto"), proto)
	       && fields_add(out, STR("Forwarded"), joined_with(k, from, STR("Forwarded"), forwarded_element(k)))
	       && fields_add(out, STR("traceparent"), trace_context_text(k->arena, &k->trace))
	       && fields_add(out, STR("X-Request-Id"), k->x.request_id);
}

bool forward_fields(struct call *k, struct fields *out)
{
	const struct fields *from = &k->x.request.headers;
	struct str connection = fields_joined(from, STR("Connection"));
	bool changed = k->x.request.body.changed;

	next_span(k);
	for (size_t i = 0; i < from->n; i++) {
		const struct field *f = &from->v[i];

		if (own_field(f->name) == DROP || (connection.n && field_listed(connection, f->name)))
			continue;
		if (changed && str_eq_ci(f->name, STR("Content-Encoding")))
			continue;
		if (k->trace_begun && str_eq_ci(f->name, STR("tracestate")))
			continue;        /* belongs to a trace that could not be continued */
		/* a policy may have made a value out of anything */
		if (!field_name_ok(f->name) || !field_value_ok(f->value))
			continue;
		if (!fields_add(out, f->name, f->value))
			return false;
	}
	return add_gateway_fields(k, from, out);
}

/* The backend's own name, unless a policy has set another. */
struct str forward_host(const struct call *k)
{
	struct str host = fields_get(&k->x.request.headers, STR("Host"));

	return str_eq(host, k->client_host) || !field_value_ok(host) ? STR_NULL : host;
}

void backend_options(struct exchange *x, const struct snap_backend *b, struct upstream_request *rq)
{
	rq->any_certificate = !b->verify_tls;
	rq->any_name = !b->verify_name;
	rq->unix_socket = b->unix_socket;
	rq->ca_pem = b->ca_pem;
	rq->server_name = b->tls_server_name;
	rq->tls_min_version = b->tls_min_version;
	rq->tls_pins = b->tls_pins;
	if (b->client_certificate_id.n && !rq->client_cert_pem.n)
		gate_certificate(x, b->client_certificate_id, &rq->client_cert_pem, &rq->client_key_pem);
}

/* A policy may have pointed the call elsewhere since the backend was chosen. */
void forward_options(struct call *k, struct upstream_request *rq)
{
	if (k->x.backend_id.n && k->backend)
		backend_options(&k->x, k->backend, rq);
	/* a backend that trickles would hold one of few places, and no client is there to go away */
	if (k->cached && k->cached->refresh)
		rq->total_ms = k->wk->limits.refresh_ms;
}

/* ---- the body of a try, and what is noted of it ---- */

enum { WHOLE_BODY_MAX = 65536 };

void forward_body(struct call *k, struct upstream_request *rq)
{
	struct body *b = &k->x.request.body;
	struct str method = k->x.request.method;
	bool wants_length = str_eq(method, STR("POST")) || str_eq(method, STR("PUT")) || str_eq(method, STR("PATCH"));

	rq->body = b->kind;
	rq->bytes = b->bytes;
	rq->length = k->up_length;
	if (b->kind == BODY_STREAM && k->up_ended && !k->body_gone && k->up.n <= WHOLE_BODY_MAX) {
		rq->body = BODY_HELD;
		rq->bytes = buf_view(&k->up);
	} else if (b->kind == BODY_STREAM && k->up_ended && !k->body_gone) {
		rq->length = (int64_t)k->up.n;
	} else if (b->kind == BODY_NONE && wants_length) {
		rq->body = BODY_HELD;        /* says Content-Length: 0 (RFC 9110 section 8.6) */
		rq->bytes = STR("");
	}
}

void forward_note_times(struct call *k, const struct transfer *t)
{
	struct transfer_times times = transfer_times(t);

	k->dns_us = times.dns_us;
	k->connect_us = times.connect_us;
	k->tls_us = times.tls_us;
	/* the turn began when the answer could be read; a backend that failed at once did so in the turn that sent */
	k->backend_us = k->wk->loop.now_us > k->forward_us ? k->wk->loop.now_us : k->forward_us;
	k->backend_total_us += k->backend_us - k->forward_us;
	if (k->n_tried) {
		struct call_try *one = &k->tried[k->n_tried - 1];
		bool began = k->first_byte_us > k->forward_us;

		one->over = true;
		one->took_us = (uint32_t)(k->backend_us - k->forward_us);
		one->dns_us = k->dns_us;
		one->connect_us = k->connect_us;
		one->tls_us = k->tls_us;
		one->status = began ? (uint16_t)k->backend_status : 0;
		one->first_byte_us = began ? (uint32_t)(k->first_byte_us - k->forward_us) : 0;
	}
}

void forward_note_try(struct call *k)
{
	struct call_try *one = &k->tried[k->n_tried < CALL_TRIES_NOTED ? k->n_tried++ : CALL_TRIES_NOTED - 1];

	*one = (struct call_try){ .at_us = k->forward_us, .host = k->backend_host, .url = k->x.request.url };
	memcpy(one->span, k->trace.span_id, sizeof(one->span));
}
