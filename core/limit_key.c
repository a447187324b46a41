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

/* No key that a policy takes out of a field of a request begins like this. */
struct str limit_place_key(struct arena *a, struct str key)
{
	return arena_printf(a, "\001%.*s", STR_ARG(key));
}
