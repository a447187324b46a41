/* cache_values.c - cache-lookup-value, cache-store-value, cache-remove-value: values under keys of the document's own.
 */
#include "policy/element.h"

#include "core/str.h"
#include "policy/value_store.h"

struct config {
	struct arg key, variable, fallback, value, duration, store, fail;
};

#define STORE_ARG                                                                                         \
	{                                                                                                 \
		.name = "caching-type", .kind = ARG_ENUM, .choices = "internal|external|prefer-external", \
		.def = "prefer-external", .offset = offsetof(struct config, store),                       \
		.help = "which cache: the gateway's own, or one shared with others"                       \
	}
#define KEY_ARG                                                                                                       \
	{ .name = "key", .kind = ARG_TEXT, .flags = ARG_REQUIRED | ARG_EXPR, .offset = offsetof(struct config, key),  \
	  .help = "the key" }

/* Begins an operation: keys of documents are apart from those that the gateway itself uses. NULL after exchange_fail.
 */
static struct cache_op *begin(struct exchange *x, const struct config *c)
{
	struct cache_op *op = arena_new_of(x->arena, struct cache_op);
	struct str key;

	if (!arg_get_text(x, &c->key, &key))
		return NULL;
	if (op) {
		op->store = (enum cache_store)c->store.number;
		op->key = arena_printf(x->arena, "value:%.*s", STR_ARG(key));
	}
	if (!op || str_is_null(op->key)) {
		exchange_no_memory(x);
		return NULL;
	}
	*step_state(x) = op;
	exchange_trace(x, "key %.*s", STR_ARG(key));
	return op;
}

/* ---- lookup ------------------------------------------------------------------------------------------------------ */

static enum step found(struct exchange *x, const struct config *c, const struct cache_op *op)
{
	struct value v;

	if (!str_is_null(op->value) && value_restore(x, op->value, &v)) {
		exchange_trace(x, "found");
	} else if (c->fallback.given) {
		exchange_trace(x, "not found, the default is taken");
		if (!arg_get_value(x, &c->fallback, &v))
			return STEP_FAIL;
	} else {
		exchange_trace(x, "not found");
		return STEP_NEXT;
	}
	return exchange_set_variable(x, c->variable.text, v) ? STEP_NEXT : exchange_no_memory(x);
}

static enum step run_lookup(struct exchange *x, const void *config)
{
	struct cache_op *op = begin(x, config);
	enum step step = op ? x->host->cache_get(x, op) : STEP_FAIL;

	return step == STEP_NEXT ? found(x, config, op) : step;
}

static enum step resume_lookup(struct exchange *x, const void *config)
{
	struct cache_op *op = *step_state(x);

	return op->done ? found(x, config, op) : STEP_WAIT;
}

static const struct arg_schema lookup_args[] = {
	KEY_ARG,
	{ .name = "variable-name",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED,
	  .offset = offsetof(struct config, variable),
	  .help = "variable for the value; left alone when there is none and no default-value" },
	{ .name = "default-value",
	  .kind = ARG_TEXT,
	  .flags = ARG_EXPR | ARG_EMPTY,
	  .offset = offsetof(struct config, fallback),
	  .help = "the value when the key is not found" },
	STORE_ARG,
};
static const struct element_schema lookup_schema = {
	.name = "cache-lookup-value", .help = "Takes a value out of the cache.", .config_size = sizeof(struct config),
	.args = lookup_args, .n_args = ARRAY_LEN(lookup_args),
};
const struct policy_type cache_lookup_value_type = { .schema = &lookup_schema, .sections = IN_ANY, .run = run_lookup,
						     .resume = resume_lookup };

/* ---- store ------------------------------------------------------------------------------------------------------- */

static enum step wait_for_op(struct exchange *x, const void *config)
{
	const struct cache_op *op = *step_state(x);

	(void)config;
	return op->done ? STEP_NEXT : STEP_WAIT;
}

static enum step run_store(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct cache_op *op = begin(x, c);
	struct value v;
	int64_t duration;

	if (!op || !arg_get_value(x, &c->value, &v) || !arg_get_int(x, &c->duration, &duration))
		return STEP_FAIL;
	op->value = value_store(x, v);
	if (str_is_null(op->value))
		return exchange_no_memory(x);
	if (duration < 1)
		return STEP_NEXT;
	op->ttl_s = (uint32_t)duration;
	exchange_trace(x, "kept for %lld s", (long long)duration);
	return x->host->cache_put(x, op);
}

static const struct arg_schema store_args[] = {
	KEY_ARG,
	{ .name = "value",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR | ARG_EMPTY,
	  .offset = offsetof(struct config, value),
	  .help = "the value to keep" },
	{ .name = "duration",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 0,
	  .most = INT32_MAX,
	  .offset = offsetof(struct config, duration),
	  .help = "seconds for which it is kept" },
	STORE_ARG,
};
static const struct element_schema store_schema = {
	.name = "cache-store-value", .help = "Puts a value into the cache.", .config_size = sizeof(struct config),
	.args = store_args, .n_args = ARRAY_LEN(store_args),
};
const struct policy_type cache_store_value_type = { .schema = &store_schema, .sections = IN_ANY, .run = run_store,
						    .resume = wait_for_op };

/* ---- remove ------------------------------------------------------------------------------------------------------ */

static enum step run_remove(struct exchange *x, const void *config)
{
	struct cache_op *op = begin(x, config);

	return op ? x->host->cache_remove(x, op) : STEP_FAIL;
}

static const struct arg_schema remove_args[] = {
	KEY_ARG, STORE_ARG,
	{ .name = "fail-on-cache-removal-error", .kind = ARG_BOOL, .flags = ARG_EXPR, .def = "false",
	  .offset = offsetof(struct config, fail), .help = "accepted; removing does not fail here" },
};
static const struct element_schema remove_schema = {
	.name = "cache-remove-value", .help = "Removes a value from the cache.", .config_size = sizeof(struct config),
	.args = remove_args, .n_args = ARRAY_LEN(remove_args),
};
const struct policy_type cache_remove_value_type = { .schema = &remove_schema, .sections = IN_ANY, .run = run_remove,
						     .resume = wait_for_op };
