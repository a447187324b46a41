/* What yaml_parse accepts, yaml_write writes so that it reads back as the same value; places never crash. */
#include "core/str.h"
#include "core/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct yaml_limits limits = { .max_bytes = 1 << 16, .max_nodes = 20000, .max_depth = 40 };
	struct str text = { (const char *)data, size };
	json_t *v, *again = NULL;
	struct text_where at;
	struct buf b;

	(void)yaml_locate(text, STR("/a/0/b"));
	if (yaml_parse(text, &limits, &v, &at, NULL).code) {
		if (v)
			abort();
		return 0;
	}
	buf_init(&b, 1 << 24);
	if (yaml_write(&b, v, NULL).code == GH_OK) {
		struct gh_err err;

		if (yaml_parse(buf_view(&b), NULL, &again, &at, &err).code)
			abort();
		if (!json_equal(v, again))
			abort();
	}
	json_decref(again);
	json_decref(v);
	buf_release(&b);
	return 0;
}
