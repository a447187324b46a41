#include "core/loop_lag.h"

#include "core/file.h"
#include "core/json.h"
#include "core/paths.h"
#include "core/process.h"

#include <unistd.h>

enum { STATUS_MAX_BYTES = 65536, SCRATCH_BYTES = 1 << 20 };

const int64_t loop_lag_bounds_us[LOOP_LAG_BOUNDS] = { 1000, 5000, 25000, 100000, 250000, 1000000 };

void loop_lag_write(struct buf *out, const struct loop_lag *l)
{
	buf_cstr(out, "{\"turns\":[");
	for (size_t i = 0; i <= LOOP_LAG_BOUNDS; i++) {
		buf_cstr(out, i ? "," : "");
		buf_u64(out, l->turns[i]);
	}
	buf_cstr(out, "],\"us\":");
	buf_u64(out, l->sum_us);
	buf_char(out, '}');
}

static bool read_status(struct arena *a, const char *state_dir, unsigned worker, bool *there, struct loop_lag *out)
{
	const json_t *loop, *turns;
	char path[PATHS_MAX], name[40];
	struct gh_err err;
	struct str text;
	json_t *status;

	snprintf(name, sizeof(name), "run/gateway-%u.json", worker);
	*there = !paths_join(path, state_dir, name, &err).code && !access(path, R_OK);
	if (!*there || file_read(a, path, STATUS_MAX_BYTES, &text, &err).code || jsn_parse_in(a, text, NULL, &status, NULL, &err).code)
		return false;
	/* of one that has ended the series ends: numbers that stand still for ever would look like a worker that hangs */
	if (!process_runs(jsn_int(status, "pid", 0)))
		return false;
	loop = jsn_obj(status, "loop");
	turns = jsn_arr(loop, "turns");
	if (json_array_size(turns) != LOOP_LAG_BOUNDS + 1)
		return false;
	for (size_t i = 0; i <= LOOP_LAG_BOUNDS; i++)
		out->turns[i] = (uint64_t)json_integer_value(json_array_get(turns, i));
	out->sum_us = (uint64_t)jsn_int(loop, "us", 0);
	return true;
}

static void add(struct buf *out, unsigned worker, const struct loop_lag *l)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= LOOP_LAG_BOUNDS; i++) {
		sum += l->turns[i];
		buf_fmt(out, "gatehouse_loop_lag_seconds_bucket{worker=\"%u\",le=\"", worker);
		if (i < LOOP_LAG_BOUNDS)
			buf_fmt(out, "%g", (double)loop_lag_bounds_us[i] / 1e6);
		else
			buf_cstr(out, "+Inf");
		buf_fmt(out, "\"} %llu\n", (unsigned long long)sum);
	}
	buf_fmt(out, "gatehouse_loop_lag_seconds_count{worker=\"%u\"} %llu\n", worker, (unsigned long long)sum);
	buf_fmt(out, "gatehouse_loop_lag_seconds_sum{worker=\"%u\"} %llu.%06llu\n", worker, (unsigned long long)(l->sum_us / 1000000),
		(unsigned long long)(l->sum_us % 1000000));
}

void loop_lag_metrics(struct buf *out, const char *state_dir)
{
	struct arena *a = arena_new(SCRATCH_BYTES);
	bool there = a, begun = false;

	for (unsigned i = 0; i < LOOP_LAG_WORKERS_MAX && there; i++) {
		struct loop_lag l;

		arena_reset(a);
		if (!read_status(a, state_dir, i, &there, &l))
			continue;
		if (!begun)
			buf_cstr(out, "# TYPE gatehouse_loop_lag_seconds histogram\n# UNIT gatehouse_loop_lag_seconds seconds\n"
				      "# HELP gatehouse_loop_lag_seconds Turns of a worker's loop: what comes in meanwhile waits for so long.\n");
		begun = true;
		add(out, i, &l);
	}
	arena_free(a);
}
