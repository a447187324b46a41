/* resource_form.c - a document of the configuration as a form, and back. A field of the form has the JSON Pointer of its place as
 * its name ("/limits/0/calls"), so a problem that names a place stands beside its field. A value that cannot be what the table
 * wants (words in place of a number) goes into the document as it was typed: the one validation says what is wrong, and the
 * form shows it again. */
#include "portal/admin/resources.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/str.h"
#include "core/yaml.h"
#include "portal/admin/rest.h"

enum { ITEMS_MAX = 50, DEPTH_MAX = 4 };

struct form {
	struct web *w;
	const struct resource_view *view;
	bool *used;                              /* by problem: it stands beside a field */
};

static struct str text_of(struct arena *a, const json_t *v)
{
	return !v || json_is_null(v) ? STR("") : json_is_string(v) ? jsn_string(v) : jsn_text(a, v, JSON_ENCODE_ANY);
}

struct str resource_word(struct arena *a, struct str s)
{
	struct str out = arena_dup(a, s);

	if (out.n && out.p[0] >= 'a' && out.p[0] <= 'z')
		((char *)(uintptr_t)out.p)[0] = (char)(out.p[0] - 'a' + 'A');
	return out;
}

/* Descriptions speak of documents, where a field that says nothing is null: in a form it is empty. */
static struct str help_of(struct arena *a, const char *description)
{
	struct str s = str_of(description ? description : ""), out = STR("");
	size_t at;

	while ((at = str_find(s, STR("null"))) != SIZE_MAX) {
		bool word = (at == 0 || !ascii_is_alpha(s.p[at - 1])) && (at + 4 == s.n || !ascii_is_alpha(s.p[at + 4]));

		out = arena_printf(a, "%.*s%.*s%s", STR_ARG(out), (int)at, s.p, word ? "empty" : "null");
		s = str_from(s, at + 4);
	}
	return arena_printf(a, "%.*s%.*s", STR_ARG(out), STR_ARG(s));
}

/* ---- what there is to choose from ------------------------------------------------------------------------------------------ */

static void put_enum(struct form *f, struct liquid_record *r, const struct resource_field *field, struct str value)
{
	struct liquid_list *list = liquid_set_list(r, "choices");

	if (field->flags & RESOURCE_NULL)
		resource_choice_put(list, STR(""), STR("None"), !value.n);
	for (size_t i = 0; field->values && field->values[i]; i++)
		resource_choice_put(list, str_of(field->values[i]), resource_word(f->w->a, str_of(field->values[i])), str_eq(value, str_of(field->values[i])));
}

/* ---- one field -------------------------------------------------------------------------------------------------------------- */

static GH_RC put_fields(struct form *f, struct liquid_list *out, const struct resource_field *fields, const json_t *doc, struct str at,
			unsigned depth, struct gh_err *err);

static void put_problem(struct form *f, struct liquid_record *r, struct str pointer, bool with_inner)
{
	liquid_set(r, "error", LIQUID_NIL_VALUE);
	for (size_t i = 0; i < f->view->n_problems; i++) {
		struct str p = f->view->problems[i].pointer;
		bool inner = with_inner && str_starts(p, pointer) && p.n > pointer.n && p.p[pointer.n] == '/';

		if (f->used[i] || !(str_eq(p, pointer) || inner))
			continue;
		f->used[i] = true;
		liquid_set_text(r, "error", f->view->problems[i].message);
	}
}

static const char *kind_of(const struct form *f, const struct resource_field *field)
{
	static const char *const names[] = {
		[RESOURCE_TEXT] = "text", [RESOURCE_BOOL] = "bool", [RESOURCE_INT] = "int",       [RESOURCE_TIME] = "time",
		[RESOURCE_ENUM] = "enum", [RESOURCE_REF] = "ref",   [RESOURCE_TEXTS] = "texts",   [RESOURCE_REFS] = "refs",
		[RESOURCE_OBJECT] = "object", [RESOURCE_OBJECTS] = "objects", [RESOURCE_SECRET] = "secret",
	};

	if (field->flags & RESOURCE_READ_ONLY || (field->flags & RESOURCE_FIXED && !f->view->is_new))
		return "fixed";
	if (field->type == RESOURCE_TEXT && field->flags & RESOURCE_FILE)
		return "file";
	if (field->type == RESOURCE_TEXT && field->flags & RESOURCE_LINES)
		return "lines";
	if (field->type == RESOURCE_SECRET && field->flags & RESOURCE_FILE)
		return "upload";
	if (field->flags & RESOURCE_RULE)
		return "rule";
	if ((field->type == RESOURCE_OBJECT || field->type == RESOURCE_OBJECTS) && !field->fields)
		return "yaml";
	return names[field->type];
}

static struct str lines_of(struct arena *a, const json_t *list)
{
	struct str out = STR("");
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		out = arena_printf(a, "%.*s%s%.*s", STR_ARG(out), i ? "\n" : "", STR_ARG(jsn_string(v)));
	return out;
}

/* The objects that are there, and room for one more. */
static GH_RC put_items(struct form *f, struct liquid_record *r, const struct resource_field *field, const json_t *value, struct str at,
		       unsigned depth, struct gh_err *err)
{
	struct liquid_list *items = liquid_set_list(r, "items");
	size_t n = json_array_size(value), room = f->view->may_change && n < ITEMS_MAX ? 2 : 0;

	for (size_t i = 0; i < n + room; i++) {
		struct liquid_record *item = liquid_push_record(items);
		struct str place = arena_printf(f->w->a, "%.*s/%zu", STR_ARG(at), i);

		liquid_set_int(item, "number", (int64_t)i + 1);
		liquid_set_bool(item, "blank", i >= n);
		liquid_set_text(item, "none", i < n && f->view->may_change ? arena_printf(f->w->a, "%.*s.none", STR_ARG(place)) : STR(""));
		TRY(put_fields(f, liquid_set_list(item, "fields"), field->fields, i < n ? json_array_get(value, i) : NULL, place, depth + 1, err));
	}
	return GH_RC_OK;
}

struct str resource_yaml_put(struct arena *a, const json_t *v)
{
	struct str text = STR("");
	struct buf b;

	if (json_is_string(v) || !v || json_is_null(v) || !(json_object_size(v) + json_array_size(v)))
		return json_is_string(v) ? jsn_string(v) : STR("");
	buf_init(&b, STORE_DOCUMENT_MAX);
	if (!yaml_write(&b, v, NULL).code)
		text = arena_dup(a, str_trim(buf_view(&b)));
	buf_release(&b);
	return text.p ? text : STR("");
}

/* A time as the field of a browser has it, in UTC; one that is no time, or finer than a second, as it was written. */
static void put_time(struct web *w, struct liquid_record *r, const json_t *value)
{
	char iso[CLOCK_ISO_MAX];
	int64_t us;

	if (json_is_string(value) && jsn_string(value).n && (!clock_parse_iso(jsn_string(value), &us) || us % 1000000)) {
		liquid_set_text(r, "kind", STR("text"));
		return;
	}
	if (json_is_string(value) && jsn_string(value).n) {
		clock_iso(us, 0, iso);
		liquid_set_text(r, "value", arena_dup(w->a, str_first(str_of(iso), us / 1000000 % 60 ? 19 : 16)));
	}
}

/* And back: without a zone it is UTC. */
static struct str time_of(struct web *w, struct str value)
{
	bool minutes = value.n == 16, seconds = value.n == 19;

	if (!(minutes || seconds) || value.p[10] != 'T')
		return value;
	return arena_printf(w->a, "%.*s%s", STR_ARG(value), minutes ? ":00Z" : "Z");
}

/* What nobody can change is shown as people read it. */
static void put_fixed(struct web *w, struct liquid_record *r, const struct resource_field *field, const json_t *value)
{
	int64_t us;

	if (field->type == RESOURCE_BOOL)
		liquid_set_text(r, "value", json_is_true(value) ? STR("Yes") : STR("No"));
	if (field->type == RESOURCE_OBJECT || field->type == RESOURCE_OBJECTS)
		liquid_set_text(r, "value", resource_yaml_put(w->a, value));
	if (field->type == RESOURCE_TIME && clock_parse_iso(jsn_string(value), &us)) {
		liquid_set_text(r, "value", web_date(w, us));
		if (field->flags & RESOURCE_DUE)
			resource_due_put(w, r, us);
	}
}

static void put_hints(struct form *f, struct liquid_record *r, const struct resource_field *field)
{
	struct liquid_list *groups = liquid_set_list(r, "hints"), *rows = NULL;
	struct resource_hint h;
	struct str of = STR_NULL;

	for (size_t i = 0; f->view->may_change && field->hints && field->hints(i, &h); i++) {
		struct liquid_record *row;

		if (!rows || !str_eq(of, h.of)) {
			row = liquid_push_record(groups);
			liquid_set_text(row, "of", of = h.of);
			rows = liquid_set_list(row, "rows");
		}
		row = liquid_push_record(rows);
		liquid_set_text(row, "name", str_of(h.name));
		liquid_set_text(row, "text", str_of(h.text));
		liquid_set_bool(row, "needed", h.needed);
	}
}

/* Texts of which all that may stand there are known are ticked; what else was entered stays, to be refused by its name. */
static void put_ticks(struct form *f, struct liquid_record *r, const struct resource_field *field, const json_t *value)
{
	struct liquid_list *list = liquid_set_list(r, "choices");
	struct resource_hint h;
	size_t i;
	json_t *v;

	liquid_set_text(r, "kind", STR("refs"));
	liquid_set_bool(r, "many", false);
	liquid_set_bool(r, "wide", true);
	liquid_set_text(r, "help", str_first(str_of(field->description), str_find_char(str_of(field->description), ':')));
	for (i = 0; field->hints(i, &h); i++)
		resource_choice_put(list, str_of(h.name), arena_printf(f->w->a, "%s: %s", h.name, h.text), resource_holds(value, str_of(h.name)));
	json_array_foreach((json_t *)(uintptr_t)value, i, v) {
		bool known = false;

		for (size_t k = 0; !known && field->hints(k, &h); k++)
			known = str_eq(jsn_string(v), str_of(h.name));
		if (!known)
			resource_choice_put(list, jsn_string(v), jsn_string(v), true);
	}
}

static GH_RC put_field(struct form *f, struct liquid_record *r, const struct resource_field *field, const json_t *value, struct str at,
		       unsigned depth, struct gh_err *err)
{
	struct arena *a = f->w->a;
	const char *kind = kind_of(f, field);

	liquid_set_text(r, "name", at);
	liquid_set_text(r, "id", arena_printf(a, "f%.*s", STR_ARG(at)));
	liquid_set_text(r, "label", str_of(field->label ? field->label : field->name));
	liquid_set_text(r, "help", help_of(a, field->description));
	liquid_set_bool(r, "required", field->flags & RESOURCE_REQUIRED && !(field->flags & RESOURCE_EMPTY) && !(f->view->kind->makes_id && str_eq(at, STR("/id"))));
	liquid_set_text(r, "kind", str_of(kind));
	liquid_set_bool(r, "wide", false);
	put_problem(f, r, at, !field->fields);
	liquid_set_text(r, "value", text_of(a, value));
	if (field->type == RESOURCE_TEXTS || field->type == RESOURCE_REFS)
		liquid_set_text(r, "value", lines_of(a, value));
	liquid_set(r, "due", LIQUID_NIL_VALUE);
	if (strcmp(kind, "fixed") == 0) {
		put_fixed(f->w, r, field, value);
		return GH_RC_OK;
	}
	if (field->type == RESOURCE_TEXTS && field->hints) {
		put_ticks(f, r, field, value);
		return GH_RC_OK;
	}
	put_hints(f, r, field);
	if (field->type == RESOURCE_TIME)
		put_time(f->w, r, value);
	if (strcmp(kind, "yaml") == 0)
		liquid_set_text(r, "value", resource_yaml_put(a, value));
	if (strcmp(kind, "rule") == 0)
		return rule_form_put(f->w, r, value, at, f->view->may_change, err);
	if (strcmp(kind, "upload") == 0 || strcmp(kind, "file") == 0)
		liquid_set_bool(f->w->page, "uploads", f->view->may_change);
	if (field->type == RESOURCE_BOOL)
		liquid_set_bool(r, "on", json_is_true(value));
	if (field->type == RESOURCE_SECRET) {
		liquid_set_bool(r, "sealed", jsn_bool(value, "sealed", false));
		liquid_set_bool(r, "may_ref", !(field->flags & RESOURCE_NO_REF));
		liquid_set_bool(r, "may_none", !(field->flags & RESOURCE_ALWAYS));
		liquid_set_bool(r, "lines", field->flags & RESOURCE_LINES);
		liquid_set_bool(r, "plain", field->flags & RESOURCE_NO_REF && !(field->flags & RESOURCE_LINES));
		liquid_set_text(r, "value", STR(""));
		liquid_set_bool(r, "again", json_is_string(value));
		liquid_set_text(r, "ref", jsn_str(value, "ref").p ? jsn_str(value, "ref") : STR(""));
	}
	if (field->type == RESOURCE_ENUM)
		put_enum(f, r, field, text_of(a, value));
	if (field->type == RESOURCE_TEXT && field->ref)
		liquid_set_text(r, "kind", STR("ref"));
	if (field->ref)
		TRY(resource_choices_put(f->w, r, resource_kind_find(str_of(field->ref)), value, err));
	if (field->type == RESOURCE_OBJECT)
		liquid_set_text(r, "none", field->flags & RESOURCE_NULL && json_is_object(value) && f->view->may_change ? arena_printf(a, "%.*s.none", STR_ARG(at)) : STR(""));
	if (field->type == RESOURCE_OBJECT && field->fields && depth < DEPTH_MAX)
		TRY(put_fields(f, liquid_set_list(r, "fields"), field->fields, value, at, depth + 1, err));
	if (field->type == RESOURCE_OBJECTS && field->fields && depth < DEPTH_MAX)
		return put_items(f, r, field, value, at, depth, err);
	return GH_RC_OK;
}

static GH_RC put_fields(struct form *f, struct liquid_list *out, const struct resource_field *fields, const json_t *doc, struct str at,
			unsigned depth, struct gh_err *err)
{
	for (const struct resource_field *field = fields; field->name; field++) {
		const json_t *value = jsn_get(doc, field->name);
		json_t *otherwise = NULL;

		if (field->flags & RESOURCE_FORMLESS || (field->flags & RESOURCE_READ_ONLY && (!value || json_is_null(value))))
			continue;
		if (!value && (!doc || json_is_null(doc) || f->view->is_new) && field->otherwise && !jsn_parse_in(f->w->a, str_of(field->otherwise), &(struct jsn_limits){ .flags = JSN_ANY }, &otherwise, NULL, err).code)
			value = otherwise;
		TRY(put_field(f, liquid_push_record(out), field, value, arena_printf(f->w->a, "%.*s/%s", STR_ARG(at), field->name), depth, err));
	}
	return GH_RC_OK;
}

GH_RC resource_form_put(struct web *w, const struct resource_view *view, struct gh_err *err)
{
	struct form f = { .w = w, .view = view, .used = arena_alloc(w->a, view->n_problems + 1, sizeof(bool)) };
	struct liquid_list *rest = liquid_set_list(w->page, "problems");

	if (!f.used)
		FAIL(err, NOMEM, "form");
	liquid_set_bool(w->page, "uploads", false);
	TRY(put_fields(&f, liquid_set_list(w->page, "fields"), view->kind->fields, view->doc, STR(""), 0, err));
	for (size_t i = 0; i < view->n_problems; i++)
		if (!f.used[i])
			liquid_set_text(liquid_push_record(rest), "message", view->problems[i].message);
	return GH_RC_OK;
}

/* ---- and back ---------------------------------------------------------------------------------------------------------------- */

static json_t *text_json(struct str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

/* One text a line, or one a ticked box; of many resources those that are ticked and more, a line each. */
static json_t *texts_of(struct web *w, struct str at)
{
	struct str more = arena_printf(w->a, "%.*s.more", STR_ARG(at));
	json_t *out = json_array();

	for (size_t i = 0; i < w->rq.form.n; i++) {
		struct str rest = w->rq.form.v[i].value, line;

		if (!str_eq(w->rq.form.v[i].name, at) && !str_eq(w->rq.form.v[i].name, more))
			continue;
		rest = admin_unix_lines(w, rest);
		while (rest.n && str_split(&rest, '\n', &line))
			if (str_trim(line).n)
				json_array_append_new(out, text_json(str_trim(line)));
	}
	return out;
}

/* The bytes of a file that was sent in the field; STR_NULL: none. */
static struct str file_of(struct web *w, struct str at)
{
	const struct web_param *p = web_param_find(&w->rq.form, arena_printf(w->a, "%.*s.file", STR_ARG(at)).p);

	return p && p->file.n ? p->file : STR_NULL;
}

/* A text in a file of its own takes the place of what stands in the field; of bytes that are no text their base64. */
static struct str sent(struct web *w, struct str at, bool as_text)
{
	struct str file = file_of(w, at), value = web_param(&w->rq.form, arena_cstr(w->a, at));

	if (!file.n)
		return value.p ? value : STR("");
	return as_text && utf8_valid(file) && str_find_char(file, '\0') == SIZE_MAX ? file : crypto_base64(w->a, file);
}

json_t *resource_yaml_read(struct str text)
{
	struct gh_err why;
	json_t *v;

	if (!str_trim(text).n)
		return NULL;
	return yaml_or_json_parse(text, STORE_DOCUMENT_MAX, &v, NULL, &why).code ? text_json(text) : v;
}

static json_t *secret_of(struct web *w, const struct resource_field *field, struct str at)
{
	struct str value = field->flags & RESOURCE_LINES ? admin_unix_lines(w, sent(w, at, true))
			 : field->flags & RESOURCE_FILE  ? sent(w, at, false)
							 : web_param(&w->rq.form, arena_cstr(w->a, at));
	struct str ref = str_trim(web_param(&w->rq.form, arena_printf(w->a, "%.*s.ref", STR_ARG(at)).p));

	if (web_param(&w->rq.form, arena_printf(w->a, "%.*s.none", STR_ARG(at)).p).n)
		return json_null();
	if (value.n)
		return text_json(value);
	return ref.n ? json_pack("{s:o}", "ref", text_json(ref)) : NULL;         /* it stays as it is */
}

static json_t *scalar_of(struct web *w, const struct resource_field *field, struct str at)
{
	struct str value = admin_unix_lines(w, sent(w, at, true));
	json_t *parsed;
	int64_t n;

	if (field->type != RESOURCE_TEXT || !(field->flags & (RESOURCE_LINES | RESOURCE_FILE)))
		value = str_trim(value);
	if (field->type == RESOURCE_TIME)
		value = time_of(w, value);
	switch (field->type) {
	case RESOURCE_BOOL:
		return json_boolean(value.n > 0);
	case RESOURCE_INT:
		return !value.n ? NULL : str_to_i64(value, INT64_MIN, INT64_MAX, &n) ? json_integer(n) : text_json(value);
	case RESOURCE_TEXT:
		return value.n || !(field->flags & RESOURCE_NULL) ? text_json(value) : json_null();
	case RESOURCE_OBJECT:
	case RESOURCE_OBJECTS:
		parsed = field->flags & RESOURCE_RULE ? rule_form_read(w, at) : resource_yaml_read(value);
		return parsed ? parsed : field->type == RESOURCE_OBJECT ? json_null() : json_array();
	default:
		return value.n || field->flags & RESOURCE_REQUIRED ? text_json(value) : field->flags & RESOURCE_STAYS ? NULL : json_null();
	}
}

static json_t *object_of(struct web *w, const struct resource_field *fields, struct str at, const json_t *before, bool is_new);

static size_t items_sent(struct web *w, struct str at);
static bool is_blank(struct web *w, const struct resource_field *fields, struct str at);

/* The first value that a form shows of a field that has none yet. */
static json_t *initial(struct web *w, const struct resource_field *f)
{
	struct gh_err err;
	json_t *v = NULL;

	if (f->otherwise && !jsn_parse_in(w->a, str_of(f->otherwise), &(struct jsn_limits){ .flags = JSN_ANY }, &v, NULL, &err).code)
		return v;
	return f->type == RESOURCE_ENUM && !(f->flags & RESOURCE_NULL) ? jsn_keep(w->a, json_string(f->values[0])) : NULL;
}

/* Whether the field at `at` holds nothing but what the form showed in an empty row. */
static bool is_untouched(struct web *w, const struct resource_field *f, struct str at)
{
	struct str value = str_trim(web_param(&w->rq.form, arena_cstr(w->a, at)));
	bool none = true;

	if (f->type == RESOURCE_OBJECT && f->fields)
		return is_blank(w, f->fields, at);
	if (f->type == RESOURCE_OBJECTS && f->fields) {
		for (size_t i = items_sent(w, at); i > 0 && none; i--)
			none = is_blank(w, f->fields, arena_printf(w->a, "%.*s/%zu", STR_ARG(at), i - 1));
		return none;
	}
	if (f->type == RESOURCE_TEXTS || f->type == RESOURCE_REFS) {
		const json_t *texts = jsn_keep(w->a, texts_of(w, at));

		return json_array_size(texts) == 0 || json_equal(texts, initial(w, f));
	}
	if (f->type == RESOURCE_SECRET)
		return !value.n && !file_of(w, at).n && !str_trim(web_param(&w->rq.form, arena_printf(w->a, "%.*s.ref", STR_ARG(at)).p)).n;
	if (f->type == RESOURCE_BOOL)
		return !value.n || json_is_true(initial(w, f));
	return (!value.n && !file_of(w, at).n) || str_eq(admin_unix_lines(w, value), text_of(w->a, initial(w, f)));
}

/* Whether nobody filled in the row at `at`, or it was ticked to be taken away. A row with anything else in it is never left out,
 * also one that lacks what is required: the validation says so, and nothing that was typed is lost. */
static bool is_blank(struct web *w, const struct resource_field *fields, struct str at)
{
	bool blank = true;

	if (web_param(&w->rq.form, arena_printf(w->a, "%.*s.none", STR_ARG(at)).p).n)
		return true;
	for (const struct resource_field *f = fields; f->name && blank; f++)
		blank = f->flags & RESOURCE_READ_ONLY || is_untouched(w, f, arena_printf(w->a, "%.*s/%s", STR_ARG(at), f->name));
	return blank;
}

/* How many items the form has: a list that is longer than ITEMS_MAX gets no room for more, and stays whole. */
static size_t items_sent(struct web *w, struct str at)
{
	size_t most = 0;
	uint64_t n;

	for (size_t i = 0; i < w->rq.form.n; i++) {
		struct str name = w->rq.form.v[i].name, rest = str_from(name, at.n + 1);

		if (str_starts(name, at) && name.n > at.n && name.p[at.n] == '/'
		    && str_to_u64(str_first(rest, str_find_char(rest, '/')), w->rq.form.max, &n) && n >= most)
			most = (size_t)n + 1;
	}
	return most;
}

static json_t *items_of(struct web *w, const struct resource_field *field, struct str at)
{
	json_t *out = json_array();
	size_t n = items_sent(w, at);

	for (size_t i = 0; i < n; i++) {
		struct str place = arena_printf(w->a, "%.*s/%zu", STR_ARG(at), i);

		if (!is_blank(w, field->fields, place))
			json_array_append_new(out, object_of(w, field->fields, place, NULL, true));
	}
	return out;
}

static json_t *object_of(struct web *w, const struct resource_field *fields, struct str at, const json_t *before, bool is_new)
{
	json_t *out = json_object();

	for (const struct resource_field *f = fields; f->name; f++) {
		struct str place = arena_printf(w->a, "%.*s/%s", STR_ARG(at), f->name);
		json_t *v;

		if (f->flags & RESOURCE_READ_ONLY)
			continue;
		if (f->flags & RESOURCE_FIXED && !is_new)
			v = json_incref(jsn_get(before, f->name));
		else if (f->type == RESOURCE_TEXTS || f->type == RESOURCE_REFS)
			v = texts_of(w, place);
		else if (f->type == RESOURCE_SECRET)
			v = secret_of(w, f, place);
		else if (f->type == RESOURCE_OBJECTS && f->fields)
			v = items_of(w, f, place);
		else if (f->type == RESOURCE_OBJECT && f->fields && f->flags & RESOURCE_NULL && is_blank(w, f->fields, place))
			v = json_null();
		else if (f->type == RESOURCE_OBJECT && f->fields)
			v = object_of(w, f->fields, place, jsn_get(before, f->name), is_new);
		else
			v = scalar_of(w, f, place);
		if (v)
			json_object_set_new(out, f->name, v);
	}
	return out;
}

json_t *resource_form_read(struct web *w, const struct resource_kind *k, const json_t *before)
{
	return jsn_keep(w->a, object_of(w, k->fields, STR(""), before, before == NULL));
}
