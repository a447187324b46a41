/* shared.c - the connections of a worker to the Redis that it shares with others. */
#include "fcgi/shared.h"

#include "core/buf.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/redis.h"
#include "core/str.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { OUT_MAX = 16 << 20, READ_BYTES = 16384, WAITS_KEPT = 4096, FIRST_RETRY_US = 100000, MOST_RETRY_US = 5000000, DIAL_MS = 2000 };

struct shared_wait {                     /* a command whose answer has not come */
	struct shared_wait *next;
	struct shared_ask *ask;          /* NULL: nobody waits */
	int64_t due_us;
};

struct link {                            /* one node */
	struct watch watch;
	struct shared *s;
	struct redis_node *node;
	redisReader *reader;
	struct buf out, later;           /* later: written while `out` waits for room; over TLS that must not move until it is taken */
	size_t sent;
	bool stuck;
	unsigned known;                  /* scripts that have gone over this connection: each node of a Cluster learns them by itself */
	struct shared_wait *first, **last;
};

struct shared {
	struct loop *loop;
	struct redis_options options;
	int64_t timeout_us, retry_us;
	struct redis_servers *servers;   /* NULL: away */
	struct link *links;              /* as many as servers->n */
	struct shared_wait *spare;
	size_t n_spare;
	struct timer flush, late, retry;
	char problem[sizeof(((struct gh_err *)NULL)->message)];
	/* the thread that connects */
	struct watch dialled;
	int event_fd;
	bool dialling;
	pthread_t thread;
	atomic_bool stop;
	struct redis_servers *found;     /* its result, to be read after it has written to event_fd */
	struct gh_err failure;
	struct {
		struct str text;
		char sha[2 * CRYPTO_SHA1_BYTES + 1];
	} scripts[SHARED_SCRIPT__COUNT];
};

static const struct {                    /* in the order of enum shared_script */
	const char *name, *text;
} scripts[] = {
#include "shared_scripts.inc"
};
_Static_assert(ARRAY_LEN(scripts) == SHARED_SCRIPT__COUNT, "each script has its number");

/* ---- waiting ---------------------------------------------------------------------------------------------------------------- */

static struct shared_wait *wait_new(struct shared *s)
{
	struct shared_wait *w = s->spare;

	if (!w)
		return calloc(1, sizeof(*w));
	s->spare = w->next;
	s->n_spare--;
	return w;
}

static void wait_free(struct shared *s, struct shared_wait *w)
{
	if (s->n_spare >= WAITS_KEPT) {
		free(w);
		return;
	}
	w->next = s->spare;
	s->spare = w;
	s->n_spare++;
}

static void answer_first(struct link *l, const redisReply *reply)
{
	struct shared_wait *w = l->first;
	struct shared_ask *ask = w->ask;

	l->first = w->next;
	if (!l->first)
		l->last = &l->first;
	wait_free(l->s, w);
	if (ask) {
		ask->wait = NULL;
		ask->done(ask, reply);
	}
}

void shared_drop(struct shared_ask *ask)
{
	if (ask && ask->wait)
		ask->wait->ask = NULL;
	if (ask)
		ask->wait = NULL;
}

/* ---- connections -------------------------------------------------------------------------------------------------------------- */

static void close_links(struct shared *s)
{
	struct redis_servers *servers = s->servers;
	struct link *links = s->links;

	s->servers = NULL;               /* what is told that it is away must not find these again */
	s->links = NULL;
	for (size_t i = 0; servers && links && i < servers->n; i++) {
		struct link *l = &links[i];

		if (!l->node)
			continue;
		loop_forget(s->loop, &l->watch, true);
		while (l->first)
			answer_first(l, NULL);
		redisReaderFree(l->reader);
		buf_release(&l->out);
		buf_release(&l->later);
	}
	free(links);
	redis_hang_up(servers);
}

static void *dial(void *arg)
{
	struct shared *s = arg;
	uint64_t one = 1;

	s->found = NULL;
	if (redis_dial(&s->options, &s->found, &s->failure).code)
		s->found = NULL;
	if (write(s->event_fd, &one, sizeof(one)) < 0)
		log_warn("the loop cannot be told", KV_INT("errno", errno));
	return NULL;
}

static void begin_dial(struct shared *s)
{
	if (s->dialling)
		return;
	s->dialling = pthread_create(&s->thread, NULL, dial, s) == 0;
	if (!s->dialling)
		(void)!loop_timer_set(s->loop, &s->retry, s->loop->now_us + MOST_RETRY_US);
}

static void try_again(struct shared *s)
{
	(void)!loop_timer_set(s->loop, &s->retry, s->loop->now_us + s->retry_us);
	s->retry_us = s->retry_us * 2 < MOST_RETRY_US ? s->retry_us * 2 : MOST_RETRY_US;
}

static void retry_fired(struct timer *t)
{
	begin_dial(CONTAINER_OF(t, struct shared, retry));
}

static void lose(struct shared *s, const char *why)
{
	if (!s->servers)
		return;
	snprintf(s->problem, sizeof(s->problem), "%s", why);
	log_warn("redis is away", KV_CSTR("error", why));
	close_links(s);
	try_again(s);
}

/* The right server is another one now: it is looked for, and those that are known serve until then. */
static void look_again(struct shared *s, const char *why)
{
	if (s->dialling || s->retry.at)
		return;
	log_info("redis has moved", KV_CSTR("answer", why));
	try_again(s);
}

static bool has_moved(const redisReply *r)
{
	static const char *const words[] = { "MOVED", "ASK", "READONLY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOAUTH", "TRYAGAIN" };

	for (size_t i = 0; r->type == REDIS_REPLY_ERROR && i < ARRAY_LEN(words); i++)
		if (strncmp(r->str, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static void take_answers(struct link *l)
{
	void *got;

	while (redisReaderGetReply(l->reader, &got) == REDIS_OK && got) {
		bool moved = has_moved(got);

		if (moved)
			look_again(l->s, ((redisReply *)got)->str);
		if (shared_forgot_script(got))
			l->known = 0;    /* SCRIPT FLUSH */
		if (l->first)
			answer_first(l, moved ? NULL : got);
		freeReplyObject(got);
	}
}

static void link_flush(struct link *l);

static void flush_later(struct link *l)
{
	struct buf empty = l->out;

	l->out = l->later;
	l->later = empty;
	link_flush(l);
}

static void link_flush(struct link *l)
{
	while (l->sent < l->out.n) {
		size_t n = 0;
		CURLcode c = curl_easy_send(l->node->easy, l->out.p + l->sent, l->out.n - l->sent, &n);

		l->stuck = c == CURLE_AGAIN;
		if (l->stuck) {
			(void)!loop_want(l->s->loop, &l->watch, EPOLLIN | EPOLLOUT);
			return;
		}
		if (c != CURLE_OK) {
			lose(l->s, curl_easy_strerror(c));
			return;
		}
		l->sent += n;
	}
	buf_clear(&l->out);
	l->sent = 0;
	if (l->later.n)
		flush_later(l);
	else
		(void)!loop_want(l->s->loop, &l->watch, EPOLLIN);
}

static void link_ready(struct watch *w, uint32_t events)
{
	struct link *l = CONTAINER_OF(w, struct link, watch);
	struct shared *s = l->s;
	char bytes[READ_BYTES];

	for (;;) {
		size_t n = 0;
		CURLcode c = curl_easy_recv(l->node->easy, bytes, sizeof(bytes), &n);

		if (c == CURLE_AGAIN)
			break;
		if (c != CURLE_OK || !n) {
			lose(s, c == CURLE_OK ? "the connection was closed" : curl_easy_strerror(c));
			return;
		}
		if (redisReaderFeed(l->reader, bytes, n) != REDIS_OK) {
			lose(s, l->reader->errstr);
			return;
		}
		take_answers(l);
		if (l->reader->err) {
			lose(s, l->reader->errstr);
			return;
		}
	}
	if (events & EPOLLOUT)
		link_flush(l);
}

static bool open_link(struct shared *s, struct link *l, struct redis_node *n)
{
	l->s = s;
	l->last = &l->first;
	buf_init(&l->out, OUT_MAX);
	buf_init(&l->later, OUT_MAX);
	if (!n->easy)
		return true;             /* a node of a Cluster that is away: its slots have nobody */
	l->node = n;
	l->reader = redisReaderCreate();
	loop_watch_init(&l->watch, n->fd, link_ready);
	return l->reader && loop_want(s->loop, &l->watch, EPOLLIN);
}

static void take_servers(struct shared *s, struct redis_servers *found)
{
	bool ok;

	close_links(s);
	s->servers = found;
	s->links = calloc(found->n, sizeof(*s->links));
	ok = s->links;
	for (size_t i = 0; ok && i < found->n; i++)
		ok = open_link(s, &s->links[i], &found->node[i]);
	if (!ok) {
		lose(s, "out of memory");
		return;
	}
	*s->problem = '\0';
	log_info("redis is here", KV_CSTR("server", found->node[0].address), KV_INT("nodes", (int64_t)found->n));
	if (found->whole)
		s->retry_us = FIRST_RETRY_US;
	else
		try_again(s);
}

static void dial_ended(struct watch *w, uint32_t events UNUSED)
{
	struct shared *s = CONTAINER_OF(w, struct shared, dialled);
	uint64_t n;

	if (read(s->event_fd, &n, sizeof(n)) < 0)
		return;
	pthread_join(s->thread, NULL);
	s->dialling = false;
	if (s->found) {
		take_servers(s, s->found);
		return;
	}
	if (strcmp(s->problem, s->failure.message) != 0)
		log_warn("redis cannot be reached", KV_CSTR("error", s->failure.message));
	snprintf(s->problem, sizeof(s->problem), "%s", s->failure.message);
	try_again(s);
}

/* ---- time -------------------------------------------------------------------------------------------------------------------- */

static void flush_fired(struct timer *t)
{
	struct shared *s = CONTAINER_OF(t, struct shared, flush);

	for (size_t i = 0; s->servers && i < s->servers->n; i++)
		if (s->links[i].node && !s->links[i].stuck && s->links[i].out.n > s->links[i].sent)
			link_flush(&s->links[i]);
}

static int64_t oldest_due(const struct shared *s)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; s->servers && i < s->servers->n; i++)
		if (s->links[i].first && s->links[i].first->due_us < due)
			due = s->links[i].first->due_us;
	return due;
}

static void late_fired(struct timer *t)
{
	struct shared *s = CONTAINER_OF(t, struct shared, late);
	int64_t due = oldest_due(s);

	if (due <= s->loop->now_us)
		lose(s, "no answer within redis.timeout_ms");
	else if (due != INT64_MAX)
		(void)!loop_timer_set(s->loop, t, due);
}

/* ---- for others ---------------------------------------------------------------------------------------------------------------- */

static struct link *link_of(struct shared *s, struct str key)
{
	size_t node = s->servers ? s->servers->node_of[redis_slot(key)] : REDIS_NO_NODE;
	struct link *l = node != REDIS_NO_NODE && node < s->servers->n ? &s->links[node] : NULL;

	return l && l->node ? l : NULL;
}

static bool send_to(struct link *l, const struct str *words, size_t n, struct shared_ask *ask)
{
	struct shared *s = l->s;
	struct shared_wait *w = wait_new(s);
	struct buf *to = l->stuck ? &l->later : &l->out;
	size_t before = to->n;

	if (!w)
		return false;
	redis_write(to, words, n);
	if (!buf_ok(to) || (!s->flush.at && !loop_timer_set(s->loop, &s->flush, s->loop->now_us))) {
		to->n = before;
		to->failed = false;
		wait_free(s, w);
		return false;
	}
	*w = (struct shared_wait){ .ask = ask, .due_us = s->loop->now_us + s->timeout_us };
	*l->last = w;
	l->last = &w->next;
	if (ask)
		ask->wait = w;
	if (!s->late.at)
		(void)!loop_timer_set(s->loop, &s->late, w->due_us);
	return true;
}

bool shared_ask(struct shared *s, struct str key, const struct str *words, size_t n, struct shared_ask *ask)
{
	struct link *l = link_of(s, key);

	return l && send_to(l, words, n, ask);
}

bool shared_run(struct shared *s, enum shared_script script, struct str *words, size_t n, struct shared_ask *ask)
{
	struct link *l = link_of(s, words[SHARED_RUN_KEY]);
	bool known = l && l->known >> script & 1;

	words[0] = known ? STR("EVALSHA") : STR("EVAL");
	words[1] = known ? str_of(s->scripts[script].sha) : s->scripts[script].text;
	if (!l || !send_to(l, words, n, ask))
		return false;
	l->known |= 1u << script;
	return true;
}

bool shared_forgot_script(const struct redisReply *r)
{
	return r && r->type == REDIS_REPLY_ERROR && strncmp(r->str, "NOSCRIPT", sizeof("NOSCRIPT") - 1) == 0;
}

bool shared_here(const struct shared *s)
{
	return s && s->servers;
}

const char *shared_problem(const struct shared *s)
{
	return s->problem;
}

static void prepare_scripts(struct shared *s)
{
	for (int i = 0; i < SHARED_SCRIPT__COUNT; i++) {
		uint8_t sha[CRYPTO_SHA1_BYTES];

		s->scripts[i].text = str_of(scripts[i].text);
		crypto_sha1(s->scripts[i].text, sha);
		sodium_bin2hex(s->scripts[i].sha, sizeof(s->scripts[i].sha), sha, sizeof(sha));
	}
}

GH_RC shared_new(struct loop *loop, const struct config *config, struct shared **out, struct gh_err *err)
{
	struct str url = config_text(config, CONFIG_REDIS);
	struct shared *s;

	*out = NULL;
	if (!url.n)
		return GH_RC_OK;
	TRY(redis_check(url, err));
	s = calloc(1, sizeof(*s));
	if (!s || (s->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
		free(s);
		FAIL(err, NOMEM, "redis: no memory");
	}
	s->loop = loop;
	prepare_scripts(s);
	s->options = (struct redis_options){ .url = url, .password_file = config_text(config, CONFIG_REDIS_PASSWORD_FILE),
					     .ca_file = config_text(config, CONFIG_REDIS_CA_FILE), .timeout_ms = DIAL_MS, .stop = &s->stop };
	s->timeout_us = config_int(config, CONFIG_REDIS_TIMEOUT_MS) * 1000;
	s->retry_us = FIRST_RETRY_US;
	s->flush.fire = flush_fired;
	s->late.fire = late_fired;
	s->retry.fire = retry_fired;
	loop_watch_init(&s->dialled, s->event_fd, dial_ended);
	if (!loop_want(loop, &s->dialled, EPOLLIN)) {
		shared_free(s);
		FAIL(err, IO, "redis: the loop cannot watch the thread that connects");
	}
	begin_dial(s);
	*out = s;
	return GH_RC_OK;
}

void shared_free(struct shared *s)
{
	if (!s)
		return;
	atomic_store(&s->stop, true);
	if (s->dialling) {
		pthread_join(s->thread, NULL);
		redis_hang_up(s->found);
	}
	for (size_t i = 0; s->servers && i < s->servers->n; i++)
		for (struct shared_wait *w = s->links[i].first; w; w = w->next)
			w->ask = NULL;
	flush_fired(&s->flush);          /* what calls and requests gave back at last: other machines wait for it */
	close_links(s);
	loop_timer_clear(s->loop, &s->flush);
	loop_timer_clear(s->loop, &s->late);
	loop_timer_clear(s->loop, &s->retry);
	loop_forget(s->loop, &s->dialled, true);
	close(s->event_fd);
	while (s->spare) {
		struct shared_wait *w = s->spare;

		s->spare = w->next;
		free(w);
	}
	free(s);
}
