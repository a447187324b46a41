/* subscription_rows.h - what subscriptions.c, subscriptions_bulk.c and callers.c share. For db/ only. */
#pragma once

#include "db/sql.h"
#include "db/subscriptions.h"

extern const struct row_type subscription_type, access_type;
gh_rc subscription_check_key(struct str key, struct gh_err *err);
/* Binds all parameters of KEY_ADD; digest must live until the statement has run. */
gh_rc subscription_bind_key(struct store *s, sqlite3_stmt *st, struct arena *a, struct str subscription_id,
			    enum store_key_slot slot, struct str key, uint8_t digest[CRYPTO_SHA256_BYTES],
			    struct gh_err *err);
