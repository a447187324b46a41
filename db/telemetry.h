/* telemetry.h - the calls that happened: single records for a while, totals per minute for long (telemetry.db).
 *
 * Only the keeper writes here. It takes records out of the workers' segments (core/telemetry.h) and stores, in one
 * transaction, the rows, the totals and how far each segment has been read; so each record counts exactly once, whenever
 * which process is killed. These writes are no change of the configuration: no audit entry, no generation.
 *
 * Totals are kept per minute, hour and day and for each combination of what a call belongs to (db/rollup.h). Latencies are
 * kept as histograms (struct latency) whose percentiles are less than 1 % off. What is asked here of totals is a short form of
 * db/analytics.h. */
#pragma once

#include "core/latency.h"
#include "core/telemetry.h"
#include "db/store.h"

/* ---- for pages and reports ------------------------------------------------------------------------------------------ */
struct store_traffic {
	int64_t calls;               /* 0: no data, which is different from "no errors" */
	int64_t refused;             /* answered 4xx by the gateway: key, limit, route, policy */
	int64_t client_errors;       /* 4xx of whoever */
	int64_t gateway_errors;      /* 5xx made by the gateway */
	int64_t backend_errors;      /* 5xx of the backend, and backends that could not be used (502, 504) or broke off (of whatever status) */
	int64_t status_class[6];     /* by first digit; [0]: no status (client gone) */
	int64_t bytes_in, bytes_out; /* bodies from and to clients */
	int64_t backend_bytes_in, backend_bytes_out;     /* bodies from and to backends */
	int64_t gateway_us, backend_us, total_us;        /* sums */
	int64_t backend_calls;       /* calls for which a backend was asked: backend_us and first_byte_us are theirs */
	int64_t attempts;            /* tries at backends */
	int64_t cache_hits, cache_misses;        /* calls that a cache was asked for; the others are neither */
	int64_t last_call_us;        /* start of the last minute with a call (of an older one: its hour or day); 0: none */
	/* the rest only where latencies were asked for */
	struct latency latency;      /* of the whole call */
	struct latency gateway, backend;
	int64_t connects;            /* calls that opened a connection; the next three are their sums */
	int64_t dns_us, connect_us, tls_us, first_byte_us;
};

/* How calls of a class of status ("4xx") are counted that were answered by `origin` (telemetry_origin_name). */
struct traffic_kind {
	uint8_t class;               /* index of status_class */
	bool refused, gateway_error, backend_error;
};
struct traffic_kind traffic_kind(struct str status, struct str origin);
void traffic_add(struct store_traffic *t, struct traffic_kind kind, int64_t calls);

/* 100 * (4xx + 5xx) / calls, or -1 when there were no calls: "no data". */
double store_traffic_error_percent(const struct store_traffic *t);
/* 100 * hits / (hits + misses), or -1 when no cache was asked. */
double store_traffic_hit_percent(const struct store_traffic *t);

/* What is counted; texts that are STR_NULL do not narrow. Whole minutes, from_us <= minute < to_us; to_us 0: now. */
struct store_traffic_filter {
	struct str environment, api, operation, product, subscription, application, backend;
	int64_t from_us, to_us;
};

enum store_traffic_by {
	STORE_TRAFFIC_TOTAL, STORE_TRAFFIC_BY_ENVIRONMENT, STORE_TRAFFIC_BY_API, STORE_TRAFFIC_BY_OPERATION,
	STORE_TRAFFIC_BY_PRODUCT, STORE_TRAFFIC_BY_SUBSCRIPTION, STORE_TRAFFIC_BY_APPLICATION, STORE_TRAFFIC_BY_BACKEND,
	STORE_TRAFFIC_BY__COUNT
};

struct store_traffic_row {
	struct str id;               /* of what the rows are by; empty: calls that had none (no API matched). TOTAL: empty */
	struct store_traffic traffic;
};

/* One row for each id that had calls, by number of calls; TOTAL always gives one row. */
GH_RC store_traffic(struct store *s, struct arena *a, enum store_traffic_by by, const struct store_traffic_filter *f,
		    struct store_traffic_row **out, size_t *n, struct gh_err *err);
/* The last 24 hours of each API, for the dashboard: as store_traffic by API, with no filter. */
GH_RC store_traffic_day(struct store *s, struct arena *a, struct store_traffic_row **out, size_t *n, struct gh_err *err);
/* Of one API, calls and errors only, of this hour and the 23 before it: for a row of a list. */
GH_RC store_traffic_day_of(struct store *s, struct str api, struct store_traffic *out, struct gh_err *err);
/* Totals in steps of step_s seconds (a multiple of 60) over the filter's time, oldest first; steps without calls are there
 * with calls 0. */
struct store_traffic_step {
	int64_t start_us;
	struct store_traffic traffic;
};
GH_RC store_traffic_steps(struct store *s, struct arena *a, const struct store_traffic_filter *f, int64_t step_s,
			  struct store_traffic_step **out, size_t *n, struct gh_err *err);

/* ---- single calls ---------------------------------------------------------------------------------------------------- */
struct store_calls_filter {
	struct str api, subscription, request_id;        /* STR_NULL does not narrow */
	struct str correlation, trace_id, key_prefix, address;   /* the same; one of these four or request_id */
	int status;                  /* 200; 4 is all of 4xx; 0 does not narrow */
	int64_t after_row;           /* only rows behind this one; 0: all */
	int64_t before_row;          /* only rows before this one; 0: all */
	bool by_time;                /* in the order in which they began (of the same time: of their rows), not in that in which they were taken in, one
				      * worker's behind another's; before_row: only those before that call in this order */
	int64_t from_us, to_us;      /* 0: open */
	size_t limit;                /* newest ones; 0: 100 */
};
struct store_call {
	int64_t row;
	struct telemetry_call call;
};
/* Oldest first. With by_time and a before_row that is gone there are none: calls go from the oldest on. */
GH_RC store_calls(struct store *s, struct arena *a, const struct store_calls_filter *f, struct store_call **out, size_t *n,
		  struct gh_err *err);

/* The one of that row; *n is 0 or 1. */
GH_RC store_call_at(struct store *s, struct arena *a, int64_t row, struct store_call **out, size_t *n, struct gh_err *err);

/* Why calls of a subscription were refused or failed, most frequent first: of its newest `most` single calls since from_us. */
struct store_reason {
	struct str reason;
	int64_t status, calls, last_us;
};
GH_RC store_call_reasons(struct store *s, struct arena *a, struct str subscription, int64_t from_us, size_t most,
			 struct store_reason **out, size_t *n, struct gh_err *err);

/* ---- for the keeper --------------------------------------------------------------------------------------------------- */
/* How far a segment has been read; *found false: not at all. */
GH_RC store_segment_find(struct store *s, struct str name, uint64_t *offset, uint64_t *dropped, bool *found,
			 struct gh_err *err);

GH_RC store_drain_begin(struct store *s, struct gh_err *err);
GH_RC store_drain_call(struct store *s, const struct telemetry_call *call, struct gh_err *err);
GH_RC store_drain_segment(struct store *s, struct str name, uint64_t offset, uint64_t dropped, struct gh_err *err);
GH_RC store_drain_forget(struct store *s, struct str name, struct gh_err *err);  /* its file is gone */
/* Commits when `so_far` is GH_RC_OK, else rolls back and returns so_far. */
GH_RC store_drain_end(struct store *s, gh_rc so_far, struct gh_err *err);
/* Names of the segments that have an entry, so that those whose file is gone can be forgotten. */
GH_RC store_segments(struct store *s, struct arena *a, struct str **out, size_t *n, struct gh_err *err);

/* Deletes at most max_rows rows that are older than the limits; *more: call again. */
struct store_retention {
	int64_t raw_before_us, minutes_before_us, hours_before_us, days_before_us;       /* 0: keep */
	int64_t raw_bytes;           /* most bytes of single calls; 0: any */
	int64_t bytes;               /* most bytes of all; single calls go first, then minutes, then hours; 0: any */
	size_t max_rows;
};
GH_RC store_telemetry_prune(struct store *s, const struct store_retention *r, bool *more, struct gh_err *err);

/* Makes room when the disk is full: the oldest single calls, at most max_rows of them. *none: there is none left. */
GH_RC store_telemetry_free(struct store *s, size_t max_rows, bool *none, struct gh_err *err);
/* True when the last failure was a full disk. */
bool store_is_full(const struct store *s);

struct store_telemetry_stats {
	int64_t calls, minutes, dropped, raw_bytes, first_call_us, last_call_us;
	int64_t bytes;               /* of the file that are in use */
	int64_t hours, days, places; /* rows */
	int64_t other_calls;         /* counted under "(other)", because there were too many places */
};
/* Without counting rows: minutes, hours, days and places stay 0. */
GH_RC store_telemetry_sizes(struct store *s, struct store_telemetry_stats *out, struct gh_err *err);
GH_RC store_telemetry_stats(struct store *s, struct store_telemetry_stats *out, struct gh_err *err);

/* Notes how large the store is, once for each day: for the keeper, every few minutes. */
GH_RC store_size_note(struct store *s, int64_t now_us, struct gh_err *err);
struct store_size {
	int64_t day_us, bytes, calls;
};
/* Newest first, at most `days`. */
GH_RC store_sizes(struct store *s, struct arena *a, size_t days, struct store_size **out, size_t *n, struct gh_err *err);
/* By how many bytes it grew a day, over the last week or as much of it as is known. *known false: not two days yet. */
GH_RC store_growth(struct store *s, struct arena *a, int64_t *bytes_a_day, bool *known, struct gh_err *err);
