/* foreign.h - imports of other gateways' configuration, each from one file. */
#pragma once

#include "config/import/bundle.h"

enum foreign { FOREIGN_NONE, FOREIGN_AWS, FOREIGN_KONG };
/* Whose configuration a text is, by the members that stand where only such a file has them; a description that merely speaks of them is
 * nobody's. FOREIGN_NONE too for what cannot be read. */
enum foreign import_foreign_of(struct arena *a, struct str text);

/* An OpenAPI 3 or Swagger 2 export of Amazon API Gateway with x-amazon-apigateway-* extensions (REST and HTTP APIs). HTTP integrations
 * become backends and rewrites, mock integrations answers, authorizers validate-jwt, API keys and usage plans a product. Mapping
 * templates, Lambda and other AWS integrations are reported. `id` and `path` empty: made from the document. */
GH_RC import_aws(struct bundle *b, struct str text, struct str id, struct str path, struct text_where *where, struct gh_err *err);

/* decK's YAML or JSON (_format_version 1.1 to 3.0); `name` tells this gateway from others: the product of its keys, its
 * subscriptions and keys of tokens are called after it. Empty: the control plane or workspace that the file names, else
 * "kong". Services and routes become APIs, upstreams pools, plugins policies, consumers are reported with what makes them
 * here. */
GH_RC import_kong(struct bundle *b, struct str text, struct str name, struct text_where *where, struct gh_err *err);
