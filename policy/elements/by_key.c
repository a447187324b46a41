/* by_key.c - rate-limit-by-key: calls of one key in a sliding window, one counter for a key over all scopes.
 *
 * When increment-condition or increment-count is an expression the call is counted at the end, with the response at
 * hand; at the beginning it is only looked whether there is room. So the refusal comes one call later, as documented.
 */
#include "policy/elements/limits.h"

#include "core/str.h"

struct config {
	struct arg calls, period, key, condition, count;
	struct limit_names names;
	struct str prefix;           /* of the counter's key, for a literal period; null: an expression gives that */
};

struct late {
	const struct config *config;
	struct counter_take take;
};

static bool is_late(const struct config *c)
{
	return c->condition.expr || c->count.expr;
}

static void count_late(struct exchange *x, void *arg)
{
	struct late *l = arg;
	struct last_error before = x->error;
	bool yes;
	int64_t n;

	l->take.forced = true;
	l->take.done = false;
	if (arg_get_bool(x, &l->config->condition, &yes) && arg_get_int(x, &l->config->count, &n) && yes && n > 0) {
		l->take.amount = (uint64_t)n;
		x->host->take(x, &l->take);
	}
	x->error = before;
}

static enum step go_on(struct exchange *x, const struct config *c, struct limit_state *s)
{
	const struct counter_take *refused, *t = &s->takes[0];
	enum step step = limit_take(x, s, &refused);
	struct late *late;

	if (step != STEP_NEXT)
		return step;
	if (refused || (is_late(c) && !t->remaining))
		return limit_refuse(x, &c->names, t->retry_after_s ? t->retry_after_s : 1);
	exchange_trace(x, "%llu of %llu calls left", (unsigned long long)t->remaining, (unsigned long long)t->limit);
	if (is_late(c)) {
		late = arena_new_of(x->arena, struct late);
		if (!late)
			return exchange_no_memory(x);
		*late = (struct late){ .config = c, .take = *t };
		if (!exchange_at_end(x, count_late, late))
			return exchange_no_memory(x);
	}
	return limit_report(x, &c->names, t->remaining, t->limit) ? STEP_NEXT : STEP_FAIL;
}

static struct str prefix_for(struct arena *a, int64_t period)
{
	return arena_printf(a, "rate-limit-by-key:%lld:", (long long)period);
}

static enum step run(struct exchange *x, const void *config)
{
	const struct config *c = config;
	struct limit_state *s = arena_new_of(x->arena, struct limit_state);
	int64_t calls, period, amount = 0;
	struct counter_take take;
	struct str key, prefix = c->prefix;
	bool counts = true;

	if (!s)
		return exchange_no_memory(x);
	*step_state(x) = s;
	if (!arg_get_int(x, &c->calls, &calls) || !arg_get_int(x, &c->period, &period)
	    || !arg_get_text(x, &c->key, &key))
		return STEP_FAIL;
	if (!is_late(c) && (!arg_get_bool(x, &c->condition, &counts) || !arg_get_int(x, &c->count, &amount)))
		return STEP_FAIL;
	exchange_trace(x, "key %.*s", STR_ARG(key));
	if (str_is_null(prefix))
		prefix = prefix_for(x->arena, period);
	take = (struct counter_take){
		.kind = COUNTER_SLIDING,
		.shown = COUNTER_CALLS,
		.limit = (uint64_t)calls,
		.window_s = (uint32_t)period,
		.amount = counts ? (uint64_t)amount : 0,
		.key = arena_join(x->arena, (struct str[]){ prefix, key }, 2),
	};
	return str_is_null(take.key) || !limit_add(x->arena, s, &take) ? exchange_no_memory(x) : go_on(x, c, s);
}

static enum step resume(struct exchange *x, const void *config)
{
	struct limit_state *s = *step_state(x);

	return s->takes[0].done ? go_on(x, config, s) : STEP_WAIT;
}

static const struct arg_schema args[] = {
	{ .name = "calls",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 1,
	  .most = INT64_MAX,
	  .offset = offsetof(struct config, calls),
	  .help = "calls that are let through in the period" },
	{ .name = "renewal-period",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 1,
	  .most = 300,
	  .offset = offsetof(struct config, period),
	  .help = "length of the sliding window in seconds, at most 300" },
	{ .name = "counter-key",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct config, key),
	  .help = "calls with the same key count together" },
	{ .name = "increment-condition",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "true",
	  .offset = offsetof(struct config, condition),
	  .help = "whether the call counts; an expression is asked at the end" },
	{ .name = "increment-count",
	  .kind = ARG_INT,
	  .flags = ARG_EXPR,
	  .least = 0,
	  .most = INT32_MAX,
	  .def = "1",
	  .offset = offsetof(struct config, count),
	  .help = "how much the call counts; an expression is asked at the end" },
	LIMIT_NAME_ARGS(struct config, "Retry-After"),
};

static bool check(struct compiler *c, const struct doc_node *n UNUSED, void *config)
{
	struct config *l = config;

	if (!l->period.expr)
		l->prefix = prefix_for(c->arena, l->period.number);
	return true;
}

static const struct element_schema schema = {
	.name = "rate-limit-by-key",
	.help = "Refuses calls of a key beyond a number in a sliding window: 429 with Retry-After.",
	.config_size = sizeof(struct config),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.check = check,
};

const struct policy_type rate_limit_by_key_type = {
	.schema = &schema, .sections = IN_INBOUND, .run = run, .resume = resume
};
