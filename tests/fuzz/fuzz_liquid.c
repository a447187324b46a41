/* Any bytes as a template, in each mode. Whatever it does, it ends within its limits, renders the same twice, and in html
 * mode no text of the data comes out as markup. The first byte chooses the mode. */
#include "core/liquid.h"
#include "core/str.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *data;

static bool holds_ci(struct str s, struct str part)
{
	for (; s.n >= part.n; s = str_from(s, 1))
		if (str_starts_ci(s, part))
			return true;
	return false;
}

static void render(const struct liquid_template *t, struct buf *out)
{
	struct arena *a = arena_new(8 << 20);
	struct liquid_env env = { .globals = liquid_of_json(data), .now_us = 1, .max_steps = 2000 };

	if (liquid_render(t, &env, a, out, NULL).code)
		buf_clear(out);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct str source = { (const char *)bytes + 1, n - 1 };
	struct liquid_options o = { .max_source_bytes = 1 << 16 };
	const struct liquid_template *t;
	struct buf first, second;
	struct arena *a;

	if (n < 1)
		return 0;
	if (!data)
		data = json_loads("{\"a\":\"<evil x='\\\"'>\",\"b\":[1,2.5,\"<evil>\",null,true],\"c\":{\"d\":\"x\",\"e\":[]}}", 0,
				  NULL);
	o.dialect = bytes[0] & 1 ? LIQUID_DOTLIQUID : LIQUID_STANDARD;
	o.html = (bytes[0] & 2) != 0;
	o.strict_names = (bytes[0] & 4) != 0;
	a = arena_new(8 << 20);
	buf_init(&first, 1 << 16);
	buf_init(&second, 1 << 16);
	if (!liquid_parse(a, STR("fuzz"), source, &o, &t, NULL).code) {
		render(t, &first);
		render(t, &second);
		if (!str_eq(buf_view(&first), buf_view(&second)))
			abort();
		if (o.html && !holds_ci(source, STR("evil")) && holds_ci(buf_view(&first), STR("<evil")))
			abort();
	}
	buf_release(&first);
	buf_release(&second);
	arena_free(a);
	return 0;
}
