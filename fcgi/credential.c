/* credential.c - tokens for calls: waiting ones, and requests to token endpoints.
 *
 *   call ── credential_get ──┬── good token in the cache ────────────────────────────> done
 *                            ├── good, but due: done, and one worker asks for the next
 *                            └── none: the call waits ── claim ──┬── mine: ask the endpoint ──> store, or note the failure
 *                                                                └── another process asks: look again each LOOK_US
 *
 * Where several machines share a Redis, the one process that may ask looks there first (shared_token.h).
 *
 * Another process cannot wake us; a look at a mapped word each 5 ms while calls wait costs less than any machinery for it. */
#include "fcgi/credential_impl.h"

#include "core/clock.h"
#include "core/paths.h"
#include "core/log.h"
#include "core/str.h"

#include <stdlib.h>

enum { LOOK_US = 5000 };

/* ---- life ---------------------------------------------------------------------------------------------------------- */

void credentials_open(struct credentials *v)
{
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	char path[PATHS_MAX];
	struct gh_err err;
	bool found;

	if (v->tokens || (v->tried_us && v->wk->loop.now_us - v->tried_us < 1000000))
		return;
	v->tried_us = v->wk->loop.now_us;
	if (paths_join(path, v->wk->state_dir, "tokens", &err).code || paths_master_key(v->wk->state_dir, key, &found, &err).code || !found)
		return;
	if (tokens_open(&v->tokens, path, (size_t)config_int(v->wk->config, CONFIG_CREDENTIAL_TOKENS), key, &err).code)
		log_warn("tokens for backends cannot be kept", KV_CSTR("error", err.message));
	crypto_wipe(key, sizeof(key));
}

/* The master key may be changed while we run; the cache under the old one is of no use to others. */
static void close_if_key_changed(struct credentials *v)
{
	uint8_t key[PATHS_MASTER_KEY_BYTES];
	struct gh_err err;
	bool found;

	if (!v->tokens || paths_master_key(v->wk->state_dir, key, &found, &err).code || !found)
		return;
	if (!tokens_has_key(v->tokens, key)) {
		tokens_close(v->tokens);
		v->tokens = NULL;
		v->tried_us = 0;
	}
	crypto_wipe(key, sizeof(key));
}

struct credentials *credentials_new(struct worker *wk)
{
	struct credentials *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->wk = wk;
	v->look.fire = credentials_look_again;
	v->timeout_us = config_int(wk->config, CONFIG_CREDENTIAL_TIMEOUT_MS) * 1000;
	v->response_bytes = (size_t)config_int(wk->config, CONFIG_CREDENTIAL_RESPONSE_BYTES);
	return v;
}

void credentials_free(struct credentials *v)
{
	if (!v)
		return;
	while (v->fetches) {
		struct fetch *f = v->fetches;

		if (f->transfer)
			transfer_cancel(f->transfer);
		if (v->tokens)
			tokens_unclaim(v->tokens, &f->id);
		credential_fetch_end(f);
	}
	loop_timer_clear(&v->wk->loop, &v->look);
	tokens_close(v->tokens);
	free(v);
}

bool credential_still_so(void *arg, struct str environment, struct str credential, const uint8_t print[TOKENS_PRINT_BYTES])
{
	const struct snap_credential *c = snapshot_credential(arg, environment, credential);

	return c && memcmp(c->token_id.print, print, TOKENS_PRINT_BYTES) == 0;
}

void credentials_configured(struct worker *wk, const struct snapshot *s)
{
	struct credentials *v = wk->credentials;

	if (!v)
		return;
	close_if_key_changed(v);
	credentials_open(v);
	if (v->tokens)
		tokens_sweep(v->tokens, credential_still_so, (void *)(uintptr_t)s);
}

/* ---- the answer to a call -------------------------------------------------------------------------------------------- */

const struct str credential_subject_refused = STR_INIT("the caller's token was refused: ");

static void unlink_need(struct credential_need *n)
{
	struct credentials *v = n->call->wk->credentials;

	if (!n->waits)
		return;
	n->waits = false;
	*(n->prev ? &n->prev->next : &v->waiting) = n->next;
	if (n->next)
		n->next->prev = n->prev;
}

void credential_drop(struct credential_need *n)
{
	unlink_need(n);
}

void credential_drop_call(struct call *k)
{
	struct credentials *v = k->wk->credentials;

	for (struct credential_need *n = v ? v->waiting : NULL, *next; n; n = next) {
		next = n->next;
		if (n->call == k)
			unlink_need(n);
	}
}

static void finish(struct credential_need *n, enum reason why, struct str problem, int64_t wait_us)
{
	bool waited = n->waits;

	unlink_need(n);
	n->done = true;
	n->why = why;
	n->problem = problem.p ? arena_dup(n->call->arena, problem) : reason_info(why)->message;
	n->retry_after_s = why == REASON_TOKEN ? (uint32_t)(wait_us > 0 ? (wait_us + 999999) / 1000000 : 1) : 0;
	if (n->finished)
		n->finished(n);
	if (!waited)
		return;
	n->call->resume_due = true;
	call_wake(n->call);
}

static bool take_token(struct credential_need *n, const struct tokens_view *view)
{
	struct str mine = arena_dup(n->call->arena, view->value);

	if (!mine.p || !token_unpack(mine, &n->token))
		return false;
	n->version = view->version;
	finish(n, REASON_NONE, STR_NULL, 0);
	return true;
}

static void fail_for_good(struct credential_need *n, const struct tokens_view *view, int64_t now_us)
{
	if (str_starts(view->failure, credential_subject_refused))
		finish(n, REASON_SUBJECT_REFUSED, view->failure, 0);
	else
		finish(n, REASON_TOKEN, view->failure, view->retry_us - now_us);
}

/* Looking for a token at other machines, then asking the endpoint: each has its time. */
static int64_t patience_us(const struct credentials *v)
{
	return v->timeout_us * (v->wk->shared ? 2 : 1);
}

/* Looks whether the need can be met, and asks for a token when nobody does. */
static void settle(struct credentials *v, struct credential_need *n)
{
	int64_t now = clock_wall_us();
	struct tokens_view view;

	if (!v->tokens) {
		finish(n, REASON_TOKEN, STR("the token cache cannot be opened"), 0);
		return;
	}
	tokens_get(v->tokens, &n->id, now, true, &view);
	if (view.state == TOKENS_DUE && !view.asking && view.retry_us <= now
	    && tokens_claim(v->tokens, &n->id, now, patience_us(v) + CREDENTIAL_LEASE_EXTRA_US)) {
		struct str value = arena_dup(n->call->arena, view.value);        /* starting a request looks into the cache too */

		credential_fetch(v, n->snapshot, n->credential, &n->id);
		view.value = value;
	}
	if (view.state != TOKENS_NONE) {
		if (!take_token(n, &view))
			finish(n, REASON_NO_MEMORY, STR_NULL, 0);
		return;
	}
	if (view.failures && view.retry_us > now && !view.asking) {
		fail_for_good(n, &view, now);
		return;
	}
	if (!view.asking && tokens_claim(v->tokens, &n->id, now, patience_us(v) + CREDENTIAL_LEASE_EXTRA_US)
	    && credential_fetch(v, n->snapshot, n->credential, &n->id) != REASON_NONE) {
		tokens_get(v->tokens, &n->id, now, false, &view);
		fail_for_good(n, &view, now);
		return;
	}
	if (v->wk->loop.now_us > n->until_us)
		finish(n, REASON_TOKEN, STR("no token came in time; the request to the token endpoint is still under way"), 0);
}

void credentials_look_again(struct timer *t)
{
	struct credentials *v = CONTAINER_OF(t, struct credentials, look);

	for (struct credential_need *n = v->waiting, *next; n; n = next) {
		next = n->next;
		settle(v, n);
	}
	if (v->waiting)
		loop_timer_set(&v->wk->loop, &v->look, v->wk->loop.now_us + LOOK_US);
}

enum step credential_get(struct call *k, struct credential_need *n)
{
	struct credentials *v = k->wk->credentials;

	n->call = k;
	n->done = n->waits = false;
	n->until_us = k->wk->loop.now_us + (v ? v->timeout_us + patience_us(v) : 0) + CREDENTIAL_LEASE_EXTRA_US;
	if (n->credential->problem.p) {
		finish(n, REASON_CREDENTIAL, n->credential->problem, 0);
		return STEP_NEXT;
	}
	if (credential_per_caller(&n->credential->c) && !n->id.subject.n) {
		finish(n, REASON_SUBJECT_MISSING, STR_NULL, 0);
		return STEP_NEXT;
	}
	if (v)
		credentials_open(v);
	if (!v) {
		finish(n, REASON_TOKEN, STR("the token cache cannot be opened"), 0);
		return STEP_NEXT;
	}
	settle(v, n);
	if (n->done)
		return STEP_NEXT;
	n->prev = NULL;
	n->next = v->waiting;
	if (n->next)
		n->next->prev = n;
	v->waiting = n;
	n->waits = true;
	if (!v->look.at && !loop_timer_set(&k->wk->loop, &v->look, k->wk->loop.now_us + LOOK_US)) {
		unlink_need(n);
		finish(n, REASON_NO_MEMORY, STR_NULL, 0);
		return STEP_NEXT;
	}
	return STEP_WAIT;
}

bool credential_refused(struct call *k, struct credential_need *n)
{
	struct credentials *v = k->wk->credentials;
	bool worth = v && v->tokens && tokens_refused(v->tokens, &n->id, n->version, clock_wall_us());

	log_info("backend refused a token", KV_STR("request_id", k->x.request_id), KV_STR("credential", n->credential->c.id),
		 KV_CSTR("then", worth ? "another is fetched" : "a new one was refused just before"));
	return worth;
}

void credential_accepted(struct call *k, struct credential_need *n, bool accepted)
{
	struct credentials *v = k->wk->credentials;

	if (v && v->tokens)
		tokens_replayed(v->tokens, &n->id, accepted, clock_wall_us());
}
