/* call_record.c - the telemetry record of a call, the last thing that is done for it. */
#include "fcgi/call_gate.h"

#include "core/str.h"

static void record_gate(const struct call *k, struct telemetry_call *t)
{
	const struct gate_state *g = k->gate;
	const struct snap_api *api = g ? g->route.api : NULL;

	if (!g)
		return;
	if (g->route.environment)
		t->environment = g->route.environment->id;
	t->application = g->access.application;
	t->key_prefix = g->access.key_prefix;
	if (g->access.product)
		t->product = g->access.product->ctx.id;
	t->subscription = g->access.subscription_id;
	if (g->access.user)
		t->user = g->access.user->id;
	if (!api)
		return;
	t->api = api->ctx.id;
	t->version = api->ctx.version;
	t->revision = api->ctx.revision;
	if (g->route.operation)
		t->operation = g->route.operation->ctx.id;
}

static uint32_t span(int64_t from, int64_t to)
{
	return from && to > from ? to - from > UINT32_MAX ? UINT32_MAX : (uint32_t)(to - from) : 0;
}

static enum telemetry_origin origin_of(const struct call *k)
{
	if (k->reason == REASON_CLIENT_GONE)
		return TELEMETRY_CLIENT_GONE;
	if (reason_is_backend(k->reason))
		return TELEMETRY_BACKEND_FAILED;
	if (k->x.cached == EXCHANGE_CACHE_HIT && !k->x.error.set)
		return TELEMETRY_BY_CACHE;
	return k->backend_status && k->backend_status == k->status && !k->x.error.set ? TELEMETRY_BY_BACKEND
										      : TELEMETRY_BY_GATEWAY;
}

static struct str word_of(const struct call *k)
{
	if (k->reason == REASON_CLIENT_GONE || str_is_null(k->word)) {
		if (k->reason != REASON_NONE)
			return reason_info(k->reason)->word;
		return k->x.error.set ? k->x.error.reason : STR("");
	}
	return k->word;
}

static void record_times(const struct call *k, struct telemetry_call *t)
{
	uint64_t backend = (uint64_t)k->backend_total_us;

	if (k->forward_us && k->forward_us > k->backend_us)
		backend += span(k->forward_us, k->over_us);
	t->total_us = span(k->begun_us, k->over_us);
	t->backend_us = backend > t->total_us ? t->total_us : (uint32_t)backend;
	t->gateway_us = t->total_us - t->backend_us;
	t->first_byte_us = k->first_byte_us > k->forward_us ? span(k->forward_us, k->first_byte_us) : 0;
	t->dns_us = k->dns_us;
	t->connect_us = k->connect_us;
	t->tls_us = k->tls_us;
}

void call_record(struct call *k)
{
	struct serving *s = k->wk->serving;
	static const uint8_t cached[] = { [EXCHANGE_CACHE_NONE] = TELEMETRY_CACHE_NONE, [EXCHANGE_CACHE_HIT] = TELEMETRY_CACHE_HIT,
					  [EXCHANGE_CACHE_MISS] = TELEMETRY_CACHE_MISS };
	const struct url *u = &k->x.request.original_url;
	struct telemetry_call t = {
		.started_us = k->x.started_us, .bytes_in = k->up_bytes, .bytes_out = k->down_bytes,
		.backend_bytes_in = k->backend_bytes_in, .backend_bytes_out = k->tries ? k->backend_bytes_out : 0,
		.status = (uint16_t)k->status, .backend_status = (uint16_t)k->backend_status, .attempts = (uint16_t)k->tries,
		.origin = (uint8_t)origin_of(k), .cache = cached[k->x.cached], .request_id = k->x.request_id, .method = k->x.request.method,
		.host = u->host, .path = u->path, .reason = word_of(k), .client_ip = k->x.request.ip,
		.trace_id = { k->trace.trace_id, k->trace.trace_id[0] ? 32 : 0 },
	};

	if (!s || !s->telemetry || !k->x.started_us)
		return;
	if (k->tries || k->reason == REASON_BACKEND_OPEN)
		t.backend = k->backend && k->x.backend_id.n ? k->backend->id : k->backend_host;
	t.correlation = k->correlation;
	t.detail = k->detail;
	if (k->x.error.set)
		t.decision = k->x.error.message;
	record_gate(k, &t);
	record_times(k, &t);
	if (!telemetry_put(s->telemetry, &t))
		s->failures++;
}
