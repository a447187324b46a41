/* zip.c - trees as ZIP archives, by libzip. Members stand in the order of their paths with one fixed date, so that equal trees
 * give equal bytes. What comes in is bounded while it is unpacked: a member says what it likes about its size. */
#include "config/files/tree.h"

#include "core/str.h"

#include <zip.h>

/* 1 January 1980, the first day that the format knows. */
enum { DOS_DATE = 0x21, DOS_TIME = 0 };

static GH_RC failed(zip_error_t *e, const char *what, struct gh_err *err)
{
	gh_rc rc = gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%s: %s", what, zip_error_strerror(e));

	zip_error_fini(e);
	return rc;
}

static GH_RC add_all(const struct tree *t, zip_t *z, struct gh_err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct tree_file *f = &t->files[i];
		zip_source_t *source = zip_source_buffer(z, f->bytes.p ? f->bytes.p : "", f->bytes.n, 0);
		const char *name = arena_cstr(t->arena, f->path);
		zip_int64_t at = source && name ? zip_file_add(z, name, source, ZIP_FL_ENC_UTF_8) : -1;

		if (at < 0) {
			zip_source_free(source);
			FAIL(err, NOMEM, "%.*s: %s", STR_ARG(f->path), zip_strerror(z));
		}
		if (zip_file_set_dostime(z, (zip_uint64_t)at, DOS_TIME, DOS_DATE, 0) != 0 ||
		    zip_set_file_compression(z, (zip_uint64_t)at, ZIP_CM_DEFLATE, 9) != 0)
			FAIL(err, INTERNAL, "%.*s: %s", STR_ARG(f->path), zip_strerror(z));
	}
	return GH_RC_OK;
}

static GH_RC take_bytes(const struct tree *t, zip_source_t *source, struct str *out, struct gh_err *err)
{
	zip_stat_t st;
	char *bytes;

	if (zip_source_open(source) != 0)
		FAIL(err, INTERNAL, "ZIP: %s", zip_error_strerror(zip_source_error(source)));
	zip_stat_init(&st);
	bytes = zip_source_stat(source, &st) == 0 ? arena_alloc_text(t->arena, st.size) : NULL;
	if (!bytes || zip_source_read(source, bytes, st.size) != (zip_int64_t)st.size) {
		zip_source_close(source);
		FAIL(err, NOMEM, "ZIP of %llu bytes", (unsigned long long)st.size);
	}
	zip_source_close(source);
	*out = (struct str){ bytes, st.size };
	return GH_RC_OK;
}

GH_RC tree_to_zip(const struct tree *t, struct str *out, struct gh_err *err)
{
	zip_source_t *source;
	zip_error_t e;
	zip_t *z;
	gh_rc rc;

	zip_error_init(&e);
	source = zip_source_buffer_create(NULL, 0, 0, &e);
	if (!source)
		return failed(&e, "ZIP", err);
	zip_source_keep(source);                 /* closing the archive gives one reference back */
	z = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &e);
	if (!z) {
		zip_source_free(source);
		zip_source_free(source);
		return failed(&e, "ZIP", err);
	}
	rc = add_all(t, z, err);
	if (rc.code) {
		zip_discard(z);
	} else if (zip_close(z) != 0) {
		rc = gh_err_set(err, GH_E_INTERNAL, __FILE__, __LINE__, "ZIP: %s", zip_strerror(z));
		zip_discard(z);
	}
	if (!rc.code)
		rc = take_bytes(t, source, out, err);
	zip_source_free(source);
	return rc;
}

static GH_RC unpack(struct tree *t, zip_t *z, zip_uint64_t i, struct gh_err *err)
{
	const char *name = zip_get_name(z, i, 0);
	zip_file_t *f;
	zip_stat_t st;
	char *bytes;
	char more;
	bool whole;

	zip_stat_init(&st);
	if (!name || zip_stat_index(z, i, 0, &st) != 0 || !(st.valid & ZIP_STAT_SIZE))
		FAIL(err, INVALID, "member %llu of the ZIP: %s", (unsigned long long)i, zip_strerror(z));
	if (*name && name[strlen(name) - 1] == '/')
		return GH_RC_OK;                         /* a folder */
	if (st.size > FILES_ONE_MAX || st.size > FILES_BYTES_MAX - t->total)
		FAIL(err, LIMIT, "%s in the ZIP has %llu bytes, more than is taken", name, (unsigned long long)st.size);
	f = zip_fopen_index(z, i, 0);
	if (!f)
		FAIL(err, INVALID, "%s in the ZIP: %s", name, zip_strerror(z));
	bytes = arena_alloc_text(t->arena, st.size + 1);
	whole = bytes && zip_fread(f, bytes, st.size) == (zip_int64_t)st.size && zip_fread(f, &more, 1) == 0;
	if (zip_fclose(f) != 0 || !whole)
		FAIL(err, INVALID, "%s in the ZIP is damaged, or does not have the %llu bytes that it says", name, (unsigned long long)st.size);
	return tree_add(t, str_of(name), (struct str){ bytes, st.size }, err);
}

GH_RC tree_from_zip(struct tree *t, struct str bytes, struct gh_err *err)
{
	zip_source_t *source;
	gh_rc rc = GH_RC_OK;
	zip_error_t e;
	zip_t *z;

	if (bytes.n == 0)                        /* which libzip takes for an archive without members */
		FAIL(err, INVALID, "this is no ZIP: it is empty");
	zip_error_init(&e);
	source = zip_source_buffer_create(bytes.p, bytes.n, 0, &e);
	if (!source)
		return failed(&e, "ZIP", err);
	z = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &e);
	if (!z) {
		zip_source_free(source);
		return failed(&e, "this is no ZIP that can be read", err);
	}
	if (zip_get_num_entries(z, 0) > FILES_MAX)
		rc = gh_err_set(err, GH_E_LIMIT, __FILE__, __LINE__, "the ZIP has more than %d files", FILES_MAX);
	for (zip_uint64_t i = 0; !rc.code && i < (zip_uint64_t)zip_get_num_entries(z, 0); i++)
		rc = unpack(t, z, i, err);
	zip_discard(z);
	TRY(rc);
	return tree_finish(t, err);
}
