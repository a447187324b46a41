#include "keeper/otlp.h"

#include "core/file.h"
#include "core/json.h"
#include "core/log_write.h"
#include "core/str.h"
#include "core/version.h"
#include "keeper/post.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MEMORY = 256 << 10, HEADERS_MAX = 32 << 10, BATCH_BYTES = 1 << 20, BATCH_ITEMS = 500, HOST_MAX = 256 };

const char *const otlp_names[OTLP_SIGNAL__COUNT] = { "otlp_traces", "otlp_logs" };

static const struct {
	const char *path, *open, *scope, *list;
} signals[OTLP_SIGNAL__COUNT] = { { "/v1/traces", "resourceSpans", "scopeSpans", "spans" },
				  { "/v1/logs", "resourceLogs", "scopeLogs", "logRecords" } };

struct otlp {
	enum otlp_signal signal;
	struct arena *arena;                 /* of settings */
	struct logger_settings to;
	struct str service;
	char host[HOST_MAX];
	int64_t sample_percent;
	struct post *post;
	struct buf body;
	struct outbox *outbox;
};

void otlp_add(struct otlp *o, const struct telemetry_call *call)
{
	struct buf *b = outbox_item(o->outbox);
	size_t before = b->n;

	if (o->signal == OTLP_TRACES)
		otlp_spans(b, call, o->sample_percent);
	else
		otlp_log(b, call);
	if (b->n > before || !buf_ok(b))
		outbox_add(o->outbox);
}

/* ---- sending ----------------------------------------------------------------------------------------------------------------- */

static void put_head(struct otlp *o)
{
	struct buf *b = &o->body;

	buf_fmt(b, "{\"%s\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":", signals[o->signal].open);
	buf_json(b, o->service);
	buf_cstr(b, "}},{\"key\":\"service.version\",\"value\":{\"stringValue\":\"" GATEHOUSE_VERSION "\"}},{\"key\":\"host.name\",\"value\":{\"stringValue\":");
	buf_json(b, str_of(o->host));
	buf_cstr(b, "}}]},");
	buf_fmt(b, "\"%s\":[{\"scope\":{\"name\":\"gatehouse\",\"version\":\"" GATEHOUSE_VERSION "\"},\"%s\":[", signals[o->signal].scope,
		signals[o->signal].list);
}

/* {"partialSuccess": {"rejectedSpans": "3", "errorMessage": "…"}}: what was not taken is not to be sent again. */
static void read_answer(struct str answer, struct outbox_batch *b)
{
	static const char *const counts[] = { "rejectedSpans", "rejectedLogRecords" };
	const struct jsn_limits limits = { .max_bytes = 65536, .max_depth = 8 };
	struct gh_err err;
	uint64_t n = 0;
	json_t *v, *part;

	if (!answer.n || jsn_parse(answer, &limits, &v, NULL, &err).code)
		return;
	part = jsn_obj(v, "partialSuccess");
	for (size_t i = 0; i < ARRAY_LEN(counts) && !n; i++)
		if (!str_to_u64(jsn_str(part, counts[i]), INT64_MAX, &n))
			n = (uint64_t)jsn_int(part, counts[i], 0);
	if (n) {
		struct str why = jsn_str(part, "errorMessage");

		b->lost = n < b->items ? n : b->items;
		snprintf(b->error, sizeof(b->error), "the receiver rejected %llu: %.*s", (unsigned long long)n, STR_ARG(str_first(why, 120)));
	}
	json_decref(v);
}

static enum outbox_outcome send_batch(void *ctx, struct outbox_batch *b, const atomic_bool *stop)
{
	struct otlp *o = ctx;
	const struct log_job job = { .bytes = b->bytes, .n = b->n };
	enum outbox_outcome what;
	struct str item, answer;
	size_t at = 0, n = 0;

	buf_clear(&o->body);
	put_head(o);
	while (log_job_next(&job, &at, &item)) {
		if (n++)
			buf_char(&o->body, ',');
		buf_str(&o->body, item);
	}
	buf_cstr(&o->body, "]}]}]}");
	what = post_send(o->post, &o->to, "application/json", buf_view(&o->body), b, stop, &answer);
	if (what == OUTBOX_SENT)
		read_answer(answer, b);
	return what;
}

/* ---- settings ---------------------------------------------------------------------------------------------------------------- */

static gh_rc read_target(struct otlp *o, const struct config *config, struct gh_err *err)
{
	struct str base = config_text(config, CONFIG_OTLP_ENDPOINT), headers = config_text(config, CONFIG_OTLP_HEADERS_FILE), url, secrets = STR_NULL;
	json_t *v;

	while (base.n && base.p[base.n - 1] == '/')
		base.n--;
	url = arena_printf(o->arena, "%.*s%s", STR_ARG(base), signals[o->signal].path);
	v = json_pack("{s:s%, s:I}", "url", url.p, url.n, "timeoutMs", (json_int_t)config_int(config, CONFIG_EXPORT_TIMEOUT_MS));
	if (!jsn_keep(o->arena, v))
		FAIL(err, NOMEM, "settings of OpenTelemetry");
	if (headers.n)
		TRY(file_read(o->arena, arena_cstr(o->arena, headers), HEADERS_MAX, &secrets, err));
	return logger_settings_read(o->arena, LOGGER_HTTP, jsn_text(o->arena, v, 0), secrets, &o->to, err);
}

static gh_rc start(struct otlp *o, const struct config *config, struct gh_err *err)
{
	const struct outbox_options options = { .name = otlp_names[o->signal], .queue_bytes = (size_t)config_int(config, CONFIG_EXPORT_QUEUE_BYTES),
						.batch_bytes = BATCH_BYTES, .batch_items = BATCH_ITEMS, .send = send_batch, .ctx = o };

	TRY(read_target(o, config, err));
	o->service = config_text(config, CONFIG_OTLP_SERVICE_NAME);
	o->sample_percent = config_int(config, CONFIG_OTLP_SAMPLE_PERCENT);
	if (gethostname(o->host, sizeof(o->host) - 1) != 0)
		o->host[0] = '\0';
	TRY(post_new(config_text(config, CONFIG_EXPORT_CA_FILE), &o->post, err));
	return outbox_start(&options, &o->outbox, err);
}

gh_rc otlp_start(const struct config *config, enum otlp_signal signal, struct otlp **out, struct gh_err *err)
{
	enum setting wanted = signal == OTLP_TRACES ? CONFIG_OTLP_TRACES : CONFIG_OTLP_LOGS;
	struct otlp *o;
	gh_rc rc;

	*out = NULL;
	if (!config_text(config, CONFIG_OTLP_ENDPOINT).n || !config_bool(config, wanted))
		return GH_RC_OK;
	o = calloc(1, sizeof(*o));
	if (!o || !(o->arena = arena_new(MEMORY))) {
		free(o);
		FAIL(err, NOMEM, "OpenTelemetry");
	}
	o->signal = signal;
	buf_init(&o->body, 3 * BATCH_BYTES);
	rc = start(o, config, err);
	if (rc.code)
		otlp_stop(o);
	else
		*out = o;
	return rc;
}

void otlp_stop(struct otlp *o)
{
	if (!o)
		return;
	outbox_stop(o->outbox);
	post_free(o->post);
	buf_release(&o->body);
	arena_free(o->arena);
	free(o);
}

struct outbox *otlp_outbox(struct otlp *o)
{
	return o->outbox;
}
