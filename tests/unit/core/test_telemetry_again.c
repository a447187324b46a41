/* Files of segments that their writer uses again: when it may, who sees what of them, and what a power cut leaves. */
#include "tests/unit/core/spool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct str path_of(struct str name, char out[200])
{
	return (struct str){ out, (size_t)snprintf(out, 200, "%s/%.*s", dir, STR_ARG(name)) };
}

static ino_t file_of(struct str name)
{
	char path[200];
	struct stat st;

	return stat(path_of(name, path).p, &st) < 0 ? 0 : st.st_ino;
}

static void put_until(struct telemetry *t, bool (*done)(void *), void *arg)
{
	for (int64_t i = 0, end = clock_mono_us() + 60000000; !done(arg); i++) {
		struct telemetry_call c = sample((int)i);

		if (!telemetry_put(t, &c) || i % 50 == 0)
			usleep(200);                 /* another thread makes the next one */
		if (clock_mono_us() > end)
			fail_msg("it never came");
	}
}

static bool two_are_filled(void *first)
{
	struct str *names;
	size_t n;

	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	*(struct str *)first = names[0];
	return n >= 4;
}

struct renamed {
	struct str before, now;
	ino_t file;
};

static bool has_another_name(void *arg)
{
	struct renamed *r = arg;
	struct str *names;
	size_t n;

	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	for (size_t i = 0; i < n; i++)
		if (!str_eq(names[i], r->before) && file_of(names[i]) == r->file) {
			r->now = names[i];
			return true;
		}
	return false;
}

/* What the keeper has stored is written anew under another name; who has it open yet finds nothing in it, and no wrong name leads to it. */
static void used_again(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 1 << 20);
	char path[200], stale[200];
	struct telemetry_call call;
	struct segment *before, *s;
	struct renamed r = { 0 };
	uint64_t offset = 0;
	bool damaged = true;

	put_until(t, two_are_filled, &r.before);
	r.file = file_of(r.before);
	assert_int_equal(segment_open(dir, r.before, &before, NULL).code, GH_OK);
	CHECK("there is something in it", segment_next(before, &offset, &call, &damaged) && !damaged);
	CHECK_INT("released", segment_release(dir, r.before, NULL).code, GH_OK);
	if (!segment_open(dir, r.before, &s, NULL).code) {   /* else it was used again at once */
		CHECK("and says so", segment_released(s) && !segment_left(s));
		segment_close(s);
	}
	put_until(t, has_another_name, &r);
	CHECK_INT("the old name is gone", file_of(r.before), 0);
	CHECK("who had it open finds nothing more", !segment_next(before, &offset, &call, &damaged) && !damaged);
	CHECK("nor waits for more", segment_finished(before) && segment_committed(before) == 0);
	segment_close(before);
	assert_int_equal(link(path_of(r.now, path).p, path_of(r.before, stale).p), 0);
	CHECK_INT("by its old name", segment_open(dir, r.before, &s, NULL).code, GH_E_NOT_FOUND);
	assert_int_equal(segment_open(dir, r.now, &s, NULL).code, GH_OK);
	CHECK("nothing is released of what it has now", !segment_released(s));
	segment_close(s);
	unlink(stale);
	telemetry_close(t);
	CHECK_INT("of a writer that is gone", segment_release(dir, r.now, NULL).code, GH_OK);
	CHECK_INT("it is removed", file_of(r.now), 0);
	check_done();
}

static void followed(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 1 << 20);
	struct str name;
	int hold;

	put_until(t, two_are_filled, &name);
	hold = segments_follow(dir);
	assert_true(hold >= 0);
	CHECK_INT("released", segment_release(dir, name, NULL).code, GH_OK);
	CHECK_INT("it is removed, its reader has it still", file_of(name), 0);
	put_until(t, two_are_filled, &name);
	close(hold);
	CHECK_INT("released", segment_release(dir, name, NULL).code, GH_OK);
	put_until(t, has_another_name, &(struct renamed){ .before = name, .file = file_of(name) });
	telemetry_close(t);
	unlink(path_of(STR(SEGMENT_FOLLOWERS), (char[200]){ 0 }).p);
	check_done();
}

static size_t n_segments(void)
{
	struct str *names;
	size_t n;

	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	arena_reset(arena);
	return n;
}

static bool eight_are_there(void *arg UNUSED)
{
	return n_segments() >= 8;
}

/* After a burst a worker holds no more files than the two at rest: they count against the limit of all workers together. */
static void at_rest(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 9 * 65536), *another = NULL;
	struct str *names;
	size_t n;

	put_until(t, eight_are_there, NULL);
	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	for (size_t i = 0; i < n; i++) {
		struct segment *s;

		assert_int_equal(segment_open(dir, names[i], &s, NULL).code, GH_OK);
		if (segment_finished(s))
			assert_int_equal(segment_release(dir, names[i], NULL).code, GH_OK);
		segment_close(s);
	}
	for (int64_t end = clock_mono_us() + 60000000; n_segments() > 2 && clock_mono_us() < end;)
		usleep(1000);
	CHECK_INT("files", n_segments(), 2);
	CHECK_INT("there is room for another worker, whose limit is less",
		  telemetry_open(dir, &(struct telemetry_options){ 65536, 4 * 65536 }, &another, NULL).code, GH_OK);
	telemetry_close(another);
	telemetry_close(t);
	check_done();
}

/* What a power cut may leave: the header of the file's new use, with the records of the one before. */
static void stale_records(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 1 << 20);
	struct renamed r = { 0 };
	struct telemetry_call call;
	struct segment_header *h;
	struct segment *s;
	uint64_t offset = 0;
	char path[200];
	bool damaged;
	int fd;

	put_until(t, two_are_filled, &r.before);
	r.file = file_of(r.before);
	assert_int_equal(segment_release(dir, r.before, NULL).code, GH_OK);
	put_until(t, has_another_name, &r);
	assert_int_equal(segment_open(dir, r.now, &s, NULL).code, GH_OK);
	assert_int_equal(segment_committed(s), 0);   /* it is the next one, nothing of it is written */
	fd = open(path_of(r.now, path).p, O_RDWR);
	h = mmap(NULL, SEGMENT_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(fd >= 0 && h != MAP_FAILED);
	atomic_store(&h->committed, 4096);
	CHECK("they are no records of it", !segment_next(s, &offset, &call, &damaged) && damaged);
	atomic_store(&h->committed, 0);
	segment_close(s);
	telemetry_close(t);                          /* removes it, for nothing is in it */
	munmap(h, SEGMENT_HEADER_BYTES);
	close(fd);
	check_done();
}

/* The other way round: the new name with the header of the use before. Nobody writes there any more, so it goes. */
static void stale_header(void **state UNUSED)
{
	struct telemetry *t = open_writer(65536, 1 << 20);
	struct str *names, stale = STR("0000000000000001-1-77.seg");
	struct telemetry_call c = sample(0);
	char from[200], to[200];
	struct segment *s;
	size_t n;

	assert_true(telemetry_put(t, &c));
	telemetry_close(t);
	assert_int_equal(segments_list(arena, dir, &names, &n, NULL).code, GH_OK);
	assert_int_equal(rename(path_of(names[0], from).p, path_of(stale, to).p), 0);
	CHECK_INT("told as damaged, so that the keeper removes it", segment_open(dir, stale, &s, NULL).code, GH_E_SYNTAX);
	check_done();
}

/* Whoever followed first, every user can hold segments back afterwards, and the keeper sees it. */
static void followed_by_another_user(void **state UNUSED)
{
	mode_t before = umask(077);
	int hold = segments_follow(dir), status = -1;
	char path[200];
	struct stat st;
	pid_t pid;

	umask(before);
	assert_true(hold >= 0);
	assert_int_equal(stat(path_of(STR(SEGMENT_FOLLOWERS), path).p, &st), 0);
	CHECK_INT("read by a keeper of any user", st.st_mode & 0777, 0644);
	close(hold);
	assert_int_equal(chmod(path, 0444), 0);      /* as it is for whom it does not belong to */
	assert_int_equal(chmod(dir, 0755), 0);
	pid = fork();
	if (!pid)
		_exit(geteuid() || (setgid(65534) == 0 && setuid(65534) == 0) ? segments_follow(dir) < 0 : 2);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	CHECK_INT("another user", status, 0);
	unlink(path);
	check_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(used_again, begin, end), cmocka_unit_test_setup_teardown(followed, begin, end),
		cmocka_unit_test_setup_teardown(followed_by_another_user, begin, end), cmocka_unit_test_setup_teardown(at_rest, begin, end),
		cmocka_unit_test_setup_teardown(stale_records, begin, end), cmocka_unit_test_setup_teardown(stale_header, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
