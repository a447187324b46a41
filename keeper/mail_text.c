/* mail_text.c - from a template and its data to the bytes of a message.
 *
 * Parts are sent in base64: no line is too long, none begins with a dot, nothing depends on what a relay does to 8-bit text. */
#include "keeper/mail.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/liquid.h"
#include "core/log.h"
#include "core/map.h"
#include "core/str.h"

#include <time.h>
#include <unistd.h>

enum { TEMPLATE_MAX = 64 * 1024, MAIL_MAX = 1 << 20, BASE64_LINE = 76, WORD_BYTES = 45 };

/* Of the theme where it has one; the shipped ones are kept for the mail that a template of the theme cannot make. */
struct mail_templates {
	struct map by_name;              /* file name -> struct liquid_template */
	struct map shipped;
	const struct langs *langs;
	bool replaced;
};

/* ---- templates ------------------------------------------------------------------------------------------------------- */

static gh_rc parse_one(struct arena *a, struct str path, const struct liquid_template **out, struct gh_err *err)
{
	const struct liquid_options options = { .html = str_ends(path, STR(".html")), .texts = true, .strict_names = true };
	struct str text;

	TRY(file_read(a, path.p, TEMPLATE_MAX, &text, err));
	TRY(liquid_parse(a, path, text, &options, out, err));
	if (!options.html && !str_starts(text, STR("Subject: ")))
		FAIL(err, INVALID, "%s:1: the first line of a mail is \"Subject: \" and a subject", path.p);
	return GH_RC_OK;
}

static gh_rc load_one(struct mail_templates *t, struct arena *a, const struct theme *theme, struct str file, struct gh_err *err)
{
	const struct liquid_template *parsed;
	struct str own, shipped;

	TRY(theme_paths(theme, a, arena_printf(a, "templates/mail/%.*s", STR_ARG(file)), &own, &shipped, err));
	if (access(shipped.p, F_OK) == 0) {
		TRY(parse_one(a, shipped, &parsed, err));
		if (!map_put(&t->by_name, file, (void *)parsed) || !map_put(&t->shipped, file, (void *)parsed))
			FAIL(err, NOMEM, "mail templates");
	}
	if (!own.p)
		return GH_RC_OK;
	if (parse_one(a, own, &parsed, err).code) {
		theme_problem(theme, own, err->message);
		return GH_RC_OK;
	}
	t->replaced = true;
	if (!map_put(&t->by_name, file, (void *)parsed))
		FAIL(err, NOMEM, "mail templates");
	return GH_RC_OK;
}

static gh_rc check_pairs(const struct mail_templates *t, struct arena *a, struct gh_err *err)
{
	const struct map_slot *slot;

	if (!map_get(&t->by_name, STR("layout.html")))
		FAIL(err, INVALID, "templates/mail/layout.html is missing");
	for (size_t i = 0; (slot = map_next(&t->by_name, &i));) {
		struct str stem = slot->key;

		if (!str_ends(stem, STR(".txt")))
			continue;
		stem.n -= 4;
		if (!map_get(&t->by_name, arena_printf(a, "%.*s.html", STR_ARG(stem))))
			FAIL(err, INVALID, "templates/mail/%.*s.txt has no %.*s.html beside it", STR_ARG(stem), STR_ARG(stem));
	}
	return GH_RC_OK;
}

GH_RC mail_templates_load(struct arena *a, const struct theme *theme, struct mail_templates **out, struct gh_err *err)
{
	static const char *const endings[] = { ".txt", ".html" };
	struct mail_templates *t = arena_new_of(a, struct mail_templates);
	struct str *names;
	size_t n;

	if (!t)
		FAIL(err, NOMEM, "mail templates");
	map_init(&t->by_name, a, false);
	map_init(&t->shipped, a, false);
	for (size_t k = 0; k < ARRAY_LEN(endings); k++) {
		TRY(theme_folder(theme, a, "templates/mail", endings[k], &names, &n, err));
		for (size_t i = 0; i < n; i++)
			TRY(load_one(t, a, theme, names[i], err));
	}
	TRY(langs_load(a, theme, &t->langs, err));
	*out = t;
	return check_pairs(t, a, err);
}

const struct lang *mail_language(const struct mail_templates *t, const struct str *chosen, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (chosen[i].n && langs_find(t->langs, chosen[i]))
			return langs_find(t->langs, chosen[i]);
	return langs_english(t->langs);
}

/* One mail being rendered. */
struct rendering {
	const struct map *templates;
	const struct lang *lang;
	struct liquid_record *page;
};

static gh_rc render(const struct rendering *r, struct arena *a, struct str file, struct str *out, struct gh_err *err)
{
	const struct liquid_template *parsed = map_get(r->templates, file);
	const struct liquid_env env = { .globals = liquid_of_record(r->page), .lang = r->lang };
	struct buf b;
	gh_rc rc;

	if (!parsed)
		FAIL(err, NOT_FOUND, "there is no mail template '%.*s'", STR_ARG(file));
	buf_init(&b, MAIL_MAX);
	rc = liquid_render(parsed, &env, a, &b, err);
	if (!rc.code) {
		*out = arena_dup(a, buf_view(&b));
		if (!out->p)
			rc = gh_err_set(err, GH_E_NOMEM, __FILE__, __LINE__, "mail");
	}
	buf_release(&b);
	return rc;
}

static gh_rc render_all(const struct rendering *r, struct arena *a, struct str name, struct mail_text *out, struct gh_err *err)
{
	struct str content;
	size_t end;

	TRY(render(r, a, arena_printf(a, "%.*s.txt", STR_ARG(name)), &out->text, err));
	end = str_find_char(out->text, '\n');
	out->subject = str_trim(str_from(str_first(out->text, end), strlen("Subject: ")));
	out->text = str_trim(end == SIZE_MAX ? STR("") : str_from(out->text, end));
	liquid_set_text(r->page, "subject", out->subject);
	TRY(render(r, a, arena_printf(a, "%.*s.html", STR_ARG(name)), &content, err));
	liquid_set(r->page, "content_html", liquid_of_markup((struct liquid_markup){ content }));
	return render(r, a, STR("layout.html"), &out->html, err);
}

GH_RC mail_render(const struct mail_templates *t, struct arena *a, struct str name, struct str data, struct str site_title,
		  struct str base, const struct lang *lang, struct mail_text *out, struct gh_err *err)
{
	const struct jsn_limits limits = { .max_bytes = MAIL_MAX, .max_depth = 16 };
	struct rendering r = { &t->by_name, lang, liquid_record_new(a) };
	const char *key;
	json_t *values, *v;
	gh_rc rc;

	TRY(jsn_parse_in(a, data, &limits, &values, NULL, err));
	json_object_foreach(values, key, v)
		liquid_set(r.page, key, liquid_of_json(v));
	liquid_set_text(r.page, "site_title", site_title);
	liquid_set_text(r.page, "base", base);
	liquid_set_text(r.page, "lang", lang_code(lang));
	rc = render_all(&r, a, name, out, err);
	if (rc.code && t->replaced) {
		log_warn("mail of the theme not made, the shipped one is", KV_STR("template", name), KV_CSTR("reason", err->message));
		r.templates = &t->shipped;
		rc = render_all(&r, a, name, out, err);
	}
	return rc;
}

/* ---- the message ----------------------------------------------------------------------------------------------------- */

struct str mail_address(struct str from)
{
	size_t open = str_find_char(from, '<'), close = str_find_char(from, '>');

	if (open != SIZE_MAX && close != SIZE_MAX && close > open)
		from = str_first(str_from(from, open + 1), close - open - 1);
	from = str_trim(from);
	return str_find_char(from, '@') == SIZE_MAX ? STR_NULL : from;
}

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || (unsigned char)s.p[i] > '~')
			return false;
	return !str_starts(s, STR("=?"));
}

/* A header's text: as it is, or in encoded words (RFC 2047) that do not cut a character. */
static void put_words(struct buf *b, struct arena *a, struct str s)
{
	bool first = true;

	if (is_plain(s)) {
		buf_str(b, s);
		return;
	}
	while (s.n) {
		size_t n = 0;

		while (n < s.n) {
			unsigned one = utf8_decode(str_from(s, n), NULL);

			if (n + (one ? one : 1) > WORD_BYTES)
				break;
			n += one ? one : 1;
		}
		buf_fmt(b, "%s=?UTF-8?B?%.*s?=", first ? "" : "\r\n ", STR_ARG(crypto_base64(a, str_first(s, n))));
		s = str_from(s, n);
		first = false;
	}
}

/* "Name <address>" with the name in encoded words where it needs them. */
static void put_mailbox(struct buf *b, struct arena *a, struct str box)
{
	struct str address = mail_address(box);
	size_t open = str_find_char(box, '<');
	struct str name = open == SIZE_MAX ? STR("") : str_trim(str_first(box, open));

	if (name.n >= 2 && name.p[0] == '"' && name.p[name.n - 1] == '"')
		name = str_first(str_from(name, 1), name.n - 2);
	if (!name.n) {
		buf_str(b, address);
		return;
	}
	if (is_plain(name) && str_find_char(name, '"') == SIZE_MAX && str_find_char(name, '\\') == SIZE_MAX)
		buf_fmt(b, "\"%.*s\"", STR_ARG(name));
	else
		put_words(b, a, name);
	buf_fmt(b, " <%.*s>", STR_ARG(address));
}

static void put_part(struct buf *b, struct arena *a, const char *boundary, const char *type, struct str body)
{
	struct str text = crypto_base64(a, body);

	buf_fmt(b, "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n", boundary, type);
	for (; text.n; text = str_from(text, BASE64_LINE)) {
		buf_str(b, str_first(text, BASE64_LINE));
		buf_cstr(b, "\r\n");
	}
}

/* RFC 5322 section 3.3, in English whatever the locale. */
static void put_date(struct buf *b, int64_t now_us)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t s = (time_t)(now_us / 1000000);
	struct tm t;

	gmtime_r(&s, &t);
	buf_fmt(b, "%s, %02d %s %d %02d:%02d:%02d +0000", days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour,
		t.tm_min, t.tm_sec);
}

GH_RC mail_message(struct arena *a, const struct store_mail *m, const struct mail_text *t, struct str from, int64_t now_us,
		   struct str *out, struct gh_err *err)
{
	struct str sender = mail_address(from), domain = str_from(sender, str_find_char(sender, '@') + 1);
	struct str boundary = arena_printf(a, "=_%.*s", STR_ARG(m->id));
	struct buf b;

	if (!sender.n)
		FAIL(err, INVALID, "mail.from holds no address: '%.*s'", STR_ARG(from));
	if (!boundary.p)
		FAIL(err, NOMEM, "mail");
	buf_init(&b, 4 * MAIL_MAX);
	buf_cstr(&b, "From: ");
	put_mailbox(&b, a, from);
	buf_fmt(&b, "\r\nTo: %.*s\r\nSubject: ", STR_ARG(m->recipient));
	put_words(&b, a, t->subject);
	buf_cstr(&b, "\r\nDate: ");
	put_date(&b, now_us);
	buf_fmt(&b, "\r\nMessage-ID: <%.*s@%.*s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n", STR_ARG(m->id),
		STR_ARG(domain));
	buf_fmt(&b, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary.p);
	put_part(&b, a, boundary.p, "text/plain", t->text);
	put_part(&b, a, boundary.p, "text/html", t->html);
	buf_fmt(&b, "--%s--\r\n", boundary.p);
	*out = buf_ok(&b) ? arena_dup(a, buf_view(&b)) : STR_NULL;
	buf_release(&b);
	if (!out->p)
		FAIL(err, NOMEM, "mail");
	return GH_RC_OK;
}
