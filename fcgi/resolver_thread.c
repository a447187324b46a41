/* resolver_thread.c - c-ares and its sockets on a thread.
 *
 * The thread sleeps in poll() over the sockets of c-ares and an event descriptor. /etc/hosts is read with each question, which is why
 * this is not the loop's work; /etc/resolv.conf is read again when it has changed and no question is open. */
#include "fcgi/resolver_impl.h"

#include "core/str.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"
/* SOCKETS_MAX: a few for each server are usual. */
enum { TRIES = 2, SOCKETS_MAX = 256, SERVERS_MAX = 1024, IDLE_MS = 60000 };

struct resolver_thread {
	pthread_t thread;
	pthread_mutex_t lock;
	struct resolver_job *asked, **asked_end, *done;
	bool running, stop;
	int wake_fd, done_fd;
	/* of the thread, once it runs */
	ares_channel channel;
	struct timespec read;                /* when the file that the channel was made from had been changed */
	size_t open;                         /* questions */
	struct pollfd fds[SOCKETS_MAX];
	nfds_t n_fds;
	int timeout_ms;
	char servers[SERVERS_MAX];
};

static void ring(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void quiet(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof(n));
}

/* ---- the channel ---- */

/* fds[0] is the bell. A socket that finds no place is not heard, and its question ends by the time limit. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver_thread *t = arg;
	short events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
	nfds_t i = 1;

	while (i < t->n_fds && t->fds[i].fd != fd)
		i++;
	if (!events) {
		if (i < t->n_fds)
			t->fds[i] = t->fds[--t->n_fds];
	} else if (i < SOCKETS_MAX) {
		t->fds[i] = (struct pollfd){ .fd = fd, .events = events };
		if (i == t->n_fds)
			t->n_fds++;
	}
}

static struct timespec changed_at(void)
{
	struct stat st;

	return stat(RESOLV_CONF, &st) == 0 ? st.st_mtim : (struct timespec){ 0 };
}

static gh_rc open_channel(struct resolver_thread *t, struct gh_err *err)
{
	struct ares_options o = { .timeout = t->timeout_ms, .tries = TRIES, .sock_state_cb = on_socket, .sock_state_cb_data = t };
	int status;

	t->read = changed_at();
	status = ares_init_options(&t->channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS)
		FAIL(err, INTERNAL, "names cannot be looked up: %s", ares_strerror(status));
	if (t->servers[0] && (status = ares_set_servers_ports_csv(t->channel, t->servers)) != ARES_SUCCESS) {
		ares_destroy(t->channel);
		t->channel = NULL;
		FAIL(err, INVALID, "gateway.dns_servers is no list of addresses: %s", t->servers);
	}
	return GH_RC_OK;
}

/* A new one first: without it the old one goes on. */
static void look_at_system(struct resolver_thread *t)
{
	struct timespec now = changed_at();
	ares_channel old = t->channel;
	struct gh_err ignored;

	if (t->open || (now.tv_sec == t->read.tv_sec && now.tv_nsec == t->read.tv_nsec))
		return;
	t->channel = NULL;
	if (open_channel(t, &ignored).code) {
		t->channel = old;
		return;
	}
	ares_destroy(old);                   /* takes its sockets out of fds */
}

/* ---- one question ---- */

static void read_addresses(struct resolver_job *j, const struct ares_addrinfo *ai)
{
	int least = INT32_MAX;

	for (const struct ares_addrinfo_node *v = ai->nodes; v && j->n < RESOLVED_MAX; v = v->ai_next) {
		const void *from = v->ai_family == AF_INET ? (const void *)&((const struct sockaddr_in *)(const void *)v->ai_addr)->sin_addr
			   : v->ai_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)v->ai_addr)->sin6_addr : NULL;

		if (!from || !inet_ntop(v->ai_family, from, j->addresses[j->n], sizeof(j->addresses[0])))
			continue;
		j->n++;
		if (v->ai_ttl < least)
			least = v->ai_ttl;
	}
	j->ttl_s = j->n && least > 0 ? least : 0;
}

static void on_answer(void *arg, int status, int timeouts UNUSED, struct ares_addrinfo *ai)
{
	struct resolver_job *j = arg;
	struct resolver_thread *t = j->thread;

	t->open--;
	if (status == ARES_EDESTRUCTION) {
		free(j);
		return;
	}
	j->why = ares_strerror(status);
	if (status == ARES_SUCCESS)
		read_addresses(j, ai);
	if (ai)
		ares_freeaddrinfo(ai);
	j->outcome = status == ARES_SUCCESS && j->n ? RESOLVER_JOB_FOUND
		     : status == ARES_SUCCESS || status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME
				     ? RESOLVER_JOB_NO_NAME : RESOLVER_JOB_NO_ANSWER;
	pthread_mutex_lock(&t->lock);
	j->next = t->done;
	t->done = j;
	pthread_mutex_unlock(&t->lock);
	ring(t->done_fd);
}

static void begin(struct resolver_thread *t, struct resolver_job *j)
{
	struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };

	if (!t->open && !t->servers[0])
		look_at_system(t);
	t->open++;
	ares_getaddrinfo(t->channel, j->host, NULL, &hints, on_answer, j);
}

/* ---- the thread ---- */

static struct resolver_job *next_questions(struct resolver_thread *t, bool *stop)
{
	struct resolver_job *j;

	pthread_mutex_lock(&t->lock);
	j = t->asked;
	t->asked = NULL;
	t->asked_end = &t->asked;
	*stop = t->stop;
	pthread_mutex_unlock(&t->lock);
	return j;
}

static void serve(struct resolver_thread *t)
{
	struct timeval most = { IDLE_MS / 1000, 0 }, tv, *wait = ares_timeout(t->channel, &most, &tv);
	nfds_t n = t->n_fds;
	struct pollfd ready[SOCKETS_MAX];

	memcpy(ready, t->fds, n * sizeof(ready[0]));
	if (poll(ready, n, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1)) <= 0) {
		ares_process_fd(t->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		return;
	}
	if (ready[0].revents)
		quiet(t->wake_fd);
	for (nfds_t i = 1; i < n; i++)
		if (ready[i].revents)
			ares_process_fd(t->channel, ready[i].revents & (POLLIN | POLLERR | POLLHUP) ? ready[i].fd : ARES_SOCKET_BAD,
					ready[i].revents & POLLOUT ? ready[i].fd : ARES_SOCKET_BAD);
	ares_process_fd(t->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void *thread_main(void *arg)
{
	struct resolver_thread *t = arg;
	struct resolver_job *j, *next;
	bool stop = false;

	for (;;) {
		for (j = next_questions(t, &stop); j; j = next) {
			next = j->next;
			begin(t, j);
		}
		if (stop)
			return NULL;
		serve(t);
	}
}

/* ---- from the loop ---- */

gh_rc resolver_thread_new(struct resolver_thread **out, struct str servers, int timeout_ms, struct gh_err *err)
{
	struct resolver_thread *t = calloc(1, sizeof(*t));
	gh_rc rc;

	if (!t)
		FAIL(err, NOMEM, "no memory to look up names");
	t->asked_end = &t->asked;
	t->timeout_ms = timeout_ms;
	t->wake_fd = t->done_fd = -1;
	pthread_mutex_init(&t->lock, NULL);
	if (servers.n >= sizeof(t->servers)) {
		rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "gateway.dns_servers is longer than %d bytes", SERVERS_MAX - 1);
	} else {
		memcpy(t->servers, servers.p ? servers.p : "", servers.n);
		t->n_fds = 1;
		rc = open_channel(t, err);
	}
	if (rc.code)
		resolver_thread_free(t);
	else
		*out = t;
	return rc;
}

gh_rc resolver_thread_start(struct resolver_thread *t, struct gh_err *err)
{
	sigset_t all, before;

	if (t->running)
		return GH_RC_OK;
	t->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	t->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	t->fds[0] = (struct pollfd){ .fd = t->wake_fd, .events = POLLIN };
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	t->running = t->wake_fd >= 0 && t->done_fd >= 0 && pthread_create(&t->thread, NULL, thread_main, t) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!t->running) {
		if (t->wake_fd >= 0)
			close(t->wake_fd);
		if (t->done_fd >= 0)
			close(t->done_fd);
		t->wake_fd = t->done_fd = -1;
	}
	if (!t->running)
		FAIL(err, INTERNAL, "the thread that looks up names cannot be started");
	return GH_RC_OK;
}

static void free_jobs(struct resolver_job *j)
{
	while (j) {
		struct resolver_job *next = j->next;

		free(j);
		j = next;
	}
}

void resolver_thread_free(struct resolver_thread *t)
{
	if (!t)
		return;
	if (t->running) {
		pthread_mutex_lock(&t->lock);
		t->stop = true;
		pthread_mutex_unlock(&t->lock);
		ring(t->wake_fd);
		pthread_join(t->thread, NULL);
	}
	if (t->channel)
		ares_destroy(t->channel);    /* ends what is open */
	free_jobs(t->asked);
	free_jobs(t->done);
	if (t->wake_fd >= 0)
		close(t->wake_fd);
	if (t->done_fd >= 0)
		close(t->done_fd);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

int resolver_thread_fd(const struct resolver_thread *t)
{
	return t->done_fd;
}

bool resolver_thread_ask(struct resolver_thread *t, struct str host)
{
	struct resolver_job *j = calloc(1, sizeof(*j));

	if (!j || host.n >= sizeof(j->host)) {
		free(j);
		return false;
	}
	j->thread = t;
	memcpy(j->host, host.p, host.n);
	pthread_mutex_lock(&t->lock);
	*t->asked_end = j;
	t->asked_end = &j->next;
	pthread_mutex_unlock(&t->lock);
	ring(t->wake_fd);
	return true;
}

struct resolver_job *resolver_thread_take(struct resolver_thread *t)
{
	struct resolver_job *j;

	quiet(t->done_fd);
	pthread_mutex_lock(&t->lock);
	j = t->done;
	t->done = NULL;
	pthread_mutex_unlock(&t->lock);
	return j;
}
