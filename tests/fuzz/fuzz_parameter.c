/* Parameters in all styles of OpenAPI: whatever a request holds, it becomes a value of the kind that the schema asks for, or
 * none. Input: a byte of style, place, shape and explode; the text. */
#include "core/str.h"
#include "policy/elements/parameter_value.h"

#include <stdlib.h>

static const char description[] =
	"{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{},\"components\":{\"schemas\":{"
	"\"one\":{\"type\":[\"integer\",\"boolean\"]},\"list\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},"
	"\"object\":{\"allOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"l\":{\"type\":\"array\"}}},"
	"{\"additionalProperties\":{\"$ref\":\"#/components/schemas/one\"}}]},\"loop\":{\"allOf\":[{\"$ref\":\"#/components/schemas/loop\"}]}}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const shapes[] = { "one", "list", "object", "loop" };
	static struct openapi *o;
	struct openapi_parameter p = { .name = STR("c") };
	struct arena *a = arena_new(1 << 24);
	struct str text = { (const char *)data + 1, size - 1 };
	struct text_where where;
	struct fields texts;
	json_t *v;

	if (!o && openapi_parse(arena_new(1 << 24), str_of(description), &o, &where, NULL).code)
		abort();
	if (size) {
		p.style = (enum openapi_style)(data[0] % (OPENAPI_TAB + 1));
		p.in = (enum openapi_in)(data[0] / 8 % 3);
		p.explode = data[0] & 128;
		p.schema = jsn_get(o->schemas, shapes[data[0] / 32 % 4]);
		fields_init(&texts, a);
		if (p.in == OPENAPI_QUERY ? !parameter_collect(a, o, &p, text, &texts) : !fields_add(&texts, p.name, text))
			abort();
		v = parameter_value(a, o, &p, &texts, p.in == OPENAPI_QUERY);
		switch (parameter_shape(o, p.schema)) {
		case PARAMETER_LIST:
			if (v && !json_is_array(v))
				abort();
			break;
		case PARAMETER_OBJECT:
			if (v && !json_is_object(v))
				abort();
			break;
		case PARAMETER_ONE:
			if (json_is_array(v) || json_is_object(v))
				abort();
		}
	}
	arena_free(a);
	return 0;
}
