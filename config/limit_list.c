/* limit_list.c - the limits of tiers and of consumer rules as a list of a document. */
#include "config/kind.h"

#include "core/str.h"

static const char *const kinds[] = { "rate", "quota", "bandwidth", "concurrency", NULL };
static const char *const algorithms[] = { "usual", "fixed-window", "sliding-window", "token-bucket", "leaky-bucket", NULL };

const struct resource_field limit_fields[] = {
	{ .name = "kind", .type = RESOURCE_ENUM, .flags = RESOURCE_REQUIRED, .values = kinds, .label = "Kind",
	  .description = "rate: calls in a sliding window; quota: calls in fixed periods; bandwidth: bytes in fixed periods; concurrency: calls at once" },
	{ .name = "calls", .type = RESOURCE_INT, .least = 0, .most = 1000000000, .label = "Calls",
	  .description = "How many calls, or how many at once; 0 of bandwidth" },
	{ .name = "bytes", .type = RESOURCE_INT, .least = 0, .most = INT64_C(1) << 50, .label = "Bytes",
	  .description = "Of bandwidth: how many bytes, bodies of requests and answers together; else 0" },
	{ .name = "seconds", .type = RESOURCE_INT, .least = 0, .most = INT64_C(3162240000), .label = "Seconds",
	  .description = "In how many seconds; 0: a quota that never begins anew, and always of concurrency" },
	{ .name = "algorithm", .type = RESOURCE_ENUM, .values = algorithms, .otherwise = "\"usual\"", .label = "Algorithm",
	  .description = "How it counts; usual: a sliding window for a rate, a fixed one for a quota; leaky-bucket: evenly from the first call on" },
	{ .name = "queue", .type = RESOURCE_INT, .least = 0, .most = STORE_QUEUE_MAX, .label = "Queue",
	  .description = "Of a rate: how many calls beyond it wait for their turn in place of being refused; 0: none" },
	{ .name = "maxDelayMs", .type = RESOURCE_INT, .least = 0, .most = STORE_DELAY_MS_MAX, .label = "Longest wait (ms)",
	  .description = "How long a call waits in the queue before it is refused; 0 without a queue" },
	FIELD_END,
};

json_t *limit_list(const struct store_limit *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		bool bytes = v[i].kind == STORE_LIMIT_BANDWIDTH;

		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:s, s:I, s:I}", "kind", kinds[v[i].kind], "calls",
						      (json_int_t)(bytes ? 0 : v[i].calls), "bytes", (json_int_t)(bytes ? v[i].calls : 0),
						      "seconds", (json_int_t)v[i].seconds, "algorithm", algorithms[v[i].algorithm], "queue",
						      (json_int_t)v[i].queue, "maxDelayMs", (json_int_t)v[i].delay_ms));
	}
	return list;
}

static int64_t index_of(const json_t *limit, const char *name, const char *const *values)
{
	struct str text = jsn_str(limit, name);

	for (int64_t i = 0; values[i]; i++)
		if (str_eq(text, str_of(values[i])))
			return i;
	return 0;
}

static struct store_limit limit_of(const json_t *limit)
{
	int64_t kind = index_of(limit, "kind", kinds);

	return (struct store_limit){ .kind = kind, .seconds = jsn_int(limit, "seconds", 0),
				     .calls = jsn_int(limit, kind == STORE_LIMIT_BANDWIDTH ? "bytes" : "calls", 0),
				     .algorithm = index_of(limit, "algorithm", algorithms), .queue = jsn_int(limit, "queue", 0),
				     .delay_ms = jsn_int(limit, "maxDelayMs", 0) };
}

/* As they are shown: by kind, the shortest window first. */
static int by_window(const json_t *a, const json_t *b)
{
	struct store_limit x = limit_of(a), y = limit_of(b);

	return x.kind != y.kind ? (x.kind > y.kind) - (x.kind < y.kind) : (x.seconds > y.seconds) - (x.seconds < y.seconds);
}

static void problem_at(struct resource_put *p, size_t i, const char *field, const char *what)
{
	char pointer[64];

	snprintf(pointer, sizeof(pointer), "/limits/%zu/%s", i, field);
	put_problem(p, pointer, "%s", what);
}

static void check_most(struct resource_put *p, size_t i, const struct store_limit *l, const json_t *limit)
{
	bool bytes = l->kind == STORE_LIMIT_BANDWIDTH;

	if (l->calls < 1)
		problem_at(p, i, bytes ? "bytes" : "calls", bytes ? "how many bytes? At least 1" : "how many calls? At least 1");
	if (l->kind == STORE_LIMIT_CONCURRENCY && l->calls > STORE_CONCURRENCY_MAX)
		problem_at(p, i, "calls", "at most 1000000 calls are counted at once");
	if (jsn_int(limit, bytes ? "calls" : "bytes", 0))
		problem_at(p, i, bytes ? "calls" : "bytes", bytes ? "bandwidth counts bytes; a quota counts calls" : "only bandwidth counts bytes");
}

static void check_window(struct resource_put *p, size_t i, const struct store_limit *l)
{
	bool rate = l->kind == STORE_LIMIT_RATE;
	char text[100];

	snprintf(text, sizeof(text), "the window of a rate has 1 to %d seconds; a quota may have more", STORE_RATE_SECONDS_MAX);
	if (rate && (l->seconds < 1 || l->seconds > STORE_RATE_SECONDS_MAX))
		problem_at(p, i, "seconds", text);
	else if (l->kind == STORE_LIMIT_CONCURRENCY && l->seconds)
		problem_at(p, i, "seconds", "calls at once have no window: leave the seconds out");
	else if (l->kind == STORE_LIMIT_CONCURRENCY && l->algorithm)
		problem_at(p, i, "algorithm", "calls at once are counted in one way only");
	else if (l->kind == STORE_LIMIT_BANDWIDTH && l->algorithm > STORE_ALGORITHM_FIXED)
		problem_at(p, i, "algorithm", "bytes are counted in fixed windows");
	else if (!rate && l->algorithm == STORE_ALGORITHM_LEAKY)
		problem_at(p, i, "algorithm", "only a rate is a leaky bucket");
	else if (!l->seconds && l->algorithm > STORE_ALGORITHM_FIXED)
		problem_at(p, i, "seconds", "a quota that never begins anew has no window that slides and no bucket that fills");
}

static void check_queue(struct resource_put *p, size_t i, const struct store_limit *l)
{
	if ((l->queue || l->delay_ms) && l->kind != STORE_LIMIT_RATE)
		problem_at(p, i, l->queue ? "queue" : "maxDelayMs", "only a rate has a queue");
	else if (l->queue && !l->delay_ms)
		problem_at(p, i, "maxDelayMs", "how long may a call wait in the queue? At least 1 ms");
	else if (l->delay_ms && !l->queue)
		problem_at(p, i, "queue", "how many calls may wait? At least 1");
}

void check_limits(struct resource_put *p, const char *whose)
{
	json_t *list = jsn_get(p->doc, "limits");

	if (json_array_size(list) > STORE_TIER_LIMITS_MAX)
		put_problem(p, "/limits", "%s has at most %d limits", whose, STORE_TIER_LIMITS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *limit = json_array_get(list, i);
		struct store_limit l = limit_of(limit);

		check_most(p, i, &l, limit);
		check_window(p, i, &l);
		check_queue(p, i, &l);
		for (size_t k = 0; k < i; k++)
			if (!by_window(limit, json_array_get(list, k)))
				problem_at(p, i, l.kind == STORE_LIMIT_CONCURRENCY ? "kind" : "seconds", "another limit of this kind has the same seconds");
	}
	sort_objects(list, by_window);
}

size_t read_limits(const json_t *doc, struct store_limit out[STORE_TIER_LIMITS_MAX])
{
	const json_t *list = jsn_get(doc, "limits");
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n && i < STORE_TIER_LIMITS_MAX; i++)
		out[i] = limit_of(json_array_get(list, i));
	return n < STORE_TIER_LIMITS_MAX ? n : STORE_TIER_LIMITS_MAX;
}
