/* URL templates. The input is lines: "METHOD template" up to an empty line, then "METHOD path?query" lines. Properties: the set
 * finds a template if and only if one of its templates with that method matches by itself, and what it finds does match;
 * values belong to parameters of the template; a path made from a template with its values is found again. */
#include "core/uritemplate.h"

#include <stdlib.h>

#define MUST(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

enum { TEMPLATES = 32 };

struct entry {
	struct str method;
	const struct uritemplate *t;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_line(struct str *rest, struct str *method, struct str *text)
{
	struct str line;
	size_t blank;

	if (!str_split(rest, '\n', &line) || !line.n)
		return false;
	blank = str_find_char(line, ' ');
	*method = blank == SIZE_MAX ? STR("GET") : str_first(line, blank);
	*text = blank == SIZE_MAX ? line : str_from(line, blank + 1);
	return true;
}

static void check_values(const struct uritemplate *t, const struct uritemplate_values *v)
{
	MUST(v->n <= uritemplate_params(t));
	for (size_t i = 0; i < v->n; i++) {
		bool known = false;

		for (size_t k = 0; k < uritemplate_params(t); k++)
			known |= str_eq(v->v[i].name, uritemplate_param(t, k));
		MUST(known && v->v[i].value.p);
	}
}

static void check_path(struct arena *a, const struct uritemplate_set *set, const struct entry *entries, size_t n, struct str method,
		       struct str target)
{
	size_t question = str_find_char(target, '?');
	struct str path = str_first(target, question), query = question == SIZE_MAX ? STR_NULL : str_from(target, question + 1);
	struct uritemplate_values values;
	bool any = false, other;
	struct entry *found = uritemplate_set_find(set, a, method, path, query, &values, &other);

	for (size_t i = 0; i < n; i++)
		if (str_eq(entries[i].method, method) || str_eq(entries[i].method, STR("*")))
			any |= uritemplate_match(entries[i].t, a, path, query, NULL);
	MUST(any == (found != NULL));
	if (!found)
		return;
	MUST(str_eq(found->method, method) || str_eq(found->method, STR("*")));
	MUST(uritemplate_match(found->t, a, path, query, NULL));
	check_values(found->t, &values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, method, text;
	struct entry entries[TEMPLATES];
	struct arena *a = size <= 4096 ? arena_new(1 << 22) : NULL;
	struct uritemplate_set *set = a ? uritemplate_set_new(a) : NULL;
	size_t n = 0;

	while (set && read_line(&rest, &method, &text)) {
		struct entry *e = &entries[n];

		if (n == TEMPLATES || uritemplate_parse(a, text, &e->t, NULL).code)
			continue;
		e->method = method;
		if (uritemplate_set_add(set, e->t, method, e, NULL, NULL).code)
			break;
		n++;
	}
	while (set && read_line(&rest, &method, &text))
		check_path(a, set, entries, n, method, text);
	arena_free(a);
	return 0;
}
