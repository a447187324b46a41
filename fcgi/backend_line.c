#include "fcgi/backend_line.h"

#include "core/clock.h"
#include "core/metrics.h"
#include "core/str.h"
#include "db/products.h"
#include "fcgi/balance.h"
#include "fcgi/call_gate.h"
#include "fcgi/serving.h"
#include "fcgi/share.h"
#include "fcgi/spike.h"

/* How often the first looks for places that other workers gave back. */
enum { RETRY_US = 20000, KEY_BYTES = 320 };

struct backend_line {
	struct spike_place place;
	enum reason why;
};

static struct str name_of(const struct call *k)
{
	return k->x.backend_id.n ? k->x.backend_id : k->x.request.url.host;
}

/* STR_NULL: the name is too long for a line. */
static struct str key_of(const struct call *k, char to[KEY_BYTES])
{
	struct str name = name_of(k);
	int n = snprintf(to, KEY_BYTES, "\001forward:%.*s:%u", STR_ARG(name), k->x.backend_id.n ? 0 : url_port(&k->x.request.url));

	return n > 0 && n < KEY_BYTES ? (struct str){ to, (size_t)n } : STR_NULL;
}

static int rank_of(const struct call *k)
{
	static const int ranks[] = { [STORE_PRIORITY_LOW] = -1, [STORE_PRIORITY_NORMAL] = 0, [STORE_PRIORITY_HIGH] = 1 };
	const struct snap_product *p = k->gate ? k->gate->access.product : NULL;

	return p ? ranks[p->priority] : 0;
}

bool backend_line_waits(const struct call *k)
{
	return k->line && k->line->place.line;
}

bool backend_line_stands(const struct call *k)
{
	char text[KEY_BYTES];
	struct str key;

	if (!k->wk->spikes || !k->wk->limits.backend_queue || backend_line_waits(k))
		return false;
	key = key_of(k, text);
	return key.n && spike_waits(k->wk, key);
}

static void count(struct call *k, const char *outcome)
{
	struct metric_label labels[] = { { STR("backend"), name_of(k) }, { STR("outcome"), str_of(outcome) } };

	if (k->wk->metrics)
		metrics_add(k->wk->metrics, STR("gatehouse"), STR("backend_queue_seconds"), labels, ARRAY_LEN(labels),
			    (double)(k->wk->loop.now_us - k->line->place.since_us) / 1e6, clock_wall_us());
}

bool backend_line_join(struct call *k, enum reason why)
{
	const struct worker_limits *l = &k->wk->limits;
	char text[KEY_BYTES];
	struct str key;

	if (!l->backend_queue || (why != REASON_BACKEND_FULL && why != REASON_OVERLOAD_BACKEND))
		return false;
	if (backend_line_waits(k)) {
		if (k->line->place.deadline_us > k->wk->loop.now_us && spike_again(&k->line->place, RETRY_US))
			return true;
		backend_line_leave(k, false);
		return false;
	}
	key = key_of(k, text);
	if (!k->line)
		k->line = arena_new_of(k->arena, struct backend_line);
	if (!key.n || !k->line)
		return false;
	k->line->why = why;
	return spike_join_ranked(&k->line->place, k, key, rank_of(k), l->backend_queue, l->backend_queue_us, RETRY_US);
}

bool backend_line_turn(struct call *k, enum reason *over)
{
	const struct spike_place *p = &k->line->place;

	*over = REASON_NONE;
	if (p->timer.at)                     /* woken for another reason */
		return false;
	if (p->deadline_us <= k->wk->loop.now_us)
		*over = k->line->why;
	return true;
}

void backend_line_leave(struct call *k, bool passed)
{
	if (!backend_line_waits(k))
		return;
	count(k, passed ? "served" : "given_up");
	if (passed && k->x.trace_on)
		exchange_trace(&k->x, "waited %lld ms for a place at the backend",
			       (long long)(k->wk->loop.now_us - k->line->place.since_us) / 1000);
	spike_leave(&k->line->place);
}

void backend_line_release(struct call *k)
{
	bool had = k->share != NULL;
	char text[KEY_BYTES];
	struct str key;

	share_drop(k);
	balance_end(k);
	if (!had || !k->wk->spikes)
		return;
	key = key_of(k, text);
	if (key.n)
		spike_poke(k->wk, key);
}
