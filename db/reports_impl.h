/* reports_impl.h - the reports that weigh days and hours; for db/reports*.c only. */
#pragma once

#include "db/reports.h"

GH_RC report_exceeders(struct store *s, struct arena *a, struct report_ask *ask, struct report *out, struct gh_err *err);
GH_RC report_failures(struct store *s, struct arena *a, struct report_ask *ask, struct report *out, struct gh_err *err);
