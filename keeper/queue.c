#include "keeper/queue.h"

#include <time.h>

enum { EVERY_MS = 500, RETRY_MOST_S = 3600 };

int64_t queue_pause_s(int64_t first_s, int64_t tries)
{
	int64_t s = first_s;

	for (int64_t i = 1; i < tries && s < RETRY_MOST_S; i++)
		s *= 2;
	return s < RETRY_MOST_S ? s : RETRY_MOST_S;
}

void queue_wait(pthread_mutex_t *lock, pthread_cond_t *wake, const atomic_bool *stop)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)EVERY_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(lock);
	if (!atomic_load(stop))
		pthread_cond_timedwait(wake, lock, &until);
	pthread_mutex_unlock(lock);
}
