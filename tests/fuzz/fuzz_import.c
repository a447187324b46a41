/* Imports take what anybody sends: no input crashes them, and what they accept is a description or resources. The first byte says which
 * import; seeds are the samples of tests/golden/import with it in front. */
#include "config/import/apiops.h"
#include "config/import/describe.h"
#include "config/import/foreign.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct text_where at = { 0, 0 };
	struct described d = { .openapi = NULL };
	struct import_report r;
	struct gh_err err;
	struct files_set set;
	struct bundle b;
	struct tree t;
	struct str text;
	gh_rc rc = { GH_E_INVALID };

	if (size == 0 || !a) {
		arena_free(a);
		return 0;
	}
	text = (struct str){ (const char *)data + 1, size - 1 };
	import_report_init(&r, a);
	switch (data[0] % 7) {
	case 0: rc = import_har(a, text, STR_NULL, &r, &d, &at, &err); break;
	case 1: rc = import_postman(a, text, &r, &d, &at, &err); break;
	case 2: rc = import_wsdl(a, text, STR_NULL, NULL, &r, &d, &at, &err); break;
	case 3: rc = bundle_init(&b, a, &r, &err).code ? rc : import_kong(&b, text, STR_NULL, &at, &err); break;
	case 4: rc = bundle_init(&b, a, &r, &err).code ? rc : import_aws(&b, text, STR_NULL, STR_NULL, &at, &err); break;
	case 5:
		tree_init(&t, a);
		if (!tree_add(&t, STR("x.yaml"), text, &err).code && !tree_finish(&t, &err).code)
			rc = files_set_read(&set, a, &t, &err);
		break;
	default:
		tree_init(&t, a);
		if (!tree_from_zip(&t, text, &err).code && t.n && !tree_find(&t, t.files[0].path))
			abort();
	}
	if (!rc.code && data[0] % 7 < 3 && !json_is_object(d.openapi))
		abort();
	arena_free(a);
	return 0;
}
