/* alerts.h - what the pages of alerts share. */
#pragma once

#include "db/alerts.h"
#include "portal/web/web.h"

struct str admin_alert_span(struct arena *a, int64_t s);         /* "10m": as clock_parse_duration reads it */
/* `events` of the page, newest first, at most f->limit, which is not 0; `more_events`, and *next (may be NULL) is where they go
 * on (0: nowhere). */
GH_RC admin_put_alert_events(struct web *w, const struct store_alert_event_filter *f, int64_t *next, struct gh_err *err);
