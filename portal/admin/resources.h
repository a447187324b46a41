/* resources.h - between the pages that list and change resources of the configuration. Their fields, hints and rules are those
 * of config/resource.h; nothing about a single kind stands here. */
#pragma once

#include "config/resource.h"
#include "portal/admin/admin.h"

/* `fields` of the page: a record for each field with its value out of `doc` (NULL: a new one, all defaults) and its problem. What
 * is wrong with no field in particular goes into `problems`. */
struct resource_view {
	const struct resource_kind *kind;
	const json_t *doc;
	bool is_new, may_change;
	const struct resource_problem *problems;
	size_t n_problems;
};
GH_RC resource_form_put(struct web *w, const struct resource_view *view, struct gh_err *err);
/* The document that the form says. `before` (NULL: a new one) has what the form does not carry. */
json_t *resource_form_read(struct web *w, const struct resource_kind *k, const json_t *before);

web_handler admin_resources, admin_resource, admin_resource_act;
