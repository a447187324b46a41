/* mail.h - the mail queue. Whoever has something to say adds a mail in the same transaction as the change that it tells of;
 * the keeper renders the template (templates/mail/NAME.txt and NAME.html) with the data and sends it.
 *
 *     WAITING ── taken ──> SENDING ── text handed over ──> HANDED ── accepted ──> SENT
 *        ^                    │                              └── no answer ──> UNCERTAIN
 *        └── later, again ────┴── refused for good, or for too long ──> FAILED
 *
 * HANDED is committed before the last byte of the text leaves. So when everything dies, a mail that was not handed over is
 * sent again and one that may have been accepted is not: it stays UNCERTAIN, for a person to look at. */
#pragma once

#include "core/json.h"
#include "db/store.h"

enum store_mail_state {
	STORE_MAIL_WAITING, STORE_MAIL_SENDING, STORE_MAIL_HANDED, STORE_MAIL_SENT, STORE_MAIL_UNCERTAIN, STORE_MAIL_FAILED,
};
extern const char *const store_mail_state_names[];       /* "waiting", ...; ends with NULL */

struct store_mail {
	struct str id;                   /* also in its Message-ID */
	struct str recipient;
	struct str template;             /* "reset" */
	struct str data;                 /* JSON; STR_NULL in lists and once it has left */
	int64_t state;                   /* enum store_mail_state */
	int64_t tries, created_us, due_us, changed_us;
	struct str problem;              /* of the last try */
	int64_t number;                  /* rises with each; stays when it is sent once more */
};

/* data (borrowed; NULL is {}) is what the template sees. Needs a transaction. */
GH_RC store_mail_add(struct store *s, struct str recipient, const char *template, const json_t *data, struct gh_err *err);
/* For the keeper. What was SENDING when the last keeper died waits again; what was HANDED becomes UNCERTAIN. */
GH_RC store_mail_recover(struct store *s, struct gh_err *err);
/* The next mail that is due, now SENDING with one more try; in a transaction of its own. */
GH_RC store_mail_take(struct store *s, struct arena *a, int64_t now_us, struct store_mail *out, bool *found, struct gh_err *err);
/* In a transaction of its own. WAITING needs due_us. */
GH_RC store_mail_settle(struct store *s, struct str id, enum store_mail_state state, int64_t due_us, struct str problem,
			struct gh_err *err);
struct store_mail_filter {
	struct str search;               /* a part of id, recipient or template, without ASCII case; STR_NULL does not narrow */
	int64_t state;                   /* enum store_mail_state; -1: any */
	int64_t before;                  /* only those with a smaller number; 0: all */
	size_t limit;                    /* 0: 100 */
};
/* Newest first, by falling numbers; without data. */
GH_RC store_mails(struct store *s, struct arena *a, const struct store_mail_filter *f, struct store_mail **out, size_t *n,
		  struct gh_err *err);
GH_RC store_mail_again(struct store *s, struct str id, struct gh_err *err);      /* FAILED or UNCERTAIN is WAITING once more */
GH_RC store_mail_prune(struct store *s, int64_t before_us, struct gh_err *err);  /* those that are over since then */
