/* Work in a child process: its answer comes whole or not at all, and it ends with its parent. */
#include "tests/unit/check.h"

#include "policy/apart.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOON_MS = 60000 };

static bool says(void *ctx, int fd)
{
	const struct str *text = ctx;

	return write(fd, text->p, text->n) == (ssize_t)text->n;
}

static bool says_no(void *ctx, int fd)
{
	return says(ctx, fd) && false;
}

static bool dies(void *ctx, int fd)
{
	return says(ctx, fd) && kill(getpid(), SIGKILL) == 0;
}

static bool lasts(void *ctx UNUSED, int fd UNUSED)
{
	volatile bool on = true;

	while (on)
		;
	return true;
}

static void answers(void **state UNUSED)
{
	static char large[APART_ANSWER_MAX];
	const struct {
		const char *label;
		bool (*work)(void *ctx, int fd);
		struct str said;
		bool whole;
	} rows[] = {
		{ "an answer", says, STR("yes"), true },
		{ "an empty one", says, STR(""), true },
		{ "the largest", says, { large, sizeof(large) - 2 }, true },
		{ "one that is too large", says, { large, sizeof(large) }, false },
		{ "it could not", says_no, STR("half"), false },
		{ "it died before its first word", dies, STR(""), false },
		{ "it died in the middle", dies, STR("half"), false },
		{ "it does not end", lasts, STR(""), false },
	};
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str said = rows[i].said, got;
		bool whole = apart(a, 0, rows[i].work, &said, &got);

		CHECK_INT(rows[i].label, whole, rows[i].whole);
		CHECK_STR(rows[i].label, got, rows[i].whole ? rows[i].said : STR(""));
		CHECK_INT("nobody is left behind", waitpid(-1, NULL, WNOHANG), -1);
	}
	arena_free(a);
	check_done();
}

/* Tells who it is, and waits for nothing. */
static bool stays(void *ctx, int fd UNUSED)
{
	pid_t me = getpid();

	for (bool told = write(*(int *)ctx, &me, sizeof(me)) > 0; told;)
		pause();
	return false;
}

static void ends_with_its_parent(void **state UNUSED)
{
	struct arena *a = arena_new(1 << 20);
	struct pollfd alive = { .events = POLLIN };
	pid_t parent, child = 0;
	struct str answer;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	parent = fork();
	if (parent == 0) {
		close(ends[0]);
		_exit(apart(a, 0, stays, &ends[1], &answer));
	}
	close(ends[1]);
	alive.fd = ends[0];
	assert_int_equal(read(ends[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	CHECK_INT("its end of the pipe is closed", poll(&alive, 1, SOON_MS), 1);
	if (check_failures)
		kill(child, SIGKILL);
	close(ends[0]);
	arena_free(a);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(answers), cmocka_unit_test(ends_with_its_parent) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
