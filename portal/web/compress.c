#include "portal/web/web.h"

#include "core/str.h"

#include <zlib.h>

/* Pages are small and are left to the web server; this is for files of megabytes that we make ourselves. */

enum { WORTH_BYTES = 32 << 10, LEVEL = 4, GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };

/* "gzip" named and not with a quality of zero (RFC 9110 section 12.5.3). */
static bool takes_gzip(struct str accept)
{
	struct str rest = accept, item;

	while (rest.n && str_split(&rest, ',', &item)) {
		struct str name = str_trim(str_first(item, str_find_char(item, ';')));
		size_t q = str_find(item, STR("q="));

		if (str_eq_ci(name, STR("gzip")))
			return q == SIZE_MAX || str_find(str_from(item, q), STR("q=0.")) == 0 || !str_starts(str_from(item, q), STR("q=0"));
	}
	return false;
}

void web_compress(struct web *w)
{
	struct buf *b = &w->rs.body, out;
	z_stream z = { .next_in = Z_NULL };
	size_t most;
	char *room;
	int rc;

	web_header(w, "Vary", STR("Accept-Encoding"));
	if (b->n < WORTH_BYTES || b->n > UINT32_MAX || !takes_gzip(w->rq.accept_encoding)
	    || deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	most = deflateBound(&z, b->n);
	buf_init(&out, b->max);
	room = most <= b->max ? buf_room(&out, most) : NULL;
	if (room) {
		z.next_in = (Bytef *)b->p;
		z.avail_in = (uInt)b->n;
		z.next_out = (Bytef *)room;
		z.avail_out = (uInt)most;
		rc = deflate(&z, Z_FINISH);
		buf_wrote(&out, z.total_out);
		if (rc == Z_STREAM_END) {
			struct buf old = *b;

			*b = out;
			out = old;
			web_header(w, "Content-Encoding", STR("gzip"));
		}
	}
	(void)deflateEnd(&z);
	buf_release(&out);
}
