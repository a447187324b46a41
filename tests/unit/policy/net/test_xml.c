/* XElement, XDocument, XmlDocument, XmlReader: reading, printing as .NET prints, asking, changing, refusing. */
#include "tests/unit/policy/net/evaluate.h"

#define X(xml) "XElement.Parse(\"" xml "\")"
#define PLAIN ".ToString(SaveOptions.DisableFormatting)"
#define SOAP                                                                                                              \
	"<s:Envelope xmlns:s='urn:soap'><s:Body><m:Get xmlns:m='urn:m' id='7'>text</m:Get><x/></s:Body></s:Envelope>"

static void printing(void **state UNUSED)
{
	static const struct row rows[] = {
		{ X("<a/>"), "<a />" },
		{ X("<a></a>"), "<a></a>" },
		{ X("<a><b>1</b><c/></a>"), "<a>\r\n  <b>1</b>\r\n  <c />\r\n</a>" },
		{ X("<a>t<b/>u</a>"), "<a>t<b />u</a>" },
		{ X("<a> <b/> </a>") PLAIN, "<a><b /></a>" },
		{ "XElement.Parse(\"<a> <b/> </a>\", LoadOptions.PreserveWhitespace)", "<a> <b /> </a>" },
		{ X("<a x='1' y='&lt;&quot;&#10;'>&lt;&amp;&gt;\\\"</a>"), "<a x=\"1\" y=\"&lt;&quot;&#xA;\">&lt;&amp;&gt;\"</a>" },
		{ X("<a><![CDATA[<x>]]><!--c--><?p d?></a>"), "<a><![CDATA[<x>]]><!--c--><?p d?></a>" },
		{ X(SOAP) PLAIN,
		  "<s:Envelope xmlns:s=\"urn:soap\"><s:Body><m:Get xmlns:m=\"urn:m\" id=\"7\">text</m:Get><x /></s:Body></s:Envelope>" },
		{ X("<a b='2' xmlns='u' c='3'/>"), "<a b=\"2\" xmlns=\"u\" c=\"3\" />" },
		{ "XDocument.Parse(\"<?xml version='1.0' encoding='utf-8'?><a><b/></a>\").ToString()", "<a>\r\n  <b />\r\n</a>" },
		{ "XDocument.Parse(\"<?xml version='1.0' encoding='utf-8'?><a/>\").Declaration", "<?xml version=\"1.0\" encoding=\"utf-8\"?>" },
		{ "new XElement(\"a\", new XAttribute(\"x\", 1.5), \"t\", new XElement(\"b\", true), new[] { new XElement(\"c\"), new XElement(\"d\") })" PLAIN,
		  "<a x=\"1.5\">t<b>true</b><c /><d /></a>" },
		{ "@{ XNamespace n = \"urn:n\"; return new XElement(n + \"a\", new XElement(n + \"b\"), new XElement(\"c\"))" PLAIN "; }",
		  "<a xmlns=\"urn:n\"><b /><c xmlns=\"\" /></a>" },
		{ "@{ XNamespace n = \"urn:n\"; return new XElement(n + \"a\", new XAttribute(XNamespace.Xmlns + \"p\", \"urn:n\"))" PLAIN "; }",
		  "<p:a xmlns:p=\"urn:n\" />" },
		{ "@{ XNamespace n = \"urn:n\"; return new XElement(\"a\", new XAttribute(n + \"x\", 1))" PLAIN "; }", "<a p1:x=\"1\" xmlns:p1=\"urn:n\" />" },
		{ "new XElement(\"a\", new DateTime(2025, 1, 2, 3, 4, 5, DateTimeKind.Utc)).Value", "2025-01-02T03:04:05Z" },
		{ "new XText(\"a<b\").ToString() + new XComment(\"c\")", "a&lt;b<!--c-->" },
		{ X("<a b='x&amp;y'/>") ".Attribute(\"b\").ToString()", "b=\"x&amp;y\"" },
	};

	CHECK_ROWS(rows);
}

static void asking(void **state UNUSED)
{
	static const struct row rows[] = {
		{ X("<a><b>1</b><b>2</b></a>") ".Elements(\"b\").Count()", "2" },
		{ X("<a><b>1</b><b>2</b></a>") ".Element(\"b\").Value", "1" },
		{ X("<a/>") ".Element(\"x\") == null", "True" },
		{ X("<a><b>1<c>2</c></b></a>") ".Value", "12" },
		{ "(int)" X("<a><b> 5 </b></a>") ".Element(\"b\") + 1", "6" },
		{ "(string)" X("<a/>") ".Element(\"b\") == null", "True" },
		{ "(int?)" X("<a/>") ".Attribute(\"b\") == null", "True" },
		{ "(bool)" X("<a b='true'/>") ".Attribute(\"b\")", "True" },
		{ "(int)" X("<a b='x'/>") ".Attribute(\"b\")", "! The input string 'x' was not in a correct format." },
		{ X(SOAP) ".Name.LocalName + \"|\" + " X(SOAP) ".Name.Namespace + \"|\" + " X(SOAP) ".Name", "Envelope|urn:soap|{urn:soap}Envelope" },
		{ X(SOAP) ".Descendants(\"{urn:m}Get\").First().Value", "text" },
		{ "@{ XNamespace m = \"urn:m\"; return " X(SOAP) ".Descendants(m + \"Get\").Attributes(\"id\").First().Value; }", "7" },
		{ X(SOAP) ".Descendants().Where(e => e.Name.LocalName == \"x\").Count()", "1" },
		{ "string.Join(\",\", " X("<a><b/><c/></a>") ".Elements().Select(e => e.Name))", "b,c" },
		{ X("<a><b/>t</a>") ".FirstNode.NodeType + \",\" + " X("<a><b/>t</a>") ".LastNode", "Element,t" },
		{ X("<a><b/><c/></a>") ".Element(\"b\").NextNode + \"\" + " X("<a><b/></a>") ".Element(\"b\").Parent.Name", "<c />a" },
		{ X("<a><b><c/></b></a>") ".Descendants(\"c\").First().Ancestors().Count()", "2" },
		{ X("<a x='1'/>") ".HasAttributes + \",\" + " X("<a x='1'/>") ".HasElements + \",\" + " X("<a></a>") ".IsEmpty", "True,False,False" },
		{ "XNode.DeepEquals(" X("<a x='1'><b/></a>") ", " X("<a x='1'><b/></a>") ")", "True" },
		{ "XDocument.Parse(\"<!--c--><a/>\").Root.Name", "a" },
		{ X("<a><b/><b/></a>") ".Elements(\"b\").Elements(\"c\").Count()", "0" },
		{ X("<a xmlns='u'/>") ".GetDefaultNamespace()", "u" },
		{ X("<a/>") ".Element(\"1x\")", "! The '1' character, hexadecimal value 0x31, cannot be included in a name." },
	};

	CHECK_ROWS(rows);
}

static void changing(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "@{ var e = " X("<a><b/></a>") "; e.Add(new XElement(\"c\", 1)); e.AddFirst(\"t\"); e.SetAttributeValue(\"x\", 5); return e" PLAIN "; }",
		  "<a x=\"5\">t<b /><c>1</c></a>" },
		{ "@{ var e = " X("<a x='1'><b/><c/></a>") "; e.Element(\"b\").Remove(); e.SetAttributeValue(\"x\", null); e.Element(\"c\").Value = \"v\"; return e" PLAIN "; }",
		  "<a><c>v</c></a>" },
		{ "@{ var e = " X("<a><b/></a>") "; e.Element(\"b\").AddAfterSelf(new XElement(\"c\")); e.Element(\"b\").ReplaceWith(new XElement(\"d\"), \"t\"); return e" PLAIN "; }",
		  "<a><d />t<c /></a>" },
		{ "@{ var e = " X("<a><b/></a>") "; e.Element(\"b\").AddBeforeSelf(\"x\"); e.Name = \"z\"; e.SetElementValue(\"n\", 1); return e" PLAIN "; }", "<z>x<b /><n>1</n></z>" },
		{ "@{ var e = " X("<a><b>1</b></a>") "; var f = new XElement(\"f\", e.Element(\"b\")); f.Element(\"b\").Value = \"2\"; return e" PLAIN " + f" PLAIN "; }",
		  "<a><b>1</b></a><f><b>2</b></f>" },
		{ "@{ var e = " X("<a><b/><c/><b/></a>") "; e.Elements(\"b\").Remove(); return e" PLAIN "; }", "<a><c /></a>" },
		{ "@{ var e = " X("<a><b/></a>") "; e.ReplaceNodes(e.Elements(\"b\"), \"t\"); return e" PLAIN "; }", "<a><b />t</a>" },
		{ "@{ var e = " X("<a x='1'/>") "; e.Add(new XAttribute(\"x\", 2)); return e; }", "! Duplicate attribute." },
		{ "@{ var d = new XDocument(new XElement(\"a\")); d.Add(new XElement(\"b\")); return d; }",
		  "! This operation would create an incorrectly structured document." },
		{ "@{ var e = " X("<a/>") "; e.Remove(); return e; }", "! The parent is missing." },
		{ "@{ foreach (var e in " X("<a><b/><c/></a>") ".Descendants()) { e.Name = XName.Get(e.Name.LocalName, \"u\"); } return 1; }", "1" },
		{ "new XElement(\"a b\")", "! The ' ' character, hexadecimal value 0x20, cannot be included in a name." },
		{ "new XElement(\"\")", "! The value cannot be an empty string. (Parameter 'name')" },
	};

	CHECK_ROWS(rows);
}

static void older_types(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "@{ var d = new XmlDocument(); d.LoadXml(\"<a><b x='1'>t</b><b>u</b></a>\"); return d.DocumentElement.Name + d.SelectSingleNode(\"//b[@x='1']\").InnerText + "
		  "d.SelectNodes(\"/a/b\").Count + d.GetElementsByTagName(\"b\")[1].InnerText + d.InnerText; }", "at2utu" },
		{ "@{ var d = new XmlDocument(); d.LoadXml(\"<a><b/></a>\"); return d.OuterXml + d.DocumentElement.InnerXml + (d.SelectSingleNode(\"//zz\") == null); }",
		  "<a><b /></a><b />True" },
		{ "@{ var d = new XmlDocument(); d.LoadXml(\"<a x='5'/>\"); return d.SelectSingleNode(\"/a/@x\").Value + d.DocumentElement.Attributes[\"x\"].Value; }", "55" },
		{ "@{ var d = new XmlDocument(); d.LoadXml(\"<a/>\"); return d.SelectSingleNode(\"///\"); }", "! '///' has an invalid token." },
		{ "@{ var d = new XmlDocument(); d.LoadXml(\"<a/>\"); return d.SelectSingleNode(\"1 + 1\"); }", "! Expression must evaluate to a node-set." },
		{ "@{ var d = new XmlDocument(); var s = \"\"; d.LoadXml(\"<a><b/>t</a>\"); foreach (XmlNode n in d.DocumentElement.ChildNodes) { s += n.Name + n.NodeType; } return s; }",
		  "bElement#textText" },
		{ "@{ var s = \"\"; using (var r = XmlReader.Create(new StringReader(\"<a x='1'><b>t</b></a>\"))) { while (r.Read()) { s += r.NodeType + r.Name + r.Value + \" \"; } return s + r.EOF; } }",
		  "Elementa Elementb Textt EndElementb EndElementa True" },
		{ "@{ var r = XmlReader.Create(new StringReader(\"<a><b>t</b><c/></a>\")); r.MoveToContent(); r.Read(); return r.ReadElementContentAsString() + r.Name + r.IsEmptyElement; }",
		  "tcTrue" },
		{ "@{ var r = XmlReader.Create(new StringReader(\"<a><b>t</b></a>\")); r.ReadToFollowing(\"b\"); return ((XElement)XNode.ReadFrom(r)).Value + r.NodeType; }", "tEndElement" },
	};

	CHECK_ROWS(rows);
}

static void refused(void **state UNUSED)
{
	static const struct row rows[] = {
		{ X(""), "! Root element is missing." },
		{ X("x"), "! Data at the root level is invalid. Line 1, position 1." },
		{ X("<a/><b/>"), "! There are multiple root elements. Line 1, position 5." },
		{ X("<a x='1' x='2'/>"), "! 'x' is a duplicate attribute name. Line 1, position 15." },
		{ X("<p:a/>"), "! 'p' is an undeclared prefix. Line 1, position 5." },
		{ X("<a>&nope;</a>"), "! Reference to undeclared entity 'nope'. Line 1, position 10." },
		{ X("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"),
		  "! For security reasons DTD is prohibited in this XML document. To enable DTD processing set the DtdProcessing property on "
		  "XmlReaderSettings to Parse and pass the settings into XmlReader.Create method." },
		{ X("<!DOCTYPE a [<!ENTITY x 'xxxx'><!ENTITY y '&x;&x;&x;&x;&x;&x;'>]><a>&y;</a>"),
		  "! For security reasons DTD is prohibited in this XML document. To enable DTD processing set the DtdProcessing property on "
		  "XmlReaderSettings to Parse and pass the settings into XmlReader.Create method." },
		{ "XElement.Parse(null)", "! Value cannot be null. (Parameter 'text')" },
	};
	static const char *const hostile[] = {
		"@{ var s = \"\"; for (int i = 0; i < 20; i++) { s += s + \"<a>\"; } return XElement.Parse(s); }",
		"@{ var e = new XElement(\"a\"); for (int i = 0; i < 100000; i++) { e = new XElement(\"a\", e); } return e.ToString().Length; }",
		"@{ var e = new XElement(\"a\"); for (int i = 0; i < 5000; i++) { var p = new XElement(\"a\"); p.Add(e); e = p; } return new XElement(e); }",
	};

	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct arena *a = arena_new(256 << 20);

		CHECK(hostile[i], str_starts(evaluate(a, hostile[i]), STR("! ")));
		arena_free(a);
	}
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printing), cmocka_unit_test(asking), cmocka_unit_test(changing), cmocka_unit_test(older_types),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
