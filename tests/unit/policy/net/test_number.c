/* Numbers as .NET prints and reads them. Expected texts are those of .NET's documentation and its invariant culture. */
#include "tests/unit/policy/net/evaluate.h"

static void plain_text(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "0", "0" },
		{ "0.0", "0" },
		{ "-0.0", "-0" },
		{ "1.0", "1" },
		{ "1.5", "1.5" },
		{ "0.1 + 0.2", "0.30000000000000004" },
		{ "1e14", "100000000000000" },
		{ "1e15", "1E+15" },
		{ "1e16", "1E+16" },
		{ "1234567890123456.0", "1234567890123456" },
		{ "123456789012345678.0", "1.2345678901234568E+17" },
		{ "0.0001", "0.0001" },
		{ "0.00001", "1E-05" },
		{ "1.0 / 3", "0.3333333333333333" },
		{ "5e-324", "5E-324" },
		{ "double.MaxValue", "1.7976931348623157E+308" },
		{ "double.Epsilon", "5E-324" },
		{ "double.NaN", "NaN" },
		{ "double.PositiveInfinity", "Infinity" },
		{ "double.NegativeInfinity", "-Infinity" },
		{ "0.1f", "0.1" },
		{ "1f / 3", "0.33333334" },
		{ "float.MaxValue", "3.4028235E+38" },
		{ "1.10m", "1.10" },
		{ "100m", "100" },
		{ "0.000m", "0.000" },
		{ "decimal.MaxValue", "79228162514264337593543950335" },
		{ "int.MinValue", "-2147483648" },
		{ "long.MinValue", "-9223372036854775808" },
		{ "ulong.MaxValue", "18446744073709551615" },
		{ "true", "True" },
	};

	CHECK_ROWS(rows);
}

static void standard_formats(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "1234.ToString(\"D\")", "1234" },
		{ "(-1234).ToString(\"D6\")", "-001234" },
		{ "0.ToString(\"D0\")", "0" },
		{ "7.ToString(\"D2\")", "07" },
		{ "1234.567.ToString(\"F\")", "1234.57" },
		{ "1234.ToString(\"F1\")", "1234.0" },
		{ "(-1234.56).ToString(\"F4\")", "-1234.5600" },
		{ "2.5.ToString(\"F0\")", "3" },
		{ "0.125.ToString(\"F2\")", "0.13" },
		{ "1.005.ToString(\"F2\")", "1.00" },
		{ "0.0.ToString(\"F2\")", "0.00" },
		{ "1e21.ToString(\"F0\")", "1000000000000000000000" },
		{ "1234.567.ToString(\"N\")", "1,234.57" },
		{ "1234567.ToString(\"N0\")", "1,234,567" },
		{ "(-1234.56).ToString(\"N3\")", "-1,234.560" },
		{ "123.ToString(\"N1\")", "123.0" },
		{ "123.456.ToString(\"C\")", "\xC2\xA4" "123.46" },
		{ "(-1234.5).ToString(\"C2\")", "(\xC2\xA4" "1,234.50)" },
		{ "0.126.ToString(\"P\")", "12.60 %" },
		{ "(-0.39678).ToString(\"P1\")", "-39.7 %" },
		{ "1052.0329112756.ToString(\"E\")", "1.052033E+003" },
		{ "(-1052.0329112756).ToString(\"e2\")", "-1.05e+003" },
		{ "0.0.ToString(\"E2\")", "0.00E+000" },
		{ "(-123.456).ToString(\"G\")", "-123.456" },
		{ "123.4546.ToString(\"G4\")", "123.5" },
		{ "(-1.234567890e-25).ToString(\"G\")", "-1.23456789E-25" },
		{ "12345.ToString(\"G2\")", "1.2E+04" },
		{ "0.1.ToString(\"R\")", "0.1" },
		{ "255.ToString(\"X\")", "FF" },
		{ "(-1).ToString(\"x\")", "ffffffff" },
		{ "255.ToString(\"X4\")", "00FF" },
		{ "((byte)10).ToString(\"x2\")", "0a" },
		{ "1.5m.ToString(\"F3\")", "1.500" },
		{ "1.5.ToString(\"D\")", "! Format specifier was invalid." },
		{ "1.5.ToString(\"X\")", "! Format specifier was invalid." },
		{ "1.ToString(\"Y\")", "! Format specifier was invalid." },
		{ "1.ToString(\"F1000000\")", "! Format specifier was invalid." },
	};

	CHECK_ROWS(rows);
}

static void custom_formats(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "123.ToString(\"00000\")", "00123" },
		{ "1.2.ToString(\"0.00\")", "1.20" },
		{ "1.2.ToString(\"00.00\")", "01.20" },
		{ "0.56.ToString(\"0.0\")", "0.6" },
		{ "1234567890.ToString(\"0,0\")", "1,234,567,890" },
		{ "1234567890.123456.ToString(\"0,0.0\")", "1,234,567,890.1" },
		{ "1.2.ToString(\"#.##\")", "1.2" },
		{ "123.ToString(\"#####\")", "123" },
		{ "0.ToString(\"#\")", "" },
		{ "0.12.ToString(\"#.##\")", ".12" },
		{ "123456.ToString(\"[##-##-##]\")", "[12-34-56]" },
		{ "1234567890.ToString(\"(###) ###-####\")", "(123) 456-7890" },
		{ "1234567890.ToString(\"#,\")", "1234568" },
		{ "1234567890.ToString(\"#,,\")", "1235" },
		{ "1234567890.ToString(\"#,##0,,\")", "1,235" },
		{ "0.086.ToString(\"#0.##%\")", "8.6%" },
		{ "86000.ToString(\"0.###E+0\")", "8.6E+4" },
		{ "86000.ToString(\"0.###E+000\")", "8.6E+004" },
		{ "86000.ToString(\"0.###E-000\")", "8.6E004" },
		{ "1234.ToString(\"##;(##)\")", "1234" },
		{ "(-1234).ToString(\"##;(##)\")", "(1234)" },
		{ "0.ToString(\"##;(##);**Zero**\")", "**Zero**" },
		{ "68.ToString(\"# ' degrees'\")", "68  degrees" },
		{ "123.ToString(\"\\\\#\\\\#\\\\# ##0 dollars\")", "### 123 dollars" },
		{ "(-0.001).ToString(\"0.00\")", "-0.00" },
		{ "1.5.ToString(\"abc\")", "abc" },
		{ "1500.42.ToString(\"#,##0.00\")", "1,500.42" },
		{ "0.5.ToString(\"#,##0.00\")", "0.50" },
		{ "1e10.ToString(\"#,#\")", "10,000,000,000" },
		{ "1.23456789012345678.ToString(\"0.####################\")", "1.23456789012346" },
	};

	CHECK_ROWS(rows);
}

static void parsing(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "int.Parse(\"0\")", "0" },
		{ "int.Parse(\" -12 \")", "-12" },
		{ "int.Parse(\"+5\")", "5" },
		{ "int.Parse(\"2147483647\")", "2147483647" },
		{ "int.Parse(\"2147483648\")", "! Value was either too large or too small for an Int32." },
		{ "int.Parse(\"-2147483649\")", "! Value was either too large or too small for an Int32." },
		{ "int.Parse(\"\")", "! The input string '' was not in a correct format." },
		{ "int.Parse(\"1.0\")", "! The input string '1.0' was not in a correct format." },
		{ "int.Parse(\"1,000\")", "! The input string '1,000' was not in a correct format." },
		{ "int.Parse((string)null)", "! Value cannot be null. (Parameter 's')" },
		{ "int.Parse(\"ff\", NumberStyles.HexNumber)", "255" },
		{ "int.Parse(\"FFFFFFFF\", NumberStyles.HexNumber)", "-1" },
		{ "byte.Parse(\"256\")", "! Value was either too large or too small for an unsigned byte." },
		{ "sbyte.Parse(\"-129\")", "! Value was either too large or too small for a signed byte." },
		{ "ushort.Parse(\"-1\")", "! Value was either too large or too small for a UInt16." },
		{ "long.Parse(\"9223372036854775807\")", "9223372036854775807" },
		{ "ulong.Parse(\"18446744073709551615\")", "18446744073709551615" },
		{ "ulong.Parse(\"18446744073709551616\")", "! Value was either too large or too small for a UInt64." },
		{ "double.Parse(\"1.5\")", "1.5" },
		{ "double.Parse(\"1,234.5e2\")", "123450" },
		{ "double.Parse(\".5\")", "0.5" },
		{ "double.Parse(\"NaN\")", "NaN" },
		{ "double.Parse(\"-Infinity\")", "-Infinity" },
		{ "double.Parse(\"abc\")", "! The input string 'abc' was not in a correct format." },
		{ "decimal.Parse(\"1.50\")", "1.50" },
		{ "decimal.Parse(\"1,234.5-\")", "-1234.5" },
		{ "decimal.Parse(\"79228162514264337593543950336\")",
		  "! Value was either too large or too small for a Decimal." },
		{ "bool.Parse(\" TRUE \")", "True" },
		{ "bool.Parse(\"1\")", "! String '1' was not recognized as a valid Boolean." },
		{ "@{ int i; return int.TryParse(\"12x\", out i) + \" \" + i; }", "False 0" },
		{ "@{ int i; return int.TryParse(\"12\", out i) + \" \" + i; }", "True 12" },
		{ "@{ double d; return double.TryParse(null, out d) + \" \" + d; }", "False 0" },
		{ "@{ decimal d; return decimal.TryParse(\"1.20\", out d) + \" \" + d; }", "True 1.20" },
	};

	CHECK_ROWS(rows);
}

static void converting(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "Convert.ToInt32(\"42\")", "42" },
		{ "Convert.ToInt32(2.5)", "2" },
		{ "Convert.ToInt32(3.5)", "4" },
		{ "Convert.ToInt32(-2.5)", "-2" },
		{ "Convert.ToInt32(true)", "1" },
		{ "Convert.ToInt32('A')", "65" },
		{ "Convert.ToInt32((object)null)", "0" },
		{ "Convert.ToInt32(\"x\")", "! The input string 'x' was not in a correct format." },
		{ "Convert.ToInt32(3000000000.0)", "! Value was either too large or too small for an Int32." },
		{ "Convert.ToInt32(\"ff\", 16)", "255" },
		{ "Convert.ToInt32(\"1010\", 2)", "10" },
		{ "Convert.ToInt32(\"FFFFFFFF\", 16)", "-1" },
		{ "Convert.ToInt32(\"12\", 3)", "! Invalid Base." },
		{ "Convert.ToInt32(1.5m)", "2" },
		{ "Convert.ToInt32(2.5m)", "2" },
		{ "Convert.ToByte(\"255\")", "255" },
		{ "Convert.ToByte(256)", "! Value was either too large or too small for an unsigned byte." },
		{ "Convert.ToDouble(\"1.25\")", "1.25" },
		{ "Convert.ToDecimal(0.1)", "0.1" },
		{ "Convert.ToBoolean(\"True\")", "True" },
		{ "Convert.ToBoolean(0)", "False" },
		{ "Convert.ToBoolean(\"yes\")", "! String 'yes' was not recognized as a valid Boolean." },
		{ "Convert.ToString(255, 16)", "ff" },
		{ "Convert.ToString(-1, 2)", "11111111111111111111111111111111" },
		{ "Convert.ToString(10, 8)", "12" },
		{ "Convert.ToString(true)", "True" },
		{ "Convert.ToChar(\"ab\")", "! String must be exactly one character long." },
		{ "Convert.ToInt64(JObject.Parse(\"{'a':5}\")[\"a\"])", "5" },
		{ "Convert.ToBase64String(new byte[] { 1, 2, 3 })", "AQID" },
		{ "Convert.ToBase64String(new byte[0])", "" },
		{ "Encoding.UTF8.GetString(Convert.FromBase64String(\" aG k= \"))", "hi" },
		{ "Convert.FromBase64String(\"abc\")", "! Invalid length for a Base-64 char array or string." },
		{ "Convert.FromBase64String(\"a-b=\")",
		  "! The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding "
		  "characters, or an illegal character among the padding characters." },
		{ "Convert.ToDateTime(\"2025-01-02\")", "01/02/2025 00:00:00" },
	};

	CHECK_ROWS(rows);
}

static void mathematics(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "Math.Max(1, 2)", "2" },
		{ "Math.Min(1.5, 2)", "1.5" },
		{ "Math.Abs(-5)", "5" },
		{ "Math.Abs(int.MinValue)", "! Negating the minimum value of a twos complement number is invalid." },
		{ "Math.Round(2.5)", "2" },
		{ "Math.Round(2.5, MidpointRounding.AwayFromZero)", "3" },
		{ "Math.Round(1.235, 2)", "1.24" },
		{ "Math.Round(1.25m, 1)", "1.2" },
		{ "Math.Round(1.2345m, 3, MidpointRounding.AwayFromZero)", "1.235" },
		{ "Math.Floor(-1.5)", "-2" },
		{ "Math.Ceiling(1.1m)", "2" },
		{ "Math.Truncate(-1.9)", "-1" },
		{ "Math.Pow(2, 10)", "1024" },
		{ "Math.Sqrt(2)", "1.4142135623730951" },
		{ "Math.Sign(-3.0)", "-1" },
		{ "Math.PI", "3.141592653589793" },
		{ "@{ int r; return Math.DivRem(7, 2, out r) + \",\" + r; }", "3,1" },
		{ "decimal.Round(2.5m)", "2" },
		{ "decimal.Divide(1m, 3m)", "0.3333333333333333333333333333" },
	};

	CHECK_ROWS(rows);
}

static void seeded_random(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "new Random(0).Next()", "1559595546" },
		{ "@{ var r = new Random(0); r.Next(); return r.Next(); }", "1755192844" },
		{ "@{ var r = new Random(0); r.Next(); r.Next(); return r.Next(); }", "1649316166" },
		{ "new Random(42).Next()", "1434747710" },
		{ "new Random(42).Next(100)", "66" },
		{ "@{ var r = new Random(42); r.Next(100); return r.Next(100); }", "14" },
		{ "new Random(1).Next(1, 7) > 0", "True" },
		{ "new Random(1).Next(5, 2)", "! 'minValue' cannot be greater than maxValue. (Parameter 'minValue')" },
		{ "new Random().Next(10) < 10", "True" },
	};

	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text),  cmocka_unit_test(standard_formats), cmocka_unit_test(custom_formats),
		cmocka_unit_test(parsing),     cmocka_unit_test(converting),       cmocka_unit_test(mathematics),
		cmocka_unit_test(seeded_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
