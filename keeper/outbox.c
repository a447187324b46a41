#include "keeper/outbox.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "keeper/queue.h"

#include <pthread.h>
#include <stdlib.h>

enum { RETRY_FIRST_S = 1, RETRY_MOST_S = 60, RETRY_AFTER_MOST_S = 3600, TELL_EVERY_S = 60 };
static const int64_t SECOND_US = 1000000;

struct outbox {
	struct outbox_options o;
	struct buf item;                     /* being written: length, then bytes */
	struct buf pending;                  /* of the drain that is under way */
	uint64_t n_pending, no_room;         /* items; no_room: of this drain */
	pthread_t thread;
	pthread_mutex_t lock;                /* of all below */
	pthread_cond_t wake;
	atomic_bool stop;
	struct buf queue;
	uint64_t waiting, sent, dropped;
	char error[OUTBOX_ERROR_MAX];
	/* the thread's own */
	struct buf batch;
	size_t at;
	uint64_t n_batch;
	int64_t tries, again_us, told_us;
};

/* ---- filling ----------------------------------------------------------------------------------------------------------------- */

struct buf *outbox_item(struct outbox *o)
{
	const uint32_t length = 0;

	buf_clear(&o->item);
	buf_add(&o->item, &length, sizeof(length));
	return &o->item;
}

void outbox_add(struct outbox *o)
{
	uint32_t length = (uint32_t)(o->item.n - sizeof(length));

	if (!buf_ok(&o->item) || o->pending.n + o->item.n > o->o.queue_bytes) {
		o->no_room++;
		return;
	}
	memcpy(o->item.p, &length, sizeof(length));
	buf_str(&o->pending, buf_view(&o->item));
	if (buf_ok(&o->pending))
		o->n_pending++;
	else
		o->no_room++;
}

/* What does not fit as a whole goes in as far as it fits: the older calls. */
static void take_pending(struct outbox *o)
{
	size_t room = o->o.queue_bytes - o->queue.n, at = 0;
	uint64_t n = 0;
	uint32_t length;

	while (at < o->pending.n) {
		memcpy(&length, o->pending.p + at, sizeof(length));
		if (at + sizeof(length) + length > room)
			break;
		at += sizeof(length) + length;
		n++;
	}
	buf_add(&o->queue, o->pending.p, at);
	if (!buf_ok(&o->queue))
		n = 0;
	o->queue.failed = false;
	o->waiting += n;
	o->dropped += o->n_pending - n + o->no_room;
}

void outbox_drained(struct outbox *o, bool stored)
{
	if (stored && (o->n_pending || o->no_room)) {
		pthread_mutex_lock(&o->lock);
		take_pending(o);
		pthread_cond_signal(&o->wake);
		pthread_mutex_unlock(&o->lock);
	}
	buf_clear(&o->pending);
	o->n_pending = o->no_room = 0;
}

/* ---- sending ----------------------------------------------------------------------------------------------------------------- */

/* The oldest of the queue as the next batch. */
static bool fill(struct outbox *o)
{
	size_t n = 0;
	uint64_t items = 0;

	buf_clear(&o->batch);
	o->at = 0;
	pthread_mutex_lock(&o->lock);
	while (n < o->queue.n && items < o->o.batch_items) {
		uint32_t length;

		memcpy(&length, o->queue.p + n, sizeof(length));
		if (items && n + sizeof(length) + length > o->o.batch_bytes)
			break;
		n += sizeof(length) + length;
		items++;
	}
	buf_add(&o->batch, o->queue.p, n);
	if (buf_ok(&o->batch)) {
		buf_drop_front(&o->queue, n);
		o->n_batch = items;
	}
	pthread_mutex_unlock(&o->lock);
	o->tries = 0;
	return buf_ok(&o->batch) && items;
}

static void tell(struct outbox *o, const char *what, const char *why, uint64_t n)
{
	int64_t now = clock_mono_us();

	if (o->told_us && now - o->told_us < TELL_EVERY_S * SECOND_US)
		return;
	o->told_us = now;
	log_warn(what, KV_CSTR("export", o->o.name), KV_INT("records", n), KV_CSTR("reason", why));
}

static void settle(struct outbox *o, const struct outbox_batch *b, enum outbox_outcome what)
{
	uint64_t gone = what == OUTBOX_LATER ? b->left : o->n_batch, lost = what == OUTBOX_REFUSED ? o->n_batch : what == OUTBOX_SENT ? b->lost : 0;

	pthread_mutex_lock(&o->lock);
	o->waiting -= gone;
	o->sent += gone - lost;
	o->dropped += lost;
	memcpy(o->error, b->error, sizeof(o->error));
	if (what == OUTBOX_SENT && !lost)
		o->error[0] = '\0';
	pthread_mutex_unlock(&o->lock);
	o->n_batch -= gone;
	o->at += what == OUTBOX_LATER ? b->at : o->batch.n - o->at;
	if (what == OUTBOX_REFUSED || lost)
		tell(o, "what leaves the house is refused and dropped", b->error, lost);
}

static int64_t pause_us(struct outbox *o, const struct outbox_batch *b)
{
	int64_t s = queue_pause_s(RETRY_FIRST_S, o->tries);

	if (b->retry_after_s > 0)
		s = b->retry_after_s < RETRY_AFTER_MOST_S ? b->retry_after_s : RETRY_AFTER_MOST_S;
	else if (s > RETRY_MOST_S)
		s = RETRY_MOST_S;
	return s * SECOND_US;
}

/* One try with what is at hand. False: nothing is, or not now. */
static bool turn(struct outbox *o, const atomic_bool *stop)
{
	struct outbox_batch b = { .bytes = NULL };
	enum outbox_outcome what;

	if (!o->n_batch && !fill(o))
		return false;
	if (clock_mono_us() < o->again_us)
		return false;
	b = (struct outbox_batch){ .bytes = o->batch.p + o->at, .n = o->batch.n - o->at, .items = o->n_batch };
	o->tries++;
	what = o->o.send(o->o.ctx, &b, stop);
	settle(o, &b, what);
	if (what == OUTBOX_LATER) {
		o->again_us = clock_mono_us() + pause_us(o, &b);
		tell(o, "what leaves the house waits for its receiver", b.error, o->n_batch);
	}
	return what != OUTBOX_LATER;
}

static void *run(void *arg)
{
	struct outbox *o = arg;
	atomic_bool never = false;
	int64_t until;

	while (!atomic_load(&o->stop))
		if (!turn(o, &o->stop))
			queue_wait(&o->lock, &o->wake, &o->stop);
	until = clock_mono_us() + (int64_t)OUTBOX_LAST_MS * 1000;
	o->again_us = 0;
	while (clock_mono_us() < until && turn(o, &never))
		;
	return NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

static void release(struct outbox *o)
{
	buf_release(&o->item);
	buf_release(&o->pending);
	buf_release(&o->queue);
	buf_release(&o->batch);
	free(o);
}

gh_rc outbox_start(const struct outbox_options *options, struct outbox **out, struct gh_err *err)
{
	struct outbox *o = calloc(1, sizeof(*o));

	*out = NULL;
	if (!o)
		FAIL(err, NOMEM, "no memory for %s", options->name);
	o->o = *options;
	buf_init(&o->item, options->batch_bytes);
	buf_init(&o->pending, options->queue_bytes);
	buf_init(&o->queue, options->queue_bytes);
	buf_init(&o->batch, 2 * options->batch_bytes);
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->wake, NULL);
	if (pthread_create(&o->thread, NULL, run, o) != 0) {
		release(o);
		FAIL(err, NOMEM, "the thread of %s cannot be started", options->name);
	}
	*out = o;
	return GH_RC_OK;
}

void outbox_stop(struct outbox *o)
{
	if (!o)
		return;
	pthread_mutex_lock(&o->lock);
	atomic_store(&o->stop, true);
	pthread_cond_signal(&o->wake);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->thread, NULL);
	if (o->waiting)
		log_warn("records did not leave before the end and are lost", KV_CSTR("export", o->o.name), KV_INT("records", o->waiting));
	pthread_mutex_destroy(&o->lock);
	pthread_cond_destroy(&o->wake);
	release(o);
}

void outbox_stats(struct outbox *o, struct outbox_stats *out)
{
	pthread_mutex_lock(&o->lock);
	*out = (struct outbox_stats){ .name = o->o.name, .sent = o->sent, .dropped = o->dropped, .waiting = o->waiting,
				      .waiting_bytes = o->queue.n };
	memcpy(out->error, o->error, sizeof(out->error));
	pthread_mutex_unlock(&o->lock);
}
