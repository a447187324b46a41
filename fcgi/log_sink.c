#include "fcgi/log_sink.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "fcgi/call_gate.h"
#include "fcgi/log_sink_impl.h"

#include <stdlib.h>
#include <unistd.h>

enum { SINKS_MAX = 256, REPORTED_MAX = 32, LOG_EVERY_S = 10, RETRY_FIRST_MS = 500, RETRY_MOST_MS = 30000 };

/* ---- settings of a logger, shared by the sink and its batches ------------------------------------------------------------- */

static bool same_text(struct str a, struct str b)
{
	return str_is_null(a) == str_is_null(b) && str_eq(a, b);
}

static struct log_target *target_new(const struct snap_logger *l, struct gh_err *err)
{
	struct arena *a = arena_new(TARGET_BYTES);
	struct log_target *t = a ? arena_new_of(a, struct log_target) : NULL;

	if (t) {
		t->arena = a;
		t->refs = 1;
		t->kind = l->kind;
		t->text = arena_dup(a, l->settings);
		t->secrets = l->secrets.p ? arena_dup(a, l->secrets) : STR_NULL;
		if (!logger_settings_read(a, l->kind, t->text, t->secrets, &t->settings, err).code)
			return t;
	}
	arena_free(a);
	return NULL;
}

void log_target_unref(struct log_target *t)
{
	if (t && !--t->refs)
		arena_free(t->arena);
}

/* ---- sinks ------------------------------------------------------------------------------------------------------------------ */

static struct sink *find(struct log_sinks *s, struct str id)
{
	struct sink *k = s->first;

	while (k && !str_eq((struct str){ k->id, k->id_n }, id))
		k = k->next;
	return k;
}

static void flush_due(struct timer *t)
{
	sink_start(CONTAINER_OF(t, struct sink, timer));
}

static struct sink *sink_new(struct log_sinks *s, struct str id)
{
	struct sink *k = s->n < SINKS_MAX ? calloc(1, sizeof(*k) + id.n) : NULL;

	if (!k)
		return NULL;
	k->all = s;
	k->timer.fire = flush_due;
	k->link = (struct log_link)LOG_LINK_INIT;
	buf_init(&k->queue, (size_t)config_int(s->wk->config, CONFIG_LOGGER_QUEUE_BYTES));
	k->id_n = id.n;
	memcpy(k->id, id.p, id.n);
	k->next = s->first;
	s->first = k;
	s->n++;
	return k;
}

/* Says so, but not all the time. A loss is said even when a delay has been said just before. */
static void complain(struct sink *k, const char *why)
{
	int64_t now = k->all->wk->loop.now_us;
	bool lost = k->dropped != k->told_dropped;
	int64_t *told_us = &k->told_us[lost];

	k->all->change++;
	snprintf(k->error, sizeof(k->error), "%s", why);
	if (*told_us && now - *told_us < LOG_EVERY_S * INT64_C(1000000))
		return;
	*told_us = now;
	k->told_dropped = k->dropped;
	log_warn("messages of policies do not get through", KV_STR("logger", ((struct str){ k->id, k->id_n })), KV_CSTR("why", why),
		 KV_INT("dropped", k->dropped), KV_INT("queued_bytes", k->queue.n + (k->batch ? k->batch->job.n : 0)));
}

static void drop(struct sink *k, uint64_t messages, const char *why)
{
	k->dropped += messages;
	complain(k, why);
}

/* A sink follows the snapshot: another address is used for what is sent from now on. */
static bool follow(struct sink *k, const struct snap_logger *l)
{
	struct gh_err err = { 0 };
	struct log_target *t;

	if (k->target && k->target->kind == l->kind && same_text(k->target->text, l->settings)
	    && same_text(k->target->secrets, l->secrets))
		return true;
	t = target_new(l, &err);
	if (!t) {
		drop(k, 1, err.code ? err.message : "no memory");
		return false;
	}
	log_target_unref(k->target);
	k->target = t;
	if (k->batch) {                              /* what could not be delivered may be now */
		k->batch->tries = 0;
		sink_start(k);
	}
	return true;
}

static void arm(struct sink *k, int64_t wait_ms)
{
	struct loop *loop = &k->all->wk->loop;

	if (!loop_timer_set(loop, &k->timer, loop->now_us + wait_ms * 1000))
		complain(k, "no memory for a timer");        /* the next message tries again */
}

static bool enqueue(struct sink *k, const struct logger_event *e)
{
	size_t start = k->queue.n;
	uint32_t n = 0;

	buf_add(&k->queue, &n, sizeof(n));
	logger_encode(&k->queue, &k->target->settings, e, k->host);
	if (!buf_ok(&k->queue)) {
		k->queue.failed = false;
		k->queue.n = start;
		return false;
	}
	n = (uint32_t)(k->queue.n - start - sizeof(n));
	memcpy(k->queue.p + start, &n, sizeof(n));
	k->queued++;
	return true;
}

/* A file takes a batch whole, so one may not be larger than the file. (A single message may; it has a file to itself.) */
static size_t batch_bytes(const struct sink *k)
{
	const struct log_target *t = k->target;

	return t && t->kind == LOGGER_FILE && t->settings.max_bytes < BATCH_BYTES ? (size_t)t->settings.max_bytes : BATCH_BYTES;
}

void log_sinks_put(struct log_sinks *s, const struct snapshot *snapshot, const struct log_message *m, struct str request_id)
{
	const struct snap_logger *l = snapshot ? snapshot_logger(snapshot, m->logger_id) : NULL;
	struct sink *k = find(s, m->logger_id);
	struct logger_event e = { .time_us = clock_wall_us(), .logger = m->logger_id, .request_id = request_id,
				  .partition_id = m->partition_id, .partition_key = m->partition_key, .text = m->text };

	if (!k)
		k = sink_new(s, m->logger_id);
	if (!k) {
		s->unknown++;
		return;
	}
	k->host = snapshot ? snapshot->deployment.gateway_instance_id : STR_NULL;
	if (!l) {
		drop(k, 1, "there is no such logger");
		return;
	}
	if (!follow(k, l))
		return;
	if (!enqueue(k, &e)) {
		drop(k, 1, "the queue is full (logger.queue_bytes)");
		return;
	}
	if (k->batch)
		return;                              /* goes on when that has left, or is tried again */
	if (k->queue.n >= batch_bytes(k) || s->draining)
		sink_start(k);
	else if (!k->timer.at)
		arm(k, config_int(s->wk->config, CONFIG_LOGGER_FLUSH_MS));
}

/* ---- batches ------------------------------------------------------------------------------------------------------------- */

static struct log_batch *take_batch(struct sink *k)
{
	struct log_batch *b = calloc(1, sizeof(*b));
	struct log_job whole = { .bytes = k->queue.p, .n = k->queue.n };
	size_t at = 0, next = 0, limit = batch_bytes(k);
	struct str message;

	if (!b)
		return NULL;
	while (next < limit && log_job_next(&whole, &next, &message) && (next <= limit || !b->messages)) {
		b->messages++;
		at = next;
	}
	b->bytes = malloc(at);
	if (!b->bytes) {
		free(b);
		return NULL;
	}
	memcpy(b->bytes, k->queue.p, at);
	buf_drop_front(&k->queue, at);
	k->queued -= b->messages;
	b->sink = k;
	b->job = (struct log_job){ .owner = b, .link = &k->link, .bytes = b->bytes, .n = at };
	return b;
}

static void free_batch(struct sink *k)
{
	struct log_batch *b = k->batch;

	k->batch = NULL;
	if (!b)
		return;
	log_target_unref(b->target);
	free(b->bytes);
	free(b);
}

void sink_start(struct sink *k)
{
	struct log_sinks *s = k->all;
	struct log_batch *b = k->batch;

	loop_timer_clear(&s->wk->loop, &k->timer);
	if (b && b->under_way)
		return;
	if (!b && k->queue.n)
		b = k->batch = take_batch(k);
	if (!b) {
		if (k->queue.n)
			arm(k, RETRY_MOST_MS);       /* out of memory */
		return;
	}
	log_target_unref(b->target);
	b->target = k->target;
	b->target->refs++;
	b->job.settings = &b->target->settings;
	b->under_way = true;
	if (b->target->kind == LOGGER_HTTP)
		sink_post(k);
	else if (sinks_writer(s))
		log_writer_push(s->writer, &b->job);
	else
		sink_done(k, LOG_LATER, "the thread that writes cannot be started");
}

void sink_done(struct sink *k, enum log_outcome outcome, const char *why)
{
	struct log_batch *b = k->batch;
	uint64_t sent = outcome == LOG_DONE && b->target->kind == LOGGER_HTTP ? b->messages : b->job.left - b->job.lost;
	int64_t wait = RETRY_FIRST_MS;

	b->under_way = false;
	k->sent += sent - b->counted;
	b->counted = sent;
	if (outcome == LOG_LATER && !k->all->draining) {
		complain(k, why);
		for (unsigned i = 0; i < b->tries && wait < RETRY_MOST_MS; i++)
			wait *= 2;
		b->tries++;
		arm(k, wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS);
		return;
	}
	if (outcome != LOG_DONE)
		drop(k, b->messages - sent, why);
	else if (b->job.lost)
		drop(k, b->job.lost, "larger than its socket takes");
	else if (k->error[0])
		k->error[0] = '\0', k->all->change++;
	free_batch(k);
	if (k->queue.n && (k->queue.n >= batch_bytes(k) || k->all->draining))
		sink_start(k);
	else if (k->queue.n)
		arm(k, config_int(k->all->wk->config, CONFIG_LOGGER_FLUSH_MS));
}

/* ---- the writer ------------------------------------------------------------------------------------------------------------ */

static void jobs_back(struct watch *w, uint32_t events UNUSED)
{
	struct log_sinks *s = CONTAINER_OF(w, struct log_sinks, watch);
	struct log_job *j;

	while ((j = log_writer_take(s->writer))) {
		struct log_batch *b = j->owner;

		sink_done(b->sink, j->failed ? LOG_LATER : LOG_DONE, j->error);
	}
}

bool sinks_writer(struct log_sinks *s)
{
	struct gh_err err;

	if (s->writer)
		return true;
	if (log_writer_start(&s->writer, &err).code) {
		log_error("messages of policies cannot be written", KV_CSTR("error", err.message));
		return false;
	}
	loop_watch_init(&s->watch, log_writer_fd(s->writer), jobs_back);
	return loop_want(&s->wk->loop, &s->watch, EPOLLIN);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------- */

struct log_sinks *log_sinks_new(struct worker *wk)
{
	struct log_sinks *s = calloc(1, sizeof(*s));

	if (s)
		s->wk = wk;
	return s;
}

void log_sinks_free(struct log_sinks *s)
{
	if (!s)
		return;
	if (s->writer) {
		loop_forget(&s->wk->loop, &s->watch, true);
		log_writer_stop(s->writer);
	}
	while (s->first) {
		struct sink *k = s->first;

		s->first = k->next;
		loop_timer_clear(&s->wk->loop, &k->timer);
		if (k->batch)
			sink_cancel(k);
		free_batch(k);
		log_link_close(&k->link);
		log_target_unref(k->target);
		buf_release(&k->queue);
		free(k);
	}
	free(s);
}

void log_sinks_drain(struct log_sinks *s)
{
	s->draining = true;
	for (struct sink *k = s->first; k; k = k->next)
		sink_start(k);
}

bool log_sinks_busy(const struct log_sinks *s)
{
	for (const struct sink *k = s->first; k; k = k->next)
		if (k->batch || k->queue.n)
			return true;
	return false;
}

uint64_t log_sinks_change(const struct log_sinks *s)
{
	return s->change;
}

void log_sinks_report(const struct log_sinks *s, struct buf *out)
{
	unsigned n = 0;

	buf_char(out, '[');
	for (const struct sink *k = s->first; k && n < REPORTED_MAX; k = k->next) {
		if (!k->sent && !k->dropped && !k->error[0])
			continue;
		buf_cstr(out, n++ ? ",{\"id\":" : "{\"id\":");
		buf_json(out, (struct str){ k->id, k->id_n });
		buf_fmt(out, ",\"sent\":%llu,\"dropped\":%llu,\"queuedBytes\":%zu,\"error\":", (unsigned long long)k->sent,
			(unsigned long long)k->dropped, k->queue.n + (k->batch ? k->batch->job.n - k->batch->job.at : 0));
		if (k->error[0])
			buf_json(out, str_of(k->error));
		else
			buf_cstr(out, "null");
		buf_char(out, '}');
	}
	buf_char(out, ']');
}
