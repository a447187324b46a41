/* sfv.h - structured field values (RFC 8941): items, lists and dictionaries, as header fields such as Signature-Input,
 * Content-Digest and Priority carry them.
 *
 * A text is parsed strictly as the RFC says: any fault refuses the whole field. What is parsed lives in the arena and
 * borrows nothing. Writing gives the canonical form, so a parsed and written value is the one that signatures cover. */
#pragma once

#include "core/arena.h"
#include "core/buf.h"

enum {
	SFV_MEMBERS_MAX = 256,           /* of a list, an inner list or a dictionary */
	SFV_PARAMS_MAX = 64,             /* of one item */
	SFV_TEXT_MAX = 65536,            /* bytes of one field */
};

enum sfv_type { SFV_INTEGER, SFV_DECIMAL, SFV_STRING, SFV_TOKEN, SFV_BYTES, SFV_BOOLEAN, SFV_INNER_LIST };

struct sfv_bare {
	enum sfv_type type;
	int64_t number;                  /* INTEGER; DECIMAL in thousandths; BOOLEAN 0 or 1 */
	struct str text;                 /* STRING (unescaped), TOKEN, BYTES (decoded) */
};

struct sfv_param {
	struct str key;
	struct sfv_bare value;
};

struct sfv_item {
	struct str key;                  /* in a dictionary; STR_NULL elsewhere */
	struct sfv_bare bare;
	struct sfv_item *inner;          /* INNER_LIST: its items */
	size_t n_inner;
	struct sfv_param *params;        /* in the order of their first appearance; the last value of a key counts */
	size_t n_params;
};

struct sfv_list {
	struct sfv_item *v;
	size_t n;
};

/* False: malformed, past a limit, or out of memory. An empty field is an empty list or dictionary, but no item. */
bool sfv_parse_item(struct arena *a, struct str text, struct sfv_item *out) MUST_USE;
bool sfv_parse_list(struct arena *a, struct str text, struct sfv_list *out) MUST_USE;
bool sfv_parse_dictionary(struct arena *a, struct str text, struct sfv_list *out) MUST_USE;

const struct sfv_item *sfv_get(const struct sfv_list *dictionary, struct str key);       /* NULL: not there */
const struct sfv_bare *sfv_param_get(const struct sfv_item *item, struct str key);       /* NULL: not there */

/* Canonical text (section 4.1). A key, string or token that cannot be written makes the buffer fail. */
void sfv_write_bare(struct buf *b, const struct sfv_bare *v);
void sfv_write_item(struct buf *b, const struct sfv_item *item);         /* with inner list and parameters */
void sfv_write_list(struct buf *b, const struct sfv_list *l);
void sfv_write_dictionary(struct buf *b, const struct sfv_list *l);
