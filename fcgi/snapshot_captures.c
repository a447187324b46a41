/* snapshot_captures.c - the captures that are on. */
#include "fcgi/snapshot_impl.h"

#include "core/str.h"
#include "db/captures.h"
#include "fcgi/capture.h"

static gh_rc read_marked(struct build *b, struct str text, struct mask_names *out)
{
	struct str *v = arena_alloc(b->a, CAPTURE_MARKED_MAX, sizeof(*v)), rest = text, name;

	if (!v)
		FAIL(b->err, NOMEM, "no memory for a snapshot");
	out->v = v;
	while (out->n < CAPTURE_MARKED_MAX && str_word(&rest, &name))
		TRY(build_text(b, name, &v[out->n++]));
	return GH_RC_OK;
}

gh_rc build_captures(struct build *b)
{
	struct store_capture *rows;
	struct snap_capture *v;
	size_t n;

	TRY(store_captures_on(b->store, b->rows, &rows, &n, b->err));
	v = arena_alloc(b->a, n + 1, sizeof(*v));
	if (!v)
		FAIL(b->err, NOMEM, "no memory for a snapshot");
	for (size_t i = 0; i < n; i++) {
		TRY(build_text(b, rows[i].id, &v[i].id));
		TRY(build_text(b, rows[i].api_id, &v[i].api));
		TRY(build_text(b, rows[i].subscription_id, &v[i].subscription));
		TRY(ip_set_parse(b->a, rows[i].address, &v[i].address, b->err));
		TRY(read_marked(b, rows[i].marked, &v[i].marked));
		v[i].until_us = rows[i].until_us;
		v[i].calls = (uint64_t)rows[i].calls;
		v[i].body_bytes = (size_t)rows[i].body_bytes;
	}
	b->s->captures = v;
	b->s->n_captures = n;
	return GH_RC_OK;
}
