/* lang.h - the texts of pages and mails in the language of whoever reads them.
 *
 * The English text stands where it is used, in a template or in C, and is its own key: {{ 'Sign in' | t }}. A catalogue
 * (templates/lang/de.yaml) says what it is in another language. A text that a catalogue lacks is shown in English. So a page
 * can be read as it stands, and one that is new works before it is translated.
 *
 *     Hello {1}, you have {2} keys          values by number, so that a language may order them differently
 *     {1} call a day || {1} calls a day     forms by the number that {1} is; how many forms, says the language's `plural`
 *     Read |the terms| first                parts: the page puts its markup between them and takes one at a time
 *
 * A theme may replace texts of a language, English ones too, or add a language.
 * Loaded once, then only read; may be used by any number of threads. */
#pragma once

#include "core/json.h"
#include "core/theme.h"

enum { LANG_MAX = 40, LANG_CODE_MAX = 16, LANG_VALUES_MAX = 8 };

struct langs;
struct lang;

struct lang_value {
	struct str text;
	int64_t count;                   /* decides about the form when it is the first value */
};
#define LANG_STR(s) ((struct lang_value){ .text = (s), .count = 0 })

/* All catalogues. English must be there. A catalogue of the theme that cannot be used is told to theme->problem and left out. */
GH_RC langs_load(struct arena *a, const struct theme *theme, const struct langs **out, struct gh_err *err);
/* One catalogue's text, checked: for `gatehouse theme check` and tests. INVALID says what is wrong with it. */
GH_RC lang_check(struct arena *a, struct str yaml, struct gh_err *err);

size_t langs_count(const struct langs *l);
const struct lang *langs_at(const struct langs *l, size_t i);            /* by code */
const struct lang *langs_find(const struct langs *l, struct str code);   /* "de"; NULL: there is none */
const struct lang *langs_english(const struct langs *l);
/* What an Accept-Language header (RFC 9110 section 12.5.4) asks for, "de-CH" being answered by "de"; NULL: none of ours. */
const struct lang *langs_accept(const struct langs *l, struct str header);

struct str lang_code(const struct lang *l);      /* "de", for the lang attribute */
struct str lang_name(const struct lang *l);      /* in itself: "Deutsch" */

/* The text for an English one. part: 1 for what stands before the first '|', and so on; 0 for all of it. STR_NULL: no memory. */
struct str lang_text(const struct lang *l, struct arena *a, struct str english, unsigned part, const struct lang_value *values,
		     size_t n);
/* A number as a value, and as text: "12,345", "12.345". */
struct lang_value lang_count(const struct lang *l, struct arena *a, int64_t n);
struct str lang_number(const struct lang *l, struct arena *a, int64_t n);
struct str lang_decimal(const struct lang *l, struct arena *a, double v, unsigned digits);       /* "0.25", "0,25" */

/* Dates as pages write them. offset_s: of the zone, in seconds east; zone: its name behind the time, or empty. 0 us: STR_NULL. */
struct str lang_date(const struct lang *l, struct arena *a, int64_t us, int64_t offset_s);
struct str lang_time(const struct lang *l, struct arena *a, int64_t us, int64_t offset_s, struct str zone);
struct str lang_ago(const struct lang *l, struct arena *a, int64_t us, int64_t now_us);
