/* transfer.c - one request to a backend and its response: how it is put to curl, what curl's callbacks do.
 *
 * Header fields go to curl as very few list entries. curl looks only at the beginning of each entry to see whether it
 * overrides a field of curl's own, and sends the rest of the entry as it stands; so all ordinary fields travel joined by
 * CRLF in one entry (each has been checked to hold no CR or LF). That saves two allocations and a formatted print per
 * field. It is not done when redirects are followed, where curl must recognise Authorization and Cookie by name to keep
 * them from another host. */
#include "fcgi/upstream_impl.h"

#include "core/str.h"
#include "fcgi/direct.h"
#include "fcgi/fields_util.h"

/* ---- what curl calls ---- */

bool transfer_stop(struct transfer *t, enum reason why)
{
	if (t->failed == REASON_NONE)
		t->failed = why;
	return false;
}

static bool status_line(struct transfer *t, struct str line)
{
	size_t at = str_find_char(line, ' ');
	uint64_t status;
	struct str rest;

	if (at == SIZE_MAX)
		return false;
	rest = str_trim(str_from(line, at));
	if (!str_to_u64(str_first(rest, 3), 999, &status) || status < 100)
		return false;
	t->response.status = (int)status;
	t->response.reason = str_trim(str_from(rest, 3));
	t->http_minor = str_starts(line, STR("HTTP/1.0")) ? 0 : 1;
	fields_init(&t->response.headers, t->arena);
	t->length = -1;
	t->has_location = t->chunked = false;
	return field_value_ok(t->response.reason);
}

/* A Content-Length that comes twice must say the same (RFC 9110 section 8.6). */
static bool content_length(struct transfer *t, struct str value)
{
	uint64_t n;

	if (!str_to_u64(value, INT64_MAX, &n) || (t->length >= 0 && t->length != (int64_t)n))
		return false;
	t->length = (int64_t)n;
	return true;
}

static bool field_line(struct transfer *t, struct str line)
{
	size_t colon = str_find_char(line, ':');
	struct str name, value;

	if (colon == SIZE_MAX || colon == 0)
		return false;
	name = str_first(line, colon);
	value = str_trim(str_from(line, colon + 1));
	if (!field_name_ok(name) || !field_value_ok(value))
		return false;
	if (str_eq_ci(name, STR("Content-Length")) && !content_length(t, value))
		return false;
	if (value.n && str_eq_ci(name, STR("Location")))
		t->has_location = true;
	if (str_eq_ci(name, STR("Transfer-Encoding"))) {
		/* any other coding would need undoing; twice chunked is somebody's trick */
		if (t->chunked || !str_eq_ci(value, STR("chunked")))
			return false;
		t->chunked = true;
	}
	return fields_add(&t->response.headers, name, value);
}

bool transfer_head_line(struct transfer *t, struct str line)
{
	if (str_starts(line, STR("HTTP/")))
		return status_line(t, line);
	return t->response.status && !ascii_is_space(line.p[0]) && field_line(t, line);
}

void transfer_head_complete(struct transfer *t)
{
	int s = t->response.status;

	if (s < 200)
		return;                  /* interim: 100 Continue, 103 Early Hints */
	if (t->follow && t->has_location && s >= 300 && s < 400)
		return;                  /* curl follows it, or ends with CURLE_TOO_MANY_REDIRECTS */
	if (t->chunked)
		t->length = -1;
	t->head_done = true;
	t->phase = TRANSFER_BODY;
	t->ops->head(t);
}

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	struct str line = { p, size * n };

	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	t->touched_us = t->up->loop->now_us;
	if (t->head_done)
		return size * n;         /* trailers are dropped */
	t->head_bytes += size * n;
	if (t->head_bytes > t->up->limits.max_header_bytes)
		return (size_t)transfer_stop(t, REASON_BACKEND_HEADERS);
	if (!line.n) {
		transfer_head_complete(t);
		return size * n;
	}
	line = arena_dup(t->arena, line);
	if (!line.p || !transfer_head_line(t, line))
		return (size_t)transfer_stop(t, line.p ? REASON_BACKEND_GARBAGE : REASON_NO_MEMORY);
	return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct transfer *t = user;

	t->touched_us = t->up->loop->now_us;
	if (!t->head_done)
		return size * n;         /* the body of a redirect that is being followed */
	if (t->ops->body(t, (struct str){ p, size * n }))
		return size * n;
	t->paused = true;
	return CURL_WRITEFUNC_PAUSE;
}

static size_t on_upload(char *to, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	size_t got = t->ops->upload(t, to, size * n);

	t->touched_us = t->up->loop->now_us;
	if (got == UPSTREAM_LATER)
		t->paused = true;
	else if (got != UPSTREAM_GIVE_UP && got)
		t->seen_upload = true;
	return got;
}

/* curl wants to start over, on a new connection or after a redirect. Bytes that went through are gone. */
static int on_seek(void *user, curl_off_t at, int origin)
{
	struct transfer *t = user;

	return at == 0 && origin == SEEK_SET && !t->seen_upload ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

/* ---- setting a handle up ---- */

/* What every request has in common. Set once per handle, and again after one that needed something special. */
static void base_options(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_PRIVATE, (char *)t);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->problem);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);     /* a call that ends while its host is looked for waits for no resolver: the loop would */
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)UPSTREAM_REDIRECTS_MAX);
	/* The folder holds what the file of all authorities holds, and only what comes from a file is parsed once: with the folder each
	 * new TLS connection would read some 140 certificates, 15 ms on the loop. */
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 60L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)t->up->limits.connect_ms);
	curl_easy_setopt(e, CURLOPT_EXPECT_100_TIMEOUT_MS, 1000L);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(e, CURLOPT_READDATA, t);
	curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, upstream_close_socket);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, t->up);
	t->dirty = false;
}

static bool special_options(struct transfer *t, const struct upstream_request *rq)
{
	CURL *e = t->easy;
	static const long versions[] = { CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
					 CURL_HTTP_VERSION_2TLS };
	bool ok = true;

	if (rq->follow_redirects)
		curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
	if (rq->http_version > 1 && rq->http_version < ARRAY_LEN(versions))
		curl_easy_setopt(e, CURLOPT_HTTP_VERSION, versions[rq->http_version]);
	if (rq->fresh)
		curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	if (rq->expect_continue_ms)
		curl_easy_setopt(e, CURLOPT_EXPECT_100_TIMEOUT_MS, (long)rq->expect_continue_ms);
	if (rq->unix_socket.n) {
		const char *path = arena_cstr(t->arena, rq->unix_socket);

		/* without a path curl would go to the host */
		ok = path && curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, path) == CURLE_OK;
	}
	if (rq->proxy_url.n) {
		ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, arena_cstr(t->arena, rq->proxy_url)) == CURLE_OK;
		curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
		if (rq->proxy_user.n) {
			curl_easy_setopt(e, CURLOPT_PROXYUSERNAME, arena_cstr(t->arena, rq->proxy_user));
			curl_easy_setopt(e, CURLOPT_PROXYPASSWORD, arena_cstr(t->arena, rq->proxy_password));
		}
	}
	t->dirty |= rq->follow_redirects || rq->http_version > 1 || rq->expect_continue_ms || rq->proxy_url.n || rq->unix_socket.n;
	return ok;
}

static bool method_options(struct transfer *t, const struct upstream_request *rq)
{
	bool get = str_eq(rq->method, STR("GET")), head = str_eq(rq->method, STR("HEAD"));
	CURL *e = t->easy;

	if (head) {
		t->dirty = true;
		return curl_easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
	}
	if (rq->body == BODY_NONE) {
		curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
		if (get)
			return true;
	} else if (rq->body == BODY_HELD) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->bytes.n);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, rq->bytes.p ? rq->bytes.p : "");
	} else {
		curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rq->length);
	}
	t->dirty = true;
	return curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, arena_cstr(t->arena, rq->method)) == CURLE_OK;
}

/* ---- the header list ---- */

struct list {
	struct arena *arena;
	struct curl_slist *first, **end;
	bool ok;
};

static void list_add(struct list *l, struct str line)
{
	struct curl_slist *s = arena_new_of(l->arena, struct curl_slist);

	if (!s || !line.p) {
		l->ok = false;
		return;
	}
	s->data = (char *)(uintptr_t)line.p;
	*l->end = s;
	l->end = &s->next;
}

static struct str field_text(struct arena *a, const struct field *f)
{
	/* curl takes "Name:" as the wish to leave the field out; an empty value is written "Name;" */
	return f->value.n ? arena_printf(a, "%.*s: %.*s", STR_ARG(f->name), STR_ARG(f->value))
			  : arena_printf(a, "%.*s;", STR_ARG(f->name));
}

/* Fields by which curl decides what to add of its own; each must be the beginning of an entry. */
static bool curl_looks_for(struct str name)
{
	static const struct str names[] = { STR_INIT("Accept"), STR_INIT("Content-Type"), STR_INIT("Connection") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (name.n == names[i].n && str_eq_ci(name, names[i]))
			return true;
	return false;
}

static struct str joined(struct arena *a, const struct fields *f)
{
	size_t n = 0;
	char *text, *p;

	for (size_t i = 0; i < f->n; i++)
		n += f->v[i].name.n + f->v[i].value.n + 4;
	if (n < 4 || !(text = arena_alloc_text(a, n)))
		return STR_NULL;
	p = text;
	for (size_t i = 0; i < f->n; i++) {
		if (curl_looks_for(f->v[i].name) || !f->v[i].value.n)
			continue;
		if (p != text) {
			memcpy(p, "\r\n", 2);
			p += 2;
		}
		memcpy(p, f->v[i].name.p, f->v[i].name.n);
		p += f->v[i].name.n;
		memcpy(p, ": ", 2);
		p += 2;
		memcpy(p, f->v[i].value.p, f->v[i].value.n);
		p += f->v[i].value.n;
	}
	*p = '\0';
	return (struct str){ text, (size_t)(p - text) };
}

static struct curl_slist *header_list(struct arena *a, const struct upstream_request *rq)
{
	struct list l = { .arena = a, .end = &l.first, .ok = true };
	const struct fields *f = rq->headers;
	bool accept = false, type = rq->body == BODY_NONE;

	for (size_t i = 0; i < f->n; i++) {
		if (!rq->follow_redirects && !curl_looks_for(f->v[i].name) && f->v[i].value.n)
			continue;
		accept |= str_eq_ci(f->v[i].name, STR("Accept"));
		type |= str_eq_ci(f->v[i].name, STR("Content-Type"));
		list_add(&l, field_text(a, &f->v[i]));
	}
	if (rq->host.n)
		list_add(&l, arena_printf(a, "Host: %.*s", STR_ARG(rq->host)));
	if (!accept)
		list_add(&l, STR("Accept:"));
	if (!type)
		list_add(&l, STR("Content-Type:"));
	if (rq->body != BODY_NONE)
		list_add(&l, rq->expect_continue_ms ? STR("Expect: 100-continue") : STR("Expect:"));
	if (!rq->follow_redirects) {
		struct str rest = joined(a, f);

		if (rest.n)
			list_add(&l, rest);
	}
	return l.ok ? l.first : NULL;
}

bool transfer_start_curl(struct transfer *t)
{
	const struct upstream_request *rq = &t->rq;
	struct curl_slist *headers;
	struct str url;
	bool ok;

	if (!t->easy) {
		t->easy = curl_easy_init();
		t->dirty = true;
	}
	if (!t->easy)
		return false;
	if (t->dirty)
		base_options(t);
	ok = transfer_tls_options(t, rq);        /* may point the request at another name */
	headers = header_list(t->arena, rq);
	url = url_for_wire(t->arena, rq->url);
	if (ok && url.p && headers && special_options(t, rq) && method_options(t, rq)
	    && curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK
	    && curl_easy_setopt(t->easy, CURLOPT_URL, url.p) == CURLE_OK && upstream_add(t))
		return true;
	t->dirty = true;
	return false;
}

static void prepare(struct transfer *t, struct arena *a, const struct upstream_request *rq)
{
	t->arena = a;
	t->url = *rq->url;
	t->fields = *rq->headers;
	t->rq = *rq;
	t->rq.url = &t->url;
	t->rq.headers = &t->fields;
	t->response = (struct response){ 0 };
	fields_init(&t->response.headers, a);
	t->length = -1;
	t->head_bytes = 0;
	t->phase = TRANSFER_CONNECTING;
	t->follow = rq->follow_redirects;
	t->failed = REASON_NONE;
	t->head_done = t->paused = t->seen_upload = t->direct = t->is_over = t->no_body = t->in_multi = t->raced = false;
	t->problem[0] = '\0';
	t->tls_problem = NULL;
	t->started_us = t->touched_us = t->up->loop->now_us;
	t->connected_us = 0;
	t->first_byte_ms = rq->first_byte_ms ? rq->first_byte_ms : t->up->limits.first_byte_ms;
	t->total_ms = rq->total_ms ? rq->total_ms : t->up->limits.total_ms;
}

/* Policies make these out of whatever they like; nothing of it may end a line of the request. */
static bool is_sendable(const struct upstream_request *rq)
{
	struct str host = rq->url->host;

	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] <= ' ' || host.p[i] >= 127 || strchr("/?#@\\", host.p[i]))
			return false;
	return host.n && method_ok(rq->method) && field_value_ok(rq->host);
}

bool transfer_start(struct transfer *t)
{
	t->direct = direct_start(t->up->direct, t);
	return t->direct || transfer_start_curl(t);
}

struct transfer *upstream_start(struct upstream *u, struct arena *a, const struct upstream_request *rq,
	const struct transfer_ops *ops, void *owner, enum reason *why)
{
	struct transfer *t;

	*why = REASON_BACKEND_URL;
	if (!is_sendable(rq))
		return NULL;
	t = upstream_handle(u);
	*why = REASON_NO_MEMORY;
	if (!t)
		return NULL;
	t->ops = ops;
	t->owner = owner;
	prepare(t, a, rq);
	if (transfer_resolve(t) && !transfer_start(t)) {
		upstream_recycle(t);
		return NULL;
	}
	upstream_activate(t);
	return t;
}

/* ---- how it ended ---- */

static bool connected(struct transfer *t)
{
	long port = 0;

	curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_PORT, &port);
	return port > 0;
}

/* While the handshake goes on curl has no time for the connection yet, only its port. */
static bool secured(struct transfer *t)
{
	curl_off_t connect = 0, app = 0;

	curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connect);
	curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME_T, &app);
	return !((connect || connected(t)) && !app && str_eq_ci(t->url.scheme, STR("https")));
}

/* How far it had come, of a connection of its own; one that was there already had only the answer to wait for. */
static enum reason timed_out(struct transfer *t)
{
	long made = 0;

	if (!t->direct)
		curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &made);
	if (!made)
		return REASON_BACKEND_TIMEOUT;
	return !secured(t) ? REASON_BACKEND_TLS_TIMEOUT : connected(t) ? REASON_BACKEND_TIMEOUT : REASON_BACKEND_CONNECT_TIMEOUT;
}

enum reason transfer_verdict(struct transfer *t, CURLcode result)
{
	static const struct { CURLcode code; enum reason reason; } table[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, REASON_BACKEND_DNS },
		{ CURLE_COULDNT_RESOLVE_PROXY, REASON_BACKEND_DNS },
		{ CURLE_COULDNT_CONNECT, REASON_BACKEND_CONNECT },
		{ CURLE_URL_MALFORMAT, REASON_BACKEND_URL },
		{ CURLE_TOO_MANY_REDIRECTS, REASON_BACKEND_REDIRECTS },
		{ CURLE_PARTIAL_FILE, REASON_BACKEND_CUT_OFF },
		{ CURLE_RECV_ERROR, REASON_BACKEND_CUT_OFF },
		{ CURLE_GOT_NOTHING, REASON_BACKEND_CUT_OFF },
		{ CURLE_HTTP2_STREAM, REASON_BACKEND_CUT_OFF },
		{ CURLE_SEND_ERROR, REASON_BACKEND_SEND },
		{ CURLE_SEND_FAIL_REWIND, REASON_BACKEND_SEND },
		{ CURLE_OUT_OF_MEMORY, REASON_NO_MEMORY },
		{ CURLE_ABORTED_BY_CALLBACK, REASON_CLIENT_GONE },
	};

	if (t->failed != REASON_NONE)
		return t->failed;
	if (result == CURLE_OK)
		return t->head_done ? REASON_NONE : REASON_BACKEND_GARBAGE;
	/* what curl says both to a scheme that we forbid and to a response that is no HTTP/1 */
	if (result == CURLE_UNSUPPORTED_PROTOCOL)
		return connected(t) ? REASON_BACKEND_GARBAGE : REASON_BACKEND_URL;
	/* and to a header line that is longer than it takes */
	if (result == CURLE_OUT_OF_MEMORY && connected(t) && !t->head_done)
		return REASON_BACKEND_HEADERS;
	if (result == CURLE_OPERATION_TIMEDOUT)  /* curl itself watches the connection only */
		return secured(t) ? REASON_BACKEND_CONNECT_TIMEOUT : REASON_BACKEND_TLS_TIMEOUT;
	if (transfer_tls_failed(t, result))
		return REASON_BACKEND_TLS;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].code == result)
			return table[i].reason;
	return REASON_BACKEND_GARBAGE;
}

enum reason transfer_late(struct transfer *t, int64_t now_us)
{
	if (t->total_ms && now_us - t->started_us > t->total_ms * 1000)
		return REASON_BACKEND_TOTAL;
	if (t->phase == TRANSFER_RESOLVING)
		return now_us - t->started_us > t->up->limits.connect_ms * 1000 ? REASON_BACKEND_DNS : REASON_NONE;
	if (t->phase == TRANSFER_OPENING && now_us - t->started_us > t->up->limits.connect_ms * 1000)
		return REASON_BACKEND_CONNECT_TIMEOUT;
	if (t->paused)
		return REASON_NONE;      /* it is the other side that we wait for; the call has its own limit */
	/* the clock of the first byte starts again with each piece of a long upload */
	if (t->phase == TRANSFER_CONNECTING && now_us - t->touched_us > t->first_byte_ms * 1000)
		return timed_out(t);
	if (t->phase == TRANSFER_BODY && now_us - t->touched_us > t->up->limits.idle_ms * 1000)
		return REASON_BACKEND_IDLE;
	return REASON_NONE;
}
