/* limit_list.c - the limits of tiers and of consumer rules as a list of a document. */
#include "config/kind.h"

#include "core/str.h"

static const char *const kinds[] = { "rate", "quota", NULL };
static const char *const algorithms[] = { "usual", "fixed-window", "sliding-window", "token-bucket", NULL };

const struct resource_field limit_fields[] = {
	{ .name = "kind", .type = RESOURCE_ENUM, .flags = RESOURCE_REQUIRED, .values = kinds, .label = "Kind",
	  .description = "rate: a sliding window; quota: fixed periods" },
	{ .name = "calls", .type = RESOURCE_INT, .flags = RESOURCE_REQUIRED, .least = 1, .most = 1000000000, .label = "Calls",
	  .description = "How many calls" },
	{ .name = "seconds", .type = RESOURCE_INT, .flags = RESOURCE_REQUIRED, .least = 0, .most = INT64_C(3162240000), .label = "Seconds",
	  .description = "In how many seconds; 0: a quota that never begins anew" },
	{ .name = "algorithm", .type = RESOURCE_ENUM, .values = algorithms, .otherwise = "\"usual\"", .label = "Algorithm",
	  .description = "How it counts; usual: a sliding window for a rate, a fixed one for a quota" },
	FIELD_END,
};

json_t *limit_list(const struct store_limit *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:s}", "kind", kinds[v[i].kind == STORE_LIMIT_QUOTA], "calls",
						      (json_int_t)v[i].calls, "seconds", (json_int_t)v[i].seconds, "algorithm",
						      algorithms[v[i].algorithm]));
	return list;
}

/* As they are shown: rates before quotas, the shortest window first. */
static int by_window(const json_t *a, const json_t *b)
{
	bool qa = str_eq(jsn_str(a, "kind"), STR("quota")), qb = str_eq(jsn_str(b, "kind"), STR("quota"));
	int64_t x = jsn_int(a, "seconds", 0), y = jsn_int(b, "seconds", 0);

	return qa != qb ? (qa > qb) - (qa < qb) : (x > y) - (x < y);
}

void check_limits(struct resource_put *p, const char *whose)
{
	json_t *list = jsn_get(p->doc, "limits");
	char pointer[40];

	if (json_array_size(list) > STORE_TIER_LIMITS_MAX)
		put_problem(p, "/limits", "%s has at most %d limits", whose, STORE_TIER_LIMITS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *limit = json_array_get(list, i);
		struct str algorithm = jsn_str(limit, "algorithm");
		int64_t seconds = jsn_int(limit, "seconds", 0);

		snprintf(pointer, sizeof(pointer), "/limits/%zu/seconds", i);
		if (str_eq(jsn_str(limit, "kind"), STR("rate")) && (seconds < 1 || seconds > STORE_RATE_SECONDS_MAX))
			put_problem(p, pointer, "the window of a rate has 1 to %d seconds; a quota may have more", STORE_RATE_SECONDS_MAX);
		else if (!seconds && (str_eq(algorithm, STR("sliding-window")) || str_eq(algorithm, STR("token-bucket"))))
			put_problem(p, pointer, "a quota that never begins anew has no window that slides and no bucket that fills");
		for (size_t k = 0; k < i; k++)
			if (!by_window(limit, json_array_get(list, k)))
				put_problem(p, pointer, "another limit of this kind has the same seconds");
	}
	sort_objects(list, by_window);
}

size_t read_limits(const json_t *doc, struct store_limit out[STORE_TIER_LIMITS_MAX])
{
	const json_t *list = jsn_get(doc, "limits");
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n && i < STORE_TIER_LIMITS_MAX; i++) {
		const json_t *limit = json_array_get(list, i);

		out[i] = (struct store_limit){ str_eq(jsn_str(limit, "kind"), STR("quota")) ? STORE_LIMIT_QUOTA : STORE_LIMIT_RATE,
					       jsn_int(limit, "seconds", 0), jsn_int(limit, "calls", 0), 0 };
		for (int64_t k = 0; algorithms[k]; k++)
			if (str_eq(jsn_str(limit, "algorithm"), str_of(algorithms[k])))
				out[i].algorithm = k;
	}
	return n < STORE_TIER_LIMITS_MAX ? n : STORE_TIER_LIMITS_MAX;
}
