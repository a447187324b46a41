/* highlight.h - XML cut into words with a kind each, so that a template can colour them. */
#pragma once

#include "core/liquid.h"

enum { WEB_HIGHLIGHT_MAX = 256 * 1024 };

/* A list of records {kind, text} whose texts together are `xml` byte for byte. Kinds: "tag", "attr", "value", "expr"
 * (a value or text that is a policy expression), "comment", "text". It need not be well-formed. Longer input than
 * WEB_HIGHLIGHT_MAX comes back as one "text". */
struct liquid_value web_highlight_xml(struct arena *a, struct str xml);
