/* alerts_impl.h - what the files of keeper/alert*.c share. */
#pragma once

#include "core/backend_state.h"
#include "core/counter.h"
#include "core/quota_watch.h"
#include "core/paths.h"
#include "keeper/alerts.h"

enum { ALERTS_TABLE = 4096, ALERTS_EVENT_ID_MAX = 40, ALERTS_SUBJECT_MAX = 256 };

/* A rule and one subject: its window (if the rule counts calls) and its state. */
struct series {
	struct series *chain;                    /* of the hash table */
	struct watched *rule;
	struct str subject;                      /* owned */
	struct alert_window window;              /* .ring NULL: the rule counts no calls */
	int64_t dirty_us;                        /* oldest time counted since it was judged last; 0: nothing */
	int64_t judged_us;                       /* until then everything was told */
	int64_t first_touched, last_touched;     /* slices that are not stored yet; first > last: none */
	bool bad, seen;                          /* seen: by the check that is under way */
	int64_t since_us, told_us;
	char event_id[ALERTS_EVENT_ID_MAX];
	char request_id[65], environment[81], api[81];   /* of the last call that counted */
	char fired_environment[81], fired_api[81];       /* while it is bad: what the event told */
};

struct watched {
	struct store_alert_rule r;
	uint64_t hash;
	char definition[17];
	struct series *whole;                    /* of ALERT_EACH_ALL */
	bool loaded;
};

struct alerts {
	char state_dir[PATHS_MAX];
	const struct config *config;
	struct arena *arena;                     /* of the rules; begun anew with them */
	struct watched *rules;
	size_t n_rules, n_series, n_bad, bytes;
	struct series *table[ALERTS_TABLE];
	bool loaded;
	int64_t stamp;                           /* of the rules */
	uint64_t no_room;
	int64_t checked_us, pruned_us, told_no_room_us;
	int64_t seen_us;                         /* wall clock at the last drain */
	struct backend_states *backends;
	struct counters *counters;
	struct quota_watch *quotas;
	uint64_t quotas_full;                    /* notes that had found no room when it was told last */
};

struct series *alerts_series(struct alerts *a, struct watched *w, struct str subject);  /* NULL: no room */
void alerts_drop_series(struct alerts *a, struct series *s);

/* What a judgement found, for texts. */
struct alert_finding {
	struct str environment, api;             /* empty: not one */
	int64_t value;
	struct str summary, request_id;
	int64_t at_us;
};
/* The change in the store with its messages; `s` follows when it is done. kind: enum store_alert_event_kind. */
GH_RC alerts_tell(struct alerts *a, struct store *store, struct series *s, int kind, const struct alert_finding *f, struct gh_err *err);
struct str alerts_summary(struct arena *a, const struct store_alert_rule *r, const struct alert_verdict *v, bool bad);
/* Rules that count no calls: backends, what expires, quotas. */
GH_RC alerts_check(struct alerts *a, struct store *store, int64_t now_us, struct gh_err *err);
/* Bad or well, as found: tells when that is a change. */
GH_RC alerts_found(struct alerts *a, struct store *store, struct series *s, bool bad, const struct alert_finding *f, struct gh_err *err);

/* One that fails does not keep the others from being looked at; the first failure is what is reported. But where the store is taken
 * (BUSY) that is, and the caller stops: each of the others would wait as long for it. */
void alerts_keep_first(gh_rc *first, struct gh_err *err, gh_rc rc, const struct gh_err *why);

/* One check of a rule that counts no calls. */
struct checking {
	struct alerts *alerts;
	struct store *store;
	struct arena *a;
	struct watched *w;
	int64_t now_us;
};
/* That subject is bad: value in thousandths of the rule's unit. environment and api, where the rule names none, are those that it is
 * about; may be empty. */
GH_RC alerts_bad(struct checking *c, struct str subject, int64_t value, struct str summary, struct gh_err *err);
GH_RC alerts_bad_at(struct checking *c, struct str subject, int64_t value, struct str summary, struct str environment, struct str api,
		    struct gh_err *err);
GH_RC alerts_check_quotas(struct checking *c, struct gh_err *err);
/* Gateways note quotas from the least share on that a rule asks for; once for all rules. */
GH_RC alerts_want_quotas(struct alerts *a, struct gh_err *err);
