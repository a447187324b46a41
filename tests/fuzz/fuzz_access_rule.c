/* Access rules as people write them. Properties: what is taken prints in the short form and, when it came in that form, reads
 * back as the same rule; the stored JSON is taken again and stays as it is. */
#include "core/access_rule.h"
#include "core/access_text.h"
#include "core/str.h"

#include <stdlib.h>

#define MUST(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct arena *a = arena_new(64 << 20);
	json_t *v, *again;
	struct gh_err err;

	if (size > 65536 || !a) {
		arena_free(a);
		return 0;
	}
	if (!access_rule_normalise(a, text, &v, &err).code) {
		struct str stored = jsn_text(a, v, 0), shorter = access_rule_short(a, v);

		MUST(stored.p && shorter.p);
		MUST(!access_rule_normalise(a, stored, &again, &err).code);
		MUST(json_equal(v, again));
	}
	/* the short form alone, valid or not as a rule */
	if (!access_text_parse(a, text, &v, &err).code) {
		struct str shorter = access_rule_short(a, v);

		MUST(shorter.p);
		if (!json_object_size(jsn_obj(v, "operations"))) {
			MUST(!access_text_parse(a, shorter, &again, &err).code);
			MUST(json_equal(v, again));
		}
	}
	arena_free(a);
	return 0;
}
