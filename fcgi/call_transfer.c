/* call_transfer.c - what comes from the backend, and what it is given of the request's body, while curl runs: only notes and bytes.
 *
 * Response body: until the head has gone to the client, bytes wait in `down` (bounded; curl is paused beyond). Then they
 * go straight into the connection's output queue, which has the same bound. */
#include "fcgi/backend_line.h"
#include "fcgi/balance.h"
#include "fcgi/cached.h"
#include "fcgi/call_gate.h"
#include "fcgi/capture.h"
#include "fcgi/share.h"

#include "core/log.h"
#include "core/str.h"
#include "fcgi/traffic.h"

static void on_head(struct transfer *t)
{
	struct call *k = transfer_owner(t);
	struct response *r = &k->x.response;

	*r = *transfer_response(t);
	r->body = (struct body){ .kind = BODY_STREAM };
	k->forward_length = transfer_length(t);
	if (k->head_request || r->status == 204 || r->status == 304 || transfer_length(t) == 0)
		r->body.kind = BODY_NONE;
	k->backend_status = r->status;
	k->correlation = fields_get(&r->headers, k->wk->limits.correlation_header);
	k->first_byte_us = k->wk->loop.now_us;
	if (k->capture)
		capture_backend_head(k);
	if (k->balance)
		balance_tell(k, REASON_NONE);
	if (k->traffic)
		canary_outcome(k, REASON_NONE);
	if (k->cached)
		cached_head(k);
	/* whatever was shown to the backend, it was ours: the caller is not told to authenticate */
	k->credential_refused = r->status == 401 && k->credential;
	if (!k->hold || r->body.kind == BODY_NONE || k->credential_refused)
		call_wake(k);
}

static bool not_now(struct call *k, size_t n)
{
	k->backend_bytes_in -= n;
	return false;
}

/* Takes bytes of the body, or does not. */
static bool take_body(struct call *k, struct str bytes)
{
	size_t bound = k->wk->limits.stream_buffer;

	k->backend_bytes_in += bytes.n;
	if (k->hold) {
		if (bytes.n > k->wk->limits.held_body - k->down.n) {
			k->forward_reason = REASON_BACKEND_BODY;
			call_wake(k);
			return not_now(k, bytes.n);
		}
	} else if (k->stage == CALL_ANSWERING && k->conn && !k->down.n) {     /* never past bytes that still wait in down */
		if (conn_queued(k->conn) > bound)
			return not_now(k, bytes.n);
		k->down_bytes += bytes.n;
		conn_write(k->conn, bytes);
		if (k->capture) {
			capture_from_backend(k, bytes);
			capture_to_client(k, bytes);
		}
		return true;
	} else if (k->down.n > bound) {
		return not_now(k, bytes.n);
	}
	buf_str(&k->down, bytes);
	if (k->capture)
		capture_from_backend(k, bytes);
	return true;
}

static bool on_body(struct transfer *t, struct str bytes)
{
	struct call *k = transfer_owner(t);

	if (!k->cached)
		return take_body(k, bytes);
	if (!cached_swallows(k) && !take_body(k, bytes))
		return false;
	cached_body(k, bytes);
	return true;
}

static size_t on_upload(struct transfer *t, char *to, size_t n)
{
	struct call *k = transfer_owner(t);
	size_t have = k->up.n - k->up_at;

	if (k->up_broken)
		return UPSTREAM_GIVE_UP;
	if (!have)
		return k->up_ended ? 0 : UPSTREAM_LATER;
	if (n > have)
		n = have;
	memcpy(to, k->up.p + k->up_at, n);
	k->body_gone = true;
	k->backend_bytes_out += n;
	k->up_at += n;
	if (k->up_at == k->up.n) {
		k->up_at = 0;
		buf_clear(&k->up);
	} else if (k->up_at > k->wk->limits.stream_buffer) {
		buf_drop_front(&k->up, k->up_at);
		k->up_at = 0;
	}
	if (k->conn && k->up.n - k->up_at <= k->wk->limits.stream_buffer / 2)
		conn_pause(k->conn, false);
	return n;
}

static void on_done(struct transfer *t, enum reason why)
{
	struct call *k = transfer_owner(t);

	forward_note_times(k, t);
	k->forward = NULL;
	k->down_ended = true;
	if (why != REASON_NONE) {
		if (k->forward_reason == REASON_NONE)
			k->forward_reason = why;
		k->tls_problem = transfer_tls_problem(t);
		if (k->balance)
			balance_tell(k, why);
		log_info("backend failed", KV_STR("request_id", k->x.request_id), KV_STR("reason", reason_info(why)->word),
			 KV_STR("host", k->backend_host), KV_CSTR("detail", transfer_problem(t)));
	}
	backend_line_release(k);                 /* the backend is done with, however slowly the client reads or a policy waits */
	/* What the client still sends has no taker any more. A body that is all here stays: it may be sent again, and
	 * policies may look at it. */
	if (!k->up_ended || k->body_gone) {
		k->discard_up = true;
		buf_clear(&k->up);
		k->up_at = 0;
	}
	if (k->conn)
		conn_pause(k->conn, false);
	if (k->cached)
		cached_done(k, why == REASON_NONE);
	call_wake(k);
}

const struct transfer_ops forward_ops = { .head = on_head, .body = on_body, .upload = on_upload, .done = on_done };
