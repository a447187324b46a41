/* status.h - how APIs did, day by day: the status page and its JSON.
 *
 * The rule: of the calls of a day those that the gateway refused (4xx of its own: key, limit, policy) are not looked at, for they
 * say nothing of the API. Of the others those answered 5xx failed, whoever made the answer; a backend that could not be reached
 * is among them. Calls of sandbox environments are not counted. Days are those of UTC. */
#pragma once

#include "db/store.h"

enum status_state { STATUS_NO_DATA, STATUS_UP, STATUS_DEGRADED, STATUS_DOWN, STATUS_STATE__COUNT };
const char *status_state_name(enum status_state s);      /* "no-data", "up", "degraded", "down" */

/* From how many successful calls in a hundred on a day is up, and below how many it is down (settings portal.status_*). */
struct status_rule {
	int64_t up_percent, down_percent;
};

struct status_day {
	int64_t day_us;
	int64_t served, failed;
};
/* Of a day, or of several added up. */
enum status_state status_of(const struct status_rule *rule, const struct status_day *d);
/* Successful calls in ten thousand, rounded down so that 100 % means all; -1: no call. */
int64_t status_success(const struct status_day *d);

/* The `n` days that end with the one of now_us, oldest first; days without calls are there with served 0. */
GH_RC store_status_days(struct store *s, struct str api, int64_t now_us, size_t n, struct status_day *out, struct gh_err *err);
