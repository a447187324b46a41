/* The room that the keeper holds: really taken, its own, and none of a disk that has little. */
#include "tests/unit/db/fixture.h"
#include "tests/unit/keeper/own_disk.h"

#include "core/file.h"
#include "keeper/reserve.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

static const char *elsewhere = "not to be touched";

static void sparse_one(const char *path)
{
	CHECK("made", close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == 0 && truncate(path, RESERVE_BYTES) == 0);
}

static void half_of_one(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK("made", posix_fallocate(fd, 0, RESERVE_BYTES / 2) == 0);
	close(fd);
}

static void whole_one(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK("made", posix_fallocate(fd, 0, RESERVE_BYTES) == 0);
	close(fd);
}

static void link_of_somebody(const char *path)
{
	char target[PATHS_MAX + 8];
	struct gh_err err;

	snprintf(target, sizeof(target), "%s.other", path);
	CHECK("made", !file_write_atomic(target, str_of(elsewhere), 0640, &err).code && symlink(target, path) == 0);
}

static const struct row {
	const char *label, *disk;
	void (*before)(const char *path);            /* what is there when the keeper starts */
	bool full, want;
} rows[] = {
	{ "a disk with room", "size=160m", NULL, false, true },
	{ "a small disk", "size=96m", NULL, false, false },
	{ "a disk without a byte", "size=160m", NULL, true, false },
	{ "a file of holes takes no room", "size=160m", sparse_one, false, true },
	{ "a keeper was killed meanwhile", "size=160m", half_of_one, false, true },
	{ "of a keeper before, when the disk is full", "size=160m", whole_one, true, true },
	{ "half of one on a small disk", "size=96m", half_of_one, false, false },
	{ "a link of somebody", "size=160m", link_of_somebody, false, false },
};

static uint64_t free_of(const char *dir)
{
	struct statvfs fs = { 0 };

	CHECK("disk", statvfs(dir, &fs) == 0);
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

static void holds(const struct row *row, const struct reserve *r, const char *dir, uint64_t before)
{
	struct stat st = { 0 };

	CHECK(row->label, lstat(r->path, &st) == 0 && S_ISREG(st.st_mode));
	CHECK_INT(row->label, st.st_mode & 07777, 0600);
	CHECK_INT(row->label, st.st_size, RESERVE_BYTES);
	CHECK(row->label, before - free_of(dir) >= RESERVE_BYTES);
	CHECK(row->label, (int64_t)st.st_blocks * 512 >= RESERVE_BYTES);
}

struct place {
	const struct row *row;
	const char *dir;
};

static int try_row(void *arg)
{
	const struct place *at = arg;
	const struct row *row = at->row;
	struct reserve r;
	struct gh_err err;
	struct stat st;
	uint64_t before;

	check_failures = 0;                  /* those of rows before are told already */
	if (!own_disk(at->dir, row->disk))
		return NOT_ALLOWED;
	CHECK(row->label, !reserve_init(&r, at->dir, &err).code);
	before = free_of(at->dir);
	if (row->before)
		row->before(r.path);
	if (row->full)
		fill_disk(at->dir);
	CHECK_INT(row->label, reserve_hold(&r), row->want);
	CHECK_INT(row->label, reserve_hold(&r), row->want);
	if (row->want)
		holds(row, &r, at->dir, before);
	else
		CHECK(row->label, lstat(r.path, &st) < 0 || S_ISLNK(st.st_mode));
	reserve_give(&r);
	CHECK(row->label, lstat(r.path, &st) < 0);
	return check_failures ? 1 : 0;
}

static void of_every_disk(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct place at = { .row = &rows[i], .dir = f->dir };
		int said = in_child(try_row, &at);

		if (said == NOT_ALLOWED)
			check_skip("may not mount");
		CHECK_INT(rows[i].label, said, 0);
	}
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = { store_test(of_every_disk) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
