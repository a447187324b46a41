/* apart.h - work of a library that cannot be stopped, done in a child process that can.
 *
 * libxml2 has no limit on what an ambiguous pattern or content model of an XML Schema costs. A body that meets one is
 * validated in a child: it has the same memory as it was at the fork, answers through a pipe, and is killed when its
 * processor time is over. The caller waits for it, as it would for the work itself. */
#pragma once

#include "core/arena.h"

enum {
	APART_CPU_MS = 60,           /* as much as an expression may take, and for each byte of input: */
	APART_CPU_NS_A_BYTE = 100,
	APART_WALL_MS = 2000,        /* a machine that is busy */
	APART_ANSWER_MAX = 64 * 1024,
};

/* Runs work in a child with a pipe to write its answer to, less than APART_ANSWER_MAX bytes. *answer in the arena. False: it said
 * false, was stopped, died before its end, or there can be no child. `input`: bytes that are worked on. */
bool apart(struct arena *a, size_t input, bool (*work)(void *ctx, int fd), void *ctx, struct str *answer) MUST_USE;
