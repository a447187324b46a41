/* plan_text.c - a plan for people and for programs. */
#include "config/files/plan.h"
#include "core/str.h"

enum { VALUE_MAX = 60 };

static const char signs[] = { '+', '~', '-' };

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
	buf_str(out, s);
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

static void put_fields(const struct plan_change *c, struct buf *out)
{
	size_t i;
	json_t *f;

	json_array_foreach(c->fields, i, f) {
		struct str was = jsn_str(f, "before"), is = jsn_str(f, "after");

		buf_fmt(out, "    %s: ", json_string_value(jsn_get(f, "field")));
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

void plan_text(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_change *c = &p->changes[i];

		buf_fmt(out, "%c %s %.*s", signs[c->action], c->kind->name, STR_ARG(c->id));
		if (c->with)
			buf_fmt(out, " and %zu things of it", c->with);
		if (c->everything)
			buf_cstr(out, "  [all calls:");
		else if (c->subscriptions || c->calls)
			buf_cstr(out, "  [");
		if (c->everything || c->subscriptions || c->calls)
			buf_fmt(out, "%s%lld subscription%s, %lld call%s in 7 days]", c->everything ? " " : "", (long long)c->subscriptions,
				c->subscriptions == 1 ? "" : "s", (long long)c->calls, c->calls == 1 ? "" : "s");
		buf_char(out, '\n');
		put_fields(c, out);
	}
	for (size_t i = 0; i < p->n_missing; i++)
		buf_fmt(out, "! %s %.*s%.*s: the secret is not here%s\n", p->missing[i].doc->kind->name, STR_ARG(p->missing[i].doc->id),
			STR_ARG(p->missing[i].field), p->missing[i].placeholder ? "; a random text takes its place until you set it" : "");
	for (size_t i = 0; i < p->n_warnings; i++)
		buf_fmt(out, "! %.*s\n", STR_ARG(p->warnings[i]));
	if (p->n == 0)
		buf_fmt(out, "nothing to do: %zu resource%s as in the files\n", p->same, p->same == 1 ? "" : "s");
	else
		buf_fmt(out, "%zu to create, %zu to change, %zu to delete, %zu as they are\n", plan_count(p, PLAN_CREATE),
			plan_count(p, PLAN_CHANGE), plan_count(p, PLAN_DELETE), p->same);
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
