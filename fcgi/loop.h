/* loop.h - epoll and timers of one worker.
 *
 * A watch belongs to whoever embeds it; the loop keeps its address only. A watch that goes away while events are being
 * handed out may still be called in the same round, so owners free it with loop_bury.
 * Interest is level-triggered and lazy: loop_want widens it at once, but narrows it only when an event came that nobody
 * wanted. A kept-alive socket that is read, goes idle and is read again costs no epoll_ctl at all.
 * One thread only. */
#pragma once

#include "core/base.h"
#include "core/error.h"

#include <sys/epoll.h>

struct watch {
	int fd;
	uint32_t wanted, registered;     /* EPOLLIN, EPOLLOUT; 0 registered: not in the set */
	bool exclusive;                  /* EPOLLEXCLUSIVE: a listening socket shared with other workers */
	void (*ready)(struct watch *w, uint32_t events);
};

struct timer {
	int64_t due_us;
	size_t at;                       /* 1-based place in the heap; 0: not set */
	void (*fire)(struct timer *t);
};

struct grave {                       /* memory that is freed when the round is over */
	struct grave *next;
	void (*free)(struct grave *g);
};

struct loop {
	int epoll_fd;
	int64_t now_us;                  /* monotonic, read once a round */
	struct timer **heap;
	size_t heap_n, heap_cap;
	struct grave *graves;
};

GH_RC loop_init(struct loop *l, struct gh_err *err);
void loop_release(struct loop *l);

void loop_watch_init(struct watch *w, int fd, void (*ready)(struct watch *, uint32_t));
/* False when the descriptor cannot be watched (a plain file is always ready). */
bool loop_want(struct loop *l, struct watch *w, uint32_t events);
/* The owner is about to close the descriptor (which takes it out of the set), or wants no events whatever. */
void loop_forget(struct loop *l, struct watch *w, bool closing);
void loop_bury(struct loop *l, struct grave *g, void (*free_it)(struct grave *));

/* Sets or moves a timer. False when out of memory. */
bool loop_timer_set(struct loop *l, struct timer *t, int64_t due_us);
void loop_timer_clear(struct loop *l, struct timer *t);

/* Waits for events, at most until max_wait_us from now (less when a timer is due), and hands them out. */
void loop_round(struct loop *l, int64_t max_wait_us);
