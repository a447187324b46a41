#include "cli/page_file.h"

#include "core/file.h"
#include "core/str.h"
#include "core/yaml.h"

#include <dirent.h>
#include <errno.h>

enum { PAGES_MAX = 10000, HEAD_MAX = 64 << 10 };

bool page_audience(struct str text, struct store_portal_page *to)
{
	bool group = str_starts(text, STR("group:")) && text.n > 6;

	if (!group && !str_eq(text, STR("everybody")) && !str_eq(text, STR("users")) && !str_eq(text, STR("nobody")))
		return false;
	to->audience = group ? STR("group") : text;
	to->group_id = group ? str_from(text, 6) : STR_NULL;
	return true;
}

struct str page_audience_text(struct arena *a, const struct store_portal_page *p)
{
	return str_eq(p->audience, STR("group")) ? arena_printf(a, "group:%.*s", STR_ARG(p->group_id)) : p->audience;
}

/* ---- writing -------------------------------------------------------------------------------------------------------------- */

GH_RC page_file_write(struct arena *a, const char *dir, const struct store_portal_page *p, struct gh_err *err)
{
	struct str audience = p->group_id.n || !str_eq(p->audience, STR("group")) ? page_audience_text(a, p) : STR("nobody");
	struct str folder = p->api_id.n ? arena_printf(a, "%s/apis/%.*s", dir, STR_ARG(p->api_id)) : str_of(dir);
	struct str path = arena_printf(a, "%.*s/%.*s.md", STR_ARG(folder), STR_ARG(p->id));
	json_t *head = json_pack("{s:s%, s:s%, s:b, s:I}", "title", p->title.p, p->title.n, "audience", audience.p, audience.n, "menu",
				 (int)p->in_menu, "position", (json_int_t)p->position);
	struct buf b;
	gh_rc rc;

	if (!path.p || !head)
		FAIL(err, NOMEM, "page");
	buf_init(&b, STORE_PAGE_BYTES_MAX + HEAD_MAX);
	buf_cstr(&b, "---\n");
	rc = yaml_write(&b, head, err);
	buf_fmt(&b, "---\n%.*s", STR_ARG(p->body));
	json_decref(head);
	if (!rc.code)
		rc = file_make_dirs(folder.p, 0755, err);
	if (!rc.code && buf_ok(&b))
		rc = file_write_atomic(path.p, buf_view(&b), 0644, err);
	buf_release(&b);
	return rc;
}

/* ---- reading -------------------------------------------------------------------------------------------------------------- */

/* Between "---" lines at the very beginning; *body gets what stands behind. STR_NULL: there is none. */
static struct str head_of(struct str text, struct str *body)
{
	struct str rest;
	size_t at;

	*body = text;
	if (!str_starts(text, STR("---\n")))
		return STR_NULL;
	rest = str_from(text, 4);
	at = str_starts(rest, STR("---\n")) ? 0 : str_find(rest, STR("\n---\n"));
	if (at == SIZE_MAX)
		return STR_NULL;
	*body = str_from(rest, at + (at ? 5 : 4));
	return str_first(rest, at);
}

/* "# Title" on the first line that is not empty. */
static struct str title_of(struct str text)
{
	struct str line;

	while (text.n && str_split(&text, '\n', &line)) {
		line = str_trim(line);
		if (line.n)
			return str_starts(line, STR("# ")) ? str_trim(str_from(line, 2)) : STR_NULL;
	}
	return STR_NULL;
}

static gh_rc read_head(struct arena *a, const char *name, const json_t *head, struct store_portal_page *out, struct gh_err *err)
{
	static const char *const known[] = { "title", "audience", "menu", "position" };
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)head, key, v) {
		size_t i = 0;

		while (i < ARRAY_LEN(known) && strcmp(known[i], key) != 0)
			i++;
		if (i == ARRAY_LEN(known))
			FAIL(err, INVALID, "%s: '%s' is not known in the head of a page; there are title, audience, menu, position", name, key);
	}
	if (jsn_str(head, "title").n)
		out->title = arena_dup(a, jsn_str(head, "title"));
	if (jsn_str(head, "audience").p && !page_audience(arena_dup(a, jsn_str(head, "audience")), out))
		FAIL(err, INVALID, "%s: the audience is everybody, users, group:ID or nobody", name);
	out->in_menu = jsn_bool(head, "menu", out->in_menu);
	out->position = jsn_int(head, "position", 0);
	return GH_RC_OK;
}

GH_RC page_file_parse(struct arena *a, const char *name, struct str text, struct store_portal_page *out, struct gh_err *err)
{
	struct str head = head_of(text, &out->body);
	struct text_where where;
	struct gh_err why;
	json_t *v;
	gh_rc rc;

	out->audience = STR("everybody");
	out->group_id = STR_NULL;
	out->in_menu = !out->api_id.n;
	out->title = title_of(out->body);
	if (!out->title.n)
		out->title = out->id;
	if (!head.n)
		return GH_RC_OK;
	if (yaml_parse(head, &(struct yaml_limits){ .max_bytes = HEAD_MAX }, &v, &where, &why).code)
		FAIL(err, INVALID, "%s:%u:%u: the head of the page: %s", name, where.line + 1, where.column, why.message);
	rc = json_is_object(v) ? read_head(a, name, v, out, err) : gh_err_set(err, GH_E_INVALID, __FILE__, __LINE__, "%s: the head of the page is no mapping", name);
	json_decref(v);
	return rc;
}

struct found {
	struct arena *a;
	struct store_portal_page *v;
	size_t n;
};

static gh_rc read_one(struct found *f, const char *dir, struct str api_id, const char *file, struct gh_err *err)
{
	struct str path = arena_printf(f->a, "%s/%s", dir, file), text;
	struct store_portal_page *p = &f->v[f->n];

	if (f->n == PAGES_MAX)
		FAIL(err, LIMIT, "more than %d pages", PAGES_MAX);
	*p = (struct store_portal_page){ .api_id = api_id, .id = arena_dup(f->a, str_first(str_of(file), strlen(file) - 3)) };
	TRY(file_read(f->a, path.p, STORE_PAGE_BYTES_MAX + HEAD_MAX, &text, err));
	f->n++;
	return page_file_parse(f->a, path.p, text, p, err);
}

/* The .md files of a folder. A folder that is not there has none, but for the topmost. */
static gh_rc read_folder(struct found *f, const char *dir, struct str api_id, bool needed, struct gh_err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	gh_rc rc = GH_RC_OK;

	if (!d && (needed || errno != ENOENT))
		FAIL(err, IO, "%s: %s", dir, strerror(errno));
	while (d && !rc.code && (e = readdir(d)))
		if (str_ends(str_of(e->d_name), STR(".md")) && e->d_name[0] != '.')
			rc = read_one(f, dir, api_id, e->d_name, err);
	if (d)
		closedir(d);
	return rc;
}

GH_RC page_files_read(struct arena *a, const char *dir, struct store_portal_page **out, size_t *n, struct gh_err *err)
{
	struct found f = { .a = a, .v = arena_alloc(a, PAGES_MAX, sizeof(*f.v)) };
	struct str apis = arena_printf(a, "%s/apis", dir);
	struct dirent *e;
	gh_rc rc;
	DIR *d;

	if (!f.v || !apis.p)
		FAIL(err, NOMEM, "pages");
	rc = read_folder(&f, dir, STR_NULL, true, err);
	d = opendir(apis.p);
	while (d && !rc.code && (e = readdir(d)))
		if (e->d_name[0] != '.')
			rc = read_folder(&f, arena_printf(a, "%.*s/%s", STR_ARG(apis), e->d_name).p, arena_dup(a, str_of(e->d_name)), false, err);
	if (d)
		closedir(d);
	*out = f.v;
	*n = f.n;
	return rc;
}
