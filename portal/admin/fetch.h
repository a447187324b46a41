/* fetch.h - a description of an API from an address that an administrator entered.
 *
 * The dashboard must not become a way into the network behind it (server-side request forgery): addresses of this machine, of
 * private networks and of links are refused, each time a connection is made, so a name that resolves to one of them or a
 * redirect to one is refused too. `admin.import_private` allows them. Size, time and redirects are bounded, and one
 * process of the dashboard is always left for everybody else. Blocks the process that asks, not the others. */
#pragma once

#include "portal/web/web.h"

enum { FETCH_REDIRECTS_MAX = 5 };

/* The bytes behind the address, in the arena of the request. UPSTREAM: they could not be had, INVALID: not an address that is
 * fetched, LIMIT: more than max_bytes; err is a sentence for the form. */
GH_RC admin_fetch(struct web *w, struct str url, size_t max_bytes, struct str *out, struct gh_err *err);
