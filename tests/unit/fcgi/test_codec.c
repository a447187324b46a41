/* FastCGI records: literal bytes of the specification, every way to cut them, and what is refused. */
#include "tests/unit/check.h"

#include "fcgi/fcgi_codec.h"

#define BEGIN(id, role, flags) "\x01\x01\x00" id "\x00\x08\x00\x00" "\x00" role flags "\x00\x00\x00\x00\x00"
#define RECORD(type, id, len, pad) "\x01" type "\x00" id "\x00" len pad "\x00"

/* Events as text: "B1k P(ab) p S(xyz) s A V U9 M2 !". Neighbouring pieces of a stream are joined. */
static void events(struct str wire, size_t step, char *out, size_t room)
{
	struct fcgi_reader r;
	struct buf b;
	char open = 0;

	fcgi_reader_init(&r);
	buf_init(&b, room - 1);
	for (size_t at = 0; at < wire.n; at += step) {
		struct str in = str_first(str_from(wire, at), step);

		for (;;) {
			struct fcgi_event ev = fcgi_read(&r, &in);
			char kind = "-BPpSsAVMU!"[ev.kind];

			if (ev.kind == FCGI_EV_MORE)
				break;
			if (open && kind != open)
				buf_char(&b, ')'), open = 0;
			if ((kind == 'P' || kind == 'S') && !open)
				buf_char(&b, kind), buf_char(&b, '('), open = kind;
			else if (!open)
				buf_char(&b, kind);
			if (open)
				buf_str(&b, ev.bytes);
			if (kind == 'B')
				buf_fmt(&b, "%u/%u%s", ev.id, ev.role, ev.keep ? "k" : "");
			if (kind == 'M')
				buf_fmt(&b, "%u", ev.id);
			if (kind == 'U')
				buf_fmt(&b, "%u", ev.type);
			if (kind == '!')
				goto end;
		}
	}
end:
	if (open)
		buf_char(&b, ')');
	snprintf(out, room, "%.*s", STR_ARG(buf_view(&b)));
	buf_release(&b);
}

static void reader(void **state UNUSED)
{
	static const struct { const char *label; struct str wire; const char *want; } rows[] = {
		{ "nothing", STR_INIT(""), "" },
		{ "begin, responder", STR_INIT(BEGIN("\x01", "\x01", "\x00")), "B1/1" },
		{ "begin, keep connection", STR_INIT(BEGIN("\x07", "\x01", "\x01")), "B7/1k" },
		{ "begin, authorizer is reported as it is", STR_INIT(BEGIN("\x01", "\x02", "\x00")), "B1/2" },
		{ "a whole request",
		  STR_INIT(BEGIN("\x01", "\x01", "\x01") RECORD("\x04", "\x01", "\x03", "\x05") "abc" "\0\0\0\0\0"
			   RECORD("\x04", "\x01", "\x00", "\x00") RECORD("\x05", "\x01", "\x02", "\x00") "xy"
			   RECORD("\x05", "\x01", "\x00", "\x00")), "B1/1kP(abc)pS(xy)s" },
		{ "streams in several records",
		  STR_INIT(BEGIN("\x01", "\x01", "\x01") RECORD("\x04", "\x01", "\x01", "\x00") "a"
			   RECORD("\x04", "\x01", "\x01", "\x01") "b" "\0" RECORD("\x04", "\x01", "\x00", "\x02") "\0\0"
			   RECORD("\x05", "\x01", "\x01", "\x00") "x" RECORD("\x05", "\x01", "\x01", "\x00") "y"),
		  "B1/1kP(ab)pS(xy)" },
		{ "abort", STR_INIT(BEGIN("\x01", "\x01", "\x01") RECORD("\x02", "\x01", "\x00", "\x00")), "B1/1kA" },
		{ "abort of another request is skipped",
		  STR_INIT(BEGIN("\x01", "\x01", "\x01") RECORD("\x02", "\x02", "\x00", "\x00")), "B1/1k" },
		{ "a second request at once",
		  STR_INIT(BEGIN("\x01", "\x01", "\x01") BEGIN("\x02", "\x01", "\x01")), "B1/1kM2" },
		{ "records of the refused second request are skipped",
		  STR_INIT(BEGIN("\x01", "\x01", "\x01") BEGIN("\x02", "\x01", "\x01")
			   RECORD("\x04", "\x02", "\x02", "\x00") "zz" RECORD("\x04", "\x01", "\x01", "\x00") "a"),
		  "B1/1kM2P(a)" },
		{ "the same request begins twice", STR_INIT(BEGIN("\x01", "\x01", "\x01") BEGIN("\x01", "\x01", "\x01")),
		  "B1/1k!" },
		{ "parameters before a request are skipped", STR_INIT(RECORD("\x04", "\x01", "\x02", "\x00") "ab"), "" },
		{ "body before the end of the parameters is skipped",
		  STR_INIT(BEGIN("\x01", "\x01", "\x01") RECORD("\x05", "\x01", "\x02", "\x00") "xy"), "B1/1k" },
		{ "get values", STR_INIT(RECORD("\x09", "\x00", "\x02", "\x00") "\0\0"), "V" },
		{ "get values, empty", STR_INIT(RECORD("\x09", "\x00", "\x00", "\x00")), "V" },
		{ "management record of an unknown type", STR_INIT(RECORD("\x63", "\x00", "\x01", "\x00") "q"), "U99" },
		{ "unknown type with a request id is skipped", STR_INIT(RECORD("\x63", "\x01", "\x01", "\x00") "q"), "" },
		{ "version 2", STR_INIT("\x02\x01\x00\x01\x00\x08\x00\x00"), "!" },
		{ "an HTTP request on the socket", STR_INIT("GET / HTTP/1.1\r\n\r\n"), "!" },
		{ "begin with the id 0", STR_INIT(BEGIN("\x00", "\x01", "\x01")), "!" },
		{ "begin of the wrong length", STR_INIT(RECORD("\x01", "\x01", "\x07", "\x00") "\0\1\0\0\0\0\0"), "!" },
		{ "get values, too long", STR_INIT("\x01\x09\x00\x00\x02\x01\x00\x00"), "!" },
	};
	char got[256], whole[256];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		events(rows[i].wire, SIZE_MAX / 2, whole, sizeof(whole));
		CHECK_STR(rows[i].label, str_of(whole), str_of(rows[i].want));
		for (size_t step = 1; step < 12; step++) {
			events(rows[i].wire, step, got, sizeof(got));
			CHECK_STR(rows[i].label, str_of(got), str_of(whole));
		}
	}
	check_done();
}

/* After the answer the rest of the request is skipped and the next one is read. */
static void next_request(void **state UNUSED)
{
	static const char wire[] = BEGIN("\x01", "\x01", "\x01") RECORD("\x04", "\x01", "\x00", "\x00")
		RECORD("\x05", "\x01", "\x04", "\x00") "abcd" RECORD("\x05", "\x01", "\x02", "\x00") "ef"
		RECORD("\x05", "\x01", "\x00", "\x00") BEGIN("\x01", "\x01", "\x00");
	struct fcgi_reader r;
	struct str in = { wire, 16 + 8 + 8 + 2 };
	struct fcgi_event ev;

	fcgi_reader_init(&r);
	CHECK_INT("begin", fcgi_read(&r, &in).kind, FCGI_EV_BEGIN);
	CHECK_INT("params", fcgi_read(&r, &in).kind, FCGI_EV_PARAMS_END);
	CHECK_STR("half a record", fcgi_read(&r, &in).bytes, STR("ab"));
	CHECK_INT("more", fcgi_read(&r, &in).kind, FCGI_EV_MORE);
	fcgi_reader_request_over(&r);
	in = (struct str){ wire + 34, sizeof(wire) - 1 - 34 };
	ev = fcgi_read(&r, &in);
	CHECK_INT("the rest is skipped up to the next request", ev.kind, FCGI_EV_BEGIN);
	CHECK("not kept", !ev.keep);
	check_done();
}

static void pairs(void **state UNUSED)
{
	static const struct { const char *label; struct str wire; enum fcgi_pair want; size_t name_n, value_n; } rows[] = {
		{ "nothing", STR_INIT(""), FCGI_PAIR_END, 0, 0 },
		{ "empty value", STR_INIT("\x01\x00" "A"), FCGI_PAIR_OK, 1, 0 },
		{ "both empty", STR_INIT("\x00\x00"), FCGI_PAIR_OK, 0, 0 },
		{ "both short", STR_INIT("\x01\x02" "A" "bc"), FCGI_PAIR_OK, 1, 2 },
		{ "four-byte length", STR_INIT("\x00\x80\x00\x00\x01" "v"), FCGI_PAIR_OK, 0, 1 },
		{ "length cut short", STR_INIT("\x80\x00\x00"), FCGI_PAIR_BAD, 0, 0 },
		{ "one length only", STR_INIT("\x01"), FCGI_PAIR_BAD, 0, 0 },
		{ "value runs past the end", STR_INIT("\x01\x05" "A" "bc"), FCGI_PAIR_BAD, 0, 0 },
		{ "name runs past the end", STR_INIT("\x05\x00" "A"), FCGI_PAIR_BAD, 0, 0 },
		{ "lengths that would overflow a sum", STR_INIT("\xff\xff\xff\xff\xff\xff\xff\xff" "ab"), FCGI_PAIR_BAD, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str rest = rows[i].wire, name = STR_NULL, value = STR_NULL;

		CHECK_INT(rows[i].label, fcgi_pair_next(&rest, &name, &value), rows[i].want);
		if (rows[i].want != FCGI_PAIR_OK)
			continue;
		CHECK_INT(rows[i].label, name.n, rows[i].name_n);
		CHECK_INT(rows[i].label, value.n, rows[i].value_n);
		CHECK_INT(rows[i].label, rest.n, 0);
	}
	check_done();
}

static void written(void **state UNUSED)
{
	struct buf b;
	char value[300];
	struct str rest, name, v;

	memset(value, 'v', sizeof(value));
	buf_init(&b, 4096);
	fcgi_write_end_request(&b, 0x0102, FCGI_CANT_MPX_CONN);
	CHECK_STR("end request", buf_view(&b), STR("\x01\x03\x01\x02\x00\x08\x00\x00" "\0\0\0\0\x01\0\0\0"));
	buf_clear(&b);
	fcgi_write_unknown_type(&b, 99);
	CHECK_STR("unknown type", buf_view(&b), STR("\x01\x0b\x00\x00\x00\x08\x00\x00" "\x63\0\0\0\0\0\0\0"));
	buf_clear(&b);
	fcgi_write_values(&b, STR("\x0f\x00" "FCGI_MPXS_CONNS" "\x03\x00" "ABC" "\x0f\x00" "FCGI_MPXS_CONNS"), 10);
	CHECK_STR("known values once", buf_view(&b), STR("\x01\x0a\x00\x00\x00\x12\x00\x00" "\x0f\x01" "FCGI_MPXS_CONNS" "0"));
	buf_clear(&b);
	fcgi_pair_write(&b, STR("N"), (struct str){ value, sizeof(value) });
	rest = buf_view(&b);
	CHECK_INT("round trip", fcgi_pair_next(&rest, &name, &v), FCGI_PAIR_OK);
	CHECK_INT("round trip", v.n, sizeof(value));
	buf_release(&b);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader), cmocka_unit_test(next_request), cmocka_unit_test(pairs), cmocka_unit_test(written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
