#include "core/map.h"

#include "core/str.h"

void map_init(struct map *m, struct arena *a, bool ignore_case)
{
	*m = (struct map){ .arena = a, .ci = ignore_case };
}

static uint64_t hash_of(const struct map *m, struct str key)
{
	return m->ci ? str_hash_ci(key) : str_hash(key);
}

static struct map_slot *find(const struct map *m, struct str key, uint64_t hash)
{
	for (size_t i = (size_t)hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct map_slot *s = &m->slots[i];

		if (!s->value)
			return s;
		if (s->hash == hash && (m->ci ? str_eq_ci(s->key, key) : str_eq(s->key, key)))
			return s;
	}
}

static bool grow(struct map *m)
{
	struct map bigger = *m;

	bigger.cap = m->cap ? m->cap * 2 : 16;
	bigger.slots = arena_alloc(m->arena, bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].value)
			*find(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
	*m = bigger;
	return true;
}

bool map_put(struct map *m, struct str key, void *value)
{
	uint64_t hash = hash_of(m, key);
	struct map_slot *s;

	if ((m->n + 1) * 10 > m->cap * 7 && !grow(m))
		return false;
	s = find(m, key, hash);
	if (!s->value) {
		m->n++;
		s->hash = hash;
		s->key = key;
	}
	s->value = value;
	return true;
}

void *map_get(const struct map *m, struct str key)
{
	return m->cap ? find(m, key, hash_of(m, key))->value : NULL;
}

const struct map_slot *map_next(const struct map *m, size_t *i)
{
	while (*i < m->cap)
		if (m->slots[(*i)++].value)
			return &m->slots[*i - 1];
	return NULL;
}
