#include "keeper/secrets.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/paths.h"
#include "core/secret_ref.h"
#include "core/str.h"
#include "db/secrets.h"
#include "keeper/rotate.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EVERY_MS = 1000, RETRY_S = 5, RENEW_S = 600, TURN_BYTES = 64 << 20 };

/* One reference. Kept from turn to turn, so that a change of the configuration does not make the vault be read again. */
struct watched {
	struct watched *next;
	struct secret_ref ref;
	char version[SECRET_VERSION_MAX];    /* of the last good read */
	int64_t due_us;                      /* monotonic */
	bool used, known, failing;           /* used: still in the store; known: read once since the start */
	char problem[512];                   /* what was logged */
	size_t n;
	char text[];
};

struct secret_watch {
	char state[PATHS_MAX];
	const struct config *config;
	struct store *store;
	struct secret_source *source;
	struct arena *arena;                 /* of one turn */
	struct watched *list;
	bool told;                           /* that the store cannot be used */
	struct rotator *rotator;
	int64_t renew_us;                    /* monotonic: when the vault's token is looked at again */
	bool token_told;                     /* that it cannot be prolonged */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;                /* of what follows */
	pthread_cond_t changed;
	bool stop;
};

static bool init_sync(struct secret_watch *w)
{
	pthread_condattr_t attr;

	return !pthread_condattr_init(&attr) && !pthread_condattr_setclock(&attr, CLOCK_MONOTONIC)
	       && !pthread_cond_init(&w->changed, &attr) && !pthread_mutex_init(&w->lock, NULL);
}

GH_RC secret_watch_new(const char *state_dir, const struct config *config, struct secret_watch **out, struct gh_err *err)
{
	struct secret_watch *w = calloc(1, sizeof(*w));
	gh_rc rc;

	if (!w || !(w->arena = arena_new(TURN_BYTES)) || !init_sync(w) || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		if (w)
			arena_free(w->arena);
		free(w);
		FAIL(err, NOMEM, "no memory for the secrets");
	}
	snprintf(w->state, sizeof(w->state), "%s", state_dir);
	w->config = config;
	rc = secret_source_new(config, &w->source, err);
	if (!rc.code)
		rc = rotator_new(config, &w->rotator, err);
	if (rc.code) {
		secret_watch_free(w);
		return rc;
	}
	*out = w;
	return GH_RC_OK;
}

void secret_watch_free(struct secret_watch *w)
{
	if (!w)
		return;
	if (w->has_thread) {
		pthread_mutex_lock(&w->lock);
		w->stop = true;
		pthread_cond_signal(&w->changed);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
	}
	while (w->list) {
		struct watched *next = w->list->next;

		free(w->list);
		w->list = next;
	}
	store_free(w->store);
	rotator_free(w->rotator);
	secret_source_free(w->source);
	arena_free(w->arena);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* ---- the list --------------------------------------------------------------------------------------------------------- */

static struct watched *find(struct secret_watch *w, struct str ref)
{
	for (struct watched *x = w->list; x; x = x->next)
		if (str_eq(ref, (struct str){ x->text, x->n }))
			return x;
	return NULL;
}

static struct watched *add(struct secret_watch *w, const struct store_secret *row)
{
	struct watched *x = calloc(1, sizeof(*x) + row->ref.n + 1);

	if (!x)
		return NULL;
	memcpy(x->text, row->ref.p, row->ref.n);
	x->n = row->ref.n;
	x->failing = row->problem.n > 0;
	snprintf(x->problem, sizeof(x->problem), "%.*s", STR_ARG(row->problem));
	/* the store refused whatever is no reference, but it may have been written by a newer program */
	if (secret_ref_parse((struct str){ x->text, x->n }, &x->ref, NULL).code) {
		free(x);
		return NULL;
	}
	x->next = w->list;
	w->list = x;
	return x;
}

static void drop_unused(struct secret_watch *w)
{
	for (struct watched **at = &w->list; *at;) {
		struct watched *x = *at;

		if (x->used) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		free(x);
	}
}

static gh_rc read_list(struct secret_watch *w, struct gh_err *err)
{
	struct store_secret *rows;
	size_t n;

	if (!w->store)
		TRY(store_open(&w->store, w->state, STORE_WRITE, err));
	TRY(store_secrets(w->store, w->arena, &rows, &n, err));
	for (struct watched *x = w->list; x; x = x->next)
		x->used = false;
	for (size_t i = 0; i < n; i++) {
		struct watched *x = find(w, rows[i].ref);

		if (!x)
			x = add(w, &rows[i]);
		if (x)
			x->used = true;
		if (x && !rows[i].has_value && x->known && !x->failing)
			x->due_us = 0;       /* a copy of the store was put in place */
	}
	drop_unused(w);
	return GH_RC_OK;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static bool is_due(const struct watched *x, int64_t now)
{
	char version[SECRET_VERSION_MAX];

	if (now >= x->due_us)
		return true;
	if (x->ref.provider != SECRET_FILE && x->ref.provider != SECRET_CREDENTIAL)
		return false;
	secret_peek(&x->ref, version);       /* "" of one that is gone */
	return strcmp(version, x->version) != 0;
}

static int64_t next_read(const struct secret_watch *w, const struct watched *x, int64_t lease_s, bool failed)
{
	int64_t wait_s = config_int(w->config, CONFIG_VAULT_POLL_S);

	if (failed)
		wait_s = wait_s < RETRY_S ? wait_s : RETRY_S;
	else if (x->ref.provider != SECRET_VAULT && x->ref.provider != SECRET_ENGINE)
		return INT64_MAX;            /* files tell by themselves; variables do not change */
	else if (lease_s > 0 && lease_s < wait_s)
		wait_s = lease_s;
	return clock_mono_us() + wait_s * 1000000;
}

static gh_rc write_result(struct secret_watch *w, struct watched *x, const struct secret_value *v, const struct gh_err *why,
			  bool *changed, struct gh_err *err)
{
	struct str ref = { x->text, x->n };
	gh_rc rc;

	TRY(store_tx_begin(w->store, STR("keeper"), err));
	rc = why ? store_secret_failed(w->store, ref, str_of(why->message), err)
		 : store_secret_resolved(w->store, ref, v->value, str_of(v->version), changed, err);
	return store_tx_end(w->store, rc, err);
}

static void tell(struct watched *x, const struct gh_err *why, bool changed)
{
	struct str ref = { x->text, x->n };

	if (why)
		log_warn("a secret cannot be read; its last good value stays", KV_STR("ref", ref), KV_CSTR("error", why->message));
	else if (x->failing)
		log_info("a secret can be read again", KV_STR("ref", ref));
	else if (changed)
		log_info("a secret has changed", KV_STR("ref", ref));
}

/* False: the store could not be written; the same again in the next turn. */
static bool read_one(struct secret_watch *w, struct watched *x, struct gh_err *err)
{
	struct gh_err why = { 0 };
	struct secret_value v;
	bool failed = secret_resolve(w->source, w->arena, &x->ref, &v, &why).code != GH_OK, changed = false;
	bool news = !failed || !x->failing || strcmp(x->problem, why.message) != 0;
	bool written = !news || !write_result(w, x, &v, failed ? &why : NULL, &changed, err).code;

	if (v.value.p)
		crypto_wipe((void *)(uintptr_t)v.value.p, v.value.n);
	if (!written)
		return false;
	if (news && (failed || x->failing || (changed && x->known)))
		tell(x, failed ? &why : NULL, changed);
	x->known = true;
	x->failing = failed;
	snprintf(x->problem, sizeof(x->problem), "%s", failed ? why.message : "");
	if (failed)
		secret_peek(&x->ref, x->version);
	else
		memcpy(x->version, v.version, sizeof(x->version));
	x->due_us = next_read(w, x, v.lease_s, failed);
	return true;
}

static void give_up_store(struct secret_watch *w, const struct gh_err *err)
{
	if (!w->told)
		log_warn("secrets cannot be kept now", KV_CSTR("error", err->message));
	w->told = true;
	if (err->code != GH_E_BUSY) {
		store_free(w->store);
		w->store = NULL;
	}
}

static void read_due(struct secret_watch *w)
{
	struct gh_err err = { 0 };

	if (read_list(w, &err).code) {
		give_up_store(w, &err);
		return;
	}
	for (struct watched *x = w->list; x; x = x->next)
		if (is_due(x, clock_mono_us()) && !read_one(w, x, &err)) {
			give_up_store(w, &err);
			return;
		}
	w->told = false;
}

/* ---- the vault's token; new secrets ------------------------------------------------------------------------------------- */

/* Without references to a vault nobody has asked it, and this asks nothing either. */
static void renew_token(struct secret_watch *w)
{
	int64_t now = clock_mono_us(), again_s = 0;
	struct gh_err err = { 0 };
	bool failed;

	if (now < w->renew_us)
		return;
	failed = secret_vault_renew(w->source, w->arena, &again_s, &err).code != GH_OK;
	if (failed && !w->token_told)
		log_warn("the vault's token cannot be prolonged", KV_CSTR("error", err.message));
	if (!failed && w->token_told)
		log_info("the vault's token has been prolonged");
	w->token_told = failed;
	again_s = failed || !again_s || again_s > RENEW_S ? RENEW_S : again_s;
	w->renew_us = clock_mono_us() + (failed ? RETRY_S : again_s) * 1000000;
}

/* Those whose secret the vault has replaced: at once, and not when their time has come. */
static void read_again(struct secret_watch *w)
{
	for (struct watched *x = w->list; x; x = x->next)
		if (x->ref.provider == SECRET_VAULT || x->ref.provider == SECRET_ENGINE)
			x->due_us = 0;
}

void secret_watch_turn(struct secret_watch *w)
{
	arena_reset(w->arena);
	if (w->store && rotator_turn(w->rotator, w->store, w->source, w->arena))
		read_again(w);
	read_due(w);
	renew_token(w);
	secret_source_rest(w->source);
}

/* ---- the thread ------------------------------------------------------------------------------------------------------- */

static bool wait_a_while(struct secret_watch *w)
{
	struct timespec until;
	bool go_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += EVERY_MS / 1000;
	pthread_mutex_lock(&w->lock);
	while (!w->stop && pthread_cond_timedwait(&w->changed, &w->lock, &until) == 0)
		;
	go_on = !w->stop;
	pthread_mutex_unlock(&w->lock);
	return go_on;
}

static void *watch_main(void *arg)
{
	struct secret_watch *w = arg;

	do
		secret_watch_turn(w);
	while (wait_a_while(w));
	return NULL;
}

GH_RC secret_watch_start(struct secret_watch *w, struct gh_err *err)
{
	int code;

	if (w->has_thread)
		return GH_RC_OK;
	code = pthread_create(&w->thread, NULL, watch_main, w);      /* signals are blocked: main waits for them */
	if (code)
		FAIL(err, INTERNAL, "the secrets' thread cannot be started: %s", strerror(code));
	w->has_thread = true;
	return GH_RC_OK;
}
