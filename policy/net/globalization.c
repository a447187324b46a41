/* globalization.c - the culture types, which know one culture: every text is made and read in the invariant one. */
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/types.h"

static struct value_class class_culture;
static struct value_class class_number_info;
static struct value_class class_date_info;

static const struct object invariant = { &class_culture }, number_info = { &class_number_info },
			   date_info = { &class_date_info };

struct value culture_invariant(void)
{
	return value_object(&invariant);
}

static bool get_invariant(struct vm_call *c)
{
	return vm_return(c, value_object(&invariant));
}

static bool get_culture(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "name");
	return get_invariant(c);
}

static bool get_name(struct vm_call *c)
{
	return vm_return_str(c, STR(""));
}

static bool get_number_info(struct vm_call *c)
{
	return vm_return(c, value_object(&number_info));
}

static bool get_date_info(struct vm_call *c)
{
	return vm_return(c, value_object(&date_info));
}

static const struct class_member culture_members[] = {
	{ "static CultureInfo InvariantCulture { get; }", get_invariant },
	{ "static CultureInfo CurrentCulture { get; }", get_invariant },
	{ "static CultureInfo CurrentUICulture { get; }", get_invariant },
	{ "CultureInfo(string name)", get_culture },
	{ "static CultureInfo GetCultureInfo(string name)", get_culture },
	{ "string Name { get; }", get_name },
	{ "NumberFormatInfo NumberFormat { get; }", get_number_info },
	{ "DateTimeFormatInfo DateTimeFormat { get; }", get_date_info },
	{ 0 }
};
static const struct class_member number_info_members[] = {
	{ "static NumberFormatInfo InvariantInfo { get; }", get_number_info },
	{ "static NumberFormatInfo CurrentInfo { get; }", get_number_info },
	{ 0 }
};
static const struct class_member date_info_members[] = {
	{ "static DateTimeFormatInfo InvariantInfo { get; }", get_date_info },
	{ "static DateTimeFormatInfo CurrentInfo { get; }", get_date_info },
	{ 0 }
};
static const struct class_member number_styles[] = {
	{ "None = 0" }, { "AllowLeadingWhite = 1" }, { "AllowTrailingWhite = 2" }, { "AllowLeadingSign = 4" },
	{ "Integer = 7" }, { "AllowTrailingSign = 8" }, { "AllowParentheses = 16" }, { "AllowDecimalPoint = 32" },
	{ "AllowThousands = 64" }, { "Number = 111" }, { "AllowExponent = 128" }, { "Float = 167" },
	{ "AllowCurrencySymbol = 256" }, { "Currency = 383" }, { "Any = 511" }, { "AllowHexSpecifier = 512" },
	{ "HexNumber = 515" },
	{ 0 }
};
static const struct class_member date_styles[] = {
	{ "None = 0" }, { "AllowLeadingWhite = 1" }, { "AllowTrailingWhite = 2" }, { "AllowInnerWhite = 4" },
	{ "AllowWhiteSpaces = 7" }, { "NoCurrentDateDefault = 8" }, { "AdjustToUniversal = 16" },
	{ "AssumeLocal = 32" }, { "AssumeUniversal = 64" }, { "RoundtripKind = 128" },
	{ 0 }
};

static struct value_class class_provider = { .name = "System.IFormatProvider", .kind = CLASS_INTERFACE };
static struct value_class class_culture = {
	.name = "System.Globalization.CultureInfo", .interfaces = "IFormatProvider", .members = culture_members
};
static struct value_class class_number_info = {
	.name = "System.Globalization.NumberFormatInfo", .interfaces = "IFormatProvider", .members = number_info_members
};
static struct value_class class_date_info = {
	.name = "System.Globalization.DateTimeFormatInfo", .interfaces = "IFormatProvider", .members = date_info_members
};
static struct value_class class_number_styles = {
	.name = "System.Globalization.NumberStyles", .kind = CLASS_ENUM, .flags = true, .members = number_styles
};
static struct value_class class_date_styles = {
	.name = "System.Globalization.DateTimeStyles", .kind = CLASS_ENUM, .flags = true, .members = date_styles
};

static struct value_class *const classes[] = { &class_provider,    &class_culture,     &class_number_info,
					       &class_date_info, &class_number_styles, &class_date_styles, NULL };

const struct class_module net_globalization = { .classes = classes };
