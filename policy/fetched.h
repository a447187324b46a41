/* fetched.h - a document that a policy fetches through the host and keeps parsed on a shelf: provider keys, lists of
 * revoked certificates.
 *
 * One exchange fetches, the others wait for it or go on with what stood there before. The one that fetches is no caller's:
 * the host gives it an exchange of its own (policy_host.aside), so a caller waits only for what nobody has yet. An address
 * is not asked more often than the kind's pace allows. Processes share: what one has fetched lies in the host's cache as it
 * came, and whoever wants to fetch takes a counter of the host first, so that N workers cost the address one request. The
 * caller is a policy that may wait:
 *
 *     step = fetched_step(x, &my_kind, &state);    until it is not STEP_WAIT
 *     state.thing                                  held until the exchange ends; NULL: state.why says what happened */
#pragma once

#include "policy/element.h"
#include "policy/shelf.h"

struct fetched;

enum { FETCHED_PARTS = 4 };

enum fetched_take { FETCHED_THING, FETCHED_ON, FETCHED_BAD };

struct fetched_kind {
	struct shelf *shelf;
	struct shelf_pace pace;
	const char *name;                /* for messages: "key set" */
	const char *accept;              /* media type that is asked for */
	const char *post_type;           /* media type of fetched.post */
	uint32_t timeout_ms;             /* of each request */
	size_t max_bytes;                /* of an answer */
	size_t state_bytes;              /* of the struct that begins with a struct fetched and that `take` knows; 0: it is one */
	/* Gives the state of an exchange of its own what `take` needs beyond the address, with a life of its own: the one
	 * that wanted it may go. NULL: nothing. False: out of memory. */
	bool (*brief)(struct arena *a, const struct fetched *from, struct fetched *to);
	/* Reads an answer with status 200. FETCHED_THING: *thing, f->fresh_s and f->stale_s are set; FETCHED_ON: f->next
	 * is the address to ask now; FETCHED_BAD: f->why says what is wrong. */
	enum fetched_take (*take)(struct exchange *x, struct fetched *f, struct str bytes, void **thing);
};

struct fetched {                         /* zero it, set url (and renew; key and post) */
	struct str url;
	struct str post;                 /* body of a question that is put with POST; STR_NULL: GET */
	struct str key;                  /* what it is kept under, when the address alone does not say it */
	bool renew;                      /* what is kept did not serve: ask again, as far as the floor allows */
	/* results */
	void *thing;                     /* lives as long as the exchange */
	int64_t put_us;                  /* when it was fetched */
	struct str why;
	/* for take */
	struct str next;
	int64_t fresh_s, stale_s;
	unsigned hops;                   /* how often take said FETCHED_ON */
	/* private */
	enum { FETCHED_LOOK, FETCHED_BRING, FETCHED_ASKED, FETCHED_PAUSE, FETCHED_DONE } phase;
	const struct fetched_kind *kind; /* of one that was sent */
	struct subrequest *call;
	struct host_sleep *pause;
	unsigned pauses;
	bool claims;                     /* somebody else has the counter: look into the cache for a while */
	struct str parts[FETCHED_PARTS]; /* answers as they came, for the cache */
	size_t n_parts;
};

/* STEP_NEXT when there is a result, STEP_WAIT, or STEP_FAIL after exchange_fail. */
enum step fetched_step(struct exchange *x, const struct fetched_kind *kind, struct fetched *f);
