/* control.c - choose, retry, wait, limit-concurrency: they become jumps and blocks (policy/program.h). */
#include "policy/program.h"

#include "core/str.h"

enum { RETRY_COUNT_MAX = 50 };

/* ---- choose ------------------------------------------------------------------------------------------------------ */

struct when_config {
	struct arg condition;
};
enum { BRANCHES_MAX = 256 };

static const struct arg_schema when_args[] = {
	{ .name = "condition",
	  .kind = ARG_BOOL,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct when_config, condition),
	  .help = "the branch is taken when this is true" },
};
static const struct element_schema when_schema = {
	.name = "when",
	.help = "A branch with its condition.",
	.config_size = sizeof(struct when_config),
	.args = when_args,
	.n_args = ARRAY_LEN(when_args),
	.content = CONTENT_POLICIES,
};
static const struct element_schema otherwise_schema = {
	.name = "otherwise", .help = "What runs when no condition was true.", .content = CONTENT_POLICIES,
};
/* Only for the documentation: the branches are compiled by emit_choose. */
static const struct child_schema choose_children[] = {
	{ .element = &when_schema, .min = 1 },
	{ .element = &otherwise_schema, .max = 1 },
};
static const struct element_schema choose_schema = {
	.name = "choose", .help = "Runs the first branch whose condition is true.", .content = CONTENT_POLICIES,
	.children = choose_children, .n_children = ARRAY_LEN(choose_children),
};

struct choose_state {
	uint32_t ends[BRANCHES_MAX];
	size_t n;
	bool otherwise;
};

static void emit_when(struct compiler *c, const struct doc_node *n, struct choose_state *s)
{
	struct when_config *w = compile_element(c, n, &when_schema);
	uint32_t test;

	if (s->n == BRANCHES_MAX) {
		compile_error(c, n, NULL, "<choose> takes at most %d branches", BRANCHES_MAX);
		return;
	}
	if (s->otherwise)
		compile_error(c, n, NULL, "<when> stands behind <otherwise>, where it can never be reached");
	test = emit(c, OP_UNLESS, n, w ? &w->condition : NULL);
	emit_as(c, test, n->parent);
	compile_enter(c, n);
	compile_policies(c, n);
	compile_leave(c);
	s->ends[s->n++] = emit(c, OP_JUMP, NULL, NULL);
	emit_target(c, test);
}

static void emit_otherwise(struct compiler *c, const struct doc_node *n, struct choose_state *s)
{
	if (s->otherwise)
		compile_error(c, n, NULL, "<otherwise> stands twice in <choose>");
	s->otherwise = true;
	compile_element(c, n, &otherwise_schema);
	compile_enter(c, n);
	compile_policies(c, n);
	compile_leave(c);
}

static bool emit_choose(struct compiler *c, const struct doc_node *n, void *config)
{
	struct choose_state *s = config ? arena_new_of(c->arena, struct choose_state) : NULL;

	if (!s)
		return false;
	compile_enter(c, n);
	for (const struct doc_node *k = n->first; k; k = k->next) {
		if (str_eq(k->name, STR("when")))
			emit_when(c, k, s);
		else if (str_eq(k->name, STR("otherwise")))
			emit_otherwise(c, k, s);
		else
			compile_error(c, k, NULL,
				      "<%.*s> cannot stand in <choose>; put it into a <when> or <otherwise>",
				      STR_ARG(k->name));
	}
	compile_leave(c);
	if (!s->n)
		compile_error(c, n, NULL, "<choose> needs a <when>");
	for (size_t i = 0; i < s->n; i++)
		emit_target(c, s->ends[i]);
	return true;
}

const struct policy_type choose_type = { .schema = &choose_schema, .sections = IN_ANY, .emit = emit_choose };

/* ---- retry ------------------------------------------------------------------------------------------------------- */

static const struct arg_schema retry_args[] = {
	{ .name = "condition",
	  .kind = ARG_BOOL,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct retry_config, condition),
	  .help = "try again while this is true" },
	{ .name = "count",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 1,
	  .most = RETRY_COUNT_MAX,
	  .offset = offsetof(struct retry_config, count),
	  .help = "how many more tries there may be" },
	{ .name = "interval",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .least = 0,
	  .most = 86400,
	  .offset = offsetof(struct retry_config, interval),
	  .help = "seconds between tries" },
	{ .name = "max-interval",
	  .kind = ARG_INT,
	  .flags = ARG_EXPR,
	  .least = 0,
	  .most = 86400,
	  .offset = offsetof(struct retry_config, max_interval),
	  .help = "most seconds between tries; with delta they grow exponentially" },
	{ .name = "delta",
	  .kind = ARG_INT,
	  .flags = ARG_EXPR,
	  .least = 0,
	  .most = 86400,
	  .offset = offsetof(struct retry_config, delta),
	  .help = "seconds by which the wait grows" },
	{ .name = "first-fast-retry",
	  .kind = ARG_BOOL,
	  .flags = ARG_EXPR,
	  .def = "false",
	  .offset = offsetof(struct retry_config, first_fast),
	  .help = "the first further try comes at once" },
};
static const struct element_schema retry_schema = {
	.name = "retry",
	.help = "Runs its policies, and again while the condition is true.",
	.config_size = sizeof(struct retry_config),
	.args = retry_args,
	.n_args = ARRAY_LEN(retry_args),
	.content = CONTENT_POLICIES,
};

static bool emit_retry(struct compiler *c, const struct doc_node *n, void *config)
{
	uint32_t begin = emit(c, OP_RETRY, n, config);

	for (const struct doc_node *k = n->first; k; k = k->next) {
		if (str_eq(k->name, STR("wait")))
			compile_error(c, k, NULL, "<wait> cannot stand in <retry>");
		if (str_eq(k->name, STR("forward-request")))
			c->uses.backend_tries = true;
	}
	compile_enter(c, n);
	compile_policies(c, n);
	compile_leave(c);
	emit_target(c, begin);
	emit(c, OP_AGAIN, n, config);
	return config != NULL;
}

const struct policy_type retry_type = { .schema = &retry_schema, .sections = IN_ANY, .emit = emit_retry };

/* ---- limit-concurrency ------------------------------------------------------------------------------------------- */

static const struct arg_schema limit_args[] = {
	{ .name = "key",
	  .kind = ARG_TEXT,
	  .flags = ARG_REQUIRED | ARG_EXPR,
	  .offset = offsetof(struct limit_concurrency_config, key),
	  .help = "requests with the same key count together" },
	{ .name = "max-count",
	  .kind = ARG_INT,
	  .flags = ARG_REQUIRED,
	  .least = 1,
	  .most = INT32_MAX,
	  .offset = offsetof(struct limit_concurrency_config, max_count),
	  .help = "requests that may be inside at once" },
};
static const struct element_schema limit_schema = {
	.name = "limit-concurrency",
	.help = "Lets a number of requests at once into its policies and refuses others with 429.",
	.config_size = sizeof(struct limit_concurrency_config),
	.args = limit_args,
	.n_args = ARRAY_LEN(limit_args),
	.content = CONTENT_POLICIES,
};

static bool emit_limit(struct compiler *c, const struct doc_node *n, void *config)
{
	emit(c, OP_ENTER, n, config);
	compile_enter(c, n);
	compile_policies(c, n);
	compile_leave(c);
	emit(c, OP_LEAVE, NULL, NULL);
	return config != NULL;
}

const struct policy_type limit_concurrency_type = { .schema = &limit_schema, .sections = IN_ANY, .emit = emit_limit };

/* ---- wait -------------------------------------------------------------------------------------------------------- */

static const struct arg_schema wait_args[] = {
	{ .name = "for",
	  .kind = ARG_ENUM,
	  .flags = ARG_EXPR,
	  .choices = "all|any",
	  .def = "all",
	  .offset = offsetof(struct fork_config, wait_for),
	  .help = "go on when all, or when any of the children is done" },
};
static const struct element_schema wait_schema = {
	.name = "wait",
	.help = "Runs its children at the same time: send-request, cache-lookup-value and choose.",
	.config_size = sizeof(struct fork_config),
	.args = wait_args,
	.n_args = ARRAY_LEN(wait_args),
	.content = CONTENT_POLICIES,
};

static bool may_stand_in_wait(struct compiler *c, const struct doc_node *k)
{
	static const struct str allowed[] = { STR_INIT("send-request"), STR_INIT("cache-lookup-value"),
					      STR_INIT("choose") };

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (str_eq(allowed[i], k->name))
			return true;
	compile_error(c, k, NULL, "<%.*s> cannot stand in <wait>; send-request, cache-lookup-value and choose can",
		      STR_ARG(k->name));
	return false;
}

/* Instructions that use the exchange as a whole cannot run beside others. */
static void check_branch(struct compiler *c, const struct doc_node *n)
{
	static const struct str alone[] = { STR_INIT("forward-request"), STR_INIT("base"), STR_INIT("wait") };

	for (const struct doc_node *k = n->first; k; k = k->next) {
		for (size_t i = 0; i < ARRAY_LEN(alone); i++)
			if (str_eq(alone[i], k->name))
				compile_error(c, k, NULL, "<%.*s> cannot stand inside <wait>", STR_ARG(k->name));
		check_branch(c, k);
	}
}

static bool emit_wait(struct compiler *c, const struct doc_node *n, void *config)
{
	struct fork_config *f = config;
	uint32_t over;

	if (!f || !(f->starts = arena_alloc(c->arena, FORKS_MAX, sizeof(*f->starts))))
		return false;
	check_branch(c, n);
	emit(c, OP_FORK, n, config);
	over = emit(c, OP_JUMP, NULL, NULL);
	compile_enter(c, n);
	for (const struct doc_node *k = n->first; k; k = k->next) {
		if (!may_stand_in_wait(c, k))
			continue;
		if (f->n == FORKS_MAX) {
			compile_error(c, k, NULL, "<wait> takes at most %d children", FORKS_MAX);
			break;
		}
		f->starts[f->n++] = emit_here(c);
		compile_policy(c, k);
		emit(c, OP_END, NULL, NULL);
	}
	compile_leave(c);
	emit_target(c, over);
	if (!f->n)
		compile_error(c, n, NULL, "<wait> has nothing to wait for");
	return true;
}

const struct policy_type wait_type = { .schema = &wait_schema,
				       .sections = IN_INBOUND | IN_BACKEND | IN_OUTBOUND,
				       .emit = emit_wait };
