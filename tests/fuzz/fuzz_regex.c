/* A pattern (first line) translates and compiles or is refused with a reason; a match over the rest stays within the text. */
#include <stdlib.h>

#include "core/str.h"
#include "policy/net/regex_code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct str text = { (const char *)data, size }, pattern;
	const struct regex_code *r;
	struct gh_err err = { 0 };
	size_t *spans, end;
	bool fresh;

	end = str_find_char(text, '\n');
	pattern = str_first(text, end == SIZE_MAX ? text.n : end);
	text = end == SIZE_MAX ? STR("") : str_from(text, end + 1);
	if (pattern.n > 200 || !utf8_valid(text)) {
		arena_free(a);
		return 0;
	}
	r = regex_get(a, pattern, (unsigned)(size % 128), &fresh, &err);
	if (!r && !err.message[0])
		abort();
	if (r) {
		spans = arena_alloc(a, r->n_slots * 2, sizeof(*spans));
		if (spans && regex_match(r, text, r->options & REGEX_RIGHT_TO_LEFT ? text.n : 0, REGEX_MATCH_LIMIT, spans) == REGEX_MATCH)
			if (spans[0] > spans[1] || spans[1] > text.n)
				abort();
		for (unsigned g = 0; g < r->n_groups; g++)
			if (!r->groups[g].n || r->groups[g].slots[0] >= r->n_slots)
				abort();
	}
	arena_free(a);
	return 0;
}
