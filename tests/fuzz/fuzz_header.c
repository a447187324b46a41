/* Header handling on both sides of the worker: parameters of a request (with all of its checks), and the framing of a
 * backend's response, which must not depend on how it was cut. First byte: which, and size of the pieces. */
#include "fcgi/call_request.h"
#include "fcgi/http1.h"

#include "core/str.h"

#include <stdlib.h>

static struct worker worker;

static void request(struct str params)
{
	struct call k = { .wk = &worker };
	enum reason why;

	worker.limits.uri_bytes = 1000;
	worker.limits.max_body = 1 << 20;
	k.arena = k.x.arena = arena_new(1 << 20);
	buf_init(&k.params, 65536);
	call_params(&k, params);
	why = call_request_read(&k);
	if (!k.x.request_id.n || !request_id_ok(k.x.request_id))
		abort();
	for (size_t i = 0; i < k.x.request.headers.n; i++) {
		const struct field *f = &k.x.request.headers.v[i];

		if (!field_name_ok(f->name) || !field_value_ok(f->value))
			abort();         /* something that could split a field would go on */
	}
	if (why == REASON_NONE
	    && (k.x.request.original_url.path.p[0] != '/' || str_find(k.x.request.original_url.path, STR("/../")) != SIZE_MAX
		|| !method_ok(k.x.request.method) || !k.x.request.original_url.host.n))
		abort();
	buf_release(&k.params);
	arena_free(k.arena);
}

static uint64_t response(struct str wire, size_t step)
{
	struct http1_reader r;
	uint64_t hash = 0;

	http1_init(&r, 256);
	while (wire.n) {
		struct str in = str_first(wire, step);

		wire = str_from(wire, in.n);
		for (;;) {
			struct http1_event ev = http1_read(&r, &in);

			if (ev.kind == HTTP1_MORE)
				break;
			for (size_t i = 0; i < ev.bytes.n; i++)
				hash = (hash ^ (uint8_t)ev.bytes.p[i]) * 1099511628211u;
			if (ev.kind == HTTP1_HEAD) {
				size_t sum = ev.bytes.n;

				http1_framing(&r, (enum http1_framing)(sum % 5), sum);
			} else if (ev.kind != HTTP1_BODY) {
				hash = hash * 31 + ev.kind;
				goto end;
			}
		}
	}
	hash = hash * 31 + http1_closed(&r);
end:
	http1_release(&r);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str rest = { (const char *)data + 1, n - 1 };

	if (!n)
		return 0;
	if (data[0] & 0x80)
		request(rest);
	else if (response(rest, SIZE_MAX / 2) != response(rest, data[0] % 16u + 1))
		abort();
	return 0;
}
