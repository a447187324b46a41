/* xml_json.h - XML to JSON and back, as the policies xml-to-json and json-to-xml and Liquid's `body` see them.
 *
 * Text comes from outside: no external entities, no network, depth and size bounded by libxml2's own limits. */
#pragma once

#include "core/json.h"

#define XML_NO_ENTITIES "Entities of a document type are not allowed in a body."

enum { XML_BYTES_MAX = 64 * 1024 * 1024 };

enum xml_nil {
	XML_NIL_KEEP,                /* xsi:nil is an attribute like any other */
	XML_NIL_BLANK,               /* an element with xsi:nil="true" is "" */
	XML_NIL_NULL,                /* … is null */
};

struct xml_json_options {
	bool friendly; /* attributes without "@", text "$text", no declaration; else "@name" and "#text" */
	bool arrays;                 /* every child element is an array, even when it stands alone */
	bool keep_colon;             /* "soap:Body" stays; else "soap$Body" */
	enum xml_nil nil;
};

/* A document that declares entities, or uses some that an outer file would declare (nothing is read). */
struct _xmlDoc;
bool xml_has_entities(const struct _xmlDoc *doc);

/* *out in the arena. LIMIT: too large, too deep, entities. SYNTAX when the text is no well-formed XML. */
GH_RC xml_to_json(struct arena *a, struct str xml, const struct xml_json_options *o, json_t **out, struct gh_err *err);

struct json_xml_options {
	struct str separator;        /* between prefix and name in a property: "_" or ":" */
	struct str namespace_prefix; /* properties that begin with it declare namespaces; STR_NULL: none does */
	struct str attribute_block;  /* property whose members are attributes; STR_NULL: none */
};

GH_RC json_to_xml(struct arena *a, const json_t *json, const struct json_xml_options *o, struct str *out,
		  struct gh_err *err);
