#include "core/suggest.h"

#include "core/str.h"

enum { NAME_MAX_BYTES = 63, COST_OTHER = 4, COST_CASE = 1 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned change_cost(char a, char b)
{
	return a == b ? 0 : ascii_lower(a) == ascii_lower(b) ? COST_CASE : COST_OTHER;
}

/* Optimal string alignment distance over three rows. */
static unsigned distance(struct str a, struct str b)
{
	unsigned rows[3][NAME_MAX_BYTES + 1];

	for (unsigned j = 0; j <= b.n; j++)
		rows[0][j] = j * COST_OTHER;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];

		now[0] = i * COST_OTHER;
		for (unsigned j = 1; j <= b.n; j++) {
			now[j] = least(least(before[j], now[j - 1]) + COST_OTHER,
				       before[j - 1] + change_cost(a.p[i - 1], b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				now[j] = least(now[j], two_before[j - 2] + COST_OTHER);
		}
	}
	return rows[a.n % 3][b.n];
}

const char *suggest(struct str wrong, const char *const *names)
{
	const char *best = NULL;
	unsigned best_distance = UINT32_MAX;

	if (wrong.n > NAME_MAX_BYTES)
		return NULL;
	for (; *names; names++) {
		struct str name = str_of(*names);
		unsigned d, allowed;

		if (name.n > NAME_MAX_BYTES)
			continue;
		d = distance(wrong, name);
		allowed = (unsigned)(name.n > wrong.n ? name.n : wrong.n) * COST_OTHER / 3;
		if (d <= allowed && d < best_distance) {
			best = *names;
			best_distance = d;
		}
	}
	return best;
}
