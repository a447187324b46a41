/* A ruleset that can be read runs over any description within its bounds; each finding's pointer leads into the description. The input is
 * the ruleset, and behind a line of `---` the description. */
#include <stdlib.h>

#include "config/governance/rule.h"
#include "core/str.h"

static void run(struct arena *a, const struct governance_ruleset *set, const struct governance_subject *d)
{
	json_t *whole = jsn_keep(a, governance_json(d->root));
	struct governance_hit *hits;
	struct gh_err err = { 0 };
	bool more;
	size_t n;

	for (size_t i = 0; i < set->n; i++) {
		if (governance_run(a, &set->rules[i], d, &hits, &n, &more, &err).code)
			return;                          /* out of memory */
		if (n > GOVERNANCE_OF_RULE_MAX)
			abort();
		for (size_t k = 0; k < n; k++)
			if (whole && !jsn_pointer(whole, hits[k].pointer))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str line = STR_INIT("\n---\n");
	struct str input = { (const char *)data, size };
	size_t at = str_find(input, line);
	struct str description = at == SIZE_MAX ? STR("{}") : str_from(input, at + line.n);
	struct arena *a = arena_new(256 << 20);
	struct governance_ruleset set;
	struct governance_subject d;
	struct text_where where;
	struct gh_err err = { 0 };

	if (governance_ruleset_read(a, STR("fuzz"), str_first(input, at), &set, &where, &err).code) {
		if (!err.message[0])
			abort();
	} else if (!governance_description(a, description, &d, &err).code) {
		run(a, &set, &d);
	}
	arena_free(a);
	return 0;
}
