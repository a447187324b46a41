/* FastCGI records: what is reported does not depend on how the input was cut, streams keep their bytes, and pairs decode
 * to the same as they were written. First byte: size of the pieces. */
#include "fcgi/fcgi_codec.h"

#include "core/str.h"

#include <stdlib.h>

struct seen {
	uint64_t hash;
	size_t stream;
	bool bad;
};

static void mix(struct seen *s, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->hash = (s->hash ^ ((const uint8_t *)p)[i]) * 1099511628211u;
}

static struct seen run(struct str wire, size_t step)
{
	struct fcgi_reader r;
	struct seen s = { 0, 0, false };

	fcgi_reader_init(&r);
	while (wire.n && !s.bad) {
		struct str in = str_first(wire, step);

		wire = str_from(wire, in.n);
		for (;;) {
			struct fcgi_event ev = fcgi_read(&r, &in);

			if (ev.kind == FCGI_EV_MORE)
				break;
			if (ev.kind == FCGI_EV_PARAMS || ev.kind == FCGI_EV_STDIN) {
				s.stream += ev.bytes.n;
				mix(&s, ev.bytes.p, ev.bytes.n);
				continue;
			}
			mix(&s, &ev.kind, sizeof(ev.kind));
			if (ev.kind == FCGI_EV_GET_VALUES)
				mix(&s, ev.bytes.p, ev.bytes.n);
			if (ev.kind == FCGI_EV_STDIN_END)
				fcgi_reader_request_over(&r);
			s.bad = ev.kind == FCGI_EV_BAD;
			if (s.bad)
				break;
		}
		if (!s.bad && in.n)
			abort();         /* MORE means that all input was used up */
	}
	return s;
}

static void pairs(struct str bytes)
{
	struct str rest = bytes, name, value, name2, value2;
	struct buf b;

	buf_init(&b, 1 << 20);
	while (fcgi_pair_next(&rest, &name, &value) == FCGI_PAIR_OK) {
		struct str back;

		buf_clear(&b);
		fcgi_pair_write(&b, name, value);
		back = buf_view(&b);
		if (fcgi_pair_next(&back, &name2, &value2) != FCGI_PAIR_OK || !str_eq(name, name2) || !str_eq(value, value2)
		    || back.n)
			abort();
	}
	buf_clear(&b);
	fcgi_write_values(&b, bytes, 10);
	if (!buf_ok(&b))
		abort();
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str wire = { (const char *)data + 1, n - 1 };
	struct seen a, b;

	if (!n)
		return 0;
	a = run(wire, SIZE_MAX / 2);
	b = run(wire, data[0] % 16u + 1);
	if (a.hash != b.hash || a.stream != b.stream || a.bad != b.bad)
		abort();
	pairs(wire);
	return 0;
}
