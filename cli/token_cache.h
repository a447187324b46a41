/* token_cache.h - the workers' cache of tokens for backends, for commands that look at it. */
#pragma once

#include "cli/command.h"
#include "core/tokens.h"

/* *out NULL: there is no cache yet, so no token either. Close it with tokens_close. */
GH_RC token_cache_open(struct cli *c, struct tokens **out, struct gh_err *err);
