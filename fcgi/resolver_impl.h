/* resolver_impl.h - the thread behind resolver.h: questions go in, answers come out, c-ares is at work between them. */
#pragma once

#include "fcgi/resolver.h"

enum resolver_job_outcome { RESOLVER_JOB_FOUND, RESOLVER_JOB_NO_NAME, RESOLVER_JOB_NO_ANSWER };

struct resolver_job {
	struct resolver_job *next;
	struct resolver_thread *thread;
	enum resolver_job_outcome outcome;
	const char *why;                     /* static, of c-ares */
	int ttl_s;                           /* the least of the addresses; 0: from /etc/hosts */
	size_t n;
	char addresses[RESOLVED_MAX][46];
	char host[256];
};

struct resolver_thread;

/* servers: empty: those of the system. timeout_ms: of one try. */
GH_RC resolver_thread_new(struct resolver_thread **out, struct str servers, int timeout_ms, struct gh_err *err);
GH_RC resolver_thread_start(struct resolver_thread *t, struct gh_err *err);
void resolver_thread_free(struct resolver_thread *t);    /* waits for no answer; NULL is fine */
int resolver_thread_fd(const struct resolver_thread *t); /* readable when answers are there */
bool resolver_thread_ask(struct resolver_thread *t, struct str host);    /* false: out of memory */
struct resolver_job *resolver_thread_take(struct resolver_thread *t);    /* all answers; the caller frees each */
