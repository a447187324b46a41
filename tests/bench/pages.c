/* pages.c - what the pages of the portal and the dashboard cost with 1,000 APIs, 10,000 users and 50,000 subscriptions in
 * the store: processor time of one page from the request to its last byte, and its size. Every GET route of both apps is
 * asked for, so a new page is measured without being named here. Prints one JSON object; tests/bench/bench.js runs it. */
#include "tests/unit/portal/client.h"
#include "tests/unit/portal/crowd.h"

#include "core/log.h"
#include "portal/admin/admin.h"
#include "portal/portal/portal.h"

#include <time.h>

enum { RUNS = 100, WARM = 5 };

static const struct crowd_size large = { .apis = 1000, .products = 100, .users = 10000, .subscriptions = 50000, .own = 20, .calls = 200 };

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

static void measure(struct client *c, const char *app, const char *who, const char *uri)
{
	static bool more;
	double ms[RUNS];
	int status = 0;

	for (int i = -WARM; i < RUNS; i++) {
		double from = cpu_ms();

		status = client_send(c, "GET", uri, NULL);
		if (i >= 0)
			ms[i] = cpu_ms() - from;
	}
	qsort(ms, RUNS, sizeof(ms[0]), ascending);
	printf("%s\n{\"app\":\"%s\",\"who\":\"%s\",\"uri\":\"%s\",\"status\":%d,\"type\":\"%.*s\",\"bytes\":%zu,\"p50Ms\":%.3f,\"p95Ms\":%.3f}", more ? "," : "", app, who,
	       uri, status, STR_ARG(str_first(client_header(c, "Content-Type"), 9)), c->w.rs.body.n, ms[RUNS / 2], ms[RUNS * 95 / 100]);
	more = true;
}

static void measure_app(const struct web_app *app, const char *name, const char *prefix, const char *who, const char *dir)
{
	struct web_site site;
	char share[PATHS_MAX], path[200], uri[300];
	struct client c;

	site_up(&site, app, dir, share);
	c = (struct client){ .site = &site };
	if (who)
		client_session(&c, who);
	for (const struct web_route *r = app->routes; r->method; r++) {
		if (strcmp(r->method, "GET") != 0 || r->right == WEB_TOKEN || !web_role_may(who ? str_of(who) : STR_NULL, r->right))
			continue;
		crowd_uri(name, r->pattern, path);
		snprintf(uri, sizeof(uri), "%s%s", prefix, path);
		measure(&c, name, who ? who : "visitor", uri);
		for (size_t i = 0; i < ARRAY_LEN(crowd_special); i++)
			if (strcmp(crowd_special[i].app, name) == 0 && strcmp(crowd_special[i].pattern, r->pattern) == 0) {
				snprintf(uri, sizeof(uri), "%s%s", prefix, crowd_special[i].uri);
				measure(&c, name, who ? who : "visitor", uri);
			}
	}
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
	measure_app(&portal_app, "portal", "", NULL, dir);
	measure_app(&portal_app, "portal", "", "developer", dir);
	measure_app(&admin_app, "admin", "/admin", "administrator", dir);
	printf("]}\n");
	fixture_drop(dir);
	return 0;
}
