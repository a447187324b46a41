/* page_file.h - pages of the portal as files: DIR/ID.md, and DIR/apis/API/ID.md for those of an API.
 *
 *     ---
 *     title: Getting started
 *     audience: everybody
 *     menu: true
 *     position: 1
 *     ---
 *     Text in Markdown …
 *
 * The head is YAML; without one the first heading is the title and the page is for everybody. */
#pragma once

#include "core/arena.h"
#include "db/pages.h"

/* "users", "group:partners"; false: it is none. */
bool page_audience(struct str text, struct store_portal_page *to);
struct str page_audience_text(struct arena *a, const struct store_portal_page *p);

GH_RC page_file_write(struct arena *a, const char *dir, const struct store_portal_page *p, struct gh_err *err);
/* The text of one file into *out, whose api_id and id are set already. `name` is for messages. */
GH_RC page_file_parse(struct arena *a, const char *name, struct str text, struct store_portal_page *out, struct gh_err *err);
GH_RC page_files_read(struct arena *a, const char *dir, struct store_portal_page **out, size_t *n, struct gh_err *err);
