/* normal.c - Unicode normalization of strings and the categories of characters, on ICU (which libxml2 brings anyway). */
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/out.h"

/* System.Text.NormalizationForm */
static const struct class_member forms[] = { { "FormC = 1" }, { "FormD = 2" }, { "FormKC = 5" }, { "FormKD = 6" }, { 0 } };
static struct value_class class_form = { .name = "System.Text.NormalizationForm", .kind = CLASS_ENUM, .members = forms };

enum { FORM_C = 1, FORM_D = 2, FORM_KC = 5, FORM_KD = 6, GROWTH_MAX = 18 };      /* one unit may become 18 (UAX 15) */

static bool is_lead(uint32_t unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_trail(uint32_t unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

static uint32_t joined(uint32_t lead, uint32_t trail)
{
	return 0x10000 + ((lead - 0xD800) << 10) + (trail - 0xDC00);
}

static const UNormalizer2 *normalizer(struct vm_call *c)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *n;

	switch (c->n ? arg_enum(c, 0) : FORM_C) {
	case FORM_C: n = unorm2_getNFCInstance(&e); break;
	case FORM_D: n = unorm2_getNFDInstance(&e); break;
	case FORM_KC: n = unorm2_getNFKCInstance(&e); break;
	case FORM_KD: n = unorm2_getNFKDInstance(&e); break;
	default:
		vm_throw(c, EX_ARGUMENT, "Invalid normalization form. (Parameter 'normalizationForm')");
		return NULL;
	}
	if (U_FAILURE(e) || !n)
		vm_throw(c, EX_NOT_SUPPORTED, "The tables of Unicode normalization are not there.");
	return U_FAILURE(e) ? NULL : n;
}

/* The units of the text; half a surrogate pair is an error, as in .NET. */
static UChar *units_of(struct vm_call *c, size_t *n)
{
	UChar *u;

	if (!charge_each(c, c->self.text->n * 4))
		return NULL;
	u = text_units(c->arena, c->self.text, n);
	if (!u) {
		vm_throw(c, EX_OUT_OF_MEMORY, NULL);
		return NULL;
	}
	for (size_t i = 0; i < *n; i++) {
		if (is_lead(u[i]) && i + 1 < *n && is_trail(u[i + 1])) {
			i++;
		} else if (is_lead(u[i]) || is_trail(u[i])) {
			vm_throw(c, EX_ARGUMENT, "Invalid Unicode code point found at index %zu. (Parameter 'strInput')", i);
			return NULL;
		}
	}
	return u;
}

static bool normalize(struct vm_call *c)
{
	const UNormalizer2 *n = normalizer(c);
	UErrorCode e = U_ZERO_ERROR;
	struct out o = out_in(c->arena);
	UChar *from, *to;
	size_t length;
	int32_t made;

	if (!n)
		return false;
	if (c->self.text->ascii)
		return vm_return(c, c->self);
	from = units_of(c, &length);
	to = from ? vm_alloc(c, length * GROWTH_MAX + 1, sizeof(*to)) : NULL;
	if (!to)
		return false;
	made = unorm2_normalize(n, from, (int32_t)length, to, (int32_t)(length * GROWTH_MAX + 1), &e);
	if (U_FAILURE(e))
		return vm_throw(c, EX_ARGUMENT, "The string cannot be normalized. (Parameter 'strInput')");
	for (int32_t i = 0; i < made; i++) {
		uint32_t cp = to[i];

		if (is_lead(cp) && i + 1 < made)
			cp = joined(cp, to[++i]);
		out_code_point(&o, cp);
	}
	return give_new(c, out_str(&o));
}

static bool is_normalized(struct vm_call *c)
{
	const UNormalizer2 *n = normalizer(c);
	UErrorCode e = U_ZERO_ERROR;
	UChar *from;
	size_t length;

	if (!n)
		return false;
	if (c->self.text->ascii)
		return give_bool(c, true);
	from = units_of(c, &length);
	return from && give_bool(c, unorm2_isNormalized(n, from, (int32_t)length, &e) && U_SUCCESS(e));
}

/* Every text counts as interned: references to equal strings cannot be told apart here. */
static bool interned(struct vm_call *c)
{
	return arg_is_null(c, 0) ? vm_throw_null(c, "str") : vm_return(c, c->args[0]);
}

static const struct class_member string_members[] = {
	{ "string Normalize()", normalize },
	{ "string Normalize(NormalizationForm normalizationForm)", normalize },
	{ "bool IsNormalized()", is_normalized },
	{ "bool IsNormalized(NormalizationForm normalizationForm)", is_normalized },
	{ "static string IsInterned(string str)", interned },
	{ 0 }
};

/* ---- categories ----------------------------------------------------------------------------------------------------------- */

static const struct class_member categories[] = {
	{ "UppercaseLetter = 0" }, { "LowercaseLetter = 1" }, { "TitlecaseLetter = 2" }, { "ModifierLetter = 3" },
	{ "OtherLetter = 4" }, { "NonSpacingMark = 5" }, { "SpacingCombiningMark = 6" }, { "EnclosingMark = 7" },
	{ "DecimalDigitNumber = 8" }, { "LetterNumber = 9" }, { "OtherNumber = 10" }, { "SpaceSeparator = 11" },
	{ "LineSeparator = 12" }, { "ParagraphSeparator = 13" }, { "Control = 14" }, { "Format = 15" }, { "Surrogate = 16" },
	{ "PrivateUse = 17" }, { "ConnectorPunctuation = 18" }, { "DashPunctuation = 19" }, { "OpenPunctuation = 20" },
	{ "ClosePunctuation = 21" }, { "InitialQuotePunctuation = 22" }, { "FinalQuotePunctuation = 23" },
	{ "OtherPunctuation = 24" }, { "MathSymbol = 25" }, { "CurrencySymbol = 26" }, { "ModifierSymbol = 27" },
	{ "OtherSymbol = 28" }, { "OtherNotAssigned = 29" },
	{ 0 }
};
static struct value_class class_category = {
	.name = "System.Globalization.UnicodeCategory", .kind = CLASS_ENUM, .members = categories
};

static bool category(struct vm_call *c)
{
	static const uint8_t of_icu[U_CHAR_CATEGORY_COUNT] = {
		[U_UNASSIGNED] = 29, [U_UPPERCASE_LETTER] = 0, [U_LOWERCASE_LETTER] = 1, [U_TITLECASE_LETTER] = 2,
		[U_MODIFIER_LETTER] = 3, [U_OTHER_LETTER] = 4, [U_NON_SPACING_MARK] = 5, [U_COMBINING_SPACING_MARK] = 6,
		[U_ENCLOSING_MARK] = 7, [U_DECIMAL_DIGIT_NUMBER] = 8, [U_LETTER_NUMBER] = 9, [U_OTHER_NUMBER] = 10,
		[U_SPACE_SEPARATOR] = 11, [U_LINE_SEPARATOR] = 12, [U_PARAGRAPH_SEPARATOR] = 13, [U_CONTROL_CHAR] = 14,
		[U_FORMAT_CHAR] = 15, [U_SURROGATE] = 16, [U_PRIVATE_USE_CHAR] = 17, [U_CONNECTOR_PUNCTUATION] = 18,
		[U_DASH_PUNCTUATION] = 19, [U_START_PUNCTUATION] = 20, [U_END_PUNCTUATION] = 21, [U_INITIAL_PUNCTUATION] = 22,
		[U_FINAL_PUNCTUATION] = 23, [U_OTHER_PUNCTUATION] = 24, [U_MATH_SYMBOL] = 25, [U_CURRENCY_SYMBOL] = 26,
		[U_MODIFIER_SYMBOL] = 27, [U_OTHER_SYMBOL] = 28,
	};
	const struct text *t = arg_text(c, 0);
	int64_t i = c->n > 1 ? arg_int(c, 1) : 0;
	uint32_t cp;

	if (c->args[0].kind == VALUE_CHAR) {
		cp = (uint32_t)c->args[0].u;
	} else {
		if (!t)
			return vm_throw_null(c, "s");
		if (i < 0 || i >= text_length(t))
			return vm_throw_range(c, "index", NULL);
		cp = text_unit(t, i);
		if (is_lead(cp) && i + 1 < text_length(t) && is_trail(text_unit(t, i + 1)))
			cp = joined(cp, text_unit(t, i + 1));
	}
	return vm_return(c, enum_of(c, &class_category, of_icu[(uint8_t)u_charType((UChar32)cp)]));
}

static const struct class_member char_members[] = {
	{ "static UnicodeCategory GetUnicodeCategory(char c)", category },
	{ "static UnicodeCategory GetUnicodeCategory(string s, int index)", category },
	{ 0 }
};

static const struct class_part parts[] = { { &class_string, string_members }, { &class_char, char_members }, { NULL, NULL } };
static struct value_class *const classes[] = { &class_form, &class_category, NULL };

const struct class_module net_normal = { .classes = classes, .parts = parts };
