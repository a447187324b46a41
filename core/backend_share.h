/* backend_share.h - what the machines that share a Redis tell each other of their backends (fcgi/shared_state.h): a breaker that opened
 * or closed, a member that was ejected or is back, the result of a health check. Failures are counted by each machine for itself.
 *
 * A part of a slot that changed here is news until it has been told. What others tell has a version that grows; what is older than
 * what is known is not heard, nor what comes while there are news of our own: those are told next, and the last word counts. */
#pragma once

#include "core/backend_state.h"

enum backend_part { BACKEND_PART_BREAKER, BACKEND_PART_EJECTION, BACKEND_PART_HEALTH, BACKEND_PART__COUNT };

struct backend_news {
	uint64_t key;
	enum backend_part part;
	int64_t left_us;                     /* how long it stays open, ejected, believed; 0: that is over, one may probe; -1: closed, back */
	int64_t known;                       /* of one's own: the version that was known when it was read */
	uint32_t what;                       /* BREAKER: print of the rule; EJECTION: how often in a row; HEALTH: enum backend_health */
};

/* The next news; *at begins with 0. False: no more. They count as told. */
bool backend_news_next(struct backend_states *s, size_t *at, int64_t now, struct backend_news *out);
void backend_news_again(struct backend_states *s, uint64_t key, enum backend_part part);     /* they could not be told */
/* They were told as `version`. When something else was heard while they were on their way, which is older than they are, they will be
 * heard again: the last word counts here too. */
void backend_news_told(struct backend_states *s, const struct backend_news *n, int64_t version);
void backend_news_hear(struct backend_states *s, const struct backend_news *n, int64_t version, int64_t now);

/* One process of a machine listens for all: true when it is this one, which must ask again before `for_us` is over. */
bool backend_listens(struct backend_states *s, int64_t now, int64_t for_us);
uint64_t backend_machine(struct backend_states *s);          /* a number of this machine since it was booted; never 0 */
