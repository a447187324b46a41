#include "core/slice.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SLICE_NS = 100000 };              /* the least that the kernel takes */

void slice_ask_short(void)
{
	/* struct sched_attr of linux/sched/types.h, which cannot be included beside <sched.h> */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr) };

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) != 0 || attr.policy != SCHED_OTHER)
		return;
	attr.runtime = SLICE_NS;
	attr.size = sizeof(attr);
	(void)!syscall(SYS_sched_setattr, 0, &attr, 0);
}
