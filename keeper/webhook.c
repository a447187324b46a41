#include "keeper/webhook.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/log.h"
#include "core/str.h"
#include "core/version.h"
#include "keeper/queue.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CALL_MEMORY = 8 << 20, ANSWER_MAX = 65536, TELL_EVERY_S = 60, GONE = 410 };

struct webhooks {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop;
	const char *state_dir;
	const struct config *config;
	struct arena *call;
	struct store *store;
	CURL *curl;
	size_t got;
	int64_t told_us;
};

struct str webhook_sign(struct arena *a, struct str secret, struct str id, int64_t timestamp_s, struct str body)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];
	struct str key, signed_text;

	if (!str_starts(secret, STR("whsec_")) || !crypto_base64_decode(a, str_from(secret, 6), &key))
		return STR_NULL;
	signed_text = arena_join(a, (const struct str[]){ id, arena_printf(a, ".%lld.", (long long)timestamp_s), body }, 3);
	if (!signed_text.p)
		return STR_NULL;
	crypto_hmac_sha256(key, signed_text, mac);
	return arena_printf(a, "v1,%.*s", STR_ARG(crypto_base64(a, (struct str){ (const char *)mac, sizeof(mac) })));
}

static size_t skip(char *bytes UNUSED, size_t size, size_t n, void *arg)
{
	struct webhooks *w = arg;

	w->got += size * n;
	return w->got > ANSWER_MAX ? 0 : size * n;
}

static int watch(void *ctx, curl_off_t a UNUSED, curl_off_t b UNUSED, curl_off_t c UNUSED, curl_off_t d UNUSED)
{
	return atomic_load(&((struct webhooks *)ctx)->stop);
}

static gh_rc header(struct webhooks *w, struct curl_slist **list, const char *name, struct str value, struct gh_err *err)
{
	struct str line = arena_printf(w->call, "%s: %.*s", name, STR_ARG(value));
	struct curl_slist *more = line.p && value.p ? curl_slist_append(*list, line.p) : NULL;

	if (!more)
		FAIL(err, NOMEM, "a webhook's header");
	*list = more;
	return GH_RC_OK;
}

static gh_rc headers(struct webhooks *w, const struct store_alert_webhook *hook, const struct store_alert_delivery *d,
		     struct curl_slist **list, struct gh_err *err)
{
	int64_t now = clock_wall_us() / 1000000;

	TRY(header(w, list, "Content-Type", STR("application/json"), err));
	TRY(header(w, list, "webhook-id", d->id, err));
	TRY(header(w, list, "webhook-timestamp", arena_printf(w->call, "%lld", (long long)now), err));
	TRY(header(w, list, "webhook-signature", webhook_sign(w->call, hook->secret, d->id, now, d->body), err));
	return header(w, list, "Expect", STR(""), err);
}

/* The status, 0 when none came; then *problem says why. */
static void call(struct webhooks *w, const struct store_alert_webhook *hook, const struct store_alert_delivery *d, struct curl_slist *list,
		 long *status, struct str *problem)
{
	struct str ca = config_text(w->config, CONFIG_ALERTS_WEBHOOK_CA_FILE);
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode rc;

	curl_easy_reset(w->curl);
	w->got = 0;
	curl_easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(w->curl, CURLOPT_URL, arena_cstr(w->call, hook->url));
	curl_easy_setopt(w->curl, CURLOPT_USERAGENT, "gatehouse-webhook/" GATEHOUSE_VERSION);
	curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, d->body.p);
	curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)d->body.n);
	curl_easy_setopt(w->curl, CURLOPT_TIMEOUT, (long)config_int(w->config, CONFIG_ALERTS_WEBHOOK_TIMEOUT_S));
	curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, skip);
	curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, w);
	curl_easy_setopt(w->curl, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(w->curl, CURLOPT_XFERINFODATA, w);
	curl_easy_setopt(w->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, detail);
	if (ca.n)
		curl_easy_setopt(w->curl, CURLOPT_CAINFO, arena_cstr(w->call, ca));
	rc = curl_easy_perform(w->curl);
	curl_easy_setopt(w->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, status);
	if (rc != CURLE_OK && !(*status && w->got > ANSWER_MAX)) {
		*status = 0;
		*problem = arena_dup(w->call, str_of(detail[0] ? detail : curl_easy_strerror(rc)));
	}
}

static void tell_trouble(struct webhooks *w, const char *what, const struct gh_err *err)
{
	if (!w->told_us || clock_mono_us() - w->told_us > (int64_t)TELL_EVERY_S * 1000000)
		log_warn(what, KV_CSTR("reason", err->message));
	w->told_us = clock_mono_us();
}

static void open_anew(struct webhooks *w)
{
	struct store *fresh = NULL;
	struct gh_err err;

	if (store_open(&fresh, w->state_dir, STORE_WRITE, &err).code)
		return;
	store_free(w->store);
	w->store = fresh;
}

/* What became of it is known here only, so it is told until it is written, whatever is in the way (a full disk): to go on would be
 * to send the same message twice a second. */
static gh_rc settle(struct webhooks *w, struct store_alert_delivery *d, long status, struct gh_err *err)
{
	int64_t now = clock_wall_us();
	bool over = now - d->created_us > config_int(w->config, CONFIG_ALERTS_WEBHOOK_GIVE_UP_S) * 1000000;
	gh_rc rc;

	d->tries++;
	d->status = status;
	d->changed_us = now;
	if (status >= 200 && status < 300) {
		d->state = STORE_ALERT_DELIVERED;
		d->problem = STR("");
	} else {
		if (!d->problem.n)
			d->problem = arena_printf(w->call, "answered %ld", status);
		d->state = over || status == GONE ? STORE_ALERT_FAILED : STORE_ALERT_WAITING;
		d->due_us = now + queue_pause_s(config_int(w->config, CONFIG_ALERTS_WEBHOOK_RETRY_S), d->tries) * 1000000;
		if (!atomic_load(&w->stop))
			log_warn("webhook not taken", KV_STR("webhook", d->webhook_id), KV_STR("message", d->id), KV_STR("reason", d->problem));
	}
	for (;;) {
		rc = store_alert_delivery_settle(w->store, d, status == GONE, err);
		if (!rc.code || atomic_load(&w->stop))
			return rc;
		tell_trouble(w, "what became of a webhook call cannot be written; until it can no other is made", err);
		queue_wait(&w->lock, &w->wake, &w->stop);
		if (rc.code != GH_E_BUSY)
			open_anew(w);        /* the file may have been replaced or mended */
	}
}

static gh_rc deliver(struct webhooks *w, struct store_alert_delivery *d, struct gh_err *err)
{
	struct curl_slist *list = NULL;
	struct store_alert_webhook hook;
	bool found;
	long status = 0;
	gh_rc rc;

	if (!w->curl && !(w->curl = curl_easy_init()))
		FAIL(err, NOMEM, "webhooks");
	d->problem = STR("");
	if (store_alert_webhook_find(w->store, w->call, d->webhook_id, true, &hook, &found, err).code) {
		d->problem = arena_dup(w->call, str_of(err->message));   /* the master key is not there: people mend it */
		return settle(w, d, 0, err);
	}
	if (!found)
		return GH_RC_OK;                 /* deleted meanwhile, and this with it */
	rc = headers(w, &hook, d, &list, err);
	if (!rc.code) {
		call(w, &hook, d, list, &status, &d->problem);
		/* one that was cut off because we stop was no try */
		rc = !status && atomic_load(&w->stop) ? GH_RC_OK : settle(w, d, status, err);
	}
	curl_slist_free_all(list);
	crypto_wipe((void *)(uintptr_t)hook.secret.p, hook.secret.n);
	return rc;
}

static gh_rc turn(struct webhooks *w, bool *more, struct gh_err *err)
{
	struct store_alert_delivery d;

	*more = false;
	if (!w->store)
		TRY(store_open(&w->store, w->state_dir, STORE_WRITE, err));
	TRY(store_alert_delivery_next(w->store, w->call, clock_wall_us(), &d, more, err));
	return *more ? deliver(w, &d, err) : GH_RC_OK;
}

static void *run(void *arg)
{
	struct webhooks *w = arg;
	struct gh_err err;
	bool more;

	while (!atomic_load(&w->stop)) {
		if (turn(w, &more, &err).code) {
			tell_trouble(w, "webhooks cannot be called", &err);
			if (err.code != GH_E_BUSY) {
				store_free(w->store);
				w->store = NULL;
			}
			more = false;
		}
		arena_reset(w->call);
		if (!more)
			queue_wait(&w->lock, &w->wake, &w->stop);
	}
	return NULL;
}

static void release(struct webhooks *w)
{
	if (w->curl)
		curl_easy_cleanup(w->curl);
	store_free(w->store);
	arena_free(w->call);
	free(w);
}

gh_rc webhooks_start(const char *state_dir, const struct config *config, struct webhooks **out, struct gh_err *err)
{
	struct webhooks *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (!w)
		FAIL(err, NOMEM, "webhooks");
	w->state_dir = state_dir;
	w->config = config;
	w->call = arena_new(CALL_MEMORY);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	if (!w->call || pthread_create(&w->thread, NULL, run, w) != 0) {
		release(w);
		FAIL(err, NOMEM, "the thread for webhooks");
	}
	*out = w;
	return GH_RC_OK;
}

void webhooks_stop(struct webhooks *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->stop, true);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	release(w);
}
