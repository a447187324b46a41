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
	return arena_printf(a, "tier:%.*s", STR_ARG(subscription));
}

struct str limit_rule_key(struct arena *a, struct str subscription, struct str api)
{
	return arena_printf(a, "rule:%.*s:%.*s", STR_ARG(subscription), STR_ARG(api));
}
