#include "core/logger.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/str.h"
#include "core/suggest.h"
#include "core/uri.h"

enum { TIMEOUT_DEFAULT_MS = 10000, TIMEOUT_MAX_MS = 300000, SEVERITY_INFO = 6, HOSTNAME_MAX = 255, APP_NAME_MAX = 48,
       SD_NAME_MAX = 32, UNIX_PATH_MAX = 107 };
#define MAX_BYTES_DEFAULT (INT64_C(1) << 30)
#define MAX_BYTES_LEAST (INT64_C(1) << 16)

const char *const logger_kind_names[LOGGER_KIND__COUNT + 1] = { "http", "file", "syslog", NULL };
static const char *const format_names[] = { "ndjson", "json", "lines", NULL };

/* RFC 5424 section 6.2.1, by number. */
static const char *const facilities[] = {
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
	"alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7", NULL,
};

static bool index_of(const char *const *names, struct str name, unsigned *out)
{
	for (*out = 0; names[*out]; ++*out)
		if (str_eq(str_of(names[*out]), name))
			return true;
	return false;
}

bool logger_kind_parse(struct str name, enum logger_kind *out)
{
	unsigned i;

	if (!index_of(logger_kind_names, name, &i))
		return false;
	*out = (enum logger_kind)i;
	return true;
}

/* ---- settings ---------------------------------------------------------------------------------------------------------- */

struct reader {
	struct arena *a;
	const json_t *from;
	struct logger_settings *out;
	struct gh_err *err;
};

static gh_rc text(struct reader *r, const char *name, struct str *out)
{
	struct str s = jsn_str(r->from, name);

	*out = s.p ? arena_dup(r->a, s) : STR_NULL;
	if (s.p && !out->p)
		FAIL(r->err, NOMEM, "settings of a logger");
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20)
			FAIL(r->err, INVALID, "`%s` holds a control character", name);
	return GH_RC_OK;
}

static gh_rc number(struct reader *r, const char *name, int64_t otherwise, int64_t least, int64_t most, int64_t *out)
{
	*out = jsn_int(r->from, name, otherwise);
	if (*out < least || *out > most)
		FAIL(r->err, INVALID, "`%s` is a number from %lld to %lld", name, (long long)least, (long long)most);
	return GH_RC_OK;
}

static gh_rc format(struct reader *r, unsigned allowed)
{
	struct str name = jsn_str(r->from, "format");
	unsigned i = LOGGER_NDJSON;

	if (name.p && (!index_of(format_names, name, &i) || !(allowed & 1u << i)))
		FAIL(r->err, INVALID, "`format` is one of ndjson%s and lines, not '%.*s'",
		     allowed & 1u << LOGGER_JSON ? ", json" : "", STR_ARG(str_first(name, 40)));
	r->out->format = (enum logger_format)i;
	return GH_RC_OK;
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !memchr("!#$%&'*+-.^_`|~", s.p[i], 15))
			return false;
	return s.n > 0;
}

static gh_rc headers(struct reader *r, json_t *from, const char *what)
{
	const char *name;
	json_t *value;

	if (from && !json_is_object(from))
		FAIL(r->err, INVALID, "%s are an object of names and values", what);
	json_object_foreach(from, name, value) {
		struct logger_header *h = &r->out->headers[r->out->n_headers];
		struct str v = jsn_string(value);

		if (r->out->n_headers == LOGGER_HEADERS_MAX)
			FAIL(r->err, INVALID, "a logger takes at most %d headers", LOGGER_HEADERS_MAX);
		if (!is_token(str_of(name)) || !v.p)
			FAIL(r->err, INVALID, "%s: '%.60s' is no name of a header, or its value is no text", what, name);
		for (size_t i = 0; i < v.n; i++)
			if ((unsigned char)v.p[i] < 0x20 && v.p[i] != '\t')
				FAIL(r->err, INVALID, "%s: the value of '%.60s' holds a control character", what, name);
		h->name = arena_dup(r->a, str_of(name));
		h->value = arena_dup(r->a, v);
		if (!h->name.p || !h->value.p)
			FAIL(r->err, NOMEM, "settings of a logger");
		r->out->n_headers++;
	}
	return GH_RC_OK;
}

static gh_rc read_http(struct reader *r, const json_t *secrets)
{
	struct uri u;

	TRY(text(r, "url", &r->out->url));
	if (!uri_parse(r->out->url, &u) || !u.host.n || !(str_eq_ci(u.scheme, STR("http")) || str_eq_ci(u.scheme, STR("https"))))
		FAIL(r->err, INVALID, "`url` is an http or https address");
	if (u.userinfo.p)
		FAIL(r->err, INVALID, "`url` holds a password; put an Authorization header into the secrets instead");
	TRY(format(r, 1u << LOGGER_NDJSON | 1u << LOGGER_JSON | 1u << LOGGER_LINES));
	TRY(number(r, "timeoutMs", TIMEOUT_DEFAULT_MS, 1, TIMEOUT_MAX_MS, &r->out->timeout_ms));
	TRY(headers(r, jsn_get(r->from, "headers"), "headers"));
	return headers(r, (json_t *)(uintptr_t)secrets, "secret headers");
}

static gh_rc read_file(struct reader *r)
{
	TRY(text(r, "path", &r->out->path));
	if (!r->out->path.n || r->out->path.p[0] != '/')
		FAIL(r->err, INVALID, "`path` is a whole path, beginning with /");
	TRY(format(r, 1u << LOGGER_NDJSON | 1u << LOGGER_LINES));
	return number(r, "maxBytes", MAX_BYTES_DEFAULT, MAX_BYTES_LEAST, INT64_MAX, &r->out->max_bytes);
}

static gh_rc read_address(struct reader *r)
{
	struct logger_settings *s = r->out;
	struct str address, host;
	unsigned port = 0;

	TRY(text(r, "address", &address));
	if (str_starts(address, STR("unix:/"))) {
		s->socket = LOGGER_UNIX;
		s->path = str_from(address, 5);
		if (s->path.n > UNIX_PATH_MAX)
			FAIL(r->err, INVALID, "the path of a unix socket has at most %d bytes", UNIX_PATH_MAX);
		return GH_RC_OK;
	}
	s->socket = str_starts(address, STR("tcp://")) ? LOGGER_TCP : LOGGER_UDP;
	if ((s->socket == LOGGER_UDP && !str_starts(address, STR("udp://"))) || !uri_parse_authority(str_from(address, 6), &host, &port)
	    || !port)
		FAIL(r->err, INVALID, "`address` is unix:PATH, udp://HOST:PORT or tcp://HOST:PORT");
	if (host.n > 2 && host.p[0] == '[')
		host = str_first(str_from(host, 1), host.n - 2);
	s->host = arena_dup(r->a, host);
	s->port = arena_printf(r->a, "%u", port);
	if (!s->host.p || !s->port.p)
		FAIL(r->err, NOMEM, "settings of a logger");
	return GH_RC_OK;
}

/* PRINTUSASCII, and for names of structured data no '=', ']', '"' (section 6). */
static bool is_printable(struct str s, size_t most, const char *without)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 33 || s.p[i] > 126 || strchr(without, s.p[i]))
			return false;
	return s.n > 0 && s.n <= most;
}

static gh_rc read_syslog(struct reader *r)
{
	struct logger_settings *s = r->out;
	struct str facility = jsn_str(r->from, "facility");

	TRY(read_address(r));
	if (!index_of(facilities, facility.p ? facility : STR("local0"), &s->facility)) {
		const char *near = suggest(facility, facilities);

		FAIL(r->err, INVALID, "there is no facility '%.*s'%s%s", STR_ARG(str_first(facility, 40)),
		     near ? "; did you mean " : "", near ? near : "");
	}
	TRY(text(r, "appName", &s->app_name));
	TRY(text(r, "sdId", &s->sd_id));
	if (!s->app_name.p)
		s->app_name = STR("gatehouse");
	if (!s->sd_id.p)
		s->sd_id = STR("gatehouse@32473");   /* the number that RFC 5612 keeps for examples */
	if (!is_printable(s->app_name, APP_NAME_MAX, ""))
		FAIL(r->err, INVALID, "`appName` has 1 to %d printable ASCII characters without blanks", APP_NAME_MAX);
	if (!is_printable(s->sd_id, SD_NAME_MAX, "=]\""))
		FAIL(r->err, INVALID, "`sdId` has 1 to %d printable ASCII characters without blanks, '=', ']' and '\"'", SD_NAME_MAX);
	return GH_RC_OK;
}

gh_rc logger_settings_read(struct arena *a, enum logger_kind kind, struct str settings, struct str secrets,
			   struct logger_settings *out, struct gh_err *err)
{
	struct reader r = { .a = a, .out = out, .err = err };
	json_t *s, *hidden = NULL;

	*out = (struct logger_settings){ .kind = kind };
	TRY(jsn_parse_in(a, settings, NULL, &s, NULL, err));
	if (secrets.p)
		TRY(jsn_parse_in(a, secrets, NULL, &hidden, NULL, err));
	r.from = s;
	switch (kind) {
	case LOGGER_HTTP:
		return read_http(&r, hidden);
	case LOGGER_FILE:
		return read_file(&r);
	default:
		return read_syslog(&r);
	}
}

/* ---- messages ---------------------------------------------------------------------------------------------------------- */

static void member(struct buf *out, const char *name, struct str value)
{
	if (str_is_null(value))
		return;
	buf_fmt(out, ",\"%s\":", name);
	buf_json(out, value);
}

static void encode_json(struct buf *out, const struct logger_event *e)
{
	char when[CLOCK_ISO_MAX];

	buf_fmt(out, "{\"time\":\"%s\"", clock_iso(e->time_us, 6, when));
	member(out, "logger", e->logger);
	member(out, "requestId", e->request_id);
	member(out, "partitionId", e->partition_id);
	member(out, "partitionKey", e->partition_key);
	member(out, "message", e->text);
	buf_char(out, '}');
}

/* A message with line breaks stays one line. */
static void encode_line(struct buf *out, struct str text)
{
	char *to = buf_room(out, text.n);

	if (!to)
		return;
	for (size_t i = 0; i < text.n; i++)
		to[i] = text.p[i] == '\n' || text.p[i] == '\r' ? ' ' : text.p[i];
	buf_wrote(out, text.n);
}

/* PARAM-VALUE, section 6.3.3. */
static void sd_param(struct buf *out, const char *name, struct str value)
{
	if (str_is_null(value))
		return;
	buf_fmt(out, " %s=\"", name);
	for (size_t i = 0; i < value.n; i++) {
		if (strchr("\"\\]", value.p[i]) && value.p[i])
			buf_char(out, '\\');
		if ((unsigned char)value.p[i] >= 0x20)
			buf_char(out, value.p[i]);
	}
	buf_char(out, '"');
}

static void encode_syslog(struct buf *out, const struct logger_settings *s, const struct logger_event *e, struct str host)
{
	char when[CLOCK_ISO_MAX];

	buf_fmt(out, "<%u>1 %s %.*s %.*s - log-to-eventhub [%.*s", s->facility * 8 + SEVERITY_INFO, clock_iso(e->time_us, 6, when),
		STR_ARG(is_printable(host, HOSTNAME_MAX, "") ? host : STR("-")), STR_ARG(s->app_name), STR_ARG(s->sd_id));
	sd_param(out, "logger", e->logger);
	sd_param(out, "requestId", e->request_id);
	sd_param(out, "partitionId", e->partition_id);
	sd_param(out, "partitionKey", e->partition_key);
	buf_cstr(out, "] ");
	if (utf8_valid(e->text))
		buf_cstr(out, "\xEF\xBB\xBF");       /* MSG-UTF8 begins with a BOM, section 6.4 */
	buf_str(out, e->text);
}

void logger_encode(struct buf *out, const struct logger_settings *s, const struct logger_event *e, struct str host)
{
	if (s->kind == LOGGER_SYSLOG) {
		encode_syslog(out, s, e, host);
		return;
	}
	if (s->format == LOGGER_LINES)
		encode_line(out, e->text);
	else
		encode_json(out, e);
	if (s->format != LOGGER_JSON)
		buf_char(out, '\n');
}
