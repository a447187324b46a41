/* alert_webhook.c - `gatehouse alert webhook …` and `alert silence …`. */
#include "cli/output.h"
#include "cli/resource.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/str.h"
#include "db/alerts.h"

enum { SECRET_FILE_MAX = 4096 };

static const struct option set_options[] = {
	{ "url", OPTION_TEXT, "URL", "where messages are posted to", false },
	{ "description", OPTION_TEXT, "TEXT", "what it is for", false },
	{ "enabled", OPTION_TEXT, "yes|no", "whether it is called (yes); what comes up meanwhile waits", false },
	{ "secret-file", OPTION_TEXT, "FILE", "file with the signing secret whsec_…; without it one is made", false },
	{ "new-secret", OPTION_FLAG, NULL, "make another secret and print it", false },
	OPTION_END,
};

/* A new webhook gets a secret by itself; this is about those that are there. */
static gh_rc take_secret(struct cli *c, json_t *doc, struct str *made, struct gh_err *err)
{
	const char *file = option_text(&c->options, "secret-file");
	struct str text;

	if (file && option_flag(&c->options, "new-secret"))
		return cli_usage(c, err, "give --secret-file or --new-secret, not both");
	if (file)
		TRY(file_read(c->arena, file, SECRET_FILE_MAX, &text, err));
	else if (option_flag(&c->options, "new-secret"))
		TRY(store_alert_secret_new(c->arena, made, err));
	else
		return GH_RC_OK;
	text = file ? str_trim(text) : *made;
	if (json_object_set_new(doc, "secret", json_stringn(text.p, text.n)) != 0)
		FAIL(err, INVALID, "the secret is no text in UTF-8");
	return GH_RC_OK;
}

static gh_rc set(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = { { "Secret", "secret", COLUMN_TEXT, 0, NULL } };
	static const struct doc_option fields[] = { { "url", "url", DOC_TEXT }, { "description", "description", DOC_TEXT }, { "enabled", "enabled", DOC_YES },
						    DOC_END };
	struct resource_outcome out = { .issued = NULL };
	json_t *doc = cli_document(c, fields);
	struct str secret = STR_NULL;
	struct cli_change ch;

	TRY(take_secret(c, doc, &secret, err));
	TRY(cli_change_begin(c, &ch, err));
	TRY(cli_change_end(&ch, cli_lay(&ch, "alert-webhook", str_of(c->options.args[0]), doc, &out, err), err));
	if (!secret.n)
		secret = jsn_str(out.issued, "secret");
	if (secret.n)
		output_row(c, columns, 1, &secret, false);
	return GH_RC_OK;
}

const struct command command_alert_webhook_set = {
	.name = "alert webhook-set", .args = "ID", .least_args = 1, .most_args = 1, .summary = "make or change a webhook for alerts",
	.help = "Messages are signed by the Standard Webhooks scheme (standardwebhooks.com). The secret is printed when it is made, this once.",
	.options = set_options, .run = set,
};

static gh_rc list(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_alert_webhook, id), NULL },
		{ "ENABLED", "enabled", COLUMN_BOOL, offsetof(struct store_alert_webhook, enabled), NULL },
		{ "URL", "url", COLUMN_TEXT, offsetof(struct store_alert_webhook, url), NULL },
		{ "PROBLEM", "problem", COLUMN_TEXT, offsetof(struct store_alert_webhook, problem), NULL },
		{ "DESCRIPTION", "description", COLUMN_TEXT, offsetof(struct store_alert_webhook, description), NULL },
	};
	struct store_alert_webhook *v;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_alert_webhooks(s, c->arena, false, &v, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), v, n, sizeof(*v));
	return GH_RC_OK;
}

const struct command command_alert_webhook_list = { .name = "alert webhook-list", .summary = "list the webhooks for alerts", .run = list };

static gh_rc delete(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "alert-webhook", str_of(c->options.args[0]), err);
}

const struct command command_alert_webhook_delete = {
	.name = "alert webhook-delete", .args = "ID", .least_args = 1, .most_args = 1, .summary = "delete a webhook, with what waits for it",
	.run = delete,
};

static const struct option deliveries_options[] = {
	{ "webhook", OPTION_TEXT, "ID", "only calls of this webhook", false },
	{ "state", OPTION_TEXT, "waiting|delivered|failed", "only those", false },
	{ "limit", OPTION_INT, "N", "at most this many, newest first (100)", false },
	OPTION_END,
};

static gh_rc deliveries(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_alert_delivery, id), NULL },
		{ "WEBHOOK", "webhook", COLUMN_TEXT, offsetof(struct store_alert_delivery, webhook_id), NULL },
		{ "STATE", "state", COLUMN_NAME, offsetof(struct store_alert_delivery, state), store_alert_delivery_names },
		{ "TRIES", "tries", COLUMN_INT, offsetof(struct store_alert_delivery, tries), NULL },
		{ "STATUS", "status", COLUMN_INT, offsetof(struct store_alert_delivery, status), NULL },
		{ "CREATED", "created", COLUMN_TIME, offsetof(struct store_alert_delivery, created_us), NULL },
		{ "CHANGED", "changed", COLUMN_TIME, offsetof(struct store_alert_delivery, changed_us), NULL },
		{ "DUE", "due", COLUMN_TIME, offsetof(struct store_alert_delivery, due_us), NULL },
		{ "PROBLEM", "problem", COLUMN_TEXT, offsetof(struct store_alert_delivery, problem), NULL },
		{ "EVENT", "event", COLUMN_TEXT, offsetof(struct store_alert_delivery, event_id), NULL },
	};
	const struct store_alert_delivery_filter f = { .webhook_id = str_of(option_text(&c->options, "webhook")),
						       .state = alert_word(store_alert_delivery_names, str_of(option_text(&c->options, "state"))),
						       .limit = (size_t)option_int(&c->options, "limit", 100) };
	struct store_alert_delivery *v;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_alert_deliveries(s, c->arena, &f, &v, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), v, n, sizeof(*v));
	return GH_RC_OK;
}

const struct command command_alert_deliveries = {
	.name = "alert deliveries", .summary = "list webhook calls that wait, were taken or given up", .options = deliveries_options,
	.run = deliveries,
};

static gh_rc again(struct cli *c, struct gh_err *err)
{
	struct store *s;

	TRY(cli_store(c, true, &s, err));
	TRY(store_tx_begin(s, str_of(cli_actor(c)), err));
	return store_tx_end(s, store_alert_delivery_again(s, str_of(c->options.args[0]), err), err);
}

const struct command command_alert_again = {
	.name = "alert again", .args = "ID", .least_args = 1, .most_args = 1, .summary = "make a webhook call that was given up once more",
	.run = again,
};

/* ---- silences -------------------------------------------------------------------------------------------------------------------- */

static const struct option silence_options[] = {
	{ "rule", OPTION_TEXT, "ID", "only this rule", false },
	{ "env", OPTION_TEXT, "ID", "only what is about this environment", false },
	{ "api", OPTION_TEXT, "ID", "only what is about this API", false },
	{ "from", OPTION_TEXT, "TIME", "when it begins: 2027-01-31T22:00:00Z (now)", false },
	{ "to", OPTION_TEXT, "TIME", "when it ends", false },
	{ "for", OPTION_TEXT, "TIME", "how long it lasts: 2h, in place of --to", false },
	{ "repeat", OPTION_TEXT, "daily|weekly|never", "a maintenance window that comes again (never)", false },
	{ "comment", OPTION_TEXT, "TEXT", "why", false },
	OPTION_END,
};

static const struct doc_option silence_fields[] = {
	{ "rule", "rule", DOC_OR_NULL }, { "env", "environment", DOC_OR_NULL }, { "api", "api", DOC_OR_NULL }, { "comment", "comment", DOC_TEXT }, DOC_END
};

static gh_rc take_times(struct cli *c, json_t *doc, struct gh_err *err)
{
	const char *from = option_text(&c->options, "from"), *to = option_text(&c->options, "to"), *span = option_text(&c->options, "for");
	const char *repeat = option_text_or(&c->options, "repeat", "never");
	int64_t seconds, from_us = clock_wall_us(), to_us = 0;
	char iso[CLOCK_ISO_MAX];

	if (from && !clock_parse_date(str_of(from), &from_us))
		return cli_usage(c, err, "--from: '%s' is no time such as 2027-01-31T22:00:00Z", from);
	if (!to == !span)
		return cli_usage(c, err, "say when it ends, with --to or --for");
	if (to && !clock_parse_date(str_of(to), &to_us))
		return cli_usage(c, err, "--to: '%s' is no time such as 2027-02-01T02:00:00Z", to);
	if (span && !clock_parse_duration(str_of(span), &seconds))
		return cli_usage(c, err, "--for: '%s' is no time such as 30m or 2h", span);
	if (span)
		to_us = from_us + seconds * 1000000;
	json_object_set_new(doc, "from", json_string(clock_iso(from_us, 6, iso)));
	json_object_set_new(doc, "to", json_string(clock_iso(to_us, 6, iso)));
	json_object_set_new(doc, "repeatSeconds", json_integer(strcmp(repeat, "daily") == 0 ? 86400 : strcmp(repeat, "weekly") == 0 ? 7 * 86400 : 0));
	return GH_RC_OK;
}

static gh_rc silence(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = { { "Silence", "id", COLUMN_TEXT, 0, NULL } };
	json_t *doc = cli_document(c, silence_fields);
	struct resource_outcome out;

	TRY(take_times(c, doc, err));
	TRY(cli_create(c, "alert-silence", STR_NULL, doc, &out, err));
	output_row(c, columns, 1, &out.id, false);
	return GH_RC_OK;
}

const struct command command_alert_silence = {
	.name = "alert silence", .summary = "tell nobody for a while: of a rule, an environment, an API, or of all",
	.help = "States go on and stand in the history. What is still bad at its end is told then.", .options = silence_options, .run = silence,
};

static gh_rc silences(struct cli *c, struct gh_err *err)
{
	static const struct column columns[] = {
		{ "ID", "id", COLUMN_TEXT, offsetof(struct store_alert_silence, id), NULL },
		{ "FROM", "from", COLUMN_TIME, offsetof(struct store_alert_silence, from_us), NULL },
		{ "TO", "to", COLUMN_TIME, offsetof(struct store_alert_silence, to_us), NULL },
		{ "REPEAT", "repeatSeconds", COLUMN_INT, offsetof(struct store_alert_silence, repeat_s), NULL },
		{ "RULE", "rule", COLUMN_TEXT, offsetof(struct store_alert_silence, rule_id), NULL },
		{ "ENVIRONMENT", "environment", COLUMN_TEXT, offsetof(struct store_alert_silence, environment_id), NULL },
		{ "API", "api", COLUMN_TEXT, offsetof(struct store_alert_silence, api_id), NULL },
		{ "BY", "by", COLUMN_TEXT, offsetof(struct store_alert_silence, created_by), NULL },
		{ "COMMENT", "comment", COLUMN_TEXT, offsetof(struct store_alert_silence, comment), NULL },
	};
	struct store_alert_silence *v;
	struct store *s;
	size_t n;

	TRY(cli_store(c, false, &s, err));
	TRY(store_alert_silences(s, c->arena, &v, &n, err));
	output_list(c, columns, ARRAY_LEN(columns), v, n, sizeof(*v));
	return GH_RC_OK;
}

const struct command command_alert_silences = { .name = "alert silences", .summary = "list silences and maintenance windows", .run = silences };

static gh_rc unsilence(struct cli *c, struct gh_err *err)
{
	return cli_remove(c, "alert-silence", str_of(c->options.args[0]), err);
}

const struct command command_alert_unsilence = {
	.name = "alert unsilence", .args = "ID", .least_args = 1, .most_args = 1, .summary = "end a silence now", .run = unsilence,
};
