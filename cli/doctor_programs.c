/* doctor_programs.c - what runs, by what each program wrote down about itself below DIR. */
#include "cli/doctor.h"

#include "core/clock.h"
#include "core/counter.h"
#include "core/file.h"
#include "core/json.h"
#include "core/paths.h"
#include "core/process.h"
#include "core/str.h"

#include <stdio.h>
#include <unistd.h>

enum { WORKERS_MAX = 256, REPORT_MAX_BYTES = 65536, KEEPER_SILENT_US = 60000000 };

/* ---- the gateway's workers -------------------------------------------------------------------------------------------- */

static const struct {
	const char *member, *what;
} parts[] = {
	{ "store", "the store: no key can be looked up" },
	{ "counters", "the counters: limits are not enforced" },
	{ "telemetry", "the telemetry file: calls are not recorded" },
	{ "cache", "the cache: nothing is kept" },
};

/* A logger that some worker cannot reach, or that has lost messages. */
static void check_loggers(struct doctor *d, const char *what, json_t *r)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(r, "loggers"), i, one) {
		const char *id = json_string_value(json_object_get(one, "id")), *error = json_string_value(json_object_get(one, "error"));
		json_int_t dropped = json_integer_value(json_object_get(one, "dropped"));

		if (!id || (!error && !dropped))
			continue;
		doctor_tell(d, WARNING, "logger", "%.80s: %s dropped %lld messages, %lld bytes wait%s%.200s", id, what, (long long)dropped,
		     (long long)json_integer_value(json_object_get(one, "queuedBytes")), error ? ": " : "", error ? error : "");
	}
}

static void check_redis(struct doctor *d, const char *what, const char *state)
{
	if (state && strcmp(state, "here") != 0)
		doctor_tell(d, WARNING, "redis", "%s counts limits without the other machines: %.300s", what, *state ? state : "not connected yet");
}

static void check_report(struct doctor *d, const char *what, json_t *r)
{
	const char *refused = json_string_value(json_object_get(r, "refused"));
	json_int_t pid = json_integer_value(json_object_get(r, "pid"));
	json_int_t dropped = json_integer_value(json_object_get(r, "dropped"));

	if (!process_runs(pid)) {
		doctor_tell(d, FINE, what, "not running");
		return;
	}
	d->workers++;
	check_loggers(d, what, r);
	check_redis(d, what, json_string_value(json_object_get(r, "redis")));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (json_is_false(json_object_get(r, parts[i].member))) {
			doctor_tell(d, BROKEN, what, "process %lld cannot open %s", (long long)pid, parts[i].what);
			return;
		}
	if (refused)
		doctor_tell(d, BROKEN, what, "process %lld %s: %s", (long long)pid,
		     json_is_true(json_object_get(r, "complete")) ? "goes on with an older configuration, the newest is refused"
								  : "refuses the configuration and answers 503", refused);
	else if (!json_is_true(json_object_get(r, "complete")))
		doctor_tell(d, BROKEN, what, "process %lld has no complete configuration yet and answers 503", (long long)pid);
	else
		doctor_tell(d, dropped ? WARNING : FINE, what, "process %lld serves generation %lld; %lld records dropped", (long long)pid,
		     (long long)json_integer_value(json_object_get(r, "generation")), (long long)dropped);
}

/* A state file below DIR, as JSON; NULL when there is none. One that cannot be read is a finding. */
static json_t *read_report(struct doctor *d, const char *what, const char *name)
{
	char path[PATHS_MAX];
	struct gh_err err = { 0 };
	struct str text;
	json_t *report;

	if (paths_join(path, d->c->state_dir, name, &err).code || access(path, F_OK) < 0)
		return NULL;
	if (!file_read(d->c->arena, path, REPORT_MAX_BYTES, &text, &err).code
	    && !jsn_parse_in(d->c->arena, text, NULL, &report, NULL, &err).code)
		return report;
	doctor_tell(d, WARNING, what, "%s: %s", path, err.message);
	return NULL;
}

/* Each worker writes DIR/run/gateway-N.json. None of them is there where nothing has been started yet. */
static void check_workers(struct doctor *d)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++) {
		struct str what = arena_printf(d->c->arena, "worker %u", i);
		char name[64];
		json_t *report;

		snprintf(name, sizeof(name), "run/gateway-%u.json", i);
		report = what.p ? read_report(d, what.p, name) : NULL;
		if (!report)
			return;
		check_report(d, what.p, report);
	}
}

static void check_keeper(struct doctor *d)
{
	json_t *r = read_report(d, "keeper", "run/keeper.json");
	const char *trouble = json_string_value(json_object_get(r, "error"));
	const char *when = json_string_value(json_object_get(r, "time"));
	bool alive = process_runs(json_integer_value(json_object_get(r, "pid")));
	int64_t worked_us = 0;

	if (!alive && d->workers)
		doctor_tell(d, BROKEN, "keeper", "not running: records of calls wait in %s/telemetry", d->c->state_dir);
	else if (!alive && r)
		doctor_tell(d, FINE, "keeper", "not running");
	else if (alive && trouble)
		doctor_tell(d, BROKEN, "keeper", "%s", trouble);
	else if (alive && (!clock_parse_iso(str_of(when), &worked_us) || clock_wall_us() - worked_us > KEEPER_SILENT_US))
		doctor_tell(d, WARNING, "keeper", "has not worked since %s", when ? when : "its start");
	else if (alive)
		doctor_tell(d, FINE, "keeper", "worked at %s", when);
}

/* Receivers of records that are away, refuse them, or that no setting reaches. */
static void check_exports(struct doctor *d)
{
	json_t *r = read_report(d, "keeper", "run/keeper.json"), *one;
	size_t i;

	if (!process_runs(json_integer_value(json_object_get(r, "pid"))))
		return;
	json_array_foreach(json_object_get(r, "exports"), i, one) {
		const char *name = json_string_value(json_object_get(one, "name")), *error = json_string_value(json_object_get(one, "error"));
		long long dropped = json_integer_value(json_object_get(one, "dropped")), waiting = json_integer_value(json_object_get(one, "waiting"));

		doctor_tell(d, dropped || (error && *error) ? WARNING : FINE, "export", "%.40s: %lld records sent, %lld dropped, %lld wait%s%.200s", name ? name : "",
		     (long long)json_integer_value(json_object_get(one, "sent")), dropped, waiting, error && *error ? ": " : "", error ? error : "");
	}
}

/* Limits that were forgotten for want of room let more calls through than they say. */
static void check_counters(struct doctor *d)
{
	struct counter_stats stats;
	struct gh_err err = { 0 };
	char path[PATHS_MAX];
	bool found = false;

	if (paths_join(path, d->c->state_dir, "counters", &err).code || counter_stats_of(path, &stats, &found, &err).code)
		doctor_tell(d, WARNING, "counters", "%s", err.message);
	else if (found && stats.evicted)
		doctor_tell(d, WARNING, "counters", "%llu of limits and quotas were forgotten while they counted, for want of room; raise counter.entries (%llu)",
			    (unsigned long long)stats.evicted, (unsigned long long)stats.entries);
	else if (found)
		doctor_tell(d, FINE, "counters", "room for %llu; none was forgotten while it counted", (unsigned long long)stats.entries);
}

void doctor_check_programs(struct doctor *d)
{
	check_workers(d);
	check_keeper(d);
	check_exports(d);
	check_counters(d);
}
