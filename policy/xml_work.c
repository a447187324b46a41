#include "policy/xml_work.h"

#include <libxml/xmlmemory.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_EACH = 32 };     /* allocations between two looks at the clock */

static __thread struct xml_work *now;

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void stop(struct xml_work *w)
{
	w->over = true;
	for (size_t i = 0; i < sizeof(w->limits) / sizeof(w->limits[0]); i++)
		*w->limits[i] = 1;
}

static void *counted(void *p)
{
	struct xml_work *w = now;

	if (!w || !p)
		return p;
	w->bytes += (int64_t)malloc_usable_size(p);
	if (!w->over && (w->bytes > w->most || (++w->looks % LOOK_EACH == 0 && cpu_ns() > w->until_ns)))
		stop(w);
	return p;
}

static void given_back(void *p)
{
	if (now && p)
		now->bytes -= (int64_t)malloc_usable_size(p);
}

static void *count_malloc(size_t n)
{
	return counted(malloc(n));
}

static void *count_realloc(void *p, size_t n)
{
	int64_t had = now && p ? (int64_t)malloc_usable_size(p) : 0;
	void *to = realloc(p, n);

	if (now && to)
		now->bytes -= had;
	return counted(to);
}

static void count_free(void *p)
{
	given_back(p);
	free(p);
}

static char *count_strdup(const char *s)
{
	return counted(strdup(s));
}

/* The same malloc is behind them, so what was taken before is given back as well. */
static void install(void)
{
	xmlMemSetup(count_free, count_malloc, count_realloc, count_strdup);
}

void xml_work_begin(struct xml_work *w, size_t input, size_t most, unsigned long *limit, unsigned long *other)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t bytes = XML_WORK_BYTES + XML_WORK_BYTES_A_BYTE * input;
	uint64_t ns = XML_WORK_CPU_MS * UINT64_C(1000000) + XML_WORK_CPU_NS_A_BYTE * (uint64_t)input;

	pthread_once(&once, install);
	*w = (struct xml_work){ .most = (int64_t)(bytes < most ? bytes : most), .until_ns = cpu_ns() + ns, .limits = { limit, other } };
	now = w;
}

void xml_work_end(struct xml_work *w)
{
	now = NULL;
	(void)w;
}
