/* parameter_value.h - parameters and headers as OpenAPI writes them: the text of a request becomes a JSON value that a
 * schema can judge. OpenAPI 3.1.0, section 4.8.12: the styles matrix, label, simple, form, spaceDelimited, pipeDelimited and
 * deepObject, exploded or not, and Swagger 2.0's tsv.
 *
 * Numbers and truth values are read where the schema asks for them, also inside lists and objects. */
#pragma once

#include "core/openapi.h"
#include "policy/message.h"

enum parameter_shape { PARAMETER_ONE, PARAMETER_LIST, PARAMETER_OBJECT };

/* What the schema asks for, through references and compositions. */
enum parameter_shape parameter_shape(const struct openapi *o, json_t *schema);

/* The parts of a query that belong to a parameter: by its own name, "name[property]" or, exploded, by its properties'
 * names. Values stay percent-encoded. False: out of memory. */
bool parameter_collect(struct arena *a, const struct openapi *o, const struct openapi_parameter *p, struct str query,
		       struct fields *out) MUST_USE;
/* Is a (decoded) name of the query a part of this parameter? */
bool parameter_claims(const struct openapi *o, const struct openapi_parameter *p, struct str name);

/* The value of what was collected, owned by the arena. `encoded`: percent-escapes are undone after the parts are told
 * apart. NULL: the text cannot be read so, or memory is out. */
json_t *parameter_value(struct arena *a, const struct openapi *o, const struct openapi_parameter *p, const struct fields *texts,
			bool encoded);
