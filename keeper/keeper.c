#include "keeper/keeper.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/counter.h"
#include "core/file.h"
#include "core/log.h"
#include "core/paths.h"
#include "core/str.h"
#include "db/captures.h"
#include "db/notices.h"
#include "db/sessions.h"
#include "keeper/alerts.h"
#include "keeper/canary.h"
#include "keeper/drain.h"
#include "keeper/export.h"
#include "keeper/mail.h"
#include "keeper/reserve.h"
#include "keeper/sinks.h"
#include "keeper/webhook.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { PRUNE_ROWS = 2000, FREE_ROWS = 20000, LOG_AGAIN_US = 60000000, SLOW_EVERY_US = 5000000, FLUSH_EVERY_US = 1000000, SESSIONS_EVERY_US = 600000000,
       ENDS_EVERY_US = 60000000, SIZE_EVERY_US = 300000000, ENDS_MEMORY = 16 << 20, CAPTURES_EVERY_US = 1000000, CAPTURES_MEMORY = 1 << 20 };
static const int64_t DAY_US = 86400000000;

struct keeper {
	char state[PATHS_MAX], segments[PATHS_MAX], counters[PATHS_MAX], status[PATHS_MAX];
	const struct config *config;
	struct store *store;
	int lock_fd;
	bool locked, told_waiting, told_full;
	struct reserve reserve;
	bool tight;                          /* the disk was full, and the reserve is not there again */
	size_t took;                         /* calls of the last drain */
	struct gh_err last;                  /* what was logged, so that a lasting trouble is told once a minute */
	int64_t logged_us, flushed_us, slow_us, sessions_us, ends_us, size_us, captures_us;
	uint64_t calls;                      /* taken in since the start */
	bool reported;
	struct alerts *alerts;
	struct canaries *canaries;
	struct exports *exports;
	struct sinks *sinks;
	struct webhooks *webhooks;
	struct mailer *mailer;
	int64_t mailer_us;                   /* when it was last tried to start it; 0: not yet */
};

gh_rc keeper_new(const char *state_dir, const struct config *config, struct keeper **out, struct gh_err *err)
{
	struct keeper *k = calloc(1, sizeof(*k));
	gh_rc rc = GH_RC_OK;

	if (!k)
		FAIL(err, NOMEM, "no memory for the keeper");
	k->lock_fd = -1;
	k->config = config;
	if (snprintf(k->state, sizeof(k->state), "%s", state_dir) >= (int)sizeof(k->state))
		rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%.60s...: path is too long", state_dir);
	if (!rc.code)
		rc = paths_join(k->segments, state_dir, "telemetry", err);
	if (!rc.code)
		rc = paths_join(k->counters, state_dir, "counters", err);
	if (!rc.code)
		rc = paths_join(k->status, state_dir, "run/keeper.json", err);
	if (!rc.code)
		rc = reserve_init(&k->reserve, state_dir, err);
	if (!rc.code)
		rc = alerts_new(state_dir, config, &k->alerts, err);
	if (!rc.code)
		rc = canaries_new(state_dir, &k->canaries, err);
	if (!rc.code)
		rc = exports_new(state_dir, config, &k->exports, err);
	if (rc.code)
		free(k);
	else
		*out = k;
	return rc;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	mailer_stop(k->mailer);
	webhooks_stop(k->webhooks);
	alerts_free(k->alerts);
	canaries_free(k->canaries);
	exports_free(k->exports);
	sinks_stop(k->sinks);
	store_free(k->store);
	if (k->lock_fd >= 0)
		close(k->lock_fd);
	free(k);
}

/* ---- trouble and state ------------------------------------------------------------------------------------------------------- */

static void trouble(struct keeper *k, const char *what, const struct gh_err *err)
{
	int64_t now = clock_mono_us();

	if (strcmp(k->last.message, err->message) == 0 && now - k->logged_us < LOG_AGAIN_US)
		return;
	log_warn(what, KV_CSTR("error", err->message));
	k->last = *err;
	k->logged_us = now;
}

static void well_again(struct keeper *k)
{
	if (k->last.code)
		log_info("the keeper goes on");
	k->last = (struct gh_err){ 0 };
}

static void put_sinks(struct keeper *k, struct buf *b)
{
	struct outbox_stats v[SINKS_MAX];
	size_t n = k->sinks ? sinks_stats(k->sinks, v) : 0;

	buf_cstr(b, ",\"exports\":[");
	for (size_t i = 0; i < n; i++) {
		buf_fmt(b, "%s{\"name\":\"%s\",\"sent\":%llu,\"dropped\":%llu,\"waiting\":%llu,\"error\":", i ? "," : "", v[i].name,
			(unsigned long long)v[i].sent, (unsigned long long)v[i].dropped, (unsigned long long)v[i].waiting);
		buf_json(b, str_of(v[i].error));
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* For `gatehouse doctor`: when the keeper last worked, and what troubles it. */
static void report(struct keeper *k)
{
	const struct alerts_stats alerts = alerts_stats(k->alerts);
	char when[CLOCK_ISO_MAX], dir[PATHS_MAX];
	struct gh_err err;
	struct buf b;

	buf_init(&b, 4096);
	buf_fmt(&b, "{\"pid\":%d,\"time\":\"%s\",\"calls\":%llu,\"alerts\":{\"rules\":%zu,\"windows\":%zu,\"bad\":%zu,\"noRoom\":%llu},\"error\":",
		(int)getpid(), clock_iso(clock_wall_us(), 3, when), (unsigned long long)k->calls, alerts.rules, alerts.windows, alerts.bad,
		(unsigned long long)alerts.no_room);
	if (k->last.code)
		buf_json(&b, str_of(k->last.message));
	else
		buf_cstr(&b, "null");
	put_sinks(k, &b);
	buf_cstr(&b, "}\n");
	if (buf_ok(&b) && !paths_join(dir, k->state, "run", &err).code && !file_make_dirs(dir, 0750, &err).code
	    && file_write_atomic(k->status, buf_view(&b), 0640, &err).code)
		trouble(k, "the keeper cannot write its state", &err);
	buf_release(&b);
}

/* ---- duties -------------------------------------------------------------------------------------------------------------------- */

/* True once this is the keeper of the state directory. */
static bool be_the_one(struct keeper *k)
{
	char path[PATHS_MAX];
	struct gh_err err;

	if (k->locked)
		return true;
	if (k->lock_fd < 0 && !paths_join(path, k->state, "keeper.lock", &err).code)
		k->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	k->locked = k->lock_fd >= 0 && flock(k->lock_fd, LOCK_EX | LOCK_NB) == 0;
	if (!k->locked && k->lock_fd >= 0 && !k->told_waiting) {
		log_info("another keeper is at work here; waiting until it is gone");
		k->told_waiting = true;
	}
	if (k->locked)
		drain_remove_leftovers(k->segments);
	return k->locked;
}

bool keeper_is_the_one(const struct keeper *k)
{
	return k->locked;
}

/* A full disk: single calls make room, the oldest first, as those of the past explain less than those of now. What they
 * leave is used again by the file itself. When none is left, only totals are written. */
static gh_rc drain_when_full(struct keeper *k, struct drain *d, struct drain_result *r, struct gh_err *err)
{
	bool none = false;

	if (!k->told_full)
		log_warn("the disk is full: the oldest single calls make room for new ones");
	k->told_full = k->tight = true;
	reserve_give(&k->reserve);
	TRY(store_telemetry_free(k->store, FREE_ROWS, &none, err));
	d->keep_calls = d->keep_calls && !none;
	return drain_once(d, r, err);
}

static gh_rc drain(struct keeper *k, struct drain_result *r, struct gh_err *err)
{
	struct drain d = { .store = k->store, .dir = k->segments,
			   .keep_calls = config_int(k->config, CONFIG_TELEMETRY_RAW_DAYS) > 0, .alerts = k->alerts,
			   .exports = k->exports, .sinks = k->sinks,
			   .places_max = (size_t)config_int(k->config, CONFIG_TELEMETRY_PLACES) };
	gh_rc rc = GH_RC_OK;
	bool none;

	if (k->tight && k->took && reserve_is_low(&k->reserve))          /* as many go as have come: it is not to be used up */
		rc = store_telemetry_free(k->store, k->took + k->took / 4, &none, err);
	if (!rc.code)
		rc = drain_once(&d, r, err);
	if (rc.code && store_is_full(k->store))
		rc = drain_when_full(k, &d, r, err);
	else if (!rc.code)
		k->told_full = k->tight;
	if (rc.code)
		return rc;
	k->calls += r->calls;
	k->took = r->calls;
	return rc;
}

/* In small steps, but faster than rows come in. */
static gh_rc prune(struct keeper *k, size_t calls, bool *more, struct gh_err *err)
{
	int64_t now = clock_wall_us();
	struct store_retention r = {
		.raw_before_us = now - config_int(k->config, CONFIG_TELEMETRY_RAW_DAYS) * DAY_US,
		.minutes_before_us = now - config_int(k->config, CONFIG_TELEMETRY_MINUTE_DAYS) * DAY_US,
		.hours_before_us = now - config_int(k->config, CONFIG_TELEMETRY_HOUR_DAYS) * DAY_US,
		.days_before_us = now - config_int(k->config, CONFIG_TELEMETRY_DAY_DAYS) * DAY_US,
		.raw_bytes = config_int(k->config, CONFIG_TELEMETRY_RAW_BYTES),
		.bytes = config_int(k->config, CONFIG_TELEMETRY_BYTES),
		.max_rows = PRUNE_ROWS + 2 * calls,
	};

	return store_telemetry_prune(k->store, &r, more, err);
}

/* Tried again once a minute when a template is wrong. */
static void see_to_mail(struct keeper *k, int64_t now)
{
	struct gh_err err;

	if (k->mailer || (k->mailer_us && now - k->mailer_us < LOG_AGAIN_US))
		return;
	k->mailer_us = now;
	if (!k->webhooks && webhooks_start(k->state, k->config, &k->webhooks, &err).code)
		log_warn("no webhook is called", KV_CSTR("reason", err.message));
	if (mailer_start(k->state, k->config, &k->mailer, &err).code)
		log_warn("no mail is sent", KV_CSTR("reason", err.message));
}

/* What cannot be told now is judged again with the next turn; calls are drained all the same. */
static void see_to_alerts(struct keeper *k)
{
	struct gh_err err;

	if (alerts_turn(k->alerts, k->store, &err).code)
		trouble(k, "alerts cannot be told now", &err);
}

static void see_to_metrics(struct keeper *k)
{
	const struct alerts_stats alerts = alerts_stats(k->alerts);
	struct export_facts f = { .calls = k->calls, .alerts_bad = alerts.bad, .alert_rules = alerts.rules };
	struct store_telemetry_stats stats;
	struct counter_stats counters;
	struct gh_err err;
	bool found;

	if (counter_stats_of(k->counters, &counters, &found, &err).code)
		trouble(k, "the counters cannot be looked at", &err);
	else if (found)
		f.counters_evicted = counters.evicted;
	if (!store_telemetry_sizes(k->store, &stats, &err).code) {
		f.dropped = (uint64_t)stats.dropped;
		f.telemetry_bytes = stats.raw_bytes;
	}
	f.n_sinks = k->sinks ? sinks_stats(k->sinks, f.sinks) : 0;
	if (exports_write(k->exports, &f, &err).code)
		trouble(k, "the metrics cannot be written", &err);
}

static gh_rc work(struct keeper *k, bool *more, struct gh_err *err)
{
	struct drain_result r;
	bool prune_more;

	if (!k->store)
		TRY(store_open(&k->store, k->state, STORE_WRITE, err));
	TRY(store_generation_publish(k->store, err));    /* whoever changed it may have been killed before it could say so */
	TRY(drain(k, &r, err));
	*more = r.more;
	if (!r.more)                         /* what waits still belongs to the same time */
		see_to_alerts(k);
	see_to_metrics(k);
	return prune(k, r.calls, &prune_more, err);
}

/* Sign-ins that have ended, alerts of long ago. A change of the configuration that takes long is waited for, so this is done seldom. */
static gh_rc prune_sessions(struct keeper *k, struct gh_err *err)
{
	int64_t before = clock_wall_us() - config_int(k->config, CONFIG_ALERTS_KEEP_DAYS) * DAY_US;
	gh_rc rc;

	TRY(store_tx_begin(k->store, STR("keeper"), err));
	rc = store_sessions_prune(k->store, err);
	if (!rc.code)
		rc = store_alert_events_prune(k->store, before, err);
	return store_tx_end(k->store, rc, err);
}

/* Mails about subscriptions that end soon. Which have been sent stands in the store, so this may be done as often as one likes. */
static gh_rc warn_of_ends(struct keeper *k, bool *more, struct gh_err *err)
{
	struct arena *a = arena_new(ENDS_MEMORY);
	struct store_site site;
	gh_rc rc;

	if (!a)
		FAIL(err, NOMEM, "no memory for what ends soon");
	site = store_site_of(a, k->config);
	rc = store_warn_of_ends(k->store, a, clock_wall_us(), &site, more, err);
	arena_free(a);
	return rc;
}

static void see_to_ends(struct keeper *k, int64_t now)
{
	struct gh_err err;
	bool more = false;

	if (!k->store || (k->ends_us && now - k->ends_us < ENDS_EVERY_US))
		return;
	k->ends_us = now;
	if (warn_of_ends(k, &more, &err).code)
		trouble(k, "who owns what ends soon cannot be told", &err);
	if (more)
		k->ends_us = 0;              /* the rest with the next turn */
}

/* What gateways have done already: captures whose time is over, canaries that failed. */
static void note_ends(struct keeper *k, int64_t now)
{
	struct arena *a;
	struct gh_err err;
	size_t n;

	if (!k->store || now - k->captures_us < CAPTURES_EVERY_US)
		return;
	k->captures_us = now;
	if (canaries_turn(k->canaries, k->store, &err).code)
		trouble(k, "that a canary was rolled back cannot be written down", &err);
	a = arena_new(CAPTURES_MEMORY);
	if (a && store_captures_end_due(k->store, a, &n, &err).code)
		trouble(k, "the end of a capture cannot be noted", &err);
	arena_free(a);
}

/* Whether the folder of the segments is what failed: opening a store costs more than a second's calls, and would mend nothing. */
static bool segments_are_away(const struct keeper *k)
{
	DIR *d = opendir(k->segments);
	bool away = !d && errno != ENOENT;   /* none: no gateway has begun yet */

	if (d)
		closedir(d);
	return away;
}

bool keeper_turn(struct keeper *k)
{
	int64_t now = clock_mono_us();
	struct gh_err err = { 0 };
	bool more = false;

	if (!be_the_one(k))
		return false;
	if (!k->sinks && sinks_start(k->config, &k->sinks, &err).code) {
		trouble(k, "exports cannot be started", &err);
		return false;
	}
	see_to_mail(k, now);
	if (work(k, &more, &err).code) {
		trouble(k, "calls cannot be stored now; they wait in their segments", &err);
		more = false;
		if (err.code != GH_E_BUSY && !segments_are_away(k)) {    /* the file may have been replaced or mended: open it anew */
			store_free(k->store);
			k->store = NULL;
		}
	} else {
		well_again(k);
	}
	if (now - k->flushed_us >= FLUSH_EVERY_US) {
		k->flushed_us = now;
		if (counters_flush(k->counters, &err).code)
			trouble(k, "quotas cannot be written to disk", &err);
	}
	if (!k->reported || now - k->slow_us >= SLOW_EVERY_US) {
		k->slow_us = now;
		k->reported = true;
		if (reserve_hold(&k->reserve))
			k->tight = false;
		if (k->store && (!k->sessions_us || now - k->sessions_us >= SESSIONS_EVERY_US)) {
			k->sessions_us = now;
			if (prune_sessions(k, &err).code)
				trouble(k, "ended sessions and old alerts cannot be removed", &err);
		}
		if (k->store && (!k->size_us || now - k->size_us >= SIZE_EVERY_US)) {
			k->size_us = now;
			if (store_size_note(k->store, clock_wall_us(), &err).code)
				trouble(k, "the size of the telemetry cannot be noted", &err);
		}
		report(k);
	}
	see_to_ends(k, now);
	note_ends(k, now);
	return more;
}
