/* char.c - System.Char. */
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/out.h"
#include "policy/net/unicode.h"

/* The unit that a static member is asked about: (char c) or (string s, int index). */
static bool unit_of(struct vm_call *c, uint32_t *unit)
{
	const struct text *t = arg_text(c, 0);

	if (c->args[0].kind == VALUE_CHAR) {
		*unit = (uint32_t)c->args[0].u;
		return true;
	}
	if (!t)
		return vm_throw_null(c, "s");
	if (arg_int(c, 1) < 0 || arg_int(c, 1) >= text_length(t))
		return vm_throw_range(c, "index", NULL);
	*unit = text_unit(t, arg_int(c, 1));
	return true;
}

static bool is_high_unit(uint32_t u)
{
	return u >= 0xD800 && u <= 0xDBFF;
}

static bool is_low_unit(uint32_t u)
{
	return u >= 0xDC00 && u <= 0xDFFF;
}

#define QUESTION(name, answer)                                  \
	static bool name(struct vm_call *c)                     \
	{                                                       \
		uint32_t u = 0;                                 \
		return unit_of(c, &u) && give_bool(c, (answer)); \
	}
QUESTION(is_letter, unicode_is(UNICODE_LETTER, u))
QUESTION(is_digit, unicode_is(UNICODE_DIGIT, u))
QUESTION(is_number, unicode_is(UNICODE_NUMBER, u))
QUESTION(is_letter_or_digit, unicode_is(UNICODE_LETTER, u) || unicode_is(UNICODE_DIGIT, u))
QUESTION(is_upper, unicode_is(UNICODE_UPPER, u))
QUESTION(is_lower, unicode_is(UNICODE_LOWER, u))
QUESTION(is_white, unicode_is_white(u))
QUESTION(is_punctuation, unicode_is(UNICODE_PUNCTUATION, u))
QUESTION(is_symbol, unicode_is(UNICODE_SYMBOL, u))
QUESTION(is_control, unicode_is(UNICODE_CONTROL, u))
QUESTION(is_separator, unicode_is(UNICODE_SEPARATOR, u))
QUESTION(is_high, is_high_unit(u))
QUESTION(is_low, is_low_unit(u))
QUESTION(is_surrogate, is_high_unit(u) || is_low_unit(u))

static bool to_upper(struct vm_call *c)
{
	return vm_return(c, value_char((uint16_t)unicode_upper((uint32_t)c->args[0].u)));
}

static bool to_lower(struct vm_call *c)
{
	return vm_return(c, value_char((uint16_t)unicode_lower((uint32_t)c->args[0].u)));
}

static bool numeric_value(struct vm_call *c)
{
	uint32_t u;

	if (!unit_of(c, &u))
		return false;
	return vm_return(c, value_double(u >= '0' && u <= '9' ? (double)(u - '0') : -1));
}

static bool text_of(struct vm_call *c, uint32_t unit)
{
	struct out o = out_in(c->arena);

	out_code_point(&o, unit);
	return give_new(c, out_str(&o));
}

static bool to_string(struct vm_call *c)
{
	return text_of(c, (uint32_t)c->self.u);
}

static bool static_to_string(struct vm_call *c)
{
	return text_of(c, (uint32_t)c->args[0].u);
}

static bool of_utf32(struct vm_call *c)
{
	int64_t cp = arg_int(c, 0);

	if (cp < 0 || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		return vm_throw_range(c, "utf32", "A valid UTF32 value is between 0x000000 and 0x10ffff, inclusive, and should "
						  "not include surrogate codepoint values (0x00d800 ~ 0x00dfff).");
	return text_of(c, (uint32_t)cp);
}

/* (char high, char low), or (string s, int index): the unit there and the next one, 0 behind the end. */
static bool two_units(struct vm_call *c, uint32_t *high, uint32_t *low)
{
	const struct text *t = arg_text(c, 0);

	if (!unit_of(c, high))
		return false;
	if (c->args[0].kind == VALUE_CHAR)
		*low = (uint32_t)c->args[1].u;
	else
		*low = arg_int(c, 1) + 1 < text_length(t) ? text_unit(t, arg_int(c, 1) + 1) : 0;
	return true;
}

static bool is_surrogate_pair(struct vm_call *c)
{
	uint32_t high, low;

	return two_units(c, &high, &low) && give_bool(c, is_high_unit(high) && is_low_unit(low));
}

static bool alone(struct vm_call *c, const char *what)
{
	return vm_throw(c, EX_ARGUMENT, "Found a %s at index: %lld. The input may not be in this encoding, or may not contain valid "
			"Unicode (UTF-16) characters. (Parameter 'index')", what, (long long)arg_int(c, 1));
}

static bool to_utf32(struct vm_call *c)
{
	bool units = c->args[0].kind == VALUE_CHAR;
	uint32_t high, low;

	if (!units && !arg_is_null(c, 0) && (arg_int(c, 1) < 0 || arg_int(c, 1) >= text_length(arg_text(c, 0))))
		return vm_throw_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the collection.");
	if (!two_units(c, &high, &low))
		return false;
	if (units && !is_high_unit(high))
		return vm_throw_range(c, "highSurrogate", "A valid high surrogate character is between 0xd800 and 0xdbff, inclusive.");
	if (units && !is_low_unit(low))
		return vm_throw_range(c, "lowSurrogate", "A valid low surrogate character is between 0xdc00 and 0xdfff, inclusive.");
	if (is_low_unit(high))
		return alone(c, "low surrogate char without a preceding high surrogate");
	if (!is_high_unit(high))
		return give_int(c, (int64_t)high);
	if (!is_low_unit(low))
		return alone(c, "high surrogate char without a following low surrogate");
	return give_int(c, (int64_t)(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)));
}

static bool parse(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "s");
	if (text_length(arg_text(c, 0)) != 1)
		return vm_throw(c, EX_FORMAT, "String must be exactly one character long.");
	return vm_return(c, value_char(text_unit(arg_text(c, 0), 0)));
}

static bool try_parse(struct vm_call *c)
{
	bool ok = !arg_is_null(c, 0) && text_length(arg_text(c, 0)) == 1;

	c->args[1] = value_char(ok ? text_unit(arg_text(c, 0), 0) : 0);
	return give_bool(c, ok);
}

static bool equals(struct vm_call *c)
{
	return give_bool(c, c->args[0].kind == VALUE_CHAR && c->args[0].u == c->self.u);
}

static bool compare_to(struct vm_call *c)
{
	return give_int(c, c->self.i - c->args[0].i);
}

#define ASK(name, fn) { "static bool " name "(char c)", fn }, { "static bool " name "(string s, int index)", fn }

static const struct class_member members[] = {
	ASK("IsLetter", is_letter), ASK("IsDigit", is_digit), ASK("IsNumber", is_number), ASK("IsUpper", is_upper),
	ASK("IsLetterOrDigit", is_letter_or_digit), ASK("IsLower", is_lower), ASK("IsWhiteSpace", is_white),
	ASK("IsPunctuation", is_punctuation), ASK("IsSymbol", is_symbol), ASK("IsControl", is_control),
	ASK("IsSeparator", is_separator), ASK("IsHighSurrogate", is_high), ASK("IsLowSurrogate", is_low),
	ASK("IsSurrogate", is_surrogate),
	{ "static char ToUpper(char c)", to_upper },
	{ "static char ToUpper(char c, CultureInfo culture)", to_upper },
	{ "static char ToUpperInvariant(char c)", to_upper },
	{ "static char ToLower(char c)", to_lower },
	{ "static char ToLower(char c, CultureInfo culture)", to_lower },
	{ "static char ToLowerInvariant(char c)", to_lower },
	{ "static double GetNumericValue(char c)", numeric_value },
	{ "static double GetNumericValue(string s, int index)", numeric_value },
	{ "static string ToString(char c)", static_to_string },
	{ "static string ConvertFromUtf32(int utf32)", of_utf32 },
	{ "static bool IsSurrogatePair(char highSurrogate, char lowSurrogate)", is_surrogate_pair },
	{ "static bool IsSurrogatePair(string s, int index)", is_surrogate_pair },
	{ "static int ConvertToUtf32(char highSurrogate, char lowSurrogate)", to_utf32 },
	{ "static int ConvertToUtf32(string s, int index)", to_utf32 },
	{ "static char Parse(string s)", parse },
	{ "static bool TryParse(string s, out char result)", try_parse },
	{ "string ToString()", to_string },
	{ "string ToString(IFormatProvider provider)", to_string },
	{ "bool Equals(char obj)", equals },
	{ "int CompareTo(char value)", compare_to },
	{ "const char MaxValue = '\\uffff'" },
	{ "const char MinValue = '\\0'" },
	{ 0 }
};
static const struct class_part parts[] = { { &class_char, members }, { NULL, NULL } };

const struct class_module net_char = { .parts = parts };
