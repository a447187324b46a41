/* files.h - configuration files in tests: a tree of texts, worked into a store. */
#pragma once

#include "tests/unit/db/fixture.h"

#include "config/files/plan.h"
#include "core/str.h"

#define SAYS(cond, ...)                                                          \
	do {                                                                     \
		if (!(cond)) {                                                   \
			check_failures++;                                        \
			fprintf(stderr, "# %s:%d: not so: ", __FILE__, __LINE__); \
			fprintf(stderr, __VA_ARGS__);                            \
			fputc('\n', stderr);                                     \
		}                                                                \
	} while (0)

static inline struct tree tree_of(struct fixture *f, const char *const *files)
{
	struct tree t;

	tree_init(&t, f->a);
	for (; *files; files += 2)
		CHECK_OK(f, tree_add(&t, str_of(files[0]), str_of(files[1]), &f->err));
	CHECK_OK(f, tree_finish(&t, &f->err));
	return t;
}

/* Applies or plans; the plan and the problems as one text. */
static inline struct str work(struct fixture *f, struct store *s, const struct tree *t, struct plan_options o)
{
	struct files_set *set = arena_new_of(f->a, struct files_set);
	struct plan p;
	struct buf b;
	struct str out;
	gh_rc rc;

	o.actor = STR("test");
	o.impact = true;
	CHECK_OK(f, files_set_read(set, f->a, t, &f->err));
	rc = plan_run(s, f->a, set, &o, &p, &f->err);
	if (rc.code && !set->total_problems)
		fprintf(stderr, "# %s\n", f->err.message);
	buf_init(&b, 1 << 20);
	files_problems_text(set, "", &b);
	if (!rc.code)
		plan_text(&p, &b);
	out = arena_dup(f->a, buf_view(&b));
	buf_release(&b);
	return out;
}

static inline bool told(struct str text, const char *part)
{
	if (str_find(text, str_of(part)) != SIZE_MAX)
		return true;
	fprintf(stderr, "# '%s' is not in:\n%.*s\n", part, STR_ARG(text));
	return false;
}

static UNUSED void same_trees(const struct tree *a, const struct tree *b, const char *what)
{
	SAYS(a->n == b->n, "%s: %zu and %zu files", what, a->n, b->n);
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		SAYS(str_eq(a->files[i].path, b->files[i].path), "%s: %.*s and %.*s", what, STR_ARG(a->files[i].path), STR_ARG(b->files[i].path));
		SAYS(str_eq(a->files[i].bytes, b->files[i].bytes), "%s: %.*s differs:\n%.*s\n-- and --\n%.*s", what, STR_ARG(a->files[i].path),
		      STR_ARG(a->files[i].bytes), STR_ARG(b->files[i].bytes));
	}
}

/* Repeatable chance: the same numbers after the same `dice`. */
static UNUSED uint64_t dice;

static UNUSED uint64_t roll(uint64_t n)
{
	dice = dice * 6364136223846793005ull + 1442695040888963407ull;
	return (dice >> 33) % n;
}
