/* paths.h - where things stand: the state directory, the master key, the shared files.
 *
 *   state directory   --state DIR, else GATEHOUSE_STATE, else ./var
 *   master key        GATEHOUSE_MASTER_KEY (64 hexadecimal digits), else DIR/master.key (the same, mode 0600)
 *   share directory   GATEHOUSE_SHARE, else found from the program's own place: the tree's root when it runs out of
 *                     build/VARIANT/bin, PREFIX/share/gatehouse when it runs out of PREFIX/bin; holds templates/, www/
 *                     and deploy/ */
#pragma once

#include "core/error.h"

enum {
	PATHS_MAX = 4096,                    /* with the zero byte */
	PATHS_MASTER_KEY_BYTES = 32,
};

/* option is the value of --state, or NULL. The directory need not exist. */
GH_RC paths_state(const char *option, char out[PATHS_MAX], struct gh_err *err);
GH_RC paths_share(char out[PATHS_MAX], struct gh_err *err);
GH_RC paths_join(char out[PATHS_MAX], const char *dir, const char *name, struct gh_err *err);

/* *found is false when neither the variable nor the file is there; a key that is there but unusable (wrong form, or a
 * file that others may read) is an error. Wipe the key when done. */
GH_RC paths_master_key(const char *state_dir, uint8_t key[PATHS_MASTER_KEY_BYTES], bool *found, struct gh_err *err);
/* Writes a random key to DIR/master.key with mode 0600; CONFLICT when the file is there. */
GH_RC paths_master_key_create(const char *state_dir, struct gh_err *err);
