/* policy_xml.h - an element of a policy document as text, and into the document, with the indentation of its place. */
#pragma once

#include "core/buf.h"
#include "core/error.h"
#include "policy/document.h"

struct xml_out {                         /* lines begin with one tab for each level; made again for the place */
	struct buf b;
	unsigned depth;
	bool open, texted;               /* the start tag is not ended; the element holds text */
};
void xml_out_init(struct xml_out *x, struct arena *a);
void xml_out_release(struct xml_out *x);
void xml_begin(struct xml_out *x, const char *name);
void xml_attribute(struct xml_out *x, const char *name, struct str value);       /* an expression is written as it is */
void xml_text(struct xml_out *x, struct str text);
void xml_end(struct xml_out *x, const char *name);

/* The document with the element at the end of the section ("inbound"), which is made when there is none; or in place of another. */
GH_RC xml_insert(struct arena *a, const struct document *d, const char *section, const struct xml_out *x, struct str *out, struct gh_err *err);
GH_RC xml_replace(struct arena *a, const struct document *d, const struct doc_node *n, const struct xml_out *x, struct str *out,
		  struct gh_err *err);
