/* yaml.h - YAML 1.2 (core schema) to and from jansson values.
 *
 * One document per text. Aliases share the value they name, so a document stays as large in memory as it was written; a
 * walk over it does not, hence the cap on nodes counted with every alias expanded. The merge key `<<` of YAML 1.1 is
 * understood, because descriptions use it. Tags other than those of the core schema and names that are no scalars are
 * errors; NaN and infinities are texts, as JSON has no such number. A name that is a number, boolean or null (`200:`,
 * `on:`) is its own text. */
#pragma once

#include "core/json.h"

struct yaml_limits {
	size_t max_bytes;            /* of text; 0: JSN_MAX_BYTES */
	size_t max_nodes;            /* with aliases expanded; 0: YAML_MAX_NODES */
	unsigned max_depth;          /* 0: YAML_MAX_DEPTH */
};

#define YAML_MAX_NODES ((size_t)8 << 20)
#define YAML_MAX_DEPTH 256u

/* *out is owned by the caller. On failure *out is NULL, *where has the place and err->message what is wrong. Duplicate
 * names in one mapping are refused. An empty document is null. Values that an alias shares appear in several places:
 * treat the result as read-only. */
GH_RC yaml_parse(struct str text, const struct yaml_limits *limits, json_t **out, struct text_where *where,
		 struct gh_err *err);

/* Block style, names in their order of insertion, texts plain where that reads back as the same text, literal blocks for
 * texts of several lines. Equal values give equal bytes. Ends with a line feed. */
GH_RC yaml_write(struct buf *out, const json_t *v, struct gh_err *err);

/* JSON or YAML, by the first character that is no blank: '{' or '[' is tried as JSON first, everything else is YAML.
 * JSON is read with JSN_BIG_INTEGERS. A UTF-8 byte order mark is skipped. */
GH_RC yaml_or_json_parse(struct str text, size_t max_bytes, json_t **out, struct text_where *where, struct gh_err *err);

/* The place of the value that a JSON Pointer names in a JSON or YAML text; {0, 0} when it is not there. Reads the text
 * again: for messages about one place, not for loops. */
struct text_where yaml_locate(struct str text, struct str pointer);
