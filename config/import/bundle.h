/* bundle.h - what an import of a whole installation makes: resources as documents (config/resource.h) with `$kind` in front, and the
 * report of what became of each thing. They go into the store by the same walk as configuration files (config/files/plan.h). */
#pragma once

#include "config/files/set.h"
#include "config/import/report.h"

struct bundle {
	struct arena *arena;
	json_t *docs;                    /* array of {"$kind", "id", ...} */
	struct import_report *report;
	struct str environment;          /* that APIs are put into; empty: the default one */
	struct str gateway;              /* id of the product of a gateway's keys; empty: there is none */
};

GH_RC bundle_init(struct bundle *b, struct arena *a, struct import_report *r, struct gh_err *err);
/* A new document, borrowed: put the fields in. NULL when out of memory. */
json_t *bundle_add(struct bundle *b, const char *kind, struct str id);
/* Members that are NULL or empty are left out. */
void bundle_text(json_t *doc, const char *field, struct str text);
json_t *bundle_find(const struct bundle *b, const char *kind, struct str id);    /* NULL: there is none */

/* The operations and the description of an API ("orders", "orders;rev=2") out of its OpenAPI text, which must be readable: else a row
 * of the report and no operation. One that takes every call would open what is closed where it comes from. *operations:
 * {operationId: our id}, owned by the arena. */
#define BUNDLE_NO_OPERATION "calls are answered 404 (operation_not_found) until operations are added"
GH_RC bundle_description(struct bundle *b, struct str place, struct str text, struct str source, json_t **operations,
			 struct gh_err *err);
/* The same of a description that was read already, without a row of the report. `bundled` (STR_NULL: none): what it and the files beside
 * it make together. */
struct openapi;
GH_RC bundle_parsed(struct bundle *b, struct str place, struct openapi *doc, struct str text, struct str bundled, struct str source,
		    json_t **operations, size_t *n, struct gh_err *err);
/* A policy document with these elements in its sections (may be NULL), each with <base/> first. */
void bundle_policy(struct bundle *b, struct str scope, const char *inbound, const char *backend, const char *outbound);

/* Whether a list of protocols ("https", "grpcs", …; NULL: none) leaves plain http out. */
bool bundle_is_https_only(const json_t *protocols);
/* Calls of that API must come over https: a network rule. */
void bundle_https_only(struct bundle *b, struct str api);
#define BUNDLE_HTTPS_ONLY "https only: calls over plain http are refused with 403, or sent to https with the setting gateway.https_redirect"

/* ---- into the store ---- */

/* Secrets of what is there already stay, whatever the file says: clients have been given others since, or they are the same. A row of the
 * report tells how many; of new passwords those are told that are shorter than web.password_min. Before bundle_set. */
GH_RC bundle_keep_secrets(struct bundle *b, struct store *s, struct gh_err *err);

/* CONFLICT when the product of the gateway's keys is there and has none of its APIs: its keys would open those of another gateway. */
GH_RC bundle_check_gateway(struct bundle *b, struct store *s, struct gh_err *err);

/* Documents of kinds that this installation does not have become rows of the report. */
GH_RC bundle_set(struct bundle *b, const char *source, struct files_set *out, struct gh_err *err);
/* Puts a closed document, which answers 501, in the place of policies and fragments that have problems in the set, with the
 * original as a comment; the report tells each. Returns how many: then the set has to be made anew. What does not compile
 * must not let calls through. */
size_t bundle_close_policies(struct bundle *b, const struct files_set *set);
