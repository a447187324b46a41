#include "keeper/otlp.h"

#include "core/crypto.h"
#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>

/* opentelemetry-proto: SpanKind, StatusCode, SeverityNumber. 64-bit numbers are texts in its JSON, ids are hexadecimal. */
enum { KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2, SEVERITY_WARN = 13, SEVERITY_ERROR = 17 };
enum { TRACE_ID = 32, SPAN_ID = 16, SAMPLED = 1, NAME_MAX_BYTES = 2048 };

/* ---- ids --------------------------------------------------------------------------------------------------------------------- */

struct ids {
	char trace[TRACE_ID + 1], span[SPAN_ID + 1];
};

static void hex(char *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		snprintf(to + 2 * i, 3, "%02x", from[i]);
}

/* The record has no id of the call's own span: it is made of the request's, so traces and logs name the same one. */
static void ids_of(const struct telemetry_call *call, struct ids *out)
{
	uint8_t digest[CRYPTO_SHA256_BYTES];

	crypto_sha256(call->request_id, digest);
	digest[0] |= 1;                      /* neither may be all zero */
	digest[16] |= 1;
	hex(out->span, digest, SPAN_ID / 2);
	hex(out->trace, digest + 16, TRACE_ID / 2);
	if (call->trace_id.n == TRACE_ID) {
		memcpy(out->trace, call->trace_id.p, TRACE_ID);
		out->trace[TRACE_ID] = '\0';
	}
}

/* The caller decides; where nobody did, the lower 32 bits of the trace id, which are random. */
static bool is_sampled(const struct telemetry_call *call, const struct ids *ids, int64_t percent)
{
	uint64_t n;

	if (call->parent_span.n)
		return call->trace_flags & SAMPLED;
	n = strtoull(ids->trace + TRACE_ID - 8, NULL, 16);
	return n % 10000 < (uint64_t)percent * 100;
}

/* ---- attributes -------------------------------------------------------------------------------------------------------------- */

static void attribute(struct buf *b, const char *key)
{
	if (b->n && b->p[b->n - 1] != '[')
		buf_char(b, ',');
	buf_fmt(b, "{\"key\":\"%s\",\"value\":", key);
}

static void put_str(struct buf *b, const char *key, struct str value)
{
	if (!value.n)
		return;
	attribute(b, key);
	buf_cstr(b, "{\"stringValue\":");
	buf_json(b, value);
	buf_cstr(b, "}}");
}

static void put_int(struct buf *b, const char *key, uint64_t value)
{
	attribute(b, key);
	buf_fmt(b, "{\"intValue\":\"%llu\"}}", (unsigned long long)value);
}

static void put_when(struct buf *b, const char *key, uint64_t value)
{
	if (value)
		put_int(b, key, value);
}

/* "[2001:db8::1]" without its brackets. */
static void put_server(struct buf *b, struct str host, uint64_t port)
{
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_first(str_from(host, 1), host.n - 2);
	put_str(b, "server.address", host);
	if (host.n)
		put_when(b, "server.port", port);
}

/* Scheme, host and port of "https://host:8443/path"; the port also where it is the scheme's own. */
static void split_url(struct str url, struct str *host, uint64_t *port)
{
	size_t scheme = str_find(url, STR("://")), end, colon;
	struct str rest;

	*host = STR_NULL;
	*port = 0;
	if (scheme == SIZE_MAX)
		return;
	*port = str_eq(str_first(url, scheme), STR("https")) ? 443 : 80;
	rest = str_from(url, scheme + 3);
	for (end = 0; end < rest.n && rest.p[end] != '/' && rest.p[end] != '?'; end++)
		;
	rest = str_first(rest, end);
	colon = str_rfind_char(rest, ':');
	if (colon != SIZE_MAX && str_to_u64(str_from(rest, colon + 1), 65535, port))
		rest = str_first(rest, colon);
	*host = rest;
}

/* Of methods that HTTP does not know, of which a caller may make up as many as he likes, there is one. */
static bool is_known(struct str method)
{
	static const struct str known[] = { STR_INIT("GET"), STR_INIT("POST"), STR_INIT("PUT"), STR_INIT("DELETE"), STR_INIT("PATCH"),
					    STR_INIT("HEAD"), STR_INIT("OPTIONS"), STR_INIT("TRACE"), STR_INIT("CONNECT") };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq(method, known[i]))
			return true;
	return false;
}

static void put_method(struct buf *b, struct str method)
{
	put_str(b, "http.request.method", is_known(method) ? method : STR("_OTHER"));
	if (!is_known(method))
		put_str(b, "http.request.method_original", method);
}

/* What the conventions name first, then what only a gateway knows. */
static void put_call(struct buf *b, const struct telemetry_call *c)
{
	struct telemetry_web web;

	(void)telemetry_web_read(c, &web);
	put_method(b, c->method);
	put_str(b, "http.route", web.route);
	put_str(b, "url.scheme", web.scheme);
	put_str(b, "url.path", c->path);
	put_str(b, "url.query", web.query);
	put_server(b, c->host, web.port);
	put_str(b, "client.address", c->client_ip);
	put_when(b, "http.response.status_code", c->status);
	put_str(b, "gatehouse.request_id", c->request_id);
	put_str(b, "gatehouse.environment", c->environment);
	put_str(b, "gatehouse.api", c->api);
	put_str(b, "gatehouse.api.version", c->version);
	put_str(b, "gatehouse.operation", c->operation);
	put_str(b, "gatehouse.product", c->product);
	put_str(b, "gatehouse.subscription", c->subscription);
	put_str(b, "gatehouse.application", c->application);
	put_str(b, "gatehouse.origin", str_of(telemetry_origin_name((enum telemetry_origin)c->origin)));
	put_str(b, "gatehouse.reason", c->reason);
}

static void put_error(struct buf *b, struct str reason, unsigned status)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", status % 1000);
	put_str(b, "error.type", reason.n ? reason : status ? str_of(text) : STR("_OTHER"));
}

/* ---- spans ------------------------------------------------------------------------------------------------------------------- */

/* "GET /api/orders/{id}", "GET" where there is no route. */
static void put_name(struct buf *b, const struct telemetry_call *c, int kind)
{
	struct str method = is_known(c->method) ? c->method : STR("HTTP");
	struct telemetry_web web;
	struct buf name;

	if (kind == KIND_SERVER && telemetry_web_read(c, &web) && web.route.n) {
		buf_init(&name, NAME_MAX_BYTES);
		buf_fmt(&name, "%.*s %.*s", STR_ARG(method), STR_ARG(web.route));
		buf_json(b, buf_ok(&name) ? buf_view(&name) : method);
		buf_release(&name);
		return;
	}
	buf_json(b, method);
}

static void begin_span(struct buf *b, const struct ids *ids, struct str span, struct str parent, const struct telemetry_call *c, int kind)
{
	buf_fmt(b, "{\"traceId\":\"%s\",\"spanId\":\"%.*s\"", ids->trace, STR_ARG(span));
	if (parent.n == SPAN_ID)
		buf_fmt(b, ",\"parentSpanId\":\"%.*s\"", STR_ARG(parent));
	buf_fmt(b, ",\"flags\":%u,\"name\":", c->trace_flags | SAMPLED);
	put_name(b, c, kind);
	buf_fmt(b, ",\"kind\":%d", kind);
}

static void put_time(struct buf *b, const char *name, int64_t us)
{
	buf_fmt(b, ",\"%s\":\"%lld000\"", name, (long long)us);
}

/* No answer that says so, or one that the backend began well and did not finish. */
static bool has_failed(const struct telemetry_call *c)
{
	return c->status >= 500 || !c->status || c->origin == TELEMETRY_BACKEND_FAILED;
}

/* last: what the call failed of is this try's. */
static void put_try(struct buf *b, const struct ids *ids, const struct telemetry_call *c, const struct telemetry_try *t, unsigned nth,
		    struct str url, bool last)
{
	bool broken = !t->status || (last && t->status < 400 && c->origin == TELEMETRY_BACKEND_FAILED);
	bool bad = broken || t->status >= 400;
	struct str host;
	uint64_t port;

	split_url(url, &host, &port);

	begin_span(b, ids, t->span, str_of(ids->span), c, KIND_CLIENT);
	put_time(b, "startTimeUnixNano", c->started_us + t->at_us);
	put_time(b, "endTimeUnixNano", c->started_us + t->at_us + t->took_us);
	buf_cstr(b, ",\"attributes\":[");
	put_method(b, c->method);
	put_str(b, "url.full", url);
	put_server(b, host.n ? host : t->host, port);
	put_when(b, "http.response.status_code", t->status);
	put_when(b, "http.request.resend_count", nth);
	put_str(b, "gatehouse.backend", c->backend);
	put_when(b, "gatehouse.dns_us", t->dns_us);
	put_when(b, "gatehouse.connect_us", t->connect_us);
	put_when(b, "gatehouse.tls_us", t->tls_us);
	put_when(b, "gatehouse.first_byte_us", t->first_byte_us);
	if (bad)
		put_error(b, broken ? c->reason : STR(""), t->status);
	buf_cstr(b, bad ? "],\"status\":{\"code\":2}}" : "]}");
}

void otlp_spans(struct buf *b, const struct telemetry_call *c, int64_t sample_percent)
{
	struct str tries = c->tries, url;
	struct telemetry_try one;
	bool failed = has_failed(c);
	struct telemetry_web web;
	struct ids ids;

	ids_of(c, &ids);
	if (!is_sampled(c, &ids, sample_percent))
		return;
	begin_span(b, &ids, str_of(ids.span), c->parent_span, c, KIND_SERVER);
	put_time(b, "startTimeUnixNano", c->started_us);
	put_time(b, "endTimeUnixNano", c->started_us + c->total_us);
	buf_cstr(b, ",\"attributes\":[");
	put_call(b, c);
	put_when(b, "http.request.body.size", c->bytes_in);
	put_when(b, "http.response.body.size", c->bytes_out);
	put_when(b, "gatehouse.gateway_us", c->gateway_us);
	if (c->cache != TELEMETRY_CACHE_NONE)
		put_str(b, "gatehouse.cache", str_of(telemetry_cache_name((enum telemetry_cache)c->cache)));
	if (failed)
		put_error(b, c->reason, c->status);
	buf_cstr(b, failed ? "],\"status\":{\"code\":2}}" : "]}");
	(void)telemetry_web_read(c, &web);
	for (unsigned nth = 0; telemetry_try_next(c, &tries, &one); nth++) {
		buf_char(b, ',');
		if (!str_split(&web.urls, '\n', &url))
			url = STR("");
		put_try(b, &ids, c, &one, nth, url, !tries.n);
	}
}

/* ---- logs -------------------------------------------------------------------------------------------------------------------- */

void otlp_log(struct buf *b, const struct telemetry_call *c)
{
	bool failed = c->status && has_failed(c), refused = c->status >= 400 && c->origin == TELEMETRY_BY_GATEWAY;
	struct ids ids;

	if (!failed && !refused)
		return;
	ids_of(c, &ids);
	buf_fmt(b, "{\"timeUnixNano\":\"%lld000\",\"observedTimeUnixNano\":\"%lld000\",\"severityNumber\":%d,\"severityText\":\"%s\"",
		(long long)(c->started_us + c->total_us), (long long)(c->started_us + c->total_us), failed ? SEVERITY_ERROR : SEVERITY_WARN,
		failed ? "ERROR" : "WARN");
	buf_fmt(b, ",\"traceId\":\"%s\",\"spanId\":\"%s\",\"body\":{\"stringValue\":", ids.trace, ids.span);
	buf_json(b, c->decision.n ? c->decision : c->reason.n ? c->reason : STR("the backend answered with an error"));
	buf_cstr(b, "},\"attributes\":[");
	put_call(b, c);
	put_str(b, "gatehouse.backend", c->backend);
	put_str(b, "gatehouse.place", c->place);
	put_error(b, c->reason, c->status);
	buf_cstr(b, "]}");
}
