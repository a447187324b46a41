/* call_web.h - the addresses of a call for exports: struct telemetry_web, masked as traces are. Costs some microseconds, so it is for
 * those who have set an export that sends them. */
#pragma once

#include "core/buf.h"
#include "fcgi/worker.h"

enum { CALL_WEB_BYTES = 3072 };
void call_web(struct call *k, struct buf *b);            /* b: of CALL_WEB_BYTES, empty; whole lines only */
