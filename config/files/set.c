#include "config/files/set.h"

#include "config/files/plan.h"
#include "core/str.h"
#include "core/suggest.h"
#include "core/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS_MAX = 64, DEPTH_MAX = 64 };

size_t files_kind_index(const struct resource_kind *k)
{
	size_t i = 0;

	while (resource_kinds[i] && resource_kinds[i] != k)
		i++;
	return i;
}

/* ---- problems ------------------------------------------------------------------------------------------------------------- */

static void PRINTF_LIKE(5, 0) add_problem(struct files_set *s, const struct files_doc *d, struct str file, struct text_where at,
					const char *fmt, va_list ap)
{
	char text[1200];
	struct files_problem *p;

	s->total_problems++;
	if (s->n_problems == FILES_PROBLEMS_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	p = &s->problems[s->n_problems];
	*p = (struct files_problem){ d, file, at, arena_dup(s->arena, str_of(text)) };
	s->n_problems += p->message.p != NULL;
}

static void PRINTF_LIKE(4, 5) problem_at(struct files_set *s, struct str file, struct text_where at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(s, NULL, file, at, fmt, ap);
	va_end(ap);
}

/* The place of the pointer, or of the nearest thing around it that stands in the text. */
static struct text_where locate(const struct files_doc *d, struct str pointer)
{
	struct text_where at = yaml_locate(d->text, pointer);

	while (!at.line && pointer.n) {
		size_t cut = str_rfind_char(pointer, '/');

		pointer = str_first(pointer, cut == SIZE_MAX ? 0 : cut);
		at = yaml_locate(d->text, pointer);
	}
	at.line += d->line + !at.line;
	at.column += !at.column;
	return at;
}

void files_set_problem(struct files_set *s, const struct files_doc *doc, struct str pointer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(s, doc, doc ? doc->file : STR_NULL, doc ? locate(doc, pointer) : (struct text_where){ 0, 0 }, fmt, ap);
	va_end(ap);
}

void files_set_take_nothing_away(struct files_set *s)
{
	memset(s->covers, 0, sizeof(s->covers));
}

void files_problems_text(const struct files_set *s, const char *prefix, struct buf *out)
{
	for (size_t i = 0; i < s->n_problems; i++) {
		const struct files_problem *p = &s->problems[i];

		if (p->file.n) {
			buf_cstr(out, prefix);
			plan_put_text(out, p->file);
			buf_fmt(out, ":%u:%u: ", p->at.line ? p->at.line : 1, p->at.column ? p->at.column : 1);
		}
		buf_cstr(out, "error: ");
		plan_put_text(out, p->message);          /* with names out of files, which may be somebody else's */
		buf_char(out, '\n');
	}
	if (s->total_problems > s->n_problems)
		buf_fmt(out, "error: and %zu more\n", s->total_problems - s->n_problems);
}

json_t *files_problems_json(const struct files_set *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_problems; i++) {
		const struct files_problem *p = &s->problems[i];

		json_array_append_new(list, json_pack("{s:s%, s:i, s:i, s:s%}", "file", p->file.p ? p->file.p : "", p->file.n, "line",
				      (int)p->at.line, "column", (int)p->at.column, "message", p->message.p, p->message.n));
	}
	return list;
}

/* ---- one document ----------------------------------------------------------------------------------------------------------- */

static struct str name_of(struct arena *a, const struct resource_kind *k, struct str id)
{
	return arena_printf(a, "%s %.*s", k->name, STR_ARG(id));
}

const struct files_doc *files_set_find(const struct files_set *s, const struct resource_kind *k, struct str id)
{
	char name[700];
	int n = snprintf(name, sizeof(name), "%s %.*s", k->name, STR_ARG(id));

	return n > 0 && (size_t)n < sizeof(name) ? map_get(&s->by_name, (struct str){ name, (size_t)n }) : NULL;
}

static GH_RC append(struct files_set *s, struct files_doc d, struct gh_err *err)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 256;
		struct files_doc *docs = arena_alloc(s->arena, cap, sizeof(*docs));

		if (!docs)
			FAIL(err, NOMEM, "documents");
		if (s->n)
			memcpy(docs, s->docs, s->n * sizeof(*docs));
		s->docs = docs;
		s->cap = cap;
	}
	s->docs[s->n++] = d;
	return GH_RC_OK;
}

/* {"$file": path} by the text of that file. */
static json_t *file_text(struct files_set *s, const struct files_doc *d, const json_t *v, struct str pointer)
{
	struct str to = jsn_str(v, FILES_FILE), path = to.n ? tree_resolve(s->arena, d->file, to) : STR_NULL;
	const struct tree_file *f = path.p ? tree_find(s->tree, path) : NULL;
	json_t *text;

	if (json_object_size(v) != 1 || !path.p) {
		files_set_problem(s, d, pointer, FILES_FILE " stands alone and names a file by its path from this one, inside the directory");
		return NULL;
	}
	if (!f) {
		files_set_problem(s, d, pointer, "there is no file %.*s", STR_ARG(path));
		return NULL;
	}
	s->again += s->copied[f - s->tree->files] ? f->bytes.n : 0;
	s->named[f - s->tree->files] = s->copied[f - s->tree->files] = true;
	if (s->again > FILES_AGAIN_MAX) {        /* each gets a copy: a few lines must not become gigabytes */
		files_set_problem(s, d, pointer, "files that are named more than once have more than %zu bytes in all; use a policy fragment, "
				  "or fewer names", FILES_AGAIN_MAX);
		return NULL;
	}
	text = json_stringn(f->bytes.p, f->bytes.n);
	if (!text)
		files_set_problem(s, d, pointer, "%.*s is no text in UTF-8", STR_ARG(path));
	return text;
}

/* Texts of files into the places that name them. */
static void put_files(struct files_set *s, const struct files_doc *d, json_t *at, struct buf *pointer, unsigned depth)
{
	size_t before = pointer->n, i;
	const char *name;
	json_t *v, *text;
	void *tmp;

	if (depth == 0)
		return;
	json_object_foreach_safe(at, tmp, name, v) {
		jsn_pointer_add(pointer, str_of(name));
		if (jsn_get(v, FILES_FILE)) {
			text = file_text(s, d, v, buf_view(pointer));
			if (text)
				json_object_set_new(at, name, text);
		} else {
			put_files(s, d, v, pointer, depth - 1);
		}
		pointer->n = before;
	}
	json_array_foreach(at, i, v) {
		buf_fmt(pointer, "/%zu", i);
		put_files(s, d, v, pointer, depth - 1);
		pointer->n = before;
	}
}

static const struct resource_kind *kind_of(struct files_set *s, const struct files_doc *d)
{
	struct str name = jsn_str(d->doc, FILES_KIND);
	const struct resource_kind *k = name.n ? resource_kind_find(name) : NULL;
	const char *names[KINDS_MAX + 2], *near;
	size_t n = 0;

	if (k)
		return k;
	for (; resource_kinds[n] && n < KINDS_MAX; n++)
		names[n] = resource_kinds[n]->name;
	names[n++] = FILES_COVER;
	names[n] = NULL;
	near = name.n ? suggest(name, names) : NULL;
	if (!name.p)
		files_set_problem(s, d, STR(""), "a resource begins with " FILES_KIND ": and the name of its kind");
	else
		files_set_problem(s, d, STR("/" FILES_KIND), "there is no kind '%.*s'%s%s%s", STR_ARG(str_first(name, 60)),
				  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return NULL;
}

/* The document of what the files cover. */
static void read_cover(struct files_set *s, const struct files_doc *d)
{
	static const char *const known[] = { FILES_KIND, "format", "kinds", "environments", NULL };
	const json_t *kinds = jsn_arr(d->doc, "kinds");
	const char *name, *near;
	json_t *v;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)d->doc, name, v) {
		bool found = false;

		for (i = 0; known[i]; i++)
			found = found || strcmp(known[i], name) == 0;
		near = suggest(str_of(name), known);
		if (!found)
			files_set_problem(s, d, arena_printf(s->arena, "/%s", name), "'%s' is no field of the configuration%s%s%s", name,
					  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	if (jsn_int(d->doc, "format", FILES_FORMAT) != FILES_FORMAT)
		files_set_problem(s, d, STR("/format"), "this program reads format %d", FILES_FORMAT);
	json_array_foreach((json_t *)(uintptr_t)kinds, i, v) {
		const struct resource_kind *k = resource_kind_find(jsn_string(v));

		if (k)
			s->covers[files_kind_index(k)] = true;
		else
			files_set_problem(s, d, arena_printf(s->arena, "/kinds/%zu", i), "there is no kind of this name");
	}
	s->environments = jsn_arr(d->doc, "environments");
}

static GH_RC read_one(struct files_set *s, struct str file, struct str text, unsigned line, struct gh_err *err)
{
	struct files_doc d = { .file = file, .text = text, .line = line };
	struct text_where at = { 0, 0 };
	struct gh_err why;
	struct buf pointer;
	gh_rc rc;

	rc = yaml_parse(text, NULL, &d.doc, &at, &why);
	if (rc.code == GH_E_NOMEM)
		FAIL(err, NOMEM, "%s", why.message);
	at = (struct text_where){ line + (at.line ? at.line : 1), at.column ? at.column : 1 };
	if (rc.code) {
		problem_at(s, file, at, "%s", why.message);
		return GH_RC_OK;
	}
	if (!jsn_keep(s->arena, d.doc))
		FAIL(err, NOMEM, "document");
	if (json_is_null(d.doc))
		return GH_RC_OK;
	if (!json_is_object(d.doc)) {
		problem_at(s, file, at, "a document is a mapping of names and values");
		return GH_RC_OK;
	}
	if (str_eq(jsn_str(d.doc, FILES_KIND), STR(FILES_COVER))) {
		read_cover(s, &d);
		return GH_RC_OK;
	}
	d.kind = kind_of(s, &d);
	d.id = jsn_str(d.doc, "id");
	if (!d.kind)
		return GH_RC_OK;
	if (!d.id.n) {
		files_set_problem(s, &d, STR("/id"), "a %s needs an id, as text", d.kind->name);
		return GH_RC_OK;
	}
	json_object_del(d.doc, FILES_KIND);
	buf_init(&pointer, 4096);
	put_files(s, &d, d.doc, &pointer, DEPTH_MAX);
	buf_release(&pointer);
	return append(s, d, err);
}

/* ---- files ------------------------------------------------------------------------------------------------------------------ */

static bool is_mark(struct str line)
{
	return str_starts(line, STR("---")) && (line.n == 3 || ascii_is_space(line.p[3]));
}

/* Cut at the lines of `---`: inside of a value they cannot stand at the beginning of a line (YAML 1.2, section 9.1.2). */
static GH_RC read_file(struct files_set *s, const struct tree_file *f, struct gh_err *err)
{
	struct str rest = f->bytes, text = { f->bytes.p, 0 }, line;
	unsigned at = 0, begin = 0;

	while (str_split(&rest, '\n', &line)) {
		if (is_mark(line)) {
			if (str_trim(text).n)
				TRY(read_one(s, f->path, text, begin, err));
			begin = at;
			text = (struct str){ line.p, 0 };
		}
		text.n = (size_t)(line.p + line.n - text.p) + (rest.p != NULL);
		at++;
	}
	return str_trim(text).n ? read_one(s, f->path, text, begin, err) : GH_RC_OK;
}

static bool has_kind(struct str text)
{
	size_t at;

	if (str_starts(text, STR(FILES_KIND ":")))
		return true;
	while ((at = str_find(text, STR("\n" FILES_KIND))) != SIZE_MAX) {
		text = str_from(text, at + 1);
		if (str_starts(text, STR(FILES_KIND ":")))
			return true;
	}
	return false;
}

static int by_place(const void *a, const void *b)
{
	const struct files_doc *x = a, *y = b;
	size_t i = files_kind_index(x->kind), j = files_kind_index(y->kind);

	return i != j ? (i < j ? -1 : 1) : str_cmp(x->id, y->id);
}

GH_RC files_set_finish(struct files_set *s, struct gh_err *err)
{
	if (s->n)
		qsort(s->docs, s->n, sizeof(*s->docs), by_place);
	map_init(&s->by_name, s->arena, false);
	for (size_t i = 0; i < s->n; i++) {
		struct files_doc *d = &s->docs[i];
		const struct files_doc *other = files_set_find(s, d->kind, d->id);

		if (other)
			files_set_problem(s, d, STR("/id"), "the %s '%.*s' stands in %.*s already", d->kind->name, STR_ARG(d->id),
					  STR_ARG(other->file));
		else if (!map_put(&s->by_name, name_of(s->arena, d->kind, d->id), d))
			FAIL(err, NOMEM, "documents");
	}
	return GH_RC_OK;
}

GH_RC files_set_add(struct files_set *s, const struct resource_kind *k, json_t *doc, struct str file, struct gh_err *err)
{
	struct files_doc d = { .kind = k, .id = jsn_str(doc, "id"), .doc = doc, .file = file };
	struct buf b;
	gh_rc rc;

	buf_init(&b, FILES_ONE_MAX);
	rc = yaml_write(&b, doc, err);
	d.text = rc.code ? STR_NULL : arena_dup(s->arena, buf_view(&b));
	buf_release(&b);
	TRY(rc);
	if (!d.text.p || !d.id.n)
		FAIL(err, NOMEM, "documents");
	return append(s, d, err);
}

GH_RC files_set_read(struct files_set *s, struct arena *a, const struct tree *t, struct gh_err *err)
{
	*s = (struct files_set){ .arena = a, .tree = t, .named = arena_alloc(a, t->n + 1, sizeof(*s->named)),
				 .copied = arena_alloc(a, t->n + 1, sizeof(*s->copied)) };
	if (!s->named || !s->copied)
		FAIL(err, NOMEM, "files");
	for (size_t i = 0; i < t->n; i++) {
		const struct tree_file *f = &t->files[i];
		bool yaml = str_ends(f->path, STR(".yaml")) || str_ends(f->path, STR(".yml"));

		s->named[i] = s->named[i] || !yaml || str_starts(f->path, STR(FILES_THEME));
		if (!s->named[i] && has_kind(f->bytes)) {
			s->named[i] = true;
			TRY(read_file(s, f, err));
		}
	}
	for (size_t i = 0; i < t->n; i++)
		if (!s->named[i])
			problem_at(s, t->files[i].path, (struct text_where){ 1, 1 },
				   "a resource begins with " FILES_KIND ": and the name of its kind, and no " FILES_FILE " names this file");
	return files_set_finish(s, err);
}
