/* capture.h - headers and bodies of calls, written down while somebody asked for them (db/captures.h).
 *
 * Whether a capture is on stands in the snapshot: without one a call pays for a comparison. With one, the calls that it is
 * for keep copies of their four messages (what the client sent, what went to the backend, what came back, what the client got)
 * up to the bytes that were asked for; when the call is over they are masked and put into the shared cache. A call is captured
 * once, by the first capture that wants it. Numbers and bytes are counted over all workers. */
#pragma once

#include "core/body_mask.h"
#include "fcgi/call_gate.h"

struct snap_capture {
	struct str id;
	struct str api, subscription;            /* STR_NULL: any */
	struct ip_set address;                   /* n 0: any */
	int64_t until_us;                        /* wall clock */
	uint64_t calls;
	size_t body_bytes;
	struct mask_names marked;
};

/* It is known whether the call may go in, and the request is still as it came; the snapshot has captures. */
void capture_begin(struct call *k, struct gate_state *g);

/* What passes, of a call with a capture. */
void capture_client_sent(struct call *k, struct str bytes);
void capture_to_backend(struct call *k, const struct fields *fields, struct str held);   /* held STR_NULL: it streams */
void capture_backend_head(struct call *k);
void capture_from_backend(struct call *k, struct str bytes);
void capture_to_client(struct call *k, struct str bytes);

/* The call is over. Frees the copies; NULL is fine. */
void capture_store(struct call *k);
