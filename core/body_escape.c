#include "core/body_escape.h"

#include "core/crypto.h"
#include "core/str.h"
#include "core/uri.h"

#include <ctype.h>
#include <stdlib.h>

enum { HEX_DIGITS = 4, ENTITY_MAX_BYTES = 12 };

/* ---- JSON ---------------------------------------------------------------------------------------------------------------- */

static void put_code(struct buf *out, uint32_t code)
{
	char utf8[4];

	buf_add(out, utf8, utf8_encode(code, utf8));
}

static bool hex4(struct str s, uint32_t *out)
{
	uint8_t bytes[HEX_DIGITS / 2];

	if (s.n < HEX_DIGITS || !crypto_hex_decode_to(str_first(s, HEX_DIGITS), bytes, sizeof(bytes)))
		return false;
	*out = (uint32_t)bytes[0] << 8 | bytes[1];
	return true;
}

/* s begins behind "\u"; how much of it was taken. */
static size_t put_u(struct buf *out, struct str s)
{
	enum { PAIR_BYTES = 2 * HEX_DIGITS + 2 };
	uint32_t high, low;

	if (!hex4(s, &high)) {
		buf_char(out, 'u');
		return 0;
	}
	if (high >= 0xd800 && high < 0xdc00 && s.n >= PAIR_BYTES && str_starts(str_from(s, HEX_DIGITS), STR("\\u"))
	    && hex4(str_from(s, HEX_DIGITS + 2), &low) && low >= 0xdc00 && low < 0xe000) {
		put_code(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
		return PAIR_BYTES;
	}
	put_code(out, high);
	return HEX_DIGITS;
}

static void undo_json(struct buf *out, struct str s)
{
	static const char named[] = "b\bf\fn\nr\rt\t";

	for (size_t at = 0; at < s.n; at++) {
		const char *is = NULL;

		if (s.p[at] != '\\') {
			buf_char(out, s.p[at]);
			continue;
		}
		if (++at == s.n)
			break;
		if (s.p[at] == 'u') {
			at += put_u(out, str_from(s, at + 1));
			continue;
		}
		for (size_t i = 0; i + 1 < sizeof(named); i += 2)
			is = s.p[at] == named[i] ? &named[i + 1] : is;
		buf_char(out, is ? *is : s.p[at]);
	}
}

/* ---- XML ----------------------------------------------------------------------------------------------------------------- */

static const struct {
	char c;
	struct str as;
} entities[] = {
	{ '&', STR_INIT("&amp;") },  { '<', STR_INIT("&lt;") },    { '>', STR_INIT("&gt;") },
	{ '"', STR_INIT("&quot;") }, { '\'', STR_INIT("&apos;") },
};

/* s begins with "&#"; its length, 0 when it is no number. */
static size_t put_number(struct buf *out, struct str s)
{
	bool hex = s.n > 2 && (s.p[2] == 'x' || s.p[2] == 'X');
	struct str digits = str_from(s, hex ? 3 : 2);
	size_t n = str_find_char(str_first(digits, ENTITY_MAX_BYTES), ';');
	char text[ENTITY_MAX_BYTES], *end;
	unsigned long code;

	if (!n || n >= sizeof(text) || !isxdigit((unsigned char)digits.p[0]))
		return 0;
	memcpy(text, digits.p, n);
	text[n] = '\0';
	code = strtoul(text, &end, hex ? 16 : 10);
	if (*end)
		return 0;
	put_code(out, code > UINT32_MAX ? UINT32_MAX : (uint32_t)code);
	return (hex ? 3 : 2) + n + 1;
}

static size_t put_entity(struct buf *out, struct str s)
{
	for (size_t i = 0; i < ARRAY_LEN(entities); i++)
		if (str_starts(s, entities[i].as)) {
			buf_char(out, entities[i].c);
			return entities[i].as.n;
		}
	return str_starts(s, STR("&#")) ? put_number(out, s) : 0;
}

static void undo_xml(struct buf *out, struct str s)
{
	for (size_t at = 0; at < s.n;) {
		size_t taken = s.p[at] == '&' ? put_entity(out, str_from(s, at)) : 0;

		if (!taken)
			buf_char(out, s.p[at]);
		at += taken ? taken : 1;
	}
}

static void do_xml(struct buf *out, struct str s)
{
	for (size_t at = 0; at < s.n; at++) {
		struct str as = { s.p + at, 1 };

		for (size_t i = 0; i < ARRAY_LEN(entities); i++)
			as = s.p[at] == entities[i].c ? entities[i].as : as;
		buf_str(out, as);
	}
}

/* ---- fields -------------------------------------------------------------------------------------------------------------- */

static void undo_field(struct buf *out, struct str s)
{
	char *to = buf_room(out, s.n);

	if (to)
		buf_wrote(out, uri_decode_to(to, s, true));
}

static void do_field(struct buf *out, struct str s)
{
	for (size_t at = 0; at < s.n; at++) {
		unsigned char c = (unsigned char)s.p[at];

		if (isalnum(c) || (c && strchr("-._~*", c)))
			buf_char(out, s.p[at]);
		else if (c == ' ')
			buf_char(out, '+');
		else
			buf_fmt(out, "%%%02X", c);
	}
}

void body_unescape(struct buf *out, enum body_escape how, struct str raw)
{
	if (how == BODY_ESCAPE_JSON)
		undo_json(out, raw);
	else if (how == BODY_ESCAPE_XML)
		undo_xml(out, raw);
	else if (how == BODY_ESCAPE_FIELD)
		undo_field(out, raw);
	else
		buf_str(out, raw);
}

void body_escape(struct buf *out, enum body_escape how, struct str plain)
{
	struct buf json;

	if (how == BODY_ESCAPE_XML)
		do_xml(out, plain);
	else if (how == BODY_ESCAPE_FIELD)
		do_field(out, plain);
	else if (how != BODY_ESCAPE_JSON)
		buf_str(out, plain);
	if (how != BODY_ESCAPE_JSON)
		return;
	buf_init(&json, out->max);
	buf_json(&json, plain);
	if (buf_ok(&json))
		buf_add(out, json.p + 1, json.n - 2);    /* without its quotes */
	else
		out->failed = true;
	buf_release(&json);
}
