/* consumer_rule.h - what one subscription may do at this API (db/consumer_rules.h): methods and operations of its own. */
#pragma once

#include "fcgi/call_gate.h"

/* The rule for the API that is called, else the one for every API; NULL: none. */
const struct ctx_consumer_rule *consumer_rule(const struct gate_state *g);
/* True: the call may go on. False: it is being answered with 403. */
bool consumer_rule_pass(struct call *k, struct gate_state *g);
