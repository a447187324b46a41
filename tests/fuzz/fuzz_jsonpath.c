/* A path over a fixed document ends within its steps; what it finds belongs to the document. */
#include <stdlib.h>

#include "core/str.h"
#include "policy/net/json.h"

static const char document[] =
	"{\"s\":{\"b\":[{\"t\":\"x\",\"p\":8.95,\"i\":\"1\"},{\"t\":\"y\",\"p\":12},{\"t\":\"z\",\"p\":22,\"i\":null}],\"c\":{\"p\":19}},"
	"\"a\":[[1,2,[3,4]],true,\"q\"]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	uint64_t steps = 20000;
	struct jt_found found;
	struct jtoken *root, *t;
	struct gh_err err = { 0 };

	if (jt_read(a, str_of(document), 0, &root, &err).code)
		abort();
	if (jt_select(a, root, (struct str){ (const char *)data, size }, &steps, &found, &err)) {
		for (size_t i = 0; i < found.n; i++) {
			for (t = found.v[i]; t->parent;)
				t = t->parent;
			if (t != root)
				abort();
		}
	} else if (!err.message[0]) {
		abort();
	}
	arena_free(a);
	return 0;
}
