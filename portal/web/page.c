#include "portal/web/internal.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/str.h"

/* Pages: what every template may use, the page inside the layout, forms, lists. */

static void set_user(struct web *w)
{
	struct liquid_record *u;
	struct str name;

	liquid_set(w->page, "user", LIQUID_NIL_VALUE);
	if (!w->signed_in)
		return;
	u = liquid_set_record(w->page, "user");
	name = arena_printf(w->a, "%.*s %.*s", STR_ARG(w->user.first_name), STR_ARG(w->user.last_name));
	name = str_trim(name);
	liquid_set_text(u, "name", name.n ? name : w->user.email);
	liquid_set_text(u, "email", w->user.email);
	liquid_set_text(u, "role", w->user.role);
}

/* What every template of every app may use. */
static GH_RC set_common(struct web *w, struct gh_err *err)
{
	liquid_set_text(w->page, "base", w->site->base);
	liquid_set_text(w->page, "static", w->site->static_base);
	liquid_set_text(w->page, "css_version", w->site->css_version);
	liquid_set_text(w->page, "request_id", w->rq.id);
	liquid_set_text(w->page, "path", w->rq.path);
	web_assets_put(w);
	web_language_put(w);
	set_user(w);
	web_flash_show(w);
	if (w->form)
		web_csrf_prepare(w);
	liquid_set_text(w->page, "csrf", w->csrf.n ? w->csrf : STR(""));
	return w->site->app->common ? w->site->app->common(w, err) : GH_RC_OK;
}

static GH_RC render_page(struct web *w, struct str name, struct gh_err *err)
{
	struct str full = str_find_char(name, '/') != SIZE_MAX ? name : arena_printf(w->a, "%s/%.*s", w->site->app->templates, STR_ARG(name));
	struct str layout = arena_printf(w->a, "%s/layout", w->site->app->templates), content;
	struct buf body;
	gh_rc rc;

	if (!full.p || !layout.p)
		FAIL(err, NOMEM, "page");
	buf_init(&body, w->rs.body.max);
	rc = web_render(w, full.p, &body, err);
	content = rc.code ? STR("") : arena_dup(w->a, buf_view(&body));
	buf_release(&body);
	TRY(rc);
	if (!content.p)
		FAIL(err, NOMEM, "page");
	liquid_set(w->page, "content_html", liquid_of_markup((struct liquid_markup){ content }));
	return web_render(w, layout.p, &w->rs.body, err);
}

gh_rc web_page(struct web *w, const char *name, struct gh_err *err)
{
	gh_rc rc;

	TRY(set_common(w, err));
	rc = render_page(w, str_of(name), err);
	if (rc.code && web_templates_replaced(w->site->templates)) {     /* a template of the theme may be at fault */
		log_warn("page of the theme not shown, the shipped one is", KV_STR("request_id", w->rq.id), KV_CSTR("reason", err->message));
		buf_clear(&w->rs.body);
		w->shipped_only = true;
		rc = render_page(w, str_of(name), err);
	}
	TRY(rc);
	web_header(w, "Content-Type", STR("text/html; charset=utf-8"));
	web_header(w, "Content-Language", lang_code(w->lang));
	web_header(w, "Vary", STR("Accept-Language, Cookie"));
	web_header(w, "Cache-Control", w->signed_in || w->form ? STR("no-store") : STR("no-cache"));
	return GH_RC_OK;
}

/* ---- forms --------------------------------------------------------------------------------------------------------- */

struct liquid_record *web_form(struct web *w)
{
	if (!w->form) {
		w->form = liquid_set_record(w->page, "form");
		liquid_set(w->form, "error", LIQUID_NIL_VALUE);
		liquid_set_record(w->form, "values");
		liquid_set_record(w->form, "errors");
	}
	return w->form;
}

static struct liquid_record *part(struct web *w, const char *name)
{
	return liquid_record_of(web_form(w), name);
}

void web_form_problem(struct web *w, const char *english)
{
	liquid_set(web_form(w), "error", english ? liquid_of_text(web_text(w, str_of(english))) : LIQUID_NIL_VALUE);
}

void web_form_value(struct web *w, const char *field, struct str value)
{
	liquid_set_text(part(w, "values"), field, str_is_null(value) ? STR("") : value);
}

void web_form_error(struct web *w, const char *field, struct str message)
{
	for (const struct web_json_member *m = w->members; m && m->name; m++)
		if (strcmp(m->field, field) == 0) {
			web_json_field(w, m->name, arena_cstr(w->a, message));
			return;
		}
	liquid_set_text(part(w, "errors"), field, web_text(w, message));
}

size_t web_slice(struct web *w, size_t rows, size_t per_page, size_t *from)
{
	struct str page = web_param(&w->rq.query, "page");
	uint64_t n = 1;

	if (!page.n || !str_to_u64(page, 100000, &n) || !n)
		n = 1;
	*from = (size_t)(n - 1) * per_page;
	if (*from > rows)
		*from = rows;
	liquid_set_text(w->page, "search", STR(""));
	liquid_set_int(w->page, "page_number", (int64_t)n);
	liquid_set_bool(w->page, "more", rows - *from > per_page);
	return rows - *from < per_page ? rows - *from : per_page;
}

/* ---- texts --------------------------------------------------------------------------------------------------------- */

struct str web_date_en(struct arena *a, int64_t us)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char iso[CLOCK_ISO_MAX];
	uint64_t month;

	if (!us)
		return STR_NULL;
	clock_iso(us, 0, iso);                           /* 2026-11-21T05:22:07Z */
	if (!str_to_u64((struct str){ iso + 5, 2 }, 12, &month) || !month)
		return arena_dup(a, str_of(iso));
	return arena_printf(a, "%.2s %s %.4s, %.5s UTC", iso + 8, months[month - 1], iso, iso + 11);
}

struct str web_ago_en(struct arena *a, int64_t us, int64_t now_us)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400 * 365, "year" }, { 86400 * 30, "month" }, { 86400, "day" }, { 3600, "hour" }, { 60, "minute" } };
	int64_t s = (now_us - us) / 1000000;

	if (!us)
		return STR_NULL;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (s >= units[i].seconds) {
			long long n = (long long)(s / units[i].seconds);

			return arena_printf(a, "%lld %s%s ago", n, units[i].name, n == 1 ? "" : "s");
		}
	return STR("just now");
}

struct str web_number_en(struct arena *a, int64_t n)
{
	char digits[32], out[48];
	size_t len, o = 0;
	bool negative = n < 0;
	struct buf b;
	struct str s;

	buf_init(&b, sizeof(digits));
	buf_u64(&b, negative ? 0 - (uint64_t)n : (uint64_t)n);
	len = b.n < sizeof(digits) ? b.n : 0;
	if (len)
		memcpy(digits, b.p, len);
	buf_release(&b);
	if (negative)
		out[o++] = '-';
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[o++] = ',';
		out[o++] = digits[i];
	}
	s = (struct str){ out, o };
	return arena_dup(a, s);
}
