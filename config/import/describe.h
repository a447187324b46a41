/* describe.h - recordings and SOAP descriptions read into an OpenAPI description.
 *
 * Each takes the text of a file and gives the description (owned by the arena), where its calls went, and what became of its
 * parts. SYNTAX or INVALID with *where when the text is not what it should be. Nothing outside is fetched. */
#pragma once

#include "config/import/report.h"

enum { IMPORT_FILE_MAX = 256 << 20 };    /* bytes of a recording: browsers write bodies into it */

struct described {
	json_t *openapi;
	struct str title;
	struct str server;               /* "https://api.example.com/v1"; empty: the file does not tell */
};

/* An archive of a browser or proxy (HAR 1.2). Calls of one host are taken: `host` ("api.example.com"), or the host with most
 * calls that carry data. What is loaded by pages (pictures, scripts, styles) is left out. */
GH_RC import_har(struct arena *a, struct str text, struct str host, struct import_report *r, struct described *out,
		 struct text_where *where, struct gh_err *err);
/* A Postman collection, format 2.0 or 2.1. Variables of the collection are put in where they stand in addresses. */
GH_RC import_postman(struct arena *a, struct str text, struct import_report *r, struct described *out, struct text_where *where,
		     struct gh_err *err);
/* WSDL 1.1 with SOAP 1.1 or 1.2 over HTTP. Each operation becomes POST ?soapAction=NAME; its schemas those of the body. Taken are the
 * port of that name, or the first, and all others at its address. `files` (core/openapi_bundle.h) reads what wsdl:import, xsd:import and
 * xsd:include name beside it; NULL: a row of the report for each. */
struct openapi_files;
GH_RC import_wsdl(struct arena *a, struct str text, struct str port, const struct openapi_files *files, struct import_report *r,
		  struct described *out, struct text_where *where, struct gh_err *err);
