#include "core/limit_key.h"

struct str limit_quota_key(struct arena *a, struct str product, struct str subscription)
{
	return arena_printf(a, "quota:%.*s:%.*s", STR_ARG(product), STR_ARG(subscription));
}

struct str limit_quota_part(struct arena *a, struct str key, bool bytes)
{
	return arena_printf(a, "%.*s:%s", STR_ARG(key), bytes ? "bytes" : "calls");
}

struct str limit_tier_key(struct arena *a, struct str subscription)
{
	const struct str parts[] = { STR("tier:"), subscription };

	return arena_join(a, parts, ARRAY_LEN(parts));       /* of every call, as the next two */
}

struct str limit_rule_key(struct arena *a, struct str subscription, struct str api)
{
	const struct str parts[] = { STR("rule:"), subscription, STR(":"), api };

	return arena_join(a, parts, ARRAY_LEN(parts));
}

/* No key that a policy takes out of a field of a request begins like this. */
struct str limit_place_key(struct arena *a, struct str key)
{
	const struct str parts[] = { STR("\001"), key };

	return arena_join(a, parts, ARRAY_LEN(parts));
}
