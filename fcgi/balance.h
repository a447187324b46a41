/* balance.h - where a forward-request goes when its backend has a circuit breaker or is a pool, and what its outcome means for
 * the next ones. Calls to any other backend do not come here: call.balance stays NULL.
 *
 * Each of these is called with the call's backend chosen (host.backend); all on the loop's thread. */
#pragma once

#include "fcgi/call.h"

bool balance_wanted(const struct call *k);           /* the backend has a breaker, a limit of calls, or is a member of a pool */
void balance_begin(struct call *k);                  /* another forward-request: what the last one tried is forgotten */
/* Chooses the member, asks the breaker, points the request at it. False: nobody may be asked; f says why and *why is the
 * reason. may_repeat: the request can be sent once more. */
bool balance_choose(struct call *k, struct forward *f, bool may_repeat, enum reason *why);
/* It may probe a breaker that is half-open: may it on other machines' account? True: they are asked, and the call waits. */
bool balance_asks(struct call *k);
bool balance_is_asking(const struct call *k);
enum balance_answer { BALANCE_WAITS, BALANCE_GOES, BALANCE_ANEW };       /* ANEW: another machine probes; choose again */
enum balance_answer balance_answer(struct call *k);      /* in the turns of a call that is asking */
/* The head has come (why NONE), or the try failed. The first word counts. */
void balance_tell(struct call *k, enum reason why);
/* It failed: shall another member be asked? Takes from the pool's retry budget. may_repeat as above. */
bool balance_again(struct call *k, enum reason why, bool may_repeat);
/* The one that was chosen is asked once more, with another token. */
void balance_same_again(struct call *k);
/* The try is over, with or without a result. */
void balance_end(struct call *k);
/* The cookie of a session that stays with its member; false: there is none to set. */
bool balance_cookie(struct call *k, struct field *out);
/* An address that begins as `from` does begins as `to`; *moved false: a policy has addressed it elsewhere. A base address with a query
 * of its own is rare: its query stays as it is. False: out of memory. */
bool url_rebase(struct arena *a, struct url *u, const struct url *from, const struct url *to, bool *moved);
