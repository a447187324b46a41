/* String, Char, StringBuilder, Guid, BitConverter, Encoding, WebUtility, Uri, IPAddress. */
#include "tests/unit/policy/net/evaluate.h"

static void strings(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "\"\".Length", "0" },
		{ "\"h\xC3\xA9llo\".Length", "5" },
		{ "\"\xF0\x9F\x98\x80!\".Length", "3" },
		{ "\"\xF0\x9F\x98\x80!\".IndexOf(\"!\")", "2" },
		{ "\"\xF0\x9F\x98\x80!\".Substring(2)", "!" },
		{ "\"hello\"[1]", "e" },
		{ "\"hello\"[5]", "! Index was outside the bounds of the array." },
		{ "\"hello\".Substring(1, 3)", "ell" },
		{ "\"hello\".Substring(5)", "" },
		{ "\"hello\".Substring(6)", "! startIndex cannot be larger than length of string. (Parameter 'startIndex')" },
		{ "\"hello\".Substring(-1)", "! StartIndex cannot be less than zero. (Parameter 'startIndex')" },
		{ "\"hello\".Substring(2, 9)",
		  "! Index and length must refer to a location within the string. (Parameter 'length')" },
		{ "\"hello\".Substring(2, -1)", "! Length cannot be less than zero. (Parameter 'length')" },
		{ "\"a,b,,c\".Split(',').Length", "4" },
		{ "string.Join(\"|\", \"a,b;c\".Split(',', ';'))", "a|b|c" },
		{ "string.Join(\"|\", \"a,,b\".Split(new[] { ',' }, StringSplitOptions.RemoveEmptyEntries))", "a|b" },
		{ "string.Join(\"|\", \"a, b ,c\".Split(new[] { ',' }, 2))", "a| b ,c" },
		{ "string.Join(\"|\", \",,a,,b\".Split(new[] { ',' }, 2, StringSplitOptions.RemoveEmptyEntries))", "a|b" },
		{ "string.Join(\"|\", \"a--b--c\".Split(new[] { \"--\" }, StringSplitOptions.None))", "a|b|c" },
		{ "string.Join(\"|\", \" a  b \".Split())", "|a||b|" },
		{ "string.Join(\"|\", \"\".Split(','))", "" },
		{ "\"\".Split(',').Length", "1" },
		{ "string.Join(\"|\", \"a b\".Split(null))", "a|b" },
		{ "\"Hello\".Replace('l', 'L')", "HeLLo" },
		{ "\"Hello\".Replace(\"l\", null)", "Heo" },
		{ "\"Hello\".Replace(\"\", \"x\")", "! String cannot be of zero length. (Parameter 'oldValue')" },
		{ "\"Hello\".ToUpper() + \"\xC3\xA9\".ToUpperInvariant()", "HELLO\xC3\x89" },
		{ "\"  a b\\t\".Trim() + \".\"", "a b." },
		{ "\"xxaxx\".Trim('x')", "a" },
		{ "\"//a/\".TrimStart('/') + \"|\" + \"//a/\".TrimEnd('/')", "a/|//a" },
		{ "\"xyaxy\".Trim('x', 'y')", "a" },
		{ "\"7\".PadLeft(3, '0') + \"7\".PadRight(3) + \"|\"", "0077  |" },
		{ "\"abc\".Insert(1, \"-\") + \"abc\".Remove(1) + \"abc\".Remove(0, 2)", "a-bcac" },
		{ "\"abcabc\".IndexOf(\"c\", 3) + \",\" + \"abcabc\".LastIndexOf('a') + \",\" + \"abc\".IndexOf(\"\")", "5,3,0" },
		{ "\"abcABC\".IndexOf(\"B\", StringComparison.OrdinalIgnoreCase)", "1" },
		{ "\"abc\".IndexOf(\"x\")", "-1" },
		{ "\"abc\".IndexOf(\"a\", 9)",
		  "! Index was out of range. Must be non-negative and less than the size of the collection. (Parameter 'startIndex')" },
		{ "\"abc\".IndexOfAny(new[] { 'c', 'b' })", "1" },
		{ "\"Hello\".StartsWith(\"he\") + \",\" + \"Hello\".StartsWith(\"he\", StringComparison.OrdinalIgnoreCase)", "False,True" },
		{ "\"Hello\".EndsWith(\"LO\", StringComparison.InvariantCultureIgnoreCase)", "True" },
		{ "\"Hello\".Contains(\"ell\")", "True" },
		{ "\"a\".Equals(\"A\", StringComparison.OrdinalIgnoreCase)", "True" },
		{ "string.Equals(null, null)", "True" },
		{ "string.Compare(\"a\", \"b\") + \",\" + string.Compare(\"a\", \"A\") + \",\" + string.Compare(\"a\", \"A\", true)", "-1,-1,0" },
		{ "string.Compare(null, \"a\")", "-1" },
		{ "string.CompareOrdinal(\"a\", \"A\")", "32" },
		{ "string.IsNullOrEmpty(\"\") + \",\" + string.IsNullOrWhiteSpace(\" \\t\")", "True,True" },
		{ "string.Concat(\"a\", 1, true)", "a1True" },
		{ "string.Join(\",\", new[] { 1, 2, 3 })", "1,2,3" },
		{ "string.Join(\",\", new List<string> { \"a\", null, \"b\" })", "a,,b" },
		{ "new string('x', 3) + new string(new[] { 'a', 'b' })", "xxxab" },
		{ "new string(\"abc\".ToCharArray().Reverse().ToArray())", "cba" },
		{ "\"abc\".Contains(null)", "! Value cannot be null. (Parameter 'value')" },
		{ "@{ string s = null; return s.Length; }", "! Object reference not set to an instance of an object." },
	};

	CHECK_ROWS(rows);
}

static void composite(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "string.Format(\"{0} {1}\", \"a\", 2)", "a 2" },
		{ "string.Format(\"{0,5}|{0,-5}|\", \"ab\")", "   ab|ab   |" },
		{ "string.Format(\"{0:F2} {1:yyyy-MM-dd}\", 1.5, new DateTime(2025, 1, 2))", "1.50 2025-01-02" },
		{ "string.Format(\"{{{0}}}\", 1)", "{1}" },
		{ "string.Format(\"{0:X4}\", 255)", "00FF" },
		{ "string.Format(\"{0}\", (object)null)", "" },
		{ "string.Format(\"{2}\", 1)",
		  "! Index (zero based) must be greater than or equal to zero and less than the size of the argument list." },
		{ "string.Format(\"{0\", 1)", "! Input string was not in a correct format." },
		{ "string.Format(\"}\", 1)", "! Input string was not in a correct format." },
		{ "string.Format(\"{0:N}\", Guid.Empty)", "00000000000000000000000000000000" },
		{ "string.Format(\"{0,10000000}\", 1)", "! Input string was not in a correct format." },
		{ "$\"{1.5:F3}|{\"a\",4}|{DateTime.MinValue:o}\"", "1.500|   a|0001-01-01T00:00:00.0000000" },
		{ "new StringBuilder().Append(1).Append(\"a\").Append('c').AppendFormat(\"{0:00}\", 5).AppendLine().ToString()", "1ac05\r\n" },
		{ "new StringBuilder(\"abc\").Insert(1, \"X\").Replace(\"b\", \"Y\").Remove(0, 1).ToString()", "XYc" },
		{ "@{ var b = new StringBuilder(\"abc\"); b.Length = 1; b[0] = 'z'; return b.ToString() + b.Length; }", "z1" },
		{ "@{ var r = new StringReader(\"a\\r\\nb\"); return r.ReadLine() + \"|\" + r.ReadLine() + \"|\" + (r.ReadLine() == null); }",
		  "a|b|True" },
		{ "@{ var w = new StringWriter(); w.Write(\"a\"); w.WriteLine(1); return w.ToString(); }", "a1\r\n" },
	};

	CHECK_ROWS(rows);
}

static void characters(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "char.IsDigit('5') + \",\" + char.IsLetter('x') + \",\" + char.IsWhiteSpace(' ') + \",\" + char.IsUpper('a')", "True,True,True,False" },
		{ "char.IsLetter('\xC3\xA9')", "True" },
		{ "char.ToUpper('\xC3\xA9')", "\xC3\x89" },
		{ "char.IsPunctuation('!') + \",\" + char.IsSymbol('+') + \",\" + char.IsSurrogate(\"\xF0\x9F\x98\x80\", 0)", "True,True,True" },
		{ "(int)char.Parse(\"A\")", "65" },
		{ "char.ConvertFromUtf32(0x1F600).Length", "2" },
	};

	CHECK_ROWS(rows);
}

static void guids(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "Guid.Empty", "00000000-0000-0000-0000-000000000000" },
		{ "Guid.Parse(\"0F8FAD5B-D9CB-469F-A165-70867728950E\")", "0f8fad5b-d9cb-469f-a165-70867728950e" },
		{ "new Guid(\"{0f8fad5bd9cb469fa16570867728950e}\".Trim('{', '}')).ToString(\"B\")", "{0f8fad5b-d9cb-469f-a165-70867728950e}" },
		{ "Guid.Parse(\"0f8fad5b-d9cb-469f-a165-70867728950e\").ToString(\"X\")",
		  "{0x0f8fad5b,0xd9cb,0x469f,{0xa1,0x65,0x70,0x86,0x77,0x28,0x95,0x0e}}" },
		{ "BitConverter.ToString(Guid.Parse(\"00112233-4455-6677-8899-aabbccddeeff\").ToByteArray())",
		  "33-22-11-00-55-44-77-66-88-99-AA-BB-CC-DD-EE-FF" },
		{ "new Guid(new byte[16]) == Guid.Empty", "True" },
		{ "Guid.Parse(\"x\")", "! Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)." },
		{ "@{ Guid g; return Guid.TryParse(\"x\", out g) + \" \" + g; }", "False 00000000-0000-0000-0000-000000000000" },
		{ "Guid.NewGuid().ToString().Length + \",\" + Guid.NewGuid().ToString(\"N\")[12]", "36,4" },
		{ "Guid.NewGuid().ToString(\"Q\")",
		  "! Format String can be only \"D\", \"d\", \"N\", \"n\", \"P\", \"p\", \"B\", \"b\", \"X\" or \"x\"." },
	};

	CHECK_ROWS(rows);
}

static void bytes(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "BitConverter.ToString(BitConverter.GetBytes(258))", "02-01-00-00" },
		{ "BitConverter.ToInt32(new byte[] { 1, 0, 0, 0 }, 0)", "1" },
		{ "BitConverter.ToInt32(new byte[] { 1 }, 0)",
		  "! Destination array is not long enough to copy all the items in the collection. Check array index and length." },
		{ "BitConverter.ToDouble(BitConverter.GetBytes(1.5), 0)", "1.5" },
		{ "Encoding.UTF8.GetBytes(\"h\xC3\xA9\").Length", "3" },
		{ "BitConverter.ToString(Encoding.Unicode.GetBytes(\"A\xC3\xA9\"))", "41-00-E9-00" },
		{ "Encoding.UTF8.GetString(new byte[] { 0xE2, 0x82, 0x41 })", "\xEF\xBF\xBD" "A" },
		{ "Encoding.UTF8.GetString(new byte[] { 0xFF, 0xC0, 0x80 })", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
		{ "Encoding.ASCII.GetString(Encoding.ASCII.GetBytes(\"h\xC3\xA9\"))", "h?" },
		{ "Encoding.GetEncoding(\"iso-8859-1\").GetBytes(\"\xC3\xA9\")[0]", "233" },
		{ "Encoding.GetEncoding(\"nope\").WebName", "! 'nope' is not a supported encoding name. For information on defining a custom encoding, see the documentation for the Encoding.RegisterProvider method. (Parameter 'name')" },
		{ "Encoding.UTF8.WebName + Encoding.UTF8.CodePage", "utf-865001" },
		{ "Encoding.UTF8.GetString(new byte[] { 65, 66, 67 }, 1, 1)", "B" },
	};

	CHECK_ROWS(rows);
}

static void web(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "WebUtility.UrlEncode(\"a b&c=\xC3\xA9~!*()'\")", "a+b%26c%3D%C3%A9%7E!*()%27" },
		{ "WebUtility.UrlDecode(\"a+b%26%C3%A9%zz\")", "a b&\xC3\xA9%zz" },
		{ "WebUtility.HtmlEncode(\"<a href='x'>\\\"&\xC3\xA9</a>\")", "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&#233;&lt;/a&gt;" },
		{ "WebUtility.HtmlDecode(\"&lt;&eacute;&#233;&#xE9;&nope;&amp\")", "<\xC3\xA9\xC3\xA9\xC3\xA9&nope;&amp" },
		{ "Uri.EscapeDataString(\"a b/c?\xC3\xA9!~\")", "a%20b%2Fc%3F%C3%A9%21~" },
		{ "Uri.EscapeUriString(\"a b/c?\xC3\xA9\")", "a%20b/c?%C3%A9" },
		{ "Uri.UnescapeDataString(\"a%20b%2Fc%ZZ+\")", "a b/c%ZZ+" },
		{ "new Uri(\"HTTPS://User@Example.com:443/a/./b/../c?x=1#f\").ToString()", "https://User@example.com/a/c?x=1#f" },
		{ "new Uri(\"http://h:8080/p q\").AbsoluteUri", "http://h:8080/p%20q" },
		{ "@{ var u = new Uri(\"http://h:8080/a/b?x=1#f\"); return u.Host + u.Port + u.AbsolutePath + u.Query + u.Fragment + u.Scheme + "
		  "u.Authority + u.PathAndQuery; }", "h8080/a/b?x=1#fhttph:8080/a/b?x=1" },
		{ "new Uri(\"x\")", "! Invalid URI: The format of the URI could not be determined." },
		{ "new Uri(\"\")", "! Invalid URI: The URI is empty." },
		{ "new Uri(new Uri(\"http://h/a/b\"), \"../c\").ToString()", "http://h/c" },
		{ "new Uri(\"http://h/a\").GetLeftPart(UriPartial.Authority)", "http://h" },
		{ "@{ Uri u; return Uri.TryCreate(\"::\", UriKind.Absolute, out u) + \",\" + (u == null); }", "False,True" },
		{ "new UriBuilder(\"http://h/a\") { Query = \"x=1\", Port = 81 }.ToString()", "http://h:81/a?x=1" },
		{ "IPAddress.Parse(\"10.0.0.1\").ToString() + IPAddress.Parse(\"::1\").AddressFamily", "10.0.0.1InterNetworkV6" },
		{ "IPAddress.IsLoopback(IPAddress.Parse(\"127.9.9.9\"))", "True" },
		{ "IPAddress.Parse(\"10.0.0.256\")", "! An invalid IP address was specified." },
		{ "IPAddress.HostToNetworkOrder((short)1)", "256" },
	};

	CHECK_ROWS(rows);
}

/* What would grow or search without end is stopped by the limits of the run. */
static void hostile(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "@{ var s = \"x\"; for (int i = 0; i < 60; i++) { s = s + s; } return s.Length; }",
		  "! Insufficient memory to continue the execution of the program." },
		{ "new string('x', 2000000000).Length", "! Insufficient memory to continue the execution of the program." },
		{ "\"\".PadLeft(2000000000).Length", "! Insufficient memory to continue the execution of the program." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(256 << 20);

		CHECK(rows[i].source, str_starts(evaluate(a, rows[i].source), STR("! ")));
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings), cmocka_unit_test(composite), cmocka_unit_test(characters), cmocka_unit_test(guids),
		cmocka_unit_test(bytes),   cmocka_unit_test(web),       cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
