/* credential_keep.c - a replaced refresh token goes into the store.
 *
 * A provider that rotates refresh tokens takes the old one back, so the new one must outlive this process. The loop waits
 * for no disk: a thread of its own opens the store, writes, and ends. It happens once in the life of an access token.
 *
 * Several workers may do this at once, each after the other has asked the provider. A token is written over the one that it
 * replaced and over no other: so a slow writer cannot put an older token over a newer one, nor over a new consent. */
#include "fcgi/credential.h"

#include "core/log.h"
#include "core/str.h"
#include "db/credentials.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { TRIES = 50, PAUSE_MS = 100 };         /* five seconds: a write into the store takes milliseconds */

struct job {
	struct arena *arena;
	const char *dir;
	struct str environment, id, old, token;
};

static gh_rc write_token(const struct job *j, bool *fits, struct gh_err *err)
{
	struct store *s = NULL;
	gh_rc rc = store_open(&s, j->dir, STORE_WRITE, err);

	if (!rc.code)
		rc = store_tx_begin(s, STR("gateway"), err);
	if (!rc.code)
		rc = store_tx_end(s, store_credential_grant_rotate(s, j->environment, j->id, j->old, j->token, fits, err), err);
	store_free(s);
	return rc;
}

/* The token before may be on its way into the store still, out of this or another process; this one waits for it. */
static void write_in_turn(const struct job *j)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct gh_err err = { 0 };
	bool fits = false;

	for (int i = 0; i < TRIES && !fits; i++) {
		if (i)
			nanosleep(&pause, NULL);
		if (!write_token(j, &fits, &err).code)
			continue;
		log_error("a new refresh token could not be stored", KV_STR("credential", j->id), KV_CSTR("error", err.message));
		return;
	}
	if (!fits)
		log_warn("a new refresh token was not stored: it follows another one than the store has, as after a new consent",
			 KV_STR("credential", j->id));
}

static void *run(void *arg)
{
	struct job *j = arg;

	write_in_turn(j);
	crypto_wipe((char *)(uintptr_t)j->old.p, j->old.n);
	crypto_wipe((char *)(uintptr_t)j->token.p, j->token.n);
	arena_free(j->arena);
	return NULL;
}

void credential_keep_refresh(const char *state_dir, struct str environment, struct str id, struct str old, struct str token)
{
	struct arena *a = arena_new(1 << 20);
	struct job *j = a ? arena_new_of(a, struct job) : NULL;
	sigset_t all, before;
	pthread_t thread;
	bool started;

	if (!j) {
		arena_free(a);
		return;
	}
	*j = (struct job){ a, arena_cstr(a, str_of(state_dir)), arena_dup(a, environment), arena_dup(a, id), arena_dup(a, old),
			   arena_dup(a, token) };
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = j->dir && j->old.p && j->token.p && pthread_create(&thread, NULL, run, j) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started) {
		pthread_detach(thread);
		return;
	}
	log_error("a new refresh token could not be stored", KV_STR("credential", id));
	arena_free(a);
}
