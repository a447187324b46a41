#include "fcgi/shared_place.h"

#include "core/crypto.h"
#include "core/str.h"

#include <hiredis/hiredis.h>
#include <sodium.h>
#include <stdlib.h>

/* Told again after a third of the lease; looked at twice as often, so half of it is left for whatever holds a worker up. */
enum { TELL_PART = 3, LOOK_PART = 6, KEY_BYTES = 128, PREFIX_BYTES = 64, DIGEST_BYTES = 16, ANSWERS = 2 };

struct shared_places {
	struct worker *wk;
	struct str prefix;
	int64_t lease_us;
	uint64_t worker, next;                   /* together a name that no other place has, on any machine */
	struct shared_place *first, *last;       /* inside, the one that was told of longest ago first */
	struct shared_place *again;              /* to be asked for once more */
	struct timer look, resend;
};

/* ---- the list ---------------------------------------------------------------------------------------------------------------- */

static void link_last(struct shared_places *s, struct shared_place *p)
{
	p->next = NULL;
	p->prev = s->last;
	*(s->last ? &s->last->next : &s->first) = p;
	s->last = p;
	if (!s->look.at)
		(void)!loop_timer_set(&s->wk->loop, &s->look, s->wk->loop.now_us + s->lease_us / LOOK_PART);
}

static void link_first(struct shared_places *s, struct shared_place *p)
{
	if (!s->first) {
		link_last(s, p);
		return;
	}
	p->prev = NULL;
	p->next = s->first;
	s->first->prev = p;
	s->first = p;
}

static void unlink_place(struct shared_places *s, struct shared_place *p)
{
	*(p->prev ? &p->prev->next : &s->first) = p->next;
	*(p->next ? &p->next->prev : &s->last) = p->prev;
	p->next = p->prev = NULL;
}

static void drop_again(struct shared_places *s, struct shared_place *p)
{
	struct shared_place **at = &s->again;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	p->next = NULL;
	p->again = false;
}

/* ---- the wire ---------------------------------------------------------------------------------------------------------------- */

/* The key itself, in which addresses and names of people stand, does not leave the machine. */
static struct str name_of(const struct shared_places *s, struct str key, char out[KEY_BYTES])
{
	uint8_t whole[CRYPTO_SHA256_BYTES];
	char hex[2 * DIGEST_BYTES + 1];

	crypto_sha256(key, whole);
	sodium_bin2hex(hex, sizeof(hex), whole, DIGEST_BYTES);
	return (struct str){ out, (size_t)snprintf(out, KEY_BYTES, "%.*s:{%s}:c", STR_ARG(str_first(s->prefix, PREFIX_BYTES)), hex) };
}

static bool say(struct shared_places *s, struct shared_place *p, const char *what, struct shared_ask *wire)
{
	char key[KEY_BYTES], lease[24], most[24];
	struct str words[SHARED_RUN_KEY + 5];
	size_t n = SHARED_RUN_COUNT;

	snprintf(lease, sizeof(lease), "%lld", (long long)s->lease_us);
	snprintf(most, sizeof(most), "%u", p->max);
	words[n++] = STR("1");
	words[n++] = name_of(s, p->key, key);
	words[n++] = str_of(what);
	words[n++] = str_of(p->token);
	words[n++] = str_of(lease);
	words[n++] = str_of(most);
	p->told_us = s->wk->loop.now_us;
	return shared_run(s->wk->shared, SHARED_SCRIPT_PLACE, words, n, wire);
}

static void finish(struct shared_place *p, bool away)
{
	struct shared_places *s = p->of;

	p->asking = false;
	p->away = away;
	if (!away && p->allowed)
		link_last(s, p);
	else
		p->of = NULL;
	p->over(p);
}

static void answered(struct shared_ask *wire, const struct redisReply *r)
{
	struct shared_place *p = CONTAINER_OF(wire, struct shared_place, wire);
	bool read = r && r->type == REDIS_REPLY_ARRAY && r->elements == ANSWERS && r->element[0]->type == REDIS_REPLY_INTEGER
		    && r->element[1]->type == REDIS_REPLY_INTEGER;

	/* after a restart, or SCRIPT FLUSH: nothing may be sent from here */
	if (shared_forgot_script(r) && !p->again && loop_timer_set(&p->of->wk->loop, &p->of->resend, p->of->wk->loop.now_us)) {
		p->again = true;
		p->next = p->of->again;
		p->of->again = p;
		return;
	}
	p->allowed = read && r->element[0]->integer;
	p->inside = read ? (uint64_t)r->element[1]->integer : 0;
	finish(p, !read);
}

static void resend(struct timer *timer)
{
	struct shared_places *s = CONTAINER_OF(timer, struct shared_places, resend);

	while (s->again) {
		struct shared_place *p = s->again;

		s->again = p->next;
		p->next = NULL;
		if (!say(s, p, "enter", &p->wire))
			finish(p, true);
	}
}

/* Who is still there says so. One whose node of a Cluster is away keeps nobody back: it is tried again when it would be told again. */
static void look(struct timer *timer)
{
	struct shared_places *s = CONTAINER_OF(timer, struct shared_places, look);
	int64_t now = s->wk->loop.now_us, before = now - s->lease_us / TELL_PART;

	while (s->first && s->first->told_us <= before && shared_here(s->wk->shared)) {
		struct shared_place *p = s->first;

		(void)say(s, p, "renew", NULL);
		unlink_place(s, p);
		link_last(s, p);
	}
	if (s->first)
		(void)!loop_timer_set(&s->wk->loop, &s->look, now + s->lease_us / LOOK_PART);
}

/* ---- for calls ---------------------------------------------------------------------------------------------------------------- */

bool shared_place_enter(struct shared_places *s, struct shared_place *p)
{
	p->of = s;
	p->wire.done = answered;
	snprintf(p->token, sizeof(p->token), "%016llx%llx", (unsigned long long)s->worker, (unsigned long long)++s->next);
	p->asking = say(s, p, "enter", &p->wire);
	p->away = !p->asking;
	if (p->away)
		p->of = NULL;
	return p->asking;
}

void shared_place_keep(struct shared_places *s, struct shared_place *p)
{
	p->of = s;
	p->told_us = INT64_MIN;
	link_first(s, p);
}

void shared_place_leave(struct shared_place *p)
{
	struct shared_places *s = p->of;
	char key[KEY_BYTES];

	if (!s)
		return;
	p->of = NULL;
	if (p->asking) {
		drop_again(s, p);
		shared_drop(&p->wire);
	} else {
		unlink_place(s, p);
	}
	p->asking = false;
	/* behind what was asked before it, on the same connection; when Redis is away, its time there runs out */
	const struct str words[] = { STR("ZREM"), name_of(s, p->key, key), str_of(p->token) };
	(void)shared_ask(s->wk->shared, words[1], words, ARRAY_LEN(words), NULL);
}

struct shared_places *shared_places_new(struct worker *wk)
{
	struct shared_places *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->wk = wk;
	s->prefix = config_text(wk->config, CONFIG_REDIS_PREFIX);
	s->lease_us = config_int(wk->config, CONFIG_REDIS_LEASE_MS) * 1000;
	s->look.fire = look;
	s->resend.fire = resend;
	worker_random(wk, &s->worker, sizeof(s->worker));
	return s;
}

void shared_places_free(struct shared_places *s)
{
	if (!s)
		return;
	loop_timer_clear(&s->wk->loop, &s->look);
	loop_timer_clear(&s->wk->loop, &s->resend);
	free(s);
}
