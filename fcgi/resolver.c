#include "fcgi/resolver_impl.h"

#include "core/log.h"
#include "core/str.h"

#include <stdlib.h>

/* SERVFAIL and silence hold for a moment, so that a broken server is not asked for each call. CURSOR_STEPS: places that are looked at
 * to find one that can go. */
enum { BUCKETS = 512, NAMES_MAX = 4096, AGAIN_US = 1000000, CURSOR_STEPS = 64, HOST_MAX = 255 };
#define SECOND_US INT64_C(1000000)

struct name {
	struct resolved out;
	struct name *next;
	uint32_t hash;
	int64_t life_us;                     /* of the last answer */
	int64_t until_us, stale_until_us;    /* of the addresses; 0: there are none */
	int64_t failed_until_us, used_us;
	bool asking, failing;                /* failing: the last question had no answer */
	size_t host_n;
	char host[];
};

struct resolver {
	struct loop *loop;
	struct watch watch;
	struct resolver_thread *thread;
	struct name *buckets[BUCKETS];
	size_t n, cursor;
	int64_t min_us, max_us, stale_us;
	bool started, news;
};

/* ---- the table ---- */

static struct name *find(struct resolver *r, struct str host, uint32_t hash)
{
	struct name *e = r->buckets[hash % BUCKETS];

	while (e && (e->hash != hash || !str_eq_ci((struct str){ e->host, e->host_n }, host)))
		e = e->next;
	return e;
}

/* The one of a few that was used longest ago. False: all of them are in use. */
static bool make_room(struct resolver *r)
{
	struct name **victim = NULL;

	for (int i = 0; i < CURSOR_STEPS; i++) {
		struct name **at = &r->buckets[r->cursor++ % BUCKETS];

		for (; *at; at = &(*at)->next)
			if (!(*at)->asking && !(*at)->out.waiting && (!victim || (*at)->used_us < (*victim)->used_us))
				victim = at;
	}
	if (victim) {
		struct name *gone = *victim;

		*victim = gone->next;
		free(gone);
		r->n--;
	}
	return victim != NULL;
}

static struct name *make(struct resolver *r, struct str host, uint32_t hash)
{
	struct name *e;

	if (host.n > HOST_MAX || (r->n >= NAMES_MAX && !make_room(r)) || !(e = calloc(1, sizeof(*e) + host.n + 1)))
		return NULL;
	e->hash = hash;
	e->host_n = host.n;
	memcpy(e->host, host.p, host.n);
	e->next = r->buckets[hash % BUCKETS];
	r->buckets[hash % BUCKETS] = e;
	r->n++;
	return e;
}

/* ---- answers ---- */

static uint64_t print_of(const struct resolved *v)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < v->n; i++)
		sum += str_hash(str_of(v->addresses[i]));
	return sum | 1;
}

static void take_addresses(struct resolver *r, struct name *e, const struct resolver_job *j)
{
	int64_t life = (int64_t)j->ttl_s * SECOND_US;

	e->out.n = j->n;
	memcpy(e->out.addresses, j->addresses, sizeof(j->addresses));
	e->out.print = print_of(&e->out);
	e->life_us = life < r->min_us ? r->min_us : life > r->max_us ? r->max_us : life;
	e->until_us = r->loop->now_us + e->life_us;
	e->stale_until_us = e->until_us + r->stale_us;
	e->failed_until_us = 0;
}

static void take_answer(struct resolver *r, const struct resolver_job *j)
{
	struct str host = str_of(j->host);
	struct name *e = find(r, host, (uint32_t)str_hash_ci(host));
	bool failing;

	if (!e)
		return;
	e->asking = false;
	failing = j->outcome == RESOLVER_JOB_NO_ANSWER;
	if (failing != e->failing) {
		if (failing)
			log_warn("name servers do not answer", KV_STR("host", host), KV_CSTR("why", j->why),
				 KV_INT("old_answer_for_s", e->stale_until_us > r->loop->now_us ? (e->stale_until_us - r->loop->now_us) / SECOND_US : 0));
		else
			log_info("name servers answer again", KV_STR("host", host));
	}
	e->failing = failing;
	if (j->outcome == RESOLVER_JOB_FOUND) {
		take_addresses(r, e, j);
	} else if (failing) {
		e->failed_until_us = r->loop->now_us + AGAIN_US;
	} else {                             /* there is no such name: what was known of it is over */
		e->out.n = 0;
		e->until_us = e->stale_until_us = 0;
		e->failed_until_us = r->loop->now_us + r->min_us;
	}
}

static void on_answers(struct watch *w, uint32_t events UNUSED)
{
	struct resolver *r = CONTAINER_OF(w, struct resolver, watch);
	struct resolver_job *j = resolver_thread_take(r->thread), *next;

	for (; j; j = next) {
		next = j->next;
		take_answer(r, j);
		free(j);
		r->news = true;
	}
}

/* ---- questions ---- */

static bool start(struct resolver *r)
{
	struct gh_err err;

	if (r->started)
		return true;
	if (resolver_thread_start(r->thread, &err).code) {
		log_error("names are left to libcurl", KV_CSTR("why", err.message));
		return false;
	}
	loop_watch_init(&r->watch, resolver_thread_fd(r->thread), on_answers);
	r->started = loop_want(r->loop, &r->watch, EPOLLIN);
	return r->started;
}

static bool ask(struct resolver *r, struct name *e)
{
	if (!e->asking)
		e->asking = start(r) && resolver_thread_ask(r->thread, (struct str){ e->host, e->host_n });
	return e->asking;
}

static enum resolver_answer state(struct resolver *r, struct name *e, bool patient)
{
	int64_t now = r->loop->now_us;

	if (e->until_us > now) {
		if (e->until_us - now < e->life_us / 4)
			(void)ask(r, e);
		return RESOLVER_KNOWN;
	}
	if (e->stale_until_us > now && (e->failing || !patient)) {
		if (e->failed_until_us <= now)
			(void)ask(r, e);
		return RESOLVER_KNOWN;
	}
	if (e->failed_until_us > now)
		return RESOLVER_FAILED;
	return ask(r, e) ? RESOLVER_WAIT : RESOLVER_NONE;
}

enum resolver_answer resolver_look(struct resolver *r, struct str host, struct resolved **out)
{
	uint32_t hash = (uint32_t)str_hash_ci(host);
	struct name *e;

	if (!r->thread)
		return RESOLVER_NONE;
	e = find(r, host, hash);
	if (!e && !(e = make(r, host, hash)))
		return RESOLVER_NONE;
	e->used_us = r->loop->now_us;
	*out = &e->out;
	return state(r, e, true);
}

enum resolver_answer resolver_look_again(struct resolver *r, struct resolved *name, bool patient)
{
	return state(r, CONTAINER_OF(name, struct name, out), patient);
}

bool resolver_news(struct resolver *r)
{
	bool news = r->news;

	r->news = false;
	return news;
}

/* ---- life ---- */

struct resolver *resolver_new(struct loop *l, const struct config *c, struct gh_err *err)
{
	struct resolver *r = calloc(1, sizeof(*r));
	struct str servers = config_text(c, CONFIG_GATEWAY_DNS_SERVERS);

	if (!r) {
		gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory to look up names");
		return NULL;
	}
	r->loop = l;
	r->watch.fd = -1;
	r->min_us = config_int(c, CONFIG_GATEWAY_DNS_TTL_MIN_S) * SECOND_US;
	r->max_us = config_int(c, CONFIG_GATEWAY_DNS_TTL_MAX_S) * SECOND_US;
	r->stale_us = config_int(c, CONFIG_GATEWAY_DNS_STALE_S) * SECOND_US;
	if (str_eq(servers, STR("system")))
		return r;
	if (!resolver_thread_new(&r->thread, servers, (int)config_int(c, CONFIG_GATEWAY_DNS_TIMEOUT_MS), err).code)
		return r;
	free(r);
	return NULL;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	if (r->started)
		loop_forget(r->loop, &r->watch, true);
	resolver_thread_free(r->thread);
	for (size_t i = 0; i < BUCKETS; i++)
		while (r->buckets[i]) {
			struct name *e = r->buckets[i];

			r->buckets[i] = e->next;
			free(e);
		}
	free(r);
}
