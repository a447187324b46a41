/* sync.c - `gatehouse sync`: a directory and the store in step, for people who develop locally.
 *
 *     a file is saved         -> the store gets what the directory says, as `apply --yes` does; what is wrong is told with its place
 *     the store changes       -> the directory gets an export, as `export DIR` does
 *
 * Files are watched with inotify(7); a burst of saves is waited out. The store is watched by its generation (core/genfile.h), which
 * is one load and no system call, between the waits. Whoever is later wins: a file that is saved while the store changes is applied
 * to what the store is by then. */
#include "cli/config_files.h"
#include "cli/files_theme.h"
#include "config/files/export.h"
#include "core/file.h"
#include "core/genfile.h"
#include "core/str.h"
#include "db/store.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WATCHES_MAX = 8192,              /* folders; the kernel has a limit of its own, fs.inotify.max_user_watches */
	QUIET_MS = 150,                  /* no event for so long ends a burst */
	STORE_MS = 500,                  /* how often the generation is looked at */
	EVENTS_BYTES = 65536,
};
#define WATCHED (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_DELETE_SELF)

struct sync {
	struct cli *c;
	const char *dir;
	int fd;
	struct arena *paths;             /* of one walk */
	size_t n_watches;
	struct genfile *generation;
	uint64_t seen[GENFILE__COUNT];
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number UNUSED)
{
	stopped = 1;
}

/* ---- watching -------------------------------------------------------------------------------------------------------------------- */

static GH_RC watch(struct sync *y, const char *dir, unsigned depth, struct gh_err *err)
{
	struct dirent *entry;
	gh_rc rc = GH_RC_OK;
	DIR *d;

	if (depth == 0 || y->n_watches == WATCHES_MAX)
		FAIL(err, LIMIT, "%s: more than %d folders, or nested more than %d levels deep", dir, WATCHES_MAX, FILES_DEPTH_MAX);
	if (inotify_add_watch(y->fd, dir, WATCHED | IN_ONLYDIR) < 0)
		FAIL(err, IO, "watching %s: %s", dir, strerror(errno));
	y->n_watches++;
	d = opendir(dir);
	while (d && !rc.code && (entry = readdir(d))) {
		struct str path = arena_printf(y->paths, "%s/%s", dir, entry->d_name);
		struct stat st;

		if (entry->d_name[0] != '.' && path.p && lstat(path.p, &st) == 0 && S_ISDIR(st.st_mode))
			rc = watch(y, path.p, depth - 1, err);
	}
	if (d)
		closedir(d);
	return rc;
}

/* Watches folders that are new, too; those that are watched already stay so, and no event is lost. To be called before files are
 * read, so that what is saved after it is seen. */
static GH_RC watch_all(struct sync *y, struct gh_err *err)
{
	y->n_watches = 0;
	arena_reset(y->paths);
	if (y->fd < 0)
		y->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (y->fd < 0)
		FAIL(err, IO, "inotify: %s", strerror(errno));
	return watch(y, y->dir, FILES_DEPTH_MAX, err);
}

/* True when a file changed within the time; then the burst is over. */
static bool files_changed(struct sync *y, int wait_ms)
{
	struct pollfd p = { .fd = y->fd, .events = POLLIN };
	char events[EVENTS_BYTES] __attribute__((aligned(8)));
	bool any = false;

	while (!stopped && poll(&p, 1, any ? QUIET_MS : wait_ms) > 0)
		for (any = true; read(y->fd, events, sizeof(events)) > 0;)
			continue;
	return any;
}

static bool store_changed(struct sync *y)
{
	bool changed = false;

	for (int i = 0; i < GENFILE__COUNT; i++) {
		uint64_t now = genfile_get(y->generation, (enum genfile_kind)i);

		changed = changed || now != y->seen[i];
		y->seen[i] = now;
	}
	return changed;
}

/* ---- one way and the other -------------------------------------------------------------------------------------------------------- */

/* A command of its own in memory of its own, so that days of it cost no more than one. */
static GH_RC with_arena(struct sync *y, gh_rc (*work)(struct sync *y, struct cli *c, struct gh_err *err), struct gh_err *err)
{
	struct cli c = *y->c;
	gh_rc rc;

	c.arena = arena_new(CLI_MEMORY_MAX);
	if (!c.arena)
		FAIL(err, NOMEM, "sync");
	buf_init(&c.out, 1 << 24);
	rc = work(y, &c, err);
	if (c.out.n) {
		fwrite(c.out.p, 1, c.out.n, stdout);
		fflush(stdout);
	}
	buf_release(&c.out);
	arena_free(c.arena);
	return rc;
}

/* Files of resources that stand elsewhere in an export: what they say is there now. */
static GH_RC remove_strays(struct sync *y, struct cli *c, const struct files_set *set, const struct tree *written, size_t *removed,
			   struct gh_err *err)
{
	for (size_t i = 0; i < set->n; i++) {
		struct str path = arena_printf(c->arena, "%s/%.*s", y->dir, STR_ARG(set->docs[i].file));

		if (tree_find(written, set->docs[i].file))
			continue;
		if (!path.p || (unlink(path.p) != 0 && errno != ENOENT))
			FAIL(err, IO, "%.*s: %s", STR_ARG(path), strerror(errno));
		++*removed;
	}
	return GH_RC_OK;
}

/* Whether the directory says what the store has, in whatever words and order: then it stays as it is, with its comments. */
static bool says_the_same(struct cli *c, struct store *s, struct files_set *set)
{
	const struct plan_options o = { .actor = str_of(cli_actor(c)), .dry_run = true };
	struct gh_err ignored;
	struct plan p;

	return !plan_run(s, c->arena, set, &o, &p, &ignored).code && p.n == 0;
}

static GH_RC write_directory(struct sync *y, struct cli *c, struct store *s, struct gh_err *err)
{
	struct files_export what = { .personal = false };
	struct files_set *set = arena_new_of(c->arena, struct files_set);
	size_t written, removed;
	struct tree t, old;
	struct theme theme;
	bool broken;

	tree_init(&old, c->arena);
	if (!set)
		FAIL(err, NOMEM, "sync");
	TRY(tree_read(&old, y->dir, err));
	TRY(files_set_read(set, c->arena, &old, err));
	if (set->n && says_the_same(c, s, set))
		return GH_RC_OK;
	broken = set->total_problems > 0;
	TRY(config_files_theme(c, &theme, err));
	what.theme_dir = theme.dir;
	TRY(files_export(s, c->arena, &what, &t, err));
	TRY(tree_write(&t, y->dir, files_folders(c->arena), &written, &removed, err));
	if (!broken)                             /* else somebody is at work on them */
		TRY(remove_strays(y, c, set, &t, &removed, err));
	if (written || removed)
		buf_fmt(&c->out, "directory: %zu files written, %zu removed\n", written, removed);
	return GH_RC_OK;
}

static gh_rc to_directory(struct sync *y, struct cli *c, struct gh_err *err)
{
	struct store *s;
	gh_rc rc;

	TRY(store_open(&s, c->state_dir, STORE_WRITE, err));
	rc = write_directory(y, c, s, err);
	store_free(s);
	return rc;
}

static void tell(struct files_set *set, const char *dir)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	files_problems_text(set, arena_printf(set->arena, "%s/", dir).p, &b);
	fwrite(b.p ? b.p : "", 1, b.n, stderr);
	buf_release(&b);
}

static gh_rc to_store(struct sync *y, struct cli *c, struct gh_err *err)
{
	struct plan_options o = { .actor = str_of(cli_actor(c)) };
	struct files_set *set = arena_new_of(c->arena, struct files_set);
	struct theme theme;
	size_t files = 0;
	struct store *s;
	struct plan p;
	struct tree t;
	gh_rc rc;

	tree_init(&t, c->arena);
	if (!set)
		FAIL(err, NOMEM, "sync");
	TRY(config_files_options(c, &o, err));
	TRY(config_files_theme(c, &theme, err));
	o.theme = &theme;
	TRY(tree_read(&t, y->dir, err));
	TRY(files_set_read(set, c->arena, &t, err));
	TRY(store_open(&s, c->state_dir, STORE_WRITE, err));
	rc = plan_run(s, c->arena, set, &o, &p, err);
	store_free(s);
	if (rc.code == GH_E_INVALID && set->total_problems) {
		tell(set, y->dir);
		return GH_RC_OK;
	}
	TRY(rc);
	if (p.n)
		plan_text(&p, &c->out);
	return files_theme(c, &t, theme.dir, true, &files, err);
}

/* An error of one round is told, and the next save tries again: a file that is just being written, a link, a store that is busy. */
static void round_of(struct sync *y, gh_rc (*work)(struct sync *y, struct cli *c, struct gh_err *err))
{
	struct gh_err err;

	if (with_arena(y, work, &err).code)
		fprintf(stderr, "gatehouse: error: %s\n", err.message);
}

static GH_RC begin(struct sync *y, struct gh_err *err)
{
	struct sigaction act = { .sa_handler = stop };
	struct str head = arena_printf(y->c->arena, "%s/" FILES_HEAD, y->dir);
	bool there = head.p && access(head.p, F_OK) == 0;
	struct dirent *entry;
	size_t others = 0;
	DIR *d;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	TRY(file_make_dirs(y->dir, 0755, err));
	d = opendir(y->dir);
	while (d && (entry = readdir(d)))
		others += entry->d_name[0] != '.';
	if (d)
		closedir(d);
	if (others && !there)
		FAIL(err, CONFLICT, "%s holds other files and no " FILES_HEAD "; name a new directory, or one with an export", y->dir);
	TRY(genfile_open(&y->generation, y->c->state_dir, false, err));
	TRY(watch_all(y, err));
	(void)store_changed(y);
	return with_arena(y, there ? to_store : to_directory, err);
}

static gh_rc run(struct cli *c, struct gh_err *err)
{
	struct sync y = { .c = c, .dir = c->options.args[0], .fd = -1, .paths = arena_new(CLI_MEMORY_MAX) };
	gh_rc rc = y.paths ? begin(&y, err) : gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "sync");

	if (!rc.code) {
		printf("%s is in step with %s; end with Ctrl+C\n", y.dir, c->state_dir);
		fflush(stdout);
	}
	while (!rc.code && !stopped) {
		bool files = files_changed(&y, STORE_MS), store = !files && store_changed(&y);

		if (!files && !store)
			continue;
		rc = watch_all(&y, err);
		if (!rc.code)                            /* a change of the store may be our own: then the directory says the same */
			round_of(&y, files ? to_store : to_directory);
	}
	if (y.fd >= 0)
		close(y.fd);
	genfile_free(y.generation);
	arena_free(y.paths);
	return rc;
}

static const struct option options[] = { CONFIG_FILES_OPTIONS, OPTION_END };

const struct command command_sync = {
	.name = "sync", .args = "DIR", .least_args = 1, .most_args = 1,
	.summary = "keep a directory and the store in step until it is ended",
	.help = "A saved file is applied at once, a change in the dashboard is written to the directory. At the beginning a directory with an\n"
		"export is applied; a new one gets an export.\n",
	.options = options, .run = run,
};
