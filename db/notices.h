/* notices.h - who is told what happens to a subscription. Each function adds mails to the queue (db/mail.h) in the present
 * transaction, so that a change and its message cannot part. */
#pragma once

#include "db/subscriptions.h"

/* Its owner asked for a subscription that waits for approval: tells whoever may approve (active administrators and
 * publishers, at most NOTICE_APPROVERS_MAX). `dashboard` ("https://apis.example.com/admin/") makes the link; STR_NULL: none. */
enum { NOTICE_APPROVERS_MAX = 20 };
GH_RC store_tell_approvers(struct store *s, struct arena *a, const struct store_subscription *sub, struct str owner_email,
			   struct str dashboard, struct gh_err *err);

/* Sets the state as store_subscription_set_state does and tells the owner: approved, rejected, suspended, restored or
 * cancelled, with the note. NOT_FOUND when there is no such subscription; the present state again is fine and tells nobody.
 * `portal` ("https://apis.example.com/") makes the link; STR_NULL: none. */
GH_RC store_subscription_change(struct store *s, struct arena *a, struct str id, enum store_subscription_state state,
				struct str note, struct str portal, struct gh_err *err);
