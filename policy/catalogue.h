/* catalogue.h - what policies there are, as data for programs: `gatehouse policy docs --format json` and the editor of the
 * dashboard. It comes from the tables that documents are checked by, so it cannot differ from what is accepted. */
#pragma once

#include "core/buf.h"
#include "policy/element.h"

/* One policy: {"name", "sections", "scopes", "notLive", "holdsPolicies", "help", "attributes", "text", "children"}. */
void policy_type_json(struct buf *b, const struct policy_type *t);
