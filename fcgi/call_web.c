#include "fcgi/call_web.h"

#include "core/str.h"
#include "fcgi/call_gate.h"
#include "fcgi/trace_mask.h"

enum { URL_BYTES = 1024 };                       /* of one address; what is longer is cut */

/* A line: what was decoded to look for secrets may hold what ends one. False: there is no room for it. */
static bool put_line(struct buf *b, struct str text)
{
	size_t before = b->n;

	text = str_first(text, URL_BYTES);
	for (size_t i = 0; i < text.n; i++)
		buf_char(b, (unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f ? '_' : text.p[i]);
	buf_char(b, '\n');
	if (buf_ok(b))
		return true;
	b->n = before;
	b->failed = false;
	return false;
}

/* "/api/orders/{id}": what all calls of the operation have in common. */
static struct str route_of(const struct call *k)
{
	const struct route *r = k->gate ? &k->gate->route : NULL;
	struct str base = call_mount(k), path, template;
	size_t query;

	if (!r || !r->api || !r->operation)
		return STR("");
	template = r->operation->ctx.url_template;
	query = str_find_char(template, '?');
	template = query == SIZE_MAX ? template : str_first(template, query);
	path = str_eq(r->api->base_path, STR("/")) ? STR("") : r->api->base_path;
	return arena_join(k->arena, (const struct str[]){ base, path, template }, 3);
}

void call_web(struct call *k, struct buf *b)
{
	const struct url *u = &k->x.request.original_url;
	struct trace_writer w = { .k = k };
	struct str query = STR("");

	trace_hide_call(&w);
	buf_fmt(b, "%.*s %u\n", STR_ARG(u->scheme), url_port(u));
	(void)put_line(b, route_of(k));
	if (u->query.n) {
		struct str all = trace_mask_url(&w, &(struct url){ .scheme = u->scheme, .host = u->host, .path = STR("/"), .query = u->query });
		size_t mark = str_find_char(all, '?');

		query = mark == SIZE_MAX ? STR("") : str_from(all, mark + 1);
	}
	(void)put_line(b, query);
	for (unsigned i = 0; i < k->n_tried && put_line(b, trace_mask_url(&w, &k->tried[i].url)); i++)
		;
}
