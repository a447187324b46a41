/* types.h - the objects behind .NET values that more than one file of this folder looks into. */
#pragma once

#include "policy/expr/class.h"
#include "policy/net/make.h"
#include "policy/net/out.h"

struct guid {
	struct object head;
	uint8_t bytes[16];           /* as ToByteArray() */
};
bool guid_format(struct out *o, const uint8_t bytes[16], struct str format);     /* false: no such format */
bool guid_value_format(struct out *o, struct value v, struct str format);
static inline const struct guid *value_guid(struct value v)
{
	return (const struct guid *)(const void *)v.object;
}

/* What is left of a StringReader, which is at its end then. False: v is none. */
bool string_reader_rest(struct value v, struct str *rest);
/* Writes to a StringWriter. False: v is none. */
bool string_writer_add(struct value writer, struct str text);

struct value encoding_utf16(void);       /* encoding.c */
struct value culture_invariant(void);    /* globalization.c */

extern struct value_class class_guid, class_uri;
