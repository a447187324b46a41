/* call_record.c - the telemetry record of a call, the last thing that is done for it. */
#include "fcgi/call_gate.h"

#include "core/str.h"
#include "fcgi/call_web.h"
#include "fcgi/credential.h"
#include "fcgi/limit_fields.h"
#include "fcgi/trace_mask.h"
#include "fcgi/traffic.h"

#include <stdio.h>

enum { DETAIL_AFTER_FAILURE = 20, DETAILED_A_SECOND = 100, PLACE_BYTES = 200, LIMITS_BYTES = 120, STEPS_BYTES = 2048,
       TRIES_BYTES = 640 };

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

/* ---- in detail ------------------------------------------------------------------------------------------------------------- */

/* So many in a second, whatever happens. */
static bool detail_allowed(const struct call *k, struct serving *s)
{
	if (k->begun_us - s->detail_us >= 1000000) {
		s->detail_us = k->begun_us;
		s->detailed = 0;
	}
	if (s->detailed >= DETAILED_A_SECOND)
		return false;
	s->detailed++;
	return true;
}

/* What each step decided and how long it took costs a little, so it is kept of one call in many; of those that are refused before the
 * policies; and of the next few once a call has failed, for what fails once mostly fails again. */
bool call_steps_wanted(struct call *k, bool refused)
{
	struct serving *s = k->wk->serving;

	if (!s || !s->telemetry || !(refused || s->detail_left || (s->detail_every && s->calls % (uint64_t)s->detail_every == 0)))
		return false;
	if (!detail_allowed(k, s))
		return false;
	s->detail_left -= s->detail_left > 0;
	return true;
}

static bool has_failed(const struct call *k)
{
	return k->reason != REASON_CLIENT_GONE && (k->x.error.set || k->reason != REASON_NONE || k->status >= 500);
}

/* Where the policies ended: "inbound, api, rate-limit[1]". */
static struct str place_text(const struct last_error *e, char out[PLACE_BYTES])
{
	const struct str parts[] = { e->section, e->scope, e->path.n ? e->path : e->source };
	size_t n = 0;

	if (!e->set)
		return STR("");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].n && n < PLACE_BYTES - 1)
			n += (size_t)snprintf(out + n, PLACE_BYTES - n, "%s%.*s", n ? ", " : "", STR_ARG(parts[i]));
	return (struct str){ out, n < PLACE_BYTES ? n : PLACE_BYTES - 1 };
}

/* For the caller too, so without secrets: an exception of an expression repeats the text that it could not read. What the caller
 * was told in the same words is not looked through, for it is made of constants. */
static struct str decision_text(struct call *k)
{
	const struct last_error *e = &k->x.error;
	struct trace_writer w;

	if (!e->set || (e->message.p && e->message.p == e->public_message.p))
		return e->set ? e->message : STR("");
	w = (struct trace_writer){ .k = k };
	trace_hide_call(&w);
	return trace_mask_decision(&w, e->message);
}

/* What a policy compared; an expected value may be a secret named value. */
static struct str detail_text(struct call *k)
{
	struct trace_writer w = { .k = k };

	if (!k->x.error.detail.n)
		return STR_NULL;
	trace_hide_call(&w);
	return trace_mask_decision(&w, k->x.error.detail);
}

static struct str limits_text(const struct call *k, char out[LIMITS_BYTES])
{
	const struct shown_limit *l = k->gate ? &k->gate->limit : NULL;
	char *to;

	_Static_assert(LIMITS_BYTES >= 4 * 20 + 40, "four numbers and the words have room");
	if (!l || !l->set)
		return STR("");
	to = str_put_u64(str_put(out, l->at_once ? STR("at once: ") : l->rate ? STR("rate: ") : STR("quota: ")), l->remaining);
	to = str_put_u64(str_put(to, STR(" of ")), l->limit);
	to = str_put(to, l->bytes ? STR(" bytes left") : STR(" left"));
	if (l->window_s)
		to = str_put(str_put_u64(str_put(to, STR(" in ")), l->window_s), STR(" s"));
	to = str_put(str_put_u64(str_put(to, STR(", ")), l->before), STR(" before"));
	return (struct str){ out, (size_t)(to - out) };
}

/* Everything but the span and the time of a try, when there were several. */
static size_t try_more(const struct call *k, const struct call_try *one, char *out, size_t room)
{
	int n = snprintf(out, room, " %u %u %u %u %u %u %.*s", one->over ? one->took_us : span(one->at_us, k->over_us), one->status, one->dns_us,
			 one->connect_us, one->tls_us, one->first_byte_us, STR_ARG(str_first(one->host, 80)));

	return n < 0 ? room : (size_t)n;
}

/* struct telemetry_try as text: short, and without printf, for a single try, which most calls have. */
static struct str tries_text(const struct call *k, char out[TRIES_BYTES])
{
	enum { HEAD_BYTES = 48 };
	size_t n = 0;

	for (unsigned i = 0; i < k->n_tried && TRIES_BYTES - n > HEAD_BYTES; i++) {
		const struct call_try *one = &k->tried[i];
		char *to = str_put(out + n, i ? STR("\n") : STR(""));
		size_t end, more;

		to = str_put_u64(str_put(str_put(to, str_of(one->span)), STR(" ")), span(k->begun_us, one->at_us));
		end = (size_t)(to - out);
		more = k->n_tried > 1 ? try_more(k, one, to, TRIES_BYTES - end) : 0;
		if (more >= TRIES_BYTES - end)
			break;
		n = end + more;
	}
	return (struct str){ out, n };
}

/* Of a call that was not forwarded nobody has looked at it yet. Where none came with it, it has one of its own only if it is exported:
 * what the collector names is found then. */
static void record_trace(struct call *k, struct telemetry_call *t, bool exported)
{
	if (exported)
		call_trace_id(k);
	else if (!k->trace.trace_id[0] && !trace_context_parse(fields_get(&k->x.request.headers, STR("traceparent")), &k->trace))
		return;
	t->trace_id = (struct str){ k->trace.trace_id, 32 };
	t->parent_span = str_of(k->trace.parent_id);
	t->trace_flags = k->trace.flags;
}

/* "inbound api rate-limit:12 15us 3 of 20 calls", or "inbound api rate-limit:12 -"; whole lines only, without secrets. */
static void write_steps(struct call *k, struct buf *b)
{
	struct trace_writer w = { .k = k };

	trace_hide_call(&w);
	for (const struct trace_step *s = k->x.trace_first; s; s = s->next) {
		struct str decision = s->decision.n ? trace_mask_decision(&w, s->decision) : STR("");
		size_t before = b->n;

		buf_fmt(b, "%s%.*s %.*s %.*s:%u ", b->n ? "\n" : "", STR_ARG(section_name(s->section)), STR_ARG(scope_name(s->scope)),
			STR_ARG(s->policy), s->line);
		if (s->duration_us == TRACE_NOT_TIMED)
			buf_char(b, '-');
		else
			buf_fmt(b, "%lldus", (long long)s->duration_us);
		if (decision.n)
			buf_fmt(b, " %.*s", STR_ARG(str_first(decision, 300)));
		if (b->n <= STEPS_BYTES)
			continue;
		b->n = before;
		break;
	}
}

void call_record(struct call *k)
{
	struct serving *s = k->wk->serving;
	static const uint8_t cached[] = { [EXCHANGE_CACHE_NONE] = TELEMETRY_CACHE_NONE, [EXCHANGE_CACHE_HIT] = TELEMETRY_CACHE_HIT,
					  [EXCHANGE_CACHE_MISS] = TELEMETRY_CACHE_MISS };
	const struct url *u = &k->x.request.original_url;
	char place[PLACE_BYTES], limits[LIMITS_BYTES], tries[TRIES_BYTES];
	struct buf steps, web;
	bool failed, exported;
	struct telemetry_call t = {
		.started_us = k->x.started_us, .bytes_in = k->up_bytes, .bytes_out = k->down_bytes,
		.backend_bytes_in = k->backend_bytes_in, .backend_bytes_out = k->tries ? k->backend_bytes_out : 0,
		.status = (uint16_t)k->status, .backend_status = (uint16_t)k->backend_status, .attempts = (uint16_t)k->tries,
		.origin = (uint8_t)origin_of(k), .cache = cached[k->x.cached], .request_id = k->x.request_id, .method = k->x.request.method,
		.host = u->host, .path = u->path, .reason = word_of(k), .client_ip = k->x.request.ip,
	};

	if (!s || !s->telemetry || !k->x.started_us || k->probe)
		return;
	exported = s->snapshot && s->snapshot->record_web;
	if (k->tries || k->reason == REASON_BACKEND_OPEN || k->reason == REASON_BACKEND_FULL)
		t.backend = k->backend && k->x.backend_id.n ? k->backend->id : k->backend_host;
	t.correlation = k->correlation;
	t.detail = k->detail.n || !k->x.error.set ? k->detail : detail_text(k);
	t.decision = decision_text(k);
	if (!t.decision.n && k->traffic)
		t.decision = k->traffic->note;
	t.place = place_text(&k->x.error, place);
	t.limits = limits_text(k, limits);
	t.tries = tries_text(k, tries);
	record_trace(k, &t, exported);
	if (k->credential)
		t.credential = k->credential->c.id;
	record_gate(k, &t);
	record_times(k, &t);
	failed = has_failed(k);
	if (failed)
		s->detail_left = DETAIL_AFTER_FAILURE;
	buf_init(&steps, 2 * STEPS_BYTES);           /* takes no memory until something is written */
	if (k->x.trace_first && (k->x.steps_on || (failed && detail_allowed(k, s))))
		write_steps(k, &steps);
	t.steps = buf_view(&steps);
	buf_init(&web, CALL_WEB_BYTES);
	if (exported)
		call_web(k, &web);
	t.web = buf_view(&web);
	if (!telemetry_put(s->telemetry, &t))
		s->failures++;
	buf_release(&steps);
	buf_release(&web);
}
