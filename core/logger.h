/* logger.h - where log-to-eventhub sends its messages: the settings of a logger as data, and messages as bytes.
 *
 * A logger is stored configuration (db/loggers.h): a kind, settings as JSON, and secret header fields as JSON.
 *
 *   kind     settings
 *   http     url, format (ndjson | json | lines), timeoutMs, headers {NAME: VALUE}; secrets: {NAME: VALUE} of headers
 *   file     path, format (ndjson | lines), maxBytes: a file that grew past it becomes PATH.1
 *   syslog   address (unix:PATH | udp://HOST:PORT | tcp://HOST:PORT), facility, appName, sdId
 *
 * No function sends anything: fcgi/log_sink.h does. Thread-safe. */
#pragma once

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"

enum logger_kind { LOGGER_HTTP, LOGGER_FILE, LOGGER_SYSLOG, LOGGER_KIND__COUNT };
extern const char *const logger_kind_names[LOGGER_KIND__COUNT + 1];      /* "http", …, NULL */
bool logger_kind_parse(struct str name, enum logger_kind *out);

enum logger_format { LOGGER_NDJSON, LOGGER_JSON, LOGGER_LINES, LOGGER_FORMAT__COUNT };
enum logger_socket { LOGGER_UNIX, LOGGER_UDP, LOGGER_TCP };

enum {
	LOGGER_HEADERS_MAX = 32,
	LOGGER_UDP_MAX = 60000,              /* bytes of one datagram over UDP; a longer message is cut to fit */
};

struct logger_header {
	struct str name, value;
};

struct logger_settings {                     /* texts in the arena, followed by a zero byte */
	enum logger_kind kind;
	enum logger_format format;
	struct str url;                      /* http */
	int64_t timeout_ms;
	struct logger_header headers[LOGGER_HEADERS_MAX];
	size_t n_headers;
	struct str path;                     /* file; or of a unix socket */
	int64_t max_bytes;
	enum logger_socket socket;           /* syslog */
	struct str host, port;
	unsigned facility;
	struct str app_name, sd_id;
};

/* Reads and checks. secrets may be STR_NULL. INVALID with a sentence that names the setting. */
GH_RC logger_settings_read(struct arena *a, enum logger_kind kind, struct str settings, struct str secrets,
			   struct logger_settings *out, struct gh_err *err);

struct logger_event {
	int64_t time_us;                     /* wall clock */
	struct str logger, request_id, partition_id, partition_key, text;    /* ids STR_NULL when not given */
};

/* One message as it leaves, at the end of out: a line for ndjson and lines (line breaks inside become blanks in the
 * latter), an element for json, an RFC 5424 message for syslog (without framing; host is HOSTNAME). */
void logger_encode(struct buf *out, const struct logger_settings *s, const struct logger_event *e, struct str host);
