/* new_api.h - a new API out of what was entered, on the page and by a call: by hand, or from a description (OpenAPI, WSDL, a
 * Postman collection, a recording). The fields are those of the form: name, id, path, backend, environment, product,
 * description, address, and the file of an upload; what is wrong with one is told by web_form_error. */
#pragma once

#include "config/import/report.h"
#include "portal/web/web.h"

struct new_api {
	struct str name, id, path, backend, environment, product, text, file;
	struct str address;              /* that the text was fetched from; empty: it was given */
	struct import_report report;     /* of what was no OpenAPI document to begin with */
	bool fine;                       /* false: the errors stand beside their fields */
	bool whole;                      /* the text is what another gateway has, not the description of an API: api_zip.h takes it */
};

struct resource_change;
/* Reads the fields, and fetches what stands at the address: never inside a change. */
GH_RC new_api_read(struct web *w, struct new_api *x, struct gh_err *err);
/* Makes it all in the change: the API, its operations, the description, its place in a product. */
GH_RC new_api_write(struct web *w, struct resource_change *c, const struct new_api *x, struct gh_err *err);
/* Puts each problem of the change beside the field that it speaks of, of an operation or the description beside the description. What
 * belongs to no field is given back, or `otherwise` when there is no problem at all. */
struct str new_api_problems(struct web *w, const struct resource_change *c, const char *otherwise);
