/* secret_impl.h - what secret_ref.c (references, variables, files) and secret_vault.c (HTTP) share. */
#pragma once

#include "core/secret_ref.h"

struct vault;

GH_RC vault_new(const struct config *config, struct vault **out, struct gh_err *err);
void vault_rest(struct vault *v);       /* NULL is fine */
void vault_free(struct vault *v);
GH_RC vault_read(struct vault *v, struct arena *a, const struct secret_ref *ref, struct secret_value *out,
		 struct gh_err *err);
GH_RC vault_rotate(struct vault *v, struct arena *a, struct str path, struct gh_err *err);
GH_RC vault_renew(struct vault *v, struct arena *a, int64_t *again_s, struct gh_err *err);
/* A small file with one line of text: a token, a key. Without white space at its ends. */
GH_RC secret_file(struct arena *a, const char *path, struct str *out, struct gh_err *err);
