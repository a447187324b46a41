#include "fcgi/pool.h"

static int64_t weight_of(const struct snap_pool_member *m)
{
	return m->weight > 0 ? m->weight : 1;
}

const struct snap_backend *pool_choose(const struct snap_backend *pool, uint64_t *rotation)
{
	const struct snap_pool_member *m = pool->members;
	int64_t total = 0, turn;
	size_t n = 0;

	while (n < pool->n_members && m[n].priority == m[0].priority)
		total += weight_of(&m[n++]);
	if (!n)
		return NULL;
	turn = (int64_t)((*rotation)++ % (uint64_t)total);
	for (size_t i = 0; i < n; i++) {
		turn -= weight_of(&m[i]);
		if (turn < 0)
			return m[i].backend;
	}
	return m[0].backend;
}
