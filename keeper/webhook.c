/* webhook.c
 *
 *   turn:  finish ── write down what came of calls that have ended; while that cannot be written no other is begun: to go on
 *                    would be to send the same message again and again
 *          begin  ── the next message that is due of each webhook that has none under way and is not left alone
 *          wait   ── for any of them (libcurl's multi interface), or half a second
 *
 * So a receiver that is slow keeps only its own messages waiting. One that fails is left alone for a while, longer each time
 * in a row, whichever of its messages is next. */
#include "keeper/webhook.h"

#include "core/buf.h"
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

enum { CALL_MEMORY = 8 << 20, ANSWER_MAX = 65536, TELL_EVERY_S = 60, GONE = 410, EVERY_MS = 500, AT_ONCE = 16,
       HOLDS = 64,                               /* receivers that fail at the same time; those beyond are called all the same */
       HOLD_MOST_S = 60 };                       /* so that one which is back, or a message sent again by hand, waits no longer */

struct flight {                                  /* one call */
	struct arena *arena;
	CURL *easy;
	struct curl_slist *list;
	struct store_alert_delivery d;
	char detail[CURL_ERROR_SIZE];
	size_t got;
	long status, retry_after_s;
	bool over, judged;                       /* and not written down yet */
};

struct hold {
	char id[80];                             /* of a webhook; empty: free */
	int64_t fails, until_us;                 /* monotonic */
};

struct webhooks {
	pthread_t thread;
	atomic_bool stop;
	const char *state_dir;
	const struct config *config;
	struct arena *turn;                      /* what a turn needs */
	struct store *store;
	CURLM *multi;
	struct flight flights[AT_ONCE];          /* .easy NULL: free */
	struct hold holds[HOLDS];
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

static void tell_trouble(struct webhooks *w, const char *what, const struct gh_err *err)
{
	if (!w->told_us || clock_mono_us() - w->told_us > (int64_t)TELL_EVERY_S * 1000000)
		log_warn(what, KV_CSTR("reason", err->message));
	w->told_us = clock_mono_us();
}

/* ---- receivers that fail ----------------------------------------------------------------------------------------------- */

static struct hold *hold_of(struct webhooks *w, struct str id, bool make)
{
	int64_t now = clock_mono_us();
	struct hold *spare = NULL;

	for (size_t i = 0; i < HOLDS; i++) {
		struct hold *h = &w->holds[i];

		if (h->id[0] && str_eq(str_of(h->id), id))
			return h;
		if (!h->id[0] || (h->until_us < now && !spare))
			spare = h;
	}
	if (!make || !spare || id.n >= sizeof(spare->id))
		return NULL;
	*spare = (struct hold){ .id = "" };
	snprintf(spare->id, sizeof(spare->id), "%.*s", STR_ARG(id));
	return spare;
}

/* One that says no to this message may take the next; one that does not answer, or says that it cannot, is left alone. */
static void hold_tell(struct webhooks *w, struct str id, long status, long retry_after_s)
{
	bool down = !status || status == 408 || status == 429 || status >= 500;
	struct hold *h = hold_of(w, id, down);
	int64_t s;

	if (!h)
		return;
	if (!down) {
		h->id[0] = '\0';
		return;
	}
	s = queue_pause_s(config_int(w->config, CONFIG_ALERTS_WEBHOOK_RETRY_S), ++h->fails);
	s = s > retry_after_s ? s : retry_after_s;
	h->until_us = clock_mono_us() + (s < HOLD_MOST_S ? s : HOLD_MOST_S) * 1000000;
}

/* " a b c ": webhooks that are not called now. */
static struct str not_now(struct webhooks *w)
{
	int64_t now = clock_mono_us();
	struct str out;
	struct buf b;

	buf_init(&b, (HOLDS + AT_ONCE) * 128);
	buf_char(&b, ' ');
	for (size_t i = 0; i < AT_ONCE; i++)
		if (w->flights[i].easy)
			buf_fmt(&b, "%.*s ", STR_ARG(w->flights[i].d.webhook_id));
	for (size_t i = 0; i < HOLDS; i++)
		if (w->holds[i].id[0] && w->holds[i].until_us > now)
			buf_fmt(&b, "%s ", w->holds[i].id);
	out = arena_dup(w->turn, buf_view(&b));
	buf_release(&b);
	return out;
}

/* ---- beginning a call -------------------------------------------------------------------------------------------------- */

static size_t skip(char *bytes UNUSED, size_t size, size_t n, void *arg)
{
	struct flight *f = arg;

	f->got += size * n;
	return f->got > ANSWER_MAX ? 0 : size * n;
}

static gh_rc header(struct flight *f, const char *name, struct str value, struct gh_err *err)
{
	struct str line = arena_printf(f->arena, "%s: %.*s", name, STR_ARG(value));
	struct curl_slist *more = line.p && value.p ? curl_slist_append(f->list, line.p) : NULL;

	if (!more)
		FAIL(err, NOMEM, "a webhook's header");
	f->list = more;
	return GH_RC_OK;
}

static gh_rc headers(struct flight *f, struct str secret, struct gh_err *err)
{
	int64_t now = clock_wall_us() / 1000000;

	TRY(header(f, "Content-Type", STR("application/json"), err));
	TRY(header(f, "webhook-id", f->d.id, err));
	TRY(header(f, "webhook-timestamp", arena_printf(f->arena, "%lld", (long long)now), err));
	TRY(header(f, "webhook-signature", webhook_sign(f->arena, secret, f->d.id, now, f->d.body), err));
	return header(f, "Expect", STR(""), err);
}

static void set_options(struct webhooks *w, struct flight *f, struct str url)
{
	struct str ca = config_text(w->config, CONFIG_ALERTS_WEBHOOK_CA_FILE);

	curl_easy_setopt(f->easy, CURLOPT_PRIVATE, f);
	curl_easy_setopt(f->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(f->easy, CURLOPT_QUICK_EXIT, 1L);       /* the end of a call waits for no resolver: the others would, too */
	curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(f->easy, CURLOPT_URL, arena_cstr(f->arena, url));
	curl_easy_setopt(f->easy, CURLOPT_USERAGENT, "gatehouse-webhook/" GATEHOUSE_VERSION);
	curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->list);
	curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, f->d.body.p);
	curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->d.body.n);
	curl_easy_setopt(f->easy, CURLOPT_TIMEOUT, (long)config_int(w->config, CONFIG_ALERTS_WEBHOOK_TIMEOUT_S));
	curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, skip);
	curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(f->easy, CURLOPT_ERRORBUFFER, f->detail);
	if (ca.n)
		curl_easy_setopt(f->easy, CURLOPT_CAINFO, arena_cstr(f->arena, ca));
}

static void land(struct webhooks *w, struct flight *f)
{
	if (f->easy) {
		curl_multi_remove_handle(w->multi, f->easy);
		curl_easy_cleanup(f->easy);
	}
	curl_slist_free_all(f->list);
	arena_free(f->arena);
	*f = (struct flight){ 0 };
}

/* A copy: what was read from the store lasts for a turn. */
static gh_rc keep(struct flight *f, const struct store_alert_delivery *d, struct gh_err *err)
{
	struct str *texts[] = { &f->d.id, &f->d.webhook_id, &f->d.event_id, &f->d.body };

	f->d = *d;
	f->d.problem = STR("");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		*texts[i] = arena_dup(f->arena, *texts[i]);
		if (!texts[i]->p)
			FAIL(err, NOMEM, "a webhook's message");
	}
	return GH_RC_OK;
}

/* *gone: the webhook was deleted meanwhile, and its messages with it. */
static gh_rc launch(struct webhooks *w, struct flight *f, const struct store_alert_delivery *d, bool *gone, struct gh_err *err)
{
	struct store_alert_webhook hook;
	struct gh_err sealed;
	bool found = false;
	gh_rc rc;

	f->arena = arena_new(CALL_MEMORY);
	f->easy = f->arena ? curl_easy_init() : NULL;
	if (!f->easy)
		FAIL(err, NOMEM, "webhooks");
	TRY(keep(f, d, err));
	rc = store_alert_webhook_find(w->store, w->turn, d->webhook_id, true, &hook, &found, &sealed);
	if (rc.code) {
		f->over = true;                  /* the master key is not there: people mend it */
		snprintf(f->detail, sizeof(f->detail), "%s", sealed.message);
		return GH_RC_OK;
	}
	*gone = !found;
	if (!found)
		return GH_RC_OK;
	rc = headers(f, hook.secret, err);
	crypto_wipe((void *)(uintptr_t)hook.secret.p, hook.secret.n);
	if (rc.code)
		return rc;
	set_options(w, f, hook.url);
	if (curl_multi_add_handle(w->multi, f->easy) != CURLM_OK)
		FAIL(err, INTERNAL, "webhooks: libcurl takes no further call");
	return GH_RC_OK;
}

static gh_rc begin(struct webhooks *w, struct gh_err *err)
{
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct flight *f = &w->flights[i];
		struct store_alert_delivery d;
		bool found, gone = false;
		gh_rc rc;

		if (f->easy)
			continue;
		TRY(store_alert_delivery_next(w->store, w->turn, clock_wall_us(), not_now(w), &d, &found, err));
		if (!found)
			return GH_RC_OK;
		rc = launch(w, f, &d, &gone, err);
		if (rc.code || gone)
			land(w, f);
		if (rc.code)
			return rc;
	}
	return GH_RC_OK;
}

/* ---- its end ----------------------------------------------------------------------------------------------------------- */

static void note_end(struct flight *f, CURLcode rc)
{
	curl_off_t after = 0;

	f->over = true;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &f->status);
	if (curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
		f->retry_after_s = after < HOLD_MOST_S ? (long)after : HOLD_MOST_S;
	if (rc == CURLE_OK || (f->status && f->got > ANSWER_MAX))
		return;
	f->status = 0;
	if (!f->detail[0])
		snprintf(f->detail, sizeof(f->detail), "%s", curl_easy_strerror(rc));
}

static void judge(struct webhooks *w, struct flight *f, int64_t now)
{
	bool over = now - f->d.created_us > config_int(w->config, CONFIG_ALERTS_WEBHOOK_GIVE_UP_S) * 1000000;
	struct store_alert_delivery *d = &f->d;

	f->judged = true;
	d->tries++;
	d->status = f->status;
	d->changed_us = now;
	if (f->status >= 200 && f->status < 300) {
		d->state = STORE_ALERT_DELIVERED;
		return;
	}
	d->problem = f->status ? arena_printf(f->arena, "answered %ld", f->status) : str_of(f->detail);
	d->state = over || f->status == GONE ? STORE_ALERT_FAILED : STORE_ALERT_WAITING;
	d->due_us = now + queue_pause_s(config_int(w->config, CONFIG_ALERTS_WEBHOOK_RETRY_S), d->tries) * 1000000;
}

/* What became of it is known here only, so it is told until it is written, whatever is in the way (a full disk). */
static gh_rc finish(struct webhooks *w, struct gh_err *err)
{
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct flight *f = &w->flights[i];

		if (!f->easy || !f->over)
			continue;
		if (!f->judged)
			judge(w, f, clock_wall_us());
		TRY(store_alert_delivery_settle(w->store, &f->d, f->status == GONE, err));
		if (f->d.state != STORE_ALERT_DELIVERED)
			log_warn("webhook not taken", KV_STR("webhook", f->d.webhook_id), KV_STR("message", f->d.id), KV_STR("reason", f->d.problem));
		hold_tell(w, f->d.webhook_id, f->status, f->retry_after_s);
		land(w, f);
	}
	return GH_RC_OK;
}

static void perform(struct webhooks *w)
{
	CURLMsg *msg;
	int n;

	curl_multi_perform(w->multi, &n);
	while ((msg = curl_multi_info_read(w->multi, &n))) {
		struct flight *f = NULL;

		if (msg->msg == CURLMSG_DONE && curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&f) == CURLE_OK && f)
			note_end(f, msg->data.result);
	}
}

static bool any_over(const struct webhooks *w)
{
	bool any = false;

	for (size_t i = 0; i < AT_ONCE; i++)
		any = any || (w->flights[i].easy && w->flights[i].over);
	return any;
}

/* The file may have been replaced or mended. */
static void open_anew(struct webhooks *w)
{
	store_free(w->store);
	w->store = NULL;
}

static gh_rc turn(struct webhooks *w, struct gh_err *err)
{
	if (!w->store)
		TRY(store_open(&w->store, w->state_dir, STORE_WRITE, err));
	TRY(finish(w, err));
	return begin(w, err);
}

static void *run(void *arg)
{
	struct webhooks *w = arg;
	struct gh_err err;
	bool failed = false;

	while (!atomic_load(&w->stop)) {
		failed = turn(w, &err).code != GH_OK;
		if (failed) {
			tell_trouble(w, any_over(w) ? "what became of a webhook call cannot be written; until it can no other is made"
						    : "webhooks cannot be called", &err);
			if (err.code != GH_E_BUSY)
				open_anew(w);
		}
		arena_reset(w->turn);
		perform(w);
		/* what has ended is written down at once, unless that is what does not work */
		if (failed || !any_over(w))
			curl_multi_poll(w->multi, NULL, 0, EVERY_MS, NULL);
	}
	/* one that is cut off because we stop was no try; what has ended is written down if it can be */
	if (any_over(w) && w->store && finish(w, &err).code)
		tell_trouble(w, "what became of a webhook call cannot be written", &err);
	return NULL;
}

static void release(struct webhooks *w)
{
	for (size_t i = 0; i < AT_ONCE && w->multi; i++)
		land(w, &w->flights[i]);
	curl_multi_cleanup(w->multi);
	store_free(w->store);
	arena_free(w->turn);
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
	w->turn = arena_new(CALL_MEMORY);
	w->multi = curl_multi_init();
	if (!w->turn || !w->multi || pthread_create(&w->thread, NULL, run, w) != 0) {
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
	atomic_store(&w->stop, true);
	curl_multi_wakeup(w->multi);
	pthread_join(w->thread, NULL);
	release(w);
}
