/* ai.c - the policies for language models: azure-openai-* and llm-*. They are loaded and checked; a document that uses
 * one is refused on a live scope, so that nobody believes that a limit holds which does not. */
#include "policy/element.h"

#include "core/str.h"

#define NOT_LIVE "policies for language models are checked only in this version"

struct limit_config {
	struct arg key, per_minute, quota, period, estimate;
	struct arg retry_header, retry_variable, left_header, left_variable, quota_header, quota_variable, used_header,
		used_variable;
};

#define LIMIT_ARG(attr, k, f, where, text)                                                                            \
	{ .name = attr, .kind = k, .flags = f, .offset = offsetof(struct limit_config, where), .help = text }

static const struct arg_schema limit_args[] = {
	LIMIT_ARG("counter-key", ARG_TEXT, ARG_REQUIRED | ARG_EXPR, key, "calls with the same key count together"),
	LIMIT_ARG("tokens-per-minute", ARG_INT, ARG_EXPR, per_minute, "tokens in a minute"),
	LIMIT_ARG("token-quota", ARG_INT, ARG_EXPR, quota, "tokens in the quota's period"),
	{ .name = "token-quota-period",
	  .kind = ARG_ENUM,
	  .flags = ARG_EXPR,
	  .choices = "Hourly|Daily|Weekly|Monthly|Yearly",
	  .offset = offsetof(struct limit_config, period),
	  .help = "the quota's period, in UTC" },
	/* the reference's table calls it required, and one of its examples leaves it out */
	{ .name = "estimate-prompt-tokens",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct limit_config, estimate),
	  .help = "estimate the prompt's tokens before the call" },
	{ .name = "retry-after-header-name",
	  .kind = ARG_TEXT,
	  .def = "Retry-After",
	  .offset = offsetof(struct limit_config, retry_header),
	  .help = "header with the seconds to wait" },
	LIMIT_ARG("retry-after-variable-name", ARG_TEXT, 0, retry_variable, "variable with the seconds to wait"),
	LIMIT_ARG("remaining-tokens-header-name", ARG_TEXT, 0, left_header, "header with the tokens left"),
	LIMIT_ARG("remaining-tokens-variable-name", ARG_TEXT, 0, left_variable, "variable with the tokens left"),
	LIMIT_ARG("remaining-quota-tokens-header-name", ARG_TEXT, 0, quota_header,
		  "header with the quota's tokens left"),
	LIMIT_ARG("remaining-quota-tokens-variable-name", ARG_TEXT, 0, quota_variable,
		  "variable with the quota's tokens left"),
	LIMIT_ARG("tokens-consumed-header-name", ARG_TEXT, 0, used_header, "header with the tokens used"),
	LIMIT_ARG("tokens-consumed-variable-name", ARG_TEXT, 0, used_variable, "variable with the tokens used"),
};

static bool check_limit(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct limit_config *l = config;

	if (!l->per_minute.given && !l->quota.given)
		compile_error(c, n, NULL, "<%.*s> needs `tokens-per-minute` or `token-quota`", (int)n->name.n,
			      n->name.p);
	else if (l->quota.given != l->period.given)
		compile_error(c, n, NULL, "`token-quota` and `token-quota-period` go together");
	else
		return true;
	return false;
}

#define LIMIT_POLICY(var, element_name)                                                                               \
	static const struct element_schema var##_schema = {                                                           \
		.name = element_name, .help = "Limits the tokens of a language model by key.",                        \
		.config_size = sizeof(struct limit_config), .args = limit_args, .n_args = ARRAY_LEN(limit_args),      \
		.check = check_limit,                                                                                 \
	};                                                                                                            \
	const struct policy_type var##_type = { .schema = &var##_schema, .sections = IN_INBOUND, .not_live = NOT_LIVE }

LIMIT_POLICY(azure_openai_token_limit, "azure-openai-token-limit");
LIMIT_POLICY(llm_token_limit, "llm-token-limit");

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

struct dimension_config {
	struct arg name, value;
};
struct metric_config {
	struct arg ns;
	struct children dimensions;
};

static const struct arg_schema dimension_args[] = {
	{ .name = "name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct dimension_config, name),
	  .help = "name of the dimension" },
	{ .name = "value",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR | ARG_EMPTY,
	  .offset = offsetof(struct dimension_config, value),
	  .help = "its value" },
};
static const struct element_schema dimension_schema = {
	.name = "dimension", .help = "A dimension of the metric.", .config_size = sizeof(struct dimension_config),
	.args = dimension_args, .n_args = ARRAY_LEN(dimension_args),
};
static const struct child_schema metric_children[] = {
	{ .element = &dimension_schema, .min = 1, .offset = offsetof(struct metric_config, dimensions) },
};
static const struct arg_schema metric_args[] = {
	{ .name = "namespace", .kind = ARG_TEXT, .def = "API Management", .offset = offsetof(struct metric_config, ns),
	  .help = "namespace of the metric" },
};

#define METRIC_POLICY(var, element_name)                                                                              \
	static const struct element_schema var##_schema = {                                                           \
		.name = element_name, .help = "Counts the tokens of a language model in metrics.",                    \
		.config_size = sizeof(struct metric_config), .args = metric_args, .n_args = ARRAY_LEN(metric_args),   \
		.children = metric_children, .n_children = ARRAY_LEN(metric_children),                                \
	};                                                                                                            \
	const struct policy_type var##_type = { .schema = &var##_schema, .sections = IN_INBOUND, .not_live = NOT_LIVE }

METRIC_POLICY(azure_openai_emit_token_metric, "azure-openai-emit-token-metric");
METRIC_POLICY(llm_emit_token_metric, "llm-emit-token-metric");

/* ---- semantic cache ---------------------------------------------------------------------------------------------- */

struct text_config {
	struct arg text;
};
struct lookup_config {
	struct arg threshold, backend, auth, ignore_system, max_messages;
	struct children vary;
};
struct store_config {
	struct arg duration, any;
};

static const struct arg_schema vary_text = {
	.name = "vary-by",
	.kind = ARG_TEXT,
	.flags = ARG_EXPR | ARG_EMPTY,
	.offset = offsetof(struct text_config, text),
	.help = "an expression whose value keeps answers apart",
};
static const struct element_schema vary_schema = {
	.name = "vary-by",
	.help = "Keeps answers apart.",
	.config_size = sizeof(struct text_config),
	.text = &vary_text,
};
static const struct child_schema lookup_children[] = {
	{ .element = &vary_schema, .offset = offsetof(struct lookup_config, vary) },
};
#define LOOKUP_ARG(attr, k, f, where, text)                                                                           \
	{ .name = attr, .kind = k, .flags = f, .offset = offsetof(struct lookup_config, where), .help = text }
static const struct arg_schema lookup_args[] = {
	LOOKUP_ARG("score-threshold", ARG_REAL, ARG_REQUIRED | ARG_EXPR, threshold,
		   "how near a question must be, 0 to 1"),
	LOOKUP_ARG("embeddings-backend-id", ARG_TEXT, ARG_REQUIRED | ARG_EXPR, backend,
		   "backend that makes embeddings"),
	{ .name = "embeddings-backend-auth",
	  .kind = ARG_ENUM,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .choices = "system-assigned",
	  .offset = offsetof(struct lookup_config, auth),
	  .help = "how to sign in there: system-assigned" },
	{ .name = "ignore-system-messages",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct lookup_config, ignore_system),
	  .help = "leave system messages out" },
	LOOKUP_ARG("max-message-count", ARG_INT, ARG_EXPR, max_messages, "longer dialogues are not cached"),
};
static const struct arg_schema store_args[] = {
	{ .name = "duration",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct store_config, duration),
	  .help = "seconds for which the answer is kept" },
	{ .name = "cache-response",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct store_config, any),
	  .help = "keep answers of any status" },
};

static bool check_lookup(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct arg *t = &((const struct lookup_config *)config)->threshold;

	if (t->expr || t->unknown || (t->real >= 0 && t->real <= 1))
		return true;
	compile_error(c, n, "score-threshold", "`score-threshold` must be a number from 0 to 1, not `%.*s`", STR_ARG(str_first(t->text, 40)));
	return false;
}

#define LOOKUP_POLICY(var, element_name)                                                                              \
	static const struct element_schema var##_schema = {                                                           \
		.name = element_name, .help = "Answers from the cache when a question of the same meaning was asked before.", \
		.config_size = sizeof(struct lookup_config), .args = lookup_args, .n_args = ARRAY_LEN(lookup_args),   \
		.children = lookup_children, .n_children = ARRAY_LEN(lookup_children), .check = check_lookup,         \
	};                                                                                                            \
	const struct policy_type var##_type = { .schema = &var##_schema, .sections = IN_INBOUND,                              \
						.scopes = NOT_WORKSPACE, .once = true, .not_live = NOT_LIVE }
#define STORE_POLICY(var, element_name)                                                                               \
	static const struct element_schema var##_schema = {                                                           \
		.name = element_name, .help = "Keeps the answer of a language model.", .config_size = sizeof(struct store_config), \
		.args = store_args, .n_args = ARRAY_LEN(store_args),                                                  \
	};                                                                                                            \
	const struct policy_type var##_type = { .schema = &var##_schema, .sections = IN_OUTBOUND,                             \
						.scopes = NOT_WORKSPACE, .once = true, .not_live = NOT_LIVE }

LOOKUP_POLICY(azure_openai_semantic_cache_lookup, "azure-openai-semantic-cache-lookup");
LOOKUP_POLICY(llm_semantic_cache_lookup, "llm-semantic-cache-lookup");
STORE_POLICY(azure_openai_semantic_cache_store, "azure-openai-semantic-cache-store");
STORE_POLICY(llm_semantic_cache_store, "llm-semantic-cache-store");

/* ---- content safety ---------------------------------------------------------------------------------------------- */

struct category_config {
	struct arg name, threshold;
};
struct categories_config {
	struct arg output;
	struct children list;
};
struct blocklists_config {
	struct children list;
};
struct safety_config {
	struct arg backend, shield, enforce, window, overlap;
	struct children categories, blocklists;
};

static const struct arg_schema category_args[] = {
	{ .name = "name",
	  .kind = ARG_ENUM,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .choices = "Hate|SelfHarm|Sexual|Violence",
	  .offset = offsetof(struct category_config, name),
	  .help = "the kind of harm" },
	{ .name = "threshold",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 0,
	  .most = 7,
	  .offset = offsetof(struct category_config, threshold),
	  .help = "severity from which it is blocked, 0 to 7" },
};
static const struct element_schema category_schema = {
	.name = "category",
	.help = "A kind of harm.",
	.config_size = sizeof(struct category_config),
	.args = category_args,
	.n_args = ARRAY_LEN(category_args),
};
static const struct child_schema categories_children[] = {
	{ .element = &category_schema, .offset = offsetof(struct categories_config, list) },
};
static const struct arg_schema categories_args[] = {
	{ .name = "output-type",
	  .kind = ARG_ENUM,
	  .flags = ARG_EXPR,
	  .choices = "FourSeverityLevels|EightSeverityLevels",
	  .def = "FourSeverityLevels",
	  .offset = offsetof(struct categories_config, output),
	  .help = "how fine severities are" },
};
static const struct element_schema categories_schema = {
	.name = "categories",
	.help = "Kinds of harm.",
	.config_size = sizeof(struct categories_config),
	.args = categories_args,
	.n_args = ARRAY_LEN(categories_args),
	.children = categories_children,
	.n_children = ARRAY_LEN(categories_children),
};
static const struct arg_schema id_text = {
	.name = "id", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct text_config, text),
	.help = "id of a blocklist",
};
static const struct element_schema id_schema = {
	.name = "id", .help = "A blocklist.", .config_size = sizeof(struct text_config), .text = &id_text,
};
static const struct child_schema blocklists_children[] = {
	{ .element = &id_schema, .offset = offsetof(struct blocklists_config, list) },
};
static const struct element_schema blocklists_schema = {
	.name = "blocklists",
	.help = "Blocklists.",
	.config_size = sizeof(struct blocklists_config),
	.children = blocklists_children,
	.n_children = ARRAY_LEN(blocklists_children),
};
static const struct child_schema safety_children[] = {
	{ .element = &categories_schema, .max = 1, .offset = offsetof(struct safety_config, categories) },
	{ .element = &blocklists_schema, .max = 1, .offset = offsetof(struct safety_config, blocklists) },
};
#define SAFETY_ARG(attr, k, f, where, text)                                                                           \
	{ .name = attr, .kind = k, .flags = f, .offset = offsetof(struct safety_config, where), .help = text }
static const struct arg_schema safety_args[] = {
	SAFETY_ARG("backend-id", ARG_TEXT, ARG_REQUIRED | ARG_EXPR, backend, "backend that judges texts"),
	{ .name = "shield-prompt",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct safety_config, shield),
	  .help = "look for attacks in the prompt" },
	{ .name = "enforce-on-completions",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct safety_config, enforce),
	  .help = "judge answers too" },
	SAFETY_ARG("window-size", ARG_INT, ARG_EXPR, window, "characters judged at once"),
	SAFETY_ARG("window-overlap-size", ARG_INT, ARG_EXPR, overlap, "characters that windows share"),
};
static const struct element_schema safety_schema = {
	.name = "llm-content-safety",
	.help = "Lets a service judge prompts and answers.",
	.config_size = sizeof(struct safety_config),
	.args = safety_args,
	.n_args = ARRAY_LEN(safety_args),
	.children = safety_children,
	.n_children = ARRAY_LEN(safety_children),
};
const struct policy_type llm_content_safety_type = { .schema = &safety_schema, .sections = IN_INBOUND | IN_OUTBOUND,
						     .scopes = NOT_OPERATION, .not_live = NOT_LIVE };
