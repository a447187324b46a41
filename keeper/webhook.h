/* webhook.h - calls the webhooks of alerts (db/alerts.h), by the Standard Webhooks scheme (standardwebhooks.com):
 *
 *     webhook-id: msg_…                the message's, the same at each try: whoever gets it twice knows
 *     webhook-timestamp: seconds       of this try
 *     webhook-signature: v1,BASE64     HMAC-SHA-256 of "id.timestamp.body" with the bytes behind "whsec_"
 *
 * 2xx: taken. 410: the webhook is switched off. All else (redirects too) is tried again, later each time, and given up after
 * alerts.webhook_give_up_s. A thread of its own with a store of its own. */
#pragma once

#include "core/config.h"
#include "db/alerts.h"

struct webhooks;

GH_RC webhooks_start(const char *state_dir, const struct config *config, struct webhooks **out, struct gh_err *err);
void webhooks_stop(struct webhooks *w);                  /* NULL is fine */

/* "v1,…". secret is "whsec_…". STR_NULL: it is none, or out of memory. */
struct str webhook_sign(struct arena *a, struct str secret, struct str id, int64_t timestamp_s, struct str body);
