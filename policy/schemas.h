/* schemas.h - schemas that stand apart from any API: JSON Schema and XML Schema (XSD 1.0) by id, for validate-content.
 *
 * Whoever builds a configuration makes one set of them and hands it out as policy_host.schemas. Each is parsed and compiled
 * when it is first needed and then kept as long as the set. Several threads may use a set at once.
 *
 * Schemas may refer to each other: {"$ref": "/schemas/ID#/definitions/x"}, <xs:include schemaLocation="/schemas/ID"/>.
 * Nothing is ever fetched from anywhere else. */
#pragma once

#include "policy/schema_forms.h"

enum schema_kind { SCHEMA_JSON, SCHEMA_XML };

struct schema_text {
	struct str id;
	enum schema_kind kind;
	struct str text;
};

enum { SCHEMA_TEXT_MAX = 4 * 1024 * 1024 };          /* bytes of one: as in the reference system */

struct schemas;

/* Borrows the texts: they must outlive the set. */
GH_RC schemas_new(struct schemas **out, const struct schema_text *texts, size_t n, struct gh_err *err);
void schemas_free(struct schemas *s);        /* NULL is fine */

/* The JSON Schema at a JSON Pointer of a document ("" for the whole). NULL: there is no such schema, it is an XML Schema,
 * or it does not compile; the message says which. */
const struct jsonschema *schemas_json(struct schemas *s, struct str id, struct str pointer, const struct schema_choice *choice,
				      struct gh_err *err);

/* ---- XML ------------------------------------------------------------------------------------------------------------ */

enum { XML_ERRORS_MAX = 5 };             /* of one validation that are told */

enum xml_form {
	XML_PLAIN,
	XML_SOAP_REQUEST,                /* what stands in the body of a SOAP 1.1 or 1.2 envelope */
	XML_SOAP_RESPONSE,               /* the same; a SOAP fault needs no schema */
};

struct xml_verdict {                     /* valid: n is 0 */
	struct str errors[XML_ERRORS_MAX];       /* each with its line and position */
	size_t n;
};

/* NOT_FOUND or INVALID: there is no such schema, or it does not compile. */
GH_RC schemas_check_xml(struct schemas *s, struct arena *a, struct str id, struct str xml, enum xml_form form,
			struct xml_verdict *out, struct gh_err *err);

/* Whether a schema compiles: for whoever takes one in. */
GH_RC schemas_check(struct schemas *s, struct str id, struct gh_err *err);
