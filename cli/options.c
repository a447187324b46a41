#include "cli/options.h"

#include "core/str.h"
#include "core/suggest.h"


struct parse {
	struct options *o;
	const struct option *table, *common;
	int argc, at;
	char **argv;
};

static const struct option *find_in(const struct option *table, struct str name)
{
	for (; table && table->name; table++)
		if (str_eq(str_of(table->name), name))
			return table;
	return NULL;
}

/* word: with its dashes, without "=value" */
static gh_rc unknown(const struct parse *p, struct str word, struct str name, struct gh_err *err)
{
	const char *names[OPTIONS_MAX * 2 + 2], *near;
	size_t n = 0;

	for (const struct option *t = p->table; t && t->name && n < OPTIONS_MAX; t++)
		names[n++] = t->name;
	for (const struct option *t = p->common; t && t->name && n < 2 * OPTIONS_MAX; t++)
		names[n++] = t->name;
	names[n++] = "help";
	names[n] = NULL;
	near = suggest(name, names);
	if (near)
		FAIL(err, SYNTAX, "unknown option %.*s; did you mean %s%s?", STR_ARG(str_first(word, 80)),
		     near[1] ? "--" : "-", near);
	FAIL(err, SYNTAX, "unknown option %.*s", STR_ARG(str_first(word, 80)));
}

bool option_takes(struct str choices, const char *text)
{
	struct str part;

	if (str_find_char(choices, '|') == SIZE_MAX || ascii_upper(choices.p[0]) == choices.p[0])
		return true;
	while (str_split(&choices, '|', &part))
		if (str_eq(part, str_of(text)))
			return true;
	return false;
}

static gh_rc check_choice(const struct option *t, const char *text, struct gh_err *err)
{
	if (!t->value || option_takes(str_of(t->value), text))
		return GH_RC_OK;
	FAIL(err, SYNTAX, "--%s takes %s, not '%.80s'", t->name, t->value, text);
}

static gh_rc add_value(struct parse *p, const struct option *t, const char *text, struct gh_err *err)
{
	struct option_value *v;

	if (p->o->n == OPTION_VALUES_MAX)
		FAIL(err, SYNTAX, "too many options");
	for (size_t i = 0; i < p->o->n && t->kind != OPTION_MANY; i++)
		if (p->o->v[i].option == t)
			FAIL(err, SYNTAX, "--%s is given twice", t->name);
	v = &p->o->v[p->o->n];
	*v = (struct option_value){ .option = t, .text = text };
	if (t->kind == OPTION_INT && !str_to_i64(str_of(text), 0, INT64_MAX, &v->number))
		FAIL(err, SYNTAX, "--%s takes a number, not '%.80s'", t->name, text);
	if (text)
		TRY(check_choice(t, text, err));
	p->o->n++;
	return GH_RC_OK;
}

static gh_rc one_option(struct parse *p, const char *word, struct gh_err *err)
{
	struct str name = str_of(word + (word[1] == '-' ? 2 : 1));
	size_t equals = str_find_char(name, '=');
	const char *text = equals == SIZE_MAX ? NULL : name.p + equals + 1;
	const struct option *t;

	name = str_first(name, equals == SIZE_MAX ? name.n : equals);
	if (str_eq(name, STR("help")) || str_eq(name, STR("h"))) {
		p->o->help = true;
		return GH_RC_OK;
	}
	t = find_in(p->table, name);
	if (!t)
		t = find_in(p->common, name);
	if (!t || (name.n > 1) != (word[1] == '-'))
		return unknown(p, (struct str){ word, (size_t)(name.p + name.n - word) }, name, err);
	if (t->kind == OPTION_FLAG && text)
		FAIL(err, SYNTAX, "--%s takes no value", t->name);
	if (t->kind != OPTION_FLAG && !text) {
		if (p->at + 1 >= p->argc)
			FAIL(err, SYNTAX, "--%s needs a value: %s", t->name, t->value ? t->value : "VALUE");
		text = p->argv[++p->at];
	}
	return add_value(p, t, text, err);
}

static gh_rc check_required(const struct parse *p, struct gh_err *err)
{
	for (const struct option *t = p->table; t && t->name; t++) {
		bool given = false;

		for (size_t i = 0; i < p->o->n; i++)
			given |= p->o->v[i].option == t;
		if (t->required && !given)
			FAIL(err, SYNTAX, "--%s %s is needed", t->name, t->value ? t->value : "VALUE");
	}
	return GH_RC_OK;
}

GH_RC options_parse(struct options *o, struct arena *a, const struct option *table, const struct option *common, int argc,
		    char **argv, struct gh_err *err)
{
	struct parse p = { .o = o, .table = table, .common = common, .argc = argc, .argv = argv };
	bool ended = false;

	*o = (struct options){ .n = 0 };
	o->args = arena_alloc(a, (size_t)argc + 1, sizeof(*o->args));
	if (!o->args)
		FAIL(err, NOMEM, "%d arguments", argc);
	for (; p.at < argc; p.at++) {
		const char *word = argv[p.at];

		if (!ended && strcmp(word, "--") == 0)
			ended = true;
		else if (!ended && word[0] == '-' && word[1])    /* "-" alone is standard input */
			TRY(one_option(&p, word, err));
		else
			o->args[o->n_args++] = word;
	}
	return o->help ? GH_RC_OK : check_required(&p, err);
}

static const struct option_value *value_of(const struct options *o, const char *name, size_t i)
{
	for (size_t k = 0; k < o->n; k++)
		if (strcmp(o->v[k].option->name, name) == 0 && i-- == 0)
			return &o->v[k];
	return NULL;
}

const char *option_text(const struct options *o, const char *name)
{
	return option_nth(o, name, 0);
}

const char *option_text_or(const struct options *o, const char *name, const char *otherwise)
{
	const char *text = option_nth(o, name, 0);

	return text ? text : otherwise;
}

int64_t option_int(const struct options *o, const char *name, int64_t otherwise)
{
	const struct option_value *v = value_of(o, name, 0);

	return v ? v->number : otherwise;
}

bool option_flag(const struct options *o, const char *name)
{
	return value_of(o, name, 0) != NULL;
}

const char *option_nth(const struct options *o, const char *name, size_t i)
{
	const struct option_value *v = value_of(o, name, i);

	return v ? v->text : NULL;
}
