/* Newtonsoft.Json: reading, printing, changing, converting, JSONPath. */
#include "tests/unit/policy/net/evaluate.h"

#define P(json) "JToken.Parse(\"" json "\")"
#define TEXT ".ToString(Formatting.None)"

static void reading(void **state UNUSED)
{
	static const struct row rows[] = {
		{ P("{}") TEXT, "{}" },
		{ P("[]"), "[]" },
		{ P(" [1, 2.0, 1e3, -0.5, true, false, null, 'x'] ") TEXT, "[1,2.0,1000.0,-0.5,true,false,null,\"x\"]" },
		{ P("{a: 1, 'b': 2, /* c */ \\\"d\\\": [1,], // e\\n}") TEXT, "{\"a\":1,\"b\":2,\"d\":[1]}" },
		{ P("{'a':1,'a':2}") TEXT, "{\"a\":2}" },
		{ P("[9223372036854775807, 9223372036854775808, 123456789012345678901234567890]") TEXT,
		  "[9223372036854775807,9223372036854775808,123456789012345678901234567890]" },
		{ P("[0x1F, 017, 1.10, 1e400]") TEXT, "! Input string '1e400' is not a valid number. Path '[2]', line 1, position 23." },
		{ P("[0x1F, 017, 1.10]") TEXT, "[31,15,1.1]" },
		{ P("[NaN, Infinity, undefined]") TEXT, "[\"NaN\",\"Infinity\",undefined]" },
		{ P("'\\\\u00e9\\\\ud83d\\\\ude00\\\\n\\\\/'") TEXT, "\"\xC3\xA9\xF0\x9F\x98\x80\\n/\"" },
		{ P("{'d':'2025-01-02T03:04:05Z'}") TEXT, "{\"d\":\"2025-01-02T03:04:05Z\"}" },
		{ P("{'d':'2025-01-02T03:04:05.1200000+02:00'}") TEXT, "{\"d\":\"2025-01-02T01:04:05.12+00:00\"}" },
		{ P("{'d':'2025-01-02'}") "[\"d\"].Type", "String" },
		{ P("{'d':'2025-01-02T03:04:05'}") "[\"d\"].Type", "Date" },
		{ "(string)" P("{'d':'2025-01-02T03:04:05Z'}") "[\"d\"]", "01/02/2025 03:04:05" },
		{ P("new Date(1, 'x')") TEXT, "new Date(1,\"x\")" },
		{ P("{'a':1}") ".ToString()", "{\r\n  \"a\": 1\r\n}" },
		{ P("{'a':[1,{'b':[]}],'c':{}}") ".ToString()",
		  "{\r\n  \"a\": [\r\n    1,\r\n    {\r\n      \"b\": []\r\n    }\r\n  ],\r\n  \"c\": {}\r\n}" },
		{ P("'a\\\\u0001\\\\u2028<>'") TEXT, "\"a\\u0001\\u2028<>\"" },
	};

	CHECK_ROWS(rows);
}

static void mistakes(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "JObject.Parse(\"\")", "! Error reading JObject from JsonReader. Path '', line 0, position 0." },
		{ "JArray.Parse(\"\")", "! Error reading JArray from JsonReader. Path '', line 0, position 0." },
		{ P(""), "! Error reading JToken from JsonReader. Path '', line 0, position 0." },
		{ "JObject.Parse(null)", "! Value cannot be null. (Parameter 's')" },
		{ "JObject.Parse(\"<html>\")",
		  "! Unexpected character encountered while parsing value: <. Path '', line 0, position 0." },
		{ "JObject.Parse(\"[1]\")",
		  "! Error reading JObject from JsonReader. Current JsonReader item is not an object: StartArray. Path '', line 1, "
		  "position 1." },
		{ "JArray.Parse(\"{}\")",
		  "! Error reading JArray from JsonReader. Current JsonReader item is not an array: StartObject. Path '', line 1, "
		  "position 1." },
		{ P("{'a':1"), "! Unexpected end of content while loading JObject. Path 'a', line 1, position 6." },
		{ P("{'a':1 'b':2}"),
		  "! After parsing a value an unexpected character was encountered: '. Path 'a', line 1, position 7." },
		{ P("{'a':'x}"), "! Unterminated string. Expected delimiter: '. Path 'a', line 1, position 8." },
		{ P("{'a' 1}"), "! Invalid character after parsing property name. Expected ':' but got: 1. Path '', line 1, position 5." },
		{ P("{]}"), "! Invalid property identifier character: ]. Path '', line 1, position 1." },
		{ P("1 2"), "! Additional text encountered after finished reading JSON content: 2. Path '', line 1, position 2." },
		{ P("{'a':tru}"), "! Unexpected character encountered while parsing value: t. Path 'a', line 1, position 5." },
		{ P("'\\\\q'"), "! Bad JSON escape sequence: \\q. Path '', line 1, position 3." },
	};

	CHECK_ROWS(rows);
}

static void members(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "new JObject(new JProperty(\"a\", 1), new JProperty(\"b\", new JArray(1, \"x\", null)))" TEXT, "{\"a\":1,\"b\":[1,\"x\",null]}" },
		{ "@{ var o = new JObject(); o[\"a\"] = 1; o[\"b\"] = \"x\"; o[\"c\"] = null; o[\"d\"] = 1.0; o[\"e\"] = true; return o" TEXT "; }",
		  "{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":1.0,\"e\":true}" },
		{ "@{ var o = new JObject(); o.Add(\"a\", 1); o.Add(\"a\", 2); return o; }",
		  "! Can not add property a to Newtonsoft.Json.Linq.JObject. Property with the same name already exists on object." },
		{ "@{ var o = JObject.Parse(\"{'a':1,'b':2}\"); o.Remove(\"a\"); return o" TEXT "; }", "{\"b\":2}" },
		{ "@{ var o = JObject.Parse(\"{'a':1,'b':2}\"); o.Property(\"a\").Remove(); return o" TEXT "; }", "{\"b\":2}" },
		{ "JObject.Parse(\"{'a':1}\").ContainsKey(\"A\") + \",\" + JObject.Parse(\"{'a':1}\").GetValue(\"A\", "
		  "StringComparison.OrdinalIgnoreCase)", "False,1" },
		{ "JObject.Parse(\"{'a':{'b':5}}\")[\"a\"][\"b\"]", "5" },
		{ "JObject.Parse(\"{'a':1}\")[\"x\"] == null", "True" },
		{ "JObject.Parse(\"{'a':1}\")[\"a\"][\"b\"]", "! Cannot access child value on Newtonsoft.Json.Linq.JValue." },
		{ "JArray.Parse(\"[1]\")[1]",
		  "! Index was out of range. Must be non-negative and less than the size of the collection. (Parameter 'index')" },
		{ "JToken.Parse(\"[1]\")[\"a\"]",
		  "! Accessed JArray values with invalid key value: \"a\". Int32 array index expected." },
		{ "JToken.Parse(\"{}\")[0]",
		  "! Accessed JObject values with invalid key value: 0. Object property name expected." },
		{ "(int)JObject.Parse(\"{'a':'12'}\")[\"a\"] + 1", "13" },
		{ "(string)JObject.Parse(\"{'a':12}\")[\"a\"] + (bool)JObject.Parse(\"{'a':true}\")[\"a\"]", "12True" },
		{ "(string)JObject.Parse(\"{'a':{}}\")[\"a\"]", "! Can not convert Object to String." },
		{ "(int)JObject.Parse(\"{'a':null}\")[\"a\"]", "! Can not convert Null to Int32." },
		{ "(int?)JObject.Parse(\"{'a':null}\")[\"a\"] == null", "True" },
		{ "(int)JObject.Parse(\"{}\")[\"a\"]", "! Value cannot be null. (Parameter 'value')" },
		{ "((DateTime)JObject.Parse(\"{'a':'2025-01-02T03:04:05Z'}\")[\"a\"]).Year", "2025" },
		{ "JObject.Parse(\"{'a':5}\").Value<string>(\"a\") + JObject.Parse(\"{'a':'5'}\").Value<int>(\"a\")", "55" },
		{ "JObject.Parse(\"{}\").Value<int>(\"a\") + \",\" + (JObject.Parse(\"{}\").Value<int?>(\"a\") == null)", "0,True" },
		{ "JObject.Parse(\"{'a':{}}\").Value<string>(\"a\")",
		  "! Cannot cast Newtonsoft.Json.Linq.JObject to Newtonsoft.Json.Linq.JToken." },
		{ "JArray.Parse(\"[3,1,2]\").OrderBy(x => (int)x).Select(x => x.ToString()).Aggregate((a, b) => a + b)", "123" },
		{ "string.Join(\",\", JObject.Parse(\"{'a':1,'b':2}\").Properties().Select(p => p.Name + \"=\" + p.Value))", "a=1,b=2" },
		{ "@{ var s = \"\"; foreach (var p in JObject.Parse(\"{'a':1,'b':2}\")) { s += p.Key + p.Value; } return s; }", "a1b2" },
		{ "@{ var s = 0; foreach (var p in JArray.Parse(\"[1,2,3]\")) { s += (int)p; } return s; }", "6" },
		{ "string.Join(\",\", JArray.Parse(\"[1,2]\").Values<int>())", "1,2" },
		{ "JObject.Parse(\"{'a':[1,{'b':2}]}\").Descendants().Count()", "6" },
		{ "JObject.Parse(\"{'a':[1,{'b c':2}]}\")[\"a\"][1][\"b c\"].Path", "a[1]['b c']" },
		{ "JObject.Parse(\"{'a':[1,2]}\")[\"a\"].First.Next", "2" },
		{ "JToken.DeepEquals(JToken.Parse(\"{'a':1,'b':[2]}\"), JToken.Parse(\"{'b':[2],'a':1}\"))", "True" },
		{ "JToken.DeepEquals(JToken.Parse(\"1\"), JToken.Parse(\"1.0\"))", "False" },
		{ "@{ var o = JObject.Parse(\"{'a':{'x':1}}\"); var p = new JObject(); p[\"c\"] = o[\"a\"]; p[\"c\"][\"x\"] = 2; return o" TEXT "; }",
		  "{\"a\":{\"x\":1}}" },
		{ "@{ var a = JArray.Parse(\"[1,2,3]\"); a[1].Remove(); a.Add(\"x\"); a.Insert(0, 0); a.RemoveAt(1); return a" TEXT "; }", "[0,3,\"x\"]" },
		{ "@{ var o = JObject.Parse(\"{'a':1,'l':[1]}\"); o.Merge(JObject.Parse(\"{'b':2,'a':3,'l':[2],'n':null}\")); return o" TEXT "; }",
		  "{\"a\":3,\"l\":[1,2],\"b\":2,\"n\":null}" },
		{ "@{ var o = JObject.Parse(\"{'l':[1,2]}\"); o.Merge(JObject.Parse(\"{'l':[9]}\"), new JsonMergeSettings { MergeArrayHandling = "
		  "MergeArrayHandling.Replace }); return o" TEXT "; }", "{\"l\":[9]}" },
		{ "@{ var o = JObject.Parse(\"{'a':1}\"); o[\"a\"].Parent.AddAfterSelf(new JProperty(\"b\", 2)); return o" TEXT "; }", "{\"a\":1,\"b\":2}" },
		{ "@{ var o = JObject.Parse(\"{'a':1}\"); o[\"a\"].Replace(new JArray()); return o" TEXT "; }", "{\"a\":[]}" },
		{ "new JProperty(\"a\", \"b\").ToString()", "\"a\": \"b\"" },
		{ "new JValue(1.0).ToString() + new JValue(true) + new JValue((string)null)", "1True" },
		{ "JToken.FromObject(1.0).ToString(Formatting.None)", "1.0" },
		{ "JObject.Parse(\"{'a':1}\")[\"a\"].Type == JTokenType.Integer", "True" },
		{ "JObject.Parse(\"{'a':1}\")[\"a\"].HasValues + \",\" + JArray.Parse(\"[1]\").HasValues + JArray.Parse(\"[1]\").Count", "False,True1" },
	};

	CHECK_ROWS(rows);
}

static void converting(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "JsonConvert.SerializeObject(new { a = 1, b = new[] { 1.0, 2.5 }, c = \"x\", d = (string)null })",
		  "{\"a\":1,\"b\":[1.0,2.5],\"c\":\"x\",\"d\":null}" },
		{ "JsonConvert.SerializeObject(new Dictionary<string, object> { { \"k\", 1 }, { \"l\", new List<int> { 1, 2 } } })", "{\"k\":1,\"l\":[1,2]}" },
		{ "JsonConvert.SerializeObject(\"a\\\"b\")", "\"a\\\"b\"" },
		{ "JsonConvert.SerializeObject(null)", "null" },
		{ "JsonConvert.SerializeObject(DateTime.UtcNow)", "\"2025-01-02T03:04:05.123456Z\"" },
		{ "JsonConvert.SerializeObject(new { g = Guid.Empty, t = TimeSpan.FromSeconds(1), b = new byte[] { 1 } })",
		  "{\"g\":\"00000000-0000-0000-0000-000000000000\",\"t\":\"00:00:01\",\"b\":\"AQ==\"}" },
		{ "JsonConvert.SerializeObject(new { a = 1 }, Formatting.Indented)", "{\r\n  \"a\": 1\r\n}" },
		{ "JsonConvert.SerializeObject(1.10m) + JsonConvert.SerializeObject(5m) + JsonConvert.SerializeObject(1e20)", "1.105.01E+20" },
		{ "JsonConvert.DeserializeObject<Dictionary<string, int>>(\"{'a':1,'b':2}\")[\"b\"]", "2" },
		{ "string.Join(\",\", JsonConvert.DeserializeObject<List<string>>(\"['a','b']\"))", "a,b" },
		{ "JsonConvert.DeserializeObject<int>(\"5\") + JsonConvert.DeserializeObject<int[]>(\"[1,2]\")[1]", "7" },
		{ "((JObject)JsonConvert.DeserializeObject(\"{'a':1}\"))[\"a\"]", "1" },
		{ "JObject.Parse(\"{'a':[1,2]}\")[\"a\"].ToObject<int[]>().Length", "2" },
		{ "JObject.Parse(\"{'a':[1,2]}\")[\"a\"].ToObject<JArray>().Count", "2" },
		{ "JObject.Parse(\"{'a':5}\")[\"a\"].ToObject<string>() + JObject.Parse(\"{'a':'7'}\")[\"a\"].ToObject<long>()", "57" },
		{ "JObject.FromObject(new { a = new { b = 1 } })" TEXT, "{\"a\":{\"b\":1}}" },
		{ "JObject.FromObject(new[] { 1 })", "! Object serialized to Array. JObject instance expected." },
		{ "JArray.FromObject(new[] { 1, 2 })" TEXT, "[1,2]" },
	};

	CHECK_ROWS(rows);
}

#define STORE                                                                                                    \
	"JObject.Parse(\"{'s':{'b':[{'t':'x','p':8.95,'i':'1'},{'t':'y','p':12},{'t':'z','p':22,'i':'3'}],'c':{'p':19}}}\")"

static void paths(void **state UNUSED)
{
	static const struct row rows[] = {
		{ STORE ".SelectToken(\"s.c.p\")", "19" },
		{ STORE ".SelectToken(\"$.s.b[0].t\")", "x" },
		{ STORE ".SelectToken(\"$['s']['c']['p']\")", "19" },
		{ STORE ".SelectToken(\"s.nope\") == null", "True" },
		{ STORE ".SelectToken(\"nope\", true)", "! Property 'nope' does not exist on JObject." },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$..p\"))", "8.95,12,22,19" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[*].t\"))", "x,y,z" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[0,2].t\"))", "x,z" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[-1:].t\"))", "z" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[:2].t\"))", "x,y" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[::-1].t\"))", "z,y,x" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[?(@.p < 20)].t\"))", "x,y" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[?(@.i)].t\"))", "x,z" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[?(@.t == 'y' || @.p > 20)].t\"))", "y,z" },
		{ "string.Join(\",\", " STORE ".SelectTokens(\"$.s.b[?(@.p > $.s.c.p && @.t != 'q')].t\"))", "z" },
		{ STORE ".SelectTokens(\"$.s.*\").Count()", "2" },
		{ STORE ".SelectTokens(\"$.s.b\").Count()", "1" },
		{ STORE ".SelectToken(\"$..p\")", "! Path returned multiple tokens." },
		{ STORE ".SelectToken(\"$.s[\")", "! Path ended with open indexer." },
		{ STORE ".SelectToken(\"$.s.b[x]\")", "! Unexpected character while parsing path indexer: x" },
		{ "JArray.Parse(\"[{'a':1},{'a':2}]\").SelectToken(\"[1].a\")", "2" },
		{ "JObject.Parse(\"{'a.b':1}\").SelectToken(\"['a.b']\")", "1" },
	};

	CHECK_ROWS(rows);
}

static void hostile(void **state UNUSED)
{
	enum { DEEP = 100000 };
	struct arena *a = arena_new(256 << 20);
	char *text = arena_alloc_text(a, DEEP + 200);
	struct str got;
	static const struct row rows[] = {
		{ "@{ var o = new JObject(); for (int i = 0; i < 100000; i++) { var p = new JObject(); p[\"a\"] = o; o = p; } return "
		  "o.ToString().Length; }", "! " },
		{ "@{ var o = new JArray(); for (int i = 0; i < 3000; i++) { o = new JArray(o, 1); } return JToken.DeepEquals(o, o); }", "True" },
		{ "@{ var o = new JArray(); o.Add(o); o.Add(o); return o.ToString(Formatting.None); }", "[[],[[]]]" },
	};

	memset(text, '[', DEEP);
	text[DEEP] = '\0';
	got = evaluate(a, arena_printf(a, "JToken.Parse(\"%s\")", text).p);
	CHECK("100,000 levels", str_starts(got, STR("! The reader's MaxDepth of 510 has been exceeded. Path")));
	arena_free(a);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		a = arena_new(256 << 20);
		got = evaluate(a, rows[i].source);
		CHECK_STR(rows[i].source, rows[i].want[1] == ' ' ? str_first(got, 2) : got, str_of(rows[i].want));
		arena_free(a);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading), cmocka_unit_test(mistakes), cmocka_unit_test(members), cmocka_unit_test(converting),
		cmocka_unit_test(paths),   cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
