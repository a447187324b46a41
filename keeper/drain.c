#include "keeper/drain.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/telemetry_kind.h"
#include "db/rollup.h"
#include "keeper/alerts.h"
#include "keeper/export.h"
#include "keeper/key_use.h"
#include "keeper/sinks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_BYTES_MAX ((size_t)256 << 20)

enum { LEFTOVER_AGE_S = 60, PACE_CALLS = 256, PACE_REST_NS = 600000, LATE_US = 3000000 };

struct pass {
	const struct drain *d;
	struct arena *arena;
	struct telemetry_kinds *kinds;
	struct rollup *totals;
	struct key_uses *uses;
	struct drain_result *out;
	struct str *names, *remove, *release;
	size_t n, n_remove, n_release;
	size_t most;                         /* calls of this transaction */
	bool late;                           /* what it reads ended some seconds ago */
	struct gh_err *err;
};

/* A busy gateway makes a fifth of a second's work for the keeper in each second. Done in one piece that would take a processor
 * from the calls for as long, and each of them would be late. So it takes a short rest every few calls and commits often, as long
 * as what it reads has just happened; when it is late it works without rests. */
static void pace(struct pass *p, const struct telemetry_call *call)
{
	const struct timespec rest = { .tv_nsec = PACE_REST_NS };

	if (p->out->calls % PACE_CALLS)
		return;
	p->late = clock_wall_us() - (call->started_us + (int64_t)call->total_us) > LATE_US;
	p->most = p->late ? DRAIN_CALLS_MAX : DRAIN_CALLS_PACED;
	if (!p->late)
		nanosleep(&rest, NULL);      /* a signal ends it early, which does no harm */
}

/* One record: into the totals, and as a row. */
static gh_rc take_call(struct pass *p, struct telemetry_call *call)
{
	call->kind = telemetry_kind(p->kinds, call);
	if (rollup_full(p->totals))
		TRY(rollup_write(p->totals, p->err));
	if (!rollup_add(p->totals, call, 1) || !key_uses_add(p->uses, call) || (p->d->alerts && !alerts_count(p->d->alerts, call)))
		FAIL(p->err, NOMEM, "no memory for totals");
	if (p->d->exports)
		exports_count(p->d->exports, call);
	if (p->d->sinks)
		sinks_add(p->d->sinks, call);
	p->out->calls++;
	pace(p, call);
	return p->d->keep_calls ? store_drain_call(p->d->store, call, p->err) : GH_RC_OK;
}

static gh_rc read_segment(struct pass *p, struct str name, struct segment *s)
{
	uint64_t offset, dropped, start, told;
	bool finished = segment_finished(s), damaged = false, found;
	struct telemetry_call call;

	TRY(store_segment_find(p->d->store, name, &offset, &told, &found, p->err));
	start = offset;
	while (p->out->calls < p->most && segment_next(s, &offset, &call, &damaged))
		TRY(take_call(p, &call));
	if (damaged) {
		log_error("a telemetry segment is damaged, the rest of it is lost", KV_STR("segment", name),
			  KV_INT("at", offset), KV_INT("bytes", segment_committed(s)));
		p->out->damaged++;
		offset = segment_committed(s);
	}
	dropped = segment_dropped(s);
	if (offset < segment_committed(s) && p->out->calls >= p->most)
		p->out->more = true;
	if (finished && offset >= segment_committed(s))
		p->release[p->n_release++] = name;
	if (offset == start && dropped == told)
		return GH_RC_OK;
	return store_drain_segment(p->d->store, name, offset, dropped, p->err);
}

static gh_rc drain_segment(struct pass *p, struct str name)
{
	struct segment *s;
	struct gh_err err;
	gh_rc rc = segment_open(p->d->dir, name, &s, &err);

	if (rc.code == GH_E_NOT_FOUND)
		return GH_RC_OK;
	if (rc.code == GH_E_SYNTAX) {
		log_error("a telemetry segment cannot be read and is dropped", KV_STR("segment", name),
			  KV_CSTR("error", err.message));
		p->out->damaged++;
		p->remove[p->n_remove++] = name;
		return GH_RC_OK;
	}
	if (rc.code) {
		*p->err = err;
		return rc;
	}
	if (!segment_released(s))
		rc = read_segment(p, name, s);
	else if (segment_left(s))
		p->remove[p->n_remove++] = name;
	segment_close(s);
	return rc;
}

/* Entries of segments whose file is gone, from the removal after an earlier transaction. Not while there are none at all: the folder may have
 * been moved or not be mounted, and what was read of the segments would be read again when it is back. */
static gh_rc forget_removed(struct pass *p)
{
	struct str *known;
	size_t n;

	if (!p->n)
		return GH_RC_OK;
	TRY(store_segments(p->d->store, p->arena, &known, &n, p->err));
	for (size_t i = 0, k = 0; i < n; i++) {      /* both are sorted by name */
		while (k < p->n && str_cmp(p->names[k], known[i]) < 0)
			k++;
		if (k == p->n || !str_eq(p->names[k], known[i]))
			TRY(store_drain_forget(p->d->store, known[i], p->err));
	}
	return GH_RC_OK;
}

static gh_rc drain_all(struct pass *p)
{
	TRY(forget_removed(p));
	for (size_t i = 0; i < p->n; i++) {
		if (p->out->calls >= p->most) {
			p->out->more = true;
			break;
		}
		TRY(drain_segment(p, p->names[i]));
		p->out->segments++;
	}
	TRY(key_uses_write(p->uses, p->d->store, p->err));
	if (p->d->alerts)
		TRY(alerts_store(p->d->alerts, p->d->store, p->err));
	return rollup_write(p->totals, p->err);
}

static gh_rc run(struct pass *p)
{
	gh_rc rc;

	TRY(segments_list(p->arena, p->d->dir, &p->names, &p->n, p->err));
	p->remove = arena_alloc(p->arena, p->n, sizeof(*p->remove));
	p->release = arena_alloc(p->arena, p->n, sizeof(*p->release));
	p->kinds = telemetry_kinds_new();
	p->totals = rollup_new(p->d->store, p->d->places_max);
	p->uses = key_uses_new(p->arena);
	if (!p->remove || !p->release || !p->kinds || !p->totals || !p->uses)
		FAIL(p->err, NOMEM, "no memory for a drain");
	if (p->d->alerts)
		TRY(alerts_begin(p->d->alerts, p->d->store, p->err));
	TRY(store_drain_begin(p->d->store, p->err));
	rc = store_drain_end(p->d->store, drain_all(p), p->err);
	if (p->d->alerts)
		alerts_drained(p->d->alerts, !rc.code);
	if (p->d->exports)
		exports_drained(p->d->exports, !rc.code);
	if (p->d->sinks)
		sinks_drained(p->d->sinks, !rc.code);
	TRY(rc);
	for (size_t i = 0; i < p->n_remove; i++)
		TRY(segment_remove(p->d->dir, p->remove[i], p->err));
	for (size_t i = 0; i < p->n_release; i++)
		TRY(segment_release(p->d->dir, p->release[i], p->err));
	p->out->removed += p->n_remove + p->n_release;
	return GH_RC_OK;
}

gh_rc drain_once(const struct drain *d, struct drain_result *out, struct gh_err *err)
{
	struct gh_err local;
	struct pass p = { .d = d, .out = out, .arena = arena_new(DRAIN_BYTES_MAX), .most = DRAIN_CALLS_PACED, .err = err ? err : &local };
	gh_rc rc;

	*out = (struct drain_result){ 0 };
	if (!p.arena)
		FAIL(err, NOMEM, "no memory for a drain");
	rc = run(&p);
	telemetry_kinds_free(p.kinds);
	rollup_free(p.totals);
	arena_free(p.arena);
	return rc;
}

void drain_remove_leftovers(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (str_ends(str_of(e->d_name), STR(".seg.tmp")) && fstatat(dirfd(d), e->d_name, &st, 0) == 0
		    && clock_wall_us() / 1000000 - st.st_mtime > LEFTOVER_AGE_S)
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}
