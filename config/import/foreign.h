/* foreign.h - imports of other gateways' configuration, each from one file. */
#pragma once

#include "config/import/bundle.h"

/* decK's YAML or JSON (_format_version 1.1 to 3.0): services and routes become APIs, upstreams pools, plugins policies, consumers are
 * reported with what makes them here. */
GH_RC import_kong(struct bundle *b, struct str text, struct text_where *where, struct gh_err *err);
