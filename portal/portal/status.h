/* status.h - what the status page and its JSON share. */
#pragma once

#include "db/catalog.h"
#include "db/status.h"
#include "portal/portal/portal.h"

enum { PORTAL_STATUS_DAYS = 90 };

struct status_rule portal_status_rule(const struct web *w);
/* The APIs that the caller may see, all versions, by name. NOT_FOUND where setting portal.status is off. */
GH_RC portal_status_apis(struct web *w, struct store_catalog_row **rows, size_t *n, struct gh_err *err);
struct status_day portal_status_sum(const struct status_day days[PORTAL_STATUS_DAYS]);
