/* otlp.h - traces and logs for OpenTelemetry: records of calls as spans and log records, by OTLP/HTTP with JSON bodies
 * (https://opentelemetry.io/docs/specs/otlp/), with the stable names of the semantic conventions for HTTP.
 *
 * A call is a server span, each try at the backend a client span under it; the id of a client span is what the backend was sent as
 * parent-id, so that its own spans hang where they belong, and the parent of the server span is what the caller sent. A call that
 * the caller did not have sampled is left out; of those without a traceparent setting otlp.sample_percent chooses by the trace id.
 * Logs are the calls that were refused or failed, sampled or not. */
#pragma once

#include "core/config.h"
#include "core/telemetry.h"
#include "keeper/outbox.h"

enum otlp_signal { OTLP_TRACES, OTLP_LOGS, OTLP_SIGNAL__COUNT };
extern const char *const otlp_names[OTLP_SIGNAL__COUNT];         /* "otlp_traces", "otlp_logs" */

struct otlp;
/* *out NULL: it is not wanted. */
GH_RC otlp_start(const struct config *config, enum otlp_signal signal, struct otlp **out, struct gh_err *err);
void otlp_stop(struct otlp *o);                          /* NULL is fine */
void otlp_add(struct otlp *o, const struct telemetry_call *call);
struct outbox *otlp_outbox(struct otlp *o);

/* The spans of a call, or its log record, as JSON without brackets around it; nothing when it is not to be sent. */
void otlp_spans(struct buf *b, const struct telemetry_call *call, int64_t sample_percent);
void otlp_log(struct buf *b, const struct telemetry_call *call);
