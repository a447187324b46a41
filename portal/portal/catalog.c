/* catalog.c - the front page, the list of APIs with its filters, and the search.
 *
 * Of a version set the list shows one member, unless the list is narrowed to a state. Without a word to look for it is
 * by name and in pages; with one the best results stand first, APIs, operations and products apart, each with the
 * words that were found marked. */
#include "portal/portal/catalog.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/str.h"
#include "core/uri.h"
#include "portal/web/markdown.h"

enum { HOME_APIS = 6, HOME_NEWS = 5, LIST_APIS = 60, TAGS_SHOWN = 24, FOUND_APIS = 24, FOUND_ROWS = 500, FOUND_OPERATIONS = 30, FOUND_PRODUCTS = 12 };

/* What the address asks for. The words of states are those of the page. */
struct wish {
	struct str search, tag, state;
	struct store_catalog_filter f;
};

static const struct {
	struct str value, label;
	int64_t state;
} states[] = {
	{ STR_INIT("preview"), STR_INIT("Preview"), STORE_API_PREVIEW },
	{ STR_INIT("current"), STR_INIT("Current"), STORE_API_PUBLISHED },
	{ STR_INIT("deprecated"), STR_INIT("Deprecated"), STORE_API_DEPRECATED },
	{ STR_INIT("retired"), STR_INIT("Retired"), STORE_API_RETIRED },
};

/* ---- rows -------------------------------------------------------------------------------------------------------------- */

void portal_put_life(struct web *w, struct liquid_record *r, const struct portal_life *life, int64_t now_us)
{
	const struct store_api api = { .state = life->state, .deprecated_us = life->deprecated_us, .sunset_us = life->sunset_us };
	enum store_api_state state = store_api_state_at(&api, now_us);

	liquid_set_text(r, "state", str_of(store_api_state_names[state]));
	liquid_set_text(r, "deprecated_on", life->deprecated_us ? web_date(w, life->deprecated_us) : STR(""));
	liquid_set_text(r, "sunset_on", life->sunset_us ? web_date(w, life->sunset_us) : STR(""));
	liquid_set_bool(r, "deprecated_later", life->deprecated_us > now_us);
}

/* What of a piece of Markdown is text: a piece is no whole paragraph that could be read as one. Of links the address goes. */
static bool is_text(char c, char next, bool *address)
{
	if (*address) {
		*address = c != ')';
		return false;
	}
	*address = c == ']' && next == '(';
	return !strchr("*`#[]|", c);
}

static void put_piece(struct arena *a, struct liquid_list *list, struct buf *b, bool hit)
{
	struct liquid_record *piece = b->n ? liquid_push_record(list) : NULL;

	if (piece) {
		liquid_set_text(piece, "text", arena_dup(a, buf_view(b)));
		liquid_set_bool(piece, "hit", hit);
	}
	buf_clear(b);
}

/* The text in pieces, each found or not. */
static void put_marked(struct arena *a, struct liquid_record *r, const char *name, struct str text)
{
	struct liquid_list *list = liquid_set_list(r, name);
	bool hit = false, blank = true, address = false;
	struct buf b;

	buf_init(&b, 16384);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == STORE_MARK_ON || c == STORE_MARK_OFF) {
			put_piece(a, list, &b, hit);
			hit = c == STORE_MARK_ON;
		} else if (!is_text(c, i + 1 < text.n ? text.p[i + 1] : ' ', &address)) {
			continue;
		} else if ((unsigned char)c > ' ') {
			buf_char(&b, c);
			blank = false;
		} else if (!blank) {
			buf_char(&b, ' ');
			blank = true;
		}
	}
	put_piece(a, list, &b, hit);
	buf_release(&b);
}

/* `found`: name and description are marked texts of a result. */
static void put_row(struct web *w, struct liquid_record *r, const struct store_catalog_row *row, bool found, int64_t now_us)
{
	struct str name = row->name.n ? row->name : row->id;

	liquid_set_text(r, "id", row->id);
	liquid_set_text(r, "path", row->path);
	liquid_set_text(r, "version", row->version.n ? row->version : STR(""));
	liquid_set_bool(r, "needs_key", row->subscription_required);
	liquid_set_bool(r, "found", found);
	liquid_set_text(r, "name", name);
	liquid_set_text(r, "summary", found ? STR("") : web_markdown_summary(w->a, row->description));
	put_marked(w->a, r, "name_parts", found ? name : STR(""));
	put_marked(w->a, r, "summary_parts", found ? row->description : STR(""));
	portal_put_life(w, r, &(struct portal_life){ row->state, row->deprecated_us, row->sunset_us }, now_us);
}

/* ---- one of each version set ------------------------------------------------------------------------------------------- */

int portal_version_cmp(struct str a, struct str b)
{
	while (a.n && b.n) {
		size_t na = 0, nb = 0;

		while (na < a.n && ascii_is_digit(a.p[na]))
			na++;
		while (nb < b.n && ascii_is_digit(b.p[nb]))
			nb++;
		if (na && nb) {
			struct str x = str_first(a, na), y = str_first(b, nb);
			int c;

			while (x.n > 1 && x.p[0] == '0')
				x = str_from(x, 1);
			while (y.n > 1 && y.p[0] == '0')
				y = str_from(y, 1);
			c = x.n != y.n ? (x.n > y.n) - (x.n < y.n) : str_cmp(x, y);
			if (c)
				return c;
			a = str_from(a, na);
			b = str_from(b, nb);
		} else if (ascii_lower(a.p[0]) != ascii_lower(b.p[0])) {
			return (unsigned char)ascii_lower(a.p[0]) < (unsigned char)ascii_lower(b.p[0]) ? -1 : 1;
		} else {
			a = str_from(a, 1);
			b = str_from(b, 1);
		}
	}
	return (a.n > 0) - (b.n > 0);
}

/* The higher the better: what is current, then what comes, then what goes. */
static int rank_of(const struct store_catalog_row *row, int64_t now_us)
{
	static const int ranks[] = { [STORE_API_PUBLISHED] = 3, [STORE_API_PREVIEW] = 2, [STORE_API_DEPRECATED] = 1 };
	const struct store_api api = { .state = row->state, .sunset_us = row->sunset_us };
	enum store_api_state state = store_api_state_at(&api, now_us);

	return (size_t)state < ARRAY_LEN(ranks) ? ranks[state] : 0;
}

static bool better(const struct store_catalog_row *x, const struct store_catalog_row *y, int64_t now_us)
{
	int a = rank_of(x, now_us), b = rank_of(y, now_us);

	return a != b ? a > b : portal_version_cmp(x->version, y->version) > 0;
}

static GH_RC one_of_each_set(struct web *w, struct store_catalog_row *rows, size_t *n, int64_t now_us, struct gh_err *err)
{
	struct map best;
	size_t kept = 0;

	map_init(&best, w->a, false);
	for (size_t i = 0; i < *n; i++) {
		const struct store_catalog_row *other = rows[i].version_set_id.n ? map_get(&best, rows[i].version_set_id) : NULL;

		if (rows[i].version_set_id.n && (!other || better(&rows[i], other, now_us))
		    && !map_put(&best, rows[i].version_set_id, &rows[i]))
			FAIL(err, NOMEM, "versions");
	}
	/* who is best is asked before the row moves to its new place */
	for (size_t i = 0; i < *n; i++) {
		bool stays = !rows[i].version_set_id.n || map_get(&best, rows[i].version_set_id) == &rows[i];

		if (stays)
			rows[kept++] = rows[i];
	}
	*n = kept;
	return GH_RC_OK;
}

/* ---- filters ----------------------------------------------------------------------------------------------------------- */

static struct str asked(struct web *w, const char *name, size_t most)
{
	struct str value = str_trim(web_param(&w->rq.query, name));

	value = str_first(value.p ? value : STR(""), most);
	while (value.n && !utf8_valid(value))
		value.n--;               /* cut within a character */
	return value;
}

static struct wish wish_of(struct web *w)
{
	struct wish wish = { .search = asked(w, "q", STORE_SEARCH_TEXT_MAX), .tag = asked(w, "tag", STORE_TAG_MAX), .state = STR("") };
	struct str state = asked(w, "state", 20);

	wish.f = (struct store_catalog_filter){ .user_id = portal_viewer(w), .tag = wish.tag, .state = -1, .now_us = clock_wall_us() };
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (str_eq(state, states[i].value)) {
			wish.state = state;
			wish.f.state = states[i].state;
		}
	return wish;
}

static void add_param(struct web *w, struct buf *b, const char *name, struct str value)
{
	if (value.n)
		buf_fmt(b, "%s%s=%.*s", b->n && b->p[b->n - 1] != '?' ? "&" : "", name,
			STR_ARG(uri_encode(w->a, value, URI_KEEP_UNRESERVED)));
}

/* "apis?q=…&tag=…" with some of it replaced: an address of this page. */
static struct str address_of(struct web *w, const struct wish *wish, struct str tag, uint64_t page)
{
	struct str out;
	struct buf b;

	buf_init(&b, 4096);
	buf_fmt(&b, "%.*sapis?", STR_ARG(w->site->base));
	add_param(w, &b, "q", wish->search);
	add_param(w, &b, "tag", tag);
	add_param(w, &b, "state", wish->state);
	if (page > 1)
		add_param(w, &b, "page", arena_printf(w->a, "%llu", (unsigned long long)page));
	if (b.n && b.p[b.n - 1] == '?')
		b.n--;
	out = arena_dup(w->a, buf_view(&b));
	buf_release(&b);
	return out;
}

static GH_RC put_filters(struct web *w, const struct wish *wish, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "states");
	struct store_catalog_tag *tags;
	bool listed = false;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct liquid_record *r = liquid_push_record(l);

		liquid_set_text(r, "value", states[i].value);
		liquid_set_text(r, "label", web_text(w, states[i].label));
		liquid_set_bool(r, "here", str_eq(states[i].value, wish->state));
	}
	TRY(store_catalog_tags(w->site->store, w->a, &wish->f, TAGS_SHOWN, &tags, &n, err));
	l = liquid_set_list(w->page, "tags");
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(l);
		bool here = str_eq(tags[i].tag, wish->tag);

		listed = listed || here;
		liquid_set_text(r, "tag", tags[i].tag);
		liquid_set_int(r, "apis", tags[i].apis);
		liquid_set_bool(r, "here", here);
		liquid_set_text(r, "href", address_of(w, wish, here ? STR("") : tags[i].tag, 1));
	}
	liquid_set_text(w->page, "search", wish->search);
	liquid_set_text(w->page, "tag", wish->tag);
	liquid_set_bool(w->page, "tag_listed", listed || !wish->tag.n);
	liquid_set_text(w->page, "state", wish->state);
	liquid_set_bool(w->page, "filtered", wish->tag.n || wish->state.n);
	return GH_RC_OK;
}

/* ---- pages ------------------------------------------------------------------------------------------------------------- */

static GH_RC load_list(struct web *w, const struct wish *wish, struct store_catalog_row **rows, size_t *n, struct gh_err *err)
{
	TRY(store_catalog_list(w->site->store, w->a, &wish->f, rows, n, err));
	return wish->f.state < 0 ? one_of_each_set(w, *rows, n, wish->f.now_us, err) : GH_RC_OK;
}

static GH_RC list(struct web *w, const struct wish *wish, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "apis");
	struct store_catalog_row *rows;
	size_t n, from, shown;

	TRY(load_list(w, wish, &rows, &n, err));
	liquid_set_int(w->page, "found", (int64_t)n);
	shown = web_slice(w, n, LIST_APIS, &from);
	TRY(store_catalog_describe(w->site->store, w->a, rows + from, shown, err));
	for (size_t i = from; i < from + shown; i++)
		put_row(w, liquid_push_record(l), &rows[i], false, wish->f.now_us);
	liquid_set_text(w->page, "search", wish->search);        /* web_slice has one of its own */
	liquid_set_text(w->page, "previous_href", address_of(w, wish, wish->tag, from / LIST_APIS));
	liquid_set_text(w->page, "next_href", address_of(w, wish, wish->tag, from / LIST_APIS + 2));
	return GH_RC_OK;
}

static GH_RC find_operations(struct web *w, const struct wish *wish, struct str query, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "operations");
	struct store_catalog_operation *ops;
	size_t n;

	TRY(store_catalog_find_operations(w->site->store, w->a, &wish->f, query, FOUND_OPERATIONS + 1, &ops, &n, err));
	liquid_set_bool(w->page, "more_operations", n > FOUND_OPERATIONS);
	for (size_t i = 0; i < n && i < FOUND_OPERATIONS; i++) {
		struct liquid_record *r = liquid_push_record(l);

		liquid_set_text(r, "api_id", ops[i].api_id);
		liquid_set_text(r, "api_name", ops[i].api_name.n ? ops[i].api_name : ops[i].api_id);
		liquid_set_text(r, "version", ops[i].version);
		liquid_set_text(r, "id", ops[i].id);
		liquid_set_text(r, "method", ops[i].method);
		liquid_set_text(r, "template", ops[i].uri_template);
		put_marked(w->a, r, "name_parts", ops[i].name.n ? ops[i].name : ops[i].id);
		put_marked(w->a, r, "summary_parts", ops[i].description);
	}
	return GH_RC_OK;
}

/* Products have neither tag nor state: who narrows the search by one looks for APIs. */
static GH_RC find_products(struct web *w, const struct wish *wish, struct str query, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "products");
	struct store_catalog_product *products;
	size_t n = 0;

	if (!wish->tag.n && !wish->state.n)
		TRY(store_catalog_find_products(w->site->store, w->a, &wish->f, query, FOUND_PRODUCTS, &products, &n, err));
	for (size_t i = 0; i < n; i++) {
		struct liquid_record *r = liquid_push_record(l);

		liquid_set_text(r, "id", products[i].id);
		liquid_set_text(r, "place", portal_product_place(products[i].kind));
		liquid_set_bool(r, "group", products[i].kind == STORE_KIND_API_GROUP);
		put_marked(w->a, r, "name_parts", products[i].name.n ? products[i].name : products[i].id);
		put_marked(w->a, r, "summary_parts", products[i].description);
	}
	return GH_RC_OK;
}

static GH_RC results(struct web *w, const struct wish *wish, struct str query, struct gh_err *err)
{
	struct liquid_list *l = liquid_set_list(w->page, "apis");
	struct store_catalog_row *rows;
	size_t n;

	TRY(store_catalog_find_apis(w->site->store, w->a, &wish->f, query, FOUND_APIS + 1, &rows, &n, err));
	liquid_set_bool(w->page, "more_apis", n > FOUND_APIS);
	if (wish->f.state < 0)
		TRY(one_of_each_set(w, rows, &n, wish->f.now_us, err));
	for (size_t i = 0; i < n && i < FOUND_APIS; i++)
		put_row(w, liquid_push_record(l), &rows[i], true, wish->f.now_us);
	TRY(find_operations(w, wish, query, err));
	return find_products(w, wish, query, err);
}

gh_rc portal_catalog_rows(struct web *w, struct store_catalog_row **rows, size_t *n, struct gh_err *err)
{
	struct wish wish = wish_of(w);
	struct str query = store_catalog_query(w->a, wish.search);

	*n = 0;
	if (!wish.search.n)
		return load_list(w, &wish, rows, n, err);
	if (!query.p)                    /* nothing in it is a word */
		return GH_RC_OK;
	TRY(store_catalog_find_apis(w->site->store, w->a, &wish.f, query, FOUND_ROWS, rows, n, err));
	return wish.f.state < 0 ? one_of_each_set(w, *rows, n, wish.f.now_us, err) : GH_RC_OK;
}

gh_rc portal_apis(struct web *w, struct gh_err *err)
{
	struct wish wish = wish_of(w);
	struct str query = store_catalog_query(w->a, wish.search);

	web_title(w, wish.search.n ? "Search" : "APIs");
	TRY(put_filters(w, &wish, err));
	if (!wish.search.n) {
		TRY(list(w, &wish, err));
		return web_page(w, "apis", err);
	}
	if (query.p) {
		TRY(results(w, &wish, query, err));
	} else {                         /* nothing in it is a word */
		liquid_set_list(w->page, "apis");
		liquid_set_list(w->page, "operations");
		liquid_set_list(w->page, "products");
	}
	return web_page(w, "search", err);
}

gh_rc portal_home(struct web *w, struct gh_err *err)
{
	struct wish wish = { .search = STR(""), .f = { .user_id = portal_viewer(w), .state = -1, .now_us = clock_wall_us() } };
	struct liquid_list *l = liquid_set_list(w->page, "apis");
	struct store_catalog_row *rows;
	size_t n;

	TRY(load_list(w, &wish, &rows, &n, err));
	TRY(store_catalog_describe(w->site->store, w->a, rows, n < HOME_APIS ? n : HOME_APIS, err));
	for (size_t i = 0; i < n && i < HOME_APIS; i++)
		put_row(w, liquid_push_record(l), &rows[i], false, wish.f.now_us);
	liquid_set_int(w->page, "found", (int64_t)n);
	liquid_set_int(w->page, "not_shown", n > HOME_APIS ? (int64_t)(n - HOME_APIS) : 0);
	liquid_set_text(w->page, "search", STR(""));
	TRY(portal_put_news(w, HOME_NEWS, 0, err));
	liquid_set(w->page, "title", LIQUID_NIL_VALUE);
	return web_page(w, "home", err);
}
