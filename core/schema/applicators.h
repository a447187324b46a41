/* applicators.h - handlers of the keywords that hand a value or its parts to other schemas; rows of schema_keywords. */
#pragma once

#include "core/schema/schema.h"

#define SCHEMA_COMPILE(name) \
	GH_RC name(struct compiler *c, struct node *n, json_t *value, void **data, bool *keep, struct gh_err *err)
#define SCHEMA_CHECK(name) bool name(struct check *k, const struct node *n, const struct rule *r, const json_t *value)

/* Nodes of a list or an object of schemas: *data is a struct node_list *. */
GH_RC schema_list_of(struct compiler *c, struct node *n, json_t *value, const char *keyword, void **data, struct gh_err *err);
GH_RC map_of(struct compiler *c, struct node *n, json_t *value, const char *keyword, void **data, struct gh_err *err);

SCHEMA_COMPILE(compile_ref);
SCHEMA_COMPILE(compile_dynamic_ref);
SCHEMA_COMPILE(compile_recursive_ref);
SCHEMA_COMPILE(compile_prefix);
SCHEMA_COMPILE(compile_items);
SCHEMA_COMPILE(compile_additional_items);
SCHEMA_COMPILE(compile_contains);
SCHEMA_COMPILE(compile_schema_map);
SCHEMA_COMPILE(compile_schema_list);
SCHEMA_COMPILE(compile_dependencies);
SCHEMA_COMPILE(compile_properties);
SCHEMA_COMPILE(compile_pattern_properties);
SCHEMA_COMPILE(compile_additional);
SCHEMA_COMPILE(compile_one);
SCHEMA_COMPILE(compile_if);
SCHEMA_COMPILE(compile_unevaluated);

SCHEMA_CHECK(check_ref);
SCHEMA_CHECK(check_dynamic_ref);
SCHEMA_CHECK(check_recursive_ref);
SCHEMA_CHECK(check_prefix);
SCHEMA_CHECK(check_items);
SCHEMA_CHECK(check_additional_items);
SCHEMA_CHECK(check_contains);
SCHEMA_CHECK(check_dependent_schemas);
SCHEMA_CHECK(check_dependencies);
SCHEMA_CHECK(check_properties);
SCHEMA_CHECK(check_pattern_properties);
SCHEMA_CHECK(check_additional);
SCHEMA_CHECK(check_property_names);
SCHEMA_CHECK(check_all_of);
SCHEMA_CHECK(check_any_of);
SCHEMA_CHECK(check_one_of);
SCHEMA_CHECK(check_not);
SCHEMA_CHECK(check_if);
SCHEMA_CHECK(check_unevaluated_items);
SCHEMA_CHECK(check_unevaluated_properties);

/* Are all `needed` names in the object? `name` is the property that asks for them. */
bool check_dependent_names(struct check *k, const struct node *n, const struct rule *r, const json_t *v, const char *name,
			   const json_t *needed);
