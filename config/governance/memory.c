#include "config/governance/memory.h"

#include "core/clock.h"
#include "core/str.h"

#include <stdio.h>

#define REPORT_BYTES ((size_t)512 << 20)

static bool holds(const struct governance_memory *m, const struct store *s, uint64_t generation)
{
	return m->arena && m->generation == generation && strcmp(m->dir, store_dir(s)) == 0 && (!m->until_us || clock_wall_us() < m->until_us);
}

GH_RC governance_remembered(struct governance_memory *m, struct store *s, const struct governance_report **out, struct gh_err *err)
{
	const struct governance_query all = { .now_us = clock_wall_us() };
	uint64_t generation[GENFILE__COUNT];

	*out = &m->report;
	TRY(store_generation(s, generation, err));
	if (holds(m, s, generation[GENFILE_CONFIG]))
		return GH_RC_OK;
	arena_free(m->arena);
	m->arena = arena_new(REPORT_BYTES);
	m->generation = UINT64_MAX;              /* of nothing, should what follows fail */
	if (!m->arena)
		FAIL(err, NOMEM, "report");
	TRY(governance_report(s, m->arena, &all, &m->report, err));
	m->until_us = 0;
	for (size_t i = 0; i < m->report.n_exceptions; i++) {
		const struct governance_exception *e = &m->report.exceptions[i];

		if (!e->over && (!m->until_us || e->row.ends_us < m->until_us))
			m->until_us = e->row.ends_us;
	}
	snprintf(m->dir, sizeof(m->dir), "%s", store_dir(s));
	m->generation = generation[GENFILE_CONFIG];
	return GH_RC_OK;
}
