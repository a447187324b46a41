#include "policy/net/world.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "policy/exchange.h"

int64_t world_now_us(struct vm_call *c)
{
	struct timespec ts;

	if (c->x && c->x->host && c->x->host->now_us)
		return c->x->host->now_us(c->x);
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

uint64_t world_random(struct vm_call *c)
{
	uint64_t r;

	if (c->x && c->x->host && c->x->host->random)
		return c->x->host->random(c->x);
	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		abort();
	return r;
}
