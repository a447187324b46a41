/* What the reader accepts, the writer writes so that it reads back as an equal tree; a copy is equal too. */
#include <stdlib.h>

#include "core/str.h"
#include "policy/net/json.h"

static bool has_real_or_date(const struct jtoken *t)
{
	if (!jt_is_container(t))
		return t->type == JT_FLOAT || t->type == JT_DATE || t->type == JT_UNDEFINED || t->raw.p;
	if (t->type == JT_CONSTRUCTOR)
		return true;
	for (size_t i = 0; i < t->n; i++)
		if (has_real_or_date(t->v[i]))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct jtoken *t, *again, *copy;
	struct str text = { (const char *)data, size };
	struct gh_err err = { 0 };
	struct out o = out_in(a);

	if (!jt_read(a, text, JT_READ_PLAIN_DATES, &t, &err).code) {
		copy = jt_clone(a, t);
		if (copy && !has_real_or_date(t) && !jt_equal(t, copy))
			abort();
		jt_write(&o, t, size & 1);
		if (!o.failed && !has_real_or_date(t)) {
			if (jt_read(a, out_str(&o), JT_READ_PLAIN_DATES, &again, &err).code || !jt_equal(t, again))
				abort();
		}
	} else if (!err.message[0]) {
		abort();
	}
	arena_free(a);
	return 0;
}
