/* uri.h - addresses (RFC 3986): parts, percent-escapes, queries, and the strict check of what a client asked for.
 *
 * Nothing here is normalised behind the caller's back: a target that two programs could read in two ways (dot segments,
 * encoded slashes, backslashes, NUL, broken escapes) is refused with a reason, so that the path that was routed and
 * checked is the path that the backend sees. All parts borrow from the text that was parsed. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct uri {
	struct str scheme;           /* as written; STR_NULL in a relative reference */
	struct str userinfo;         /* before "@"; STR_NULL when there is none */
	struct str host;             /* without port; an IPv6 address keeps its brackets; STR_NULL: no authority */
	unsigned port;               /* 0: none given */
	struct str path;             /* as written, maybe empty */
	struct str query;            /* without "?"; STR_NULL when there is none */
	struct str fragment;         /* without "#"; STR_NULL when there is none */
};

/* Any URI reference (section 4.1). False when it is none: bad scheme, port, escape, blank or control byte. */
bool uri_parse(struct str s, struct uri *out) MUST_USE;

/* "host:port" or "[::1]:port" or "host", as in a Host field. False when it is neither. */
bool uri_parse_authority(struct str s, struct str *host, unsigned *port) MUST_USE;

enum uri_fault {
	URI_OK,
	URI_NO_SLASH,                /* does not begin with "/" */
	URI_BAD_ESCAPE,              /* "%" without two hexadecimal digits */
	URI_BAD_BYTE,                /* a blank, control byte or NUL, written or escaped */
	URI_BACKSLASH,               /* "\" or %5C */
	URI_ENCODED_SLASH,           /* %2F */
	URI_DOT_SEGMENT,             /* "." or "..", also escaped and also before ";" */
	URI_FRAGMENT,                /* "#" in a request target */
	URI_FAULT__COUNT
};

/* The path of a request target ("/a/b", without the query). */
enum uri_fault uri_check_path(struct str path);
/* The query of a request target: escapes and bytes. STR_NULL is fine. */
enum uri_fault uri_check_query(struct str query);
/* One sentence for the client: "The path holds an encoded slash (%2F)". */
const char *uri_fault_text(enum uri_fault f);

/* ---- escapes (section 2.1) ----------------------------------------------------------------------------------------- */
enum uri_set {
	URI_KEEP_UNRESERVED,         /* for a value: all but A-Z a-z 0-9 - . _ ~ is escaped (Uri.EscapeDataString) */
	URI_KEEP_SEGMENT,            /* for a path segment: pchar stays (section 3.3) */
	URI_KEEP_PATH,               /* for a whole path: pchar and "/" stay */
	URI_KEEP_QUERY,              /* for a whole query: pchar, "/" and "?" stay */
	URI_KEEP_TEXT,               /* unreserved and !$()*,;@ stay, as .NET's UrlEncoder.Default has it */
};

/* Decodes into `out` (room for s.n bytes; out may be s.p itself). A broken escape stays as it is. Returns the length. */
size_t uri_decode_to(char *out, struct str s, bool plus_is_blank);
/* The text itself when nothing is escaped, else a copy in the arena. .p is NULL when out of memory. */
struct str uri_decode(struct arena *a, struct str s, bool plus_is_blank);
struct str uri_encode(struct arena *a, struct str s, enum uri_set keep);
bool uri_has_escape(struct str s);           /* "%" stands in it */

/* ---- queries ------------------------------------------------------------------------------------------------------- */
/* Cuts the next "name=value" off *rest (which starts as the query); both raw. "a" gives the value STR_NULL. Empty pieces
 * ("&&") are skipped. False at the end. */
bool uri_query_next(struct str *rest, struct str *name, struct str *value);
/* First value under the name (compared decoded, without ASCII case), raw. False: it is not there. */
bool uri_query_find(struct str query, struct str name, struct str *value);
/* The query without the parameters of that name: itself when there is none, STR_NULL when nothing is left.
 * False: out of memory. */
bool uri_query_remove(struct arena *a, struct str query, struct str name, struct str *out) MUST_USE;
/* Compares a raw (escaped) text with a plain one, without ASCII case. */
bool uri_eq_decoded_ci(struct str raw, struct str plain);
