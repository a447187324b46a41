/* credential.c - tokens for calls: waiting ones, and requests to token endpoints.
 *
 *   call ── credential_get ──┬── good token in the cache ────────────────────────────> done
 *                            ├── good, but due: done, and one worker asks for the next
 *                            └── none: the call waits ── claim ──┬── mine: ask the endpoint ──> store, or note the failure
 *                                                                └── another process asks: look again each LOOK_US
 *
 * Another process cannot wake us; a look at a mapped word each 5 ms while calls wait costs less than any machinery for it. */
#include "fcgi/credential.h"

#include "core/clock.h"
#include "core/paths.h"
#include "core/log.h"
#include "core/str.h"

#include <stdlib.h>

enum {
	LOOK_US = 5000,
	ARENA_BYTES = 4 << 20,
	LEASE_EXTRA_US = 2000000,
	BACK_OFF_S = 1, BACK_OFF_MOST_S = 30, BACK_OFF_DOUBLINGS = 5,
	LONG_LIFE_S = 30, LEAD_LEAST_S = 3,
};

struct fetch {                               /* one request to a token endpoint; in its own arena */
	struct fetch *next, *prev;
	struct credentials *v;
	struct arena *arena;
	struct snapshot *snapshot;
	const struct snap_credential *credential;
	struct tokens_id id;
	struct str url, old_refresh;
	struct transfer *transfer;
	struct buf body;
	bool too_large;
	int64_t begun_us;                    /* wall clock */
};

struct credentials {
	struct worker *wk;
	struct tokens *tokens;               /* NULL: not open (yet) */
	struct credential_need *waiting;
	struct fetch *fetches;
	struct timer look;
	int64_t tried_us, timeout_us;
	size_t response_bytes;
};

static void look_again(struct timer *t);
static enum reason start_fetch(struct credentials *v, struct snapshot *s, const struct snap_credential *c,
			       const struct tokens_id *id);

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static void open_tokens(struct credentials *v)
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
	v->look.fire = look_again;
	v->timeout_us = config_int(wk->config, CONFIG_CREDENTIAL_TIMEOUT_MS) * 1000;
	v->response_bytes = (size_t)config_int(wk->config, CONFIG_CREDENTIAL_RESPONSE_BYTES);
	return v;
}

static void end_fetch(struct fetch *f)
{
	*(f->prev ? &f->prev->next : &f->v->fetches) = f->next;
	if (f->next)
		f->next->prev = f->prev;
	snapshot_unref(f->snapshot);
	if (f->body.p)
		crypto_wipe(f->body.p, f->body.n);
	buf_release(&f->body);
	arena_free(f->arena);                /* f itself lives in it */
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
		end_fetch(f);
	}
	loop_timer_clear(&v->wk->loop, &v->look);
	tokens_close(v->tokens);
	free(v);
}

static bool still_so(void *arg, struct str environment, struct str credential, const uint8_t print[TOKENS_PRINT_BYTES])
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
	open_tokens(v);
	if (v->tokens)
		tokens_sweep(v->tokens, still_so, (void *)(uintptr_t)s);
}

/* ---- the answer to a call -------------------------------------------------------------------------------------------- */

static const struct str subject_refused = STR_INIT("the caller's token was refused: ");

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
	if (str_starts(view->failure, subject_refused))
		finish(n, REASON_SUBJECT_REFUSED, view->failure, 0);
	else
		finish(n, REASON_TOKEN, view->failure, view->retry_us - now_us);
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
	    && tokens_claim(v->tokens, &n->id, now, v->timeout_us + LEASE_EXTRA_US)) {
		struct str value = arena_dup(n->call->arena, view.value);        /* starting a request looks into the cache too */

		start_fetch(v, n->snapshot, n->credential, &n->id);
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
	if (!view.asking && tokens_claim(v->tokens, &n->id, now, v->timeout_us + LEASE_EXTRA_US)
	    && start_fetch(v, n->snapshot, n->credential, &n->id) != REASON_NONE) {
		tokens_get(v->tokens, &n->id, now, false, &view);
		fail_for_good(n, &view, now);
		return;
	}
	if (v->wk->loop.now_us > n->until_us)
		finish(n, REASON_TOKEN, STR("no token came in time; the request to the token endpoint is still under way"), 0);
}

static void look_again(struct timer *t)
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
	n->until_us = k->wk->loop.now_us + (v ? v->timeout_us * 2 : 0) + LEASE_EXTRA_US;
	if (n->credential->problem.p) {
		finish(n, REASON_CREDENTIAL, n->credential->problem, 0);
		return STEP_NEXT;
	}
	if (credential_per_caller(&n->credential->c) && !n->id.subject.n) {
		finish(n, REASON_SUBJECT_MISSING, STR_NULL, 0);
		return STEP_NEXT;
	}
	if (v)
		open_tokens(v);
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

/* ---- a request to a token endpoint ----------------------------------------------------------------------------------- */

/* The endpoint without its query, which may hold anything. */
static struct str shown(struct arena *a, struct str url)
{
	return arena_printf(a, "token endpoint %.*s", STR_ARG(str_first(url, str_find_char(url, '?'))));
}

static void note_failure(struct fetch *f, struct str problem, int64_t retry_after_s, bool subject)
{
	struct credentials *v = f->v;
	int64_t now = clock_wall_us(), wait_us;
	struct tokens_view view;
	unsigned doublings;
	uint32_t jitter;

	tokens_get(v->tokens, &f->id, now, false, &view);
	doublings = view.failures < BACK_OFF_DOUBLINGS ? view.failures : BACK_OFF_DOUBLINGS;
	wait_us = ((int64_t)BACK_OFF_S << doublings) * 1000000;
	if (wait_us > BACK_OFF_MOST_S * INT64_C(1000000))
		wait_us = BACK_OFF_MOST_S * INT64_C(1000000);
	worker_random(v->wk, &jitter, sizeof(jitter));
	wait_us -= wait_us / 8 * (jitter % 1024) / 1024;
	if (retry_after_s * 1000000 > wait_us)
		wait_us = retry_after_s * 1000000;
	problem = arena_printf(f->arena, "%.*s%.*s: %.*s", STR_ARG(subject ? subject_refused : STR("")), STR_ARG(shown(f->arena, f->url)),
			       STR_ARG(problem));
	tokens_fail(v->tokens, &f->id, problem, now + wait_us);
	log_warn("no token", KV_STR("credential", f->credential->c.id), KV_STR("environment", f->credential->c.environment),
		 KV_STR("problem", problem), KV_INT("retry_ms", wait_us / 1000));
}

/* From when on the next one is asked for: some time before the end, not at the same moment for all tokens. */
static int64_t lead_us(struct worker *wk, int64_t life_s)
{
	int64_t lead = life_s >= LONG_LIFE_S ? life_s * 100000 : life_s * 200000;
	uint32_t jitter;

	if (life_s >= LONG_LIFE_S && lead < LEAD_LEAST_S * INT64_C(1000000))
		lead = LEAD_LEAST_S * INT64_C(1000000);
	worker_random(wk, &jitter, sizeof(jitter));
	return lead - lead / 5 * (jitter % 1024) / 1024;
}

static void keep_token(struct fetch *f, struct token_answer *t)
{
	struct credentials *v = f->v;
	int64_t now = clock_wall_us(), life = (t->life_s > 0 ? t->life_s : 1) * 1000000, spent = now - f->begun_us;
	struct gh_err err;
	struct str packed;

	/* the endpoint's clock began some time after we asked */
	if (spent > 0)
		life -= spent < life / 4 ? spent : life / 4;
	if (!t->refresh_token.n)
		t->refresh_token = f->old_refresh;
	packed = token_pack(f->arena, t);
	if (!packed.p || tokens_store(v->tokens, &f->id, packed, now, now + life - lead_us(v->wk, life / 1000000), now + life, &err).code) {
		note_failure(f, packed.p ? str_of(err.message) : STR("no memory"), 0, false);
		return;
	}
	log_info("token", KV_STR("credential", f->credential->c.id), KV_STR("environment", f->credential->c.environment),
		 KV_INT("life_s", t->life_s), KV_INT("took_ms", spent / 1000));
	if (f->credential->c.kind == CREDENTIAL_CODE && t->refresh_token.n && !str_eq(t->refresh_token, f->old_refresh))
		credential_keep_refresh(v->wk->state_dir, f->credential->c.environment, f->credential->c.id,
				        f->old_refresh, t->refresh_token);
}

static void on_head(struct transfer *t UNUSED)
{
}

static bool on_body(struct transfer *t, struct str bytes)
{
	struct fetch *f = transfer_owner(t);

	if (bytes.n > f->v->response_bytes - f->body.n)
		f->too_large = true;
	else
		buf_str(&f->body, bytes);
	return true;
}

static size_t no_upload(struct transfer *t UNUSED, char *to UNUSED, size_t n UNUSED)
{
	return 0;
}

static void on_done(struct transfer *t, enum reason why)
{
	struct fetch *f = transfer_owner(t);
	struct credentials *v = f->v;
	const struct response *r = transfer_response(t);
	struct token_answer answer;
	enum token_verdict verdict;
	bool outdated;

	f->transfer = NULL;
	open_tokens(v);
	if (!v->tokens) {
		log_error("a token could not be kept", KV_STR("credential", f->credential->c.id));
	} else if (why != REASON_NONE) {
		struct str word = reason_info(why)->word;
		const char *detail = transfer_problem(t);

		if (reason_is_backend(why))      /* it is none: backend_timeout is said as "timeout" */
			word = str_from(word, sizeof("backend_") - 1);
		note_failure(f, arena_printf(f->arena, "the request failed (%.*s)%s%s", STR_ARG(word), detail[0] ? ": " : "", detail), 0, false);
	} else if (f->too_large) {
		note_failure(f, STR("its answer is larger than credential.response_bytes"), 0, false);
	} else {
		verdict = token_answer_read(f->arena, &f->credential->c, r->status, buf_view(&f->body),
					    fields_get(&r->headers, STR("Retry-After")), &answer);
		if (verdict == TOKEN_OK)
			keep_token(f, &answer);
		else
			note_failure(f, answer.problem, answer.retry_after_s, verdict == TOKEN_SUBJECT);
	}
	outdated = v->wk->serving->snapshot && !still_so(v->wk->serving->snapshot, f->id.environment, f->id.credential, f->id.print);
	end_fetch(f);
	look_again(&v->look);
	/* the credential has changed meanwhile: those who waited have the token, nobody else will look for it */
	if (outdated)
		credentials_configured(v->wk, v->wk->serving->snapshot);
}

static const struct transfer_ops ops = { .head = on_head, .body = on_body, .upload = no_upload, .done = on_done };

static struct fetch *new_fetch(struct credentials *v, struct snapshot *s, const struct snap_credential *c,
			       const struct tokens_id *id)
{
	struct arena *a = arena_new(ARENA_BYTES);
	struct fetch *f = a ? arena_new_of(a, struct fetch) : NULL;

	if (!f) {
		arena_free(a);
		return NULL;
	}
	f->v = v;
	f->arena = a;
	f->snapshot = snapshot_ref(s);
	f->credential = c;
	f->id = *id;
	f->id.environment = c->c.environment;
	f->id.credential = c->c.id;
	f->id.subject = id->subject.n ? arena_dup(a, id->subject) : STR_NULL;
	f->url = credential_text(&c->c, "token-url");
	f->begun_us = clock_wall_us();
	buf_init(&f->body, v->response_bytes);
	f->next = v->fetches;
	if (f->next)
		f->next->prev = f;
	v->fetches = f;
	return f;
}

/* The refresh token that came last, else that of the consent. */
static struct str refresh_token(struct fetch *f)
{
	struct token_answer last;

	if (f->credential->c.kind != CREDENTIAL_CODE)
		return STR_NULL;
	if (token_unpack(tokens_last(f->v->tokens, &f->id, f->arena), &last) && last.refresh_token.n)
		return last.refresh_token;
	return f->credential->refresh_token;
}

static enum reason send_ask(struct fetch *f, const struct token_ask *ask)
{
	struct upstream_request rq = { .method = STR("POST"), .body = BODY_HELD, .bytes = ask->body, .http_version = 1 };
	const struct snap_certificate *cert = NULL;
	struct fields fields;
	enum reason why;
	struct url url;

	fields_init(&fields, f->arena);
	if (!url_parse(ask->url, &url))
		return REASON_BACKEND_URL;
	if (!fields_add(&fields, STR("Content-Type"), STR("application/x-www-form-urlencoded"))
	    || !fields_add(&fields, STR("Accept"), STR("application/json"))
	    || (ask->authorization.n && !fields_add(&fields, STR("Authorization"), ask->authorization)))
		return REASON_NO_MEMORY;
	if (ask->certificate_id.n) {
		cert = snapshot_certificate(f->snapshot, ask->certificate_id);
		if (!cert)
			return REASON_CREDENTIAL;
		rq.client_cert_pem = cert->cert_pem;
		rq.client_key_pem = cert->key_pem;
	}
	if (ask->ca_id.n) {
		cert = snapshot_certificate(f->snapshot, ask->ca_id);
		if (!cert)
			return REASON_CREDENTIAL;
		rq.ca_pem = cert->cert_pem;
	}
	rq.url = &url;
	rq.headers = &fields;
	rq.first_byte_ms = rq.total_ms = (uint32_t)(f->v->timeout_us / 1000);
	f->transfer = upstream_start(f->v->wk->up, f->arena, &rq, &ops, f, &why);
	return f->transfer ? REASON_NONE : why;
}

/* With the claim taken. On failure the failure is noted and the claim is over. */
static enum reason start_fetch(struct credentials *v, struct snapshot *s, const struct snap_credential *c,
			       const struct tokens_id *id)
{
	struct fetch *f = new_fetch(v, s, c, id);
	struct token_grant grant = { .now_s = clock_wall_us() / 1000000 };
	struct token_ask ask;
	struct gh_err err;
	enum reason why;

	if (!f) {
		tokens_fail(v->tokens, id, STR("out of memory"), clock_wall_us() + BACK_OFF_S * 1000000);
		return REASON_NO_MEMORY;
	}
	f->old_refresh = grant.refresh_token = refresh_token(f);
	grant.subject = f->id.subject;
	if (token_ask_make(f->arena, &c->c, &grant, &ask, &err).code) {
		note_failure(f, str_of(err.message), 0, false);
		end_fetch(f);
		return REASON_CREDENTIAL;
	}
	why = send_ask(f, &ask);
	if (why == REASON_NONE)
		return why;
	note_failure(f, why == REASON_CREDENTIAL ? STR("a certificate that `certificate` or `ca` names is not there") : reason_info(why)->message, 0, false);
	end_fetch(f);
	return why;
}
