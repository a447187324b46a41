#include "policy/xml_json.h"

#include "core/str.h"

#include <libxml/parser.h>
#include <libxml/hash.h>
#include <libxml/tree.h>

enum { JSON_DEPTH_MAX = 200 };

/* ---- XML to JSON ------------------------------------------------------------------------------------------------- */

static struct str of_xml(const xmlChar *s)
{
	return str_of((const char *)s);
}

/* "p:name" or "p$name", with a mark in front. NULL: out of memory. */
static const char *key_of(struct arena *a, const xmlNs *ns, const xmlChar *name, const char *mark,
			  const struct xml_json_options *o)
{
	if (ns && ns->prefix)
		return arena_printf(a, "%s%s%s%s", mark, (const char *)ns->prefix, o->keep_colon ? ":" : "$",
				    (const char *)name)
			.p;
	return arena_printf(a, "%s%s", mark, (const char *)name).p;
}

static void set_text(json_t *obj, const char *key, struct str value)
{
	if (key)
		json_object_set_new(obj, key, json_stringn(value.p ? value.p : "", value.n));
}

static void put_attributes(struct arena *a, const xmlNode *n, json_t *obj, const struct xml_json_options *o)
{
	const char *mark = o->friendly ? "" : "@";

	for (const xmlNs *ns = n->nsDef; ns; ns = ns->next) {
		const char *key = ns->prefix
			? arena_printf(a, "%sxmlns%s%s", mark, o->keep_colon ? ":" : "$", (const char *)ns->prefix).p
			: arena_printf(a, "%sxmlns", mark).p;

		set_text(obj, key, of_xml(ns->href));
	}
	for (const xmlAttr *at = n->properties; at; at = at->next) {
		xmlChar *value = xmlNodeListGetString(n->doc, at->children, 1);

		set_text(obj, key_of(a, at->ns, at->name, mark, o), of_xml(value));
		xmlFree(value);
	}
}

/* A second element of a name turns the first into an array. */
static void put_child(json_t *obj, const char *key, json_t *value, bool array)
{
	json_t *before = key ? json_object_get(obj, key) : NULL, *all;

	if (!key || !value) {
		json_decref(value);
		return;
	}
	if (json_is_array(before)) {
		json_array_append_new(before, value);
		return;
	}
	if (!before && !array) {
		json_object_set_new(obj, key, value);
		return;
	}
	all = json_array();
	if (before)
		json_array_append(all, before);
	json_array_append_new(all, value);
	json_object_set_new(obj, key, all);
}

static struct str own_text(struct arena *a, const xmlNode *n)
{
	struct str all = STR_NULL;

	for (const xmlNode *k = n->children; k; k = k->next)
		if (k->type == XML_TEXT_NODE || k->type == XML_CDATA_SECTION_NODE)
			all = all.p ? arena_printf(a, "%.*s%s", STR_ARG(all), (const char *)k->content)
				    : arena_dup(a, of_xml(k->content));
	return all;
}

static bool has_elements(const xmlNode *n)
{
	for (const xmlNode *k = n->children; k; k = k->next)
		if (k->type == XML_ELEMENT_NODE)
			return true;
	return false;
}

/* xsi:nil of XML Schema instances (XML Schema part 1, section 2.6.2). */
static bool is_nil(const xmlNode *n)
{
	static const xmlChar instance[] = "http://www.w3.org/2001/XMLSchema-instance";
	xmlChar *value = xmlGetNsProp((xmlNode *)(uintptr_t)n, (const xmlChar *)"nil", instance);
	struct str s = str_trim(of_xml(value));
	bool yes = str_eq(s, STR("true")) || str_eq(s, STR("1"));

	xmlFree(value);
	return yes;
}

static json_t *element(struct arena *a, const xmlNode *n, const struct xml_json_options *o, unsigned depth)
{
	bool elements = has_elements(n), plain = !n->properties && !n->nsDef && !elements;
	struct str text = own_text(a, n);
	json_t *obj;

	if (depth > JSON_DEPTH_MAX)
		return NULL;
	if (o->nil != XML_NIL_KEEP && n->properties && is_nil(n))
		return o->nil == XML_NIL_NULL ? json_null() : json_string("");
	if (plain)
		return text.p ? json_stringn(text.p, text.n) : json_null();
	obj = json_object();
	put_attributes(a, n, obj, o);
	for (const xmlNode *k = n->children; k; k = k->next)
		if (k->type == XML_ELEMENT_NODE)
			put_child(obj, key_of(a, k->ns, k->name, "", o), element(a, k, o, depth + 1), o->arrays);
	if (str_trim(text).n)
		set_text(obj, o->friendly ? "$text" : "#text", text);
	return obj;
}

bool xml_has_entities(const xmlDoc *doc)
{
	const xmlNode *n = doc->children;

	if (!doc->intSubset)
		return false;
	if (doc->intSubset->entities && xmlHashSize(doc->intSubset->entities) > 0)
		return true;
	while (n) {                  /* references stand in the tree where they were not resolved */
		if (n->type == XML_ENTITY_REF_NODE)
			return true;
		if (n->children && n->type == XML_ELEMENT_NODE) {
			n = n->children;
			continue;
		}
		while (n && !n->next)
			n = n->parent && n->parent->type == XML_ELEMENT_NODE ? n->parent : NULL;
		n = n ? n->next : NULL;
	}
	return false;
}

/* libxml2 has one code for several of its own limits, of depth among them. */
static bool is_limit(const xmlError *e)
{
	return e && (e->code == XML_ERR_ENTITY_LOOP || (e->code == XML_ERR_INTERNAL_ERROR && e->message && strstr(e->message, "depth")));
}

static xmlDoc *parse(struct str xml, struct gh_err *err)
{
	xmlDoc *doc;

	if (xml.n > XML_BYTES_MAX) {
		(void)gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "the XML text has more than %d bytes",
				 XML_BYTES_MAX);
		return NULL;
	}
	doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
	if (!doc || !xmlDocGetRootElement(doc)) {
		const xmlError *e = xmlGetLastError();
		struct str why = str_trim(e && e->message ? str_of(e->message) : STR("it is no XML"));

		(void)gh_err_set(err, is_limit(e) ? GH_E_LIMIT : GH_E_SYNTAX, __FILE__, __LINE__, "line %d: %.*s", e ? e->line : 1,
				 STR_ARG(why));
		xmlFreeDoc(doc);
		return NULL;
	}
	if (xml_has_entities(doc)) {
		(void)gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "%s", XML_NO_ENTITIES);
		xmlFreeDoc(doc);
		return NULL;
	}
	return doc;
}

GH_RC xml_to_json(struct arena *a, struct str xml, const struct xml_json_options *o, json_t **out, struct gh_err *err)
{
	xmlDoc *doc = parse(xml, err);
	const xmlNode *root;
	json_t *top, *inner;

	*out = NULL;
	if (!doc)
		return (gh_rc){ err->code };
	root = xmlDocGetRootElement(doc);
	top = json_object();
	if (!o->friendly && str_starts(str_trim(xml), STR("<?xml"))) {
		set_text(top, "version", of_xml(doc->version));
		if (doc->encoding)
			set_text(top, "encoding", of_xml(doc->encoding));
	}
	inner = element(a, root, o, 0);
	put_child(top, key_of(a, root->ns, root->name, "", o), inner, false);
	xmlFreeDoc(doc);
	*out = jsn_keep(a, top);
	if (!inner || !*out)
		FAIL(err, LIMIT, "the XML text is nested deeper than %d", JSON_DEPTH_MAX);
	return GH_RC_OK;
}

/* ---- JSON to XML ------------------------------------------------------------------------------------------------- */

struct scope_names {                         /* prefixes that are declared around */
	const struct scope_names *outer;
	struct str prefix;
};

struct xml_writer {
	struct arena *a;
	const struct json_xml_options *o;
	struct buf out;
	unsigned depth;
};

static void put_escaped(struct buf *b, struct str s, bool attribute)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (ch == '&')
			buf_cstr(b, "&amp;");
		else if (ch == '<')
			buf_cstr(b, "&lt;");
		else if (ch == '>')
			buf_cstr(b, "&gt;");
		else if (ch == '"' && attribute)
			buf_cstr(b, "&quot;");
		else if ((unsigned char)ch < 0x20 && ch != '\t' && ch != '\n' && ch != '\r')
			buf_char(b, ' ');
		else
			buf_char(b, ch);
	}
}

static bool is_declared(const struct scope_names *s, struct str prefix)
{
	for (; s; s = s->outer)
		if (str_eq(s->prefix, prefix))
			return true;
	return false;
}

/* Characters that no XML name has become _xHHHH_. */
static void put_name_part(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		if (ascii_is_alpha((char)ch) || ch == '_' || ch >= 0x80
		    || (i && (ascii_is_digit((char)ch) || ch == '-' || ch == '.')))
			buf_char(b, (char)ch);
		else
			buf_fmt(b, "_x%04X_", ch);
	}
	if (!s.n)
		buf_char(b, '_');
}

static void put_name(struct xml_writer *w, struct str key, const struct scope_names *scope)
{
	size_t at = w->o->separator.n ? str_find(key, w->o->separator) : SIZE_MAX;
	struct str prefix = str_first(key, at == SIZE_MAX ? 0 : at);

	if (at == SIZE_MAX || !is_declared(scope, prefix)) {
		put_name_part(&w->out, key);
		return;
	}
	put_name_part(&w->out, prefix);
	buf_char(&w->out, ':');
	put_name_part(&w->out, str_from(key, at + w->o->separator.n));
}

static struct str scalar_text(struct xml_writer *w, const json_t *v)
{
	if (json_is_string(v))
		return jsn_string(v);
	return json_is_null(v) ? STR("") : jsn_text(w->a, v, 0);
}

/* "xmlns" or "xmlns:p" (with the separator in place of the colon): *prefix is "" or "p". */
static bool is_namespace(const struct xml_writer *w, struct str key, struct str *prefix)
{
	struct str mark = w->o->namespace_prefix;

	if (!mark.n || !str_starts(key, mark))
		return false;
	*prefix = str_from(key, mark.n);
	if (w->o->separator.n && str_starts(*prefix, w->o->separator))
		*prefix = str_from(*prefix, w->o->separator.n);
	else if (prefix->n && *prefix->p == ':')
		*prefix = str_from(*prefix, 1);
	else if (prefix->n)
		return false;
	return true;
}

static void put_attribute(struct xml_writer *w, const char *before, struct str name, const json_t *value)
{
	buf_cstr(&w->out, before);
	if (name.n)
		put_name_part(&w->out, name);
	else
		w->out.n--;          /* "xmlns:" without a prefix is "xmlns" */
	buf_cstr(&w->out, "=\"");
	put_escaped(&w->out, scalar_text(w, value), true);
	buf_char(&w->out, '"');
}

static void put_element(struct xml_writer *w, struct str key, const json_t *value, const struct scope_names *scope);

static bool is_block(const struct xml_writer *w, struct str key)
{
	return w->o->attribute_block.n && str_eq(key, w->o->attribute_block);
}

static const struct scope_names *declare_all(struct xml_writer *w, const json_t *obj, const struct scope_names *scope)
{
	const char *key;
	json_t *value;
	struct str prefix;

	json_object_foreach((json_t *)(uintptr_t)obj, key, value) {
		struct scope_names *s;

		if (!is_namespace(w, str_of(key), &prefix) || json_is_object(value) || json_is_array(value))
			continue;
		s = arena_new_of(w->a, struct scope_names);
		if (!s)
			return scope;
		s->outer = scope;
		s->prefix = prefix;
		scope = s;
	}
	return scope;
}

static void put_start_attributes(struct xml_writer *w, const json_t *obj)
{
	const char *key, *name;
	json_t *value, *one;
	struct str prefix;

	json_object_foreach((json_t *)(uintptr_t)obj, key, value) {
		if (is_block(w, str_of(key))) {
			json_object_foreach(value, name, one) {
				put_attribute(w, " ", str_of(name), one);
			}
		} else if (is_namespace(w, str_of(key), &prefix) && !json_is_object(value) && !json_is_array(value)) {
			put_attribute(w, " xmlns:", prefix, value);
		} else if (*key == '@') {
			put_attribute(w, " ", str_of(key + 1), value);
		}
	}
}

static bool is_content(const struct xml_writer *w, const char *key, const json_t *value)
{
	struct str prefix;

	if (*key == '@' || is_block(w, str_of(key)))
		return false;
	return !is_namespace(w, str_of(key), &prefix) || json_is_object(value) || json_is_array(value);
}

static void put_object(struct xml_writer *w, struct str key, const json_t *obj, const struct scope_names *outer)
{
	const struct scope_names *scope = declare_all(w, obj, outer);
	const char *name;
	json_t *value;
	bool empty = true;

	buf_char(&w->out, '<');
	put_name(w, key, scope);
	put_start_attributes(w, obj);
	json_object_foreach((json_t *)(uintptr_t)obj, name, value) {
		empty &= !is_content(w, name, value);
	}
	if (empty) {
		buf_cstr(&w->out, " />");
		return;
	}
	buf_char(&w->out, '>');
	json_object_foreach((json_t *)(uintptr_t)obj, name, value) {
		if (!is_content(w, name, value))
			continue;
		if (str_eq(str_of(name), STR("#text")))
			put_escaped(&w->out, scalar_text(w, value), false);
		else
			put_element(w, str_of(name), value, scope);
	}
	buf_cstr(&w->out, "</");
	put_name(w, key, scope);
	buf_char(&w->out, '>');
}

static void put_element(struct xml_writer *w, struct str key, const json_t *value, const struct scope_names *scope)
{
	const json_t *one;
	size_t i;

	if (++w->depth > JSON_DEPTH_MAX) {
		w->out.failed = true;
	} else if (json_is_array(value)) {
		json_array_foreach((json_t *)(uintptr_t)value, i, one) {
			put_element(w, key, one, scope);
		}
	} else if (json_is_object(value)) {
		put_object(w, key, value, scope);
	} else if (json_is_null(value)) {
		buf_char(&w->out, '<');
		put_name(w, key, scope);
		buf_cstr(&w->out, " />");
	} else {
		buf_char(&w->out, '<');
		put_name(w, key, scope);
		buf_char(&w->out, '>');
		put_escaped(&w->out, scalar_text(w, value), false);
		buf_cstr(&w->out, "</");
		put_name(w, key, scope);
		buf_char(&w->out, '>');
	}
	w->depth--;
}

GH_RC json_to_xml(struct arena *a, const json_t *json, const struct json_xml_options *o, struct str *out,
		  struct gh_err *err)
{
	struct xml_writer w = { .a = a, .o = o };
	void *first = json_is_object(json) ? json_object_iter((json_t *)(uintptr_t)json) : NULL;
	bool single = first && json_object_size(json) == 1 && json_is_object(json_object_iter_value(first));

	buf_init(&w.out, XML_BYTES_MAX);
	if (single)
		put_element(&w, str_of(json_object_iter_key(first)), json_object_iter_value(first), NULL);
	else if (json_is_array(json))
		put_element(&w, STR("Document"), json_array_size(json) == 1 ? json_array_get(json, 0) : json, NULL);
	else
		put_element(&w, STR("Document"), json, NULL);
	*out = buf_ok(&w.out) ? arena_dup(a, buf_view(&w.out)) : STR_NULL;
	buf_release(&w.out);
	if (str_is_null(*out))
		FAIL(err, LIMIT, "the XML text would be larger than %d bytes, or nested deeper than %d", XML_BYTES_MAX,
		     JSON_DEPTH_MAX);
	return GH_RC_OK;
}
