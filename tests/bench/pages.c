/* pages.c - what the pages of the portal and the dashboard cost with 1,000 APIs, 10,000 users and 100,000 subscriptions in
 * the store: processor time of one page from the request to its last byte, and its size. Every GET route of both apps is
 * asked for, so a new page is measured without being named here. Prints one JSON object; tests/bench/bench.js runs it. */
#include "tests/unit/portal/client.h"
#include "tests/unit/portal/crowd.h"

#include "core/log.h"
#include "portal/admin/admin.h"
#include "portal/portal/portal.h"

#include <time.h>

enum { RUNS = 100, WARM = 5, LIST_RUNS = 9 };

static const struct crowd_size large = { .apis = 1000, .products = 100, .users = 10000, .subscriptions = 100000, .own = 20, .calls = 200 };

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure_times(struct client *c, const char *app, const char *who, const char *uri, int warm, int runs)
{
	static bool more;
	double ms[RUNS];
	int status = 0;

	for (int i = -warm; i < runs; i++) {
		double from = cpu_ms();

		status = client_send(c, "GET", uri, NULL);
		if (i >= 0)
			ms[i] = cpu_ms() - from;
	}
	qsort(ms, (size_t)runs, sizeof(ms[0]), ascending);
	printf("%s\n{\"app\":\"%s\",\"who\":\"%s\",\"uri\":\"%s\",\"status\":%d,\"type\":\"%.*s\",\"bytes\":%zu,\"p50Ms\":%.3f,\"p95Ms\":%.3f}", more ? "," : "", app, who ? who : "visitor",
	       uri, status, STR_ARG(str_first(client_header(c, "Content-Type"), 9)), c->w.rs.body.n, ms[runs / 2], ms[runs * 95 / 100]);
	more = true;
}

static void measure(struct client *c, const char *app, const char *who, const char *uri)
{
	measure_times(c, app, who, uri, WARM, RUNS);
}

/* Some hundred of them: fewer times each. */
static void measure_list(struct client *c, const char *app, const char *who, const char *uri)
{
	measure_times(c, app, who, uri, 1, LIST_RUNS);
}

static void lists(const char *dir)
{
	struct web_site site;
	struct client c = { .site = &site };
	char share[PATHS_MAX];

	site_up(&site, &admin_app, dir, share);
	client_session(&c, "administrator");
	crowd_lists(&c, "administrator", measure_list);
	client_end(&c);
	crowd_elsewhere(site.store);
	client_session(&c, "developer");
	crowd_lists(&c, "developer", measure_list);
	client_end(&c);
	site_down(&site);
}

int main(void)
{
	double from = cpu_ms();
	struct store *s;
	struct gh_err err;
	char dir[64];

	log_init("pages", LOG_ERROR);           /* pages that refuse tell so, a hundred times each */
	fixture_make(dir);
	must(store_open(&s, dir, STORE_WRITE, &err), &err);
	crowd_fill(s, &large);
	store_free(s);
	printf("{\"fillMs\":%.0f,\"pages\":[", cpu_ms() - from);
	crowd_walk(dir, &portal_app, "portal", "", NULL, measure);
	crowd_walk(dir, &portal_app, "portal", "", "developer", measure);
	crowd_walk(dir, &admin_app, "admin", "/admin", "administrator", measure);
	lists(dir);
	printf("]}\n");
	fixture_drop(dir);
	return 0;
}
