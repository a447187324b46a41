#include "portal/portal/json.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/str.h"
#include "core/yaml.h"

enum { PER_PAGE = 50, PER_PAGE_MAX = 100, PAGE_MAX = 100000, DOCUMENT_MAX = 256 << 10 };

json_t *portal_json_text(struct str s)
{
	json_t *v = s.p ? json_stringn(s.p, s.n) : json_null();

	return v ? v : json_string("\xEF\xBF\xBD");     /* what is no text must not take the whole answer away */
}

json_t *portal_json_time(int64_t us)
{
	char text[CLOCK_ISO_MAX];

	return us ? json_string(clock_iso(us, 3, text)) : json_null();
}

static size_t number(struct web *w, const char *name, size_t most, size_t otherwise)
{
	uint64_t v;

	return str_to_u64(web_param(&w->rq.query, name), most, &v) && v ? (size_t)v : otherwise;
}

struct portal_window portal_json_window(struct web *w, size_t total)
{
	struct portal_window win = { .total = total, .page = number(w, "page", PAGE_MAX, 1), .per_page = number(w, "per_page", PER_PAGE_MAX, PER_PAGE) };

	win.from = (win.page - 1) * win.per_page;
	if (win.from > total)
		win.from = total;
	win.n = total - win.from < win.per_page ? total - win.from : win.per_page;
	return win;
}

/* The address of another page, the other parameters kept as they came. */
static struct str neighbour(struct web *w, size_t page)
{
	size_t at = str_find_char(w->rq.target, '?');
	struct str query = at == SIZE_MAX ? STR("") : str_from(w->rq.target, at + 1), part, kept = STR("");

	while (query.n && str_split(&query, '&', &part))
		if (!str_starts(part, STR("page=")) && part.n)
			kept = arena_printf(w->a, "%.*s%.*s&", STR_ARG(kept), STR_ARG(part));
	return arena_printf(w->a, "%.*s?%.*spage=%zu", STR_ARG(str_first(w->rq.target, at)), STR_ARG(kept), page);
}

static void link_neighbours(struct web *w, const struct portal_window *win)
{
	bool more = win->from + win->n < win->total, less = win->page > 1;
	struct str before = less ? neighbour(w, win->page - 1) : STR(""), after = more ? neighbour(w, win->page + 1) : STR("");

	if (less || more)
		web_header(w, "Link", arena_printf(w->a, "%s%.*s%s%s%s%.*s%s", less ? "<" : "", STR_ARG(before), less ? ">; rel=\"prev\"" : "",
						   less && more ? ", " : "", more ? "<" : "", STR_ARG(after), more ? ">; rel=\"next\"" : ""));
}

gh_rc portal_json_answer(struct web *w, int status, json_t *v, struct gh_err *err)
{
	if (!jsn_keep(w->a, v))
		FAIL(err, NOMEM, "answer");
	return web_json(w, status, "application/json", v, err);
}

gh_rc portal_json_list(struct web *w, const struct portal_window *win, json_t *items, struct gh_err *err)
{
	link_neighbours(w, win);
	return portal_json_answer(w, 200, json_pack("{s:o, s:I, s:I, s:I}", "items", items, "page", (json_int_t)win->page, "perPage",
						    (json_int_t)win->per_page, "total", (json_int_t)win->total), err);
}

/* ---- the description --------------------------------------------------------------------------------------------------------- */

/* The address that the description names is the one under which it was asked for. */
gh_rc portal_api_description(struct web *w, json_t **out, struct gh_err *err)
{
	struct str path = arena_printf(w->a, "%s/www/portal-api.yaml", w->site->share_dir), text, url;
	struct text_where where;
	json_t *v;

	if (!path.p)
		FAIL(err, NOMEM, "description");
	TRY(file_read(w->a, path.p, DOCUMENT_MAX, &text, err));
	TRY(yaml_parse(text, NULL, &v, &where, err));
	if (!jsn_keep(w->a, v))
		FAIL(err, NOMEM, "description");
	url = arena_printf(w->a, "%.*s%s", STR_ARG(w->site->base), PORTAL_JSON + 1);
	json_object_set_new(v, "servers", json_pack("[{s:s%}]", "url", url.p, url.n));
	*out = v;
	return GH_RC_OK;
}

gh_rc portal_json_about(struct web *w, struct gh_err *err)
{
	json_t *v;

	TRY(portal_api_description(w, &v, err));
	TRY(web_json(w, 200, "application/vnd.oai.openapi+json;version=3.1", v, err));
	return GH_RC_OK;
}
