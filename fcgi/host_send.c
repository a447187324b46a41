/* host_send.c - sub-requests of policies: send-request, token and key fetches. The response is held whole.
 *
 * A one-way request outlives its exchange: it gets an arena of its own with copies of everything, and nobody is told how
 * it ended. Their number is bounded; beyond it they are dropped with a log line. */
#include "fcgi/call_gate.h"

#include "core/log.h"
#include "core/str.h"
#include "fcgi/decode.h"

struct subcall {
	struct subcall *next, *prev;     /* of the call; one-way: not linked */
	struct call *call;               /* NULL: one-way */
	struct worker *wk;
	struct subrequest *wish;
	struct arena *arena;
	struct transfer *transfer;
	struct buf body;
	size_t max;
	enum reason failed;
};

static void release_body(void *p)
{
	buf_release(p);
}

static void on_head(struct transfer *t)
{
	struct subcall *s = transfer_owner(t);

	s->wish->response = *transfer_response(t);
}

/* Over the limit the rest is read and thrown away, until the end or the timeout: a transfer cannot be ended from here. */
static bool on_body(struct transfer *t, struct str bytes)
{
	struct subcall *s = transfer_owner(t);

	if (!s->call)
		return true;             /* one-way: nobody reads it */
	if (bytes.n > s->max - s->body.n)
		s->failed = REASON_BACKEND_BODY;
	else
		buf_str(&s->body, bytes);
	return true;
}

static size_t no_upload(struct transfer *t UNUSED, char *to UNUSED, size_t n UNUSED)
{
	return 0;
}

static void unlink_sub(struct subcall *s)
{
	struct call *k = s->call;

	*(s->prev ? &s->prev->next : &k->subcalls) = s->next;
	if (s->next)
		s->next->prev = s->prev;
}

static void tell(struct subcall *s, enum reason why, const char *detail)
{
	struct subrequest *w = s->wish;

	if (why == REASON_NONE && !message_decode(&w->response.headers, &s->body, s->max))
		why = REASON_BACKEND_BODY;
	w->done = true;
	w->failure = call_failure_of(why);
	if (why != REASON_NONE) {
		w->failure_text = arena_printf(s->arena, "%.*s (%.*s%s%s)", STR_ARG(reason_info(why)->message),
					       STR_ARG(w->request.url.host), detail[0] ? ": " : "", detail);
		return;
	}
	w->response.body.kind = s->body.n ? BODY_HELD : BODY_NONE;
	w->response.body.bytes = buf_view(&s->body);
}

static void on_done(struct transfer *t, enum reason why)
{
	struct subcall *s = transfer_owner(t);
	struct call *k = s->call;

	if (s->failed != REASON_NONE)
		why = s->failed;
	if (!k) {
		if (why != REASON_NONE)
			log_info("one-way request failed", KV_STR("host", s->wish->request.url.host),
				 KV_STR("reason", reason_info(why)->word), KV_CSTR("detail", transfer_problem(t)));
		s->wk->n_one_way--;
		arena_free(s->arena);    /* s itself lives in it */
		return;
	}
	s->transfer = NULL;
	unlink_sub(s);
	tell(s, why, transfer_problem(t));
	k->resume_due = true;
	call_wake(k);
}

static const struct transfer_ops ops = { .head = on_head, .body = on_body, .upload = no_upload, .done = on_done };

static bool sub_fields(struct call *k, const struct request *rq, struct fields *out)
{
	struct str id;

	for (size_t i = 0; i < rq->headers.n; i++) {
		const struct field *f = &rq->headers.v[i];

		if (field_is_hop_by_hop(f->name) || str_eq_ci(f->name, STR("Content-Length"))
		    || str_eq_ci(f->name, STR("Host")) || str_eq_ci(f->name, STR("Expect")))
			continue;
		if (!field_name_ok(f->name) || !field_value_ok(f->value))
			continue;
		if (!fields_add(out, f->name, f->value))
			return false;
	}
	if (!k->x.request_id.n || !str_is_null(fields_get(out, STR("X-Request-Id"))))
		return true;
	id = arena_dup(out->arena, k->x.request_id);
	return id.p && fields_add(out, STR("X-Request-Id"), id);
}

static bool copy_text(struct arena *a, struct str *s)
{
	if (str_is_null(*s))
		return true;
	*s = arena_dup(a, *s);
	return s->p != NULL;
}

/* Everything that the request refers to, into the arena of a one-way request. */
static bool copy_wish(struct arena *a, struct subrequest *w)
{
	struct fields from = w->request.headers;
	struct str *texts[] = { &w->request.method, &w->request.url.scheme, &w->request.url.host, &w->request.url.path,
				&w->request.url.query, &w->request.body.bytes, &w->client_cert_pem, &w->client_key_pem,
				&w->proxy_url, &w->proxy_user, &w->proxy_password };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!copy_text(a, texts[i]))
			return false;
	fields_init(&w->request.headers, a);
	for (size_t i = 0; i < from.n; i++) {
		struct str name = from.v[i].name, value = from.v[i].value;

		if (!copy_text(a, &name) || !copy_text(a, &value) || !fields_add(&w->request.headers, name, value))
			return false;
	}
	return true;
}

static struct subcall *make(struct call *k, struct subrequest *w)
{
	struct arena *a = w->one_way ? arena_new(k->wk->limits.request_memory) : k->arena;
	struct subcall *s = a ? arena_new_of(a, struct subcall) : NULL;

	if (!s)
		return NULL;
	s->wk = k->wk;
	s->arena = a;
	s->wish = w;
	s->max = w->max_response_bytes ? w->max_response_bytes : k->wk->limits.subresponse;
	buf_init(&s->body, s->max);
	if (w->one_way) {
		s->wish = arena_new_of(a, struct subrequest);
		if (s->wish)
			*s->wish = *w;
		if (!s->wish || !copy_wish(a, s->wish)) {
			arena_free(a);
			return NULL;
		}
	} else {
		s->call = k;
		if (!arena_defer(a, release_body, &s->body))
			return NULL;
	}
	return s;
}

static void let_go(void *snapshot)
{
	snapshot_unref(snapshot);
}

/* Of the call's own configuration; what fetches for all calls has none. They are read when the address of the host is known: by then
 * the call may be over and the configuration another one. False: out of memory. */
static bool hold_authorities(const struct call *k, struct subcall *s, struct str *pem)
{
	struct snapshot *from = k->gate ? k->gate->snapshot : k->wk->serving->snapshot;

	*pem = from ? from->request_ca : STR_NULL;
	if (!pem->n)
		return true;
	if (arena_defer(s->arena, let_go, snapshot_ref(from)))
		return true;
	snapshot_unref(from);
	return false;
}

static enum reason start(struct call *k, struct subcall *s)
{
	struct subrequest *w = s->wish;
	struct upstream_request rq = {
		.method = w->request.method, .url = &w->request.url, .host = fields_get(&w->request.headers, STR("Host")),
		.body = w->request.body.kind == BODY_HELD ? BODY_HELD : BODY_NONE, .bytes = w->request.body.bytes,
		.first_byte_ms = w->timeout_ms, .total_ms = w->timeout_ms, .client_cert_pem = w->client_cert_pem,
		.client_key_pem = w->client_key_pem, .proxy_url = w->proxy_url, .proxy_user = w->proxy_user,
		.proxy_password = w->proxy_password, .fresh = w->fresh,
	};
	struct fields fields;
	enum reason why;

	fields_init(&fields, s->arena);
	if (!sub_fields(k, &w->request, &fields) || !hold_authorities(k, s, &rq.ca_pem))
		return REASON_NO_MEMORY;
	rq.headers = &fields;
	s->transfer = upstream_start(k->wk->up, s->arena, &rq, &ops, s, &why);
	return s->transfer ? REASON_NONE : why;
}

static enum step start_one_way(struct call *k, struct subrequest *w)
{
	struct subcall *s = NULL;

	w->done = true;
	if (k->wk->n_one_way < k->wk->limits.one_way)
		s = make(k, w);
	if (!s || start(k, s) != REASON_NONE) {
		log_warn("one-way request dropped", KV_STR("host", w->request.url.host), KV_INT("waiting", k->wk->n_one_way));
		if (s)
			arena_free(s->arena);
		return STEP_NEXT;
	}
	k->wk->n_one_way++;
	return STEP_NEXT;
}

enum step host_send(struct exchange *x, struct subrequest *w)
{
	struct call *k = x->owner;
	struct subcall *s;
	enum reason why;

	w->done = false;
	w->failure = CALL_OK;
	w->failure_text = STR_NULL;
	w->response = (struct response){ 0 };
	fields_init(&w->response.headers, k->arena);
	if (w->one_way)
		return start_one_way(k, w);
	s = make(k, w);
	why = s ? start(k, s) : REASON_NO_MEMORY;
	if (why != REASON_NONE) {
		w->done = true;
		w->failure = call_failure_of(why);
		w->failure_text = reason_info(why)->message;
		return STEP_NEXT;
	}
	s->next = k->subcalls;
	if (s->next)
		s->next->prev = s;
	k->subcalls = s;
	return STEP_WAIT;
}

void host_send_drop(struct call *k)
{
	while (k->subcalls) {
		struct subcall *s = k->subcalls;

		unlink_sub(s);
		if (s->transfer)
			transfer_cancel(s->transfer);
	}
}
