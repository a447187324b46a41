/* kong_prepare.h - decK's file before it is read: what stands for many, and what stands apart, is put where it counts. For
 * config/import/ only. */
#pragma once

#include "config/import/bundle.h"

/* Puts `_info.defaults` and `_plugin_configs` in, and credentials and groups that stand beside the consumers into them.
 * Credentials that are no secrets go, with a row of the report. INVALID: a plugin names a config that is not there. */
GH_RC kong_prepare(struct bundle *b, json_t *doc, struct gh_err *err);
/* Whether a text stands for a value that the file does not have: $NAME, ${NAME}, ${{ env "NAME" }}, {vault://...}. */
bool kong_is_variable(struct str text);
