/* rate_limit.c - rate-limit: calls of one subscription in a sliding window, with limits of their own for APIs and
 * operations inside. */
#include "policy/elements/limits.h"

#include "core/str.h"
#include "policy/program.h"

struct operation_config {
	struct arg name, id, calls, period;
};
struct api_config {
	struct arg name, id, calls, period;
	struct children operations;
};
struct config {
	struct arg calls, period;
	struct limit_names names;
	struct children apis;
};

static bool add_take(struct exchange *x, struct limit_state *s, const struct arg *calls, const struct arg *period,
		     struct str key)
{
	struct counter_take t = { .kind = COUNTER_SLIDING, .shown = COUNTER_CALLS, .key = key, .limit = (uint64_t)calls->number, .amount = 1,
				  .window_s = (uint32_t)period->number };

	return !str_is_null(key) && limit_add(x->arena, s, &t);
}

/* One counter for each definition and subscription: the scope names the definition. One of an environment counts for each API. */
static struct str definition_key(struct exchange *x)
{
	struct limit_place p = limit_place(x);
	struct str id = p.product.n ? p.product : p.scope == SCOPE_ENVIRONMENT && x->api ? x->api->id : p.api;

	if (p.operation.n)
		id = arena_printf(x->arena, "%.*s/%.*s", STR_ARG(id), STR_ARG(p.operation));
	return limit_rate_key(x->arena, p.scope, id, x->subscription->id);
}

static bool collect(struct exchange *x, const struct config *c, struct limit_state *s)
{
	struct str base = definition_key(x);
	bool ok = add_take(x, s, &c->calls, &c->period, base);

	for (size_t i = 0; ok && x->api && i < c->apis.n; i++) {
		const struct api_config *a = c->apis.v[i].config;

		if (!limit_names_this(&a->name, &a->id, x->api->name, x->api->id))
			continue;
		ok = add_take(x, s, &a->calls, &a->period,
			      arena_printf(x->arena, "%.*s:%.*s", STR_ARG(base), STR_ARG(x->api->id)));
		for (size_t k = 0; ok && x->operation && k < a->operations.n; k++) {
			const struct operation_config *o = a->operations.v[k].config;

			if (limit_names_this(&o->name, &o->id, x->operation->name, x->operation->id))
				ok = add_take(x, s, &o->calls, &o->period,
					      arena_printf(x->arena, "%.*s:%.*s:%.*s", STR_ARG(base),
							   STR_ARG(x->api->id), STR_ARG(x->operation->id)));
		}
	}
	s->looking = s->n > 1;
	return ok;
}

static enum step go_on(struct exchange *x, const struct config *c, struct limit_state *s)
{
	const struct counter_take *refused, *least = &s->takes[0];
	enum step step = limit_take(x, s, &refused);

	if (step != STEP_NEXT)
		return step;
	if (refused)
		return limit_refuse(x, &c->names, refused->retry_after_s ? refused->retry_after_s : 1);
	for (size_t i = 1; i < s->n; i++)
		if (s->takes[i].remaining < least->remaining)
			least = &s->takes[i];
	exchange_trace(x, "%llu of %llu calls left", (unsigned long long)least->remaining,
		       (unsigned long long)least->limit);
	return limit_report(x, &c->names, least->remaining, least->limit) ? STEP_NEXT : STEP_FAIL;
}

static enum step run(struct exchange *x, const void *config)
{
	struct limit_state *s;

	if (!x->subscription) {
		exchange_trace(x, "the call has no subscription");
		return STEP_NEXT;
	}
	s = arena_new_of(x->arena, struct limit_state);
	if (!s)
		return exchange_no_memory(x);
	*step_state(x) = s;
	return collect(x, config, s) ? go_on(x, config, s) : exchange_no_memory(x);
}

static enum step resume(struct exchange *x, const void *config)
{
	struct limit_state *s = *step_state(x);

	return s->takes[s->at].done ? go_on(x, config, s) : STEP_WAIT;
}

#define CALLS_ARGS(type)                                                                                              \
	{ .name = "calls", .kind = ARG_INT, .flags = ARG_REQUIRED, .least = 1, .most = INT64_MAX,                     \
	  .offset = offsetof(type, calls), .help = "calls that are let through in the period" },                      \
	{ .name = "renewal-period", .kind = ARG_INT, .flags = ARG_REQUIRED, .least = 1, .most = 300,                  \
	  .offset = offsetof(type, period), .help = "length of the sliding window in seconds, at most 300" }
#define WHICH_ARGS(type)                                                                                              \
	{ .name = "name", .kind = ARG_TEXT, .offset = offsetof(type, name), .help = "its name" },                     \
	{ .name = "id", .kind = ARG_TEXT, .offset = offsetof(type, id), .help = "its id; wins over the name" }

static bool check_operation(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct operation_config *o = config;

	if (o->name.given || o->id.given)
		return true;
	compile_error(c, n, NULL, "<%.*s> needs a `name` or an `id`", STR_ARG(n->name));
	return false;
}

static bool check_api(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct api_config *a = config;

	if (a->name.given || a->id.given)
		return true;
	compile_error(c, n, NULL, "<%.*s> needs a `name` or an `id`", STR_ARG(n->name));
	return false;
}

static const struct arg_schema operation_args[] = { WHICH_ARGS(struct operation_config),
						    CALLS_ARGS(struct operation_config) };
static const struct element_schema operation_schema = {
	.name = "operation",
	.help = "A further limit for one operation of the API.",
	.config_size = sizeof(struct operation_config),
	.args = operation_args,
	.n_args = ARRAY_LEN(operation_args),
	.check = check_operation,
};
static const struct child_schema api_children[] = {
	{ .element = &operation_schema, .offset = offsetof(struct api_config, operations) },
};
static const struct arg_schema api_args[] = { WHICH_ARGS(struct api_config), CALLS_ARGS(struct api_config) };
static const struct element_schema api_schema = {
	.name = "api",
	.help = "A further limit for one API of the product.",
	.config_size = sizeof(struct api_config),
	.args = api_args,
	.n_args = ARRAY_LEN(api_args),
	.children = api_children,
	.n_children = ARRAY_LEN(api_children),
	.check = check_api,
};
static const struct child_schema children[] = {
	{ .element = &api_schema, .offset = offsetof(struct config, apis) },
};
static const struct arg_schema args[] = { CALLS_ARGS(struct config), LIMIT_NAME_ARGS(struct config, "Retry-After") };
static const struct element_schema schema = {
	.name = "rate-limit",
	.help = "Refuses calls of a subscription beyond a number in a sliding window: 429 with Retry-After.",
	.config_size = sizeof(struct config),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.children = children,
	.n_children = ARRAY_LEN(children),
};
const struct policy_type rate_limit_type = {
	.schema = &schema, .sections = IN_INBOUND, .scopes = 1 << SCOPE_PRODUCT | 1 << SCOPE_API | 1 << SCOPE_OPERATION,
	.once = true, .run = run, .resume = resume,
};
