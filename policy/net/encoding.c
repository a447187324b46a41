/* encoding.c - System.Text.Encoding: between the UTF-8 of our strings and bytes in other forms. */
#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/out.h"
#include "policy/net/types.h"
#include "policy/net/unicode.h"
#include "policy/net/utf7.h"

enum charset { CHARSET_UTF8, CHARSET_ASCII, CHARSET_UTF16, CHARSET_UTF16BE, CHARSET_UTF32, CHARSET_LATIN1, CHARSET_1252, CHARSET_UTF7 };

struct encoding {
	struct object head;
	enum charset charset;
	bool mark, strict;           /* GetPreamble gives a byte order mark; bad bytes throw */
};

static struct value_class class_encoding;
static struct value_class class_utf8;
static struct value_class class_ascii;
static struct value_class class_utf16;
static struct value_class class_utf32;

static const struct encoding shared[] = {
	{ { &class_utf8 }, CHARSET_UTF8, true, false },       { { &class_ascii }, CHARSET_ASCII, false, false },
	{ { &class_utf16 }, CHARSET_UTF16, true, false },     { { &class_utf16 }, CHARSET_UTF16BE, true, false },
	{ { &class_utf32 }, CHARSET_UTF32, true, false },     { { &class_encoding }, CHARSET_LATIN1, false, false },
	{ { &class_encoding }, CHARSET_1252, false, false },   { { &class_encoding }, CHARSET_UTF7, false, false },
};

static const struct {
	const char *name;            /* as WebName gives it */
	const char *description;
	int code_page;
	unsigned uses;               /* IsBrowserDisplay 1, IsBrowserSave 2, IsMailNewsDisplay 4, IsMailNewsSave 8 */
} facts[] = {
	[CHARSET_UTF8] = { "utf-8", "Unicode (UTF-8)", 65001, 15 },   [CHARSET_ASCII] = { "us-ascii", "US-ASCII", 20127, 12 },
	[CHARSET_UTF16] = { "utf-16", "Unicode", 1200, 2 },          [CHARSET_UTF16BE] = { "utf-16BE", "Unicode (Big-Endian)", 1201 },
	[CHARSET_UTF32] = { "utf-32", "Unicode (UTF-32)", 12000 },
	[CHARSET_LATIN1] = { "iso-8859-1", "Western European (ISO)", 28591, 15 },
	[CHARSET_1252] = { "Windows-1252", "Western European (Windows)", 1252, 15 },
	[CHARSET_UTF7] = { "utf-7", "Unicode (UTF-7)", 65000, 12 },
};
static const struct {
	const char *name;
	enum charset charset;
} aliases[] = {
	{ "utf8", CHARSET_UTF8 },    { "unicode-1-1-utf-8", CHARSET_UTF8 }, { "ascii", CHARSET_ASCII },  { "ansi_x3.4-1968", CHARSET_ASCII },
	{ "unicode", CHARSET_UTF16 }, { "utf-16le", CHARSET_UTF16 },        { "ucs-2", CHARSET_UTF16 },  { "unicodefffe", CHARSET_UTF16BE },
	{ "utf-32le", CHARSET_UTF32 }, { "latin1", CHARSET_LATIN1 },        { "iso8859-1", CHARSET_LATIN1 }, { "iso_8859-1", CHARSET_LATIN1 },
	{ "l1", CHARSET_LATIN1 },    { "cp1252", CHARSET_1252 },            { "x-ansi", CHARSET_1252 },
};

/* Windows-1252 from 0x80 to 0x9F; 0: the byte itself */
static const uint16_t high_1252[32] = {
	0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
	0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
};

static int byte_of(enum charset charset, uint32_t cp)
{
	if (cp < 0x80)
		return (int)cp;
	if (charset == CHARSET_ASCII)
		return '?';
	for (int i = 0; charset == CHARSET_1252 && i < 32; i++)
		if (high_1252[i] == cp)
			return 0x80 + i;
	return cp <= 0xFF && (charset == CHARSET_LATIN1 || cp >= 0xA0) ? (int)cp : '?';
}

static void put_unit(struct out *o, uint32_t unit, bool big)
{
	char pair[2] = { (char)(unit & 0xFF), (char)(unit >> 8) };

	out_char(o, pair[big]);
	out_char(o, pair[!big]);
}

/* ASCII text is the same bytes there? Most texts are ASCII, and are copied as they are. */
static bool keeps_ascii(enum charset charset)
{
	return charset == CHARSET_UTF8 || charset == CHARSET_ASCII || charset == CHARSET_LATIN1 || charset == CHARSET_1252;
}

static void encode(struct out *o, enum charset charset, struct str s)
{
	if (charset == CHARSET_UTF7) {
		utf7_encode(o, s);
		return;
	}
	if (keeps_ascii(charset) && str_is_ascii(s)) {
		out_add(o, s.p, s.n);
		return;
	}
	for (size_t at = 0; at < s.n;) {
		uint32_t cp = utf8_next(s, &at);
		bool half = cp >= 0xD800 && cp <= 0xDFFF;

		switch (charset) {
		case CHARSET_UTF8:
			out_code_point(o, half ? 0xFFFD : cp);
			break;
		case CHARSET_UTF16:
		case CHARSET_UTF16BE:
			if (cp > 0xFFFF) {
				put_unit(o, 0xD800 + ((cp - 0x10000) >> 10), charset == CHARSET_UTF16BE);
				put_unit(o, 0xDC00 + ((cp - 0x10000) & 0x3FF), charset == CHARSET_UTF16BE);
			} else {
				put_unit(o, half ? 0xFFFD : cp, charset == CHARSET_UTF16BE);
			}
			break;
		case CHARSET_UTF32:
			put_unit(o, (half ? 0xFFFD : cp) & 0xFFFF, false);
			put_unit(o, cp >> 16, false);
			break;
		default:
			if (cp > 0xFFFF)
				out_char(o, '?');
			out_char(o, (char)byte_of(charset, cp));
			break;
		}
	}
}

/* Each maximal part of a broken sequence becomes one U+FFFD (Unicode, chapter 3.9). */
static bool decode_utf8(struct out *o, struct str s)
{
	bool clean = true;

	for (size_t at = 0; at < s.n;) {
		unsigned n = utf8_decode(str_from(s, at), NULL);
		unsigned char lead = (unsigned char)s.p[at];
		unsigned need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1, used = 1;

		if (n) {
			out_add(o, s.p + at, n);
			at += n;
			continue;
		}
		clean = false;
		out_code_point(o, 0xFFFD);
		if (lead >= 0xC2 && lead <= 0xF4) {
			unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
			unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;

			for (; used <= need && at + used < s.n; used++) {
				unsigned char c = (unsigned char)s.p[at + used];

				if (c < low || c > high)
					break;
				low = 0x80;
				high = 0xBF;
			}
		}
		at += used;
	}
	return clean;
}

static uint32_t unit_at(struct str s, size_t at, bool big)
{
	uint32_t l = (uint8_t)s.p[at], h = (uint8_t)s.p[at + 1];

	return big ? l << 8 | h : h << 8 | l;
}

static bool decode_utf16(struct out *o, struct str s, bool big)
{
	size_t at = 0;

	while (at + 2 <= s.n) {
		uint32_t unit = unit_at(s, at, big), low;

		at += 2;
		if (unit >= 0xD800 && unit <= 0xDBFF && at + 2 <= s.n && (low = unit_at(s, at, big)) >= 0xDC00 && low <= 0xDFFF) {
			unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
			at += 2;
		}
		out_code_point(o, unit >= 0xD800 && unit <= 0xDFFF ? 0xFFFD : unit);
	}
	if (at < s.n)
		out_code_point(o, 0xFFFD);
	return true;
}

static bool decode(struct out *o, enum charset charset, struct str s)
{
	if (keeps_ascii(charset) && str_is_ascii(s)) {
		out_add(o, s.p, s.n);
		return true;
	}
	switch (charset) {
	case CHARSET_UTF7:
		utf7_decode(o, s);
		return true;
	case CHARSET_UTF8:
		return decode_utf8(o, s);
	case CHARSET_UTF16:
	case CHARSET_UTF16BE:
		return decode_utf16(o, s, charset == CHARSET_UTF16BE);
	case CHARSET_UTF32:
		for (size_t at = 0; at + 4 <= s.n; at += 4) {
			uint32_t cp = unit_at(s, at, false) | unit_at(s, at + 2, false) << 16;

			out_code_point(o, cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF) ? 0xFFFD : cp);
		}
		return true;
	default:
		break;
	}
	for (size_t at = 0; at < s.n; at++) {
		uint8_t b = (uint8_t)s.p[at];

		if (charset == CHARSET_ASCII && b >= 0x80)
			out_code_point(o, '?');
		else if (charset == CHARSET_1252 && b >= 0x80 && b < 0xA0 && high_1252[b - 0x80])
			out_code_point(o, high_1252[b - 0x80]);
		else
			out_code_point(o, b);
	}
	return true;
}

/* ---- members -------------------------------------------------------------------------------------------------------------- */

static const struct encoding *self_of(const struct vm_call *c)
{
	return SELF(c, const struct encoding);
}

#define SHARED(name, charset)                                              \
	static bool name(struct vm_call *c)                                \
	{                                                                  \
		return vm_return(c, value_object(&shared[charset]));       \
	}
SHARED(get_utf8, CHARSET_UTF8)
SHARED(get_ascii, CHARSET_ASCII)
SHARED(get_utf16, CHARSET_UTF16)
SHARED(get_utf16be, CHARSET_UTF16BE)
SHARED(get_utf32, CHARSET_UTF32)
SHARED(get_latin1, CHARSET_LATIN1)
SHARED(get_default, CHARSET_1252)
SHARED(get_utf7, CHARSET_UTF7)

#define USE(name, bit)                                                                       \
	static bool name(struct vm_call *c)                                                  \
	{                                                                                    \
		return give_bool(c, facts[self_of(c)->charset].uses & (bit));                \
	}
USE(browser_display, 1)
USE(browser_save, 2)
USE(mail_display, 4)
USE(mail_save, 8)

/* ---- EncodingInfo: what GetEncodings lists -------------------------------------------------------------------------------- */

struct info {
	struct object head;
	size_t charset;
};
static struct value_class class_info;

static bool get_encodings(struct vm_call *c)
{
	struct array *a = vm_array(c, ARRAY_LEN(facts) - 1);    /* .NET does not list UTF-7 */

	for (size_t i = 0; a && i < a->n; i++) {
		struct info *one = vm_new(c, &class_info, sizeof(*one));

		if (!one)
			return false;
		one->charset = i;
		a->v[i] = value_object(one);
	}
	return a && vm_return(c, value_object(a));
}

static bool info_page(struct vm_call *c)
{
	return give_int(c, facts[SELF(c, struct info)->charset].code_page);
}

static bool info_name(struct vm_call *c)
{
	return vm_return_str(c, str_of(facts[SELF(c, struct info)->charset].name));
}

static bool info_description(struct vm_call *c)
{
	return vm_return_str(c, str_of(facts[SELF(c, struct info)->charset].description));
}

static bool info_encoding(struct vm_call *c)
{
	return vm_return(c, value_object(&shared[SELF(c, struct info)->charset]));
}

static const struct class_member info_members[] = {
	{ "int CodePage { get; }", info_page }, { "string Name { get; }", info_name },
	{ "string DisplayName { get; }", info_description }, { "Encoding GetEncoding()", info_encoding }, { 0 }
};
static struct value_class class_info = { .name = "System.Text.EncodingInfo", .members = info_members };


struct value encoding_utf16(void)
{
	return value_object(&shared[CHARSET_UTF16]);
}

static bool new_utf8(struct vm_call *c)
{
	struct encoding *e = vm_new(c, &class_utf8, sizeof(*e));

	if (!e)
		return false;
	e->mark = c->n > 0 && arg_bool(c, 0);
	e->strict = c->n > 1 && arg_bool(c, 1);
	return vm_return(c, value_object(e));
}

static bool get_encoding(struct vm_call *c)
{
	struct str name = arg_str(c, 0);

	if (arg_is_null(c, 0))
		return vm_throw_null(c, "name");
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		if (c->args[0].kind == VALUE_INT ? facts[i].code_page == arg_int(c, 0) : str_eq_ci(name, str_of(facts[i].name)))
			return i == CHARSET_UTF7 ? vm_throw(c, EX_NOT_SUPPORTED, "Support for UTF-7 is disabled. See "
							    "https://aka.ms/dotnet-warnings/SYSLIB0001 for more information.") : vm_return(c, value_object(&shared[i]));
	for (size_t i = 0; name.p && i < ARRAY_LEN(aliases); i++)
		if (str_eq_ci(name, str_of(aliases[i].name)))
			return vm_return(c, value_object(&shared[aliases[i].charset]));
	if (c->args[0].kind == VALUE_INT)
		return vm_throw(c, EX_NOT_SUPPORTED, "No data is available for encoding %ld.", (long)arg_int(c, 0));
	return vm_throw(c, EX_ARGUMENT, "'%.*s' is not a supported encoding name. For information on defining a custom encoding, "
			"see the documentation for the Encoding.RegisterProvider method. (Parameter 'name')", STR_ARG(name));
}

/* The text of an argument: a string or a char[], of this perhaps a part. */
static bool text_arg(struct vm_call *c, struct str *s)
{
	const struct array *chars = value_array(c->args[0]);
	int64_t from = c->n > 2 ? arg_int(c, 1) : 0, n = c->n > 2 ? arg_int(c, 2) : chars ? (int64_t)chars->n : 0;
	struct out o = out_in(c->arena);

	if (arg_is_null(c, 0))
		return vm_throw_null(c, chars ? "chars" : "s");
	if (!chars) {
		*s = arg_str(c, 0);
		return charge_bytes(c, s->n);
	}
	if (from < 0 || n < 0 || from > (int64_t)chars->n - n)
		return vm_throw_range(c, "chars", "Index and count must refer to a location within the buffer.");
	for (int64_t i = from; i < from + n; i++)
		out_code_point(&o, (uint32_t)array_get(chars, (size_t)i).u);
	*s = out_str(&o);
	return s->p || vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool get_bytes(struct vm_call *c)
{
	struct out o = out_in(c->arena);
	struct str s, made;

	if (!text_arg(c, &s))
		return false;
	encode(&o, self_of(c)->charset, s);
	made = out_str(&o);
	return made.p ? give_made(c, vm_bytes(c, made)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool get_byte_count(struct vm_call *c)
{
	struct out o = out_in(c->arena);
	struct str s;

	if (!text_arg(c, &s))
		return false;
	encode(&o, self_of(c)->charset, s);
	return o.failed ? vm_throw(c, EX_OUT_OF_MEMORY, NULL) : give_int(c, (int64_t)o.n);
}

static bool decode_args(struct vm_call *c, struct out *o)
{
	struct str bytes = value_bytes(c->args[0]);

	if (!bytes.p)
		return vm_throw_null(c, "bytes");
	if (c->n > 2) {
		if (arg_int(c, 1) < 0 || arg_int(c, 2) < 0)
			return vm_throw_range(c, arg_int(c, 1) < 0 ? "index" : "count", "Non-negative number required.");
		if (arg_int(c, 1) > (int64_t)bytes.n - arg_int(c, 2))
			return vm_throw_range(c, "bytes", "Index and count must refer to a location within the buffer.");
		bytes = (struct str){ bytes.p + arg_int(c, 1), (size_t)arg_int(c, 2) };
	}
	if (!charge_bytes(c, bytes.n))
		return false;
	if (!decode(o, self_of(c)->charset, bytes) && self_of(c)->strict)
		return vm_throw(c, EX_DECODER, "Unable to translate bytes at index 0 from specified code page to Unicode.");
	return true;
}

static bool get_string(struct vm_call *c)
{
	struct out o = out_in(c->arena);

	return decode_args(c, &o) && give_new(c, out_str(&o));
}

static bool get_chars(struct vm_call *c)
{
	struct out o = out_in(c->arena);
	struct text *t;
	struct array *out;
	uint16_t *units;
	size_t n;

	if (!decode_args(c, &o))
		return false;
	t = text_new(c->arena, out_str(&o), false);
	units = t ? text_units(c->arena, t, &n) : NULL;
	if (!units)
		return vm_throw(c, EX_OUT_OF_MEMORY, NULL);
	if (type_class(c->type) == &class_int)
		return give_int(c, (int64_t)n);
	out = vm_array(c, n);
	for (size_t i = 0; out && i < n; i++)
		out->v[i] = value_char(units[i]);
	return out && vm_return(c, value_object(out));
}

static bool convert(struct vm_call *c)
{
	const struct encoding *from = arg_object(c, 0), *to = arg_object(c, 1);
	struct str bytes = value_bytes(c->args[2]);
	struct out text = out_in(c->arena), o = out_in(c->arena);

	if (!from || !to || !bytes.p)
		return vm_throw_null(c, !from ? "srcEncoding" : !to ? "dstEncoding" : "bytes");
	if (!charge_bytes(c, bytes.n))
		return false;
	decode(&text, from->charset, bytes);
	encode(&o, to->charset, out_str(&text));
	return text.failed || o.failed ? vm_throw(c, EX_OUT_OF_MEMORY, NULL) : give_made(c, vm_bytes(c, out_str(&o)));
}

static bool get_preamble(struct vm_call *c)
{
	static const struct str marks[] = {
		[CHARSET_UTF8] = STR_INIT("\xEF\xBB\xBF"), [CHARSET_UTF16] = STR_INIT("\xFF\xFE"),
		[CHARSET_UTF16BE] = STR_INIT("\xFE\xFF"), [CHARSET_UTF32] = STR_INIT("\xFF\xFE\0\0"),
		[CHARSET_UTF7] = STR_INIT(""),
	};
	struct str mark = self_of(c)->mark ? marks[self_of(c)->charset] : STR("");
	struct str copy = arena_dup(c->arena, mark);

	return copy.p ? give_made(c, vm_bytes(c, copy)) : vm_throw(c, EX_OUT_OF_MEMORY, NULL);
}

static bool get_web_name(struct vm_call *c)
{
	return vm_return_str(c, str_of(facts[self_of(c)->charset].name));
}

static bool get_name(struct vm_call *c)
{
	return vm_return_str(c, str_of(facts[self_of(c)->charset].description));
}

static bool get_code_page(struct vm_call *c)
{
	return give_int(c, facts[self_of(c)->charset].code_page);
}

static bool is_single_byte(struct vm_call *c)
{
	enum charset s = self_of(c)->charset;

	return give_bool(c, s == CHARSET_ASCII || s == CHARSET_LATIN1 || s == CHARSET_1252);
}

static bool windows_code_page(struct vm_call *c)
{
	enum charset s = self_of(c)->charset;

	return give_int(c, s == CHARSET_ASCII || s == CHARSET_LATIN1 || s == CHARSET_1252 ? 1252 : 1200);
}

/* As the documentation of each encoding gives them: one more for a half pair that was left from before. */
static bool max_bytes(struct vm_call *c)
{
	static const int64_t each[] = { [CHARSET_UTF8] = 3, [CHARSET_ASCII] = 1, [CHARSET_UTF16] = 2, [CHARSET_UTF16BE] = 2,
					[CHARSET_UTF32] = 4, [CHARSET_LATIN1] = 1, [CHARSET_1252] = 1, [CHARSET_UTF7] = 3 };

	if (arg_int(c, 0) < 0 || arg_int(c, 0) > INT32_MAX / 4 - 1)
		return vm_throw_range(c, "charCount", "Non-negative number required.");
	if (self_of(c)->charset == CHARSET_UTF7)
		return give_int(c, arg_int(c, 0) * 3 + 2);
	return give_int(c, (arg_int(c, 0) + 1) * each[self_of(c)->charset]);
}

static bool max_chars(struct vm_call *c)
{
	int64_t n = arg_int(c, 0);

	if (n < 0 || n > INT32_MAX / 4 - 2)
		return vm_throw_range(c, "byteCount", "Non-negative number required.");
	switch (self_of(c)->charset) {
	case CHARSET_UTF8: return give_int(c, n + 1);
	case CHARSET_UTF16:
	case CHARSET_UTF16BE: return give_int(c, n / 2 + n % 2 + 1);
	case CHARSET_UTF32: return give_int(c, n / 2 + 2);
	case CHARSET_UTF7: return give_int(c, n ? n : 1);
	default: return give_int(c, n);
	}
}

static bool is_shared(struct vm_call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		if (self_of(c) == &shared[i])
			return give_bool(c, true);
	return give_bool(c, false);
}

static bool itself(struct vm_call *c)
{
	return vm_return(c, c->self);
}

static const struct class_member members[] = {
	{ "bool IsSingleByte { get; }", is_single_byte },
	{ "int WindowsCodePage { get; }", windows_code_page },
	{ "int GetMaxByteCount(int charCount)", max_bytes },
	{ "int GetMaxCharCount(int byteCount)", max_chars },
	{ "bool IsReadOnly { get; }", is_shared },
	{ "object Clone()", itself },
	{ "static Encoding UTF7 { get; }", get_utf7 },
	{ "static EncodingInfo[] GetEncodings()", get_encodings },
	{ "bool IsBrowserDisplay { get; }", browser_display },
	{ "bool IsBrowserSave { get; }", browser_save },
	{ "bool IsMailNewsDisplay { get; }", mail_display },
	{ "bool IsMailNewsSave { get; }", mail_save },
	{ "static Encoding UTF8 { get; }", get_utf8 },
	{ "static Encoding ASCII { get; }", get_ascii },
	{ "static Encoding Unicode { get; }", get_utf16 },
	{ "static Encoding BigEndianUnicode { get; }", get_utf16be },
	{ "static Encoding UTF32 { get; }", get_utf32 },
	{ "static Encoding Latin1 { get; }", get_latin1 },
	{ "static Encoding Default { get; }", get_default },
	{ "static Encoding GetEncoding(string name)", get_encoding },
	{ "static Encoding GetEncoding(int codepage)", get_encoding },
	{ "static byte[] Convert(Encoding srcEncoding, Encoding dstEncoding, byte[] bytes)", convert },
	{ "byte[] GetBytes(string s)", get_bytes },
	{ "byte[] GetBytes(char[] chars)", get_bytes },
	{ "byte[] GetBytes(char[] chars, int index, int count)", get_bytes },
	{ "int GetByteCount(char[] chars, int index, int count)", get_byte_count },
	{ "char[] GetChars(byte[] bytes, int index, int count)", get_chars },
	{ "int GetCharCount(byte[] bytes, int index, int count)", get_chars },
	{ "int GetByteCount(string s)", get_byte_count },
	{ "int GetByteCount(char[] chars)", get_byte_count },
	{ "string GetString(byte[] bytes)", get_string },
	{ "string GetString(byte[] bytes, int index, int count)", get_string },
	{ "char[] GetChars(byte[] bytes)", get_chars },
	{ "int GetCharCount(byte[] bytes)", get_chars },
	{ "byte[] GetPreamble()", get_preamble },
	{ "string WebName { get; }", get_web_name },
	{ "string HeaderName { get; }", get_web_name },
	{ "string BodyName { get; }", get_web_name },
	{ "string EncodingName { get; }", get_name },
	{ "int CodePage { get; }", get_code_page },
	{ 0 }
};
static const struct class_member utf8_members[] = {
	{ "UTF8Encoding()", new_utf8 },
	{ "UTF8Encoding(bool encoderShouldEmitUTF8Identifier)", new_utf8 },
	{ "UTF8Encoding(bool encoderShouldEmitUTF8Identifier, bool throwOnInvalidBytes)", new_utf8 },
	{ 0 }
};
static const struct class_member ascii_members[] = { { "ASCIIEncoding()", get_ascii }, { 0 } };
static const struct class_member utf16_members[] = { { "UnicodeEncoding()", get_utf16 }, { 0 } };
static const struct class_member utf32_members[] = { { "UTF32Encoding()", get_utf32 }, { 0 } };

static struct value_class class_encoding = { .name = "System.Text.Encoding", .members = members };
static struct value_class class_utf8 = { .name = "System.Text.UTF8Encoding", .base = "Encoding", .members = utf8_members };
static struct value_class class_ascii = { .name = "System.Text.ASCIIEncoding", .base = "Encoding", .members = ascii_members };
static struct value_class class_utf16 = { .name = "System.Text.UnicodeEncoding", .base = "Encoding", .members = utf16_members };
static struct value_class class_utf32 = { .name = "System.Text.UTF32Encoding", .base = "Encoding", .members = utf32_members };
static struct value_class *const classes[] = { &class_encoding, &class_utf8, &class_ascii, &class_utf16, &class_utf32, &class_info, NULL };

const struct class_module net_encoding = { .classes = classes };
