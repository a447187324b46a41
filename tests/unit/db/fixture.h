/* fixture.h - a fresh store in a folder of its own under /tmp, for the tests of db/. */
#pragma once

#include "tests/unit/check.h"

#include "core/arena.h"
#include "core/paths.h"
#include "db/store.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	char dir[64];
	struct store *s;
	struct arena *a;
	struct gh_err err;
};

static int fixture_unlink(const char *path, const struct stat *st UNUSED, int type UNUSED, struct FTW *ftw UNUSED)
{
	return remove(path);
}

/* The result, with its message on standard error when it is a failure. */
#define CHECK_OK(f, call)                                                                                 \
	do {                                                                                              \
		gh_rc ok_rc_ = (call);                                                                    \
		if (ok_rc_.code) {                                                                        \
			check_failures++;                                                                 \
			fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__, __LINE__, #call, (f)->err.message); \
		}                                                                                         \
	} while (0)

/* One change in a transaction of its own. */
#define CHANGE(f, call)                                                                                   \
	do {                                                                                              \
		CHECK_OK(f, store_tx_begin((f)->s, STR("test"), &(f)->err));                              \
		gh_rc change_rc_ = (call);                                                                \
		CHECK_OK(f, store_tx_end((f)->s, change_rc_, &(f)->err));                                 \
	} while (0)

static int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/gatehouse-db-XXXXXX");
	f->a = arena_new(256 << 20);
	if (!mkdtemp(f->dir) || !f->a || paths_master_key_create(f->dir, &f->err).code
	    || store_open(&f->s, f->dir, STORE_CREATE, &f->err).code) {
		fprintf(stderr, "# fixture: %s\n", f->err.message);
		return -1;
	}
	*state = f;
	return 0;
}

static int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	store_free(f->s);
	arena_free(f->a);
	nftw(f->dir, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
