/* api_model.h - the description of an API as mock-response and the validate family use it: parsed once, its schemas
 * compiled when they are first needed and then kept.
 *
 * Whoever builds a configuration makes one for each API whose policies need it (struct policy_uses.api_model) and frees
 * it when the last exchange of that configuration has ended. Several threads may use one at once. */
#pragma once

#include "core/openapi.h"
#include "policy/schema_forms.h"

struct ctx_operation;
struct api_model;

enum { API_MODEL_MEMORY_MAX = 512 * 1024 * 1024 };

GH_RC api_model_new(struct api_model **out, struct str document, struct gh_err *err);
void api_model_free(struct api_model *m);            /* NULL is fine */

const struct openapi *api_model_openapi(const struct api_model *m);
/* The operation of the description that an exchange's operation stands for, or NULL. */
const struct openapi_operation *api_model_operation(const struct api_model *m, const struct ctx_operation *op);

/* The compiled form of a schema of the model (a media type's or a parameter's). NULL with a message when it does not
 * compile. */
const struct jsonschema *api_model_schema(struct api_model *m, json_t *schema, const struct schema_choice *choice,
					  struct gh_err *err);
