/* format.h - composite formatting: string.Format, StringBuilder.AppendFormat and interpolated strings. */
#pragma once

#include "policy/expr/class.h"
#include "policy/net/out.h"

enum { FORMAT_ALIGNMENT_MAX = 1000000 };         /* .NET's own limit of {0,n} */

/* One item, "{v,alignment:format}": alignment < 0 pads on the right; an empty format is none. False: threw. */
bool format_item(struct vm_call *c, struct out *o, struct value v, int64_t alignment, struct str format);
/* A whole format text with its arguments. False: threw. */
bool format_composite(struct vm_call *c, struct out *o, struct str format, const struct value *args, size_t n);

/* ToString(format) of types that have one; others ignore the format. False: the format is invalid for the type. */
bool value_format(struct arena *a, struct out *o, struct value v, struct str format);
