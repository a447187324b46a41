#include "fcgi/loop.h"

#include "core/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENTS_PER_ROUND = 256 };

GH_RC loop_init(struct loop *l, struct gh_err *err)
{
	*l = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC), .now_us = clock_mono_us() };
	if (l->epoll_fd < 0)
		FAIL(err, IO, "cannot make an epoll set: %s", strerror(errno));
	return GH_RC_OK;
}

static void burials(struct loop *l)
{
	while (l->graves) {
		struct grave *g = l->graves;

		l->graves = g->next;
		g->free(g);
	}
}

void loop_release(struct loop *l)
{
	burials(l);
	free(l->heap);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	l->epoll_fd = -1;
}

void loop_watch_init(struct watch *w, int fd, void (*ready)(struct watch *, uint32_t))
{
	*w = (struct watch){ .fd = fd, .ready = ready };
}

static bool apply(struct loop *l, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events | (w->exclusive ? EPOLLEXCLUSIVE : 0), .data.ptr = w };
	int op = !events ? EPOLL_CTL_DEL : w->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (events == w->registered)
		return true;
	if (w->exclusive && op == EPOLL_CTL_MOD)
		return true;
	if (epoll_ctl(l->epoll_fd, op, w->fd, &ev) < 0 && op != EPOLL_CTL_DEL)
		return false;
	w->registered = events;
	return true;
}

bool loop_want(struct loop *l, struct watch *w, uint32_t events)
{
	w->wanted = events;
	if ((w->registered & events) == events)
		return true;
	return apply(l, w, events);
}

void loop_forget(struct loop *l, struct watch *w, bool closing)
{
	w->wanted = 0;
	if (closing)
		w->registered = 0;
	else
		apply(l, w, 0);
}

void loop_bury(struct loop *l, struct grave *g, void (*free_it)(struct grave *))
{
	g->free = free_it;
	g->next = l->graves;
	l->graves = g;
}

/* ---- timers: a binary heap, earliest first ---- */

static void put(struct loop *l, size_t at, struct timer *t)
{
	l->heap[at - 1] = t;
	t->at = at;
}

static void sift(struct loop *l, size_t at)
{
	struct timer *t = l->heap[at - 1];

	while (at > 1 && l->heap[at / 2 - 1]->due_us > t->due_us) {
		put(l, at, l->heap[at / 2 - 1]);
		at /= 2;
	}
	for (size_t child; (child = at * 2) <= l->heap_n;) {
		if (child < l->heap_n && l->heap[child]->due_us < l->heap[child - 1]->due_us)
			child++;
		if (l->heap[child - 1]->due_us >= t->due_us)
			break;
		put(l, at, l->heap[child - 1]);
		at = child;
	}
	put(l, at, t);
}

bool loop_timer_set(struct loop *l, struct timer *t, int64_t due_us)
{
	t->due_us = due_us;
	if (!t->at) {
		if (l->heap_n == l->heap_cap) {
			size_t cap = l->heap_cap ? l->heap_cap * 2 : 64;
			struct timer **heap = realloc(l->heap, cap * sizeof(struct timer *));

			if (!heap)
				return false;
			l->heap = heap;
			l->heap_cap = cap;
		}
		put(l, ++l->heap_n, t);
	}
	sift(l, t->at);
	return true;
}

void loop_timer_clear(struct loop *l, struct timer *t)
{
	size_t at = t->at;
	struct timer *last;

	if (!at)
		return;
	t->at = 0;
	last = l->heap[--l->heap_n];
	if (last == t)
		return;
	put(l, at, last);
	sift(l, at);
}

static void fire_due(struct loop *l)
{
	while (l->heap_n && l->heap[0]->due_us <= l->now_us) {
		struct timer *t = l->heap[0];

		loop_timer_clear(l, t);
		t->fire(t);
	}
}

/* ---- one round ---- */

static int wait_ms(const struct loop *l, int64_t max_wait_us)
{
	int64_t us = max_wait_us;

	if (l->heap_n && l->heap[0]->due_us - l->now_us < us)
		us = l->heap[0]->due_us - l->now_us;
	return us <= 0 ? 0 : (int)((us + 999) / 1000);
}

static void hand_out(struct loop *l, struct watch *w, uint32_t events)
{
	uint32_t wanted = w->wanted | EPOLLHUP | EPOLLERR;

	if (!w->registered)
		return;                  /* forgotten earlier in this round */
	if (!(events & wanted) || !w->wanted)
		apply(l, w, w->wanted);  /* nobody wants this now: narrow the interest, else it comes again at once */
	else
		w->ready(w, events & wanted);
}

void loop_round(struct loop *l, int64_t max_wait_us)
{
	struct epoll_event ev[EVENTS_PER_ROUND];
	int n = epoll_wait(l->epoll_fd, ev, EVENTS_PER_ROUND, wait_ms(l, max_wait_us));

	l->now_us = clock_mono_us();
	for (int i = 0; i < n; i++)
		hand_out(l, ev[i].data.ptr, ev[i].events);
	fire_due(l);
	burials(l);
}
