/* seal.h - the master key of a store that is changed while everything runs (gatehouse rotate-master-key). How, and why a kill
 * at any moment leaves a usable store: the essay in db/seal.c. */
#pragma once

#include "core/paths.h"
#include "db/store.h"

/* Id of the key that the store is sealed with (paths_master_key_id); "" when it was never changed. */
GH_RC store_master_key_id(struct store *s, char out[PATHS_KEY_ID_MAX], struct gh_err *err);
/* In a transaction: seals all values anew with `key`, which must stand where paths_master_key_next finds it. *n: how many. */
GH_RC store_rekey(struct store *s, const uint8_t key[PATHS_MASTER_KEY_BYTES], int64_t *n, struct gh_err *err);
/* In a transaction, after the new key has taken its place: lets the gateways look at it again. */
GH_RC store_rekey_finished(struct store *s, struct gh_err *err);
