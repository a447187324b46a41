/* alert_events.c - states, history, webhook calls and windows: what the keeper writes. No audit entries. */
#include "core/clock.h"
#include "core/str.h"
#include "db/alerts.h"
#include "db/sql.h"

enum { EVENTS_DEFAULT = 100, PROBLEM_MAX = 1000, SILENCE_KEPT_DAYS = 30 };

const char *const store_alert_event_names[] = { "fired", "recovered", "reminder", NULL };
const char *const store_alert_delivery_names[] = { "waiting", "delivered", "failed", NULL };

static const struct field state_fields[] = {
	FIELD(store_alert_state, TEXT, rule_id), FIELD(store_alert_state, TEXT, subject), FIELD(store_alert_state, TIME, since_us),
	FIELD(store_alert_state, TIME, told_us), FIELD(store_alert_state, TEXT, event_id),
	FIELD(store_alert_state, TEXT, environment_id), FIELD(store_alert_state, TEXT, api_id),
};
static const struct row_type state_type = ROW_TYPE("alert state", store_alert_state, state_fields);
/* where it is bad stands in the event */
static const struct row_type new_state_type = { "alert state", state_fields, ARRAY_LEN(state_fields) - 2, sizeof(struct store_alert_state) };

static const struct field event_fields[] = {
	FIELD(store_alert_event, TEXT, id),         FIELD(store_alert_event, TEXT, rule_id), FIELD(store_alert_event, TEXT, rule_name),
	FIELD(store_alert_event, INT, kind),        FIELD(store_alert_event, TEXT, subject), FIELD(store_alert_event, TEXT, environment_id),
	FIELD(store_alert_event, TEXT, api_id),     FIELD(store_alert_event, TIME, at_us),   FIELD(store_alert_event, INT, value),
	FIELD(store_alert_event, TEXT, summary),    FIELD(store_alert_event, TEXT, request_id), FIELD(store_alert_event, INT, told),
	FIELD(store_alert_event, INT, number),
};
static const struct row_type event_type = ROW_TYPE("alert event", store_alert_event, event_fields);
/* the store numbers what is added */
static const struct row_type new_event_type = { "alert event", event_fields, ARRAY_LEN(event_fields) - 1, sizeof(struct store_alert_event) };

static const struct field delivery_fields[] = {
	FIELD(store_alert_delivery, TEXT, id),       FIELD(store_alert_delivery, TEXT, webhook_id), FIELD(store_alert_delivery, TEXT, event_id),
	FIELD(store_alert_delivery, TEXT, body),     FIELD(store_alert_delivery, INT, state),       FIELD(store_alert_delivery, INT, tries),
	FIELD(store_alert_delivery, TIME, created_us), FIELD(store_alert_delivery, TIME, due_us),   FIELD(store_alert_delivery, TIME, changed_us),
	FIELD(store_alert_delivery, INT, status),    FIELD(store_alert_delivery, TEXT, problem), FIELD(store_alert_delivery, INT, number),
};
static const struct row_type delivery_type = ROW_TYPE("alert delivery", store_alert_delivery, delivery_fields);
static const struct row_type new_delivery_type = { "alert delivery", delivery_fields, ARRAY_LEN(delivery_fields) - 1,
						   sizeof(struct store_alert_delivery) };

static const struct field slice_fields[] = {
	FIELD(store_alert_slice, TEXT, rule_id), FIELD(store_alert_slice, TEXT, definition), FIELD(store_alert_slice, TEXT, subject),
	FIELD(store_alert_slice, INT, number),   FIELD(store_alert_slice, INT, calls),       FIELD(store_alert_slice, INT, hits),
	FIELD(store_alert_slice, INT, sum_us),   FIELD(store_alert_slice, BLOB, histogram),  FIELD(store_alert_slice, TIME, until_us),
};
static const struct row_type slice_type = ROW_TYPE("alert slice", store_alert_slice, slice_fields);

#define QUIET(what) (&(struct change){ .kind = (what) })

static gh_rc put(struct store *s, enum sql which, const struct row_type *t, const void *row, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, which);

	bind_row(st, t, row);
	return change_run(s, st, QUIET(t->kind), err);
}

/* ---- states and history ---------------------------------------------------------------------------------------------------- */

gh_rc store_alert_states(struct store *s, struct arena *a, struct store_alert_state **out, size_t *n, struct gh_err *err)
{
	return list_rows(s, sql_use(s, SQL_ALERT_STATE_ALL), &state_type, a, out, n, err);
}

gh_rc store_alert_events(struct store *s, struct arena *a, const struct store_alert_event_filter *f, struct store_alert_event **out,
			 size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, f->api_id.n ? SQL_ALERT_EVENT_API : SQL_ALERT_EVENT_LIST);

	bind_ref(st, 1, f->rule_id);
	bind_int(st, 2, (int64_t)(f->limit ? f->limit : EVENTS_DEFAULT));
	if (f->api_id.n)
		bind_str(st, 3, f->api_id);
	bind_int(st, 4, f->before ? f->before : INT64_MAX);
	return list_rows(s, st, &event_type, a, out, n, err);
}

gh_rc store_alert_tell(struct store *s, const struct store_alert_event *e, const struct store_alert_state *state, struct gh_err *err)
{
	sqlite3_stmt *st;

	TRY(put(s, SQL_ALERT_EVENT_ADD, &new_event_type, e, err));
	if (state)
		return put(s, SQL_ALERT_STATE_PUT, &new_state_type, state, err);
	st = sql_use(s, SQL_ALERT_STATE_DROP);
	bind_str(st, 1, e->rule_id);
	bind_str(st, 2, e->subject);
	return change_run(s, st, QUIET("alert state"), err);
}

gh_rc store_alert_events_prune(struct store *s, int64_t before_us, struct gh_err *err)
{
	static const enum sql which[] = { SQL_ALERT_EVENT_PRUNE, SQL_ALERT_DELIVERY_PRUNE };
	sqlite3_stmt *st;

	for (size_t i = 0; i < ARRAY_LEN(which); i++) {
		st = sql_use(s, which[i]);
		bind_int(st, 1, before_us);
		TRY(change_run(s, st, QUIET("alert event"), err));
	}
	st = sql_use(s, SQL_ALERT_SILENCE_PRUNE);
	bind_int(st, 1, clock_wall_us() - SILENCE_KEPT_DAYS * INT64_C(86400000000));
	return change_run(s, st, QUIET("alert silence"), err);
}

/* ---- webhook calls ----------------------------------------------------------------------------------------------------------- */

gh_rc store_alert_delivery_add(struct store *s, const struct store_alert_delivery *d, struct gh_err *err)
{
	return put(s, SQL_ALERT_DELIVERY_ADD, &new_delivery_type, d, err);
}

gh_rc store_alert_delivery_next(struct store *s, struct arena *a, int64_t now_us, struct str but, struct store_alert_delivery *out,
				bool *found, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_DELIVERY_NEXT);

	bind_int(st, 1, now_us);
	bind_str(st, 2, but);
	return find_row(s, st, &delivery_type, a, out, found, err);
}

static gh_rc settle(struct store *s, const struct store_alert_delivery *d, bool disable, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_DELIVERY_SETTLE);
	struct str problem = str_first(d->problem, PROBLEM_MAX);

	bind_str(st, 1, d->id);
	bind_int(st, 2, d->state);
	bind_int(st, 3, d->tries);
	bind_int(st, 4, d->due_us);
	bind_int(st, 5, d->changed_us);
	bind_int(st, 6, d->status);
	bind_str(st, 7, problem);
	TRY(change_run(s, st, QUIET("alert delivery"), err));
	st = sql_use(s, SQL_ALERT_WEBHOOK_PROBLEM);
	bind_str(st, 1, d->webhook_id);
	bind_str(st, 2, problem);
	bind_int(st, 3, disable);
	return change_run(s, st, QUIET("alert webhook"), err);
}

gh_rc store_alert_delivery_settle(struct store *s, const struct store_alert_delivery *d, bool disable, struct gh_err *err)
{
	TRY(store_tx_begin(s, STR("keeper"), err));
	return store_tx_end(s, settle(s, d, disable, err), err);
}

gh_rc store_alert_deliveries(struct store *s, struct arena *a, const struct store_alert_delivery_filter *f,
			     struct store_alert_delivery **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_DELIVERY_LIST);

	bind_int(st, 1, (int64_t)(f->limit ? f->limit : EVENTS_DEFAULT));
	bind_int(st, 2, f->before ? f->before : INT64_MAX);
	bind_int(st, 3, f->state);
	bind_str(st, 4, f->webhook_id);
	return list_rows(s, st, &delivery_type, a, out, n, err);
}

gh_rc store_alert_delivery_again(struct store *s, struct str id, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_DELIVERY_AGAIN);

	bind_str(st, 1, id);
	bind_int(st, 2, clock_wall_us());
	return change_run(s, st, &(struct change){ .action = "send-again", .kind = "webhook call that failed", .id = id, .must_exist = true },
			  err);
}

/* ---- windows ------------------------------------------------------------------------------------------------------------------ */

gh_rc store_drain_alert_slice(struct store *s, const struct store_alert_slice *v, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_SLICE_PUT);

	bind_row(st, &slice_type, v);
	return sql_done(s, st, err);
}

gh_rc store_drain_alert_prune(struct store *s, int64_t now_us, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_SLICE_PRUNE);

	bind_int(st, 1, now_us);
	return sql_done(s, st, err);
}

gh_rc store_drain_alert_cut(struct store *s, struct str rule_id, int64_t number, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_SLICE_CUT);

	bind_str(st, 1, rule_id);
	bind_int(st, 2, number);
	return sql_done(s, st, err);
}

gh_rc store_alert_slices(struct store *s, struct arena *a, struct str rule_id, struct str definition,
			 struct store_alert_slice **out, size_t *n, struct gh_err *err)
{
	sqlite3_stmt *st = sql_use(s, SQL_ALERT_SLICE_ALL);

	bind_str(st, 1, rule_id);
	bind_str(st, 2, definition);
	return list_rows(s, st, &slice_type, a, out, n, err);
}
