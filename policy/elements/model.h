/* model.h - the API's description for the policies that read it. */
#pragma once

#include "policy/api_model.h"
#include "policy/element.h"

/* The description of the exchange's API, or NULL. */
struct api_model *model_of(struct exchange *x);
/* The operation of the description; NULL when there is no description or it does not name the operation. */
const struct openapi_operation *model_operation(struct exchange *x, struct api_model **m);
bool compile_uses_model(struct compiler *c);         /* true */
