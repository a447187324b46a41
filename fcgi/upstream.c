/* upstream.c - curl's multi handle inside our loop.
 *
 * curl tells which sockets it wants watched (on_socket) and when it wants to be called (on_timer); we call it back with
 * curl_multi_socket_action. It forgets a socket at the end of each transfer and asks for it again with the next one on
 * the same connection. Passed on to epoll that would be two system calls per request, so a socket stays in the set until
 * it is closed, or until an event comes that nobody waits for (loop.h does that part).
 *
 * Time limits are kept here and not in curl: a sweep over the active transfers each SWEEP_US compares each with its
 * present phase. That gives every phase its own limit and its own reason, and costs nothing per request. */
#include "fcgi/upstream_impl.h"

#include "core/clock.h"
#include "core/str.h"
#include "fcgi/direct.h"

#include <stdlib.h>
#include <unistd.h>

enum { SWEEP_US = 50000, IDLE_HANDLES_MAX = 256 };

struct backend_socket {
	struct watch watch;
	struct upstream *up;
	struct grave grave;
};

static void socket_ready(struct watch *w, uint32_t events)
{
	struct backend_socket *s = CONTAINER_OF(w, struct backend_socket, watch);
	int mask = 0, running;

	if (events & EPOLLIN)
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & (EPOLLHUP | EPOLLERR))
		mask |= CURL_CSELECT_IN | (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
	curl_multi_socket_action(s->up->multi, w->fd, mask, &running);
	s->up->looked = false;
}

static struct backend_socket *socket_of(struct upstream *u, int fd)
{
	struct backend_socket *s;

	if (fd < 0)
		return NULL;
	if ((size_t)fd >= u->n_sockets) {
		size_t n = ((size_t)fd + 64) * 2;
		struct backend_socket **v = realloc(u->sockets, n * sizeof(struct backend_socket *));

		if (!v)
			return NULL;
		memset(v + u->n_sockets, 0, (n - u->n_sockets) * sizeof(struct backend_socket *));
		u->sockets = v;
		u->n_sockets = n;
	}
	s = u->sockets[fd];
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return NULL;
		loop_watch_init(&s->watch, fd, socket_ready);
		s->up = u;
		u->sockets[fd] = s;
	}
	return s;
}

static int on_socket(CURL *easy UNUSED, curl_socket_t fd, int what, void *up, void *sockp UNUSED)
{
	struct upstream *u = up;
	struct backend_socket *s;
	uint32_t want = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);

	if (what == CURL_POLL_REMOVE) {
		if (fd >= 0 && (size_t)fd < u->n_sockets && u->sockets[fd])
			u->sockets[fd]->watch.wanted = 0;
		return 0;
	}
	s = socket_of(u, fd);
	return s && loop_want(u->loop, &s->watch, want) ? 0 : -1;
}

static void free_socket(struct grave *g)
{
	free(CONTAINER_OF(g, struct backend_socket, grave));
}

int upstream_close_socket(void *up, curl_socket_t fd)
{
	struct upstream *u = up;

	if (fd >= 0 && (size_t)fd < u->n_sockets && u->sockets[fd]) {
		loop_forget(u->loop, &u->sockets[fd]->watch, true);
		loop_bury(u->loop, &u->sockets[fd]->grave, free_socket);
		u->sockets[fd] = NULL;
	}
	return close(fd);
}

static int on_timer(CURLM *multi UNUSED, long ms, void *up)
{
	struct upstream *u = up;

	u->due_us = ms < 0 ? INT64_MAX : ms == 0 ? 0 : u->loop->now_us + ms * 1000;
	return 0;
}

struct upstream *upstream_new(struct loop *l, const struct upstream_limits *limits, const struct config *config, struct gh_err *err)
{
	struct upstream *u = calloc(1, sizeof(*u));

	if (!u || !(u->multi = curl_multi_init())) {
		free(u);
		gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory for the backend side");
		return NULL;
	}
	u->loop = l;
	u->direct = direct_new(u);
	if (!u->direct) {
		upstream_free(u);
		gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "no memory for the backend side");
		return NULL;
	}
	u->resolver = resolver_new(l, config, err);
	if (!u->resolver) {
		upstream_free(u);
		return NULL;
	}
	u->limits = *limits;
	u->due_us = INT64_MAX;
	u->looked = true;
	curl_multi_setopt(u->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(u->multi, CURLMOPT_SOCKETDATA, u);
	curl_multi_setopt(u->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(u->multi, CURLMOPT_TIMERDATA, u);
	curl_multi_setopt(u->multi, CURLMOPT_MAXCONNECTS, limits->max_connections);
	return u;
}

void upstream_free(struct upstream *u)
{
	if (!u)
		return;
	resolver_free(u->resolver);
	direct_free(u->direct);
	while (u->idle) {
		struct transfer *t = u->idle;

		u->idle = t->next;
		curl_easy_cleanup(t->easy);
		free(t);
	}
	curl_multi_cleanup(u->multi);
	for (size_t i = 0; i < u->n_sockets; i++)
		free(u->sockets[i]);
	free(u->sockets);
	free(u);
}

/* ---- transfers ---- */

struct transfer *upstream_handle(struct upstream *u)
{
	struct transfer *t = u->idle;

	if (t) {
		u->idle = t->next;
		u->n_idle--;
		return t;
	}
	t = calloc(1, sizeof(*t));
	if (t)
		t->up = u;
	return t;
}

/* Back into the pool. What the handle pointed to belongs to an arena that is going away, so it is pointed elsewhere when
 * the next request sets it; until then the handle does nothing. */
void upstream_recycle(struct transfer *t)
{
	struct upstream *u = t->up;

	if (u->n_idle >= IDLE_HANDLES_MAX) {
		curl_easy_cleanup(t->easy);
		free(t);
		return;
	}
	t->owner = NULL;
	t->next = u->idle;
	u->idle = t;
	u->n_idle++;
}

static void unlink_active(struct transfer *t)
{
	struct upstream *u = t->up;

	*(t->prev ? &t->prev->next : &u->active) = t->next;
	if (t->next)
		t->next->prev = t->prev;
	u->n_active--;
}

void upstream_activate(struct transfer *t)
{
	struct upstream *u = t->up;

	t->prev = NULL;
	t->next = u->active;
	if (u->active)
		u->active->prev = t;
	u->active = t;
	u->n_active++;
}

bool upstream_add(struct transfer *t)
{
	struct upstream *u = t->up;

	if (curl_multi_add_handle(u->multi, t->easy) != CURLM_OK)
		return false;
	t->in_multi = true;
	u->looked = false;
	return true;
}

static void detach(struct transfer *t)
{
	transfer_stop_waiting(t);
	if (t->direct)
		direct_cancel(t);
	else if (t->in_multi)
		curl_multi_remove_handle(t->up->multi, t->easy);
}

void transfer_cancel(struct transfer *t)
{
	if (!t)
		return;
	detach(t);
	unlink_active(t);
	upstream_recycle(t);
}

void transfer_resume(struct transfer *t)
{
	if (!t || !t->paused)
		return;
	if (t->direct) {
		direct_resume(t);
		return;
	}
	t->paused = false;
	t->touched_us = t->up->loop->now_us;
	curl_easy_pause(t->easy, CURLPAUSE_CONT);
	t->up->looked = false;
}

/* The address that curl found for a name serves our own connections for a while. */
static void learn(struct transfer *t)
{
	char *ip = NULL;

	if (!t->in_multi || t->rq.proxy_url.n || t->rq.unix_socket.n || t->follow || !str_eq(t->url.scheme, STR("http")))
		return;
	if (curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip && *ip)
		direct_learn(t, ip);
}

void upstream_finish(struct transfer *t, enum reason why)
{
	if (!t->direct && why == REASON_NONE)
		learn(t);
	detach(t);
	unlink_active(t);
	t->ops->done(t, why);
	upstream_recycle(t);
}

static bool report_finished(struct upstream *u)
{
	bool any = false;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(u->multi, &left))) {
		struct transfer *t;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		upstream_finish(t, transfer_verdict(t, msg->data.result));
		any = true;
	}
	return any;
}

static void sweep(struct upstream *u)
{
	for (struct transfer *t = u->active, *next; t; t = next) {
		enum reason late = transfer_late(t, u->loop->now_us);

		next = t->next;
		if (late == REASON_BACKEND_CONNECT_TIMEOUT && t->direct)
			direct_doubt(t);
		if (late != REASON_NONE)
			upstream_finish(t, late);
	}
}

bool upstream_turn(struct upstream *u)
{
	int64_t now = u->loop->now_us;
	bool any = false;
	int running;

	if (u->due_us <= now) {
		u->due_us = INT64_MAX;
		curl_multi_socket_action(u->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		u->looked = false;
		any = true;
	}
	if (!u->looked) {
		u->looked = true;
		any |= report_finished(u);
	}
	any |= direct_turn(u->direct);
	if (u->resolving && (resolver_news(u->resolver) || u->names_failed)) {
		u->names_failed = false;
		any |= transfer_waiting_turn(u, false);
	}
	if (u->n_active && now - u->swept_us >= SWEEP_US) {
		u->swept_us = now;
		if (u->resolving)
			any |= transfer_waiting_turn(u, true);
		sweep(u);
	}
	return any;
}

int64_t upstream_due(const struct upstream *u)
{
	int64_t sweep_at = u->n_active ? u->swept_us + SWEEP_US : INT64_MAX;

	return u->due_us < sweep_at ? u->due_us : sweep_at;
}

size_t upstream_active(const struct upstream *u)
{
	return u->n_active;
}

void *transfer_owner(const struct transfer *t)
{
	return t->owner;
}

struct response *transfer_response(struct transfer *t)
{
	return &t->response;
}

int64_t transfer_length(const struct transfer *t)
{
	return t->length;
}

const char *transfer_problem(const struct transfer *t)
{
	return t->problem;
}

const char *transfer_tls_problem(const struct transfer *t)
{
	return t->tls_problem;
}

static uint32_t info_us(const struct transfer *t, CURLINFO what)
{
	curl_off_t us = 0;

	curl_easy_getinfo(t->easy, what, &us);
	return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

struct transfer_times transfer_times(const struct transfer *t)
{
	uint32_t dns, connect, tls;
	long fresh = 0;

	if (t->direct)
		return (struct transfer_times){ t->dns_us, t->connected_us ? (uint32_t)(t->connected_us - t->started_us) - t->dns_us : 0, 0 };
	if (t->in_multi)                     /* else its handle tells of the request before */
		curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &fresh);
	if (!fresh)
		return (struct transfer_times){ t->dns_us, 0, 0 };
	dns = info_us(t, CURLINFO_NAMELOOKUP_TIME_T);
	connect = info_us(t, CURLINFO_CONNECT_TIME_T);
	tls = info_us(t, CURLINFO_APPCONNECT_TIME_T);
	return (struct transfer_times){ dns + t->dns_us, connect > dns ? connect - dns : 0, tls > connect ? tls - connect : 0 };
}
