/* schemas.h - JSON Schemas and XML Schemas by id, for validate-content. Whoever saves one has compiled it first (the store
 * does not know what a schema is). */
#pragma once

#include "db/store.h"

enum store_schema_kind { STORE_SCHEMA_JSON, STORE_SCHEMA_XML };

enum { STORE_SCHEMA_MAX = 4 * 1024 * 1024 };             /* bytes of one */

struct store_schema {
	struct str id;                   /* letters, digits, '.', '_' and '-' */
	int64_t kind;                    /* enum store_schema_kind */
	struct str description;
	struct str bytes;
	int64_t changed_us;
};

GH_RC store_schema_set(struct store *s, const struct store_schema *schema, struct gh_err *err);      /* makes or replaces */
GH_RC store_schema_delete(struct store *s, struct str id, struct gh_err *err);
GH_RC store_schema_find(struct store *s, struct arena *a, struct str id, struct store_schema *out, bool *found, struct gh_err *err);
GH_RC store_schemas(struct store *s, struct arena *a, struct store_schema **out, size_t *n, struct gh_err *err);
