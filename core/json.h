/* json.h - what jansson leaves open: bounded reading with a place in every error, numbers printed as short as they read
 * back, JSON Pointer, and lookups that answer "nothing" instead of needing a type check each.
 *
 * Values are jansson's json_t, counted by reference; where a function here hands one out, the comment says whether the
 * caller owns it. A json_t may be read by several threads only while nobody takes or gives back references to it
 * (jansson's counters are atomic in Debian's build; its hash tables are not). */
#pragma once

#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"

#include <jansson.h>

/* Where in a text something stands; both count from 1, the column in bytes. 0 is "not known". */
struct text_where {
	unsigned line, column;
};

enum {
	JSN_UNIQUE_KEYS = 1,         /* a name that stands twice in one object is an error; else the last one counts */
	JSN_BIG_INTEGERS = 2,        /* integers past 64 bits become reals; without it they refuse the document */
	JSN_NUL = 4,                 /* \u0000 in text is allowed (then mind json_string_length) */
	JSN_ANY = 8,                 /* a lone number, text, true, false or null is a document too */
};

struct jsn_limits {
	size_t max_bytes;            /* 0: JSN_MAX_BYTES */
	unsigned max_depth;          /* nested objects and arrays; 0: JSN_MAX_DEPTH; more than 2048 is cut to 2048 */
	unsigned flags;              /* JSN_* */
};

#define JSN_MAX_BYTES ((size_t)64 << 20)
#define JSN_MAX_DEPTH 512u

/* Parses one whole document (RFC 8259). *out is owned by the caller (json_decref). On failure *out is NULL, *where (when
 * not NULL) has the place and err->message says what is wrong without the place. LIMIT: too large or too deep.
 * With JSN_BIG_INTEGERS a document with an integer past 64 bits is read with its integers past 2^53 as (rounded) reals. */
GH_RC jsn_parse(struct str text, const struct jsn_limits *limits, json_t **out, struct text_where *where,
		struct gh_err *err);

/* The same, freed with the arena. */
GH_RC jsn_parse_in(struct arena *a, struct str text, const struct jsn_limits *limits, json_t **out,
		   struct text_where *where, struct gh_err *err);
/* Hands a reference to the arena, which gives it back at its end. Returns v; NULL (and v released) when out of memory. */
json_t *jsn_keep(struct arena *a, json_t *v);

/* ---- writing ------------------------------------------------------------------------------------------------------- */

enum {
	JSN_INDENT = 1,              /* two blanks a level, "name": value */
	JSN_SORTED = 2,              /* names in byte order instead of the order of insertion */
	JSN_ASCII = 4,               /* everything past ASCII as \uXXXX */
};

/* Numbers are the shortest decimal text that reads back to the same value; a real always shows that it is one ("1.0").
 * A failed buffer (its maximum) stops the writing; ask buf_ok. */
void jsn_write(struct buf *b, const json_t *v, unsigned flags);
/* The text in the arena; STR_NULL when out of memory or past the arena's cap. NULL gives "null". */
struct str jsn_text(struct arena *a, const json_t *v, unsigned flags);

#define JSN_NUMBER_MAX 32
/* Shortest round-trip text of a finite double, zero-terminated; always with a dot or exponent. Returns its length. */
size_t jsn_number(double d, char out[JSN_NUMBER_MAX]);

/* ---- looking things up; obj may be NULL or of any type, then the answer is "nothing" -------------------------------- */

json_t *jsn_get(const json_t *obj, const char *name);                    /* borrowed; NULL when absent */
json_t *jsn_get_n(const json_t *obj, struct str name);
struct str jsn_str(const json_t *obj, const char *name);                 /* borrowed; STR_NULL unless a string */
struct str jsn_string(const json_t *v);                                  /* of the value itself */
json_t *jsn_obj(const json_t *obj, const char *name);                    /* NULL unless an object */
json_t *jsn_arr(const json_t *obj, const char *name);                    /* NULL unless an array */
bool jsn_bool(const json_t *obj, const char *name, bool otherwise);
int64_t jsn_int(const json_t *obj, const char *name, int64_t otherwise); /* integers only */
const char *jsn_type_name(const json_t *v);                              /* "object", "integer", … as JSON Schema says */

/* JSON Pointer (RFC 6901): "", "/a/0/b~1c". Borrowed; NULL when nothing stands there or the pointer is malformed. */
json_t *jsn_pointer(const json_t *root, struct str pointer);
/* The pointer of a URI fragment (RFC 6901 section 6), given without its '#': percent-escapes are undone first. */
json_t *jsn_fragment(const json_t *root, struct str fragment);
/* Where the value at a pointer stands in the text that it was parsed from, as .NET's readers tell it: the line, and how
 * many characters of that line had been read when the value was (an object or list: when it began). False: nothing
 * stands there. */
bool jsn_locate(struct arena *a, struct str text, struct str pointer, struct text_where *out) MUST_USE;
/* A new value: target with the JSON Merge Patch (RFC 7396) laid over it. Neither is changed. NULL when out of memory. */
json_t *jsn_merge_patch(const json_t *target, const json_t *patch);
/* Appends "/name" with ~ and / escaped. */
void jsn_pointer_add(struct buf *pointer, struct str name);
/* Undoes ~0, ~1 (and percent-escapes when `fragment`) of one reference token in place; returns its new length, or
 * SIZE_MAX when it is malformed. */
size_t jsn_pointer_unescape(char *token, size_t n, bool fragment);
