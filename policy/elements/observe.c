/* observe.c - trace, emit-metric and log-to-eventhub: what a document tells about a request. */
#include "policy/elements/message_ops.h"

#include "core/str.h"

enum { EVENT_MAX = 204000 };         /* bytes; longer messages are cut, as documented */

struct pair_config {                 /* metadata, dimension */
	struct arg name, value;
};

#define PAIR_ARGS(value_flags, what)                                                                                  \
	{ .name = "name", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct pair_config, name), \
	  .help = "name of the " what },                                                                              \
	{ .name = "value", .kind = ARG_TEXT, .flags = (value_flags), .offset = offsetof(struct pair_config, value),   \
	  .help = "its value" }

/* ---- trace ------------------------------------------------------------------------------------------------------- */

struct trace_config {
	struct arg source, severity, text;
	struct children parts;
};

static const struct element_schema message_schema;

static enum step run_trace(struct exchange *x, const void *config)
{
	static const char *const severities[] = { "verbose", "information", "error" };
	const struct trace_config *c = config;
	struct str text;
	int64_t severity;

	if (!x->trace_on)
		return STEP_NEXT;
	if (!arg_get_int(x, &c->severity, &severity) || !arg_get_text(x, &c->text, &text))
		return STEP_FAIL;
	exchange_trace(x, "%s from %.*s%s%.*s", severities[severity], STR_ARG(c->source.text), text.n ? ": " : "",
		       STR_ARG(text));
	for (size_t i = 0; i < c->parts.n; i++) {
		const struct child *k = &c->parts.v[i];
		const struct pair_config *p = k->config;
		struct str name;

		if (k->schema == &message_schema) {
			if (!arg_get_text(x, &((const struct text_config *)k->config)->text, &text))
				return STEP_FAIL;
			exchange_trace_message(x, text);
			continue;
		}
		if (!arg_get_text(x, &p->name, &name) || !arg_get_text(x, &p->value, &text))
			return STEP_FAIL;
		exchange_trace(x, "%.*s = %.*s", STR_ARG(name), STR_ARG(text));
	}
	return STEP_NEXT;
}

static const struct arg_schema message_text = {
	.name = "message",
	.kind = ARG_TEXT,
	.flags = ARG_EXPR | ARG_EMPTY,
	.offset = offsetof(struct text_config, text),
	.help = "the text",
};
static const struct element_schema message_schema = {
	.name = "message", .help = "The text.", .config_size = sizeof(struct text_config), .text = &message_text,
};
static const struct arg_schema metadata_args[] = { PAIR_ARGS(ARG_REQUIRED | ARG_EXPR | ARG_EMPTY, "property") };
static const struct element_schema metadata_schema = {
	.name = "metadata",
	.help = "A property of the trace.",
	.config_size = sizeof(struct pair_config),
	.args = metadata_args,
	.n_args = ARRAY_LEN(metadata_args),
};
static const struct child_schema trace_children[] = {
	{ .element = &message_schema, .max = 1, .offset = offsetof(struct trace_config, parts) },
	{ .element = &metadata_schema, .offset = offsetof(struct trace_config, parts) },
};
static const struct arg_schema trace_args[] = {
	{ .name = "source", .kind = ARG_TEXT, .flags = ARG_REQUIRED, .offset = offsetof(struct trace_config, source),
	  .help = "where the text comes from, for who reads the trace" },
	{ .name = "severity", .kind = ARG_ENUM, .choices = "verbose|information|error", .def = "verbose",
	  .offset = offsetof(struct trace_config, severity), .help = "how important it is" },
};
static const struct arg_schema trace_text = {
	.name = "text", .kind = ARG_TEXT, .flags = ARG_EXPR | ARG_EMPTY, .offset = offsetof(struct trace_config, text),
	.help = "the text, when there is no <message>",
};
static const struct element_schema trace_schema = {
	.name = "trace",
	.help = "Writes a text into the trace of the request.",
	.config_size = sizeof(struct trace_config),
	.args = trace_args,
	.n_args = ARRAY_LEN(trace_args),
	.text = &trace_text,
	.children = trace_children,
	.n_children = ARRAY_LEN(trace_children),
};
const struct policy_type trace_type = { .schema = &trace_schema, .sections = IN_ANY, .run = run_trace };

/* ---- emit-metric ------------------------------------------------------------------------------------------------- */

enum { DIMENSIONS_MAX = 10 };

struct metric_config {
	struct arg name, ns, value;
	struct children dimensions;
};

/* A dimension without a value is one of the known ones, filled from the context. */
static struct str known_dimension(const struct exchange *x, struct str name)
{
	const struct {
		struct str name, value;
	} known[] = {
		{ STR_INIT("API ID"), x->api ? x->api->id : STR_NULL },
		{ STR_INIT("Operation ID"), x->operation ? x->operation->id : STR_NULL },
		{ STR_INIT("Product ID"), x->product ? x->product->id : STR_NULL },
		{ STR_INIT("User ID"), x->user ? x->user->id : STR_NULL },
		{ STR_INIT("Subscription ID"), x->subscription ? x->subscription->id : STR_NULL },
		{ STR_INIT("Location"), x->deployment ? x->deployment->region : STR_NULL },
		{ STR_INIT("Gateway ID"), x->deployment ? x->deployment->gateway_id : STR_NULL },
		{ STR_INIT("Backend ID"), x->backend_id },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_ci(known[i].name, name))
			return known[i].value;
	return STR_NULL;
}

static enum step run_metric(struct exchange *x, const void *config)
{
	const struct metric_config *c = config;
	struct fields dimensions;
	double value;

	fields_init(&dimensions, x->arena);
	if (!arg_get_real(x, &c->value, &value))
		return STEP_FAIL;
	for (size_t i = 0; i < c->dimensions.n; i++) {
		const struct pair_config *d = c->dimensions.v[i].config;
		struct str name, text;

		if (!arg_get_text(x, &d->name, &name) || !arg_get_text(x, &d->value, &text))
			return STEP_FAIL;
		if (!d->value.given)
			text = known_dimension(x, name);
		if (!fields_add(&dimensions, name, text))
			return exchange_no_memory(x);
	}
	x->host->metric(x, c->ns.text, c->name.text, value, &dimensions);
	exchange_trace(x, "%.*s += %g", STR_ARG(c->name.text), value);
	return STEP_NEXT;
}

static const struct arg_schema dimension_args[] = { PAIR_ARGS(ARG_EXPR | ARG_EMPTY, "dimension") };
static const struct element_schema dimension_schema = {
	.name = "dimension",
	.help = "A dimension of the metric. Without a value: API ID, Operation ID, Product ID, User ID, "
		"Subscription ID, Location, Gateway ID or Backend ID.",
	.config_size = sizeof(struct pair_config),
	.args = dimension_args,
	.n_args = ARRAY_LEN(dimension_args),
};
static const struct child_schema metric_children[] = {
	{ .element = &dimension_schema, .max = DIMENSIONS_MAX, .offset = offsetof(struct metric_config, dimensions) },
};
static const struct arg_schema metric_args[] = {
	{ .name = "name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED,
	  .offset = offsetof(struct metric_config, name),
	  .help = "name of the metric" },
	{ .name = "namespace",
	  .kind = ARG_TEXT,
	  .def = "API Management",
	  .offset = offsetof(struct metric_config, ns),
	  .help = "namespace of the metric" },
	{ .name = "value",
	  .kind = ARG_REAL,
	  .flags = ARG_EXPR,
	  .def = "1",
	  .offset = offsetof(struct metric_config, value),
	  .help = "what is added" },
};
static const struct element_schema metric_schema = {
	.name = "emit-metric",
	.help = "Counts in a metric with dimensions.",
	.config_size = sizeof(struct metric_config),
	.args = metric_args,
	.n_args = ARRAY_LEN(metric_args),
	.children = metric_children,
	.n_children = ARRAY_LEN(metric_children),
};
const struct policy_type emit_metric_type = { .schema = &metric_schema, .sections = IN_ANY, .run = run_metric };

/* ---- log-to-eventhub --------------------------------------------------------------------------------------------- */

struct log_config {
	struct arg logger, partition_id, partition_key, text;
};

static enum step run_log(struct exchange *x, const void *config)
{
	const struct log_config *c = config;
	struct str text;

	if (!arg_get_text(x, &c->text, &text))
		return STEP_FAIL;
	x->host->log_to(x, c->logger.text, str_first(text, EVENT_MAX));
	exchange_trace(x, "%zu bytes to %.*s", text.n > EVENT_MAX ? (size_t)EVENT_MAX : text.n,
		       STR_ARG(c->logger.text));
	return STEP_NEXT;
}

static const struct arg_schema log_args[] = {
	{ .name = "logger-id",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED,
	  .offset = offsetof(struct log_config, logger),
	  .help = "a configured logger" },
	{ .name = "partition-id",
	  .kind = ARG_TEXT,
	  .offset = offsetof(struct log_config, partition_id),
	  .help = "accepted; a logger here has no partitions" },
	{ .name = "partition-key",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct log_config, partition_key),
	  .help = "accepted; a logger here has no partitions" },
};
static const struct arg_schema log_text = {
	.name = "message",
	.kind = ARG_TEXT,
	.flags = ARG_REQUIRED | ARG_EXPR,
	.offset = offsetof(struct log_config, text),
	.help = "the message, cut at 204,000 bytes",
};
static const struct element_schema log_schema = {
	.name = "log-to-eventhub", .help = "Sends a message to a configured logger, without waiting for it.",
	.config_size = sizeof(struct log_config), .args = log_args, .n_args = ARRAY_LEN(log_args), .text = &log_text,
};
const struct policy_type log_to_eventhub_type = { .schema = &log_schema, .sections = IN_ANY, .run = run_log };
