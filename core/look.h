/* look.h - how the portal looks, as it can be set without files: a JSON object, all members optional.
 *
 *   { "name": "Orders API",
 *     "colours": { "accent": ["#0b6b53", "#4fc9a4"], … },              light and dark; names: core/colour.h
 *     "texts": { "en": { "headline": "…", "lead": "…" }, "de": … },    of the front page
 *     "menu": [ { "label": "Status", "address": "https://status.example.com/" } ] }
 *
 * Checked by one function, for the dashboard, the management API, configuration files and `gatehouse theme import`. */
#pragma once

#include "core/colour.h"
#include "core/json.h"
#include "core/theme.h"

enum { LOOK_NAME_MAX = 80, LOOK_TEXT_MAX = 400, LOOK_MENU_MAX = 8, LOOK_LABEL_MAX = 40, LOOK_ADDRESS_MAX = 500, LOOK_BYTES_MAX = 64 * 1024,
       LOOK_LOGO_MAX = 256 * 1024, LOOK_LANGUAGES_MAX = 32, LOOK_LANGUAGE_MAX = 16 };

/* One thing that is wrong: `where` is "colours.accent", "menu.2.address" … */
typedef void look_tell(void *ctx, const char *where, const char *what);
/* The colours that the pages have without being told otherwise: those of the theme's style sheet, else of the shipped one. */
GH_RC look_shipped(const struct theme *t, struct arena *a, struct colours *out, struct gh_err *err);
/* Returns how much is wrong; 0: it may be used. `shipped` are the colours of www/gatehouse.css. */
unsigned look_check(const json_t *look, const struct colours *shipped, look_tell *tell, void *ctx);

/* An address for a menu: http, https or a path of this server. */
bool look_address_ok(struct str s);
/* The kind of a picture by its first bytes: "image/png", "image/jpeg", "image/webp"; STR_NULL for anything else. */
struct str look_picture_type(struct str bytes);
/* Why these bytes cannot be the logo, as a sentence; NULL: they can. */
const char *look_picture_wrong(struct str bytes);
/* The style sheet that puts the look's colours over the shipped ones; empty when it has none. */
struct str look_css(struct arena *a, const json_t *look);
