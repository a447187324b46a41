/* decode.c - content codings of held bodies. A client or backend that compresses does so for the wire; a policy means the
 * text. The message goes on uncompressed, which every recipient understands. */
#include "fcgi/decode.h"

#include "core/coding.h"
#include "core/str.h"

bool message_decode(struct fields *headers, struct buf *body, size_t max)
{
	struct str codings = fields_get(headers, STR("Content-Encoding"));
	enum coding_result got;
	struct buf plain;

	if (!codings.n || !body->n || fields_count(headers, STR("Content-Encoding")) != 1)
		return true;
	buf_init(&plain, max);
	got = coding_decode(codings, buf_view(body), &plain);
	if (got != CODING_DONE) {
		buf_release(&plain);
		return got != CODING_TOO_LARGE;
	}
	plain.max = body->max;
	buf_release(body);
	*body = plain;
	fields_remove(headers, STR("Content-Encoding"));
	return true;
}
