/* Content codings: what gzip, zlib and brotli themselves made, cut off, spoilt, and bodies that grow beyond their limit. */
#include "tests/unit/check.h"

#include <zlib.h>

#include "core/coding.h"

#define GZIP_HELLO "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"
#define ZLIB_HELLO "\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"
#define RAW_HELLO "\xcb\x48\xcd\xc9\xc9\x07\x00"
#define BR_HELLO "\x0b\x02\x80" "hello\x03"

static void rows(void **state UNUSED)
{
	static const struct {
		const char *label;
		struct str coding, in;
		enum coding_result want;
		struct str out;
	} cases[] = {
		{ "nothing", STR_INIT(""), STR_INIT("hello"), CODING_DONE, STR_INIT("hello") },
		{ "identity", STR_INIT("identity"), STR_INIT("hello"), CODING_DONE, STR_INIT("hello") },
		{ "gzip", STR_INIT("gzip"), STR_INIT(GZIP_HELLO), CODING_DONE, STR_INIT("hello") },
		{ "names without case", STR_INIT("X-GZip"), STR_INIT(GZIP_HELLO), CODING_DONE, STR_INIT("hello") },
		{ "two members", STR_INIT("gzip"), STR_INIT(GZIP_HELLO GZIP_HELLO), CODING_DONE, STR_INIT("hellohello") },
		{ "deflate", STR_INIT("deflate"), STR_INIT(ZLIB_HELLO), CODING_DONE, STR_INIT("hello") },
		{ "deflate without zlib", STR_INIT("deflate"), STR_INIT(RAW_HELLO), CODING_DONE, STR_INIT("hello") },
		{ "br", STR_INIT("br"), STR_INIT(BR_HELLO), CODING_DONE, STR_INIT("hello") },
		{ "the last coding first", STR_INIT("identity, gzip"), STR_INIT(GZIP_HELLO), CODING_DONE, STR_INIT("hello") },
		{ "unknown", STR_INIT("zstd"), STR_INIT("hello"), CODING_UNKNOWN, STR_INIT("") },
		{ "too many", STR_INIT("gzip,gzip,gzip,gzip,gzip"), STR_INIT(GZIP_HELLO), CODING_UNKNOWN, STR_INIT("") },
		{ "cut off", STR_INIT("gzip"), STR_INIT("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb"), CODING_BROKEN, STR_INIT("") },
		{ "a wrong sum", STR_INIT("deflate"), STR_INIT("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x16"), CODING_BROKEN, STR_INIT("") },
		{ "no gzip at all", STR_INIT("gzip"), STR_INIT("hello"), CODING_BROKEN, STR_INIT("") },
		{ "something behind it", STR_INIT("gzip"), STR_INIT(GZIP_HELLO "more"), CODING_BROKEN, STR_INIT("") },
		{ "something behind br", STR_INIT("br"), STR_INIT(BR_HELLO "more"), CODING_BROKEN, STR_INIT("") },
		{ "br cut off", STR_INIT("br"), STR_INIT("\x0b\x02\x80" "he"), CODING_BROKEN, STR_INIT("") },
		{ "empty gzip", STR_INIT("gzip"), STR_INIT(""), CODING_BROKEN, STR_INIT("") },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out;

		buf_init(&out, 1000);
		CHECK_INT(cases[i].label, coding_decode(cases[i].coding, cases[i].in, &out), cases[i].want);
		if (cases[i].want == CODING_DONE)
			CHECK_STR(cases[i].label, buf_view(&out), cases[i].out);
		buf_release(&out);
	}
	check_done();
}

static void bombs(void **state UNUSED)
{
	enum { PLAIN = 4 << 20 };
	static unsigned char plain[PLAIN], packed[PLAIN / 64], twice[PLAIN / 64];
	uLongf n = sizeof(packed), m = sizeof(twice);
	struct str once, both;
	struct buf out;

	assert_int_equal(compress(packed, &n, plain, PLAIN), Z_OK);
	assert_int_equal(compress(twice, &m, packed, n), Z_OK);
	once = (struct str){ (char *)packed, n };
	both = (struct str){ (char *)twice, m };
	buf_init(&out, PLAIN);
	CHECK_INT("as large as allowed", coding_decode(STR("deflate"), once, &out), CODING_DONE);
	CHECK_INT("its size", out.n, PLAIN);
	buf_release(&out);
	buf_init(&out, PLAIN - 1);
	CHECK_INT("one byte more than allowed", coding_decode(STR("deflate"), once, &out), CODING_TOO_LARGE);
	buf_release(&out);
	buf_init(&out, PLAIN / 4);
	CHECK_INT("a bomb in a bomb", coding_decode(STR("deflate,deflate"), both, &out), CODING_TOO_LARGE);
	buf_release(&out);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rows), cmocka_unit_test(bombs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
