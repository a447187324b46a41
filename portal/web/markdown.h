/* markdown.h - descriptions written in Markdown (CommonMark with tables and strikethrough), as nodes for a template.
 *
 * Raw HTML in the text is shown as text, images become links, and addresses pass the `url` filter, so nothing that an API
 * description says can become script or load from another host. Headings are lowered to fit into a page.
 * The template web/markdown renders the list: {% include 'web/markdown', nodes: x.description %}. */
#pragma once

#include "core/liquid.h"

enum { WEB_MARKDOWN_MAX = 1 << 20, WEB_MARKDOWN_DEPTH = 24 };

/* A list of nodes in the arena of `a`; nil for an empty text. LIMIT for a text longer than WEB_MARKDOWN_MAX. Each node is
 * a record: kind ("p", "text", "code" …), text, href, level, children. */
GH_RC web_markdown(struct arena *a, struct str text, struct liquid_value *out, struct gh_err *err);

/* The first sentence of the first paragraph as plain text, for cards; at most a few hundred bytes, "" when there is none. */
enum { WEB_SUMMARY_MAX = 240 };
struct str web_markdown_summary(struct arena *a, struct str text);
