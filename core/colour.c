#include "core/colour.h"

#include "core/str.h"

#include <math.h>
#include <stdio.h>

#define AA 4.5                           /* of normal text against what is behind it */
#define SOFT_SHARE 0.14                  /* of the accent in --accent-soft, see core/look.c */

const char *const colour_names[] = { "accent", "on-accent", "canvas", "surface", "text", "text-soft", NULL };
static const char *const scheme_names[] = { "light", "dark" };

static int digit(char c)
{
	c = ascii_lower(c);
	return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool colour_parse(struct str s, struct colour *out)
{
	uint8_t v[6];

	if ((s.n != 7 && s.n != 4) || s.p[0] != '#')
		return false;
	for (size_t i = 0; i < 6; i++) {
		int d = digit(s.p[s.n == 7 ? i + 1 : i / 2 + 1]);

		if (d < 0)
			return false;
		v[i] = (uint8_t)d;
	}
	*out = (struct colour){ (uint8_t)(v[0] << 4 | v[1]), (uint8_t)(v[2] << 4 | v[3]), (uint8_t)(v[4] << 4 | v[5]) };
	return true;
}

const char *colour_text(struct colour c, char out[COLOUR_TEXT_MAX])
{
	snprintf(out, COLOUR_TEXT_MAX, "#%02x%02x%02x", c.r, c.g, c.b);
	return out;
}

static double channel(uint8_t v)
{
	double c = v / 255.0;

	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(struct colour c)
{
	return 0.2126 * channel(c.r) + 0.7152 * channel(c.g) + 0.0722 * channel(c.b);
}

double colour_contrast(struct colour a, struct colour b)
{
	double x = luminance(a), y = luminance(b);

	return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

static struct str next_argument(struct str *rest)
{
	size_t at = 0;

	while (at < rest->n && rest->p[at] != ',' && rest->p[at] != ')')
		at++;
	struct str one = str_trim(str_first(*rest, at));

	*rest = str_from(*rest, at + 1);
	return one;
}

gh_rc colours_of_css(struct str css, struct colours *out, struct gh_err *err)
{
	for (size_t i = 0; i < COLOUR__COUNT; i++) {
		char name[40];
		struct str rest, one;
		size_t at;

		snprintf(name, sizeof(name), "--%s:", colour_names[i]);
		at = str_find(css, str_of(name));
		if (at == SIZE_MAX)
			continue;
		rest = str_from(css, at + strlen(name));
		rest = str_trim(str_first(rest, str_find_char(rest, ';')));
		if (str_starts(rest, STR("light-dark(")))
			rest = str_from(rest, strlen("light-dark("));
		one = next_argument(&rest);
		if (!colour_parse(one, &out->v[i][0]))
			FAIL(err, INVALID, "--%s: '%.*s' is no colour like #0b6b53", colour_names[i], STR_ARG(str_first(one, 40)));
		out->v[i][1] = out->v[i][0];
		one = next_argument(&rest);
		if (one.n && !colour_parse(one, &out->v[i][1]))
			FAIL(err, INVALID, "--%s: '%.*s' is no colour like #0b6b53", colour_names[i], STR_ARG(str_first(one, 40)));
	}
	return GH_RC_OK;
}

static struct colour mix(struct colour a, struct colour b, double share)
{
	return (struct colour){ (uint8_t)(a.r * share + b.r * (1 - share)), (uint8_t)(a.g * share + b.g * (1 - share)),
				(uint8_t)(a.b * share + b.b * (1 - share)) };
}

unsigned colours_check(const struct colours *c, void (*tell)(void *ctx, const char *what), void *ctx)
{
	static const enum colour_token pairs[][2] = {
		{ COLOUR_TEXT, COLOUR_CANVAS },      { COLOUR_TEXT, COLOUR_SURFACE },   { COLOUR_TEXT_SOFT, COLOUR_CANVAS },
		{ COLOUR_TEXT_SOFT, COLOUR_SURFACE }, { COLOUR_ACCENT, COLOUR_CANVAS }, { COLOUR_ACCENT, COLOUR_SURFACE },
		{ COLOUR_ON_ACCENT, COLOUR_ACCENT },
	};
	unsigned bad = 0;
	char what[200];

	for (size_t k = 0; k < 2; k++) {
		struct colour soft = mix(c->v[COLOUR_ACCENT][k], c->v[COLOUR_SURFACE][k], SOFT_SHARE);
		double ratio = colour_contrast(c->v[COLOUR_ACCENT][k], soft);

		for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
			double r = colour_contrast(c->v[pairs[i][0]][k], c->v[pairs[i][1]][k]);

			if (r >= AA)
				continue;
			snprintf(what, sizeof(what), "%s on %s (%s): contrast %.2f, needs 4.5", colour_names[pairs[i][0]],
				 colour_names[pairs[i][1]], scheme_names[k], r);
			tell(ctx, what);
			bad++;
		}
		if (ratio >= AA)
			continue;
		snprintf(what, sizeof(what), "accent on its own tint (%s): contrast %.2f, needs 4.5", scheme_names[k], ratio);
		tell(ctx, what);
		bad++;
	}
	return bad;
}
