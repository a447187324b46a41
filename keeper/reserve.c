#include "keeper/reserve.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PLENTY = 8 };                         /* times its own size free: whose disk is nearly full needs every byte */

GH_RC reserve_init(struct reserve *r, const char *state_dir, struct gh_err *err)
{
	r->there = false;
	return paths_join(r->path, state_dir, "reserve", err);
}

/* Left there by a keeper before; one that was killed while it made it left a smaller one. */
static bool is_whole(const struct reserve *r)
{
	struct stat st;

	return lstat(r->path, &st) == 0 && S_ISREG(st.st_mode) && (int64_t)st.st_blocks * 512 >= RESERVE_BYTES;
}

/* What is free on a file system for whoever is not root. */
static uint64_t free_bytes(const struct statvfs *fs)
{
	return (uint64_t)fs->f_bavail * fs->f_frsize;
}

bool reserve_hold(struct reserve *r)
{
	struct statvfs fs;
	int fd;

	if (r->there || (r->there = is_whole(r)))
		return true;
	fd = open(r->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);     /* blocks that are there may have to be read (NFS) */
	if (fd < 0)
		return false;
	r->there = fstatvfs(fd, &fs) == 0 && free_bytes(&fs) >= (uint64_t)PLENTY * RESERVE_BYTES
		   && posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
	close(fd);
	if (!r->there)
		unlink(r->path);
	return r->there;
}

void reserve_give(struct reserve *r)
{
	unlink(r->path);
	r->there = false;
}

bool reserve_is_low(const struct reserve *r)
{
	char dir[PATHS_MAX];
	struct statvfs fs;

	snprintf(dir, sizeof(dir), "%s", r->path);
	*strrchr(dir, '/') = '\0';
	return statvfs(dir, &fs) || free_bytes(&fs) < RESERVE_BYTES / 2;
}
