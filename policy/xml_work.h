/* xml_work.h - bounds on the processor time and the memory that libxml2 and libxslt take for one piece of work.
 *
 * Both libraries count operations and stop at a limit, but an operation may be dear (a string of a string) and memory has no
 * limit at all. So their allocations on this thread are counted while work is under way; when they are too many or the time
 * is over, the counts of operations are brought to their end, and the library stops by itself at its next step.
 *
 *     xml_work_begin(&w, body.n, arena_left(x->arena), &xslt->opLimit, &xslt->xpathCtxt->opLimit);
 *     …
 *     xml_work_end(&w);        // w.over: it was stopped
 *
 * One at a time on a thread; not nested. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	XML_WORK_CPU_MS = 60,        /* as much as an expression may take; and for what is done to each byte: */
	XML_WORK_CPU_NS_A_BYTE = 250,
	XML_WORK_BYTES = 32 * 1024 * 1024,   /* of memory, and */
	XML_WORK_BYTES_A_BYTE = 32,
};

struct xml_work {
	int64_t bytes, most;         /* held now, and at most */
	uint64_t until_ns;           /* of the thread's processor time */
	unsigned looks;
	unsigned long *limits[2];    /* of the library; 1 makes it stop */
	bool over;
};

/* input: bytes of the document that is worked on. most: bytes that may be held in any case. */
void xml_work_begin(struct xml_work *w, size_t input, size_t most, unsigned long *limit, unsigned long *other);
void xml_work_end(struct xml_work *w);
