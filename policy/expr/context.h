/* context.h - private to the `context` object model: wrappers that point into the exchange. */
#pragma once

#include "policy/context.h"
#include "policy/expr/vm.h"

struct wrapper {                     /* every object of the model */
	struct object head;
	const void *p;
};

struct value context_object(struct vm *vm);
/* An object of cls around p; null when p is. */
bool context_give(struct vm_call *c, const struct value_class *cls, const void *p);

/* What nearly every expression walks through is made once for an exchange. */
enum context_part { PART_CONTEXT, PART_REQUEST, PART_RESPONSE, PART_VARIABLES, PART_REQUEST_HEADERS, PART_RESPONSE_HEADERS,
		    PART_URL, PART_ORIGINAL_URL, PART_SUBSCRIPTION, PART__COUNT };
struct context_parts {
	struct wrapper v[PART__COUNT];       /* p NULL: not made yet */
};
/* As context_give; the one that was made before when it is around the same p. */
bool context_give_part(struct vm_call *c, enum context_part part, const struct value_class *cls, const void *p);
static inline const void *context_self(const struct vm_call *c)
{
	return ((const struct wrapper *)(const void *)c->self.object)->p;
}
bool context_text(struct vm_call *c, struct str s);          /* STR_NULL gives "" */

extern struct value_class class_context, class_request, class_response, class_url, class_headers, class_body, class_variables,
	class_api, class_operation, class_product, class_subscription, class_user, class_deployment, class_workspace,
	class_last_error, class_gateway, class_group, class_identity, class_backend, class_graphql, class_key_names,
	class_sustainability, class_private_endpoint, class_foundry, class_product_state, class_backend_type, class_authorization,
	class_certificates, class_context_extensions;
