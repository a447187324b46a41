/* openapi_read.h - what the files that build a struct openapi share. Not for others.
 *
 * Out of memory is sticky: a reader function that cannot go on sets r->failed and returns; openapi_parse asks once. */
#pragma once

#include "core/openapi.h"

struct reader {
	struct arena *a;
	struct openapi *o;
	struct buf at;                   /* JSON Pointer of the object being read */
	struct openapi_warning *warnings;
	size_t n_warnings, n_left_out;
	bool failed;
};

/* at_enter appends a step to r->at and returns what at_leave needs to take it back. */
size_t at_enter(struct reader *r, struct str name);
size_t at_enter_index(struct reader *r, size_t index);
void at_leave(struct reader *r, size_t before);

void warn(struct reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);     /* about r->at */
/* Warns of members that are neither known nor extensions ("x-…"). known ends with NULL. */
void warn_unknown(struct reader *r, const json_t *obj, const char *const *known);

void *take(struct reader *r, size_t n, size_t size);     /* zeroed; NULL and r->failed when there is no room */
#define TAKE(r, n, type) ((type *)take((r), (n), sizeof(type)))

/* The object that v stands for, references followed; NULL (and a warning) when that is none. */
json_t *deref(struct reader *r, json_t *v);

/* A list of texts; *n of them. Members of other types are warned of. */
const struct str *read_texts(struct reader *r, const json_t *arr, size_t *n);
struct str read_text(struct reader *r, const json_t *obj, const char *name);     /* warns when it is no text */

void read_servers(struct reader *r, const json_t *owner, const struct openapi_server **out, size_t *n);
void read_schemes(struct reader *r, const json_t *schemes);
void read_security(struct reader *r, const json_t *owner, const struct openapi_requirement **out, size_t *n);
void read_paths(struct reader *r, json_t *paths);

/* *media and *examples of a content object (3.x). */
void read_content(struct reader *r, json_t *content, const struct openapi_media **media, size_t *n);
void read_examples(struct reader *r, const json_t *owner, const struct openapi_example **out, size_t *n);
void read_parameter(struct reader *r, json_t *v, struct openapi_parameter *out);
void read_parameters(struct reader *r, json_t *path_item, json_t *operation, struct openapi_operation *op);
void read_header(struct reader *r, struct str name, json_t *v, struct openapi_parameter *out);
bool in_of(struct str name, enum openapi_in *in);

/* Swagger 2.0 */
void v2_parameter_schema(struct reader *r, json_t *v, struct openapi_parameter *out);
void v2_body(struct reader *r, json_t *path_item, json_t *operation, struct openapi_operation *op);
void v2_response(struct reader *r, json_t *operation, json_t *v, struct openapi_response *out);
void v2_servers(struct reader *r);
