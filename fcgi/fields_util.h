/* fields_util.h - the rules of HTTP for header fields on their way through: what a name and a value may hold, which
 * fields end at this hop (RFC 9110 section 7.6.1), what is added for the backend. Pure functions over struct fields. */
#pragma once

#include "core/buf.h"
#include "policy/message.h"

bool field_name_ok(struct str s);        /* a token, RFC 9110 section 5.6.2 */
bool field_value_ok(struct str s);       /* no control character but the tab */
bool method_ok(struct str s);            /* a token of at most 32 bytes */

/* "HTTP_X_FORWARDED_FOR" without its "HTTP_" to "X-Forwarded-For", in place: CGI has lost the dashes and the case. */
void field_name_from_cgi(char *p, size_t n);

/* Fields that must not go beyond this hop: the fixed ones, and those that Connection lists. */
bool field_is_hop_by_hop(struct str name);
bool field_listed(struct str connection, struct str name);   /* in the value of Connection; STR_NULL lists nothing */

/* The value of the cookie name_a + name_b (two parts, so that nobody has to join them); STR_NULL: it is not there. */
struct str fields_cookie(const struct fields *f, struct str name_a, struct str name_b);

/* Takes the cookies whose names begin so out of the Cookie fields; a field that is left empty goes. The portal, the
 * dashboard and sign-in for APIs often share a host with the gateway, and their sessions are no business of a backend. False
 * when out of memory. */
bool fields_hide_cookies(struct fields *f, struct str name_prefix) MUST_USE;

/* The address of a request: scheme://host:port/path?query, with what may not stand in an address percent-encoded (a
 * policy may have put it there). STR_NULL when out of memory. Followed by a zero byte. */
struct str url_for_wire(struct arena *a, const struct url *u);
void url_write_target(struct buf *b, const struct url *u);       /* its "/path?query", encoded in the same way */
void url_write_authority(struct buf *b, const struct url *u);    /* its "host:port" */

/* Checks a request target as the client sent it (core/uri.h says what is refused) and cuts it into path and query. */
bool target_split(struct str target, struct str *path, struct str *query);

/* W3C Trace Context: the parent's trace id is kept when the field is valid; `random` gives the ids that are made. */
struct trace_context {
	char trace_id[33], span_id[17], parent_id[17];       /* parent_id "" at the beginning of a trace */
	unsigned char flags;
};
bool trace_context_parse(struct str traceparent, struct trace_context *out);
struct str trace_context_text(struct arena *a, const struct trace_context *t);

/* X-Request-Id of a client is kept when it is 1 to 128 characters of letters, digits and -_.:+/=@ */
bool request_id_ok(struct str s);
