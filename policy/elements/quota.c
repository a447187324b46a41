/* quota.c - quota and quota-by-key: calls and kilobytes in fixed windows.
 *
 * Calls are counted when they come. Bytes are known only after the transfer, so at the beginning it is looked whether
 * there is room, and what was transferred is counted then, even when it goes over. */
#include "policy/elements/limits.h"

#include "core/clock.h"
#include "core/quota_watch.h"
#include "core/str.h"
#include "policy/program.h"

enum { PERIOD_LEAST_S = 300 };

struct limit {                       /* quota, <api>, <operation> */
	struct arg name, id, calls, bandwidth, period;
	struct children inner;
};
struct by_key_config {
	struct limit limit;
	struct arg key, condition, count, first_start;
	int64_t origin_us;
};

struct quota_state {
	struct limit_state takes;
	bool bytes[LIMIT_TAKES_MAX];         /* the take looks at bandwidth */
	bool late;                           /* quota-by-key: calls are counted at the end */
	struct quota_name name;
};

static struct quota_name name_of(const struct exchange *x, struct str policy, struct str key)
{
	struct limit_place p = limit_place(x);

	return (struct quota_name){ .policy = policy, .scope = scope_name(p.scope), .api = p.api, .operation = p.operation,
				    .product = p.product, .key = key };
}

/* ---- taking ------------------------------------------------------------------------------------------------------ */

/* Whose quota it is, and where it counts. */
struct counted {
	struct str key;
	int64_t origin_us;
	const struct quota_name *name;
};

static struct counter_take *add_take(struct exchange *x, struct quota_state *s, const struct counted *of, const struct limit *l, bool bytes)
{
	struct counter_take *t, fresh = {
		.kind = COUNTER_FIXED, .key = limit_quota_part(x->arena, of->key, bytes), .window_s = (uint32_t)l->period.number,
		.origin_us = of->origin_us, .name = of->name
	};

	fresh.limit = bytes ? (uint64_t)l->bandwidth.number * LIMIT_KILOBYTE : (uint64_t)l->calls.number;
	fresh.amount = bytes ? 0 : 1;
	fresh.shown = bytes ? COUNTER_BYTES : COUNTER_CALLS;
	t = limit_add(x->arena, &s->takes, &fresh);
	if (t)
		s->bytes[s->takes.n - 1] = bytes;
	return t;
}

/* *bytes gets what will be counted after the transfer, NULL when nothing will; it may be NULL itself. */
static bool add_limit(struct exchange *x, struct quota_state *s, const struct counted *of, const struct limit *l,
		      struct bandwidth_take **bytes)
{
	struct bandwidth_take *b;
	struct counter_take *t;

	if (l->calls.given && !add_take(x, s, of, l, false))
		return false;
	if (!l->bandwidth.given)
		return true;
	t = add_take(x, s, of, l, true);
	b = arena_new_of(x->arena, struct bandwidth_take);
	if (!t || !b)
		return false;
	b->take = *t;
	b->next = x->program->bandwidth;
	x->program->bandwidth = b;
	if (bytes)
		*bytes = b;
	return true;
}

static enum step refuse(struct exchange *x, const struct quota_state *s, const struct counter_take *t)
{
	bool bytes = s->bytes[t - s->takes.takes], ends = t->window_s != 0;
	uint32_t after = t->retry_after_s ? t->retry_after_s : t->reset_s ? t->reset_s : 1;
	struct str span = limit_time_span(x->arena, after), text;

	text = arena_printf(x->arena, "Out of %s quota.%s%.*s%s", bytes ? "bandwidth" : "call volume",
			    ends ? " Quota will be replenished in " : "", STR_ARG(ends ? span : STR("")),
			    ends ? "." : "");
	exchange_refuse(x, 403, STR("QuotaExceeded"), text, text);
	x->error.public_reason = STR("Quota Exceeded");
	if (ends) {
		x->error.header = STR("Retry-After");
		x->error.header_value = arena_printf(x->arena, "%u", after);
	}
	return STEP_FAIL;
}

static enum step go_on(struct exchange *x, struct quota_state *s)
{
	const struct counter_take *refused;
	enum step step = limit_take(x, &s->takes, &refused);

	if (step != STEP_NEXT)
		return step;
	if (refused)
		return refuse(x, s, refused);
	for (size_t i = 0; i < s->takes.n; i++) {
		const struct counter_take *t = &s->takes.takes[i];

		if (!t->remaining && (s->bytes[i] || s->late))
			return refuse(x, s, t);
		exchange_trace(x, "%llu of %llu %s left", (unsigned long long)t->remaining,
			       (unsigned long long)t->limit, s->bytes[i] ? "bytes" : "calls");
	}
	return STEP_NEXT;
}

static enum step resume(struct exchange *x, const void *config)
{
	struct quota_state *s = *step_state(x);

	(void)config;
	return s->takes.takes[s->takes.at].done ? go_on(x, s) : STEP_WAIT;
}

/* ---- quota ------------------------------------------------------------------------------------------------------- */

static const struct element_schema api_schema, operation_schema;

/* A name of its own for what is inside, with the API or the operation that it is for. */
static const struct quota_name *inner_name(struct exchange *x, const struct quota_name *outer, bool api, struct str id)
{
	struct quota_name *name = arena_new_of(x->arena, struct quota_name);

	if (!name)
		return NULL;
	*name = *outer;
	if (api)
		name->api = id;
	else
		name->operation = id;
	return name;
}

static bool collect(struct exchange *x, struct quota_state *s, const struct limit *l, const struct counted *of)
{
	bool ok = add_limit(x, s, of, l, NULL);

	for (size_t i = 0; ok && i < l->inner.n; i++) {
		const struct child *k = &l->inner.v[i];
		const struct limit *in = k->config;
		bool api = k->schema == &api_schema;
		struct str id = api ? (x->api ? x->api->id : STR_NULL) : x->operation ? x->operation->id : STR_NULL;
		struct str name = api  ? (x->api ? x->api->name : STR_NULL)
			: x->operation ? x->operation->name
				       : STR_NULL;

		struct counted inside = { .origin_us = of->origin_us };

		if (!limit_names_this(&in->name, &in->id, name, id))
			continue;
		inside.key = arena_printf(x->arena, "%.*s:%.*s", STR_ARG(of->key), STR_ARG(id));
		inside.name = inner_name(x, of->name, api, id);
		ok = inside.name && collect(x, s, in, &inside);
	}
	return ok;
}

static enum step run(struct exchange *x, const void *config)
{
	struct counted of = { 0 };
	struct quota_state *s;

	if (!x->subscription) {
		exchange_trace(x, "the call has no subscription");
		return STEP_NEXT;
	}
	s = arena_new_of(x->arena, struct quota_state);
	of.key = limit_quota_key(x->arena, x->product ? x->product->id : STR(""), x->subscription->id);
	if (!s || str_is_null(of.key))
		return exchange_no_memory(x);
	*step_state(x) = s;
	s->name = name_of(x, STR("quota"), STR(""));
	s->name.subscription = x->subscription->id;
	of.name = &s->name;
	of.origin_us = x->subscription->start_us ? x->subscription->start_us : x->subscription->created_us;
	if (!collect(x, s, config, &of))
		return exchange_no_memory(x);
	s->takes.looking = s->takes.n > 1;
	return go_on(x, s);
}

/* ---- quota-by-key ------------------------------------------------------------------------------------------------ */

struct late {
	const struct by_key_config *config;
	struct counter_take take;
	struct bandwidth_take *bytes;        /* NULL: none */
};

static void count_late(struct exchange *x, void *arg)
{
	struct late *l = arg;
	struct last_error before = x->error;
	bool yes = false;
	int64_t n = 0;

	l->take.forced = true;
	l->take.done = false;
	if (arg_get_bool(x, &l->config->condition, &yes) && arg_get_int(x, &l->config->count, &n) && yes && n > 0
	    && l->config->limit.calls.given) {
		l->take.amount = (uint64_t)n;
		x->host->take(x, &l->take);
	}
	if (l->bytes)
		l->bytes->void_take = !yes;
	x->error = before;
}

/* "If multiple policies would increment the same key value, it is incremented only once per request": of the same window.
 * False: another policy of this request counts it. */
static bool first_of_request(struct exchange *x, const struct by_key_config *c, struct str key)
{
	struct str mark = arena_printf(x->arena, "\x01quota:%lld:%lld:%.*s", (long long)c->limit.period.number,
				       (long long)c->origin_us, STR_ARG(key));

	if (str_is_null(mark) || fields_count(&x->program->marks, mark))
		return false;
	if (!x->program->marks.arena)
		fields_init(&x->program->marks, x->arena);
	return fields_add(&x->program->marks, mark, STR(""));
}

/* The takes of this request, of which takes[0] counts calls when there is a limit of calls. */
static bool count_by_key(struct exchange *x, const struct by_key_config *c, struct quota_state *s, struct bandwidth_take *bytes)
{
	struct counter_take *t = &s->takes.takes[0];
	struct late *late;
	bool yes = true;
	int64_t n = 1;

	if (c->limit.calls.given)
		t->amount = 0;
	s->late = c->condition.expr || c->count.expr;
	if (s->late) {
		late = arena_new_of(x->arena, struct late);
		if (!late)
			return false;
		*late = (struct late){ .config = c, .take = *t, .bytes = bytes };
		return exchange_at_end(x, count_late, late);
	}
	if (!arg_get_bool(x, &c->condition, &yes) || !arg_get_int(x, &c->count, &n))
		return false;
	if (c->limit.calls.given)
		t->amount = yes ? (uint64_t)n : 0;
	if (bytes)
		bytes->void_take = !yes;
	return true;
}

/* Another policy has counted this request already: there may be one more than there is room for the next. */
static void look_again(const struct by_key_config *c, struct quota_state *s, struct bandwidth_take *bytes)
{
	if (c->limit.calls.given) {
		s->takes.takes[0].amount = 0;
		s->takes.takes[0].limit++;
		s->takes.takes[0].name = NULL;
	}
	if (bytes)
		bytes->void_take = true;
}

static enum step run_by_key(struct exchange *x, const void *config)
{
	const struct by_key_config *c = config;
	struct quota_state *s = arena_new_of(x->arena, struct quota_state);
	struct bandwidth_take *bytes = NULL;
	struct counted of = { .origin_us = c->origin_us };
	struct str key;

	if (!s)
		return exchange_no_memory(x);
	*step_state(x) = s;
	if (!arg_get_text(x, &c->key, &key))
		return STEP_FAIL;
	exchange_trace(x, "key %.*s", STR_ARG(key));
	s->name = name_of(x, STR("quota-by-key"), key);
	of.name = &s->name;
	of.key = arena_printf(x->arena, "quota-by-key:%.*s", STR_ARG(key));
	if (str_is_null(of.key) || !add_limit(x, s, &of, &c->limit, &bytes))
		return exchange_no_memory(x);
	if (!first_of_request(x, c, key))
		look_again(c, s, bytes);
	else if (!count_by_key(x, c, s, bytes))
		return x->error.set ? STEP_FAIL : exchange_no_memory(x);
	s->takes.looking = s->takes.n > 1;
	return go_on(x, s);
}

/* ---- schemas ----------------------------------------------------------------------------------------------------- */

static bool check_limit(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct limit *l = config;

	if (l->calls.given || l->bandwidth.given)
		return true;
	compile_error(c, n, NULL, "<%.*s> needs `calls`, `bandwidth` or both", STR_ARG(n->name));
	return false;
}

static bool check_inner(struct compiler *c, const struct doc_node *n, void *config)
{
	const struct limit *l = config;

	if (l->name.given || l->id.given)
		return check_limit(c, n, config);
	compile_error(c, n, NULL, "<%.*s> needs a `name` or an `id`", STR_ARG(n->name));
	return false;
}

static bool check_by_key(struct compiler *c, const struct doc_node *n, void *config)
{
	struct by_key_config *b = config;

	/* the documented default, 0001-01-01, gives the same windows as the first second of 1970 minus whole days */
	b->origin_us = -INT64_C(62135596800) * 1000000;
	if (b->first_start.given && !b->first_start.unknown
	    && !clock_parse_iso(str_trim(b->first_start.text), &b->origin_us)) {
		compile_error(c, n, "first-period-start",
			      "`first-period-start` must be a time such as 2025-01-02T03:04:05Z");
		return false;
	}
	if (b->limit.period.given && !b->limit.period.unknown && b->limit.period.number > 0
	    && b->limit.period.number < PERIOD_LEAST_S) {
		compile_error(c, n, "renewal-period", "`renewal-period` is at least %d seconds, or 0 for ever", PERIOD_LEAST_S);
		return false;
	}
	return check_limit(c, n, config);
}

#define LIMIT_ARGS                                                                                                    \
	{ .name = "calls", .kind = ARG_INT, .least = 1, .most = INT64_MAX, .offset = offsetof(struct limit, calls),   \
	  .help = "calls that are let through in the period" },                                                       \
	{ .name = "bandwidth", .kind = ARG_INT, .least = 1, .most = INT64_MAX / LIMIT_KILOBYTE, .offset = offsetof(struct limit, bandwidth), \
	  .help = "kilobytes that may be transferred in the period" },                                                \
	{ .name = "renewal-period", .kind = ARG_INT, .flags = ARG_REQUIRED, .least = 0, .most = INT32_MAX,            \
	  .offset = offsetof(struct limit, period), .help = "length of the window in seconds; 0: for ever" }
#define WHICH_ARGS                                                                                                    \
	{ .name = "name", .kind = ARG_TEXT, .offset = offsetof(struct limit, name), .help = "its name" },             \
	{ .name = "id", .kind = ARG_TEXT, .offset = offsetof(struct limit, id), .help = "its id; wins over the name" }

static const struct arg_schema inner_args[] = { WHICH_ARGS, LIMIT_ARGS };
static const struct element_schema operation_schema = {
	.name = "operation",
	.help = "A further quota for one operation of the API.",
	.config_size = sizeof(struct limit),
	.args = inner_args,
	.n_args = ARRAY_LEN(inner_args),
	.check = check_inner,
};
static const struct child_schema api_children[] = {
	{ .element = &operation_schema, .offset = offsetof(struct limit, inner) },
};
static const struct element_schema api_schema = {
	.name = "api",
	.help = "A further quota for one API of the product.",
	.config_size = sizeof(struct limit),
	.args = inner_args,
	.n_args = ARRAY_LEN(inner_args),
	.children = api_children,
	.n_children = ARRAY_LEN(api_children),
	.check = check_inner,
};
static const struct child_schema children[] = {
	{ .element = &api_schema, .offset = offsetof(struct limit, inner) },
};
static const struct arg_schema args[] = { LIMIT_ARGS };
static const struct element_schema schema = {
	.name = "quota",
	.help = "Refuses calls of a subscription beyond a number or a volume in a fixed window: 403 with Retry-After.",
	.config_size = sizeof(struct limit),
	.args = args,
	.n_args = ARRAY_LEN(args),
	.children = children,
	.n_children = ARRAY_LEN(children),
	.check = check_limit,
};
const struct policy_type quota_type = {
	.schema = &schema, .sections = IN_INBOUND, .scopes = 1 << SCOPE_PRODUCT, .once = true, .run = run, .resume = resume
};

static const struct arg_schema by_key_args[] = {
	LIMIT_ARGS,
	{ .name = "counter-key",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct by_key_config, key),
	  .help = "calls with the same key count together" },
	{ .name = "increment-condition",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "true",
	  .offset = offsetof(struct by_key_config, condition),
	  .help = "whether the call counts; an expression is asked at the end" },
	{ .name = "increment-count",
	  .kind = ARG_INT,
	  .flags = ARG_EXPR,
	  .least = 0,
	  .most = INT32_MAX,
	  .def = "1",
	  .offset = offsetof(struct by_key_config, count),
	  .help = "how much the call counts; an expression is asked at the end" },
	{ .name = "first-period-start",
	  .kind = ARG_TEXT,
	  .def = "0001-01-01T00:00:00Z",
	  .offset = offsetof(struct by_key_config, first_start),
	  .help = "when the first window begins" },
};
static const struct element_schema by_key_schema = {
	.name = "quota-by-key",
	.help = "Refuses calls of a key beyond a number or a volume in a fixed window: 403 with Retry-After.",
	.config_size = sizeof(struct by_key_config),
	.args = by_key_args,
	.n_args = ARRAY_LEN(by_key_args),
	.check = check_by_key,
};
const struct policy_type quota_by_key_type = {
	.schema = &by_key_schema, .sections = IN_INBOUND, .run = run_by_key, .resume = resume
};
