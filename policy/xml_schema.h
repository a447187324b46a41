/* xml_schema.h - XML Schema (XSD 1.0) for validate-content. Nothing is fetched: imports and includes of a schema fail.
 */
#pragma once

#include "core/arena.h"
#include "core/error.h"

/* *valid, and *why when it is not (with line). With `soap` the content of the SOAP body is validated. SYNTAX when the
 * schema is wrong. */
GH_RC xml_schema_check(struct arena *a, struct str schema, struct str xml, bool soap, bool *valid, struct str *why,
		       struct gh_err *err);
