/* common.h - what measurements of the store and of the spool have in common. */
#pragma once

#include "core/error.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A number below `below`, the same ones in each run. */
static inline uint32_t chance(uint32_t below)
{
	static uint64_t seed = 7;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* Ends the program with the reason when something failed. */
static inline void must(gh_rc rc, const struct gh_err *err)
{
	if (!rc.code)
		return;
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, err->message);
	exit(1);
}
