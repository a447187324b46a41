/* serving.c - opening, swapping and reporting what a worker serves from.
 *
 * A part that cannot be opened is no reason to stop: the worker says so in its log and status file, serves what it can
 * and tries again each second. That is how a gateway that was started before `gatehouse init`, or whose disk is full,
 * comes up by itself. */
#include "fcgi/serving.h"

#include "core/buf.h"
#include "core/cache.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/paths.h"
#include "core/quota_watch.h"
#include "core/str.h"
#include "core/trace_token.h"
#include "fcgi/credential.h"
#include "fcgi/access_memory.h"
#include "fcgi/documents.h"
#include "fcgi/log_sink.h"
#include "fcgi/shared_limit.h"
#include "fcgi/shared_place.h"
#include "fcgi/shared_state.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RETRY_US = 1000000, REPORT_US = 5000000, CGI_WAIT_MS = 20000, START_WAIT_MS = 2000, REPORT_BYTES = 49152 };

static void complain(const char *what, const struct gh_err *err)
{
	log_warn(what, KV_CSTR("error", err->message));
}

/* ---- parts ---- */

static void open_access(struct worker *wk)
{
	struct access_options o = {
		.cache_entries = (size_t)config_int(wk->config, CONFIG_ACCESS_CACHE_ENTRIES),
		.unknown_entries = (size_t)config_int(wk->config, CONFIG_ACCESS_UNKNOWN_ENTRIES),
	};
	struct gh_err err;

	if (access_cache_new(wk->state_dir, &o, &wk->serving->access, &err).code)
		log_debug("no store yet", KV_CSTR("error", err.message));
}

static void open_memory(struct worker *wk)
{
	struct access_memory_options o = {
		.tokens = (size_t)config_int(wk->config, CONFIG_ACCESS_TOKEN_ENTRIES),
		.callers = (size_t)config_int(wk->config, CONFIG_ACCESS_CALLER_ENTRIES),
		.state_dir = wk->state_dir, .loop = &wk->loop,
	};
	struct gh_err err;

	if (access_memory_new(&o, &wk->serving->memory, &err).code)
		complain("callers cannot be checked", &err);
}

static void open_counters(struct worker *wk)
{
	char path[PATHS_MAX];
	struct gh_err err;

	if (paths_join(path, wk->state_dir, "counters", &err).code
	    || counters_open(path, (size_t)config_int(wk->config, CONFIG_COUNTER_ENTRIES), &wk->serving->counters, &err).code)
		complain("limits cannot be kept", &err);
}

static void open_telemetry(struct worker *wk)
{
	struct telemetry_options o = {
		.segment_bytes = (size_t)config_int(wk->config, CONFIG_TELEMETRY_SEGMENT_BYTES),
		.total_bytes = (uint64_t)config_int(wk->config, CONFIG_TELEMETRY_SPOOL_BYTES),
	};
	char path[PATHS_MAX];
	struct gh_err err;

	wk->serving->detail_every = config_int(wk->config, CONFIG_TELEMETRY_DETAIL_EVERY);
	if (paths_join(path, wk->state_dir, "telemetry", &err).code
	    || telemetry_open(path, &o, &wk->serving->telemetry, &err).code)
		complain("calls cannot be recorded", &err);
}

static void open_cache(struct worker *wk)
{
	char path[PATHS_MAX];
	struct gh_err err;

	if (cache_path(wk->config, wk->state_dir, path, &err).code
	    || cache_open(&wk->cache, path, (size_t)config_int(wk->config, CONFIG_CACHE_MAX_BYTES), &err).code)
		complain("no shared cache", &err);
}

/* Only where a rule asks for it: it is a file of its own, with a limit of its own. */
static void open_responses(struct worker *wk)
{
	char path[PATHS_MAX];
	struct gh_err err;

	if (cache_responses_path(wk->config, wk->state_dir, path, &err).code
	    || cache_open_of_boot(&wk->responses, path, (size_t)config_int(wk->config, CONFIG_CACHE_RESPONSES_MAX_BYTES), &err).code)
		complain("answers cannot be kept", &err);
}

static void open_trace_key(struct worker *wk)
{
	uint8_t master[PATHS_MASTER_KEY_BYTES];
	struct gh_err err;
	bool found;

	if (paths_master_key(wk->state_dir, master, &found, &err).code || !found)
		return;
	trace_token_key(master, wk->serving->trace_key);
	crypto_hmac_sha256((struct str){ (const char *)master, sizeof(master) }, STR("gatehouse iap sessions"), wk->serving->iap_key);
	wk->serving->iap_key_known = true;
	crypto_wipe(master, sizeof(master));
	wk->serving->trace_key_known = true;
	wk->serving->trace_key_stale = false;
}

static void open_metrics(struct worker *wk)
{
	char path[PATHS_MAX];
	struct gh_err err;

	if (paths_join(path, wk->state_dir, "metrics", &err).code
	    || metrics_open(path, (size_t)config_int(wk->config, CONFIG_METRICS_SERIES), &wk->metrics, &err).code)
		complain("metrics cannot be kept", &err);
}

static void open_quotas(struct worker *wk)
{
	char path[PATHS_MAX];
	struct gh_err err;

	if (paths_join(path, wk->state_dir, "quotas", &err).code || quota_watch_open(path, &wk->quotas, &err).code)
		complain("alerts are not told which quotas are used", &err);
}

static void open_states(struct worker *wk)
{
	char path[PATHS_MAX];
	struct gh_err err;

	if (paths_join(path, wk->state_dir, "backends", &err).code || backend_states_open(path, true, &wk->serving->states, &err).code)
		complain("circuit breakers are not kept", &err);
}

/* Once: an address that is wrong stays wrong until the settings are read anew. */
static void open_shared(struct worker *wk)
{
	struct gh_err err;

	if (shared_new(&wk->loop, wk->config, &wk->shared, &err).code)
		complain("redis is not used", &err);
	if (wk->shared && (!(wk->shared_limits = shared_limits_new(wk->shared, wk->config)) || !(wk->shared_places = shared_places_new(wk))))
		log_warn("redis is not used", KV_CSTR("error", "out of memory"));
	if (wk->shared && !(wk->shared_states = shared_states_new(wk)))
		log_warn("backends are not shared with other machines", KV_CSTR("error", "out of memory"));
}

static void open_missing(struct worker *wk)
{
	struct serving *s = wk->serving;

	if (!s->access)
		open_access(wk);
	if (!s->memory)
		open_memory(wk);
	if (!s->states)
		open_states(wk);
	if (!s->counters)
		open_counters(wk);
	if (!s->telemetry)
		open_telemetry(wk);
	if (!wk->cache)
		open_cache(wk);
	if (!wk->metrics)
		open_metrics(wk);
	if (!wk->quotas)
		open_quotas(wk);
	if (!s->trace_key_known || s->trace_key_stale)
		open_trace_key(wk);
}

/* ---- snapshots ---- */

static void take_snapshot(struct worker *wk)
{
	struct serving *s = wk->serving;
	struct gh_err refused = { 0 };
	struct snapshot *next = snapshot_loader_take(s->loader, &refused);

	if (refused.code) {
		if (!s->refused || strcmp(s->refusal.message, refused.message) != 0)
			log_error("configuration refused", KV_CSTR("error", refused.message),
				  KV_INT("serving_generation", s->snapshot ? s->snapshot->generation : 0));
		s->refused = true;
		s->refusal = refused;
		s->reported_us = 0;
	}
	if (!next)
		return;
	log_info("configuration", KV_INT("generation", next->generation), KV_INT("apis", next->n_apis),
		 KV_INT("operations", next->n_operations));
	if (next->trust_problem.n)
		log_warn("authority or revocation list left out", KV_STR("error", next->trust_problem));
	if (next->backend_problem.n)
		log_warn("backend is not as configured", KV_STR("error", next->backend_problem));
	s->refused = refused.code != GH_OK;
	s->trace_key_stale = true;           /* the master key may be another one now */
	snapshot_unref(s->snapshot);
	s->snapshot = next;
	if (next->caches && !wk->responses)
		open_responses(wk);
	open_trace_key(wk);                          /* a change of the master key comes as a new configuration */
	credentials_configured(wk, next);
	s->reported_us = 0;
}

static void loader_ready(struct watch *w, uint32_t events UNUSED)
{
	take_snapshot(CONTAINER_OF(w, struct serving, loader_watch)->wk);
}

static GH_RC start_loader(struct worker *wk, struct gh_err *err)
{
	struct serving *s = wk->serving;
	struct snapshot_loader_options o = { .state_dir = wk->state_dir, .config = wk->config };

	TRY(snapshot_loader_start(&o, &s->loader, err));
	loop_watch_init(&s->loader_watch, snapshot_loader_fd(s->loader), loader_ready);
	if (!loop_want(&wk->loop, &s->loader_watch, EPOLLIN))
		FAIL(err, IO, "the snapshot loader cannot be watched");
	return GH_RC_OK;
}

/* Workers share a listening socket: one that is not ready yet would answer 503 to calls that another could serve. */
static void wait_for_first(struct worker *wk, int ms)
{
	struct pollfd p = { .fd = snapshot_loader_fd(wk->serving->loader), .events = POLLIN };

	if (poll(&p, 1, ms) > 0)
		take_snapshot(wk);
}

GH_RC serving_open(struct worker *wk, bool wait_for_snapshot, struct gh_err *err)
{
	wk->serving = calloc(1, sizeof(*wk->serving));
	if (!wk->serving)
		FAIL(err, NOMEM, "no memory to serve from");
	wk->serving->wk = wk;
	wk->credentials = credentials_new(wk);
	if (!wk->credentials)
		FAIL(err, NOMEM, "no memory to serve from");
	open_missing(wk);
	open_shared(wk);
	wk->serving->documents = documents_new(wk->state_dir);
	if (!wk->serving->documents)
		FAIL(err, NOMEM, "no memory to serve from");
	TRY(start_loader(wk, err));
	wait_for_first(wk, wait_for_snapshot ? CGI_WAIT_MS : START_WAIT_MS);
	return GH_RC_OK;
}

/* ---- the status file ---- */

/* Whole or not at all for a reader, but not synced: it says how things are now, and the loop does not wait for a disk. */
static void put_status(struct worker *wk, struct str text)
{
	char path[PATHS_MAX], part[PATHS_MAX], name[64];
	struct gh_err err;
	bool whole;
	int fd;

	if (paths_join(path, wk->state_dir, "run", &err).code)
		return;
	mkdir(path, 0750);
	snprintf(name, sizeof(name), "run/gateway-%u.json", wk->number);
	if (paths_join(path, wk->state_dir, name, &err).code)
		return;
	snprintf(name, sizeof(name), "run/.gateway-%u.json", wk->number);
	if (paths_join(part, wk->state_dir, name, &err).code)
		return;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	whole = write(fd, text.p, text.n) == (ssize_t)text.n;
	close(fd);
	if (whole)
		rename(part, path);
}

static void report(struct worker *wk)
{
	struct serving *s = wk->serving;
	char when[CLOCK_ISO_MAX];
	struct buf b;

	s->reported_us = wk->loop.now_us;
	buf_init(&b, REPORT_BYTES);
	buf_fmt(&b, "{\"worker\":%u,\"pid\":%d,\"time\":\"%s\",\"generation\":%llu,\"complete\":%s,", wk->number, (int)getpid(),
		clock_iso(clock_wall_us(), 3, when), s->snapshot ? (unsigned long long)s->snapshot->generation : 0ULL,
		s->snapshot ? "true" : "false");
	buf_cstr(&b, "\"refused\":");
	if (s->refused)
		buf_json(&b, str_of(s->refusal.message));
	else
		buf_cstr(&b, "null");
	buf_fmt(&b, ",\"store\":%s,\"counters\":%s,\"telemetry\":%s,\"cache\":%s", s->access ? "true" : "false",
		s->counters ? "true" : "false", s->telemetry ? "true" : "false", wk->cache ? "true" : "false");
	buf_fmt(&b, ",\"inFlight\":%zu,\"connections\":%zu,\"calls\":%llu,\"dropped\":%llu,\"draining\":%s,\"loggers\":", wk->n_calls,
		wk->n_conns, (unsigned long long)s->calls,
		s->telemetry ? (unsigned long long)telemetry_dropped(s->telemetry) : 0ULL, wk->stopping ? "true" : "false");
	log_sinks_report(wk->sinks, &b);
	s->reported_shared = shared_here(wk->shared);
	if (wk->shared) {
		buf_cstr(&b, ",\"redis\":");
		buf_json(&b, shared_here(wk->shared) ? STR("here") : str_of(shared_problem(wk->shared)));
	}
	buf_cstr(&b, ",\"loop\":");
	loop_lag_write(&b, &wk->lag);
	buf_cstr(&b, "}\n");
	s->reported_change = log_sinks_change(wk->sinks);
	if (buf_ok(&b))
		put_status(wk, buf_view(&b));
	buf_release(&b);
}

void serving_reload(struct worker *wk)
{
	log_info("reload asked for");
	snapshot_loader_wake(wk->serving->loader);
}

/* Numbers of calls may be a little old; that messages get lost is said soon. */
static bool report_due(const struct serving *s, int64_t now)
{
	int64_t age = now - s->reported_us;

	return !s->reported_us || s->reported_shared != shared_here(s->wk->shared) || (age >= REPORT_US && s->calls != s->reported_calls)
	       || (age >= RETRY_US && s->reported_change != log_sinks_change(s->wk->sinks));
}

void serving_poll(struct worker *wk)
{
	struct serving *s = wk->serving;
	int64_t now = wk->loop.now_us;

	if (now - s->tried_us >= RETRY_US) {
		s->tried_us = now;
		open_missing(wk);
	}
	if (!wk->once && report_due(s, now)) {
		s->reported_calls = s->calls;
		report(wk);
	}
}

void serving_close(struct worker *wk)
{
	struct serving *s = wk->serving;

	if (!s)
		return;
	snapshot_loader_stop(s->loader);
	documents_free(s->documents);
	snapshot_unref(s->snapshot);
	access_memory_free(s->memory);
	access_cache_free(s->access);
	counters_close(s->counters);
	backend_states_close(s->states);
	telemetry_close(s->telemetry);
	cache_close(wk->cache);
	cache_close(wk->responses);
	metrics_close(wk->metrics);
	quota_watch_close(wk->quotas);
	crypto_wipe(s->trace_key, sizeof(s->trace_key));
	crypto_wipe(s->iap_key, sizeof(s->iap_key));
	free(s);
	wk->serving = NULL;
}
