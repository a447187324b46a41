/* Responses of backends: framing cut anywhere, and everything in it that is malformed. */
#include "tests/unit/check.h"

#include "fcgi/http1.h"

/* What is read, as text: H<head length> then the body, "." at the end, "!" when malformed, ">" when over the limit, "~" when
 * the end of the connection completes it, "?" when it is missing something. Framing follows the fields, as its owner does. */
static void reads(struct str wire, size_t step, char *out, size_t room)
{
	struct http1_reader r;
	struct buf b;

	http1_init(&r, 64);
	buf_init(&b, room - 1);
	for (size_t at = 0; at < wire.n; at += step) {
		struct str in = str_first(str_from(wire, at), step);

		for (;;) {
			struct http1_event ev = http1_read(&r, &in);

			if (ev.kind == HTTP1_MORE)
				break;
			if (ev.kind == HTTP1_HEAD) {
				enum http1_framing f = HTTP1_UNTIL_CLOSE;

				buf_fmt(&b, "H%zu:", ev.bytes.n);
				if (str_starts(ev.bytes, STR("HTTP/1.1 1")))
					f = HTTP1_INTERIM;
				else if (str_starts(ev.bytes, STR("HTTP/1.1 204")))
					f = HTTP1_NO_BODY;
				else if (str_find(ev.bytes, STR("chunked")) != SIZE_MAX)
					f = HTTP1_CHUNKED;
				else if (str_find(ev.bytes, STR("L: 3")) != SIZE_MAX)
					f = HTTP1_LENGTH;
				else if (str_find(ev.bytes, STR("L: 0")) != SIZE_MAX)
					f = HTTP1_LENGTH;
				http1_framing(&r, f, str_find(ev.bytes, STR("L: 3")) != SIZE_MAX ? 3 : 0);
				continue;
			}
			if (ev.kind == HTTP1_BODY) {
				buf_str(&b, ev.bytes);
				continue;
			}
			buf_char(&b, ev.kind == HTTP1_END ? '.' : ev.kind == HTTP1_BAD ? '!' : '>');
			goto end;
		}
	}
	buf_char(&b, http1_closed(&r) ? r.state == HTTP1_AT_END ? '.' : '~' : '?');
end:
	snprintf(out, room, "%.*s", STR_ARG(buf_view(&b)));
	buf_release(&b);
	http1_release(&r);
}

#define CHUNKED "HTTP/1.1 200 OK\r\nT: chunked\r\n\r\n"
#define X16 "xxxxxxxxxxxxxxxx"

static void responses(void **state UNUSED)
{
	static const struct { const char *label; struct str wire; const char *want; } rows[] = {
		{ "nothing", STR_INIT(""), "?" },
		{ "length", STR_INIT("HTTP/1.1 200 OK\r\nL: 3\r\n\r\nabc"), "H25:abc." },
		{ "length, more than that", STR_INIT("HTTP/1.1 200 OK\r\nL: 3\r\n\r\nabcd"), "H25:abc." },
		{ "length, less", STR_INIT("HTTP/1.1 200 OK\r\nL: 3\r\n\r\nab"), "H25:ab?" },
		{ "length 0", STR_INIT("HTTP/1.1 200 OK\r\nL: 0\r\n\r\n"), "H25:." },
		{ "no body", STR_INIT("HTTP/1.1 204 No\r\n\r\n"), "H19:." },
		{ "until the end of the connection", STR_INIT("HTTP/1.1 200 OK\r\n\r\nabc"), "H19:abc~" },
		{ "line feeds alone in the head", STR_INIT("HTTP/1.1 200 OK\nL: 3\n\nabc"), "H22:abc." },
		{ "interim first", STR_INIT("HTTP/1.1 103 E\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nL: 3\r\n\r\nabc"), "H24:H25:abc." },
		{ "chunks", STR_INIT(CHUNKED "3\r\nabc\r\n10\r\n" X16 "\r\n0\r\n\r\n"), "H31:abc" X16 "." },
		{ "size in capitals and with zeros", STR_INIT(CHUNKED "00A\r\n0123456789\r\n0\r\n\r\n"), "H31:0123456789." },
		{ "extension", STR_INIT(CHUNKED "3;a=\"b\"\r\nabc\r\n0 ;x\r\n\r\n"), "H31:abc." },
		{ "trailers", STR_INIT(CHUNKED "0\r\nA: b\r\nC: d\r\n\r\n"), "H31:." },
		{ "cut off in a chunk", STR_INIT(CHUNKED "3\r\nab"), "H31:ab?" },
		{ "cut off before the last chunk", STR_INIT(CHUNKED "3\r\nabc\r\n"), "H31:abc?" },
		{ "cut off in the trailers", STR_INIT(CHUNKED "0\r\n"), "H31:?" },
		{ "chunk without a size", STR_INIT(CHUNKED "\r\nabc\r\n"), "H31:!" },
		{ "size that is no number", STR_INIT(CHUNKED "x\r\n"), "H31:!" },
		{ "negative size", STR_INIT(CHUNKED "-3\r\nabc"), "H31:!" },
		{ "extension without a size", STR_INIT(CHUNKED ";a\r\n"), "H31:!" },
		{ "size of 16 digits", STR_INIT(CHUNKED "0000000000000003\r\nabc\r\n"), "H31:!" },
		{ "line feed alone behind a size", STR_INIT(CHUNKED "3\nabc"), "H31:!" },
		{ "carriage return alone behind a size", STR_INIT(CHUNKED "3\rxabc"), "H31:!" },
		{ "chunk longer than its size", STR_INIT(CHUNKED "3\r\nabcd\r\n"), "H31:abc!" },
		{ "line feed alone behind a chunk", STR_INIT(CHUNKED "3\r\nabc\n0\r\n\r\n"), "H31:abc!" },
		{ "line feed alone in the trailers", STR_INIT(CHUNKED "0\r\nA: b\n\r\n"), "H31:!" },
		{ "head at its limit", STR_INIT("HTTP/1.1 204 " X16 X16 "012345678901234\r\n\r\n"), "H64:." },
		{ "head past its limit", STR_INIT("HTTP/1.1 204 " X16 X16 "0123456789012345\r\n\r\n"), ">" },
		{ "head that never ends", STR_INIT("HTTP/1.1 200 " X16 X16 X16 X16 X16), ">" },
		{ "trailers past the limit", STR_INIT(CHUNKED "0\r\nA: " X16 X16 X16 X16 "\r\n\r\n"), "H31:>" },
	};
	char whole[256], got[256];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		reads(rows[i].wire, SIZE_MAX / 2, whole, sizeof(whole));
		CHECK_STR(rows[i].label, str_of(whole), str_of(rows[i].want));
		for (size_t step = 1; step < 9; step++) {
			reads(rows[i].wire, step, got, sizeof(got));
			CHECK_STR(rows[i].label, str_of(got), str_of(rows[i].want));
		}
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(responses) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
