/* queue.h - what the threads that empty a durable queue (mails, calls of webhooks) share: when to try again, and how to wait. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* Seconds before the next try: first_s after the first one, twice as long after each further one, at most an hour. */
int64_t queue_pause_s(int64_t first_s, int64_t tries);
/* Half a second, or until `wake` is signalled; not at all once `stop` is set. For the thread that owns the queue. */
void queue_wait(pthread_mutex_t *lock, pthread_cond_t *wake, const atomic_bool *stop);
