#include "portal/portal/samples.h"

#include "core/str.h"

/* Short texts (address, header fields) are printable ASCII and stand between double quotes with `"` and `\` escaped, which
 * means the same in all languages here that have such a literal. Bodies stand as they are, over several lines, in the
 * literal that each language has for that; what such a literal cannot hold is escaped or, in Go, written the other way. */

bool sample_header_fits(struct str name, struct str value)
{
	if (!name.n || !value.n || value.p[0] == ' ' || value.p[value.n - 1] == ' ')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && !strchr("!#$%&'*+-.^_`|~", name.p[i]))
			return false;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < ' ' || value.p[i] > '~')
			return false;
	return true;
}

static void add_double(struct buf *b, struct str s)
{
	buf_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, s.p[i]);
	}
	buf_char(b, '"');
}

/* All header fields, each as `before "name" between "value" after`. */
static void add_fields(struct buf *b, const struct sample_call *c, const char *before, const char *between, const char *after)
{
	for (size_t i = 0; i < c->n_headers; i++) {
		buf_cstr(b, before);
		add_double(b, c->headers[i].name);
		buf_cstr(b, between);
		add_double(b, c->headers[i].value);
		buf_cstr(b, after);
	}
}

static bool has_body(const struct sample_call *c)
{
	return c->body.p || c->body_file;
}

static bool is(const struct sample_call *c, const char *method)
{
	return str_eq(c->method, str_of(method));
}

/* ---- curl in a POSIX shell --------------------------------------------------------------------------------------------- */

/* Of what stands between single quotes. */
static void add_quoted(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			buf_cstr(b, "'\\''");
		else
			buf_char(b, s.p[i]);
}

static void add_shell(struct buf *b, struct str s)
{
	buf_char(b, '\'');
	add_quoted(b, s);
	buf_char(b, '\'');
}

/* --data-raw takes a leading "@" as it is; --globoff does so with brackets and braces. */
static void write_curl(struct buf *b, const struct sample_call *c)
{
	buf_cstr(b, "curl");
	if (is(c, "HEAD"))
		buf_cstr(b, " --head");
	else if (!is(c, "GET"))
		buf_fmt(b, " -X %.*s", STR_ARG(c->method));
	for (size_t i = 0; i < c->url.n; i++)
		if (strchr("[]{}", c->url.p[i])) {
			buf_cstr(b, " --globoff");
			break;
		}
	buf_char(b, ' ');
	add_shell(b, c->url);
	for (size_t i = 0; i < c->n_headers; i++) {
		buf_cstr(b, " \\\n  -H '");
		buf_fmt(b, "%.*s: ", STR_ARG(c->headers[i].name));
		add_quoted(b, c->headers[i].value);
		buf_char(b, '\'');
	}
	if (c->body_file) {
		buf_fmt(b, " \\\n  --data-binary @%s", c->body_file);
	} else if (c->body.p) {
		buf_cstr(b, " \\\n  --data-raw ");
		add_shell(b, c->body);
	}
	buf_char(b, '\n');
}

/* ---- Python 3 with requests ---------------------------------------------------------------------------------------------- */

/* For what stands between """ and """: backslashes and quotes that could end it are escaped, and all control bytes but the
 * line feed and tab. */
static void add_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch == '\r')
			buf_cstr(b, "\\r");
		else if ((ch < ' ' && ch != '\n' && ch != '\t') || ch == 0x7F)
			buf_fmt(b, "\\%03o", ch);       /* three octal digits: Python and Java agree on these */
		else if (ch == '\\' || str_starts(str_from(s, i), STR("\"\"\"")) || (ch == '"' && i + 1 == s.n))
			buf_fmt(b, "\\%c", ch);
		else
			buf_char(b, (char)ch);
	}
}

static void write_python(struct buf *b, const struct sample_call *c)
{
	buf_cstr(b, "import requests\n\n");
	if (c->body_file) {
		buf_fmt(b, "with open(\"%s\", \"rb\") as file:\n    body = file.read()\n", c->body_file);
	} else if (c->body.p) {
		buf_cstr(b, "body = \"\"\"");
		add_escaped(b, c->body);
		buf_cstr(b, "\"\"\".encode(\"utf-8\")\n");
	}
	buf_cstr(b, "response = requests.request(\n    ");
	add_double(b, c->method);
	buf_cstr(b, ",\n    ");
	add_double(b, c->url);
	buf_cstr(b, ",\n    headers={\n");
	add_fields(b, c, "        ", ": ", ",\n");
	buf_fmt(b, "    },\n%s)\n", has_body(c) ? "    data=body,\n" : "");
	buf_cstr(b, "print(response.status_code)\nprint(response.text)\n");
}

/* ---- JavaScript, as a module ----------------------------------------------------------------------------------------------- */

static void add_template_literal(struct buf *b, struct str s)
{
	buf_char(b, '`');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch == '\r')
			buf_cstr(b, "\\r");
		else if ((ch < ' ' && ch != '\n' && ch != '\t') || ch == 0x7F)
			buf_fmt(b, "\\x%02x", ch);
		else if (ch == '\\' || ch == '`' || (ch == '$' && i + 1 < s.n && s.p[i + 1] == '{'))
			buf_fmt(b, "\\%c", ch);
		else
			buf_char(b, (char)ch);
	}
	buf_char(b, '`');
}

static void write_javascript(struct buf *b, const struct sample_call *c)
{
	if (c->body_file)
		buf_cstr(b, "import { readFile } from \"node:fs/promises\";\n\n");
	buf_cstr(b, "const response = await fetch(");
	add_double(b, c->url);
	buf_cstr(b, ", {\n  method: ");
	add_double(b, c->method);
	buf_cstr(b, ",\n  headers: {\n");
	add_fields(b, c, "    ", ": ", ",\n");
	buf_cstr(b, "  },\n");
	if (c->body_file) {
		buf_fmt(b, "  body: await readFile(\"%s\"),\n", c->body_file);
	} else if (c->body.p) {
		buf_cstr(b, "  body: ");
		add_template_literal(b, c->body);
		buf_cstr(b, ",\n");
	}
	buf_cstr(b, "});\nconsole.log(response.status);\nconsole.log(await response.text());\n");
}

/* ---- C# 11 -------------------------------------------------------------------------------------------------------------------- */

/* A raw string: nothing is escaped, so there are more quotes around than in it. What stands between the line of the opening
 * and that of the closing quotes counts, without the two line ends. */
static void add_raw_string(struct buf *b, struct str s)
{
	size_t quotes = 3, run = 0;

	for (size_t i = 0; i < s.n; i++) {
		run = s.p[i] == '"' ? run + 1 : 0;
		quotes = run >= quotes ? run + 1 : quotes;
	}
	for (size_t i = 0; i < quotes; i++)
		buf_char(b, '"');
	buf_fmt(b, "\n%.*s\n", STR_ARG(s));
	for (size_t i = 0; i < quotes; i++)
		buf_char(b, '"');
}

static void write_csharp(struct buf *b, const struct sample_call *c)
{
	buf_fmt(b, "using System;\n%susing System.Net.Http;\n%s\n", c->body_file ? "using System.IO;\n" : "",
		c->body.p && !c->body_file ? "using System.Text;\n" : "");
	buf_cstr(b, "using var client = new HttpClient();\nusing var request = new HttpRequestMessage(new HttpMethod(");
	add_double(b, c->method);
	buf_cstr(b, "), ");
	add_double(b, c->url);
	buf_cstr(b, ");\n");
	if (c->body_file) {
		buf_fmt(b, "request.Content = new ByteArrayContent(File.ReadAllBytes(\"%s\"));\n", c->body_file);
	} else if (c->body.p) {
		buf_cstr(b, "var body =\n");
		add_raw_string(b, c->body);
		buf_cstr(b, ";\nrequest.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));\n");
	}
	for (size_t i = 0; i < c->n_headers; i++) {
		bool of_content = has_body(c) && str_starts_ci(c->headers[i].name, STR("Content-"));

		buf_fmt(b, "request.%sHeaders.TryAddWithoutValidation(", of_content ? "Content." : "");
		add_double(b, c->headers[i].name);
		buf_cstr(b, ", ");
		add_double(b, c->headers[i].value);
		buf_cstr(b, ");\n");
	}
	buf_cstr(b, "using var response = await client.SendAsync(request);\nConsole.WriteLine((int)response.StatusCode);\n"
		    "Console.WriteLine(await response.Content.ReadAsStringAsync());\n");
}

/* ---- Java 15 -------------------------------------------------------------------------------------------------------------------- */

/* Other than ASCII as \uXXXX: what encoding javac expects depends on the machine. */
static void add_java_line(struct buf *b, struct str s)
{
	while (s.n) {
		size_t plain = 0;
		uint32_t c;
		unsigned n;

		while (plain < s.n && (unsigned char)s.p[plain] < 0x80)
			plain++;
		add_escaped(b, str_first(s, plain));
		s = str_from(s, plain);
		if (!s.n)
			return;
		n = utf8_decode(s, &c);
		s = str_from(s, n ? n : 1);
		if (!n)
			c = 0xFFFD;
		if (c < 0x10000)
			buf_fmt(b, "\\u%04X", c);
		else
			buf_fmt(b, "\\u%04X\\u%04X", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + ((c - 0x10000) & 0x3FF));
	}
}

/* A text block. The closing quotes at the beginning of a line keep all blanks in front of the lines. A backslash at the end of
 * a line takes back its line feed; behind an explicit \n it keeps what would be cut off as blank there. */
static void add_text_block(struct buf *b, struct str s)
{
	struct str rest = s;
	bool more = true;

	buf_cstr(b, "\"\"\"\n");
	while (more) {
		size_t at = str_find_char(rest, '\n');
		struct str line = str_first(rest, at);
		unsigned char last = line.n ? (unsigned char)line.p[line.n - 1] : 'x';

		more = at != SIZE_MAX;
		rest = more ? str_from(rest, at + 1) : STR("");
		add_java_line(b, line);
		if (more && (last <= ' ' || last >= 0x80))
			buf_cstr(b, "\\n\\");
		buf_cstr(b, more ? "\n" : "\\\n\"\"\"");
	}
}

static void add_publisher(struct buf *b, const struct sample_call *c)
{
	if (c->body_file) {
		buf_fmt(b, "ofFile(Path.of(\"%s\"))", c->body_file);
	} else if (c->body.p) {
		buf_cstr(b, "ofString(body)");
	} else {
		buf_cstr(b, "noBody()");
	}
}

static void write_java(struct buf *b, const struct sample_call *c)
{
	buf_fmt(b, "import java.net.URI;\nimport java.net.http.HttpClient;\nimport java.net.http.HttpRequest;\n"
		   "import java.net.http.HttpResponse;\n%s\n",
		c->body_file ? "import java.nio.file.Path;\n" : "");
	buf_cstr(b, "public class Call {\n    public static void main(String[] args) throws Exception {\n");
	if (c->body.p && !c->body_file) {
		buf_cstr(b, "        String body = ");
		add_text_block(b, c->body);
		buf_cstr(b, ";\n");
	}
	buf_cstr(b, "        HttpRequest request = HttpRequest.newBuilder(URI.create(");
	add_double(b, c->url);
	buf_cstr(b, "))\n            .method(");
	add_double(b, c->method);
	buf_cstr(b, ", HttpRequest.BodyPublishers.");
	add_publisher(b, c);
	buf_cstr(b, ")\n");
	add_fields(b, c, "            .header(", ", ", ")\n");
	buf_cstr(b, "            .build();\n        HttpResponse<String> response = HttpClient.newHttpClient()\n"
		    "            .send(request, HttpResponse.BodyHandlers.ofString());\n"
		    "        System.out.println(response.statusCode());\n        System.out.println(response.body());\n    }\n}\n");
}

/* ---- Go -------------------------------------------------------------------------------------------------------------------------- */

/* Between backquotes when it holds nothing that cannot stand there, else with escapes. */
static void add_go(struct buf *b, struct str s)
{
	bool raw = true;

	for (size_t i = 0; i < s.n; i++)
		raw &= s.p[i] != '`' && s.p[i] != 0x7F && ((unsigned char)s.p[i] >= ' ' || s.p[i] == '\n' || s.p[i] == '\t');
	if (raw && str_find(s, STR("\xEF\xBB\xBF")) == SIZE_MAX) {
		buf_fmt(b, "`%.*s`", STR_ARG(s));
		return;
	}
	buf_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ch == '\n')
			buf_cstr(b, "\\n");
		else if (ch < ' ' || ch >= 0x7F)
			buf_fmt(b, "\\x%02x", ch);
		else
			buf_fmt(b, ch == '"' || ch == '\\' ? "\\%c" : "%c", ch);
	}
	buf_char(b, '"');
}

static void write_go(struct buf *b, const struct sample_call *c)
{
	static const char stop[] = "\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n";

	buf_fmt(b, "package main\n\nimport (\n\t\"fmt\"\n\t\"io\"\n\t\"log\"\n\t\"net/http\"\n%s)\n\nfunc main() {\n",
		c->body_file ? "\t\"os\"\n" : c->body.p ? "\t\"strings\"\n" : "");
	if (c->body_file)
		buf_fmt(b, "\tbody, err := os.Open(\"%s\")\n%s", c->body_file, stop);
	buf_cstr(b, "\trequest, err := http.NewRequest(");
	add_double(b, c->method);
	buf_cstr(b, ", ");
	add_double(b, c->url);
	if (c->body.p && !c->body_file) {
		buf_cstr(b, ", strings.NewReader(");
		add_go(b, c->body);
		buf_cstr(b, "))\n");
	} else {
		buf_cstr(b, c->body_file ? ", body)\n" : ", nil)\n");
	}
	buf_cstr(b, stop);
	add_fields(b, c, "\trequest.Header.Set(", ", ", ")\n");
	buf_fmt(b, "\tresponse, err := http.DefaultClient.Do(request)\n%s\tdefer response.Body.Close()\n", stop);
	buf_fmt(b, "\ttext, err := io.ReadAll(response.Body)\n%s\tfmt.Println(response.StatusCode)\n\tfmt.Println(string(text))\n}\n", stop);
}

/* ---- PHP 8 with curl ------------------------------------------------------------------------------------------------------------- */

static void add_php(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'' || s.p[i] == '\\')
			buf_char(b, '\\');
		buf_char(b, s.p[i]);
	}
}

static void write_php(struct buf *b, const struct sample_call *c)
{
	buf_cstr(b, "<?php\n$curl = curl_init('");
	add_php(b, c->url);
	buf_cstr(b, "');\ncurl_setopt_array($curl, [\n    CURLOPT_CUSTOMREQUEST => '");
	add_php(b, c->method);
	buf_fmt(b, "',\n%s    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_HTTPHEADER => [\n", is(c, "HEAD") ? "    CURLOPT_NOBODY => true,\n" : "");
	for (size_t i = 0; i < c->n_headers; i++) {
		buf_cstr(b, "        '");
		add_php(b, c->headers[i].name);
		buf_cstr(b, ": ");
		add_php(b, c->headers[i].value);
		buf_cstr(b, "',\n");
	}
	buf_cstr(b, "    ],\n");
	if (c->body_file) {
		buf_fmt(b, "    CURLOPT_POSTFIELDS => file_get_contents('%s'),\n", c->body_file);
	} else if (c->body.p) {
		buf_cstr(b, "    CURLOPT_POSTFIELDS => '");
		add_php(b, c->body);
		buf_cstr(b, "',\n");
	}
	buf_cstr(b, "]);\n$text = curl_exec($curl);\nif ($text === false) {\n    throw new RuntimeException(curl_error($curl));\n}\n"
		    "echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), \"\\n\", $text, \"\\n\";\n");
}

const struct sample_language sample_languages[] = {
	{ "curl", "curl", write_curl },
	{ "python", "Python", write_python },
	{ "javascript", "JavaScript", write_javascript },
	{ "csharp", "C#", write_csharp },
	{ "java", "Java", write_java },
	{ "go", "Go", write_go },
	{ "php", "PHP", write_php },
	{ NULL, NULL, NULL },
};
