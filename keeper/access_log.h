/* access_log.h - the access log: lines into a file, to a syslog (RFC 5424) or over HTTP, as the settings access_log.* say. */
#pragma once

#include "core/config.h"
#include "core/telemetry.h"
#include "keeper/outbox.h"

struct access_log;
/* *out NULL: none is wanted. INVALID: a setting is wrong. */
GH_RC access_log_start(const struct config *config, struct access_log **out, struct gh_err *err);
void access_log_stop(struct access_log *l);              /* NULL is fine */
void access_log_add(struct access_log *l, const struct telemetry_call *call);
struct outbox *access_log_outbox(struct access_log *l);
