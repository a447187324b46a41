/* wsdl_files.h - a WSDL that stands in several files: wsdl:import, xsd:import, xsd:include and xsd:redefine with a place. Files are read
 * as the caller reads them, beside the first one; an address of the network is never asked. What is not read is a row of the report.
 * For config/import/ only. */
#pragma once

#include "config/import/report.h"
#include "core/map.h"
#include "core/openapi_bundle.h"

#include <libxml/tree.h>

enum {
	WSDL_FILES_MAX = 256,            /* files beside the first; services of Exchange and SAP have some dozens */
	WSDL_FILES_BYTES = 64 << 20,     /* of all of them */
};

struct wsdl_files {
	struct arena *arena;
	struct import_report *report;
	const struct openapi_files *files;       /* NULL: none is read */
	const xmlNode *definitions[WSDL_FILES_MAX + 1];  /* the first one is that of the WSDL itself */
	const xmlNode *schemas[2 * WSDL_FILES_MAX];
	size_t n_definitions, n_schemas;
	xmlDoc *docs[WSDL_FILES_MAX];
	size_t n_docs, bytes;
	struct map seen;                 /* path and, of what is included, namespace */
};

/* Reads what the root of a WSDL leads to. Release it, whatever came of it. */
GH_RC wsdl_files_gather(struct wsdl_files *f, const xmlNode *root, struct gh_err *err);
void wsdl_files_release(struct wsdl_files *f);
