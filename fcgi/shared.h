/* shared.h - commands to the Redis that several machines share (core/redis.h), from the loop of one worker.
 *
 * A thread of its own connects and signs in; after that each node has one connection, on which commands follow each other
 * without waiting (answers come in their order). What is written in one round of the loop leaves with one system call.
 *
 * Nothing waits longer than redis.timeout_ms: when the oldest command has, the connection is given up and all that waits on it
 * is told "away". Then, and when connecting fails, nobody is kept waiting at all until a connection stands again: shared_ask
 * is false at once. It is tried again after 100 ms, then twice as long each time, up to 5 s. An answer that says that the
 * server has another part now (MOVED, READONLY, ...) makes it look for the right one in the same way.
 *
 * All on the loop's thread. */
#pragma once

#include "core/config.h"
#include "fcgi/loop.h"

struct redisReply;
struct shared;
struct shared_wait;

struct shared_ask {
	/* reply: to be read before this returns; NULL: no answer will come. Must not send commands or run policies */
	void (*done)(struct shared_ask *ask, const struct redisReply *reply);
	struct shared_wait *wait;        /* not NULL: under way */
};

/* *out NULL: `redis` is not set. Connecting begins at once. */
GH_RC shared_new(struct loop *l, const struct config *config, struct shared **out, struct gh_err *err);
void shared_free(struct shared *s);                      /* NULL is fine; whoever still waits is told nothing */

/* Sends `words` to the node that keeps `key`. ask NULL: nobody waits for the answer. False: away, or out of memory; then `done`
 * is not called. */
bool shared_ask(struct shared *s, struct str key, const struct str *words, size_t n, struct shared_ask *ask);
/* ---- scripts: what tests and changes in one step ---- */
enum shared_script { SHARED_SCRIPT_LIMIT, SHARED_SCRIPT_STATE, SHARED_SCRIPT_TOKEN, SHARED_SCRIPT_PLACE, SHARED_SCRIPT__COUNT };      /* make/generated.mk */
enum { SHARED_RUN_COUNT = 2, SHARED_RUN_KEY = 3 };
/* Runs one where its first key is kept. words: two that are filled here, the number of keys, the keys, the arguments; all keys are of
 * one slot. A server that has forgotten the script (shared_forgot_script of the reply) is sent all of it the next time. */
bool shared_run(struct shared *s, enum shared_script script, struct str *words, size_t n, struct shared_ask *ask);
bool shared_forgot_script(const struct redisReply *r);   /* NULL: no */

void shared_drop(struct shared_ask *ask);                /* its owner goes away; nothing, when it is not under way */

bool shared_here(const struct shared *s);                /* connected now */
const char *shared_problem(const struct shared *s);      /* why not; empty: nothing is known to be wrong */
