/* message.h - an HTTP request or response as policies see and change it.
 *
 * Everything points into the exchange's arena (or lives longer); setting a value stores the pointer, it does not copy.
 * Field names keep the case in which they came and compare without it. */
#pragma once

#include "core/arena.h"

struct field {
	struct str name, value;
};

struct fields {
	struct arena *arena;
	struct field *v;
	size_t n, cap;
};

void fields_init(struct fields *f, struct arena *a);
struct str fields_get(const struct fields *f, struct str name);        /* first value, or STR_NULL */
size_t fields_count(const struct fields *f, struct str name);
/* All values of the name joined by ", " (RFC 9110 section 5.3), or STR_NULL when there is none. */
struct str fields_joined(const struct fields *f, struct str name);
bool fields_add(struct fields *f, struct str name, struct str value) MUST_USE;   /* false: out of memory */
bool fields_reserve(struct fields *f, size_t n) MUST_USE;          /* room for n in all; the same */
bool fields_set(struct fields *f, struct str name, struct str value) MUST_USE;   /* replaces all of that name by one */
void fields_remove(struct fields *f, struct str name);                           /* all of that name */
bool fields_copy(struct fields *to, const struct fields *from) MUST_USE;         /* adds all; shallow */

struct url {
	struct str scheme, host;     /* host without port; an IPv6 address keeps its brackets */
	unsigned port;               /* 0: the scheme's own */
	struct str path;             /* starts with "/", as sent (percent-escapes untouched) */
	struct str query;            /* without "?", as sent; STR_NULL when there is none */
};

/* An absolute http or https address. False when it is none; *out borrows from s. */
bool url_parse(struct str s, struct url *out) MUST_USE;
/* "https://host:8443/path?query"; the port only where it is not the scheme's own. STR_NULL when out of memory. */
struct str url_text(struct arena *a, const struct url *u);
unsigned url_port(const struct url *u);      /* the port, or the scheme's own: 80, 443 */

enum body_kind {
	BODY_NONE,                   /* the message has no body */
	BODY_STREAM,                 /* bytes are on their way through the host; policies cannot see them */
	BODY_HELD,                   /* all bytes are in .bytes */
};

struct body {
	enum body_kind kind;
	struct str bytes;            /* BODY_HELD */
	bool changed;                /* a policy replaced it: Content-Length and encodings are to be made anew */
	bool consumed;               /* As<T>() read it without preserveContent: reading again gives an empty text */
};

struct request {
	struct str method;
	struct url url;              /* what goes to the backend: changed by rewrite-uri, set-backend-service */
	struct url original_url;     /* what the client asked for; never changed */
	struct fields headers;
	struct body body;
	struct str ip;               /* the client's address as text */
	struct str client_cert_pem;  /* STR_NULL: none was shown */
};

struct response {
	int status;                  /* 0: there is no response yet */
	struct str reason;
	struct fields headers;
	struct body body;
};
