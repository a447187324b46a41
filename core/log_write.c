/* log_write.c - one job of a thread that writes: into a file, or to a syslog.
 *
 * A file is opened for each job and locked while it is written, so that workers share it, a log rotation is noticed, and one
 * that has grown past its limit is moved aside exactly once. A job goes in whole or not at all: what a full disk left half
 * is cut off again.
 * Syslog over TCP is framed by octet counting (RFC 6587 section 3.4.1); a datagram is one message (RFC 5426 section 3.1). */
#include "core/log_write.h"

#include "core/str.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { IO_TIMEOUT_MS = 5000, LOCK_TRIES = 100, LOCK_PAUSE_MS = 20, OPEN_TRIES = 5, IOV_BATCH = 64, FILE_MODE = 0640,
       SEND_BUFFER = 524288, DATAGRAM_LEAST = 2048 };

bool log_job_next(const struct log_job *j, size_t *at, struct str *message)
{
	uint32_t n;

	if (j->n - *at < sizeof(n))
		return false;
	memcpy(&n, j->bytes + *at, sizeof(n));
	*message = (struct str){ j->bytes + *at + sizeof(n), n };
	*at += sizeof(n) + n;
	return true;
}

static bool fail(struct log_job *j, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool fail(struct log_job *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(j->error, sizeof(j->error), fmt, ap);
	va_end(ap);
	j->failed = true;
	return false;
}

static void pause_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* ---- files ------------------------------------------------------------------------------------------------------------- */

static bool lock(int fd)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		pause_ms(LOCK_PAUSE_MS);
	}
	return false;
}

static bool still_there(const char *path, const struct stat *st)
{
	struct stat now;

	return stat(path, &now) == 0 && now.st_ino == st->st_ino && now.st_dev == st->st_dev;
}

/* The file, locked, with room for the job. -1 after fail. */
static int open_file(struct log_job *j, struct stat *st)
{
	const struct logger_settings *s = j->settings;
	char aside[4096];
	int fd;

	for (int i = 0; i < OPEN_TRIES; i++) {
		fd = open(s->path.p, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, FILE_MODE);
		if (fd < 0) {
			fail(j, "%s: %s", s->path.p, strerror(errno));
			return -1;
		}
		if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
			close(fd);
			fail(j, "%s: is not a plain file", s->path.p);
			return -1;
		}
		if (!lock(fd) || fstat(fd, st) < 0) {
			close(fd);
			fail(j, "%s: is locked by another program", s->path.p);
			return -1;
		}
		if (still_there(s->path.p, st)) {
			if (!st->st_size || st->st_size + (int64_t)j->n <= s->max_bytes)
				return fd;
			snprintf(aside, sizeof(aside), "%s.1", s->path.p);
			if (rename(s->path.p, aside) < 0) {
				close(fd);
				fail(j, "%s is full and cannot be renamed to %s: %s", s->path.p, aside, strerror(errno));
				return -1;
			}
		}
		close(fd);
	}
	fail(j, "%s: is replaced again and again", s->path.p);
	return -1;
}

static bool write_all(int fd, struct iovec *v, int n)
{
	while (n) {
		ssize_t wrote = writev(fd, v, n);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		for (; n && (size_t)wrote >= v->iov_len; v++, n--)
			wrote -= (ssize_t)v->iov_len;
		if (n) {
			v->iov_base = (char *)v->iov_base + wrote;
			v->iov_len -= (size_t)wrote;
		}
	}
	return true;
}

static void write_file(struct log_job *j)
{
	struct iovec v[IOV_BATCH];
	struct str message;
	struct stat st;
	size_t at = j->at, messages = 0;
	int fd = open_file(j, &st), n;
	bool ok = true;

	if (fd < 0)
		return;
	do {
		for (n = 0; n < IOV_BATCH && log_job_next(j, &at, &message); n++)
			v[n] = (struct iovec){ (void *)(uintptr_t)message.p, message.n };
		messages += (size_t)n;
		ok = write_all(fd, v, n);
	} while (ok && n == IOV_BATCH);
	if (ok) {
		j->at = j->n;
		j->left += messages;
	} else {
		fail(j, "%s: %s", j->settings->path.p, strerror(errno));
		(void)!ftruncate(fd, st.st_size);
	}
	close(fd);
}

/* ---- syslog ------------------------------------------------------------------------------------------------------------ */

void log_link_close(struct log_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

/* A stream that the other side has closed would take one more message and lose it. */
static bool is_dead(const struct log_link *l)
{
	char byte;

	return l->stream && recv(l->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool wait_connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t n = sizeof(errno);
	int problem = ETIMEDOUT;

	if (poll(&p, 1, IO_TIMEOUT_MS) > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &n) < 0)
		problem = errno;
	errno = problem;
	return problem == 0;
}

/* Connects within IO_TIMEOUT_MS; from then on each send waits that long at most. -1 with errno. */
static int connected(int family, int type, const struct sockaddr *to, socklen_t n)
{
	const struct timeval limit = { .tv_sec = IO_TIMEOUT_MS / 1000 };
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), room = SEND_BUFFER, kept;

	if (fd < 0)
		return -1;
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if ((connect(fd, to, n) == 0 || (errno == EINPROGRESS && wait_connected(fd)))
	    && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0)
		return fd;
	kept = errno;
	close(fd);
	errno = kept;
	return -1;
}

static bool connect_unix(struct log_job *j)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct str path = j->settings->path;

	memcpy(to.sun_path, path.p, path.n < sizeof(to.sun_path) ? path.n : sizeof(to.sun_path) - 1);
	j->link->stream = false;
	j->link->fd = connected(AF_UNIX, SOCK_DGRAM, (struct sockaddr *)&to, sizeof(to));
	if (j->link->fd < 0 && errno == EPROTOTYPE) {
		j->link->stream = true;
		j->link->fd = connected(AF_UNIX, SOCK_STREAM, (struct sockaddr *)&to, sizeof(to));
	}
	return j->link->fd >= 0 || fail(j, "%s: %s", to.sun_path, strerror(errno));
}

static bool connect_net(struct log_job *j)
{
	const struct logger_settings *s = j->settings;
	struct addrinfo hints = { .ai_socktype = s->socket == LOGGER_TCP ? SOCK_STREAM : SOCK_DGRAM }, *all;
	int problem = getaddrinfo(s->host.p, s->port.p, &hints, &all);

	if (problem)
		return fail(j, "%s: %s", s->host.p, gai_strerror(problem));
	j->link->stream = s->socket == LOGGER_TCP;
	for (const struct addrinfo *one = all; one && j->link->fd < 0; one = one->ai_next)
		j->link->fd = connected(one->ai_family, one->ai_socktype, one->ai_addr, one->ai_addrlen);
	problem = errno;
	freeaddrinfo(all);
	return j->link->fd >= 0 || fail(j, "%s:%s: %s", s->host.p, s->port.p, strerror(problem));
}

static bool link_up(struct log_job *j)
{
	const struct logger_settings *s = j->settings;
	char address[sizeof(j->link->address)];

	snprintf(address, sizeof(address), "%d %.*s %.*s %.*s", (int)s->socket, STR_ARG(s->path), STR_ARG(s->host), STR_ARG(s->port));
	if (j->link->fd >= 0 && (strcmp(address, j->link->address) != 0 || is_dead(j->link)))
		log_link_close(j->link);
	if (j->link->fd >= 0)
		return true;
	memcpy(j->link->address, address, sizeof(address));
	return s->socket == LOGGER_UNIX ? connect_unix(j) : connect_net(j);
}

static bool send_stream(struct log_job *j, struct str message)
{
	char head[24];
	struct iovec v[2] = { { head, 0 }, { (void *)(uintptr_t)message.p, message.n } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	v[0].iov_len = (size_t)snprintf(head, sizeof(head), "%zu ", message.n);
	while (m.msg_iovlen) {
		ssize_t sent = sendmsg(j->link->fd, &m, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return fail(j, "syslog: %s", sent < 0 ? strerror(errno) : "nothing was taken");
		for (; m.msg_iovlen && (size_t)sent >= m.msg_iov->iov_len; m.msg_iov++, m.msg_iovlen--)
			sent -= (ssize_t)m.msg_iov->iov_len;
		if (m.msg_iovlen) {
			m.msg_iov->iov_base = (char *)m.msg_iov->iov_base + sent;
			m.msg_iov->iov_len -= (size_t)sent;
		}
	}
	return true;
}

static struct str shorter(struct str message, size_t most)
{
	size_t n = message.n < most ? message.n : most;

	while (n < message.n && n && ((unsigned char)message.p[n] & 0xC0) == 0x80)
		n--;
	return str_first(message, n);
}

/* What the socket finds too large is sent cut, and counted as lost when even its beginning is too much. */
static bool send_datagram(struct log_job *j, struct str message)
{
	if (j->settings->socket == LOGGER_UDP)
		message = shorter(message, LOGGER_UDP_MAX);
	for (bool refused = false;;) {
		ssize_t sent = send(j->link->fd, message.p, message.n, MSG_NOSIGNAL);

		if (sent >= 0)
			return true;
		if (errno == EMSGSIZE && message.n > DATAGRAM_LEAST) {
			message = shorter(message, message.n / 2);
		} else if (errno == EMSGSIZE) {
			j->lost++;
			return true;
		} else if (errno == ECONNREFUSED && !refused) {
			refused = true;      /* the answer to an earlier datagram */
		} else if (errno != EINTR) {
			return fail(j, "syslog: %s", strerror(errno));
		}
	}
}

static void write_syslog(struct log_job *j)
{
	struct str message;

	if (!link_up(j))
		return;
	for (size_t at = j->at; log_job_next(j, &at, &message); j->at = at, j->left++)
		if (!(j->link->stream ? send_stream(j, message) : send_datagram(j, message))) {
			log_link_close(j->link);
			return;
		}
}

void log_job_write(struct log_job *j)
{
	j->failed = false;
	if (j->settings->kind == LOGGER_FILE)
		write_file(j);
	else
		write_syslog(j);
}
