/* governance.h - the report of governance in the dashboard and the management API. */
#pragma once

#include "config/governance/memory.h"
#include "config/rights.h"
#include "portal/admin/admin.h"

web_handler admin_governance, admin_api_governance;

/* The report on one API, or on all (of an environment), without APIs that `rights` may not see. NOT_FOUND. Valid for this request. */
GH_RC admin_governance_report(struct web *w, const struct rights *rights, const struct governance_query *q, struct governance_report *out,
			      struct gh_err *err);
