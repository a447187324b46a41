/* capture.c - `gatehouse capture`: headers and bodies of calls, written down for some minutes. */
#include "cli/command.h"
#include "cli/output.h"

#include "core/cache.h"
#include "core/clock.h"
#include "core/str.h"
#include "db/captures.h"

/* ---- start ------------------------------------------------------------------------------------------------------------ */

static const struct option start_options[] = {
	{ "api", OPTION_TEXT, "ID", "calls of this API", false },
	{ "subscription", OPTION_TEXT, "ID", "calls with a key of this subscription", false },
	{ "address", OPTION_TEXT, "NETWORK", "calls from this address or network", false },
	{ "for", OPTION_TEXT, "TIME", "how long, such as 90s or 30m; at most 60m (10m)", false },
	{ "calls", OPTION_INT, "N", "how many calls at most, up to 500 (100)", false },
	{ "body-bytes", OPTION_INT, "N", "how much of each body, up to 65536; 0: headers only (16384)", false },
	{ "mask", OPTION_MANY, "NAME,...", "fields, parameters and members to mask besides those that are known as secret", false },
	OPTION_END,
};

static gh_rc start(struct cli *c, struct gh_err *err)
{
	struct store_capture x = {
		.api_id = str_of(option_text(&c->options, "api")), .subscription_id = str_of(option_text(&c->options, "subscription")),
		.address = str_of(option_text(&c->options, "address")), .calls = option_int(&c->options, "calls", CAPTURE_CALLS),
		.body_bytes = option_int(&c->options, "body-bytes", CAPTURE_BODY_BYTES), .marked = STR(""),
	};
	const char *time = option_text(&c->options, "for"), *name;
	char until[CLOCK_ISO_MAX];
	int64_t seconds = CAPTURE_SECONDS;
	struct store *s;

	if (time && !clock_parse_duration(str_of(time), &seconds))
		return cli_usage(c, err, "--for is a time such as 90s or 10m, not '%s'", time);
	if (!x.calls)
		return cli_usage(c, err, "--calls is at least 1");
	for (size_t i = 0; (name = option_nth(&c->options, "mask", i)); i++)
		x.marked = arena_printf(c->arena, "%.*s %s", STR_ARG(x.marked), name);
	TRY(cli_store(c, true, &s, err));
	TRY(store_capture_start(s, c->arena, str_of(cli_actor(c)), seconds, &x, err));
	clock_iso(x.until_us, 0, until);
	if (c->json)
		buf_fmt(&c->out, "{\"id\": \"%.*s\", \"until\": \"%s\"}\n", STR_ARG(x.id), until);
	else
		buf_fmt(&c->out, "%.*s\non until %s; `gatehouse capture show %.*s` lists the calls\n", STR_ARG(x.id), until, STR_ARG(x.id));
	return GH_RC_OK;
}

const struct command command_capture_start = {
	.name = "capture start", .summary = "write down headers and bodies of calls for a while",
	.help = "Secrets are masked before anything is written. It ends by itself; what was written is kept for a day.",
	.options = start_options, .run = start,
};

static gh_rc stop(struct cli *c, struct gh_err *err)
{
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	return store_capture_stop(s, c->arena, str_of(cli_actor(c)), str_of(c->options.args[0]), err);
}

const struct command command_capture_stop = {
	.name = "capture stop", .args = "ID", .least_args = 1, .most_args = 1, .summary = "end a capture before its time", .run = stop,
};

/* ---- list ------------------------------------------------------------------------------------------------------------- */

struct printed {
	struct store_capture capture;
	struct str of, state;
	bool on;
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct printed, capture.id), NULL },
		{ "OF", "of", COLUMN_TEXT, offsetof(struct printed, of), NULL },
		{ "ON", "on", COLUMN_BOOL, offsetof(struct printed, on), NULL },
		{ "STARTED", "started", COLUMN_TIME, offsetof(struct printed, capture.started_us), NULL },
		{ "UNTIL", "until", COLUMN_TIME, offsetof(struct printed, capture.until_us), NULL },
		{ "CALLS", "calls", COLUMN_INT, offsetof(struct printed, capture.calls), NULL },
		{ "BODY", "bodyBytes", COLUMN_INT, offsetof(struct printed, capture.body_bytes), NULL },
		{ "BY", "startedBy", COLUMN_TEXT, offsetof(struct printed, capture.started_by), NULL },
		{ "ENDED", "ended", COLUMN_TIME, offsetof(struct printed, capture.ended_us), NULL },
		{ "ENDED BY", "endedBy", COLUMN_TEXT, offsetof(struct printed, state), NULL },
	};
	int64_t now = clock_wall_us();
	struct store_capture *v;
	struct printed *rows;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_captures(s, c->arena, 0, 0, &v, &n, err));
	rows = arena_alloc(c->arena, n + 1, sizeof(*rows));
	if (!rows)
		FAIL(err, NOMEM, "%zu captures", n);
	for (size_t i = 0; i < n; i++) {
		rows[i].capture = v[i];
		rows[i].on = store_capture_is_on(&v[i], now);
		rows[i].state = rows[i].on ? STR("") : v[i].ended_us ? v[i].ended_by : STR("time");
		rows[i].of = v[i].api_id.n ? arena_printf(c->arena, "api:%.*s", STR_ARG(v[i].api_id))
			     : v[i].subscription_id.n ? arena_printf(c->arena, "subscription:%.*s", STR_ARG(v[i].subscription_id))
						      : arena_printf(c->arena, "address:%.*s", STR_ARG(v[i].address));
	}
	output_list(c, columns, ARRAY_LEN(columns), rows, n, sizeof(*rows));
	return GH_RC_OK;
}

const struct command command_capture_list = {
	.name = "capture list", .summary = "list the captures that are on and those of the last days", .run = list,
};

/* ---- show ------------------------------------------------------------------------------------------------------------- */

static struct str shown(const json_t *v, const char *name)
{
	struct str text = jsn_str(v, name);

	return text.n ? text : STR("-");
}

/* A body, or a name that a client chose, must not move the cursor. */
static void put_visible(struct buf *b, struct str s)
{
	for (size_t at = 0; at < s.n; at++)
		if ((unsigned char)s.p[at] >= 0x20 || s.p[at] == '\t')
			buf_char(b, s.p[at]);
}

static void print_text(struct buf *b, struct str text)
{
	for (struct str line; text.n && str_split(&text, '\n', &line);) {
		buf_cstr(b, "  | ");
		put_visible(b, line);
		buf_char(b, '\n');
	}
}

static void print_part(struct buf *b, const json_t *part)
{
	struct str note = jsn_str(part, "note");

	buf_cstr(b, "  part ");
	put_visible(b, shown(part, "name"));
	for (const char *const *name = (const char *const[]){ "file", "type", NULL }; *name; name++) {
		if (jsn_str(part, *name).n)
			buf_cstr(b, ", ");
		put_visible(b, jsn_str(part, *name));
	}
	buf_fmt(b, " (%lld bytes%s%s%.*s)\n", (long long)jsn_int(part, "bytes", 0), jsn_bool(part, "cut", false) ? ", cut" : "", note.n ? ", not shown: " : "",
		STR_ARG(note));
	print_text(b, jsn_str(part, "text"));
}

static void print_message(struct buf *b, const char *title, const json_t *m)
{
	const json_t *body = jsn_obj(m, "body"), *field;
	struct str note = jsn_str(body, "note");
	size_t i;

	if (!m)
		return;
	buf_fmt(b, "\n%s", title);
	if (jsn_str(m, "url").n)
		buf_fmt(b, "  %.*s %.*s", STR_ARG(jsn_str(m, "method")), STR_ARG(jsn_str(m, "url")));
	if (jsn_int(m, "status", 0))
		buf_fmt(b, "  %lld", (long long)jsn_int(m, "status", 0));
	buf_char(b, '\n');
	json_array_foreach (jsn_arr(m, "headers"), i, field)
		buf_fmt(b, "  %.*s: %.*s\n", STR_ARG(jsn_str(field, "name")), STR_ARG(jsn_str(field, "value")));
	if (jsn_int(body, "bytes", 0))
		buf_fmt(b, "  (%lld bytes%s)\n", (long long)jsn_int(body, "bytes", 0), jsn_bool(body, "cut", false) ? ", cut" : "");
	if (note.n)
		buf_fmt(b, "  (body not shown: %.*s)\n", STR_ARG(note));
	print_text(b, jsn_str(body, "text"));
	json_array_foreach (jsn_arr(body, "parts"), i, field)
		print_part(b, field);
}

static void print_call(struct buf *b, const json_t *v)
{
	const json_t *times = jsn_obj(v, "timings");

	buf_fmt(b, "%.*s  %.*s  api %.*s  operation %.*s  subscription %.*s  from %.*s\n", STR_ARG(shown(v, "time")), STR_ARG(shown(v, "id")),
		STR_ARG(shown(v, "api")), STR_ARG(shown(v, "operation")), STR_ARG(shown(v, "subscription")), STR_ARG(shown(v, "address")));
	buf_fmt(b, "status %lld  %lld us in all, %lld us in the backend\n", (long long)jsn_int(v, "status", 0),
		(long long)jsn_int(times, "totalUs", 0), (long long)jsn_int(times, "backendUs", 0));
	print_message(b, "from the client", jsn_obj(v, "request"));
	print_message(b, "to the backend", jsn_obj(v, "backendRequest"));
	print_message(b, "from the backend", jsn_obj(v, "backendResponse"));
	print_message(b, "to the client", jsn_obj(v, "response"));
}

static void print_calls(struct buf *b, const json_t *all)
{
	const json_t *v;
	size_t i;

	json_array_foreach (all, i, v)
		buf_fmt(b, "%.*s  %.*s  %lld  %.*s %.*s\n", STR_ARG(shown(v, "time")), STR_ARG(shown(v, "id")),
			(long long)jsn_int(v, "status", 0), STR_ARG(shown(v, "method")), STR_ARG(shown(v, "path")));
	if (!json_array_size(all))
		buf_cstr(b, "no call has been captured yet\n");
}

static gh_rc show(struct cli *c, struct gh_err *err)
{
	struct str id = str_of(c->options.args[0]);
	struct store_capture capture;
	struct cache *cache;
	struct store *s;
	json_t *v = NULL;
	bool found;

	TRY(cli_store(c, true, &s, err));
	TRY(store_capture_find(s, c->arena, id, &capture, &found, err));
	TRY(cli_cache(c, &cache, err));
	if (found) {
		TRY(store_capture_calls(cache, c->arena, id, &v, err));
	} else {
		TRY(store_captured_call(cache, c->arena, id, &v, err));
		if (!v)
			FAIL(err, NOT_FOUND, "there is no capture and no captured call '%.*s'; calls are kept for a day", STR_ARG(str_first(id, 200)));
		TRY(store_capture_seen(s, str_of(cli_actor(c)), id, err));
	}
	if (c->json) {
		jsn_write(&c->out, v, JSN_INDENT);
		buf_char(&c->out, '\n');
	} else if (found) {
		print_calls(&c->out, v);
	} else {
		print_call(&c->out, v);
	}
	return GH_RC_OK;
}

const struct command command_capture_show = {
	.name = "capture show", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "list the calls of a capture, or print all of one call (by its request id)", .run = show,
};
