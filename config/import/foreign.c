/* foreign.c - whose configuration a file is. */
#include "config/import/foreign.h"

#include "core/str.h"
#include "core/yaml.h"

/* An operation of a description with an extension of Amazon's in it. */
static bool is_aws(const json_t *doc)
{
	const json_t *paths = jsn_obj(doc, "paths");
	const char *path, *method;
	json_t *item, *operation;

	if (!jsn_get(doc, "openapi") && !jsn_get(doc, "swagger"))
		return false;
	json_object_foreach((json_t *)(uintptr_t)paths, path, item)
		json_object_foreach(item, method, operation)
			if (jsn_get(operation, "x-amazon-apigateway-integration"))
				return true;
	return false;
}

static bool is_kong(const json_t *doc)
{
	return !jsn_get(doc, "openapi") && !jsn_get(doc, "swagger") && jsn_get(doc, "_format_version");
}

enum foreign import_foreign_of(struct arena *a, struct str text)
{
	struct text_where at = { 0, 0 };
	struct gh_err err;
	json_t *doc;

	/* most texts are neither, and are not read twice */
	if (str_find(text, STR("x-amazon-apigateway-integration")) == SIZE_MAX && str_find(text, STR("_format_version")) == SIZE_MAX)
		return FOREIGN_NONE;
	if (yaml_or_json_parse(text, FILES_ONE_MAX, &doc, &at, &err).code || !jsn_keep(a, doc))
		return FOREIGN_NONE;
	return is_aws(doc) ? FOREIGN_AWS : is_kong(doc) ? FOREIGN_KONG : FOREIGN_NONE;
}
