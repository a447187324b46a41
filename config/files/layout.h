/* layout.h - where an export puts a resource. For config/files/ only. */
#pragma once

#include "config/files/set.h"

/* What owns a resource ("api" orders; STR_NULL: nobody), and the rest of its id ("get-order"). */
struct layout_owner {
	const char *kind;                /* "api", "product" */
	struct str id, rest;
};
struct layout_owner layout_owner(const struct resource_kind *k, const json_t *doc);

/* The YAML file of the resource; several resources may share one. STR_NULL when out of memory. */
struct str layout_file(struct arena *a, const struct resource_kind *k, const json_t *doc);
/* The file of a text that stands apart, in the same folder. */
struct str layout_text_file(struct arena *a, const struct resource_kind *k, const json_t *doc, const struct resource_field *f,
			    struct str text);
