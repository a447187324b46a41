#include "core/lang.h"
#include "core/liquid/internal.h"

/* Texts in the language of the reader: core/lang.h says how they look. What comes out is text and is escaped as such; markup
 * inside a sentence is put between its parts by the template. */

static GH_RC language(struct run *r, const struct args *args)
{
	if (!r->env->lang)
		FAIL_RUN(r, args->at, "there is no language to translate into");
	return GH_RC_OK;
}

/* The number that a text shows, "12,345" included: it decides about the form. */
static int64_t count_in(struct str s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s.n && n < INT64_MAX / 100; i++)
		if (ascii_is_digit(s.p[i]))
			n = n * 10 + (s.p[i] - '0');
	return n;
}

static GH_RC translate(struct run *r, struct liquid_value in, unsigned part, const struct args *args, unsigned from,
		       struct liquid_value *out)
{
	struct lang_value values[LANG_VALUES_MAX] = { { .count = 0 } };
	struct str text, done;
	size_t n = 0;

	TRY(language(r, args));
	TRY(arg_text(r, in, &text));
	for (unsigned i = from; i < args->n && n < LANG_VALUES_MAX; i++, n++) {
		if (args->v[i].kind == LIQUID_INT) {
			values[n] = lang_count(r->env->lang, r->a, args->v[i].i);
			continue;
		}
		TRY(arg_text(r, args->v[i], &values[n].text));
		values[n].count = count_in(values[n].text);
	}
	done = lang_text(r->env->lang, r->a, text, part, values, n);
	if (!done.p)
		NO_MEMORY(r->err);
	*out = liquid_of_text(done);
	return GH_RC_OK;
}

static GH_RC f_t(struct run *r, struct liquid_value in, const struct args *args, struct liquid_value *out)
{
	return translate(r, in, 0, args, 0, out);
}

static GH_RC f_t_part(struct run *r, struct liquid_value in, const struct args *args, struct liquid_value *out)
{
	int64_t part;

	TRY(arg_int(r, args, 0, &part));
	if (part < 1 || part > 16)
		FAIL_RUN(r, args->at, "t_part counts from 1 to 16");
	return translate(r, in, (unsigned)part, args, 1, out);
}

static GH_RC f_number(struct run *r, struct liquid_value in, const struct args *args, struct liquid_value *out)
{
	TRY(language(r, args));
	*out = in.kind == LIQUID_INT ? liquid_of_text(lang_number(r->env->lang, r->a, in.i)) : in;
	return GH_RC_OK;
}

const struct filter filters_lang[] = {
	{ "number", f_number, 0, 0, FILTER_LANG, NULL },
	{ "t", f_t, 0, LIQUID_MAX_ARGS, FILTER_LANG, NULL },
	{ "t_part", f_t_part, 1, LIQUID_MAX_ARGS, FILTER_LANG, NULL },
	{ NULL, NULL, 0, 0, 0, NULL },
};
