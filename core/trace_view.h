/* trace_view.h - a trace (fcgi/call_trace.c) as the consumer whose call it was may see it.
 *
 * He sees what he sent, what every policy decided and what he got. He does not see the values of header fields that were
 * added for the backend: they may be credentials, or tell how the backend is reached. Nor does he see the query of the
 * backend's address. Such a value is taken out wherever it stands: in what steps say, in the backend's request and in the
 * error. */
#pragma once

#include "core/error.h"
#include "core/json.h"

/* Changes the trace in place. */
GH_RC trace_view_consumer(struct arena *a, json_t *trace, struct gh_err *err);
