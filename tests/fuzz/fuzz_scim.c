/* SCIM filters and PATCH. The input is a filter, a line break, and a PATCH document. Properties: a filter that was read can be
 * asked of a resource, "not (f)" says the opposite, and a patched resource is still an object whose id is untouched. */
#include "core/str.h"
#include "portal/admin/scim_path.h"

#include <stdio.h>
#include <stdlib.h>

#define MUST(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char user[] = "{\"id\":\"7\",\"userName\":\"Ada@Example.com\",\"active\":true,\"name\":{\"givenName\":\"Ada\"},\"emails\":["
			   "{\"value\":\"ada@example.com\",\"type\":\"work\",\"primary\":true},{\"value\":\"a@home.example\",\"type\":\"home\"}],"
			   "\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":{\"department\":\"Engines\"}}";

static void filter(struct arena *a, struct str text, const json_t *resource)
{
	const struct scim_filter *f, *opposite;
	struct str negated = arena_printf(a, "not (%.*s)", STR_ARG(text));

	if (scim_filter_parse(a, text, &f, NULL).code)
		return;
	if (negated.n > SCIM_FILTER_MAX || scim_filter_parse(a, negated, &opposite, NULL).code)
		return;                                  /* one part or level more may be too much */
	MUST(scim_filter_matches(f, resource) != scim_filter_matches(opposite, resource));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(16 << 20);
	struct str rest = { (const char *)data, size }, line = STR("");
	json_t *resource = NULL, *patch = NULL;

	MUST(a && !jsn_parse_in(a, STR(user), NULL, &resource, NULL, NULL).code);
	str_split(&rest, '\n', &line);
	filter(a, line, resource);
	if (rest.n && !jsn_parse_in(a, rest, NULL, &patch, NULL, NULL).code) {
		scim_patch(a, resource, patch, NULL);
		MUST(json_is_object(resource) && str_eq(jsn_str(resource, "id"), STR("7")));
		filter(a, line, resource);
	}
	arena_free(a);
	return 0;
}
