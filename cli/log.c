/* log.c - `gatehouse log`: the calls, as they happen.
 *
 * What the keeper has taken in is in the store, what it has not is in the workers' segments; both together are all calls.
 * To show each of them once, the segments are opened first (a mapping outlives the removal of its file), then rows and the
 * keeper's places in the segments are read in one transaction, and reading goes on from those places. Following needs
 * neither the keeper nor the store: it reads the segments as they grow. */
#include "cli/command.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/refusal.h"
#include "core/str.h"
#include "core/telemetry.h"
#include "db/analytics.h"
#include "db/captures.h"
#include "db/subscriptions.h"
#include "db/telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const struct option options[] = {
	{ "f", OPTION_FLAG, NULL, "go on and show calls as they happen", false },
	{ "n", OPTION_INT, "N", "show the last N calls (50; with -f 10)", false },
	{ "api", OPTION_TEXT, "ID", "only calls of this API", false },
	{ "range", OPTION_TEXT, "RANGE", "only calls of this time: 24h, 7d, today, yesterday, or FROM/TO (UTC)", false },
	{ "status", OPTION_TEXT, "STATUS", "only this status (429) or class (5xx)", false },
	{ "subscription", OPTION_TEXT, "ID", "only calls of this subscription", false },
	{ "request-id", OPTION_TEXT, "ID", "only this request, with what was decided and why", false },
	{ "id", OPTION_TEXT, "ID", "the same, shorter", false },
	{ "correlation", OPTION_TEXT, "ID", "only calls to which the backend gave this id", false },
	{ "key", OPTION_TEXT, "START", "only calls with a key that begins so (its first 6 characters count)", false },
	{ "address", OPTION_TEXT, "IP", "only calls from this address", false },
	{ "before", OPTION_TEXT, "ID", "only calls before the one of this request id: with -n, page by page", false },
	{ "trace-id", OPTION_TEXT, "ID", "only calls of this trace (32 digits, or a whole traceparent)", false },
	OPTION_END,
};

enum { POLL_MS = 100, LAST_DEFAULT = 50, LAST_FOLLOWING = 10, LAST_MAX = 10000, BATCH_MAX = 2000 };

struct tail {                                /* a segment that is being read */
	struct tail *next;
	char name[SEGMENT_NAME_MAX];
	struct segment *segment;             /* NULL: read to its end and closed */
	uint64_t offset;
	bool listed;
};

struct follower {
	struct cli *cli;
	char dir[PATHS_MAX];
	struct store_calls_filter filter;
	struct tail *tails;
	struct map places;                   /* segment -> where the keeper was, uint64_t */
	struct telemetry_call *batch;
	size_t n;
	size_t shown;
	int hold;                            /* segments_follow */
	struct cache *cache;                 /* NULL: not looked for yet, or not there */
	bool cache_tried;
};

/* ---- which calls -------------------------------------------------------------------------------------------------------- */

static gh_rc parse_status(struct cli *c, const char *text, int *out, struct gh_err *err)
{
	struct str s = str_of(text);
	uint64_t v;

	*out = 0;
	if (!text)
		return GH_RC_OK;
	if (s.n == 3 && s.p[0] >= '1' && s.p[0] <= '5' && str_eq_ci(str_from(s, 1), STR("xx"))) {
		*out = s.p[0] - '0';
		return GH_RC_OK;
	}
	if (s.n != 3 || !str_to_u64(s, 599, &v) || v < 100)
		return cli_usage(c, err, "--status needs a status from 100 to 599, or a class such as 5xx; not \"%s\"", text);
	*out = (int)v;
	return GH_RC_OK;
}

/* A relative one has no end, for calls may go on to come. */
static gh_rc parse_range(struct cli *c, struct store_calls_filter *f, struct gh_err *err)
{
	struct str text = str_of(option_text(&c->options, "range"));
	int64_t now_us = clock_wall_us();
	struct gh_err why;

	if (analytics_range(text, now_us, &f->from_us, &f->to_us, &why).code)
		return cli_usage(c, err, "--range: %s", why.message);
	if (f->to_us >= now_us)
		f->to_us = 0;
	return GH_RC_OK;
}

/* One of the ids of a call; a traceparent (W3C) is 00-TRACE-SPAN-FLAGS. */
static gh_rc parse_ids(struct cli *c, struct store_calls_filter *f, struct gh_err *err)
{
	struct str trace = str_of(option_text(&c->options, "trace-id"));

	f->request_id = str_of(option_text(&c->options, "request-id"));
	if (!f->request_id.p)
		f->request_id = str_of(option_text(&c->options, "id"));
	f->correlation = str_of(option_text(&c->options, "correlation"));
	f->trace_id = trace.n == 55 && trace.p[2] == '-' ? str_first(str_from(trace, 3), 32) : trace;
	f->key_prefix = str_of(option_text(&c->options, "key"));
	if (f->key_prefix.p && f->key_prefix.n < STORE_KEY_PREFIX)
		return cli_usage(c, err, "--key needs the first %d characters of a key", STORE_KEY_PREFIX);
	f->key_prefix = str_first(f->key_prefix, STORE_KEY_PREFIX);
	f->address = str_of(option_text(&c->options, "address"));
	if ((f->request_id.p != NULL) + (f->correlation.p != NULL) + (f->trace_id.p != NULL) > 1)
		return cli_usage(c, err, "give one of --id, --correlation and --trace-id");
	return GH_RC_OK;
}

static bool wanted(const struct store_calls_filter *f, const struct telemetry_call *call)
{
	if ((f->from_us && call->started_us < f->from_us) || (f->to_us && call->started_us >= f->to_us))
		return false;
	if (f->status && (f->status < 10 ? call->status / 100 : call->status) != f->status)
		return false;
	return (!f->api.p || str_eq(f->api, call->api)) && (!f->subscription.p || str_eq(f->subscription, call->subscription))
	       && (!f->request_id.p || str_eq(f->request_id, call->request_id))
	       && (!f->correlation.p || str_eq(f->correlation, call->correlation))
	       && (!f->key_prefix.p || str_eq(f->key_prefix, call->key_prefix)) && (!f->address.p || str_eq(f->address, call->client_ip))
	       && (!f->trace_id.p || str_eq(f->trace_id, call->trace_id));
}

/* ---- how they look ------------------------------------------------------------------------------------------------------- */

/* A text of the client must not move the cursor or forge a line. */
static void add_safe(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
			buf_fmt(b, "\\x%02x", (unsigned char)s.p[i]);
		else
			buf_char(b, s.p[i]);
	}
}

static void add_if(struct buf *b, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_fmt(b, " %s=", name);
	add_safe(b, value);
}

static void print_line(struct buf *b, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_fmt(b, "    %-12s ", name);
	add_safe(b, value);
	buf_char(b, '\n');
}

/* No cache, or one that cannot be read: nothing was captured that could be shown. */
static bool was_captured(struct follower *f, struct str request_id)
{
	struct gh_err err;
	json_t *v = NULL;

	if (!f->cache_tried && cli_cache(f->cli, &f->cache, &err).code)
		f->cache = NULL;
	f->cache_tried = true;
	return f->cache && !store_captured_call(f->cache, f->cli->arena, request_id, &v, &err).code && v;
}

static void print_steps(struct buf *b, struct str steps)
{
	struct str line;

	while (steps.n && str_split(&steps, '\n', &line))
		print_line(b, "step", line);
}

static void print_tries(struct buf *b, const struct telemetry_call *t)
{
	struct str rest = t->tries;
	struct telemetry_try one;
	struct buf words;

	buf_init(&words, 512);
	for (; telemetry_try_next(t, &rest, &one); buf_clear(&words)) {
		telemetry_try_words(&words, &one);
		print_line(b, "try", buf_view(&words));
	}
	buf_release(&words);
}

/* For who asks about one call: which layer decided, what was compared, what mends it. */
static void print_decision(struct follower *f, struct buf *b, const struct telemetry_call *t)
{
	struct refusal_help help = refusal_help(t->reason);

	if (t->reason.n) {
		print_line(b, "layer", help.layer);
		print_line(b, "reason", t->reason);
	}
	print_line(b, "compared", t->detail);
	print_line(b, "decision", t->decision);
	print_line(b, "in", t->place);
	print_line(b, "limit", t->limits);
	print_line(b, "shown", t->credential);
	print_steps(b, t->steps);
	print_line(b, "application", t->application);
	print_line(b, "backend", t->backend);
	print_tries(b, t);
	print_line(b, "correlation", t->correlation);
	print_line(b, "trace", t->trace_id);
	if (t->reason.n)
		print_line(b, "fix", help.fix);
	if (was_captured(f, t->request_id))
		print_line(b, "captured", arena_printf(f->cli->arena, "headers and bodies: gatehouse capture show %.*s", STR_ARG(t->request_id)));
}

static void print_call(struct follower *f, const struct telemetry_call *t)
{
	struct cli *c = f->cli;
	char time[CLOCK_ISO_MAX];
	struct buf *b = &c->out;

	f->shown++;
	if (c->json) {
		telemetry_json(b, t);
		buf_char(b, '\n');
		return;
	}
	buf_fmt(b, "%s %03d ", clock_iso(t->started_us, 3, time), t->status);
	add_safe(b, t->method);
	buf_char(b, ' ');
	add_safe(b, t->path);
	buf_fmt(b, " %.1fms", (double)t->total_us / 1000);
	if (t->backend_us)
		buf_fmt(b, " (backend %.1fms)", (double)t->backend_us / 1000);
	add_if(b, "api", t->api);
	add_if(b, "operation", t->operation);
	add_if(b, "subscription", t->subscription);
	if (t->cache != TELEMETRY_CACHE_NONE)
		add_if(b, "cache", str_of(telemetry_cache_name((enum telemetry_cache)t->cache)));
	add_if(b, "reason", t->reason);
	add_if(b, "id", t->request_id);
	buf_char(b, '\n');
	if (f->filter.request_id.p || f->filter.correlation.p || f->filter.trace_id.p)
		print_decision(f, b, t);
}

/* ---- segments ------------------------------------------------------------------------------------------------------------ */

static struct tail *tail_of(struct follower *f, struct str name)
{
	for (struct tail *t = f->tails; t; t = t->next)
		if (str_eq(str_of(t->name), name))
			return t;
	return NULL;
}

static void open_new(struct follower *f, struct str name)
{
	const uint64_t *place = map_get(&f->places, name);
	struct tail *t = calloc(1, sizeof(*t));

	if (!t)
		return;
	if (segment_open(f->dir, name, &t->segment, NULL).code) {
		free(t);
		return;
	}
	snprintf(t->name, sizeof(t->name), "%.*s", STR_ARG(name));
	t->offset = place ? *place : 0;
	t->listed = true;
	t->next = f->tails;
	f->tails = t;
}

/* Opens what is new, forgets what has been read to its end and is gone. */
static gh_rc look(struct follower *f, struct gh_err *err)
{
	struct arena *a = arena_new(1 << 24);
	struct str *names;
	size_t n;
	gh_rc rc;

	if (f->hold < 0)                             /* the folder may not have been there yet; -1 is no reason not to show calls */
		f->hold = segments_follow(f->dir);
	rc = a ? segments_list(a, f->dir, &names, &n, err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory");
	for (struct tail *t = f->tails; t; t = t->next)
		t->listed = false;
	for (size_t i = 0; !rc.code && i < n; i++) {
		struct tail *t = tail_of(f, names[i]);

		if (t)
			t->listed = true;
		else
			open_new(f, names[i]);
	}
	for (struct tail **at = &f->tails; *at;) {
		struct tail *t = *at;

		if (t->listed || t->segment) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		free(t);
	}
	arena_free(a);
	return rc;
}

static int by_time(const void *x, const void *y)
{
	const struct telemetry_call *a = x, *b = y;

	return (a->started_us > b->started_us) - (a->started_us < b->started_us);
}

static void print_batch(struct follower *f, size_t last)
{
	size_t from = f->n > last ? f->n - last : 0;

	qsort(f->batch, f->n, sizeof(*f->batch), by_time);
	for (size_t i = from; i < f->n; i++)
		print_call(f, &f->batch[i]);
	f->n = 0;
}

/* Reads what has come; segments that are read to their end are closed once the batch, which borrows from them, is out. */
static gh_rc read_tails(struct follower *f, size_t last, struct gh_err *err)
{
	struct telemetry_call call;
	bool damaged;

	for (struct tail *t = f->tails; t; t = t->next) {
		while (t->segment && segment_next(t->segment, &t->offset, &call, &damaged)) {
			if (!wanted(&f->filter, &call))
				continue;
			if (f->n == BATCH_MAX + LAST_MAX) {
				print_batch(f, last);
				TRY(cli_flush(f->cli, err));
			}
			f->batch[f->n++] = call;
		}
	}
	print_batch(f, last);
	TRY(cli_flush(f->cli, err));
	for (struct tail *t = f->tails; t; t = t->next) {
		if (t->segment && segment_finished(t->segment) && t->offset >= segment_committed(t->segment)) {
			segment_close(t->segment);
			t->segment = NULL;
		}
	}
	return GH_RC_OK;
}

/* ---- the store ------------------------------------------------------------------------------------------------------------ */

static gh_rc read_places(struct follower *f, struct store *s, struct gh_err *err)
{
	struct str *names;
	size_t n;

	TRY(store_segments(s, f->cli->arena, &names, &n, err));
	for (size_t i = 0; i < n; i++) {
		uint64_t *place = arena_new_of(f->cli->arena, uint64_t), dropped;
		bool found;

		if (!place || !map_put(&f->places, names[i], place))
			FAIL(err, NOMEM, "no memory for %zu segments", n);
		TRY(store_segment_find(s, names[i], place, &dropped, &found, err));
	}
	for (struct tail *t = f->tails; t; t = t->next) {
		const uint64_t *place = map_get(&f->places, str_of(t->name));

		t->offset = place ? *place : 0;
	}
	return GH_RC_OK;
}

/* What the keeper has not taken in yet is newer than all that it has. */
static gh_rc read_before(struct follower *f, struct store *s, struct str id, struct gh_err *err)
{
	const struct store_calls_filter of_id = { .request_id = id, .limit = 1 };
	struct store_call *rows;
	size_t n;

	TRY(store_calls(s, f->cli->arena, &of_id, &rows, &n, err));
	if (!n)
		FAIL(err, NOT_FOUND, "--before: no call that is kept has the id '%.*s'; one of the last second may come yet", STR_ARG(str_first(id, 80)));
	f->filter.before_row = rows[0].row;
	for (struct tail *t = f->tails; t; t = t->next) {
		segment_close(t->segment);
		t->segment = NULL;
	}
	return GH_RC_OK;
}

static gh_rc read_store(struct follower *f, struct store *s, struct gh_err *err)
{
	struct str before = str_of(option_text(&f->cli->options, "before"));
	struct store_call *rows;
	size_t n;

	if (before.p)
		TRY(read_before(f, s, before, err));
	TRY(read_places(f, s, err));
	TRY(store_calls(s, f->cli->arena, &f->filter, &rows, &n, err));
	for (size_t i = 0; i < n; i++)
		f->batch[f->n++] = rows[i].call;
	return GH_RC_OK;
}

/* ---- the command ---------------------------------------------------------------------------------------------------------- */

static gh_rc begin(struct follower *f, struct gh_err *err)
{
	struct cli *c = f->cli;
	bool following = option_flag(&c->options, "f");
	int64_t last = option_int(&c->options, "n", following ? LAST_FOLLOWING : LAST_DEFAULT);

	if (following && option_text(&c->options, "before"))
		return cli_usage(c, err, "--before and -f do not go together: those that are to come are not before");
	if (last > LAST_MAX)
		return cli_usage(c, err, "-n takes a number up to %d", LAST_MAX);
	if (option_text(&c->options, "range"))
		TRY(parse_range(c, &f->filter, err));
	TRY(parse_status(c, option_text(&c->options, "status"), &f->filter.status, err));
	f->filter.api = str_of(option_text(&c->options, "api"));
	f->filter.subscription = str_of(option_text(&c->options, "subscription"));
	TRY(parse_ids(c, &f->filter, err));
	f->filter.limit = last ? (size_t)last : 1;
	map_init(&f->places, c->arena, false);
	TRY(paths_join(f->dir, c->state_dir, "telemetry", err));
	f->batch = arena_alloc(c->arena, BATCH_MAX + LAST_MAX, sizeof(*f->batch));
	if (!f->batch)
		FAIL(err, NOMEM, "no memory for the calls");
	return look(f, err);
}

static gh_rc show_past(struct follower *f, struct gh_err *err)
{
	struct store *s;
	gh_rc rc;

	TRY(cli_store(f->cli, false, &s, err));
	TRY(store_read_begin(s, err));
	rc = read_store(f, s, err);
	store_read_end(s);
	if (!rc.code)
		rc = read_tails(f, option_int(&f->cli->options, "n", 1) ? f->filter.limit : 0, err);
	return rc;
}

static bool one_call(const struct store_calls_filter *f)
{
	return f->request_id.p || f->correlation.p || f->trace_id.p;
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	static const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	struct follower f = { .cli = c, .hold = -1 };

	TRY(begin(&f, err));
	TRY(show_past(&f, err));
	if (!f.shown && one_call(&f.filter) && !option_flag(&c->options, "f"))
		cli_warn(c, "no call has this id: single calls are kept as telemetry.raw_days and telemetry.raw_bytes say, and what the web server "
			    "refused by itself is in its own log");
	while (option_flag(&c->options, "f")) {
		nanosleep(&pause, NULL);
		TRY(look(&f, err));
		TRY(read_tails(&f, SIZE_MAX, err));
	}
	while (f.tails) {
		struct tail *t = f.tails;

		f.tails = t->next;
		segment_close(t->segment);
		free(t);
	}
	if (f.hold >= 0)
		close(f.hold);
	return GH_RC_OK;
}

const struct command command_log = {
	.name = "log", .summary = "show the calls, with -f as they happen", .options = options, .run = run,
	.help = "Text lines name time, status, method, path, durations, API, subscription and why the gateway refused;\n"
		"--format json prints one object a line with everything that is known of a call.",
};
