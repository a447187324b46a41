/* own_disk.h - a small disk of its own for the child of a test, so that one may fill it. */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_ALLOWED = 77 };                   /* what a child ends with where nobody may mount */

/* False where that is not allowed. It goes with the process. */
static bool own_disk(const char *dir, const char *options)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
	       && mount("tmpfs", dir, "tmpfs", 0, options) == 0;
}

/* Writes until not a byte is free. */
static inline void fill_disk(const char *dir)
{
	static const char block[65536];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/filler", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	for (size_t n = sizeof(block); n; n /= 2)
		while (write(fd, block, n) == (ssize_t)n)
			;
	close(fd);
}

/* What the child said: 0 fine, NOT_ALLOWED, else a failure. */
static int in_child(int (*f)(void *), void *arg)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(f(arg));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
