/* coding.c - content codings, on zlib and brotli. */
#include "core/coding.h"

#include <brotli/decode.h>
#include <zlib.h>

#include "core/str.h"

enum { STEP_BYTES = 32768, CODINGS_MAX = 4 };
enum { WINDOW_RAW = -MAX_WBITS, WINDOW_ZLIB = MAX_WBITS, WINDOW_GZIP = MAX_WBITS + 16 };

static bool is_zlib(struct str in)       /* the check bits of RFC 1950 section 2.2 */
{
	unsigned cmf = in.n > 1 ? (unsigned char)in.p[0] : 0, flg = in.n > 1 ? (unsigned char)in.p[1] : 0;

	return (cmf & 15) == Z_DEFLATED && (cmf << 8 | flg) % 31 == 0;
}

static bool begins_member(const z_stream *z)
{
	return z->avail_in > 1 && z->next_in[0] == 0x1f && z->next_in[1] == 0x8b;
}

/* Where the next bytes go, and how many may; NULL when the output is full. */
static unsigned char *next_room(struct buf *out, size_t *n)
{
	*n = out->max - out->n < STEP_BYTES ? out->max - out->n : STEP_BYTES;
	return *n ? (unsigned char *)buf_room(out, *n) : NULL;
}

static enum coding_result inflate_all(z_stream *z, bool members, struct buf *out)
{
	for (;;) {
		size_t n;
		unsigned char *room = next_room(out, &n);
		int rc;

		if (!room)
			return CODING_TOO_LARGE;
		z->next_out = room;
		z->avail_out = (uInt)n;
		rc = inflate(z, Z_NO_FLUSH);
		buf_wrote(out, n - z->avail_out);
		if (rc == Z_STREAM_END && members && begins_member(z) && inflateReset(z) == Z_OK)
			continue;
		if (rc == Z_STREAM_END)
			return z->avail_in ? CODING_BROKEN : CODING_DONE;
		if (rc != Z_OK)
			return CODING_BROKEN;
	}
}

static enum coding_result from_deflate(struct str in, int window, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)in.p, .avail_in = (uInt)in.n };
	enum coding_result got;

	if (in.n > UINT32_MAX || inflateInit2(&z, window) != Z_OK)
		return CODING_TOO_LARGE;
	got = inflate_all(&z, window == WINDOW_GZIP, out);
	inflateEnd(&z);
	return got;
}

static enum coding_result from_brotli(struct str in, struct buf *out)
{
	BrotliDecoderState *s = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	const uint8_t *next = (const uint8_t *)in.p;
	size_t left = in.n;
	BrotliDecoderResult rc = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
	bool full = !s;

	while (!full && rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
		size_t n, unused;
		uint8_t *to = next_room(out, &n);

		full = !to;
		if (full)
			break;
		unused = n;
		rc = BrotliDecoderDecompressStream(s, &left, &next, &unused, &to, NULL);
		buf_wrote(out, n - unused);
	}
	BrotliDecoderDestroyInstance(s);
	return full ? CODING_TOO_LARGE : rc == BROTLI_DECODER_RESULT_SUCCESS && !left ? CODING_DONE : CODING_BROKEN;
}

static enum coding_result decode_one(struct str coding, struct str in, struct buf *out)
{
	if (!coding.n || str_eq_ci(coding, STR("identity"))) {
		buf_str(out, in);
		return buf_ok(out) ? CODING_DONE : CODING_TOO_LARGE;
	}
	if (str_eq_ci(coding, STR("gzip")) || str_eq_ci(coding, STR("x-gzip")))
		return from_deflate(in, WINDOW_GZIP, out);
	if (str_eq_ci(coding, STR("deflate")))
		return from_deflate(in, is_zlib(in) ? WINDOW_ZLIB : WINDOW_RAW, out);
	if (str_eq_ci(coding, STR("br")))
		return from_brotli(in, out);
	return CODING_UNKNOWN;
}

enum coding_result coding_decode(struct str codings, struct str in, struct buf *out)
{
	struct str list[CODINGS_MAX], one;
	struct buf before = { 0 };
	enum coding_result got = CODING_DONE;
	size_t n = 0;

	while (str_split(&codings, ',', &one)) {
		if (n == CODINGS_MAX)
			return CODING_UNKNOWN;
		list[n++] = str_trim(one);
	}
	if (!n)
		return decode_one(STR(""), in, out);
	while (n && got == CODING_DONE) {
		struct buf next;

		buf_init(&next, out->max);
		got = decode_one(list[--n], in, &next);
		buf_release(&before);
		before = next;
		in = buf_view(&before);
	}
	buf_release(out);
	*out = before;
	return got;
}
