/* plan_text.c - a plan for people and for programs. */
#include "config/files/plan.h"
#include "core/str.h"

enum { VALUE_MAX = 60 };

/* Whether a terminal would obey it, or show what follows in another order (U+202A to U+202E, U+2066 to U+2069). */
static bool is_obeyed(uint32_t cp)
{
	return cp < ' ' || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

void plan_put_text(struct buf *out, struct str s)
{
	while (s.n) {
		uint32_t cp = 0xfffd;
		unsigned n = utf8_decode(s, &cp);

		if (!n || is_obeyed(cp))
			buf_fmt(out, "\\u%04x", n ? (unsigned)cp : 0xfffdu);
		else
			buf_str(out, str_first(s, n));
		s = str_from(s, n ? n : 1);
	}
}

static void put_member(struct buf *out, const json_t *v, const char *name)
{
	plan_put_text(out, jsn_str(v, name));
}

/* A value on one line, cut. */
static void put_value(struct buf *out, const json_t *v)
{
	struct buf b;
	struct str s;
	bool cut;

	buf_init(&b, 1 << 20);
	jsn_write(&b, v, 0);
	s = buf_view(&b);
	if (!buf_ok(&b))
		s = STR("...");
	cut = s.n > VALUE_MAX;
	s = str_first(s, VALUE_MAX);
	while (s.n && !utf8_valid(s))
		s.n--;
	plan_put_text(out, s);
	buf_cstr(out, cut ? "..." : "");
	buf_release(&b);
}

/* Where two long texts begin to differ, as both are the same at their beginning mostly. */
static void put_texts(struct buf *out, struct str was, struct str is)
{
	size_t lines = 1, at = 0;

	while (at < was.n && at < is.n && was.p[at] == is.p[at])
		lines += was.p[at++] == '\n';
	buf_fmt(out, "differs from line %zu on (%zu bytes before, %zu after)", lines, was.n, is.n);
}

static void put_fields(const json_t *change, struct buf *out)
{
	size_t i;
	json_t *f;

	json_array_foreach(jsn_arr(change, "fields"), i, f) {
		struct str was = jsn_str(f, "before"), is = jsn_str(f, "after");

		buf_cstr(out, "    ");
		put_member(out, f, "field");
		buf_cstr(out, ": ");
		if (was.n && is.n && (was.n > VALUE_MAX || is.n > VALUE_MAX)) {
			put_texts(out, was, is);
		} else {
			put_value(out, jsn_get(f, "before"));
			buf_cstr(out, " -> ");
			put_value(out, jsn_get(f, "after"));
		}
		buf_char(out, '\n');
	}
}

static char sign_of(struct str action)
{
	return str_eq(action, str_of(plan_action_names[PLAN_CREATE])) ? '+' : str_eq(action, str_of(plan_action_names[PLAN_CHANGE])) ? '~' : '-';
}

static void put_change(const json_t *c, struct buf *out)
{
	long long subscriptions = jsn_int(c, "subscriptions", 0), calls = jsn_int(c, "callsOfSevenDays", 0), with = jsn_int(c, "with", 0);
	bool everything = jsn_bool(c, "allCalls", false);

	buf_fmt(out, "%c ", sign_of(jsn_str(c, "action")));
	put_member(out, c, "kind");
	buf_char(out, ' ');
	put_member(out, c, "id");
	if (with)
		buf_fmt(out, " and %lld things of it", with);
	if (everything || subscriptions || calls)
		buf_fmt(out, "  [%s%lld subscription%s, %lld call%s in 7 days]", everything ? "all calls: " : "", subscriptions,
			subscriptions == 1 ? "" : "s", calls, calls == 1 ? "" : "s");
	buf_char(out, '\n');
	put_fields(c, out);
}

void plan_text_of(const json_t *plan, struct buf *out)
{
	const json_t *summary = jsn_obj(plan, "summary");
	long long same = jsn_int(summary, "same", 0);
	size_t i;
	json_t *v;

	json_array_foreach(jsn_arr(plan, "changes"), i, v)
		put_change(v, out);
	json_array_foreach(jsn_arr(plan, "missing"), i, v) {
		buf_cstr(out, "! ");
		put_member(out, v, "kind");
		buf_char(out, ' ');
		put_member(out, v, "id");
		put_member(out, v, "field");
		buf_fmt(out, ": the secret is not here%s\n", jsn_bool(v, "placeholder", false) ? "; a random text takes its place until you set it" : "");
	}
	json_array_foreach(jsn_arr(plan, "warnings"), i, v) {
		buf_cstr(out, "! ");
		plan_put_text(out, jsn_string(v));
		buf_char(out, '\n');
	}
	if (json_array_size(jsn_arr(plan, "changes")) == 0)
		buf_fmt(out, "nothing to do: %lld resource%s as in the files\n", same, same == 1 ? "" : "s");
	else
		buf_fmt(out, "%lld to create, %lld to change, %lld to delete, %lld as they are\n", (long long)jsn_int(summary, "create", 0),
			(long long)jsn_int(summary, "change", 0), (long long)jsn_int(summary, "delete", 0), same);
}

void plan_text(const struct plan *p, struct buf *out)
{
	json_t *v = plan_json(p);

	plan_text_of(v, out);
	json_decref(v);
}

json_t *plan_json(const struct plan *p)
{
	json_t *changes = json_array(), *missing = json_array(), *warnings = json_array();

	for (size_t i = 0; i < p->n; i++) {
		const struct plan_change *c = &p->changes[i];
		json_t *o = json_pack("{s:s, s:s, s:s%, s:b, s:I, s:I}", "action", plan_action_names[c->action], "kind", c->kind->name, "id",
				      c->id.p, c->id.n, "allCalls", c->everything, "subscriptions", (json_int_t)c->subscriptions,
				      "callsOfSevenDays", (json_int_t)c->calls);

		if (c->doc)
			json_object_set_new(o, "file", json_stringn(c->doc->file.p, c->doc->file.n));
		if (c->with)
			json_object_set_new(o, "with", json_integer((json_int_t)c->with));
		if (c->fields)
			json_object_set(o, "fields", c->fields);
		json_array_append_new(changes, o);
	}
	for (size_t i = 0; i < p->n_missing; i++) {
		const struct plan_missing *m = &p->missing[i];

		json_array_append_new(missing, json_pack("{s:s, s:s%, s:s%, s:b}", "kind", m->doc->kind->name, "id", m->doc->id.p,
				      m->doc->id.n, "field", m->field.p, m->field.n, "placeholder", m->placeholder));
	}
	for (size_t i = 0; i < p->n_warnings; i++)
		json_array_append_new(warnings, json_stringn(p->warnings[i].p, p->warnings[i].n));
	return json_pack("{s:o, s:o, s:o, s:s%, s:{s:I, s:I, s:I, s:I}}", "changes", changes, "missing", missing, "warnings", warnings, "state",
			 p->state.p ? p->state.p : "", p->state.n, "summary", "create",
			 (json_int_t)plan_count(p, PLAN_CREATE), "change", (json_int_t)plan_count(p, PLAN_CHANGE), "delete",
			 (json_int_t)plan_count(p, PLAN_DELETE), "same", (json_int_t)p->same);
}
