/* The first byte chooses the coding; no bytes make more than the output may hold, and what was packed comes out again. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/coding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str codings[] = { STR_INIT("gzip"), STR_INIT("deflate"), STR_INIT("br"), STR_INIT("br, gzip"), STR_INIT("") };
	unsigned char packed[4096];
	uLongf n = sizeof(packed);
	struct buf out;

	if (!size)
		return 0;
	buf_init(&out, 100000);
	(void)coding_decode(codings[data[0] % ARRAY_LEN(codings)], (struct str){ (const char *)data + 1, size - 1 }, &out);
	if (out.n > 100000)
		abort();
	buf_release(&out);
	if (size > 2000 || compress(packed, &n, data, size) != Z_OK)
		return 0;
	buf_init(&out, 2000);
	if (coding_decode(STR("deflate"), (struct str){ (char *)packed, n }, &out) != CODING_DONE || out.n != size || memcmp(out.p, data, size))
		abort();
	buf_release(&out);
	return 0;
}
