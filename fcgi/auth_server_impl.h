/* auth_server_impl.h - what the files of the authorization server share. */
#pragma once

#include "fcgi/access_flow.h"
#include "fcgi/access_jobs.h"
#include "fcgi/auth_server.h"

enum auth_service {
	AUTH_ASK_TOKEN, AUTH_REVOKE, AUTH_INTROSPECT, AUTH_JWKS, AUTH_METADATA, AUTH_ID_JWKS, AUTH_ID_METADATA, AUTH_SERVICE__COUNT
};

/* Form parameters, each at most once (RFC 6749 section 3.2). */
struct auth_form {
	struct str grant_type, scope, client_id, client_secret, token;
};

struct auth_request {
	enum auth_service service;
	struct auth_form form;
	struct caller_entry *client;
	struct access_job *job;
};

struct arena;
/* error: of RFC 6749 section 5.2. */
void auth_error(struct call *k, const char *error, const char *description);
void auth_answer(struct call *k, int status, struct str json, bool public);
/* Who asks: NULL when it has been answered. */
struct caller_entry *auth_client(struct call *k, const struct auth_form *form);
void auth_token(struct call *k, struct auth_request *r);
void auth_introspect(struct call *k, struct auth_request *r);
void auth_revoke(struct call *k, struct auth_request *r);
