/* recording.h - from calls that were recorded or written down to a first OpenAPI 3.1 description.
 *
 * Calls are added one by one; those of one method and path become one operation. A segment of a path that is a number, a
 * UUID or a long hexadecimal text becomes a parameter. Bodies and values give schemas only: what people sent and received
 * stays out of the description, and so do credentials, of which only the kind is told. */
#pragma once

#include "config/import/report.h"

struct recording;

struct recorded_pair {
	struct str name, value;
};

struct recorded_call {
	struct str method;               /* any case */
	struct str base;                 /* "https://api.example.com" */
	struct str path;                 /* raw, "/orders/7"; segments ":id" and "{id}" are parameters by that name */
	struct str name, description;    /* STR_NULL: made from method and path */
	const char *tag;                 /* NULL for none */
	const struct recorded_pair *query, *headers;     /* headers of the request; query values may be empty */
	size_t n_query, n_headers;
	struct str body_type, body;      /* "application/json"; STR_NULL: no body */
	const struct recorded_pair *form;                /* fields of a form, when the body is one */
	size_t n_form;
	bool documented;                 /* somebody wrote it down: its headers are parameters, also such as Idempotency-Key */
	bool again;                      /* another answer to the call before */
	int status;                      /* 0: no answer is known */
	struct str answer_type, answer;
};

struct recording *recording_new(struct arena *a);        /* NULL when out of memory; freed with the arena */
/* LIMIT when there are more operations than a description may have. */
GH_RC recording_add(struct recording *r, const struct recorded_call *call, struct gh_err *err);
size_t recording_operations(const struct recording *r);
/* The description with that title; *server is the base with the path that all calls have in common ("/api/v1"), taken out of
 * the paths. Owned by the arena. Call it once. */
GH_RC recording_openapi(struct recording *r, struct str title, struct str description, json_t **out, struct str *server,
			struct gh_err *err);
