/* What documents do with several types at once; and work that would take long, stopped by its price. */
#include <time.h>

#include "tests/unit/policy/net/evaluate.h"

static void idioms(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "Enum.Parse(typeof(DayOfWeek), \"Monday\")", "Monday" },
		{ "Enum.Parse<DayOfWeek>(\"Monday\")", "Monday" },
		{ "@{ DayOfWeek d; return Enum.TryParse(\"friday\", true, out d) + \" \" + d; }", "True Friday" },
		{ "StringComparer.OrdinalIgnoreCase.Equals(\"a\", \"A\")", "True" },
		{ "StringComparer.OrdinalIgnoreCase.Compare(\"a\", \"B\") < 0", "True" },
		{ "new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { { \"A\", 1 } }[\"a\"]", "1" },
		{ "Tuple.Create(1, \"a\").Item2", "a" },
		{ "Array.Exists(new[] { 1, 2 }, x => x == 2)", "True" },
		{ "Array.IndexOf(new[] { \"a\", \"b\" }, \"b\")", "1" },
		{ "@{ var a = new[] { 3, 1, 2 }; Array.Sort(a); Array.Reverse(a); return string.Join(\",\", a); }", "3,2,1" },
		{ "@{ var a = new byte[] { 1, 2 }; var b = new byte[3]; Array.Copy(a, 0, b, 1, 2); Buffer.BlockCopy(a, 0, b, 0, 1); return BitConverter.ToString(b); }", "01-01-02" },
		{ "@{ var a = new[] { 1, 2 }; var b = new byte[8]; Buffer.BlockCopy(a, 0, b, 0, 8); return BitConverter.ToString(b); }", "01-00-00-00-02-00-00-00" },
		{ "@{ var a = new byte[] { 1, 0, 255, 255, 255, 255 }; var b = new short[3]; Buffer.BlockCopy(a, 0, b, 0, 6); return string.Join(\",\", b); }", "1,-1,-1" },
		{ "@{ var a = new int[] { 1, 2, 3 }; Buffer.BlockCopy(a, 0, a, 4, 8); return string.Join(\",\", a); }", "1,1,2" },
		{ "@{ var a = new[] { 1.5 }; var b = new float[2]; Buffer.BlockCopy(a, 0, b, 0, 8); return b[1]; }", "1.9375" },
		{ "@{ try { var a = new string[1]; Buffer.BlockCopy(a, 0, a, 0, 1); return \"\"; } catch (ArgumentException e) { return e.Message; } }", "Object must be an array of primitives." },
		{ "@{ try { var a = new int[1]; Buffer.BlockCopy(a, 1, a, 0, 4); return \"\"; } catch (ArgumentException) { return \"out\"; } }", "out" },
		{ "@{ try { int.Parse(\"x\"); return \"\"; } catch (FormatException e) { return e.Message + e.GetType().Name; } }", "The input string 'x' was not in a correct format.FormatException" },
		{ "@{ try { throw new Exception(\"a\", new Exception(\"b\")); } catch (Exception e) { return e.Message + e.InnerException.Message; } }", "ab" },
		{ "((int?)null).GetValueOrDefault(3)", "3" },
		{ "typeof(string).Name", "String" },
		{ "new Queue<int>(new[] { 1, 2 }).Dequeue()", "1" },
		{ "new Stack<int>(new[] { 1, 2 }).Pop()", "2" },
		{ "\"abc\".GetHashCode() == \"abc\".GetHashCode()", "True" },
		{ "\"abc\".Select(c => (int)c).Sum()", "294" },
		{ "\"a,b\".Split(',').Select(s => s.Trim()).ToList().Count", "2" },
		{ "string.Join(\"\", \"abc\".OrderByDescending(c => c))", "cba" },
		{ "new { a = 1 }.ToString()", "{ a = 1 }" },
		{ "JObject.Parse(\"{'a':[{'b':1},{'b':2}]}\")[\"a\"].Select(t => (int)t[\"b\"]).Max()", "2" },
		{ "JObject.Parse(\"{'a':[{'b':1},{'b':2}]}\")[\"a\"].FirstOrDefault(t => (int)t[\"b\"] == 2)[\"b\"]", "2" },
		{ "JObject.Parse(\"{'a':[{'b':1},{'b':2}]}\")[\"a\"].Where(t => t.Value<int>(\"b\") > 1).Count()", "1" },
		{ "JArray.Parse(\"[1,2]\").Contains(1)", "False" },
		{ "JArray.Parse(\"['a','b']\").Any(t => (string)t == \"b\")", "True" },
		{ "JArray.Parse(\"['a','b']\").Select(t => t.ToString()).Contains(\"b\")", "True" },
		{ "JArray.Parse(\"['a','b']\").ToObject<string[]>().Contains(\"b\")", "True" },
		{ "((JArray)JObject.Parse(\"{'a':[1]}\")[\"a\"]).Count", "1" },
		{ "JObject.Parse(\"{'a':[1]}\")[\"a\"].Count()", "1" },
		{ "JObject.Parse(\"{'a':1}\").ToObject<Dictionary<string, object>>()[\"a\"]", "1" },
		{ "new JArray(new List<int> { 1, 2 }.Select(i => new JObject(new JProperty(\"i\", i)))).ToString(Formatting.None)", "[{\"i\":1},{\"i\":2}]" },
		{ "new JObject { [\"a\"] = 1, [\"b\"] = new JArray { 1, 2 } }.ToString(Formatting.None)", "{\"a\":1,\"b\":[1,2]}" },
		{ "new JObject { { \"a\", 1 }, { \"b\", \"x\" } }.ToString(Formatting.None)", "{\"a\":1,\"b\":\"x\"}" },
		{ "JObject.Parse(\"{'a':1}\").ToString(Newtonsoft.Json.Formatting.None)", "{\"a\":1}" },
		{ "Newtonsoft.Json.Linq.JObject.Parse(\"{'a':1}\").First.ToString()", "\"a\": 1" },
		{ "JObject.Parse(\"{'a':true}\")[\"a\"].Value<bool>() ? 1 : 0", "1" },
		{ "(bool?)JObject.Parse(\"{'a':true}\")[\"a\"] ?? false", "True" },
		{ "JObject.Parse(\"{'a':'x'}\")[\"a\"].ToString() == \"x\"", "True" },
		{ "JObject.Parse(\"{'a':'x'}\")[\"a\"].Equals(\"x\")", "False" },
		{ "(string)(JObject.Parse(\"{'a':'x'}\"))[\"a\"] + JObject.Parse(\"{'a':'x'}\")[\"b\"]?.ToString()", "x" },
		{ "JsonConvert.DeserializeObject<JObject>(\"{'a':1}\")[\"a\"]", "1" },
		{ "JsonConvert.SerializeObject(JObject.Parse(\"{'a':1.0}\"))", "{\"a\":1.0}" },
		{ "JObject.FromObject(new Dictionary<string, string> { { \"k\", \"v\" } }).ToString(Formatting.None)", "{\"k\":\"v\"}" },
		{ "JToken.FromObject(new[] { \"a\" }).ToString(Formatting.None)", "[\"a\"]" },
		{ "System.Text.RegularExpressions.Regex.IsMatch(\"a\", \"a\")", "True" },
		{ "System.Net.WebUtility.UrlEncode(\"a b\")", "a+b" },
		{ "Regex.Match(\"abc\", \"b\").Groups[0].Captures[0].Value", "b" },
		{ "DateTime.UtcNow.AddDays(1).ToString(\"yyyy-MM-dd\")", "2025-01-03" },
		{ "(DateTime.UtcNow - new DateTime(1970, 1, 1)).TotalSeconds", "1735787045.123456" },
		{ "(int)(DateTime.UtcNow - new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc)).TotalSeconds", "1735787045" },
		{ "((DateTimeOffset)DateTime.UtcNow).ToUnixTimeSeconds()", "1735787045" },
		{ "new DateTimeOffset(DateTime.UtcNow.AddHours(1)).ToUnixTimeSeconds()", "1735790645" },
		{ "DateTime.UtcNow > DateTime.Parse(\"2024-01-01T00:00:00Z\")", "True" },
		{ "DateTime.Parse((string)JObject.Parse(\"{'d':'2025-01-02T03:04:05Z'}\")[\"d\"]).ToString(\"s\")", "2025-01-02T03:04:05" },
		{ "JObject.Parse(\"{'d':'2025-01-02T03:04:05Z'}\")[\"d\"].Value<DateTime>().ToString(\"o\")", "2025-01-02T03:04:05.0000000Z" },
		{ "$\"{DateTime.UtcNow:R}\"", "Thu, 02 Jan 2025 03:04:05 GMT" },
		{ "Enumerable.Repeat(\"a\", 3).Aggregate((x, y) => x + y)", "aaa" },
		{ "new string(new[] { 'a' }) == \"a\"", "True" },
		{ "\"a\" + 'b' + 1 + 1.5 + true + null", "ab11.5True" },
		{ "(1.0).ToString() + (1m).ToString() + 1.50m + 1e20", "111.501E+20" },
		{ "1.0f + 0.1f", "1.1" },
		{ "Guid.NewGuid().GetHashCode() != 0", "True" },
		{ "new Random(Guid.Parse(\"0f8fad5b-d9cb-469f-a165-70867728950e\").GetHashCode()).Next(10) >= 0", "True" },
		{ "XElement.Parse(\"<a><b>1</b></a>\").Elements().Select(e => e.Value).First()", "1" },
		{ "XDocument.Parse(\"<a><b>1</b></a>\").Descendants(\"b\").FirstOrDefault()?.Value", "1" },
		{ "((XElement)XElement.Parse(\"<a><b>1</b></a>\").FirstNode).Name.LocalName", "b" },
		{ "JsonConvert.SerializeObject(context.Request.Headers == null)", "false" },
		{ "new List<string> { \"b\", \"a\" }.OrderBy(x => x).First()", "a" },
		{ "string.Join(\",\", new[] { \"b\", \"A\", \"a\", \"B\" }.OrderBy(x => x))", "a,A,b,B" },
		{ "new[] { \"b\", \"A\" }.Contains(\"a\", StringComparer.OrdinalIgnoreCase)", "True" },
		{ "char.IsDigit(\"a1\", 1)", "True" },
		{ "int.MaxValue + 1L", "2147483648" },
		{ "Convert.ToInt32('1') - '0'", "1" },
		{ "((byte)200).ToString(\"X2\")", "C8" },
		{ "BitConverter.ToString(SHA256.Create().ComputeHash(Encoding.UTF8.GetBytes(\"a\"))).Replace(\"-\", string.Empty).ToLower().Substring(0, 8)", "ca978112" },
		{ "TimeSpan.FromMinutes(5).ToString(\"c\") + TimeSpan.FromMinutes(5)", "00:05:0000:05:00" },
		{ "new Uri(\"https://a.b/c?d=e\").ToString() + new Uri(\"https://a.b/c?d=e\").Host", "https://a.b/c?d=ea.b" },
		{ "\"abc\".Substring(0, Math.Min(2, \"abc\".Length)).ToUpperInvariant()", "AB" },
		{ "decimal.Parse(\"1.5\") * 2", "3.0" },
		{ "Math.Round(1.005m, 2) + \"|\" + Math.Round(2.345, 2)", "1.00|2.35" },
		{ "Math.Round(2.675, 2)", "2.68" },
	};
	CHECK_ROWS(rows);
}
/* Each of these costs far more than it looks: they end by the budget, soon (sanitized code is slow, hence the wide limit). */
static void prices(void **state UNUSED)
{
	static const char *const rows[] = {
		"@{ var a = JArray.FromObject(Enumerable.Range(0, 100000)); var n = 0; while (true) { a[99999].Remove(); a.Insert(0, 1); n++; } }",
		"@{ var a = JArray.FromObject(Enumerable.Range(0, 50000)); while (true) { JToken.DeepEquals(a, a.DeepClone()); } }",
		"@{ var o = new JObject(); for (int i = 0; i < 20000; i++) { o[\"k\" + i] = i; } o.Remove(\"k0\"); while (true) { o.ContainsKey(\"zz\"); } }",
		"@{ var s = new string('\u00e9', 1000000); var n = 0; while (true) { n += s[999999]; } }",
		"@{ var b = new StringBuilder(new string('\u00e9', 1000000)); while (true) { b[5] = 'x'; } }",
		"@{ var i = 0; while (true) { Regex.IsMatch(\"x\", \"a\" + i++); } }",
		"@{ while (true) { Regex.IsMatch(new string('a', 50000), \"(a*)*(a*)*(a*)*b\"); } }",
		"@{ while (true) { (1e300).ToString(\"F99\"); } }",
		"@{ while (true) { SHA512.Create().ComputeHash(new byte[100000]); } }",
		"@{ var e = XElement.Parse(\"<a>\" + string.Concat(Enumerable.Repeat(\"<b/>\", 20000)) + \"</a>\"); while (true) { e.Element(\"c\"); } }",
		"@{ while (true) { DateTime.Parse(\"Thu, 02 Jan 2025 03:04:05 GMT\"); } }",
		"@{ var s = new string('a', 100000); while (true) { s.IndexOf(\"b\", StringComparison.OrdinalIgnoreCase); } }",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(256 << 20);
		clock_t begin = clock();
		struct str got = evaluate(a, rows[i]);
		double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;

		CHECK(rows[i], str_starts(got, STR("! ")));
		CHECK(rows[i], seconds < 5);
		if (seconds > 1)
			fprintf(stderr, "# %.2f s: %s\n", seconds, rows[i]);
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(idioms), cmocka_unit_test(prices) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
