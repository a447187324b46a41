#include "cli/supervisor.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHILDREN_MAX = 512,
	LISTEN_BACKLOG = 4096,
	STEADY_US = 10000000,    /* who lived this long is not in a crash loop */
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 10000,
	KILL_GRACE_MS = 2000,    /* above the children's own drain time */
};

enum role { ROLE_GATEWAY, ROLE_PORTAL, ROLE_ADMIN, ROLE_KEEPER, ROLE__COUNT };

static const struct {
	const char *program, *socket;    /* socket NULL: none */
} roles[ROLE__COUNT] = {
	[ROLE_GATEWAY] = { "gatehouse-gateway", "gateway.sock" },
	[ROLE_PORTAL] = { "gatehouse-portal", "portal.sock" },
	[ROLE_ADMIN] = { "gatehouse-admin", "admin.sock" },
	[ROLE_KEEPER] = { "gatehouse-keeper", NULL },
};

struct child {
	enum role role;
	unsigned index;
	pid_t pid;                       /* 0: not running */
	int64_t started_us, start_at_us; /* monotonic */
	unsigned backoff_ms;
};

struct supervisor {
	const struct supervisor_options *o;
	char bin_dir[PATH_MAX];
	int listen_fd[ROLE__COUNT];
	int lock_fd, signal_fd;
	sigset_t old_mask;
	struct child children[CHILDREN_MAX];
	size_t n;
	bool stopping, killed;
	int64_t kill_at_us;
	size_t recycle;                  /* child that is being replaced after SIGUSR1; >= n when none */
	int64_t recycle_us;              /* when it was told to go */
};

static gh_rc find_programs(struct supervisor *s, struct gh_err *err)
{
	ssize_t n = readlink("/proc/self/exe", s->bin_dir, sizeof(s->bin_dir) - 1);
	char *slash;

	if (n <= 0)
		FAIL(err, IO, "/proc/self/exe: %s", strerror(errno));
	s->bin_dir[n] = '\0';
	slash = strrchr(s->bin_dir, '/');
	*slash = '\0';
	return GH_RC_OK;
}

static gh_rc join(char out[PATH_MAX], const char *dir, const char *name, struct gh_err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		FAIL(err, INVALID, "%s/%s: path is too long", dir, name);
	return GH_RC_OK;
}

static gh_rc listen_on(const char *path, unsigned mode, int *out, struct gh_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		FAIL(err, INVALID, "%s: a socket's path may have %zu bytes; choose a shorter --socket-dir", path,
		     sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		FAIL(err, IO, "socket: %s", strerror(errno));
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, (mode_t)mode) < 0
	    || listen(fd, LISTEN_BACKLOG) < 0) {
		gh_rc rc = gh_err_set(err, GH_E_IO, __FILE__, __LINE__, "%s: %s", path, strerror(errno));

		close(fd);
		return rc;
	}
	*out = fd;
	return GH_RC_OK;
}

/* One supervisor a socket directory: the lock falls with the process, however it ends. */
static gh_rc take_lock(struct supervisor *s, struct gh_err *err)
{
	char path[PATH_MAX], pid[32];

	TRY(join(path, s->o->socket_dir, "serve.pid", err));
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (s->lock_fd < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		FAIL(err, CONFLICT, "%s: another `gatehouse serve` is running here", path);
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(s->lock_fd, 0) < 0 || write(s->lock_fd, pid, strlen(pid)) < 0)
		FAIL(err, IO, "%s: %s", path, strerror(errno));
	return GH_RC_OK;
}

static void add_children(struct supervisor *s, enum role role, unsigned count)
{
	for (unsigned i = 0; i < count && s->n < CHILDREN_MAX; i++)
		s->children[s->n++] = (struct child){ .role = role, .index = i };
}

static void become_child(struct supervisor *s, const struct child *c)
{
	char path[PATH_MAX], index[16];
	int fd = s->listen_fd[c->role];

	sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (fd < 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || join(path, s->bin_dir, roles[c->role].program, NULL).code)
		_exit(127);              /* dup2 made a descriptor that survives exec */
	snprintf(index, sizeof(index), "%u", c->index);
	if (c->role == ROLE_GATEWAY)
		execl(path, roles[c->role].program, "--state", s->o->state_dir, "--worker", index, (char *)NULL);
	else
		execl(path, roles[c->role].program, "--state", s->o->state_dir, (char *)NULL);
	log_error("cannot start a program", KV_CSTR("program", path), KV_CSTR("error", strerror(errno)));
	_exit(127);
}

static void start_child(struct supervisor *s, struct child *c)
{
	pid_t pid = fork();

	if (pid == 0)
		become_child(s, c);
	c->started_us = clock_mono_us();
	if (pid < 0) {
		c->start_at_us = c->started_us + BACKOFF_MAX_MS * 1000;
		log_error("fork failed", KV_CSTR("error", strerror(errno)));
		return;
	}
	c->pid = pid;
	log_debug("started", KV_CSTR("program", roles[c->role].program), KV_INT("index", c->index), KV_INT("pid", pid));
}

static void plan_restart(struct supervisor *s, struct child *c, int status)
{
	int64_t now = clock_mono_us();
	bool asked = s->recycle < s->n && c == &s->children[s->recycle];

	if (asked || now - c->started_us >= STEADY_US)
		c->backoff_ms = 0;
	else
		c->backoff_ms = c->backoff_ms ? c->backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
	c->start_at_us = now + (int64_t)c->backoff_ms * 1000;
	if (s->stopping || asked)
		return;
	log_warn("a process ended and is started again", KV_CSTR("program", roles[c->role].program),
		 KV_INT("index", c->index), KV_INT("exit", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
		 KV_INT("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0), KV_INT("wait_ms", c->backoff_ms));
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < s->n; i++)
			if (s->children[i].pid == pid) {
				s->children[i].pid = 0;
				plan_restart(s, &s->children[i], status);
			}
}

static void signal_all(struct supervisor *s, int signo)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->children[i].pid)
			kill(s->children[i].pid, signo);
}

static bool any_running(const struct supervisor *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->children[i].pid)
			return true;
	return false;
}

static void recycle(struct supervisor *s, size_t i)
{
	s->recycle = i;
	s->recycle_us = clock_mono_us();
	if (i < s->n && s->children[i].pid)
		kill(s->children[i].pid, SIGTERM);
}

static void handle_signal(struct supervisor *s, uint32_t signo)
{
	switch (signo) {
	case SIGTERM:
	case SIGINT:
		if (s->stopping)
			break;
		s->stopping = true;
		s->kill_at_us = clock_mono_us() + (s->o->drain_ms + KILL_GRACE_MS) * 1000;
		log_info("draining");
		signal_all(s, SIGTERM);
		break;
	case SIGHUP:
		signal_all(s, SIGHUP);
		break;
	case SIGUSR1:
		recycle(s, 0);
		break;
	default:
		break;
	}
}

/* Starts what is due; returns how many ms poll may sleep, -1 for ever. */
static int start_due(struct supervisor *s)
{
	int64_t now = clock_mono_us(), next = INT64_MAX;

	for (size_t i = 0; i < s->n; i++) {
		struct child *c = &s->children[i];

		if (!c->pid && c->start_at_us <= now)
			start_child(s, c);
		if (!c->pid && c->start_at_us < next)
			next = c->start_at_us;
	}
	/* a rolling restart goes on once the child before runs anew */
	if (s->recycle < s->n && s->children[s->recycle].pid && s->children[s->recycle].started_us > s->recycle_us)
		recycle(s, s->recycle + 1);
	return next == INT64_MAX ? -1 : next <= now ? 1 : (int)((next - now) / 1000 + 1);
}

static int kill_due(struct supervisor *s)
{
	int64_t now = clock_mono_us();

	if (now >= s->kill_at_us && !s->killed) {
		log_warn("not drained in time, killing what is left");
		signal_all(s, SIGKILL);
		s->killed = true;
	}
	return s->killed ? -1 : (int)((s->kill_at_us - now) / 1000 + 1);
}

static gh_rc loop(struct supervisor *s, struct gh_err *err)
{
	struct pollfd p = { .fd = s->signal_fd, .events = POLLIN };
	struct signalfd_siginfo info;

	while (!s->stopping || any_running(s)) {
		if (poll(&p, 1, s->stopping ? kill_due(s) : start_due(s)) < 0 && errno != EINTR)
			FAIL(err, IO, "poll: %s", strerror(errno));
		while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			handle_signal(s, info.ssi_signo);
		reap(s);
	}
	return GH_RC_OK;
}

static gh_rc block_signals(struct supervisor *s, struct gh_err *err)
{
	static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_LEN(handled); i++)
		sigaddset(&mask, handled[i]);
	if (sigprocmask(SIG_BLOCK, &mask, &s->old_mask) < 0)
		FAIL(err, IO, "sigprocmask: %s", strerror(errno));
	s->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signal_fd < 0)
		FAIL(err, IO, "signalfd: %s", strerror(errno));
	return GH_RC_OK;
}

/* The web server, another account, has to reach the sockets, whatever the umask is. */
static gh_rc make_socket_dir(struct supervisor *s, struct gh_err *err)
{
	mode_t old = umask(0022);
	gh_rc rc = file_make_dirs(s->o->socket_dir, 0755, err);

	umask(old);
	return rc;
}

/* What workers of an earlier time told of themselves (core/loop_lag.h): their numbers may be those of other processes by now. */
static void forget_workers(const struct supervisor *s)
{
	char path[PATH_MAX], name[40];

	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		snprintf(name, sizeof(name), "run/gateway-%u.json", i);
		if (!join(path, s->o->state_dir, name, NULL).code)
			unlink(path);
	}
}

static gh_rc prepare(struct supervisor *s, struct gh_err *err)
{
	char path[PATH_MAX];

	TRY(find_programs(s, err));
	for (unsigned r = 0; r < ROLE__COUNT; r++) {
		TRY(join(path, s->bin_dir, roles[r].program, err));
		if (access(path, X_OK) < 0)
			FAIL(err, NOT_FOUND, "%s: %s", path, strerror(errno));
	}
	TRY(make_socket_dir(s, err));
	TRY(take_lock(s, err));
	forget_workers(s);
	for (unsigned r = 0; r < ROLE__COUNT; r++)
		if (roles[r].socket) {
			TRY(join(path, s->o->socket_dir, roles[r].socket, err));
			TRY(listen_on(path, s->o->socket_mode, &s->listen_fd[r], err));
		}
	return block_signals(s, err);
}

static void release(struct supervisor *s)
{
	char path[PATH_MAX];

	for (unsigned r = 0; r < ROLE__COUNT; r++)
		if (s->listen_fd[r] >= 0) {
			close(s->listen_fd[r]);
			if (!join(path, s->o->socket_dir, roles[r].socket, NULL).code)
				unlink(path);
		}
	if (s->signal_fd >= 0) {
		close(s->signal_fd);
		sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	}
	if (s->lock_fd >= 0)
		close(s->lock_fd);
}

gh_rc supervisor_run(const struct supervisor_options *o, struct gh_err *err)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	gh_rc rc;

	if (!s)
		FAIL(err, NOMEM, "no memory for the supervisor");
	s->o = o;
	s->lock_fd = s->signal_fd = -1;
	s->recycle = CHILDREN_MAX;
	for (unsigned r = 0; r < ROLE__COUNT; r++)
		s->listen_fd[r] = -1;
	add_children(s, ROLE_GATEWAY, o->gateways);
	add_children(s, ROLE_PORTAL, o->portals);
	add_children(s, ROLE_ADMIN, o->admins);
	add_children(s, ROLE_KEEPER, o->keeper ? 1 : 0);
	rc = prepare(s, err);
	if (!rc.code) {
		log_info("serving", KV_CSTR("sockets", o->socket_dir), KV_INT("gateways", o->gateways));
		rc = loop(s, err);
	}
	release(s);
	free(s);
	return rc;
}
