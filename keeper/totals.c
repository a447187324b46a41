#include "keeper/totals.h"

#include "core/map.h"
#include "core/str.h"
#include "keeper/drain.h"

struct totals {
	struct arena *arena;                 /* of the places; emptied by each write */
	struct map places;
};

static const int64_t MINUTE_US = 60000000;

struct totals *totals_new(struct arena *a)
{
	struct totals *t = arena_new_of(a, struct totals);

	if (!t || !(t->arena = arena_new((size_t)128 << 20)))
		return NULL;
	map_init(&t->places, t->arena, false);
	return t;
}

void totals_free(struct totals *t)
{
	if (t)
		arena_free(t->arena);
}

bool totals_full(const struct totals *t)
{
	return t->places.n >= DRAIN_PLACES_MAX;
}

/* The minute and the seven texts, each ended by a byte that no id holds. */
static struct str place_key(const struct telemetry_call *c, int64_t minute, char *out)
{
	const struct str parts[] = { c->environment, c->api, c->operation, c->product, c->subscription, c->application,
				     c->backend };
	char *to = out;

	memcpy(to, &minute, sizeof(minute));
	to += sizeof(minute);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].n)
			memcpy(to, parts[i].p, parts[i].n);
		to += parts[i].n;
		*to++ = '\0';
	}
	return (struct str){ out, (size_t)(to - out) };
}

static struct store_minute *place_of(struct totals *t, const struct telemetry_call *c, int64_t minute)
{
	char bytes[8 + 7 * 256];
	struct str key = place_key(c, minute, bytes);
	struct store_minute *m = map_get(&t->places, key);

	if (m)
		return m;
	m = arena_new_of(t->arena, struct store_minute);
	key = arena_dup(t->arena, key);
	if (!m || !key.p || !map_put(&t->places, key, m))
		return NULL;
	m->minute = minute;
	m->environment = arena_dup(t->arena, c->environment);
	m->api = arena_dup(t->arena, c->api);
	m->operation = arena_dup(t->arena, c->operation);
	m->product = arena_dup(t->arena, c->product);
	m->subscription = arena_dup(t->arena, c->subscription);
	m->application = arena_dup(t->arena, c->application);
	m->backend = arena_dup(t->arena, c->backend);
	return m->backend.p ? m : NULL;
}

bool totals_add(struct totals *t, const struct telemetry_call *c)
{
	int64_t minute = c->started_us / MINUTE_US;
	struct store_minute *m = place_of(t, c, minute);
	bool by_backend = c->origin == TELEMETRY_BY_BACKEND || c->origin == TELEMETRY_BACKEND_FAILED;
	unsigned class = c->status / 100;
	struct store_traffic *a;

	if (!m)
		return false;
	a = &m->add;
	a->calls++;
	a->status_class[class < ARRAY_LEN(a->status_class) ? class : 0]++;
	a->refused += class == 4 && c->origin == TELEMETRY_BY_GATEWAY;
	a->client_errors += class == 4;
	a->backend_errors += class == 5 && by_backend;
	a->gateway_errors += class == 5 && !by_backend;
	a->bytes_in += (int64_t)c->bytes_in;
	a->bytes_out += (int64_t)c->bytes_out;
	a->gateway_us += c->gateway_us;
	a->backend_us += c->backend_us;
	a->total_us += c->total_us;
	return latency_add(&a->latency, t->arena, c->total_us);
}

gh_rc totals_write(struct totals *t, struct store *s, struct gh_err *err)
{
	const struct map_slot *slot;
	size_t at = 0;

	while ((slot = map_next(&t->places, &at)))
		TRY(store_drain_minute(s, slot->value, err));
	arena_reset(t->arena);
	map_init(&t->places, t->arena, false);
	return GH_RC_OK;
}
