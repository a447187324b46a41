/* A schema compiles or is refused with a message; validating ends, and with and without messages the answer is the same;
 * the value that an error speaks of is found in the text. Input: a schema, a line feed pair, a value. */
#include "core/jsonschema.h"
#include "core/str.h"

#include <stdlib.h>

static void one(json_t *schema, json_t *value, struct str text, bool closed)
{
	const struct jsonschema_options options = { .dialect = closed ? JSONSCHEMA_OPENAPI_3_0 : JSONSCHEMA_2020_12,
						    .formats = true, .closed = closed, .ignore_case = closed };
	struct jsonschema_result loud, silent;
	struct arena *a = arena_new(1 << 22);
	struct gh_err err = { 0 };
	struct jsonschema *s;

	if (jsonschema_new(&s, schema, STR(""), &options, &err).code) {
		if (!err.message[0])
			abort();
		arena_free(a);
		return;
	}
	if (jsonschema_validate(s, value, a, 20, &loud, NULL).code || jsonschema_validate(s, value, a, 0, &silent, NULL).code)
		abort();
	if (!loud.gave_up && !silent.gave_up && loud.valid != silent.valid)
		abort();
	if (!loud.gave_up && loud.valid != (loud.n_errors == 0))
		abort();
	for (size_t i = 0; i < loud.n_errors; i++) {
		struct text_where where;

		if (!jsn_locate(a, text, loud.errors[i].instance, &where) && arena_left(a) > 1 << 20)
			abort();
	}
	jsonschema_free(s);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct jsn_limits limits = { .max_depth = 60, .flags = JSN_ANY | JSN_BIG_INTEGERS };
	struct str text = { (const char *)data, size };
	size_t cut = str_find(text, STR("\n\n"));
	json_t *schema = NULL, *value = NULL;

	if (cut != SIZE_MAX && !jsn_parse(str_first(text, cut), &limits, &schema, NULL, NULL).code &&
	    !jsn_parse(str_from(text, cut + 2), &limits, &value, NULL, NULL).code) {
		one(schema, value, str_from(text, cut + 2), false);
		one(schema, value, str_from(text, cut + 2), true);
	}
	json_decref(schema);
	json_decref(value);
	return 0;
}
