/* world.h - time and chance, which come from the exchange's host so that a run can be repeated. */
#pragma once

#include "policy/expr/class.h"

int64_t world_now_us(struct vm_call *c);         /* since 1970, UTC */
uint64_t world_random(struct vm_call *c);
