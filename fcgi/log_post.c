/* log_post.c - a batch of messages to an HTTP logger, over the worker's curl handle. */
#include "fcgi/fields_util.h"
#include "fcgi/log_sink_impl.h"

#include "core/str.h"

#include <stdio.h>

enum { POST_MEMORY = 4 << 20 };

static void on_head(struct transfer *t UNUSED)
{
}

static bool on_body(struct transfer *t UNUSED, struct str bytes UNUSED)
{
	return true;
}

static size_t no_upload(struct transfer *t UNUSED, char *to UNUSED, size_t n UNUSED)
{
	return 0;
}

static void forget_request(struct log_batch *b)
{
	b->transfer = NULL;
	buf_release(&b->body);
	arena_free(b->arena);
	b->arena = NULL;
}

/* 408, 429 and 5xx say "not now"; any other refusal would be the same the next time. */
static void on_done(struct transfer *t, enum reason why)
{
	struct sink *k = transfer_owner(t);
	int status = transfer_response(t)->status;
	enum log_outcome outcome = LOG_DONE;
	char text[200] = "";

	if (why != REASON_NONE) {
		outcome = LOG_LATER;
		snprintf(text, sizeof(text), "%.*s %s", STR_ARG(reason_info(why)->word), transfer_problem(t));
	} else if (status < 200 || status > 299) {
		outcome = status == 408 || status == 429 || status >= 500 ? LOG_LATER : LOG_REFUSED;
		snprintf(text, sizeof(text), "the logger answered %d", status);
	}
	forget_request(k->batch);
	sink_done(k, outcome, text);
}

static const struct transfer_ops ops = { .head = on_head, .body = on_body, .upload = no_upload, .done = on_done };

static void make_body(struct log_batch *b)
{
	bool json = b->target->settings.format == LOGGER_JSON, first = true;
	struct str message;

	buf_init(&b->body, b->job.n + b->messages + 2);
	if (json)
		buf_char(&b->body, '[');
	for (size_t at = 0; log_job_next(&b->job, &at, &message); first = false) {
		if (json && !first)
			buf_char(&b->body, ',');
		buf_str(&b->body, message);
	}
	if (json)
		buf_char(&b->body, ']');
}

static bool make_fields(const struct logger_settings *s, struct fields *out)
{
	static const struct str types[LOGGER_FORMAT__COUNT] = {
		[LOGGER_NDJSON] = STR_INIT("application/x-ndjson"),
		[LOGGER_JSON] = STR_INIT("application/json"),
		[LOGGER_LINES] = STR_INIT("text/plain; charset=utf-8"),
	};
	bool ok = fields_add(out, STR("Content-Type"), types[s->format]);

	for (size_t i = 0; ok && i < s->n_headers; i++)
		if (!field_is_hop_by_hop(s->headers[i].name) && !str_eq_ci(s->headers[i].name, STR("Content-Length")))
			ok = fields_set(out, s->headers[i].name, s->headers[i].value);
	return ok;
}

void sink_post(struct sink *k)
{
	struct log_batch *b = k->batch;
	const struct logger_settings *s = &b->target->settings;
	struct url *url;
	struct fields *fields;
	struct upstream_request rq = { .method = STR("POST"), .body = BODY_HELD, .first_byte_ms = (uint32_t)s->timeout_ms,
				       .total_ms = (uint32_t)s->timeout_ms };
	enum reason why = REASON_NO_MEMORY;

	b->arena = arena_new(POST_MEMORY);
	url = b->arena ? arena_new_of(b->arena, struct url) : NULL;
	fields = url ? arena_new_of(b->arena, struct fields) : NULL;
	if (fields)
		fields_init(fields, b->arena);
	make_body(b);
	if (fields && buf_ok(&b->body) && make_fields(s, fields) && url_parse(s->url, url)) {
		rq.url = url;
		rq.headers = fields;
		rq.host = fields_get(fields, STR("Host"));
		rq.bytes = buf_view(&b->body);
		b->transfer = upstream_start(k->all->wk->up, b->arena, &rq, &ops, k, &why);
	}
	if (b->transfer)
		return;
	forget_request(b);
	sink_done(k, LOG_LATER, reason_info(why)->word.p);
}

void sink_cancel(struct sink *k)
{
	if (k->batch->transfer)
		transfer_cancel(k->batch->transfer);
	if (k->batch->arena)
		forget_request(k->batch);
}
