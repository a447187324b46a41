/* xsd.h - XML Schema as JSON Schema (2020-12 with OpenAPI's `xml`), as far as descriptions for people and samples need it: elements,
 * complex and simple types, sequences, choices, attributes, extensions, enumerations. What it cannot say (substitution groups,
 * identity constraints, wildcards) is left open, so that the schema takes more than the original and never less. */
#pragma once

#include "config/import/report.h"

#include <libxml/tree.h>

struct xsd;

struct xsd *xsd_new(struct arena *a, struct import_report *r);    /* NULL when out of memory */
/* What a <schema> defines; of two definitions of one name the first counts. Its nodes must live as long. */
void xsd_add(struct xsd *x, const xmlNode *schema);
/* The schema of a global element or type, a reference into xsd_components; an open one when there is no such. New reference. */
json_t *xsd_element(struct xsd *x, const char *ns, const char *name);
json_t *xsd_type(struct xsd *x, const char *ns, const char *name);
/* The named schemas that were referred to so far: borrowed. */
json_t *xsd_components(struct xsd *x);

/* "tns:Order" in the scope of a node: its namespace (may be NULL) and local name, in the arena. */
bool xsd_qname(struct arena *a, const xmlNode *node, const char *qname, const char **ns, const char **local);
const char *xsd_attribute(struct arena *a, const xmlNode *node, const char *name);       /* without namespace; NULL: none */
bool xsd_is(const xmlNode *node, const char *ns, const char *name);
