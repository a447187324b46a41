/* paths.h - where things stand: the state directory, the master key, the shared files.
 *
 *   state directory   --state DIR, else GATEHOUSE_STATE, else ./var
 *   master key        GATEHOUSE_MASTER_KEY (64 hexadecimal digits), else DIR/master.key (the same, mode 0600)
 *                     while it is being changed the next one stands beside it: GATEHOUSE_MASTER_KEY_NEW, else
 *                     DIR/master.key.new
 *   share directory   GATEHOUSE_SHARE, else found from the program's own place: the tree's root when it runs out of
 *                     build/VARIANT/bin, PREFIX/share/gatehouse when it runs out of PREFIX/bin; holds templates/, www/
 *                     and deploy/ */
#pragma once

#include "core/error.h"

enum {
	PATHS_KEY_ID_MAX = 17,               /* of a master key's id, with the zero byte */
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

/* ---- changing it: db/seal.h ---- */
/* Names a key without saying anything about it. */
void paths_master_key_id(const uint8_t key[PATHS_MASTER_KEY_BYTES], char out[PATHS_KEY_ID_MAX]);
bool paths_master_key_is_variable(void);     /* GATEHOUSE_MASTER_KEY is set */
/* The next one, as paths_master_key. */
GH_RC paths_master_key_next(const char *state_dir, uint8_t key[PATHS_MASTER_KEY_BYTES], bool *found, struct gh_err *err);
/* Writes DIR/master.key.new, of DIR/master.key's owner, safe on disk when it returns. key NULL: a random one. */
GH_RC paths_master_key_next_create(const char *state_dir, const uint8_t *key, struct gh_err *err);
/* It takes the place of DIR/master.key (promote), or is removed. */
GH_RC paths_master_key_next_end(const char *state_dir, bool promote, struct gh_err *err);
/* The key in a file, in the form of DIR/master.key. */
GH_RC paths_master_key_read(const char *path, uint8_t key[PATHS_MASTER_KEY_BYTES], bool *found, struct gh_err *err);
