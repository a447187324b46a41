/* body_text.h - policies that change the text of a body. */
#pragma once

#include "policy/element.h"

enum { BODY_TEXT_MAX = 64 * 1024 * 1024 };

/* Puts a new body in place of the held one: lengths and encodings are made anew. */
void body_replace(struct exchange *x, struct str bytes);
/* The body's Content-Type without parameters, or STR_NULL. */
struct str content_type_of(const struct fields *headers);
/* "application/json", "text/json" and everything that ends in "+json"; the same for XML. */
bool is_json_type(struct str type);
bool is_xml_type(struct str type);
/* All places of `from` replaced. STR_NULL: larger than BODY_TEXT_MAX or out of memory. *n: how many. */
struct str text_replace(struct arena *a, struct str text, struct str from, struct str to, size_t *n);
