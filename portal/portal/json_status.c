#include "core/clock.h"
#include "core/str.h"
#include "portal/portal/json.h"
#include "portal/portal/status.h"

/* How APIs did, as the page has it. */

static json_t *success(const struct status_day *d)
{
	int64_t good = status_success(d);

	return good < 0 ? json_null() : json_real((double)good / 100);
}

/* Most days of most APIs are one of these two: made once for all APIs of an answer, whose items hold them. */
struct usual {
	json_t *without_calls, *without_failures;
};

static json_t *day(const struct status_rule *rule, const struct status_day *d, struct usual *usual)
{
	json_t **one = !d->served ? &usual->without_calls : !d->failed ? &usual->without_failures : NULL, *v;
	char date[CLOCK_ISO_MAX];

	if (one && *one)
		return json_incref(*one);
	clock_iso(d->day_us, 0, date);
	v = json_pack("{s:s%, s:s, s:o}", "date", date, (size_t)10, "state", status_state_name(status_of(rule, d)), "successPercent", success(d));
	if (one)
		*one = v;
	return v;
}

static GH_RC json_of(struct web *w, const struct store_catalog_row *row, int64_t now_us, struct usual usual[PORTAL_STATUS_DAYS], json_t **out,
		     struct gh_err *err)
{
	const struct status_rule rule = portal_status_rule(w);
	struct status_day days[PORTAL_STATUS_DAYS], sum;
	json_t *list;

	TRY(store_status_days(w->site->store, row->id, now_us, PORTAL_STATUS_DAYS, days, err));
	sum = portal_status_sum(days);
	list = json_array();
	for (size_t i = 0; i < PORTAL_STATUS_DAYS; i++)
		json_array_append_new(list, day(&rule, &days[i], &usual[i]));
	*out = json_pack("{s:{s:o, s:o}, s:o, s:s, s:o, s:o}", "api", "id", portal_json_text(row->id), "name",
			 portal_json_text(row->name.n ? row->name : row->id), "version", portal_json_text(row->version.n ? row->version : STR("")),
			 "today", status_state_name(status_of(&rule, &days[PORTAL_STATUS_DAYS - 1])), "successPercent", success(&sum), "days", list);
	return GH_RC_OK;
}

gh_rc portal_json_status(struct web *w, struct gh_err *err)
{
	struct usual usual[PORTAL_STATUS_DAYS] = { 0 };
	int64_t now_us = clock_wall_us();
	struct store_catalog_row *rows;
	struct portal_window win;
	json_t *items, *item;
	size_t n;

	TRY(portal_status_apis(w, &rows, &n, err));
	win = portal_json_window(w, n);
	items = json_array();
	for (size_t i = win.from; i < win.from + win.n; i++) {
		gh_rc rc = json_of(w, &rows[i], now_us, usual, &item, err);

		if (rc.code) {
			json_decref(items);
			return rc;
		}
		json_array_append_new(items, item);
	}
	return portal_json_list(w, &win, items, err);
}
