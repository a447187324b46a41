/* sample_schema.h - a JSON Schema (2020-12, as OpenAPI 3.1 has it) of which given values are instances. Values themselves are
 * not kept: recordings hold other people's data. */
#pragma once

#include "core/json.h"

/* Of one value. Owned by the caller; NULL when out of memory. */
json_t *sample_schema(const json_t *value);
/* Of one text, as it stands in an address or a form: a number, boolean or text. */
json_t *sample_schema_text(struct str text);
/* Takes both, gives the schema of what is an instance of either: types become a list, a property that is missing on one side
 * is not required. Either may be NULL; then the other comes back. */
json_t *sample_schema_merge(json_t *a, json_t *b);
