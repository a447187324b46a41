/* cache_folder.h - the files of a cache (cache.h) as files: for opening it. */
#pragma once

#include "core/error.h"
#include "core/paths.h"

/* Waits for the folder's lock; closing *lock gives it back. */
GH_RC cache_folder_lock(const char *dir, int *lock, struct gh_err *err);
/* Takes the files of the cache away, under the lock. Who has them open keeps what he has until he ends. */
GH_RC cache_folder_empty(const char *dir, struct gh_err *err);
/* The same when the system has started anew since it was last called, or it never was: the file `boot` remembers the name that
 * Linux gives each start. Where it gives none, nothing is taken away. */
GH_RC cache_folder_of_boot(const char *dir, struct gh_err *err);
