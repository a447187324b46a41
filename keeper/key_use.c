#include "keeper/key_use.h"

#include "core/map.h"
#include "core/telemetry_kind.h"
#include "db/key_review.h"

#include <string.h>

struct use {
	struct str subscription, prefix;
	int64_t last_us;
};

struct key_uses {
	struct arena *arena;
	struct map uses;                     /* "SUBSCRIPTION\1PREFIX" */
	struct use *of_kind[TELEMETRY_KINDS_MAX + 1];       /* the same, by the kind of the call */
};

struct key_uses *key_uses_new(struct arena *a)
{
	struct key_uses *u = arena_new_of(a, struct key_uses);

	if (u) {
		u->arena = a;
		map_init(&u->uses, a, false);
	}
	return u;
}

/* NULL: no memory. */
static struct use *look_up(struct key_uses *u, const struct telemetry_call *call)
{
	char text[256];
	struct str key = { text, call->subscription.n + 1 + call->key_prefix.n };
	struct use *x;

	_Static_assert(sizeof(text) > 80 + 1 + 16, "both at their longest, core/telemetry.h");
	memcpy(text, call->subscription.p, call->subscription.n);
	text[call->subscription.n] = '\1';
	memcpy(text + call->subscription.n + 1, call->key_prefix.p, call->key_prefix.n);
	x = map_get(&u->uses, key);
	if (x)
		return x;
	x = arena_new_of(u->arena, struct use);
	key = arena_dup(u->arena, key);
	if (!x || !key.p || !map_put(&u->uses, key, x))
		return NULL;
	x->subscription = (struct str){ key.p, call->subscription.n };
	x->prefix = (struct str){ key.p + call->subscription.n + 1, call->key_prefix.n };
	return x;
}

/* Keys that were refused count as well: somebody still has them. */
bool key_uses_add(struct key_uses *u, const struct telemetry_call *call)
{
	struct use *x = call->kind ? u->of_kind[call->kind] : NULL;

	if (!call->subscription.n || !call->key_prefix.n)
		return true;
	if (!x && !(x = look_up(u, call)))
		return false;
	if (call->kind)
		u->of_kind[call->kind] = x;
	if (call->started_us > x->last_us)
		x->last_us = call->started_us;
	return true;
}

GH_RC key_uses_write(struct key_uses *u, struct store *s, struct gh_err *err)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&u->uses, &at))) {
		const struct use *x = slot->value;

		TRY(store_drain_key_use(s, x->subscription, x->prefix, x->last_us, err));
	}
	return GH_RC_OK;
}
