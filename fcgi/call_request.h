/* call_request.h - CGI parameters to a request: the gateway's own strictness about what clients send. */
#pragma once

#include "fcgi/worker.h"

/* Fills k->x.request and what else k learns from its parameters (k->params, whose bytes are changed and referred to).
 * The reason why the request is refused, or NONE. On failure the parts that were understood are in place. */
enum reason call_request_read(struct call *k);
