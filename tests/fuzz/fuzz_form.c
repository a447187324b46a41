/* What browsers and API descriptions bring to the web apps: queries, cookies, uploads, Markdown, XML. The first byte says
 * as what the rest is read. Values that come out are UTF-8 without zero bytes, and coloured XML has lost no byte. */
#include "core/str.h"
#include "portal/web/highlight.h"
#include "portal/web/markdown.h"
#include "portal/web/params.h"

#include <stdlib.h>

enum { FIELDS = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_params(const struct web_params *p, gh_rc rc)
{
	if (p->n > FIELDS)
		abort();
	for (size_t i = 0; i < p->n && !rc.code; i++)
		if (!utf8_valid(p->v[i].value) || memchr(p->v[i].value.p, 0, p->v[i].value.n))
			abort();
}

static void read_xml(struct arena *a, struct str in)
{
	static const struct str source = STR_INIT("{% for w in words %}{{ w.text }}{% endfor %}");
	struct liquid_record *page = liquid_record_new(a);
	const struct liquid_env env = { .globals = liquid_of_record(page) };
	const struct liquid_template *t;
	struct buf out;

	buf_init(&out, 1 << 20);
	liquid_set(page, "words", web_highlight_xml(a, in));
	if (liquid_parse(a, STR("t"), source, NULL, &t, NULL).code)
		abort();
	if (!liquid_render(t, &env, a, &out, NULL).code && !str_eq(buf_view(&out), in))
		abort();
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct str in = { (const char *)bytes + 1, n - 1 }, path;
	struct liquid_value nodes;
	struct web_params p;
	struct arena *a;

	if (n < 1 || n > 1 << 16)
		return 0;
	a = arena_new(32 << 20);
	web_params_init(&p, FIELDS);
	switch (bytes[0] % 6) {
	case 0:
		check_params(&p, web_params_urlencoded(&p, a, in, NULL));
		break;
	case 1:
		check_params(&p, web_params_cookies(&p, a, in, NULL));
		break;
	case 2:
		check_params(&p, web_params_multipart(&p, a, STR("multipart/form-data; boundary=b"), in, NULL));
		break;
	case 3:
		if (web_markdown(a, in, &nodes, NULL).code == GH_E_INTERNAL)
			abort();
		break;
	case 4:
		if (web_path_decode(a, in, &path) && !utf8_valid(path))
			abort();
		break;
	default:
		read_xml(a, in);
		break;
	}
	arena_free(a);
	return 0;
}
