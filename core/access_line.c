#include "core/access_line.h"

#include "core/buf.h"
#include "core/clock.h"
#include "core/str.h"

#include <stdio.h>
#include <time.h>

enum { PARTS_MAX = 128 };

#define COMMON "$client_ip - $user [$time_clf] \"$method $path HTTP/1.1\" $status $bytes_out"

enum number {
#define X(type, name) NUMBER_##name,
	TELEMETRY_NUMBERS(X)
#undef X
	NUMBER__COUNT
};

enum part_kind { PART_LITERAL, PART_TEXT, PART_NUMBER, PART_TIME, PART_TIME_CLF };

struct part {
	enum part_kind kind;
	int which;                           /* enum telemetry_text or enum number */
	struct str literal;
};

struct access_format {
	bool json;
	size_t n;
	struct part parts[PARTS_MAX];
};

/* ---- reading a format -------------------------------------------------------------------------------------------------------- */

static bool part_of(struct str name, struct part *out)
{
	static const char *const numbers[] = {
#define X(type, name) #name,
		TELEMETRY_NUMBERS(X)
#undef X
	};

	for (int i = 0; i < TELEMETRY_TEXT__COUNT; i++)
		if (str_eq(name, str_of(telemetry_text_name((enum telemetry_text)i)))) {
			*out = (struct part){ .kind = PART_TEXT, .which = i };
			return true;
		}
	for (int i = 0; i < NUMBER__COUNT; i++)
		if (str_eq(name, str_of(numbers[i]))) {
			*out = (struct part){ .kind = PART_NUMBER, .which = i };
			return true;
		}
	*out = (struct part){ .kind = str_eq(name, STR("time")) ? PART_TIME : PART_TIME_CLF };
	return str_eq(name, STR("time")) || str_eq(name, STR("time_clf"));
}

static gh_rc add(struct access_format *f, struct part part, struct gh_err *err)
{
	if (f->n == PARTS_MAX)
		FAIL(err, INVALID, "a format has at most %d parts", PARTS_MAX);
	f->parts[f->n++] = part;
	return GH_RC_OK;
}

static bool in_name(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';
}

/* `text` stands behind a dollar; *n: how much of it was the name. */
static gh_rc read_name(struct str text, struct part *out, size_t *n, struct gh_err *err)
{
	bool braced = text.n && text.p[0] == '{';
	size_t from = braced, to = from;

	if (text.n && text.p[0] == '$') {
		*out = (struct part){ .kind = PART_LITERAL, .literal = STR("$") };
		*n = 1;
		return GH_RC_OK;
	}
	while (to < text.n && in_name(text.p[to]))
		to++;
	*n = to + braced;
	if ((braced && (to == text.n || text.p[to] != '}')) || !part_of(str_first(str_from(text, from), to - from), out))
		FAIL(err, INVALID, "there is no value '$%.*s' in a record of a call; write $$ for a dollar", STR_ARG(str_first(text, to < 60 ? to : 60)));
	return GH_RC_OK;
}

static gh_rc read_parts(struct access_format *f, struct str text, struct gh_err *err)
{
	while (text.n) {
		size_t n = str_find_char(text, '$');
		struct part part = { .kind = PART_LITERAL };

		part.literal = str_first(text, n == SIZE_MAX ? text.n : n);
		if (part.literal.n)
			TRY(add(f, part, err));
		text = str_from(text, part.literal.n);
		if (!text.n)
			break;
		TRY(read_name(str_from(text, 1), &part, &n, err));
		TRY(add(f, part, err));
		text = str_from(text, 1 + n);
	}
	return GH_RC_OK;
}

gh_rc access_format_parse(struct arena *a, struct str text, struct access_format **out, struct gh_err *err)
{
	struct access_format *f = arena_new_of(a, struct access_format);

	if (!f)
		FAIL(err, NOMEM, "a format");
	*out = f;
	f->json = str_eq(text, STR("json"));
	if (f->json)
		return GH_RC_OK;
	if (str_eq(text, STR("common")))
		return read_parts(f, STR(COMMON), err);
	if (str_eq(text, STR("combined")))
		return read_parts(f, STR(COMMON " \"-\" \"-\""), err);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20)
			FAIL(err, INVALID, "a format of an access log is one line");
	if (str_find_char(text, '$') == SIZE_MAX)
		FAIL(err, INVALID, "'%.*s' is no format of an access log: json, common, combined, or a text with $NAME for values",
		     STR_ARG(str_first(text, 60)));
	text = arena_dup(a, text);
	if (!text.p)
		FAIL(err, NOMEM, "a format");
	return read_parts(f, text, err);
}

/* ---- writing a line ---------------------------------------------------------------------------------------------------------- */

static void put_text(struct buf *b, struct str s)
{
	if (!s.n)
		buf_char(b, '-');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			buf_fmt(b, "\\x%02X", c);
		else if (c == '"' || c == '\\')
			buf_fmt(b, "\\%c", c);
		else
			buf_char(b, (char)c);
	}
}

static void put_number(struct buf *b, const struct telemetry_call *c, enum number which)
{
	switch (which) {
	case NUMBER_origin:
		buf_cstr(b, telemetry_origin_name((enum telemetry_origin)c->origin));
		return;
	case NUMBER_cache:
		buf_cstr(b, telemetry_cache_name((enum telemetry_cache)c->cache));
		return;
	case NUMBER_status:
		if (!c->status)
			buf_char(b, '-');            /* the client went away before there was one */
		else
			buf_u64(b, c->status);
		return;
	case NUMBER__COUNT:
		return;
#define X(type, name)                                                                                           \
	case NUMBER_##name:                                                                                     \
		buf_u64(b, c->name);                                                                            \
		return;
	X(, bytes_in) X(, bytes_out) X(, backend_bytes_out) X(, backend_bytes_in) X(, total_us) X(, gateway_us) X(, backend_us)
	X(, dns_us) X(, connect_us) X(, tls_us) X(, first_byte_us) X(, backend_status) X(, attempts) X(, trace_flags)
#undef X
	}
}

/* "22/Nov/2026:14:05:09 +0000" */
static void put_clf(struct buf *b, int64_t us)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t s = (time_t)(us / 1000000);
	struct tm t;

	if (!gmtime_r(&s, &t))
		memset(&t, 0, sizeof(t));
	buf_fmt(b, "%02d/%s/%04d:%02d:%02d:%02d +0000", t.tm_mday, months[t.tm_mon % 12], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

void access_line(struct buf *b, const struct access_format *f, const struct telemetry_call *call)
{
	struct telemetry_call copy = *call;          /* telemetry_text takes one that may be changed */
	char time[CLOCK_ISO_MAX];

	if (f->json) {
		telemetry_json(b, call);
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct part *p = &f->parts[i];

		switch (p->kind) {
		case PART_LITERAL:
			buf_str(b, p->literal);
			break;
		case PART_TEXT:
			put_text(b, *telemetry_text(&copy, (enum telemetry_text)p->which));
			break;
		case PART_NUMBER:
			put_number(b, call, (enum number)p->which);
			break;
		case PART_TIME:
			buf_cstr(b, clock_iso(call->started_us, 6, time));
			break;
		case PART_TIME_CLF:
			put_clf(b, call->started_us);
			break;
		}
	}
}
