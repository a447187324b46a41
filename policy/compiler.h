/* compiler.h - policy documents to programs.
 *
 *     struct policy_diags diags;
 *     policy_diags_init(&diags, arena);
 *     doc = policy_compile(arena, text, &(struct policy_source){ .scope = SCOPE_API }, &env, &diags);
 *     if (!doc) … diags.v[0].line, .column, .message …
 *
 * A compiled document is immutable: any number of exchanges may run it at once, and several documents may be compiled
 * at once by several threads, each with its own arena. It lives as long as the arena it was compiled into; a document
 * that includes fragments needs them to live as long as itself.
 *
 * How scopes work: exchange.documents[] holds the documents that apply, and <base/> of one calls the same section of
 * the next outer one. Where SCOPE_GLOBAL has none, policy_default() stands in. A section that is missing altogether
 * behaves as if it held <base/> alone; a section that is there and has no <base/> hides the outer ones. */
#pragma once

#include "policy/exchange.h"
#include "policy/schema.h"

struct policy_document;

/* What a document needs from the owner of the exchange before its program starts. */
struct policy_uses {
	bool request_body;           /* the request's body must be HELD */
	bool response_body;          /* the backend's response must be HELD */
	bool client_certificate;     /* ask the web server for it */
	bool api_model;              /* the API's description, parsed (policy_host.api_model) */
	bool backend_tries;          /* may forward more than once: keep the request's body */
};

/* What the compiler asks of its surroundings. All may be NULL: then nothing is known. */
struct policy_env {
	void *ctx;
	/* A named value. False: there is none of that name. Text lives as long as the document. */
	bool (*named_value)(void *ctx, struct str name, struct str *value, bool *secret);
	/* A compiled fragment, or NULL. */
	const struct policy_document *(*fragment)(void *ctx, struct str id);
	/* Is there a logger of that id? */
	bool (*logger)(void *ctx, struct str id);
	bool open_references;        /* unknown named values and fragments are warnings: checking without a store */
	bool live;                   /* for a scope that serves calls: policies that are only checked are errors */
	struct document_limits limits;
};

struct policy_source {
	enum scope scope;            /* where it will stand; ignored for a fragment */
	bool fragment;               /* <fragment> instead of <policies> */
	bool either;                 /* the root says which of the two it is */
	struct str name;             /* file or id, for messages; may be STR_NULL */
	struct str url_template;     /* of the operation, for rewrite-uri's parameters; STR_NULL: not known */
};

/* NULL when the document has an error; diags holds it and all others that were found. Warnings may stand in diags in
 * either case. `text` must live as long as the arena. env may be NULL. */
const struct policy_document *policy_compile(struct arena *a, struct str text, const struct policy_source *src,
					     const struct policy_env *env, struct policy_diags *diags);

/* The document of a system without any: <base/> everywhere, forward-request in backend. */
const struct policy_document *policy_default(void);

struct policy_uses policy_document_uses(const struct policy_document *d);
/* Over all documents that apply to the exchange, along the chain of <base/>. */
struct policy_uses policy_uses(const struct policy_document *const documents[SCOPE__COUNT]);

void policy_uses_add(struct policy_uses *to, const struct policy_uses *more);

/* The secret named values that were put into the document, for masking (longest first). */
const struct str *policy_secrets(const struct policy_document *d, size_t *n);

/* Answers a CORS preflight (OPTIONS with Origin and Access-Control-Request-Method) when a cors policy is in force in
 * the inbound section; no other policy runs for it. Call it before the subscription key is checked, and not when the
 * API has an OPTIONS operation that matches. STEP_RESPOND: exchange.response is complete; STEP_NEXT: it is no such
 * request, or no cors policy is in force. */
enum step policy_preflight(struct exchange *x);

/* Answers with the file of the global document's cross-domain policy, for a request to /crossdomain.xml that no API knows.
 * STEP_NEXT: there is none. */
enum step policy_cross_domain(struct exchange *x, const struct policy_document *global);
