/* System.Decimal: results, scales and rounding as .NET has them. */
#include "tests/unit/check.h"

#include "policy/expr/decimal.h"

static struct decimal parse(const char *s)
{
	struct decimal d = { 0 };

	assert_true(decimal_parse(str_of(s), &d));
	return d;
}

static struct str text(struct decimal d)
{
	static char out[DECIMAL_TEXT_MAX];

	return (struct str){ out, decimal_text(d, out) };
}

static void arithmetic(void **state UNUSED)
{
	static const struct {
		const char *label, *l;
		char op;
		const char *r, *want;        /* NULL: overflow */
	} rows[] = {
		{ "scales align", "1.1", '+', "2.25", "3.35" },
		{ "scale is kept", "1.10", '+', "2.20", "3.30" },
		{ "through zero", "1", '-', "2.5", "-1.5" },
		{ "scales add", "1.10", '*', "2.0", "2.200" },
		{ "signs", "-3", '*', "-2", "6" },
		{ "thirds", "1", '/', "3", "0.3333333333333333333333333333" },
		{ "two thirds round up", "2", '/', "3", "0.6666666666666666666666666667" },
		{ "comes out even", "10", '/', "4", "2.5" },
		{ "remainder", "7.5", '%', "2", "1.5" },
		{ "sign of the dividend", "-7", '%', "3", "-1" },
		{ "large remainder", "79228162514264337593543950335", '%', "7", "0" },
		{ "largest", "79228162514264337593543950334", '+', "1", "79228162514264337593543950335" },
		{ "too large", "79228162514264337593543950335", '+', "1", NULL },
		{ "product too large", "79228162514264337593543950335", '*', "2", NULL },
		{ "rounded to 28 digits", "0.0000000000000000000000000001", '*', "0.5", "0.0000000000000000000000000000" },
		{ "half to even", "0.0000000000000000000000000003", '*', "0.5", "0.0000000000000000000000000002" },
		{ "by zero", "1", '/', "0", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct decimal l = parse(rows[i].l), r = parse(rows[i].r), out = { 0 };
		bool ok = rows[i].op == '+' ? decimal_add(l, r, &out) : rows[i].op == '-' ? decimal_sub(l, r, &out)
			: rows[i].op == '*' ? decimal_mul(l, r, &out) : rows[i].op == '/' ? decimal_div(l, r, &out)
									    : decimal_rem(l, r, &out);

		CHECK_INT(rows[i].label, ok, rows[i].want != NULL);
		if (ok && rows[i].want)
			CHECK_STR(rows[i].label, text(out), str_of(rows[i].want));
	}
	check_done();
}

static void conversions(void **state UNUSED)
{
	static const struct {
		double d;
		const char *want;
	} rows[] = {
		{ 0, "0" }, { 0.1, "0.1" }, { 1e20, "100000000000000000000" }, { -2.5, "-2.5" }, { 1e-5, "0.00001" },
		{ 123456789012345678.0, "123456789012346000" }, { 1e29, NULL }, { 1.0 / 3, "0.333333333333333" },
	};
	struct decimal d;
	int64_t i;

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		CHECK_INT("fits", decimal_of_double(rows[k].d, &d), rows[k].want != NULL);
		if (rows[k].want)
			CHECK_STR("digits", text(d), str_of(rows[k].want));
	}
	CHECK("compare", decimal_cmp(parse("1.0"), parse("1")) == 0 && decimal_cmp(parse("-2"), parse("1")) < 0);
	CHECK("zeros", decimal_cmp(parse("-0.0"), parse("0")) == 0);
	CHECK("toward zero", decimal_to_i64(parse("-3.99"), &i) && i == -3);
	CHECK("smallest", decimal_to_i64(parse("-9223372036854775808"), &i) && i == INT64_MIN);
	CHECK("one less", !decimal_to_i64(parse("-9223372036854775809"), &i));
	CHECK_STR("of the smallest", text(decimal_of_i64(INT64_MIN)), STR("-9223372036854775808"));
	CHECK("letters", !decimal_parse(STR("1x"), &d) && !decimal_parse(STR(""), &d) && !decimal_parse(STR("."), &d));
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(arithmetic), cmocka_unit_test(conversions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
