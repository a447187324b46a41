/* colour.h - colours of a style sheet and how well they can be told apart (WCAG 2.2, success criterion 1.4.3).
 *
 * The colours of the pages are tokens at the head of www/gatehouse.css: `--text: light-dark(#16201c, #e6ecea);`, one for each
 * scheme. What may be changed from outside is the table below, and each pair that a page writes with has to keep its contrast. */
#pragma once

#include "core/arena.h"
#include "core/error.h"

enum colour_token { COLOUR_ACCENT, COLOUR_ON_ACCENT, COLOUR_CANVAS, COLOUR_SURFACE, COLOUR_TEXT, COLOUR_TEXT_SOFT, COLOUR__COUNT };
extern const char *const colour_names[];         /* "accent", ..., as in the style sheet; ends with NULL */

struct colour {
	uint8_t r, g, b;
};
struct colours {
	struct colour v[COLOUR__COUNT][2];       /* light, dark */
};

enum { COLOUR_TEXT_MAX = 8 };

bool colour_parse(struct str s, struct colour *out);     /* "#16201c" or "#fff" */
const char *colour_text(struct colour c, char out[COLOUR_TEXT_MAX]);
double colour_contrast(struct colour a, struct colour b);        /* 1 to 21 */

/* The tokens that the sheet sets are put into *out; the others stay as they are. INVALID for one that is no pair of colours. */
GH_RC colours_of_css(struct str css, struct colours *out, struct gh_err *err);

/* Each pair with less than 4.5 : 1 is told; returns how many. */
unsigned colours_check(const struct colours *c, void (*tell)(void *ctx, const char *what), void *ctx);
