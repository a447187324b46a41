#include "keeper/access_log.h"

#include "core/access_line.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log_write.h"
#include "core/str.h"
#include "keeper/post.h"

#include <stdlib.h>
#include <unistd.h>

enum { MEMORY = 256 << 10, HEADERS_MAX = 32 << 10, BATCH_BYTES = 1 << 20, BATCH_LINES = 5000, HOST_MAX = 256, SEVERITY_INFO = 6 };

struct access_log {
	struct arena *arena;                 /* of settings */
	struct logger_settings to;
	struct access_format *format;
	bool is_json;
	char host[HOST_MAX];
	struct log_link link;
	struct post *post;
	struct buf body;
	struct outbox *outbox;
};

/* ---- lines ------------------------------------------------------------------------------------------------------------------- */

/* RFC 5424: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG. The time is that of the call. */
static void put_syslog_head(struct buf *b, const struct access_log *l, const struct telemetry_call *call)
{
	char when[CLOCK_ISO_MAX];

	buf_fmt(b, "<%u>1 %s %s %.*s - access - ", l->to.facility * 8 + SEVERITY_INFO, clock_iso(call->started_us, 6, when), l->host,
		STR_ARG(l->to.app_name));
}

void access_log_add(struct access_log *l, const struct telemetry_call *call)
{
	struct buf *b = outbox_item(l->outbox);

	if (l->to.kind == LOGGER_SYSLOG)
		put_syslog_head(b, l, call);
	access_line(b, l->format, call);
	if (l->to.kind != LOGGER_SYSLOG)
		buf_char(b, '\n');
	outbox_add(l->outbox);
}

/* ---- sending ----------------------------------------------------------------------------------------------------------------- */

static enum outbox_outcome send_http(struct access_log *l, struct outbox_batch *b, const atomic_bool *stop)
{
	const struct log_job job = { .bytes = b->bytes, .n = b->n };
	struct str line, answer;
	size_t at = 0;

	buf_clear(&l->body);
	while (log_job_next(&job, &at, &line))
		buf_str(&l->body, line);
	return post_send(l->post, &l->to, l->is_json ? "application/x-ndjson" : "text/plain; charset=utf-8", buf_view(&l->body), b, stop, &answer);
}

static enum outbox_outcome send_log(void *ctx, struct outbox_batch *b, const atomic_bool *stop)
{
	struct access_log *l = ctx;
	struct log_job job = { .settings = &l->to, .link = &l->link, .bytes = b->bytes, .n = b->n };

	if (l->to.kind == LOGGER_HTTP)
		return send_http(l, b, stop);
	log_job_write(&job);
	b->at = job.at;
	b->left = job.left;
	b->lost = job.lost;
	memcpy(b->error, job.error, sizeof(b->error) < sizeof(job.error) ? sizeof(b->error) : sizeof(job.error));
	return job.failed ? OUTBOX_LATER : OUTBOX_SENT;
}

/* ---- settings ---------------------------------------------------------------------------------------------------------------- */

/* The settings of a logger say the same: they are read and checked as one (core/logger.h). */
static gh_rc read_target(struct access_log *l, const struct config *config, struct gh_err *err)
{
	struct str to = config_text(config, CONFIG_ACCESS_LOG_TO), headers = config_text(config, CONFIG_ACCESS_LOG_HEADERS_FILE);
	struct str facility = config_text(config, CONFIG_ACCESS_LOG_FACILITY), secrets = STR_NULL;
	enum logger_kind kind = LOGGER_SYSLOG;
	json_t *v;

	if (to.p[0] == '/') {
		kind = LOGGER_FILE;
		v = json_pack("{s:s%, s:I}", "path", to.p, to.n, "maxBytes", (json_int_t)config_int(config, CONFIG_ACCESS_LOG_FILE_BYTES));
	} else if (str_starts(to, STR("http://")) || str_starts(to, STR("https://"))) {
		kind = LOGGER_HTTP;
		v = json_pack("{s:s%, s:I}", "url", to.p, to.n, "timeoutMs", (json_int_t)config_int(config, CONFIG_EXPORT_TIMEOUT_MS));
	} else {
		v = json_pack("{s:s%, s:s%}", "address", to.p, to.n, "facility", facility.p, facility.n);
	}
	if (!jsn_keep(l->arena, v))
		FAIL(err, NOMEM, "settings of the access log");
	if (headers.n)
		TRY(file_read(l->arena, arena_cstr(l->arena, headers), HEADERS_MAX, &secrets, err));
	return logger_settings_read(l->arena, kind, jsn_text(l->arena, v, 0), secrets, &l->to, err);
}

/* HOSTNAME is printable ASCII, or "-". */
static void read_host(struct access_log *l)
{
	bool good = gethostname(l->host, sizeof(l->host) - 1) == 0 && l->host[0];

	for (size_t i = 0; good && l->host[i]; i++)
		good = l->host[i] > 32 && l->host[i] < 127;
	if (!good)
		memcpy(l->host, "-", 2);
}

static gh_rc start(struct access_log *l, const struct config *config, struct gh_err *err)
{
	const struct outbox_options o = { .name = "access_log", .queue_bytes = (size_t)config_int(config, CONFIG_EXPORT_QUEUE_BYTES),
					  .batch_bytes = BATCH_BYTES, .batch_items = BATCH_LINES, .send = send_log, .ctx = l };
	struct str format = config_text(config, CONFIG_ACCESS_LOG_FORMAT);

	TRY(read_target(l, config, err));
	TRY(access_format_parse(l->arena, format, &l->format, err));
	l->is_json = str_eq(format, STR("json"));
	read_host(l);
	if (l->to.kind == LOGGER_HTTP)
		TRY(post_new(config_text(config, CONFIG_EXPORT_CA_FILE), &l->post, err));
	return outbox_start(&o, &l->outbox, err);
}

gh_rc access_log_start(const struct config *config, struct access_log **out, struct gh_err *err)
{
	struct access_log *l;
	gh_rc rc;

	*out = NULL;
	if (!config_text(config, CONFIG_ACCESS_LOG_TO).n)
		return GH_RC_OK;
	l = calloc(1, sizeof(*l));
	if (!l || !(l->arena = arena_new(MEMORY))) {
		free(l);
		FAIL(err, NOMEM, "the access log");
	}
	l->link = (struct log_link)LOG_LINK_INIT;
	buf_init(&l->body, 2 * BATCH_BYTES);
	rc = start(l, config, err);
	if (rc.code)
		access_log_stop(l);
	else
		*out = l;
	return rc;
}

void access_log_stop(struct access_log *l)
{
	if (!l)
		return;
	outbox_stop(l->outbox);
	log_link_close(&l->link);
	post_free(l->post);
	buf_release(&l->body);
	arena_free(l->arena);
	free(l);
}

struct outbox *access_log_outbox(struct access_log *l)
{
	return l->outbox;
}
