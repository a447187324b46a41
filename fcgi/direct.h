/* direct.h - plain HTTP/1.1 without curl, for the everyday request.
 *
 * curl does everything, at a price: some sixty allocations and two extra system calls for each request, as much time as
 * all the rest of the gateway. So the request that nearly all traffic consists of (http, no proxy, no redirects to follow,
 * a body that is here or none, an address that is known) goes over connections of our own; everything else goes through
 * curl, and so does the first request to a name with several addresses, which race there; the one that was first is learned and
 * serves until the set of addresses changes or it cannot be reached. A transfer looks the same from outside whichever way it
 * goes (upstream.h).
 *
 * A kept connection may have been closed by the backend just before a request goes out. When not a byte of a response has
 * come, a request that may be repeated (RFC 9110 section 9.2.2) is sent again on a new connection. Before any other
 * request a kept connection is looked at, so that it is only sent on one that was alive a moment ago. */
#pragma once

#include "fcgi/upstream_impl.h"

struct direct;                           /* origins and connections of one worker */

struct direct *direct_new(struct upstream *u);           /* NULL: out of memory */
void direct_free(struct direct *d);
/* False: this one is for curl. True: under way. */
bool direct_start(struct direct *d, struct transfer *t);
void direct_cancel(struct transfer *t);
void direct_resume(struct transfer *t);
/* A request over curl has shown which address of a name can be reached. */
void direct_learn(struct transfer *t, const char *ip);
/* No connection could be made in time: curl shall race the addresses next time. */
void direct_doubt(struct transfer *t);
/* Reports what is over; closes what has been idle for long. True when something was reported. */
bool direct_turn(struct direct *d);
