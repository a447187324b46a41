/* jsonschema.h - JSON Schema: compile once, validate often.
 *
 * Dialects: draft 4, draft 6, draft 7, 2019-09, 2020-12 (which OpenAPI 3.1 uses), and the two of OpenAPI 3.0 and Swagger
 * 2.0: `nullable`, boolean `exclusiveMinimum`, siblings of "$ref" ignored, `readOnly` and `writeOnly` by direction.
 * "$schema" inside a document chooses among the drafts.
 *
 * Compiling resolves every reference, compiles every pattern (PCRE2, with a match limit, so a hostile pattern costs a bound
 * and not a minute) and indexes properties. A compiled schema is immutable and may be used by several threads.
 * Bounded: depth of instance and schema, number of errors, steps of one validation. */
#pragma once

#include "core/json.h"

enum jsonschema_dialect {
	JSONSCHEMA_2020_12, JSONSCHEMA_2019_09, JSONSCHEMA_DRAFT_7, JSONSCHEMA_DRAFT_6, JSONSCHEMA_DRAFT_4,
	JSONSCHEMA_OPENAPI_3_0, JSONSCHEMA_OPENAPI_3_1
};

enum jsonschema_direction { JSONSCHEMA_ANY_WAY, JSONSCHEMA_REQUEST, JSONSCHEMA_RESPONSE };

struct jsonschema;

/* Documents that references may lead to, besides the one at hand. NULL from find: there is none. */
struct jsonschema_source {
	json_t *(*find)(void *self, struct str uri);     /* borrowed; must outlive the compiled schema */
	void *self;
};

struct jsonschema_options {
	enum jsonschema_dialect dialect;         /* when the document names none in "$schema" */
	bool formats;                            /* `format` is asserted, not just noted */
	enum jsonschema_direction direction;     /* OpenAPI: readOnly in requests, writeOnly in responses are not required */
	bool closed;                             /* additionalProperties false for every object that names properties, also
	                                            where it says true */
	bool open;                               /* additionalProperties and unevaluatedProperties false are passed over */
	bool ignore_case;                        /* of property names, in ASCII */
	struct str base_uri;                     /* of the document; STR_NULL: none */
	const struct jsonschema_source *source;
};

/* Compiles the schema that stands at `pointer` ("" for the whole) in the document, which is kept alive by a reference.
 * On failure the message names the place in the schema. Free with jsonschema_free. */
GH_RC jsonschema_new(struct jsonschema **out, json_t *document, struct str pointer,
		     const struct jsonschema_options *options, struct gh_err *err);
void jsonschema_free(struct jsonschema *s);

#define JSONSCHEMA_MAX_DEPTH 1000u         /* of nested checks: each level of a value costs one and each reference on the way */
#define JSONSCHEMA_MAX_STEPS 10000000u   /* of one validation: keywords looked at */

struct jsonschema_error {
	struct str instance;             /* JSON Pointer into the value */
	struct str schema;               /* JSON Pointer into the schema document, the keyword included */
	struct str keyword;              /* "required" */
	struct str path;                 /* as .NET writes it: "items[0].name" */
	struct str message;              /* "Required properties are missing from object: id, name." */
};

struct jsonschema_result {
	bool valid;
	bool gave_up;                    /* a limit was reached: not valid, and the errors may be incomplete */
	struct jsonschema_error *errors; /* in the arena, at most max_errors */
	size_t n_errors;
};

/* max_errors 0: only *out->valid is wanted, which is the fastest. LIMIT or NOMEM only when the arena is exhausted. */
GH_RC jsonschema_validate(const struct jsonschema *s, const json_t *value, struct arena *a, size_t max_errors,
			  struct jsonschema_result *out, struct gh_err *err);

/* Whether text has a named format ("date-time", "email", "uuid" …); a name that is not known is always true. */
bool jsonschema_format(struct str format, struct str text);
