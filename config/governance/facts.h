/* facts.h - the instance's configuration around one API as a document that rules look into. docs/governance.md describes it:
 *
 *     api             as the management API shows it, so that every field has one name everywhere
 *     environment     the same; products: those that open it, each with hasLimits
 *     operations      id, name, method, uriTemplate, description, authentication and limits that hold for each
 *     description     present
 *     lifecycle       state, sunset, products and operations (how many)
 *     authentication  key, accessRule, policies, conditional, unprotected (ids of operations that anybody may call)
 *     limits          policies, unlimited (ids of operations that may be called without end)
 *     backends        address, tls, local, verifyTls, verifyName, place
 *     network         httpsOnly
 *     policies        documents that act on its calls: scope, elements (name, parent, section, line, attributes, text), secrets
 *
 * What many APIs share (products, backends, fragments, the global policy) is read once. */
#pragma once

#include "config/governance/rule.h"
#include "db/apis.h"

struct facts;

/* `a` must outlive it and holds what is shared. The store is read as it is then; see the same state by store_read_begin. */
GH_RC facts_new(struct arena *a, struct store *s, struct facts **out, struct gh_err *err);
/* Everything about one API, in the arena `a`. */
GH_RC facts_of(struct facts *f, struct arena *a, const struct store_api *api, struct governance_subject *out, struct gh_err *err);
