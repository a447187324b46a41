/* password_rule.h - how long a password is at least, whoever sets it and however: web.password_min characters. */
#pragma once

#include "db/store.h"

size_t password_characters(struct str password);
/* The setting of the installation that the store belongs to. */
GH_RC password_least(struct store *s, struct arena *a, int64_t *out, struct gh_err *err);
