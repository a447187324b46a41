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

/* The text stands alone or in <message>. */
static bool get_trace_text(struct exchange *x, const struct trace_config *c, struct str *out)
{
	if (!arg_get_text(x, &c->text, out))
		return false;
	for (size_t i = 0; i < c->parts.n; i++)
		if (c->parts.v[i].schema == &message_schema
		    && !arg_get_text(x, &((const struct text_config *)c->parts.v[i].config)->text, out))
			return false;
	return true;
}

static bool trace_metadata(struct exchange *x, const struct trace_config *c, struct fields *out)
{
	for (size_t i = 0; i < c->parts.n; i++) {
		const struct pair_config *p = c->parts.v[i].config;
		struct str name, value;

		if (c->parts.v[i].schema == &message_schema)
			continue;
		if (!arg_get_text(x, &p->name, &name) || !arg_get_text(x, &p->value, &value))
			return false;
		if (!fields_add(out, name, value)) {
			exchange_no_memory(x);
			return false;
		}
	}
	return true;
}

/* Expressions are asked only when somebody reads what they say. */
static enum step run_trace(struct exchange *x, const void *config)
{
	static const char *const severities[] = { "verbose", "information", "error" };
	const struct trace_config *c = config;
	enum trace_severity severity = (enum trace_severity)c->severity.number;
	bool told = x->host->wants_trace && x->host->wants_trace(x, severity);
	struct fields metadata;
	struct str text;

	if (!x->trace_on && !told)
		return STEP_NEXT;
	fields_init(&metadata, x->arena);
	if (!get_trace_text(x, c, &text) || !trace_metadata(x, c, &metadata))
		return STEP_FAIL;
	if (told)
		x->host->trace(x, severity, c->source.text, text, &metadata);
	if (c->text.expr || c->text.text.n) {
		exchange_trace(x, "%s from %.*s: %.*s", severities[severity], STR_ARG(c->source.text), STR_ARG(text));
	} else {
		exchange_trace(x, "%s from %.*s", severities[severity], STR_ARG(c->source.text));
		exchange_trace_message(x, text);
	}
	for (size_t i = 0; i < metadata.n; i++)
		exchange_trace(x, "%.*s = %.*s", STR_ARG(metadata.v[i].name), STR_ARG(metadata.v[i].value));
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

static const struct str known_dimensions[] = {
	STR_INIT("API ID"), STR_INIT("Operation ID"), STR_INIT("Product ID"), STR_INIT("User ID"),
	STR_INIT("Subscription ID"), STR_INIT("Location"), STR_INIT("Gateway ID"), STR_INIT("Backend ID"),
};

/* A dimension without a value is one of the known ones, filled from the context. */
static struct str known_dimension(const struct exchange *x, struct str name)
{
	const struct str values[ARRAY_LEN(known_dimensions)] = {
		x->api ? x->api->id : STR_NULL,
		x->operation ? x->operation->id : STR_NULL,
		x->product ? x->product->id : STR_NULL,
		x->user ? x->user->id : STR_NULL,
		x->subscription ? x->subscription->id : STR_NULL,
		x->deployment ? x->deployment->region : STR_NULL,
		x->deployment ? x->deployment->gateway_id : STR_NULL,
		x->backend_id,
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (str_eq_ci(known_dimensions[i], name))
			return values[i];
	return STR_NULL;
}

static bool is_known_dimension(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(known_dimensions); i++)
		if (str_eq_ci(known_dimensions[i], name))
			return true;
	return false;
}

static bool check_dimension(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct pair_config *d = config;

	if (d->value.given || d->name.expr || d->name.unknown || is_known_dimension(d->name.text))
		return true;
	compile_error(c, n, "name", "the dimension \"%.*s\" needs a `value`; without one there are API ID, Operation ID, "
		      "Product ID, User ID, Subscription ID, Location, Gateway ID and Backend ID", STR_ARG(d->name.text));
	return false;
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
	.check = check_dimension,
};
static const struct child_schema metric_children[] = {
	{ .element = &dimension_schema, .min = 1, .max = DIMENSIONS_MAX, .offset = offsetof(struct metric_config, dimensions) },
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

/* Not in the middle of a character. */
static struct str cut(struct str text)
{
	size_t n = EVENT_MAX;

	if (text.n <= EVENT_MAX)
		return text;
	while (n > EVENT_MAX - 4 && ((unsigned char)text.p[n] & 0xC0) == 0x80)
		n--;
	return str_first(text, n);
}

static enum step run_log(struct exchange *x, const void *config)
{
	const struct log_config *c = config;
	struct log_message m = { .logger_id = c->logger.text, .partition_id = c->partition_id.text };
	struct str whole;

	if (!arg_get_text(x, &c->text, &whole) || !arg_get_text(x, &c->partition_key, &m.partition_key))
		return STEP_FAIL;
	m.text = cut(whole);
	x->host->log_to(x, &m);
	exchange_trace(x, "%zu bytes%s to %.*s", m.text.n, m.text.n < whole.n ? " (cut)" : "", STR_ARG(m.logger_id));
	if (m.partition_id.n || m.partition_key.n)
		exchange_trace(x, "partition %.*s", STR_ARG(m.partition_id.n ? m.partition_id : m.partition_key));
	exchange_trace_message(x, m.text);
	return STEP_NEXT;
}

/* A logger that nobody has made is an error where the document serves calls, and no more than a warning elsewhere. */
static bool check_log(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct log_config *l = config;

	if (l->partition_id.given && l->partition_key.given) {
		compile_error(c, n, "partition-key", "give `partition-id` or `partition-key`, not both");
		return false;
	}
	if (l->logger.unknown || !c->env || (!c->env->logger && !c->env->open_references))
		return true;
	if (c->env->logger && c->env->logger(c->env->ctx, l->logger.text))
		return true;
	if (c->env->logger && c->env->live) {
		compile_error(c, n, "logger-id", "there is no logger \"%.*s\"; make it with `gatehouse logger create`",
			      STR_ARG(l->logger.text));
		return false;
	}
	compile_warning(c, n, "logger-id", "the logger \"%.*s\" is not known here", STR_ARG(l->logger.text));
	return true;
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
	  .help = "index of a partition; sent with the message" },
	{ .name = "partition-key",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR,
	  .offset = offsetof(struct log_config, partition_key),
	  .help = "value that messages are parted by; sent with the message" },
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
	.check = check_log,
};
const struct policy_type log_to_eventhub_type = { .schema = &log_schema, .sections = IN_ANY, .scopes = NOT_WORKSPACE,
						  .run = run_log };
