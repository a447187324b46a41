/* alerts.h - what the pages of alerts share. */
#pragma once

#include "db/alerts.h"
#include "portal/web/web.h"

struct str admin_alert_span(struct arena *a, int64_t s);         /* "10m": as clock_parse_duration reads it */
/* `events` of the page, newest first. */
GH_RC admin_put_alert_events(struct web *w, const struct store_alert_event_filter *f, struct gh_err *err);
