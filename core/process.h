/* process.h - other processes of this machine. */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether a process of that number runs, of whomever. The system gives numbers out again: right for programs whose notes are taken
 * away or written anew before that is likely. The first of a container has the number 1. */
static inline bool process_runs(int64_t pid)
{
	return pid > 0 && pid <= INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno != ESRCH);
}
