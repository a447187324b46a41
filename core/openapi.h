/* openapi.h - one model of an API description, from OpenAPI 3.0, OpenAPI 3.1 and Swagger 2.0, in JSON or YAML.
 *
 * Reading is forgiving: a description that has an `openapi` or `swagger` version and is well-formed gives a model. What is
 * wrong or not understood is a warning with its JSON Pointer, and the caller keeps the original bytes, so nothing is lost.
 * References ("$ref") inside the document are resolved for path items, parameters, headers, bodies, responses, examples and
 * security schemes. Schemas stay as they stand: a cycle is legal there, and core/schema resolves while it compiles.
 * References to other documents are warnings, and the object they stand for is left out (core/openapi_bundle.h follows them first).
 *
 * Swagger 2.0 is turned into the shape of 3.0: `body` and `formData` parameters become the request body, `consumes` and
 * `produces` its media types, `host`/`basePath`/`schemes` the servers, `type` and its companions a schema.
 *
 * A model is immutable once parsed; text and json_t in it are borrowed from it. It may be read by several threads. */
#pragma once

#include "core/json.h"
#include "core/map.h"

enum openapi_dialect { OPENAPI_2_0, OPENAPI_3_0, OPENAPI_3_1 };

enum openapi_in { OPENAPI_PATH, OPENAPI_QUERY, OPENAPI_HEADER, OPENAPI_COOKIE };
enum openapi_style {                     /* how a value of several parts is written; OpenAPI 3.1.0 section 4.8.12.3 */
	OPENAPI_SIMPLE, OPENAPI_LABEL, OPENAPI_MATRIX, OPENAPI_FORM, OPENAPI_SPACE, OPENAPI_PIPE, OPENAPI_DEEP,
	OPENAPI_TAB,                     /* Swagger 2.0's tsv */
};

struct openapi_server {
	struct str url;                  /* variables replaced by their defaults; may be relative */
	struct str url_template;         /* as written */
	struct str description;
};

struct openapi_example {
	struct str name;                 /* "" for a lone `example` */
	struct str summary;
	json_t *value;
	bool generated;                  /* taken from the schema's own example or default */
};

struct openapi_media {
	struct str type;                 /* "application/json", "text/x", "*" in either place, parameters kept */
	json_t *schema;                  /* NULL when none */
	json_t *encoding;                /* 3.x: how parts of a form are encoded; NULL when none */
	const struct openapi_example *examples;
	size_t n_examples;
};

struct openapi_parameter {               /* also a response header, with name and schema only */
	struct str name;
	enum openapi_in in;
	struct str description;
	bool required, deprecated, allow_empty, allow_reserved, explode;
	enum openapi_style style;
	json_t *schema;                  /* NULL when none is given */
	struct str content_type;         /* set when the value is a serialised document (parameter `content`) */
	const struct openapi_example *examples;
	size_t n_examples;
};

struct openapi_body {
	struct str description;
	bool required;
	const struct openapi_media *media;
	size_t n_media;
};

struct openapi_response {
	struct str status;               /* "200", "4XX", "default" */
	struct str description;
	const struct openapi_media *media;
	size_t n_media;
	const struct openapi_parameter *headers;
	size_t n_headers;
};

struct openapi_requirement {             /* one way in: all of its schemes together */
	const struct openapi_need {
		const struct openapi_scheme *scheme;     /* NULL when the name is not declared */
		struct str name;
		const struct str *scopes;
		size_t n_scopes;
	} *needs;
	size_t n_needs;                  /* 0: nothing needed, anonymous is allowed */
};

struct openapi_operation {
	struct str method;               /* upper case */
	struct str path;                 /* template as written: "/orders/{id}" */
	struct str id;                   /* operationId; STR_NULL when none */
	struct str summary, description;
	const struct str *tags;
	size_t n_tags;
	bool deprecated;
	const struct openapi_parameter *parameters;      /* those of the path item included, overridden ones left out */
	size_t n_parameters;
	const struct openapi_body *body;                 /* NULL when none */
	const struct openapi_response *responses;        /* in the order of the document */
	size_t n_responses;
	const struct openapi_requirement *security;      /* alternatives, the document's own when it names none */
	size_t n_security;
	const struct openapi_server *servers;            /* of the operation or path; none: those of the document */
	size_t n_servers;
	json_t *raw;                                     /* the operation object, for what the model leaves out */
};

enum openapi_scheme_type {
	OPENAPI_API_KEY, OPENAPI_HTTP, OPENAPI_OAUTH2, OPENAPI_OPENID, OPENAPI_MUTUAL_TLS, OPENAPI_OTHER_SCHEME
};

struct openapi_scheme {
	struct str key;                  /* its name in the document */
	enum openapi_scheme_type type;
	struct str description;
	struct str name;                 /* API_KEY: of the header, query parameter or cookie */
	enum openapi_in in;              /* API_KEY */
	struct str scheme;               /* HTTP: "basic", "bearer" … */
	struct str url;                  /* OPENID: discovery document */
	json_t *raw;                     /* OAUTH2: flows and the rest */
};

struct openapi_tag {
	struct str name, description;
};

struct openapi_warning {
	struct str pointer;              /* JSON Pointer into the document, "" for the whole */
	struct str text;
};

struct openapi {
	enum openapi_dialect dialect;
	struct str spec_version;         /* "3.1.0" */
	struct str title, version, summary, description;
	struct str terms_url, contact_name, contact_url, contact_email, license_name, license_url;
	struct str docs_url, docs_description;
	const struct openapi_server *servers;
	size_t n_servers;
	const struct openapi_operation *operations;      /* in the order of the document */
	size_t n_operations;
	const struct openapi_tag *tags;
	size_t n_tags;
	const struct openapi_scheme *schemes;
	size_t n_schemes;
	json_t *schemas;                 /* object of named schemas (components/schemas, definitions); NULL when none */
	struct str schemas_pointer;      /* where that object stands: "/components/schemas" or "/definitions" */
	const struct openapi_warning *warnings;          /* at most OPENAPI_MAX_WARNINGS */
	size_t n_warnings, n_warnings_left_out;
	json_t *root;                    /* the whole document, against which "$ref" of schemas are resolved */
	struct map by_route;             /* "GET /a/{}" -> struct openapi_operation; use openapi_find */
	struct map by_id;
};

#define OPENAPI_MAX_BYTES ((size_t)64 << 20)
#define OPENAPI_MAX_OPERATIONS 65536u
#define OPENAPI_MAX_WARNINGS 200u

/* Everything lives in the arena (give it 512 MB of room for the largest known documents). text need not live longer than
 * the call. On failure *where has the place when there is one. INVALID: not an API description, or a version that is not
 * known; SYNTAX: neither JSON nor YAML; LIMIT. */
GH_RC openapi_parse(struct arena *a, struct str text, struct openapi **out, struct text_where *where, struct gh_err *err);

/* By method and path template. Names of path variables do not matter: "/a/{id}" finds "/a/{key}". NULL when absent. */
const struct openapi_operation *openapi_find(const struct openapi *o, struct str method, struct str path_template);
const struct openapi_operation *openapi_find_id(const struct openapi *o, struct str operation_id);

const struct openapi_parameter *openapi_parameter(const struct openapi_operation *op, enum openapi_in in, struct str name);

/* The response that describes a status: exact, else its class ("4XX"), else "default"; NULL when none. */
const struct openapi_response *openapi_response(const struct openapi_operation *op, unsigned status);

/* The media type that describes a Content-Type: exact with parameters, without parameters, structured suffix
 * ("application/json" describes "application/problem+json" only when nothing nearer stands there), "type" + "/" + "*",
 * then "*" + "/" + "*". NULL when none. */
const struct openapi_media *openapi_media(const struct openapi_media *media, size_t n, struct str content_type);

/* Follows "$ref" inside the document, at most 64 steps. Borrowed; NULL when it leads nowhere or out of the document. */
json_t *openapi_resolve(const struct openapi *o, json_t *object);

/* An example value for a schema: its own example, examples, default, const or first enum, else one put together from its
 * type, formats and properties (depth and size bounded). Owned by the arena; NULL when out of memory. */
json_t *openapi_sample(const struct openapi *o, struct arena *a, json_t *schema);

/* The best example of a media type: its first, else openapi_sample of its schema; NULL when there is neither. */
json_t *openapi_media_example(const struct openapi *o, struct arena *a, const struct openapi_media *m);

/* ---- as Azure names things ------------------------------------------------------------------------------------------ */

/* An id of letters, digits and '-' for an operation: its operationId, or method and path ("get-orders-id"). At most 80
 * bytes; the caller makes it unique. */
struct str openapi_operation_slug(struct arena *a, const struct openapi_operation *op);

/* The URL template of API Management (core/uritemplate.h): the path with its {variables}, each name once; {*name} for a
 * variable at the end that takes slashes ({+name}, {name*}, {proxy+}); the required query parameters as "?a={a}&b={b}".
 * STR_NULL when it would be too long or have too many variables. */
struct str openapi_url_template(struct arena *a, const struct openapi_operation *op);

const char *openapi_in_name(enum openapi_in in);         /* "path", "query", "header", "cookie" */
const char *openapi_style_name(enum openapi_style s);    /* "simple", "form", "spaceDelimited", … */

/* ---- as callers of a gateway should read it: openapi_publish.c ----------------------------------------------------------- */

struct openapi_face {
	struct str address;              /* where the gateway serves the API: absolute, or a path */
	struct str key_header;           /* the header field of the key that every call needs; STR_NULL: none is needed */
};

/* The document with the gateway's address in place of all servers, and with the key as a security scheme that each operation
 * needs besides what it asked for already. Everything else stays as it stands, in its order. Owned by the caller, shares
 * parts with the model; NULL when out of memory. */
json_t *openapi_publish(const struct openapi *o, const struct openapi_face *face);
