#include "policy/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 10 };       /* between two looks at the child's clock */

/* Ends an answer: one without it is of a child that died in the middle of its work. */
static const char end_mark = '\4';

static uint64_t ns_of(clockid_t clock)
{
	struct timespec t = { 0 };

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Reads until the child has closed its end. False: its time is over. */
static bool listen_to(pid_t child, int fd, uint64_t cpu_ns, char *to, size_t *n)
{
	uint64_t until = ns_of(CLOCK_MONOTONIC) + APART_WALL_MS * UINT64_C(1000000);
	clockid_t clock;
	bool clocked = clock_getcpuclockid(child, &clock) == 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got = poll(&p, 1, LOOK_MS) > 0 ? read(fd, to + *n, APART_ANSWER_MAX - *n) : -1;

		if (got == 0)
			return true;
		if (got > 0)
			*n += (size_t)got;
		if (*n == APART_ANSWER_MAX || ns_of(CLOCK_MONOTONIC) > until || (clocked && ns_of(clock) > cpu_ns))
			return false;
	}
}

/* Ends with its parent: a worker that is killed leaves nobody behind who works on, with its connections in hand. */
static _Noreturn void be_child(pid_t parent, int fd, bool (*work)(void *ctx, int fd), void *ctx)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent || !work(ctx, fd) || write(fd, &end_mark, 1) != 1)
		_exit(1);
	_exit(0);
}

bool apart(struct arena *a, size_t input, bool (*work)(void *ctx, int fd), void *ctx, struct str *answer)
{
	uint64_t cpu_ns = APART_CPU_MS * UINT64_C(1000000) + APART_CPU_NS_A_BYTE * (uint64_t)input;
	char *text = arena_alloc_text(a, APART_ANSWER_MAX);
	pid_t parent = getpid(), child;
	int ends[2];
	size_t n = 0;
	bool whole;

	if (!text || pipe2(ends, O_CLOEXEC))
		return false;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		be_child(parent, ends[1], work, ctx);
	}
	close(ends[1]);
	whole = child > 0 && listen_to(child, ends[0], cpu_ns, text, &n);
	close(ends[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	whole = whole && n && text[n - 1] == end_mark;
	*answer = (struct str){ text, whole ? n - 1 : 0 };
	return whole;
}
