/* logger.c - `gatehouse logger …`: where the policy log-to-eventhub sends its messages. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/json.h"
#include "core/logger.h"
#include "core/str.h"
#include "db/loggers.h"

enum { FILE_MAX_BYTES = 65536 };

static const struct option create_options[] = {
	{ "kind", OPTION_TEXT, "http|file|syslog", "what it is", true },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "url", OPTION_TEXT, "URL", "http: where messages are posted to", false },
	{ "headers-file", OPTION_TEXT, "FILE", "http: JSON of header names and values, for keys; kept sealed", false },
	{ "timeout-ms", OPTION_INT, "N", "http: how long one post may take (10000)", false },
	{ "path", OPTION_TEXT, "PATH", "file: where messages are written to", false },
	{ "max-bytes", OPTION_INT, "N", "file: beyond it the file becomes PATH.1 and a new one is begun (1 GiB)", false },
	{ "address", OPTION_TEXT, "ADDRESS", "syslog: unix:PATH, udp://HOST:PORT or tcp://HOST:PORT", false },
	{ "facility", OPTION_TEXT, "NAME", "syslog: facility (local0)", false },
	{ "app-name", OPTION_TEXT, "NAME", "syslog: APP-NAME (gatehouse)", false },
	{ "sd-id", OPTION_TEXT, "NAME@NUMBER", "syslog: name of the structured data (gatehouse@32473)", false },
	{ "format", OPTION_TEXT, "ndjson|json|lines", "http, file: a JSON object a line, one JSON array, or bare messages", false },
	OPTION_END,
};

/* Which options belong to which kind, and what they are called in the settings. */
static const struct {
	const char *option, *setting;
	bool is_number;
	enum logger_kind kind;
} rows[] = {
	{ "url", "url", false, LOGGER_HTTP },              { "timeout-ms", "timeoutMs", true, LOGGER_HTTP },
	{ "format", "format", false, LOGGER_HTTP },        { "path", "path", false, LOGGER_FILE },
	{ "max-bytes", "maxBytes", true, LOGGER_FILE },    { "format", "format", false, LOGGER_FILE },
	{ "address", "address", false, LOGGER_SYSLOG },    { "facility", "facility", false, LOGGER_SYSLOG },
	{ "app-name", "appName", false, LOGGER_SYSLOG },   { "sd-id", "sdId", false, LOGGER_SYSLOG },
};

static bool belongs(const char *option, enum logger_kind kind)
{
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].option, option) == 0) {
			if (rows[i].kind == kind)
				return true;
			known = true;
		}
	return !known;
}

static bool given(const struct cli *c, const char *name)
{
	return option_text(&c->options, name) || option_int(&c->options, name, -1) >= 0;
}

static gh_rc settings_of(struct cli *c, enum logger_kind kind, json_t **out, struct gh_err *err)
{
	json_t *settings = jsn_keep(c->arena, json_object());

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *option = rows[i].option;

		if (!given(c, option))
			continue;
		if (!belongs(option, kind))
			return cli_usage(c, err, "--%s does not go with --kind %s", option, logger_kind_names[kind]);
		if (rows[i].kind == kind)
			json_object_set_new(settings, rows[i].setting,
					    rows[i].is_number ? json_integer(option_int(&c->options, option, 0))
							      : json_string(option_text(&c->options, option)));
	}
	*out = settings;
	return GH_RC_OK;
}

static gh_rc create(struct cli *c, struct gh_err *err)
{
	static const struct doc_option fields[] = { { "kind", "kind", DOC_TEXT }, { "description", "description", DOC_TEXT }, DOC_END };
	const char *file = option_text(&c->options, "headers-file");
	json_t *doc = cli_document(c, fields), *settings = NULL;
	enum logger_kind kind;

	if (!logger_kind_parse(str_of(option_text(&c->options, "kind")), &kind))
		return cli_usage(c, err, "--kind is http, file or syslog");
	TRY(settings_of(c, kind, &settings, err));
	if (file && kind != LOGGER_HTTP)
		return cli_usage(c, err, "--headers-file does not go with --kind %s", logger_kind_names[kind]);
	json_object_set(doc, "settings", settings);
	json_object_set_new(doc, "secretHeaders", json_null());
	if (file)
		TRY(cli_file_field(c, doc, "secretHeaders", file, FILE_MAX_BYTES, err));
	return cli_replace(c, "logger", str_of(c->options.args[0]), doc, err);
}

const struct command command_logger_create = {
	.name = "logger create", .args = "ID", .least_args = 1, .most_args = 1,
	.summary = "make or replace a logger for the policy log-to-eventhub",
	.help = "The gateway must be able to write the file, or to reach the address.", .options = create_options, .run = create,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_logger, id), NULL },
		{ "KIND", "kind", COLUMN_TEXT, offsetof(struct store_logger, kind), NULL },
		{ "SETTINGS", "settings", COLUMN_TEXT, offsetof(struct store_logger, settings), NULL },
		{ "DESCRIPTION", "description", COLUMN_TEXT, offsetof(struct store_logger, description), NULL },
	};
	struct store_logger *v;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_loggers(s, c->arena, false, &v, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), v, n, sizeof(*v));
	return GH_RC_OK;
}

const struct command command_logger_list = {
	.name = "logger list", .summary = "list the loggers; secret headers are not shown", .run = list,
};

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "logger", str_of(c->options.args[0]), err);
}

const struct command command_logger_delete = {
	.name = "logger delete", .args = "ID", .least_args = 1, .most_args = 1, .summary = "delete a logger",
	.help = "Messages of policies that still name it are dropped and counted.", .run = delete,
};
